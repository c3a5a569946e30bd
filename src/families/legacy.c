/* legacy.c - EVENT_DISPATCH, EVENT_UNIT_CALL_CLEAR: what the CAD sent until 2021-04-21.
 * Source: events.md 4.30, 4.31. */
#include "call.h"
#include "unit.h"

static const char *const kinds[] = { "CALL_NEW", "CALL_EDIT", "CALL_CLOSE", "CALL_NOTE", "CALL_SELF_CLEAR" };
enum { KIND_NEW = 0, KIND_CLOSE = 2, KIND_NOTE = 3, KIND_SELF_CLEAR = 4 };

/* A number, its text, or a name; a dispatch without one is as good as an edited call. */
int32_t legacy_kind(const struct event *event)
{
    const char *name = field_get_text(event->data, "dispatch_type");
    for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++)
        if (strcasecmp(name, kinds[i]) == 0)
            return (int32_t) i;
    return field_get_number(event->data, "dispatch_type");
}

static int dispatch_check(const struct event *event, struct err *err)
{
    const cJSON *call = field_get(event->data, "dispatch");
    if (call && !cJSON_IsObject(call))
        return event_refuse_value(event, err, "dispatch", "an object", call);
    if (call && legacy_kind(event) == KIND_NEW && call_has_no_number_yet(call))
        return 0;
    return field_need_id(event, err, call, "dispatch", "callId");
}

/* "3-L-27 Mara Ellison cleared from call 55120 Structure Fire, 1 unit left" */
static void say_self_clear(const struct call *call)
{
    struct text *line = &call->out->line;
    text_add(line, call->units.n ? "" : "no unit");
    call_say_units_of(call, &call->units, STATE_UNSET_ID);
    text_add(line, " cleared from ");
    call_say_object(call);
    phrase_say_originator(call->event, call->state, call->out);
    if (call->units.n)
        phrase_say_left(call->event, call->state, line, call->told.id, &call->units);
}

/* The newest of the notes it has. */
static void say_last_note(const struct call *call)
{
    call_say_object(call);
    text_add(&call->out->line, ", note");
    phrase_say_originator(call->event, call->state, call->out);
    phrase_say_after(&call->out->line, ": ", call->told.last_note, LINE_TEXT_MAX);
}

static void describe_call(const struct call *call, int32_t kind)
{
    if (kind == KIND_SELF_CLEAR) {
        say_self_clear(call);
    } else if (kind == KIND_NOTE) {
        say_last_note(call);
    } else if (kind == KIND_CLOSE) {
        call_say_object(call);
        dispatch_say_closed(call);
    } else if (kind == KIND_NEW) {
        call_say_opening(call);
    } else {
        call_say_edit(call);
    }
}

/* The units and the 911 call of its object, also where the sentence names neither. */
static void count_object(const struct call *call)
{
    phrase_count_ids(&call->out->units, &call->units);
    if (call->told.call911 != STATE_UNSET_ID)
        ids_add(&call->out->calls911, call->told.call911);
}

static void dispatch_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct call call CLEANUP(call_done);
    call_read(&call, event, state, out, field_get(event->data, "dispatch"));
    unit_say_panics(&(struct line){ event, state, out }, field_get(call.json, "units"));
    describe_call(&call, legacy_kind(event));
    count_object(&call);
}

static int dispatch_apply(const struct event *event, struct state *state)
{
    const cJSON *call = field_get(event->data, "dispatch");
    int32_t kind = legacy_kind(event);
    struct state_call patch;
    bool known = field_read_call(call, &patch);

    if (kind == KIND_CLOSE) {
        patch.status = STATE_CALL_CLOSED;
        patch.closed_us = event->time_us;
    }
    if (!known || (kind != KIND_SELF_CLEAR && kind != KIND_CLOSE))
        return call_apply_call(event, state, call, kind == KIND_NEW);
    int changed = state_call_put(state, event->realm, &patch, event->time_us);
    struct ids units CLEANUP(ids_free) = { 0 };
    call_units(call, &units);
    changed |= call_apply_units(event, state, call);
    if (kind == KIND_SELF_CLEAR)
        changed |= state_call_detach(state, event->realm, patch.id, units.v, units.n, event->time_us);
    return changed;
}

static int clear_check(const struct event *event, struct err *err)
{
    return field_need_units(event, err, true, false);
}

/* The open calls of a unit. */
static void calls_of(const struct event *event, const struct state *state, int64_t unit, struct ids *ret)
{
    int64_t calls[LINE_LIST_MAX + 1];
    size_t n = state_unit_calls(state, event->realm, unit, calls, ARRAY_SIZE(calls));
    for (size_t i = 0; i < n; i++)
        ids_add(ret, calls[i]);
}

static bool all_at(const struct event *event, const struct state *state, const struct ids *units,
                   const struct ids *calls)
{
    for (size_t i = 0; i < units->n; i++) {
        struct ids others CLEANUP(ids_free) = { 0 };
        calls_of(event, state, units->v[i], &others);
        if (others.n != calls->n || (calls->n && memcmp(others.v, calls->v, calls->n * sizeof(calls->v[0])) != 0))
            return false;
    }
    return true;
}

/* "3-L-27 Mara Ellison cleared from call 55120 Structure Fire, 1 unit left", once all those who went are gone. */
static void say_cleared(const struct call *named, const struct ids *units, const struct ids *calls,
                        const struct ids *all)
{
    struct text *line = &named->out->line;
    call_say_units_of(named, units, STATE_UNSET_ID);
    text_add(line, " cleared from ");
    if (calls->n == 0) {
        text_add(line, units->n == 1 ? "a call" : "their calls");
        return;
    }
    phrase_say_calls(named->event, named->state, named->out, calls);
    if (calls->n == 1)
        phrase_say_left(named->event, named->state, line, calls->v[0], all);
}

static void say_each_cleared(const struct call *named)
{
    for (size_t i = 0; i < named->units.n && i < LINE_LIST_MAX; i++) {
        struct ids one CLEANUP(ids_free) = { 0 }, calls CLEANUP(ids_free) = { 0 };
        ids_add(&one, named->units.v[i]);
        calls_of(named->event, named->state, named->units.v[i], &calls);
        text_add(&named->out->line, i ? "; " : "");
        say_cleared(named, &one, &calls, &named->units);
    }
    phrase_say_more(&named->out->line, named->units.n);
    phrase_count_ids(&named->out->units, &named->units);
}

/* data lists its units as a call does, and has no number. */
static void clear_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids calls CLEANUP(ids_free) = { 0 };
    struct call named CLEANUP(call_done);
    call_read(&named, event, state, out, event->data);
    unit_say_panics(&(struct line){ event, state, out }, field_get(event->data, "units"));
    if (named.units.n)
        calls_of(event, state, named.units.v[0], &calls);
    if (all_at(event, state, &named.units, &calls))
        say_cleared(&named, &named.units, &calls, &named.units);
    else
        say_each_cleared(&named);
}

static int clear_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    const cJSON *units = field_get(event->data, "units");
    int changed = 0;
    for (const cJSON *unit = field_first_of(units); unit; unit = field_next_of(units, unit))
        changed |= unit_apply(event, state, unit, NULL);
    call_units(event->data, &ids);
    return changed | state_units_clear(state, event->realm, ids.v, ids.n, event->time_us);
}

static const struct event_type types[] = {
    { "EVENT_DISPATCH", NULL, dispatch_check, dispatch_describe, dispatch_apply, &facts_legacy_dispatch },
    { "EVENT_UNIT_CALL_CLEAR", NULL, clear_check, clear_describe, clear_apply, &facts_call_clear },
};

const struct event_family family_legacy = { "legacy", "33", types, ARRAY_SIZE(types) };
