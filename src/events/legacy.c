/* legacy.c - EVENT_DISPATCH, EVENT_UNIT_CALL_CLEAR: what the CAD sent until 2021-04-21.
 * Source: events.md 4.30, 4.31. */
#include "fields.h"

static const char *const kinds[] = { "CALL_NEW", "CALL_EDIT", "CALL_CLOSE", "CALL_NOTE", "CALL_SELF_CLEAR" };
enum { KIND_CLOSE = 2, KIND_NOTE = 3, KIND_SELF_CLEAR = 4 };

/* A number, its text, or a name; a dispatch without one is as good as an edited call. */
static int32_t kind_of(const struct event *event)
{
    const char *name = get_text(event->data, "dispatch_type");
    for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++)
        if (strcasecmp(name, kinds[i]) == 0)
            return (int32_t) i;
    return get_number(event->data, "dispatch_type");
}

static int dispatch_check(const struct event *event, struct err *err)
{
    const cJSON *call = get(event->data, "dispatch");
    if (call && !cJSON_IsObject(call))
        return event_refuse(event, err, "dispatch", "expected an object");
    return need_id(event, err, call, "dispatch", "callId");
}

/* "3-L-27 Mara Ellison left call 55120 Structure Fire" */
static void say_self_clear(const struct event *event, const struct state *state, struct description *out,
                           const struct ids *calls, const cJSON *call)
{
    struct ids units CLEANUP(ids_free) = { 0 };
    const cJSON *objects = get(call, "idents") ? NULL : get(call, "units");
    call_units(call, &units);
    if (units.n == 0)
        text_add(&out->line, "no unit");
    else if (objects)
        say_unit_objects(event, state, out, objects);
    else
        say_units(event, state, out, &units);
    text_add(&out->line, " left ");
    say_calls(event, state, out, calls);
    say_originator(event, state, out);
}

static void dispatch_describe(const struct event *event, const struct state *state, struct description *out)
{
    static const char *const verbs[] = { " opened", " edited", " closed", ", note" };
    const cJSON *call = get(event->data, "dispatch");
    int32_t kind = kind_of(event);
    struct state_call told;
    read_call(call, &told);

    struct ids ids CLEANUP(ids_free) = { 0 };
    ids_add(&ids, told.id);
    if (kind < KIND_CLOSE) {
        say_call(event, state, out, call, told.id);
        text_add(&out->line, kind >= 0 ? verbs[kind] : " edited");
        say_originator(event, state, out);
        say_call_details(event, state, out, call);
        return;
    }
    if (kind == KIND_SELF_CLEAR) {
        say_self_clear(event, state, out, &ids, call);
        return;
    }
    say_calls(event, state, out, &ids);
    text_add(&out->line, kind < (int32_t) ARRAY_SIZE(verbs) ? verbs[kind] : " changed");
    say_originator(event, state, out);
    if (kind == KIND_NOTE)
        say_after(&out->line, ": ", told.last_note, LINE_TEXT_MAX);
}

static int dispatch_apply(const struct event *event, struct state *state)
{
    const cJSON *call = get(event->data, "dispatch");
    int32_t kind = kind_of(event);
    struct state_call patch;
    read_call(call, &patch);

    if (kind == KIND_CLOSE)
        patch.status = STATE_CALL_CLOSED;
    if (kind != KIND_SELF_CLEAR && kind != KIND_CLOSE)
        return apply_call(event, state, call);
    int changed = state_call_put(state, event->community, &patch, event->time_us);
    struct ids units CLEANUP(ids_free) = { 0 };
    call_units(call, &units);
    changed |= apply_units(event, state, call);
    if (kind == KIND_SELF_CLEAR)
        changed |= state_call_detach(state, event->community, patch.id, units.v, units.n, event->time_us);
    return changed;
}

static int clear_check(const struct event *event, struct err *err)
{
    return need_units(event, err, true, false);
}

static void clear_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *units = get(event->data, "units");
    say_unit_objects(event, state, out, units);
    text_add(&out->line, out->units.n == 1 ? " left its call" : " left their calls");
}

static int clear_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    const cJSON *units = get(event->data, "units");
    int changed = 0;
    for (const cJSON *unit = first_of(units); unit; unit = next_of(units, unit))
        changed |= apply_unit(event, state, unit, -1, -1);
    call_units(event->data, &ids);
    return changed | state_units_clear(state, event->community, ids.v, ids.n, event->time_us);
}

static const struct event_type types[] = {
    { "EVENT_DISPATCH", NULL, LOG_INFO, dispatch_check, dispatch_describe, dispatch_apply },
    { "EVENT_UNIT_CALL_CLEAR", NULL, LOG_INFO, clear_check, clear_describe, clear_apply },
};

const struct event_family family_legacy = { "legacy", "call", 33, types, ARRAY_SIZE(types) };
