/* retention.c - what keep and max_size ask for, in steps small enough that no commit waits for them. */
#include <errno.h>

#include "private.h"

#define STEP_EVENTS 500
#define STEP_PAGES "200"
#define ROW_BYTES 100 /* of a row without its data */

static int read_row(struct store *store, enum statement which, int64_t *ret, int n, struct err *err)
{
    sqlite3_stmt *statement = store->statements[which];
    int code = sqlite3_step(statement);
    for (int i = 0; code == SQLITE_ROW && i < n; i++)
        ret[i] = sqlite3_column_type(statement, i) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(statement, i);
    int r = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : store_problem(store->db, code, err, "cannot read");
    sqlite3_reset(statement);
    return r;
}

static int64_t pragma_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* How many bytes are too many. */
static uint64_t excess_bytes(struct store *store)
{
    if (!store->max_size_bytes)
        return 0;
    int64_t pages = pragma_number(store->db, "PRAGMA page_count") - pragma_number(store->db, "PRAGMA freelist_count");
    uint64_t bytes = (uint64_t) (pages * pragma_number(store->db, "PRAGMA page_size"));
    return bytes > store->max_size_bytes ? bytes - store->max_size_bytes : 0;
}

/* The oldest, up to the one with which this many bytes are gone. */
static int64_t last_of_excess(struct store *store, int64_t first, uint64_t excess)
{
    sqlite3_stmt *statement = NULL;
    int64_t last = first;
    uint64_t bytes = 0;
    if (sqlite3_prepare_v2(store->db,
                           "SELECT id, coalesce(length(CAST(data AS BLOB)), 0) +"
                           " coalesce(length(CAST(extra AS BLOB)), 0) FROM events WHERE id >= ?1 ORDER BY id LIMIT ?2",
                           -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, first);
        sqlite3_bind_int64(statement, 2, STEP_EVENTS);
        while (bytes < excess && sqlite3_step(statement) == SQLITE_ROW) {
            last = sqlite3_column_int64(statement, 0);
            bytes += ROW_BYTES + (uint64_t) sqlite3_column_int64(statement, 1);
        }
    }
    sqlite3_finalize(statement);
    return last;
}

static int delete_up_to(struct store *store, int64_t id, struct err *err)
{
    sqlite3_stmt *statement = store->statements[DELETE_EVENTS];
    sqlite3_bind_int64(statement, 1, id);
    int code = sqlite3_step(statement);
    int r = code == SQLITE_DONE ? sqlite3_changes(store->db)
                                : store_problem(store->db, code, err, "cannot delete old events");
    sqlite3_reset(statement);
    return r;
}

/* How many of the oldest are past keep; they stand in the order of their time. */
static int64_t last_expired(struct store *store, int64_t first, usec_t now)
{
    sqlite3_stmt *statement = NULL;
    int64_t last = first - 1;
    if (!store->keep_us || now < store->keep_us)
        return last;
    if (sqlite3_prepare_v2(store->db, "SELECT id, received_at FROM events WHERE id >= ?1 ORDER BY id LIMIT ?2", -1,
                           &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, first);
        sqlite3_bind_int64(statement, 2, STEP_EVENTS);
        while (sqlite3_step(statement) == SQLITE_ROW &&
               (usec_t) sqlite3_column_int64(statement, 1) < now - store->keep_us)
            last = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return last;
}

int store_trim(struct store *store, usec_t now, uint64_t *ret_unread, struct err *err)
{
    int64_t oldest[2], slowest = INT64_MAX;
    *ret_unread = 0;
    int r = read_row(store, OLDEST, oldest, 2, err);
    if (r <= 0)
        return r;
    r = read_row(store, SLOWEST_CURSOR, &slowest, 1, err);
    if (r < 0)
        return r;

    uint64_t excess = excess_bytes(store);
    bool forced = excess > 0;
    int64_t last = forced ? last_of_excess(store, oldest[0], excess) : last_expired(store, oldest[0], now);
    if (!forced && last > slowest)
        last = slowest;
    if (last >= (int64_t) store->last_id)
        last = (int64_t) store->last_id - 1;
    if (last < oldest[0])
        return 0;

    r = delete_up_to(store, last, err);
    if (r > 0 && last > slowest)
        *ret_unread = (uint64_t) (last - (slowest > oldest[0] - 1 ? slowest : oldest[0] - 1));
    sqlite3_exec(store->db, "PRAGMA incremental_vacuum(" STEP_PAGES ")", NULL, NULL, NULL);
    return r;
}
