/* attempt.c - the events that a thread has in hand: rendered once, tried until they are settled. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

#define OFF_US (60 * 60 * USEC_PER_SEC) /* a target that refuses for good may have been put right */
#define SHORTEST_WAIT_US (100 * USEC_PER_MSEC)
#define FIRST_WAIT_US USEC_PER_SEC
#define LONGEST_WAIT_US (300 * USEC_PER_SEC)

/* The community's key may have changed since the action was set up. */
static struct config *current_config(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    struct config *config = config_ref(delivery->config);
    pthread_mutex_unlock(&delivery->lock);
    return config;
}

const char *delivery_key_of(const struct config *config, const char *community)
{
    for (size_t i = 0; i < config->n_communities; i++)
        if (strcmp(config->communities[i].name, community) == 0)
            return config->communities[i].api_keys[0];
    return NULL;
}

static int render(struct slot *slot, const struct item *item, struct action_payload *payload, struct err *err)
{
    struct worker *worker = slot->worker;
    const struct event *event = &item->record->event;
    struct config *config = current_config(worker->delivery);
    const struct action_record record = { .event = event,
                                          .description = &item->record->description,
                                          .community_key = delivery_key_of(config, event->community),
                                          .known = feed_known(item->record),
                                          .several_communities = config->n_communities > 1,
                                          .several_listeners = config->n_listeners > 1,
                                          .node = worker->delivery->settings.node };
    payload->event_id = event->id;
    int r = worker->type->render(worker->action, &record, payload, err);
    payload->again = item->again;
    config_free(config);
    if (r >= 0 && (payload->body.failed || payload->words.failed || payload->environment.failed))
        r = err_set(err, -ENOMEM, "no memory");
    return r;
}

usec_t attempt_event_age_us(const struct event *event)
{
    usec_t now = now_us();
    return now > event->time_us ? now - event->time_us : 0;
}

bool attempt_is_too_old(const struct config_action *action, usec_t age_us)
{
    return action->max_age_us && age_us > action->max_age_us;
}

/* While it is in hand it grows older as time passes, whatever is done to the clock. */
static bool too_old(const struct worker *worker, const struct item *item)
{
    return !item->again && attempt_is_too_old(worker->action, item->age_us + (boottime_us() - item->read_us));
}

/* Under the lock. A worker that goes to another place in the log gives up no thread: what its threads have in hand is
 * marked, and each of them finds out by itself. */
static bool may_go_on(const struct slot *slot)
{
    const struct worker *worker = slot->worker;
    bool goes_on = !worker->ending && !worker->off;
    for (size_t i = 0; i < slot->hand.n && goes_on; i++)
        goes_on = !slot->hand.items[i]->stray;
    return goes_on;
}

/* Between two tries. False: the worker ends, or has gone to another place in the log. */
static bool pause_for(struct slot *slot, usec_t wait_us)
{
    struct worker *worker = slot->worker;
    usec_t end = uptime_us() + wait_us;
    pthread_mutex_lock(&worker->lock);
    worker->n_paused++;
    worker->status.next_try_us = now_us() + wait_us;
    bool time_left = true;
    while (time_left && may_go_on(slot))
        time_left = wait_signal(&worker->pause, &worker->lock, end);
    worker->n_paused--;
    bool go_on = may_go_on(slot);
    pthread_mutex_unlock(&worker->lock);
    return go_on;
}

void attempt_count_failure(struct worker *worker, const struct err *err)
{
    worker->status.error_us = now_us();
    snprintf(worker->status.error, sizeof(worker->status.error), "%.*s", (int) sizeof(worker->status.error) - 1,
             err->msg);
}

/* The first failure, and one of another kind, is news; that it still goes on is not, and what comes and goes is told
 * once. */
static void tell_failure(struct worker *worker, const struct item *item, const struct err *err, usec_t wait_us)
{
    pthread_mutex_lock(&worker->lock);
    bool news = !worker->failing || strncmp(worker->status.error, err->msg, sizeof(worker->status.error) - 1) != 0;
    news = news && worker_is_news(worker, false, item->id, err->msg);
    worker->failing = true;
    worker->failing_told |= news;
    attempt_count_failure(worker, err);
    pthread_mutex_unlock(&worker->lock);
    worker_tell(worker, news ? LOG_WARNING : LOG_DEBUG, LOG_ID_DELIVERY_RETRIED, item->id, item->attempts,
                "event %llu not delivered, next try in %.1f s: %s", (unsigned long long) item->id,
                (double) wait_us / 1e6, err->msg);
}

usec_t attempt_backoff_us(unsigned attempts, uint32_t random)
{
    usec_t wait = FIRST_WAIT_US;
    for (unsigned i = 1; i < attempts && wait < LONGEST_WAIT_US; i++)
        wait *= 2;
    if (wait > LONGEST_WAIT_US)
        wait = LONGEST_WAIT_US;
    return wait / 2 + wait / 2 * random / UINT32_MAX;
}

static usec_t next_wait_us(const struct item *item, const struct action_outcome *outcome)
{
    uint32_t random = 0;
    (void) !getrandom(&random, sizeof(random), GRND_NONBLOCK);
    usec_t wait = outcome->retry_after_us ? outcome->retry_after_us : attempt_backoff_us(item->attempts, random);
    return wait > SHORTEST_WAIT_US ? wait : SHORTEST_WAIT_US;
}

/* 0: never */
static uint64_t give_up_after(const struct worker *worker)
{
    return worker->type->mirrors ? 0 : worker->action->give_up_after_us;
}

/* Of an event that could be tried again. */
static bool is_given_up(const struct worker *worker, const struct item *item, struct action_outcome *outcome)
{
    uint64_t give_up_after_us = give_up_after(worker);
    if (!give_up_after_us || changes_tried_for_us(item) < give_up_after_us)
        return false;
    err_wrap(&outcome->err, 0, "given up after %u attempt%s", item->attempts, text_plural(item->attempts));
    return true;
}

/* True: once more. */
static bool wait_to_retry(struct slot *slot, struct item *item, const struct action_outcome *outcome)
{
    uint64_t give_up_after_us = give_up_after(slot->worker);
    usec_t wait = next_wait_us(item, outcome), tried_for = changes_tried_for_us(item);
    if (give_up_after_us && tried_for + wait > give_up_after_us) /* the last try; who says "in an hour" is not asked
                                                                    for each event */
        wait = tried_for < give_up_after_us ? give_up_after_us - tried_for : 0;
    pthread_mutex_lock(&slot->worker->lock);
    changes_note_try(slot->worker, item);
    pthread_mutex_unlock(&slot->worker->lock);
    tell_failure(slot->worker, item, &outcome->err, wait);
    return pause_for(slot, wait);
}

static bool may_return(const struct worker *worker)
{
    return worker->type->may_return && worker->type->may_return(worker->action);
}

/* False: it is not to be sent now. */
static bool passes_loop(struct slot *slot, const struct item *item)
{
    struct worker *worker = slot->worker;
    struct loops *loops = &worker->delivery->loops;
    uint64_t hash = loops_hash(&item->record->event);
    usec_t wait;
    bool loop;
    while ((wait = loops_pass(loops, hash, worker->serial, uptime_us(), &loop)) > 0)
        if (!pause_for(slot, wait))
            return false;
    if (!loop)
        return true;
    struct err err;
    err_set(&err, 0, "a loop: what it sends comes back to us (event %llu again), and only when it is sent",
            (unsigned long long) item->id);
    worker_turn_off(worker, &err, 0);
    return false;
}

static bool passes_loops(struct slot *slot)
{
    bool passes = true;
    for (size_t i = 0; may_return(slot->worker) && i < slot->hand.n && passes; i++)
        passes = passes_loop(slot, slot->hand.items[i]);
    return passes;
}

/* ---- what is in hand ---- */

/* Ends with one of them; those behind it move up. */
static void put_down(struct slot *slot, size_t i, enum attempt_end end, const struct err *err)
{
    struct hand *hand = &slot->hand;
    assert(i < hand->n);
    action_payload_free(&hand->payloads[i]);
    worker_settle(slot->worker, hand->items[i], end, err);
    size_t n_behind = --hand->n - i;
    memmove(&hand->items[i], &hand->items[i + 1], n_behind * sizeof(hand->items[0]));
    memmove(&hand->payloads[i], &hand->payloads[i + 1], n_behind * sizeof(hand->payloads[0]));
}

static void put_down_too_old(struct slot *slot)
{
    for (size_t i = 0; i < slot->hand.n;) {
        if (too_old(slot->worker, slot->hand.items[i]))
            put_down(slot, i, ATTEMPT_SKIPPED, NULL);
        else
            i++;
    }
}

static void try_once(struct slot *slot, struct action *action)
{
    struct worker *worker = slot->worker;
    struct hand *hand = &slot->hand;
    hand->tried_us = uptime_us();
    hand->n_tried = hand->n;
    for (size_t i = 0; i < hand->n; i++)
        hand->outcomes[i] = (struct action_outcome){ .result = ACTION_CANCELLED };
    pthread_mutex_lock(&worker->lock);
    slot->stuck_us = hand->tried_us + worker->action->timeout_us + STUCK_US;
    pthread_mutex_unlock(&worker->lock);
    worker->type->deliver(action, hand->payloads, hand->n, hand->outcomes);
    usec_t took_us = uptime_us() - hand->tried_us;
    pthread_mutex_lock(&worker->lock);
    report_observe(&worker->status.try_us, &delivery_try_limits, took_us);
    slot->stuck_us = 0;
    pthread_mutex_unlock(&worker->lock);
}

static void note_try(struct slot *slot, struct item *item, const struct action_outcome *outcome)
{
    struct worker *worker = slot->worker;
    bool tried =
        outcome->result != ACTION_WAIT && outcome->result != ACTION_BACK && outcome->result != ACTION_CANCELLED;
    pthread_mutex_lock(&worker->lock); /* the writer saves what is known of it */
    if (!item->first_try_us)
        item->first_try_us = slot->hand.tried_us;
    item->attempts += tried;
    worker->status.n_attempts += tried;
    worker_note_answer(worker, item, outcome);
    pthread_mutex_unlock(&worker->lock);
}

/* Where there is no memory for it now, there may be later. False: not by this thread, and not now. */
static bool wait_for_memory(struct slot *slot, size_t i, const struct action_outcome *outcome)
{
    struct hand *hand = &slot->hand;
    action_payload_free(&hand->payloads[i]);
    hand->payloads[i] = (struct action_payload) ACTION_PAYLOAD_INIT;
    hand->tried_us = uptime_us();
    note_try(slot, hand->items[i], outcome);
    return wait_to_retry(slot, hand->items[i], outcome);
}

static bool render_all(struct slot *slot)
{
    struct hand *hand = &slot->hand;
    for (size_t i = 0; i < hand->n;) {
        struct action_outcome outcome = { .result = ACTION_RETRY };
        int r = render(slot, hand->items[i], &hand->payloads[i], &outcome.err);
        if (r >= 0)
            i++;
        else if (r != -ENOMEM || is_given_up(slot->worker, hand->items[i], &outcome))
            put_down(slot, i, ATTEMPT_FAILED, &outcome.err);
        else if (!wait_for_memory(slot, i, &outcome))
            return false;
    }
    return true;
}

/* Of what was tried, settles what stands before the first that is not done with: that one is the next to be tried, with
 * those behind it. False: not by this thread, and not now. */
static bool settle_tried(struct slot *slot)
{
    struct hand *hand = &slot->hand;
    assert(hand->n_tried == hand->n);
    for (size_t i = 0; i < hand->n_tried; i++) {
        struct action_outcome *outcome = &hand->outcomes[i];
        struct item *item = hand->items[0];
        note_try(slot, item, outcome);
        switch (outcome->result) {
        case ACTION_DONE:
            put_down(slot, 0, ATTEMPT_DELIVERED, NULL);
            break;
        case ACTION_GIVE_UP:
            put_down(slot, 0, ATTEMPT_FAILED, &outcome->err);
            break;
        case ACTION_RETRY:
            if (!is_given_up(slot->worker, item, outcome))
                return wait_to_retry(slot, item, outcome);
            put_down(slot, 0, ATTEMPT_FAILED, &outcome->err);
            return true;
        case ACTION_WAIT:
            return pause_for(slot, next_wait_us(item, outcome));
        case ACTION_BACK:
            return !worker_go_back(slot, outcome);
        case ACTION_OFF:
            worker_turn_off(slot->worker, &outcome->err, OFF_US);
            return false;
        case ACTION_CANCELLED:
            return false;
        }
    }
    return true;
}

/* Also between a batch's front that was given up and the rest of it, where there is no pause. */
static bool goes_on(struct slot *slot)
{
    pthread_mutex_lock(&slot->worker->lock);
    bool go_on = may_go_on(slot);
    pthread_mutex_unlock(&slot->worker->lock);
    return go_on;
}

void attempt(struct slot *slot, struct action *action)
{
    struct hand *hand = &slot->hand;
    assert(hand->n > 0);
    for (size_t i = 0; i < hand->n; i++)
        hand->payloads[i] = (struct action_payload) ACTION_PAYLOAD_INIT;
    put_down_too_old(slot);
    bool rendered = render_all(slot);
    put_down_too_old(slot);
    while (rendered && hand->n && goes_on(slot) && passes_loops(slot)) {
        try_once(slot, action);
        if (!settle_tried(slot))
            break;
        put_down_too_old(slot);
    }
    while (hand->n)
        put_down(slot, hand->n - 1, ATTEMPT_PUT_BACK, NULL);
}
