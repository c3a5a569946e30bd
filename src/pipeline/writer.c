/* writer.c - the thread that owns the log: takes what waits, commits it, has it answered, tells it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

#define UNSAVED_US USEC_PER_SEC
#define UNSAVED_LINES 64
#define LOCK_STEP_US (250 * USEC_PER_MSEC) /* batches that wait for a lock longer can be withdrawn */
#define TRIM_IDLE_US (3600 * USEC_PER_SEC) /* nothing has come since: only time makes events too old */
#define TRIM_PAUSE_US (50 * USEC_PER_MSEC)
#define FILL_PAUSE_US USEC_PER_MSEC
#define LAST_LINES_US (500 * USEC_PER_MSEC)
#define LAST_LINES_STEP_US (2 * USEC_PER_MSEC)
#define APPEND_AT_ONCE 64
#define PROBE_MIN_BYTES ((size_t) 64 << 10)
#define PROBE_MAX_BYTES ((size_t) 16 << 20)

/* How long to wait for events where something else is to be done as well. */
static usec_t pause_us(struct pipeline *pipeline)
{
    if (fill_is_due(pipeline))
        return FILL_PAUSE_US;
    if (!pipeline->trimmed)
        return TRIM_PAUSE_US;
    bool saved = pipeline->saved_log_id == store_last_id(pipeline->store) && !pipeline->failing &&
                 !delivery_unsaved(pipeline->delivery) && !kept_waits(pipeline);
    if (!saved)
        return UNSAVED_US;
    bool looks = pipeline->grown || pipeline->trim_failing || fill_is_left(pipeline);
    return looks ? TRIM_EVERY_US : TRIM_IDLE_US;
}

/* Under the lock, which is free in between: it writes, and a disk may hang. */
static void configure_store(struct pipeline *pipeline)
{
    const struct store_settings settings = pipeline->store_settings;
    pipeline->store_changed = false;
    pthread_mutex_unlock(&pipeline->lock);
    store_configure(pipeline->store, &settings);
    pipeline->trimmed = false;
    pipeline->trimmed_us = 0;
    pthread_mutex_lock(&pipeline->lock);
}

/* Of what waits as much as is fair; after a while without anything an empty list. False: nothing more will come. */
static bool take_waiting(struct pipeline *pipeline, struct submission **ret)
{
    usec_t pause = pause_us(pipeline);
    pthread_mutex_lock(&pipeline->lock);
    if (!pipeline->waiting.first && !pipeline->poked && !pipeline->stopping && !pipeline->store_changed)
        (void) wait_signal(&pipeline->more, &pipeline->lock, uptime_us() + pause);
    while (pipeline->store_changed) /* what came since is stored as the newest settings ask for */
        configure_store(pipeline);
    pipeline->poked = false;
    *ret = fair_take(&pipeline->waiting, pipeline->stopping ? 0 : pipeline->queued_events, &pipeline->large_next);
    bool stopping = pipeline->stopping;
    pipeline->committing = true;
    pthread_mutex_unlock(&pipeline->lock);
    return *ret || !stopping;
}

/* Lines that were written need not be told again after a crash. That is a page more to write, so beside events it waits
 * for some more lines or for a second. */
static bool log_id_is_due(const struct pipeline *pipeline, const struct submission *list, uint64_t id)
{
    uint64_t n_lines = id > pipeline->saved_log_id ? id - pipeline->saved_log_id : 0; /* less: nothing written yet */
    return n_lines && (!list || n_lines >= UNSAVED_LINES || uptime_us() >= pipeline->saved_log_us + UNSAVED_US);
}

static int commit_with_deliveries(struct pipeline *pipeline, struct err *err)
{
    int r = delivery_save(pipeline->delivery, pipeline->store, err);
    if (r >= 0)
        r = store_commit(pipeline->store, err);
    delivery_saved(pipeline->delivery, pipeline->store, r >= 0);
    return r;
}

static int decide_all(struct pipeline *pipeline, struct submission *list, uint64_t *id, struct err *err)
{
    int r = 0;
    assert(pipeline->decided.n == 0);
    for (struct submission *s = list; s && r >= 0; s = s->next)
        for (size_t i = 0; i < s->batch.n_events && r >= 0; i++) {
            struct event *event = &s->batch.events[i];
            event->id = ++*id;
            event->order_us = decide_order(event->time_us, event->home.node, &pipeline->taken_us);
            r = decide(pipeline, event, err);
        }
    return r;
}

static int append_all(struct pipeline *pipeline, struct submission *list, struct err *err)
{
    struct store_entry entries[APPEND_AT_ONCE];
    const struct description *description = pipeline->decided.v;
    size_t n = 0;
    int r = 0;
    for (struct submission *s = list; s && r >= 0; s = s->next)
        for (size_t i = 0; i < s->batch.n_events && r >= 0; i++) {
            entries[n++] = (struct store_entry){ &s->batch.events[i], description++ };
            if (n < APPEND_AT_ONCE)
                continue;
            r = store_append_all(pipeline->store, entries, n, err);
            n = 0;
        }
    assert(r < 0 || description == pipeline->decided.v + pipeline->decided.n);
    return r < 0 ? r : store_append_all(pipeline->store, entries, n, err);
}

/* When the first of them came, by their times. */
static usec_t oldest_us(const struct submission *list)
{
    usec_t oldest = UINT64_MAX;
    for (const struct submission *s = list; s; s = s->next)
        for (size_t i = 0; i < s->batch.n_events; i++)
            oldest = s->batch.events[i].order_us < oldest ? s->batch.events[i].order_us : oldest;
    return oldest;
}

static size_t count_heard(const struct submission *list)
{
    size_t n = 0;
    for (const struct submission *s = list; s; s = s->next)
        n += s->batch.events[0].verdict == EVENT_INTERNAL ? 0 : s->batch.n_events;
    return n;
}

/* next NULL: state stays where it began. */
static void hear_all(struct turns *turns, const struct submission *list, const struct store_place *next)
{
    if (next)
        turns_before(turns, next);
    for (const struct submission *s = list; s; s = s->next)
        for (size_t i = 0; i < s->batch.n_events; i++)
            turns_hear(turns, &s->batch.events[i]);
    if (next)
        turns_after(turns, next);
}

/* It is on disk: now all may see it. */
static void take_over(struct pipeline *pipeline, const struct submission *list, uint64_t newest_id,
                      const struct store_place *next)
{
    assert(newest_id == store_last_id(pipeline->store) && newest_id >= pipeline->newest_id);
    (void) state_merge(pipeline->overlay, newest_id); /* without memory, what lines can name is less */
    hear_all(&pipeline->turns, list, next);
    pipeline->newest_id = newest_id;
    pipeline->newest_us = pipeline->taken_us;
    last_heard_note_all(pipeline, list);
    pipeline->n_heard += count_heard(list);
}

static int store_all(struct pipeline *pipeline, struct submission *list, struct err *err)
{
    uint64_t id = store_last_id(pipeline->store), written = log_written();
    struct store_place next;
    struct kept *kept = NULL;
    int r = list ? store_begin(pipeline->store, err) : store_begin_relaxed(pipeline->store, err);
    if (r >= 0)
        r = decide_all(pipeline, list, &id, err);
    if (r >= 0)
        r = append_all(pipeline, list, err);
    bool turn = r >= 0 && list && turns_look(&pipeline->turns, id, pipeline->taken_us, oldest_us(list), &next);
    if (turn)
        r = store_set_place(pipeline->store, STORE_STATE, &next, err);
    bool save = r >= 0 && log_id_is_due(pipeline, list, written);
    if (save)
        r = store_set_cursor(pipeline->store, LOG_CURSOR, written, err);
    if (r >= 0)
        r = kept_write(pipeline, &kept, err);
    if (r >= 0) /* behind what was kept before: the newest counts */
        r = kept_write_positions(pipeline, list, err);
    if (r >= 0)
        r = commit_with_deliveries(pipeline, err);
    kept_written(pipeline, kept, r >= 0);
    if (r < 0) {
        store_rollback(pipeline->store);
        state_drop(pipeline->overlay);
        return r;
    }
    if (save) {
        pipeline->saved_log_id = written;
        pipeline->saved_log_us = uptime_us();
    }
    if (list)
        take_over(pipeline, list, id, turn ? &next : NULL);
    return r;
}

static bool unsaved(struct pipeline *pipeline)
{
    return pipeline->saved_log_id < log_written() || delivery_unsaved(pipeline->delivery) || kept_waits(pipeline);
}

static void tell_failure(struct pipeline *pipeline, int r, const struct err *err)
{
    struct text unstored CLEANUP(text_free) = TEXT_INIT;
    if ((r < 0) == pipeline->failing)
        return;
    pipeline->failing = r < 0;
    pthread_mutex_lock(&pipeline->lock);
    pipeline_add_unstored(pipeline, &unstored);
    pthread_mutex_unlock(&pipeline->lock);
    if (r < 0)
        log_line(LOG_CRIT, LOG_ID_STORE_FAILED, "events cannot be stored%s: %s", unstored.s, err->msg);
    else
        log_line(LOG_NOTICE, LOG_ID_STORE_RECOVERED, "events are stored again");
    pipeline_tell_sentence(pipeline);
}

/* A small event may fit onto a disk that is full for others: it is over when there is room for what failed. */
static void probe(struct pipeline *pipeline)
{
    struct err err;
    usec_t now = uptime_us();
    if (now < pipeline->probed_us + UNSAVED_US) /* deliveries wake the writer as often as they like */
        return;
    pipeline->probed_us = now;
    size_t bytes = pipeline->failed_bytes;
    bytes = bytes < PROBE_MIN_BYTES ? PROBE_MIN_BYTES : bytes > PROBE_MAX_BYTES ? PROBE_MAX_BYTES : bytes;
    if (store_probe(pipeline->store, bytes, &err) < 0)
        return;
    tell_failure(pipeline, 0, NULL);
    pipeline->failed_bytes = 0;
}

static void note_failed(struct pipeline *pipeline, const struct submission *list)
{
    size_t bytes = 0;
    for (const struct submission *s = list; s; s = s->next)
        bytes += s->bytes;
    if (bytes > pipeline->failed_bytes)
        pipeline->failed_bytes = bytes;
}

/* Tells what was decided, in the same order, and hands it on to those that read the log. */
static void finish(struct pipeline *pipeline, struct submission *list, bool stored)
{
    bool publish = stored && feed_is_wanted(pipeline->feed);
    struct description *description = pipeline->decided.v;
    for (struct submission *s = list, *next; s; s = next) {
        next = s->next;
        for (size_t i = 0; i < s->batch.n_events && stored; i++) {
            delivery_came(pipeline->delivery, &s->batch.events[i]);
            copies_look(pipeline, &s->batch.events[i]);
            line_write(&s->batch.events[i], &description[i], pipeline->payload_bytes, false);
        }
        size_t n = s->batch.n_events;
        if (publish)
            feed_publish(pipeline->feed, &s->batch, description);
        else
            batch_done(&s->batch);
        description += stored ? n : 0;
        free(s);
    }
    decided_reset(&pipeline->decided);
}

static void settle_behind_failed(struct pipeline *pipeline, struct submission **list)
{
    struct submission *behind;
    int r;
    while ((behind = hand_over_take_behind(pipeline, list, &r))) {
        hand_over_settle(pipeline, behind, r);
        finish(pipeline, behind, false);
    }
}

/* The end: lines on their way are written first, so that the next start does not tell them again. */
static void save_last_lines(struct pipeline *pipeline)
{
    struct err err;
    usec_t end = uptime_us() + LAST_LINES_US;
    while (log_written() != store_last_id(pipeline->store) && uptime_us() < end)
        wait_pause(LAST_LINES_STEP_US);
    if (unsaved(pipeline))
        (void) store_all(pipeline, NULL, &err); /* then they are told twice */
}

void *writer_thread(void *argument)
{
    struct pipeline *pipeline = argument;
    struct submission *list;

    pthread_setname_np(pthread_self(), "writer");
    store_set_patience(pipeline->store, LOCK_STEP_US);
    while (take_waiting(pipeline, &list)) {
        pipeline->n_rounds++;
        settle_behind_failed(pipeline, &list);
        renew_life(pipeline);
        struct err err = { "" };
        usec_t began_us = list ? uptime_us() : 0;
        int r = list || unsaved(pipeline) ? store_all(pipeline, list, &err) : 0;
        counts_committed(pipeline, list, began_us, r);
        if (r == -EBUSY && withdraw_wait_unlocked(pipeline, list, &err)) {
            decided_reset(&pipeline->decided);
            continue;
        }
        withdraw_commit_ended(pipeline, r);
        if (r < 0) {
            tell_failure(pipeline, r, &err);
            note_failed(pipeline, list);
            hand_over_pause(pipeline);
        }
        hand_over_settle(pipeline, list, r);
        finish(pipeline, list, r >= 0);
        if (list && r >= 0) {
            pipeline->grown = true;
            feed_grow(pipeline->feed, store_last_id(pipeline->store));
        }
        if (r >= 0 && pipeline->failing)
            probe(pipeline);
        hand_over_resume(pipeline);
        trim_old(pipeline);
        fill_old(pipeline);
    }
    save_last_lines(pipeline);
    store_stop_checkpoints(pipeline->store);
    store_settle(pipeline->store);
    return NULL;
}
