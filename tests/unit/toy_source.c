/* toy_source.c - a source that reads an inbox: all that a new source needs is in this one file and in one row of a
 * table. It can wait, as a stream can: what is not stored is handed in again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toy_source.h"

struct toy_inbox toy_inbox = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

struct toy {
    const struct envelope_rules *rules;
    struct source_parts parts;
    pthread_t thread;
    bool running, stopping;
    bool paused;
    size_t next;   /* message to be handed in */
    size_t n_open; /* messages whose tickets are not settled */
    bool again;    /* some of those failed: first all come back, then it goes on with the first that is not done */
    bool done[TOY_MESSAGES_MAX];
};

/* ---- in its own thread ---- */

static enum envelope_refusal read_body(struct toy *toy, const char *text, const struct origin *origin,
                                       struct batch *ret, struct err *err)
{
    struct envelope envelope;
    enum envelope_refusal refusal =
        envelope_open(strdup(text), strlen(text), toy->rules, origin, now_us(), &envelope, err);
    if (refusal != ENVELOPE_OK)
        return refusal;
    const struct event_community *community = envelope_authenticate(&envelope, toy->rules, err);
    if (community)
        return envelope_make(&envelope, toy->rules, community->name, ret, err);
    envelope_drop(&envelope);
    return ENVELOPE_KEY;
}

static enum envelope_refusal make_batch(struct toy *toy, const struct toy_message *message, const struct origin *origin,
                                        struct batch *ret, struct err *err)
{
    if (!message->type)
        return read_body(toy, message->text, origin, ret, err);
    return envelope_make_one(span_of(message->type), span_of(message->text), toy->rules, "default", origin, now_us(),
                             ret, err);
}

static void finish(struct toy *toy, size_t i, uint64_t id)
{
    toy_inbox.ids[i] = id;
    toy_inbox.n_done++;
    toy->done[i] = true;
    pthread_cond_broadcast(&toy_inbox.changed);
}

static void refuse(struct toy *toy, size_t i, const struct origin *origin, const struct err *err)
{
    gate_note(toy->parts.door, origin->name, GATE_WRONG_KEY, origin->peer, "");
    gate_refuse(toy->parts.door, &(struct gate_refusal){ .origin = origin, .reason = err->msg });
    pthread_mutex_lock(&toy_inbox.lock);
    toy->n_open--;
    finish(toy, i, 0);
    pthread_mutex_unlock(&toy_inbox.lock);
}

/* No room. It may have become free, and been told so, before this is noted. */
static void wait_for_room(struct toy *toy, size_t i, size_t n_resumes)
{
    pthread_mutex_lock(&toy_inbox.lock);
    toy_inbox.n_busy++;
    toy->n_open--;
    toy->next = i;
    toy->paused = toy->paused || toy_inbox.n_resumes == n_resumes;
    pthread_cond_broadcast(&toy_inbox.changed);
    pthread_mutex_unlock(&toy_inbox.lock);
}

static void hand_in(struct toy *toy, size_t i, size_t n_resumes)
{
    static const struct origin origin = { "toy", "inbox", "192.0.2.7" };
    struct batch batch;
    struct err err = { "" };
    enum envelope_refusal refusal = make_batch(toy, &toy_inbox.messages[i], &origin, &batch, &err);
    if (refusal != ENVELOPE_OK) {
        refuse(toy, i, &origin, &err);
        return;
    }
    if (pipeline_submit(toy->parts.way_in, &batch, &toy_inbox.ids[i]) == 0) {
        pipeline_flush(toy->parts.way_in);
        return;
    }
    batch_done(&batch);
    wait_for_room(toy, i, n_resumes);
}

/* Under the lock: the next message, or none for now. */
static bool has_work(struct toy *toy)
{
    if (toy->again && toy->n_open)
        return false;
    if (toy->again)
        toy->next = 0;
    toy->again = false;
    while (toy->next < toy_inbox.n && toy->done[toy->next])
        toy->next++;
    return !toy->paused && toy->next < toy_inbox.n;
}

static void *run(void *self)
{
    struct toy *toy = self;
    pthread_mutex_lock(&toy_inbox.lock);
    while (!toy->stopping) {
        if (!has_work(toy)) {
            pthread_cond_wait(&toy_inbox.changed, &toy_inbox.lock);
            continue;
        }
        size_t i = toy->next++, n_resumes = toy_inbox.n_resumes;
        toy->n_open++;
        toy_inbox.n_taken++;
        pthread_mutex_unlock(&toy_inbox.lock);
        hand_in(toy, i, n_resumes);
        pthread_mutex_lock(&toy_inbox.lock);
    }
    pthread_mutex_unlock(&toy_inbox.lock);
    return NULL;
}

/* ---- in the writer's ---- */

static void toy_settled(void *self, void *ticket, const struct event *first, int r)
{
    struct toy *toy = self;
    size_t i = (size_t) ((uint64_t *) ticket - toy_inbox.ids);
    pthread_mutex_lock(&toy_inbox.lock);
    toy->n_open--;
    toy_inbox.n_settled++;
    if (r < 0) {
        toy_inbox.n_failed++;
        toy->again = true;
    } else {
        finish(toy, i, first->id);
    }
    pthread_cond_broadcast(&toy_inbox.changed);
    pthread_mutex_unlock(&toy_inbox.lock);
}

static void set_paused(struct toy *toy, bool paused, size_t *count)
{
    pthread_mutex_lock(&toy_inbox.lock);
    toy->paused = paused;
    ++*count;
    pthread_cond_broadcast(&toy_inbox.changed);
    pthread_mutex_unlock(&toy_inbox.lock);
}

static void toy_pause(void *self)
{
    set_paused(self, true, &toy_inbox.n_pauses);
}

static void toy_resume(void *self)
{
    set_paused(self, false, &toy_inbox.n_resumes);
}

/* ---- in the main thread ---- */

static int toy_open(void *self, const struct source_parts *parts, struct err *err)
{
    struct toy *toy = self;
    toy->parts = *parts;
    toy->rules = source_rules_new(parts->config, parts->families);
    if (!toy->rules)
        return err_set(err, -ENOMEM, "no memory");
    int r = pthread_create(&toy->thread, NULL, run, toy);
    toy->running = r == 0;
    return -r;
}

static void toy_ready(void *self)
{
    (void) self;
    toy_inbox.n_ready++;
}

static int toy_prepare(void *self, const struct config *config, void **ret_change, struct err *err)
{
    (void) self;
    (void) config;
    (void) err;
    *ret_change = &toy_inbox;
    return 0;
}

static void toy_apply(void *self, void *take_change)
{
    (void) self;
    toy_inbox.n_configured += take_change == &toy_inbox;
}

static void toy_drop(void *self, void *take_change)
{
    (void) self;
    toy_inbox.n_dropped += take_change == &toy_inbox;
}

static int toy_stop(void *self, usec_t timeout_us)
{
    struct toy *toy = self;
    (void) timeout_us;
    if (!toy->running)
        return 0;
    pthread_mutex_lock(&toy_inbox.lock);
    toy->stopping = true;
    pthread_cond_broadcast(&toy_inbox.changed);
    pthread_mutex_unlock(&toy_inbox.lock);
    pthread_join(toy->thread, NULL);
    toy->running = false;
    toy_inbox.stopped = true;
    return 0;
}

static void toy_close(void *self)
{
    struct toy *toy = self;
    free((void *) (uintptr_t) toy->rules);
}

static bool toy_alive(void *self)
{
    const struct toy *toy = self;
    return toy->running;
}

static void toy_add_status(void *self, struct json_writer *out)
{
    (void) self;
    json_begin_object(out, "toy");
    json_add_int(out, "settled", (int64_t) toy_inbox.n_settled);
    json_end(out);
}

static void toy_add_health(void *self, struct json_writer *out)
{
    (void) self;
    json_begin_object(out, NULL);
    json_add_text(out, "source", "toy");
    json_add_text(out, "name", "inbox");
    json_end(out);
}

const struct source_type source_toy = {
    .name = "toy",
    .instance_size = sizeof(struct toy),
    .open = toy_open,
    .ready = toy_ready,
    .prepare = toy_prepare,
    .apply = toy_apply,
    .drop = toy_drop,
    .stop = toy_stop,
    .close = toy_close,
    .settled = toy_settled,
    .pause = toy_pause,
    .resume = toy_resume,
    .thread = "the toy",
    .alive = toy_alive,
    .add_status = toy_add_status,
    .add_health = toy_add_health,
};
