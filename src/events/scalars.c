/* scalars.c - texts, numbers and flags in whatever JSON type they came. */
#include <math.h>
#include <stdlib.h>

#include "fields.h"

/* The shortest decimal text that reads as the same double. */
static void write_double(char *ret, size_t size, double number)
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(ret, size, "%.*g", precision, number);
        double again = strtod(ret, NULL);
        if (memcmp(&again, &number, sizeof(again)) == 0)
            return;
    }
}

const char *text_of(const cJSON *item)
{
    static _Thread_local char texts[NUMBER_TEXTS][NUMBER_TEXT_MAX_BYTES];
    static _Thread_local unsigned n;
    int64_t whole;
    if (cJSON_IsString(item))
        return item->valuestring;
    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item) ? "true" : "false";
    if (!cJSON_IsNumber(item))
        return NULL;
    char *text = texts[n++ % NUMBER_TEXTS];
    if (read_whole(item, &whole))
        snprintf(text, sizeof(texts[0]), "%lld", (long long) whole);
    else
        write_double(text, sizeof(texts[0]), item->valuedouble);
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

bool read_whole(const cJSON *item, int64_t *ret)
{
    if (!item)
        return false;
    if (cJSON_IsString(item))
        return read_decimal(item->valuestring, ret);
    /* Longer numbers arrive as texts (scan.c), so every whole double here is exact. */
    if (!cJSON_IsNumber(item) || fabs(item->valuedouble) > 9007199254740992.0 ||
        floor(item->valuedouble) != item->valuedouble)
        return false;
    *ret = (int64_t) item->valuedouble;
    return true;
}

bool read_id(const cJSON *item, int64_t *ret)
{
    int64_t id;
    if (!read_whole(item, &id) || id == -1)
        return false;
    *ret = id;
    return true;
}

int32_t number_of(const cJSON *item, enum wording wording)
{
    int64_t number;
    if (!item || (cJSON_IsString(item) && !read_whole(item, &number)))
        return item ? word_number(wording, item->valuestring) : STATE_UNSET;
    if (!read_whole(item, &number) || number <= INT32_MIN || number > INT32_MAX)
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

int8_t flag_of(const cJSON *item)
{
    if (cJSON_IsBool(item))
        return (int8_t) cJSON_IsTrue(item);
    if (cJSON_IsNumber(item) && (item->valuedouble == 0 || item->valuedouble == 1))
        return (int8_t) (item->valuedouble == 1);
    if (cJSON_IsString(item) && is_one_of(item->valuestring, NAMES("true", "1", "yes", "on")))
        return 1;
    if (cJSON_IsString(item) && is_one_of(item->valuestring, NAMES("false", "0", "no", "off")))
        return 0;
    return -1;
}
