/* pipeline.h - what happens to a batch of events: decided, stored, seen in state, answered, told, handed to the
 * actions; in this order.
 *
 * Shape:   the HTTP thread hands batches over, as many as a round of its loop brought; one writer thread takes all
 *          that wait, decides about each (its line and ids from what was known before it, what it changes), stores all
 *          in one transaction with what was decided, and only then shows state and has them answered. What is not
 *          stored was never there.
 * Units:   in the name.
 * Owner:   takes batches (batch_done is its business); borrows store, state and delivery, which outlive its end.
 * Threads: pipeline_submit, pipeline_withdraw and pipeline_flush belong to the HTTP thread; store and all changes of
 *          state to the writer.
 * Errors:  what cannot be stored is answered so and told once; the writer goes on trying with whatever comes next, and
 *          where nothing comes with a write of its own, so that the end of it is told too.
 */
#pragma once

#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/store.h>

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
    bool several_communities; /* are configured */
};

int pipeline_new(struct pipeline **ret, struct store *store, struct state *state,
                 const struct pipeline_settings *settings) MUST_CHECK;
struct pipeline *pipeline_free(struct pipeline *pipeline);
void pipeline_configure(struct pipeline *pipeline, const struct pipeline_settings *settings);

/* Reads the log: state as it was, from the 24 hours before the newest event and from what came earlier as far as it
 * was still known; and lines that a crash kept from being written.
 * Before start. stop is asked now and then, and ends it with -ECANCELED. */
struct pipeline_recovery {
    const char *store_path;
    const struct event_families *families;
    bool (*stop)(void);
    void (*heard)(void *userdata, const char *peer, usec_t time_us); /* of each event, whatever its verdict */
    void *userdata;
};

int pipeline_recover(struct pipeline *pipeline, const struct pipeline_recovery *recovery, struct err *err) MUST_CHECK;

/* The delivery has been loaded; the writer saves what it wants saved. */
int pipeline_start(struct pipeline *pipeline, struct delivery *delivery, const struct pipeline_callbacks *callbacks,
                   struct err *err) MUST_CHECK;

/* The delivery has something to save. From any thread. */
void pipeline_poke(struct pipeline *pipeline);

/* The end is near: what waits for another program's lock is answered that it is not stored. */
void pipeline_hurry(struct pipeline *pipeline);

/* Commits and answers everything that was submitted, then ends the writer. -ETIMEDOUT: a disk that does not answer
 * holds it; nothing that it uses may be freed then, and only the end of the process ends it. */
int pipeline_stop(struct pipeline *pipeline, usec_t timeout_us) MUST_CHECK;

/* One line for people on whether events can be stored. From any thread. */
const char *pipeline_status(const struct pipeline *pipeline);

struct pipeline_status {
    bool failing; /* events cannot be stored, or wait too long for the disk */
    uint64_t newest_id;
    usec_t newest_us;                     /* when it came; 0: not known */
    uint64_t wal_bytes;                   /* of the log's write-ahead log, when it was last looked at */
    char wal_held_by[STORE_HOLDER_BYTES]; /* a program that keeps it from shrinking, "": none */
};

void pipeline_get_status(struct pipeline *pipeline, struct pipeline_status *ret);

/* Whether the writer got on since the last call, which also asks it to. For one thread (main). */
bool pipeline_alive(struct pipeline *pipeline);

/* 0: the batch is the pipeline's, and the ticket will be answered. -EBUSY: too much waits, nothing was taken. */
int pipeline_submit(struct pipeline *pipeline, struct batch *take_batch, void *ticket) MUST_CHECK;

/* Its sender has waited so long and is told that it is not stored. 0: the batch is gone, the ticket the caller's again.
 * -EINPROGRESS: it is being stored, and answered when that ends. Either tells, once, of a disk that hangs. */
int pipeline_withdraw(struct pipeline *pipeline, const void *ticket, usec_t waited_us) MUST_CHECK;

/* Hands over what was submitted since the last call. */
void pipeline_flush(struct pipeline *pipeline);

/* New settings of the store, for the writer to take up. */
void pipeline_configure_store(struct pipeline *pipeline, const struct store_settings *settings);
