/* connection.c - connections while they last, and ending those that ask too much. */
#include <errno.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http_private.h"

#define FRESH_US (100 * USEC_PER_MSEC)
#define PEER_DONE_MAX_US (100 * USEC_PER_MSEC)
#define TOLD_MAX_US USEC_PER_SEC
#define LAST_WORDS_US (250 * USEC_PER_MSEC)
#define PAUSED_MIN_US USEC_PER_SEC /* between two checks: nothing of us ran */

void connection_tell(const struct connection *connection, enum http_refusal kind, const char *what)
{
    const struct http_callbacks *callbacks = &connection->http->callbacks;
    callbacks->refused(callbacks->userdata, &connection->origin, kind, what, connection->path);
}

void connection_forget(struct connection *connection)
{
    struct http *http = connection->http;
    TAILQ_REMOVE(&http->connections, connection, link);
    http->n_connections--;
    http->n_ending -= connection->ending;
    if (connection->state == CONNECTION_WAITS)
        http->n_not_served--;
    else
        connection->host->n_served--;
    http->full = false;
    http->room_changed = true;
    host_leave(connection);
    lane_leave(connection);
    free(connection);
}

/* The newest with this descriptor: one that libmicrohttpd closed without a word has freed its number for it. */
static struct connection *find_handed_over(const struct http *http, int fd)
{
    struct connection *c;
    TAILQ_FOREACH(c, &http->connections, link)
    if (c->fd == fd && c->state == CONNECTION_HANDED_OVER)
        break;
    return c;
}

void connection_watch(struct connection *connection, uint32_t events)
{
    struct epoll_event wanted = { .events = events | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = connection };
    connection->watched = epoll_ctl(connection->http->loop_fd, EPOLL_CTL_ADD, connection->fd, &wanted) == 0;
}

/* By hand: while a program that is being started holds a copy of the descriptor, closing it takes nothing out of an
 * epoll (epoll(7), question 6), which would go on to report a connection that is no more. */
void connection_unwatch(struct connection *connection)
{
    if (connection->watched)
        epoll_ctl(connection->http->loop_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    connection->watched = false;
}

void connection_ready(struct connection *connection)
{
    if (connection->state == CONNECTION_WAITS) {
        connection_look(connection); /* which may free it */
        return;
    }
    connection->peer_done_us = uptime_us();
    if (connection->request.paused)
        connection_end(connection); /* all that it was to have is out */
}

static void begin(struct http *http, struct MHD_Connection *mhd, void **socket_context)
{
    struct connection *connection =
        find_handed_over(http, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    if (!connection)
        abort(); /* there is none that was not handed over */
    *socket_context = connection;
    connection->mhd = mhd;
    connection->state = CONNECTION_SERVED;
    if (connection->ending)
        shutdown(connection->fd, SHUT_RDWR);
    connection_watch(connection, 0); /* libmicrohttpd's epoll, edge-triggered, misses an end together with last bytes */
}

/* Source: tcp(7), TCP_INFO; counted since Linux 4.6. */
static bool has_sent(const struct connection *connection)
{
    struct tcp_info info = { 0 };
    socklen_t size = sizeof(info);
    (void) getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_data_segs_out > 0;
}

static bool has_gone(const struct connection *connection)
{
    char byte;
    ssize_t n = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

/* libmicrohttpd ends it without an answer where many parts of a query, or cookies, leave no memory for one. */
static bool has_no_room(const struct connection *connection)
{
    const struct request *request = &connection->request;
    return request->reading && !request->seen && !connection->ending && !connection->http->stopping &&
           !has_gone(connection);
}

static void end(struct connection *connection)
{
    bool refused = !connection->had_request && has_sent(connection);
    if (refused) /* by libmicrohttpd, which answers by itself */
        connection_tell(connection, HTTP_REFUSAL_NOT_HTTP, "its request line is malformed or too long");
    else if (has_no_room(connection))
        connection_tell(connection, HTTP_REFUSAL_NOT_HTTP, "its headers are too large");
    request_done(connection);
    connection_unwatch(connection);
    connection_forget(connection);
}

/* libmicrohttpd has it, inside MHD_add_connection (0.9) or MHD_run (1.0), or has it no more. */
void connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(cls, mhd, socket_context);
    else
        end(*socket_context);
}

/* libmicrohttpd, or connections_serve for one that waits, sees it and cleans up. While it is handed over its descriptor
 * may be another one's already: begin does it then. */
void connection_end(struct connection *connection)
{
    if (connection->ending)
        return;
    if (connection->state != CONNECTION_HANDED_OVER)
        shutdown(connection->fd, SHUT_RDWR);
    connection->ending = true;
    connection->http->n_ending++;
    connection->http->room_changed = true;
    stream_resume(connection); /* libmicrohttpd notices nothing of one that is suspended */
}

/* Nothing more comes, and all that came was dealt with. The time is that of the round's begin: what got on in a round
 * that took long did so in it. */
static bool is_left_behind(const struct connection *connection)
{
    usec_t now = connection->http->now_us;
    return connection->state == CONNECTION_SERVED && connection->peer_done_us &&
           now > connection->peer_done_us + PEER_DONE_MAX_US && now > connection->progress_us + PEER_DONE_MAX_US;
}

static void tell_late(const struct connection *connection, bool late)
{
    if (connection->state == CONNECTION_WAITS && connection->spoke)
        connection_tell(connection, HTTP_REFUSAL_CONNECTIONS, "too many connections from one address");
    else if (connection->request.reading && !connection->request.streaming)
        connection_tell(connection, HTTP_REFUSAL_OTHER, late ? "request not complete in time" : "request not complete");
}

/* Who has the key and waits for a place is not turned away. */
static bool is_late(const struct connection *connection, usec_t now)
{
    bool has_place = connection->state != CONNECTION_WAITS || !connection->spoke;
    return (has_place || !connection->host->known) &&
           now >= connection->since_us + connection->http->settings.request_time_us;
}

static void check(struct connection *connection, usec_t now)
{
    bool late = is_late(connection, now);
    if (connection->request.ticket) {
        if (late && !connection->request.answered)
            request_overdue(connection);
    } else if (connection->request.paused) {
        return; /* it is nobody's turn */
    } else if (late || is_left_behind(connection)) {
        tell_late(connection, late);
        connection_end(connection);
    }
}

/* A machine that was paused makes nobody late. */
static void forgive(struct connection *connection, usec_t paused_us, usec_t now)
{
    usec_t since_us = connection->since_us + paused_us;
    connection->since_us = since_us < now ? since_us : now;
}

void connections_check(struct http *http, usec_t now)
{
    usec_t paused_us = now >= http->checked_us + PAUSED_MIN_US ? now - http->checked_us : 0;
    http->checked_us = now;
    for (struct connection *c = TAILQ_FIRST(&http->connections), *next; c; c = next) {
        next = TAILQ_NEXT(c, link);
        forgive(c, paused_us, now);
        if (c->state != CONNECTION_HANDED_OVER && !c->ending)
            check(c, now);
        else if (c->state == CONNECTION_HANDED_OVER && http->now_us >= c->since_us + TOLD_MAX_US)
            connection_forget(c); /* libmicrohttpd had no memory for it, and closed it without a word */
    }
    http->full = false; /* time alone makes connections idle */
    (void) connections_make_room(http);
}

/* Somebody who connects sends at once: what is under way is not cut off. */
static bool is_fresh(const struct connection *c)
{
    return !c->had_request && uptime_us() < c->since_us + FRESH_US;
}

/* Streams take the time for their last words. */
void connections_end_idle(struct http *http)
{
    bool in_time = uptime_us() < http->stopped_us + LAST_WORDS_US;
    struct connection *c;
    TAILQ_FOREACH(c, &http->connections, link)
    if ((c->request.streaming ? !in_time : !c->request.reading) && c->state != CONNECTION_HANDED_OVER && !is_fresh(c))
        connection_end(c);
}

bool connections_reading(const struct http *http)
{
    const struct connection *c;
    TAILQ_FOREACH(c, &http->connections, link)
    if ((c->request.reading || is_fresh(c)) && !c->ending)
        return true;
    return false;
}
