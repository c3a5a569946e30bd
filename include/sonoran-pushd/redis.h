/* redis.h - commands to a Redis server and their replies (RESP2), over a connection of net_connection.h.
 *
 * Shape:   nothing here waits but redis_await. redis_open begins a connection; after each net_pool_wait redis_result
 *          takes it further until it is open: connected, logged in, the database chosen. Then commands go by
 *          redis_send, as many as wanted before the first reply, and redis_receive gives one reply after the other, in
 *          the order of the commands, until -EAGAIN: that also sends what waits to be sent. What an error reply comes
 *          to, redis_judge says. When to connect again, and where, is the caller's.
 * Units:   _us microseconds, times are of uptime_us; sizes are bytes.
 * Memory:  the reply that comes, at most max_reply_bytes and once more as much while it is read; what waits to be
 *          sent.
 * Owner:   settings are borrowed for the call. A reply is valid until the next call with its connection.
 * Threads: as its pool: one.
 * Errors:  negative errno and a sentence, in which the other side's words are safe to show; of a URL host and port
 *          alone, of a password nothing.
 * Source:  redis.io, "Redis serialization protocol specification", "Redis client handling"; hiredis' read.h.
 */
#pragma once

#include <sonoran-pushd/net_connection.h>

/* Of one reply: lists in lists, and all that is in them. */
#define REDIS_DEPTH_MAX 6
#define REDIS_ELEMENTS_MAX ((size_t) 1 << 18)

/* ---- whom ---- */

struct redis_settings {
    const char *url;      /* redis://host, rediss://host (TLS), both with [user[:password]@], [:port] and [/database] as
                             wanted; unix:/path */
    const char *username; /* before that of the URL; NULL: the server's "default" */
    const char *password; /* before that of the URL; NULL: none */
    uint64_t database;    /* 0: that of the URL */
    const char *ca_file;  /* as net_settings has it */
    usec_t connect_us;    /* holds twice: for the connection, and then for the login */
    size_t max_reply_bytes; /* a longer one ends the connection */
};

/* -EINVAL: "expected redis://host:6379, …". Without libcurl. */
int redis_check_url(const char *url, struct err *err) MUST_CHECK;

/* "example.org:6379", or the path of a socket: of a URL, without what is secret in it. "" where it is none. */
void redis_name_url(const char *url, char *ret, size_t size);

/* ---- replies ---- */

enum redis_type {
    REDIS_NOTHING, /* nil, of a text or of a list */
    REDIS_TEXT,    /* text: of a bulk string or a status */
    REDIS_NUMBER,
    REDIS_LIST,
    REDIS_FAULT, /* text: "WRONGTYPE Operation against …"; see redis_judge */
};

struct redis_reply {
    enum redis_type type;
    struct span text; /* a NUL behind it */
    int64_t number;
    const struct redis_reply *elements; /* one behind the other */
    size_t n_elements;
};

/* What a reply comes to for whoever sent the command. */
enum redis_verdict {
    REDIS_DONE,         /* it is no REDIS_FAULT */
    REDIS_LATER,        /* the same, again, later: OOM, MISCONF, BUSY, NOREPLICAS, too many clients, … */
    REDIS_ELSEWHERE,    /* another address may do it now, this one later: READONLY, LOADING, MASTERDOWN */
    REDIS_NO_SCRIPT,    /* NOSCRIPT: load it, and again */
    REDIS_TOO_LARGE,    /* this command never, others may */
    REDIS_NOT_THIS_KEY, /* nothing with this key before somebody changes it, or the rights to it; others may do:
                           WRONGTYPE, NOPERM of a key */
    REDIS_NEVER, /* nothing before somebody changes the server or the settings: NOAUTH, WRONGPASS, NOPERM of a command,
                    a cluster (MOVED, ASK, CROSSSLOT, CLUSTERDOWN), a command that is not known, … */
};

/* And a sentence, with what to do about it: "OOM: its memory is full (maxmemory): …"; err may be NULL. */
enum redis_verdict redis_judge(const struct redis_reply *reply, struct err *err);

/* A member of a reply that lists names and values in turn (XINFO STREAM, an entry's members, CONFIG GET). NULL: there
 * is none. */
const struct redis_reply *redis_member(const struct redis_reply *list, const char *name);

/* ---- ids of entries of streams ---- */

/* "1795449600000-1042"; of ours the epoch of a log's life in ms, and the event's id. Zeros: before all entries. */
struct redis_id {
    uint64_t ms, seq;
};

#define REDIS_ID_BYTES 42

/* false: it is none, and *ret is zeros. */
bool redis_id_read(struct span text, struct redis_id *ret);
const char *redis_id_write(struct redis_id id, char ret[REDIS_ID_BYTES]);
int redis_id_compare(struct redis_id a, struct redis_id b); /* < 0: a stands before b */

/* ---- one connection ---- */

struct redis;

/* Begins one; what is wrong with it, redis_result says. -EINVAL the URL, and net_connection_open's. */
int redis_open(struct redis **ret, struct net_pool *pool, const struct redis_settings *settings,
               struct err *err) MUST_CHECK;

/* At any time. What waits to be sent, and replies that were not received, are lost. */
struct redis *redis_close(struct redis *redis);

/* 0: it is open, or was. -EINPROGRESS: not yet, wait. Else why it never will be: as net_connection_result, and
 *   -EACCES      the login or the database is refused: *ret_verdict (may be NULL) says what to do. Else: REDIS_LATER
 *   -ETIMEDOUT   there was no answer within connect_us, or no connection
 *   -ECONNRESET  the connection ended without an answer
 *   -EPROTO      who answers does not speak RESP2 */
int redis_result(struct redis *redis, enum redis_verdict *ret_verdict, struct err *err) MUST_CHECK;

/* Uptime by which redis_result has to be asked again, though nothing came; UINT64_MAX: any. */
usec_t redis_due_us(const struct redis *redis);

/* A command, its words in order; may be sent before it is open, and goes then. What the system does not take now waits
 * here, and goes with the next redis_receive. -ENOMEM (also: more than 256 MB would wait). Of a connection that is over
 * redis_receive tells. */
int redis_send(struct redis *redis, const struct span *words, size_t n_words, struct err *err) MUST_CHECK;

/* 1: the next reply. -EAGAIN: there is none yet, or it is not open yet: wait. -ECONNRESET: it is over. -EPROTO: what
 * came is no RESP2. -EMSGSIZE: the reply is larger or deeper than it may be. -ENOMEM. Where it never will be open: as
 * redis_result. What ended it stays the answer; close it then. */
int redis_receive(struct redis *redis, const struct redis_reply **ret, struct err *err) MUST_CHECK;

/* When the last byte came; 0: never. */
usec_t redis_heard_us(const struct redis *redis);

/* redis_receive, with the waiting for it, for whoever has a pool of this connection alone. Until until_us: -ETIMEDOUT,
 * with a sentence; the connection is of no use then, as the reply may still come. -ECANCELED: cancel_fd (-1: there is
 * none) is readable. */
int redis_await(struct redis *redis, int cancel_fd, usec_t until_us, const struct redis_reply **ret,
                struct err *err) MUST_CHECK;

/* The same for redis_result, within connect_us. */
int redis_await_open(struct redis *redis, int cancel_fd, enum redis_verdict *ret_verdict, struct err *err) MUST_CHECK;
