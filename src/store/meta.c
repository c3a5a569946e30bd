/* meta.c - single values that belong to the log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

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

int meta_drop(struct store *store, const char *name, struct err *err)
{
    store_bind_text(store->statements[DROP_META], 1, name, strlen(name));
    return store_run(store, DROP_META, err, "cannot delete what belongs to the log");
}

int meta_set_number(struct store *store, const char *name, int64_t number, struct err *err)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%lld", (long long) number);
    return meta_set(store, name, digits, err);
}

/* ---- where state begins ---- */

static const struct place_names {
    const char *after_id, *turned_id;
} place_names[] = {
    [STORE_STATE] = { "state_after_id", "state_turned_id" },
    [STORE_FILL_STATE] = { "fill_after_id", "fill_turned_id" },
};

int store_get_place(struct store *store, enum store_place_of of, struct store_place *ret, struct err *err)
{
    int64_t after_id = 0, turned_id = 0;
    int r = meta_get_number(store, place_names[of].after_id, &after_id, err);
    if (r >= 0)
        r = meta_get_number(store, place_names[of].turned_id, &turned_id, err);
    if (r < 0)
        return r;
    *ret = (struct store_place){ (uint64_t) after_id, (uint64_t) turned_id };
    bool sound = after_id >= 0 && ret->after_id <= ret->turned_id && ret->turned_id <= store->last_id;
    if (!sound)
        *ret = (struct store_place){ 0 };
    return 0;
}

int store_set_place(struct store *store, enum store_place_of of, const struct store_place *place, struct err *err)
{
    int r = meta_set_number(store, place_names[of].after_id, (int64_t) place->after_id, err);
    return r == 0 ? meta_set_number(store, place_names[of].turned_id, (int64_t) place->turned_id, err) : r;
}
