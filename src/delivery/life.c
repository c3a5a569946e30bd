/* life.c - a worker from its making to its end, and what it is asked from outside. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

#define READING_HANGS "a read takes longer than a minute"

static void init_conditions(struct worker *worker)
{
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->more, NULL);
    pthread_cond_init(&worker->pause, NULL);
    pthread_cond_init(&worker->ended, NULL);
}

static struct slot *slots_free(struct slot *slots, size_t n)
{
    for (size_t i = 0; slots && i < n; i++) {
        free(slots[i].hand.items);
        free(slots[i].hand.payloads);
        free(slots[i].hand.outcomes);
    }
    free(slots);
    return NULL;
}

static struct slot *slots_new(struct worker *worker, size_t n, size_t room)
{
    struct slot *slots = calloc(n, sizeof(*slots));
    if (!slots)
        return NULL;

    bool failed = false;
    for (size_t i = 0; i < n && !failed; i++) {
        struct hand *hand = &slots[i].hand;
        slots[i].worker = worker;
        hand->room = room;
        hand->items = calloc(room, sizeof(hand->items[0]));
        hand->payloads = calloc(room, sizeof(hand->payloads[0]));
        hand->outcomes = calloc(room, sizeof(hand->outcomes[0]));
        failed = !hand->items || !hand->payloads || !hand->outcomes;
    }
    return failed ? slots_free(slots, n) : slots;
}

int worker_new(struct worker **ret, struct delivery *delivery, struct config *config,
               const struct config_action *action, uint64_t cursor)
{
    const struct action_type *type = action_type_of(action);
    struct worker *worker = calloc(1, sizeof(*worker));
    struct slot *slots = slots_new(worker, action->parallel, type->max_batch ? type->max_batch : 1);
    struct cooldown *cooldown = action->cooldown_us ? cooldown_new(action->cooldown_us) : NULL;
    int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = cancel_fd < 0 ? -errno : -ENOMEM;
    if (!worker || !slots || cancel_fd < 0 || (action->cooldown_us && !cooldown)) {
        free(worker);
        slots_free(slots, action->parallel);
        cooldown_free(cooldown);
        cleanup_close(&cancel_fd);
        return r;
    }
    worker->delivery = delivery;
    worker->config = config_ref(config);
    worker->action = action;
    worker->serial = ++delivery->n_made;
    worker->type = type;
    worker->slots = slots;
    worker->cancel_fd = cancel_fd;
    worker->cooldown = cooldown;
    worker->read_id = worker->saved_cursor = cursor;
    init_conditions(worker);
    worker_set_log(worker);
    const struct feed_listener listener = { worker_wake, worker };
    r = feed_reader_open(&worker->reader, delivery->settings.feed, &listener);
    *ret = r < 0 ? worker_free(worker) : worker;
    return r;
}

struct worker *worker_free(struct worker *worker)
{
    if (!worker)
        return NULL;
    assert(worker->n_slots == 0);
    feed_reader_close(worker->reader); /* from here on nobody wakes it */
    for (struct item *item = worker->first, *next; item; item = next) {
        next = item->next;
        worker_item_free(item);
    }
    cooldown_free(worker->cooldown);
    changes_free(worker->changes);
    cleanup_close(&worker->cancel_fd);
    pthread_mutex_destroy(&worker->lock);
    pthread_cond_destroy(&worker->more);
    pthread_cond_destroy(&worker->pause);
    pthread_cond_destroy(&worker->ended);
    slots_free(worker->slots, worker->action->parallel);
    config_free(worker->config);
    free(worker->retry_ids);
    free(worker->tries);
    free(worker);
    return NULL;
}

int worker_start(struct worker *worker, struct err *err)
{
    while (worker->n_slots < worker->action->parallel) {
        struct slot *slot = &worker->slots[worker->n_slots];
        int r = pthread_create(&slot->thread, NULL, worker_slot_thread, slot);
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

bool worker_join(struct worker *worker, usec_t read_until_us)
{
    bool hangs = false;
    pthread_mutex_lock(&worker->lock);
    while (worker->n_ended < worker->n_slots && !hangs) {
        bool in_time = wait_signal(&worker->ended, &worker->lock, worker->reading ? read_until_us : UINT64_MAX);
        hangs = !in_time && worker->reading;
    }
    pthread_mutex_unlock(&worker->lock);
    if (hangs)
        return false;
    for (size_t i = 0; i < worker->n_slots; i++)
        pthread_join(worker->slots[i].thread, NULL);
    worker->n_slots = worker->n_ended = 0;
    return true;
}

bool worker_rest(struct worker *worker, usec_t until_us)
{
    pthread_mutex_lock(&worker->lock);
    worker->resting = true;
    while (worker->reading && wait_signal(&worker->ended, &worker->lock, until_us))
        ;
    bool rests = !worker->reading;
    pthread_mutex_unlock(&worker->lock);
    return rests;
}

void worker_read_on(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->resting = false;
    pthread_cond_broadcast(&worker->more);
    pthread_mutex_unlock(&worker->lock);
}

static bool hangs_in_reading(const struct worker *worker)
{
    return worker->reading_stuck_us && uptime_us() >= worker->reading_stuck_us;
}

void worker_look(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    if (hangs_in_reading(worker) && !worker->reading_told) {
        worker->reading_told = true;
        worker_tell(worker, LOG_ERR, LOG_ID_STORE_FAILED, 0, 0, "waits for the event log: " READING_HANGS);
    }
    pthread_mutex_unlock(&worker->lock);
}

static enum delivery_state state_of(const struct worker *worker)
{
    if (worker->off)
        return DELIVERY_OFF;
    if (hangs_in_reading(worker))
        return DELIVERY_FAILING;
    if (worker->failing && worker->n_paused)
        return DELIVERY_FAILING;
    return worker->first ? DELIVERY_BUSY : DELIVERY_IDLE;
}

void worker_get_status(struct worker *worker, struct delivery_status *ret)
{
    pthread_mutex_lock(&worker->lock);
    *ret = worker->status;
    snprintf(ret->name, sizeof(ret->name), "%s", worker->action->name);
    ret->type = worker->type->kind.name;
    ret->state = state_of(worker);
    ret->state_shown = ret->state;
    ret->cursor = worker_cursor(worker);
    ret->lag = worker->newest_id > ret->cursor ? worker->newest_id - ret->cursor : 0;
    ret->lag_us = worker->first ? worker->first->age_us + (boottime_us() - worker->first->read_us) : 0;
    if (ret->state != DELIVERY_FAILING && ret->state != DELIVERY_OFF)
        ret->next_try_us = 0;
    if (ret->state == DELIVERY_FAILING && hangs_in_reading(worker)) {
        ret->next_try_us = 0;
        ret->error_us = now_us();
        snprintf(ret->error, sizeof(ret->error), READING_HANGS);
    }
    pthread_mutex_unlock(&worker->lock);
}

bool worker_alive(struct worker *worker)
{
    usec_t now = uptime_us();
    pthread_mutex_lock(&worker->lock);
    bool alive = true;
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

void worker_move(struct worker *worker, uint64_t from_id)
{
    assert(wait_is_locked(&worker->lock));
    worker_drop_waiting(worker);
    worker->n_tries = 0;
    worker->tries_changed = true;
    worker->read_id = from_id - 1;
    worker->epoch++;
    pthread_cond_broadcast(&worker->more);
    pthread_cond_broadcast(&worker->pause); /* what is between two tries is of the old place */
}

void worker_replay(struct worker *worker, uint64_t from_id)
{
    pthread_mutex_lock(&worker->lock);
    worker_move(worker, from_id);
    pthread_mutex_unlock(&worker->lock);
}
