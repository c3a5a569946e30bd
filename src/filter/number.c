/* number.c - decimal numbers as texts, compared exactly. */
#include <stdlib.h>
#include <string.h>

#include "filter_private.h"

static size_t count_digits(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

/* -12, 1.10 and so on, without an exponent. */
struct decimal {
    bool negative;
    struct span whole, fraction; /* without the zeros that say nothing */
};

/* Passes a decimal number at *p. */
static bool read_decimal(const char **p, const char *end, struct decimal *ret)
{
    const char *at = *p;
    bool negative = at < end && *at == '-';
    at += negative;
    struct span whole = { at, count_digits(at, end) }, fraction = { at, 0 };
    at += whole.size;
    if (!whole.size)
        return false;
    if (at < end && *at == '.') {
        fraction = (struct span){ at + 1, count_digits(at + 1, end) };
        if (!fraction.size)
            return false;
        at += 1 + fraction.size;
    }
    while (whole.size && whole.s[0] == '0')
        whole.s++, whole.size--;
    while (fraction.size && fraction.s[fraction.size - 1] == '0')
        fraction.size--;
    *ret = (struct decimal){ negative && (whole.size || fraction.size), whole, fraction };
    *p = at;
    return true;
}

/* *ret_plain: no exponent, all of it is in *ret. */
static bool read_number(struct span text, struct decimal *ret, bool *ret_plain)
{
    const char *p = text.s, *end = text.s + text.size;
    if (!read_decimal(&p, end, ret))
        return false;
    *ret_plain = p == end;
    if (*ret_plain)
        return true;
    if ((*p++ | 0x20) != 'e')
        return false;
    if (p < end && (*p == '+' || *p == '-'))
        p++;
    size_t n = count_digits(p, end);
    return n && p + n == end;
}

int number_compare_spans(struct span a, struct span b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.s, b.s, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* Exact, where doubles would take two ids above 2^53 for one. */
static int compare_decimals(const struct decimal *a, const struct decimal *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    int order = (a->whole.size > b->whole.size) - (a->whole.size < b->whole.size);
    if (!order)
        order = number_compare_spans(a->whole, b->whole);
    if (!order)
        order = number_compare_spans(a->fraction, b->fraction);
    return a->negative ? -order : order;
}

bool number_is_decimal(struct span text)
{
    struct decimal decimal;
    bool plain;
    return read_number(text, &decimal, &plain) && plain;
}

bool number_compare(struct span left_text, struct span right_text, int *ret)
{
    struct decimal left, right;
    bool left_plain, right_plain;
    if (!read_number(left_text, &left, &left_plain) || !read_number(right_text, &right, &right_plain))
        return false;
    if (left_plain && right_plain) {
        *ret = compare_decimals(&left, &right);
        return true;
    }
    /* Whatever ends one of the texts, a quote, a comma, a blank or the end, ends a number as well. */
    double a = strtod(left_text.s, NULL), b = strtod(right_text.s, NULL);
    *ret = (a > b) - (a < b);
    return true;
}
