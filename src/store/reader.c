/* reader.c - walking through the log, from another thread or another process than the one that writes it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

struct store_reader {
    sqlite3 *db;
    sqlite3_stmt *walk;      /* through events; kept, because who follows the log walks often */
    sqlite3_stmt *failed;    /* the same through failed */
    sqlite3_stmt *under_way; /* one of the two; NULL: no walk */
};

static void finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

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
    return schema_check(reader->db, path, false, err);
}

/* SQLite wants to write beside a database that nobody has open, which whoever may only read cannot. With nothing in
 * the WAL everything is in the file, and a running daemon would have let us in. */
static int open_at_rest(struct store_reader *reader, const char *path, struct err *err)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    struct stat wal;
    text_addf(&name, "%s-wal", path);
    if (name.failed)
        return err_set(err, -ENOMEM, "no memory");
    if (stat(name.s, &wal) == 0 ? wal.st_size > 0 : errno != ENOENT)
        return err_set(err, -EACCES, "cannot read %s, which takes the rights of its owner or group", name.s);
    text_reset(&name);
    int r = immutable_uri(path, &name);
    return r < 0 ? err_set(err, r, "no memory") : open_file(reader, name.s, path, err);
}

static int check_file(const char *path, struct err *err)
{
    struct stat st;
    if (access(path, R_OK) < 0 || stat(path, &st) < 0)
        return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EMEDIUMTYPE, "%s is no event log: not a file", path);
    return 0;
}

int store_reader_open(struct store_reader **ret, const char *path, struct err *err)
{
    struct store_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return err_set(err, -ENOMEM, "no memory");

    int r = check_file(path, err);
    if (r >= 0)
        r = open_file(reader, path, path, err);
    if (r == -EROFS || (r == -ENOENT && reader->db))
        r = open_at_rest(reader, path, err);
    if (r < 0) {
        store_reader_close(reader);
        return r;
    }
    *ret = reader;
    return 0;
}

struct store_reader *store_reader_close(struct store_reader *reader)
{
    if (!reader)
        return NULL;
    sqlite3_finalize(reader->walk);
    sqlite3_finalize(reader->failed);
    sqlite3_close(reader->db);
    free(reader);
    return NULL;
}

static void bind_optional(sqlite3_stmt *statement, int position, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, position, text, -1, SQLITE_TRANSIENT);
}

#define MATCHES "(?4 IS NULL OR type GLOB ?4) AND (?5 IS NULL OR verdict = ?5) AND (?6 IS NULL OR community = ?6)"
#define IN_RANGE "id > ?1 AND id <= ?7 AND received_at >= ?2 AND received_at <= ?3"

static int prepare(struct store_reader *reader, const char *sql, const struct store_filter *filter, sqlite3_stmt **ret,
                   struct err *err)
{
    int code = *ret ? SQLITE_OK : sqlite3_prepare_v3(reader->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    if (code != SQLITE_OK)
        return store_problem(reader->db, code, err, "cannot read events");
    sqlite3_clear_bindings(*ret);
    sqlite3_bind_int64(*ret, 1, (sqlite3_int64) filter->after_id);
    sqlite3_bind_int64(*ret, 2, (sqlite3_int64) filter->since_us);
    sqlite3_bind_int64(*ret, 3, filter->until_us ? (sqlite3_int64) filter->until_us : INT64_MAX);
    bind_optional(*ret, 4, filter->type);
    bind_optional(*ret, 5, filter->verdict);
    bind_optional(*ret, 6, filter->community);
    sqlite3_bind_int64(*ret, 7, filter->last_id ? (sqlite3_int64) filter->last_id : INT64_MAX);
    return 0;
}

int store_seek(struct store_reader *reader, const struct store_filter *filter, struct err *err)
{
    store_rest(reader);
    int r = prepare(reader,
                    "SELECT id, received_at, community, listener, peer, type, verdict, data, extra, " MATCHES
                    " FROM events WHERE " IN_RANGE " AND (?8 OR (" MATCHES ")) ORDER BY id",
                    filter, &reader->walk, err);
    if (r < 0)
        return r;
    sqlite3_bind_int(reader->walk, 8, filter->mark);
    reader->under_way = reader->walk;
    return 0;
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

int store_newest_n(struct store_reader *reader, const struct store_filter *filter, uint64_t n, uint64_t *ret_id,
                   struct err *err)
{
    sqlite3_stmt *statement CLEANUP(finalize) = NULL;
    int r = prepare(reader,
                    "SELECT min(id) FROM (SELECT id FROM events WHERE " IN_RANGE " AND " MATCHES
                    " ORDER BY id DESC LIMIT ?8)",
                    filter, &statement, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(statement, 8, n < INT64_MAX ? (sqlite3_int64) n : INT64_MAX);
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return store_problem(reader->db, code, err, "cannot read events");
    if (sqlite3_column_type(statement, 0) == SQLITE_NULL)
        return -ENOENT;
    *ret_id = (uint64_t) sqlite3_column_int64(statement, 0);
    return 0;
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *) text : "";
}

static struct span span_of(sqlite3_stmt *statement, int column)
{
    const char *text = text_of(statement, column);
    return (struct span){ text, (size_t) sqlite3_column_bytes(statement, column) };
}

static enum event_verdict verdict_of(const char *name)
{
    for (enum event_verdict verdict = EVENT_ACCEPTED; verdict < EVENT_INVALID; verdict++)
        if (strcmp(event_verdict_name(verdict), name) == 0)
            return verdict;
    return EVENT_INVALID;
}

int store_read(struct store_reader *reader, struct store_row *ret, struct err *err)
{
    int r = step(reader, err);
    if (r <= 0)
        return r;
    *ret = (struct store_row){
        .id = (uint64_t) sqlite3_column_int64(reader->walk, 0),
        .time_us = (usec_t) sqlite3_column_int64(reader->walk, 1),
        .community = text_of(reader->walk, 2),
        .listener = text_of(reader->walk, 3),
        .peer = text_of(reader->walk, 4),
        .type = text_of(reader->walk, 5),
        .verdict = verdict_of(text_of(reader->walk, 6)),
        .data = span_of(reader->walk, 7),
        .extra = span_of(reader->walk, 8),
        .matches = sqlite3_column_int(reader->walk, 9),
    };
    return 1;
}

int store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret)
{
    struct http_origin origin;
    snprintf(origin.listener, sizeof(origin.listener), "%s", row->listener);
    snprintf(origin.peer, sizeof(origin.peer), "%s", row->peer);
    const struct event stored = {
        .id = row->id,
        .time_us = row->time_us,
        .type = row->type,
        .community = row->community,
        .origin = &origin,
        .verdict = row->verdict,
        .data_text = row->data,
        .extra_text = row->extra,
    };
    return batch_restore(ret, &stored, families);
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
    bind_optional(reader->failed, 1, action);
    reader->under_way = reader->failed;
    return 0;
}

int store_read_failed(struct store_reader *reader, struct store_failure *ret, struct err *err)
{
    int r = step(reader, err);
    if (r <= 0)
        return r;
    *ret = (struct store_failure){
        .action = text_of(reader->failed, 0),
        .event_id = (uint64_t) sqlite3_column_int64(reader->failed, 1),
        .attempts = (unsigned) sqlite3_column_int(reader->failed, 2),
        .error = text_of(reader->failed, 3),
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
