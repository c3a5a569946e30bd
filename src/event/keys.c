/* keys.c - whose a key is, and keys where they do not belong. How long a comparison takes tells nothing of a key. */
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define HIDDEN "[key]"

/* Ignoring ASCII case. key: not empty; only its first so many bytes count. */
static bool agrees(const char *sent, const char *key, size_t size)
{
    unsigned difference = 0;
    for (size_t i = 0; i < size; i++)
        difference |= (unsigned char) ascii_upper(sent[i]) ^ (unsigned char) ascii_upper(key[i]);
    return difference == 0;
}

/* How long it takes depends on the length of what was sent alone. */
static bool key_equals(const char *sent, size_t size, const char *key)
{
    size_t key_size = strlen(key);
    unsigned difference = size != key_size;
    for (size_t i = 0; i < size; i++)
        difference |=
            (unsigned char) ascii_upper(sent[i]) ^ (unsigned char) ascii_upper(key[key_size ? i % key_size : 0]);
    return difference == 0;
}

const struct event_community *find_community(const struct envelope_rules *rules, struct span key_json)
{
    size_t size;
    char *sent = string_value(key_json, &size);
    if (!sent)
        return NULL;

    const struct event_community *found = NULL;
    for (size_t i = 0; i < rules->n_communities; i++)
        if (key_equals(sent, size, rules->communities[i].key))
            found = &rules->communities[i];
    explicit_bzero(sent, size);
    free(sent);
    return found;
}

/* Of the longest that stands here; 0: none does. */
static size_t key_size_at(const struct envelope_rules *rules, const char *s, size_t size)
{
    size_t longest = 0;
    for (size_t i = 0; i < rules->n_communities; i++) {
        size_t key_size = strlen(rules->communities[i].key);
        if (key_size > longest && key_size <= size && agrees(s, rules->communities[i].key, key_size))
            longest = key_size;
    }
    return longest;
}

bool event_hide_keys(const struct envelope_rules *rules, struct span text, struct text *out)
{
    bool hidden = false;
    for (size_t at = 0, size; at < text.size; at += size ? size : 1) {
        size = key_size_at(rules, text.s + at, text.size - at);
        if (size)
            text_add(out, HIDDEN);
        else
            text_add_bytes(out, text.s + at, 1);
        hidden |= size > 0;
    }
    return hidden;
}
