/* phrases.c - the words that all lines share, so that they read as written by one hand. */
#include <limits.h>

#include "fields.h"

void phrase_say(struct text *out, const char *text, size_t max_chars)
{
    if (text)
        text_add_prose(out, text, strlen(text), max_chars);
}

void phrase_say_after(struct text *out, const char *before, const char *text, size_t max_chars)
{
    if (!text || !*text)
        return;
    text_add(out, before);
    phrase_say(out, text, max_chars);
}

void phrase_say_separator(struct text *out, size_t i, size_t n)
{
    if (i)
        text_add(out, i + 1 == n ? " and " : ", ");
}

bool phrase_is_other(const char *old, const char *told)
{
    if (!told)
        return false;
    size_t size = old ? strlen(old) : 0; /* state may have cut it, at a character */
    if (size + MB_LEN_MAX > STATE_TEXT_MAX_BYTES)
        return strncmp(old, told, size) != 0;
    return strcmp(old ? old : "", told) != 0;
}

void phrase_say_was(struct text *out, const char *old, const char *told)
{
    if (!old || !*old || !phrase_is_other(old, told))
        return;
    text_add(out, " (was ");
    phrase_say(out, old, LINE_NAME_MAX);
    text_add(out, ")");
}

void phrase_say_was_word(struct text *out, enum wording wording, int32_t old, int32_t told)
{
    if (old == STATE_UNSET || old == told)
        return;
    text_add(out, " (was ");
    phrase_say_word(out, wording, old);
    text_add(out, ")");
}

bool phrase_say_since(struct text *out, const char *before, usec_t since_us, usec_t now_us)
{
    if (since_us == 0 || now_us < since_us + USEC_PER_SEC)
        return false;
    text_add(out, before);
    text_add_lapse(out, now_us - since_us);
    return true;
}

void phrase_say_more(struct text *out, size_t n)
{
    if (n > LINE_LIST_MAX)
        text_addf(out, " and %zu more", n - LINE_LIST_MAX);
}

struct span phrase_file_of(const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL, *path = host ? strchr(host + 3, '/') : url;
    if (!path)
        return (struct span){ "", 0 };
    const char *end = path + strcspn(path, "?#");
    while (end > path && end[-1] == '/')
        end--;
    const char *last = end > path ? memrchr(path, '/', (size_t) (end - path)) : NULL;
    const char *first = last ? last + 1 : path;
    return (struct span){ first, (size_t) (end - first) };
}

void phrase_say_file(struct text *out, const char *before, const char *url)
{
    struct span file = phrase_file_of(url);
    if (!file.size)
        return;
    text_add(out, before);
    text_add_prose(out, file.s, file.size, LINE_NAME_MAX);
}

size_t phrase_line_chars(const struct text *line)
{
    size_t n = 0;
    for (const char *p = line->s; *p; p++)
        n += ((unsigned char) *p & 0xc0) != 0x80;
    return n;
}

void phrase_count_unit(struct description *out, int64_t id)
{
    if (id != 0)
        ids_add(&out->units, id);
}

void phrase_say_unit(const struct event *event, const struct state *state, struct description *out, int64_t id)
{
    phrase_count_unit(out, id);
    state_name_unit(state, event->realm, id, &out->line);
}

static const char *text_or(const char *told, const char *known)
{
    return told && *told ? told : known;
}

void phrase_say_unit_object(const struct event *event, const struct state *state, struct description *out,
                            const cJSON *unit, int64_t id)
{
    const struct state_unit *known = state_find_unit(state, event->realm, id);
    struct state_unit told;
    (void) !field_read_unit(unit, &told); /* its id is the caller's */

    const char *number = text_or(told.number, known ? known->number : NULL),
               *name = text_or(told.name, known ? known->name : NULL);
    if (!number && !name) {
        phrase_say_unit(event, state, out, id);
        return;
    }
    phrase_count_unit(out, id);
    phrase_say(&out->line, number, LINE_NAME_MAX);
    phrase_say_after(&out->line, number ? " " : "", name, LINE_NAME_MAX);
}

static void name_unit(const struct event *event, const struct state *state, struct text *out, int64_t id)
{
    state_name_unit(state, event->realm, id, out);
}

void phrase_say_list(const struct event *event, const struct state *state, struct text *out, const struct ids *ids,
                     name_function *name)
{
    size_t shown = ids->n > LINE_LIST_MAX ? LINE_LIST_MAX : ids->n, parts = shown + (ids->n > shown);
    for (size_t i = 0; i < shown; i++) {
        phrase_say_separator(out, i, parts);
        name(event, state, out, ids->v[i]);
    }
    phrase_say_more(out, ids->n);
}

void phrase_count_ids(struct ids *all, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        ids_add(all, ids->v[i]);
}

static void name_number(const struct event *event, const struct state *state, struct text *out, int64_t id)
{
    (void) event;
    (void) state;
    text_add_int(out, id);
}

static bool none_is_named(const struct event *event, const struct state *state, const struct ids *ids)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    for (size_t i = 0; i < ids->n && i < LINE_LIST_MAX; i++)
        if (state_name_unit(state, event->realm, ids->v[i], &name))
            return false;
    return true;
}

void phrase_say_units(const struct event *event, const struct state *state, struct description *out,
                      const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        phrase_count_unit(out, ids->v[i]);
    bool numbers = ids->n > 1 && none_is_named(event, state, ids);
    if (numbers)
        text_add(&out->line, "units ");
    phrase_say_list(event, state, &out->line, ids, numbers ? name_number : name_unit);
}
