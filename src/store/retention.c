/* retention.c - what keep and max_size ask for, in steps small enough that no commit waits for them. */
#include <errno.h>

#include "store_private.h"

#define STEP_EVENTS 500
#define STEP_PAGES ((uint64_t) 200)

/* What a row takes with what finds it, rather too much than too little: then a step ends early, and the next one sees
 * what is left. A unit may be found by its number as well as by its id. */
#define BYTES(column) "coalesce(length(CAST(" column " AS BLOB)), 0)"
#define IDS(column) "coalesce(length(" column ") - length(replace(" column ", ',', '')) + 1, 0)"
#define TEXT_BYTES                                                                                                     \
    BYTES("community")                                                                                                 \
    " + " BYTES("listener") " + " BYTES("peer") " + " BYTES("type") " + " BYTES("summary") " + " BYTES(                \
        "calls") " + " BYTES("calls911") " + " BYTES("units") " + " BYTES("known") " + " BYTES("data") " + " BYTES("e" \
                                                                                                                   "x" \
                                                                                                                   "t" \
                                                                                                                   "r" \
                                                                                                                   "a")
#define REFS_BYTES "(30 + length(community)) * (" IDS("calls") " + " IDS("calls911") " + 2 * " IDS("units") ")"
#define OTHER_BYTES 70   /* of a row: numbers, the shorter texts, where it stands */
#define ROWS_OF_A_PAGE 2 /* a row that is larger than such a part of a page begins one, and fills its last */

/* So that a step of a small log does not make a large WAL. */
static uint64_t step_bytes(const struct store *store)
{
    return store->wal_limit_bytes / 4;
}

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

/* What the files have, and how much of it is in use: what is deleted is given back step by step. What fill.c has added
 * is in neither. */
struct sizes {
    uint64_t file;      /* without the WAL, once that is copied */
    uint64_t used, all; /* with the WAL, which wal_settle cuts to its limit, and its index */
};

static int read_sizes(struct store *store, uint64_t wal_bytes, struct sizes *ret, struct err *err)
{
    int64_t all, unused;
    int r = store_count_bytes(store, &all, &unused, err);
    if (r < 0)
        return r;
    ret->file = (uint64_t) all;
    ret->all =
        ret->file + wal_index_bytes(store) + (wal_bytes < store->wal_limit_bytes ? wal_bytes : store->wal_limit_bytes);
    ret->used = ret->all - (uint64_t) unused;
    if (store->fill_bytes > 0) {
        uint64_t filled = (uint64_t) store->fill_bytes < ret->used ? (uint64_t) store->fill_bytes : ret->used;
        ret->all -= filled;
        ret->used -= filled;
    }
    return 0;
}

/* The oldest events with numbers of each, as many as a step takes. */
static int oldest_with(struct store *store, const char *numbers, int64_t first, sqlite3_stmt **ret, struct err *err)
{
    char sql[1024];
    snprintf(sql, sizeof(sql), "SELECT id, %s FROM events WHERE id >= ?1 ORDER BY id LIMIT ?2", numbers);
    int code = sqlite3_prepare_v2(store->db, sql, -1, ret, NULL);
    if (code != SQLITE_OK)
        return store_problem(store->db, code, err, "cannot read");
    sqlite3_bind_int64(*ret, 1, first);
    sqlite3_bind_int64(*ret, 2, STEP_EVENTS);
    return 0;
}

static uint64_t row_bytes(uint64_t text_bytes)
{
    uint64_t bytes = text_bytes + OTHER_BYTES;
    bool fills_pages = bytes > STORE_PAGE_BYTES / ROWS_OF_A_PAGE;
    return fills_pages ? (bytes + STORE_PAGE_BYTES - 1) / STORE_PAGE_BYTES * STORE_PAGE_BYTES : bytes;
}

/* The oldest, up to the one with which this many bytes are gone, or as many as a step takes. */
static int last_of_excess(struct store *store, int64_t first, uint64_t excess, int64_t *ret_last, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    uint64_t bytes = 0;
    excess = excess < step_bytes(store) ? excess : step_bytes(store);
    int code = SQLITE_ROW;
    int r = oldest_with(store, TEXT_BYTES ", " REFS_BYTES, first, &statement, err);
    while (r == 0 && bytes < excess && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *ret_last = sqlite3_column_int64(statement, 0);
        bytes +=
            row_bytes((uint64_t) sqlite3_column_int64(statement, 1)) + (uint64_t) sqlite3_column_int64(statement, 2);
    }
    return r < 0 || code == SQLITE_ROW || code == SQLITE_DONE ? r : store_problem(store->db, code, err, "cannot read");
}

/* How many of the oldest are past keep; they stand in the order in which they came. */
static int last_expired(struct store *store, int64_t first, usec_t now, int64_t *ret_last, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    if (!store->keep_us || now < store->keep_us)
        return 0;
    int code = SQLITE_ROW, r = oldest_with(store, ROW_ARRIVAL, first, &statement, err);
    while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW &&
           sqlite3_column_int64(statement, 1) < (int64_t) (now - store->keep_us))
        *ret_last = sqlite3_column_int64(statement, 0);
    return r < 0 || code == SQLITE_ROW || code == SQLITE_DONE ? r : store_problem(store->db, code, err, "cannot read");
}

/* In a transaction that has begun. */
static int give_back(struct store *store, struct err *err)
{
    uint64_t pages = step_bytes(store) / STORE_PAGE_BYTES;
    char vacuum[64];
    snprintf(vacuum, sizeof(vacuum), "PRAGMA incremental_vacuum(%llu)",
             (unsigned long long) (pages < STEP_PAGES ? pages : STEP_PAGES));
    int code = sqlite3_exec(store->db, vacuum, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : store_problem(store->db, code, err, "cannot give space back");
}

/* One by one: as one DELETE it would read all of refs for each step. */
static int delete_refs(struct store *store, int64_t id, struct err *err)
{
    sqlite3_stmt *old = store->statements[OLD_REFS], *statement = store->statements[DELETE_REF];
    int code, r = 0;
    sqlite3_bind_int64(old, 1, id);
    while (r == 0 && (code = sqlite3_step(old)) == SQLITE_ROW) {
        for (int i = 0; i < 4; i++)
            sqlite3_bind_value(statement, i + 1, sqlite3_column_value(old, i));
        r = store_run(store, DELETE_REF, err, "cannot delete what finds old events");
    }
    if (r == 0 && code != SQLITE_DONE)
        r = store_problem(store->db, code, err, "cannot read old events");
    sqlite3_reset(old);
    return r;
}

static int delete_events(struct store *store, int64_t id, struct store_trimmed *ret, struct err *err)
{
    int r = delete_refs(store, id, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(store->statements[DELETE_EVENTS], 1, id);
    r = store_run(store, DELETE_EVENTS, err, "cannot delete old events");
    ret->n_events = (uint64_t) sqlite3_changes(store->db);
    return r < 0 ? r : failed_forget(store, id, err);
}

/* With the space given back in the same transaction: all of it happens or nothing. id 0: only that. */
static int delete_up_to(struct store *store, int64_t id, struct store_trimmed *ret, struct err *err)
{
    int r = store_begin(store, err);
    if (r < 0)
        return r;
    if (id)
        r = delete_events(store, id, ret, err);
    if (r == 0)
        r = give_back(store, err);
    if (r == 0)
        r = store_commit(store, err);
    if (r < 0)
        store_rollback(store);
    ret->n_events = r < 0 ? 0 : ret->n_events;
    return r;
}

/* Which event is the last to go, or the one before the oldest. *ret_slowest: up to which all have been read. */
static int last_to_go(struct store *store, int64_t oldest, uint64_t excess, usec_t believed_us, int64_t *ret_last,
                      int64_t *ret_slowest, struct err *err)
{
    *ret_slowest = INT64_MAX;
    *ret_last = oldest - 1;
    int r = read_row(store, SLOWEST_CURSOR, ret_slowest, 1, err);
    if (r < 0)
        return r;
    r = excess ? last_of_excess(store, oldest, excess, ret_last, err)
               : last_expired(store, oldest, believed_us, ret_last, err);
    if (!excess && *ret_last > *ret_slowest)
        *ret_last = *ret_slowest;
    if (*ret_last >= (int64_t) store->last_id)
        *ret_last = (int64_t) store->last_id - 1;
    return r < 0 ? r : 0;
}

/* Nothing is to be deleted, but what was may still be in the file. */
static int shrink(struct store *store, const struct sizes *sizes, struct store_trimmed *ret, struct err *err)
{
    struct sizes after = *sizes;
    if (!store->max_size_bytes || sizes->all <= store->max_size_bytes || sizes->used == sizes->all) {
        wal_settle(store, sizes->file, ret);
        return 0;
    }
    int r = delete_up_to(store, 0, ret, err);
    if (r >= 0)
        r = read_sizes(store, ret->wal_bytes, &after, err);
    ret->again = after.all < sizes->all;
    return r;
}

int store_trim(struct store *store, const struct store_time *now, struct store_trimmed *ret, struct err *err)
{
    int64_t oldest = 0, last, slowest;
    struct sizes sizes;
    usec_t believed_us;
    *ret = (struct store_trimmed){ .max_bytes = store->max_size_bytes };
    int r = clock_believe(store, now, ret, &believed_us, err);
    if (r < 0 || wal_is_held(store, now, ret))
        return r;
    r = read_row(store, OLDEST, &oldest, 1, err);
    if (r <= 0)
        return r;
    r = read_sizes(store, ret->wal_bytes, &sizes, err);
    if (r < 0)
        return r;
    ret->oldest_id = (uint64_t) oldest;
    ret->bytes = sizes.all;
    bool too_much = ret->for_size = store->max_size_bytes && sizes.used > store->max_size_bytes;
    r = last_to_go(store, oldest, too_much ? sizes.used - store->max_size_bytes : 0, believed_us, &last, &slowest, err);
    if (r < 0)
        return r;
    if (last < oldest)
        return shrink(store, &sizes, ret, err);

    r = delete_up_to(store, last, ret, err);
    ret->again = ret->n_events > 0;
    ret->oldest_id += ret->n_events;
    if (ret->n_events && last > slowest)
        ret->n_unread = (uint64_t) (last - (slowest > oldest - 1 ? slowest : oldest - 1));
    return r;
}
