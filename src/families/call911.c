/* call911.c - EVENT_911, EVENT_REMOVE_911: calls from the public, waiting for a dispatcher.
 * Source: events.md 4.1, 4.2; vendor pages push-events/event-911, push-events/remove-911. */
#include "call.h"

/* The call; before 2020-08 its fields stood in data itself. */
static const cJSON *call_of(const struct event *event)
{
    const cJSON *call = field_get(event->data, "call");
    return call || !field_get(event->data, "callId") ? call : event->data;
}

/* V18: metaData stands in the call, beside it, or both; the inner one wins. */
struct meta {
    const cJSON *inner, *outer;
};

static const cJSON *meta_get(const struct meta *meta, const char *name)
{
    const cJSON *item = field_get(meta->inner, name);
    return item ? item : field_get(meta->outer, name);
}

/* Its metaData too, but not its position; false: it has no id. */
static bool call_told(const struct event *event, struct state_call911 *ret, struct meta *ret_meta)
{
    const cJSON *call = call_of(event);
    const struct meta meta = { field_get(call, "metaData"), field_get(event->data, "metaData") };
    bool known = field_read_call911(call, ret);
    ret->postal = scalar_text(meta_get(&meta, "postal"));
    ret->plate = scalar_text(meta_get(&meta, "plate"));
    ret->phone = scalar_text(meta_get(&meta, "phone"));
    ret->silent = scalar_flag(meta_get(&meta, "silentAlert"));
    *ret_meta = meta;
    return known;
}

/* Of its own: to write it costs as much as all else that is read of a call. */
static void position_told(struct state_call911 *call, const struct meta *meta, char position[POSITION_MAX_BYTES])
{
    const cJSON *place = field_get(meta->inner, "x") ? meta->inner : meta->outer;
    call->position = phrase_position_of(place, position) ? position : NULL;
}

static int call_check(const struct event *event, struct err *err)
{
    const cJSON *call = call_of(event);
    if (call && !cJSON_IsObject(call))
        return event_refuse_value(event, err, "call", "an object", call);
    return field_need_id(event, err, call, call && call == event->data ? "" : "call", "callId");
}

static bool has_place(const struct state_call911 *call)
{
    return call->location && *call->location;
}

/* Where nobody named the place, its position is one. */
static const char *place_of(const struct state_call911 *call)
{
    return has_place(call) ? call->location : call->position;
}

/* "911 call 90417 at 118 Lantern St, postal 7042, from Zoë Okonkwo: Smoke from the attic." */
static void say_new(struct text *line, const struct state_call911 *call)
{
    text_add(line, call->emergency == 0 ? "civil call " : "911 call ");
    text_add_int(line, call->id);
    size_t name_end = line->size;
    phrase_say_after(line, " at ", place_of(call), LINE_NAME_MAX);
    phrase_say_after(line, ", postal ", call->postal, LINE_NAME_MAX);
    phrase_say_after(line, ", plate ", call->plate, LINE_NAME_MAX);
    phrase_say_after(line, ", phone ", call->phone, LINE_NAME_MAX);
    if (call->silent == 1)
        text_add(line, ", silent alert");
    text_add(line, line->size > name_end ? ", from " : " from ");
    if (call->caller && *call->caller)
        phrase_say(line, call->caller, LINE_NAME_MAX);
    else
        text_add(line, "an unnamed caller");
    phrase_say_after(line, ": ", call->description, LINE_TEXT_MAX);
}

static void say_kind_change(struct text *line, int8_t old, int8_t told)
{
    if (told < 0 || told == old)
        return;
    text_add(line, told ? ", emergency" : ", civil");
    text_add(line, old < 0 ? "" : old ? " (was emergency)" : " (was civil)");
}

static void say_silent_change(struct text *line, int8_t old, int8_t told)
{
    if (told == 1 && old != 1)
        text_add(line, ", silent alert");
    if (told == 0 && old == 1)
        text_add(line, ", no silent alert");
}

/* What a new place is another than; a position is none beside a place that has a name. */
static void say_place_change(struct text *line, const struct state_call911 *old, const struct state_call911 *call)
{
    bool named = has_place(call) || (has_place(old) && !call->location);
    const char *told = named || !call->position ? call->location : call->position;
    call_say_text_change(line, ", at ", ", no place", place_of(old), told);
}

/* "911 call 90417 (Zoë Okonkwo, 118 Lantern St) changed, at 120 Lantern St (was 118 Lantern St)", or came again. */
static void say_again(const struct event *event, const struct state *state, struct description *out,
                      const struct state_call911 *old, const struct state_call911 *call)
{
    struct text *line = &out->line;
    struct text changes CLEANUP(text_free) = TEXT_INIT;
    say_place_change(&changes, old, call);
    call_say_text_change(&changes, ", postal ", ", no postal", old->postal, call->postal);
    call_say_text_change(&changes, ", plate ", ", no plate", old->plate, call->plate);
    call_say_text_change(&changes, ", phone ", ", no phone", old->phone, call->phone);
    say_silent_change(&changes, old->silent, call->silent);
    call_say_text_change(&changes, ", from ", ", from an unnamed caller", old->caller, call->caller);
    say_kind_change(&changes, old->emergency, call->emergency);
    bool described = phrase_is_other(old->description, call->description);

    call911_write_was(&out->was, old, call);
    phrase_say_call911(event, state, out, call->id);
    if (changes.size == 0 && !described) {
        text_add(line, " came again");
        out->level = LOG_INFO;
        return;
    }
    text_add(line, " changed");
    text_add(line, changes.s);
    if (described && !*call->description)
        text_add(line, ", no description");
    phrase_say_after(line, ": ", described ? call->description : NULL, LINE_TEXT_MAX);
}

static void call_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct state_call911 call;
    struct meta meta;
    char position[POSITION_MAX_BYTES];
    if (!call_told(event, &call, &meta))
        return;
    if (!has_place(&call)) /* else no line has it */
        position_told(&call, &meta, position);
    const struct state_call911 *old = state_find_call911(state, event->realm, call.id);
    if (call.emergency < 0 && old)
        call.emergency = old->emergency;
    out->level = call.emergency == 0 ? LOG_INFO : LOG_NOTICE;
    ids_add(&out->calls911, call.id);
    if (old && old->told && !old->removed)
        say_again(event, state, out, old, &call);
    else
        say_new(&out->line, &call);
}

static int call_apply(const struct event *event, struct state *state)
{
    struct state_call911 call;
    struct meta meta;
    char position[POSITION_MAX_BYTES];
    if (!call_told(event, &call, &meta))
        return 0;
    position_told(&call, &meta, position);
    return state_call911_put(state, event->realm, &call, event->time_us);
}

static const char *const removed_names[] = { "callIds", "callId", NULL };

static int removed_check(const struct event *event, struct err *err)
{
    return field_need_ids(event, err, removed_names, MAY_BE_EMPTY);
}

static bool has_story(const struct event *event, const struct state *state, int64_t id)
{
    const struct state_call911 *call = state_find_call911(state, event->realm, id);
    return (call && call->told) || state_call_of_911(state, event->realm, id) != STATE_UNSET_ID;
}

static bool none_has_story(const struct event *event, const struct state *state, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (has_story(event, state, ids->v[i]))
            return false;
    return true;
}

/* "911 call 90417 (Zoë Okonkwo, 118 Lantern St) removed after 3 min, dispatched as call 55120 Structure Fire" */
static void say_removed(const struct event *event, const struct state *state, struct description *out, int64_t id)
{
    const struct state_call911 *call = state_find_call911(state, event->realm, id);
    int64_t dispatched = state_call_of_911(state, event->realm, id);
    phrase_say_call911(event, state, out, id);
    text_add(&out->line, call && call->removed ? " removed again" : " removed");
    if (call && call->removed)
        return;
    phrase_say_since(&out->line, " after ", call ? call->opened_us : 0, event->time_us);
    if (dispatched == STATE_UNSET_ID)
        return;
    text_add(&out->line, ", dispatched as ");
    phrase_say_call(event, state, out, dispatched);
}

/* Ids of the calls that were made from those the line has no room for. */
static void count_dispatched(const struct event *event, const struct state *state, struct ids *out,
                             const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        int64_t call = state_call_of_911(state, event->realm, ids->v[i]);
        if (call != STATE_UNSET_ID)
            ids_add(out, call);
    }
}

/* "911 calls 90417 and 90418 removed" */
static void say_numbers_removed(struct description *out, const struct ids *ids)
{
    size_t shown = ids->n > LINE_LIST_MAX ? LINE_LIST_MAX : ids->n;
    text_add(&out->line, "911 calls ");
    for (size_t i = 0; i < shown; i++) {
        phrase_say_separator(&out->line, i, shown + (ids->n > shown));
        text_add_int(&out->line, ids->v[i]);
    }
    phrase_say_more(&out->line, ids->n);
    text_add(&out->line, " removed");
}

static void removed_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    field_get_ids(event->data, removed_names, &ids);
    if (ids.n == 0) {
        text_add(&out->line, "no 911 call removed");
        out->level = LOG_DEBUG;
        return;
    }
    phrase_count_ids(&out->calls911, &ids);
    if (ids.n > 1 && none_has_story(event, state, &ids)) {
        say_numbers_removed(out, &ids);
        return;
    }
    for (size_t i = 0; i < ids.n && i < LINE_LIST_MAX; i++) {
        text_add(&out->line, i ? "; " : "");
        say_removed(event, state, out, ids.v[i]);
    }
    phrase_say_more(&out->line, ids.n);
    count_dispatched(event, state, &out->calls, &ids);
}

static int removed_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    field_get_ids(event->data, removed_names, &ids);
    for (size_t i = 0; i < ids.n; i++)
        changed |= state_call911_remove(state, event->realm, ids.v[i], event->time_us);
    return changed;
}

static const struct event_type types[] = {
    { "EVENT_911", NULL, call_check, call_describe, call_apply, &facts_911 },
    { "EVENT_REMOVE_911", NULL, removed_check, removed_describe, removed_apply, &facts_remove_911 },
};

const struct event_family family_call911 = { "call911", "31", types, ARRAY_SIZE(types) };
