/* http.c - the HTTP thread: our own epoll loop around libmicrohttpd.
 *
 * libmicrohttpd's internal epoll thread hangs when exactly 128 events are ready at once (measured on 0.9.75; the
 * same loop stands in 1.0.1). Run from outside it does not, if no wait is longer than WAIT_MAX_MS. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sonoran-pushd/log.h>
#include <sonoran-pushd/wait.h>

#include "http_private.h"

#define WAIT_MAX_MS 200
#define WAIT_NOTHING_MS 10
#define QUIET_ROUNDS_MAX 16
#define READY_MAX 64

/* What epoll reports: a listener's address, or one of these. */
static char mark_wake, mark_daemon;

PRINTF_LIKE(2, 0)
static void log_library(void *cls, const char *format, va_list args)
{
    char line[256];
    (void) cls;
    if (!log_wants(LOG_DEBUG))
        return;
    vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    log_line(LOG_DEBUG, NULL, "libmicrohttpd: %s", line);
}

static int watch(struct http *http, int fd, void *mark)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };
    return epoll_ctl(http->loop_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* libmicrohttpd asks to be run again at once for as long as a request waits for its answer, or a chunk's length does
 * not fit into its memory: done so, that would take a whole CPU. A round of the loop is quiet when no descriptor was
 * ready and no request got on. A few quiet rounds libmicrohttpd needs, to get from one of its states to the next; after
 * more of them it has nothing to do, and the loop waits. */
static int wait_ms(const struct http *http, unsigned n_quiet_rounds)
{
    MHD_UNSIGNED_LONG_LONG wanted;
    if (http->resumed)
        return 0;
    if (http->n_waiting)
        return n_quiet_rounds < 2 ? 0 : WAIT_MAX_MS;
    if (MHD_get_timeout(http->daemon, &wanted) == MHD_YES && wanted < WAIT_MAX_MS)
        return wanted || n_quiet_rounds < QUIET_ROUNDS_MAX ? (int) wanted : WAIT_NOTHING_MS;
    return http->n_connections > http->n_paused || http->stopping || !http->accepting ? WAIT_MAX_MS : -1;
}

/* What another thread wants done here. */
static void run_call(struct http *http)
{
    uint64_t n;
    (void) !read(http->wake_fd, &n, sizeof(n));
    pthread_mutex_lock(&http->lock);
    struct http_ticket *answered = http->answered;
    http->answered = NULL;
    if (http->call) {
        http->call(http->call_argument);
        http->call = NULL;
        pthread_cond_broadcast(&http->called);
    }
    pthread_mutex_unlock(&http->lock);
    request_answered_all(http, answered);
}

/* The call last, because ready holds pointers and a call may replace the listeners. */
static void take_ready(struct http *http, const struct epoll_event *ready, int n)
{
    bool called = false;
    for (int i = 0; i < n; i++) {
        void *mark = ready[i].data.ptr;
        called |= mark == &mark_wake;
        if (mark != &mark_wake && mark != &mark_daemon && !listeners_have(http, mark))
            connection_ready(mark);
    }
    for (int i = 0; i < n; i++)
        if (listeners_have(http, ready[i].data.ptr))
            connection_accept(http, ready[i].data.ptr);
    if (called)
        run_call(http);
}

static bool finished(struct http *http)
{
    if (!http->stopping)
        return false;
    connections_end_idle(http);
    return !connections_reading(http) || uptime_us() >= http->stop_at_us;
}

static void *http_thread(void *argument)
{
    struct http *http = argument;
    struct epoll_event ready[READY_MAX];
    unsigned n_quiet_rounds = 0;

    pthread_setname_np(pthread_self(), http->settings.thread);
    while (!finished(http)) {
        listeners_watch(http);
        int n = epoll_wait(http->loop_fd, ready, READY_MAX, streams_wait_ms(http, wait_ms(http, n_quiet_rounds)));
        uint64_t n_steps = http->n_steps;
        http->n_rounds++;
        http->now_us = uptime_us();
        if (n > 0)
            take_ready(http, ready, n);
        streams_resume_due(http);
        http->resumed = false;
        MHD_run(http->daemon);
        connections_serve(http);
        n_quiet_rounds = n > 0 || http->n_steps != n_steps ? 0 : n_quiet_rounds + 1;
        http->callbacks.round(http->callbacks.userdata);

        usec_t now = uptime_us();
        if (now >= http->checked_us + WAIT_MAX_MS * USEC_PER_MSEC)
            connections_check(http, now);
    }
    streams_resume_all(http);
    MHD_run(http->daemon); /* which is not to be stopped with one suspended */
    pthread_mutex_lock(&http->lock);
    http->ended = true;
    pthread_cond_broadcast(&http->called);
    pthread_mutex_unlock(&http->lock);
    return NULL;
}

static void note_limits(struct http *http)
{
    report_set(&http->values.connections_limit, http->settings.connections);
    report_set(&http->values.in_flight_limit_bytes, http->settings.in_flight_bytes);
}

void http_configure(struct http *http, const struct http_settings *settings)
{
    assert(pthread_equal(pthread_self(), http->thread));
    http->settings = *settings;
    http->n_configured++;
    note_limits(http);
    http->room_changed = true;
    answers_drop(http); /* they name request_time */
}

static int start_daemon(struct http *http, struct err *err)
{
    struct rlimit files = { .rlim_cur = 1024 };
    getrlimit(RLIMIT_NOFILE, &files);

    http->strict_library = strncmp(MHD_get_version(), "0.", 2) != 0;
    bool streams = routes_stream(http);
    unsigned more_flags = streams ? MHD_ALLOW_SUSPEND_RESUME : 0;
    size_t pool_bytes = streams ? HTTP_STREAM_POOL_BYTES : HTTP_POOL_BYTES;
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG | more_flags, 0, NULL,
                                    NULL, request_handle, http, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
                                    MHD_OPTION_URI_LOG_CALLBACK, request_first_line, http, MHD_OPTION_NOTIFY_CONNECTION,
                                    connection_notify, http, MHD_OPTION_NOTIFY_COMPLETED, request_completed, http,
                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool_bytes, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                    MHD_OPTION_CONNECTION_LIMIT, (unsigned) files.rlim_cur,
                                    MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_END);
    if (!http->daemon)
        return err_set(err, -EIO, "cannot start libmicrohttpd");

    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int r = info ? watch(http, info->epoll_fd, &mark_daemon) : -ENOTSUP;
    return r < 0 ? err_set(err, r, "cannot watch libmicrohttpd: %s", strerror(-r)) : 0;
}

static int start(struct http *http, struct err *err)
{
    int r = watch(http, http->wake_fd, &mark_wake);
    if (r < 0)
        return err_set(err, r, "cannot set up the HTTP loop: %s", strerror(-r));
    r = start_daemon(http, err);
    if (r < 0)
        return r;
    listeners_watch(http);
    r = pthread_create(&http->thread, NULL, http_thread, http);
    return r > 0 ? err_set(err, -r, "cannot start the HTTP thread: %s", strerror(r)) : 0;
}

struct http *http_free(struct http *http)
{
    if (!http)
        return NULL;
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    connections_drop(http);
    request_answered_all(http, http->answered);
    answers_drop(http);
    cleanup_close(&http->loop_fd);
    cleanup_close(&http->wake_fd);
    free(http->listeners);
    pthread_mutex_destroy(&http->lock);
    pthread_cond_destroy(&http->called);
    free(http);
    return NULL;
}

int http_start(struct http **ret, const struct http_listener *listeners, size_t n_listeners,
               const struct http_settings *settings, const struct http_routes *routes,
               const struct http_callbacks *callbacks, struct err *err)
{
    struct http *http = calloc(1, sizeof(*http));
    if (!http)
        return err_set(err, -ENOMEM, "no memory");
    pthread_mutex_init(&http->lock, NULL);
    pthread_cond_init(&http->called, NULL);
    TAILQ_INIT(&http->connections);
    TAILQ_INIT(&http->paused);
    http->callbacks = *callbacks;
    http->routes = *routes;
    http->settings = *settings;
    note_limits(http);
    http->seen_rounds = UINT64_MAX;
    http->idle_due_us = HTTP_NEVER_US;
    http->loop_fd = epoll_create1(EPOLL_CLOEXEC);
    http->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->listeners = calloc(n_listeners, sizeof(*listeners));
    if (http->loop_fd < 0 || http->wake_fd < 0 || !http->listeners) {
        int why = errno; /* calloc says so too */
        http_free(http);
        return err_set(err, -why, "cannot set up the HTTP loop: %s", strerror(why));
    }
    memcpy(http->listeners, listeners, n_listeners * sizeof(*listeners));
    http->n_listeners = n_listeners;
    http->n_lanes = 1;
    lanes_open(http);

    *ret = http; /* before its thread runs, whose first handler may lead to a use of it */
    int r = start(http, err);
    if (r < 0)
        *ret = http_free(http);
    return r;
}

void http_answer_later(struct http *http, struct http_ticket *take_tickets)
{
    uint64_t one = 1;
    struct http_ticket **end = &take_tickets;
    while (*end)
        end = &(*end)->next;
    pthread_mutex_lock(&http->lock);
    *end = http->answered;
    http->answered = take_tickets;
    pthread_mutex_unlock(&http->lock);
    (void) !write(http->wake_fd, &one, sizeof(one));
}

static void wake_thread(struct http *http)
{
    uint64_t one = 1;
    (void) !write(http->wake_fd, &one, sizeof(one));
}

/* Always an exchange: whoever takes the mark away then sees all that was published before. */
void http_wake(struct http *http)
{
    if (!atomic_exchange(&http->woken, true))
        wake_thread(http);
}

bool http_alive(struct http *http)
{
    uint64_t n_rounds = http->n_rounds;
    bool alive = n_rounds != http->seen_rounds;
    http->seen_rounds = n_rounds;
    wake_thread(http);
    return alive;
}

void http_get_values(struct http *http, struct http_values *ret)
{
    report_copy(ret, &http->values, sizeof(*ret));
    ret->connections = http->n_connections;
}

static usec_t until_us(usec_t timeout_us)
{
    usec_t now = uptime_us();
    return timeout_us < HTTP_NO_LIMIT - now ? now + timeout_us : HTTP_NO_LIMIT;
}

/* Under the lock, like the wait for what it is to bring about. */
static void put_call(struct http *http, void (*function)(void *), void *argument)
{
    http->call = function;
    http->call_argument = argument;
    wake_thread(http);
}

int http_call(struct http *http, void (*function)(void *), void *argument, usec_t timeout_us)
{
    usec_t end_us = until_us(timeout_us);
    pthread_mutex_lock(&http->lock);
    assert(!http->call);
    put_call(http, function, argument);
    while (http->call && wait_signal(&http->called, &http->lock, end_us))
        ;
    int r = http->call ? -ETIMEDOUT : 0; /* it runs under the lock: now it has, or has not begun */
    http->call = NULL;
    pthread_mutex_unlock(&http->lock);
    return r;
}

static void begin_stop(void *argument)
{
    struct http *http = argument;
    http->stopping = true;
    streams_resume_all(http);
}

int http_stop(struct http *http, usec_t timeout_us, usec_t patience_us)
{
    if (!http)
        return 0;
    usec_t end_us = until_us(patience_us < HTTP_NO_LIMIT - timeout_us ? timeout_us + patience_us : HTTP_NO_LIMIT);
    pthread_mutex_lock(&http->lock);
    http->stopped_us = uptime_us();
    http->stop_at_us = http->stopped_us + timeout_us;
    put_call(http, begin_stop, http);
    while (!http->ended && wait_signal(&http->called, &http->lock, end_us))
        ;
    bool ended = http->ended;
    pthread_mutex_unlock(&http->lock);
    if (!ended)
        return -ETIMEDOUT;
    pthread_join(http->thread, NULL);
    MHD_stop_daemon(http->daemon);
    http->daemon = NULL;
    return 0;
}
