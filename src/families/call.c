/* call.c - the dispatch call as an object: the sentence about all of it, and what it tells state. Shared by the
 * families that carry one. Source: events.md 2.2. */
#include "call.h"

static const char *const attached_names[] = { "idents", NULL };
static const char *const attached_before_2021_names[] = { "units", NULL };

/* The units a call's object lists: ids today, whole units before 3.10.0. Whether it has a list at all. */
bool call_units(const cJSON *call, struct ids *ret)
{
    field_get_units(call, attached_names, ret);
    const cJSON *units = field_get(call, "units");
    if (!cJSON_IsObject(field_first_of(units)))
        field_get_units(call, attached_before_2021_names, ret);
    for (const cJSON *unit = field_first_of(units); unit; unit = field_next_of(units, unit)) {
        int64_t id;
        if (field_get_id(unit, "id", &id) && id != 0)
            ids_add(ret, id);
    }
    return field_get(call, "idents") || units;
}

bool call_has_no_number_yet(const cJSON *call)
{
    int64_t number;
    return !field_get(call, "callId") || (scalar_read_whole(field_get(call, "callId"), &number) && number == -1);
}

/* The text of a number does not last while units are read, of which there may be any number. */
static void keep_numbers(struct call *call)
{
    struct state_call *told = &call->told;
    const char **const texts[CALL_TEXTS] = { &told->title, &told->code,        &told->address,  &told->postal,
                                             &told->block, &told->description, &told->last_note };
    for (size_t i = 0; i < CALL_TEXTS; i++) {
        const char *text = *texts[i];
        size_t size = text ? strnlen(text, JSON_DOUBLE_MAX_BYTES) : JSON_DOUBLE_MAX_BYTES;
        if (size == JSON_DOUBLE_MAX_BYTES)
            continue;
        memcpy(call->numbers[i], text, size + 1);
        *texts[i] = call->numbers[i];
    }
}

void call_read(struct call *ret, const struct event *event, const struct state *state, struct description *out,
               const cJSON *json)
{
    *ret = (struct call){ .event = event, .state = state, .out = out, .json = json };
    ret->numbered = field_read_call(json, &ret->told);
    keep_numbers(ret);
    ret->lists_units = call_units(json, &ret->units);
    if (!ret->numbered)
        return;
    ret->known = phrase_call_known(event, state, ret->told.id);
    ids_add(&out->calls, ret->told.id);
}

void call_read_id(struct call *ret, const struct event *event, const struct state *state, struct description *out,
                  int64_t id)
{
    *ret = (struct call){ .event = event, .state = state, .out = out, .told = STATE_CALL_PATCH(id), .numbered = true };
    ret->known = phrase_call_known(event, state, id);
    ids_add(&out->calls, id);
}

void call_done(struct call *call)
{
    ids_free(&call->units);
}

bool call_has_id(const struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return true;
    return false;
}

void call_say_object(const struct call *call)
{
    struct text *line = &call->out->line;
    if (!call->numbered) {
        text_add(line, "call without a number");
        return;
    }
    if (!call->told.title || !*call->told.title) {
        phrase_say_call(call->event, call->state, call->out, call->told.id);
        return;
    }
    text_addf(line, "call %lld ", (long long) call->told.id);
    phrase_say(line, call->told.title, LINE_NAME_MAX);
}

void call_say_by(const struct call *call, size_t verb_end)
{
    if (phrase_originator_of(call->event) && call->out->line.size > verb_end)
        text_add(&call->out->line, ",");
    phrase_say_originator(call->event, call->state, call->out);
}

/* ---- its units ---- */

/* The unit as the call's object has it, or NULL. */
static const cJSON *object_of(const struct call *call, int64_t id)
{
    const cJSON *units = field_get(call->json, "units");
    for (const cJSON *unit = field_first_of(units); unit; unit = field_next_of(units, unit)) {
        int64_t other;
        if (field_get_id(unit, "id", &other) && other == id)
            return unit;
    }
    return NULL;
}

static bool is_named(const struct call *call, int64_t id)
{
    const struct state_unit *unit = state_find_unit(call->state, call->event->realm, id);
    struct state_unit told;
    (void) !field_read_unit(object_of(call, id), &told);
    return (told.number && *told.number) || (told.name && *told.name) || (unit && (unit->number || unit->name));
}

static bool none_is_named(const struct call *call, const struct ids *ids, size_t shown)
{
    for (size_t i = 0; i < shown; i++)
        if (is_named(call, ids->v[i]))
            return false;
    return true;
}

static void say_unit_of(const struct call *call, int64_t id)
{
    const cJSON *object = object_of(call, id);
    if (object)
        phrase_say_unit_object(call->event, call->state, call->out, object, id);
    else
        phrase_say_unit(call->event, call->state, call->out, id);
}

void call_say_units_of(const struct call *call, const struct ids *ids, int64_t primary)
{
    struct text *line = &call->out->line;
    size_t shown = ids->n > LINE_LIST_MAX ? LINE_LIST_MAX : ids->n;
    bool numbers = ids->n > 1 && none_is_named(call, ids, shown);
    text_add(line, numbers ? "units " : "");
    for (size_t i = 0; i < shown; i++) {
        phrase_say_separator(line, i, shown + (ids->n > shown));
        if (numbers)
            text_add_int(line, ids->v[i]);
        else
            say_unit_of(call, ids->v[i]);
        text_add(line, ids->v[i] == primary ? " (primary)" : "");
    }
    phrase_say_more(line, ids->n);
    phrase_count_ids(&call->out->units, ids);
}

static bool is_among_first(const struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n && i < LINE_LIST_MAX; i++)
        if (ids->v[i] == id)
            return true;
    return false;
}

/* By the object's list. */
static void say_call_units(const struct call *call)
{
    int64_t primary = call->told.primary;
    if (call->lists_units && call->units.n == 0)
        text_add(&call->out->line, ", no units");
    if (call->units.n) {
        text_add(&call->out->line, ", with ");
        call_say_units_of(call, &call->units, primary);
    }
    if (primary != STATE_UNSET_ID && primary != 0 && !is_among_first(&call->units, primary)) {
        text_add(&call->out->line, ", primary ");
        say_unit_of(call, primary);
    }
}

/* ---- the sentence ---- */

void call_say_origin911(const struct call *call)
{
    int64_t id = call->told.call911;
    const struct state_call911 *call911 = state_find_call911(call->state, call->event->realm, id);
    ids_add(&call->out->calls911, id);
    text_add(&call->out->line, ", from ");
    phrase_say_call911_kind(call->event, call->state, &call->out->line, id);
    text_add_int(&call->out->line, id);
    phrase_say_since(&call->out->line, " after ", call911 ? call911->opened_us : 0, call->event->time_us);
}

/* That a caller told of it goes without saying where the caller's own call is named. */
static void say_where_from(const struct call *call, int brevity)
{
    bool called = call->told.call911 != STATE_UNSET_ID;
    if (brevity < CALL_WITHOUT_ORIGIN && call->told.origin != STATE_UNSET && !(called && call->told.origin == 0)) {
        text_add(&call->out->line, ", ");
        phrase_say_word(&call->out->line, WORD_ORIGIN, call->told.origin);
    }
    if (called)
        call_say_origin911(call);
}

void call_say_all(const struct call *call, const char *verb, int brevity)
{
    const struct state_call *told = &call->told;
    struct text *line = &call->out->line;
    call_say_object(call);
    text_add(line, verb);
    size_t verb_end = line->size;

    phrase_say_after(line, ", ", call->numbered ? NULL : told->title, LINE_NAME_MAX);
    if (told->priority != STATE_UNSET)
        text_addf(line, ", priority %d", told->priority);
    phrase_say_after(line, ", at ", told->address, LINE_NAME_MAX);
    phrase_say_after(line, ", postal ", told->postal, LINE_NAME_MAX);
    phrase_say_after(line, ", block ", brevity < CALL_WITHOUT_BLOCK ? told->block : NULL, LINE_NAME_MAX);
    phrase_say_after(line, ", code ", brevity < CALL_WITHOUT_CODE ? told->code : NULL, LINE_NAME_MAX);
    if (told->status != STATE_UNSET && strcmp(verb, " closed") != 0) {
        text_add(line, ", ");
        phrase_say_word(line, WORD_CALL_STATUS, told->status);
    }
    say_where_from(call, brevity);
    say_call_units(call);
    call_say_by(call, verb_end);
    phrase_say_after(line, ": ", told->description, LINE_TEXT_MAX);
}

static void cut(struct text *line, size_t size)
{
    if (line->size <= size)
        return;
    line->size = size;
    line->s[size] = '\0';
}

void call_say_brief(const struct call *call, const char *verb, call_sentence *sentence)
{
    struct text *line = &call->out->line;
    size_t start = line->size;
    sentence(call, verb, CALL_WHOLE);
    for (int brevity = CALL_WITHOUT_BLOCK; brevity <= CALL_WITHOUT_CODE && phrase_line_chars(line) > LINE_CHARS_MAX;
         brevity++) {
        cut(line, start);
        sentence(call, verb, brevity);
    }
}

/* ---- state ---- */

int call_apply_units(const struct event *event, struct state *state, const cJSON *object)
{
    const cJSON *units = field_get(object, "units");
    int changed = 0;
    int64_t id;
    for (const cJSON *unit = field_first_of(units); unit; unit = field_next_of(units, unit))
        if (field_get_id(unit, "id", &id))
            changed |= unit_apply(event, state, unit, NULL);
    return changed;
}

int call_apply_call(const struct event *event, struct state *state, const cJSON *json, bool opening)
{
    struct state_call call;
    struct ids attached CLEANUP(ids_free) = { 0 };
    bool known = field_read_call(json, &call), listed = call_units(json, &attached);
    call.opened_us = opening ? event->time_us : 0;
    call.told = opening || listed;

    int changed = known ? state_call_put(state, event->realm, &call, event->time_us) : 0;
    changed |= call_apply_units(event, state, json);
    if (known && listed)
        changed |= state_call_set_units(state, event->realm, call.id, attached.v, attached.n, event->time_us);
    return changed;
}
