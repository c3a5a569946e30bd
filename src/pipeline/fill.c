/* fill.c - the events of a log of an older version get line, ids and level, when nothing else is to be done: oldest
 * first, with a state of their own, so that they say what they would have said. A start never waits for it, and an
 * event that comes is stored before the next row is looked at. */
#include <errno.h>
#include <stdlib.h>

#include "pipeline_private.h"

#define STEP_EVENTS 1000
#define LOOK_EVENTS 16               /* whether events wait */
#define AGAIN_US (10 * USEC_PER_SEC) /* after what failed */

struct fill {
    struct store_reader *reader;
    struct state *state; /* as of state_id; NULL: to be made */
    struct turns turns;
    uint64_t state_id;
    usec_t state_us; /* when that came */
    usec_t again_us; /* uptime: not before that */
    struct description description;
    bool told, failing;
};

bool fill_is_left(const struct pipeline *pipeline)
{
    struct store_fill_place place = store_get_fill(pipeline->store);
    return place.filled_id < place.until_id;
}

bool fill_is_due(const struct pipeline *pipeline)
{
    return !pipeline->failing && fill_is_left(pipeline) && (!pipeline->fill || uptime_us() >= pipeline->fill->again_us);
}

static void drop_state(struct fill *fill)
{
    turns_close(&fill->turns);
    fill->state = state_free(fill->state);
}

void fill_free(struct pipeline *pipeline)
{
    struct fill *fill = pipeline->fill;
    if (!fill)
        return;
    store_reader_close(fill->reader);
    drop_state(fill);
    description_free(&fill->description);
    free(fill);
    pipeline->fill = NULL;
}

static bool events_wait(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    bool wait = pipeline->waiting.first || pipeline->stopping;
    pthread_mutex_unlock(&pipeline->lock);
    return wait;
}

/* It begins where it was written that it had begun, so that a start in between changes nothing. */
static int begin_state(struct pipeline *pipeline, struct fill *fill, struct err *err)
{
    struct store_place place;
    int r = store_get_place(pipeline->store, STORE_FILL_STATE, &place, err);
    if (r < 0)
        return r;
    fill->state = state_new();
    if (!fill->state || turns_open(&fill->turns, fill->state, NULL, &pipeline->keep_us) < 0) {
        fill->state = state_free(fill->state);
        return err_set(err, -ENOMEM, "no memory");
    }
    turns_begin(&fill->turns, &place);
    fill->state_id = place.after_id;
    fill->state_us = 0;
    return 0;
}

/* A row whose data are no JSON any more stays as it is. */
static int take_row(struct pipeline *pipeline, struct fill *fill, const struct store_row *row, bool write,
                    struct err *err)
{
    struct batch batch;
    if (fill->state_us != row->time_us)
        turns_end_request(&fill->turns, fill->state_id, fill->state_us);
    int r = store_row_restore(row, pipeline->families, &batch);
    fill->state_id = row->id;
    fill->state_us = row->time_us;
    if (r < 0)
        return r == -EINVAL ? 0 : err_set(err, r, "no memory");
    struct event *event = &batch.events[0];
    event->among_communities = pipeline->several_communities;
    write = write && !row->described;
    if (write)
        event_describe(event, fill->state, &fill->description);
    decide_apply(event, fill->state);
    if (write) {
        families_write_known(event, fill->state, &fill->description);
        r = store_fill(pipeline->store, event, &fill->description, err);
    }
    turns_take(&fill->turns, event);
    batch_done(&batch);
    return r;
}

/* Rows behind state_id, up to last_id, as many as a step takes. */
static int take_rows(struct pipeline *pipeline, struct fill *fill, uint64_t last_id, bool write, struct err *err)
{
    const struct store_filter filter = { .after_id = fill->state_id, .last_id = last_id };
    struct store_row row;
    bool at_end = false;
    int r = store_seek(fill->reader, &filter, err);
    for (unsigned n = 0; r >= 0 && n < STEP_EVENTS; n++) {
        if (n % LOOK_EVENTS == 0 && events_wait(pipeline))
            break;
        r = store_read(fill->reader, &row, err);
        at_end = r == 0;
        if (r <= 0)
            break;
        r = take_row(pipeline, fill, &row, write, err);
    }
    store_rest(fill->reader);
    if (at_end)
        fill->state_id = last_id; /* what retention took away in between is not waited for */
    return r < 0 ? r : 0;
}

static int step(struct pipeline *pipeline, struct fill *fill, struct err *err)
{
    const struct store_fill_place place = store_get_fill(pipeline->store);
    int r = fill->reader ? 0 : store_open_reader(pipeline->store, &fill->reader, err);
    if (r >= 0 && !fill->state)
        r = begin_state(pipeline, fill, err);
    if (r < 0)
        return r;
    if (fill->state_id < place.filled_id)
        return take_rows(pipeline, fill, place.filled_id, false, err);
    r = store_begin_fill(pipeline->store, err);
    if (r < 0)
        return r;
    r = take_rows(pipeline, fill, place.until_id, true, err);
    if (r >= 0)
        r = store_set_place(pipeline->store, STORE_FILL_STATE, &fill->turns.place, err);
    if (r < 0) {
        store_rollback(pipeline->store);
        return r;
    }
    return store_end_fill(pipeline->store, fill->state_id, err);
}

static void tell_begin(const struct pipeline *pipeline, struct fill *fill)
{
    const struct store_fill_place place = store_get_fill(pipeline->store);
    if (!fill->told)
        log_line(LOG_INFO, LOG_ID_FILLED,
                 "the event log was made by an older version: its events %llu to %llu are brought up to date while "
                 "nothing else is to be done",
                 (unsigned long long) place.filled_id + 1, (unsigned long long) place.until_id);
    fill->told = true;
}

static void tell_result(struct fill *fill, int r, const struct err *err)
{
    if ((r < 0) == fill->failing)
        return;
    fill->failing = r < 0;
    if (r < 0)
        log_line(LOG_WARNING, LOG_ID_STORE_FAILED, "old events are not brought up to date until they can be: %s",
                 err->msg);
    else
        log_line(LOG_NOTICE, LOG_ID_STORE_RECOVERED, "old events are brought up to date again");
}

static struct fill *get_fill(struct pipeline *pipeline)
{
    if (pipeline->fill)
        return pipeline->fill;
    pipeline->fill = calloc(1, sizeof(*pipeline->fill));
    if (pipeline->fill)
        pipeline->fill->description = (struct description) DESCRIPTION_INIT;
    return pipeline->fill;
}

void fill_old(struct pipeline *pipeline)
{
    struct err err;
    struct fill *fill = fill_is_due(pipeline) ? get_fill(pipeline) : NULL;
    if (!fill || events_wait(pipeline))
        return;
    tell_begin(pipeline, fill);
    int r = step(pipeline, fill, &err);
    if (r != -EBUSY) /* another program has locked it: later */
        tell_result(fill, r, &err);
    if (r < 0) { /* state is ahead of what is in the log */
        drop_state(fill);
        fill->again_us = uptime_us() + AGAIN_US;
        return;
    }
    if (store_get_fill(pipeline->store).until_id)
        return;
    log_line(LOG_INFO, LOG_ID_FILLED, "all events of the log are brought up to date");
    fill_free(pipeline);
}
