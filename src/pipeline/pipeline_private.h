/* pipeline_private.h - inside src/pipeline. */
#pragma once

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/service.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/wait.h>
#include <stdatomic.h>

#define LOG_CURSOR "-log" /* no action can be called this */

/* A batch on its way: hand_over.c tells where it is, and whose. */
struct submission {
    struct submission *next;
    struct pipeline_source *source;
    struct batch batch;
    void *ticket;
    size_t bytes;
    struct pipeline_position position; /* of NULL: none; its texts stand behind it */
    char texts[];
};

struct queue {
    struct submission *first, **end;
};

struct pipeline_source {
    struct pipeline *pipeline;
    struct pipeline_source_callbacks callbacks;
    struct queue round; /* submitted and not flushed; of the source's thread, like: */
    size_t n_round;
    bool full; /* a large one found no room */

    struct pipeline_source *next_touched; /* of the writer: by what it settles now */
    size_t n_settled;

    struct pipeline_source *next; /* under the pipeline's lock, like what follows */
    size_t n_open;                /* tickets that were flushed and not settled */
    bool paused;                  /* pause() was called, and no resume() since */
    bool waits;                   /* for room, after -EBUSY; resume() ends that too */
    bool called;                  /* the writer is in pause() or resume(): not to be freed yet */
    int failed; /* what is behind this error is not tried; 0: there was none. Of one that is ordered */
};

/* What was decided about the events of a transaction, in their order, until it is told. */
struct decided {
    struct description *v;
    size_t n, room;
};

/* A state, what takes its place one day, and where in the log the two began. */
struct turns {
    struct state *state, *overlay; /* borrowed; overlay NULL: there is none */
    struct state *heir;
    const _Atomic uint64_t *keep_us; /* how long the log keeps events; 0: for ever */
    struct store_place place;
    usec_t turned_us; /* when the earliest event behind turned_id came */
    bool unsaved;     /* the log does not have the place yet */
};

#define COUNTED_TYPES_MAX 64
#define N_VERDICTS 3 /* without what is internal */

/* What a source wants kept; texts behind it. */
struct kept {
    struct kept *next;
    const char *of, *key, *value;
};

struct pipeline {
    struct pipeline_counts counts;                      /* by report.h; the queue's members are not used */
    uint64_t stored[COUNTED_TYPES_MAX + 1][N_VERDICTS]; /* by type, the first of those that are not known */
    struct store *store;
    struct state *state, *overlay; /* of the transaction under way */
    struct turns turns;
    struct decided decided;
    struct copies *copies;
    struct feed *feed;
    struct delivery *delivery;
    const struct event_families *families; /* since pipeline_recover */
    _Atomic uint64_t payload_bytes;
    _Atomic uint64_t max_queue_bytes;
    _Atomic uint64_t keep_us;
    _Atomic bool several_communities;
    _Atomic uint64_t queued_bytes, queued_events, large_bytes;

    _Atomic size_t n_paused; /* sources; changed under the lock */
    _Atomic uint64_t n_rounds;
    uint64_t seen_rounds; /* by pipeline_alive */

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue waiting; /* under the lock, like what follows */
    struct pipeline_source *sources;
    pthread_cond_t left; /* the writer is out of a source's callbacks */
    struct kept *kept;   /* not written yet, the newest first */
    bool stopping, poked;
    bool hurry;           /* no lock of another program is waited for any more */
    bool committing;      /* the writer has taken what waited, and stores it: too late to withdraw that */
    _Atomic bool hanging; /* something waited too long for the disk */
    _Atomic bool locked;  /* by another program; who, is in: */
    char locked_by[sizeof(((struct err *) 0)->msg)];
    uint64_t wal_bytes;
    char wal_held_by[STORE_HOLDER_BYTES];
    void *last_heard; /* tsearch(3) */
    size_t n_last_heard;
    char copies_from[EVENT_PEER_MAX_BYTES + 1];
    usec_t copies_us; /* by the wall clock */
    struct store_settings store_settings;
    bool store_changed;

    _Atomic bool failing; /* changed by the writer, whose is what follows */
    _Atomic uint64_t newest_id;
    _Atomic usec_t newest_us;
    _Atomic uint64_t n_heard; /* events of the CAD, or who says so, since the start */
    usec_t taken_us;          /* order_us of the last event that was taken */
    bool large_next;          /* of what waits, a request with many events */
    struct fill *fill;        /* NULL: nothing of an older version was met */
    size_t failed_bytes;      /* the most that could not be stored at once */
    usec_t probed_us;         /* uptime */
    bool trim_failing, checkpoint_failing;
    uint64_t saved_log_id; /* the newest event that was told, and when that was saved, in uptime: */
    usec_t saved_log_us;
    usec_t trimmed_us;
    uint64_t n_aged; /* events that went since a clock that had jumped is believed */
    bool believed;   /* this is counted */
    bool jumped;     /* that it jumped is sure */
    bool grown;      /* since it was last looked for old events */
    bool trimmed;    /* nothing old is left for now */
};

/* writer.c */
void *writer_thread(void *pipeline);

/* hand_over.c. flush_all: what any source has submitted. take_behind: out of what was taken, all of one source that is
 * not to be tried, since something before it could not be stored (*ret_r); NULL: there is nothing like it. settle: of
 * what was handed over; pause: what comes now cannot be stored; resume: once in each round of the writer. */
void hand_over_flush_all(struct pipeline *pipeline);
struct submission *hand_over_take_behind(struct pipeline *pipeline, struct submission **list, int *ret_r);
void hand_over_settle(struct pipeline *pipeline, struct submission *list, int r);
void hand_over_pause(struct pipeline *pipeline);
void hand_over_resume(struct pipeline *pipeline);
void hand_over_release(struct pipeline *pipeline, const struct submission *s);
void hand_over_free(struct queue *queue);

/* fair.c: under the lock; n_events: at least what waits. large_next: the caller keeps it. */
struct submission *fair_take(struct queue *queue, size_t n_events, bool *large_next);

/* trim.c: one step of what store.keep and store.max_size ask for, where it is time for one. */
#define TRIM_EVERY_US (10 * USEC_PER_SEC)
void trim_old(struct pipeline *pipeline);

/* renew.c: begins a new life of the log where an action has found that it needs one. */
void renew_life(struct pipeline *pipeline);

/* fill.c: one step of bringing the events of an older version up to date. is_left: there are more to do; is_due: now.
 */
bool fill_is_left(const struct pipeline *pipeline);
bool fill_is_due(const struct pipeline *pipeline);
void fill_old(struct pipeline *pipeline);
void fill_free(struct pipeline *pipeline);

/* withdraw.c: another program has locked the log, which err words. Waits until it has let go; the batches are given
 * back to those that wait, so that they may be withdrawn meanwhile. false: the end has come, and they are the caller's.
 */
bool withdraw_wait_unlocked(struct pipeline *pipeline, struct submission *list, const struct err *err);

/* withdraw.c: after each attempt of the writer; tells that the disk answers again where it was told not to. */
void withdraw_commit_ended(struct pipeline *pipeline, int r);

/* pipeline_report.c. add_unstored: " (posted ones are answered 503, …)", as the sources say it; under the lock. */
void pipeline_add_unstored(const struct pipeline *pipeline, struct text *out);
void pipeline_tell_sentence(struct pipeline *pipeline);

/* line.c: one event as one record of the log, if its level is wanted. late: told after a restart; the description is
 * used up then. */
void line_write(const struct event *event, struct description *description, uint64_t payload_bytes, bool late);

/* last_heard.c: an event of the log; events that were stored. */
void last_heard_note(struct pipeline *pipeline, const char *realm, usec_t time_us);
void last_heard_note_all(struct pipeline *pipeline, const struct submission *list);
void last_heard_free(struct pipeline *pipeline);

/* pipeline_counts.c: of the writer. committed: a transaction that began then (uptime) ended so; list may be NULL. */
void counts_committed(struct pipeline *pipeline, const struct submission *list, usec_t began_us, int r);
void counts_trimmed(struct pipeline *pipeline, const struct store_trimmed *trimmed);
extern const struct report_limits counts_commit_limits, counts_batch_limits;

/* kept.c: of the writer. write: in the transaction under way; written: how that ended. */
bool kept_waits(struct pipeline *pipeline);
int kept_write(struct pipeline *pipeline, struct kept **ret, struct err *err) MUST_CHECK;
/* Of the batches of the transaction. */
int kept_write_positions(struct pipeline *pipeline, const struct submission *list, struct err *err) MUST_CHECK;
void kept_written(struct pipeline *pipeline, struct kept *kept, bool stored);
void kept_free(struct pipeline *pipeline);

/* copies.c: of the writer, for what is stored. */
struct copies;
struct copies *copies_new(void); /* NULL: no memory, and nothing is looked at */
void copies_free(struct copies *copies);
void copies_look(struct pipeline *pipeline, const struct event *event);

struct ahead;

/* An event of the log at a start, in its order. */
struct ahead_event {
    uint64_t id;
    usec_t time_us, order_us; /* order_us: not behind when it came */
    char realm[REALM_MAX_BYTES + 1];
    size_t bytes;   /* of its body */
    bool elsewhere; /* another node's */
    bool readable;  /* batch has it; else it changes nothing, or is no JSON any more */
    bool untold;    /* readable, and no line was written */
    bool described; /* untold, and description has what was decided about it */
    struct batch batch;
    struct description description; /* the taker's until the next read */
};

/* ahead.c: a walk through the log, and no other use of the reader between seek and close. last_id: where the walk ends;
 * behind told_id events are untold. read: 1, 0 the end, negative; the event is there until the next read. drop:
 * it was taken, and if it is large, room for another is wanted. heard is called in any thread, one at a time; begin_us:
 * from when on. */
int ahead_open(struct ahead **ret, const struct pipeline_recovery *recovery, struct store_reader *reader,
               usec_t begin_us, struct err *err) MUST_CHECK;
int ahead_seek(struct ahead *ahead, const struct store_filter *filter, uint64_t last_id, uint64_t told_id,
               struct err *err) MUST_CHECK;
int ahead_read(struct ahead *ahead, struct ahead_event **ret, struct err *err) MUST_CHECK;
void ahead_drop(struct ahead_event *event);
struct ahead *ahead_close(struct ahead *ahead);

/* decide.c: describes an event and applies it to the overlay; pipeline->decided has the description until it is reset.
 */
int decide(struct pipeline *pipeline, const struct event *event, struct err *err) MUST_CHECK;
void decided_reset(struct decided *decided);
void decided_free(struct decided *decided);

/* turn.c. begin: both are empty, and will hear what came behind the place. hear: an event that state has heard; pass:
 * one that changes nothing, of which id and time are enough. */
int turns_open(struct turns *turns, struct state *state, struct state *overlay,
               const _Atomic uint64_t *keep_us) MUST_CHECK;
void turns_close(struct turns *turns);
void turns_begin(struct turns *turns, const struct store_place *place);
void turns_hear(struct turns *turns, const struct event *event);
void turns_pass(struct turns *turns, uint64_t id, usec_t time_us);

/* The place when events that the overlay has heard are state: as of the newest; oldest_us: the least of their times.
 * True: it is to be written with them. Then turns_before, turns_hear for each, turns_after. Events of the log are taken
 * one by one, and a request ends with the last of those that came at one time. */
bool turns_look(const struct turns *turns, uint64_t newest_id, usec_t newest_us, usec_t oldest_us,
                struct store_place *ret);
void turns_before(struct turns *turns, const struct store_place *next);
void turns_after(struct turns *turns, const struct store_place *next);
void turns_take(struct turns *turns, const struct event *event);
void turns_end_request(struct turns *turns, uint64_t id, usec_t time_us);

/* decide.c: where one that came at that time, perhaps elsewhere, stands in the order of the log. *newest_us: of the one
 * before it. */
usec_t decide_order(usec_t time_us, bool elsewhere, usec_t *newest_us);

/* decide.c: what it changes in a state. */
void decide_apply(const struct event *event, struct state *state);
