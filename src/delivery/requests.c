/* requests.c - what is asked of deliveries while they run: by the writer, and by people. */
#include <errno.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

void delivery_came(struct delivery *delivery, const struct event *event)
{
    struct loops *loops = &delivery->loops;
    if (event->verdict == EVENT_ACCEPTED && loops_care(loops, uptime_us()))
        loops_came(loops, loops_hash(event), uptime_us());
}

size_t delivery_get_status(struct delivery *delivery, struct delivery_status *ret, size_t room)
{
    pthread_mutex_lock(&delivery->lock);
    size_t n = delivery->n_workers;
    for (size_t i = 0; i < n && i < room; i++)
        worker_get_status(delivery->workers[i], &ret[i]);
    pthread_mutex_unlock(&delivery->lock);
    return n;
}

void delivery_tick(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    for (size_t i = 0; i < delivery->n_workers; i++) {
        worker_look(delivery->workers[i]);
        worker_sum_up(delivery->workers[i]);
    }
    pthread_mutex_unlock(&delivery->lock);
}

bool delivery_alive(struct delivery *delivery, char ret_name[NAME_MAX_BYTES + 1])
{
    bool alive = true;
    pthread_mutex_lock(&delivery->lock);
    for (size_t i = 0; i < delivery->n_workers && alive; i++) {
        alive = worker_alive(delivery->workers[i]);
        if (!alive)
            snprintf(ret_name, NAME_MAX_BYTES + 1, "%s", delivery->workers[i]->action->name);
    }
    pthread_mutex_unlock(&delivery->lock);
    return alive;
}

/* With the lock taken where one is found. */
static struct worker *lock_worker(struct delivery *delivery, const char *name, struct err *err)
{
    pthread_mutex_lock(&delivery->lock);
    for (size_t i = 0; i < delivery->n_workers; i++)
        if (strcmp(delivery->workers[i]->action->name, name) == 0)
            return delivery->workers[i];
    pthread_mutex_unlock(&delivery->lock);
    err_set(err, -ENOENT, "no action is called that");
    return NULL;
}

int delivery_retry(struct delivery *delivery, const char *action, uint64_t event_id, struct err *err)
{
    struct worker *worker = lock_worker(delivery, action, err);
    if (!worker)
        return -ENOENT;
    int r = worker_retry(worker, event_id);
    pthread_mutex_unlock(&delivery->lock);
    return r < 0 ? err_set(err, r, "no memory") : 0;
}

int delivery_replay(struct delivery *delivery, const char *action, uint64_t from_id, struct err *err)
{
    struct worker *worker = lock_worker(delivery, action, err);
    if (!worker)
        return -ENOENT;
    uint64_t newest_id = feed_newest_id(delivery->settings.feed);
    bool possible = from_id > 0 && from_id <= newest_id + 1;
    if (possible) {
        worker_replay(worker, from_id);
        worker_tell(worker, LOG_NOTICE, LOG_ID_ACTION_CHANGED, 0, 0, "goes on from event %llu",
                    (unsigned long long) from_id);
    }
    pthread_mutex_unlock(&delivery->lock);
    if (!possible)
        return err_set(err, -ERANGE, "the log has no event %llu, and no place for it: it goes up to %llu",
                       (unsigned long long) from_id, (unsigned long long) newest_id);
    delivery->settings.changed(delivery->settings.userdata);
    return 0;
}
