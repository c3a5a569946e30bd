/* hand_over.c - from the sources' threads to the writer, and back what became of it.
 *
 * A submission is in one of three places:
 *   source->round      submitted, and not flushed yet: of the source's thread alone. Each source gathers there, and
 *                      takes the lock once for all that a round of its loop brought
 *   pipeline->waiting  flushed: under the lock. From here alone it can be withdrawn
 *   the writer's list  taken (take_waiting): of the writer alone, until it is settled, with the answer of the commit
 * Its bytes count in queued_bytes from pipeline_submit until it is settled or withdrawn. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

/* About what is kept of the decision about an event until it is told. */
#define DESCRIPTION_BYTES (sizeof(struct description) + 512)
#define SMALL_BYTES ((size_t) 64 << 10)

int pipeline_source_new(struct pipeline_source **ret, struct pipeline *pipeline,
                        const struct pipeline_source_callbacks *callbacks)
{
    struct pipeline_source *source = calloc(1, sizeof(*source));
    if (!source)
        return -ENOMEM;
    source->pipeline = pipeline;
    source->callbacks = *callbacks;
    pthread_mutex_lock(&pipeline->lock);
    source->next = pipeline->sources;
    pipeline->sources = source;
    pthread_mutex_unlock(&pipeline->lock);
    *ret = source;
    return 0;
}

static void unlink_source(struct pipeline *pipeline, const struct pipeline_source *source)
{
    struct pipeline_source **link = &pipeline->sources;
    while (*link != source)
        link = &(*link)->next;
    *link = source->next;
    pipeline->n_paused -= source->paused || source->waits;
}

static size_t count_events(const struct queue *queue)
{
    size_t n = 0;
    for (const struct submission *s = queue->first; s; s = s->next)
        n += s->batch.n_events;
    return n;
}

struct pipeline_source *pipeline_source_free(struct pipeline_source *source)
{
    if (!source)
        return NULL;
    struct pipeline *pipeline = source->pipeline;
    pthread_mutex_lock(&pipeline->lock);
    while (pipeline->running && (source->n_open || source->called))
        pthread_cond_wait(&pipeline->left, &pipeline->lock);
    unlink_source(pipeline, source);
    pthread_mutex_unlock(&pipeline->lock);
    pipeline->queued_events -= count_events(&source->round);
    for (const struct submission *s = source->round.first; s; s = s->next)
        hand_over_release(pipeline, s);
    hand_over_free(&source->round);
    free(source);
    return NULL;
}

bool pipeline_source_is_idle(struct pipeline_source *source)
{
    pthread_mutex_lock(&source->pipeline->lock);
    bool idle = !source->n_open && !source->called;
    pthread_mutex_unlock(&source->pipeline->lock);
    return idle;
}

bool pipeline_source_is_alone(struct pipeline_source *source)
{
    bool alone = true;
    pthread_mutex_lock(&source->pipeline->lock);
    for (const struct pipeline_source *other = source->pipeline->sources; other; other = other->next)
        alone &= other == source || !other->n_open || other->callbacks.settled != source->callbacks.settled;
    pthread_mutex_unlock(&source->pipeline->lock);
    return alone;
}

/* Behind what is there already, up to the link behind the last; under what guards the queue. */
static void append(struct queue *queue, struct submission *first, struct submission **end)
{
    if (!first)
        return;
    *(queue->first ? queue->end : &queue->first) = first;
    queue->end = end;
}

void hand_over_free(struct queue *queue)
{
    for (struct submission *s = queue->first, *next; s; s = next) {
        next = s->next;
        batch_done(&s->batch);
        free(s);
    }
    *queue = (struct queue){ 0 };
}

/* ---- in the source's thread ---- */

/* Large ones have half of it together, so that whoever sends large ones without end keeps no event out. Who can wait
 * for room has no such bound. */
static bool is_large(const struct pipeline_source *source, size_t bytes)
{
    return bytes > SMALL_BYTES && !source->callbacks.resume;
}

/* Where there is nothing of its kind there is room for anything. */
static bool add_within(_Atomic uint64_t *sum, size_t bytes, uint64_t max)
{
    uint64_t had = *sum;
    do {
        if (had && had + bytes > max)
            return false;
    } while (!atomic_compare_exchange_weak(sum, &had, had + bytes));
    return true;
}

static bool reserve(const struct pipeline_source *source, size_t bytes)
{
    struct pipeline *pipeline = source->pipeline;
    uint64_t max = pipeline->max_queue_bytes;
    bool large = is_large(source, bytes);
    if (large && !add_within(&pipeline->large_bytes, bytes, max / 2))
        return false;
    if (add_within(&pipeline->queued_bytes, bytes, max))
        return true;
    pipeline->large_bytes -= large ? bytes : 0;
    return false;
}

void hand_over_release(struct pipeline *pipeline, const struct submission *s)
{
    pipeline->queued_bytes -= s->bytes;
    pipeline->large_bytes -= is_large(s->source, s->bytes) ? s->bytes : 0;
}

/* Under the lock. */
static void set_paused(struct pipeline_source *source, bool paused, bool waits)
{
    assert(wait_is_locked(&source->pipeline->lock));
    source->pipeline->n_paused += paused || waits;
    source->pipeline->n_paused -= source->paused || source->waits;
    source->paused = paused;
    source->waits = waits;
}

/* False: it is told by resume() when to come again. The writer may have made room before it could see that somebody
 * waits for it, and would not look again: so it is tried once more behind that. */
static bool reserve_or_wait(struct pipeline_source *source, size_t bytes)
{
    struct pipeline *pipeline = source->pipeline;
    if (reserve(source, bytes))
        return true;
    if (!source->callbacks.resume)
        return false;
    pthread_mutex_lock(&pipeline->lock);
    set_paused(source, source->paused, true);
    pthread_mutex_unlock(&pipeline->lock);
    if (!reserve(source, bytes))
        return false;
    pthread_mutex_lock(&pipeline->lock);
    set_paused(source, source->paused, false);
    pthread_mutex_unlock(&pipeline->lock);
    return true;
}

/* Until half of what large ones may have is free again. */
bool pipeline_wants_large(struct pipeline_source *source)
{
    source->full = source->full && source->pipeline->large_bytes > source->pipeline->max_queue_bytes / 4;
    return !source->full;
}

static const char *append_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

/* With nothing but its position. */
static struct submission *submission_new(const struct pipeline_position *position)
{
    size_t n = position ? strlen(position->of) + strlen(position->key) + strlen(position->value) + 3 : 0;
    struct submission *s = malloc(sizeof(*s) + n);
    if (!s)
        return NULL;
    *s = (struct submission){ 0 };
    char *at = s->texts;
    if (position)
        s->position = (struct pipeline_position){ append_text(&at, position->of), append_text(&at, position->key),
                                                  append_text(&at, position->value) };
    return s;
}

int pipeline_submit(struct pipeline_source *source, struct batch *take_batch, void *ticket)
{
    return pipeline_submit_at(source, take_batch, ticket, NULL);
}

int pipeline_submit_at(struct pipeline_source *source, struct batch *take_batch, void *ticket,
                       const struct pipeline_position *position)
{
    assert(take_batch->n_events);
    size_t bytes = batch_bytes(take_batch) + take_batch->n_events * DESCRIPTION_BYTES;
    struct submission *s = submission_new(position);
    if (!s)
        return -ENOMEM;
    if (!reserve_or_wait(source, bytes)) {
        free(s);
        source->full |= bytes > SMALL_BYTES;
        if (source->callbacks.resume)
            pipeline_flush(source); /* what it has gathered takes the room that it waits for */
        return -EBUSY;
    }
    s->source = source;
    s->batch = *take_batch;
    s->ticket = ticket;
    s->bytes = bytes;
    *take_batch = (struct batch){ 0 };
    source->pipeline->queued_events += s->batch.n_events;
    append(&source->round, s, &s->next);
    source->n_round++;
    return 0;
}

/* Under the lock. */
static void flush(struct pipeline_source *source)
{
    assert(wait_is_locked(&source->pipeline->lock));
    append(&source->pipeline->waiting, source->round.first, source->round.end);
    source->n_open += source->n_round;
    source->round = (struct queue){ 0 };
    source->n_round = 0;
}

void pipeline_flush(struct pipeline_source *source)
{
    struct pipeline *pipeline = source->pipeline;
    if (!source->round.first)
        return;
    pthread_mutex_lock(&pipeline->lock);
    flush(source);
    pthread_mutex_unlock(&pipeline->lock);
    pthread_cond_signal(&pipeline->more); /* without the lock, for which the writer would have to wait again */
}

void pipeline_source_again(struct pipeline_source *source)
{
    struct pipeline *pipeline = source->pipeline;
    pthread_mutex_lock(&pipeline->lock);
    assert(source->callbacks.ordered && !source->n_round);
    source->failed = 0;
    pthread_mutex_unlock(&pipeline->lock);
}

void hand_over_flush_all(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    for (struct pipeline_source *source = pipeline->sources; source; source = source->next)
        flush(source);
    pthread_mutex_unlock(&pipeline->lock);
}

/* ---- in any ---- */

void pipeline_poke(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    if (!pipeline->poked && !pipeline->waiting.first)
        pthread_cond_signal(&pipeline->more);
    pipeline->poked = true;
    pthread_mutex_unlock(&pipeline->lock);
}

/* ---- in the writer's ---- */

static void leave(struct pipeline_source *source, size_t n_settled)
{
    struct pipeline *pipeline = source->pipeline;
    pthread_mutex_lock(&pipeline->lock);
    assert(source->n_open >= n_settled);
    source->n_open -= n_settled;
    source->called = false;
    pthread_cond_broadcast(&pipeline->left);
    pthread_mutex_unlock(&pipeline->lock); /* from here on it may be gone */
}

/* Before they are settled: then it may say "again". */
static void note_failed(struct pipeline *pipeline, const struct submission *list, int r)
{
    pthread_mutex_lock(&pipeline->lock);
    for (const struct submission *s = list; s; s = s->next)
        s->source->failed = s->source->callbacks.ordered ? r : 0;
    pthread_mutex_unlock(&pipeline->lock);
}

/* At the end nobody hands in anything once more, and what is behind it is better stored than lost. */
struct submission *hand_over_take_behind(struct pipeline *pipeline, struct submission **list, int *ret_r)
{
    struct queue behind = { 0 };
    pthread_mutex_lock(&pipeline->lock);
    struct submission **link = list, *s;
    while (*link && (!(*link)->source->failed || pipeline->stopping))
        link = &(*link)->next;
    const struct pipeline_source *source = *link ? (*link)->source : NULL;
    *ret_r = source ? source->failed : 0;
    while ((s = *link)) {
        if (s->source != source) {
            link = &s->next;
            continue;
        }
        *link = s->next;
        s->next = NULL;
        append(&behind, s, &s->next);
    }
    pthread_mutex_unlock(&pipeline->lock);
    return behind.first;
}

/* They wait no longer: whoever has its answer may send the next one, and finds room. */
void hand_over_settle(struct pipeline *pipeline, struct submission *list, int r)
{
    struct pipeline_source *touched = NULL;
    if (r < 0)
        note_failed(pipeline, list, r);
    for (struct submission *s = list; s; s = s->next) {
        struct pipeline_source *source = s->source;
        hand_over_release(pipeline, s);
        pipeline->queued_events -= s->batch.n_events;
        if (!source->n_settled++) {
            source->next_touched = touched;
            touched = source;
        }
        source->callbacks.settled(source->callbacks.userdata, s->ticket, &s->batch.events[0], r);
    }
    for (struct pipeline_source *source = touched, *next; source; source = next) {
        size_t n_settled = source->n_settled;
        next = source->next_touched;
        source->n_settled = 0;
        if (source->callbacks.settled_all)
            source->callbacks.settled_all(source->callbacks.userdata);
        leave(source, n_settled);
    }
}

/* One that is not paused and can be (pause), or that is to be resumed. It stays until the writer has left it; NULL:
 * none. */
static struct pipeline_source *take_source(struct pipeline *pipeline, bool pause)
{
    pthread_mutex_lock(&pipeline->lock);
    struct pipeline_source *source = pipeline->sources;
    while (source && (pause ? source->paused || !source->callbacks.pause : !source->paused && !source->waits))
        source = source->next;
    if (source) {
        set_paused(source, pause, pause && source->waits);
        source->called = true;
    }
    pthread_mutex_unlock(&pipeline->lock);
    return source;
}

void hand_over_pause(struct pipeline *pipeline)
{
    for (struct pipeline_source *source; (source = take_source(pipeline, true));) {
        source->callbacks.pause(source->callbacks.userdata);
        leave(source, 0);
    }
}

/* Half of it is free again: not each batch that is stored wakes somebody for one more. */
static bool has_room(const struct pipeline *pipeline)
{
    return !pipeline->failing && pipeline->queued_bytes <= pipeline->max_queue_bytes / 2;
}

void hand_over_resume(struct pipeline *pipeline)
{
    while (pipeline->n_paused && has_room(pipeline)) {
        struct pipeline_source *source = take_source(pipeline, false);
        if (!source)
            return;
        if (source->callbacks.resume)
            source->callbacks.resume(source->callbacks.userdata);
        leave(source, 0);
    }
}
