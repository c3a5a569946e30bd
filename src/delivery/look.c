/* look.c - is an event for the action? */
#include <errno.h>
#include <string.h>

#include "delivery_private.h"

#define LATE_US (600 * USEC_PER_SEC)
#define BACK_EVENTS 2000                    /* looked at at one time */
#define BACK_MAX_EVENTS ((uint64_t) 100000) /* in all: what came before them may be told once more */

bool look_may_have(const struct worker *worker, enum event_verdict verdict)
{
    return verdict == EVENT_ACCEPTED || (verdict == EVENT_INTERNAL && worker->type->mirrors);
}

bool look_wants(const struct worker *worker, const char *type, enum event_verdict verdict)
{
    return look_may_have(worker, verdict) &&
           filter_wants_type(worker->action, worker->delivery->settings.families, type);
}

/* What is known is parsed only where a condition may ask for it. */
static enum left_out filter_record(const struct worker *worker, const struct feed_record *record)
{
    const struct action_record asked = { .event = &record->event,
                                         .description = &record->description,
                                         .known = worker->action->n_when ? feed_known(record) : NULL,
                                         .node = worker->delivery->settings.node };
    return filter_look(worker->action, &asked);
}

static bool is_repeat(struct worker *worker, const struct feed_record *record)
{
    return !cooldown_lets_through(worker->cooldown, &record->event, &record->description);
}

/* time_us 0: of another node, whose clock may be any. */
void look_time(struct worker *worker, uint64_t id, usec_t time_us)
{
    if (id != worker->timed_id + 1) /* another place in the log, perhaps an earlier one */
        worker->newest_us = 0;
    worker->timed_id = id;
    if (time_us > worker->newest_us)
        worker->newest_us = time_us;
}

/* When it came. What is pushed has the time of its arrival; what another source brings has one of its own, and came no
 * earlier than what stands before it. Of another node's the row tells how late it came. */
static usec_t age_at_arrival(const struct worker *worker, const struct feed_record *record)
{
    const struct event *event = &record->event;
    if (event->home.node)
        return description_get_late(feed_known(record)) * USEC_PER_SEC;
    if (strcmp(event->origin->source, EVENT_SOURCE_PUSH) == 0)
        return 0;
    return worker->newest_us > event->time_us ? worker->newest_us - event->time_us : 0;
}

bool look_is_late(const struct config_action *action, usec_t age_us)
{
    return age_us > LATE_US && !action->late && age_us > action->max_age_us;
}

enum left_out look_at(struct worker *worker, const struct feed_record *record)
{
    const struct event *event = &record->event;
    enum left_out why = filter_record(worker, record);
    if (why != LEFT_OUT_NOT)
        return why;
    if (event->test)
        return LEFT_OUT_TEST;
    if (!worker->type->mirrors && look_is_late(worker->action, age_at_arrival(worker, record)))
        return LEFT_OUT_LATE;
    /* What is too old to be told anyway must not keep a newer one from being told. */
    bool counts = worker->cooldown && !attempt_is_too_old(worker->action, attempt_event_age_us(event));
    return counts && is_repeat(worker, record) ? LEFT_OUT_COOLDOWN : LEFT_OUT_NOT;
}

/* ---- back ---- */

/* Twice the time before the cursor: what came first in there is taken for let through, which it may not have been. */
static int find_back(struct worker *worker, struct store_reader *store, struct err *err)
{
    uint64_t until_id = worker->back_until_id;
    usec_t back_us = 2 * worker->action->cooldown_us;
    struct store_row row;
    int r = store_seek(store, &(struct store_filter){ .after_id = until_id - 1, .last_id = until_id }, err);
    if (r >= 0)
        r = store_read(store, &row, err);
    usec_t time_us = r > 0 ? row.time_us : 0;
    store_rest(store);
    if (r > 0)
        r = store_last_until(store, time_us > back_us ? time_us - back_us : 0, &worker->back_id, err);
    else if (r == 0)
        worker->back_id = until_id; /* gone, and what came before it as well */
    if (r >= 0 && until_id - worker->back_id > BACK_MAX_EVENTS)
        worker->back_id = until_id - BACK_MAX_EVENTS;
    return r;
}

static int show_again(struct worker *worker, const struct store_row *row)
{
    const struct feed_record *record;
    if (!look_wants(worker, row->type, row->verdict))
        return 0;
    int r = feed_restore(row, worker->delivery->settings.families, &record);
    if (r < 0)
        return r == -EINVAL ? 0 : r; /* not JSON: somebody else's hand */
    bool counts = record->event.verdict == EVENT_ACCEPTED && !record->event.test;
    if (counts && filter_record(worker, record) == LEFT_OUT_NOT)
        (void) is_repeat(worker, record);
    (void) feed_unref(record);
    return 0;
}

int look_back(struct worker *worker, struct store_reader *store, struct err *err)
{
    struct store_row row;
    bool more = true;
    int r = worker->back_id ? 0 : find_back(worker, store, err);
    if (r >= 0)
        r = store_seek(store, &(struct store_filter){ .after_id = worker->back_id, .last_id = worker->back_until_id },
                       err);
    for (unsigned n = 0; r >= 0 && more && n < BACK_EVENTS; n++) {
        r = store_read(store, &row, err);
        more = r > 0;
        if (!more)
            break;
        worker->back_id = row.id;
        r = show_again(worker, &row);
        if (r < 0)
            err_set(err, r, "no memory");
    }
    store_rest(store);
    if (r >= 0 && !more)
        worker->back_until_id = 0;
    return r < 0 ? r : 0;
}
