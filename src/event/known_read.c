/* known_read.c - known of a row or a record, read once for all who ask. The log is a file that others can write, and a
 * record may come from elsewhere: what is not in the shape that known has is as good as none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"

#define LATE "late_s"
#define ID_MAX 0x1p53

struct member {
    const char *name;
    bool (*is)(const cJSON *value);
};

/* What is not listed is of a later version, and may be anything. */
static bool are_members(const cJSON *object, const struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const cJSON *value = json_get(object, members[i].name);
        if (value && !members[i].is(value))
            return false;
    }
    return cJSON_IsObject(object);
}

static bool is_text(const cJSON *value)
{
    return cJSON_IsString(value);
}

static bool is_number(const cJSON *value)
{
    return cJSON_IsNumber(value);
}

static bool is_flag(const cJSON *value)
{
    return cJSON_IsBool(value);
}

/* Those that a double would spoil are texts. */
static bool is_id(const cJSON *value)
{
    bool whole = cJSON_IsNumber(value) && value->valuedouble >= -ID_MAX && value->valuedouble <= ID_MAX;
    return whole || cJSON_IsString(value);
}

static bool are_texts(const cJSON *list)
{
    const cJSON *value;
    cJSON_ArrayForEach (value, list)
        if (!cJSON_IsString(value))
            return false;
    return true;
}

static bool is_list_of_texts(const cJSON *value)
{
    return cJSON_IsArray(value) && are_texts(value);
}

static bool is_object_of_texts(const cJSON *value)
{
    return cJSON_IsObject(value) && are_texts(value);
}

static const struct member of_thing[] = {
    { "id", is_id },         { "number", is_text },           { "name", is_text },       { "department", is_text },
    { "status", is_number }, { "api_ids", is_list_of_texts }, { "title", is_text },      { "code", is_text },
    { "address", is_text },  { "postal", is_text },           { "priority", is_number }, { "emergency", is_flag },
};

static bool is_list_of_things(const cJSON *value)
{
    const cJSON *thing;
    cJSON_ArrayForEach (thing, value)
        if (!are_members(thing, of_thing, ARRAY_SIZE(of_thing)) || !json_get(thing, "id"))
            return false;
    return cJSON_IsArray(value);
}

static const struct member of_known[] = {
    { "units", is_list_of_things },
    { "calls", is_list_of_things },
    { "calls911", is_list_of_things },
    { "was", is_object_of_texts },
    { "dispatchers", is_number },
    { "on_duty", is_number },
    { LATE, is_number },
};

void description_take_known(struct description *ret, struct span known)
{
    struct err err;
    cJSON_Delete(ret->known_json);
    ret->known_json = NULL;
    text_reset(&ret->known);
    if (!known.size)
        return;
    struct json_scan scan = json_scan_of(known);
    if (json_scan_value(&scan, &err) < 0 || scan.p != scan.end)
        return;
    ret->known_json = event_parse_json(known, scan.met);
    if (!are_members(ret->known_json, of_known, ARRAY_SIZE(of_known))) {
        cJSON_Delete(ret->known_json);
        ret->known_json = NULL;
        return;
    }
    text_add_bytes(&ret->known, known.s, known.size);
}

#define LATE_BEGIN "\"" LATE "\":"

/* What stands between the braces of known, without what another one told there. */
static struct span members_of(const struct text *known)
{
    struct span inside = { known->s + 1, known->size > strlen("{}") ? known->size - strlen("{}") : 0 };
    if (inside.size <= strlen(LATE_BEGIN) || memcmp(inside.s, LATE_BEGIN, strlen(LATE_BEGIN)) != 0)
        return inside;
    const char *comma = memchr(inside.s, ',', inside.size);
    size_t passed = comma ? (size_t) (comma + 1 - inside.s) : inside.size;
    return (struct span){ inside.s + passed, inside.size - passed };
}

/* First in the object: the rest stays as it was sent. What is longer than any known of ours is none. */
int description_set_late(struct description *description, int64_t late_s)
{
    struct text known = TEXT_INIT, *old = &description->known;
    struct span members = members_of(old);
    if (members.size + strlen("{}") > EVENT_KNOWN_MAX_BYTES)
        members.size = 0;
    text_addf(&known, "{" LATE_BEGIN "%lld%s", (long long) late_s, members.size ? "," : "");
    text_add_bytes(&known, members.s, members.size);
    text_add(&known, "}");
    if (known.failed) {
        text_free(&known);
        return -ENOMEM;
    }
    text_free(old);
    *old = known;
    cJSON_Delete(description->known_json);
    description->known_json = NULL;
    return 0;
}

bool description_read_late(struct span known, int64_t *ret)
{
    static const char begin[] = "{" LATE_BEGIN;
    const size_t size = sizeof(begin) - 1;
    if (known.size <= size || memcmp(known.s, begin, size) != 0)
        return false;
    *ret = strtoll(known.s + size, NULL, 10); /* it ends in a brace */
    return true;
}

uint64_t description_get_late(const cJSON *known)
{
    const cJSON *late = json_get(known, LATE);
    bool is_late = late && cJSON_IsNumber(late) && late->valuedouble > 0 && late->valuedouble < ID_MAX;
    return is_late ? (uint64_t) late->valuedouble : 0;
}
