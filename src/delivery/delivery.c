/* delivery.c - all workers: begun, changed by a reload, woken, saved, ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "private.h"

#define RELOAD_GRACE_US USEC_PER_SEC

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
    pthread_cond_init(&delivery->saved, NULL);
    *ret = delivery;
    return 0;
}

struct delivery *delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return NULL;
    for (size_t i = 0; i < delivery->n_workers; i++)
        worker_free(delivery->workers[i]);
    free(delivery->workers);
    dropped_free(delivery->dropped);
    config_free(delivery->config);
    pthread_mutex_destroy(&delivery->lock);
    pthread_cond_destroy(&delivery->saved);
    free(delivery);
    return NULL;
}

static void join_all(struct worker **workers, size_t n, usec_t grace_until_us)
{
    for (size_t i = 0; i < n; i++)
        worker_cancel(workers[i], grace_until_us);
    for (size_t i = 0; i < n; i++)
        worker_join(workers[i]);
}

/* ---- start ---- */

static const struct config_action *find_action(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_actions; i++)
        if (strcmp(config->actions[i].name, name) == 0)
            return &config->actions[i];
    return NULL;
}

static int load_action(struct delivery *delivery, struct config *config, const struct config_action *action,
                       struct store *store, struct err *err)
{
    uint64_t cursor = store_last_id(store);
    int r = store_get_cursor(store, action->name, &cursor, err);
    if (r == -ENOENT)
        r = store_set_cursor(store, action->name, cursor, err);
    if (r < 0)
        return r;
    struct worker *worker;
    r = worker_new(&worker, delivery, config, action, cursor);
    if (r < 0)
        return err_set(err, r, "no memory");
    worker->newest_id = delivery->newest_id;
    delivery->workers[delivery->n_workers++] = worker;
    return 0;
}

/* Names that begin with - are not of actions. */
static int drop_strangers(const struct config *config, struct store *store, struct err *err)
{
    char name[NAME_MAX_BYTES + 1] = "";
    uint64_t id;
    int r;
    while ((r = store_next_cursor(store, name, &id, err)) > 0) {
        if (name[0] == '-' || find_action(config, name))
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
    delivery->newest_id = store_last_id(store);

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

/* ---- reload ---- */

static struct worker *find_worker(const struct delivery *delivery, const char *name)
{
    for (size_t i = 0; i < delivery->n_workers; i++)
        if (strcmp(delivery->workers[i]->action->name, name) == 0)
            return delivery->workers[i];
    return NULL;
}

static bool is_off(struct worker *worker)
{
    struct delivery_status status;
    worker_get_status(worker, &status);
    return status.state == DELIVERY_OFF;
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

/* The successor of a worker that has ended, or the first of its name. */
static struct worker *follow_up(struct delivery *delivery, struct config *config, const struct config_action *action,
                                struct worker *old)
{
    struct worker *worker;
    uint64_t cursor = old ? worker_cursor(old) : delivery->newest_id;
    if (worker_new(&worker, delivery, config, action, cursor) < 0)
        return NULL;
    worker->saved_cursor = old ? old->saved_cursor : UINT64_MAX; /* not a place: to be written */
    worker->newest_id = delivery->newest_id;
    if (old) {
        worker->changes = old->changes;
        old->changes = NULL;
        pass_retries(old, worker);
        worker->status = old->status;
        worker->status.error_us = 0;
        worker->status.error[0] = '\0';
    }
    return worker;
}

static void drop_cursor(struct delivery *delivery, const char *name)
{
    struct dropped *dropped = calloc(1, sizeof(*dropped));
    if (!dropped)
        return; /* it goes at the next start */
    snprintf(dropped->name, sizeof(dropped->name), "%s", name);
    dropped->next = delivery->dropped;
    delivery->dropped = dropped;
}

/* The list changes only while the writer does not go through it. */
static void lock_list(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    while (delivery->saving)
        pthread_cond_wait(&delivery->saved, &delivery->lock);
}

/* Takes those out of the list that cannot go on as they are, and asks them to end. */
static size_t end_changed(struct delivery *delivery, const struct config *config, struct worker **ret_ended)
{
    size_t n = 0, n_kept = 0;
    lock_list(delivery);
    for (size_t i = 0; i < delivery->n_workers; i++) {
        struct worker *worker = delivery->workers[i];
        const struct config_action *action = find_action(config, worker->action->name);
        if (action && config_action_equal(action, worker->action) && !is_off(worker)) {
            delivery->workers[n_kept++] = worker;
            continue;
        }
        worker_end(worker);
        ret_ended[n++] = worker;
    }
    delivery->n_workers = n_kept;
    pthread_mutex_unlock(&delivery->lock);
    return n;
}

static void start_or_tell(struct worker *worker)
{
    struct err err;
    if (worker_start(worker, &err) < 0)
        log_line(LOG_ERR, LOG_ID_ACTION_OFF, "%s", err.msg);
}

/* The list in the order of the config: kept, changed and new ones. */
static void build_list(struct delivery *delivery, struct config *config, struct worker **list, struct worker **ended,
                       size_t n_ended)
{
    size_t n = 0;
    for (size_t i = 0; i < config->n_actions; i++) {
        const struct config_action *action = &config->actions[i];
        struct worker *worker = find_worker(delivery, action->name), *old = NULL;
        for (size_t k = 0; k < n_ended && !worker; k++)
            if (strcmp(ended[k]->action->name, action->name) == 0)
                old = ended[k];
        bool fresh = !worker;
        if (fresh)
            worker = follow_up(delivery, config, action, old);
        if (!worker) {
            log_line(LOG_ERR, LOG_ID_ACTION_OFF, "no memory for action %s", action->name);
            continue;
        }
        list[n++] = worker;
        if (fresh)
            start_or_tell(worker);
    }
    free(delivery->workers);
    delivery->workers = list;
    delivery->n_workers = n;
}

void delivery_configure(struct delivery *delivery, struct config *config)
{
    struct worker **list = calloc(config->n_actions + 1, sizeof(*list));
    struct worker **ended CLEANUP(cleanup_free) = calloc(delivery->n_workers + 1, sizeof(struct worker *));
    if (!list || !ended) {
        free(list);
        log_line(LOG_ERR, LOG_ID_RELOAD_REFUSED, "no memory for the new actions, the old ones go on");
        return;
    }
    size_t n_ended = end_changed(delivery, config, ended);
    join_all(ended, n_ended, uptime_us() + RELOAD_GRACE_US);

    lock_list(delivery);
    build_list(delivery, config, list, ended, n_ended);
    for (size_t i = 0; i < n_ended; i++)
        if (!find_action(config, ended[i]->action->name))
            drop_cursor(delivery, ended[i]->action->name);
    config_free(delivery->config);
    delivery->config = config_ref(config);
    pthread_mutex_unlock(&delivery->lock);
    for (size_t i = 0; i < n_ended; i++)
        worker_free(ended[i]);
    delivery->settings.changed(delivery->settings.userdata);
}

void delivery_stop(struct delivery *delivery, usec_t timeout_us)
{
    if (!delivery)
        return;
    for (size_t i = 0; i < delivery->n_workers; i++)
        worker_end(delivery->workers[i]);
    join_all(delivery->workers, delivery->n_workers, uptime_us() + timeout_us / 2);
}
