/* dispatch_closed.c - EVENT_DISPATCH_CLOSED: how long a call took, and with whom. Source: events.md 4.5. */
#include "call.h"

const char *const dispatch_closed_call_names[] = { "callIds", "callId", NULL };

static bool was_closed(const struct call *call)
{
    return phrase_is_closed(state_find_call(call->state, call->event->realm, call->told.id));
}

/* By its object, else by state where that was told of all of them. */
static void closed_units(const struct call *call, struct ids *ret)
{
    const int64_t *attached;
    size_t n = state_call_units(call->state, call->event->realm, call->told.id, &attached);
    phrase_count_ids(ret, &call->units);
    for (size_t i = 0; call->known && call->units.n == 0 && i < n; i++)
        ids_add(ret, attached[i]);
}

static void count_closed(const struct call *call, struct ids *ret_units)
{
    int64_t call911 = call->told.call911;
    if (call911 == STATE_UNSET_ID && call->known)
        call911 = call->known->call911;
    if (call911 != STATE_UNSET_ID)
        ids_add(&call->out->calls911, call911);
    closed_units(call, ret_units);
    phrase_count_ids(&call->out->units, ret_units);
}

void dispatch_say_closed(const struct call *call)
{
    struct ids units CLEANUP(ids_free) = { 0 };
    struct text *line = &call->out->line;
    bool again = was_closed(call);
    text_add(line, again ? " closed again" : " closed");
    phrase_say_originator(call->event, call->state, call->out);
    count_closed(call, &units);
    if (again)
        return;
    phrase_say_since(line, " after ", call->known ? call->known->opened_us : 0, call->event->time_us);
    text_add(line, units.n ? ", with " : "");
    call_say_units_of(call, &units, STATE_UNSET_ID);
}

/* "55120 Structure Fire (23 min)" */
static void say_one_of_several(const struct call *call)
{
    struct text *line = &call->out->line;
    const struct state_call *call_ = state_find_call(call->state, call->event->realm, call->told.id);
    text_add_int(line, call->told.id);
    phrase_say_after(line, " ", call_ ? call_->title : NULL, LINE_NAME_MAX);
    if (was_closed(call))
        text_add(line, " (again)");
    else if (phrase_say_since(line, " (", call->known ? call->known->opened_us : 0, call->event->time_us))
        text_add(line, ")");
}

static void say_several(const struct event *event, const struct state *state, struct description *out,
                        const struct ids *ids)
{
    size_t shown = ids->n > LINE_LIST_MAX ? LINE_LIST_MAX : ids->n;
    text_add(&out->line, "calls ");
    for (size_t i = 0; i < ids->n; i++) {
        struct ids units CLEANUP(ids_free) = { 0 };
        struct call call;
        call_read_id(&call, event, state, out, ids->v[i]);
        count_closed(&call, &units);
        if (i >= shown)
            continue;
        phrase_say_separator(&out->line, i, shown + (ids->n > shown));
        say_one_of_several(&call);
    }
    phrase_say_more(&out->line, ids->n);
    text_add(&out->line, " closed");
    phrase_say_originator(event, state, out);
}

void dispatch_closed_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    struct call call;
    field_get_ids(event->data, dispatch_closed_call_names, &ids);
    if (ids.n != 1) {
        say_several(event, state, out, &ids);
        return;
    }
    call_read_id(&call, event, state, out, ids.v[0]);
    call_say_object(&call);
    dispatch_say_closed(&call);
}
