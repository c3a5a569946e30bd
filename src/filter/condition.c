/* condition.c - one condition of "when": read anew for each event, because that costs less than keeping it. */
#include <errno.h>
#include <string.h>

#include "filter_private.h"

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

/* The rest of the text: one word (of a fact: words), or anything between the first quote and the last. */
static bool read_value(const char *p, struct condition *ret)
{
    size_t size = strlen(p);
    while (size && is_blank(p[size - 1]))
        size--;
    ret->quoted = size > 1 && p[0] == '"' && p[size - 1] == '"';
    ret->value = ret->quoted ? (struct span){ p + 1, size - 2 } : (struct span){ p, size };
    if (ret->quoted)
        return true;
    bool one_word = !memchr(p, ' ', size) && !memchr(p, '\t', size);
    return p[0] != '"' && (one_word || !condition_is_pointer(ret));
}

bool condition_is_pointer(const struct condition *condition)
{
    return condition->name.size && condition->name.s[0] == '/';
}

int condition_read(const char *text, struct condition *ret, struct err *err)
{
    const char *p = text + strspn(text, " \t");
    struct condition condition = { .name = next_word(&p) };
    if (!condition.name.size || read_comparison(condition.name, &condition.comparison))
        return refuse(err, text, "the name of a fact or a JSON Pointer first, as in \"panic = true\",");
    if (condition_is_pointer(&condition) && pointer_check(condition.name, err) < 0)
        return -EINVAL;
    if (!read_comparison(next_word(&p), &condition.comparison))
        return refuse(err, text, "one of " COMPARISONS " between blanks, as in \"panic = true\",");

    if (condition.comparison == COMPARISON_EXISTS) {
        if (*p)
            return refuse(err, text, "nothing behind exists");
    } else if (!*p) {
        return refuse(err, text, "a value (\"\" for an empty text)");
    } else if (!read_value(p, &condition)) {
        return refuse(err, text, "one value, with quotes around it if it has blanks,");
    }
    *ret = condition;
    return 0;
}

/* ---- what a pointer finds ---- */

/* Size 0 and no text for what is no scalar. */
static struct span scalar_text(const struct found *found)
{
    const cJSON *item = found->item;
    if (cJSON_IsString(item))
        return span_of(item->valuestring);
    if (cJSON_IsNumber(item))
        return pointer_found_bytes(found);
    if (cJSON_IsTrue(item))
        return (struct span){ "true", 4 };
    if (cJSON_IsFalse(item))
        return (struct span){ "false", 5 };
    return cJSON_IsNull(item) ? (struct span){ "null", 4 } : (struct span){ 0 };
}

/* 1: true, 0: false, -1: neither. */
static int flag_of(struct span text)
{
    static const char *const words[] = { "false", "true", "0", "1" };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (text.size == strlen(words[i]) && strncasecmp(text.s, words[i], text.size) == 0)
            return (int) i % 2;
    return -1;
}

/* Two flags, one of which is written as one: true, 1, "1" and "True" are the same. */
static bool same_flags(const struct condition *condition, const cJSON *item, struct span text, bool *ret)
{
    int left = flag_of(text), right = flag_of(condition->value);
    bool word = right >= 0 && condition->value.size > 1 && !condition->quoted;
    if (left < 0 || right < 0 || !(word || cJSON_IsBool(item)))
        return false;
    *ret = left == right;
    return true;
}

/* Number with number, where a text counts as one if it is decimal: ids come as either, and numbers of more than 15
 * digits are texts in cJSON. */
static bool compare(const cJSON *item, struct span text, struct span value, int *ret)
{
    bool number = cJSON_IsNumber(item) || (cJSON_IsString(item) && number_is_decimal(text));
    if (!number || !number_compare(text, value, ret))
        *ret = number_compare_spans(text, value);
    return text.s;
}

static bool order_fits(enum comparison comparison, int order)
{
    switch (comparison) {
    case COMPARISON_LESS:
        return order < 0;
    case COMPARISON_LESS_OR_EQUAL:
        return order <= 0;
    case COMPARISON_GREATER:
        return order > 0;
    case COMPARISON_GREATER_OR_EQUAL:
        return order >= 0;
    case COMPARISON_EQUAL:
    case COMPARISON_NOT_EQUAL:
    case COMPARISON_GLOB:
    case COMPARISON_EXISTS:
        break;
    }
    return false;
}

static bool pointer_equals(const struct condition *condition, const cJSON *item, struct span text)
{
    int order;
    bool same;
    if (same_flags(condition, item, text, &same))
        return same;
    return compare(item, text, condition->value, &order) && order == 0;
}

static bool pointer_holds(const struct condition *condition, const struct event *event)
{
    struct found found;
    int order;
    if (!pointer_look(event, condition->name, &found))
        return condition->comparison == COMPARISON_NOT_EQUAL;

    struct span text = scalar_text(&found);
    const cJSON *item = found.item;
    if (condition->comparison == COMPARISON_EXISTS)
        return !cJSON_IsNull(item) && !(cJSON_IsString(item) && text.size && fact_is_nothing(text.s));
    if (condition->comparison == COMPARISON_GLOB)
        return text.s && !cJSON_IsNull(item) && glob_matches(condition->value, text);
    if (condition->comparison == COMPARISON_EQUAL)
        return pointer_equals(condition, item, text);
    if (condition->comparison == COMPARISON_NOT_EQUAL)
        return !pointer_equals(condition, item, text);
    bool ordered = cJSON_IsString(item) || cJSON_IsNumber(item);
    return ordered && compare(item, text, condition->value, &order) && order_fits(condition->comparison, order);
}

/* ---- what a name stands for ---- */

struct trial {
    const struct condition *condition;
    bool fits; /* one of the values at least */
};

/* The number that a word stands for, where the condition has a word. */
static struct span as_number(const struct fact *fact, struct span value, char digits[16])
{
    for (const struct fact_word *word = fact->words; word && word->word; word++)
        if (fact_same_words(value, word->word) || (word->also && fact_same_words(value, word->also))) {
            snprintf(digits, 16, "%d", word->number);
            return span_of(digits);
        }
    return value;
}

static bool value_is_ordered(const struct condition *condition, const struct fact *fact, const struct fact_value *value)
{
    char digits[16];
    int order;
    struct span text = span_of(value->number ? value->number : value->text);
    struct span wanted = as_number(fact, condition->value, digits);
    if (fact->kind == FACT_FLAG)
        return false;
    if (!number_compare(text, wanted, &order))
        order = number_compare_spans(span_of(value->text), condition->value);
    return order_fits(condition->comparison, order);
}

static bool value_equals(const struct condition *condition, const struct fact *fact, const struct fact_value *value)
{
    int order;
    struct span text = span_of(value->number ? value->number : value->text);
    if (fact->kind != FACT_FLAG && number_compare(text, condition->value, &order))
        return order == 0;
    return fact_equals(fact, value, condition->value);
}

static void try_value(void *context, const struct fact *fact, const struct fact_value *value)
{
    struct trial *trial = context;
    const struct condition *condition = trial->condition;
    if (condition->comparison == COMPARISON_EXISTS)
        trial->fits = true;
    else if (condition->comparison == COMPARISON_GLOB)
        trial->fits |= glob_matches(condition->value, span_of(value->text));
    else if (condition->comparison == COMPARISON_EQUAL || condition->comparison == COMPARISON_NOT_EQUAL)
        trial->fits |= value_equals(condition, fact, value);
    else
        trial->fits |= value_is_ordered(condition, fact, value);
}

bool condition_holds(const struct condition *condition, const struct action_record *record)
{
    struct trial trial = { condition, false };
    if (condition_is_pointer(condition))
        return pointer_holds(condition, record->event);
    name_emit(record, condition->name, try_value, &trial);
    return condition->comparison == COMPARISON_NOT_EQUAL ? !trial.fits : trial.fits;
}
