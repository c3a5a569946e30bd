/* dispatch.c - EVENT_DISPATCH_*: calls that dispatchers work on, and the units at them.
 * Source: events.md 4.3 to 4.9; vendor pages push-events/dispatch-events. */
#include "call.h"
#include "unit.h"

/* ---- new, edit ---- */

static int call_check(const struct event *event, struct err *err)
{
    const cJSON *call = field_get(event->data, "dispatch");
    if (call && !cJSON_IsObject(call))
        return event_refuse_value(event, err, "dispatch", "an object", call);
    return field_need_id(event, err, call, "dispatch", "callId");
}

/* Some come with -1: the number follows in an edit, and the call is told all the same. */
static int new_check(const struct event *event, struct err *err)
{
    const cJSON *call = field_get(event->data, "dispatch");
    return field_get(call, "callId") && call_has_no_number_yet(call) ? 0 : call_check(event, err);
}

static void call_describe(const struct event *event, const struct state *state, struct description *out,
                          void (*say_it)(const struct call *call))
{
    struct call call CLEANUP(call_done);
    call_read(&call, event, state, out, field_get(event->data, "dispatch"));
    unit_say_panics(&(struct line){ event, state, out }, field_get(call.json, "units"));
    say_it(&call);
}

static void new_describe(const struct event *event, const struct state *state, struct description *out)
{
    call_describe(event, state, out, call_say_opening);
}

static void edit_describe(const struct event *event, const struct state *state, struct description *out)
{
    call_describe(event, state, out, call_say_edit);
}

static int new_apply(const struct event *event, struct state *state)
{
    return call_apply_call(event, state, field_get(event->data, "dispatch"), true);
}

static int edit_apply(const struct event *event, struct state *state)
{
    return call_apply_call(event, state, field_get(event->data, "dispatch"), false);
}

/* ---- closed ---- */

static int closed_check(const struct event *event, struct err *err)
{
    return field_need_ids(event, err, dispatch_closed_call_names, 0);
}

static int closed_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    field_get_ids(event->data, dispatch_closed_call_names, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_call patch = STATE_CALL_PATCH(ids.v[i]);
        patch.status = STATE_CALL_CLOSED;
        patch.closed_us = event->time_us;
        changed |= state_call_put(state, event->realm, &patch, event->time_us);
    }
    return changed;
}

/* ---- note ---- */

static int note_check(const struct event *event, struct err *err)
{
    const cJSON *note = field_get(event->data, "note");
    if (field_need_id(event, err, event->data, "", "callId") < 0)
        return -EINVAL;
    bool some = cJSON_IsString(note) || cJSON_IsObject(note);
    return some ? 0 : event_refuse_value(event, err, "note", "a text or an object", note);
}

static void note_describe(const struct event *event, const struct state *state, struct description *out)
{
    int64_t id;
    if (field_get_id(event->data, "callId", &id))
        phrase_say_call(event, state, out, id);
    phrase_say_note(event, state, out, field_get(event->data, "note"));
}

static int note_apply(const struct event *event, struct state *state)
{
    const char *author, *kind, *text = field_read_note(field_get(event->data, "note"), &author, &kind);
    int64_t id;
    return field_get_id(event->data, "callId", &id) ? state_call_note(state, event->realm, id, text, event->time_us)
                                                    : 0;
}

/* ---- attach, detach ---- */

static int units_check(const struct event *event, struct err *err)
{
    int r = field_need_id(event, err, event->data, "", "callId");
    return r < 0 ? r : field_need_ids(event, err, dispatch_attach_unit_names, 0);
}

static int units_apply(const struct event *event, struct state *state, bool attach)
{
    struct ids units CLEANUP(ids_free) = { 0 };
    int64_t call;
    field_get_units(event->data, dispatch_attach_unit_names, &units);
    if (!field_get_id(event->data, "callId", &call))
        return 0;
    if (attach)
        return state_call_attach(state, event->realm, call, units.v, units.n, event->time_us);
    return state_call_detach(state, event->realm, call, units.v, units.n, event->time_us);
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
    int r = field_need_ids(event, err, NAMES("ident"), 0);
    if (r < 0)
        return r;
    if (field_get_flag(event->data, "state") < 0)
        return event_refuse_value(event, err, "state", "true or false", field_get(event->data, "state"));
    return 0;
}

static void bodycam_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids units CLEANUP(ids_free) = { 0 };
    field_get_units(event->data, NAMES("ident"), &units);
    text_add(&out->line, units.n == 0 ? "body camera" : units.n == 1 ? "body camera of " : "body cameras of ");
    phrase_say_units(event, state, out, &units);
    text_add(&out->line, field_get_flag(event->data, "state") ? " switched on" : " switched off");
}

static const struct event_type types[] = {
    { "EVENT_DISPATCH_NEW", NULL, new_check, new_describe, new_apply, &facts_dispatch },
    { "EVENT_DISPATCH_EDIT", NULL, call_check, edit_describe, edit_apply, &facts_dispatch },
    { "EVENT_DISPATCH_CLOSED", "EVENT_DISPATCH_CLOSE", closed_check, dispatch_closed_describe, closed_apply,
      &facts_closed },
    { "EVENT_DISPATCH_NOTE", NULL, note_check, note_describe, note_apply, &facts_note },
    { "EVENT_DISPATCH_UNIT_ATTACH", "EVENT_UNIT_ATTACH", units_check, dispatch_attach_describe, attach_apply,
      &facts_attach },
    { "EVENT_DISPATCH_UNIT_DETACH", "EVENT_UNIT_DETACH", units_check, dispatch_detach_describe, detach_apply,
      &facts_attach },
    { "EVENT_DISPATCH_TOGGLE_BODYCAM", "TOGGLE_BODYCAM", bodycam_check, bodycam_describe, NULL, &facts_bodycam },
};

const struct event_family family_dispatch = { "dispatch", "33", types, ARRAY_SIZE(types) };
