/* private.h - inside src/delivery: a worker, what waits in it, and what it has to have saved. */
#pragma once

#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/wait.h>

/* An event on its way through a worker. */
struct item {
    struct item *next, *previous;
    uint64_t id;
    struct batch batch; /* of one event */
    struct description description;
    bool taken; /* by a thread that delivers it */
    bool again; /* of the failed list: the cursor passed it long ago */
    bool stray; /* taken, but the worker has gone to another place since: its end counts for nothing */
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

/* A kind of failure that was told in this minute, and how often it was not told since. */
#define REPEATS_KINDS 4
struct repeat {
    char sentence[256]; /* "": free */
    bool failed;        /* given up; else it is tried again */
    uint64_t n_more, last_id;
};

/* Something that was sent to a target that takes events as they are. Times are of uptime_us. */
#define LOOPS_MAX 256
#define SUSPECTS_MAX 16
struct suspect {
    uint64_t who;
    unsigned n_rounds; /* the round in which it had its turn */
    unsigned n_back;   /* rounds in which it came back */
    bool cleared, guilty;
};

struct loop {
    usec_t sent_us, asked_us; /* last */
    bool again;
    usec_t window_us; /* n_back counts since */
    unsigned n_back;
    usec_t peace_until_us;
    unsigned peace_max;   /* what n_back may be until then */
    usec_t silent_us;     /* the silence of this round began; 0: not under suspicion */
    unsigned n_rounds;    /* with this one */
    unsigned n_came;      /* in the silence */
    struct suspect *turn; /* NULL: nobody's yet */
    usec_t turn_us;       /* since when, or tried, or came_back */
    bool tried, came_back;
    struct suspect suspects[SUSPECTS_MAX];
    size_t n_suspects;
};

/* Of all actions, which multiply what the others bring back. */
struct loops {
    _Atomic usec_t asked_us; /* by an action, last; 0: never */
    pthread_mutex_t lock;
    uint64_t hashes[LOOPS_MAX]; /* of the rows; 0: free */
    struct loop rows[LOOPS_MAX];
    size_t next; /* to be replaced */
};

/* One delivering thread of a worker. */
struct slot {
    struct worker *worker;
    pthread_t thread;
    usec_t stuck_us; /* uptime: still at it then, it hangs; 0: at nothing. Under the worker's lock */
};

struct worker {
    struct delivery *delivery;
    struct config *config; /* a reference, for action */
    const struct config_action *action;
    uint64_t serial; /* no other worker has it, before or after */
    const struct action_type *type;
    struct slot *slots;
    size_t n_slots; /* running */
    int cancel_fd;
    struct store_reader *reader;     /* of the thread that has set reading, as is what follows */
    struct description described;    /* of the event that is looked at, if it */
    bool is_described;               /* was asked for */
    uint64_t timed_id;               /* the last event that was looked at, */
    usec_t newest_us;                /* and the newest time up to it; 0: none */
    struct cooldown *cooldown;       /* NULL: the action has none */
    uint64_t back_id, back_until_id; /* what came between them is still to be shown to it; 0: not known, nothing */
    usec_t reading_stuck_us;         /* like a slot's stuck_us */

    pthread_mutex_t lock; /* never held across I/O; what follows is under it */
    pthread_cond_t more;  /* idle slots wait for something to do */
    pthread_cond_t pause; /* slots between two tries wait for the end of the pause, or of the worker */
    pthread_cond_t ended; /* a slot has ended */
    size_t n_idle, n_paused, n_ended;
    bool ending, reading;
    bool held;                 /* its threads have nothing to do yet */
    bool off;                  /* delivers nothing */
    bool missing;              /* because what it needs is not there */
    bool looking;              /* a slot looks whether it is now */
    bool off_told;             /* with status.error; forgotten when it works again */
    usec_t off_until_us;       /* uptime; UINT64_MAX: the configuration is read again */
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
    bool read_failed, failing, failing_told; /* failing: not told where it is a repeat */
    struct repeat repeats[REPEATS_KINDS];
    char told_answer[ACTION_ANSWER_MAX];
    usec_t answer_told_us; /* uptime */
    uint64_t n_too_old;    /* not told yet */
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
    struct loops loops;
    uint64_t n_made;     /* workers, ever */
    struct trial *trial; /* the last one, or one under way; NULL: none */
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
    uint64_t n_left_out[LEFT_OUT_N];
    struct change *gone; /* of the failed list, but no longer in the log */
};

int read_items(struct worker *worker, struct reading *reading, struct err *err) MUST_CHECK;

/* cooldown.c: what was let through of late. lets_through: not where the community had an event of its type and level
 * (one that is not urgent: of any level) let through within the time for every unit and every call that it
 * concerns; one that concerns none is always let through. By the times of the events, in the order of the log. Bounded
 * memory: what was seen long ago may be forgotten, and is let through then. */
struct cooldown;
struct cooldown *cooldown_new(usec_t time_us); /* NULL: no memory */
struct cooldown *cooldown_free(struct cooldown *cooldown);
bool cooldown_lets_through(struct cooldown *cooldown, const struct event *event, const struct description *description);

/* look.c: is an event for the action? For the thread that has set reading.
 * time: to be told of each row, in order, before it is looked at; begin at the row of after_id.
 * is_late: of an event that was so old when it came.
 * restore: 1 and *ret, or 0: not of a type that it is for (any: whatever the type is), or no event for actions at all.
 * at: why it is left out; the cooldown takes note of what is not.
 * back: shows the cooldown some of the events that came before the cursor, so that a restart is no gap. */
int look_restore(struct worker *worker, const struct store_row *row, bool any, struct batch *ret) MUST_CHECK;
/* Read, or made for a row that has none, once for each row. Of the worker until the next one, or taken. */
const struct description *look_describe(struct worker *worker, const struct store_row *row, const struct event *event);
void look_time(struct worker *worker, const struct store_row *row);
bool look_is_late(const struct config_action *action, usec_t age_us);
enum left_out look_at(struct worker *worker, const struct store_row *row, const struct event *event);
int look_back(struct worker *worker, struct err *err) MUST_CHECK;

/* worker.c: what a slot does until the worker ends. */
void *slot_thread(void *slot);
void worker_wake(struct worker *worker, uint64_t newest_id);

/* configure.c */
const struct config_action *action_of(const struct config *config, const char *name); /* NULL: there is none */

/* delivery.c: worker_cancel and worker_join for all. */
void workers_join(struct worker **workers, size_t n, usec_t grace_until_us);

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
bool is_too_old(const struct config_action *action, const struct event *event); /* now, by max_age */
void count_failure(struct worker *worker, const struct err *err);               /* under the lock */

/* repeats.c, under the worker's lock. Is it to be told? A failure of a kind that was told in this minute is counted. */
bool worker_is_news(struct worker *worker, bool failed, uint64_t event_id, const char *sentence);
void worker_note_answer(struct worker *worker, const struct item *item, const struct action_outcome *outcome);
void worker_tell_too_old(struct worker *worker);
void worker_sum_up(struct worker *worker); /* takes the lock */

/* loops.c. came: such an event was stored. pass: how long action who has to wait before it sends one, and asks again;
 * 0: it sends it now, or *ret_loop: what it sends comes back to us. now is of uptime_us. */
uint64_t loops_hash(const struct event *event);
bool loops_care(struct loops *loops, usec_t now); /* for what comes; else nothing was sent of late */
void loops_came(struct loops *loops, uint64_t hash, usec_t now);
usec_t loops_pass(struct loops *loops, uint64_t hash, uint64_t who, usec_t now, bool *ret_loop);

/* attempt.c: NULL: it has none any more. */
const char *delivery_key_of(const struct config *config, const char *community);

/* trial.c: cancel lets one under way end soon, end waits for it. */
void trial_cancel(struct delivery *delivery);
void trial_end(struct delivery *delivery);

/* off.c: *action is opened where it is not open; or what it needs is not there. err is empty before. */
int action_open(const struct config_action *config, const struct action_type *type, int cancel_fd,
                struct action **action, struct err *err) MUST_CHECK;

/* Nothing is delivered for again_us (0: until the configuration is read again). */
void worker_turn_off(struct worker *worker, const struct err *err, usec_t again_us);

/* Under the lock, which is free in between: waits while the worker is off, then opens the slot's action where it is not
 * open. Looked at once more by whoever calls: the worker may be ending, or off for longer. */
void worker_come_back(struct slot *slot, struct action **action);

/* tell.c: a line of the log about an action; event_id and attempts 0: about none. */
void tell(const struct worker *worker, int level, const char *message_id, uint64_t event_id, unsigned attempts,
          const char *format, ...) PRINTF_LIKE(6, 7);
