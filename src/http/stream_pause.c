/* stream_pause.c - streams with nothing to say, which cost nothing until they are asked again.
 *
 * A body that is not ready makes libmicrohttpd ask in every round, without a wait. So the connection is suspended,
 * which takes it out of its epoll, and resumed:
 *
 * - by http_wake, all of them, at most once in WOKEN_MIN_US, so that what is said in between goes out as one; many of
 *   them a part at a time, so that who sends an event meanwhile finds a processor;
 * - after idle_us, those that were silent so long, and those that soon will be;
 * - when the client is gone, which libmicrohttpd does not notice then, but our own watch does (connection_end);
 * - at the end of http: libmicrohttpd aborts where it is stopped with one suspended.
 *
 * A resume before the suspend would cancel it (libmicrohttpd's manual, Flow control): there is none, since both happen
 * in the HTTP thread, and a stream that is not paused is never resumed. */
#include <assert.h>

#include "http_private.h"

#define WOKEN_MIN_US (50 * USEC_PER_MSEC)
#define PART_MIN 100 /* streams, asked within a millisecond */
#define PARTS_MAX ((size_t) 4)
#define PART_US (10 * USEC_PER_MSEC) /* between two parts: all are asked before they are woken again */
#define IDLE_SLACK_US USEC_PER_SEC   /* so that many streams are asked in one go */

static usec_t idle_due_us(const struct connection *connection)
{
    const struct request *request = &connection->request;
    return request->idle_us ? request->silent_since_us + request->idle_us : HTTP_NEVER_US;
}

static void look_for_idle(struct http *http, usec_t due_us)
{
    if (due_us != HTTP_NEVER_US && due_us + IDLE_SLACK_US < http->idle_due_us)
        http->idle_due_us = due_us + IDLE_SLACK_US;
}

void stream_pause(struct connection *connection)
{
    struct http *http = connection->http;
    assert(connection->request.streaming && !connection->request.paused);
    connection->request.paused = true;
    TAILQ_INSERT_TAIL(&http->paused, connection, paused_link);
    http->n_paused++;
    if (idle_due_us(connection) <= http->now_us)
        connection->request.silent_since_us = http->now_us; /* it was asked, and stays silent */
    look_for_idle(http, idle_due_us(connection));
    MHD_suspend_connection(connection->mhd);
}

void stream_forget_pause(struct connection *connection)
{
    struct http *http = connection->http;
    if (!connection->request.paused)
        return;
    assert(http->n_paused > 0);
    connection->request.paused = false;
    TAILQ_REMOVE(&http->paused, connection, paused_link);
    http->n_paused--;
}

void stream_resume(struct connection *connection)
{
    if (!connection->request.paused)
        return;
    stream_forget_pause(connection);
    connection->since_us = connection->http->now_us;
    connection->http->resumed = true;
    MHD_resume_connection(connection->mhd);
}

void streams_resume_all(struct http *http)
{
    while (!TAILQ_EMPTY(&http->paused))
        stream_resume(TAILQ_FIRST(&http->paused));
}

static void resume_idle(struct http *http)
{
    http->idle_due_us = HTTP_NEVER_US;
    for (struct connection *c = TAILQ_FIRST(&http->paused), *next; c; c = next) {
        next = TAILQ_NEXT(c, paused_link);
        if (idle_due_us(c) <= http->now_us)
            stream_resume(c);
        else
            look_for_idle(http, idle_due_us(c));
    }
}

/* Who is resumed and pauses again goes behind all that still wait. */
static void resume_part(struct http *http)
{
    size_t n = http->part_size < http->n_woken ? http->part_size : http->n_woken;
    http->n_woken -= n;
    http->part_due_us = http->now_us + PART_US;
    for (; n > 0 && !TAILQ_EMPTY(&http->paused); n--)
        stream_resume(TAILQ_FIRST(&http->paused));
}

static void wake_all(struct http *http)
{
    size_t part = (http->n_paused + PARTS_MAX - 1) / PARTS_MAX;
    http->woken_us = http->now_us;
    http->n_woken = http->n_paused;
    http->part_size = part > PART_MIN ? part : PART_MIN;
    resume_part(http);
}

static usec_t woken_due_us(const struct http *http)
{
    if (http->n_woken)
        return http->part_due_us;
    return http->woken ? http->woken_us + WOKEN_MIN_US : HTTP_NEVER_US;
}

void streams_resume_due(struct http *http)
{
    if (!http->n_paused)
        http->n_woken = 0;
    else if (http->n_woken && http->now_us >= http->part_due_us)
        resume_part(http);
    else if (!http->n_woken && http->now_us >= http->woken_us + WOKEN_MIN_US && atomic_exchange(&http->woken, false))
        wake_all(http);
    else if (http->now_us >= http->idle_due_us)
        resume_idle(http);
}

int streams_wait_ms(const struct http *http, int longest_ms)
{
    if (!http->n_paused || !longest_ms)
        return longest_ms;
    usec_t now = uptime_us(), due = woken_due_us(http);
    due = http->idle_due_us < due ? http->idle_due_us : due;
    if (due == HTTP_NEVER_US)
        return longest_ms;
    usec_t ms = due > now ? (due - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC : 0;
    return longest_ms < 0 || ms < (usec_t) longest_ms ? (int) ms : longest_ms;
}
