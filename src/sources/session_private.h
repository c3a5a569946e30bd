/* session_private.h - inside the source session: the CAD's own connections (design section 16).
 *
 * One thread has all sessions and their net pool, and the way in. Other threads leave it something and wake it: the
 * main thread another configuration, the writer what was settled, the primer its batches. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/session_probe.h>
#include <sonoran-pushd/sources.h>
#include <sonoran-pushd/text_secret.h>
#include <sonoran-pushd/websocket.h>
#include <sys/queue.h>

#include "session_backoff.h"
#include "session_prime.h"
#include "session_records.h"

#define SESSION_SOURCE "session"
#define SESSION_ANSWER_US (15 * USEC_PER_SEC)  /* to the handshake, and to the login */
#define SESSION_FOREIGN_CHARS 200              /* of the CAD's own words in a line */
#define SESSION_HALF_MORE ((size_t) 128 << 10) /* beside 2 * limits.body: of a record that goes on and on */

/* An element of the configuration's list. */
struct session_settings {
    char *name, *community, *community_id, *url, *ca_file;
    uint64_t server;
    bool prime;
};

/* The same, of our own, and what follows from it. */
struct session_target {
    struct session_settings settings;
    char *key;
    struct event_community its; /* and nothing else these know: */
    struct envelope_rules rules;
    uint64_t place; /* a number of its url, community_id and server: the same place has the same */
    char host[EVENT_PEER_MAX_BYTES + 1];
};

enum session_state {
    SESSION_WAITS,      /* until due_us */
    SESSION_CONNECTS,   /* until the websocket is open */
    SESSION_SHAKES,     /* handshake */
    SESSION_LOGS_IN,    /* until the answer to the login */
    SESSION_IS_OPEN,    /* logged in */
    SESSION_IS_CLOSING, /* until the CAD has closed it too */
};

/* Why it is not open: what doctor's advice is by. */
enum session_cause {
    SESSION_NO_CAUSE, /* it was not tried yet, or nobody has to know */
    SESSION_NO_NAME,
    SESSION_NO_CONNECTION,
    SESSION_NO_TLS,
    SESSION_NO_PROXY,     /* or it was closed before it was open */
    SESSION_NO_HUB,       /* nothing of the kind at its url */
    SESSION_NO_WEBSOCKET, /* who answers speaks another language: a proxy, a page */
    SESSION_TURNED_AWAY,  /* by a status of HTTP */
    SESSION_NO_LOGIN,
    SESSION_STRANGE, /* it is SignalR, but none that this version knows */
    SESSION_SILENT,
    SESSION_LOST,
    SESSION_KICKED,
    SESSION_FULL, /* we have no room */
};

/* What is shown of one; the thread alone writes it, with report_count and report_set. */
struct session_values {
    uint64_t state, since_us; /* times of the wall clock */
    uint64_t cut_us;          /* since when nothing comes by it; 0: it is open */
    uint64_t next_us;         /* when it connects again; 0: it does not wait */
    uint64_t last_record_us, last_event_us;
    uint64_t connects, gaps, gap_us, last_gap_us;
    uint64_t events, refused, strange; /* strange: records that we do not know */
    uint64_t answers_pings;
};

/* What went wrong, so that the same is not told again and again. */
struct session_trouble {
    uint64_t hash; /* of its words, 0: none */
    usec_t since_us, told_us;
    unsigned n_untold;
    usec_t ends_us[3]; /* the last ones, in a ring */
    unsigned n_ends;

    /* The last one, until it is open again; others look at it under the lock. */
    enum session_cause cause;
    usec_t at_us; /* by the wall clock */
    char words[sizeof(((struct err *) 0)->msg)];
};

struct session {
    struct sessions *all;
    struct session *next;
    struct session_target *target;
    struct session_target *changed; /* what it is to become once it is closed */
    bool gone;                      /* it is to go once it is closed */
    bool full;                      /* it waits for room */
    bool deaf;                      /* it does not read what we send */
    bool has_more;                  /* more has come than was read in this round */
    bool told_strange;
    enum session_state state;
    usec_t due_us; /* by uptime: when it connects, or the end of patience with a state */
    struct websocket *websocket;
    uint64_t connection; /* a number of its own */
    uint64_t queued_bytes;
    struct text half; /* a record that goes on in the next message */
    usec_t login_us;  /* of this connection; 0: not yet */
    usec_t kept_us;   /* when it was last kept that it was heard */
    usec_t lost_us;   /* the last byte of the one before that was logged in; 0: there was none */
    struct session_life life;
    struct session_backoff backoff;
    struct session_trouble trouble;
    struct session_values values;
};

/* ---- session_queue.c: events on their way into the pipeline, in the order they came ---- */

struct session_item {
    TAILQ_ENTRY(session_item) entry;
    struct session_item *next_settled;
    struct batch batch; /* or, where it has no event: */
    char *body;         /* which may hold a key */
    size_t size;
    struct session *session; /* that brought it; NULL: it is gone, or the CAD was asked */
    struct origin origin;
    char community[NAME_MAX_BYTES + 1];
    bool vouched;  /* it came after the login, and needs no key */
    bool accepted; /* its key and size were right, by the rules that held when it came */
    bool counted;  /* as an event or as refused: it may be made again */
    usec_t time_us;
    size_t bytes;                 /* that it counts for */
    uint64_t connection;          /* that wants an answer */
    char *invocation;             /* its id as a text of JSON; NULL: none is wanted */
    bool suspect;                 /* it failed, with others or alone, and it may be its own fault */
    unsigned n_alone;             /* times that it failed alone */
    struct session_primed primed; /* number 0: it is an event that came */
    int r;                        /* what the writer said */
    const char *refused;          /* why it was not accepted, a constant */
    bool submitted;
};

struct session_queue {
    TAILQ_HEAD(, session_item) items;
    struct session_item *waiting; /* the first that is not handed in */
    size_t n_submitted;
    bool alone; /* that is one, a suspect, with which nothing else goes */
    uint64_t bytes;
    bool failed;                  /* something has to be handed in again, once all is back */
    _Atomic bool paused, no_room; /* until resume */

    /* Of the writer, and then under the lock. */
    struct session_item *settling, **settling_end;
    struct session_item *settled, **settled_end;
};

/* ---- all of them ---- */

struct session_change {
    struct envelope_rules *rules;
    struct session_target **targets;
    size_t n_targets;
    uint64_t body_bytes, in_flight_bytes;
};

struct sessions {
    const struct event_families *families;
    struct pipeline_source *way_in;
    struct gate_door *door;
    const struct state *state;  /* for the writer */
    void (*changed)(void *set); /* of struct source_parts */
    void *set;
    struct net_pool *pool;
    int wake_fd;
    pthread_t thread;
    bool running;
    usec_t stop_us; /* the end of the patience with the end; set before: */
    _Atomic bool stopping;
    _Atomic uint64_t n_rounds;
    uint64_t seen_rounds; /* of alive */

    struct envelope_rules *rules;
    uint64_t body_bytes, in_flight_bytes;
    usec_t connect_us; /* not before it may the next one connect */
    uint64_t n_connections;
    struct session_queue queue;
    bool more; /* in this round not all was read */

    pthread_mutex_t lock; /* what follows; the list is changed by the thread alone */
    pthread_cond_t taken;
    struct session *list;
    struct session_change *change;
    struct session_prime *prime; /* NULL: at the end; the thread and the main thread need no lock */
};

/* ---- session_target.c ---- */

int session_target_new(struct session_target **ret, const struct session_settings *settings,
                       const struct config *config, struct err *err) MUST_CHECK;
struct session_target *session_target_free(struct session_target *target);
bool session_targets_equal(const struct session_target *a, const struct session_target *b);

/* The same place at the CAD, where no two connections may be. */
bool session_targets_meet(const struct session_target *a, const struct session_target *b);

/* It would ask the same of the CAD, as the same: what the CAD asked one for holds for the other. */
bool session_targets_log_in_alike(const struct session_target *a, const struct session_target *b);

/* Not over http://, where the key goes in the clear and only this machine itself may see it. */
bool session_may_use_proxy(const char *url);

/* For the configuration. */
void session_check(const struct config *config, const void *settings, config_complain *complain, void *context);
void session_check_present(const void *settings, config_complain *complain, void *context);

/* ---- session_thread.c ---- */

void *session_thread(void *sessions);
void session_wake(const struct sessions *sessions);
void session_free_all(struct sessions *sessions);

/* ---- session_steps.c: one session goes on, in the thread ---- */

void session_begin(struct sessions *sessions, struct session *session); /* to connect */
void session_take_limits(const struct sessions *sessions, struct session *session);
void session_step(struct sessions *sessions, struct session *session, usec_t now);

/* When it has to be looked at again though nothing came. */
usec_t session_due_us(const struct session *session);

/* It closes, with a good word where it is open. */
void session_leave(struct session *session);

/* How it ended: what comes of it, and what is told. */
struct session_over {
    enum session_end end;
    usec_t asked_us; /* to wait, by the CAD; 0: it did not ask */
    int level;
    enum session_cause cause;
};

/* Closes its connection, tells why (format NULL: nobody has to know), and waits as long as it has to. */
void session_over(struct session *session, struct session_over over, const char *format, ...) PRINTF_LIKE(3, 4);
void session_set_state(struct session *session, enum session_state state);

/* Of a connection that never was: what websocket_result and net_connection_result say. */
enum session_cause session_cause_of(int r);

/* Whether it is open; since when it is not. */
void session_set_cut(struct session *session, usec_t since_us);

/* ---- session_take.c: what came ---- */

void session_take_message(struct sessions *sessions, struct session *session, struct span message);
void session_send(struct session *session, struct span record);

/* ---- session_queue.c ---- */

void session_queue_begin(struct session_queue *queue);
void session_queue_add(struct sessions *sessions, struct session_item *take_item);

/* The session goes; what it brought stays. */
void session_queue_forget(struct sessions *sessions, const struct session *session);

/* What waits, as a session has it counted against limits.in_flight when it brings more; 0: nothing of its own. One of
 * several has its own counted twice: who brings much is closed while there is as much room for the others. */
uint64_t session_queue_load(const struct sessions *sessions, const struct session *session);

void session_queue_add_primed(struct sessions *sessions); /* what the CAD told of what it knows */

/* The rules change: what has come is not measured by the next ones. */
void session_queue_accept(struct sessions *sessions);

/* Takes back what the writer has settled, and hands in what can be. */
void session_queue_go_on(struct sessions *sessions);

/* Something has to be handed in yet, and the writer does not say that it cannot be stored. */
bool session_queue_goes_on(const struct session_queue *queue);

/* What is left at the end is lost, and told. */
void session_queue_end(struct sessions *sessions);

void session_settled(void *sessions, void *item, const struct event *first, int r);
void session_settled_all(void *sessions);
void session_pause(void *sessions);
void session_resume(void *sessions);

/* ---- session_events.c: an item into a batch ---- */

struct session_item *session_item_new(struct session *session, char *take_body, size_t size, struct span invocation);

/* A record of which nothing can be an event. */
void session_refuse_record(const struct sessions *sessions, struct session *session, const char *why);
void session_item_free(struct session_item *item);

/* For lack of memory: counted and told. */
void session_item_lose(struct sessions *sessions, struct session_item *item);

/* Notes that it is accepted, if it is by these rules. */
void session_item_accept(struct session_item *item, const struct envelope_rules *rules, uint64_t body_bytes);

/* False: it was refused, and that told. */
bool session_item_make(struct sessions *sessions, struct session_item *item, struct batch *ret);

/* ---- session_lines.c ---- */

/* The CAD's own words, safe: first without the keys that the rules know, and then cut. */
void session_add_words(struct text *out, const struct envelope_rules *rules, struct span words, size_t max_chars);

/* What a text of JSON says, likewise; nothing: it is none. */
void session_add_said(struct text *out, const struct envelope_rules *rules, struct span json);

/* A word of a refusal, which is not all of it where it is long. */
void session_add_refusal(struct text *out, const struct envelope_rules *rules, const char *word);

void session_tell(const struct session *session, int level, const char *format, ...) PRINTF_LIKE(3, 4);
void session_tell_open(const struct session *session, usec_t gap_us);
void session_tell_trouble(struct session *session, int level, usec_t wait_us, const char *words);

/* Keeps it for who asks why it is not open. */
void session_keep_trouble(struct session *session, enum session_cause cause, const char *words);

/* Of one more loss: louder for the third within 10 minutes. */
int session_level_of_loss(struct session *session);

/* ---- session_status.c ---- */

const char *session_cause_name(enum session_cause cause); /* "name", as the status has it */

void session_add_status(void *sessions, struct json_writer *out);
void session_add_health(void *sessions, struct json_writer *out);
void session_add_report(void *sessions, struct report_list *list);
void session_add_board(void *sessions, const char *community, struct json_writer *out);

/* ---- session_probe.c: NULL: there is none of that name; name NULL: the first ---- */

const struct session_settings *session_settings_find(const struct config *config, const char *name);

/* ---- session_probe_rest.c: what the CAD's REST interface says of this account. True: nothing failed. ---- */

bool session_probe_ask_rest(const struct session_target *target,
                            void (*tell)(void *context, const char *name, enum session_probe_result result,
                                         usec_t took_us, const char *words),
                            void *context);
