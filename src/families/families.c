/* families.c - the list of all families, as it is handed down. */
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/primed.h>

#define ROW(name) &family_##name,
static const struct event_family *const list[] = { EVENT_FAMILIES(ROW) };

const struct event_families families_all = { list, ARRAY_SIZE(list), &family_primed };
