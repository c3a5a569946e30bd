/* unit_words.c - what a line says of one unit: its name, what is new about it, and the calls it is on. */
#include "unit.h"

#define CALLS_MAX 16  /* of one unit */
#define LOOK_AHEAD 32 /* objects, for one of the same unit */

struct told_unit unit_told(const struct line *line, int64_t id, const cJSON *json)
{
    struct told_unit unit = { .id = id, .json = json, .was = state_find_unit(line->state, line->event->realm, id) };
    (void) !field_read_unit(json, &unit.now);
    unit.now.id = id;
    return unit;
}

enum panic unit_panic_of(const struct told_unit *unit)
{
    bool was = unit->was && unit->was->panic == 1;
    if (unit->now.panic < 0 || (unit->now.panic == 0 && !was))
        return PANIC_NOT_TOLD;
    if (unit->now.panic == 0)
        return PANIC_ENDS;
    return was ? PANIC_GOES_ON : PANIC_BEGINS;
}

int unit_turn_of(const struct told_unit *unit)
{
    enum panic panic = unit_panic_of(unit);
    return panic == PANIC_BEGINS ? 0 : panic == PANIC_ENDS ? 1 : 2;
}

/* Only what is told can take the place of what was told, and of a panic only the same: nothing may be lost. */
static bool tells_as_much(const struct state_unit *later, const struct state_unit *unit)
{
    bool flags = (later->panic == unit->panic || unit->panic < 0) && (later->dispatcher >= 0 || unit->dispatcher < 0);
    bool numbers = (later->status != STATE_UNSET || unit->status == STATE_UNSET) &&
                   (later->page != STATE_UNSET || unit->page == STATE_UNSET);
    bool names = (later->number || !unit->number) && (later->name || !unit->name);
    bool places = (later->location || !unit->location) && (later->department || !unit->department) &&
                  (later->group || !unit->group);
    return flags && numbers && names && places;
}

bool unit_is_told_again(const cJSON *list, const struct told_unit *unit)
{
    const cJSON *json = unit->json;
    for (size_t i = 0; i < LOOK_AHEAD && (json = field_next_of(list, json)); i++) {
        struct state_unit later;
        int64_t id;
        if (field_get_id(json, "id", &id) && id == unit->id && field_read_unit(json, &later) &&
            tells_as_much(&later, &unit->now))
            return true;
    }
    return false;
}

static void raise_level(struct description *out, int level)
{
    if (level < out->level)
        out->level = level;
}

void unit_say_panic(const struct line *line, const struct told_unit *unit)
{
    struct text *text = &line->out->line;
    enum panic panic = unit_panic_of(unit);
    if (panic == PANIC_BEGINS) {
        raise_level(line->out, LOG_WARNING);
        text_add(text, "PANIC: ");
    }
    if (panic == PANIC_ENDS) {
        raise_level(line->out, LOG_NOTICE);
        text_add(text, "panic ended");
        phrase_say_since(text, " after ", unit->was->panic_since_us, line->event->time_us);
        text_add(text, ": ");
    }
}

static void say_panic_of(const struct line *line, const struct told_unit *unit)
{
    unit_say_panic(line, unit);
    unit_say_told(line, unit, false);
    if (unit_panic_of(unit) == PANIC_BEGINS)
        unit_say_place(line, unit);
    text_add(&line->out->line, "; ");
}

void unit_say_panics(const struct line *line, const cJSON *units)
{
    static const enum panic turns[] = { PANIC_BEGINS, PANIC_ENDS };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++)
        for (const cJSON *json = field_first_of(units); json; json = field_next_of(units, json)) {
            struct state_unit told;
            if (!cJSON_IsObject(json) || !field_read_unit(json, &told))
                continue;
            struct told_unit unit = unit_told(line, told.id, json);
            if (unit_panic_of(&unit) == turns[i] && !unit_is_told_again(units, &unit) && n++ < LINE_LIST_MAX)
                say_panic_of(line, &unit);
        }
}

static bool is_named(const struct told_unit *unit)
{
    const struct state_unit *now = &unit->now, *was = unit->was;
    return (now->number && *now->number) || (now->name && *now->name) || (was && (was->number || was->name));
}

bool unit_say_told(const struct line *line, const struct told_unit *unit, bool also_was)
{
    struct text *text = &line->out->line, was CLEANUP(text_free) = TEXT_INIT;
    size_t start = text->size;
    if (unit->json)
        phrase_say_unit_object(line->event, line->state, line->out, unit->json, unit->id);
    else
        phrase_say_unit(line->event, line->state, line->out, unit->id);
    if (!also_was || !state_name_unit(line->state, line->event->realm, unit->id, &was) ||
        strcmp(was.s, text->s + start) == 0)
        return false;
    text_addf(text, " (was %s)", was.s);
    return true;
}

void unit_say_number(const struct line *line, const struct told_unit *unit)
{
    if (is_named(unit))
        text_addf(&line->out->line, " (unit %lld)", (long long) unit->id);
}

static const struct state_unit nothing_known = STATE_UNIT_PATCH(0);

static const struct state_unit *before(const struct told_unit *unit)
{
    return unit->was ? unit->was : &nothing_known;
}

static bool say_new_text(struct text *out, const char *before, const char *old, const char *told)
{
    if (!told || !*told || !phrase_is_other(old, told))
        return false;
    text_add(out, before);
    phrase_say(out, told, LINE_NAME_MAX);
    phrase_say_was(out, old, told);
    return true;
}

static bool say_new_word(struct text *out, enum wording wording, int32_t old, int32_t told)
{
    if (told == STATE_UNSET || told == old)
        return false;
    text_add(out, ", ");
    phrase_say_word(out, wording, told);
    phrase_say_was_word(out, wording, old, told);
    return true;
}

static bool say_status(const struct line *line, const struct told_unit *unit)
{
    return say_new_word(&line->out->line, WORD_UNIT_STATUS, before(unit)->status, unit->now.status);
}

static bool say_place(const struct line *line, const struct told_unit *unit)
{
    return say_new_text(&line->out->line, ", at ", before(unit)->location, unit->now.location);
}

static bool say_page(const struct line *line, const struct told_unit *unit)
{
    return unit->now.page >= 0 && say_new_word(&line->out->line, WORD_PAGE, before(unit)->page, unit->now.page);
}

/* One that was not known is not worth a word. */
static bool say_department(const struct line *line, const struct told_unit *unit)
{
    const char *old = before(unit)->department, *told = unit->now.department;
    return old && *old ? say_new_text(&line->out->line, ", ", old, told) : told && *told;
}

static bool say_group(const struct line *line, const struct told_unit *unit)
{
    const char *old = before(unit)->group, *told = unit->now.group;
    if (!told || *told || !old || !*old)
        return say_new_text(&line->out->line, ", group ", old, told);
    text_add(&line->out->line, ", no group");
    phrase_say_was(&line->out->line, old, told);
    return true;
}

static bool say_dispatcher(const struct line *line, const struct told_unit *unit)
{
    if (!unit->was || unit->now.dispatcher < 0 || unit->now.dispatcher == unit->was->dispatcher)
        return false;
    text_add(&line->out->line, unit->now.dispatcher ? ", dispatcher" : ", no dispatcher any more");
    return true;
}

bool unit_say_other_changes(const struct line *line, const struct told_unit *unit)
{
    bool any = say_place(line, unit);
    any |= say_page(line, unit);
    any |= say_department(line, unit);
    any |= say_group(line, unit);
    return say_dispatcher(line, unit) || any;
}

bool unit_say_changes(const struct line *line, const struct told_unit *unit)
{
    bool any = say_status(line, unit);
    return unit_say_other_changes(line, unit) || any;
}

void unit_say_session_changes(const struct line *line, const struct told_unit *unit)
{
    say_page(line, unit);
    say_department(line, unit);
    say_status(line, unit);
    say_place(line, unit);
    say_group(line, unit);
}

void unit_say_last_place(const struct line *line, const struct told_unit *unit)
{
    if (unit->was)
        phrase_say_after(&line->out->line, ", last at ", unit->was->location, LINE_NAME_MAX);
}

void unit_say_place(const struct line *line, const struct told_unit *unit)
{
    if (unit->now.location && *unit->now.location)
        phrase_say_after(&line->out->line, " at ", unit->now.location, LINE_NAME_MAX);
    else
        unit_say_last_place(line, unit);
}

void unit_calls(const struct line *line, int64_t id, struct ids *ret)
{
    int64_t calls[CALLS_MAX];
    size_t n = state_unit_calls(line->state, line->event->realm, id, calls, CALLS_MAX);
    for (size_t i = 0; i < n; i++) {
        ids_add(ret, calls[i]);
        ids_add(&line->out->calls, calls[i]);
    }
}

void unit_say_calls(const struct line *line, const char *before, int64_t id)
{
    struct ids calls CLEANUP(ids_free) = { 0 };
    unit_calls(line, id, &calls);
    if (!calls.n)
        return;
    text_add(&line->out->line, before);
    phrase_say_calls(line->event, line->state, line->out, &calls);
}

static bool are_same(const struct ids *a, const struct ids *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

bool unit_have_same_calls(const struct line *line, const struct ids *units)
{
    struct ids first CLEANUP(ids_free) = { 0 };
    bool same = true;
    for (size_t i = 0; i < units->n; i++) {
        struct ids calls CLEANUP(ids_free) = { 0 };
        unit_calls(line, units->v[i], i ? &calls : &first);
        same &= i == 0 || are_same(&first, &calls);
    }
    return same;
}

bool unit_is_none_named(const struct line *line, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n && i < LINE_LIST_MAX; i++) {
        struct told_unit unit = unit_told(line, ids->v[i], NULL);
        if (is_named(&unit))
            return false;
    }
    return true;
}

bool unit_begin_clause(const struct line *line, size_t i, int64_t id)
{
    if (i >= LINE_LIST_MAX) {
        phrase_count_unit(line->out, id);
        return false;
    }
    if (i)
        text_add(&line->out->line, "; ");
    return true;
}

void unit_end_clauses(const struct line *line, size_t n)
{
    if (n > LINE_LIST_MAX)
        text_addf(&line->out->line, "; and %zu more", n - LINE_LIST_MAX);
}
