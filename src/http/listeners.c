/* listeners.c - where connections come from, and when they are asked for. In the HTTP thread.
 *
 * A listener leaves the epoll before it goes: an entry stays as long as anybody has a copy of the socket, and systemd
 * keeps one.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "http_private.h"

/* One that cannot be watched now, for lack of memory or of the user's share of it, is asked for again in each round. */
static void watch_all(struct http *http, bool want)
{
    bool watched = want, any = false;
    for (size_t i = 0; i < http->n_listeners; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &http->listeners[i] };
        int r = epoll_ctl(http->loop_fd, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, http->listeners[i].fd, &event);
        bool there = r == 0 || errno == EEXIST;
        watched &= there;
        any |= want && there;
    }
    http->some_watched = any;
    http->accepting = watched;
}

/* Where nothing can be evicted, new connections wait in the kernel's queue; while they do, a listener that is watched
 * would make every epoll_wait return at once. */
void listeners_watch(struct http *http)
{
    bool want = !http->stopping && !http->full && (!http->rest_until_us || uptime_us() >= http->rest_until_us);
    if (want ? !http->accepting : http->some_watched)
        watch_all(http, want);
}

bool listeners_have(const struct http *http, const void *mark)
{
    const struct http_listener *listener = mark;
    return listener >= http->listeners && listener < http->listeners + http->n_listeners;
}

void http_set_listeners(struct http *http, struct http_listener *take_listeners, size_t n)
{
    assert(pthread_equal(pthread_self(), http->thread));
    watch_all(http, false); /* also where only some were watched */
    free(http->listeners);
    http->listeners = take_listeners;
    http->n_listeners = n;
    lanes_open(http);
    connections_end_strangers(http);
}
