/* json_get.h - what a tree of cJSON has under a name, or nothing.
 *
 * Shape:   names count in their letter case. Any item may be NULL or of another type, which has no members.
 * Owner:   what is returned is the tree's.
 * Threads: any, as long as nobody changes the tree.
 * Errors:  none; what is missing or of another type is NULL, "", 0 or false.
 */
#pragma once

#include <cjson/cJSON.h>
#include <math.h>
#include <sonoran-pushd/base.h>
#include <string.h>

/* As cJSON_IsString and the like, which are functions of another library, for what is asked of each field. */
static inline bool json_is(const cJSON *item, int type)
{
    return item && (item->type & 0xff) == type;
}

/* As cJSON_GetObjectItemCaseSensitive, which calls a function for each name that is another. */
static inline const cJSON *json_get(const cJSON *object, const char *name)
{
    const cJSON *item = json_is(object, cJSON_Object) ? object->child : NULL;
    for (; item; item = item->next) {
        const char *s = item->string;
        if (s && s[0] == name[0] && (!s[0] || s[1] == name[1]) && strcmp(s, name) == 0)
            break;
    }
    return item;
}

#define JSON_EXACT_MAX ((int64_t) 1 << 53) /* up to here every whole number is the same as a double */
#define JSON_DOUBLE_MAX_BYTES 32

/* Whether a number is whole, and the one that was written. */
static inline bool json_is_exact(double number)
{
    return fabs(number) <= (double) JSON_EXACT_MAX && floor(number) == number;
}

/* The shortest decimal text that reads as the same double. */
void json_write_double(char ret[JSON_DOUBLE_MAX_BYTES], double number);

const char *json_get_text(const cJSON *object, const char *name);
uint64_t json_get_count(const cJSON *object, const char *name); /* below 1e18 */
bool json_get_flag(const cJSON *object, const char *name);
