/* members.c - the top level of a body: where key, type and data stand, and everything else together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "event_private.h"

enum member { MEMBER_KEY, MEMBER_TYPE, MEMBER_DATA, MEMBER_SECRET, MEMBER_OTHER };

/* Which member a name (with its quotes) is; one that spells "key" in other letters is no more to be kept than it. */
static enum member member_by_name(struct span name)
{
    char *decoded CLEANUP(cleanup_free) = NULL;
    struct span plain = { name.s + 1, name.size - JSON_QUOTES };

    if (memchr(plain.s, '\\', plain.size)) {
        decoded = json_string_value(name, &plain.size);
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
    return value.size > JSON_QUOTES && value.size <= JSON_QUOTES + EVENT_TYPE_STORED_MAX_BYTES && value.s[0] == '"';
}

/* The object is begun with its first member. */
static void keep_other(struct json_writer *extra, struct span name, struct span value)
{
    if (!extra->depth)
        json_begin_object(extra, NULL);
    json_add_member(extra, name, value);
}

static int read_member(struct json_scan *scan, struct parts *parts, struct json_writer *extra, struct err *err)
{
    struct span name, value;
    int r = json_scan_member(scan, &name, &value, err);
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

int members_read(struct span body, struct parts *parts, struct text *extra, struct err *err)
{
    struct json_scan scan = json_scan_of(body);
    struct json_writer others = json_writer(extra);
    int r = json_scan_object_begin(&scan, err);
    scan.depth = 1;
    while (r > 0) {
        r = read_member(&scan, parts, &others, err);
        if (r == 0)
            r = json_scan_object_next(&scan, err);
    }
    if (r < 0)
        return r;
    if (others.depth)
        json_end(&others);
    parts->met = scan.met;
    return extra->failed ? -ENOMEM : 0;
}
