/* last_heard.c - when each community was last heard of. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

/* As many as one log may have of others; what comes of further ones is not kept apart. */
#define COMMUNITIES_MAX 4096

struct last_heard {
    char realm[REALM_MAX_BYTES + 1]; /* the first: it is compared with a name */
    usec_t time_us;
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static struct last_heard *find(const struct pipeline *pipeline, const char *realm)
{
    void *node = tfind(realm, &pipeline->last_heard, compare);
    return node ? *(struct last_heard **) node : NULL;
}

static struct last_heard *add(struct pipeline *pipeline, const char *realm)
{
    struct last_heard *heard = pipeline->n_last_heard < COMMUNITIES_MAX ? calloc(1, sizeof(*heard)) : NULL;
    if (!heard)
        return NULL;
    text_copy(heard->realm, sizeof(heard->realm), realm);
    if (!tsearch(heard, &pipeline->last_heard, compare)) {
        free(heard);
        return NULL;
    }
    pipeline->n_last_heard++;
    return heard;
}

static void note(struct pipeline *pipeline, const char *realm, usec_t time_us)
{
    struct last_heard *heard = find(pipeline, realm);
    if (!heard)
        heard = add(pipeline, realm);
    if (heard)
        heard->time_us = time_us;
}

void last_heard_note(struct pipeline *pipeline, const char *realm, usec_t time_us)
{
    pthread_mutex_lock(&pipeline->lock);
    note(pipeline, realm, time_us);
    pthread_mutex_unlock(&pipeline->lock);
}

void last_heard_note_all(struct pipeline *pipeline, const struct submission *list)
{
    pthread_mutex_lock(&pipeline->lock);
    for (const struct submission *s = list; s; s = s->next)
        for (size_t i = 0; i < s->batch.n_events && s->batch.events[0].verdict != EVENT_INTERNAL; i++)
            note(pipeline, s->batch.events[i].realm, s->batch.events[i].time_us);
    pthread_mutex_unlock(&pipeline->lock);
}

void last_heard_free(struct pipeline *pipeline)
{
    tdestroy(pipeline->last_heard, free);
}

usec_t pipeline_last_heard_us(struct pipeline *pipeline, const char *realm)
{
    pthread_mutex_lock(&pipeline->lock);
    const struct last_heard *heard = find(pipeline, realm);
    usec_t time_us = heard ? heard->time_us : 0;
    pthread_mutex_unlock(&pipeline->lock);
    return time_us;
}
