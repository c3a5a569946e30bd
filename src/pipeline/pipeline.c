/* pipeline.c - from the HTTP thread to the writer, and what happens to one event after it is stored. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

int pipeline_new(struct pipeline **ret, struct store *store, struct state *state,
                 const struct pipeline_settings *settings)
{
    struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return -ENOMEM;
    pipeline->store = store;
    pipeline->state = state;
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
    description_free(&pipeline->scratch);
    pthread_mutex_destroy(&pipeline->lock);
    pthread_cond_destroy(&pipeline->more);
    free(pipeline);
    return NULL;
}

void pipeline_configure(struct pipeline *pipeline, const struct pipeline_settings *settings)
{
    pipeline->payload_bytes = settings->payload_bytes;
    pipeline->max_queue_bytes = settings->max_queue_bytes;
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
    *ret = (struct pipeline_status){ pipeline->failing, pipeline->newest_id, pipeline->newest_us };
}

bool pipeline_alive(struct pipeline *pipeline)
{
    uint64_t n_rounds = pipeline->n_rounds;
    bool alive = n_rounds != pipeline->seen_rounds;
    pipeline->seen_rounds = n_rounds;
    pipeline_poke(pipeline);
    return alive;
}

int pipeline_start(struct pipeline *pipeline, struct delivery *delivery, const struct pipeline_callbacks *callbacks,
                   struct err *err)
{
    pipeline->delivery = delivery;
    pipeline->callbacks = *callbacks;
    int r = pthread_create(&pipeline->thread, NULL, writer_thread, pipeline);
    if (r > 0)
        return err_set(err, -r, "cannot start the writer: %s", strerror(r));
    pipeline->running = true;
    return 0;
}

int pipeline_stop(struct pipeline *pipeline, usec_t timeout_us)
{
    if (!pipeline || !pipeline->running)
        return 0;
    pipeline_flush(pipeline);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->stopping = true;
    pthread_cond_signal(&pipeline->more);
    pthread_mutex_unlock(&pipeline->lock);
    usec_t end = now_us() + timeout_us;
    const struct timespec until = { .tv_sec = (time_t) (end / USEC_PER_SEC),
                                    .tv_nsec = (long) (end % USEC_PER_SEC * 1000) };
    int r = pthread_timedjoin_np(pipeline->thread, NULL, &until);
    pipeline->running = r != 0;
    return -r;
}

const char *pipeline_status(const struct pipeline *pipeline)
{
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
    size_t bytes = batch_bytes(take_batch);
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
    pthread_cond_signal(&pipeline->more);
    pthread_mutex_unlock(&pipeline->lock);
    pipeline->round = (struct queue){ 0 };
}

static int least_level(const struct event *event)
{
    if (event->verdict != EVENT_ACCEPTED)
        return LOG_WARNING;
    return event->handler ? event->handler->level : LOG_INFO;
}

/* The line comes first: it tells of what changes, from what was known before. */
void process_event(struct pipeline *pipeline, struct event *event, bool tell, bool late)
{
    pipeline->newest_id = event->id;
    pipeline->newest_us = event->time_us;
    if (tell && log_wants(least_level(event)))
        line_write(event, pipeline->state, &pipeline->scratch, pipeline->payload_bytes, late);
    else if (tell)
        log_passed_id(event->id);
    if (event->verdict == EVENT_ACCEPTED && event->handler && event->handler->apply)
        (void) event->handler->apply(event, pipeline->state); /* without memory, what lines can name is less */
}
