/* attempt.c - one event: rendered once, tried until it is settled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <sonoran-pushd/log.h>

#include "private.h"

#define SHORTEST_WAIT_US (100 * USEC_PER_MSEC)

/* The community's key may have changed since the action was set up. */
static struct config *current_config(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    struct config *config = config_ref(delivery->config);
    pthread_mutex_unlock(&delivery->lock);
    return config;
}

static const char *find_key(const struct config *config, const char *community)
{
    for (size_t i = 0; i < config->n_communities; i++)
        if (strcmp(config->communities[i].name, community) == 0)
            return config->communities[i].api_key;
    return NULL;
}

static int render(struct slot *slot, const struct item *item, struct action_payload *payload, struct err *err)
{
    struct worker *worker = slot->worker;
    const struct event *event = &item->batch.events[0];
    struct config *config = current_config(worker->delivery);
    const struct action_record record = { .event = event,
                                          .description = &slot->description,
                                          .community_key = find_key(config, event->community),
                                          .state = worker->delivery->settings.state };
    event_describe(event, worker->delivery->settings.state, &slot->description);
    payload->event_id = event->id;
    int r = worker->type->render(worker->action, &record, payload, err);
    config_free(config);
    if (r >= 0 && (payload->body.failed || payload->words.failed || payload->environment.failed))
        r = err_set(err, -ENOMEM, "no memory");
    return r;
}

static bool too_old(const struct worker *worker, const struct item *item)
{
    uint64_t max_age_us = worker->action->max_age_us;
    usec_t now = now_us();
    return max_age_us && !item->again && now > max_age_us && item->batch.events[0].time_us < now - max_age_us;
}

/* Between two tries. False: the worker ends, or has gone to another place in the log. */
static bool pause_for(struct worker *worker, const struct item *item, usec_t wait_us)
{
    usec_t end = uptime_us() + wait_us;
    const struct timespec until = { .tv_sec = (time_t) (end / USEC_PER_SEC),
                                    .tv_nsec = (long) (end % USEC_PER_SEC * 1000) };
    pthread_mutex_lock(&worker->lock);
    worker->n_paused++;
    worker->status.next_try_us = now_us() + wait_us;
    int r = 0;
    while (r != ETIMEDOUT && !worker->ending && !worker->off && !item->stray)
        r = pthread_cond_timedwait(&worker->pause, &worker->lock, &until);
    worker->n_paused--;
    bool go_on = !worker->ending && !worker->off && !item->stray;
    pthread_mutex_unlock(&worker->lock);
    return go_on;
}

static void count_failure(struct worker *worker, const struct err *err)
{
    worker->status.error_us = now_us();
    snprintf(worker->status.error, sizeof(worker->status.error), "%.*s", (int) sizeof(worker->status.error) - 1,
             err->msg);
}

/* The first failure, and one of another kind, is news; that it still goes on is not. */
static void tell_failure(struct worker *worker, const struct item *item, const struct err *err, usec_t wait_us)
{
    pthread_mutex_lock(&worker->lock);
    bool news = !worker->failing || strncmp(worker->status.error, err->msg, sizeof(worker->status.error) - 1) != 0;
    worker->failing = true;
    count_failure(worker, err);
    pthread_mutex_unlock(&worker->lock);
    tell(worker, news ? LOG_WARNING : LOG_DEBUG, LOG_ID_DELIVERY_RETRIED, item->id, item->attempts,
         "event %llu not delivered, next try in %.1f s: %s", (unsigned long long) item->id, (double) wait_us / 1e6,
         err->msg);
}

void worker_turn_off(struct worker *worker, const struct err *err)
{
    pthread_mutex_lock(&worker->lock);
    bool news = !worker->off;
    worker->off = true;
    count_failure(worker, err);
    pthread_cond_broadcast(&worker->pause);
    pthread_mutex_unlock(&worker->lock);
    if (news)
        tell(worker, LOG_ERR, LOG_ID_ACTION_OFF, 0, 0, "switched off until the configuration is read again: %s",
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
        err_wrap(&outcome->err, 0, "given up after %u tries", item->attempts);
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
    pthread_mutex_unlock(&worker->lock);
}

enum attempt_end attempt(struct slot *slot, struct action *action, struct item *item, struct err *err)
{
    struct action_payload payload CLEANUP(action_payload_free) = ACTION_PAYLOAD_INIT;
    struct worker *worker = slot->worker;
    struct action_outcome outcome;
    if (too_old(worker, item))
        return ATTEMPT_SKIPPED;
    if (render(slot, item, &payload, err) < 0)
        return ATTEMPT_FAILED;

    do {
        if (too_old(worker, item))
            return ATTEMPT_SKIPPED;
        try_once(slot, action, item, &payload, &outcome);
        if (outcome.result == ACTION_DONE)
            return ATTEMPT_DELIVERED;
        if (outcome.result == ACTION_OFF)
            worker_turn_off(worker, &outcome.err);
    } while ((outcome.result == ACTION_RETRY || outcome.result == ACTION_WAIT) && try_again(worker, item, &outcome));
    if (outcome.result != ACTION_GIVE_UP)
        return ATTEMPT_PUT_BACK;
    *err = outcome.err;
    return ATTEMPT_FAILED;
}
