/* condition.c - one condition of "when": read anew for each event, because that costs less than keeping it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define SHOWN_MAX_CHARS 80
#define COMPARISONS "= != < <= > >= ~ exists"

/* ---- reading ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word; p is behind it and the blanks that follow. */
static struct span next_word(const char **p)
{
    const char *first = *p;
    while (**p && !is_blank(**p))
        ++*p;
    struct span word = { first, (size_t) (*p - first) };
    while (is_blank(**p))
        ++*p;
    return word;
}

static bool read_comparison(struct span word, enum comparison *ret)
{
    static const char *const words[] = {
        [COMPARISON_EQUAL] = "=",          [COMPARISON_NOT_EQUAL] = "!=",  [COMPARISON_LESS] = "<",
        [COMPARISON_LESS_OR_EQUAL] = "<=", [COMPARISON_GREATER] = ">",     [COMPARISON_GREATER_OR_EQUAL] = ">=",
        [COMPARISON_GLOB] = "~",           [COMPARISON_EXISTS] = "exists",
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (word.size == strlen(words[i]) && memcmp(word.s, words[i], word.size) == 0) {
            *ret = (enum comparison) i;
            return true;
        }
    return false;
}

static int refuse(struct err *err, const char *condition, const char *expected)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, condition, strlen(condition), SHOWN_MAX_CHARS);
    return err_set(err, -EINVAL, "expected %s in the condition \"%s\"", expected, shown.s);
}

/* The rest of the text: one word, or anything between the first quote and the last. */
static bool read_value(const char *p, struct span *ret)
{
    size_t size = strlen(p);
    while (size && is_blank(p[size - 1]))
        size--;
    if (size > 1 && p[0] == '"' && p[size - 1] == '"') {
        *ret = (struct span){ p + 1, size - 2 };
        return true;
    }
    *ret = (struct span){ p, size };
    return p[0] != '"' && !memchr(p, ' ', size) && !memchr(p, '\t', size);
}

int condition_read(const char *text, struct condition *ret, struct err *err)
{
    const char *p = text + strspn(text, " \t");
    struct condition condition = { .pointer = next_word(&p) };
    if (!condition.pointer.size || condition.pointer.s[0] != '/')
        return refuse(err, text, "a JSON Pointer first, as in \"/isPanic = true\",");
    if (pointer_check_span(condition.pointer, err) < 0)
        return -EINVAL;
    if (!read_comparison(next_word(&p), &condition.comparison))
        return refuse(err, text, "one of " COMPARISONS " between blanks, as in \"/isPanic = true\",");

    if (condition.comparison == COMPARISON_EXISTS) {
        if (*p)
            return refuse(err, text, "nothing behind exists");
    } else if (!*p) {
        return refuse(err, text, "a value (\"\" for an empty text)");
    } else if (!read_value(p, &condition.value)) {
        return refuse(err, text, "one value, with quotes around it if it has blanks,");
    }
    *ret = condition;
    return 0;
}

/* ---- numbers ---- */

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

static int compare_spans(struct span a, struct span b)
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
        order = compare_spans(a->whole, b->whole);
    if (!order)
        order = compare_spans(a->fraction, b->fraction);
    return a->negative ? -order : order;
}

/* Number with number; false where one is none. A text counts as one if it is decimal: ids come as either, and numbers
 * of more than 15 digits are texts in cJSON. */
static bool compare_numbers(const cJSON *item, struct span value, int *ret)
{
    struct decimal left, right;
    bool left_plain = false, right_plain;
    if (!read_number(value, &right, &right_plain))
        return false;
    if (cJSON_IsString(item)) {
        struct span text = { item->valuestring, strlen(item->valuestring) };
        if (!read_number(text, &left, &left_plain) || !left_plain)
            return false;
    } else if (!cJSON_IsNumber(item)) {
        return false;
    }

    if (left_plain && right_plain) {
        *ret = compare_decimals(&left, &right);
        return true;
    }
    /* Whatever ends the value, a quote, a blank or the end, ends a number as well. */
    double a = left_plain ? strtod(item->valuestring, NULL) : item->valuedouble, b = strtod(value.s, NULL);
    *ret = (a > b) - (a < b);
    return true;
}

/* ---- holding ---- */

/* Size 0 and no text for what is no scalar. */
static struct span scalar_text(const struct found *found)
{
    const cJSON *item = found->item;
    if (cJSON_IsString(item))
        return (struct span){ item->valuestring, strlen(item->valuestring) };
    if (cJSON_IsNumber(item))
        return found_bytes(found);
    if (cJSON_IsTrue(item))
        return (struct span){ "true", 4 };
    if (cJSON_IsFalse(item))
        return (struct span){ "false", 5 };
    return cJSON_IsNull(item) ? (struct span){ "null", 4 } : (struct span){ 0 };
}

static bool compare(const struct found *found, struct span value, int *ret)
{
    if (compare_numbers(found->item, value, ret))
        return true;
    struct span text = scalar_text(found);
    *ret = compare_spans(text, value);
    return text.s;
}

bool condition_holds(const struct condition *condition, const struct event *event)
{
    struct found found;
    int order = 0;
    if (!pointer_look(event, condition->pointer, &found))
        return condition->comparison == COMPARISON_NOT_EQUAL;

    if (condition->comparison == COMPARISON_EXISTS)
        return !cJSON_IsNull(found.item);
    if (condition->comparison == COMPARISON_GLOB) {
        struct span text = scalar_text(&found);
        return text.s && !cJSON_IsNull(found.item) && glob_matches(condition->value, text);
    }

    bool comparable = compare(&found, condition->value, &order);
    bool ordered = comparable && (cJSON_IsString(found.item) || cJSON_IsNumber(found.item));
    switch (condition->comparison) {
    case COMPARISON_EQUAL:
        return comparable && order == 0;
    case COMPARISON_NOT_EQUAL:
        return !comparable || order != 0;
    case COMPARISON_LESS:
        return ordered && order < 0;
    case COMPARISON_LESS_OR_EQUAL:
        return ordered && order <= 0;
    case COMPARISON_GREATER:
        return ordered && order > 0;
    case COMPARISON_GREATER_OR_EQUAL:
        return ordered && order >= 0;
    case COMPARISON_GLOB:
    case COMPARISON_EXISTS:
        break;
    }
    return false;
}
