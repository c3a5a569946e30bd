/* failed.c - what actions could not deliver, and how much of it there is of each, counted along: a list may be long,
 * and whoever wants the number does not wait for a disk. */
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

struct failed_count {
    char action[NAME_MAX_BYTES + 1];
    uint64_t n, committed_n; /* n: with the transaction under way */
};

/* NULL: it has none, or there is no memory for the number. */
static struct failed_count *find(const struct store *store, const char *action)
{
    for (size_t i = 0; i < store->n_failed; i++)
        if (strcmp(store->failed[i].action, action) == 0)
            return &store->failed[i];
    return NULL;
}

static struct failed_count *find_or_add(struct store *store, const char *action)
{
    struct failed_count *count = find(store, action);
    if (count)
        return count;
    struct failed_count *grown = reallocarray(store->failed, store->n_failed + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    store->failed = grown;
    count = &grown[store->n_failed++];
    *count = (struct failed_count){ 0 };
    text_copy(count->action, sizeof(count->action), action);
    return count;
}

static void subtract(struct store *store, const char *action, uint64_t n)
{
    struct failed_count *count = find(store, action);
    if (count)
        count->n -= n < count->n ? n : count->n;
}

int failed_open(struct store *store, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    int code =
        sqlite3_prepare_v2(store->db, "SELECT action, count(*) FROM failed GROUP BY action", -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        struct failed_count *count = code == SQLITE_ROW ? find_or_add(store, store_text(statement, 0)) : NULL;
        if (count)
            count->n = count->committed_n = (uint64_t) sqlite3_column_int64(statement, 1);
    }
    return code == SQLITE_DONE ? 0 : store_problem(store->db, code, err, "cannot count the failed deliveries");
}

void failed_end(struct store *store, bool committed)
{
    for (size_t i = 0; i < store->n_failed; i++) {
        struct failed_count *count = &store->failed[i];
        *(committed ? &count->committed_n : &count->n) = committed ? count->n : count->committed_n;
    }
}

void failed_close(struct store *store)
{
    free(store->failed);
}

uint64_t store_count_failed(const struct store *store, const char *action)
{
    const struct failed_count *count = find(store, action);
    return count ? count->n : 0;
}

/* One that is there already is replaced, and not counted twice. */
int store_put_failed(struct store *store, const struct store_failure *failure, struct err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_FAILED];
    int r = store_drop_failed(store, failure->action, failure->event_id, err);
    if (r < 0)
        return r;
    store_bind_text(statement, 1, failure->action, strlen(failure->action));
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) failure->event_id);
    sqlite3_bind_int64(statement, 3, failure->attempts);
    store_bind_text(statement, 4, failure->error, strlen(failure->error));
    sqlite3_bind_int64(statement, 5, (sqlite3_int64) failure->at_us);
    r = store_run(store, PUT_FAILED, err, "cannot write a failed delivery");
    struct failed_count *count = r < 0 ? NULL : find_or_add(store, failure->action);
    if (count)
        count->n++;
    return r;
}

int store_drop_failed(struct store *store, const char *action, uint64_t event_id, struct err *err)
{
    sqlite3_stmt *statement = store->statements[DROP_FAILED];
    store_bind_text(statement, 1, action, strlen(action));
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) event_id); /* a range is found by the index, "all or one" is not */
    sqlite3_bind_int64(statement, 3, event_id ? (sqlite3_int64) event_id : INT64_MAX);
    int r = store_run(store, DROP_FAILED, err, "cannot delete a failed delivery");
    if (r >= 0)
        subtract(store, action, (uint64_t) sqlite3_changes(store->db));
    return r;
}

int failed_forget(struct store *store, int64_t id, struct err *err)
{
    sqlite3_stmt *statement = store->statements[FORGET_FAILED];
    int code;
    sqlite3_bind_int64(statement, 1, id);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        subtract(store, store_text(statement, 0), 1);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : store_problem(store->db, code, err, "cannot delete old failed deliveries");
}
