/* quote.c - text from outside as a string of JSON, and back. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "json_private.h"

/* Bytes that stand for themselves in a string of JSON and on a terminal. */
static const bool plain[256] = { [0x20 ... 0x21] = true, [0x23 ... 0x5b] = true, [0x5d ... 0x7e] = true };

/* Of eight bytes: the lowest top bit of what it returns is that of the first that is not plain, since only such a byte
 * borrows from the next one. 0: all are. */
static uint64_t find_other(const char *s)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t x;
    memcpy(&x, s, sizeof(x));
    x = le64toh(x);
    uint64_t control = x - ones * 0x20, del = (x ^ ones * 0x7f) - ones;
    uint64_t quote = (x ^ ones * '"') - ones, backslash = (x ^ ones * '\\') - ones;
    return (x | control | del | quote | backslash) & tops;
}

size_t json_count_plain(const char *s, size_t size)
{
    size_t n = 0;
    for (; size - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
        uint64_t found = find_other(s + n);
        if (found)
            return n + (size_t) __builtin_ctzll(found) / 8;
    }
    while (n < size && plain[(unsigned char) s[n]])
        n++;
    return n;
}

/* The same, and copies them. There is room for all of s. */
static size_t copy_plain(char *at, const char *s, size_t size)
{
    size_t n = 0;
    for (; size - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
        uint64_t found = find_other(s + n);
        memcpy(at + n, s + n, sizeof(uint64_t));
        if (found)
            return n + (size_t) __builtin_ctzll(found) / 8;
    }
    for (; n < size && plain[(unsigned char) s[n]]; n++)
        at[n] = s[n];
    return n;
}

static char *put_unicode(char *at, uint32_t code)
{
    *at++ = '\\';
    *at++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[code >> shift & 0xf];
    return at;
}

static char *put_escape(char *at, uint32_t code)
{
    if (code >= 0x10000) {
        at = put_unicode(at, 0xd800 + ((code - 0x10000) >> 10));
        return put_unicode(at, 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    char letter = code == '\n' ? 'n' : code == '\r' ? 'r' : code == '\t' ? 't' : '\0';
    if (!letter)
        return put_unicode(at, code);
    *at++ = '\\';
    *at++ = letter;
    return at;
}

/* One character that is not plain, of length bytes (0: not UTF-8). */
static char *put_character(char *at, const char *s, size_t length, uint32_t code)
{
    if (!length)
        return put_escape(at, 0xfffd);
    if (text_is_unsafe(code))
        return put_escape(at, code);
    memcpy(at, s, length);
    return at + length;
}

#define JSON_STEP_BYTES 256 /* room is made for so many at once */
#define JSON_MOST 6         /* bytes become of one: \u001b */
#define JSON_OVER 24        /* for the last character of a step, and the quote */

void json_quote(struct text *text, const char *s, size_t size)
{
    const char *p = s, *end = s + size;
    text_add_bytes(text, "\"", 1);
    while (p < end) {
        size_t step = (size_t) (end - p) < JSON_STEP_BYTES ? (size_t) (end - p) : JSON_STEP_BYTES;
        const char *stop = p + step;
        if (!text_reserve(text, JSON_MOST * step + JSON_OVER))
            return;
        char *at = text->s + text->size;
        while (p < stop) {
            size_t n = copy_plain(at, p, (size_t) (stop - p));
            at += n;
            p += n;
            if (p == stop)
                break;
            if (*p == '"' || *p == '\\') { /* of JSON inside JSON every other word has one */
                *at++ = '\\';
                *at++ = *p++;
                continue;
            }
            uint32_t code;
            size_t length = utf8_read(p, (size_t) (end - p), &code);
            at = put_character(at, p, length, code);
            p += length ? length : 1;
        }
        *at = '\0';
        text->size = (size_t) (at - text->s);
    }
    text_add_bytes(text, "\"", 1);
}

static char *put_utf8(char *at, uint32_t code)
{
    static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *at++ = (char) (first[more] | code >> 6 * more);
    for (; more > 0; more--)
        *at++ = (char) (0x80 | (code >> 6 * (more - 1) & 0x3f));
    return at;
}

/* What stands between the quotes, to ret, which has room for all of it: no escape is shorter than what it stands for.
 * Its end; NULL: there is an escape that is none. */
static char *unquote(struct span inner, char *ret)
{
    struct json_scan scan = json_scan_of(inner);
    uint32_t code;
    while (scan.p < scan.end) {
        size_t n = copy_plain(ret, scan.p, (size_t) (scan.end - scan.p));
        ret += n;
        scan.p += n;
        if (scan.p == scan.end)
            break;
        if (*scan.p != '\\')
            *ret++ = *scan.p++;
        else if (json_scan_escape(&scan, &code, NULL) == 0)
            ret = put_utf8(ret, code);
        else
            return NULL;
    }
    return ret;
}

char *json_string_value(struct span json, size_t *ret_bytes)
{
    if (json.size < JSON_QUOTES || json.s[0] != '"')
        return NULL;
    char *value = malloc(json.size - 1);
    if (!value)
        return NULL;
    char *end = unquote((struct span){ json.s + 1, json.size - JSON_QUOTES }, value);
    if (!end) {
        explicit_bzero(value, json.size - 1); /* it may be a key */
        free(value);
        return NULL;
    }
    *end = '\0';
    *ret_bytes = (size_t) (end - value);
    return value;
}
