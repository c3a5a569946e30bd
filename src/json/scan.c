/* scan.c - JSON text checked letter by letter, so that nobody's body costs more than one pass before its key is
 * known, and so that cJSON reads sound text only.
 *
 * What cJSON alone would do: take any byte below 33 for white space, raw control characters and bytes that are not
 * UTF-8 inside strings, cut strings at \u0000, read bad hex digits as 0, take "01", skip a byte order mark in front
 * of any value, give up on numbers over 63 letters and on halves of surrogate pairs (which JavaScript writes where a
 * name was cut inside an emoji), round numbers above 2^53. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_private.h"

#define EXACT_DIGITS 15     /* so many a double always holds */
#define REPLACEMENT 0xfffd  /* for half of a surrogate pair */
#define CJSON_NUMBER_MAX 60 /* cJSON 1.7.15 reads 63 letters of a number */

static int problem(const struct json_scan *scan, struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "%s at byte %zu", what, (size_t) (scan->p - scan->start) + 1);
}

/* Sound JSON, but no string or tree of cJSON's. */
static int not_taken(struct json_scan *scan, struct err *err, const char *what)
{
    scan->met.not_taken = true;
    return problem(scan, err, what);
}

void json_scan_space(struct json_scan *scan)
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

/* The code behind \u, or -1. */
static int unicode_escape(const char *p, const char *end)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    int code = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

int json_scan_escape(struct json_scan *scan, uint32_t *ret_code, struct err *err)
{
    static const char letters[256] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'
    };
    if (scan->end - scan->p < 2)
        return problem(scan, err, "unfinished string");
    if (scan->p[1] != 'u') {
        *ret_code = (unsigned char) letters[(unsigned char) scan->p[1]];
        if (!*ret_code)
            return problem(scan, err, "unknown escape");
        scan->p += 2;
        return 0;
    }

    int code = unicode_escape(scan->p, scan->end);
    if (code == 0)
        return not_taken(scan, err, "NUL character");
    if (code < 0)
        return problem(scan, err, "unknown escape");
    scan->p += 6;
    *ret_code = (uint32_t) code;
    if ((code & 0xf800) != 0xd800)
        return 0;
    int second = code < 0xdc00 ? unicode_escape(scan->p, scan->end) : -1;
    bool is_pair = second >= 0xdc00 && second <= 0xdfff;
    scan->p += is_pair ? 6 : 0;
    scan->met.awkward |= !is_pair;
    *ret_code = is_pair ? (uint32_t) (0x10000 + (code - 0xd800) * 0x400 + second - 0xdc00) : REPLACEMENT;
    return 0;
}

int json_scan_string(struct json_scan *scan, struct err *err)
{
    uint32_t code;
    scan->p++;
    for (;;) {
        const char *p = scan->p, *end = scan->end;
        p += json_count_plain(p, (size_t) (end - p));
        scan->p = p;
        if (p == end)
            return problem(scan, err, "unfinished string");
        if (*p == '"') {
            scan->p++;
            return 0;
        }
        if (*p == '\\') {
            int r = json_scan_escape(scan, &code, err);
            if (r < 0)
                return r;
            continue;
        }
        if ((unsigned char) *p < 0x20)
            return problem(scan, err, *p ? "control character in a string" : "NUL character");
        size_t length = utf8_read(p, (size_t) (end - p), &code);
        if (!length)
            return problem(scan, err, "not UTF-8");
        scan->p += length;
    }
}

static bool scan_digits(struct json_scan *scan)
{
    const char *first = scan->p;
    while (scan->p < scan->end && *scan->p >= '0' && *scan->p <= '9')
        scan->p++;
    return scan->p > first;
}

int json_scan_number(struct json_scan *scan, struct err *err)
{
    const char *first = scan->p;
    if (*scan->p == '-')
        scan->p++;
    bool leading_zero = scan->p < scan->end && *scan->p == '0';
    const char *digits = scan->p;
    if (!scan_digits(scan) || (leading_zero && scan->p - digits > 1))
        return problem(scan, err, "malformed number");
    if (scan->p - digits > EXACT_DIGITS)
        scan->met.awkward = true;
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
        scan->met.awkward = true;
    return 0;
}

static int scan_word(struct json_scan *scan, struct err *err)
{
    static const struct span words[] = { { "true", 4 }, { "false", 5 }, { "null", 4 } };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if ((size_t) (scan->end - scan->p) >= words[i].size && memcmp(scan->p, words[i].s, words[i].size) == 0) {
            scan->p += words[i].size;
            return 0;
        }
    return problem(scan, err, *scan->p ? "unexpected letter" : "NUL character");
}

/* What may come next. */
enum expected { VALUE, VALUE_OR_END, NAME, NAME_OR_END, COMMA_OR_END };

static bool in_object(const struct json_scan *scan)
{
    return scan->objects >> (scan->depth - 1) & 1;
}

static int open_container(struct json_scan *scan, bool object, enum expected *expected, struct err *err)
{
    if (scan->depth == JSON_MAX_DEPTH)
        return not_taken(scan, err, "nested too deeply");
    scan->p++;
    scan->depth++;
    scan->objects &= ~((uint64_t) 1 << (scan->depth - 1));
    scan->objects |= (uint64_t) object << (scan->depth - 1);
    *expected = object ? NAME_OR_END : VALUE_OR_END;
    return 0;
}

static int scan_name(struct json_scan *scan, struct err *err)
{
    if (*scan->p != '"')
        return problem(scan, err, "a member without a name");
    if (scan->end - scan->p > 1 && ((scan->p[1] >= '0' && scan->p[1] <= '9') || scan->p[1] == '\\'))
        scan->met.numbered = true;
    int r = json_scan_string(scan, err);
    if (r < 0)
        return r;
    if (scan->p < scan->end && *scan->p != ':')
        json_scan_space(scan);
    if (scan->p == scan->end || *scan->p != ':')
        return problem(scan, err, "a member without a colon");
    scan->p++;
    return 0;
}

static int scan_start_of_value(struct json_scan *scan, enum expected *expected, struct err *err)
{
    *expected = COMMA_OR_END;
    switch (*scan->p) {
    case '{':
        return open_container(scan, true, expected, err);
    case '[':
        return open_container(scan, false, expected, err);
    case '"':
        return json_scan_string(scan, err);
    case '-':
    case '0' ... '9':
        return json_scan_number(scan, err);
    default:
        return scan_word(scan, err);
    }
}

static bool ends_here(const struct json_scan *scan, unsigned outside, enum expected expected)
{
    if (scan->depth == outside || expected == VALUE || expected == NAME)
        return false;
    return *scan->p == (in_object(scan) ? '}' : ']');
}

/* With what is expected, without a blank in front: then no loop is needed to find that out. */
static bool goes_on(const struct json_scan *scan)
{
    return scan->p < scan->end && (unsigned char) *scan->p > ' ';
}

int json_scan_value(struct json_scan *scan, struct err *err)
{
    unsigned outside = scan->depth;
    enum expected expected = VALUE;

    while (expected != COMMA_OR_END || scan->depth > outside) {
        if (scan->p < scan->end && (unsigned char) *scan->p <= ' ')
            json_scan_space(scan);
        if (scan->p == scan->end)
            return problem(scan, err, "unfinished text");
        if (ends_here(scan, outside, expected)) {
            scan->p++;
            scan->depth--;
            expected = COMMA_OR_END;
            continue;
        }
        if (expected == COMMA_OR_END) {
            if (*scan->p != ',')
                return problem(scan, err, "missing comma");
            scan->p++;
            expected = in_object(scan) ? NAME : VALUE;
            if (!goes_on(scan))
                continue;
        }
        if (expected == NAME || expected == NAME_OR_END) {
            int r = scan_name(scan, err);
            if (r < 0)
                return r;
            expected = VALUE;
            if (!goes_on(scan))
                continue;
        }
        int r = scan_start_of_value(scan, &expected, err);
        if (r < 0)
            return r;
    }
    return 0;
}
