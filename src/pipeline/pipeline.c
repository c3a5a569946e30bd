/* pipeline.c - from the HTTP thread to the writer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* About what is kept of the decision about an event until it is told. */
#define DESCRIPTION_BYTES (sizeof(struct description) + 512)

int pipeline_new(struct pipeline **ret, struct store *store, struct state *state,
                 const struct pipeline_settings *settings)
{
    struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return -ENOMEM;
    pipeline->store = store;
    pipeline->state = state;
    pipeline->overlay = state_overlay(state);
    if (!pipeline->overlay || turns_open(&pipeline->turns, state, pipeline->overlay) < 0) {
        state_free(pipeline->overlay);
        free(pipeline);
        return -ENOMEM;
    }
    pipeline->seen_rounds = UINT64_MAX;
    pipeline->scratch = (struct description) DESCRIPTION_INIT;
    pthread_mutex_init(&pipeline->lock, NULL);
    pthread_cond_init(&pipeline->more, NULL);
    pipeline_configure(pipeline, settings);
    *ret = pipeline;
    return 0;
}

struct pipeline *pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return NULL;
    fill_free(pipeline);
    description_free(&pipeline->scratch);
    decided_free(&pipeline->decided);
    turns_close(&pipeline->turns);
    state_free(pipeline->overlay);
    pthread_mutex_destroy(&pipeline->lock);
    pthread_cond_destroy(&pipeline->more);
    free(pipeline);
    return NULL;
}

void pipeline_configure(struct pipeline *pipeline, const struct pipeline_settings *settings)
{
    pipeline->payload_bytes = settings->payload_bytes;
    pipeline->max_queue_bytes = settings->max_queue_bytes;
    pipeline->several_communities = settings->several_communities;
}

void pipeline_configure_store(struct pipeline *pipeline, const struct store_settings *settings)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->store_settings = *settings;
    pipeline->store_changed = true;
    pthread_cond_signal(&pipeline->more);
    pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_poke(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    if (!pipeline->poked && !pipeline->waiting.first)
        pthread_cond_signal(&pipeline->more);
    pipeline->poked = true;
    pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_get_status(struct pipeline *pipeline, struct pipeline_status *ret)
{
    *ret = (struct pipeline_status){ .failing = pipeline->failing || pipeline->hanging,
                                     .newest_id = pipeline->newest_id,
                                     .newest_us = pipeline->newest_us };
    pthread_mutex_lock(&pipeline->lock);
    ret->wal_bytes = pipeline->wal_bytes;
    memcpy(ret->wal_held_by, pipeline->wal_held_by, sizeof(ret->wal_held_by));
    pthread_mutex_unlock(&pipeline->lock);
}

bool pipeline_alive(struct pipeline *pipeline)
{
    uint64_t n_rounds = pipeline->n_rounds;
    bool alive = n_rounds != pipeline->seen_rounds || pipeline->hanging; /* a new start would wait for the disk too */
    pipeline->seen_rounds = n_rounds;
    pipeline_poke(pipeline);
    return alive;
}

int pipeline_start(struct pipeline *pipeline, struct delivery *delivery, const struct pipeline_callbacks *callbacks,
                   struct err *err)
{
    pipeline->delivery = delivery;
    pipeline->callbacks = *callbacks;
    int r = store_start_checkpoints(pipeline->store, err);
    if (r < 0)
        return r;
    r = pthread_create(&pipeline->thread, NULL, writer_thread, pipeline);
    if (r > 0)
        return err_set(err, -r, "cannot start the writer: %s", strerror(r));
    pipeline->running = true;
    return 0;
}

void pipeline_hurry(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->hurry = true;
    pthread_mutex_unlock(&pipeline->lock);
}

int pipeline_stop(struct pipeline *pipeline, usec_t timeout_us)
{
    if (!pipeline || !pipeline->running)
        return 0;
    pipeline_flush(pipeline);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->stopping = pipeline->hurry = true;
    pthread_cond_signal(&pipeline->more);
    pthread_mutex_unlock(&pipeline->lock);
    pipeline->running = !wait_thread(pipeline->thread, uptime_us() + timeout_us);
    return pipeline->running ? -ETIMEDOUT : 0;
}

const char *pipeline_status(const struct pipeline *pipeline)
{
    if (pipeline->hanging)
        return pipeline->locked ? "Another program has locked the event log, and events are answered 503"
                                : "The disk does not answer, and events are answered 503";
    return pipeline->failing ? "Events cannot be stored and are answered 503" : "Listening for push events";
}

static void append(struct queue *queue, struct submission *first, struct submission **end)
{
    if (!first)
        return;
    *(queue->first ? queue->end : &queue->first) = first;
    queue->end = end;
}

int pipeline_submit(struct pipeline *pipeline, struct batch *take_batch, void *ticket)
{
    size_t bytes = batch_bytes(take_batch) + take_batch->n_events * DESCRIPTION_BYTES;
    if (pipeline->queued_bytes && pipeline->queued_bytes + bytes > pipeline->max_queue_bytes)
        return -EBUSY;
    struct submission *s = malloc(sizeof(*s));
    if (!s)
        return -ENOMEM;

    *s = (struct submission){ .batch = *take_batch, .ticket = ticket, .bytes = bytes };
    *take_batch = (struct batch){ 0 };
    pipeline->queued_bytes += bytes;
    append(&pipeline->round, s, &s->next);
    return 0;
}

void pipeline_flush(struct pipeline *pipeline)
{
    if (!pipeline->round.first)
        return;
    pthread_mutex_lock(&pipeline->lock);
    append(&pipeline->waiting, pipeline->round.first, pipeline->round.end);
    pthread_mutex_unlock(&pipeline->lock);
    pthread_cond_signal(&pipeline->more); /* without the lock, for which the writer would have to wait again */
    pipeline->round = (struct queue){ 0 };
}
