/* json_write.c - JSON value by value: what stands in front of one, and containers. */
#include <assert.h>
#include <string.h>

#include <sonoran-pushd/json.h>

/* Puts the comma and the name, and makes room for one byte more: where that goes. NULL: no memory. */
static char *start_value(struct json_writer *json, const char *name, size_t size)
{
    struct text *out = json->out;
    size_t most = size + strlen(",'':{");
    assert(!name == !(json->objects & 1));
    assert(json->depth || !(json->filled & 1));
    assert(json_count_plain(name, size) == size);
    if (out->room - out->size <= most && !text_reserve(out, most))
        return NULL;
    char *at = out->s + out->size;
    if (json->filled & 1)
        *at++ = ',';
    json->filled |= 1;
    if (!name)
        return at;
    *at++ = '"';
    memcpy(at, name, size);
    at += size;
    *at++ = '"';
    *at++ = ':';
    return at;
}

static void end_at(struct text *out, char *at)
{
    *at = '\0';
    out->size = (size_t) (at - out->s);
}

void json_begin_value(struct json_writer *json, const char *name, size_t size)
{
    char *at = start_value(json, name, size);
    if (at)
        end_at(json->out, at);
}

void json_begin(struct json_writer *json, const char *name, size_t size, bool object)
{
    char *at = start_value(json, name, size);
    assert(json->depth < JSON_MAX_DEPTH);
    json->objects = json->objects << 1 | object;
    json->filled <<= 1;
    json->depth++;
    if (!at)
        return;
    *at++ = object ? '{' : '[';
    end_at(json->out, at);
}

void json_end(struct json_writer *json)
{
    assert(json->depth);
    text_add_bytes(json->out, json->objects & 1 ? "}" : "]", 1);
    json->objects >>= 1;
    json->filled = json->filled >> 1 | 1;
    json->depth--;
}

void json_add_members(struct json_writer *json, struct span members)
{
    assert(json->depth);
    if (!members.size)
        return;
    text_add_bytes(json->out, ",", json->filled & 1);
    text_add_bytes(json->out, members.s, members.size);
    json->filled |= 1;
}

void json_add_member(struct json_writer *json, struct span name, struct span value)
{
    assert(json->objects & 1);
    json_add_members(json, name);
    text_add_bytes(json->out, ":", 1);
    text_add_bytes(json->out, value.s, value.size);
}
