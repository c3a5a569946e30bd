/* size.c - how large the database is, as its head says, the write-ahead log included. */
#include "store_private.h"

int store_count_bytes(struct store *store, int64_t *ret_all, int64_t *ret_free, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    int code = sqlite3_prepare_v2(store->db,
                                  "SELECT page_count * page_size, freelist_count * page_size"
                                  " FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
                                  -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return store_problem(store->db, code, err, "cannot read");
    *ret_all = sqlite3_column_int64(statement, 0);
    *ret_free = sqlite3_column_int64(statement, 1);
    return 0;
}
