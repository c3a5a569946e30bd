/* copy.c - a whole log copied into another file, as it is at one moment, beside whoever writes it.
 *
 * By SQLite's backup inside one reading transaction: the writer goes on, each page is read once, and the WAL cannot
 * begin again for as long as that takes. Without the transaction a backup begins anew after each commit, and beside a
 * busy daemon never ends; VACUUM INTO is inside one as well, and takes longer, since it builds every table again.
 * Source: sqlite.org, c3ref/backup_finish.html, lang_vacuum.html. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

#define STEP_PAGES 1000

static int newest(sqlite3 *db, struct store_copy *ret, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    int code = sqlite3_prepare_v2(db,
                                  "SELECT (SELECT min(id) FROM events), id, received_at FROM events"
                                  " ORDER BY id DESC LIMIT 1",
                                  -1, &statement, NULL);
    if (code == SQLITE_ERROR)
        return err_set(err, -ENODATA, "there are no events in it"); /* not even their table */
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret = (struct store_copy){ .oldest_id = (uint64_t) sqlite3_column_int64(statement, 0),
                                    .newest_id = (uint64_t) sqlite3_column_int64(statement, 1),
                                    .newest_us = (usec_t) sqlite3_column_int64(statement, 2) };
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_problem(db, code, err, "cannot read events");
}

static int copy_pages(sqlite3_backup *backup, bool (*stop)(void), struct err *err)
{
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        if (stop && stop())
            return err_set(err, -ECANCELED, "asked to end");
        code = sqlite3_backup_step(backup, STEP_PAGES);
    }
    return code == SQLITE_DONE ? 0 : code;
}

/* The words for what failed are with the database that was written. */
static int copy_all(sqlite3 *from, sqlite3 *to, const char *name, bool (*stop)(void), struct err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int r = backup ? copy_pages(backup, stop, err) : sqlite3_errcode(to);
    int code = sqlite3_backup_finish(backup);
    if (r < 0)
        return r;
    return r > 0 || code != SQLITE_OK ? store_problem(to, r > 0 ? r : code, err, name) : 0;
}

/* The file is new, and whole or thrown away: no journal. At the end it is one file without a WAL. */
static int copy_to(sqlite3 *from, const char *name, const char *to, bool (*stop)(void), struct err *err)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(to, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    int r = code == SQLITE_OK ? copy_all(from, db, to, stop, err) : store_problem(db, code, err, to);
    if (r == 0 && (code = sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL)) != SQLITE_OK)
        r = store_problem(db, code, err, to);
    if (r == 0)
        r = check_database(db, name, true, err);
    sqlite3_close(db);
    return r;
}

static int sync_path(const char *path, int flags, struct stat *ret, struct err *err)
{
    int fd CLEANUP(cleanup_close) = open(path, flags | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0 || (ret && fstat(fd, ret) < 0))
        return err_set(err, -errno, "%s: %s", path, strerror(errno));
    return 0;
}

int copy_sync_folder(const char *path, struct err *err)
{
    char *copy CLEANUP(cleanup_free) = strdup(path);
    return copy ? sync_path(dirname(copy), O_RDONLY | O_DIRECTORY, NULL, err) : err_set(err, -ENOMEM, "no memory");
}

int copy_log(const char *from, const char *to, bool (*stop)(void), struct store_copy *ret, struct err *err)
{
    struct store_reader *reader = NULL;
    struct stat st = { 0 };
    int r = reader_open_any(&reader, from, err);
    if (r < 0)
        return r;
    int code = sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL);
    r = code == SQLITE_OK ? newest(reader->db, ret, err) : store_problem(reader->db, code, err, from);
    if (r == -ENODATA)
        err_wrap(err, r, "%s", from);
    if (r == 0)
        r = copy_to(reader->db, from, to, stop, err);
    if (r == 0)
        r = sync_path(to, O_RDONLY, &st, err);
    ret->bytes = (uint64_t) st.st_size;
    store_reader_close(reader);
    return r;
}
