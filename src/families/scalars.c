/* scalars.c - texts, numbers and flags in whatever JSON type they came. */
#include <stdlib.h>

#include "fields.h"

const char *scalar_text(const cJSON *item)
{
    static _Thread_local char texts[NUMBER_TEXTS][JSON_DOUBLE_MAX_BYTES];
    static _Thread_local unsigned n;
    int64_t whole;
    if (json_is(item, cJSON_String))
        return item->valuestring;
    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item) ? "true" : "false";
    if (!json_is(item, cJSON_Number))
        return NULL;
    char *text = texts[n++ % NUMBER_TEXTS];
    if (scalar_read_whole(item, &whole))
        snprintf(text, sizeof(texts[0]), "%lld", (long long) whole);
    else
        json_write_double(text, item->valuedouble);
    return text;
}

static bool read_decimal(const char *text, int64_t *ret)
{
    const char *digits = *text == '-' ? text + 1 : text;
    if (!*digits || digits[strspn(digits, "0123456789")])
        return false;

    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno)
        return false;
    *ret = value;
    return true;
}

bool scalar_read_whole(const cJSON *item, int64_t *ret)
{
    if (!item)
        return false;
    if (json_is(item, cJSON_String))
        return read_decimal(item->valuestring, ret);
    /* Longer numbers arrive as texts (scan.c), so every whole double here is exact. */
    if (!json_is(item, cJSON_Number) || !json_is_exact(item->valuedouble))
        return false;
    *ret = (int64_t) item->valuedouble;
    return true;
}

bool scalar_read_id(const cJSON *item, int64_t *ret)
{
    int64_t id;
    if (!scalar_read_whole(item, &id) || id == -1)
        return false;
    *ret = id;
    return true;
}

int32_t scalar_number(const cJSON *item, enum wording wording)
{
    int64_t number;
    if (!item || (json_is(item, cJSON_String) && !scalar_read_whole(item, &number)))
        return item ? word_number(wording, item->valuestring) : STATE_UNSET;
    if (!scalar_read_whole(item, &number) || number <= INT32_MIN || number > INT32_MAX)
        return STATE_UNSET;
    return (int32_t) number;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

int8_t scalar_flag(const cJSON *item)
{
    if (cJSON_IsBool(item))
        return (int8_t) cJSON_IsTrue(item);
    if (json_is(item, cJSON_Number) && (item->valuedouble == 0 || item->valuedouble == 1))
        return (int8_t) (item->valuedouble == 1);
    if (json_is(item, cJSON_String) && is_one_of(item->valuestring, NAMES("true", "1", "yes", "on")))
        return 1;
    if (json_is(item, cJSON_String) && is_one_of(item->valuestring, NAMES("false", "0", "no", "off")))
        return 0;
    return -1;
}
