/* parse.c - sound text as cJSON has it. */
#include <errno.h>

#include "json_private.h"

static void copy_string(struct json_scan *scan, struct text *ret)
{
    const char *first = scan->p++;
    uint32_t code;
    while (scan->p < scan->end && *scan->p != '"') {
        const char *escape = scan->p;
        if (*scan->p != '\\') {
            scan->p++;
            continue;
        }
        scan->met.awkward = false;
        (void) json_scan_escape(scan, &code, NULL);
        if (!scan->met.awkward)
            continue;
        text_add_bytes(ret, first, (size_t) (escape - first));
        text_add(ret, "\\ufffd");
        first = scan->p;
    }
    scan->p++;
    text_add_bytes(ret, first, (size_t) (scan->p - first));
}

static void copy_number(struct json_scan *scan, struct text *ret)
{
    const char *first = scan->p;
    scan->met.awkward = false;
    (void) json_scan_number(scan, NULL);
    text_add(ret, scan->met.awkward ? "\"" : "");
    text_add_bytes(ret, first, (size_t) (scan->p - first));
    text_add(ret, scan->met.awkward ? "\"" : "");
}

/* A copy of sound text that cJSON does not spoil: long numbers in quotes, so that their digits survive as a text, and
 * the replacement character for half a surrogate pair. */
static int copy_for_cjson(struct span value, struct text *ret)
{
    struct json_scan scan = json_scan_of(value);

    while (scan.p < scan.end && !ret->failed) {
        if (*scan.p == '"')
            copy_string(&scan, ret);
        else if (*scan.p == '-' || (*scan.p >= '0' && *scan.p <= '9'))
            copy_number(&scan, ret);
        else
            text_add_bytes(ret, scan.p++, 1);
    }
    return ret->failed ? -ENOMEM : 0;
}

cJSON *json_parse(struct span value, struct json_met met)
{
    struct text copy CLEANUP(text_wipe) = TEXT_INIT;
    /* Room at once: a text that moves while it grows leaves copies behind, and this may be a key with escapes. */
    bool sound = !met.awkward || (text_reserve(&copy, value.size) && copy_for_cjson(value, &copy) == 0);
    if (met.awkward)
        value = (struct span){ copy.s, copy.size };
    return sound ? cJSON_ParseWithLengthOpts(value.s, value.size, NULL, false) : NULL;
}

cJSON *json_parse_all(struct span text)
{
    struct json_scan scan = json_scan_of(text);
    json_scan_space(&scan);
    const char *first = scan.p;
    if (json_scan_value(&scan, NULL) < 0)
        return NULL;
    struct span value = { first, (size_t) (scan.p - first) };
    json_scan_space(&scan);
    return scan.p == scan.end ? json_parse(value, scan.met) : NULL;
}
