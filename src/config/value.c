/* value.c - one value of each type: from a file, compared, and in the syntax of a file again. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define PATH_MAX_BYTES 255
#define ID_MAX_DIGITS 20 /* of 64 bits */

struct unit {
    const char *name;
    uint64_t factor;
};

/* From the largest on; the last one divides everything. */
static const struct unit size_units[] = {
    { "G", (uint64_t) 1 << 30 },
    { "M", (uint64_t) 1 << 20 },
    { "K", (uint64_t) 1 << 10 },
    { "", 1 },
};
static const struct unit duration_units[] = {
    { "d", 86400 * USEC_PER_SEC }, { "h", 3600 * USEC_PER_SEC }, { "min", 60 * USEC_PER_SEC },
    { "s", USEC_PER_SEC },         { "ms", USEC_PER_MSEC },
};

struct units {
    const struct unit *units;
    size_t n;
    const char *zero;
};

static struct units units_of(enum config_type type)
{
    if (type == CONFIG_DURATION)
        return (struct units){ duration_units, ARRAY_SIZE(duration_units), "0s" };
    size_t n = ARRAY_SIZE(size_units);
    return type == CONFIG_SIZE ? (struct units){ size_units, n, "0" } : (struct units){ size_units + n - 1, 1, "0" };
}

static bool parse_units(const char *s, struct units units, uint64_t *ret)
{
    uint64_t number = 0;
    const char *p = s;
    for (; isdigit((unsigned char) *p); p++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t) (*p - '0'), &number))
            return false;
    if (p == s)
        return false;
    for (size_t i = 0; i < units.n; i++)
        if (strcmp(p, units.units[i].name) == 0)
            return !__builtin_mul_overflow(number, units.units[i].factor, ret);
    return false;
}

static void add_units(struct text *text, struct units units, uint64_t number)
{
    size_t i = 0;
    if (!number) {
        text_add(text, units.zero);
        return;
    }
    while (i + 1 < units.n && number % units.units[i].factor)
        i++;
    text_addf(text, "%llu%s", (unsigned long long) (number / units.units[i].factor), units.units[i].name);
}

static bool parse_number(const struct config_option *option, const struct raw *raw, uint64_t *ret)
{
    uint64_t number;
    if (raw->kind == RAW_TEXT && option->type != CONFIG_COUNT) {
        if (!parse_units(raw->text, units_of(option->type), &number))
            return false;
    } else if (raw->kind == RAW_NUMBER && option->type != CONFIG_DURATION && raw->number >= 0) {
        number = (uint64_t) raw->number;
    } else {
        return false;
    }
    if (number < option->min || number > option->max)
        return false;
    *ret = number;
    return true;
}

static bool parse_word(const struct config_option *option, const struct raw *raw, int *ret)
{
    if (raw->kind != RAW_TEXT)
        return false;
    for (int i = 0; option->words[i]; i++)
        if (strcmp(raw->text, option->words[i]) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static bool parse_bool(const struct raw *raw, bool *ret)
{
    if (raw->kind != RAW_BOOL)
        return false;
    *ret = raw->number;
    return true;
}

static bool is_name(const char *s)
{
    size_t size = strlen(s);
    return size >= 1 && size <= NAME_MAX_BYTES &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

static bool is_id(const char *s)
{
    size_t size = strlen(s);
    return size >= 1 && size <= ID_MAX_DIGITS && strspn(s, "0123456789") == size;
}

static bool is_path(const char *s)
{
    if (*s != '/' || strlen(s) > PATH_MAX_BYTES)
        return false;
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f || *s == '?' || *s == '#')
            return false;
    return true;
}

static bool is_address(const char *s)
{
    struct sockaddr_storage address;
    socklen_t size;
    return address_parse(s, &address, &size) == 0;
}

bool is_secret(enum config_type type)
{
    return type == CONFIG_SECRET || type == CONFIG_URL || type == CONFIG_HEADER;
}

static int parse_text(const struct config_option *option, const struct raw *raw, char **ret, struct err *err)
{
    if (raw->kind != RAW_TEXT)
        return -EINVAL;
    if (is_secret(option->type) && secret_check(option->type, raw->text, strlen(raw->text), err) < 0)
        return -EBADMSG; /* err says more than what is expected */
    if ((option->type == CONFIG_NAME && !is_name(raw->text)) || (option->type == CONFIG_PATH && !is_path(raw->text)) ||
        (option->type == CONFIG_ADDRESS && !is_address(raw->text)) || (option->type == CONFIG_ID && !is_id(raw->text)))
        return -EINVAL;

    char *copy = strdup(raw->text);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

static bool is_text(enum config_type type)
{
    return type <= CONFIG_FILE;
}

static bool is_number(enum config_type type)
{
    return type >= CONFIG_COUNT;
}

size_t value_size(enum config_type type)
{
    if (type == CONFIG_BOOL)
        return sizeof(bool);
    return is_text(type) ? sizeof(char *) : is_number(type) ? sizeof(uint64_t) : sizeof(int);
}

static void refuse(const struct config_option *option, enum raw_kind kind, struct err *err)
{
    struct text text = TEXT_INIT;
    text_add(&text, "expected ");
    value_add_expected(&text, option);
    bool bare = option->type == CONFIG_COUNT || option->type == CONFIG_BOOL;
    if (bare && kind == RAW_TEXT)
        text_add(&text, ", without quotes");
    else if (!bare && kind != RAW_TEXT && !(option->type == CONFIG_SIZE && kind == RAW_NUMBER))
        text_add(&text, ", in quotes");
    err_set(err, -EINVAL, "%s", text.s);
    text_free(&text);
}

int value_parse(const struct config_option *option, const struct raw *raw, void *ret, struct err *err)
{
    assert(option->size == (option->list ? sizeof(struct list) : value_size(option->type)));

    int r;
    if (is_text(option->type))
        r = parse_text(option, raw, ret, err);
    else if (is_number(option->type))
        r = parse_number(option, raw, ret) ? 0 : -EINVAL;
    else if (option->type == CONFIG_BOOL)
        r = parse_bool(raw, ret) ? 0 : -EINVAL;
    else
        r = parse_word(option, raw, ret) ? 0 : -EINVAL;
    if (r == -EINVAL)
        refuse(option, raw->kind, err);
    return r;
}

int value_parse_fallback(const struct config_option *option, const char *fallback, void *ret)
{
    struct err err;
    struct raw raw = { .kind = RAW_TEXT, .text = fallback };
    if (option->type == CONFIG_COUNT)
        raw = (struct raw){ .kind = RAW_NUMBER, .number = strtoll(fallback, NULL, 10) };
    if (option->type == CONFIG_BOOL)
        raw = (struct raw){ .kind = RAW_BOOL, .number = strcmp(fallback, "true") == 0 };
    return value_parse(option, &raw, ret, &err);
}

bool value_is_none(enum config_type type, const void *value)
{
    return is_text(type) && !*(char *const *) value;
}

bool value_equal(enum config_type type, const void *a, const void *b)
{
    if (!is_text(type))
        return memcmp(a, b, value_size(type)) == 0;
    const char *x = *(char *const *) a, *y = *(char *const *) b;
    return x && y ? strcmp(x, y) == 0 : x == y;
}

bool value_clashes(enum config_type type, const void *a, const void *b)
{
    if (!is_text(type))
        return value_equal(type, a, b);
    const char *x = *(char *const *) a, *y = *(char *const *) b;
    if (!x || !y) /* a mistake of its own */
        return false;
    if (type == CONFIG_ADDRESS)
        return address_overlap(x, y);
    return type == CONFIG_SECRET ? strcasecmp(x, y) == 0 : strcmp(x, y) == 0;
}

static void add_hex(struct text *text, const char *s)
{
    for (; *s; s++) {
        if ((unsigned char) *s < ' ' || (unsigned char) *s >= 0x7f)
            text_addf(text, "\\x%02x", (unsigned char) *s);
        else
            text_addf(text, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    }
}

/* Readable where that is safe for a terminal; any byte in any case. */
static void add_quoted(struct text *text, const char *s)
{
    struct text shown = TEXT_INIT;
    text_add_safe(&shown, s, strlen(s), 0);
    bool plain = !shown.failed && strcmp(shown.s, s) == 0 && !strpbrk(s, "\"\\");
    text_free(&shown);

    text_add(text, "\"");
    if (plain)
        text_add(text, s);
    else
        add_hex(text, s);
    text_add(text, "\"");
}

void value_add(struct text *text, const struct config_option *option, const void *value)
{
    if (is_secret(option->type)) {
        text_add(text, "\"(set)\"");
    } else if (is_text(option->type)) {
        add_quoted(text, *(char *const *) value);
    } else if (option->type == CONFIG_BOOL) {
        text_add(text, *(const bool *) value ? "true" : "false");
    } else if (option->type == CONFIG_WORD) {
        text_addf(text, "\"%s\"", option->words[*(const int *) value]);
    } else {
        struct text number = TEXT_INIT;
        add_units(&number, units_of(option->type), *(const uint64_t *) value);
        bool bare = strspn(number.s, "0123456789") == number.size;
        text_addf(text, bare ? "%s" : "\"%s\"", number.s);
        text->failed |= number.failed;
        text_free(&number);
    }
}

static void add_range(struct text *text, const struct config_option *option)
{
    text_add(text, " from ");
    add_units(text, units_of(option->type), option->min);
    text_add(text, " to ");
    add_units(text, units_of(option->type), option->max);
}

void value_add_expected(struct text *text, const struct config_option *option)
{
    switch (option->type) {
    case CONFIG_TEXT:
        text_add(text, "a text");
        break;
    case CONFIG_SECRET:
    case CONFIG_URL:
    case CONFIG_HEADER:
        text_addf(text, "a %s", secret_noun(option->type));
        break;
    case CONFIG_ID:
        text_add(text, "an id of digits, such as 1234567890");
        break;
    case CONFIG_NAME:
        text_addf(text, "a name of up to %d letters, digits and . _ -", NAME_MAX_BYTES);
        break;
    case CONFIG_PATH:
        text_add(text, "a path such as /sonorancad/event, from / on, without blanks, ? and #");
        break;
    case CONFIG_ADDRESS:
        text_add(text, "an address such as [::]:30120 or 127.0.0.1:30120");
        break;
    case CONFIG_FILE:
        text_add(text, "the name of a file");
        break;
    case CONFIG_WORD:
        text_add(text, "one of");
        for (const char *const *word = option->words; *word; word++)
            text_addf(text, " %s", *word);
        break;
    case CONFIG_BOOL:
        text_add(text, "true or false");
        break;
    case CONFIG_COUNT:
        text_add(text, "a whole number");
        add_range(text, option);
        break;
    case CONFIG_SIZE:
        text_add(text, "a size such as 64K or 1M,");
        add_range(text, option);
        break;
    case CONFIG_DURATION:
        text_add(text, "a duration such as 30s or 10min,");
        add_range(text, option);
        break;
    }
}

void value_done(enum config_type type, void *value)
{
    if (!is_text(type))
        return;
    if (is_secret(type))
        secret_wipe(*(char **) value);
    else
        free(*(char **) value);
    *(char **) value = NULL;
}
