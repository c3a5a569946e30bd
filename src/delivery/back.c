/* back.c - an action whose target keeps the ids of events: what it may ask about the log, and what its target has lost.
 */
#include <assert.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

/* ---- what it may ask ---- */

static const struct feed *feed_of(const struct worker *worker)
{
    return worker->delivery->settings.feed;
}

static uint64_t epoch_ms(void *userdata, uint64_t event_id)
{
    return feed_life_of(feed_of(userdata), event_id)->epoch_ms;
}

static uint64_t newest_epoch_ms(void *userdata)
{
    return feed_life(feed_of(userdata))->epoch_ms;
}

static enum feed_told look_told(void *userdata, uint64_t epoch, uint64_t id, uint64_t *ret_id)
{
    return feed_look_told(feed_of(userdata), epoch, id, ret_id);
}

static void renew(void *userdata)
{
    struct delivery *delivery = ((struct worker *) userdata)->delivery;
    delivery->wants_life = true;
    delivery->settings.changed(delivery->settings.userdata);
}

void worker_set_log(struct worker *worker)
{
    worker->log = (struct action_log){ worker, epoch_ms, newest_epoch_ms, look_told, renew };
}

bool delivery_wants_life(const struct delivery *delivery)
{
    return delivery->wants_life;
}

void delivery_has_life(struct delivery *delivery)
{
    delivery->wants_life = false;
}

/* ---- back ---- */

/* Of the events from id on, the first that the log still has; as good as id where that cannot be read. */
static uint64_t first_kept(struct worker *worker, uint64_t id)
{
    struct store_reader *store;
    struct store_row row;
    struct err ignored;
    int r = feed_open_store(worker->reader, &store, &ignored);
    if (r >= 0)
        r = store_seek(store, &(struct store_filter){ .after_id = id - 1 }, &ignored);
    if (r >= 0)
        r = store_read(store, &row, &ignored);
    if (r > 0 && row.id > id)
        id = row.id;
    if (r >= 0)
        store_rest(store);
    return id;
}

/* Not behind where the action began, and not further back than it wants. Under the lock. */
static uint64_t place_of(const struct worker *worker, const struct action_outcome *outcome)
{
    uint64_t id = outcome->back_id, newest_id = worker->newest_id;
    uint64_t first_id = outcome->back_max && newest_id > outcome->back_max ? newest_id - outcome->back_max + 1 : 1;
    if (first_id <= worker->began_id)
        first_id = worker->began_id + 1;
    return id > first_id ? id : first_id;
}

bool worker_go_back(struct slot *slot, const struct action_outcome *outcome)
{
    struct worker *worker = slot->worker;
    assert(worker->n_slots == 1 && slot->hand.n); /* so that nobody else reads */
    pthread_mutex_lock(&worker->lock);
    uint64_t id = place_of(worker, outcome);
    pthread_mutex_unlock(&worker->lock);
    uint64_t kept_id = id < slot->hand.items[0]->id ? first_kept(worker, id) : id;
    if (kept_id > id)
        worker_tell(worker, LOG_WARNING, LOG_ID_EVENTS_GIVEN_UP, 0, 0,
                    "events %llu to %llu are no longer in the log, and may be missing at the target",
                    (unsigned long long) id, (unsigned long long) kept_id - 1);
    pthread_mutex_lock(&worker->lock);
    bool goes = kept_id < slot->hand.items[0]->id && !slot->hand.items[0]->stray;
    if (goes)
        worker_move(worker, kept_id);
    pthread_mutex_unlock(&worker->lock);
    worker->delivery->settings.changed(worker->delivery->settings.userdata);
    return goes;
}
