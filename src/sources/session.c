/* session.c - the source session: connections to the CAD by which it sends its events instead of posting them (design
 * section 16). Opened, given another configuration, taken down. */
#include <errno.h>
#include <sonoran-pushd/wait.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "session_private.h"

#define PRIME_PATIENCE_US (2 * USEC_PER_SEC) /* whatever the connections took */
#define TAKE_PATIENCE_US (5 * USEC_PER_SEC)
#define THREAD_PATIENCE_US USEC_PER_SEC /* beside what it is given for the CAD's last words */

#define SESSION_OPTION(member) .group = "sessions[]", CONFIG_MEMBER(struct session_settings, member)

static const struct config_option options[] = {
    { SESSION_OPTION(name), .name = "name", .type = CONFIG_NAME, .required = true, .fallback = "cad", .unique = true,
      .help = "How it is called in the log and by actions (listeners)." },
    { SESSION_OPTION(community), .name = "community", .type = CONFIG_NAME, .names = CONFIG_COMMUNITY,
      .fallback = "default", .help = "Whose key it logs in with, and whose events come." },
    { SESSION_OPTION(community_id), .name = "community_id", .type = CONFIG_TEXT, .required = true,
      .help = "The community's id at the CAD (Admin > In-Game Integration > API)." },
    { SESSION_OPTION(server), .name = "server", .type = CONFIG_COUNT, .fallback = "1", .min = 1, .max = 1000000,
      .help = "The server at the CAD whose events come (Admin > Customization > Servers)." },
    { SESSION_OPTION(url), .name = "url", .type = CONFIG_TEXT, .fallback = "https://api.sonorancad.com/apiWsHub",
      .help = "The CAD's hub; http:// only on this machine." },
    { SESSION_OPTION(ca_file), .name = "ca_file", .type = CONFIG_TEXT,
      .help = "Certificates that alone vouch for it, for a hub of your own; without it those of the system." },
    { SESSION_OPTION(prime), .name = "prime", .type = CONFIG_BOOL, .fallback = "true",
      .help = "Ask the CAD for units and calls after each connect, since it sends nothing again." },
};

/* ---- what it takes to run with a configuration ---- */

static struct session_change *change_free(struct session_change *change)
{
    if (!change)
        return NULL;
    for (size_t i = 0; i < change->n_targets; i++)
        session_target_free(change->targets[i]);
    free(change->targets);
    free(change->rules);
    free(change);
    return NULL;
}

static int take_targets(struct session_change *change, const struct config *config, struct err *err)
{
    const struct config_settings all = config_section_get(config, &source_session.section);
    const struct session_settings *settings = all.elements;
    change->targets = calloc(all.n_elements + 1, sizeof(change->targets[0]));
    if (!change->targets)
        return err_set(err, -ENOMEM, "no memory");
    for (size_t i = 0; i < all.n_elements; i++) {
        int r = session_target_new(&change->targets[i], &settings[i], config, err);
        if (r < 0)
            return r;
        change->n_targets++;
    }
    return 0;
}

static int change_new(struct session_change **ret, const struct event_families *families, const struct config *config,
                      struct err *err)
{
    struct session_change *change = calloc(1, sizeof(*change));
    if (!change)
        return err_set(err, -ENOMEM, "no memory");
    change->rules = source_rules_new(config, families);
    change->body_bytes = config->limits.body_bytes;
    change->in_flight_bytes = config->limits.in_flight_bytes;
    int r = take_targets(change, config, err);
    if (r >= 0 && !change->rules)
        r = err_set(err, -ENOMEM, "no memory");
    if (r < 0) {
        change_free(change);
        return r;
    }
    *ret = change;
    return 0;
}

/* To be counted apart. */
static void name_sessions(struct sessions *sessions, const struct session_change *change)
{
    for (size_t i = 0; i < change->n_targets; i++)
        gate_name(sessions->door, change->targets[i]->settings.name);
}

/* ---- in the main thread ---- */

static int session_open(void *self, const struct source_parts *parts, struct err *err)
{
    struct sessions *sessions = self;
    pthread_mutex_init(&sessions->lock, NULL);
    pthread_cond_init(&sessions->taken, NULL);
    session_queue_begin(&sessions->queue);
    sessions->families = parts->families;
    sessions->way_in = parts->way_in;
    sessions->door = parts->door;
    sessions->state = parts->state;
    sessions->changed = parts->changed;
    sessions->set = parts->set;
    sessions->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sessions->wake_fd < 0)
        return err_set(err, -errno, "no eventfd for the sessions: %s", strerror(errno));
    int r = net_pool_open(&sessions->pool, err);
    if (r >= 0)
        r = change_new(&sessions->change, parts->families, parts->config, err);
    if (r < 0)
        return r;
    name_sessions(sessions, sessions->change);
    r = session_prime_new(&sessions->prime, parts, sessions->wake_fd, err);
    if (r < 0)
        return r;
    r = pthread_create(&sessions->thread, NULL, session_thread, sessions);
    sessions->running = r == 0;
    return r ? err_set(err, -r, "no thread for the sessions: %s", strerror(r)) : 0;
}

static int session_prepare(void *self, const struct config *config, void **ret_change, struct err *err)
{
    const struct sessions *sessions = self;
    struct session_change *change = NULL;
    int r = change_new(&change, sessions->families, config, err);
    if (r >= 0)
        *ret_change = change;
    return r;
}

static void session_drop(void *self, void *take_change)
{
    (void) self;
    change_free(take_change);
}

/* Under the lock. Without an end, as listeners are: there is no going back any more. Meanwhile nobody looks whether the
 * thread gets on, and the watchdog ends us without a word: so it is said here. */
static void wait_taken(struct sessions *sessions)
{
    usec_t until_us = uptime_us() + TAKE_PATIENCE_US;
    while (sessions->change) {
        if (wait_signal(&sessions->taken, &sessions->lock, until_us))
            continue;
        log_line(LOG_CRIT, LOG_ID_STUCK, "%s does not get on; the reload waits for it", source_session.thread);
        until_us = UINT64_MAX;
    }
}

/* The rules borrow from the configuration, so it is waited until the thread has taken the new ones. */
static void session_apply(void *self, void *take_change)
{
    struct sessions *sessions = self;
    name_sessions(sessions, take_change);
    pthread_mutex_lock(&sessions->lock);
    wait_taken(sessions);
    sessions->change = take_change;
    session_wake(sessions);
    wait_taken(sessions);
    pthread_mutex_unlock(&sessions->lock);
}

/* While there is a way in, which it uses. */
static int end_priming(struct sessions *sessions, usec_t timeout_us)
{
    if (session_prime_stop(sessions->prime, timeout_us) < 0)
        return -ETIMEDOUT;
    pthread_mutex_lock(&sessions->lock);
    struct session_prime *prime = sessions->prime;
    sessions->prime = NULL;
    pthread_mutex_unlock(&sessions->lock);
    session_prime_free(prime);
    return 0;
}

/* Its own patience ends at stop_us; a disk that holds certificates may hold it longer. */
static bool end_thread(struct sessions *sessions, usec_t timeout_us)
{
    if (!sessions->running)
        return true;
    if (!sessions->stopping) { /* before the thread looks at it */
        sessions->stop_us = uptime_us() + timeout_us;
        sessions->stopping = true;
        timeout_us += THREAD_PATIENCE_US;
    }
    session_wake(sessions);
    sessions->running = !wait_thread(sessions->thread, uptime_us() + timeout_us);
    return !sessions->running;
}

static int session_stop(void *self, usec_t timeout_us)
{
    struct sessions *sessions = self;
    usec_t patience_us = sessions->running || timeout_us > PRIME_PATIENCE_US ? PRIME_PATIENCE_US : timeout_us;
    return end_thread(sessions, timeout_us) ? end_priming(sessions, patience_us) : -ETIMEDOUT;
}

static void session_close(void *self)
{
    struct sessions *sessions = self;
    session_queue_end(sessions);
    session_free_all(sessions);
    sessions->pool = net_pool_close(sessions->pool);
    if (sessions->wake_fd >= 0)
        close(sessions->wake_fd);
    change_free(sessions->change);
    free(sessions->rules);
    pthread_cond_destroy(&sessions->taken);
    pthread_mutex_destroy(&sessions->lock);
}

static bool session_alive(void *self)
{
    struct sessions *sessions = self;
    uint64_t n_rounds = sessions->n_rounds;
    bool alive = n_rounds != sessions->seen_rounds;
    sessions->seen_rounds = n_rounds;
    session_wake(sessions);
    return alive;
}

const struct source_type source_session = {
    .name = SESSION_SOURCE,
    .section = { .group = "sessions[]",
                 .one = "session",
                 .options = options,
                 .n_options = ARRAY_SIZE(options),
                 .settings_size = sizeof(struct session_settings),
                 .check = session_check,
                 .check_present = session_check_present },
    .instance_size = sizeof(struct sessions),
    .open = session_open,
    .prepare = session_prepare,
    .apply = session_apply,
    .drop = session_drop,
    .stop = session_stop,
    .close = session_close,
    .settled = session_settled,
    .settled_all = session_settled_all,
    .pause = session_pause,
    .resume = session_resume,
    .ordered = true,
    .unstored = "those of sessions wait in memory",
    .thread = "the thread of the sessions",
    .alive = session_alive,
    .add_status = session_add_status,
    .add_health = session_add_health,
    .add_report = session_add_report,
    .add_board = session_add_board,
};
