/* accept.c - new connections, and their way to libmicrohttpd.
 *
 * Connections are accepted here and handed to libmicrohttpd: its limits are fixed at start, its time limit counts
 * inactivity alone (one byte a second keeps a connection for ever), and above its connection limit an external
 * loop goes deaf. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_private.h"

#define ACCEPT_MAX 64 /* in one round, so that those who are here already are served too */
#define FIRST_BYTES 16
#define ACCEPT_REST_US (100 * USEC_PER_MSEC)

static bool address_of(const struct sockaddr_storage *from, struct in6_addr *ret)
{
    *ret = (struct in6_addr){ 0 };
    if (from->ss_family == AF_INET6) {
        *ret = ((const struct sockaddr_in6 *) from)->sin6_addr;
    } else if (from->ss_family == AF_INET) {
        ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
        memcpy(&ret->s6_addr[12], &((const struct sockaddr_in *) from)->sin_addr, 4);
    }
    return from->ss_family == AF_INET6 || from->ss_family == AF_INET;
}

static void set_peer(struct connection *connection, const struct sockaddr_storage *peer)
{
    if (!address_of(peer, &connection->address)) {
        unix_set_peer(connection);
        return;
    }

    bool v4 = IN6_IS_ADDR_V4MAPPED(&connection->address);
    const void *address = v4 ? &connection->address.s6_addr[12] : &connection->address.s6_addr[0];
    inet_ntop(v4 ? AF_INET : AF_INET6, address, connection->origin.peer, sizeof(connection->origin.peer));
}

/* Of those that are not about to go there are no more than there may be. */
static bool within_limit(const struct http *http)
{
    return http->n_connections - http->n_ending <= http->settings.connections;
}

/* Also where the limit has become lower, or a connection waits for which nothing could be evicted when it came. */
bool connections_make_room(struct http *http)
{
    while (!within_limit(http) && !http->full)
        http->full = !hosts_evict(http, SCARCE_CONNECTIONS, NULL);
    return !http->full;
}

static void hand_over(struct connection *connection)
{
    struct http *http = connection->http;
    assert(connection->state == CONNECTION_WAITS && !connection->ending);
    connection_unwatch(connection); /* until libmicrohttpd tells of it: it may close it without a word */
    connection->state = CONNECTION_HANDED_OVER;
    connection->since_us = connection->progress_us = http->now_us;
    connection->host->n_served++;
    http->n_not_served--;
    http->n_steps++;
    TAILQ_REMOVE(&http->connections, connection, link);
    TAILQ_INSERT_HEAD(&http->connections, connection, link);
    MHD_add_connection(http->daemon, connection->fd, NULL, 0); /* closes it on failure */
}

static void drop(struct connection *connection)
{
    connection_unwatch(connection);
    close(connection->fd);
    connection_forget(connection);
}

/* Or leaves it waiting: its host has its share, until one of its connections goes or it shows a right key; or its host
 * is known, and nothing can be evicted for it. */
static void serve(struct connection *connection)
{
    const struct http *http = connection->http;
    const struct host *host = connection->host;
    if (connection->ending) {
        drop(connection);
    } else if (connection->spoke && within_limit(http) &&
               (host->known || host->n_served < http->settings.connections_per_ip)) {
        hand_over(connection);
    }
}

void connections_serve(struct http *http)
{
    if (!http->n_not_served || !http->room_changed)
        return;
    http->room_changed = false;
    for (struct connection *c = TAILQ_LAST(&http->connections, connections), *newer; c; c = newer) {
        newer = TAILQ_PREV(c, connections, link);
        if (c->state == CONNECTION_WAITS)
            serve(c);
    }
}

/* It cannot become a request, so libmicrohttpd need not see it. */
static void refuse_protocol(struct connection *connection, const char *what)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                 "Connection: close\r\nContent-Length: 11\r\n\r\nBad Request";
    char unread[4096]; /* as a rule all of it, without which the end would be a reset */
    connection_tell(connection, HTTP_REFUSAL_NOT_HTTP, what);
    (void) !recv(connection->fd, unread, sizeof(unread), MSG_DONTWAIT);
    (void) !send(connection->fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
    connection_end(connection);
}

/* A connection costs little until its first bytes are here. */
void connection_look(struct connection *connection)
{
    char bytes[FIRST_BYTES];
    ssize_t n = recv(connection->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    const char *what = n > 0 ? protocol_find(bytes, (size_t) n) : NULL;
    connection->spoke = n > 0;
    bool silent = n < 0 && errno == EAGAIN && !connection->watched;
    if (silent)
        connection_watch(connection, EPOLLIN);
    if (what)
        refuse_protocol(connection, what);
    else if (n <= 0 && !(silent && connection->watched)) /* who cannot be watched would never be heard */
        connection_end(connection);
    serve(connection);
}

/* From the loopback, or to an address from that address. */
static bool is_from_here(const struct connection *connection)
{
    struct sockaddr_storage own = { 0 };
    struct in6_addr address;
    socklen_t size = sizeof(own);
    const uint8_t *v4 = &connection->address.s6_addr[12];
    bool mapped = IN6_IS_ADDR_V4MAPPED(&connection->address);
    if (mapped ? *v4 == IN_LOOPBACKNET : IN6_IS_ADDR_LOOPBACK(&connection->address))
        return true;
    return getsockname(connection->fd, (struct sockaddr *) &own, &size) == 0 && address_of(&own, &address) &&
           memcmp(&address, &connection->address, sizeof(address)) == 0;
}

static bool is_allowed(const struct connection *connection)
{
    const struct http_callbacks *callbacks = &connection->http->callbacks;
    return !callbacks->allowed || connection->by_unix ||
           callbacks->allowed(callbacks->userdata, connection->origin.listener, &connection->address) ||
           is_from_here(connection);
}

void connections_end_strangers(struct http *http)
{
    for (struct connection *c = TAILQ_FIRST(&http->connections), *next; c; c = next) {
        next = TAILQ_NEXT(c, link);
        if (!c->ending && !is_allowed(c))
            connection_end(c);
    }
}

static int take_in(struct http *http, const struct http_listener *listener, int fd, const struct sockaddr_storage *peer)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return -ENOMEM;
    connection->http = http;
    connection->fd = fd;
    connection->since_us = connection->progress_us = http->now_us;
    set_peer(connection, peer);
    snprintf(connection->origin.listener, sizeof(connection->origin.listener), "%s", listener->name);
    if (!is_allowed(connection)) {
        connection_tell(connection, HTTP_REFUSAL_ADDRESS, "its address is not in allow of the listener");
        free(connection);
        return -EACCES;
    }
    if (host_enter(connection) < 0) {
        free(connection);
        return -ENOMEM;
    }
    TAILQ_INSERT_HEAD(&http->connections, connection, link);
    http->n_connections++;
    lane_enter(connection);
    http->n_not_served++;
    (void) connections_make_room(http);
    connection_look(connection);
    return 0;
}

void connection_accept(struct http *http, const struct http_listener *listener)
{
    size_t most = http->settings.connections + HTTP_SPARE_CONNECTIONS;
    for (int i = 0; i < ACCEPT_MAX && connections_make_room(http) && http->n_connections < most; i++) {
        struct sockaddr_storage peer;
        socklen_t peer_size = sizeof(peer);
        int fd = accept4(listener->fd, (struct sockaddr *) &peer, &peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (take_in(http, listener, fd, &peer) < 0)
                close(fd);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            http->rest_until_us = http->now_us + ACCEPT_REST_US;
        if (errno == EMFILE || errno == ENFILE) /* not with EINVAL: a reload is giving this listener up */
            (void) hosts_evict(http, SCARCE_CONNECTIONS, NULL);
        return;
    }
}

void connections_drop(struct http *http)
{
    for (struct connection *c = TAILQ_FIRST(&http->connections), *next; c; c = next) {
        next = TAILQ_NEXT(c, link);
        if (c->state == CONNECTION_WAITS)
            drop(c);
        else
            connection_forget(c);
    }
}
