/* pipeline.h - what happens to a batch of events: stored, answered, told, applied to state, handed to the actions; in
 * this order.
 *
 * Shape:   the HTTP thread hands batches over, as many as a round of its loop brought; one writer thread takes all
 *          that wait, stores them in one transaction, and only then has them answered.
 * Units:   in the name.
 * Owner:   takes batches (batch_done is its business); borrows store, state and delivery, which outlive its end.
 * Threads: pipeline_submit and pipeline_flush belong to the HTTP thread; store and all changes of state to the writer.
 * Errors:  what cannot be stored is answered so and told once; the writer goes on trying with whatever comes next, and
 *          where nothing comes with a write of its own, so that the end of it is told too.
 */
#pragma once

#include <sonoran-pushd/delivery.h>

struct pipeline;

/* What became of a batch: stored (0), or not (-ENOSPC, -EIO, …). Called by the writer for each, in the order they
 * came, then done once for all of a transaction. */
struct pipeline_callbacks {
    void *userdata;
    void (*answer)(void *userdata, void *ticket, const struct event *first, int r);
    void (*done)(void *userdata);
};

struct pipeline_settings {
    uint64_t payload_bytes;   /* of an event's data in its line, 0: none */
    uint64_t max_queue_bytes; /* of memory in batches that wait */
};

int pipeline_new(struct pipeline **ret, struct store *store, struct state *state,
                 const struct pipeline_settings *settings) MUST_CHECK;
struct pipeline *pipeline_free(struct pipeline *pipeline);
void pipeline_configure(struct pipeline *pipeline, const struct pipeline_settings *settings);

/* Reads the log: state as of the last 24 hours, and lines that a crash kept from being written. Before start. */
int pipeline_recover(struct pipeline *pipeline, const char *store_path, const struct event_families *families,
                     struct err *err) MUST_CHECK;

/* The delivery has been loaded; the writer saves what it wants saved. */
int pipeline_start(struct pipeline *pipeline, struct delivery *delivery, const struct pipeline_callbacks *callbacks,
                   struct err *err) MUST_CHECK;

/* The delivery has something to save. From any thread. */
void pipeline_poke(struct pipeline *pipeline);

/* Commits and answers everything that was submitted, then ends the writer. -ETIMEDOUT: a disk that does not answer
 * holds it; nothing that it uses may be freed then, and only the end of the process ends it. */
int pipeline_stop(struct pipeline *pipeline, usec_t timeout_us) MUST_CHECK;

/* One line for people on whether events can be stored. From any thread. */
const char *pipeline_status(const struct pipeline *pipeline);

struct pipeline_status {
    bool failing; /* events cannot be stored */
    uint64_t newest_id;
    usec_t newest_us; /* when it came; 0: not known */
};

void pipeline_get_status(struct pipeline *pipeline, struct pipeline_status *ret);

/* Whether the writer got on since the last call, which also asks it to. For one thread (main). */
bool pipeline_alive(struct pipeline *pipeline);

/* 0: the batch is the pipeline's, and the ticket will be answered. -EBUSY: too much waits, nothing was taken. */
int pipeline_submit(struct pipeline *pipeline, struct batch *take_batch, void *ticket) MUST_CHECK;

/* Hands over what was submitted since the last call. */
void pipeline_flush(struct pipeline *pipeline);

/* New settings of the store, for the writer to take up. */
void pipeline_configure_store(struct pipeline *pipeline, const struct store_settings *settings);
