/* families.c - all families; the one place to add one. */
#include <sonoran-pushd/events.h>

static const struct event_family *const list[] = {
    &family_call911, &family_unit,     &family_dispatch, &family_group,   &family_alert,
    &family_record,  &family_civilian, &family_sign,     &family_support, &family_legacy,
};

const struct event_families all_event_families = { list, ARRAY_SIZE(list) };
