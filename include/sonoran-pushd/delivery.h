/* delivery.h - the readers of the log that act: one worker for each action, each with its own place in the log.
 *
 * Shape:   a worker reads from its cursor on, lets through what its filters want, renders it once and tries until it
 *          is settled: delivered, left out (too old), or failed (given up, and kept in the store's list). The cursor
 *          is the newest event up to which everything is settled. At least once, in order unless parallel is above 1.
 *          A test event is given to no action; filter_look tells whether it would have been.
 * Units:   in the name; times of day in microseconds since 1970.
 * Owner:   takes references to configs; borrows what is in settings.
 * Threads: every function may be called from any thread, except that load, start, prepare, configure and stop belong to
 *          one (main), and came, save and saved to the one that owns the store (the writer). Nothing here makes
 *          the writer wait for a target or a disk.
 * End:     delivery_stop, so that nothing new is to be saved; pipeline_stop, which saves the rest; delivery_free.
 * Errors:  a target's failures are told in the log and in the status; negative errno and a sentence for the rest.
 * Source:  design section 11.
 */
#pragma once

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/feed.h>
#include <sonoran-pushd/report.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

struct delivery;

struct delivery_settings {
    struct feed *feed; /* is borrowed, and outlives it */
    const struct event_families *families;
    const char *node;                /* how this machine calls itself; borrowed */
    void (*changed)(void *userdata); /* there is something to save; from any thread, never waits */
    void *userdata;
};

int delivery_new(struct delivery **ret, const struct delivery_settings *settings) MUST_CHECK;
struct delivery *delivery_free(struct delivery *delivery);

/* Where each action of config stands. New ones begin at the end of the log; the cursors of those that are gone go. */
int delivery_load(struct delivery *delivery, struct config *config, struct store *store, struct err *err) MUST_CHECK;
int delivery_start(struct delivery *delivery, struct err *err) MUST_CHECK;

/* A new config is to come into force: all that it needs is made ready, memory and threads, while the old one goes on;
 * from then what is to end reads no more of the log. -EBUSY: it hangs in that.
 * Given up by delivery_change_free, or */
struct delivery_change;
int delivery_prepare(struct delivery *delivery, struct config *config, struct delivery_change **ret,
                     struct err *err) MUST_CHECK;
struct delivery_change *delivery_change_free(struct delivery_change *change);

/* it is in force: what is the same goes on, what has changed begins anew at its cursor. Takes the change over. */
void delivery_configure(struct delivery *delivery, struct delivery_change *change);

/* Ends every worker. What is under way gets half of the time to end by itself, then it is cancelled. -ETIMEDOUT: one
 * hangs in a read of the log, which nothing ends; nothing of it may be freed. */
int delivery_stop(struct delivery *delivery, usec_t timeout_us);

/* This event has come into the log; an action may have sent it, and it came back. Of each one, before it is in the
 * feed. */
void delivery_came(struct delivery *delivery, const struct event *event);

/* What has to be written: save inside a transaction, saved when it ended. */
bool delivery_unsaved(struct delivery *delivery);
int delivery_save(struct delivery *delivery, struct store *store, struct err *err) MUST_CHECK;
void delivery_saved(struct delivery *delivery, const struct store *store, bool committed);
/* Old events went, and what had failed of them. By the writer. */
void delivery_trimmed(struct delivery *delivery, const struct store *store);

/* Whether an action has found that the log is behind what it once told, so that a new life has to begin; that one has.
 * By the writer. */
bool delivery_wants_life(const struct delivery *delivery);
void delivery_has_life(struct delivery *delivery);

enum delivery_state {
    DELIVERY_IDLE,    /* nothing to do */
    DELIVERY_BUSY,    /* delivering */
    DELIVERY_FAILING, /* trying again */
    DELIVERY_OFF,     /* what it needs is missing, or its target refuses for good */
};

const char *delivery_state_name(enum delivery_state state);

struct delivery_status {
    char name[NAME_MAX_BYTES + 1];
    const char *type;
    enum delivery_state state;
    uint64_t state_shown;                       /* the same */
    uint64_t cursor, lag;                       /* how many events it has yet to look at */
    uint64_t lag_us;                            /* how old the first of them is; 0: there is none, or it was not read */
    uint64_t n_attempts, n_delivered, n_failed; /* since the start */
    uint64_t n_listed;                          /* failed ones, as the log has them now */
    uint64_t n_left_out[LEFT_OUT_N];            /* likewise, of the types that it is for */
    struct report_histogram try_us;             /* likewise: how long tries took */
    usec_t delivered_us, error_us;              /* last of each; 0: none since the start */
    usec_t next_try_us;                         /* DELIVERY_FAILING, and DELIVERY_OFF; 0: not by itself */
    char error[256];                            /* the last one */
    char answer[ACTION_ANSWER_MAX]; /* the target's last one, safe to show: "200 ok"; "": none since the start */
};

extern const struct report_table delivery_report; /* of one of them */

/* The number of actions; *ret[i] of action i, for i below room. */
size_t delivery_get_status(struct delivery *delivery, struct delivery_status *ret, size_t room);

/* Once a minute: tells how many failures of one kind were not told one by one. */
void delivery_tick(struct delivery *delivery);

/* False: an action hangs where it never should; its name is in ret_name. */
bool delivery_alive(struct delivery *delivery, char ret_name[NAME_MAX_BYTES + 1]);

/* Failed deliveries once more: one event, or all (0). -ENOENT: no such action. */
int delivery_retry(struct delivery *delivery, const char *action, uint64_t event_id, struct err *err) MUST_CHECK;

/* Goes back (or ahead) so that from_id is the next event. -ENOENT: no such action; -ERANGE: not a place in the log. */
int delivery_replay(struct delivery *delivery, const char *action, uint64_t from_id, struct err *err) MUST_CHECK;

/* What came of an event that was made up and given to one action. */
struct delivery_trial {
    char action[NAME_MAX_BYTES + 1], type[EVENT_TYPE_MAX_BYTES + 1];
    bool under_way;         /* what follows is not known yet */
    enum left_out left_out; /* what its filter would have done with a real one, which counts for nothing here */
    char condition[256];    /* of when, the first that does not hold; "": another reason */
    bool tried;             /* else the action could not be rendered or opened, and error says why */
    enum action_result result;
    usec_t took_us, retry_after_us;
    char error[256]; /* "": it is delivered */
    char answer[ACTION_ANSWER_MAX];
};

/* Gives a made-up event to the action at once, once, whatever its worker does, and to nobody else; it is not stored.
 * Takes the batch over where it succeeds. -ENOENT: no such action; -EBUSY: another one is under way.
 * tried: of the last one; -ENOENT: there was none. */
int delivery_try(struct delivery *delivery, const char *action, struct batch *take_batch, struct err *err) MUST_CHECK;
int delivery_tried(struct delivery *delivery, struct delivery_trial *ret) MUST_CHECK;
