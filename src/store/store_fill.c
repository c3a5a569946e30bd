/* store_fill.c - rows of schema 1 get what was decided about their events, some at a time. What that adds to the files
 * does not count for max_size until it is done: nothing is deleted because of it meanwhile. */
#include <errno.h>
#include <stdlib.h>

#include "bound.h"

int fill_open(struct store *store, struct err *err)
{
    int64_t filled_id, until_id, bytes;
    int r = meta_get_number(store, "filled_id", &filled_id, err);
    if (r >= 0)
        r = meta_get_number(store, "fill_until_id", &until_id, err);
    if (r >= 0)
        r = meta_get_number(store, "fill_bytes", &bytes, err);
    if (r < 0)
        return r;
    store->fill = (struct store_fill_place){ (uint64_t) filled_id, (uint64_t) until_id };
    store->fill_bytes = bytes;
    return 0;
}

struct store_fill_place store_get_fill(const struct store *store)
{
    return store->fill;
}

/* What is in use, before and behind a step. */
static int count_used(struct store *store, int64_t *ret, struct err *err)
{
    int64_t all, unused;
    int r = store_count_bytes(store, &all, &unused, err);
    if (r == 0)
        *ret = all - unused;
    return r;
}

int store_begin_fill(struct store *store, struct err *err)
{
    int r = store_begin_relaxed(store, err);
    if (r < 0)
        return r;
    r = count_used(store, &store->fill_began_bytes, err);
    if (r < 0)
        store_rollback(store);
    return r;
}

int store_fill(struct store *store, const struct event *event, const struct description *description, struct err *err)
{
    struct bound_row row = bound_begin(store, FILL_EVENT);
    bound_int(&row, (int64_t) event->id);
    if (append_bind_description(store, &row, event, description) < 0)
        return err_set(err, -ENOMEM, "no memory");
    int r = store_run(store, FILL_EVENT, err, "cannot write what is decided about an event");
    return r == 0 ? append_insert_refs(store, event, description, err) : r;
}

static int save_place(struct store *store, uint64_t filled_id, int64_t bytes, struct err *err)
{
    if (filled_id >= store->fill.until_id)
        return store_run(store, FORGET_FILL, err, "cannot write how far the log is brought up to date");
    int r = meta_set_number(store, "filled_id", (int64_t) filled_id, err);
    return r == 0 ? meta_set_number(store, "fill_bytes", bytes, err) : r;
}

int store_end_fill(struct store *store, uint64_t filled_id, struct err *err)
{
    int64_t now_bytes = 0, bytes = 0;
    int r = count_used(store, &now_bytes, err);
    if (r == 0) {
        bytes = store->fill_bytes + now_bytes - store->fill_began_bytes;
        r = save_place(store, filled_id, bytes, err);
    }
    if (r == 0)
        r = store_commit(store, err);
    if (r < 0) {
        store_rollback(store);
        return r;
    }
    store->fill.filled_id = filled_id;
    store->fill_bytes = bytes;
    if (filled_id >= store->fill.until_id) {
        store->fill = (struct store_fill_place){ 0 };
        store->fill_bytes = 0;
    }
    return 0;
}
