/* streams_private.h - inside the source streams: events of other nodes, read from Redis Streams (design section 17).
 *
 * Each row of the configuration has a thread with a connection of its own. They share the way in: who uses it has the
 * lock, which the writer takes too for what was settled. A row and its streams stay until all that they handed in is
 * settled. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/sources.h>
#include <stdatomic.h>
#include <string.h>

#include "streams_entry.h"

#define STREAMS_LOOK_US (30 * USEC_PER_SEC) /* between two looks for new keys and at where streams end */
#define STREAMS_KEY_MAX_BYTES 256
#define STREAMS_MAX 1024 /* of one row */
#define STREAMS_ANSWER_US (20 * USEC_PER_SEC)

enum streams_start { STREAMS_FROM_FIRST, STREAMS_FROM_NOW };

/* An element of the configuration's list. */
struct streams_settings {
    char *name;
    char **urls;
    size_t n_urls;
    char *username, *password, *ca_file;
    uint64_t database;
    char **keys;
    size_t n_keys;
    int start; /* enum streams_start */
    char **communities;
    size_t n_communities;
};

struct streams_values {
    uint64_t entries; /* that were read for the first time */
    uint64_t events;  /* of them those that were handed in */
    uint64_t late;    /* of these those that were old when they came */
    uint64_t gaps, ours, unwanted, unreadable, connects;
    uint64_t lag;    /* entries that are not read yet, as far as is known */
    uint64_t lag_us; /* how old what was read last is, where there are some; of the stream that is furthest behind */
    uint64_t cut_us; /* by the wall clock; 0: it is connected */
    uint64_t last_event_us, last_gap_us, last_trouble_us;
};

struct streams_row;
struct streams_question;

struct streams_stream {
    struct streams_stream *next;
    struct streams_row *row;
    char key[STREAMS_KEY_MAX_BYTES + 1], node[NAME_MAX_BYTES + 1];
    struct streams_known known; /* changed under the lock, by the row's thread, like: */
    struct redis_id place;      /* behind which it is read */
    struct redis_id end;        /* as the server last said */
    struct redis_id lost;       /* up to it entries are lost, which is told; zeros: none */
    bool behind, gone;          /* the end is before what was read; it is no stream, or not to be read */
    bool taken;                 /* another row reads a stream of this key, or it is not known yet */
    bool loaded;                /* known is what the log has, or further */
    usec_t large_until_us;      /* uptime: so long it is not read, as an answer was too large for it; 0: none was */
    char why[256];              /* it is not read */
    uint64_t n_gaps;
    usec_t read_us;                       /* the time of the newest event that was read, since the start */
    size_t n_open;                        /* handed in and not settled, under the lock */
    bool unsaved;                         /* what was passed behind the last event is not kept yet */
    bool asked;                           /* for its end, on this connection */
    bool told_ours, told_bad, told_taken; /* once */
    usec_t told_lost_us;                  /* uptime; since then so many lines of lost entries: */
    unsigned n_told_lost;
    enum streams_end told_end;         /* what was told of its end */
    char foreign_log[STORE_LOG_BYTES]; /* the newest that was looked for among the lives of ours, and is none */
};

struct streams_row {
    struct streams_row *next;
    struct streams *all;
    struct streams_settings settings; /* of its own */
    pthread_t thread;
    bool running;
    int wake_fd;
    _Atomic bool stopping;
    _Atomic uint64_t n_rounds;
    uint64_t seen_rounds;

    struct net_pool *pool;      /* of its thread, like what follows */
    struct store_reader *lives; /* as far as they were there when it was opened */
    struct redis *redis;
    struct streams_question *question;
    size_t url;               /* which of them is in use */
    uint64_t n_failures;      /* of all, that it has seen */
    uint64_t n_at_once;       /* entries of a stream in one answer */
    bool one_by_one;          /* its streams are asked, since an answer of all was too large */
    unsigned n_failed;        /* connections in a row */
    bool looked;              /* for its keys, since the start */
    bool told_behind;         /* boards show that it is, since the last look */
    bool told_odd, told_full; /* of keys that are not read, once */
    usec_t look_us;
    uint64_t told_hash; /* of the last trouble that was told, and when: */
    usec_t told_us;

    struct streams_stream *list; /* changed under the lock, by its thread, like: */
    struct streams_values values;
    char host[256];
    char trouble[256]; /* the last one, also when it is over */
    bool connected;
};

static inline bool streams_is_glob(const char *key)
{
    return strpbrk(key, "*?[\\");
}

static inline bool streams_is_read(const struct streams_stream *stream)
{
    return !stream->gone && !stream->taken && !stream->large_until_us;
}

struct streams {
    struct source_parts parts;
    char *store_path;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct streams_row *rows;
    struct streams_row *leaving; /* that end, or wait for what they handed in */
    size_t n_open;
    bool paused, failed;
    uint64_t n_failures;
};

/* ---- streams_settings.c ---- */

void streams_check(const struct config *config, const void *settings, config_complain *complain, void *context);
/* false: no memory; what there is, is to be freed. */
bool streams_settings_copy(struct streams_settings *ret, const struct streams_settings *from) MUST_CHECK;
bool streams_settings_equal(const struct streams_settings *a, const struct streams_settings *b);
void streams_settings_free(struct streams_settings *settings);

/* ---- streams_row.c ---- */

void *streams_row_thread(void *row);
void streams_row_wake(const struct streams_row *row);

/* A command and its answer, within STREAMS_ANSWER_US and the time that the command itself may take. Negative: the
 * connection is of no use any more, or -ECANCELED. */
int streams_ask(struct streams_row *row, const struct span *words, size_t n_words, const struct redis_reply **ret,
                struct err *err) MUST_CHECK;
int streams_await(struct streams_row *row, const struct redis_reply **ret, struct err *err) MUST_CHECK;
void streams_tell(const struct streams_row *row, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- streams_keys.c: which streams there are, and where they end ---- */

int streams_look_for_keys(struct streams_row *row, struct err *err) MUST_CHECK;
int streams_ask_for_ends(struct streams_row *row, struct err *err) MUST_CHECK;
/* An answer about it was too large: the others go on without it for a while. */
void streams_pass_large(struct streams_stream *stream);

/* ---- streams_read.c: what they have ---- */

/* One XREAD, and what it brought. */
int streams_read(struct streams_row *row, struct err *err) MUST_CHECK;

/* What is behind the last that was read up to there is gone: told and counted, once. */
void streams_lose(struct streams_stream *stream, struct redis_id up_to);

/* ---- streams_hand_in.c: to the writer ---- */

/* -EAGAIN: something could not be stored, and all behind it comes again; -ECANCELED: the row stops. */
int streams_hand_in(struct streams_stream *stream, struct batch *take_batch, const struct streams_known *known,
                    struct err *err) MUST_CHECK;
void streams_flush(struct streams_row *row);
/* Behind -EAGAIN: waits until what failed has come back and can be tried again; then what is known is what the log
 * has, or is to be loaded. */
int streams_begin_again(struct streams_row *row, struct err *err) MUST_CHECK;
bool streams_has_failed(struct streams_row *row);
/* Its row has it, behind the others, and reads it when it is loaded. */
void streams_put(struct streams_stream *take_stream);
/* Of each stream that no other row reads, what the log has of it, when nothing of it is under way by whoever read it
 * before. */
int streams_load(struct streams_row *row, struct err *err) MUST_CHECK;
/* Of streams of which nothing is under way. */
void streams_keep_passed(struct streams_row *row);

/* Whether a life of this very log is called so: one may have begun a moment ago. context: the stream. */
int streams_is_ours(void *context, const char *log, struct err *err);

void streams_settled(void *self, void *ticket, const struct event *first, int r);
void streams_settled_all(void *self);
void streams_pause(void *self);
void streams_resume(void *self);

/* ---- streams_status.c ---- */

/* Has boards look again where that changed. */
void streams_look_for_lag(struct streams_row *row);

void streams_add_status(void *self, struct json_writer *out);
void streams_add_health(void *self, struct json_writer *out);
void streams_add_report(void *self, struct report_list *list);
void streams_add_board(void *self, const char *community, struct json_writer *out);
