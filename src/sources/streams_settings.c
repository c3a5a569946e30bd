/* streams_settings.c - a row of the configuration: checked, copied, compared. */
#include <stdlib.h>
#include <string.h>

#include "streams_private.h"

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_list(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
    bool equal = n_a == n_b;
    for (size_t i = 0; i < n_a && equal; i++)
        equal = same(a[i], b[i]);
    return equal;
}

/* A glob may find other keys at another server; a key is the same one at each. */
static bool is_read_by(const struct streams_settings *row, const char *key, const struct streams_settings *other)
{
    bool one_server = row->database == other->database && same_list(row->urls, row->n_urls, other->urls, other->n_urls);
    bool read = false;
    for (size_t i = 0; i < other->n_keys && !read; i++)
        read = strcmp(key, other->keys[i]) == 0 && (one_server || !streams_is_glob(key));
    return read;
}

static void check_key(const struct config *config, const struct streams_settings *row, const char *key,
                      config_complain *complain, void *context)
{
    const struct config_settings section = config_section_get(config, &source_streams.section);
    const struct streams_settings *all = section.elements;
    struct err err;
    if (!*key || strlen(key) > STREAMS_KEY_MAX_BYTES)
        complain(context, "keys", "expected the key of a stream, or a glob: cad:events:*");
    for (size_t i = 0; i < section.n_elements && &all[i] != row; i++)
        if (is_read_by(row, key, &all[i])) {
            err_set(&err, 0,
                    "expected keys that no other row has, and streams %s reads this one: how far a stream was read is "
                    "kept by its key",
                    all[i].name);
            complain(context, "keys", err.msg);
        }
}

void streams_check(const struct config *config, const void *settings, config_complain *complain, void *context)
{
    const struct streams_settings *row = settings;
    struct err err;
    for (size_t i = 0; i < row->n_urls; i++)
        if (redis_check_url(row->urls[i], &err) < 0)
            complain(context, "url", err.msg);
    if (row->n_urls == 0)
        complain(context, "url", "expected redis://host:6379, rediss://host:6379 or unix:/path");
    for (size_t i = 0; i < row->n_keys; i++)
        check_key(config, row, row->keys[i], complain, context);
}

static char *copy(const char *s, bool *failed)
{
    char *made = s ? strdup(s) : NULL;
    *failed |= s && !made;
    return made;
}

static char **copy_list(char *const *list, size_t n, bool *failed)
{
    char **made = calloc(n + 1, sizeof(*made));
    if (!made) {
        *failed = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        made[i] = copy(list[i], failed);
    return made;
}

static void free_list(char **list, size_t n)
{
    for (size_t i = 0; list && i < n; i++) {
        if (list[i])
            explicit_bzero(list[i], strlen(list[i]));
        free(list[i]);
    }
    free(list);
}

void streams_settings_free(struct streams_settings *settings)
{
    free(settings->name);
    free_list(settings->urls, settings->n_urls);
    free(settings->username);
    if (settings->password)
        explicit_bzero(settings->password, strlen(settings->password));
    free(settings->password);
    free(settings->ca_file);
    free_list(settings->keys, settings->n_keys);
    free_list(settings->communities, settings->n_communities);
}

bool streams_settings_copy(struct streams_settings *ret, const struct streams_settings *from)
{
    bool failed = false;
    *ret = *from;
    ret->name = copy(from->name, &failed);
    ret->urls = copy_list(from->urls, from->n_urls, &failed);
    ret->username = copy(from->username, &failed);
    ret->password = copy(from->password, &failed);
    ret->ca_file = copy(from->ca_file, &failed);
    ret->keys = copy_list(from->keys, from->n_keys, &failed);
    ret->communities = copy_list(from->communities, from->n_communities, &failed);
    return !failed;
}

bool streams_settings_equal(const struct streams_settings *a, const struct streams_settings *b)
{
    return same(a->name, b->name) && same_list(a->urls, a->n_urls, b->urls, b->n_urls) &&
           same(a->username, b->username) && same(a->password, b->password) && same(a->ca_file, b->ca_file) &&
           a->database == b->database && a->start == b->start && same_list(a->keys, a->n_keys, b->keys, b->n_keys) &&
           same_list(a->communities, a->n_communities, b->communities, b->n_communities);
}
