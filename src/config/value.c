/* value.c - one value of each type: from a file, compared, and in the syntax of a file again. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

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
};

static struct units units_of(enum config_type type)
{
    if (type == CONFIG_DURATION)
        return (struct units){ duration_units, ARRAY_SIZE(duration_units) };
    size_t n = ARRAY_SIZE(size_units);
    return type == CONFIG_SIZE ? (struct units){ size_units, n } : (struct units){ size_units + n - 1, 1 };
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

static void add_number(struct text *text, enum config_type type, uint64_t number)
{
    if (type == CONFIG_DURATION)
        text_add_duration(text, number);
    else if (type == CONFIG_SIZE)
        text_add_size(text, number);
    else
        text_addf(text, "%llu", (unsigned long long) number);
}

static bool parse_number(const struct config_option *option, const char *text, uint64_t *ret)
{
    uint64_t number;
    if (!parse_units(text, units_of(option->type), &number) || number < option->min || number > option->max)
        return false;
    *ret = number;
    return true;
}

static bool parse_word(const struct config_option *option, const char *text, int *ret)
{
    for (int i = 0; option->words[i]; i++)
        if (strcmp(text, option->words[i]) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static bool parse_bool(const char *text, bool *ret)
{
    *ret = strcmp(text, "true") == 0;
    return *ret || strcmp(text, "false") == 0;
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

static int check_network(const char *s, struct err *err)
{
    struct network network;
    return network_read(s, &network, err) < 0 ? -EBADMSG : 0;
}

bool value_is_secret(enum config_type type)
{
    return type == CONFIG_SECRET || type == CONFIG_URL || type == CONFIG_HEADER;
}

static int parse_text(const struct config_option *option, const char *text, char **ret, struct err *err)
{
    if (value_is_secret(option->type) && secret_check(option->type, text, strlen(text), err) < 0)
        return -EBADMSG; /* err says more than what is expected */
    if (option->type == CONFIG_NETWORK && check_network(text, err) < 0)
        return -EBADMSG;
    bool elsewhere = option->names && strchr(text, '@');
    if ((option->type == CONFIG_NAME && !is_name(text) && !elsewhere) ||
        (option->type == CONFIG_PATH && !is_path(text)) || (option->type == CONFIG_ADDRESS && !is_address(text)) ||
        (option->type == CONFIG_ID && !is_id(text)))
        return -EINVAL;

    char *copy = strdup(text);
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

static void refuse(const struct config_option *option, struct err *err)
{
    struct text text = TEXT_INIT;
    text_add(&text, "expected ");
    value_add_expected(&text, option);
    err_set(err, -EINVAL, "%s", text.s);
    text_free(&text);
}

int value_parse(const struct config_option *option, const char *text, void *ret, struct err *err)
{
    assert(option->size == (option->list ? sizeof(struct list) : value_size(option->type)));

    int r;
    if (is_text(option->type))
        r = parse_text(option, text, ret, err);
    else if (is_number(option->type))
        r = parse_number(option, text, ret) ? 0 : -EINVAL;
    else if (option->type == CONFIG_BOOL)
        r = parse_bool(text, ret) ? 0 : -EINVAL;
    else
        r = parse_word(option, text, ret) ? 0 : -EINVAL;
    if (r == -EINVAL)
        refuse(option, err);
    return r;
}

int value_parse_fallback(const struct config_option *option, const char *fallback, void *ret)
{
    struct err err;
    return value_parse(option, fallback, ret, &err);
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

/* As it is shown to people, unless that is safe for a terminal; then in an escape of YAML. */
static void add_letter(struct text *text, const char *s, size_t size, uint32_t code)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, s, size, 0);
    bool plain = shown.size == size && memcmp(shown.s, s, size) == 0;
    if (plain)
        text_addf(text, "%s%s", *s == '"' || *s == '\\' ? "\\" : "", shown.s);
    else
        text_addf(text, code > 0xffff ? "\\U%08x" : code > 0xff ? "\\u%04x" : "\\x%02x", code);
    text->failed |= shown.failed;
}

/* What is no UTF-8 (a path that the environment gave) cannot be written. */
static void add_quoted(struct text *text, const char *s)
{
    text_add(text, "\"");
    for (size_t n, size = strlen(s); size; s += n, size -= n) {
        uint32_t code;
        n = utf8_read(s, size, &code);
        add_letter(text, s, n ? n : 1, n ? code : 0xfffd);
        n = n ? n : 1;
    }
    text_add(text, "\"");
}

void value_add(struct text *text, const struct config_option *option, const void *value)
{
    if (value_is_secret(option->type))
        text_add(text, "\"(set)\"");
    else if (is_text(option->type))
        add_quoted(text, *(char *const *) value);
    else if (option->type == CONFIG_BOOL)
        text_add(text, *(const bool *) value ? "true" : "false");
    else if (option->type == CONFIG_WORD)
        text_add(text, option->words[*(const int *) value]);
    else
        add_number(text, option->type, *(const uint64_t *) value);
}

static void add_range(struct text *text, const struct config_option *option)
{
    text_add(text, " from ");
    add_number(text, option->type, option->min);
    text_add(text, " to ");
    add_number(text, option->type, option->max);
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
        text_addf(text, "a name of up to %d letters, digits and . _ -%s", NAME_MAX_BYTES,
                  option->names ? ", or NAME@NODE" : "");
        break;
    case CONFIG_PATH:
        text_add(text, "a path such as /sonorancad/event, from / on, without blanks, ? and #");
        break;
    case CONFIG_ADDRESS:
        text_add(text, "an address such as [::]:30120 or 127.0.0.1:30120");
        break;
    case CONFIG_NETWORK:
        text_add(text, "an address or a network, such as 203.0.113.0/24");
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
    if (value_is_secret(type))
        secret_wipe(*(char **) value);
    else
        free(*(char **) value);
    *(char **) value = NULL;
}
