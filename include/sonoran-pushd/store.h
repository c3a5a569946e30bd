/* store.h - the event log on disk: ordered, numbered, read from any point by whoever keeps a cursor.
 *
 * Shape:   an SQLite database in WAL mode: events(id, received_at, community, listener, peer, type, verdict, data,
 *          extra), cursors(action, event_id), failed(action, event_id, attempts, error, at). Ids begin at 1, grow by
 *          one and are never used again: the newest event is never deleted.
 * Units:   received_at in microseconds since 1970 UTC; keep_us, max_size_bytes.
 * Owner:   texts of a row are borrowed until the next call on its reader.
 * Threads: struct store belongs to the thread that writes; every reader has a connection and a thread of its own.
 * Errors:  negative errno and a sentence: -ENOSPC, -EIO, -EBUSY (another process), -EUCLEAN (damaged), -EMEDIUMTYPE
 *          (some other file), -EPROTONOSUPPORT (of a newer version). What failed is rolled back and can be tried again.
 * Source:  sqlite.org: wal.html, pragma.html, rescode.html; design section 10.
 */
#pragma once

#include <sonoran-pushd/event.h>

struct store;
struct store_reader;

struct store_settings {
    const char *path;
    bool durable;            /* synced to disk before commit returns; else it survives a crash of the process only */
    uint64_t keep_us;        /* 0: for ever */
    uint64_t max_size_bytes; /* 0: no limit */
};

/* Opens or makes it, brings an older schema up to date, and holds it against a second writer. */
int store_open(struct store **ret, const struct store_settings *settings, struct err *err) MUST_CHECK;
struct store *store_close(struct store *store);

/* Does what takes long in store_close, for a thread that can be left behind. */
void store_settle(struct store *store);
void store_configure(struct store *store, const struct store_settings *settings);

/* A transaction of any number of events, all or nothing. The caller numbers them from store_last_id() + 1. */
int store_begin(struct store *store, struct err *err) MUST_CHECK;
/* One that need not be on disk when store_commit returns: a crash of the process does not undo it, a power cut may. */
int store_begin_relaxed(struct store *store, struct err *err) MUST_CHECK;
int store_append(struct store *store, const struct event *event, struct err *err) MUST_CHECK;
int store_commit(struct store *store, struct err *err) MUST_CHECK;
void store_rollback(struct store *store);
uint64_t store_last_id(const struct store *store);

/* Whether it can be written, after it could not: writes so many bytes, takes them back, and commits something small. */
int store_probe(struct store *store, size_t bytes, struct err *err) MUST_CHECK;

/* A reader's place: the last event it has dealt with. -ENOENT: never set. */
int store_get_cursor(struct store *store, const char *name, uint64_t *ret_id, struct err *err) MUST_CHECK;
int store_set_cursor(struct store *store, const char *name, uint64_t id, struct err *err) MUST_CHECK;

/* The first cursor behind name in the alphabet, which is replaced: 1, or 0 if there is none. Begin with "". */
int store_next_cursor(struct store *store, char name[NAME_MAX_BYTES + 1], uint64_t *ret_id, struct err *err) MUST_CHECK;
/* With its failed deliveries. */
int store_drop_cursor(struct store *store, const char *name, struct err *err) MUST_CHECK;

/* What an action could not deliver and has passed; kept until it is delivered after all, or too old for the log. */
struct store_failure {
    const char *action;
    uint64_t event_id;
    unsigned attempts;
    const char *error;
    usec_t at_us;
};

int store_put_failed(struct store *store, const struct store_failure *failure, struct err *err) MUST_CHECK;
/* event_id 0: all of the action. */
int store_drop_failed(struct store *store, const char *action, uint64_t event_id, struct err *err) MUST_CHECK;

/* One small step of what keep and max_size ask for. Returns how many events went, 0: nothing to do now. An event
 * that a cursor has not passed goes only if max_size forces it; *ret_unread tells how many such. */
int store_trim(struct store *store, usec_t now_us, uint64_t *ret_unread, struct err *err) MUST_CHECK;

struct store_row {
    uint64_t id;
    usec_t time_us;
    const char *community, *listener, *peer, *type;
    enum event_verdict verdict;
    struct span data, extra;
    bool matches; /* what the filter asks for; false only with filter.mark */
};

/* Reads only; works while a daemon writes, and without one. */
int store_reader_open(struct store_reader **ret, const char *path, struct err *err) MUST_CHECK;
struct store_reader *store_reader_close(struct store_reader *reader);

struct store_filter {
    uint64_t after_id, last_id; /* last_id 0: no end */
    usec_t since_us, until_us;  /* until 0: no end */
    const char *type;           /* glob, NULL: any */
    const char *verdict;        /* NULL: any */
    const char *community;      /* NULL: any */
    bool mark;                  /* rows that type, verdict or community leave out come too, marked */
};

/* Begins a walk in the order of the ids; one at a time for each reader. store_read: 1 a row, 0 no more, which it stays
 * until the next store_seek. */
int store_seek(struct store_reader *reader, const struct store_filter *filter, struct err *err) MUST_CHECK;
int store_read(struct store_reader *reader, struct store_row *ret, struct err *err) MUST_CHECK;

/* A row as an event again, with its texts copied: -EINVAL where what is stored is not JSON, -ENOMEM. */
int store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret) MUST_CHECK;

/* Ends a walk early: one that is under way keeps the daemon from reusing the space of its WAL. */
void store_rest(struct store_reader *reader);

/* Where the newest n events that match begin: the id of the first of them. -ENOENT: nothing matches. */
int store_newest_n(struct store_reader *reader, const struct store_filter *filter, uint64_t n, uint64_t *ret_id,
                   struct err *err) MUST_CHECK;

/* Failed deliveries, of one action (NULL: of all), in the order of their ids; like store_seek and store_read, and
 * instead of them. */
int store_seek_failed(struct store_reader *reader, const char *action, struct err *err) MUST_CHECK;
int store_read_failed(struct store_reader *reader, struct store_failure *ret, struct err *err) MUST_CHECK;

/* Newest id; 0: empty. */
int store_newest(struct store_reader *reader, uint64_t *ret_id, struct err *err) MUST_CHECK;
