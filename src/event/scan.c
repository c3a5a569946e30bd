/* scan.c - what cJSON lets pass: one look at the letters of a JSON text before cJSON reads it.
 *
 * cJSON takes any byte below 33 for white space, raw control characters and bytes that are not UTF-8 inside
 * strings, cuts strings at \u0000, reads bad hex digits as 0, takes "01", skips a byte order mark in front of any
 * value, gives up on numbers over 63 letters and rounds those above 2^53. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define EXACT_DIGITS 15     /* so many a double always holds */
#define CJSON_NUMBER_MAX 60 /* cJSON 1.7.15 reads 63 letters of a number */

static int problem(const struct scan *scan, struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "%s at byte %zu", what, (size_t) (scan->p - scan->start) + 1);
}

void scan_space(struct scan *scan)
{
    while (scan->p < scan->end && (*scan->p == ' ' || *scan->p == '\n' || *scan->p == '\r' || *scan->p == '\t'))
        scan->p++;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int scan_escape(struct scan *scan, struct err *err)
{
    if (scan->end - scan->p < 2)
        return problem(scan, err, "unfinished string");

    char c = scan->p[1];
    if (c != 'u') {
        if (!c || !strchr("\"\\/bfnrt", c))
            return problem(scan, err, "unknown escape");
        scan->p += 2;
        return 0;
    }
    if (scan->end - scan->p < 6)
        return problem(scan, err, "unfinished string");

    int code = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(scan->p[i]);
        if (digit < 0)
            return problem(scan, err, "unknown escape");
        code = code * 16 + digit;
    }
    if (code == 0)
        return problem(scan, err, "NUL character");
    scan->p += 6;
    return 0;
}

/* Letters of a string that mean themselves and are one byte. */
static const bool plain[256] = { [0x20 ... 0x21] = true, [0x23 ... 0x5b] = true, [0x5d ... 0x7f] = true };

int scan_string(struct scan *scan, struct err *err)
{
    scan->p++;
    for (;;) {
        const char *p = scan->p, *end = scan->end;
        while (p < end && plain[(unsigned char) *p])
            p++;
        scan->p = p;
        if (p == end)
            return problem(scan, err, "unfinished string");
        if (*p == '"') {
            scan->p++;
            return 0;
        }
        if (*p == '\\') {
            int r = scan_escape(scan, err);
            if (r < 0)
                return r;
            continue;
        }
        if ((unsigned char) *p < 0x20)
            return problem(scan, err, *p ? "control character in a string" : "NUL character");
        uint32_t code;
        size_t length = utf8_read(p, (size_t) (end - p), &code);
        if (!length)
            return problem(scan, err, "not UTF-8");
        scan->p += length;
    }
}

static bool scan_digits(struct scan *scan)
{
    const char *first = scan->p;
    while (scan->p < scan->end && *scan->p >= '0' && *scan->p <= '9')
        scan->p++;
    return scan->p > first;
}

static int scan_number(struct scan *scan, struct err *err)
{
    const char *first = scan->p;
    if (*scan->p == '-')
        scan->p++;
    bool leading_zero = scan->p < scan->end && *scan->p == '0';
    const char *digits = scan->p;
    if (!scan_digits(scan) || (leading_zero && scan->p - digits > 1))
        return problem(scan, err, "malformed number");
    if (scan->p - digits > EXACT_DIGITS)
        scan->long_numbers = true;
    if (scan->p < scan->end && *scan->p == '.') {
        scan->p++;
        if (!scan_digits(scan))
            return problem(scan, err, "malformed number");
    }
    if (scan->p < scan->end && (*scan->p | 0x20) == 'e') {
        scan->p++;
        if (scan->p < scan->end && (*scan->p == '+' || *scan->p == '-'))
            scan->p++;
        if (!scan_digits(scan))
            return problem(scan, err, "malformed number");
    }
    if (scan->p - first > CJSON_NUMBER_MAX)
        scan->long_numbers = true;
    return 0;
}

static int scan_word(struct scan *scan, struct err *err)
{
    static const struct span words[] = { { "true", 4 }, { "false", 5 }, { "null", 4 } };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if ((size_t) (scan->end - scan->p) >= words[i].size && memcmp(scan->p, words[i].s, words[i].size) == 0) {
            scan->p += words[i].size;
            return 0;
        }
    return problem(scan, err, *scan->p ? "unexpected letter" : "NUL character");
}

int scan_value(struct scan *scan, struct err *err)
{
    unsigned outside = scan->depth;

    do {
        scan_space(scan);
        if (scan->p == scan->end)
            return problem(scan, err, "unfinished text");
        int r = 0;
        switch (*scan->p) {
        case '"':
            r = scan_string(scan, err);
            break;
        case '{':
        case '[':
            if (++scan->depth > EVENT_MAX_DEPTH)
                return problem(scan, err, "nested too deeply");
            scan->p++;
            break;
        case '}':
        case ']':
            if (scan->depth == outside)
                return problem(scan, err, "unexpected bracket");
            scan->depth--;
            scan->p++;
            break;
        case ',':
        case ':':
            if (scan->depth == outside)
                return problem(scan, err, "missing value");
            scan->p++;
            break;
        case '-':
        case '0' ... '9':
            r = scan_number(scan, err);
            break;
        default:
            r = scan_word(scan, err);
        }
        if (r < 0)
            return r;
    } while (scan->depth > outside);
    return 0;
}

/* A copy of sound JSON text with each long number in quotes, so that its digits survive cJSON as a text. */
static int quote_long_numbers(struct span value, struct text *ret)
{
    struct scan scan = { .start = value.s, .p = value.s, .end = value.s + value.size };

    while (scan.p < scan.end && !ret->failed) {
        const char *first = scan.p;
        scan.long_numbers = false;
        if (*scan.p == '"') {
            if (scan_string(&scan, NULL) < 0)
                return -EINVAL;
        } else if (*scan.p == '-' || (*scan.p >= '0' && *scan.p <= '9')) {
            if (scan_number(&scan, NULL) < 0)
                return -EINVAL;
        } else {
            scan.p++;
        }
        if (scan.long_numbers)
            text_add(ret, "\"");
        text_add_bytes(ret, first, (size_t) (scan.p - first));
        if (!scan.long_numbers)
            continue;
        text_add(ret, "\"");
        scan_space(&scan);
        if (scan.p < scan.end && *scan.p == ':') /* in quotes it would pass for a name */
            return -EINVAL;
    }
    return ret->failed ? -ENOMEM : 0;
}

cJSON *json_parse(struct span value, bool long_numbers)
{
    struct text quoted CLEANUP(text_free) = TEXT_INIT;
    if (long_numbers) {
        if (quote_long_numbers(value, &quoted) < 0)
            return NULL;
        value = (struct span){ quoted.s, quoted.size };
    }

    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(value.s, value.size, &end, false);
    if (json && end != value.s + value.size) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}
