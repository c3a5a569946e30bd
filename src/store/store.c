/* store.c - the writing connection: opening it, and its transactions. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

#define START_PATIENCE_US USEC_PER_SEC

/* The folder the package makes, where there is no package: the last part of the path only. */
static void make_folder(const char *path)
{
    char *folder CLEANUP(cleanup_free) = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash && slash != folder) {
        *slash = '\0';
        (void) mkdir(folder, 0750);
    }
}

/* One that counts was rolled back when the file was read; in WAL mode there is no other. */
static void drop_journal(const char *path)
{
    char name[PATH_MAX];
    if (leftovers_name(name, path, "-journal"))
        (void) unlink(name);
}

static int set_up(struct store *store, struct err *err)
{
    static const char *const pragmas[] = {
        "PRAGMA journal_mode = WAL",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -2048",
        "PRAGMA trusted_schema = OFF",
    };
    for (size_t i = 0; i < ARRAY_SIZE(pragmas); i++) {
        int code = sqlite3_exec(store->db, pragmas[i], NULL, NULL, NULL);
        if (code != SQLITE_OK)
            return store_problem(store->db, code, err, store->path);
    }
    drop_journal(store->path);
    return 0;
}

/* SQLite removes the write-ahead log when the last connection closes it in order. Else some pages are there only. */
static bool was_left_open(const struct store *store)
{
    struct stat st;
    return stat(store->wal_path, &st) == 0 && st.st_size > 0;
}

/* SQLite reads what an unclean end left in one go, and cannot be asked to stop meanwhile. Here that is possible, and
 * what was read before, from the system's memory, SQLite reads quickly. */
static int warm_up(struct store *store, bool (*stop)(void), struct err *err)
{
    static char chunk[256 << 10];
    int fd CLEANUP(cleanup_close) = open(store->wal_path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && stop && read(fd, chunk, sizeof(chunk)) > 0)
        if (stop())
            return err_set(err, -ECANCELED, "asked to end");
    return 0;
}

/* SQLite reads what is missing at the end as zeros. */
static int check_length(struct store *store, struct err *err)
{
    struct stat st;
    int64_t size, unused;
    int r = store_count_bytes(store, &size, &unused, err);
    if (r == 0 && stat(store->path, &st) == 0 && st.st_size < size)
        r = err_set(err, -EUCLEAN, "%lld bytes of %lld are there", (long long) st.st_size, (long long) size);
    return r;
}

static int read_last_id(struct store *store, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    int code = sqlite3_prepare_v2(store->db, "SELECT max(coalesce(max(id), 0), 0) FROM events", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return store_problem(store->db, code, err, store->path);
    store->last_id = (uint64_t) sqlite3_column_int64(statement, 0);
    if (store->last_id == INT64_MAX) /* the daemon gives them one by one */
        return err_set(err, -EUCLEAN, "its newest event has the last number that there is");
    return 0;
}

static int remember(const char *path, struct stat *ret, struct err *err)
{
    return stat(path, ret) < 0 ? err_set(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

static int open_all(struct store *store, const struct store_settings *settings, struct err *err)
{
    int r = lock_take(store->path, &store->lock_fd, err);
    if (r < 0)
        return r;
    leftovers_drop(store->path);
    bool complete = !was_left_open(store);
    if (!complete && (r = warm_up(store, settings->stop, err)) < 0)
        return r;
    mode_t mask = umask(0027);
    int code =
        sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK) /* else there may be none at all */
        store_set_patience(store, START_PATIENCE_US);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->db, "PRAGMA schema_version", NULL, NULL, NULL); /* makes the file */
    umask(mask);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_NOTADB)
        return store_problem(store->db, code, err, store->path);
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return err_set(err, -EROFS, "%s cannot be written: it is read-only", store->path);

    r = schema_check(store->db, store->path, true, err);
    bool old = r > 0;
    if (r >= 0 && complete)
        r = check_length(store, err);
    if (r >= 0 && old)
        r = schema_migrate(store->db, store->path, err);
    if (r >= 0)
        r = set_up(store, err);
    if (r >= 0)
        r = statements_prepare(store, err);
    if (r >= 0)
        r = read_last_id(store, err);
    if (r >= 0)
        r = lives_open(store, settings, err);
    if (r >= 0)
        r = fill_open(store, err);
    if (r >= 0)
        r = failed_open(store, err);
    if (r >= 0)
        r = remember(store->path, &store->file, err);
    return r >= 0 ? remember(store->wal_path, &store->wal_file, err) : r;
}

/* Nobody asks SQLite how much memory it has, and counting that takes a lock of all threads for each piece of it.
 * Pages are not taken ahead of need, which would be 80 KiB for each connection. Without effect where SQLite is in use
 * already. */
static void set_up_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

int store_open(struct store **ret, const struct store_settings *settings, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up_library);
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return err_set(err, -ENOMEM, "no memory");
    store->lock_fd = store->shm_fd = -1;
    store->wal.settled_at = -1; /* what an earlier run left is looked at as what comes now */
    store->scratch = store->numbers = (struct text) TEXT_INIT;
    pthread_mutex_init(&store->checkpoint.lock, NULL);
    pthread_cond_init(&store->checkpoint.changed, NULL);
    make_folder(settings->path);
    store->path = store_real_path(settings->path);
    if (!store->path || asprintf(&store->wal_path, "%s-wal", store->path) < 0)
        store->wal_path = NULL;
    int r = store->path && store->wal_path ? open_all(store, settings, err) : err_set(err, -ENOMEM, "no memory");
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
    lives_end_run(store);
    statements_finalize(store);
    store_stop_checkpoints(store);
    sqlite3_close(store->db);
    text_free(&store->scratch);
    text_free(&store->numbers);
    pthread_cond_destroy(&store->checkpoint.changed);
    pthread_mutex_destroy(&store->checkpoint.lock);
    cleanup_close(&store->shm_fd);
    cleanup_close(&store->lock_fd);
    failed_close(store);
    free(store->path);
    free(store->wal_path);
    free(store);
    return NULL;
}

/* Runs while it is prepared, so it cannot be one of the statements. */
void store_set_synchronous(struct store *store, bool full)
{
    sqlite3_exec(store->db, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
}

void store_configure(struct store *store, const struct store_settings *settings)
{
    struct err later;
    store->durable = settings->durable;
    store->keep_us = settings->keep_us;
    store->max_size_bytes = settings->max_size_bytes;
    wal_configure(store);
    store_set_synchronous(store, settings->durable);
    (void) !lives_note_run(store, &later); /* store_begin tries again */
}

void store_set_patience(struct store *store, usec_t patience_us)
{
    store->patience_ms = (int) (patience_us / USEC_PER_MSEC);
    sqlite3_busy_timeout(store->db, store->patience_ms);
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
        store_set_synchronous(store, true);
    store->relaxed = false;
}

int store_begin(struct store *store, struct err *err)
{
    int r = check_file(store->path, &store->file, err);
    if (r >= 0)
        r = check_file(store->wal_path, &store->wal_file, err);
    if (r >= 0 && !store->noted)
        r = lives_note_run(store, err);
    if (r < 0)
        return r;
    wal_care(store);
    store->appended_id = store->last_id;
    r = store_run(store, BEGIN, err, "cannot begin a transaction");
    if (r != -EBUSY)
        return r;
    char holder[STORE_HOLDER_BYTES];
    holder_find(store, STORE_WRITE_LOCK, STORE_WRITE_LOCK, holder);
    return err_set(err, r, "%s holds a lock on the event log", holder);
}

int store_begin_relaxed(struct store *store, struct err *err)
{
    if (store->durable)
        store_set_synchronous(store, false);
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

void store_bind_span(sqlite3_stmt *statement, int position, struct span span)
{
    if (span.size)
        store_bind_text(statement, position, span.s, span.size);
    else
        sqlite3_bind_null(statement, position);
}

void store_rollback(struct store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    failed_end(store, false);
    end_relaxed(store);
}

int store_write_over(struct store *store, size_t bytes, struct err *err)
{
    sqlite3_stmt *statement = store->statements[FILL_PAGES];
    int r = store_begin(store, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64) store->last_id + 1);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) (bytes / 2 + 1));
    r = store_run(store, FILL_PAGES, err, "cannot write");
    if (r == 0) {
        int code = sqlite3_db_cacheflush(store->db);
        r = code == SQLITE_OK ? 0 : store_problem(store->db, code, err, "cannot write");
    }
    store_rollback(store);
    return r;
}

int store_commit(struct store *store, struct err *err)
{
    struct err ignored;
    int r = store_run(store, COMMIT, err, "cannot commit");
    if (r == 0) {
        store->last_id = store->appended_id;
        failed_end(store, true);
        end_relaxed(store);
        return 0;
    }
    store_rollback(store);
    if (r == -EIO) /* perhaps of the sync alone: then all of it is in the WAL, and a kill now would bring it back */
        (void) !store_write_over(store, 1, &ignored);
    return r;
}

const char *store_library_version(void)
{
    return sqlite3_libversion();
}

uint64_t store_last_id(const struct store *store)
{
    return store->last_id;
}
