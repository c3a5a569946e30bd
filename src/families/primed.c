/* primed.c - STATE_PRIMED: what the CAD's REST interface told after a time without connection, or at a start. Made by
 * this program alone; primed.h tells its shape.
 * Source: vendor pages api-endpoints-v2/emergency. */
#include "call.h"
#include "primed_merge.h"
#include "unit.h"

#define FOR_EACH_GONE(item, event, name)                                                                               \
    for (const cJSON *gone_ = primed_gone_of(event, name), *item = field_first_of(gone_); item;                        \
         item = field_next_of(gone_, item))

/* A long number is a text by now. */
uint64_t primed_count(const cJSON *data, const char *name)
{
    int64_t number;
    return scalar_read_whole(field_get(data, name), &number) && number > 0 ? (uint64_t) number : 0;
}

struct primed_moment primed_moment_of(const struct event *event)
{
    bool elsewhere = event->home.node; /* whose ids are those of another log: only the times can be compared */
    return (struct primed_moment){ .asked_id = elsewhere ? UINT64_MAX : primed_count(event->data, "asked_id"),
                                   .asked_us = primed_count(event->data, "asked_us"),
                                   .told_us = event->time_us };
}

const cJSON *primed_gone_of(const struct event *event, const char *name)
{
    return field_get(field_get(event->data, "gone"), name);
}

bool primed_is_missed(const cJSON *json)
{
    return field_get_flag(json, "missed") == 1;
}

static bool is_call_missed(const struct event *event, const struct state *state, const cJSON *json)
{
    int64_t id;
    if (!primed_is_missed(json) || !field_get_id(json, "callId", &id))
        return false;
    const struct state_call *known = state_find_call(state, event->community, id);
    return known && known->primed == STATE_PRIMED_MISSED;
}

static bool is_call911_missed(const struct event *event, const struct state *state, const cJSON *json)
{
    int64_t id;
    if (!primed_is_missed(json) || !field_get_id(json, "callId", &id))
        return false;
    const struct state_call911 *known = state_find_call911(state, event->community, id);
    return known && known->primed == STATE_PRIMED_MISSED;
}

size_t primed_count_missed(const struct event *event, const struct state *state)
{
    size_t n = 0;
    PRIMED_FOR_EACH (call911, event, "calls911")
        n += is_call911_missed(event, state, call911);
    PRIMED_FOR_EACH (call, event, "calls")
        n += is_call_missed(event, state, call);
    return n;
}

/* ---- state: only where what is known is older, and what nobody told ---- */

static bool is_newer(const struct event *event, uint64_t changed_id, usec_t seen_us)
{
    const struct primed_moment moment = primed_moment_of(event);
    return !primed_is_older(&moment, changed_id, seen_us);
}

static int apply_unit(const struct event *event, struct state *state, const cJSON *json)
{
    struct primed_unit unit CLEANUP(primed_unit_done);
    if (!primed_read_unit(json, &unit))
        return 0;
    const struct state_unit *known = state_find_unit(state, event->realm, unit.told.id);
    if (known && is_newer(event, known->changed_id, known->seen_us))
        primed_spare_unit(&unit.told, known);
    return state_unit_put(state, event->realm, &unit.told, event->time_us);
}

static enum state_primed kind_of(const cJSON *json)
{
    return primed_is_missed(json) ? STATE_PRIMED_MISSED : STATE_PRIMED_KNOWN;
}

static int apply_call(const struct event *event, struct state *state, const cJSON *json)
{
    struct primed_call call CLEANUP(primed_call_done);
    if (!primed_read_call(json, &call))
        return 0;
    int64_t id = call.told.id;
    const struct state_call *known = state_find_call(state, event->realm, id);
    bool newer = known && is_newer(event, known->changed_id, known->seen_us);
    if (newer)
        primed_spare_call(&call, known);
    call.told.primed = kind_of(json);
    int changed = state_call_put(state, event->realm, &call.told, event->time_us);
    if (!call.lists_units)
        return changed;
    if (newer) /* who was told to be there stays */
        return changed | state_call_attach(state, event->realm, id, call.units.v, call.units.n, event->time_us);
    return changed | state_call_set_units(state, event->realm, id, call.units.v, call.units.n, event->time_us);
}

static int apply_call911(const struct event *event, struct state *state, const cJSON *json)
{
    struct primed_call911 call;
    if (!primed_read_call911(json, &call))
        return 0;
    const struct state_call911 *known = state_find_call911(state, event->realm, call.told.id);
    bool newer = known && is_newer(event, known->changed_id, known->seen_us);
    if (newer && known->removed)
        return 0;
    if (newer)
        primed_spare_call911(&call.told, known);
    call.told.primed = kind_of(json);
    return state_call911_put(state, event->realm, &call.told, event->time_us);
}

/* Told last by the session that asked, and not since. */
static bool is_ended(const struct event *event, const struct state *state, uint8_t source, uint64_t changed_id,
                     usec_t seen_us)
{
    return primed_source(state, event->origin->source, event->origin->name) == source && source &&
           !is_newer(event, changed_id, seen_us);
}

/* Those that this ends, found before anything else is changed: what is told of one thing here touches others. */
struct gone {
    struct ids units, calls, calls911;
};

static void find_gone_units(const struct event *event, const struct state *state, struct ids *ret)
{
    int64_t id;
    FOR_EACH_GONE(item, event, "units")
    {
        const struct state_unit *known = scalar_read_id(item, &id) ? state_find_unit(state, event->realm, id) : NULL;
        if (known && is_ended(event, state, known->changed_source, known->changed_id, known->seen_us))
            ids_add(ret, id);
    }
}

static void find_gone_calls(const struct event *event, const struct state *state, struct ids *ret)
{
    int64_t id;
    FOR_EACH_GONE(item, event, "calls")
    {
        const struct state_call *known = scalar_read_id(item, &id) ? state_find_call(state, event->realm, id) : NULL;
        if (known && is_ended(event, state, known->changed_source, known->changed_id, known->seen_us))
            ids_add(ret, id);
    }
}

static void find_gone_calls911(const struct event *event, const struct state *state, struct ids *ret)
{
    int64_t id;
    FOR_EACH_GONE(item, event, "calls911")
    {
        const struct state_call911 *known =
            scalar_read_id(item, &id) ? state_find_call911(state, event->realm, id) : NULL;
        if (known && is_ended(event, state, known->changed_source, known->changed_id, known->seen_us))
            ids_add(ret, id);
    }
}

static int apply_gone(const struct event *event, struct state *state, const struct gone *gone)
{
    int changed = 0;
    for (size_t i = 0; i < gone->calls911.n; i++)
        changed |= state_call911_remove(state, event->realm, gone->calls911.v[i], event->time_us);
    for (size_t i = 0; i < gone->calls.n; i++) {
        struct state_call patch = STATE_CALL_PATCH(gone->calls.v[i]);
        patch.status = STATE_CALL_CLOSED;
        changed |= state_call_put(state, event->realm, &patch, event->time_us);
    }
    for (size_t i = 0; i < gone->units.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(gone->units.v[i]);
        patch.online = 0;
        changed |= state_unit_put(state, event->realm, &patch, event->time_us);
    }
    return changed;
}

static void gone_free(struct gone *gone)
{
    ids_free(&gone->units);
    ids_free(&gone->calls);
    ids_free(&gone->calls911);
}

/* Units before calls, which touch them: what was told of one here is not newer than what else is. */
static int primed_apply(const struct event *event, struct state *state)
{
    struct gone gone CLEANUP(gone_free) = { 0 };
    int changed = 0;
    find_gone_units(event, state, &gone.units);
    find_gone_calls(event, state, &gone.calls);
    find_gone_calls911(event, state, &gone.calls911);
    PRIMED_FOR_EACH (unit, event, "units")
        changed |= apply_unit(event, state, unit);
    PRIMED_FOR_EACH (call911, event, "calls911")
        changed |= apply_call911(event, state, call911);
    PRIMED_FOR_EACH (call, event, "calls")
        changed |= apply_call(event, state, call);
    return changed | apply_gone(event, state, &gone);
}

/* Nobody else makes one. */
static int primed_check(const struct event *event, struct err *err)
{
    return cJSON_IsObject(event->data) ? 0 : event_refuse_value(event, err, "", "an object", event->data);
}

static const struct event_type types[] = {
    { PRIMED_TYPE, NULL, primed_check, primed_describe, primed_apply, NULL },
};

const struct event_family family_primed = { "session", "37", types, ARRAY_SIZE(types) };
