/* kept.c - what sources keep with the log, on its way there: beside events, or with a write of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

static char *append(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static struct kept *kept_new(const char *of, const char *key, const char *value)
{
    struct kept *kept = malloc(sizeof(*kept) + strlen(of) + strlen(key) + strlen(value) + 3);
    if (!kept)
        return NULL;
    char *at = (char *) (kept + 1);
    *kept = (struct kept){ .of = append(&at, of), .key = append(&at, key), .value = append(&at, value) };
    return kept;
}

static bool are_same(const struct kept *a, const struct kept *b)
{
    return strcmp(a->of, b->of) == 0 && strcmp(a->key, b->key) == 0;
}

/* Under the lock. */
static void drop_same(struct kept **list, const struct kept *newest)
{
    for (struct kept **link = list, *kept; (kept = *link);) {
        if (!are_same(kept, newest)) {
            link = &kept->next;
            continue;
        }
        *link = kept->next;
        free(kept);
    }
}

int pipeline_keep_position(struct pipeline_source *source, const char *of, const char *key, const char *value)
{
    struct pipeline *pipeline = source->pipeline;
    struct kept *kept = kept_new(of, key, value);
    if (!kept)
        return -ENOMEM;
    pthread_mutex_lock(&pipeline->lock);
    drop_same(&pipeline->kept, kept);
    kept->next = pipeline->kept;
    pipeline->kept = kept;
    pthread_mutex_unlock(&pipeline->lock);
    pipeline_poke(pipeline);
    return 0;
}

/* ---- of the writer ---- */

bool kept_waits(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    bool waits = pipeline->kept;
    pthread_mutex_unlock(&pipeline->lock);
    return waits;
}

int kept_write(struct pipeline *pipeline, struct kept **ret, struct err *err)
{
    int r = 0;
    pthread_mutex_lock(&pipeline->lock);
    *ret = pipeline->kept;
    pipeline->kept = NULL;
    pthread_mutex_unlock(&pipeline->lock);
    for (const struct kept *kept = *ret; kept && r >= 0; kept = kept->next)
        r = store_set_position(pipeline->store, kept->of, kept->key, kept->value, err);
    return r;
}

static bool go_on(const struct pipeline_position *position, const struct submission *next)
{
    return next && next->position.of && strcmp(next->position.of, position->of) == 0 &&
           strcmp(next->position.key, position->key) == 0;
}

int kept_write_positions(struct pipeline *pipeline, const struct submission *list, struct err *err)
{
    int r = 0;
    for (const struct submission *s = list; s && r >= 0; s = s->next) {
        const struct pipeline_position *position = &s->position;
        if (position->of && !go_on(position, s->next))
            r = store_set_position(pipeline->store, position->of, position->key, position->value, err);
    }
    return r;
}

static void free_list(struct kept *list)
{
    for (struct kept *next; list; list = next) {
        next = list->next;
        free(list);
    }
}

/* Those that failed are behind what came since. */
static void give_back(struct pipeline *pipeline, struct kept *list)
{
    pthread_mutex_lock(&pipeline->lock);
    for (const struct kept *newer = pipeline->kept; newer; newer = newer->next)
        drop_same(&list, newer);
    struct kept **end = &pipeline->kept;
    while (*end)
        end = &(*end)->next;
    *end = list;
    pthread_mutex_unlock(&pipeline->lock);
}

void kept_written(struct pipeline *pipeline, struct kept *kept, bool stored)
{
    if (stored)
        free_list(kept);
    else if (kept)
        give_back(pipeline, kept);
}

void kept_free(struct pipeline *pipeline)
{
    free_list(pipeline->kept);
    pipeline->kept = NULL;
}
