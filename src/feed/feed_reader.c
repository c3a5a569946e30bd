/* feed_reader.c - a walk: through what is kept where the next event is among it, else through the event log to the end
 * of the walk. */
#include <assert.h>
#include <errno.h>

#include "feed_private.h"

static void drop_last(struct feed_reader *reader)
{
    reader->last = feed_unref(reader->last);
}

void feed_rest(struct feed_reader *reader)
{
    drop_last(reader);
    if (!reader->walking)
        return;
    reader->walking = false;
    store_rest(reader->store);
    feed_go_on(reader, 0);
}

/* Records that were taken ahead are of use only where the walk goes on from where it stands. */
void feed_seek(struct feed_reader *reader, uint64_t after_id, uint64_t last_id)
{
    drop_last(reader);
    if (reader->walking)
        store_rest(reader->store);
    reader->walking = false;
    while (after_id != reader->at_id && reader->n_passed < reader->n_ahead)
        (void) feed_unref(reader->ahead[reader->n_passed++]);
    reader->at_id = after_id;
    reader->last_id = last_id;
}

int feed_open_store(struct feed_reader *reader, struct store_reader **ret, struct err *err)
{
    int r = reader->store ? 0 : store_open_reader(reader->feed->store, &reader->store, err);
    *ret = reader->store;
    return r;
}

void feed_close_store(struct feed_reader *reader)
{
    reader->walking = false;
    reader->store = store_reader_close(reader->store);
}

static int read_kept(struct feed_reader *reader, struct feed_entry *ret)
{
    const struct feed_record *record = reader->ahead[reader->n_passed++];
    const struct event *event = &record->event;
    assert(event->id > reader->at_id && event->id <= reader->last_id);
    reader->last = record;
    reader->at_id = event->id;
    *ret = (struct feed_entry){ event->id, event->time_us, event->type, event->verdict, event->home.node != NULL };
    return 1;
}

static int read_row(struct feed_reader *reader, struct feed_entry *ret, struct err *err)
{
    struct store_row *row = &reader->row;
    struct store_reader *store;
    int r = feed_open_store(reader, &store, err);
    if (r >= 0 && !reader->walking) {
        r = store_seek(store, &(struct store_filter){ .after_id = reader->at_id, .last_id = reader->last_id }, err);
        reader->walking = r >= 0;
    }
    if (r >= 0)
        r = store_read(store, row, err);
    if (r <= 0)
        return r;
    reader->at_id = row->id;
    *ret = (struct feed_entry){ row->id, row->time_us, row->type, row->verdict, row->home.node != NULL };
    return 1;
}

int feed_read(struct feed_reader *reader, struct feed_entry *ret, struct err *err)
{
    drop_last(reader);
    if (reader->walking)
        return read_row(reader, ret, err);
    if (reader->at_id >= reader->last_id)
        return 0;
    if (reader->n_passed == reader->n_ahead)
        feed_go_on(reader, FEED_AHEAD);
    return reader->n_ahead ? read_kept(reader, ret) : read_row(reader, ret, err);
}

int feed_take(struct feed_reader *reader, const struct feed_record **ret)
{
    if (!reader->last)
        return feed_restore(&reader->row, reader->feed->families, ret);
    *ret = feed_ref(reader->last);
    return 0;
}
