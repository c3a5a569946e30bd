/* connection.c - accepting connections, and ending those that ask too much.
 *
 * Connections are accepted here and handed to libmicrohttpd: its limits are fixed at start, its time limit counts
 * inactivity alone (one byte a second keeps a connection for ever), and above its connection limit an external
 * loop goes deaf. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private.h"

#define PEER_DONE_MAX_US (100 * USEC_PER_MSEC)
#define IDLE_MIN_US USEC_PER_SEC
#define ACCEPT_MAX 64 /* in one round, so that those who are here already are served too */
#define ACCEPT_REST_US (100 * USEC_PER_MSEC)

static void set_peer(struct connection *connection, const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET6) {
        connection->address = ((const struct sockaddr_in6 *) peer)->sin6_addr;
    } else {
        connection->address.s6_addr[10] = connection->address.s6_addr[11] = 0xff;
        memcpy(&connection->address.s6_addr[12], &((const struct sockaddr_in *) peer)->sin_addr, 4);
    }

    connection->host = http_host_of(&connection->address);
    bool v4 = IN6_IS_ADDR_V4MAPPED(&connection->address);
    const void *address = v4 ? &connection->address.s6_addr[12] : &connection->address.s6_addr[0];
    inet_ntop(v4 ? AF_INET : AF_INET6, address, connection->origin.peer, sizeof(connection->origin.peer));
}

static size_t count_same_host(const struct http *http, const struct in6_addr *host)
{
    size_t n = 0;
    for (const struct connection *c = http->connections; c; c = c->next)
        n += IN6_ARE_ADDR_EQUAL(&c->host, host);
    return n;
}

static void link_connection(struct http *http, struct connection *connection)
{
    connection->next = http->connections;
    if (connection->next)
        connection->next->previous = connection;
    http->connections = connection;
    http->n_connections++;
}

static void unlink_connection(struct http *http, struct connection *connection)
{
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        http->connections = connection->next;
    http->n_connections--;
}

void connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;
    (void) mhd;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *connection = http->incoming;
        *socket_context = connection;
        http->incoming = NULL;
        link_connection(http, connection);
        return;
    }

    struct connection *connection = *socket_context;
    request_done(http, &connection->request);
    unlink_connection(http, connection);
    free(connection);
}

/* libmicrohttpd sees the end of the stream and cleans up. */
void connection_end(struct connection *connection)
{
    if (!connection->ending)
        shutdown(connection->fd, SHUT_RDWR);
    connection->ending = true;
}

/* libmicrohttpd's edge-triggered epoll misses an end that comes together with the last bytes. */
void connection_peer_done(struct connection *connection)
{
    connection->peer_done_us = uptime_us();
}

/* Nothing more comes, and all that came was dealt with. The time is that of the round's begin: what got on in a round
 * that took long did so in it. */
static bool is_left_behind(const struct connection *connection)
{
    const struct request *request = &connection->request;
    usec_t now = connection->http->now_us;
    bool waits = request->ticket && !request->answered;
    return !waits && connection->peer_done_us && now > connection->peer_done_us + PEER_DONE_MAX_US &&
           now > connection->progress_us + PEER_DONE_MAX_US;
}

/* Where there is no room for another: ends the connection that has been idle for longest. One that is in a request, or
 * has hardly come, is left alone. */
void connections_make_room(struct http *http, usec_t now)
{
    struct connection *longest = NULL;
    if (http->n_connections < http->settings.connections && now >= http->rest_until_us)
        return;
    for (struct connection *c = http->connections; c; c = c->next)
        if (!c->request.reading && !c->ending && now >= c->since_us + IDLE_MIN_US &&
            (!longest || c->since_us <= longest->since_us))
            longest = c;
    if (longest)
        connection_end(longest);
}

static void hand_over(struct http *http, const struct http_listener *listener, int fd,
                      const struct sockaddr_storage *peer, socklen_t peer_size)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        close(fd);
        return;
    }
    connection->http = http;
    connection->fd = fd;
    connection->since_us = connection->progress_us = uptime_us();
    set_peer(connection, peer);
    snprintf(connection->origin.listener, sizeof(connection->origin.listener), "%s", listener->name);
    if (count_same_host(http, &connection->host) >= http->settings.connections_per_ip) {
        http->callbacks.refused(http->callbacks.userdata, &connection->origin, "too many connections from one address");
        close(fd);
        free(connection);
        return;
    }

    struct epoll_event peer_done = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = connection };
    epoll_ctl(http->loop_fd, EPOLL_CTL_ADD, fd, &peer_done);
    http->incoming = connection;
    MHD_add_connection(http->daemon, fd, (const struct sockaddr *) peer, peer_size); /* closes fd on failure */
    free(http->incoming);                                                            /* NULL if it was taken */
    http->incoming = NULL;
}

void connection_accept(struct http *http, const struct http_listener *listener)
{
    for (int i = 0; i < ACCEPT_MAX && http->n_connections < http->settings.connections; i++) {
        struct sockaddr_storage peer;
        socklen_t peer_size = sizeof(peer);
        int fd = accept4(listener->fd, (struct sockaddr *) &peer, &peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hand_over(http, listener, fd, &peer, peer_size);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            http->rest_until_us = uptime_us() + ACCEPT_REST_US; /* out of files or memory: it would fail again */
        return;
    }
}

void connections_check(struct http *http, usec_t now)
{
    for (struct connection *c = http->connections; c; c = c->next) {
        bool late = now >= c->since_us + http->settings.request_time_us;
        if (c->ending || (!late && !is_left_behind(c)))
            continue;
        if (c->request.reading)
            http->callbacks.refused(http->callbacks.userdata, &c->origin,
                                    late ? "request not complete in time" : "request not complete");
        connection_end(c);
    }
}

void connections_end_idle(struct http *http)
{
    for (struct connection *c = http->connections; c; c = c->next)
        if (!c->request.reading)
            connection_end(c);
}

bool connections_reading(const struct http *http)
{
    for (const struct connection *c = http->connections; c; c = c->next)
        if (c->request.reading && !c->ending)
            return true;
    return false;
}
