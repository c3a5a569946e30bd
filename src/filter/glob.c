/* glob.c - matching as fnmatch(3) does, for texts from outside: the library's takes time without a limit where a
 * pattern has several stars, and cuts no letter of a text in two only if the locale is right. */
#include <ctype.h>
#include <string.h>

#include "filter_private.h"

static uint32_t other_case(uint32_t c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 'A';
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same_letter(char a, char b)
{
    return a == b || other_case((unsigned char) a) == (unsigned char) b;
}

/* The size of the character at p, which is before end; of what is not UTF-8, one byte. */
static size_t character(const char *p, const char *end, uint32_t *ret_code)
{
    size_t size = utf8_read(p, (size_t) (end - p), ret_code);
    if (size)
        return size;
    *ret_code = (unsigned char) *p;
    return 1;
}

/* [:digit:] inside of brackets. Passes it; false: it is none. */
static bool read_class(const char **p, const char *end, uint32_t code, bool *matched)
{
    static const struct {
        const char *name;
        int (*has)(int c);
    } classes[] = { { "[:digit:]", isdigit }, { "[:alpha:]", isalpha },  { "[:alnum:]", isalnum },
                    { "[:space:]", isspace }, { "[:punct:]", ispunct },  { "[:upper:]", isalpha },
                    { "[:lower:]", isalpha }, { "[:xdigit:]", isxdigit } };
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        size_t size = strlen(classes[i].name);
        if ((size_t) (end - *p) < size || memcmp(*p, classes[i].name, size) != 0)
            continue;
        *p += size;
        *matched |= code < 0x80 && classes[i].has((int) code);
        return true;
    }
    return false;
}

static uint32_t read_member(const char **p, const char *end)
{
    uint32_t code;
    if (**p == '\\' && *p + 1 < end)
        ++*p;
    *p += character(*p, end, &code);
    return code;
}

/* Passes a set in brackets that starts at *p; false: it has no end. */
static bool read_set(const char **p, const char *end, uint32_t code, bool *ret_matched)
{
    const char *at = *p + 1;
    bool negated = at < end && (*at == '!' || *at == '^'), matched = false;
    at += negated;
    for (const char *first = at; at < end && (at == first || *at != ']');) {
        if (read_class(&at, end, code, &matched))
            continue;
        uint32_t low = read_member(&at, end), high = low, other = other_case(code);
        if (end - at > 1 && at[0] == '-' && at[1] != ']') {
            at++;
            high = read_member(&at, end);
        }
        matched |= (code >= low && code <= high) || (other >= low && other <= high);
    }
    if (at == end)
        return false;
    *p = at + 1;
    *ret_matched = matched != negated;
    return true;
}

/* Matches one character of the text with one element of the pattern (not a star) and passes both, or neither. */
static bool match_one(const char **glob, const char *glob_end, const char **text, const char *text_end)
{
    const char *g = *glob;
    uint32_t code;
    if (g == glob_end)
        return false;
    size_t size = character(*text, text_end, &code);

    bool matched;
    if (*g == '?') {
        matched = true;
        g++;
    } else if (*g != '[' || !read_set(&g, glob_end, code, &matched)) {
        if (*g == '\\' && g + 1 < glob_end)
            g++;
        matched = same_letter(*g, **text);
        size = 1;
        g++;
    }
    if (matched) {
        *glob = g;
        *text += size;
    }
    return matched;
}

bool glob_matches(struct span glob, struct span text)
{
    const char *g = glob.s, *glob_end = glob.s + glob.size, *p = text.s, *end = text.s + text.size;
    const char *star = NULL, *star_p = p; /* behind the last star, and what of the text it leaves */

    while (p < end) {
        uint32_t code;
        if (g < glob_end && *g == '*') {
            star = ++g;
            star_p = p;
        } else if (!match_one(&g, glob_end, &p, end)) {
            if (!star)
                return false;
            g = star;
            star_p += character(star_p, end, &code);
            p = star_p;
        }
    }
    while (g < glob_end && *g == '*')
        g++;
    return g == glob_end;
}
