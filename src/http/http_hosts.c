/* http_hosts.c - what each host holds of what is scarce, and who is evicted when it runs out.
 *
 * The rule (design section 3): the oldest incomplete request of the host that holds most is evicted. A host that has
 * shown a right key of late comes last, and loses no more than connections on which nothing is under way. Before it
 * come streams, of which there is a number of their own. */
#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_private.h"

#define IDLE_MIN_US USEC_PER_SEC

static int compare_hosts(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    return memcmp(&x->address, &y->address, sizeof(x->address));
}

static bool is_known(const struct http *http, const struct in6_addr *address)
{
    return http->callbacks.known && http->callbacks.known(http->callbacks.userdata, address);
}

int host_enter(struct connection *connection)
{
    struct http *http = connection->http;
    struct host key = { .address = http_host_of(&connection->address) }, *host;
    struct host *const *found = tfind(&key, &http->hosts, compare_hosts);
    if (found) {
        host = *found;
    } else {
        host = malloc(sizeof(*host));
        if (!host)
            return -ENOMEM;
        *host = key;
        host->known = is_known(http, &key.address);
        if (!tsearch(host, &http->hosts, compare_hosts)) {
            free(host);
            return -ENOMEM;
        }
    }
    host->n_connections++;
    connection->host = host;
    return 0;
}

void host_leave(struct connection *connection)
{
    struct host *host = connection->host;
    assert(host->n_connections > 0);
    if (--host->n_connections > 0)
        return;
    tdelete(host, &connection->http->hosts, compare_hosts);
    free(host);
}

/* After an answer: the key may have been right. */
void host_look_again(struct connection *connection)
{
    struct host *host = connection->host;
    if (host->known)
        return;
    host->known = is_known(connection->http, &host->address);
    if (host->known)
        connection->http->room_changed = true;
}

void host_hold_bytes(struct connection *connection, uint64_t before, uint64_t after)
{
    assert(connection->host->in_flight_bytes >= before && connection->http->in_flight_bytes >= before);
    connection->host->in_flight_bytes += after - before;
    connection->http->in_flight_bytes += after - before;
    report_set(&connection->http->values.in_flight_bytes, connection->http->in_flight_bytes);
}

/* By the clock alone: what forgives a pause would make nobody idle on a machine that stalls again and again. */
static bool is_idle(const struct connection *c)
{
    return (c->state == CONNECTION_SERVED || !c->spoke) && !c->request.reading &&
           c->http->now_us >= c->progress_us + IDLE_MIN_US;
}

static bool can_evict(const struct connection *c, enum scarce what)
{
    if (c->ending || c->request.ticket)
        return false;
    if (what == SCARCE_BYTES)
        return !c->host->known && request_counts(c->request.body_room);
    return !c->host->known || is_idle(c);
}

static uint64_t held(const struct connection *c, enum scarce what)
{
    return what == SCARCE_BYTES ? c->host->in_flight_bytes : c->host->n_connections;
}

static bool evict_before(const struct connection *a, const struct connection *b, enum scarce what)
{
    if (a->host->known != b->host->known)
        return b->host->known;
    if (a->request.streaming != b->request.streaming)
        return b->request.streaming;
    if (held(a, what) != held(b, what))
        return held(a, what) > held(b, what);
    return a->since_us <= b->since_us;
}

static struct connection *next_to_evict(struct http *http, enum scarce what)
{
    struct connection *first = NULL, *c;
    TAILQ_FOREACH(c, &http->connections, link)
    if (can_evict(c, what) && (!first || evict_before(c, first, what)))
        first = c;
    return first;
}

/* A request came while this thread was busy: it is not idle. */
static bool has_unread(const struct connection *connection)
{
    char byte;
    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool hosts_evict(struct http *http, enum scarce what, const struct connection *for_whom)
{
    struct connection *first;
    while ((first = next_to_evict(http, what)) && first->host->known && has_unread(first))
        first->since_us = first->progress_us = http->now_us;
    if (!first || (for_whom && first->host == for_whom->host))
        return false;
    if (!first->host->known)
        connection_tell(first, what == SCARCE_BYTES ? HTTP_REFUSAL_OTHER : HTTP_REFUSAL_CONNECTIONS,
                        what == SCARCE_BYTES ? "limits.in_flight is reached, and it gives way to others"
                                             : "limits.connections is reached, and it gives way to others");
    request_drop_body(first);
    connection_end(first);
    return true;
}
