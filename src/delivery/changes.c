/* changes.c - what workers want in the store: their cursors and what failed, both of the same moment. */
#include <stdlib.h>
#include <string.h>

#include "private.h"

void changes_free(struct change *list)
{
    for (struct change *next; list; list = next) {
        next = list->next;
        free(list);
    }
}

/* Without memory for it a failure is lost from the list, not from the log. */
void note_change(struct worker *worker, const struct item *item, const struct err *err)
{
    struct change *change = calloc(1, sizeof(*change));
    if (!change)
        return;
    change->event_id = item->id;
    change->attempts = item->attempts;
    change->at_us = now_us();
    change->drop = !err;
    if (err)
        snprintf(change->error, sizeof(change->error), "%.*s", (int) sizeof(change->error) - 1, err->msg);
    change->next = worker->changes;
    worker->changes = change;
}

static bool has_dropped(const struct change *list, uint64_t id)
{
    for (; list; list = list->next)
        if (list->event_id == id)
            return list->drop;
    return false;
}

bool is_retried(const struct worker *worker, uint64_t id)
{
    for (const struct item *item = worker->first; item; item = item->next)
        if (item->again && item->id == id)
            return true;
    return has_dropped(worker->changes, id) || has_dropped(worker->saving, id);
}

static bool worker_unsaved(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool unsaved = worker->changes || worker_cursor(worker) != worker->saved_cursor;
    pthread_mutex_unlock(&worker->lock);
    return unsaved;
}

static void reverse(struct change **list)
{
    struct change *reversed = NULL;
    for (struct change *change = *list, *next; change; change = next) {
        next = change->next;
        change->next = reversed;
        reversed = change;
    }
    *list = reversed;
}

static int save_change(const struct worker *worker, const struct change *change, struct store *store, struct err *err)
{
    const struct store_failure failure = {
        .action = worker->action->name,
        .event_id = change->event_id,
        .attempts = change->attempts,
        .error = change->error,
        .at_us = change->at_us,
    };
    return change->drop ? store_drop_failed(store, failure.action, change->event_id, err)
                        : store_put_failed(store, &failure, err);
}

static int worker_save(struct worker *worker, struct store *store, struct err *err)
{
    pthread_mutex_lock(&worker->lock);
    worker->saving_cursor = worker_cursor(worker);
    worker->saving = worker->changes;
    reverse(&worker->saving);
    worker->changes = NULL;
    bool moved = worker->saving_cursor != worker->saved_cursor;
    pthread_mutex_unlock(&worker->lock);

    int r = 0;
    for (const struct change *change = worker->saving; change && r >= 0; change = change->next)
        r = save_change(worker, change, store, err);
    return r >= 0 && moved ? store_set_cursor(store, worker->action->name, worker->saving_cursor, err) : r;
}

static void worker_saved(struct worker *worker, bool committed)
{
    pthread_mutex_lock(&worker->lock);
    if (committed) {
        worker->saved_cursor = worker->saving_cursor;
        changes_free(worker->saving);
    } else if (worker->saving) {
        reverse(&worker->saving);
        struct change **end = &worker->changes; /* what came since is newer */
        while (*end)
            end = &(*end)->next;
        *end = worker->saving;
    }
    worker->saving = NULL;
    pthread_mutex_unlock(&worker->lock);
}

void dropped_free(struct dropped *list)
{
    for (struct dropped *next; list; list = next) {
        next = list->next;
        free(list);
    }
}

bool delivery_unsaved(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    bool unsaved = delivery->dropped != NULL;
    for (size_t i = 0; i < delivery->n_workers && !unsaved; i++)
        unsaved = worker_unsaved(delivery->workers[i]);
    pthread_mutex_unlock(&delivery->lock);
    return unsaved;
}

int delivery_save(struct delivery *delivery, struct store *store, struct err *err)
{
    pthread_mutex_lock(&delivery->lock);
    delivery->saving = true; /* so the list stays as it is, without the lock */
    delivery->dropping = delivery->dropped;
    delivery->dropped = NULL;
    pthread_mutex_unlock(&delivery->lock);

    int r = 0;
    for (const struct dropped *dropped = delivery->dropping; dropped && r >= 0; dropped = dropped->next)
        r = store_drop_cursor(store, dropped->name, err);
    for (size_t i = 0; i < delivery->n_workers && r >= 0; i++)
        r = worker_save(delivery->workers[i], store, err);
    return r;
}

void delivery_saved(struct delivery *delivery, bool committed)
{
    for (size_t i = 0; i < delivery->n_workers; i++)
        worker_saved(delivery->workers[i], committed);
    pthread_mutex_lock(&delivery->lock);
    if (committed) {
        dropped_free(delivery->dropping);
    } else if (delivery->dropping) {
        struct dropped **end = &delivery->dropped;
        while (*end)
            end = &(*end)->next;
        *end = delivery->dropping;
    }
    delivery->dropping = NULL;
    delivery->saving = false;
    pthread_cond_signal(&delivery->saved);
    pthread_mutex_unlock(&delivery->lock);
}
