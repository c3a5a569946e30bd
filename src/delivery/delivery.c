/* delivery.c - all workers: begun, changed by a reload, woken, saved, ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

const char *delivery_state_name(enum delivery_state state)
{
    static const char *const names[] = {
        [DELIVERY_IDLE] = "idle", [DELIVERY_BUSY] = "busy", [DELIVERY_FAILING] = "failing", [DELIVERY_OFF] = "off"
    };
    return names[state];
}

int delivery_new(struct delivery **ret, const struct delivery_settings *settings)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (!delivery)
        return -ENOMEM;
    delivery->settings = *settings;
    pthread_mutex_init(&delivery->lock, NULL);
    pthread_mutex_init(&delivery->loops.lock, NULL);
    pthread_cond_init(&delivery->saved, NULL);
    *ret = delivery;
    return 0;
}

int worker_join_all(struct worker **workers, size_t n, usec_t grace_until_us)
{
    usec_t read_until_us = uptime_us() + READ_PATIENCE_US;
    int r = 0;
    for (size_t i = 0; i < n; i++)
        worker_cancel(workers[i], grace_until_us);
    for (size_t i = 0; i < n; i++)
        if (!worker_join(workers[i], read_until_us))
            r = -ETIMEDOUT;
    return r;
}

struct delivery *delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return NULL;
    trial_end(delivery);
    for (size_t i = 0; i < delivery->n_workers; i++)
        worker_free(delivery->workers[i]);
    free(delivery->workers);
    changes_dropped_free(delivery->dropped);
    config_free(delivery->config);
    pthread_mutex_destroy(&delivery->lock);
    pthread_mutex_destroy(&delivery->loops.lock);
    pthread_cond_destroy(&delivery->saved);
    free(delivery);
    return NULL;
}

/* ---- start ---- */

#define PARALLEL_MAX 64 /* of parallel: it may have been larger when they were saved */

/* As many as threads may have in hand at one time. */
static int load_tries(struct worker *worker, struct store *store, struct err *err)
{
    size_t room = PARALLEL_MAX * worker->slots[0].hand.room;
    worker->tries = calloc(room, sizeof(*worker->tries));
    if (!worker->tries)
        return err_set(err, -ENOMEM, "no memory");
    return store_get_tries(store, worker->action->name, worker->tries, room, &worker->n_tries, err);
}

static int load_action(struct delivery *delivery, struct config *config, const struct config_action *action,
                       struct store *store, struct err *err)
{
    uint64_t cursor = store_last_id(store);
    int r = store_get_cursor(store, action->name, &cursor, err);
    bool fresh = r == -ENOENT;
    if (fresh)
        r = store_set_cursor(store, action->name, cursor, err);
    if (r >= 0 && fresh)
        r = store_set_began(store, action->name, cursor, err);
    if (r < 0)
        return r;
    struct worker *worker;
    r = worker_new(&worker, delivery, config, action, cursor);
    if (r < 0)
        return err_set(err, r, "cannot set up action %s: %s", action->name, strerror(-r));
    worker->newest_id = store_last_id(store);
    worker->status.n_listed = store_count_failed(store, action->name);
    worker->listed_until_id = worker->status.n_listed ? worker->newest_id : 0;
    worker->began_saved = true;
    r = store_get_began(store, action->name, &worker->began_id, err);
    if (r >= 0 && !fresh)
        r = load_tries(worker, store, err);
    worker->back_until_id = fresh ? 0 : cursor;
    delivery->workers[delivery->n_workers++] = worker;
    return r;
}

/* Names that begin with - are not of actions. */
static int drop_strangers(const struct config *config, struct store *store, struct err *err)
{
    char name[NAME_MAX_BYTES + 1] = "";
    uint64_t id;
    int r;
    while ((r = store_next_cursor(store, name, &id, err)) > 0) {
        if (name[0] == '-' || delivery_action_of(config, name))
            continue;
        log_line(LOG_NOTICE, LOG_ID_ACTION_CHANGED,
                 "action %s is not configured any more: its place in the log (event %llu) is forgotten", name,
                 (unsigned long long) id);
        r = store_drop_cursor(store, name, err);
        if (r < 0)
            return r;
    }
    return r;
}

int delivery_load(struct delivery *delivery, struct config *config, struct store *store, struct err *err)
{
    delivery->workers = calloc(config->n_actions + 1, sizeof(*delivery->workers));
    if (!delivery->workers)
        return err_set(err, -ENOMEM, "no memory");
    delivery->config = config_ref(config);

    int r = store_begin(store, err);
    if (r >= 0)
        r = drop_strangers(config, store, err);
    for (size_t i = 0; i < config->n_actions && r >= 0; i++)
        r = load_action(delivery, config, &config->actions[i], store, err);
    if (r >= 0)
        r = store_commit(store, err);
    if (r < 0)
        store_rollback(store);
    return r;
}

/* The writer may be waking them already. */
int delivery_start(struct delivery *delivery, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < delivery->n_workers && r >= 0; i++)
        r = worker_start(delivery->workers[i], err);
    return r;
}

/* ---- end ---- */

int delivery_stop(struct delivery *delivery, usec_t timeout_us)
{
    if (!delivery)
        return 0;
    trial_cancel(delivery);
    for (size_t i = 0; i < delivery->n_workers; i++)
        worker_end(delivery->workers[i]);
    int r = worker_join_all(delivery->workers, delivery->n_workers, uptime_us() + timeout_us / 2);
    trial_end(delivery);
    for (size_t i = 0; i < delivery->n_workers; i++)
        worker_sum_up(delivery->workers[i]);
    return r;
}
