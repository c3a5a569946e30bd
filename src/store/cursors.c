/* cursors.c - how far each reader of the log has come. */
#include <errno.h>
#include <string.h>

#include "store_private.h"

int store_get_cursor(struct store *store, const char *name, uint64_t *ret_id, struct err *err)
{
    sqlite3_stmt *statement = store->statements[GET_CURSOR];
    store_bind_text(statement, 1, name, strlen(name));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret_id = (uint64_t) sqlite3_column_int64(statement, 0);
    int r = code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? -ENOENT : store_problem(store->db, code, err, name);
    sqlite3_reset(statement);
    return r;
}

int store_set_cursor(struct store *store, const char *name, uint64_t id, struct err *err)
{
    sqlite3_stmt *statement = store->statements[SET_CURSOR];
    store_bind_text(statement, 1, name, strlen(name));
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) id);
    return store_run(store, SET_CURSOR, err, "cannot write a cursor");
}

int store_next_cursor(struct store *store, char name[NAME_MAX_BYTES + 1], uint64_t *ret_id, struct err *err)
{
    sqlite3_stmt *statement = store->statements[NEXT_CURSOR];
    store_bind_text(statement, 1, name, strlen(name));
    sqlite3_bind_int64(statement, 2, NAME_MAX_BYTES);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        snprintf(name, NAME_MAX_BYTES + 1, "%s", store_text(statement, 0));
        *ret_id = (uint64_t) sqlite3_column_int64(statement, 1);
    }
    int r = code == SQLITE_ROW    ? 1
            : code == SQLITE_DONE ? 0
                                  : store_problem(store->db, code, err, "cannot read the cursors");
    sqlite3_reset(statement);
    return r;
}

int store_drop_cursor(struct store *store, const char *name, struct err *err)
{
    store_bind_text(store->statements[DROP_CURSOR], 1, name, strlen(name));
    int r = store_run(store, DROP_CURSOR, err, "cannot delete a cursor");
    if (r >= 0)
        r = store_set_tries(store, name, NULL, 0, err);
    if (r >= 0)
        r = tries_forget_began(store, name, err);
    return r < 0 ? r : store_drop_failed(store, name, 0, err);
}
