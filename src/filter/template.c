/* template.c - texts with {placeholders}, which an event fills. */
#include <errno.h>
#include <string.h>

#include "filter_private.h"

#define SHOWN_MAX_CHARS 60

/* ---- pieces ---- */

struct piece {
    enum { PIECE_TEXT, PIECE_PLACEHOLDER, PIECE_UNCLOSED } kind;
    struct span span; /* of a placeholder without its braces */
};

/* Passes the next piece; false at the end. */
static bool next_piece(const char **template, struct piece *ret)
{
    const char *p = *template, *end;
    if (!*p)
        return false;

    if (p[0] == '{' && p[1] && strchr("\" \t\r\n", p[1])) { /* of JSON: no name begins so */
        *ret = (struct piece){ PIECE_TEXT, { p, 1 } };
        *template = p + 1;
    } else if (p[0] != '{') {
        *ret = (struct piece){ PIECE_TEXT, { p, strcspn(p, "{") } };
        *template = p + ret->span.size;
    } else if (p[1] == '{') {
        *ret = (struct piece){ PIECE_TEXT, { p, 1 } };
        *template = p + 2;
    } else if ((end = strchr(p, '}'))) {
        *ret = (struct piece){ PIECE_PLACEHOLDER, { p + 1, (size_t) (end - p - 1) } };
        *template = end + 1;
    } else {
        *ret = (struct piece){ PIECE_UNCLOSED, { p, strlen(p) } };
        *template = p + ret->span.size;
    }
    return true;
}

static int refuse_name(const struct config_action *config, const struct event_families *families, struct span name,
                       struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    const char *meant = name_meant(families, config, name);
    text_add_safe(&shown, name.s, name.size, SHOWN_MAX_CHARS);
    return err_set(err, -EINVAL,
                   "expected a fact such as {caller}, a member of the record such as {summary}, or a JSON Pointer such "
                   "as {/call/callId}, not {%s}%s%s%s; a brace is {{",
                   shown.s, meant ? ", did you mean {" : "", meant ? meant : "", meant ? "}?" : "");
}

static int refuse_unclosed(struct span rest, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, rest.s, rest.size, SHOWN_MAX_CHARS);
    return err_set(err, -EINVAL, "expected a } behind \"%s\", or {{ for a brace", shown.s);
}

int template_check(const char *template, const struct config_action *config, const struct event_families *families,
                   struct err *err)
{
    struct piece piece;
    while (next_piece(&template, &piece)) {
        int r = 0;
        if (piece.kind == PIECE_UNCLOSED)
            r = refuse_unclosed(piece.span, err);
        else if (piece.kind == PIECE_PLACEHOLDER && piece.span.size && piece.span.s[0] == '/')
            r = pointer_check(piece.span, err);
        else if (piece.kind == PIECE_PLACEHOLDER && !name_find(families, NULL, piece.span))
            r = refuse_name(config, families, piece.span, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static void write_value(struct text *out, const struct action_record *record, struct span name)
{
    struct found found;
    if (!name.size || name.s[0] != '/')
        name_write(record, name, out);
    else if (pointer_look(record->event, name, &found))
        pointer_found_add(out, &found);
}

/* Ids and our own names are none; in the summary there are names and places. */
static bool is_quote(const struct event_families *families, const struct piece *piece)
{
    return piece->kind == PIECE_PLACEHOLDER && (piece->span.s[0] == '/' || name_is_quote(families, piece->span));
}

bool template_begins_with_quote(const char *template, const struct event_families *families)
{
    struct piece piece;
    return next_piece(&template, &piece) && is_quote(families, &piece);
}

bool template_quotes(const char *template, const struct event_families *families)
{
    struct piece piece;
    while (next_piece(&template, &piece))
        if (is_quote(families, &piece))
            return true;
    return false;
}

/* {{callId}}, as other programs want it: a brace, and what stands behind it as it is. */
static bool find_doubled(const char *template, struct span *ret)
{
    for (const char *p = template; (p = strstr(p, "{{")); p += 2) {
        size_t size = strspn(p + 2, " /._-~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        *ret = (struct span){ p + 2, size };
        if (size && strncmp(p + 2 + size, "}}", 2) == 0)
            return true;
    }
    return false;
}

/* {/data/call/callId}: the pointer begins inside data. */
static bool find_outside(const char *template, struct span *ret)
{
    struct piece piece;
    while (next_piece(&template, &piece)) {
        *ret = piece.span;
        if (piece.kind == PIECE_PLACEHOLDER && pointer_is_outside(piece.span))
            return true;
    }
    return false;
}

/* {caller}, where no event of the action has one. */
static bool find_foreign(const char *template, const struct config_action *config,
                         const struct event_families *families, struct span *ret)
{
    struct piece piece;
    while (next_piece(&template, &piece)) {
        *ret = piece.span;
        if (piece.kind == PIECE_PLACEHOLDER && piece.span.size && piece.span.s[0] != '/' &&
            !name_find(families, config, piece.span) && name_find(families, NULL, piece.span))
            return true;
    }
    return false;
}

bool template_is_plausible(const char *template, const struct config_action *config,
                           const struct event_families *families, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct span found;
    if (find_doubled(template, &found)) {
        const char *meant = name_find(families, NULL, found) ? NULL : name_meant(families, config, found);
        text_add_safe(&shown, found.s, found.size, SHOWN_MAX_CHARS);
        err_set(err, 0,
                "{{%s}} is written as it stands, {%s}, because {{ is a brace: one { and one } make a placeholder%s%s%s",
                shown.s, shown.s, meant ? ", such as {" : "", meant ? meant : "", meant ? "}" : "");
        return false;
    }
    if (find_outside(template, &found)) {
        text_add_safe(&shown, found.s, found.size, SHOWN_MAX_CHARS);
        err_set(err, 0, "{%s} is always empty: pointers begin inside data, {%s}", shown.s, shown.s + strlen("/data"));
        return false;
    }
    if (find_foreign(template, config, families, &found)) {
        text_add_safe(&shown, found.s, found.size, SHOWN_MAX_CHARS);
        err_set(err, 0, "{%s} is always empty: no event of this action has that fact, which %s has", shown.s,
                name_owner(families, found));
        return false;
    }
    return true;
}

void template_expand(const char *template, const struct action_record *record,
                     void (*add)(struct text *out, const char *s, size_t size), struct text *out)
{
    struct text value CLEANUP(text_free) = TEXT_INIT;
    struct piece piece;
    while (next_piece(&template, &piece)) {
        if (piece.kind != PIECE_PLACEHOLDER) {
            text_add_bytes(out, piece.span.s, piece.span.size);
            continue;
        }
        text_reset(&value);
        write_value(&value, record, piece.span);
        out->failed |= value.failed;
        add(out, value.s, value.size);
    }
}
