/* doubt.c - conditions that are sound and never hold. */
#include <string.h>

#include "filter_private.h"

#define SHOWN_MAX_CHARS 80

static bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && memcmp(a.s, b.s, a.size) == 0;
}

/* ---- pointers ---- */

/* What JSON would have for null; NULL: it is not about that. Quotes make a text of it. */
static bool means_null(const struct condition *condition)
{
    static const char *const words[] = { "null", "none", "nil" };
    struct span value = condition->value;
    if (condition->comparison > COMPARISON_NOT_EQUAL || condition->quoted ||
        span_equal(value, (struct span){ "null", 4 }))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (value.size == strlen(words[i]) && strncasecmp(value.s, words[i], value.size) == 0)
            return true;
    return false;
}

/* A step of the way that is "*" or has a bracket, as other languages have them. */
static bool has_wildcard(struct span pointer)
{
    for (size_t i = 0; i < pointer.size; i++)
        if (pointer.s[i] == '[' ||
            (pointer.s[i] == '*' && pointer.s[i - 1] == '/' && (i + 1 == pointer.size || pointer.s[i + 1] == '/')))
            return true;
    return false;
}

static bool doubt_pointer(const char *shown, const struct condition *condition, struct err *err)
{
    if (means_null(condition))
        err_set(err, 0, "\"%s\" takes the value for a text, which JSON's null is not: write null, in small letters",
                shown);
    else if (has_wildcard(condition->name))
        err_set(err, 0,
                "\"%s\" never holds: a pointer has no * and no [ ], the first of a list is /0, as in "
                "/units/0/status",
                shown);
    else if (pointer_is_outside(condition->name))
        err_set(err, 0, "\"%s\" never holds: pointers begin inside data, as in /call/callId", shown);
    else
        return false;
    return true;
}

/* ---- facts ---- */

static const char *holds(const struct condition *condition)
{
    return condition->comparison == COMPARISON_NOT_EQUAL ? "always" : "never";
}

static void say_foreign(const char *shown, const struct condition *condition, const struct event_families *families,
                        struct err *err)
{
    err_set(err, 0, "\"%s\" %s holds: no event of this action has that fact, which %s has", shown, holds(condition),
            name_owner(families, condition->name));
}

static bool is_flag(struct span value)
{
    static const char *const words[] = { "true", "false", "1", "0", "yes", "no", "on", "off" };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (fact_same_words(value, words[i]))
            return true;
    return false;
}

/* One of the words, or a number. */
static bool is_word(const struct fact *fact, struct span value)
{
    for (const struct fact_word *word = fact->words; word->word; word++)
        if (fact_same_words(value, word->word) || (word->also && fact_same_words(value, word->also)))
            return true;
    return number_is_decimal(value);
}

static void say_words(const char *shown, const struct condition *condition, const struct fact *fact, struct err *err)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    for (const struct fact_word *word = fact->words; word->word; word++)
        text_addf(&words, "%s%s", words.size ? ", " : "", word->also ? word->also : word->word);
    err_set(err, 0, "\"%s\" %s holds unless the CAD sends just that: %s is a number, or one of %s", shown,
            holds(condition), fact->name, words.s);
}

static bool doubt_value(const char *shown, const struct condition *condition, const struct fact *fact, struct err *err)
{
    enum comparison comparison = condition->comparison;
    if (comparison == COMPARISON_EXISTS || comparison == COMPARISON_GLOB)
        return false;
    if (fact->kind == FACT_FLAG && (comparison > COMPARISON_NOT_EQUAL || !is_flag(condition->value)))
        err_set(err, 0, "\"%s\" %s holds: %s is true or false", shown, holds(condition), fact->name);
    else if (fact->kind == FACT_NUMBER && !number_is_decimal(condition->value))
        err_set(err, 0, "\"%s\" %s holds: %s is a number", shown, holds(condition), fact->name);
    else if (fact->words && !is_word(fact, condition->value))
        say_words(shown, condition, fact, err);
    else
        return false;
    return true;
}

/* False, and a sentence: no event of the action can fulfil it. */
static bool is_plausible(const char *text, const struct condition *condition, const struct config_action *config,
                         const struct event_families *families, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, text, strlen(text), SHOWN_MAX_CHARS);
    if (condition_is_pointer(condition))
        return !doubt_pointer(shown.s, condition, err);
    const struct fact *fact = name_find(families, config, condition->name);
    if (fact)
        return !doubt_value(shown.s, condition, fact, err);
    say_foreign(shown.s, condition, families, err);
    return false;
}

/* ---- all of them ---- */

/* A fact with several values fulfils both of two conditions. */
static bool may_be_several(const struct condition *condition, const struct config_action *config,
                           const struct event_families *families)
{
    if (condition_is_pointer(condition))
        return false;
    const struct fact *fact = name_find(families, config, condition->name);
    return !fact || (fact->flags & FACT_SEVERAL) || fact->kind == FACT_FLAG || fact->kind == FACT_WORD;
}

/* "/x = 1" and "/x = 2": all have to hold. */
static bool contradicts(const struct config_action *config, const struct condition *one, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        struct condition other;
        if (condition_read(config->when[k], &other, NULL) == 0 && one->comparison == COMPARISON_EQUAL &&
            other.comparison == COMPARISON_EQUAL && span_equal(one->name, other.name) &&
            !span_equal(one->value, other.value))
            return true;
    }
    return false;
}

void filter_doubt(const struct config_action *config, const struct event_families *families, config_complain *warn,
                  void *context)
{
    for (size_t i = 0; i < config->n_when; i++) {
        struct condition condition;
        struct err err;
        if (condition_read(config->when[i], &condition, NULL) < 0 ||
            (!condition_is_pointer(&condition) && !name_find(families, NULL, condition.name)))
            continue; /* a mistake, and told */
        if (!is_plausible(config->when[i], &condition, config, families, &err))
            warn(context, "when", err.msg);
        else if (!may_be_several(&condition, config, families) && contradicts(config, &condition, i))
            warn(context, "when", "two conditions want different values of the same member, and all have to hold");
    }
}

void filter_advise(const struct config_action *config, const struct event_families *families, config_complain *warn,
                   void *context)
{
    for (size_t i = 0; i < config->n_when; i++) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        struct condition condition;
        struct err err;
        text_add_safe(&shown, config->when[i], strlen(config->when[i]), SHOWN_MAX_CHARS);
        if (condition_read(config->when[i], &condition, NULL) < 0 || !condition_is_pointer(&condition) ||
            doubt_pointer(shown.s, &condition, &err))
            continue;
        const char *fact = name_of_field(families, config, condition.name);
        err_set(&err, 0, "\"%s\" knows one of the forms in which the CAD sends this; the fact %s knows all of them",
                shown.s, fact ? fact : "");
        if (fact)
            warn(context, "when", err.msg);
    }
}
