/* json_get.c - members of a tree by their types, and its numbers. */
#include <stdio.h>
#include <stdlib.h>

#include <sonoran-pushd/json_get.h>

void json_write_double(char ret[JSON_DOUBLE_MAX_BYTES], double number)
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(ret, JSON_DOUBLE_MAX_BYTES, "%.*g", precision, number);
        double again = strtod(ret, NULL);
        if (memcmp(&again, &number, sizeof(again)) == 0)
            return;
    }
}

const char *json_get_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(json_get(object, name));
    return text ? text : "";
}

uint64_t json_get_count(const cJSON *object, const char *name)
{
    const cJSON *item = json_get(object, name);
    return json_is(item, cJSON_Number) && item->valuedouble > 0 && item->valuedouble < 1e18
               ? (uint64_t) item->valuedouble
               : 0;
}

bool json_get_flag(const cJSON *object, const char *name)
{
    return json_is(json_get(object, name), cJSON_True);
}
