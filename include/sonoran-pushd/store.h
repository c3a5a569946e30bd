/* store.h - the event log on disk: ordered, numbered, read from any point by whoever keeps a cursor.
 *
 * Shape:   an SQLite database in WAL mode. events(id, received_at, source, community, listener, peer, type, verdict,
 *          type_sent, family, level, test, summary, calls, calls911, units, originator, record, known, data, extra,
 *          origin_node, origin_log, origin_id): what came, and what was decided about it then. Lists of ids are JSON,
 *          "[90417]"; what says nothing is NULL, summary where nothing is decided yet (rows of schema 1).
 *          refs(community, kind, ref, event_id): the events of a "call", a "911", a "unit" (by id), a "number" (of a
 *          unit, in capitals). cursors(action, event_id), failed(action, event_id, attempts, error, at),
 *          positions(source, key, value), lives(first_id, log, epoch), meta(name, value): schema, boot_id, run, node,
 *          restored (the life before, until that was told), state_after_id and state_turned_id, try:ACTION (struct
 *          store_try), began:ACTION (the event behind which it began), and while rows of schema 1 are to be filled,
 *          filled_id, fill_until_id, fill_bytes, fill_after_id and fill_turned_id.
 *          Ids begin at 1, grow by one and are never used again: the newest event is never deleted.
 * Units:   received_at in microseconds since 1970 UTC; keep_us, max_size_bytes.
 * Owner:   texts of a row are borrowed until the next call on its reader.
 * Threads: struct store belongs to the thread that writes; every reader has a connection and a thread of its own.
 * Errors:  negative errno and a sentence: -ENOSPC, -EIO, -EBUSY (another program has locked it), -EUCLEAN (damaged),
 *          -EMEDIUMTYPE (some other file), -EPROTONOSUPPORT (of a newer version). What failed is rolled back and can
 *          be tried again.
 * Source:  sqlite.org: wal.html, pragma.html, rescode.html; design sections 10 and 17.
 */
#pragma once

#include <sonoran-pushd/event.h>

struct store;
struct store_reader;

/* SQLite's, as it is in use. */
const char *store_library_version(void);

struct store_settings {
    const char *path;
    bool durable;            /* synced to disk before commit returns; else it survives a crash of the process only */
    uint64_t keep_us;        /* 0: for ever */
    uint64_t max_size_bytes; /* 0: no limit */
    const char *boot_id;     /* NULL: that of this machine */
    bool (*stop)(void);      /* asked while it is opened: true ends that with -ECANCELED. NULL: never */
};

/* Opens or makes it, brings an older schema up to date, and holds it against a second writer. */
int store_open(struct store **ret, const struct store_settings *settings, struct err *err) MUST_CHECK;
struct store *store_close(struct store *store);

/* Does what takes long in store_close, for a thread that can be left behind. */
void store_settle(struct store *store);
/* Of settings, the path is not looked at: another log is another store. Between transactions. */
void store_configure(struct store *store, const struct store_settings *settings);

/* From start to stop a thread of its own copies the write-ahead log into the database, beside the thread that writes;
 * without it the latter does that alone. Stop waits for the disk. result, from any thread: 0, or what the newest
 * attempt failed with; nothing is lost then, but the write-ahead log grows. */
int store_start_checkpoints(struct store *store, struct err *err) MUST_CHECK;
void store_stop_checkpoints(struct store *store);
int store_checkpoint_result(struct store *store, struct err *err);

/* How long store_begin waits for a lock of another program before it is -EBUSY. At first a second. */
void store_set_patience(struct store *store, usec_t patience_us);

/* A transaction of any number of events, all or nothing. The caller numbers them from store_last_id() + 1. Where begin
 * fails there is no transaction, and store_rollback does no harm; after any later failure it has to be called. */
int store_begin(struct store *store, struct err *err) MUST_CHECK;
/* One that need not be on disk when store_commit returns: a crash of the process does not undo it, a power cut may. */
int store_begin_relaxed(struct store *store, struct err *err) MUST_CHECK;
/* With its description and what finds it again; description NULL: to be filled. */
int store_append(struct store *store, const struct event *event, const struct description *description,
                 struct err *err) MUST_CHECK;

/* The same with as many as there are. */
struct store_entry {
    const struct event *event;
    const struct description *description;
};

int store_append_all(struct store *store, const struct store_entry *entries, size_t n, struct err *err) MUST_CHECK;
int store_commit(struct store *store, struct err *err) MUST_CHECK;
void store_rollback(struct store *store);
uint64_t store_last_id(const struct store *store);

/* Rows of an older version are filled with what store_append writes with a new event: those behind filled_id up to
 * until_id still wait for that. A transaction of its own; end saves how far it has come, and rolls back what fails. */
struct store_fill_place {
    uint64_t filled_id, until_id;
};

struct store_fill_place store_get_fill(const struct store *store);
int store_begin_fill(struct store *store, struct err *err) MUST_CHECK;
int store_fill(struct store *store, const struct event *event, const struct description *description,
               struct err *err) MUST_CHECK;
int store_end_fill(struct store *store, uint64_t filled_id, struct err *err) MUST_CHECK;

/* Behind which events that is told which state knows, and which its heir will know (state.h): for a start, and for the
 * state that rows are filled by. get: zeros where nothing was set. set: in the transaction under way. */
enum store_place_of { STORE_STATE, STORE_FILL_STATE };

struct store_place {
    uint64_t after_id, turned_id;
};

int store_get_place(struct store *store, enum store_place_of of, struct store_place *ret, struct err *err) MUST_CHECK;
int store_set_place(struct store *store, enum store_place_of of, const struct store_place *place,
                    struct err *err) MUST_CHECK;

#define STORE_LOG_BYTES 33
#define STORE_BOOT_ID_BYTES 40

/* A log has one or more lives: a new one begins behind the newest event when the log may be behind what it once told,
 * so that an id and its life name an event for ever. */
struct store_life {
    char log[STORE_LOG_BYTES]; /* 32 hex digits */
    uint64_t epoch_ms;         /* when it began; grows from life to life */
    uint64_t first_id;
};

enum store_life_news {
    STORE_LIFE_GOES_ON,
    STORE_LIFE_BEGUN,    /* the machine was restarted while events were not synced: some that were told may be gone */
    STORE_LIFE_RESTORED, /* the log was put back from a copy since it was last in use; of the life before: only log */
};

/* The life that goes on, and the one before it where there are news of it, which store_life_told says were told. */
enum store_life_news store_get_life(const struct store *store, struct store_life *ret, struct store_life *ret_before);
void store_life_told(struct store *store);

/* All of them, in their order; yours to free. */
int store_get_lives(const struct store *store, struct store_life **ret, size_t *ret_n, struct err *err) MUST_CHECK;

/* How this machine calls itself to others where nobody says: by its host's name when the log was made. */
int store_get_node(struct store *store, char ret[NAME_MAX_BYTES + 1], struct err *err) MUST_CHECK;

/* Begins one now, in a transaction of its own. For who puts a log in the place of another, or finds that it is behind
 * what it once told. Readers in this process know of it from their next walk on. */
int store_begin_life(struct store *store, struct err *err) MUST_CHECK;

/* Whether it can be written, after it could not: writes so many bytes, takes them back, and commits something small. */
int store_probe(struct store *store, size_t bytes, struct err *err) MUST_CHECK;

/* A reader's place: the last event it has dealt with. -ENOENT: never set. */
int store_get_cursor(struct store *store, const char *name, uint64_t *ret_id, struct err *err) MUST_CHECK;
int store_set_cursor(struct store *store, const char *name, uint64_t id, struct err *err) MUST_CHECK;

/* The first cursor behind name in the alphabet, which is replaced: 1, or 0 if there is none. Begin with "". */
int store_next_cursor(struct store *store, char name[NAME_MAX_BYTES + 1], uint64_t *ret_id, struct err *err) MUST_CHECK;

/* The event behind which an action began, when it was new; 0: not known. */
int store_get_began(struct store *store, const char *action, uint64_t *ret_id, struct err *err) MUST_CHECK;
int store_set_began(struct store *store, const char *action, uint64_t id, struct err *err) MUST_CHECK;

/* With its failed deliveries, its tries, and where it began. */
int store_drop_cursor(struct store *store, const char *name, struct err *err) MUST_CHECK;

/* What a source keeps with the log, by a key of its own. In the transaction under way. */
int store_set_position(struct store *store, const char *source, const char *key, const char *value,
                       struct err *err) MUST_CHECK;

/* An event that an action has tried to deliver, and will again: so that a restart does not begin to count anew. They
 * replace those of before; drop_cursor deletes them. get: at most room of them, yours; *ret_n: how many. */
struct store_try {
    uint64_t event_id;
    unsigned attempts;
    usec_t first_us; /* by the wall clock, as it was at the last try */
};

int store_get_tries(struct store *store, const char *action, struct store_try *ret, size_t room, size_t *ret_n,
                    struct err *err) MUST_CHECK;
int store_set_tries(struct store *store, const char *action, const struct store_try *tries, size_t n,
                    struct err *err) MUST_CHECK;

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
/* How many there are of it, without a look at the disk. */
uint64_t store_count_failed(const struct store *store, const char *action);

/* now_us() and boottime_us(), as a test may want them. */
struct store_time {
    usec_t now_us, boottime_us;
};

#define STORE_HOLDER_BYTES 48

struct store_trimmed {
    uint64_t n_events;  /* that went */
    uint64_t n_unread;  /* of them those that a cursor had not passed: only max_size forces that */
    bool for_size;      /* max_size wanted them gone, not keep */
    bool again;         /* there is more to do, so another step may follow at once */
    bool left;          /* the files are larger than they will be: look again in a while, also when nothing comes */
    int64_t jump_us;    /* the clock was found to be ahead of what fits (or, < 0, to have gone back); told once */
    bool quiet;         /* ahead at a start: so it looks too when nothing came for long */
    uint64_t wal_bytes; /* of the write-ahead log */
    uint64_t oldest_id; /* of what is left; 0: that was not looked at, like: */
    uint64_t bytes;     /* of the log's files, as max_size counts them */
    uint64_t max_bytes; /* 0: no limit */
    bool held; /* it cannot shrink, because another program reads; nothing is deleted, which it would all take */
    char held_by[STORE_HOLDER_BYTES]; /* once that is so for a minute: by whom; "": nobody */
    bool believed; /* the jump told before has held for a day, and events are too old by it from now on */
};

/* One small step of what keep and max_size ask for. Age is counted by the wall clock only where it fits: a clock ahead
 * of the newest event by more than the time that this machine is up, or one that jumps by more than an hour, deletes
 * nothing until it has held for a day. */
int store_trim(struct store *store, const struct store_time *now, struct store_trimmed *ret,
               struct err *err) MUST_CHECK;

struct store_row {
    uint64_t id;
    usec_t time_us;
    usec_t came_us;  /* the same; of another node's event when it came here, as far as the walk has known */
    const char *log; /* the life that it is of */
    const char *source, *community, *listener, *peer, *type;
    const char *realm; /* as of struct event, like: */
    struct event_home home;
    const char *type_sent; /* NULL: like type */
    enum event_verdict verdict;
    bool test;      /* of a walk with counts or told; of others it stands in extra */
    bool described; /* what was decided about it is there: */
    int level;
    const char *family;                                 /* "": of none */
    struct span summary, calls, calls911, units, known; /* ids as JSON */
    int64_t by, record;
    struct span data, extra;
};

/* Reads only; works while a daemon writes, and without one. */
int store_reader_open(struct store_reader **ret, const char *path, struct err *err) MUST_CHECK;
/* Of the log that store writes. */
int store_open_reader(const struct store *store, struct store_reader **ret, struct err *err) MUST_CHECK;
struct store_reader *store_reader_close(struct store_reader *reader);

/* What store_set_position wrote: 0, or -ENOENT. Cut to size. */
int store_get_position(struct store_reader *reader, const char *source, const char *key, char *ret, size_t size,
                       struct err *err) MUST_CHECK;

/* Something of the CAD's. A unit has an id, a number (in capitals) or both, of which either will do. Found at once in
 * rows that are described, and not in others. */
struct store_ref {
    const char *kind; /* "call", "911", "unit" */
    bool has_id;
    int64_t id;
    const char *number; /* NULL: none */
};

struct store_filter {
    uint64_t after_id, last_id;   /* last_id 0: no end */
    usec_t since_us, until_us;    /* until 0: no end */
    const char *type;             /* glob, NULL: any */
    const char *verdict;          /* NULL: any */
    const char *community;        /* by its realm; with an "@" a glob, but not beside refs; NULL: any */
    const struct store_ref *refs; /* only those that concern all of these, of the community that is named */
    size_t n_refs;
    bool came;   /* of each row only what came, which is read faster, as if nothing was decided about it */
    bool told;   /* without data and extra of what was accepted and is described, which are not read at all then */
    bool counts; /* of each row only what is counted, as fast: without who sent it, type_sent, and its line */
};

/* Begins a walk in the order of the ids; one at a time for each reader. store_read: 1 a row, 0 no more, which it stays
 * until the next store_seek. */
int store_seek(struct store_reader *reader, const struct store_filter *filter, struct err *err) MUST_CHECK;
int store_read(struct store_reader *reader, struct store_row *ret, struct err *err) MUST_CHECK;

/* Behind which id the events begin that came later than time_us; 0: all of them did. Found with a few looks, by the
 * order of the ids: a clock that was set in between moves the place, so whoever must not miss any looks at each time.
 */
int store_last_until(struct store_reader *reader, usec_t time_us, uint64_t *ret_id, struct err *err) MUST_CHECK;

/* Whether a life of the log is called so, as of when the reader was opened, or began its last walk. From any thread, as
 * long as it is open and begins none. */
bool store_has_life(const struct store_reader *reader, const char *log);

/* Asked now and then while this reader works: true ends it with -ECANCELED. */
void store_stop_if(struct store_reader *reader, bool (*stop)(void));

/* Reads all of a log for damage, beside a daemon or without one: 0, or -EUCLEAN and the first thing that is wrong.
 * A start does not do it, since it takes as long as the disk takes for the whole file. */
int store_check(const char *path, struct err *err) MUST_CHECK;

/* What a copy of a log has; newest_id 0: no event. */
struct store_copy {
    uint64_t oldest_id, newest_id;
    usec_t newest_us;
    uint64_t bytes; /* of the file */
};

/* The log as it is at this moment, in a new file of mode 0600, which gets its name when it is whole, checked and
 * synced; beside a daemon, which goes on meanwhile, or without one. stop is asked now and then: true ends it with
 * -ECANCELED. -EEXIST: there is something of that name, which is left as it is. */
int store_backup(const char *path, const char *to, bool (*stop)(void), struct store_copy *ret,
                 struct err *err) MUST_CHECK;

struct store_restored {
    struct store_copy copy;
    uint64_t kept_newest_id; /* of the log that was there, where it could be read; else 0 */
    char *kept;              /* what that is called now; NULL: there was none. To be freed. */
    struct store_life life;  /* the new one, which the next event belongs to */
};

/* Puts a copy in the place of the log at path, and begins a new life of it there. The log that was there is kept under
 * another name. -EBUSY: a daemon runs on it; -EAGAIN: another program has it open. A kill at any moment leaves the old
 * log or the new one; what else it leaves goes at the next start or restore. */
int store_restore(const char *path, const char *from, bool (*stop)(void), struct store_restored *ret,
                  struct err *err) MUST_CHECK;

/* A log that was put aside so, with what belongs to it. */
struct store_kept {
    char *path;
    uint64_t bytes;
};

/* In the order of their names, which is that of their times. Also on failure they are to be freed. */
int store_list_kept(const char *path, struct store_kept **ret, size_t *ret_n) MUST_CHECK;
void store_free_kept(struct store_kept *kept, size_t n);

/* Whether what store_open (or reading at a start) failed with stays until somebody does something about the file: no
 * restart heals it. */
bool store_needs_help(int r);

/* What a row tells of its event without parsing what was sent. It and ret_origin borrow from the row. */
struct event store_row_event(const struct store_row *row, struct origin *ret_origin);

/* A row as an event again, with its texts copied: -EINVAL where what is stored is not JSON, -ENOMEM. */
int store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret) MUST_CHECK;

/* What was decided about it when it came; of a row that has nothing yet, what its event says by itself. */
void store_row_describe(const struct store_row *row, const struct event *event, struct description *ret);

/* Ends a walk early: one that is under way keeps the daemon from reusing the space of its WAL. */
void store_rest(struct store_reader *reader);

/* Where the newest *n events that match begin: the id of the first of them, and how many there are of so many.
 * -ENOENT: nothing matches. */
int store_newest_n(struct store_reader *reader, const struct store_filter *filter, uint64_t *n, uint64_t *ret_id,
                   struct err *err) MUST_CHECK;

/* Failed deliveries, of one action (NULL: of all), in the order of their ids; like store_seek and store_read, and
 * instead of them. */
int store_seek_failed(struct store_reader *reader, const char *action, struct err *err) MUST_CHECK;
int store_read_failed(struct store_reader *reader, struct store_failure *ret, struct err *err) MUST_CHECK;

/* 1: the rows behind *ret_after_id up to *ret_until_id are of an older version and not described yet. 0: none. */
int store_get_unfilled(struct store_reader *reader, uint64_t *ret_after_id, uint64_t *ret_until_id,
                       struct err *err) MUST_CHECK;

/* The first community (its realm) behind name in the alphabet of which something can be found, which is replaced: 1, or
 * 0 if there is none. Begin with "". */
int store_next_community(struct store_reader *reader, char name[REALM_MAX_BYTES + 1], struct err *err) MUST_CHECK;

/* Newest id; 0: empty. */
int store_newest(struct store_reader *reader, uint64_t *ret_id, struct err *err) MUST_CHECK;
