/* private.h - inside src/pipeline. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/service.h>
#include <stdatomic.h>

#define LOG_CURSOR "-log" /* no action can be called this */

/* A batch on its way. */
struct submission {
    struct submission *next;
    struct batch batch;
    void *ticket;
    size_t bytes;
};

struct queue {
    struct submission *first, **end;
};

struct pipeline {
    struct store *store;
    struct state *state;
    struct delivery *delivery;
    struct pipeline_callbacks callbacks;
    struct description scratch;
    _Atomic uint64_t payload_bytes;
    _Atomic uint64_t max_queue_bytes;
    _Atomic uint64_t queued_bytes;

    struct queue round; /* of the HTTP thread */
    _Atomic uint64_t n_rounds;
    uint64_t seen_rounds; /* by pipeline_alive */

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue waiting; /* under the lock, like what follows */
    bool stopping, poked;
    struct store_settings store_settings;
    bool store_changed;

    _Atomic bool failing; /* changed by the writer, whose is what follows */
    _Atomic uint64_t newest_id;
    _Atomic usec_t newest_us;
    size_t failed_bytes; /* the most that could not be stored at once */
    usec_t probed_us;    /* uptime */
    bool trim_failing;
    uint64_t saved_log_id;
    usec_t trimmed_us;
    bool grown;   /* since it was last looked for old events */
    bool trimmed; /* nothing old is left for now */
};

/* writer.c */
void *writer_thread(void *pipeline);

/* line.c: one event as one record of the log. The description is scratch memory. late: told after a restart. */
void line_write(const struct event *event, const struct state *state, struct description *description,
                uint64_t payload_bytes, bool late);

/* Tells an event, if its lines are wanted, and applies it to state. tell: false where it was told already. */
void process_event(struct pipeline *pipeline, struct event *event, bool tell, bool late);
