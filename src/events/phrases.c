/* phrases.c - the words that all lines share, so that they read as written by one hand. */
#include "fields.h"

void say(struct text *out, const char *text, size_t max_chars)
{
    if (text)
        text_add_safe(out, text, strlen(text), max_chars);
}

void say_after(struct text *out, const char *before, const char *text, size_t max_chars)
{
    if (!text || !*text)
        return;
    text_add(out, before);
    say(out, text, max_chars);
}

void say_separator(struct text *out, size_t i, size_t n)
{
    if (i)
        text_add(out, i + 1 == n ? " and " : ", ");
}

struct words {
    const char *unnamed; /* in front of a number without a name */
    struct {
        int32_t number;
        const char *word;
    } list[16];
};

/* events.md 2.6; a list ends at its first empty word. */
static const struct words words[] = {
    [WORD_UNIT_STATUS] = { "status ",
                           { { 0, "unavailable" },
                             { 1, "busy" },
                             { 2, "available" },
                             { 3, "en route" },
                             { 4, "on scene" },
                             { 100, "offline" } } },
    [WORD_PAGE] = { "page ",
                    { { -1, "unknown page" }, { 0, "police" }, { 1, "fire" }, { 2, "EMS" }, { 3, "dispatch" } } },
    [WORD_ORIGIN] = { "origin ",
                      { { 0, "from a caller" }, { 1, "from radio dispatch" }, { 2, "observed" }, { 3, "walk-up" } } },
    [WORD_CALL_STATUS] = { "status ", { { 0, "pending" }, { 1, "active" }, { 2, "closed" } } },
    [WORD_RECORD_TYPE] = { "type ",
                           { { 2, "warrant" },
                             { 3, "BOLO" },
                             { 4, "license" },
                             { 5, "vehicle registration" },
                             { 7, "character" },
                             { 8, "police record" },
                             { 9, "police report" },
                             { 10, "medical record" },
                             { 11, "medical report" },
                             { 12, "fire record" },
                             { 13, "fire report" },
                             { 14, "DMV" },
                             { 15, "law record" },
                             { 16, "law report" } } },
};

void say_word(struct text *out, enum wording wording, int32_t number)
{
    for (size_t i = 0; i < ARRAY_SIZE(words[wording].list) && words[wording].list[i].word; i++)
        if (words[wording].list[i].number == number) {
            text_add(out, words[wording].list[i].word);
            return;
        }
    text_add(out, words[wording].unnamed);
    text_add_int(out, number);
}

void say_unit(const struct event *event, const struct state *state, struct description *out, int64_t id)
{
    ids_add(&out->units, id);
    state_name_unit(state, event->community, id, &out->line);
}

void say_unit_object(const struct event *event, const struct state *state, struct description *out, const cJSON *unit,
                     int64_t id)
{
    struct state_unit told;
    read_unit(unit, &told);

    bool number = told.number && *told.number, name = told.name && *told.name;
    if (!number && !name) {
        say_unit(event, state, out, id);
        return;
    }
    ids_add(&out->units, id);
    if (number)
        say(&out->line, told.number, LINE_NAME_MAX);
    if (number && name)
        text_add(&out->line, " ");
    if (name)
        say(&out->line, told.name, LINE_NAME_MAX);
}

void say_unit_objects(const struct event *event, const struct state *state, struct description *out, const cJSON *units)
{
    size_t n = cJSON_IsArray(units) ? (size_t) cJSON_GetArraySize(units) : 1, i = 0;
    for (const cJSON *unit = first_of(units); unit; unit = next_of(units, unit), i++) {
        struct state_unit told;
        read_unit(unit, &told);
        if (i >= LINE_LIST_MAX) {
            ids_add(&out->units, told.id);
            continue;
        }
        say_separator(&out->line, i, n > LINE_LIST_MAX ? n + 1 : n);
        say_unit_object(event, state, out, unit, told.id);
    }
    if (n > LINE_LIST_MAX)
        text_addf(&out->line, " and %zu more", n - LINE_LIST_MAX);
}

typedef void name_function(const struct event *event, const struct state *state, struct text *out, int64_t id);

static void name_unit(const struct event *event, const struct state *state, struct text *out, int64_t id)
{
    state_name_unit(state, event->community, id, out);
}

static void name_call(const struct event *event, const struct state *state, struct text *out, int64_t id)
{
    state_name_call(state, event->community, id, out);
}

static void name_call911(const struct event *event, const struct state *state, struct text *out, int64_t id)
{
    state_name_call911(state, event->community, id, out);
}

static void say_list(const struct event *event, const struct state *state, struct text *out, const struct ids *ids,
                     name_function *name)
{
    size_t shown = ids->n > LINE_LIST_MAX ? LINE_LIST_MAX : ids->n, parts = shown + (ids->n > shown);
    for (size_t i = 0; i < shown; i++) {
        say_separator(out, i, parts);
        name(event, state, out, ids->v[i]);
    }
    if (ids->n > shown)
        text_addf(out, " and %zu more", ids->n - shown);
}

static void count_ids(struct ids *all, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        ids_add(all, ids->v[i]);
}

void say_units(const struct event *event, const struct state *state, struct description *out, const struct ids *ids)
{
    count_ids(&out->units, ids);
    say_list(event, state, &out->line, ids, name_unit);
}

void say_calls(const struct event *event, const struct state *state, struct description *out, const struct ids *ids)
{
    count_ids(&out->calls, ids);
    text_add(&out->line, ids->n == 1 ? "call " : "calls ");
    say_list(event, state, &out->line, ids, name_call);
}

void say_calls911(const struct event *event, const struct state *state, struct description *out, const struct ids *ids)
{
    count_ids(&out->calls911, ids);
    text_add(&out->line, ids->n == 1 ? "911 call " : "911 calls ");
    say_list(event, state, &out->line, ids, name_call911);
}

void say_originator(const struct event *event, const struct state *state, struct description *out)
{
    int64_t id;
    if (!get_id(event->data, "eventOriginIdent", &id))
        return;
    text_add(&out->line, " by ");
    say_unit(event, state, out, id);
}
