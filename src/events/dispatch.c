/* dispatch.c - EVENT_DISPATCH_*: calls that dispatchers work on, and the units at them.
 * Source: events.md 4.3 to 4.9; vendor pages push-events/dispatch-events. */
#include "fields.h"

static const char *const unit_names[] = { "idents", "ident", NULL };
static const char *const call_names[] = { "callIds", "callId", NULL };

/* ---- new, edit ---- */

static int call_check(const struct event *event, struct err *err)
{
    const cJSON *call = get(event->data, "dispatch");
    if (call && !cJSON_IsObject(call))
        return event_refuse(event, err, "dispatch", "expected an object");
    return need_id(event, err, call, "dispatch", "callId");
}

static void call_describe(const struct event *event, const struct state *state, struct description *out,
                          const char *verb)
{
    const cJSON *call = get(event->data, "dispatch");
    int64_t id = 0;
    get_id(call, "callId", &id);
    say_call(event, state, out, call, id);
    text_addf(&out->line, " %s", verb);
    say_originator(event, state, out);
    say_call_details(event, state, out, call);
}

static void new_describe(const struct event *event, const struct state *state, struct description *out)
{
    call_describe(event, state, out, "opened");
}

static void edit_describe(const struct event *event, const struct state *state, struct description *out)
{
    call_describe(event, state, out, "edited");
}

static int call_apply(const struct event *event, struct state *state)
{
    return apply_call(event, state, get(event->data, "dispatch"));
}

/* ---- closed ---- */

static int closed_check(const struct event *event, struct err *err)
{
    return need_ids(event, err, call_names, 0);
}

static void closed_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    get_ids(event->data, call_names, &ids);
    say_calls(event, state, out, &ids);
    text_add(&out->line, " closed");
    say_originator(event, state, out);
}

static int closed_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    get_ids(event->data, call_names, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_call patch = STATE_CALL_PATCH(ids.v[i]);
        patch.status = STATE_CALL_CLOSED;
        changed |= state_call_put(state, event->community, &patch, event->time_us);
    }
    return changed;
}

/* ---- note ---- */

static int note_check(const struct event *event, struct err *err)
{
    const cJSON *note = get(event->data, "note");
    if (need_id(event, err, event->data, "", "callId") < 0)
        return -EINVAL;
    if (!note)
        return event_refuse(event, err, "note", "missing");
    if (!cJSON_IsString(note) && !cJSON_IsObject(note))
        return event_refuse(event, err, "note", "expected a text or an object");
    return 0;
}

static void note_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    const char *author, *kind, *text = read_note(get(event->data, "note"), &author, &kind);
    get_ids(event->data, NAMES("callId"), &ids);
    say_calls(event, state, out, &ids);
    text_add(&out->line, ", ");
    if (!kind || !*kind || strcmp(kind, "text") == 0)
        text_add(&out->line, "note");
    else
        say(&out->line, kind, LINE_NAME_MAX);
    say_after(&out->line, " from ", author, LINE_NAME_MAX);
    say_originator(event, state, out);
    say_after(&out->line, ": ", text, LINE_TEXT_MAX);
}

static int note_apply(const struct event *event, struct state *state)
{
    const char *author, *kind, *text = read_note(get(event->data, "note"), &author, &kind);
    int64_t id = 0;
    get_id(event->data, "callId", &id);
    return state_call_note(state, event->community, id, text, event->time_us);
}

/* ---- attach, detach ---- */

static int units_check(const struct event *event, struct err *err)
{
    int r = need_id(event, err, event->data, "", "callId");
    return r < 0 ? r : need_ids(event, err, unit_names, 0);
}

static void units_describe(const struct event *event, const struct state *state, struct description *out,
                           const char *verb)
{
    struct ids units CLEANUP(ids_free) = { 0 }, call CLEANUP(ids_free) = { 0 };
    get_ids(event->data, unit_names, &units);
    get_ids(event->data, NAMES("callId"), &call);
    say_units(event, state, out, &units);
    text_add(&out->line, verb);
    say_calls(event, state, out, &call);
    say_originator(event, state, out);
}

static void attach_describe(const struct event *event, const struct state *state, struct description *out)
{
    units_describe(event, state, out, " attached to ");
}

static void detach_describe(const struct event *event, const struct state *state, struct description *out)
{
    units_describe(event, state, out, " detached from ");
}

static int units_apply(const struct event *event, struct state *state, bool attach)
{
    struct ids units CLEANUP(ids_free) = { 0 };
    int64_t call = 0;
    get_ids(event->data, unit_names, &units);
    get_id(event->data, "callId", &call);
    if (attach)
        return state_call_attach(state, event->community, call, units.v, units.n, event->time_us);
    return state_call_detach(state, event->community, call, units.v, units.n, event->time_us);
}

static int attach_apply(const struct event *event, struct state *state)
{
    return units_apply(event, state, true);
}

static int detach_apply(const struct event *event, struct state *state)
{
    return units_apply(event, state, false);
}

/* ---- body camera ---- */

static int bodycam_check(const struct event *event, struct err *err)
{
    int r = need_ids(event, err, NAMES("ident"), 0);
    if (r < 0)
        return r;
    if (!get(event->data, "state"))
        return event_refuse(event, err, "state", "missing");
    return get_flag(event->data, "state") < 0 ? event_refuse(event, err, "state", "expected true or false") : 0;
}

static void bodycam_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids units CLEANUP(ids_free) = { 0 };
    get_ids(event->data, NAMES("ident"), &units);
    text_add(&out->line, units.n == 1 ? "body camera of " : "body cameras of ");
    say_units(event, state, out, &units);
    text_add(&out->line, get_flag(event->data, "state") ? " switched on" : " switched off");
}

static const struct event_type types[] = {
    { "EVENT_DISPATCH_NEW", NULL, LOG_INFO, call_check, new_describe, call_apply },
    { "EVENT_DISPATCH_EDIT", NULL, LOG_INFO, call_check, edit_describe, call_apply },
    { "EVENT_DISPATCH_CLOSED", "EVENT_DISPATCH_CLOSE", LOG_INFO, closed_check, closed_describe, closed_apply },
    { "EVENT_DISPATCH_NOTE", NULL, LOG_INFO, note_check, note_describe, note_apply },
    { "EVENT_DISPATCH_UNIT_ATTACH", "EVENT_UNIT_ATTACH", LOG_INFO, units_check, attach_describe, attach_apply },
    { "EVENT_DISPATCH_UNIT_DETACH", "EVENT_UNIT_DETACH", LOG_INFO, units_check, detach_describe, detach_apply },
    { "EVENT_DISPATCH_TOGGLE_BODYCAM", "TOGGLE_BODYCAM", LOG_INFO, bodycam_check, bodycam_describe, NULL },
};

const struct event_family family_dispatch = { "dispatch", "call", 33, types, ARRAY_SIZE(types) };
