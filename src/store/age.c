/* age.c - where in the log a time lies. Events stand in the order of their ids; the times at which they came grow with
 * them as long as nobody sets the clock, so a few looks find the place, and not the whole file has to be read. */
#include "store_private.h"

#define SQL "SELECT id, " ROW_ARRIVAL " FROM events WHERE id >= ?1 ORDER BY id LIMIT 1"

/* What others have written into the file may be any number; this one can be added to and taken away from. */
#define TIME_MAX_US (INT64_MAX / 4)

static int64_t sane(int64_t time_us)
{
    return time_us < 0 ? 0 : time_us > TIME_MAX_US ? TIME_MAX_US : time_us;
}

/* The first event from id on. 1, 0: there is none. */
static int look(sqlite3 *db, sqlite3_stmt *statement, int64_t id, struct moment *ret, struct err *err)
{
    sqlite3_bind_int64(statement, 1, id);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret = (struct moment){ sqlite3_column_int64(statement, 0), sane(sqlite3_column_int64(statement, 1)) };
    int r = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : store_problem(db, code, err, "cannot read events");
    sqlite3_reset(statement);
    return r;
}

/* All up to *ret_old are (as far as was looked) no younger than time_us, what comes from id younger on is. */
static int halve(sqlite3 *db, sqlite3_stmt *statement, int64_t younger, int64_t time_us, struct moment *ret_old,
                 struct err *err)
{
    struct moment at;
    int r = 1;
    while (younger - ret_old->id > 1) {
        int64_t middle = ret_old->id + (younger - ret_old->id) / 2;
        r = look(db, statement, middle, &at, err);
        if (r < 0)
            return r;
        if (r == 0 || at.id >= younger || at.time_us > time_us)
            younger = middle;
        else
            *ret_old = at;
    }
    return 1;
}

int age_last_until(sqlite3 *db, int64_t newest_id, usec_t time_us, struct moment *ret, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    int64_t until_us = time_us < INT64_MAX ? (int64_t) time_us : INT64_MAX;
    struct moment first;
    int code = sqlite3_prepare_v2(db, SQL, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return store_problem(db, code, err, "cannot read events");
    int r = look(db, statement, 1, &first, err);
    if (r <= 0 || first.time_us > until_us)
        return r < 0 ? r : 0;
    *ret = first;
    return halve(db, statement, newest_id < INT64_MAX ? newest_id + 1 : newest_id, until_us, ret, err);
}
