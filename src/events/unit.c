/* unit.c - EVENT_UNIT_*: the table, and what a unit's object tells state.
 * Source: events.md 4.10 to 4.14; vendor pages push-events/unit-events. */
#include "unit.h"

/* ---- the player's ids in the game: a list in one text of state, whole ids or none ---- */

static void add_api_id(struct text *ids, const cJSON *item)
{
    struct text quoted CLEANUP(text_free) = TEXT_INIT;
    const char *id = text_of(item);
    if (!id || !*id || fact_is_nothing(id))
        return;
    text_add_json(&quoted, id, strlen(id));
    if (strstr(ids->s, quoted.s) || ids->size + quoted.size + strlen("[]") > STATE_TEXT_MAX_BYTES)
        return;
    text_add(ids, ids->size ? "," : "[");
    text_add_bytes(ids, quoted.s, quoted.size);
}

const char *read_api_ids(const cJSON *unit, struct text *ret)
{
    static const char *const names[] = { "communityUserIds", "communityUserId", "apiIds", "apiId1", "apiId2", NULL };
    const cJSON *data = get(unit, "data"), *where = cJSON_IsObject(data) ? data : unit;
    if (!get_any(where, names))
        return NULL;
    for (const char *const *name = names; *name; name++) {
        const cJSON *list = get(where, *name);
        for (const cJSON *item = first_of(list); item; item = next_of(list, item))
            add_api_id(ret, item);
    }
    text_add(ret, ret->size ? "]" : "");
    return ret->failed ? NULL : ret->s;
}

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
    struct text api_ids CLEANUP(text_free) = TEXT_INIT;
    struct state_unit patch;
    const char *ids = read_api_ids(unit, &api_ids); /* first: there may be more than texts of numbers last */
    if (!read_unit(unit, &patch))
        return 0;
    patch.api_ids = ids;
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
