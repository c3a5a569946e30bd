/* private.h - inside src/delivery: a worker, what waits in it, and what it has to have saved. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/delivery.h>

/* An event on its way through a worker. */
struct item {
    struct item *next, *previous;
    uint64_t id;
    struct batch batch; /* of one event */
    bool taken;         /* by a thread that delivers it */
    bool again;         /* of the failed list: the cursor passed it long ago */
    bool stray;         /* taken, but the worker has gone to another place since: its end counts for nothing */
    unsigned attempts;
    usec_t first_try_us; /* uptime, 0: not tried */
};

#define STUCK_US (60 * USEC_PER_SEC) /* beyond what a try may take */

/* Something for the failed list: put, or dropped. */
struct change {
    struct change *next;
    bool drop;
    uint64_t event_id;
    unsigned attempts;
    usec_t at_us;
    char error[256];
};

struct worker;

/* One delivering thread of a worker. */
struct slot {
    struct worker *worker;
    pthread_t thread;
    struct description description; /* scratch */
    usec_t stuck_us;                /* uptime: still at it then, it hangs; 0: at nothing. Under the worker's lock */
};

struct worker {
    struct delivery *delivery;
    struct config *config; /* a reference, for action */
    const struct config_action *action;
    const struct action_type *type;
    struct slot *slots;
    size_t n_slots; /* running */
    int cancel_fd;
    struct store_reader *reader; /* of the thread that has set reading */
    usec_t reading_stuck_us;     /* like a slot's stuck_us */

    pthread_mutex_t lock; /* never held across I/O; what follows is under it */
    pthread_cond_t more;  /* idle slots wait for something to do */
    pthread_cond_t pause; /* slots between two tries wait for the end of the pause, or of the worker */
    pthread_cond_t ended; /* a slot has ended */
    size_t n_idle, n_paused, n_ended;
    bool ending, reading, off;
    struct item *first, *last; /* not settled, in the order in which they were read */
    uint64_t newest_id;
    uint64_t read_id;    /* read up to here */
    uint64_t *retry_ids; /* of the failed list, to be read */
    size_t n_retry_ids;
    bool retry_all;
    uint64_t epoch; /* grows with each replay: what was being read then belongs to another place */

    uint64_t saved_cursor, saving_cursor;
    struct change *changes, *saving; /* newest first */
    struct delivery_status status;
    bool read_failed, failing; /* were told */
    uint64_t n_too_old;        /* not told yet */
};

struct dropped {
    struct dropped *next;
    char name[NAME_MAX_BYTES + 1];
};

struct delivery {
    struct delivery_settings settings;
    pthread_mutex_t lock; /* taken before a worker's; what follows is under it */
    pthread_cond_t saved;
    bool saving; /* the writer goes through the list, without the lock */
    struct worker **workers;
    size_t n_workers;
    struct config *config;
    uint64_t newest_id;
    struct dropped *dropped, *dropping; /* cursors to be deleted */
};

/* backoff.c: how long to wait after so many failed tries: 1 s doubling up to 5 min, of which a random part (any
 * 32 bits) between half and all is taken, so that many do not come back at the same moment. Pure. */
usec_t backoff_us(unsigned attempts, uint32_t random);

/* items.c: under the worker's lock. */
void items_append(struct worker *worker, struct item *item);
void items_remove(struct worker *worker, struct item *item);
struct item *items_take(struct worker *worker);
void items_drop_waiting(struct worker *worker);
void item_free(struct item *item);
uint64_t worker_cursor(const struct worker *worker);

/* read.c: without the lock, by the thread that has set reading. Fills a list of items from the log. */
struct reading {
    uint64_t after_id, newest_id; /* wanted; after_id moves on */
    uint64_t *retry_ids;          /* wanted of the failed list; the first n_retried are dealt with */
    size_t n_retry_ids, n_retried;
    bool retry_all;            /* until they are among retry_ids */
    struct item *first, **end; /* what came, in order */
    struct change *gone;       /* of the failed list, but no longer in the log */
};

int read_items(struct worker *worker, struct reading *reading, struct err *err) MUST_CHECK;

/* worker.c: what a slot does until the worker ends. */
void *slot_thread(void *slot);
void worker_wake(struct worker *worker, uint64_t newest_id);

/* life.c */
int worker_new(struct worker **ret, struct delivery *delivery, struct config *config,
               const struct config_action *action, uint64_t cursor) MUST_CHECK;
struct worker *worker_free(struct worker *worker);
int worker_start(struct worker *worker, struct err *err) MUST_CHECK;

/* end: asks it to. cancel: what it still has in hand at grace_until_us (uptime). join: waits for it. Each for all
 * before the next, so that one that is slow to end holds up no other. */
void worker_end(struct worker *worker);
void worker_cancel(struct worker *worker, usec_t grace_until_us);
void worker_join(struct worker *worker);

void worker_get_status(struct worker *worker, struct delivery_status *ret);
bool worker_alive(struct worker *worker);
int worker_retry(struct worker *worker, uint64_t event_id) MUST_CHECK;
void worker_replay(struct worker *worker, uint64_t from_id);

/* changes.c: what a worker wants written; under its lock. */
void note_change(struct worker *worker, const struct item *item, const struct err *err); /* err NULL: drop */
bool is_retried(const struct worker *worker, uint64_t id); /* in hand again, or delivered so and not yet saved */
void changes_free(struct change *list);
void dropped_free(struct dropped *list);

/* attempt.c: renders and delivers one item, until it is settled or the worker ends. */
enum attempt_end { ATTEMPT_DELIVERED, ATTEMPT_SKIPPED, ATTEMPT_FAILED, ATTEMPT_PUT_BACK };
enum attempt_end attempt(struct slot *slot, struct action *action, struct item *item, struct err *err);
void worker_turn_off(struct worker *worker, const struct err *err);

/* tell.c: a line of the log about an action; event_id and attempts 0: about none. */
void tell(const struct worker *worker, int level, const char *message_id, uint64_t event_id, unsigned attempts,
          const char *format, ...) PRINTF_LIKE(6, 7);
