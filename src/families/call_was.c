/* call_was.c - what a call, or a 911 call, was before an event that makes it different, by the names of its facts: kept
 * in the event's row, for those who show one change after the other. */
#include "call.h"

static void add(struct json_writer *was, const char *name, const char *old)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    phrase_say(&text, old ? old : "", LINE_NAME_MAX);
    was->out->failed |= text.failed;
    json_add_span(was, name, (struct span){ text.s, text.size });
}

static void add_text(struct json_writer *was, const char *name, const char *old, const char *told)
{
    if (phrase_is_other(old, told))
        add(was, name, old);
}

static void add_number(struct json_writer *was, const char *name, int64_t old, int64_t told, int64_t unset)
{
    char digits[24] = "";
    if (told == unset || told == old)
        return;
    if (old != unset)
        snprintf(digits, sizeof(digits), "%lld", (long long) old);
    add(was, name, digits);
}

static void add_word(struct json_writer *was, const char *name, enum wording wording, int32_t old, int32_t told)
{
    struct text word CLEANUP(text_free) = TEXT_INIT;
    if (told == STATE_UNSET || told == old)
        return;
    if (old != STATE_UNSET)
        phrase_say_word(&word, wording, old);
    add(was, name, word.s);
}

static void add_primary(const struct call *call, struct json_writer *was)
{
    int64_t old = call->known->primary, told = call->told.primary;
    struct text name CLEANUP(text_free) = TEXT_INIT;
    bool had = old != STATE_UNSET_ID && old != 0;
    if (told == STATE_UNSET_ID || told == old || (told == 0 && !had))
        return;
    if (had)
        state_name_unit(call->state, call->event->realm, old, &name);
    add(was, "primary", name.s);
}

static void add_units(const struct call *call, struct json_writer *was)
{
    const int64_t *attached;
    struct text names CLEANUP(text_free) = TEXT_INIT;
    size_t n = state_call_units(call->state, call->event->realm, call->told.id, &attached), n_same = 0;
    for (size_t i = 0; i < n; i++) {
        n_same += call_has_id(&call->units, attached[i]);
        text_add(&names, i ? ", " : "");
        state_name_unit(call->state, call->event->realm, attached[i], &names);
    }
    if (call->lists_units && (n_same != n || n_same != call->units.n))
        add(was, "unit", names.s);
}

void call_write_was(const struct call *call)
{
    const struct state_call *old = call->known, *told = &call->told;
    struct json_writer json = json_writer(&call->out->was), *was = &json;
    text_reset(json.out);
    json_begin_object(was, NULL);
    add_text(was, "title", old->title, told->title);
    add_text(was, "code", old->code, told->code);
    add_number(was, "priority", old->priority, told->priority, STATE_UNSET);
    add_word(was, "status", WORD_CALL_STATUS, old->status, told->status);
    add_text(was, "location", old->address, told->address);
    add_text(was, "block", old->block, told->block);
    add_text(was, "postal", old->postal, told->postal);
    add_word(was, "origin", WORD_ORIGIN, old->origin, told->origin);
    add_number(was, "call911", old->call911, told->call911, STATE_UNSET_ID);
    add_primary(call, was);
    add_units(call, was);
    if (told->n_notes && (told->n_notes != old->n_notes || phrase_is_other(old->last_note, told->last_note)))
        add(was, "note", "");
    if (phrase_is_other(old->description, told->description))
        add(was, "description", "");
    json_end(was);
}

void call911_write_was(struct text *out, const struct state_call911 *old, const struct state_call911 *told)
{
    struct json_writer json = json_writer(out), *was = &json;
    text_reset(out);
    json_begin_object(was, NULL);
    if (told->emergency >= 0 && told->emergency != old->emergency)
        add(was, "emergency", old->emergency < 0 ? "" : old->emergency ? "yes" : "no");
    add_text(was, "caller", old->caller, told->caller);
    add_text(was, "location", old->location, told->location);
    if (!(old->location && *old->location) && !(told->location && *told->location))
        add_text(was, "position", old->position, told->position);
    add_text(was, "postal", old->postal, told->postal);
    add_text(was, "plate", old->plate, told->plate);
    add_text(was, "phone", old->phone, told->phone);
    if (told->silent >= 0 && told->silent != (old->silent == 1))
        add(was, "silent", old->silent < 0 ? "" : old->silent ? "yes" : "no");
    if (phrase_is_other(old->description, told->description))
        add(was, "description", "");
    json_end(was);
}
