/* life.c - a worker from its making to its end, and what it is asked from outside. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "private.h"

static void init_conditions(struct worker *worker)
{
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->more, NULL);
    pthread_cond_init(&worker->pause, NULL);
    pthread_cond_init(&worker->ended, NULL);
}

int worker_new(struct worker **ret, struct delivery *delivery, struct config *config,
               const struct config_action *action, uint64_t cursor)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    struct slot *slots = calloc(action->parallel, sizeof(*slots));
    struct cooldown *cooldown = action->cooldown_us ? cooldown_new(action->cooldown_us) : NULL;
    int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = cancel_fd < 0 ? -errno : -ENOMEM;
    if (!worker || !slots || cancel_fd < 0 || (action->cooldown_us && !cooldown)) {
        free(worker);
        free(slots);
        cooldown_free(cooldown);
        cleanup_close(&cancel_fd);
        return r;
    }
    for (size_t i = 0; i < action->parallel; i++)
        slots[i] = (struct slot){ .worker = worker };
    worker->delivery = delivery;
    worker->config = config_ref(config);
    worker->action = action;
    worker->serial = ++delivery->n_made;
    worker->type = action_type_find(delivery->settings.types, (enum config_action_type) action->type);
    worker->slots = slots;
    worker->cancel_fd = cancel_fd;
    worker->described = (struct description) DESCRIPTION_INIT;
    worker->cooldown = cooldown;
    worker->read_id = worker->saved_cursor = cursor;
    init_conditions(worker);
    *ret = worker;
    return 0;
}

struct worker *worker_free(struct worker *worker)
{
    if (!worker)
        return NULL;
    for (struct item *item = worker->first, *next; item; item = next) {
        next = item->next;
        item_free(item);
    }
    description_free(&worker->described);
    cooldown_free(worker->cooldown);
    changes_free(worker->changes);
    store_reader_close(worker->reader);
    cleanup_close(&worker->cancel_fd);
    pthread_mutex_destroy(&worker->lock);
    pthread_cond_destroy(&worker->more);
    pthread_cond_destroy(&worker->pause);
    pthread_cond_destroy(&worker->ended);
    config_free(worker->config);
    free(worker->retry_ids);
    free(worker->slots);
    free(worker);
    return NULL;
}

int worker_start(struct worker *worker, struct err *err)
{
    while (worker->n_slots < worker->action->parallel) {
        struct slot *slot = &worker->slots[worker->n_slots];
        int r = pthread_create(&slot->thread, NULL, slot_thread, slot);
        if (r > 0)
            return err_set(err, -r, "cannot start action %s: %s", worker->action->name, strerror(r));
        worker->n_slots++;
    }
    return 0;
}

void worker_end(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->ending = true;
    pthread_cond_broadcast(&worker->more);
    pthread_cond_broadcast(&worker->pause);
    pthread_mutex_unlock(&worker->lock);
}

void worker_cancel(struct worker *worker, usec_t grace_until_us)
{
    uint64_t one = 1;
    pthread_mutex_lock(&worker->lock);
    while (worker->n_ended < worker->n_slots)
        if (!wait_signal(&worker->ended, &worker->lock, grace_until_us))
            break;
    pthread_mutex_unlock(&worker->lock);
    (void) !write(worker->cancel_fd, &one, sizeof(one));
}

void worker_join(struct worker *worker)
{
    for (size_t i = 0; i < worker->n_slots; i++)
        pthread_join(worker->slots[i].thread, NULL);
    worker->n_slots = worker->n_ended = 0;
}

static enum delivery_state state_of(const struct worker *worker)
{
    if (worker->off)
        return DELIVERY_OFF;
    if (worker->failing && worker->n_paused)
        return DELIVERY_FAILING;
    return worker->first ? DELIVERY_BUSY : DELIVERY_IDLE;
}

void worker_get_status(struct worker *worker, struct delivery_status *ret)
{
    pthread_mutex_lock(&worker->lock);
    *ret = worker->status;
    snprintf(ret->name, sizeof(ret->name), "%s", worker->action->name);
    ret->type = (enum config_action_type) worker->action->type;
    ret->state = state_of(worker);
    ret->cursor = worker_cursor(worker);
    ret->newest = worker->newest_id;
    if (ret->state != DELIVERY_FAILING && ret->state != DELIVERY_OFF)
        ret->next_try_us = 0;
    pthread_mutex_unlock(&worker->lock);
}

bool worker_alive(struct worker *worker)
{
    usec_t now = uptime_us();
    pthread_mutex_lock(&worker->lock);
    bool alive = !worker->reading_stuck_us || now < worker->reading_stuck_us;
    for (size_t i = 0; i < worker->n_slots && alive; i++)
        alive = !worker->slots[i].stuck_us || now < worker->slots[i].stuck_us;
    pthread_mutex_unlock(&worker->lock);
    return alive;
}

int worker_retry(struct worker *worker, uint64_t event_id)
{
    int r = 0;
    pthread_mutex_lock(&worker->lock);
    if (event_id) {
        uint64_t *ids = realloc(worker->retry_ids, (worker->n_retry_ids + 1) * sizeof(*ids));
        if (ids) {
            worker->retry_ids = ids;
            ids[worker->n_retry_ids++] = event_id;
        }
        r = ids ? 0 : -ENOMEM;
    } else {
        worker->retry_all = true;
    }
    pthread_cond_broadcast(&worker->more);
    pthread_mutex_unlock(&worker->lock);
    return r;
}

void worker_replay(struct worker *worker, uint64_t from_id)
{
    pthread_mutex_lock(&worker->lock);
    items_drop_waiting(worker);
    worker->read_id = from_id - 1;
    worker->epoch++;
    pthread_cond_broadcast(&worker->more);
    pthread_cond_broadcast(&worker->pause); /* what is between two tries is of the old place */
    pthread_mutex_unlock(&worker->lock);
}
