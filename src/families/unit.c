/* unit.c - EVENT_UNIT_*: the table, and what a unit's object tells state.
 * Source: events.md 4.10 to 4.14; vendor pages push-events/unit-events. */
#include "unit.h"

/* ---- the player's ids in the game: a list in one text of state, whole ids or none ---- */

static void add_api_id(struct json_writer *ids, const cJSON *item)
{
    struct text quoted CLEANUP(text_free) = TEXT_INIT;
    const char *id = scalar_text(item);
    if (!id || !*id || fact_is_nothing(id))
        return;
    json_quote(&quoted, id, strlen(id));
    ids->out->failed |= quoted.failed;
    if (quoted.failed || strstr(ids->out->s, quoted.s) ||
        ids->out->size + quoted.size + strlen("[]") > STATE_TEXT_MAX_BYTES)
        return;
    if (!ids->depth)
        json_begin_array(ids, NULL);
    json_add_raw(ids, NULL, (struct span){ quoted.s, quoted.size });
}

const char *unit_read_api_ids(const cJSON *unit, struct text *ret)
{
    static const char *const names[] = { "communityUserIds", "communityUserId", "apiIds", "apiId1", "apiId2", NULL };
    const cJSON *data = field_get(unit, "data"), *where = cJSON_IsObject(data) ? data : unit;
    struct json_writer ids = json_writer(ret);
    if (!field_get_any(where, names))
        return NULL;
    for (const char *const *name = names; *name; name++) {
        const cJSON *list = field_get(where, *name);
        for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item))
            add_api_id(&ids, item);
    }
    if (ids.depth)
        json_end(&ids);
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

int unit_apply(const struct event *event, struct state *state, const cJSON *unit, const struct state_unit *beside)
{
    struct text api_ids CLEANUP(text_free) = TEXT_INIT;
    struct state_unit patch;
    const char *ids = unit_read_api_ids(unit, &api_ids); /* first: there may be more than texts of numbers last */
    if (!field_read_unit(unit, &patch))
        return 0;
    patch.api_ids = ids;
    if (beside)
        add_beside(&patch, beside);
    return state_unit_put(state, event->realm, &patch, event->time_us);
}

static const struct event_type types[] = {
    { "EVENT_UNIT_LOGIN", NULL, unit_login_check, unit_login_describe, unit_login_apply, &facts_login },
    { "EVENT_UNIT_LOGOUT", NULL, unit_logout_check, unit_logout_describe, unit_logout_apply, &facts_logout },
    { "EVENT_UNIT_STATUS", NULL, unit_status_check, unit_status_describe, unit_status_apply, &facts_status },
    { "EVENT_UNIT_UPDATE", NULL, unit_update_check, unit_update_describe, unit_update_apply, &facts_update },
    { "EVENT_UNIT_PANIC", NULL, unit_panic_check, unit_panic_describe, unit_panic_apply, &facts_panic },
};

const struct event_family family_unit = { "unit", "36", types, ARRAY_SIZE(types) };
