/* call911.c - EVENT_911, EVENT_REMOVE_911: calls from the public, waiting for a dispatcher.
 * Source: events.md 4.1, 4.2; vendor pages push-events/event-911, push-events/remove-911. */
#include "fields.h"

/* The call; before 2020-08 its fields stood in data itself. */
static const cJSON *call_of(const struct event *event)
{
    const cJSON *call = get(event->data, "call");
    return call || !get(event->data, "callId") ? call : event->data;
}

/* V18: metaData stands in the call, beside it, or both; the inner one wins. */
static const cJSON *meta_of(const struct event *event, const char *name)
{
    const cJSON *inner = get(call_of(event), "metaData"), *outer = get(event->data, "metaData");
    return get(inner, name) ? inner : outer;
}

/* Its values are texts as a rule; some senders have a number. */
static void say_postal(const struct event *event, struct text *line)
{
    const cJSON *meta = meta_of(event, "postal");
    int64_t number;
    if (!get_text(meta, "postal") && get_id(meta, "postal", &number))
        text_addf(line, ", postal %lld", (long long) number);
    say_after(line, ", postal ", get_text(meta, "postal"), LINE_NAME_MAX);
}

static int call_check(const struct event *event, struct err *err)
{
    const cJSON *call = call_of(event);
    if (call && !cJSON_IsObject(call))
        return event_refuse(event, err, "call", "expected an object");
    return need_id(event, err, call, call && call == event->data ? "" : "call", "callId");
}

static void call_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct state_call911 call;
    (void) state;
    read_call911(call_of(event), &call);
    ids_add(&out->calls911, call.id);
    out->level = call.emergency == 0 ? LOG_INFO : LOG_NOTICE;

    text_addf(&out->line, "%s call %lld from ", call.emergency == 0 ? "civil" : "911", (long long) call.id);
    if (call.caller && *call.caller)
        say(&out->line, call.caller, LINE_NAME_MAX);
    else
        text_add(&out->line, "an unnamed caller");
    say_after(&out->line, " at ", call.location, LINE_NAME_MAX);
    say_postal(event, &out->line);
    if (get_flag(meta_of(event, "silentAlert"), "silentAlert") == 1)
        text_add(&out->line, ", silent alert");
    say_after(&out->line, ": ", call.description, LINE_TEXT_MAX);
}

static int call_apply(const struct event *event, struct state *state)
{
    struct state_call911 call;
    read_call911(call_of(event), &call);
    return state_call911_put(state, event->community, &call, event->time_us);
}

static const char *const removed_names[] = { "callIds", "callId", NULL };

static int removed_check(const struct event *event, struct err *err)
{
    return need_ids(event, err, removed_names, MAY_BE_EMPTY);
}

static void removed_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    get_ids(event->data, removed_names, &ids);
    if (ids.n == 0) {
        text_add(&out->line, "no 911 call removed");
        return;
    }
    say_calls911(event, state, out, &ids);
    text_add(&out->line, " removed");
}

static int removed_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    get_ids(event->data, removed_names, &ids);
    for (size_t i = 0; i < ids.n; i++)
        changed |= state_call911_remove(state, event->community, ids.v[i], event->time_us);
    return changed;
}

static const struct event_type types[] = {
    { "EVENT_911", NULL, LOG_NOTICE, call_check, call_describe, call_apply },
    { "EVENT_REMOVE_911", NULL, LOG_INFO, removed_check, removed_describe, removed_apply },
};

const struct event_family family_call911 = { "call911", "911", 31, types, ARRAY_SIZE(types) };
