/* members.c - the top level of a body: where key, type and data stand, and everything else together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "private.h"

enum member { MEMBER_KEY, MEMBER_TYPE, MEMBER_DATA, MEMBER_SECRET, MEMBER_OTHER };

static bool span_is(struct span span, const char *word)
{
    return span.size == strlen(word) && memcmp(span.s, word, span.size) == 0;
}

char *string_value(struct span json, size_t *ret_size)
{
    if (json.size < 2 || json.s[0] != '"')
        return NULL;
    if (!memchr(json.s, '\\', json.size)) {
        *ret_size = json.size - 2;
        return strndup(json.s + 1, json.size - 2);
    }
    cJSON *string = json_parse(json, (struct met){ .awkward = true });
    if (!string)
        return NULL;

    char *value = strdup(string->valuestring);
    *ret_size = value ? strlen(value) : 0;
    explicit_bzero(string->valuestring, strlen(string->valuestring));
    cJSON_Delete(string);
    return value;
}

/* Which member a name (with its quotes) is; one that spells "key" in other letters is no more to be kept than it. */
static enum member member_by_name(struct span name)
{
    char *decoded CLEANUP(cleanup_free) = NULL;
    struct span plain = { name.s + 1, name.size - 2 };

    if (memchr(plain.s, '\\', plain.size)) {
        decoded = string_value(name, &plain.size);
        if (!decoded)
            return MEMBER_SECRET; /* no memory: rather lost than kept in the wrong place */
        plain.s = decoded;
    }
    if (span_is(plain, "key"))
        return MEMBER_KEY;
    if (span_is(plain, "type"))
        return MEMBER_TYPE;
    if (span_is(plain, "data"))
        return MEMBER_DATA;
    return plain.size == 3 && strncasecmp(plain.s, "key", 3) == 0 ? MEMBER_SECRET : MEMBER_OTHER;
}

bool member_is_type(struct span value)
{
    size_t quotes = strlen("\"\"");
    return value.size > quotes && value.size <= quotes + EVENT_TYPE_STORED_MAX_BYTES && value.s[0] == '"';
}

/* Keeps name:value as it came, behind what is there already. */
static void keep_other(struct text *extra, struct span name, struct span value)
{
    text_add(extra, extra->size ? "," : "{");
    text_add_bytes(extra, name.s, name.size);
    text_add(extra, ":");
    text_add_bytes(extra, value.s, value.size);
}

static int read_member(struct scan *scan, struct parts *parts, struct text *extra, struct err *err)
{
    struct span name, value;
    int r = scan_member(scan, &name, &value, err);
    if (r < 0)
        return r;
    switch (member_by_name(name)) {
    case MEMBER_KEY:
        parts->key = value;
        parts->n_key++;
        break;
    case MEMBER_TYPE:
        parts->type = value;
        parts->n_type++;
        if (!member_is_type(value))
            keep_other(extra, name, value);
        break;
    case MEMBER_DATA: /* of several the last counts, as it does for the CAD's own receivers */
        parts->data = value;
        break;
    case MEMBER_SECRET:
        explicit_bzero(parts->body + (value.s - scan->start), value.size);
        break;
    case MEMBER_OTHER:
        keep_other(extra, name, value);
    }
    return 0;
}

int read_members(struct span body, struct parts *parts, struct text *extra, struct err *err)
{
    struct scan scan = { .start = body.s, .p = body.s, .end = body.s + body.size };

    if (body.size >= 3 && memcmp(body.s, "\xef\xbb\xbf", 3) == 0)
        scan.p += 3;
    int r = scan_object_begin(&scan, err);
    scan.depth = 1;
    while (r > 0) {
        r = read_member(&scan, parts, extra, err);
        if (r == 0)
            r = scan_object_next(&scan, err);
    }
    if (r < 0)
        return r;
    if (extra->size)
        text_add(extra, "}");
    parts->met = scan.met;
    return extra->failed ? -ENOMEM : 0;
}
