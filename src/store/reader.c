/* reader.c - walking through the log, from another thread or another process than the one that writes it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

#define STOP_STEPS 2000 /* of SQLite's machine: some milliseconds, where the disk is quick */

/* A path as the URI that asks for a file that nobody changes. */
static int immutable_uri(const char *path, struct text *ret)
{
    text_add(ret, *path == '/' ? "file://" : "file:");
    for (const char *p = path; *p; p++)
        if (*p == '%' || *p == '?' || *p == '#')
            text_addf(ret, "%%%02X", (unsigned char) *p);
        else
            text_add_bytes(ret, p, 1);
    text_add(ret, "?immutable=1");
    return ret->failed ? -ENOMEM : 0;
}

static int open_file(struct store_reader *reader, const char *name, const char *path, struct err *err)
{
    sqlite3_close(reader->db);
    reader->db = NULL;
    int code = sqlite3_open_v2(name, &reader->db,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                                   SQLITE_OPEN_URI * (name != path),
                               NULL);
    if (code != SQLITE_OK)
        return store_problem(reader->db, code, err, path);
    sqlite3_busy_timeout(reader->db, 2000);
    sqlite3_exec(reader->db, "PRAGMA cache_size = -512", NULL, NULL, NULL);
    return schema_check(reader->db, path, reader->any, err);
}

/* SQLite wants to write beside a database that nobody has open, which whoever may only read cannot. With nothing in
 * the WAL everything is in the file, and a running daemon would have let us in. */
static int open_at_rest(struct store_reader *reader, const char *path, struct err *err)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    char *real CLEANUP(cleanup_free) = store_real_path(path);
    struct stat wal;
    text_addf(&name, "%s-wal", real ? real : path);
    if (name.failed || !real)
        return err_set(err, -ENOMEM, "no memory");
    if (stat(name.s, &wal) == 0 ? wal.st_size > 0 : errno != ENOENT)
        return err_set(err, -EACCES, "cannot read %s, which takes the rights of its owner or group", name.s);
    text_reset(&name);
    int r = immutable_uri(path, &name);
    return r < 0 ? err_set(err, r, "no memory") : open_file(reader, name.s, path, err);
}

static int check_file(const char *path, bool of_daemon, struct err *err)
{
    struct stat st;
    if (access(path, R_OK) < 0 || stat(path, &st) < 0) {
        int problem = errno;
        const char *why = of_daemon                             ? "" /* it was there, and is gone */
                          : problem == ENOENT                   ? "; the daemon makes it at its first start"
                          : problem == EACCES && geteuid() != 0 ? "; it is for root and the daemon alone"
                                                                : "";
        return err_set(err, -problem, "cannot read %s: %s%s", path, strerror(problem), why);
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EMEDIUMTYPE, "%s is no event log: not a file", path);
    return 0;
}

static int open_reader(struct store_reader **ret, const char *path, bool any, bool of_daemon, struct err *err)
{
    struct store_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return err_set(err, -ENOMEM, "no memory");

    reader->any = any;
    int r = check_file(path, of_daemon, err);
    if (r >= 0)
        r = open_file(reader, path, path, err);
    if (r == -EROFS || (r == -ENOENT && reader->db))
        r = open_at_rest(reader, path, err);
    if (r >= 0)
        r = lives_look(reader, err);
    if (r < 0) {
        store_reader_close(reader);
        return r;
    }
    *ret = reader;
    return 0;
}

int store_reader_open(struct store_reader **ret, const char *path, struct err *err)
{
    return open_reader(ret, path, false, false, err);
}

int reader_open_any(struct store_reader **ret, const char *path, struct err *err)
{
    return open_reader(ret, path, true, false, err);
}

int store_open_reader(const struct store *store, struct store_reader **ret, struct err *err)
{
    return open_reader(ret, store->path, false, true, err);
}

struct store_reader *store_reader_close(struct store_reader *reader)
{
    if (!reader)
        return NULL;
    sqlite3_finalize(reader->walk);
    sqlite3_finalize(reader->failed);
    sqlite3_close(reader->db);
    free(reader->lives);
    free(reader);
    return NULL;
}

int store_last_until(struct store_reader *reader, usec_t time_us, uint64_t *ret_id, struct err *err)
{
    uint64_t newest = 0;
    struct moment last = { 0 };
    int r = store_newest(reader, &newest, err);
    if (r >= 0)
        r = age_last_until(reader->db, (int64_t) newest, time_us, &last, err);
    *ret_id = (uint64_t) last.id;
    return r < 0 ? r : 0;
}

bool store_has_life(const struct store_reader *reader, const char *log)
{
    for (size_t i = 0; i < reader->n_lives; i++)
        if (strcmp(reader->lives[i].log, log) == 0)
            return true;
    return false;
}

static int ask_to_stop(void *userdata)
{
    const struct store_reader *reader = userdata;
    return reader->stop();
}

void store_stop_if(struct store_reader *reader, bool (*stop)(void))
{
    reader->stop = stop;
    sqlite3_progress_handler(reader->db, STOP_STEPS, ask_to_stop, reader);
}

void store_rest(struct store_reader *reader)
{
    if (reader->under_way)
        sqlite3_reset(reader->under_way);
    reader->under_way = NULL;
}

/* One row more: 1, or 0 and the end of the walk. */
static int step(struct store_reader *reader, struct err *err)
{
    if (!reader->under_way)
        return 0;
    int code = sqlite3_step(reader->under_way);
    if (code == SQLITE_ROW)
        return 1;
    int r = code == SQLITE_DONE ? 0 : store_problem(reader->db, code, err, "cannot read events");
    store_rest(reader);
    return r;
}

const char *store_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *) text : "";
}

int store_read(struct store_reader *reader, struct store_row *ret, struct err *err)
{
    assert(!reader->under_way || reader->under_way == reader->walk);
    int r = step(reader, err);
    if (r > 0)
        row_read(reader, ret);
    return r;
}

int store_seek_failed(struct store_reader *reader, const char *action, struct err *err)
{
    store_rest(reader);
    int code = reader->failed ? SQLITE_OK
                              : sqlite3_prepare_v2(reader->db,
                                                   "SELECT action, event_id, attempts, error, at FROM failed"
                                                   " WHERE ?1 IS NULL OR action = ?1 ORDER BY event_id, action",
                                                   -1, &reader->failed, NULL);
    if (code != SQLITE_OK)
        return store_problem(reader->db, code, err, "cannot read failed deliveries");
    sqlite3_clear_bindings(reader->failed);
    if (action)
        sqlite3_bind_text(reader->failed, 1, action, -1, SQLITE_TRANSIENT);
    reader->under_way = reader->failed;
    return 0;
}

int store_read_failed(struct store_reader *reader, struct store_failure *ret, struct err *err)
{
    assert(!reader->under_way || reader->under_way == reader->failed);
    int r = step(reader, err);
    if (r <= 0)
        return r;
    *ret = (struct store_failure){
        .action = store_text(reader->failed, 0),
        .event_id = (uint64_t) sqlite3_column_int64(reader->failed, 1),
        .attempts = (unsigned) sqlite3_column_int(reader->failed, 2),
        .error = store_text(reader->failed, 3),
        .at_us = (usec_t) sqlite3_column_int64(reader->failed, 4),
    };
    return 1;
}

int store_newest(struct store_reader *reader, uint64_t *ret_id, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(reader->db, "SELECT coalesce(max(id), 0) FROM events", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret_id = (uint64_t) sqlite3_column_int64(statement, 0);
    int r = code == SQLITE_ROW ? 0 : store_problem(reader->db, code, err, "cannot read events");
    sqlite3_finalize(statement);
    return r;
}

int store_get_unfilled(struct store_reader *reader, uint64_t *ret_after_id, uint64_t *ret_until_id, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    int code = sqlite3_prepare_v2(reader->db,
                                  "SELECT (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'filled_id'),"
                                  " (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'fill_until_id')",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return store_problem(reader->db, code, err, "cannot read what belongs to the log");
    *ret_after_id = (uint64_t) sqlite3_column_int64(statement, 0);
    *ret_until_id = (uint64_t) sqlite3_column_int64(statement, 1);
    return *ret_after_id < *ret_until_id;
}

/* The second half is there while rows are to be filled: they are in no ref, and all of them are read for it. */
int store_next_community(struct store_reader *reader, char name[REALM_MAX_BYTES + 1], struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    uint64_t after_id, until_id;
    int r = store_get_unfilled(reader, &after_id, &until_id, err);
    if (r < 0)
        return r;
    int code = sqlite3_prepare_v2(reader->db,
                                  r ? "SELECT min(name) FROM (SELECT min(community) AS name FROM refs WHERE community"
                                      " > ?1 UNION ALL SELECT min(community) FROM events WHERE id > ?2 AND id <= ?3"
                                      " AND community > ?1)"
                                    : "SELECT min(community) FROM refs WHERE community > ?1",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64) after_id);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64) until_id);
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_ROW)
        return store_problem(reader->db, code, err, "cannot read the communities");
    bool is_one = sqlite3_column_type(statement, 0) != SQLITE_NULL;
    const char *found = store_text(statement, 0);
    if (is_one && (strlen(found) > REALM_MAX_BYTES || strcmp(found, name) <= 0)) /* it would be found for ever */
        return err_set(err, -EUCLEAN, "the log has a community whose name is none");
    text_copy(name, REALM_MAX_BYTES + 1, found);
    return is_one;
}
