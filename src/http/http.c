/* http.c - the HTTP thread: our own epoll loop around libmicrohttpd.
 *
 * libmicrohttpd's internal epoll thread hangs when exactly 128 events are ready at once (measured on 0.9.75; the
 * same loop stands in 1.0.1). Run from outside it does not, if no wait is longer than WAIT_MAX_MS. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sonoran-pushd/log.h>

#include "private.h"

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

/* libmicrohttpd wants to run at once, for ever, while requests wait for their answer, or while a chunk's length does
 * not fit into its memory. Some rounds in which nothing happens are its way of getting on; many show that it has
 * nothing to do. */
static int wait_ms(const struct http *http, unsigned n_quiet_rounds)
{
    MHD_UNSIGNED_LONG_LONG wanted;
    if (http->n_waiting)
        return n_quiet_rounds < 2 ? 0 : WAIT_MAX_MS;
    if (MHD_get_timeout(http->daemon, &wanted) == MHD_YES && wanted < WAIT_MAX_MS)
        return wanted || n_quiet_rounds < QUIET_ROUNDS_MAX ? (int) wanted : WAIT_NOTHING_MS;
    return http->n_connections || http->stopping || !http->accepting ? WAIT_MAX_MS : -1;
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
    requests_answered(http, answered);
}

/* Connections first: accepting may free some. What others want last: it may change the listeners. */
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

    pthread_setname_np(pthread_self(), "http");
    while (!finished(http)) {
        listeners_watch(http);
        int n = epoll_wait(http->loop_fd, ready, READY_MAX, wait_ms(http, n_quiet_rounds));
        uint64_t n_steps = http->n_steps;
        http->n_rounds++;
        http->now_us = uptime_us();
        if (n > 0)
            take_ready(http, ready, n);
        MHD_run(http->daemon);
        connections_serve(http);
        n_quiet_rounds = n > 0 || http->n_steps != n_steps ? 0 : n_quiet_rounds + 1;
        http->callbacks.round(http->callbacks.userdata);

        usec_t now = uptime_us();
        if (now >= http->checked_us + WAIT_MAX_MS * USEC_PER_MSEC)
            connections_check(http, now);
    }
    return NULL;
}

static void free_paths(char **paths, size_t n)
{
    for (size_t i = 0; paths && i < n; i++)
        free(paths[i]);
    free(paths);
}

int http_configure(struct http *http, const struct http_settings *settings)
{
    char **paths = calloc(settings->n_paths, sizeof(*paths));
    for (size_t i = 0; paths && i < settings->n_paths; i++)
        if (!(paths[i] = strdup(settings->paths[i]))) {
            free_paths(paths, settings->n_paths);
            return -ENOMEM;
        }
    if (!paths)
        return -ENOMEM;

    free_paths(http->paths, http->settings.n_paths);
    http->paths = paths;
    http->settings = *settings;
    http->settings.paths = NULL;
    http->room_changed = true;
    answers_drop(http); /* they name request_time */
    return 0;
}

static int start_daemon(struct http *http, struct err *err)
{
    struct rlimit files = { .rlim_cur = 1024 };
    getrlimit(RLIMIT_NOFILE, &files);

    http->strict_library = strncmp(MHD_get_version(), "0.", 2) != 0;
    http->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, NULL, NULL, request_handle,
                         http, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_URI_LOG_CALLBACK,
                         request_first_line, http, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, http,
                         MHD_OPTION_NOTIFY_COMPLETED, request_completed, http, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t) HTTP_POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned) files.rlim_cur, MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_END);
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
    requests_answered(http, http->answered);
    answers_drop(http);
    cleanup_close(&http->loop_fd);
    cleanup_close(&http->wake_fd);
    free_paths(http->paths, http->settings.n_paths);
    free(http->listeners);
    pthread_mutex_destroy(&http->lock);
    pthread_cond_destroy(&http->called);
    free(http);
    return NULL;
}

int http_start(struct http **ret, const struct http_listener *listeners, size_t n_listeners,
               const struct http_settings *settings, const struct http_callbacks *callbacks, struct err *err)
{
    struct http *http = calloc(1, sizeof(*http));
    if (!http)
        return err_set(err, -ENOMEM, "no memory");
    pthread_mutex_init(&http->lock, NULL);
    pthread_cond_init(&http->called, NULL);
    TAILQ_INIT(&http->connections);
    http->callbacks = *callbacks;
    http->seen_rounds = UINT64_MAX;
    http->loop_fd = epoll_create1(EPOLL_CLOEXEC);
    http->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->listeners = calloc(n_listeners, sizeof(*listeners));
    if (http->loop_fd < 0 || http->wake_fd < 0 || !http->listeners || http_configure(http, settings) < 0) {
        http_free(http);
        return err_set(err, -ENOMEM, "cannot set up the HTTP loop");
    }
    memcpy(http->listeners, listeners, n_listeners * sizeof(*listeners));
    http->n_listeners = n_listeners;

    int r = start(http, err);
    if (r < 0) {
        http_free(http);
        return r;
    }
    *ret = http;
    return 0;
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

bool http_alive(struct http *http)
{
    uint64_t one = 1, n_rounds = http->n_rounds;
    bool alive = n_rounds != http->seen_rounds;
    http->seen_rounds = n_rounds;
    (void) !write(http->wake_fd, &one, sizeof(one));
    return alive;
}

size_t http_n_connections(struct http *http)
{
    return http->n_connections;
}

void http_call(struct http *http, void (*function)(void *), void *argument)
{
    uint64_t one = 1;
    pthread_mutex_lock(&http->lock);
    http->call = function;
    http->call_argument = argument;
    (void) !write(http->wake_fd, &one, sizeof(one));
    while (http->call)
        pthread_cond_wait(&http->called, &http->lock);
    pthread_mutex_unlock(&http->lock);
}

static void begin_stop(void *argument)
{
    struct http *http = argument;
    http->stopping = true;
}

void http_stop(struct http *http, usec_t timeout_us)
{
    if (!http)
        return;
    http->stop_at_us = uptime_us() + timeout_us;
    http_call(http, begin_stop, http);
    pthread_join(http->thread, NULL);
    MHD_stop_daemon(http->daemon);
    http->daemon = NULL;
}
