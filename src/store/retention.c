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

static void finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

/* How many bytes are too many. */
static int excess_bytes(struct store *store, uint64_t *ret_bytes, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(finalize) = NULL;
    *ret_bytes = 0;
    if (!store->max_size_bytes)
        return 0;
    int code = sqlite3_prepare_v2(store->db,
                                  "SELECT (page_count - freelist_count) * page_size"
                                  " FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return store_problem(store->db, code, err, "cannot read");
    uint64_t bytes = (uint64_t) sqlite3_column_int64(statement, 0);
    *ret_bytes = bytes > store->max_size_bytes ? bytes - store->max_size_bytes : 0;
    return 0;
}

/* The oldest events with one number each, as many as a step takes. */
static int oldest_with(struct store *store, const char *number, int64_t first, sqlite3_stmt **ret, struct err *err)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "SELECT id, %s FROM events WHERE id >= ?1 ORDER BY id LIMIT ?2", number);
    int code = sqlite3_prepare_v2(store->db, sql, -1, ret, NULL);
    if (code != SQLITE_OK)
        return store_problem(store->db, code, err, "cannot read");
    sqlite3_bind_int64(*ret, 1, first);
    sqlite3_bind_int64(*ret, 2, STEP_EVENTS);
    return 0;
}

/* The oldest, up to the one with which this many bytes are gone. */
static int last_of_excess(struct store *store, int64_t first, uint64_t excess, int64_t *ret_last, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(finalize) = NULL;
    uint64_t bytes = 0;
    int code = SQLITE_ROW;
    int r = oldest_with(store, "coalesce(length(CAST(data AS BLOB)), 0) + coalesce(length(CAST(extra AS BLOB)), 0)",
                        first, &statement, err);
    while (r == 0 && bytes < excess && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *ret_last = sqlite3_column_int64(statement, 0);
        bytes += ROW_BYTES + (uint64_t) sqlite3_column_int64(statement, 1);
    }
    return r < 0 || code == SQLITE_ROW || code == SQLITE_DONE ? r : store_problem(store->db, code, err, "cannot read");
}

/* How many of the oldest are past keep; they stand in the order of their time. */
static int last_expired(struct store *store, int64_t first, usec_t now, int64_t *ret_last, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(finalize) = NULL;
    if (!store->keep_us || now < store->keep_us)
        return 0;
    int code = SQLITE_ROW, r = oldest_with(store, "received_at", first, &statement, err);
    while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW &&
           (usec_t) sqlite3_column_int64(statement, 1) < now - store->keep_us)
        *ret_last = sqlite3_column_int64(statement, 0);
    return r < 0 || code == SQLITE_ROW || code == SQLITE_DONE ? r : store_problem(store->db, code, err, "cannot read");
}

/* With the space given back in the same transaction: all of it happens or nothing. */
static int delete_up_to(struct store *store, int64_t id, struct err *err)
{
    int r = store_begin(store, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(store->statements[DELETE_EVENTS], 1, id);
    r = store_run(store, DELETE_EVENTS, err, "cannot delete old events");
    int n = sqlite3_changes(store->db);
    sqlite3_bind_int64(store->statements[FORGET_FAILED], 1, id);
    if (r == 0)
        r = store_run(store, FORGET_FAILED, err, "cannot delete old failed deliveries");
    if (r == 0) {
        int code = sqlite3_exec(store->db, "PRAGMA incremental_vacuum(" STEP_PAGES ")", NULL, NULL, NULL);
        r = code == SQLITE_OK ? 0 : store_problem(store->db, code, err, "cannot give space back");
    }
    if (r == 0)
        r = store_commit(store, err);
    if (r < 0)
        store_rollback(store);
    return r < 0 ? r : n;
}

int store_trim(struct store *store, usec_t now, uint64_t *ret_unread, struct err *err)
{
    int64_t oldest[2], slowest = INT64_MAX;
    uint64_t excess;
    *ret_unread = 0;
    int r = read_row(store, OLDEST, oldest, 2, err);
    if (r <= 0)
        return r;
    r = read_row(store, SLOWEST_CURSOR, &slowest, 1, err);
    if (r >= 0)
        r = excess_bytes(store, &excess, err);
    if (r < 0)
        return r;

    bool forced = excess > 0;
    int64_t last = oldest[0] - 1;
    r = forced ? last_of_excess(store, oldest[0], excess, &last, err) : last_expired(store, oldest[0], now, &last, err);
    if (r < 0)
        return r;
    if (!forced && last > slowest)
        last = slowest;
    if (last >= (int64_t) store->last_id)
        last = (int64_t) store->last_id - 1;
    if (last < oldest[0])
        return 0;

    r = delete_up_to(store, last, err);
    if (r > 0 && last > slowest)
        *ret_unread = (uint64_t) (last - (slowest > oldest[0] - 1 ? slowest : oldest[0] - 1));
    return r;
}
