/* call_changes.c - what an edit makes different of a call that is known: new values first, the old ones behind them. */
#include "call.h"

void call_say_text_change(struct text *line, const char *before, const char *without, const char *old, const char *told)
{
    if (!phrase_is_other(old, told))
        return;
    if (*told)
        phrase_say_after(line, before, told, LINE_NAME_MAX);
    else
        text_add(line, without);
    phrase_say_was(line, old, told);
}

static void say_priority_change(struct text *line, int32_t old, int32_t told)
{
    if (told == STATE_UNSET || told == old)
        return;
    text_addf(line, ", priority %d", told);
    if (old != STATE_UNSET)
        text_addf(line, " (was %d)", old);
}

static void say_word_change(struct text *line, enum wording wording, int32_t old, int32_t told)
{
    if (told == STATE_UNSET || told == old)
        return;
    text_add(line, ", ");
    phrase_say_word(line, wording, told);
    phrase_say_was_word(line, wording, old, told);
}

static void say_origin911_change(const struct call *call)
{
    int64_t old = call->known->call911, told = call->told.call911;
    if (told == STATE_UNSET_ID || told == old)
        return;
    call_say_origin911(call);
    if (old != STATE_UNSET_ID)
        text_addf(&call->out->line, " (was %lld)", (long long) old);
}

/* A list of notes that is empty is not told from one that is missing. */
static void say_notes_change(const struct call *call)
{
    uint32_t old = call->known->n_notes, told = call->told.n_notes;
    struct text *line = &call->out->line;
    if (told == 0)
        return;
    if (told == old) {
        text_add(line, phrase_is_other(call->known->last_note, call->told.last_note) ? ", notes changed" : "");
        return;
    }
    text_addf(line, ", %u note%s", told, text_plural(told));
    if (old)
        text_addf(line, " (was %u)", old);
}

static void say_unit_named(const struct call *call, int64_t id)
{
    struct ids one CLEANUP(ids_free) = { 0 };
    ids_add(&one, id);
    call_say_units_of(call, &one, STATE_UNSET_ID);
}

static void say_primary_change(const struct call *call)
{
    int64_t old = call->known->primary, told = call->told.primary;
    struct text *line = &call->out->line;
    bool had = old != STATE_UNSET_ID && old != 0;
    if (told == STATE_UNSET_ID || told == old || (told == 0 && !had))
        return;
    text_add(line, told ? ", primary " : ", no primary");
    if (told)
        say_unit_named(call, told);
    if (!had)
        return;
    text_add(line, " (was ");
    say_unit_named(call, old);
    text_add(line, ")");
}

static void say_units_change(const struct call *call, const struct ids *units, const char *what)
{
    if (units->n == 0)
        return;
    text_add(&call->out->line, ", ");
    call_say_units_of(call, units, STATE_UNSET_ID);
    text_add(&call->out->line, what);
}

/* Those that have gone are told once, where a closing names who was there. */
static void say_units_changes(const struct call *call, bool closing)
{
    struct ids before CLEANUP(ids_free) = { 0 }, added CLEANUP(ids_free) = { 0 }, gone CLEANUP(ids_free) = { 0 };
    const int64_t *attached;
    size_t n = state_call_units(call->state, call->event->realm, call->told.id, &attached);
    for (size_t i = 0; i < n; i++) {
        ids_add(&before, attached[i]);
        if (!call_has_id(&call->units, attached[i]))
            ids_add(&gone, attached[i]);
    }
    for (size_t i = 0; i < call->units.n; i++)
        if (!call_has_id(&before, call->units.v[i]))
            ids_add(&added, call->units.v[i]);
    say_units_change(call, &added, " added");
    if (!closing || call->units.n)
        say_units_change(call, &gone, " taken off");
}

/* A setting of the map, told only where it is all there is to tell. */
static void say_tracking_change(const struct call *call, size_t verb_end)
{
    int8_t old = call->known->track_primary, told = call->told.track_primary;
    if (told < 0 || told == old || call->out->line.size > verb_end ||
        phrase_is_other(call->known->description, call->told.description))
        return;
    text_add(&call->out->line, told ? ", following the primary unit" : ", no longer following the primary unit");
}

static void say_changes(const struct call *call, bool closing, int brevity)
{
    const struct state_call *old = call->known, *told = &call->told;
    struct text *line = &call->out->line;
    size_t verb_end = line->size;
    say_priority_change(line, old->priority, told->priority);
    if (!closing)
        say_word_change(line, WORD_CALL_STATUS, old->status, told->status);
    call_say_text_change(line, ", at ", ", no place", old->address, told->address);
    call_say_text_change(line, ", postal ", ", no postal", old->postal, told->postal);
    if (brevity < CALL_WITHOUT_BLOCK)
        call_say_text_change(line, ", block ", ", no block", old->block, told->block);
    if (brevity < CALL_WITHOUT_CODE)
        call_say_text_change(line, ", code ", ", no code", old->code, told->code);
    if (brevity < CALL_WITHOUT_ORIGIN)
        say_word_change(line, WORD_ORIGIN, old->origin, told->origin);
    say_origin911_change(call);
    say_notes_change(call);
    say_primary_change(call);
    if (call->lists_units)
        say_units_changes(call, closing);
    say_tracking_change(call, verb_end);
}

/* Everybody it concerns, also where nothing is said of them. */
static void count_all(const struct call *call)
{
    int64_t call911 = call->told.call911 != STATE_UNSET_ID ? call->told.call911 : call->known->call911;
    if (call911 != STATE_UNSET_ID)
        ids_add(&call->out->calls911, call911);
    phrase_count_ids(&call->out->units, &call->units);
    if (call->told.primary != STATE_UNSET_ID)
        phrase_count_unit(call->out, call->told.primary);
}

static const char opened_again[] = " opened again";

/* An opening that tells no status of a call that was closed: nothing else may be new. */
static bool is_reopening(const struct call *call, const char *verb)
{
    return verb == opened_again && call->told.status == STATE_UNSET && phrase_is_closed(call->known);
}

/* For one that is known: what is another than before, or that nothing is. */
static void say_call_changes(const struct call *call, const char *verb, int brevity)
{
    const struct state_call *old = call->known, *told = &call->told;
    struct text *line = &call->out->line;
    if (brevity == CALL_WHOLE)
        call_write_was(call);
    bool closing = phrase_is_closed(told) && !phrase_is_closed(old),
         described = phrase_is_other(old->description, told->description);
    count_all(call);
    if (told->title && !*told->title)
        text_addf(line, "call %lld", (long long) told->id); /* what state calls it is no longer its name */
    else
        call_say_object(call);
    phrase_say_was(line, old->title, told->title);
    if (closing)
        dispatch_say_closed(call);
    else
        text_add(line, verb);

    size_t verb_end = line->size;
    say_changes(call, closing, brevity);
    if (described && !*told->description)
        text_add(line, ", no description");
    bool nothing = !closing && !described && line->size == verb_end && !phrase_is_other(old->title, told->title);
    if (nothing && !is_reopening(call, verb)) {
        text_add(line, ", no change known here");
        if (call->out->level == LOG_INFO) /* else somebody at it is in panic */
            call->out->level = LOG_DEBUG;
    }
    if (!closing)
        call_say_by(call, verb_end);
    phrase_say_after(line, ": ", described ? told->description : NULL, LINE_TEXT_MAX);
}

void call_say_opening(const struct call *call)
{
    if (call->known)
        call_say_brief(call, opened_again, say_call_changes);
    else
        call_say_brief(call, " opened", call_say_all);
}

void call_say_edit(const struct call *call)
{
    if (call->known)
        call_say_brief(call, " edited", say_call_changes);
    else
        call_say_brief(call, phrase_is_closed(&call->told) ? " closed" : " edited", call_say_all);
}
