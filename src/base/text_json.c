/* text_json.c - text from outside as a string of JSON. */
#include <endian.h>
#include <string.h>

#include <sonoran-pushd/text.h>

/* Bytes that stand for themselves in a string of JSON and on a terminal. */
static const bool plain[256] = { [0x20 ... 0x21] = true, [0x23 ... 0x5b] = true, [0x5d ... 0x7e] = true };

/* Eight at a time: the lowest top bit of found is that of the first byte that is not plain, since only such a byte
 * borrows from the next one. */
size_t text_count_plain(const char *s, size_t size)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    size_t n = 0;
    for (; size - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
        uint64_t x;
        memcpy(&x, s + n, sizeof(x));
        x = le64toh(x);
        uint64_t control = x - ones * 0x20, del = (x ^ ones * 0x7f) - ones;
        uint64_t quote = (x ^ ones * '"') - ones, backslash = (x ^ ones * '\\') - ones;
        uint64_t found = (x | control | del | quote | backslash) & tops;
        if (found)
            return n + (size_t) __builtin_ctzll(found) / 8;
    }
    while (n < size && plain[(unsigned char) s[n]])
        n++;
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
    char letter = code == '"' || code == '\\' ? (char) code : '\0';
    letter = code == '\n' ? 'n' : code == '\r' ? 'r' : code == '\t' ? 't' : letter;
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
    if (code == '"' || code == '\\' || text_is_unsafe(code))
        return put_escape(at, code);
    memcpy(at, s, length);
    return at + length;
}

#define JSON_STEP_BYTES 256 /* room is made for so many at once */
#define JSON_MOST 6         /* bytes become of one: \u001b */
#define JSON_OVER 24        /* for the last character of a step, and the quote */

void text_add_json(struct text *text, const char *s, size_t size)
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
            size_t n = text_count_plain(p, (size_t) (stop - p));
            memcpy(at, p, n);
            at += n;
            p += n;
            if (p == stop)
                break;
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
