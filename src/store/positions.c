/* positions.c - what sources keep with the log: how far they have come, when they asked last. */
#include <errno.h>
#include <string.h>

#include "store_private.h"

int store_set_position(struct store *store, const char *source, const char *key, const char *value, struct err *err)
{
    sqlite3_stmt *statement = store->statements[SET_POSITION];
    store_bind_text(statement, 1, source, strlen(source));
    store_bind_text(statement, 2, key, strlen(key));
    store_bind_text(statement, 3, value, strlen(value));
    return store_run(store, SET_POSITION, err, "cannot write what a source keeps");
}

int store_get_position(struct store_reader *reader, const char *source, const char *key, char *ret, size_t size,
                       struct err *err)
{
    static const char sql[] = "SELECT value FROM positions WHERE source = ?1 AND key = ?2";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(reader->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, source, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW)
        snprintf(ret, size, "%s", store_text(statement, 0));
    sqlite3_finalize(statement);
    if (code == SQLITE_ROW)
        return 0;
    return code == SQLITE_DONE ? -ENOENT : store_problem(reader->db, code, err, "cannot read what a source keeps");
}
