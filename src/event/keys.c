/* keys.c - whose a key is, and keys where they do not belong. How long a comparison takes tells nothing of a key. */
#include <stdlib.h>
#include <string.h>

#include "event_private.h"

#define HIDDEN "[key]"

/* Ignoring ASCII case. key: not empty; only its first so many bytes count. */
static bool agrees(const char *sent, const char *key, size_t size)
{
    unsigned difference = 0;
    for (size_t i = 0; i < size; i++)
        difference |= (unsigned char) ascii_upper(sent[i]) ^ (unsigned char) ascii_upper(key[i]);
    return difference == 0;
}

const struct event_community *keys_find_community(const struct envelope_rules *rules, struct span key_json)
{
    bool plain = key_json.size >= 2 && key_json.s[0] == '"' && !memchr(key_json.s, '\\', key_json.size);
    size_t size = plain ? key_json.size - 2 : 0;
    char *decoded = plain ? NULL : json_string_value(key_json, &size);
    const char *sent = plain ? key_json.s + 1 : decoded;
    if (!sent)
        return NULL;

    const struct event_community *found = NULL;
    for (size_t i = 0; i < rules->n_communities; i++)
        if (text_is_secret((struct span){ sent, size }, rules->communities[i].key, true))
            found = &rules->communities[i];
    if (decoded)
        explicit_bzero(decoded, size);
    free(decoded);
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
