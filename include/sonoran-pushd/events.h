/* events.h - the families of events, each a file of src/events with one exported object.
 *
 * Shape, owner, threads and errors: see event.h. Source of each family: events.md section 4.
 */
#pragma once

#include <sonoran-pushd/event.h>

extern const struct event_family family_call911;
extern const struct event_family family_dispatch;
extern const struct event_family family_unit;
extern const struct event_family family_group;
extern const struct event_family family_record;
extern const struct event_family family_alert;
extern const struct event_family family_civilian;
extern const struct event_family family_sign;
extern const struct event_family family_support;
extern const struct event_family family_legacy;

/* Writes description.known: the units and calls of a described event, as state knows them after it, whole ones up to 1
 * KB, and how many are on duty; and adds the numbers its units have then. Nothing for a refused one; no known without
 * memory. */
void event_write_known(const struct event *event, const struct state *state, struct description *out);

/* All of them. */
extern const struct event_families all_event_families;
