/* store.c - the writing connection: opening, appending, cursors. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define SET_CHECKPOINT "PRAGMA wal_autocheckpoint = 2000" /* pages */

static const char *const sql[N_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [INSERT_EVENT] = "INSERT INTO events (id, received_at, community, listener, peer, type, verdict, data, extra)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [GET_CURSOR] = "SELECT event_id FROM cursors WHERE action = ?1",
    [SET_CURSOR] = "INSERT INTO cursors (action, event_id) VALUES (?1, ?2)"
                   " ON CONFLICT (action) DO UPDATE SET event_id = excluded.event_id",
    [NEXT_CURSOR] = "SELECT action, event_id FROM cursors WHERE action > ?1 ORDER BY action LIMIT 1",
    [DROP_CURSOR] = "DELETE FROM cursors WHERE action = ?1",
    [PUT_FAILED] = "INSERT OR REPLACE INTO failed (action, event_id, attempts, error, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    [DROP_FAILED] = "DELETE FROM failed WHERE action = ?1 AND event_id BETWEEN ?2 AND ?3",
    [FORGET_FAILED] = "DELETE FROM failed WHERE event_id <= ?1",
    [OLDEST] = "SELECT id, received_at FROM events ORDER BY id LIMIT 1",
    [SLOWEST_CURSOR] = "SELECT min(event_id) FROM cursors",
    [DELETE_EVENTS] = "DELETE FROM events WHERE id <= ?1",
    [FILL] = "INSERT INTO events (id, received_at, community, listener, peer, type, verdict, data)"
             " VALUES (?1, 0, '', '', '', '', '', hex(zeroblob(?2)))",
    [TOUCH] = "INSERT OR REPLACE INTO cursors (action, event_id) VALUES ('-probe', 0)",
    [UNTOUCH] = "DELETE FROM cursors WHERE action = '-probe'",
};

static void unlock_path(char **path)
{
    free(*path);
}

/* A second daemon on the same file would number events twice. */
static int take_lock(struct store *store, struct err *err)
{
    char *lock_path CLEANUP(unlock_path) = NULL;
    if (asprintf(&lock_path, "%s.lock", store->path) < 0) {
        lock_path = NULL;
        return err_set(err, -ENOMEM, "no memory");
    }
    store->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (store->lock_fd < 0)
        return err_set(err, -errno, "cannot open %s: %s", lock_path, strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        char holder[32] = "";
        ssize_t n = pread(store->lock_fd, holder, sizeof(holder) - 1, 0);
        holder[n > 0 ? strspn(holder, "0123456789") : 0] = '\0';
        return err_set(err, -EBUSY, "%s is in use by another %s%s%s", store->path, PROGRAM_NAME,
                       holder[0] ? ", process " : "", holder);
    }

    char self[32];
    int n = snprintf(self, sizeof(self), "%d\n", getpid());
    if (ftruncate(store->lock_fd, 0) < 0 || pwrite(store->lock_fd, self, (size_t) n, 0) != n)
        return err_set(err, -errno, "cannot write %s: %s", lock_path, strerror(errno));
    return 0;
}

/* The folder the package makes, where there is no package: the last part of the path only. */
static void make_folder(const char *path)
{
    char *folder CLEANUP(unlock_path) = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash && slash != folder) {
        *slash = '\0';
        (void) mkdir(folder, 0750);
    }
}

static int set_up(struct store *store, struct err *err)
{
    static const char *const pragmas[] = {
        "PRAGMA journal_mode = WAL",
        SET_CHECKPOINT,
        "PRAGMA journal_size_limit = 16777216",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -2048",
        "PRAGMA trusted_schema = OFF",
    };
    for (size_t i = 0; i < ARRAY_SIZE(pragmas); i++) {
        int code = sqlite3_exec(store->db, pragmas[i], NULL, NULL, NULL);
        if (code != SQLITE_OK)
            return store_problem(store->db, code, err, store->path);
    }
    return 0;
}

/* SQLite removes the write-ahead log when the last connection closes it in order. */
static bool was_left_open(const struct store *store)
{
    struct stat st;
    return stat(store->wal_path, &st) == 0 && st.st_size > 0;
}

/* Reads every page, so it is done where something may be wrong: after an end that was none. */
static int check_integrity(struct store *store, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int r = 0;
    if (code != SQLITE_ROW)
        r = store_problem(store->db, code, err, store->path);
    else if (strcmp((const char *) sqlite3_column_text(statement, 0), "ok") != 0)
        r = err_set(err, -EUCLEAN, "%s", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return r;
}

/* SQLite reads what is missing at the end as zeros. */
static int check_length(struct store *store, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    struct stat st;
    int code = sqlite3_prepare_v2(store->db, "SELECT page_size * page_count FROM pragma_page_size, pragma_page_count",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int64_t size = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    int r = code == SQLITE_ROW ? 0 : store_problem(store->db, code, err, store->path);
    sqlite3_finalize(statement);
    if (r == 0 && stat(store->path, &st) == 0 && st.st_size < size)
        r = err_set(err, -EUCLEAN, "%lld bytes of %lld are there", (long long) st.st_size, (long long) size);
    return r;
}

static int prepare(struct store *store, struct err *err)
{
    for (size_t i = 0; i < N_STATEMENTS; i++) {
        int code = sqlite3_prepare_v3(store->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);
        if (code != SQLITE_OK)
            return store_problem(store->db, code, err, store->path);
    }
    return 0;
}

static int read_last_id(struct store *store, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, "SELECT coalesce(max(id), 0) FROM events", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        store->last_id = (uint64_t) sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? 0 : store_problem(store->db, code, err, store->path);
}

static int remember(const char *path, struct stat *ret, struct err *err)
{
    return stat(path, ret) < 0 ? err_set(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

static int open_all(struct store *store, struct err *err)
{
    make_folder(store->path);
    int r = take_lock(store, err);
    if (r < 0)
        return r;
    bool left_open = was_left_open(store);
    mode_t mask = umask(0027);
    int code =
        sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    sqlite3_busy_timeout(store->db, 1000);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->db, "PRAGMA schema_version", NULL, NULL, NULL); /* makes the file */
    umask(mask);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_NOTADB)
        return store_problem(store->db, code, err, store->path);
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return err_set(err, -EROFS, "%s cannot be written: it is read-only", store->path);

    r = schema_check(store->db, store->path, true, err);
    if (r >= 0)
        r = set_up(store, err);
    if (r >= 0)
        r = left_open ? check_integrity(store, err) : check_length(store, err);
    if (r >= 0)
        r = prepare(store, err);
    if (r >= 0)
        r = read_last_id(store, err);
    if (r >= 0)
        r = remember(store->path, &store->file, err);
    return r >= 0 ? remember(store->wal_path, &store->wal_file, err) : r;
}

int store_open(struct store **ret, const struct store_settings *settings, struct err *err)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return err_set(err, -ENOMEM, "no memory");
    store->lock_fd = -1;
    store->path = strdup(settings->path);
    if (asprintf(&store->wal_path, "%s-wal", settings->path) < 0)
        store->wal_path = NULL;
    int r = store->path && store->wal_path ? open_all(store, err) : err_set(err, -ENOMEM, "no memory");
    if (r == -EUCLEAN)
        err_wrap(err, r, "%s is damaged, and is left as it is; move it away to start with an empty log", store->path);
    if (r < 0) {
        store_close(store);
        return r;
    }
    store_configure(store, settings);
    *ret = store;
    return 0;
}

void store_settle(struct store *store)
{
    sqlite3_exec(store->db, "PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL, NULL);
}

struct store *store_close(struct store *store)
{
    if (!store)
        return NULL;
    for (size_t i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    cleanup_close(&store->lock_fd);
    free(store->path);
    free(store->wal_path);
    free(store);
    return NULL;
}

/* Runs while it is prepared, so it cannot be one of the statements. */
static void set_synchronous(struct store *store, bool full)
{
    sqlite3_exec(store->db, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
}

void store_configure(struct store *store, const struct store_settings *settings)
{
    store->durable = settings->durable;
    store->keep_us = settings->keep_us;
    store->max_size_bytes = settings->max_size_bytes;
    set_synchronous(store, settings->durable);
}

int store_run(struct store *store, enum statement which, struct err *err, const char *what)
{
    sqlite3_stmt *statement = store->statements[which];
    int code = sqlite3_step(statement);
    int r = code == SQLITE_DONE ? 0 : store_problem(store->db, code, err, what);
    sqlite3_reset(statement);
    return r;
}

/* SQLite would go on writing into a file that nobody can find any more. */
static int check_file(const char *path, const struct stat *opened, struct err *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_set(err, -errno, "%s is gone: %s", path, strerror(errno));
    if (st.st_dev != opened->st_dev || st.st_ino != opened->st_ino)
        return err_set(err, -ESTALE, "%s is another file than at the start", path);
    return 0;
}

static void end_relaxed(struct store *store)
{
    if (store->relaxed)
        set_synchronous(store, true);
    store->relaxed = false;
}

int store_begin(struct store *store, struct err *err)
{
    int r = check_file(store->path, &store->file, err);
    if (r >= 0)
        r = check_file(store->wal_path, &store->wal_file, err);
    if (r < 0)
        return r;
    store->appended_id = store->last_id;
    return store_run(store, BEGIN, err, "cannot begin a transaction");
}

int store_begin_relaxed(struct store *store, struct err *err)
{
    if (store->durable)
        set_synchronous(store, false);
    store->relaxed = store->durable;
    int r = store_begin(store, err);
    if (r < 0)
        end_relaxed(store);
    return r;
}

void store_bind_text(sqlite3_stmt *statement, int position, const char *s, size_t size)
{
    sqlite3_bind_text64(statement, position, s, size, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_span(sqlite3_stmt *statement, int position, struct span span)
{
    if (span.size)
        store_bind_text(statement, position, span.s, span.size);
    else
        sqlite3_bind_null(statement, position);
}

int store_append(struct store *store, const struct event *event, struct err *err)
{
    sqlite3_stmt *statement = store->statements[INSERT_EVENT];
    const char *verdict = event_verdict_name(event->verdict);

    sqlite3_bind_int64(statement, 1, (sqlite3_int64) event->id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) event->time_us);
    store_bind_text(statement, 3, event->community, strlen(event->community));
    store_bind_text(statement, 4, event->origin->listener, strlen(event->origin->listener));
    store_bind_text(statement, 5, event->origin->peer, strlen(event->origin->peer));
    store_bind_text(statement, 6, event->type, strlen(event->type));
    store_bind_text(statement, 7, verdict, strlen(verdict));
    bind_span(statement, 8, event->data_text);
    bind_span(statement, 9, event->extra_text);
    int r = store_run(store, INSERT_EVENT, err, "cannot write an event");
    if (r == 0)
        store->appended_id = event->id;
    return r;
}

int store_commit(struct store *store, struct err *err)
{
    struct err ignored;
    int r = store_run(store, COMMIT, err, "cannot commit");
    if (r == 0) {
        store->last_id = store->appended_id;
        end_relaxed(store);
        return 0;
    }
    store_rollback(store);
    if (r == -EIO) /* perhaps of the sync alone: then all of it is in the WAL, and a kill now would bring it back */
        (void) !store_write_over(store, 1, &ignored);
    return r;
}

void store_rollback(struct store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    end_relaxed(store);
}

uint64_t store_last_id(const struct store *store)
{
    return store->last_id;
}
