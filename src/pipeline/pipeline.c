/* pipeline.c - batches numbered, told and applied, in the order they came. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "private.h"

struct pipeline {
    struct state *state;
    struct description scratch;
    uint64_t last_id;
    _Atomic uint64_t payload_bytes;
};

int pipeline_new(struct pipeline **ret, struct state *state)
{
    struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return -ENOMEM;
    pipeline->state = state;
    pipeline->scratch = (struct description) DESCRIPTION_INIT;
    *ret = pipeline;
    return 0;
}

struct pipeline *pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return NULL;
    description_free(&pipeline->scratch);
    free(pipeline);
    return NULL;
}

void pipeline_set_payload_bytes(struct pipeline *pipeline, uint64_t payload_bytes)
{
    pipeline->payload_bytes = payload_bytes;
}

/* The line comes first: it tells of what changes, from what was known before. */
static void process(struct pipeline *pipeline, struct event *event)
{
    event->id = ++pipeline->last_id;
    if (log_wants(event->verdict != EVENT_ACCEPTED ? LOG_WARNING : event->handler ? event->handler->level : LOG_INFO))
        line_write(event, pipeline->state, &pipeline->scratch, pipeline->payload_bytes);
    if (event->verdict == EVENT_ACCEPTED && event->handler && event->handler->apply)
        (void) event->handler->apply(event, pipeline->state); /* without memory, what lines can name is less */
}

void pipeline_submit(struct pipeline *pipeline, struct batch *take_batch)
{
    for (size_t i = 0; i < take_batch->n_events; i++)
        process(pipeline, &take_batch->events[i]);
    batch_done(take_batch);
}
