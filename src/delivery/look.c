/* look.c - is an event for the action? */
#include <errno.h>
#include <string.h>

#include "private.h"

#define LATE_US (600 * USEC_PER_SEC)
#define BACK_EVENTS 2000                    /* looked at at one time */
#define BACK_MAX_EVENTS ((uint64_t) 100000) /* in all: what came before them may be told once more */

int look_restore(struct worker *worker, const struct store_row *row, bool any, struct batch *ret)
{
    const struct event_families *families = worker->delivery->settings.families;
    worker->is_described = false;
    if (row->verdict != EVENT_ACCEPTED || (!any && !filter_wants_type(worker->action, families, row->type)))
        return 0;
    int r = store_row_restore(row, families, ret);
    if (r == -EINVAL)
        return 0; /* not JSON: somebody else's hand */
    if (r < 0)
        return r;
    if (ret->events[0].verdict == EVENT_ACCEPTED)
        return 1;
    batch_done(ret);
    return 0;
}

const struct description *look_describe(struct worker *worker, const struct store_row *row, const struct event *event)
{
    if (!worker->is_described)
        store_row_describe(row, event, &worker->described);
    worker->is_described = true;
    return &worker->described;
}

/* What is not asked for is not read. */
static enum left_out filter_row(struct worker *worker, const struct store_row *row, const struct event *event)
{
    struct action_record record = { .event = event, .description = &worker->described };
    if (worker->action->n_when == 0)
        return filter_look(worker->action, &record);
    (void) look_describe(worker, row, event);
    record.known = worker->described.known_json;
    return filter_look(worker->action, &record);
}

static bool is_repeat(struct worker *worker, const struct store_row *row, const struct event *event)
{
    return !cooldown_lets_through(worker->cooldown, event, look_describe(worker, row, event));
}

void look_time(struct worker *worker, const struct store_row *row)
{
    if (row->id != worker->timed_id + 1) /* another place in the log, perhaps an earlier one */
        worker->newest_us = 0;
    worker->timed_id = row->id;
    if (row->time_us > worker->newest_us)
        worker->newest_us = row->time_us;
}

/* When it came. What is pushed has the time of its arrival; what another source brings has one of its own, and came no
 * earlier than what stands before it. A source that knows better says it here. */
static usec_t age_at_arrival(const struct worker *worker, const struct event *event)
{
    if (strcmp(event->source, EVENT_SOURCE_PUSH) == 0)
        return 0;
    return worker->newest_us > event->time_us ? worker->newest_us - event->time_us : 0;
}

bool look_is_late(const struct config_action *action, usec_t age_us)
{
    return age_us > LATE_US && !action->late && age_us > action->max_age_us;
}

enum left_out look_at(struct worker *worker, const struct store_row *row, const struct event *event)
{
    enum left_out why = filter_row(worker, row, event);
    if (why != LEFT_OUT_NOT)
        return why;
    if (event->test)
        return LEFT_OUT_TEST;
    if (look_is_late(worker->action, age_at_arrival(worker, event)))
        return LEFT_OUT_LATE;
    /* What is too old to be told anyway must not keep a newer one from being told. */
    bool counts = worker->cooldown && !is_too_old(worker->action, event);
    return counts && is_repeat(worker, row, event) ? LEFT_OUT_COOLDOWN : LEFT_OUT_NOT;
}

/* ---- back ---- */

/* Twice the time before the cursor: what came first in there is taken for let through, which it may not have been. */
static int find_back(struct worker *worker, struct err *err)
{
    uint64_t until_id = worker->back_until_id;
    usec_t back_us = 2 * worker->action->cooldown_us;
    struct store_row row;
    int r = store_seek(worker->reader, &(struct store_filter){ .after_id = until_id - 1, .last_id = until_id }, err);
    if (r >= 0)
        r = store_read(worker->reader, &row, err);
    usec_t time_us = r > 0 ? row.time_us : 0;
    store_rest(worker->reader);
    if (r > 0)
        r = store_last_until(worker->reader, time_us > back_us ? time_us - back_us : 0, &worker->back_id, err);
    else if (r == 0)
        worker->back_id = until_id; /* gone, and what came before it as well */
    if (r >= 0 && until_id - worker->back_id > BACK_MAX_EVENTS)
        worker->back_id = until_id - BACK_MAX_EVENTS;
    return r;
}

static int show_again(struct worker *worker, const struct store_row *row)
{
    struct batch batch;
    int r = look_restore(worker, row, false, &batch);
    if (r <= 0)
        return r;
    const struct event *event = &batch.events[0];
    if (filter_row(worker, row, event) == LEFT_OUT_NOT && !event->test)
        (void) is_repeat(worker, row, event);
    batch_done(&batch);
    return 0;
}

int look_back(struct worker *worker, struct err *err)
{
    struct store_row row;
    bool more = true;
    int r = worker->back_id ? 0 : find_back(worker, err);
    if (r >= 0)
        r = store_seek(worker->reader,
                       &(struct store_filter){ .after_id = worker->back_id, .last_id = worker->back_until_id }, err);
    for (unsigned n = 0; r >= 0 && more && n < BACK_EVENTS; n++) {
        r = store_read(worker->reader, &row, err);
        more = r > 0;
        if (!more)
            break;
        worker->back_id = row.id;
        r = show_again(worker, &row);
        if (r < 0)
            err_set(err, r, "no memory");
    }
    store_rest(worker->reader);
    if (r >= 0 && !more)
        worker->back_until_id = 0;
    return r < 0 ? r : 0;
}
