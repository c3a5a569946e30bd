/* redis_action.h - inside the redis action: one connection, what is known of each stream, and one batch.
 *
 * Shape:   an entry's id is the epoch of the life in which its event lies, in ms, "-", and the event's id. So a stream
 *          says itself how far it has come. What it ends with is compared by a script in the server before anything is
 *          added behind it; what the action believes of a stream may be wrong at any time.
 * Owner:   a link and streams belong to an action, as a connection does to a thread.
 * Source:  design section 17; redis.io, XADD, XINFO STREAM, EVALSHA.
 */
#pragma once

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/redis.h>

#define REDIS_BATCH_MAX 256

struct redis_options {
    char **urls;
    size_t n_urls;
    char *username, *password; /* NULL: what the URL says */
    uint64_t database;         /* 0: likewise */
    char *ca_file;
    char *stream;     /* a template */
    uint64_t max_len; /* of a stream, about; 0: no limit */
};

/* Of an action of this type. */
static inline const struct redis_options *redis_options(const struct config_action *config)
{
    return config->settings;
}

/* A line of the log about the action. */
void redis_tell(const struct config_action *config, int level, const char *message_id, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* What a payload's words are. */
enum redis_word {
    REDIS_WORD_KEY,
    REDIS_WORD_TYPE,
    REDIS_WORD_COMMUNITY,
    REDIS_WORD_TIME,
    REDIS_WORD_NODE,
    REDIS_N_WORDS
};

/* ---- redis_link.c: the connection, to the first of the addresses that takes something ---- */

#define REDIS_SCRIPT_NAME_BYTES 48

struct redis_link {
    const struct config_action *config;
    int cancel_fd;
    struct net_pool *pool;
    struct redis *redis;                  /* NULL: there is none */
    size_t at;                            /* which of the URLs: it is connected to it, or will be */
    size_t n_left;                        /* in this delivery: addresses that took nothing */
    bool is_used;                         /* it has served a delivery before this one */
    usec_t until_us;                      /* of this delivery */
    char told_policy[32];                 /* maxmemory-policy that was told last */
    char script[REDIS_SCRIPT_NAME_BYTES]; /* what the server calls it */
};

/* A delivery begins, which ends at until_us. */
void redis_link_begin(struct redis_link *link, usec_t until_us);

/* Whether it is open, connected anew where it was not; else ret says why. */
bool redis_link_open(struct redis_link *link, struct action_outcome *ret) MUST_CHECK;
void redis_link_close(struct redis_link *link);

/* false: it is closed, and ret says why. */
bool redis_link_send(struct redis_link *link, const struct span *words, size_t n,
                     struct action_outcome *ret) MUST_CHECK;
bool redis_link_await(struct redis_link *link, const struct redis_reply **ret_reply,
                      struct action_outcome *ret) MUST_CHECK;

/* What a reply comes to for an event; the address is left where another one is to be tried, and *ret_again says to. */
enum redis_verdict redis_link_judge(struct redis_link *link, const struct redis_reply *reply,
                                    struct action_outcome *ret, bool *ret_again);

/* The connection is lost, and it may be for its age alone: another one is worth a try at once. */
bool redis_link_was_old(const struct redis_link *link);

/* ---- redis_streams.c: what is believed of each stream ---- */

struct redis_stream {
    char *key;
    bool is_known;        /* this connection has said what it ends with */
    bool is_believed;     /* it once did, and nothing was said since to the contrary */
    struct redis_id last; /* of which it is known or believed */
    bool has_missed;      /* events that were left, since it did not take them */
    uint64_t
        renewed_from; /* from this event on, entries are of the newest life: it has others in their place; 0: none */
};

struct redis_streams {
    const struct config_action *config;
    const struct action_log *log;
    struct redis_stream *v;
    size_t n;
    uint64_t walked_from;     /* from this event on all have come to the action; 0: none has yet */
    bool are_several;         /* or may be: then one that takes nothing does not hold up the others */
    usec_t lost_us, pause_us; /* when a stream had lost something, and how long nothing is published again behind that;
                                 0: none had */
};

/* The place of it in v; SIZE_MAX: no memory. Those of a batch are asked for before anything else. */
size_t redis_streams_find(struct redis_streams *streams, const char *key);
void redis_streams_trim(struct redis_streams *streams); /* before a batch: not without end */
void redis_streams_lose(struct redis_streams *streams); /* the connection is another one */
void redis_streams_free(struct redis_streams *streams);

struct redis_id redis_streams_id(const struct redis_streams *streams, const struct redis_stream *stream,
                                 uint64_t event_id);

/* Whether the stream, which is found to end so, has events that the log has not, of the life in which the event lies.
 * Then what it has under the event's id may be another one: differs says that it is, or that it has none. */
bool redis_streams_doubt(const struct redis_streams *streams, const struct redis_stream *stream, struct redis_id found,
                         uint64_t event_id);
void redis_streams_differ(struct redis_stream *stream, uint64_t event_id);

/* It has a trouble of its own, and events for it are left: they come again once it is found to end somehow. */
void redis_streams_miss(struct redis_stream *stream);

/* The stream is found to end so, before the event is added. Whether things go on from there: what is not behind it is
 * there already. Else ret says what has to be first. */
bool redis_streams_take(struct redis_streams *streams, struct redis_stream *stream, struct redis_id found,
                        uint64_t event_id, struct action_outcome *ret);

/* ---- redis_batch.c ---- */

extern const char redis_batch_script[];

/* Once, with an open link. false: what outcomes say is not all: again, with the link opened anew. *ret_too_large: one
 * of several events is too large for the server. */
bool redis_batch_deliver(struct redis_link *link, struct redis_streams *streams, const struct action_payload *payloads,
                         size_t n, struct action_outcome *outcomes, bool *ret_too_large) MUST_CHECK;
