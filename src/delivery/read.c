/* read.c - from the log to a list of items: a small part at a time, so that no walk through the log stays open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery_private.h"

#define AHEAD_EVENTS 32                /* taken from the log at one time, or a batch of the type if that is more */
#define AHEAD_BYTES ((size_t) 1 << 20) /* or so much, if that is reached first */
#define SCAN_EVENTS 2000               /* looked at at one time */

static int append(struct reading *reading, const struct feed_record *record, bool again)
{
    struct item *item = calloc(1, sizeof(*item));
    if (!item)
        return -ENOMEM;
    item->id = record->event.id;
    item->record = feed_ref(record);
    item->again = again;
    item->age_us = attempt_event_age_us(&record->event);
    item->read_us = boottime_us();
    if (record->request != reading->request)
        reading->bytes += feed_held_bytes(record);
    reading->request = record->request;
    *reading->end = item;
    reading->end = &item->next;
    return 1;
}

/* r: of getting the record, which is taken. 1: an item more, 0: not wanted. */
static int take_record(struct worker *worker, int r, const struct feed_record *record, struct reading *reading,
                       bool again)
{
    if (r == -EINVAL)
        return 0; /* not JSON: no daemon of ours wrote that */
    if (r < 0)
        return r;
    bool of_others = worker->type->mirrors && record->event.home.node;
    if (look_may_have(worker, record->event.verdict) && !of_others) {
        enum left_out why = again ? LEFT_OUT_NOT : look_at(worker, record);
        reading->n_left_out[why]++;
        r = why == LEFT_OUT_NOT ? append(reading, record, again) : 0;
    }
    (void) feed_unref(record);
    return r;
}

static int take_new(struct worker *worker, const struct feed_entry *entry, struct reading *reading)
{
    const struct feed_record *record = NULL;
    look_time(worker, entry->id, entry->elsewhere ? 0 : entry->time_us);
    if (entry->id <= reading->after_id || !look_wants(worker, entry->type, entry->verdict))
        return 0;
    int r = feed_take(worker->reader, &record);
    return take_record(worker, r, record, reading, false);
}

static int read_new(struct worker *worker, struct reading *reading, struct err *err)
{
    /* Whether an event was late is told from the newest time before it. At another place in the log that is not known
     * yet, so the walk begins with the event before. */
    bool timed = worker->timed_id == reading->after_id;
    struct feed_entry entry;
    size_t n = 0, n_scanned = 0, room = worker->slots[0].hand.room;
    size_t n_ahead = room > AHEAD_EVENTS ? room : AHEAD_EVENTS;
    int r = 0;
    feed_seek(worker->reader, reading->after_id - (!timed && reading->after_id), reading->newest_id);
    while (r >= 0 && n < n_ahead && reading->bytes < AHEAD_BYTES && n_scanned < SCAN_EVENTS) {
        r = feed_read(worker->reader, &entry, err);
        if (r <= 0)
            break;
        r = take_new(worker, &entry, reading);
        if (r < 0)
            err_set(err, r, "no memory");
        else
            reading->after_id = entry.id;
        n += r > 0;
        n_scanned++;
    }
    if (r == 0 && n_scanned < SCAN_EVENTS && n < n_ahead && reading->bytes < AHEAD_BYTES)
        reading->after_id = reading->newest_id; /* what retention took away in between is not waited for */
    feed_rest(worker->reader);
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
static int list_failed(const struct worker *worker, struct store_reader *store, struct reading *reading,
                       struct err *err)
{
    struct store_failure failure;
    reading->n_retry_ids = 0;
    int r = store_seek_failed(store, worker->action->name, err);
    while (r >= 0 && (r = store_read_failed(store, &failure, err)) > 0)
        if (add_retry_id(reading, failure.event_id) < 0)
            r = err_set(err, -ENOMEM, "no memory");
    store_rest(store);
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

static int take_failed(struct worker *worker, struct store_reader *store, struct reading *reading, size_t *bytes,
                       struct err *err)
{
    const struct event_families *families = worker->delivery->settings.families;
    uint64_t id = reading->retry_ids[reading->n_retried];
    const struct feed_record *record = NULL;
    struct store_row row;
    int r = store_seek(store, &(struct store_filter){ .after_id = id - 1, .last_id = id }, err);
    if (r >= 0)
        r = store_read(store, &row, err);
    *bytes += r > 0 ? row.data.size : 0;
    if (r > 0 && look_may_have(worker, row.verdict)) {
        r = feed_restore(&row, families, &record);
        r = take_record(worker, r, record, reading, true);
        if (r < 0)
            err_set(err, r, "no memory");
    } else if (r > 0) {
        r = 0;
    }
    if (r == 0)
        note_gone(reading, id);
    reading->n_retried += r >= 0;
    store_rest(store);
    return r;
}

static int read_failed(struct worker *worker, struct store_reader *store, struct reading *reading, struct err *err)
{
    size_t bytes = 0;
    int r = reading->retry_all ? list_failed(worker, store, reading, err) : 0;
    while (r >= 0 && reading->n_retried < reading->n_retry_ids && reading->n_retried < AHEAD_EVENTS &&
           bytes < AHEAD_BYTES) {
        r = take_failed(worker, store, reading, &bytes, err);
    }
    return r < 0 ? r : 0;
}

int read_items(struct worker *worker, struct reading *reading, struct err *err)
{
    bool retry = reading->n_retry_ids || reading->retry_all, back = worker->cooldown && worker->back_until_id;
    struct store_reader *store = NULL;
    int r = retry || back ? feed_open_store(worker->reader, &store, err) : 0;
    if (r >= 0 && retry)
        r = read_failed(worker, store, reading, err);
    if (r >= 0 && back)
        r = look_back(worker, store, err); /* and no further yet: it takes as many calls as it takes */
    else if (r >= 0 && reading->after_id < reading->newest_id)
        r = read_new(worker, reading, err);
    if (r < 0)
        feed_close_store(worker->reader);
    return r;
}
