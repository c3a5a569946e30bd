/* pipeline.h - what happens to a batch of events: decided, stored, seen in state, answered, told, handed to the
 * actions; in this order.
 *
 * Shape:   each source hands batches over, as many as a round of its loop brought; one writer thread takes all that
 *          wait, whoever they are of, decides about each (its line and ids from what was known before it, what it
 *          changes), stores all in one transaction with what was decided, and only then shows state and has them
 *          answered. What is not stored was never there.
 * Units:   in the name.
 * Owner:   takes batches (batch_done is its business); borrows store, state, feed and delivery, which outlive its end.
 * Threads: what takes a struct pipeline_source is for the source's own thread, one at a time, and several sources may
 *          call at once. A source's callbacks, the store and all changes of state belong to the writer. The other
 *          functions are for the main thread, where they do not say else.
 * Errors:  what cannot be stored is answered so and told once; the writer goes on trying with whatever comes next, and
 *          where nothing comes with a write of its own, so that the end of it is told too.
 */
#pragma once

#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/report.h>
#include <sonoran-pushd/store.h>

struct pipeline;

struct pipeline_settings {
    uint64_t payload_bytes;   /* of an event's data in its line, 0: none */
    uint64_t max_queue_bytes; /* of memory in batches that wait */
    bool several_communities; /* are configured */
    uint64_t keep_us;         /* the log keeps events so long; 0: for ever */
};

int pipeline_new(struct pipeline **ret, struct store *store, struct state *state,
                 const struct pipeline_settings *settings) MUST_CHECK;
struct pipeline *pipeline_free(struct pipeline *pipeline);
/* From any thread; of what comes from then on. */
void pipeline_configure(struct pipeline *pipeline, const struct pipeline_settings *settings);

/* Reads the log: state as it was, from the 24 hours before the newest event and from what came earlier as far as it
 * was still known; and lines that a crash kept from being written.
 * Before start. stop is asked now and then, and ends it with -ECANCELED. It and heard are called in any thread, heard
 * by one at a time, and neither after the end. */
struct pipeline_recovery {
    const char *store_path;
    const struct event_families *families;
    bool (*stop)(void);
    /* Where the events of the last 24 hours came from, whatever their verdict; of one peer's in a row the newest. */
    void (*heard)(void *userdata, const char *source, const char *peer, usec_t time_us);
    void *userdata;
};

int pipeline_recover(struct pipeline *pipeline, const struct pipeline_recovery *recovery, struct err *err) MUST_CHECK;

/* What is stored goes into the feed. The delivery has been loaded; the writer saves what it wants saved. */
int pipeline_start(struct pipeline *pipeline, struct feed *feed, struct delivery *delivery, struct err *err) MUST_CHECK;

/* The delivery has something to save. From any thread. */
void pipeline_poke(struct pipeline *pipeline);

/* The end is near: what waits for another program's lock is answered that it is not stored. */
void pipeline_hurry(struct pipeline *pipeline);

/* Commits and settles everything that was submitted, then ends the writer; the sources hand in nothing any more.
 * -ETIMEDOUT: a disk that does not answer holds it; nothing that it uses may be freed then, and only the end of the
 * process ends it. */
int pipeline_stop(struct pipeline *pipeline, usec_t timeout_us) MUST_CHECK;

/* One line for people on whether events can be stored, and what becomes of them else. From any thread. */
void pipeline_add_sentence(struct pipeline *pipeline, struct text *out);

/* What is counted and measured since the start. */
enum pipeline_failure {
    PIPELINE_FAILURE_NO_SPACE,
    PIPELINE_FAILURE_IO,
    PIPELINE_FAILURE_BUSY,
    PIPELINE_FAILURE_OTHER,
    PIPELINE_N_FAILURES
};
struct pipeline_counts {
    uint64_t queued_events, queued_bytes, queue_limit_bytes; /* now */
    struct report_histogram commit_us;                       /* a transaction with events: from its begin to its end */
    struct report_histogram batch_events;                    /* how many it had */
    uint64_t failures[PIPELINE_N_FAILURES];                  /* transactions */
    uint64_t copies;                                         /* events that two kinds of source told within 10 s */
    uint64_t trimmed_by_age, trimmed_by_size;                /* events; of the latter not those that: */
    uint64_t trimmed_unread;                                 /* an action had not seen yet */
    uint64_t oldest_id, size_bytes, limit_bytes;             /* when it was last looked for old events */
};

struct pipeline_status {
    uint64_t storing; /* 1; 0: events cannot be stored, or wait too long for the disk */
    uint64_t newest_id;
    usec_t newest_us;   /* when it came; 0: not known */
    uint64_t n_heard;   /* since the start, without what is of our own making */
    uint64_t wal_bytes; /* of the log's write-ahead log, when it was last looked at */
    struct pipeline_counts counts;
    char copies_from[EVENT_PEER_MAX_BYTES + 1]; /* who sent the last copy; "": there was none */
    usec_t copies_us;
    char wal_held_by[STORE_HOLDER_BYTES]; /* a program that keeps it from shrinking, "": none */
};

extern const struct report_table pipeline_report;

/* From any thread. */
void pipeline_get_status(struct pipeline *pipeline, struct pipeline_status *ret);

/* When the newest event of a community came: since the start, and of what a start reads, a day at least. 0: none did.
 * From any thread. */
usec_t pipeline_last_heard_us(struct pipeline *pipeline, const char *community);

/* The same, and how many events of which type and verdict were stored. */
extern const struct report_table pipeline_type_report;
void pipeline_add_report(struct pipeline *pipeline, struct report_list *list);

/* Whether the writer got on since the last call, which also asks it to. For one thread (main). */
bool pipeline_alive(struct pipeline *pipeline);

/* New settings of the store, for the writer to take up. */
void pipeline_configure_store(struct pipeline *pipeline, const struct store_settings *settings);

/* ---- a source's own way in: what it hands over is stored in that order, or each community's is ---- */

struct pipeline_source;

/* In the writer's thread and under no lock of the pipeline's: what takes long here, all events wait for. They may take
 * note and wake others, but hand nothing in. */
struct pipeline_source_callbacks {
    void *userdata;
    /* What became of a batch: stored (0), whatever its verdict, or not (-ENOSPC, -EIO, ...). Exactly once for each
     * ticket that pipeline_submit took and pipeline_withdraw did not give back; in the order they were handed in if
     * it is ordered, else those of each community. first: of the batch, with its id; borrowed. */
    void (*settled)(void *userdata, void *ticket, const struct event *first, int r);
    /* Behind those of one transaction. NULL: not wanted, as are the following. */
    void (*settled_all)(void *userdata);
    /* Events cannot be stored for now, and who can wait does better to wait. Before those that failed are settled. */
    void (*pause)(void *userdata);
    /* They can be again, and there is room: after pause, and for -EBUSY from pipeline_submit, perhaps before that has
     * returned: who waits looks whether one came since before the call. May come once too often. */
    void (*resume)(void *userdata);
    /* What comes behind a batch that could not be stored is not tried and settled with the same error, until
     * pipeline_source_again: so what is handed in once more stays before it. */
    bool ordered;
    /* What people read of its events for as long as none can be stored: "posted ones are answered 503". A constant. */
    const char *unstored;
};

/* From any thread, before or after pipeline_start. */
int pipeline_source_new(struct pipeline_source **ret, struct pipeline *pipeline,
                        const struct pipeline_source_callbacks *callbacks) MUST_CHECK;

/* Waits until the writer has left its callbacks for good. What it submitted must be settled or withdrawn, or the
 * pipeline stopped; what was not flushed yet goes without being settled. Before pipeline_free. Returns NULL. */
struct pipeline_source *pipeline_source_free(struct pipeline_source *source);

/* Whether all that it flushed is settled, and pipeline_source_free has nothing to wait for. For whoever frees it,
 * behind its stop. */
bool pipeline_source_is_idle(struct pipeline_source *source);

/* Whether nothing is under way of another with the same callbacks: what it keeps with the log (its positions) is not
 * what it handed over until then. From any thread. */
bool pipeline_source_is_alone(struct pipeline_source *source);

/* 0: the batch is the pipeline's, and the ticket will be settled. -EBUSY: too much waits, of all sources together;
 * nothing was taken, what was submitted before is flushed, and resume() tells when to try again (for a source without
 * resume nothing is flushed). -ENOMEM: nothing was taken, and nobody tells. */
int pipeline_submit(struct pipeline_source *source, struct batch *take_batch, void *ticket) MUST_CHECK;

/* Whether it is worth while to read a large body: one found no room (-EBUSY), and there is none again. */
bool pipeline_wants_large(struct pipeline_source *source);

/* What a source keeps with the log, as store_set_position has it. */
struct pipeline_position {
    const char *of, *key, *value;
};

/* The same, and the position is written in the transaction that stores the batch, or not at all; of those of one key
 * in a row the last. It is copied. */
int pipeline_submit_at(struct pipeline_source *source, struct batch *take_batch, void *ticket,
                       const struct pipeline_position *position) MUST_CHECK;

/* Hands over what was submitted since the last call: the more at once, the fewer commits. */
void pipeline_flush(struct pipeline_source *source);

/* Of one that is ordered: something could not be stored, all that it submitted has come back since, and it begins again
 * with the first that failed. */
void pipeline_source_again(struct pipeline_source *source);

/* What a source keeps with the log (store_set_position), written a moment later, or with the events that come then, and
 * at the end of the pipeline. The newest of a key counts. From any thread. */
int pipeline_keep_position(struct pipeline_source *source, const char *of, const char *key, const char *value);

/* Its sender has waited so long and is told that it is not stored. 0: the batch is gone, the ticket the caller's again.
 * -EINPROGRESS: it is being stored, and settled when that ends. Either tells, once, of a disk that hangs. */
int pipeline_withdraw(struct pipeline_source *source, const void *ticket, usec_t waited_us) MUST_CHECK;
