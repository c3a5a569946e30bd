/* probe.c - whether a log that could not be written can be again. */
#include <errno.h>

#include "private.h"

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

/* Of an INSERT and its DELETE nothing is left but a page that was written and synced. */
static int commit_something(struct store *store, struct err *err)
{
    int r = store_begin(store, err);
    if (r == 0)
        r = store_run(store, TOUCH, err, "cannot write");
    if (r == 0)
        r = store_run(store, UNTOUCH, err, "cannot write");
    if (r == 0)
        r = store_commit(store, err);
    if (r < 0)
        store_rollback(store);
    return r;
}

int store_probe(struct store *store, size_t bytes, struct err *err)
{
    int r = store_write_over(store, bytes, err);
    return r < 0 ? r : commit_something(store, err);
}
