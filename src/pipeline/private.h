/* private.h - inside src/pipeline. */
#pragma once

#include <sonoran-pushd/events.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/service.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/wait.h>
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

/* What was decided about the events of a transaction, in their order, until it is told. */
struct decided {
    struct description *v;
    size_t n, room;
};

/* A state, what takes its place one day, and where in the log the two began. */
struct turns {
    struct state *state, *overlay; /* borrowed; overlay NULL: there is none */
    struct state *heir;
    struct store_place place;
    usec_t turned_us; /* when the earliest event behind turned_id came */
    bool unsaved;     /* the log does not have the place yet */
};

struct pipeline {
    struct store *store;
    struct state *state, *overlay; /* of the transaction under way */
    struct turns turns;
    struct decided decided;
    struct delivery *delivery;
    const struct event_families *families; /* since pipeline_recover */
    struct pipeline_callbacks callbacks;
    struct description scratch; /* of the start */
    _Atomic uint64_t payload_bytes;
    _Atomic uint64_t max_queue_bytes;
    _Atomic bool several_communities;
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
    bool hurry;           /* no lock of another program is waited for any more */
    bool committing;      /* the writer has begun what it took */
    _Atomic bool hanging; /* something waited too long for the disk */
    _Atomic bool locked;  /* by another program; who, is in: */
    char locked_by[sizeof(((struct err *) 0)->msg)];
    uint64_t wal_bytes;
    char wal_held_by[STORE_HOLDER_BYTES];
    struct store_settings store_settings;
    bool store_changed;

    _Atomic bool failing; /* changed by the writer, whose is what follows */
    _Atomic uint64_t newest_id;
    _Atomic usec_t newest_us;
    usec_t taken_us;     /* when the last event came that was taken */
    struct fill *fill;   /* NULL: nothing of an older version was met */
    size_t failed_bytes; /* the most that could not be stored at once */
    usec_t probed_us;    /* uptime */
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

/* trim.c: one step of what store.keep and store.max_size ask for, where it is time for one. */
#define TRIM_EVERY_US (10 * USEC_PER_SEC)
void trim_old(struct pipeline *pipeline);

/* fill.c: one step of bringing the events of an older version up to date. is_left: there are more to do; is_due: now.
 */
bool fill_is_left(const struct pipeline *pipeline);
bool fill_is_due(const struct pipeline *pipeline);
void fill_old(struct pipeline *pipeline);
void fill_free(struct pipeline *pipeline);

/* withdraw.c: another program has locked the log, which err words. Waits until it has let go; the batches are given
 * back to those that wait, so that they may be withdrawn meanwhile. false: the end has come, and they are the caller's.
 */
bool wait_unlocked(struct pipeline *pipeline, struct submission *list, const struct err *err);

/* withdraw.c: after each attempt of the writer; tells that the disk answers again where it was told not to. */
void commit_ended(struct pipeline *pipeline, int r);

/* line.c: one event as one record of the log, if its level is wanted. late: told after a restart; the description is
 * used up then. */
void line_write(const struct event *event, struct description *description, uint64_t payload_bytes, bool late);

/* decide.c: describes an event and applies it to the overlay; pipeline->decided has the description until it is reset.
 */
int decide(struct pipeline *pipeline, const struct event *event, struct err *err) MUST_CHECK;
void decided_reset(struct decided *decided);
void decided_free(struct decided *decided);

/* turn.c. begin: both are empty, and will hear what came behind the place. hear: an event that state has heard; pass:
 * one that changes nothing, of which id and time are enough. */
int turns_open(struct turns *turns, struct state *state, struct state *overlay) MUST_CHECK;
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

/* decide.c: what it changes in a state. */
void apply_event(const struct event *event, struct state *state);
