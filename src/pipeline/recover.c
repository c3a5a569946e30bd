/* recover.c - the start: the log read again, for state and for lines that a crash swallowed. */
#include <errno.h>
#include <string.h>

#include "private.h"

#define LOOK_EVENTS 64 /* whether the end is wanted */

/* A row that nothing was decided about yet is told from what was known when it came. */
static void tell_late(struct pipeline *pipeline, const struct store_row *row, const struct event *event)
{
    if (row->described)
        store_row_describe(row, event, &pipeline->scratch);
    else
        event_describe(event, pipeline->state, &pipeline->scratch);
    line_write(event, &pipeline->scratch, pipeline->payload_bytes, true);
}

static void restore(struct pipeline *pipeline, const struct store_row *row, const struct event_families *families,
                    uint64_t told_id)
{
    const struct event_family *family;
    const struct event_type *handler = event_find_type(families, row->type, &family);
    bool changes_state = row->verdict == EVENT_ACCEPTED && handler && handler->apply;
    struct batch batch;
    state_set_event(pipeline->state, row->id, row->time_us);
    if (!changes_state && row->id <= told_id)
        return; /* nothing to do: not even read */
    if (store_row_restore(row, families, &batch) < 0)
        return;
    batch.events[0].among_communities = pipeline->several_communities; /* as fill.c does, where nothing is decided */
    if (row->id > told_id)
        tell_late(pipeline, row, &batch.events[0]);
    apply_event(&batch.events[0], pipeline->state);
    batch_done(&batch);
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
        pipeline->newest_us = row.time_us;
    store_rest(reader);
    return r;
}

/* Returns how many events there were. */
static int64_t read_last_day(struct pipeline *pipeline, struct store_reader *reader,
                             const struct pipeline_recovery *recovery, struct err *err)
{
    uint64_t told_id = pipeline->saved_log_id;
    struct store_filter filter = { 0 };
    struct store_row row;
    int64_t n = 0;
    int r = read_newest(pipeline, reader, err);
    usec_t newest_us = pipeline->newest_us;
    usec_t begin_us = state_window_begin(newest_us);
    if (r >= 0 && begin_us > 0)
        r = store_last_until(reader, begin_us - 1, &filter.after_id, err);
    if (r >= 0)
        r = store_seek(reader, &filter, err);
    while (r >= 0 && (r = store_read(reader, &row, err)) > 0) {
        if (n % LOOK_EVENTS == 0 && recovery->stop())
            return err_set(err, -ECANCELED, "asked to end");
        recovery->heard(recovery->userdata, row.peer, row.time_us);
        restore(pipeline, &row, recovery->families, told_id);
        n++;
    }
    pipeline->newest_us = newest_us;
    return r < 0 ? r : n;
}

int pipeline_recover(struct pipeline *pipeline, const struct pipeline_recovery *recovery, struct err *err)
{
    usec_t began = uptime_us();
    uint64_t told_id = 0;
    struct store_reader *reader = NULL;

    pipeline->families = recovery->families;
    int64_t r = store_get_cursor(pipeline->store, LOG_CURSOR, &told_id, err);
    if (r < 0 && r != -ENOENT)
        return (int) r;
    pipeline->saved_log_id = told_id;
    log_passed_id(told_id);
    r = store_reader_open(&reader, recovery->store_path, err);
    if (r >= 0) {
        store_stop_if(reader, recovery->stop);
        r = read_last_day(pipeline, reader, recovery, err);
    }
    store_reader_close(reader);
    if (r == -EUCLEAN)
        return err_wrap(err, -EUCLEAN, "%s is damaged, and is left as it is", recovery->store_path);
    if (r < 0)
        return (int) r;
    log_passed_id(store_last_id(pipeline->store)); /* older ones are not told any more */
    log_line(LOG_INFO, LOG_ID_RECOVERED, "%lld event%s of the last 24 hours read again in %llu ms, newest is %llu",
             (long long) r, text_plural((uint64_t) r), (unsigned long long) ((uptime_us() - began) / USEC_PER_MSEC),
             (unsigned long long) store_last_id(pipeline->store));
    return 0;
}
