/* attempt.c - one event: rendered once, tried until it is settled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <sonoran-pushd/log.h>

#include "private.h"

#define OFF_US (60 * 60 * USEC_PER_SEC) /* a target that refuses for good may have been put right */
#define SHORTEST_WAIT_US (100 * USEC_PER_MSEC)

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
    const struct event *event = &item->batch.events[0];
    struct config *config = current_config(worker->delivery);
    const struct action_record record = { .event = event,
                                          .description = &item->description,
                                          .community_key = delivery_key_of(config, event->community),
                                          .known = item->description.known_json,
                                          .several_communities = config->n_communities > 1,
                                          .several_listeners = config->n_listeners > 1 };
    payload->event_id = event->id;
    int r = worker->type->render(worker->action, &record, payload, err);
    config_free(config);
    if (r >= 0 && (payload->body.failed || payload->words.failed || payload->environment.failed))
        r = err_set(err, -ENOMEM, "no memory");
    return r;
}

bool is_too_old(const struct config_action *action, const struct event *event)
{
    uint64_t max_age_us = action->max_age_us;
    usec_t now = now_us();
    return max_age_us && now > max_age_us && event->time_us < now - max_age_us;
}

static bool too_old(const struct worker *worker, const struct item *item)
{
    return !item->again && is_too_old(worker->action, &item->batch.events[0]);
}

/* Between two tries. False: the worker ends, or has gone to another place in the log. */
static bool pause_for(struct worker *worker, const struct item *item, usec_t wait_us)
{
    usec_t end = uptime_us() + wait_us;
    pthread_mutex_lock(&worker->lock);
    worker->n_paused++;
    worker->status.next_try_us = now_us() + wait_us;
    bool time_left = true;
    while (time_left && !worker->ending && !worker->off && !item->stray)
        time_left = wait_signal(&worker->pause, &worker->lock, end);
    worker->n_paused--;
    bool go_on = !worker->ending && !worker->off && !item->stray;
    pthread_mutex_unlock(&worker->lock);
    return go_on;
}

void count_failure(struct worker *worker, const struct err *err)
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
    count_failure(worker, err);
    pthread_mutex_unlock(&worker->lock);
    tell(worker, news ? LOG_WARNING : LOG_DEBUG, LOG_ID_DELIVERY_RETRIED, item->id, item->attempts,
         "event %llu not delivered, next try in %.1f s: %s", (unsigned long long) item->id, (double) wait_us / 1e6,
         err->msg);
}

static usec_t next_wait_us(const struct item *item, const struct action_outcome *outcome)
{
    uint32_t random = 0;
    (void) !getrandom(&random, sizeof(random), GRND_NONBLOCK);
    usec_t wait = outcome->retry_after_us ? outcome->retry_after_us : backoff_us(item->attempts, random);
    return wait > SHORTEST_WAIT_US ? wait : SHORTEST_WAIT_US;
}

/* After a try that was none or did not help. True: once more. */
static bool try_again(struct worker *worker, struct item *item, struct action_outcome *outcome)
{
    uint64_t give_up_after_us = worker->action->give_up_after_us;
    if (outcome->result == ACTION_WAIT)
        return pause_for(worker, item, next_wait_us(item, outcome));

    usec_t wait = next_wait_us(item, outcome), now = uptime_us(), end = item->first_try_us + give_up_after_us;
    if (give_up_after_us && now >= end) {
        err_wrap(&outcome->err, 0, "given up after %u attempt%s", item->attempts, text_plural(item->attempts));
        outcome->result = ACTION_GIVE_UP;
        return false;
    }
    if (give_up_after_us && now + wait > end) /* the last try; who says "in an hour" is not asked for each event */
        wait = end - now;
    tell_failure(worker, item, &outcome->err, wait);
    return pause_for(worker, item, wait);
}

static void try_once(struct slot *slot, struct action *action, struct item *item, const struct action_payload *payload,
                     struct action_outcome *outcome)
{
    struct worker *worker = slot->worker;
    *outcome = (struct action_outcome){ .result = ACTION_DONE };
    usec_t now = uptime_us();
    if (!item->first_try_us)
        item->first_try_us = now;
    pthread_mutex_lock(&worker->lock);
    slot->stuck_us = now + worker->action->timeout_us + STUCK_US;
    pthread_mutex_unlock(&worker->lock);
    worker->type->deliver(action, payload, outcome);
    bool tried = outcome->result != ACTION_WAIT && outcome->result != ACTION_CANCELLED;
    item->attempts += tried;
    pthread_mutex_lock(&worker->lock);
    slot->stuck_us = 0;
    worker->status.n_attempts += tried;
    worker_note_answer(worker, item, outcome);
    pthread_mutex_unlock(&worker->lock);
}

/* Only a target that takes events as the CAD sends them can send them back to us. */
static bool may_loop(const struct worker *worker)
{
    return worker->action->type == ACTION_TYPE_FORWARD && worker->action->body == FORWARD_BODY_ORIGINAL;
}

/* False: it is not to be sent now. */
static bool passes_loops(struct worker *worker, const struct item *item, uint64_t hash)
{
    struct loops *loops = &worker->delivery->loops;
    usec_t wait;
    bool loop;
    while ((wait = loops_pass(loops, hash, worker->serial, uptime_us(), &loop)) > 0)
        if (!pause_for(worker, item, wait))
            return false;
    if (!loop)
        return true;
    struct err err;
    err_set(&err, 0, "a loop: what it sends comes back to us (event %llu again), and only when it is sent",
            (unsigned long long) item->id);
    worker_turn_off(worker, &err, 0);
    return false;
}

enum attempt_end attempt(struct slot *slot, struct action *action, struct item *item, struct err *err)
{
    struct action_payload payload CLEANUP(action_payload_free) = ACTION_PAYLOAD_INIT;
    struct worker *worker = slot->worker;
    struct action_outcome outcome;
    uint64_t hash = may_loop(worker) ? loops_hash(&item->batch.events[0]) : 0;
    if (too_old(worker, item))
        return ATTEMPT_SKIPPED;
    if (render(slot, item, &payload, err) < 0)
        return ATTEMPT_FAILED;

    do {
        if (too_old(worker, item))
            return ATTEMPT_SKIPPED;
        if (hash && !passes_loops(worker, item, hash))
            return ATTEMPT_PUT_BACK;
        try_once(slot, action, item, &payload, &outcome);
        if (outcome.result == ACTION_DONE)
            return ATTEMPT_DELIVERED;
        if (outcome.result == ACTION_OFF)
            worker_turn_off(worker, &outcome.err, OFF_US);
    } while ((outcome.result == ACTION_RETRY || outcome.result == ACTION_WAIT) && try_again(worker, item, &outcome));
    if (outcome.result != ACTION_GIVE_UP)
        return ATTEMPT_PUT_BACK;
    *err = outcome.err;
    return ATTEMPT_FAILED;
}
