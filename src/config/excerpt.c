/* excerpt.c - a line of a file: what stands in it, and what of it may be seen.
 *
 * A line with a mistake may hold a key in any place: letters are shown only behind the name of an option that is known
 * and no secret, and as names of options. */
#include <ctype.h>
#include <string.h>

#include "config_private.h"

#define BEFORE_MAX_CHARS 60
#define SHOWN_LINE_MAX_CHARS 100

static bool is_name_letter(char c)
{
    return isalnum((unsigned char) c) || c == '_' || c == '-';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A key may stand in the place of a group by mistake; "communities" is both. */
bool excerpt_pair_is_open(const struct config_schema *schema, struct span name)
{
    const struct config_option *option = schema_find(schema, name);
    return option && !value_is_secret(option->type) && !schema_is_group(schema, name);
}

/* ---- what stands in it ---- */

static struct span trimmed(const char *start, const char *end)
{
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    return (struct span){ start, (size_t) (end - start) };
}

/* Where a comment begins; a # in quotes is none. */
static const char *find_comment(const char *start, const char *end)
{
    char quote = 0;
    for (const char *p = start; p < end; p++) {
        bool behind_blank = p == start || is_blank(p[-1]);
        if (quote)
            quote = *p == quote && (quote == '\'' || p[-1] != '\\') ? 0 : quote;
        else if ((*p == '"' || *p == '\'') && (behind_blank || strchr("[{,:", p[-1])))
            quote = *p;
        else if (*p == '#' && behind_blank)
            return p;
    }
    return end;
}

/* Of "name: value", with or without quotes around the name. */
static struct pair split(const char *start, const char *end)
{
    struct span all = trimmed(start, end);
    const char *p = all.s, *stop = all.s + all.size;
    char quote = all.size && (*p == '"' || *p == '\'') ? *p : 0;
    const char *name = p + (quote != 0);
    for (p = name; p < stop && is_name_letter(*p);)
        p++;
    size_t size = (size_t) (p - name);
    if (quote && p < stop && *p == quote)
        p++;
    if (!size || p == stop || *p != ':' || (p + 1 < stop && !is_blank(p[1]) && !quote))
        return (struct pair){ .name = { all.s, 0 }, .value = all };
    return (struct pair){ .name = { name, size }, .value = trimmed(p + 1, stop) };
}

struct pair excerpt_pair_find(struct span line, size_t offset)
{
    const char *start = line.s, *end = find_comment(line.s, line.s + line.size);
    const char *at = line.s + (offset < line.size ? offset : line.size);
    while (start < end && (is_blank(*start) || (*start == '-' && (start + 1 == end || is_blank(start[1])))))
        start++;
    struct pair pair = split(start, end);
    pair.element = pair.name.size == 0 && start > line.s && memchr(line.s, '-', (size_t) (start - line.s));
    bool opens = pair.value.size && strchr("[{", *pair.value.s);
    if (!offset || !opens || at <= pair.value.s)
        return pair;

    const char *from = at, *to = at;
    while (from > pair.value.s && !strchr("[{,", from[-1]))
        from--;
    while (to < end && !strchr(",]}", *to))
        to++;
    if (to < end && *to == '}' && from > pair.value.s && from[-1] == '{' && to - from < 1)
        to++;
    struct pair inner = split(from, to);
    inner.brackets = true;
    if (!inner.name.size)
        inner.name = pair.name;
    return inner;
}

/* ---- what may be seen of it ---- */

void excerpt_pair_add_quotes(struct text *text, struct span value)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&safe, value.s, value.size, SHOWN_LINE_MAX_CHARS);
    bool single = strpbrk(safe.s, "\"\\") && !strchr(safe.s, '\'');
    text_add(text, single ? "'" : "\"");
    for (const char *p = safe.s; *p; p++)
        text_addf(text, !single && (*p == '"' || *p == '\\') ? "\\%c" : "%c", *p);
    text_add(text, single ? "'" : "\"");
    text->failed |= safe.failed;
}

static bool is_secret_name(const struct config_schema *schema, struct span word)
{
    static const char *const parts[] = { "key", "secret", "token", "password" };
    const struct config_option *option = schema_find(schema, word);
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int) word.size, word.s);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (strcasestr(name, parts[i]))
            return true;
    return option && value_is_secret(option->type);
}

bool excerpt_value_holds_secret(const struct config_schema *schema, struct span value)
{
    for (size_t i = 0, n; i < value.size; i += n) {
        n = 0;
        while (i + n < value.size && is_name_letter(value.s[i + n]))
            n++;
        bool more = i + n < value.size && strchr(" \t:=", value.s[i + n]);
        if (more && is_secret_name(schema, (struct span){ value.s + i, n }))
            return true;
        n += !n;
    }
    return false;
}

bool excerpt_pair_is_list(const struct config_schema *schema, const struct pair *pair)
{
    const struct config_option *option = schema_find(schema, pair->name);
    return option && option->list && !option->single && pair->name.size && !pair->brackets && !pair->element;
}

void excerpt_pair_add_quoted(struct text *text, const struct config_schema *schema, const struct pair *pair)
{
    const struct config_option *option = schema_find(schema, pair->name);
    bool alone = pair->name.size && option && !pair->brackets && !pair->element,
         list = alone && excerpt_pair_is_list(schema, pair);
    if (alone) {
        text_add_bytes(text, pair->name.s, pair->name.size);
        text_add(text, list ? ": [ " : ": ");
    }
    if (excerpt_pair_is_open(schema, pair->name) && !excerpt_value_holds_secret(schema, pair->value))
        excerpt_pair_add_quotes(text, pair->value);
    else
        text_add(text, "\"…\"");
    text_add(text, list ? " ]" : "");
}

/* The name of the list that the elements in the lines before belong to. */
static struct span owner_of(const struct source_file *file, unsigned line)
{
    while (line-- > 1) {
        struct span text = source_line(file, line);
        struct pair pair = excerpt_pair_find(text, 0);
        if (pair.name.size)
            return pair.value.size ? (struct span){ text.s, 0 } : pair.name;
    }
    return (struct span){ file->text.s, 0 };
}

static bool is_element(struct span line)
{
    size_t i = 0;
    while (i < line.size && is_blank(line.s[i]))
        i++;
    return i + 1 < line.size && line.s[i] == '-' && is_blank(line.s[i + 1]);
}

struct pair excerpt_pair_at(const struct source_file *file, unsigned line, size_t offset)
{
    struct pair pair = excerpt_pair_find(source_line(file, line), offset);
    if (pair.element && !pair.name.size)
        pair.name = owner_of(file, line);
    return pair;
}

struct view {
    struct text text;
    unsigned n_chars;
    bool hiding; /* its end is "…" for what is not shown */
};

static void show(struct view *view, const char *s, size_t size)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&safe, s, size, 0);
    text_add(&view->text, safe.s);
    for (const char *p = safe.s; *p; p++)
        view->n_chars += (*p & 0xc0) != 0x80;
    view->hiding = false;
}

static void hide(struct view *view)
{
    if (!view->hiding) {
        text_add(&view->text, "…");
        view->n_chars++;
    }
    view->hiding = true;
}

/* Does a colon behind a word, or a =, make it the name of something? https://x is none. */
static bool is_name(const char *s, size_t size)
{
    size_t i = 0;
    while (i < size && (is_blank(s[i]) || s[i] == '"' || s[i] == '\''))
        i++;
    bool quote = i && !is_blank(s[i - 1]);
    return i < size && (s[i] == '=' || (s[i] == ':' && (quote || i + 1 == size || is_blank(s[i + 1]))));
}

/* One word, and whether what comes behind it may be seen. */
static size_t view_word(struct view *view, const struct config_schema *schema, const char *s, size_t size, bool *open)
{
    size_t n = 0;
    while (n < size && is_name_letter(s[n]))
        n++;
    struct span word = { s, n };
    const struct config_option *option = schema_find(schema, word);
    bool names = is_name(s + n, size - n);
    if (option || schema_is_group(schema, word) || (*open && !names))
        show(view, s, n);
    else
        hide(view);
    if (names || (option && value_is_secret(option->type)))
        *open = excerpt_pair_is_open(schema, word);
    return n;
}

/* Not behind the end of the brackets that the option stands in; those of its value are opened and closed. */
static bool stays_open(char c, unsigned *depth)
{
    *depth += c == '{' || c == '[';
    if (c != '}' && c != ']')
        return true;
    bool inside = *depth > 0;
    *depth -= inside;
    return inside;
}

static struct view view_line(const struct source_file *file, struct node_mark mark, unsigned *ret_caret)
{
    struct view view = { .text = TEXT_INIT };
    struct span line = source_line(file, mark.line);
    size_t at = source_offset(file, mark) - (size_t) (line.s - file->text.s), i = 0, n;
    bool open = is_element(line) && excerpt_pair_is_open(file->schema, owner_of(file, mark.line)), found = false;
    unsigned depth = 0;
    *ret_caret = 0;
    for (; i < line.size; i += n) {
        uint32_t code;
        bool word = is_name_letter(line.s[i]) && line.s[i] != '-';
        if (i <= at)
            *ret_caret = view.n_chars - (view.hiding && view.n_chars);
        found |= i >= at;
        if (found && view.n_chars > *ret_caret + SHOWN_LINE_MAX_CHARS)
            break;
        n = utf8_read(line.s + i, line.size - i, &code);
        bool was_open = open;
        n = word ? view_word(&view, file->schema, line.s + i, line.size - i, &open) : n ? n : 1;
        depth = open && !was_open ? 0 : depth;
        if (word)
            continue;
        if (line.s[i] == '\t')
            show(&view, "  ", 2);
        else if (open || strchr(" -{}[],:=\"'#", line.s[i]))
            show(&view, line.s + i, n);
        else
            hide(&view);
        open &= stays_open(line.s[i], &depth);
    }
    if (at >= line.size)
        *ret_caret = view.n_chars;
    return view;
}

static size_t skip_chars(const char *s, unsigned n_chars)
{
    size_t i = 0;
    for (; s[i] && (n_chars || (s[i] & 0xc0) == 0x80); i++)
        n_chars -= n_chars && (s[i + 1] & 0xc0) != 0x80;
    return i;
}

void excerpt_add(struct text *text, const struct source_file *file, struct node_mark mark)
{
    unsigned caret;
    struct view view = view_line(file, mark, &caret);
    unsigned skipped = caret > BEFORE_MAX_CHARS ? caret - BEFORE_MAX_CHARS : 0;
    text_addf(text, "    %s%s\n", skipped ? "…" : "", view.text.s + skip_chars(view.text.s, skipped));
    text_addf(text, "    %*s^", (int) (caret - skipped + (skipped > 0)), "");
    text->failed |= view.text.failed;
    text_free(&view.text);
}
