/* recover.c - the start: the log read again, for state and for lines that a crash swallowed. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "pipeline_private.h"

/* A row that nothing was decided about yet is told from what was known when it came. */
static void tell_late(struct pipeline *pipeline, struct ahead_event *event)
{
    const struct event *came = &event->batch.events[0];
    if (!event->described) {
        state_set_event(pipeline->state, event->id, came->order_us);
        event_describe(came, pipeline->state, &event->description);
    }
    line_write(came, &event->description, pipeline->payload_bytes, true);
}

static void take(struct pipeline *pipeline, struct ahead_event *event)
{
    bool internal = event->readable && event->batch.events[0].verdict == EVENT_INTERNAL;
    if (!internal)
        last_heard_note(pipeline, event->realm, event->time_us);
    usec_t order_us = decide_order(event->order_us, event->elsewhere, &pipeline->taken_us);
    if (!event->readable) {
        state_set_event(pipeline->state, event->id, order_us);
        turns_pass(&pipeline->turns, event->id, order_us);
        return;
    }
    struct event *came = &event->batch.events[0];
    came->order_us = order_us;
    came->among_communities = pipeline->several_communities; /* as fill.c does, where nothing is decided */
    if (event->untold)
        tell_late(pipeline, event);
    decide_apply(came, pipeline->state);
    turns_hear(&pipeline->turns, came);
}

/* When the newest event came, by which everything older is too old for state. */
static int read_newest(struct pipeline *pipeline, struct store_reader *reader, struct err *err)
{
    struct store_row row;
    pipeline->newest_id = store_last_id(pipeline->store);
    int r = store_seek(reader, &(struct store_filter){ .after_id = pipeline->newest_id - 1 }, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    if (r > 0)
        pipeline->newest_us = row.came_us;
    store_rest(reader);
    return r;
}

/* An event that came a day before the newest, or earlier, and is still behind the place: the writer was none of ours.
 * 1, 0. */
static int is_stale(const struct pipeline *pipeline, struct store_reader *reader, const struct store_place *place,
                    struct err *err)
{
    struct store_row row;
    int r = store_seek(reader, &(struct store_filter){ .after_id = place->turned_id }, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    bool stale = r > 0 && row.came_us <= pipeline->newest_us && pipeline->newest_us - row.came_us >= STATE_KEEP_US;
    store_rest(reader);
    return r < 0 ? r : stale;
}

/* Where state began. A log of an older version does not have it, or has one of long ago: what came in the last day is
 * as good a place, if it stays there. */
static int find_place(struct pipeline *pipeline, struct store_reader *reader, struct err *err)
{
    struct store_place place = { 0 };
    int r = store_get_place(pipeline->store, STORE_STATE, &place, err);
    if (r >= 0)
        r = is_stale(pipeline, reader, &place, err);
    pipeline->turns.unsaved = r > 0;
    usec_t begin_us = state_window_begin(pipeline->newest_us);
    if (r > 0 && begin_us > 0) {
        r = store_last_until(reader, begin_us - 1, &place.after_id, err);
        place.turned_id = place.after_id;
    }
    turns_begin(&pipeline->turns, &place);
    if (place.turned_id)
        state_lose_changes(pipeline->turns.state, place.turned_id + 1);
    return r;
}

/* How many events were read. */
struct counts {
    long long last_day, older;
};

static int read_rows(struct pipeline *pipeline, struct ahead *ahead, usec_t begin_us, struct counts *ret,
                     struct err *err)
{
    struct ahead_event *event;
    int r;
    while ((r = ahead_read(ahead, &event, err)) > 0) {
        take(pipeline, event);
        bool is_old = event->time_us < begin_us;
        ret->last_day += !is_old;
        ret->older += is_old;
        ahead_drop(event);
    }
    return r;
}

/* What was decided about an event is only wanted where it is not told yet. */
static int read_walks(struct pipeline *pipeline, struct ahead *ahead, usec_t begin_us, struct counts *ret,
                      struct err *err)
{
    uint64_t told_id = pipeline->saved_log_id;
    struct store_filter filter = { .after_id = pipeline->turns.place.after_id, .came = true };
    int r = 0;
    if (told_id > filter.after_id) {
        r = ahead_seek(ahead, &filter, told_id, told_id, err);
        if (r >= 0)
            r = read_rows(pipeline, ahead, begin_us, ret, err);
        filter.after_id = told_id;
    }
    filter = (struct store_filter){ .after_id = filter.after_id };
    if (r >= 0)
        r = ahead_seek(ahead, &filter, pipeline->newest_id, told_id, err);
    return r < 0 ? r : read_rows(pipeline, ahead, begin_us, ret, err);
}

static int read_again(struct pipeline *pipeline, struct store_reader *reader, const struct pipeline_recovery *recovery,
                      struct counts *ret, struct err *err)
{
    struct ahead *ahead = NULL;
    int r = read_newest(pipeline, reader, err);
    if (r >= 0)
        r = find_place(pipeline, reader, err);
    usec_t begin_us = state_window_begin(pipeline->newest_us);
    if (r >= 0)
        r = ahead_open(&ahead, recovery, reader, begin_us, err);
    if (r >= 0)
        r = read_walks(pipeline, ahead, begin_us, ret, err);
    ahead_close(ahead);
    return r;
}

static void tell_recovered(const struct pipeline *pipeline, const struct counts *counts, usec_t took_us)
{
    char older[64] = "";
    if (counts->older)
        snprintf(older, sizeof(older), ", and %lld older one%s before them", counts->older,
                 text_plural((uint64_t) counts->older));
    log_line(LOG_INFO, LOG_ID_RECOVERED, "%lld event%s of the last 24 hours read again in %llu ms, newest is %llu%s",
             counts->last_day, text_plural((uint64_t) counts->last_day), (unsigned long long) (took_us / USEC_PER_MSEC),
             (unsigned long long) store_last_id(pipeline->store), older);
}

int pipeline_recover(struct pipeline *pipeline, const struct pipeline_recovery *recovery, struct err *err)
{
    usec_t began = uptime_us();
    uint64_t told_id = 0;
    struct store_reader *reader = NULL;

    assert(!pipeline->running);
    pipeline->families = recovery->families;
    struct counts counts = { 0 };
    int r = store_get_cursor(pipeline->store, LOG_CURSOR, &told_id, err);
    if (r < 0 && r != -ENOENT)
        return r;
    pipeline->saved_log_id = told_id;
    log_passed(told_id);
    r = store_reader_open(&reader, recovery->store_path, err);
    if (r >= 0) {
        store_stop_if(reader, recovery->stop);
        r = read_again(pipeline, reader, recovery, &counts, err);
    }
    store_reader_close(reader);
    if (r == -EUCLEAN)
        return err_wrap(err, -EUCLEAN, "%s is damaged, and is left as it is", recovery->store_path);
    if (r < 0)
        return r;
    log_passed(store_last_id(pipeline->store)); /* older ones are not told any more */
    tell_recovered(pipeline, &counts, uptime_us() - began);
    return 0;
}
