/* template.c - texts with {placeholders}, which an event fills. */
#include <errno.h>
#include <string.h>

#include "private.h"

#define SHOWN_MAX_CHARS 60

/* ---- members of the record ---- */

static void write_id(struct text *out, const struct action_record *record)
{
    text_addf(out, "%llu", (unsigned long long) record->event->id);
}

static void write_time(struct text *out, const struct action_record *record)
{
    text_add_time_utc(out, record->event->time_us);
}

static void write_type(struct text *out, const struct action_record *record)
{
    text_add(out, record->event->type);
}

static void write_community(struct text *out, const struct action_record *record)
{
    text_add(out, record->event->community);
}

static void write_listener(struct text *out, const struct action_record *record)
{
    text_add(out, record->event->origin->listener);
}

static void write_from(struct text *out, const struct action_record *record)
{
    text_add(out, record->event->origin->peer);
}

static void write_verdict(struct text *out, const struct action_record *record)
{
    text_add(out, event_verdict_name(record->event->verdict));
}

static void write_summary(struct text *out, const struct action_record *record)
{
    text_add_bytes(out, record->description->line.s, record->description->line.size);
}

static void write_ids(struct text *out, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        text_add(out, i ? "," : "");
        text_add_int(out, ids->v[i]);
    }
}

static void write_calls(struct text *out, const struct action_record *record)
{
    write_ids(out, &record->description->calls);
}

static void write_calls911(struct text *out, const struct action_record *record)
{
    write_ids(out, &record->description->calls911);
}

static void write_units(struct text *out, const struct action_record *record)
{
    write_ids(out, &record->description->units);
}

static const struct member {
    const char *name;
    void (*write)(struct text *out, const struct action_record *record);
} members[] = {
    { "id", write_id },
    { "time", write_time },
    { "type", write_type },
    { "community", write_community },
    { "listener", write_listener },
    { "from", write_from },
    { "verdict", write_verdict },
    { "summary", write_summary },
    { "calls", write_calls },
    { "calls911", write_calls911 },
    { "units", write_units },
};

static const struct member *find_member(struct span name)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (name.size == strlen(members[i].name) && memcmp(name.s, members[i].name, name.size) == 0)
            return &members[i];
    return NULL;
}

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

    if (p[0] != '{') {
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

static int refuse_name(struct span name, struct err *err)
{
    struct text names CLEANUP(text_free) = TEXT_INIT, shown CLEANUP(text_free) = TEXT_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        text_addf(&names, "{%s} ", members[i].name);
    text_add_safe(&shown, name.s, name.size, SHOWN_MAX_CHARS);
    return err_set(err, -EINVAL, "expected one of %sor a JSON Pointer such as {/call/callId}, not {%s}; a brace is {{",
                   names.s, shown.s);
}

static int refuse_unclosed(struct span rest, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, rest.s, rest.size, SHOWN_MAX_CHARS);
    return err_set(err, -EINVAL, "expected a } behind \"%s\", or {{ for a brace", shown.s);
}

int template_check(const char *template, struct err *err)
{
    struct piece piece;
    while (next_piece(&template, &piece)) {
        int r = 0;
        if (piece.kind == PIECE_UNCLOSED)
            r = refuse_unclosed(piece.span, err);
        else if (piece.kind == PIECE_PLACEHOLDER && piece.span.size && piece.span.s[0] == '/')
            r = pointer_check_span(piece.span, err);
        else if (piece.kind == PIECE_PLACEHOLDER && !find_member(piece.span))
            r = refuse_name(piece.span, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static void write_value(struct text *out, const struct action_record *record, struct span name)
{
    const struct member *member = find_member(name);
    struct found found;
    if (member)
        member->write(out, record);
    else if (name.size && name.s[0] == '/' && pointer_look(record->event, name, &found))
        found_add(out, &found);
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
