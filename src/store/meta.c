/* meta.c - single values that belong to the log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

int meta_get(struct store *store, const char *name, char *ret, size_t size, struct err *err)
{
    sqlite3_stmt *statement = store->statements[GET_META];
    store_bind_text(statement, 1, name, strlen(name));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        snprintf(ret, size, "%s", store_text(statement, 0));
    int r = code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? -ENOENT : store_problem(store->db, code, err, name);
    sqlite3_reset(statement);
    return r;
}

int meta_get_number(struct store *store, const char *name, int64_t *ret, struct err *err)
{
    char value[32] = "0";
    int r = meta_get(store, name, value, sizeof(value), err);
    *ret = strtoll(value, NULL, 10);
    return r == -ENOENT ? 0 : r;
}

int meta_set(struct store *store, const char *name, const char *value, struct err *err)
{
    store_bind_text(store->statements[SET_META], 1, name, strlen(name));
    store_bind_text(store->statements[SET_META], 2, value, strlen(value));
    return store_run(store, SET_META, err, "cannot write what belongs to the log");
}
