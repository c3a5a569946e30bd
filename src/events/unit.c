/* unit.c - EVENT_UNIT_*: the table, and what a unit's object tells state.
 * Source: events.md 4.10 to 4.14; vendor pages push-events/unit-events. */
#include "unit.h"

static void add_beside(struct state_unit *patch, const struct state_unit *beside)
{
    patch->online = beside->online;
    if (beside->dispatcher >= 0)
        patch->dispatcher = beside->dispatcher;
    if (patch->status == STATE_UNSET)
        patch->status = beside->status;
    patch->status_since_us = beside->status_since_us;
    patch->duty_since_us = beside->duty_since_us;
}

int apply_unit(const struct event *event, struct state *state, const cJSON *unit, const struct state_unit *beside)
{
    struct state_unit patch;
    if (!read_unit(unit, &patch))
        return 0;
    if (beside)
        add_beside(&patch, beside);
    return state_unit_put(state, event->community, &patch, event->time_us);
}

static const struct event_type types[] = {
    { "EVENT_UNIT_LOGIN", NULL, login_check, login_describe, login_apply, &facts_login },
    { "EVENT_UNIT_LOGOUT", NULL, logout_check, logout_describe, logout_apply, &facts_logout },
    { "EVENT_UNIT_STATUS", NULL, status_check, status_describe, status_apply, &facts_status },
    { "EVENT_UNIT_UPDATE", NULL, update_check, update_describe, update_apply, &facts_update },
    { "EVENT_UNIT_PANIC", NULL, panic_check, panic_describe, panic_apply, &facts_panic },
};

const struct event_family family_unit = { "unit", "36", types, ARRAY_SIZE(types) };
