/* withdraw.c - a disk that hangs, a log that is locked: what still waits for it is given back, and people are told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

/* Tickets are told apart within a source only. */
static struct submission *take_submission(struct queue *queue, const struct pipeline_source *source, const void *ticket)
{
    struct submission **link = &queue->first;
    while (*link && ((*link)->source != source || (*link)->ticket != ticket))
        link = &(*link)->next;
    struct submission *s = *link;
    if (!s)
        return NULL;
    *link = s->next;
    if (!s->next)
        queue->end = link;
    return s;
}

/* Under the lock. */
static void tell_hanging(const struct pipeline *pipeline, bool locked, usec_t waited_us)
{
    struct text unstored CLEANUP(text_free) = TEXT_INIT;
    pipeline_add_unstored(pipeline, &unstored);
    log_line(LOG_CRIT, LOG_ID_STORE_FAILED, "%s: an event waited %llu s for it; until it %s events cannot be stored%s",
             locked ? pipeline->locked_by : "the disk does not answer", (unsigned long long) (waited_us / USEC_PER_SEC),
             locked ? "lets go" : "does", unstored.s);
}

int pipeline_withdraw(struct pipeline_source *source, const void *ticket, usec_t waited_us)
{
    struct pipeline *pipeline = source->pipeline;
    pthread_mutex_lock(&pipeline->lock);
    struct submission *s = take_submission(&pipeline->waiting, source, ticket);
    bool hangs = s || pipeline->committing, tell = hangs && !pipeline->hanging, locked = pipeline->locked;
    pipeline->hanging = pipeline->hanging || hangs;
    if (tell)
        tell_hanging(pipeline, locked, waited_us);
    source->n_open -= s != NULL;
    pthread_mutex_unlock(&pipeline->lock);

    if (tell)
        pipeline_tell_sentence(pipeline);
    if (!s)
        return -EINPROGRESS;
    hand_over_release(pipeline, s);
    pipeline->queued_events -= s->batch.n_events;
    batch_done(&s->batch);
    free(s);
    if (pipeline->n_paused)
        pipeline_poke(pipeline); /* there may be room now */
    return 0;
}

/* What the writer has taken waits again, before what came meanwhile, so that the order stays and it can be withdrawn.
 * false: the end has come. */
static bool put_back(struct pipeline *pipeline, struct submission *list, const struct err *err)
{
    struct submission *last = list;
    while (last && last->next)
        last = last->next;
    pthread_mutex_lock(&pipeline->lock);
    bool goes_on = !pipeline->hurry;
    if (goes_on) {
        pipeline->committing = false;
        pipeline->locked = true;
        memcpy(pipeline->locked_by, err->msg, sizeof(pipeline->locked_by));
    }
    if (goes_on && list) {
        last->next = pipeline->waiting.first;
        pipeline->waiting.end = last->next ? pipeline->waiting.end : &last->next;
        pipeline->waiting.first = list;
    }
    pthread_mutex_unlock(&pipeline->lock);
    return goes_on;
}

static bool still_locked(struct pipeline *pipeline)
{
    struct err err;
    int r = store_begin(pipeline->store, &err);
    store_rollback(pipeline->store);
    pthread_mutex_lock(&pipeline->lock);
    bool goes_on = !pipeline->hurry;
    pthread_mutex_unlock(&pipeline->lock);
    return r == -EBUSY && goes_on;
}

bool withdraw_wait_unlocked(struct pipeline *pipeline, struct submission *list, const struct err *err)
{
    if (!put_back(pipeline, list, err))
        return false;
    while (still_locked(pipeline))
        pipeline->n_rounds++;
    return true;
}

void withdraw_commit_ended(struct pipeline *pipeline, int r)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->committing = false;
    bool hung = pipeline->hanging, locked = pipeline->locked;
    pipeline->hanging = pipeline->locked = false;
    pthread_mutex_unlock(&pipeline->lock);
    if (!hung || r < 0 || pipeline->failing)
        return;
    log_line(LOG_NOTICE, LOG_ID_STORE_RECOVERED, "%s, events are stored",
             locked ? "the event log is not locked any more" : "the disk answers again");
    pipeline_tell_sentence(pipeline);
}
