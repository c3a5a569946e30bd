/* delivery.h - the readers of the log that act: one worker for each action, each with its own place in the log.
 *
 * Shape:   a worker reads from its cursor on, lets through what its filters want, renders it once and tries until it
 *          is settled: delivered, skipped (too old), or failed (given up, and kept in the store's list). The cursor is
 *          the newest event up to which everything is settled. At least once, in order unless parallel is above 1.
 * Units:   in the name; times of day in microseconds since 1970.
 * Owner:   takes references to configs; borrows what is in settings.
 * Threads: every function may be called from any thread, except that load, start, configure and stop belong to one
 *          (main), and wake, save and saved to the one that owns the store (the writer). Nothing here makes the writer
 *          wait for a target or a disk.
 * Errors:  a target's failures are told in the log and in the status; negative errno and a sentence for the rest.
 * Source:  design section 11.
 */
#pragma once

#include <sonoran-pushd/action.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

struct delivery;

struct delivery_settings {
    const char *store_path;
    const struct state *state; /* for the names in summaries */
    const struct event_families *families;
    const struct action_types *types;
    void (*changed)(void *userdata); /* there is something to save; from any thread, never waits */
    void *userdata;
};

int delivery_new(struct delivery **ret, const struct delivery_settings *settings) MUST_CHECK;
struct delivery *delivery_free(struct delivery *delivery);

/* Where each action of config stands. New ones begin at the end of the log; the cursors of those that are gone go. */
int delivery_load(struct delivery *delivery, struct config *config, struct store *store, struct err *err) MUST_CHECK;
int delivery_start(struct delivery *delivery, struct err *err) MUST_CHECK;

/* A new config is in force: what is the same goes on, what has changed begins anew at its cursor. */
void delivery_configure(struct delivery *delivery, struct config *config);

/* Ends every worker. What is under way gets half of the time to end by itself, then it is cancelled. */
void delivery_stop(struct delivery *delivery, usec_t timeout_us);

/* There are events up to this one. */
void delivery_wake(struct delivery *delivery, uint64_t newest_id);

/* What has to be written: save inside a transaction, saved when it ended. */
bool delivery_unsaved(struct delivery *delivery);
int delivery_save(struct delivery *delivery, struct store *store, struct err *err) MUST_CHECK;
void delivery_saved(struct delivery *delivery, bool committed);

enum delivery_state {
    DELIVERY_IDLE,    /* nothing to do */
    DELIVERY_BUSY,    /* delivering */
    DELIVERY_FAILING, /* trying again */
    DELIVERY_OFF,     /* until the configuration is read again */
};

const char *delivery_state_name(enum delivery_state state);

struct delivery_status {
    char name[NAME_MAX_BYTES + 1];
    enum config_action_type type;
    enum delivery_state state;
    uint64_t cursor, newest;                               /* events between the two wait */
    uint64_t n_attempts, n_delivered, n_failed, n_skipped; /* since the start */
    usec_t delivered_us, error_us;                         /* last of each; 0: none since the start */
    usec_t next_try_us;                                    /* DELIVERY_FAILING */
    char error[256];                                       /* the last one */
};

/* The number of actions; *ret[i] of action i, for i below room. */
size_t delivery_get_status(struct delivery *delivery, struct delivery_status *ret, size_t room);

/* False: an action hangs where it never should; its name is in ret_name. */
bool delivery_alive(struct delivery *delivery, char ret_name[NAME_MAX_BYTES + 1]);

/* Failed deliveries once more: one event, or all (0). -ENOENT: no such action. */
int delivery_retry(struct delivery *delivery, const char *action, uint64_t event_id, struct err *err) MUST_CHECK;

/* Goes back (or ahead) so that from_id is the next event. -ENOENT: no such action; -ERANGE: not a place in the log. */
int delivery_replay(struct delivery *delivery, const char *action, uint64_t from_id, struct err *err) MUST_CHECK;
