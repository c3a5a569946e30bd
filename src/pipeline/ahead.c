/* ahead.c - at a start: rows of the log read and parsed by a thread of its own, ahead of what is made of them, since
 * that takes three times as long as to apply them. Few rows are read without it, and all where there is no thread or
 * no second CPU for it: they would only take turns. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

#define CHUNK_EVENTS 128
#define CHUNK_BYTES ((size_t) 256 << 10) /* of bodies: what is in hand at once stays small, however large they are */
#define FEW_EVENTS ((uint64_t) 4 * CHUNK_EVENTS)
#define N_CHUNKS 2

struct chunk {
    struct ahead_event events[CHUNK_EVENTS];
    size_t n;
    int r; /* 1: more may follow; 0, or negative with ahead->err: the end */
};

/* Who posts is nearly always who posted before. */
struct heard {
    struct origin from;
    usec_t newest_us; /* 0: nobody yet */
};

struct ahead {
    const struct pipeline_recovery *recovery;
    struct store_reader *reader;
    usec_t begin_us;
    uint64_t told_id;

    struct heard heard; /* of who reads, like: */
    size_t filling;
    struct err err;

    struct chunk chunks[N_CHUNKS];
    size_t taking, next; /* of who takes: the chunk, and the event in it */
    bool taken;          /* there is such a chunk */

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t n_full; /* under the lock, like: */
    bool ending;
};

/* ---- who reads ---- */

static void tell_heard(struct ahead *ahead)
{
    struct heard *heard = &ahead->heard;
    if (heard->newest_us)
        ahead->recovery->heard(ahead->recovery->userdata, heard->from.source, heard->from.peer, heard->newest_us);
    heard->newest_us = 0;
}

static void hear(struct ahead *ahead, const struct store_row *row)
{
    struct heard *heard = &ahead->heard;
    if (row->time_us < ahead->begin_us)
        return;
    if (strcmp(heard->from.peer, row->peer) != 0 || strcmp(heard->from.source, row->source) != 0) {
        tell_heard(ahead);
        text_copy(heard->from.peer, sizeof(heard->from.peer), row->peer);
        text_copy(heard->from.source, sizeof(heard->from.source), row->source);
    }
    if (row->time_us > heard->newest_us)
        heard->newest_us = row->time_us;
}

static bool changes_state(const struct ahead *ahead, const struct store_row *row)
{
    const struct event_family *family;
    const struct event_type *handler =
        event_find_stored_type(ahead->recovery->families, row->type, row->verdict, &family);
    return !event_verdict_is_refusal(row->verdict) && handler && handler->apply;
}

/* An event that changes nothing and is told is not even parsed. */
static void take_row(struct ahead *ahead, const struct store_row *row, struct ahead_event *ret)
{
    const struct event_families *families = ahead->recovery->families;
    bool untold = row->id > ahead->told_id;
    batch_done(&ret->batch); /* here, since malloc takes long where one thread gives back what another one took */
    ret->id = row->id;
    ret->time_us = row->time_us;
    ret->order_us = row->came_us < row->time_us ? row->came_us : row->time_us;
    text_copy(ret->realm, sizeof(ret->realm), row->realm);
    ret->elsewhere = row->home.node;
    ret->bytes = 0;
    ret->readable = (untold || changes_state(ahead, row)) && store_row_restore(row, families, &ret->batch) >= 0;
    if (ret->readable)
        ret->bytes = row->data.size + row->extra.size;
    ret->untold = ret->readable && untold;
    ret->described = ret->untold && row->described;
    if (ret->described)
        store_row_describe(row, &ret->batch.events[0], &ret->description);
}

static void fill(struct ahead *ahead, struct chunk *chunk)
{
    struct store_row row;
    size_t bytes = 0;
    chunk->r = ahead->recovery->stop() ? err_set(&ahead->err, -ECANCELED, "asked to end") : 1;
    for (chunk->n = 0; chunk->n < CHUNK_EVENTS && bytes < CHUNK_BYTES && chunk->r > 0; chunk->n++) {
        chunk->r = store_read(ahead->reader, &row, &ahead->err);
        if (chunk->r <= 0)
            break;
        hear(ahead, &row);
        take_row(ahead, &row, &chunk->events[chunk->n]);
        bytes += chunk->events[chunk->n].bytes;
    }
    if (chunk->r <= 0)
        tell_heard(ahead);
}

/* false: nobody wants more. */
static bool wait_empty(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    while (ahead->n_full == N_CHUNKS && !ahead->ending)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    bool wanted = !ahead->ending;
    pthread_mutex_unlock(&ahead->lock);
    return wanted;
}

static void count_full(struct ahead *ahead, bool more)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->n_full += more ? 1 : (size_t) -1;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

static void *ahead_thread(void *argument)
{
    struct ahead *ahead = argument;
    pthread_setname_np(pthread_self(), "read ahead");
    for (int r = 1; r > 0 && wait_empty(ahead); ahead->filling = (ahead->filling + 1) % N_CHUNKS) {
        struct chunk *chunk = &ahead->chunks[ahead->filling];
        fill(ahead, chunk);
        r = chunk->r;
        count_full(ahead, true);
    }
    return NULL;
}

/* ---- who takes ---- */

int ahead_open(struct ahead **ret, const struct pipeline_recovery *recovery, struct store_reader *reader,
               usec_t begin_us, struct err *err)
{
    struct ahead *ahead = calloc(1, sizeof(*ahead));
    if (!ahead)
        return err_set(err, -ENOMEM, "no memory");
    ahead->recovery = recovery;
    ahead->reader = reader;
    ahead->begin_us = begin_us;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    for (size_t i = 0; i < N_CHUNKS; i++)
        for (size_t k = 0; k < CHUNK_EVENTS; k++)
            ahead->chunks[i].events[k].description = (struct description) DESCRIPTION_INIT;
    *ret = ahead;
    return 0;
}

static void rest(struct ahead *ahead)
{
    if (ahead->running) {
        pthread_mutex_lock(&ahead->lock);
        ahead->ending = true;
        pthread_cond_signal(&ahead->changed);
        pthread_mutex_unlock(&ahead->lock);
        pthread_join(ahead->thread, NULL);
    }
    ahead->running = ahead->ending = ahead->taken = false;
    ahead->filling = ahead->taking = ahead->n_full = 0;
    store_rest(ahead->reader);
}

static bool has_second_cpu(void)
{
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

int ahead_seek(struct ahead *ahead, const struct store_filter *filter, uint64_t last_id, uint64_t told_id,
               struct err *err)
{
    rest(ahead);
    ahead->told_id = told_id;
    int r = store_seek(ahead->reader, filter, err);
    bool many = last_id > filter->after_id && last_id - filter->after_id > FEW_EVENTS;
    if (r >= 0 && many && has_second_cpu())
        ahead->running = pthread_create(&ahead->thread, NULL, ahead_thread, ahead) == 0;
    return r;
}

static void wait_full(struct ahead *ahead)
{
    if (!ahead->running) {
        fill(ahead, &ahead->chunks[ahead->taking]);
        return;
    }
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->n_full)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    pthread_mutex_unlock(&ahead->lock);
}

static void give_back(struct ahead *ahead)
{
    if (!ahead->running)
        return;
    ahead->taking = (ahead->taking + 1) % N_CHUNKS;
    count_full(ahead, false);
}

int ahead_read(struct ahead *ahead, struct ahead_event **ret, struct err *err)
{
    struct chunk *chunk = &ahead->chunks[ahead->taking];
    while (!ahead->taken || ahead->next == chunk->n) {
        if (ahead->taken && chunk->r <= 0) {
            if (chunk->r < 0)
                *err = ahead->err;
            return chunk->r;
        }
        if (ahead->taken)
            give_back(ahead);
        wait_full(ahead);
        ahead->taken = true;
        ahead->next = 0;
        chunk = &ahead->chunks[ahead->taking];
    }
    *ret = &chunk->events[ahead->next++];
    return 1;
}

void ahead_drop(struct ahead_event *event)
{
    if (event->bytes >= CHUNK_BYTES)
        batch_done(&event->batch);
}

struct ahead *ahead_close(struct ahead *ahead)
{
    if (!ahead)
        return NULL;
    rest(ahead);
    for (size_t i = 0; i < N_CHUNKS; i++)
        for (size_t k = 0; k < CHUNK_EVENTS; k++) {
            batch_done(&ahead->chunks[i].events[k].batch);
            description_free(&ahead->chunks[i].events[k].description);
        }
    pthread_mutex_destroy(&ahead->lock);
    pthread_cond_destroy(&ahead->changed);
    free(ahead);
    return NULL;
}
