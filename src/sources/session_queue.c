/* session_queue.c - events on their way into the pipeline, in the order they came.
 *
 * An item stays until it is settled. What the writer could not store is handed in again, in its order: once all that
 * was handed in is back. What there is no room for waits here, as long as limits.in_flight lets it.
 *
 * A disk that cannot be written is no reason to lose one, however long that lasts. After an error that an event itself
 * may be to blame for, each that was in the transaction is handed in alone, and one that goes on failing is lost. */
#include <assert.h>
#include <errno.h>
#include <sonoran-pushd/primed.h>
#include <stdlib.h>

#include "session_private.h"

#define ITEM_BYTES 512 /* about what one takes beside its body */
#define TRIES_MAX 5    /* of storing one alone, each after the writer had said that it can be done */

void session_queue_begin(struct session_queue *queue)
{
    TAILQ_INIT(&queue->items);
}

static size_t bytes_of(const struct session_item *item)
{
    return ITEM_BYTES + item->size + (item->invocation ? strlen(item->invocation) : 0) +
           (item->batch.n_events ? batch_bytes(&item->batch) : 0);
}

void session_queue_add(struct sessions *sessions, struct session_item *take_item)
{
    struct session_queue *queue = &sessions->queue;
    TAILQ_INSERT_TAIL(&queue->items, take_item, entry);
    take_item->bytes = bytes_of(take_item);
    queue->bytes += take_item->bytes;
    if (take_item->session)
        take_item->session->queued_bytes += take_item->bytes;
    if (!queue->waiting)
        queue->waiting = take_item;
}

void session_queue_forget(struct sessions *sessions, const struct session *session)
{
    for (struct session_item *item = TAILQ_FIRST(&sessions->queue.items); item; item = TAILQ_NEXT(item, entry))
        item->session = item->session == session ? NULL : item->session;
}

uint64_t session_queue_load(const struct sessions *sessions, const struct session *session)
{
    bool is_alone = session == sessions->list && !session->next;
    return session->queued_bytes ? sessions->queue.bytes + (is_alone ? 0 : session->queued_bytes) : 0;
}

void session_queue_accept(struct sessions *sessions)
{
    for (struct session_item *item = TAILQ_FIRST(&sessions->queue.items); item; item = TAILQ_NEXT(item, entry))
        session_item_accept(item, sessions->rules, sessions->body_bytes);
}

/* One may have several keys. */
static bool are_several(const struct envelope_rules *rules)
{
    for (size_t i = 1; i < rules->n_communities; i++)
        if (strcmp(rules->communities[i].name, rules->communities[0].name) != 0)
            return true;
    return false;
}

void session_queue_add_primed(struct sessions *sessions)
{
    struct batch batch;
    struct session_primed primed;
    while (session_prime_take(sessions->prime, &batch, &primed)) {
        struct session_item *item = calloc(1, sizeof(*item));
        if (!item) {
            session_prime_again(sessions->prime, batch.events[0].origin->name, &primed);
            batch_done(&batch);
            return;
        }
        item->origin = *batch.events[0].origin;
        item->time_us = batch.events[0].time_us;
        item->batch = batch;
        item->primed = primed;
        item->batch.events[0].among_communities = are_several(sessions->rules);
        session_queue_add(sessions, item);
    }
}

/* Whoever called for it is told what became of it, where that is still there. */
static void answer(const struct session_item *item)
{
    struct session *session = item->session;
    struct text record CLEANUP(text_free) = TEXT_INIT;
    if (!item->invocation || !session || !session->websocket || session->connection != item->connection)
        return;
    session_record_write_answer(&record, span_of(item->invocation), item->refused);
    if (!record.failed)
        session_send(session, (struct span){ record.s, record.size });
}

static void take_out(struct sessions *sessions, struct session_item *item)
{
    struct session_queue *queue = &sessions->queue;
    assert(item != queue->waiting);
    queue->bytes -= item->bytes;
    if (item->session)
        item->session->queued_bytes -= item->bytes;
    TAILQ_REMOVE(&queue->items, item, entry);
    answer(item);
    session_item_free(item);
}

/* ---- out of the writer's hands ---- */

/* The CAD tells it once more. */
static void lose_primed(const struct sessions *sessions, const struct session_item *item)
{
    log_line(LOG_WARNING, LOG_ID_PRIMING,
             "session %s: what the CAD knows could not be stored, and is asked for again in a minute",
             item->origin.name);
    session_prime_again(sessions->prime, item->origin.name, &item->primed);
}

static void primed_back(struct sessions *sessions, struct session_item *item)
{
    if (item->r >= 0)
        session_prime_settled(sessions->prime, item->origin.name, &item->primed);
    else
        lose_primed(sessions, item);
    take_out(sessions, item);
}

static bool is_fault_of_event(int r)
{
    return r == -EFBIG || r == -EINVAL;
}

static void lose(struct sessions *sessions, struct session_item *item)
{
    gate_count(sessions->door, item->origin.name, GATE_NOT_STORED);
    log_line(LOG_ERR, LOG_ID_SESSION_LOST,
             "session %s: an event could not be stored in %u tries of its own, and is lost", item->origin.name,
             item->n_alone);
    item->refused = "Storage Unavailable";
    take_out(sessions, item);
    for (item = TAILQ_FIRST(&sessions->queue.items); item; item = TAILQ_NEXT(item, entry))
        item->suspect = false; /* it was that one */
}

/* Another source's event may have been in the same transaction, so once alone is not enough. */
static void suspect(struct sessions *sessions, struct session_item *item)
{
    item->n_alone += item->suspect;
    item->suspect = true;
    if (item->n_alone >= TRIES_MAX)
        lose(sessions, item);
}

static void take_back(struct sessions *sessions, struct session_item *item)
{
    struct session_queue *queue = &sessions->queue;
    item->submitted = false;
    queue->n_submitted--;
    queue->failed = queue->failed || item->r < 0;
    if (item->primed.number) {
        primed_back(sessions, item);
        return;
    }
    if (item->r >= 0) {
        take_out(sessions, item);
        return;
    }
    if (is_fault_of_event(item->r))
        suspect(sessions, item);
}

static void take_settled(struct sessions *sessions)
{
    struct session_queue *queue = &sessions->queue;
    pthread_mutex_lock(&sessions->lock);
    struct session_item *item = queue->settled, *next;
    queue->settled = NULL;
    pthread_mutex_unlock(&sessions->lock);
    for (; item; item = next) {
        next = item->next_settled;
        take_back(sessions, item);
    }
}

/* ---- into them ---- */

/* False: not now. */
static bool hand_in(struct sessions *sessions, struct session_item *item)
{
    struct session_queue *queue = &sessions->queue;
    struct batch batch = item->batch;
    bool made = batch.n_events || session_item_make(sessions, item, &batch);
    queue->no_room = true; /* unless resume says else, perhaps before it is known here */
    int r = made ? pipeline_submit(sessions->way_in, &batch, item) : 0;
    if (r == -EBUSY && item->body) {
        batch_done(&batch);
        return false;
    }
    if (r == -EBUSY)
        return false;
    queue->no_room = false;
    queue->waiting = TAILQ_NEXT(item, entry);
    if (made && r == 0) {
        item->batch = (struct batch){ 0 };
        item->submitted = true;
        queue->n_submitted++;
        queue->alone = item->suspect;
        return true;
    }
    if (made && item->primed.number) {
        lose_primed(sessions, item);
    } else if (made) {
        batch_done(&batch);
        session_item_lose(sessions, item);
    }
    take_out(sessions, item);
    return true;
}

/* Whoever is suspect goes alone. */
static bool may_go(const struct session_queue *queue)
{
    return !queue->n_submitted || !(queue->alone || queue->waiting->suspect);
}

void session_queue_go_on(struct sessions *sessions)
{
    struct session_queue *queue = &sessions->queue;
    take_settled(sessions);
    if (queue->failed && !queue->n_submitted) {
        pipeline_source_again(sessions->way_in);
        queue->failed = false;
        queue->waiting = TAILQ_FIRST(&queue->items);
    }
    if (queue->failed || ((queue->paused || queue->no_room) && !sessions->stopping))
        return;
    while (queue->waiting && may_go(queue) && hand_in(sessions, queue->waiting))
        continue;
    pipeline_flush(sessions->way_in);
}

bool session_queue_goes_on(const struct session_queue *queue)
{
    return !queue->paused && (queue->waiting || (queue->failed && queue->n_submitted));
}

/* Behind the writer's end. */
void session_queue_end(struct sessions *sessions)
{
    struct session_queue *queue = &sessions->queue;
    struct session_item *item, *settled = queue->settled;
    size_t n = 0;
    for (; settled; settled = settled->next_settled)
        settled->submitted = settled->r >= 0; /* from here on: it is stored */
    while ((item = TAILQ_FIRST(&queue->items))) {
        n += !item->submitted && item->body;
        TAILQ_REMOVE(&queue->items, item, entry);
        session_item_free(item);
    }
    if (n)
        log_line(LOG_ERR, LOG_ID_SESSION_LOST,
                 "%zu event%s of sessions could not be stored before the end, and %s lost", n, text_plural(n),
                 n == 1 ? "is" : "are");
}

/* ---- in the writer's thread ---- */

void session_settled(void *self, void *handed_back, const struct event *first, int r)
{
    static const char *const answers[] = {
        [EVENT_ACCEPTED] = NULL, [EVENT_UNKNOWN] = "Invalid Type", [EVENT_INVALID] = "Invalid Data"
    };
    struct sessions *sessions = self;
    struct session_queue *queue = &sessions->queue;
    struct session_item *item = handed_back;
    item->r = r;
    if (r >= 0 && item->body) {
        item->refused = answers[first->verdict];
        gate_count(sessions->door, item->origin.name, (enum gate_count) first->verdict); /* the first three */
    }
    if (r >= 0 && item->primed.number) /* state has it; some of it may have come by an event since it was compared */
        item->primed.n_missed = primed_count_missed(first, sessions->state);
    item->next_settled = NULL;
    *(queue->settling ? queue->settling_end : &queue->settling) = item;
    queue->settling_end = &item->next_settled;
}

void session_settled_all(void *self)
{
    struct sessions *sessions = self;
    struct session_queue *queue = &sessions->queue;
    pthread_mutex_lock(&sessions->lock);
    *(queue->settled ? queue->settled_end : &queue->settled) = queue->settling;
    queue->settled_end = queue->settling_end;
    queue->settling = NULL;
    pthread_mutex_unlock(&sessions->lock);
    session_wake(sessions);
}

void session_pause(void *self)
{
    struct sessions *sessions = self;
    sessions->queue.paused = true;
}

void session_resume(void *self)
{
    struct sessions *sessions = self;
    sessions->queue.paused = sessions->queue.no_room = false;
    session_wake(sessions);
}
