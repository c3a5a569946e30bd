/* configure.c - the actions of a new configuration: made ready as a whole, then taken. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery_private.h"

#define RELOAD_GRACE_US USEC_PER_SEC

struct delivery_change {
    struct config *config;
    struct worker **list; /* in the order of the configuration: those that go on, and new ones that are held */
    size_t n_list;
    struct worker **ended; /* those that cannot go on as they are */
    size_t n_ended;
    struct dropped *dropped; /* their cursors, where the action is gone */
};

const struct config_action *delivery_action_of(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_actions; i++)
        if (strcmp(config->actions[i].name, name) == 0)
            return &config->actions[i];
    return NULL;
}

static struct worker *find_worker(struct worker **workers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(workers[i]->action->name, name) == 0)
            return workers[i];
    return NULL;
}

/* ---- made ready ---- */

static bool is_off(struct worker *worker)
{
    struct delivery_status status;
    worker_get_status(worker, &status);
    return status.state == DELIVERY_OFF;
}

static bool goes_on(struct worker *worker, const struct config *config)
{
    const struct config_action *action = delivery_action_of(config, worker->action->name);
    return action && config_action_equal(action, worker->action) && !is_off(worker);
}

static int drop_cursor(struct delivery_change *change, const char *name)
{
    struct dropped *dropped = calloc(1, sizeof(*dropped));
    if (!dropped)
        return -ENOMEM;
    snprintf(dropped->name, sizeof(dropped->name), "%s", name);
    dropped->next = change->dropped;
    change->dropped = dropped;
    return 0;
}

static int prepare_end(struct delivery *delivery, struct delivery_change *change)
{
    int r = 0;
    for (size_t i = 0; i < delivery->n_workers && r >= 0; i++) {
        struct worker *worker = delivery->workers[i];
        if (goes_on(worker, change->config))
            continue;
        change->ended[change->n_ended++] = worker;
        if (!delivery_action_of(change->config, worker->action->name))
            r = drop_cursor(change, worker->action->name);
    }
    return r;
}

/* What it has made is in the list, also where it fails. */
static int prepare_action(struct delivery *delivery, struct delivery_change *change, const struct config_action *action,
                          struct err *err)
{
    struct worker *worker = find_worker(delivery->workers, delivery->n_workers, action->name);
    if (worker && !find_worker(change->ended, change->n_ended, action->name)) {
        change->list[change->n_list++] = worker;
        return 0;
    }
    int r = worker_new(&worker, delivery, change->config, action, 0);
    if (r < 0)
        return err_set(err, r, "cannot set up action %s: %s", action->name, strerror(-r));
    worker->held = true;
    change->list[change->n_list++] = worker;
    return worker_start(worker, err);
}

/* The next one of the name begins where the old one ends, and one that hangs in a read of the log does not. */
static int let_rest(const struct delivery_change *change, struct err *err)
{
    usec_t until_us = uptime_us() + READ_PATIENCE_US;
    for (size_t i = 0; i < change->n_ended; i++)
        if (!worker_rest(change->ended[i], until_us))
            return err_set(err, -EBUSY,
                           "action %s cannot end: it waits for the event log, and the disk does not answer",
                           change->ended[i]->action->name);
    return 0;
}

int delivery_prepare(struct delivery *delivery, struct config *config, struct delivery_change **ret, struct err *err)
{
    struct delivery_change *change = calloc(1, sizeof(*change));
    *ret = NULL;
    if (!change)
        return err_set(err, -ENOMEM, "no memory for the new actions");
    change->config = config_ref(config);
    change->list = calloc(config->n_actions + 1, sizeof(struct worker *));
    change->ended = calloc(delivery->n_workers + 1, sizeof(struct worker *));
    int r = 0;
    if (!change->list || !change->ended || prepare_end(delivery, change) < 0)
        r = err_set(err, -ENOMEM, "no memory for the new actions");
    for (size_t i = 0; i < config->n_actions && r >= 0; i++)
        r = prepare_action(delivery, change, &config->actions[i], err);
    if (r >= 0)
        r = let_rest(change, err);
    if (r < 0)
        change = delivery_change_free(change);
    *ret = change;
    return r;
}

struct delivery_change *delivery_change_free(struct delivery_change *change)
{
    if (!change)
        return NULL;
    for (size_t i = 0; i < change->n_list; i++) {
        if (!change->list[i]->held)
            continue;
        worker_end(change->list[i]);
        (void) worker_join(change->list[i], UINT64_MAX); /* it has not read yet */
        worker_free(change->list[i]);
    }
    for (size_t i = 0; i < change->n_ended; i++)
        worker_read_on(change->ended[i]);
    changes_dropped_free(change->dropped);
    config_free(change->config);
    free(change->list);
    free(change->ended);
    free(change);
    return NULL;
}

/* ---- taken ---- */

/* The list changes only while the writer does not go through it. */
static void lock_list(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    while (delivery->saving)
        pthread_cond_wait(&delivery->saved, &delivery->lock);
}

/* Takes those that are to end out of the list, which has no more than before, waits for them, and tells what they had
 * counted. */
static void end_old(struct delivery *delivery, const struct delivery_change *change)
{
    size_t n_kept = 0;
    lock_list(delivery);
    for (size_t i = 0; i < change->n_ended; i++)
        worker_end(change->ended[i]);
    for (size_t i = 0; i < delivery->n_workers; i++) {
        struct worker *worker = delivery->workers[i];
        if (!find_worker(change->ended, change->n_ended, worker->action->name))
            delivery->workers[n_kept++] = worker;
    }
    delivery->n_workers = n_kept;
    pthread_mutex_unlock(&delivery->lock);
    (void) worker_join_all(change->ended, change->n_ended, uptime_us() + RELOAD_GRACE_US);
    for (size_t i = 0; i < change->n_ended; i++)
        worker_sum_up(change->ended[i]);
}

/* What was asked for again, and is not settled. */
static void pass_retries(struct worker *old, struct worker *next)
{
    for (const struct item *item = old->first; item; item = item->next)
        if (item->again)
            (void) !worker_retry(old, item->id); /* without memory it stays on the list of failed ones */
    next->retry_all = old->retry_all;
    next->retry_ids = old->retry_ids;
    next->n_retry_ids = old->n_retry_ids;
    old->retry_ids = NULL;
}

/* A worker that was held begins: where a worker that has ended left off, or (NULL: it is the first of its name) at the
 * end of the log. */
static void release(struct worker *worker, struct worker *old)
{
    pthread_mutex_lock(&worker->lock);
    assert(worker->held && !worker->first && (!old || old->n_slots == 0));
    uint64_t newest_id =
        feed_newest_id(worker->delivery->settings.feed); /* under the lock: it is not told of less later */
    worker->read_id = old ? worker_cursor(old) : newest_id;
    worker->saved_cursor = old ? old->saved_cursor : UINT64_MAX; /* not a place: to be written */
    worker->newest_id = newest_id;
    worker->began_id = old ? old->began_id : newest_id;
    worker->began_saved = old && old->began_saved;
    worker->listed_until_id = old ? old->listed_until_id : 0;
    if (old) {
        worker->back_until_id = worker->read_id;
        worker->changes = old->changes;
        old->changes = NULL;
        pass_retries(old, worker);
        changes_pass_tries(old, worker);
        worker->status = old->status;
        worker->status.error_us = 0;
        worker->status.error[0] = '\0';
    }
    worker->held = false;
    pthread_cond_broadcast(&worker->more);
    pthread_mutex_unlock(&worker->lock);
}

static void take_list(struct delivery *delivery, struct delivery_change *change)
{
    for (size_t i = 0; i < change->n_list; i++) {
        struct worker *worker = change->list[i];
        if (worker->held)
            release(worker, find_worker(change->ended, change->n_ended, worker->action->name));
    }
    free(delivery->workers);
    delivery->workers = change->list;
    delivery->n_workers = change->n_list;
    change->list = NULL;
    change->n_list = 0;
}

static void take_dropped(struct delivery *delivery, struct delivery_change *change)
{
    struct dropped **end = &change->dropped;
    while (*end)
        end = &(*end)->next;
    *end = delivery->dropped;
    delivery->dropped = change->dropped;
    change->dropped = NULL;
}

void delivery_configure(struct delivery *delivery, struct delivery_change *change)
{
    end_old(delivery, change);

    lock_list(delivery);
    take_list(delivery, change);
    take_dropped(delivery, change);
    struct config *old = delivery->config;
    delivery->config = config_ref(change->config);
    pthread_mutex_unlock(&delivery->lock);
    config_free(old);
    for (size_t i = 0; i < change->n_ended; i++)
        worker_free(change->ended[i]);
    change->n_ended = 0;
    delivery_change_free(change);
    delivery->settings.changed(delivery->settings.userdata);
}
