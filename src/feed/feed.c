/* feed.c - what is kept, and for whom. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "feed_private.h"

/* ---- lives ---- */

int feed_begin_life(struct feed *feed, const struct store_life *life)
{
    struct feed_life *newest = malloc(sizeof(*newest));
    if (!newest)
        return -ENOMEM;
    *newest = (struct feed_life){ *life, feed->life };
    feed->life = newest;
    return 0;
}

static int read_lives(struct feed *feed, const struct store *store)
{
    struct store_life *lives CLEANUP(cleanup_free) = NULL;
    struct err ignored;
    size_t n = 0;
    int r = store_get_lives(store, &lives, &n, &ignored);
    for (size_t i = 0; i < n && r >= 0; i++)
        r = feed_begin_life(feed, &lives[i]);
    return r >= 0 && !n ? -EUCLEAN : r;
}

static void free_lives(struct feed *feed)
{
    for (struct feed_life *life = feed->life, *before; life; life = before) {
        before = life->before;
        free(life);
    }
}

const struct store_life *feed_life(const struct feed *feed)
{
    const struct feed_life *newest = feed->life;
    return &newest->life;
}

const struct store_life *feed_life_of(const struct feed *feed, uint64_t id)
{
    const struct feed_life *life = feed->life;
    while (life->life.first_id > id && life->before)
        life = life->before;
    return &life->life;
}

enum feed_told feed_look_told(const struct feed *feed, uint64_t epoch_ms, uint64_t id, uint64_t *ret_id)
{
    const struct feed_life *newest = feed->life;
    uint64_t end = feed->newest_id;
    *ret_id = 0;
    if (epoch_ms > newest->life.epoch_ms)
        return FEED_IS_LATER;
    for (const struct feed_life *life = newest; life; life = life->before) {
        if (life->life.epoch_ms == epoch_ms) {
            *ret_id = id < end ? id : end;
            return id > end && life == newest ? FEED_IS_AHEAD : FEED_IS_OURS;
        }
        end = life->life.first_id - 1;
    }
    return FEED_IS_EARLIER;
}

int feed_new(struct feed **ret, const struct store *store, const struct event_families *families)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    if (!feed)
        return -ENOMEM;
    int r = read_lives(feed, store);
    if (r < 0) {
        free_lives(feed);
        free(feed);
        return r;
    }
    feed->store = store;
    feed->families = families;
    feed->newest_id = store_last_id(store);
    feed->published_end = &feed->published;
    pthread_mutex_init(&feed->lock, NULL);
    *ret = feed;
    return 0;
}

static struct feed_record **slot_of(struct feed *feed, uint64_t id)
{
    return &feed->ring[id % FEED_MAX_RECORDS];
}

/* ---- what is kept; under the lock ---- */

static void drop_first(struct feed *feed, struct feed_record **gone)
{
    struct feed_record *record = *slot_of(feed, feed->first_id++);
    assert(record->event.id == feed->first_id - 1 && feed->bytes >= record->bytes);
    feed->bytes -= record->bytes;
    record->next = *gone;
    *gone = record;
}

/* A reader that is far behind would not come to what is kept now before that has to go. */
static bool is_near(const struct feed *feed, const struct feed_reader *reader)
{
    return reader->placed && feed->newest_id - reader->place_id < FEED_MAX_RECORDS;
}

/* UINT64_MAX: nothing is. */
static uint64_t first_needed(const struct feed *feed)
{
    uint64_t id = UINT64_MAX;
    for (const struct feed_reader *reader = feed->readers; reader; reader = reader->next)
        if (is_near(feed, reader) && reader->place_id < id)
            id = reader->place_id + 1;
    return id;
}

static void drop_old(struct feed *feed, struct feed_record **gone)
{
    uint64_t needed = first_needed(feed);
    feed->wanted = needed != UINT64_MAX;
    while (feed->first_id < feed->end_id && (feed->first_id < needed || feed->bytes > FEED_MAX_BYTES))
        drop_first(feed, gone);
}

/* What is kept has no holes: with one that was not published, all before it goes. */
static void keep(struct feed *feed, struct feed_record *record, struct feed_record **gone)
{
    uint64_t id = record->event.id;
    assert(id >= feed->end_id);
    while (feed->first_id < feed->end_id && (id != feed->end_id || feed->end_id - feed->first_id == FEED_MAX_RECORDS))
        drop_first(feed, gone);
    if (id != feed->end_id)
        feed->first_id = id;
    *slot_of(feed, id) = record;
    feed->end_id = id + 1;
    feed->bytes += record->bytes;
}

static void let_go(struct feed_record *gone)
{
    for (struct feed_record *record = gone, *next; record; record = next) {
        next = record->next;
        (void) feed_unref(record);
    }
}

struct feed *feed_free(struct feed *feed)
{
    if (!feed)
        return NULL;
    struct feed_record *gone = NULL;
    assert(!feed->readers);
    feed_grow(feed, feed->newest_id);
    while (feed->first_id < feed->end_id)
        drop_first(feed, &gone);
    let_go(gone);
    free_lives(feed);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
    return NULL;
}

/* ---- the writer ---- */

bool feed_is_wanted(const struct feed *feed)
{
    return feed->wanted;
}

uint64_t feed_newest_id(const struct feed *feed)
{
    return feed->newest_id;
}

void feed_publish(struct feed *feed, struct batch *take_batch, struct description *take_descriptions)
{
    struct feed_request *request;
    assert(take_batch->n_events);
    if (feed_request_new(&request, take_batch, take_descriptions, feed_life(feed)->log) < 0) {
        batch_done(take_batch);
        return;
    }
    *feed->published_end = request;
    feed->published_end = &request->next;
}

void feed_grow(struct feed *feed, uint64_t newest_id)
{
    struct feed_request *request = feed->published;
    struct feed_record *gone = NULL;
    assert(newest_id >= feed->newest_id);
    feed->published = NULL;
    feed->published_end = &feed->published;

    pthread_mutex_lock(&feed->lock);
    for (struct feed_request *next; request; request = next) {
        next = request->next; /* it may go with its last record */
        for (size_t i = 0; i < request->n; i++)
            keep(feed, &request->records[i], &gone);
    }
    feed->newest_id = newest_id;
    drop_old(feed, &gone);
    for (const struct feed_reader *reader = feed->readers; reader; reader = reader->next)
        reader->listener.grown(reader->listener.userdata, newest_id);
    pthread_mutex_unlock(&feed->lock);
    let_go(gone);
}

/* ---- readers ---- */

int feed_reader_open(struct feed_reader **ret, struct feed *feed, const struct feed_listener *listener)
{
    struct feed_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return -ENOMEM;
    reader->feed = feed;
    reader->listener = *listener;
    *ret = reader;
    pthread_mutex_lock(&feed->lock);
    reader->next = feed->readers;
    feed->readers = reader;
    pthread_mutex_unlock(&feed->lock);
    return 0;
}

struct feed_reader *feed_reader_close(struct feed_reader *reader)
{
    if (!reader)
        return NULL;
    struct feed *feed = reader->feed;
    struct feed_record *gone = NULL;
    pthread_mutex_lock(&feed->lock);
    struct feed_reader **link = &feed->readers;
    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
    drop_old(feed, &gone);
    pthread_mutex_unlock(&feed->lock);
    let_go(gone);
    feed_seek(reader, 0, 0);
    feed_close_store(reader);
    free(reader);
    return NULL;
}

void feed_go_on(struct feed_reader *reader, size_t max)
{
    struct feed *feed = reader->feed;
    struct feed_record *gone = NULL;
    size_t bytes = 0;
    uint64_t id = reader->at_id + 1;
    assert(reader->n_passed == reader->n_ahead);
    reader->n_ahead = reader->n_passed = 0;

    pthread_mutex_lock(&feed->lock);
    bool kept = id >= feed->first_id;
    while (kept && id < feed->end_id && id <= reader->last_id && reader->n_ahead < max && bytes < FEED_AHEAD_BYTES) {
        const struct feed_record *record = feed_ref(*slot_of(feed, id++));
        reader->ahead[reader->n_ahead++] = record;
        bytes += record->bytes;
    }
    reader->placed = true;
    reader->place_id = id - 1;
    drop_old(feed, &gone);
    pthread_mutex_unlock(&feed->lock);
    let_go(gone);
}
