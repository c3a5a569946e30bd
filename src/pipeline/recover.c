/* recover.c - the start: the log read again, for state and for lines that a crash swallowed. */
#include <errno.h>
#include <string.h>

#include "private.h"

static void restore(struct pipeline *pipeline, const struct store_row *row, const struct event_families *families,
                    uint64_t told_id)
{
    const struct event_family *family;
    const struct event_type *handler = event_find_type(families, row->type, &family);
    bool changes_state = row->verdict == EVENT_ACCEPTED && handler && handler->apply;
    struct batch batch;
    pipeline->newest_us = row->time_us;
    if (!changes_state && row->id <= told_id)
        return; /* nothing to do: not even read */
    if (store_row_restore(row, families, &batch) < 0)
        return;
    process_event(pipeline, &batch.events[0], row->id > told_id, true);
    batch_done(&batch);
}

int pipeline_recover(struct pipeline *pipeline, const char *store_path, const struct event_families *families,
                     struct err *err)
{
    usec_t began = uptime_us(), now = now_us();
    uint64_t told_id = 0, n = 0;
    struct store_reader *reader = NULL;
    struct store_row row;

    int r = store_get_cursor(pipeline->store, LOG_CURSOR, &told_id, err);
    if (r < 0 && r != -ENOENT)
        return r;
    pipeline->saved_log_id = told_id;
    log_passed_id(told_id);
    r = store_reader_open(&reader, store_path, err);
    if (r >= 0)
        r = store_seek(reader, &(struct store_filter){ .since_us = now > STATE_KEEP_US ? now - STATE_KEEP_US : 0 },
                       err);
    while (r >= 0 && (r = store_read(reader, &row, err)) > 0) {
        restore(pipeline, &row, families, told_id);
        n++;
    }
    store_reader_close(reader);
    pipeline->newest_id = store_last_id(pipeline->store);
    if (r == -EUCLEAN)
        return err_wrap(err, r, "%s is damaged, and is left as it is", store_path);
    if (r < 0)
        return r;
    log_passed_id(store_last_id(pipeline->store)); /* older ones are not told any more */
    log_line(LOG_INFO, LOG_ID_RECOVERED, "%llu events of the last 24 hours read again in %llu ms, newest is %llu",
             (unsigned long long) n, (unsigned long long) ((uptime_us() - began) / USEC_PER_MSEC),
             (unsigned long long) store_last_id(pipeline->store));
    return 0;
}
