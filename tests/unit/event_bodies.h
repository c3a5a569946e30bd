/* event_bodies.h - ids as JSON, those that a double would spoil as texts. */
#pragma once

#include "fixture_cases.h"

static void add_id(cJSON *object, const char *name, int64_t id)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%lld", (long long) id);
    if (llabs(id) < 1000000000000000)
        cJSON_AddNumberToObject(object, name, (double) id);
    else
        cJSON_AddStringToObject(object, name, digits);
}

static void add_ids(cJSON *object, const char *name, const int64_t *ids, size_t n)
{
    cJSON *list = n ? cJSON_AddArrayToObject(object, name) : NULL;
    for (size_t i = 0; i < n; i++) {
        cJSON *one = cJSON_CreateObject();
        add_id(one, "id", ids[i]);
        cJSON_AddItemToArray(list, cJSON_DetachItemFromObject(one, "id"));
        cJSON_Delete(one);
    }
}
