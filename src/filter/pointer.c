/* pointer.c - JSON Pointers (RFC 6901): what one names in an event, and that as text. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "filter_private.h"

#define SHOWN_MAX_CHARS 60

static int refuse(struct span pointer, struct err *err, const char *expected)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, pointer.s, pointer.size, SHOWN_MAX_CHARS);
    return err_set(err, -EINVAL, "expected %s, not \"%s\"", expected, shown.s);
}

int pointer_check(struct span pointer, struct err *err)
{
    if (pointer.size && pointer.s[0] != '/')
        return refuse(pointer, err, "a JSON Pointer such as /call/callId");
    for (size_t i = 0; i < pointer.size; i++) {
        char next = i + 1 < pointer.size ? pointer.s[i + 1] : '\0';
        if (pointer.s[i] == '~' && next != '0' && next != '1')
            return refuse(pointer, err, "a JSON Pointer with ~0 for ~ and ~1 for /");
    }
    return 0;
}

/* Whether name is what the token stands for. */
static bool token_is(struct span token, const char *name)
{
    for (size_t i = 0; i < token.size; i++, name++) {
        char c = token.s[i];
        if (c == '~' && ++i < token.size)
            c = token.s[i] == '1' ? '/' : '~';
        if (!*name || *name != c)
            return false;
    }
    return !*name;
}

/* A position; false for what is none: "-", "01". */
static bool token_index(struct span token, uint32_t *ret)
{
    if (token.size == 0 || token.size > 9 || (token.s[0] == '0' && token.size > 1))
        return false;
    uint32_t index = 0;
    for (size_t i = 0; i < token.size; i++) {
        if (token.s[i] < '0' || token.s[i] > '9')
            return false;
        index = index * 10 + (uint32_t) (token.s[i] - '0');
    }
    *ret = index;
    return true;
}

static const cJSON *child_named(const cJSON *container, struct span token, uint32_t *ret_position)
{
    uint32_t index = UINT32_MAX, position = 0;
    bool object = cJSON_IsObject(container);
    if (!object && (!cJSON_IsArray(container) || !token_index(token, &index)))
        return NULL;

    bool reordered = object && event_is_list(container);
    for (const cJSON *child = container->child; child; child = child->next, position++)
        if (object ? token_is(token, child->string) : position == index) {
            *ret_position = reordered ? (uint32_t) child->valueint : position;
            return child;
        }
    return NULL;
}

static bool look_in(const cJSON *root, struct span root_bytes, struct span pointer, struct found *ret)
{
    const char *p = pointer.s, *end = pointer.s + pointer.size;
    ret->item = root;
    ret->root = root_bytes;
    ret->depth = 0;

    while (ret->item && p < end) {
        const char *token = ++p; /* behind the slash */
        while (p < end && *p != '/')
            p++;
        if (ret->depth == EVENT_MAX_DEPTH)
            return false;
        ret->item = child_named(ret->item, (struct span){ token, (size_t) (p - token) }, &ret->way[ret->depth++]);
    }
    return ret->item;
}

bool pointer_is_outside(struct span pointer)
{
    return pointer.size > strlen("/data/") && memcmp(pointer.s, "/data/", strlen("/data/")) == 0;
}

bool pointer_look(const struct event *event, struct span pointer, struct found *ret)
{
    bool in_data = look_in(event->data, event->data_text, pointer, ret);
    if (pointer.size == 0 || (in_data && !cJSON_IsNull(ret->item)))
        return in_data;

    /* A null is a missing field, which may have moved to the top level. */
    struct found in_top;
    if (!look_in(event->top, event->extra_text, pointer, &in_top))
        return in_data;
    *ret = in_top;
    return true;
}

const cJSON *pointer_find(const struct event *event, const char *pointer)
{
    struct found found;
    return pointer_look(event, span_of(pointer), &found) ? found.item : NULL;
}

struct span pointer_found_bytes(const struct found *found)
{
    struct span bytes = found->root;
    for (unsigned i = 0; i < found->depth && bytes.size; i++)
        bytes = json_child(bytes, found->way[i]);
    return bytes;
}

static void add_double(struct text *out, double number)
{
    char digits[JSON_DOUBLE_MAX_BYTES];
    if (!isfinite(number))
        return;
    if (json_is_exact(number)) {
        text_add_int(out, (int64_t) number);
        return;
    }
    json_write_double(digits, number);
    text_add(out, digits);
}

void pointer_add_value(struct text *out, const cJSON *value)
{
    if (cJSON_IsString(value)) {
        text_add(out, value->valuestring); /* a long number, too */
    } else if (cJSON_IsNumber(value)) {
        add_double(out, value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        text_add(out, cJSON_IsTrue(value) ? "true" : "false");
    } else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        char *json = cJSON_PrintUnformatted(value);
        out->failed |= !json;
        if (json)
            text_add(out, json);
        cJSON_free(json);
    }
}

void pointer_found_add(struct text *out, const struct found *found)
{
    const cJSON *item = found->item;
    bool as_sent = cJSON_IsNumber(item) || cJSON_IsObject(item) || cJSON_IsArray(item);
    struct span bytes = as_sent ? pointer_found_bytes(found) : (struct span){ 0 };
    if (!bytes.size) {
        pointer_add_value(out, item);
        return;
    }

    /* Line breaks can only stand between tokens, where a blank says the same. */
    size_t start = out->size;
    text_add_bytes(out, bytes.s, bytes.size);
    for (size_t i = start; i < out->size; i++)
        if (out->s[i] == '\n' || out->s[i] == '\r')
            out->s[i] = ' ';
}
