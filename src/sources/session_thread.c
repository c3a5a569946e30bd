/* session_thread.c - the one thread of all sessions, which sockets and times wake. */
#include <assert.h>
#include <sonoran-pushd/wait.h>
#include <stdlib.h>
#include <unistd.h>

#include "session_private.h"

#define BETWEEN_CONNECTS_US (USEC_PER_SEC / 5)
#define NO_MEMORY_PAUSE_US (100 * USEC_PER_MSEC)
#define WAIT_MAX_MS (3600 * 1000)

void session_wake(const struct sessions *sessions)
{
    (void) !write(sessions->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* ---- the list, which others look at under the lock ---- */

static void add_session(struct sessions *sessions, struct session_target *take_target)
{
    struct session *session = calloc(1, sizeof(*session));
    struct session **link = &sessions->list;
    if (!session) {
        log_line(LOG_ERR, LOG_ID_SESSION, "session %s: no memory", take_target->settings.name);
        session_target_free(take_target);
        return;
    }
    session->all = sessions;
    session->target = take_target;
    session->half = (struct text) TEXT_INIT;
    session_set_state(session, SESSION_WAITS);
    while (*link)
        link = &(*link)->next;
    pthread_mutex_lock(&sessions->lock);
    *link = session;
    pthread_mutex_unlock(&sessions->lock);
    session_set_cut(session, now_us());
}

static void free_session(struct session *session)
{
    session_queue_forget(session->all, session);
    websocket_close(session->websocket);
    text_wipe(&session->half);
    session_target_free(session->target);
    session_target_free(session->changed);
    free(session);
}

void session_free_all(struct sessions *sessions)
{
    struct session *session;
    while ((session = sessions->list)) {
        sessions->list = session->next;
        free_session(session);
    }
}

/* ---- another configuration ---- */

static struct session_target *take_named(struct session_change *change, const char *name)
{
    for (size_t i = 0; i < change->n_targets; i++) {
        struct session_target *target = change->targets[i];
        if (!target || strcmp(target->settings.name, name) != 0)
            continue;
        change->targets[i] = NULL;
        return target;
    }
    return NULL;
}

/* One that was refused may have become right: by the panel, and whoever reloads wants to know. What the CAD asked for
 * since holds all the same. */
static void try_at_once(struct session *session)
{
    if (session->state != SESSION_WAITS || !session->backoff.refusals || session->backoff.busy)
        return;
    session->backoff = (struct session_backoff){ 0 };
    session->due_us = 0;
}

static void change_one(struct session *session, struct session_change *change)
{
    struct session_target *target = take_named(change, session->target->settings.name);
    session->changed = session_target_free(session->changed);
    session->gone = !target;
    if (target && session->state != SESSION_IS_CLOSING && session_targets_equal(target, session->target)) {
        session_target_free(target);
        try_at_once(session);
        session_prime_hurry(session->all->prime, session->target->settings.name);
        return;
    }
    session->changed = target;
    session_leave(session);
}

static void take_change(struct sessions *sessions)
{
    pthread_mutex_lock(&sessions->lock);
    struct session_change *change = sessions->change;
    pthread_mutex_unlock(&sessions->lock);
    if (!change)
        return;
    session_queue_accept(sessions);
    free(sessions->rules);
    sessions->rules = change->rules;
    sessions->body_bytes = change->body_bytes;
    sessions->in_flight_bytes = change->in_flight_bytes;
    for (struct session *session = sessions->list; session; session = session->next) {
        session_take_limits(sessions, session);
        change_one(session, change);
    }
    for (size_t i = 0; i < change->n_targets; i++)
        if (change->targets[i])
            add_session(sessions, change->targets[i]);
    free(change->targets);
    free(change);
    pthread_mutex_lock(&sessions->lock);
    sessions->change = NULL;
    pthread_cond_broadcast(&sessions->taken);
    pthread_mutex_unlock(&sessions->lock);
}

/* Those that are closed go, or become what they are to be. */
static void become(struct sessions *sessions, struct session *session)
{
    bool elsewhere = !session_targets_meet(session->target, session->changed);
    bool is_to_wait = session->backoff.busy && session_targets_log_in_alike(session->target, session->changed);
    session_prime_forget(sessions->prime, session->target->settings.name);
    pthread_mutex_lock(&sessions->lock);
    session_target_free(session->target);
    session->target = session->changed;
    session->changed = NULL;
    if (!is_to_wait)
        session->trouble = (struct session_trouble){ 0 };
    pthread_mutex_unlock(&sessions->lock);
    session->lost_us = elsewhere ? 0 : session->lost_us;
    if (is_to_wait)
        return;
    session->backoff = (struct session_backoff){ 0 };
    session->due_us = 0;
}

static void end_closed(struct sessions *sessions)
{
    for (struct session **link = &sessions->list; *link;) {
        struct session *session = *link;
        bool closed = session->state == SESSION_WAITS;
        if (closed && session->gone) {
            pthread_mutex_lock(&sessions->lock);
            *link = session->next;
            pthread_mutex_unlock(&sessions->lock);
            session_tell(session, LOG_NOTICE, "closed");
            session_prime_forget(sessions->prime, session->target->settings.name);
            free_session(session);
            if (sessions->changed)
                sessions->changed(sessions->set);
            continue;
        }
        if (closed && session->changed)
            become(sessions, session);
        link = &session->next;
    }
}

/* ---- a round ---- */

/* Another one's connection to the same place is not closed yet, or there is no room for what it would bring. */
static bool is_held(const struct sessions *sessions, const struct session *session)
{
    for (const struct session *other = sessions->list; other; other = other->next)
        if (other != session && other->websocket && session_targets_meet(other->target, session->target))
            return true;
    return session->full && session_queue_load(sessions, session) > sessions->in_flight_bytes / 2;
}

/* One in a round: each of the others has had its turn to read before, also where more is there for one of them, which
 * may go on for ever. */
static void begin_one(struct sessions *sessions, usec_t now)
{
    if (sessions->stopping || now < sessions->connect_us)
        return;
    for (struct session *session = sessions->list; session; session = session->next) {
        if (session->state != SESSION_WAITS || now < session->due_us || is_held(sessions, session))
            continue;
        session->full = false;
        sessions->connect_us = now + BETWEEN_CONNECTS_US;
        session_begin(sessions, session);
        return;
    }
}

static int wait_ms(const struct sessions *sessions)
{
    usec_t due_us = UINT64_MAX, now = uptime_us();
    for (const struct session *session = sessions->list; session; session = session->next) {
        bool waits = session->state == SESSION_WAITS;
        if (waits && is_held(sessions, session))
            continue;
        usec_t its = waits ? usec_later(session->due_us, sessions->connect_us) : session_due_us(session);
        due_us = its < due_us ? its : due_us;
    }
    if (sessions->stopping && sessions->stop_us < due_us)
        due_us = sessions->stop_us;
    if (sessions->more || due_us <= now)
        return 0;
    usec_t ms = (due_us - now) / USEC_PER_MSEC + 1;
    return ms < WAIT_MAX_MS ? (int) ms : WAIT_MAX_MS;
}

static void wait_awake(struct sessions *sessions)
{
    struct err err = { "" };
    uint64_t n;
    int r = net_pool_wait(sessions->pool, sessions->wake_fd, wait_ms(sessions), &err);
    if (r == 1)
        (void) !read(sessions->wake_fd, &n, sizeof(n));
    if (r < 0)
        wait_pause(NO_MEMORY_PAUSE_US);
}

static void go_round(struct sessions *sessions)
{
    sessions->n_rounds++;
    sessions->more = false;
    take_change(sessions);
    for (struct session *session = sessions->list; session; session = session->next)
        session_step(sessions, session, uptime_us());
    end_closed(sessions);
    session_queue_add_primed(sessions);
    session_queue_go_on(sessions);
    begin_one(sessions, uptime_us());
}

static bool all_are_closed(const struct sessions *sessions)
{
    const struct session *session = sessions->list;
    while (session && session->state == SESSION_WAITS)
        session = session->next;
    return !session;
}

/* With a good word; and what had come is handed in, as far as there is room for it in time. */
static void end_all(struct sessions *sessions)
{
    for (struct session *session = sessions->list; session; session = session->next)
        session_leave(session);
    go_round(sessions);
    while ((!all_are_closed(sessions) || session_queue_goes_on(&sessions->queue)) && uptime_us() < sessions->stop_us) {
        wait_awake(sessions);
        go_round(sessions);
    }
    for (struct session *session = sessions->list; session; session = session->next)
        if (session->state != SESSION_WAITS)
            session_over(session, (struct session_over){ .end = SESSION_END_LOST }, NULL);
}

void *session_thread(void *self)
{
    struct sessions *sessions = self;
    pthread_setname_np(pthread_self(), "sessions");
    while (!sessions->stopping) {
        go_round(sessions);
        wait_awake(sessions);
    }
    end_all(sessions);
    return NULL;
}
