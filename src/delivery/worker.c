/* worker.c - what an action's threads do: they take what was read, read on when nothing is left, and settle what came
 * of it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

#define READ_AGAIN_US USEC_PER_SEC /* after the log could not be read */

/* ---- items ---- */

static void append_item(struct worker *worker, struct item *item)
{
    item->next = NULL;
    item->previous = worker->last;
    *(worker->last ? &worker->last->next : &worker->first) = item;
    worker->last = item;
}

static void remove_item(struct worker *worker, struct item *item)
{
    assert(item == (item->previous ? item->previous->next : worker->first));
    *(item->previous ? &item->previous->next : &worker->first) = item->next;
    *(item->next ? &item->next->previous : &worker->last) = item->previous;
}

static bool take_hand(struct worker *worker, struct hand *hand)
{
    assert(wait_is_locked(&worker->lock) && hand->n == 0);
    for (struct item *item = worker->first; item && hand->n < hand->room; item = item->next) {
        if (item->taken)
            continue;
        item->taken = true;
        hand->items[hand->n++] = item;
    }
    return hand->n;
}

void worker_drop_waiting(struct worker *worker)
{
    assert(wait_is_locked(&worker->lock));
    for (struct item *item = worker->first, *next; item; item = next) {
        next = item->next;
        if (item->again)
            continue;
        if (item->taken) {
            item->stray = true;
            continue;
        }
        remove_item(worker, item);
        worker_item_free(item);
    }
}

void worker_item_free(struct item *item)
{
    (void) feed_unref(item->record);
    free(item);
}

/* Up to here everything is settled. */
uint64_t worker_cursor(const struct worker *worker)
{
    for (const struct item *item = worker->first; item; item = item->next)
        if (!item->again && !item->stray)
            return item->id - 1;
    return worker->read_id;
}

/* ---- reading ---- */

static bool wants_reading(const struct worker *worker)
{
    return !worker->reading && !worker->resting &&
           (worker->read_id < worker->newest_id || worker->n_retry_ids || worker->retry_all);
}

static struct reading begin_reading(struct worker *worker)
{
    struct reading reading = {
        .after_id = worker->read_id,
        .newest_id = worker->newest_id,
        .retry_ids = worker->retry_ids,
        .n_retry_ids = worker->n_retry_ids,
        .retry_all = worker->retry_all,
    };
    assert(wait_is_locked(&worker->lock) && !worker->reading);
    worker->retry_ids = NULL;
    worker->n_retry_ids = 0;
    worker->retry_all = false;
    worker->reading = true;
    worker->reading_stuck_us = uptime_us() + STUCK_US;
    return reading;
}

/* What was read for a place that a replay has left since is thrown away, but for failed ones, which have no place. */
static void take_items(struct worker *worker, struct reading *reading, bool same_place)
{
    for (struct item *item = reading->first, *next; item; item = next) {
        next = item->next;
        if (item->again ? !changes_is_retried(worker, item->id) : same_place) {
            if (!item->again)
                changes_take_try(worker, item);
            append_item(worker, item);
        } else {
            worker_item_free(item);
        }
    }
    if (!same_place)
        return;
    worker->read_id = reading->after_id;
    for (size_t i = 0; i < LEFT_OUT_N; i++)
        worker->status.n_left_out[i] += reading->n_left_out[i];
}

/* What was not reached is still asked for; what was asked for since comes behind it. Without memory for both the newer
 * ones stay on the list of failed ones only. */
static void take_rest(struct worker *worker, struct reading *reading)
{
    size_t n_left = reading->n_retry_ids - reading->n_retried, n = n_left + worker->n_retry_ids;
    worker->retry_all |= reading->retry_all;
    if (n_left == 0) {
        free(reading->retry_ids);
        return;
    }
    uint64_t *ids = reading->retry_ids, *more = realloc(ids, (reading->n_retry_ids + n) * sizeof(*ids));
    if (more)
        ids = more;
    memmove(ids, ids + reading->n_retried, n_left * sizeof(*ids));
    if (more && worker->n_retry_ids)
        memcpy(ids + n_left, worker->retry_ids, worker->n_retry_ids * sizeof(*ids));
    free(worker->retry_ids);
    worker->retry_ids = ids;
    worker->n_retry_ids = more ? n : n_left;
}

static void take_gone(struct worker *worker, struct reading *reading)
{
    for (struct change *change = reading->gone, *next; change; change = next) {
        next = change->next;
        change->next = worker->changes;
        worker->changes = change;
    }
}

/* Waits where the log could not be read, which is told once. */
static void wait_readable(struct worker *worker, const struct err *err)
{
    usec_t end = uptime_us() + READ_AGAIN_US;
    if (!worker->read_failed)
        worker_tell(worker, LOG_ERR, LOG_ID_STORE_FAILED, 0, 0, "cannot read the event log, trying on: %s", err->msg);
    worker->read_failed = true;
    while (!worker->ending && wait_signal(&worker->pause, &worker->lock, end))
        ;
}

/* Under the lock, which is free in between. */
static void read_more(struct worker *worker)
{
    struct err err = { "" };
    struct reading reading = begin_reading(worker);
    uint64_t epoch = worker->epoch;
    reading.end = &reading.first;

    pthread_mutex_unlock(&worker->lock);
    int r = read_items(worker, &reading, &err);
    pthread_mutex_lock(&worker->lock);
    take_items(worker, &reading, worker->epoch == epoch);
    take_gone(worker, &reading);
    take_rest(worker, &reading);
    worker->reading = false;
    worker->reading_stuck_us = 0;
    if (worker->resting)
        pthread_cond_signal(&worker->ended);
    if (worker->reading_told)
        worker_tell(worker, LOG_NOTICE, LOG_ID_STORE_RECOVERED, 0, 0, "reads the event log again");
    worker->reading_told = false;
    if (r < 0)
        wait_readable(worker, &err);
    else
        worker->read_failed = false;
    if (worker->n_idle && worker->first)
        pthread_cond_broadcast(&worker->more);
}

/* ---- settling ---- */

static void tell_settled(struct worker *worker, const struct item *item, enum attempt_end end, const struct err *err)
{
    if (end == ATTEMPT_SKIPPED) {
        worker->n_too_old++;
        return;
    }
    worker_tell_too_old(worker);
    if (end == ATTEMPT_FAILED) {
        bool news = worker_is_news(worker, true, item->id, err->msg);
        worker_tell(worker, news ? LOG_ERR : LOG_DEBUG, LOG_ID_DELIVERY_FAILED, item->id, item->attempts,
                    "event %llu is not delivered and stays on the list of failed ones: %s",
                    (unsigned long long) item->id, err->msg);
        return;
    }
    worker_tell(worker, worker->failing_told ? LOG_NOTICE : LOG_DEBUG, LOG_ID_DELIVERED, item->id, item->attempts,
                worker->failing ? "delivers again, event %llu after %u attempt%s"
                                : "event %llu delivered after %u attempt%s",
                (unsigned long long) item->id, item->attempts, text_plural(item->attempts));
    worker->failing = worker->failing_told = worker->off_told = false;
}

static void count(struct worker *worker, enum attempt_end end, const struct err *err)
{
    struct delivery_status *status = &worker->status;
    switch (end) {
    case ATTEMPT_DELIVERED:
        status->n_delivered++;
        status->delivered_us = now_us();
        return;
    case ATTEMPT_SKIPPED:
        status->n_left_out[LEFT_OUT_MAX_AGE]++;
        return;
    case ATTEMPT_FAILED:
        status->n_failed++;
        status->error_us = now_us();
        snprintf(status->error, sizeof(status->error), "%.*s", (int) sizeof(status->error) - 1, err->msg);
        return;
    case ATTEMPT_PUT_BACK:
        return;
    }
}

/* Whether it may be on the list of failed ones. What a mirroring target did not take at first comes again in its order
 * (ACTION_BACK). */
static bool is_listed(const struct worker *worker, const struct item *item)
{
    return item->again || (worker->type->mirrors && item->id <= worker->listed_until_id);
}

/* Under the lock. */
static void settle(struct worker *worker, struct item *item, enum attempt_end end, const struct err *err)
{
    assert(item->taken && !err == (end != ATTEMPT_FAILED));
    changes_end_try(worker, item);
    if (end == ATTEMPT_PUT_BACK && !item->stray) {
        item->taken = false;
        return;
    }
    if (end != ATTEMPT_PUT_BACK) {
        count(worker, end, err);
        tell_settled(worker, item, end, err);
    }
    if (end == ATTEMPT_FAILED) {
        changes_note(worker, item, err);
        worker->listed_until_id = item->id > worker->listed_until_id ? item->id : worker->listed_until_id;
    } else if (is_listed(worker, item) && end != ATTEMPT_PUT_BACK) {
        changes_note(worker, item, NULL);
    }
    remove_item(worker, item);
    worker_item_free(item);
    worker->delivery->settings.changed(worker->delivery->settings.userdata);
}

void worker_settle(struct worker *worker, struct item *item, enum attempt_end end, const struct err *err)
{
    pthread_mutex_lock(&worker->lock);
    settle(worker, item, end, err);
    pthread_mutex_unlock(&worker->lock);
}

/* ---- the threads ---- */

/* Under the lock. */
static void work(struct slot *slot, struct action **action)
{
    struct worker *worker = slot->worker;
    while (!worker->ending) {
        bool ready = *action && !worker->off;
        if (!ready) {
            worker_come_back(slot, action);
        } else if (take_hand(worker, &slot->hand)) {
            pthread_mutex_unlock(&worker->lock);
            attempt(slot, *action);
            pthread_mutex_lock(&worker->lock);
        } else if (wants_reading(worker)) {
            read_more(worker);
        } else {
            worker->n_idle++;
            pthread_cond_wait(&worker->more, &worker->lock);
            worker->n_idle--;
        }
    }
}

void *worker_slot_thread(void *argument)
{
    struct slot *slot = argument;
    struct worker *worker = slot->worker;
    struct action *action = NULL;
    char name[16];

    snprintf(name, sizeof(name), "%.15s", worker->action->name);
    pthread_setname_np(pthread_self(), name);

    pthread_mutex_lock(&worker->lock);
    while (worker->held && !worker->ending)
        pthread_cond_wait(&worker->more, &worker->lock);
    work(slot, &action);
    assert(slot->hand.n == 0);
    pthread_mutex_unlock(&worker->lock);
    if (action)
        worker->type->close(action);

    pthread_mutex_lock(&worker->lock);
    worker->n_ended++;
    pthread_cond_signal(&worker->ended);
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

void worker_wake(void *userdata, uint64_t newest_id)
{
    struct worker *worker = userdata;
    pthread_mutex_lock(&worker->lock);
    worker->newest_id = newest_id;
    if (worker->n_idle && !worker->off)
        pthread_cond_signal(&worker->more);
    pthread_mutex_unlock(&worker->lock);
}
