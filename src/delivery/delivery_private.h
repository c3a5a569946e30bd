/* delivery_private.h - inside src/delivery: a worker, what waits in it, and what it has to have saved. */
#pragma once

#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/wait.h>

/* An event on its way through a worker; under the worker's lock, but for id and record, which do not change.
 *
 *   waiting  in the worker's list, in no slot's hand
 *   taken    a slot has it in hand and tries it. Only that slot may settle it, or put it back to wait
 *   settled  delivered, skipped, or on the list of failed ones: out of the worker's list, and freed
 *
 * The cursor that is saved is the id before the first item of the list. So it never passes an event that may still
 * fail: after a crash an event may be delivered twice, but none is lost. A replay sends the worker to another place in
 * the log: items that wait are dropped; items that are taken cannot be, because their slot uses them, and are marked
 * stray: whatever comes of them, the cursor does not wait for it. An item of the list of failed ones (again) has an id
 * that the cursor has passed before, and the cursor does not wait for it either. */
struct item {
    struct item *next, *previous;
    uint64_t id;
    const struct feed_record *record;
    bool taken; /* by a slot */
    bool again; /* of the list of failed ones: asked for by retry */
    bool stray; /* taken when a replay sent the worker elsewhere */
    unsigned attempts;
    usec_t first_try_us;    /* uptime, 0: not tried since it was read */
    usec_t tried_for_us;    /* how long it had been tried until then: by another process, or a worker before this one */
    bool in_vain;           /* it was tried, and will be again: what is known of that is saved */
    usec_t age_us, read_us; /* how old it was when it was read; when that was, by boottime */
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

/* What one thread delivers together, in the order of the log, up to its type's max_batch. The events stay in the
 * worker's list, marked as taken, so that the cursor waits for them. */
struct hand {
    struct item **items;
    struct action_payload *payloads;
    struct action_outcome *outcomes; /* of the last try, which n_tried were in */
    size_t n, n_tried, room;
    usec_t tried_us; /* when that was, by uptime */
};

/* One delivering thread of a worker. */
struct slot {
    struct worker *worker;
    struct hand hand; /* of the thread alone */
    pthread_t thread;
    usec_t stuck_us; /* uptime: a try that lasts until then hangs; 0: none is under way. Under the worker's lock */
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
    struct action_log log;
    struct feed_reader *reader;      /* of the thread that has set reading, as is what follows */
    uint64_t timed_id;               /* the last event that was looked at, */
    usec_t newest_us;                /* and the newest time up to it; 0: none */
    struct cooldown *cooldown;       /* NULL: the action has none */
    uint64_t back_id, back_until_id; /* what came between them is still to be shown to it; 0: not known, nothing */
    usec_t reading_stuck_us;         /* like a slot's stuck_us */

    pthread_mutex_t lock; /* never held across I/O; what follows is under it */
    pthread_cond_t more;  /* idle slots wait for something to do */
    pthread_cond_t pause; /* slots between two tries wait for the end of the pause, or of the worker */
    pthread_cond_t ended; /* a slot has ended, or the reading that is waited for */
    size_t n_idle, n_paused, n_ended;
    bool ending, reading;
    bool resting;              /* nothing more is read, because a reload may be about to end it */
    bool held;                 /* made for a reload that is not in force yet: its threads wait */
    bool off;                  /* switched off: delivers nothing, and keeps its place in the log */
    bool missing;              /* off because its program or a secret is not there */
    bool looking;              /* one slot finds out whether it works again, the others wait for that */
    bool off_told;             /* that it is off, and why (status.error); false again when it works */
    usec_t off_until_us;       /* uptime; UINT64_MAX: until the configuration is read again */
    struct item *first, *last; /* not settled, in the order in which they were read */
    uint64_t newest_id;
    uint64_t read_id;    /* read up to here */
    uint64_t *retry_ids; /* of the failed list, to be read */
    size_t n_retry_ids;
    bool retry_all;
    uint64_t epoch; /* grows with each replay: what a read brings that began before is of the old place */

    uint64_t listed_until_id; /* nothing behind it is on the list of failed ones */
    uint64_t began_id;        /* behind which it began when it was new; 0: not known */
    bool began_saved;
    uint64_t saved_cursor;   /* as the log has it */
    uint64_t saving_cursor;  /* as the transaction under way writes it (worker_save to worker_saved) */
    struct store_try *tries; /* of events that are not read yet: what became of them before a restart or reload */
    size_t n_tries;
    bool tries_changed, tries_saving; /* they, or those of items, are to be saved; are being saved */
    struct change *changes;           /* to be written, newest first */
    struct change *saving;            /* what the transaction under way writes, oldest first */
    struct delivery_status status;
    bool reading_told;                       /* that it hangs */
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
    struct dropped *dropped, *dropping; /* cursors to be deleted */
    _Atomic bool wants_life;            /* an action has found that the log is behind what it told */
    struct loops loops;
    uint64_t n_made;     /* workers, ever */
    struct trial *trial; /* the last one, or one under way; NULL: none */
};

/* worker.c. drop_waiting, cursor: under the worker's lock. settle: takes it. */
enum attempt_end { ATTEMPT_DELIVERED, ATTEMPT_SKIPPED, ATTEMPT_FAILED, ATTEMPT_PUT_BACK };
void worker_settle(struct worker *worker, struct item *item, enum attempt_end end, const struct err *err);
void worker_drop_waiting(struct worker *worker);
void worker_item_free(struct item *item);
uint64_t worker_cursor(const struct worker *worker); /* up to here everything is settled */

/* read.c: without the lock, by the thread that has set reading. Fills a list of items from the log. */
struct reading {
    uint64_t after_id, newest_id; /* wanted; after_id moves on */
    uint64_t *retry_ids;          /* wanted of the failed list; the first n_retried are dealt with */
    size_t n_retry_ids, n_retried;
    bool retry_all;                     /* until they are among retry_ids */
    struct item *first, **end;          /* what came, in order */
    const struct feed_request *request; /* of the last of them */
    size_t bytes;                       /* that they hold */
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
 * wants: of a type that it is for, and an event for actions of its type at all (may_have).
 * at: why it is left out; the cooldown takes note of what is not.
 * back: shows the cooldown some of the events that came before the cursor, so that a restart is no gap. */
bool look_may_have(const struct worker *worker, enum event_verdict verdict);
bool look_wants(const struct worker *worker, const char *type, enum event_verdict verdict);
void look_time(struct worker *worker, uint64_t id, usec_t time_us);
bool look_is_late(const struct config_action *action, usec_t age_us);
enum left_out look_at(struct worker *worker, const struct feed_record *record);
int look_back(struct worker *worker, struct store_reader *store, struct err *err) MUST_CHECK;

/* worker.c: what a slot does until the worker ends. */
void *worker_slot_thread(void *slot);
void worker_wake(void *worker, uint64_t newest_id); /* feed_listener */

/* configure.c */
const struct config_action *delivery_action_of(const struct config *config, const char *name); /* NULL: there is none */

/* delivery.c: worker_cancel and worker_join for all. -ETIMEDOUT: one could not be waited for. */
int worker_join_all(struct worker **workers, size_t n, usec_t grace_until_us);

/* life.c */
int worker_new(struct worker **ret, struct delivery *delivery, struct config *config,
               const struct config_action *action, uint64_t cursor) MUST_CHECK;
struct worker *worker_free(struct worker *worker);
int worker_start(struct worker *worker, struct err *err) MUST_CHECK;

/* A read of the log that takes longer hangs, for all that somebody who waits for it can tell. */
#define READ_PATIENCE_US (10 * USEC_PER_SEC)

/* end: asks it to. cancel: what it still has in hand at grace_until_us (uptime). join: waits for it; false: it still
 * reads the log at read_until_us. Each for all before the next, so that one that is slow to end holds up no other. */
void worker_end(struct worker *worker);
void worker_cancel(struct worker *worker, usec_t grace_until_us);
bool worker_join(struct worker *worker, usec_t read_until_us);

/* rest: what is being read is waited for, and nothing more is read until worker_read_on. false: it still reads at
 * until_us. */
bool worker_rest(struct worker *worker, usec_t until_us) MUST_CHECK;
void worker_read_on(struct worker *worker);

/* Tells once that it hangs in reading the log: no new start would help, so the watchdog has nothing to do with it. */
void worker_look(struct worker *worker);

void worker_get_status(struct worker *worker, struct delivery_status *ret);
bool worker_alive(struct worker *worker);
int worker_retry(struct worker *worker, uint64_t event_id) MUST_CHECK;
void worker_replay(struct worker *worker, uint64_t from_id);
void worker_move(struct worker *worker, uint64_t from_id); /* the same, under the lock */

/* changes.c: what a worker wants written; under its lock. */
void changes_note(struct worker *worker, const struct item *item, const struct err *err); /* err NULL: drop */
/* Tries: of an item that has come, what became of it before; that it was tried in vain once more; that it is settled,
 * or put back; of a worker that has ended, all of them for the next one. */
void changes_take_try(struct worker *worker, struct item *item);
void changes_note_try(struct worker *worker, struct item *item);
void changes_end_try(struct worker *worker, const struct item *item);
void changes_pass_tries(struct worker *old, struct worker *next);
usec_t changes_tried_for_us(const struct item *item);

bool changes_is_retried(const struct worker *worker,
                        uint64_t id); /* in hand again, or delivered so and not yet saved */
void changes_free(struct change *list);
void changes_dropped_free(struct dropped *list);

/* delivery_report.c */
extern const struct report_limits delivery_try_limits;

/* attempt.c: renders and delivers what the slot has in hand, which is empty afterwards: settled, or put back. */
void attempt(struct slot *slot, struct action *action);

/* How long to wait after so many failed tries: 1 s doubling up to 5 min, of which a random part (any 32 bits) between
 * half and all is taken, so that many do not come back at the same moment. Pure. */
usec_t attempt_backoff_us(unsigned attempts, uint32_t random);

usec_t attempt_event_age_us(const struct event *event);                     /* now, by the wall clock */
bool attempt_is_too_old(const struct config_action *action, usec_t age_us); /* by max_age */
void attempt_count_failure(struct worker *worker, const struct err *err);   /* under the lock */

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

/* back.c: what its target has lost comes again, from the log. False: it stays where it is, since nothing of that is
 * before what the slot has in hand. set_log: what an action may ask about the log. */
bool worker_go_back(struct slot *slot, const struct action_outcome *outcome);
void worker_set_log(struct worker *worker);

/* off.c: *action is opened where it is not open; or what it needs is not there. err is empty before. */
int worker_open_action(const struct action_context *context, const struct action_type *type, struct action **action,
                       struct err *err) MUST_CHECK;

/* Nothing is delivered for again_us (0: until the configuration is read again). */
void worker_turn_off(struct worker *worker, const struct err *err, usec_t again_us);

/* Under the lock, which is free in between: waits while the worker is off, then opens the slot's action where it is not
 * open. Looked at once more by whoever calls: the worker may be ending, or off for longer. */
void worker_come_back(struct slot *slot, struct action **action);

/* repeats.c: a line of the log about an action; event_id and attempts 0: about none. */
void worker_tell(const struct worker *worker, int level, const char *message_id, uint64_t event_id, unsigned attempts,
                 const char *format, ...) PRINTF_LIKE(6, 7);
