/* store_private.h - inside src/store: the writing connection and what its files share. */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <sonoran-pushd/store.h>
#include <sonoran-pushd/wait.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_APPLICATION_ID 0x53505348 /* "SPSH" */
#define STORE_SCHEMA_VERSION 2

enum statement {
    BEGIN,
    COMMIT,
    INSERT_EVENT,
    INSERT_FEW_EVENTS, /* FEW_ROWS of them */
    INSERT_EVENTS,     /* ROWS_AT_ONCE of them, like: */
    INSERT_REF,
    INSERT_FEW_REFS,
    INSERT_REFS,
    FILL_EVENT,
    GET_META,
    SET_META,
    DROP_META,
    LAST_LIFE,
    INSERT_LIFE,
    GET_CURSOR,
    SET_CURSOR,
    NEXT_CURSOR,
    DROP_CURSOR,
    SET_POSITION,
    PUT_FAILED,
    DROP_FAILED,
    FORGET_FAILED,
    OLDEST,
    SLOWEST_CURSOR,
    FORGET_FILL,
    OLD_REFS,
    DELETE_REF,
    DELETE_EVENTS,
    FILL_PAGES,
    TOUCH,
    UNTOUCH,
    N_STATEMENTS
};

#define ROWS_AT_ONCE 16
#define FEW_ROWS 4

/* What finds an event: an id, or a number of a unit, which stands at the end of store->numbers. */
struct ref {
    const struct event *event;
    const char *kind;
    int64_t id;
    size_t number, number_size; /* size 0: it is the id */
};

/* Which wall time fits: fit_us at boottime fit_up_us, and from there as fast as that. */
struct store_clock {
    bool known;
    int64_t offset_us;     /* of the wall clock to boottime */
    int64_t held_since_us; /* boottime since when that has held */
    int64_t fit_us, fit_up_us;
    bool doubted; /* a jump was found, and not yet told that it is believed */
};

#define STORE_PAGE_BYTES 4096

/* The thread that copies the write-ahead log into the database. */
struct checkpoint {
    sqlite3 *db; /* its own */
    pthread_t thread;
    bool running; /* changed while it is not */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool wanted, ending; /* under the lock, like what follows. wanted: until it is done */
    int n_copied;        /* frames of the WAL that the newest one found copied, or has */
    int r;               /* of the newest one, with its sentence */
    struct err err;
};

/* In frames, which are pages: how long the WAL is, from where on it is to begin again, and what was done about it. */
struct wal {
    int n_frames, restart_frames;
    int asked_at, tried_at, settled_at;
};

/* bound.h: what stands in a parameter. */
struct bound {
    unsigned char what; /* 0: NULL, as at first */
    char s[47];
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[N_STATEMENTS];
    struct bound *bound[N_STATEMENTS]; /* for those that are bound by it */
    char *path, *wal_path;
    int lock_fd, shm_fd;        /* the second is opened when it is needed */
    struct stat file, wal_file; /* as they were opened */
    bool durable, relaxed;      /* relaxed: for the transaction under way, durable comes back after it */
    uint64_t keep_us, max_size_bytes;
    uint64_t last_id; /* committed */
    struct store_life life, life_before;
    enum store_life_news life_news;
    char boot_id[STORE_BOOT_ID_BYTES];
    bool noted;          /* meta says what a power cut could take; kept so by run.c */
    struct text scratch; /* ids as text, of the rows of one statement */
    struct ref refs[ROWS_AT_ONCE];
    size_t n_refs;
    struct text numbers;         /* of units, of these refs */
    struct failed_count *failed; /* of each action that has had any */
    size_t n_failed;
    struct store_fill_place fill;
    int64_t fill_bytes, fill_began_bytes; /* that it has added so far; in use before the step under way */
    uint64_t appended_id;                 /* in the transaction under way */
    struct store_clock clock;
    struct wal wal;
    struct checkpoint checkpoint;
    int patience_ms;
    uint64_t wal_limit_bytes; /* what it has when nobody is in its way */
    usec_t held_since_us;     /* boottime; 0: it is not */
};

struct store_reader {
    sqlite3 *db;
    sqlite3_stmt *walk;       /* through events */
    sqlite3_stmt *failed;     /* the same through failed */
    sqlite3_stmt *under_way;  /* one of the two; NULL: no walk */
    bool walk_came;           /* without what was decided */
    bool walk_told;           /* without what was sent, where that is not needed */
    bool walk_counts;         /* without who sent it and its line */
    struct store_life *lives; /* in their order */
    size_t n_lives;
    unsigned n_begun; /* by this process, when they were read */
    bool (*stop)(void);
    bool any;                        /* not only of this schema */
    char realm[REALM_MAX_BYTES + 1]; /* of the row that was read last */
};

/* For CLEANUP. */
void store_finalize(sqlite3_stmt **statement);

/* A failure of SQLite as negative errno, with SQLite's words behind what. */
int store_problem(sqlite3 *db, int code, struct err *err, const char *what);

/* statements.c: all of them, for the open connection. finalize: what there is of them, before it is closed. */
int statements_prepare(struct store *store, struct err *err) MUST_CHECK;
void statements_finalize(struct store *store);

/* store.c: a statement without rows; texts are borrowed until it has run. */
int store_run(struct store *store, enum statement which, struct err *err, const char *what) MUST_CHECK;
void store_bind_text(sqlite3_stmt *statement, int position, const char *s, size_t size);

void store_set_synchronous(struct store *store, bool full);
void store_bind_span(sqlite3_stmt *statement, int position, struct span span); /* size 0: NULL */

/* meta.c: single values that belong to the log. -ENOENT: there is none of that name. */
int meta_get(struct store *store, const char *name, char *ret, size_t size, struct err *err) MUST_CHECK;
int meta_get_number(struct store *store, const char *name, int64_t *ret, struct err *err) MUST_CHECK; /* or 0 */
int meta_set(struct store *store, const char *name, const char *value, struct err *err) MUST_CHECK;
int meta_drop(struct store *store, const char *name, struct err *err) MUST_CHECK;
int meta_set_number(struct store *store, const char *name, int64_t number, struct err *err) MUST_CHECK;

/* tries.c */
int tries_forget_began(struct store *store, const char *action, struct err *err) MUST_CHECK;

/* lives.c: which life goes on at a start, and what meta has to say while the log is written. */
int lives_open(struct store *store, const struct store_settings *settings, struct err *err) MUST_CHECK;
int lives_note_run(struct store *store, struct err *err) MUST_CHECK;
void lives_end_run(struct store *store);
int lives_note_restored(struct store *store, struct err *err) MUST_CHECK; /* for the next start */
int lives_look(struct store_reader *reader, struct err *err) MUST_CHECK;  /* whether there is another one now */
int lives_read(sqlite3 *db, struct store_life **ret, size_t *ret_n, struct err *err) MUST_CHECK;

/* row.c: the columns that a walk asks for, and the row that it stands at. */
/* When it came: of another node's event its time is that node's, and known begins with how late that was. */
#define ROW_ARRIVAL                                                                                                    \
    "received_at + CASE WHEN origin_node IS NOT NULL AND known GLOB '{\"late_s\":*' "                                  \
    "THEN 1000000 * CAST(substr(known, 11) AS INTEGER) ELSE 0 END"
#define ROW_CAME_COLUMNS                                                                                               \
    "id, received_at, source, community, listener, peer, type, verdict, type_sent, data, extra, "                      \
    "origin_node, origin_log, origin_id"
#define ROW_COUNTED_COLUMNS                                                                                            \
    "id, received_at, community, type, verdict, level, test, calls, calls911, units, known, data, extra, origin_node"
#define ROW_COLUMNS ROW_CAME_COLUMNS ", family, level, summary, calls, calls911, units, originator, record, known"
/* What was sent is not even read where a line needs it no more. */
#define ROW_SENT_IF_NEEDED(column) "CASE WHEN summary IS NULL OR verdict <> 'accepted' THEN " column " END"
#define ROW_TOLD_COLUMNS                                                                                               \
    "id, received_at, source, community, listener, peer, type, verdict, type_sent, " ROW_SENT_IF_NEEDED(               \
        "data") ", " ROW_SENT_IF_NEEDED("extra") ", origin_node, origin_log, origin_id, family, level, summary, "      \
                                                 "calls, calls911, units, originator, "                                \
                                                 "record, known, test"
void row_read(struct store_reader *reader, struct store_row *ret);
const char *store_text(sqlite3_stmt *statement, int column); /* "" for NULL */

/* append.c: what was decided; the texts are borrowed until the statement has run. Then what finds the event, written at
 * once. */
struct bound_row;
int append_bind_description(struct store *store, struct bound_row *row, const struct event *event,
                            const struct description *description) MUST_CHECK;
int append_insert_refs(struct store *store, const struct event *event, const struct description *description,
                       struct err *err) MUST_CHECK;

/* fill.c: how far that has come. */
int fill_open(struct store *store, struct err *err) MUST_CHECK;

/* failed.c: counts them. end: of a transaction. forget: in one, those of events up to id. */
int failed_open(struct store *store, struct err *err) MUST_CHECK;
void failed_end(struct store *store, bool committed);
int failed_forget(struct store *store, int64_t id, struct err *err) MUST_CHECK;
void failed_close(struct store *store);

/* size.c: of the database as its last transaction left it, in the file or still in the WAL; and how much of that is
 * free. */
int store_count_bytes(struct store *store, int64_t *ret_all, int64_t *ret_free, struct err *err) MUST_CHECK;

/* store.c: writes so many bytes into the WAL where the next transaction would stand, and rolls them back. */
int store_write_over(struct store *store, size_t bytes, struct err *err) MUST_CHECK;

/* age.c: the last event that came no later than time_us, before those that did. 1, 0: there is none. */
struct moment {
    int64_t id, time_us;
};

/* lock.c: held until the descriptor is closed, on failure too. -EBUSY: another process has it. */
int lock_take(const char *path, int *ret_fd, struct err *err) MUST_CHECK;

/* real.c: the file that a path leads to, be it there or not; the path itself where that cannot be found out, so that
 * whoever opens it meets the reason. To be freed. NULL: no memory. */
char *store_real_path(const char *path);

/* reader.c: for what does not look into the events: of an older version too, or empty. */
int reader_open_any(struct store_reader **ret, const char *path, struct err *err) MUST_CHECK;

/* aside.c: the log that is there, out of the way of another: all that is of it is in one file, which nobody else can
 * open. */
struct aside {
    sqlite3 *db; /* that keeps others out; NULL: there is none, or it is no database any more */
    bool there;
};
int aside_hold(const char *path, struct aside *ret, struct err *err) MUST_CHECK;
/* Puts copy in its place; *ret_kept is its name then. */
int aside_replace(const struct aside *aside, const char *path, const char *copy, char **ret_kept,
                  struct err *err) MUST_CHECK;
void aside_let_go(struct aside *aside);

/* leftovers.c: what a restore that was cut off has left, by whoever has the lock; a file with all that SQLite may have
 * put beside it. */
#define STORE_RESTORING ".restoring"
#define STORE_KEPT ".kept-"
void leftovers_drop(const char *path);
void leftovers_discard(const char *file);
/* The name of what stands beside a file: false where it is too long for one. */
bool leftovers_name(char ret[PATH_MAX], const char *file, const char *end);

/* check.c: the first thing that is wrong, as SQLite words it; with what quick_check finds, or all of integrity_check.
 */
int check_database(sqlite3 *db, const char *path, bool quick, struct err *err) MUST_CHECK;

/* copy.c: a log as it is now, copied into a file that is there and empty, which is checked and then synced. Beside it
 * is left nothing, but the file is whatever it became where that failed. */
int copy_log(const char *from, const char *to, bool (*stop)(void), struct store_copy *ret, struct err *err) MUST_CHECK;
int copy_sync_folder(const char *path, struct err *err) MUST_CHECK; /* that of the file */

/* checkpoint.c: one checkpoint, by either connection: whether all of the WAL is in the database now. What failed is
 * kept for store_checkpoint_result. */
bool checkpoint_run(struct checkpoint *checkpoint, sqlite3 *db, int mode);
/* Wakes the thread. false: it is at work, or there is none. */
bool checkpoint_ask(struct checkpoint *checkpoint);
/* Whether it has nothing to do, or has not after this time; and how many frames were copied when it last ended. */
bool checkpoint_rests(struct checkpoint *checkpoint, usec_t patience_us, int *ret_copied);

/* wal.c: what max_size leaves for the WAL; what is to be done before the next transaction, that it stays so; whether
 * it has grown far above that because a reader holds it. */
void wal_configure(struct store *store);
void wal_care(struct store *store);
bool wal_is_held(struct store *store, const struct store_time *now, struct store_trimmed *ret);
uint64_t wal_index_bytes(const struct store *store);
/* When there is nothing else to do: gives the file its end and cuts a WAL above its limit, which SQLite does in the
 * next transaction, and that may be hours away. The thread copies, the writer only what is left when no transaction has
 * come since; so it takes two looks. Changes *ret: wal_bytes, left. */
void wal_settle(struct store *store, uint64_t file_bytes, struct store_trimmed *ret);

/* holder.c: "sqlite3 (process 123)", or "another program" where we may not see it. By SQLite's locks on the -shm file:
 * sqlite.org, walformat.html, "WAL Locks". */
#define STORE_WRITE_LOCK 120
#define STORE_FIRST_READ_LOCK 123
#define STORE_LAST_READ_LOCK 127
void holder_find(struct store *store, off_t first, off_t last, char ret[STORE_HOLDER_BYTES]);
void holder_find_in(int fd, off_t first, off_t last, char ret[STORE_HOLDER_BYTES]); /* of any file */

/* clock.c: the time that events are too old by, never later than now. */
int clock_believe(struct store *store, const struct store_time *now, struct store_trimmed *ret, usec_t *ret_us,
                  struct err *err) MUST_CHECK;

int age_last_until(sqlite3 *db, int64_t newest_id, usec_t time_us, struct moment *ret, struct err *err) MUST_CHECK;

/* schema.c: what a file is. 1: it has to be made, or brought up to date, which only who writes is told. */
int schema_check(sqlite3 *db, const char *path, bool writable, struct err *err) MUST_CHECK;
int schema_migrate(sqlite3 *db, const char *path, struct err *err) MUST_CHECK;
