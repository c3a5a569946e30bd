/* families.h - the families of events, each a file of src/families with one exported object.
 *
 * Shape, owner, threads and errors: see event.h. Source of each family: events.md section 4.
 */
#pragma once

#include <sonoran-pushd/event.h>

/* All families, and the one place to add one: each is the object family_NAME of a file of src/families. */
#define EVENT_FAMILIES(X)                                                                                              \
    X(call911) X(unit) X(dispatch) X(group) X(alert) X(record) X(civilian) X(sign) X(support) X(legacy)

#define EVENT_FAMILY(name) extern const struct event_family family_##name;
EVENT_FAMILIES(EVENT_FAMILY)

/* Writes description.known: the units and calls of a described event, as state knows them after it, whole ones up to 1
 * KB, and how many are on duty; and adds the numbers its units have then. Nothing for a refused one; no known without
 * memory. */
void families_write_known(const struct event *event, const struct state *state, struct description *out);

/* In the order of their rows. */
extern const struct event_families families_all;
