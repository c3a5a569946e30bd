/* sse_past.c - the event log for those who are behind the ring: one reader, which goes where it is asked to. It takes
 * no place in the feed, which keeps nothing in memory for it. */
#include <errno.h>

#include "sse_private.h"

static void pass_grown(void *userdata, uint64_t newest_id)
{
    (void) userdata;
    (void) newest_id;
}

static int open_store(struct sse *sse, struct store_reader **ret, struct err *err)
{
    const struct feed_listener nobody = { pass_grown, NULL };
    if (!sse->past && feed_reader_open(&sse->past, sse->parts.feed, &nobody) < 0)
        return err_set(err, -ENOMEM, "no memory");
    int r = feed_open_store(sse->past, ret, err);
    if (r >= 0 && sse->parts.stop)
        store_stop_if(*ret, sse->parts.stop);
    return r;
}

void sse_past_end(struct sse *sse)
{
    sse_changes_drop(&sse->past_changes);
    sse->past = feed_reader_close(sse->past);
    sse->walking = false;
}

/* Closed after an error: the next one opens it anew. */
static int done(struct sse *sse, int r)
{
    if (r > 0)
        return r;
    if (r < 0 && sse->past)
        feed_close_store(sse->past);
    sse->walking = false;
    return r;
}

static int read_row(struct sse *sse, const struct store_filter *filter, struct store_row *ret, struct err *err)
{
    struct store_reader *store;
    int r = open_store(sse, &store, err);
    if (r >= 0 && filter)
        r = store_seek(store, filter, err);
    if (r >= 0)
        r = store_read(store, ret, err);
    return done(sse, r);
}

/* Until a rest the walk goes on where it stands; at its end the log may have grown. */
int sse_past_read(struct sse *sse, uint64_t after_id, struct store_row *ret, struct err *err)
{
    const struct store_filter behind = { .after_id = after_id };
    bool goes_on = sse->walking && sse->past_id == after_id;
    int r = read_row(sse, goes_on ? NULL : &behind, ret, err);
    if (r == 0 && goes_on)
        r = read_row(sse, &behind, ret, err);
    sse->walking = r > 0;
    sse->past_id = r > 0 ? ret->id : 0;
    return r;
}

void sse_past_rest(struct sse *sse)
{
    struct store_reader *store;
    if (sse->walking && open_store(sse, &store, NULL) >= 0)
        store_rest(store);
    sse->walking = false;
}

/* One look: its walk is over, its texts are there until the next. */
static int look(struct sse *sse, const struct store_filter *filter, struct store_row *ret, struct err *err)
{
    int r = read_row(sse, filter, ret, err);
    sse->walking = r > 0;
    return r;
}

int sse_past_oldest(struct sse *sse, uint64_t *ret_id, struct err *err)
{
    const struct store_filter all = { .came = true };
    struct store_row row;
    int r = look(sse, &all, &row, err);
    *ret_id = r > 0 ? row.id : 0;
    sse_past_rest(sse);
    return r < 0 ? r : 0;
}

int sse_past_is_of(struct sse *sse, uint64_t id, const char *log, bool *ret, struct err *err)
{
    const struct store_filter one = { .after_id = id - 1, .last_id = id, .came = true };
    struct store_row row;
    int r = id ? look(sse, &one, &row, err) : 0;
    *ret = r > 0 && strcmp(row.log, log) == 0;
    sse_past_rest(sse);
    return r < 0 ? r : 0;
}
