/* changes.c - what workers want in the store: their cursors and what failed, both of the same moment.
 *
 * Workers only note it. The writer takes it into its next transaction (delivery_save) and says afterwards whether that
 * was committed (delivery_saved); what was in one that failed is noted again. So no worker ever waits for a commit. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "delivery_private.h"

void changes_free(struct change *list)
{
    for (struct change *next; list; list = next) {
        next = list->next;
        free(list);
    }
}

/* Without memory for it a failure is lost from the list, not from the log. */
void changes_note(struct worker *worker, const struct item *item, const struct err *err)
{
    struct change *change = calloc(1, sizeof(*change));
    assert(wait_is_locked(&worker->lock));
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

/* ---- tries ---- */

usec_t changes_tried_for_us(const struct item *item)
{
    return item->tried_for_us + (item->first_try_us ? uptime_us() - item->first_try_us : 0);
}

void changes_take_try(struct worker *worker, struct item *item)
{
    for (size_t i = 0; i < worker->n_tries; i++) {
        if (worker->tries[i].event_id != item->id)
            continue;
        usec_t now = now_us(), since_us = worker->tries[i].first_us;
        item->attempts = worker->tries[i].attempts;
        item->in_vain = true;
        item->tried_for_us = now > since_us ? now - since_us : 0; /* a clock that was set back has no say */
        worker->tries[i] = worker->tries[--worker->n_tries];
        return;
    }
}

/* The first one is worth a write of its own, the others go with the next that is made. */
void changes_note_try(struct worker *worker, struct item *item)
{
    bool first = !item->in_vain;
    if (item->again) /* stays on the list of failed ones all the time */
        return;
    item->in_vain = true;
    worker->tries_changed = true;
    if (first)
        worker->delivery->settings.changed(worker->delivery->settings.userdata);
}

void changes_end_try(struct worker *worker, const struct item *item)
{
    worker->tries_changed |= item->in_vain;
}

/* By the wall clock of now: one that was wrong at the first try and is right by now counts for nothing. */
static struct store_try try_of(const struct item *item)
{
    usec_t now = now_us(), tried_for_us = changes_tried_for_us(item);
    return (struct store_try){ item->id, item->attempts, now > tried_for_us ? now - tried_for_us : 0 };
}

/* What they are now: of items that were tried in vain, and of what is still to come. Yours. NULL: there are none, or no
 * memory for them, which costs no more than a later end. */
static struct store_try *list_tries(const struct worker *worker, size_t *ret_n)
{
    size_t n = worker->n_tries;
    for (const struct item *item = worker->first; item; item = item->next)
        n += item->in_vain;
    *ret_n = 0;
    struct store_try *list = n ? calloc(n, sizeof(*list)) : NULL;
    if (!list)
        return NULL;

    struct store_try *next = list;
    for (const struct item *item = worker->first; item; item = item->next)
        if (item->in_vain && !item->stray)
            *next++ = try_of(item);
    for (size_t i = 0; i < worker->n_tries; i++)
        if (worker->tries[i].event_id > worker_cursor(worker))
            *next++ = worker->tries[i];
    *ret_n = (size_t) (next - list);
    return list;
}

void changes_pass_tries(struct worker *old, struct worker *next)
{
    next->tries = list_tries(old, &next->n_tries);
    next->tries_changed = true;
}

/* ---- the list of failed ones ---- */

static bool has_dropped(const struct change *list, uint64_t id)
{
    for (; list; list = list->next)
        if (list->event_id == id)
            return list->drop;
    return false;
}

bool changes_is_retried(const struct worker *worker, uint64_t id)
{
    for (const struct item *item = worker->first; item; item = item->next)
        if (item->again && item->id == id)
            return true;
    return has_dropped(worker->changes, id) || has_dropped(worker->saving, id);
}

static bool worker_unsaved(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool unsaved = worker->changes || worker->tries_changed || worker_cursor(worker) != worker->saved_cursor;
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
    assert(!worker->saving);
    worker->saving_cursor = worker_cursor(worker);
    worker->saving = worker->changes;
    reverse(&worker->saving);
    worker->changes = NULL;
    bool moved = worker->saving_cursor != worker->saved_cursor, began = !worker->began_saved;
    uint64_t began_id = worker->began_id;
    size_t n_tries = 0;
    CLEANUP(cleanup_free) struct store_try *tries = worker->tries_changed ? list_tries(worker, &n_tries) : NULL;
    worker->tries_saving = worker->tries_changed;
    worker->tries_changed = false;
    pthread_mutex_unlock(&worker->lock);

    int r = 0;
    for (const struct change *change = worker->saving; change && r >= 0; change = change->next)
        r = save_change(worker, change, store, err);
    if (r >= 0 && began)
        r = store_set_began(store, worker->action->name, began_id, err);
    if (r >= 0 && worker->tries_saving)
        r = store_set_tries(store, worker->action->name, tries, n_tries, err);
    return r >= 0 && moved ? store_set_cursor(store, worker->action->name, worker->saving_cursor, err) : r;
}

static void worker_saved(struct worker *worker, const struct store *store, bool committed)
{
    pthread_mutex_lock(&worker->lock);
    if (committed) {
        worker->began_saved = true;
        worker->saved_cursor = worker->saving_cursor;
        worker->status.n_listed = store_count_failed(store, worker->action->name);
        changes_free(worker->saving);
    } else if (worker->saving) {
        reverse(&worker->saving);
        struct change **end = &worker->changes; /* what came since is newer */
        while (*end)
            end = &(*end)->next;
        *end = worker->saving;
    }
    worker->saving = NULL;
    worker->tries_changed |= worker->tries_saving && !committed;
    worker->tries_saving = false;
    pthread_mutex_unlock(&worker->lock);
}

void changes_dropped_free(struct dropped *list)
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
    assert(!delivery->saving);
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

void delivery_saved(struct delivery *delivery, const struct store *store, bool committed)
{
    assert(delivery->saving);
    for (size_t i = 0; i < delivery->n_workers; i++)
        worker_saved(delivery->workers[i], store, committed);
    pthread_mutex_lock(&delivery->lock);
    if (committed) {
        changes_dropped_free(delivery->dropping);
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

void delivery_trimmed(struct delivery *delivery, const struct store *store)
{
    pthread_mutex_lock(&delivery->lock);
    for (size_t i = 0; i < delivery->n_workers; i++) {
        struct worker *worker = delivery->workers[i];
        pthread_mutex_lock(&worker->lock);
        worker->status.n_listed = store_count_failed(store, worker->action->name);
        pthread_mutex_unlock(&worker->lock);
    }
    pthread_mutex_unlock(&delivery->lock);
}
