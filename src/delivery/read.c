/* read.c - from the log to a list of items: a small part at a time, so that no walk through the log stays open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define AHEAD_EVENTS 32                /* taken from the log at one time */
#define AHEAD_BYTES ((size_t) 1 << 20) /* or so much, if that is reached first */
#define SCAN_EVENTS 2000               /* looked at at one time */

static int append(struct worker *worker, struct reading *reading, const struct store_row *row, struct batch *take_batch,
                  bool again)
{
    struct item *item = calloc(1, sizeof(*item));
    if (!item)
        return -ENOMEM;
    item->description = *look_describe(worker, row, &take_batch->events[0]);
    worker->described = (struct description) DESCRIPTION_INIT;
    worker->is_described = false;
    if (item->description.line.failed || item->description.known.failed) {
        item_free(item);
        return -ENOMEM;
    }
    item->id = row->id;
    item->batch = *take_batch;
    *take_batch = (struct batch){ 0 };
    item->again = again;
    *reading->end = item;
    reading->end = &item->next;
    return 1;
}

/* 1: an item more, 0: not wanted. */
static int take_row(struct worker *worker, const struct store_row *row, struct reading *reading, bool again)
{
    struct batch batch;
    int r = look_restore(worker, row, again, &batch);
    if (r <= 0)
        return r;
    enum left_out why = again ? LEFT_OUT_NOT : look_at(worker, row, &batch.events[0]);
    reading->n_left_out[why]++;
    r = why == LEFT_OUT_NOT ? append(worker, reading, row, &batch, again) : 0;
    batch_done(&batch);
    return r;
}

static int read_new(struct worker *worker, struct reading *reading, struct err *err)
{
    bool timed = worker->timed_id == reading->after_id; /* else the time of the event before is not known either */
    const struct store_filter filter = { .after_id = reading->after_id - !timed, .last_id = reading->newest_id };
    struct store_row row;
    unsigned n = 0, n_scanned = 0;
    size_t bytes = 0;
    int r = store_seek(worker->reader, &filter, err);
    while (r >= 0 && n < AHEAD_EVENTS && bytes < AHEAD_BYTES && n_scanned < SCAN_EVENTS) {
        r = store_read(worker->reader, &row, err);
        if (r <= 0)
            break;
        look_time(worker, &row);
        r = row.id > reading->after_id ? take_row(worker, &row, reading, false) : 0;
        if (r < 0)
            err_set(err, r, "no memory");
        else
            reading->after_id = row.id;
        n += r > 0;
        bytes += r > 0 ? row.data.size : 0;
        n_scanned++;
    }
    if (r == 0 && n_scanned < SCAN_EVENTS && n < AHEAD_EVENTS && bytes < AHEAD_BYTES)
        reading->after_id = reading->newest_id; /* what retention took away in between is not waited for */
    store_rest(worker->reader);
    return r < 0 ? r : 0;
}

static int add_retry_id(struct reading *reading, uint64_t id)
{
    uint64_t *ids = realloc(reading->retry_ids, (reading->n_retry_ids + 1) * sizeof(*ids));
    if (!ids)
        return -ENOMEM;
    reading->retry_ids = ids;
    reading->retry_ids[reading->n_retry_ids++] = id;
    return 0;
}

/* All of them, instead of those that were asked for one by one: these are among them. */
static int list_failed(struct worker *worker, struct reading *reading, struct err *err)
{
    struct store_failure failure;
    reading->n_retry_ids = 0;
    int r = store_seek_failed(worker->reader, worker->action->name, err);
    while (r >= 0 && (r = store_read_failed(worker->reader, &failure, err)) > 0)
        if (add_retry_id(reading, failure.event_id) < 0)
            r = err_set(err, -ENOMEM, "no memory");
    store_rest(worker->reader);
    reading->retry_all = r < 0;
    return r;
}

/* What retention has deleted cannot be tried again. */
static void note_gone(struct reading *reading, uint64_t id)
{
    struct change *change = calloc(1, sizeof(*change));
    if (!change)
        return;
    *change = (struct change){ .next = reading->gone, .drop = true, .event_id = id };
    reading->gone = change;
}

static int read_failed(struct worker *worker, struct reading *reading, struct err *err)
{
    struct store_row row;
    size_t bytes = 0;
    int r = reading->retry_all ? list_failed(worker, reading, err) : 0;
    while (r >= 0 && reading->n_retried < reading->n_retry_ids && reading->n_retried < AHEAD_EVENTS &&
           bytes < AHEAD_BYTES) {
        uint64_t id = reading->retry_ids[reading->n_retried];
        r = store_seek(worker->reader, &(struct store_filter){ .after_id = id - 1, .last_id = id }, err);
        if (r >= 0)
            r = store_read(worker->reader, &row, err);
        if (r > 0) {
            bytes += row.data.size;
            r = take_row(worker, &row, reading, true);
            if (r < 0)
                err_set(err, r, "no memory");
        }
        if (r == 0)
            note_gone(reading, id);
        reading->n_retried += r >= 0;
        store_rest(worker->reader);
    }
    return r < 0 ? r : 0;
}

int read_items(struct worker *worker, struct reading *reading, struct err *err)
{
    int r = 0;
    if (!worker->reader)
        r = store_reader_open(&worker->reader, worker->delivery->settings.store_path, err);
    if (r >= 0 && (reading->n_retry_ids || reading->retry_all))
        r = read_failed(worker, reading, err);
    if (r >= 0 && worker->cooldown && worker->back_until_id)
        r = look_back(worker, err); /* and no further yet: it takes as many calls as it takes */
    else if (r >= 0 && reading->after_id < reading->newest_id)
        r = read_new(worker, reading, err);
    if (r < 0)
        worker->reader = store_reader_close(worker->reader);
    return r;
}
