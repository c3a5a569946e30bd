/* pipeline.c - what all parts of the pipeline stand on: made, started, asked, stopped. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

int pipeline_new(struct pipeline **ret, struct store *store, struct state *state,
                 const struct pipeline_settings *settings)
{
    struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return -ENOMEM;
    pipeline->store = store;
    pipeline->state = state;
    pipeline->overlay = state_overlay(state);
    if (!pipeline->overlay || turns_open(&pipeline->turns, state, pipeline->overlay, &pipeline->keep_us) < 0) {
        state_free(pipeline->overlay);
        free(pipeline);
        return -ENOMEM;
    }
    pipeline->seen_rounds = UINT64_MAX;
    pipeline->copies = copies_new();
    pthread_mutex_init(&pipeline->lock, NULL);
    pthread_cond_init(&pipeline->more, NULL);
    pthread_cond_init(&pipeline->left, NULL);
    pipeline_configure(pipeline, settings);
    *ret = pipeline;
    return 0;
}

struct pipeline *pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return NULL;
    assert(!pipeline->running);
    hand_over_free(&pipeline->waiting); /* a start that failed: no writer has been there */
    fill_free(pipeline);
    last_heard_free(pipeline);
    kept_free(pipeline);
    copies_free(pipeline->copies);
    decided_free(&pipeline->decided);
    turns_close(&pipeline->turns);
    state_free(pipeline->overlay);
    pthread_mutex_destroy(&pipeline->lock);
    pthread_cond_destroy(&pipeline->more);
    pthread_cond_destroy(&pipeline->left);
    free(pipeline);
    return NULL;
}

void pipeline_configure(struct pipeline *pipeline, const struct pipeline_settings *settings)
{
    pipeline->payload_bytes = settings->payload_bytes;
    pipeline->max_queue_bytes = settings->max_queue_bytes;
    pipeline->keep_us = settings->keep_us;
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

bool pipeline_alive(struct pipeline *pipeline)
{
    uint64_t n_rounds = pipeline->n_rounds;
    bool alive = n_rounds != pipeline->seen_rounds || pipeline->hanging; /* a new start would wait for the disk too */
    pipeline->seen_rounds = n_rounds;
    pipeline_poke(pipeline);
    return alive;
}

int pipeline_start(struct pipeline *pipeline, struct feed *feed, struct delivery *delivery, struct err *err)
{
    assert(!pipeline->running);
    pipeline->feed = feed;
    pipeline->delivery = delivery;
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
    hand_over_flush_all(pipeline);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->stopping = pipeline->hurry = true;
    pthread_cond_signal(&pipeline->more);
    pthread_mutex_unlock(&pipeline->lock);
    pipeline->running = !wait_thread(pipeline->thread, uptime_us() + timeout_us);
    return pipeline->running ? -ETIMEDOUT : 0;
}
