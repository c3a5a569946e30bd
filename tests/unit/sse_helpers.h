/* sse_helpers.h - an event stream without a server: a log that grows, a state that knows of it, and clients that read.
 */
#pragma once

#include "feed_helpers.h"

#include <sonoran-pushd/config.h>

#include "../../src/sse/sse_private.h"

#define FOREVER_US (3600 * USEC_PER_SEC)
#define ROOM ((size_t) 4 << 20)

static struct sse *sse;
static struct state *known;
static struct config config = { .references = 1 };
static char told[ROOM]; /* to a client, since the last look */
static unsigned n_woken;

static inline void wake(void *userdata)
{
    (void) userdata;
    n_woken++;
}

static inline int begin_with(void **state, usec_t heartbeat_us)
{
    static char name[] = "default";
    static struct config_community community = { .name = name };
    config.communities = &community;
    config.n_communities = 1;
    if (set_up(state) != 0)
        return -1;
    known = state_new();
    const struct sse_parts parts = { feed, &families_all, known, heartbeat_us, wake, NULL, 0, NULL, NULL };
    return known ? sse_new(&sse, &parts, &config, &err) : -1;
}

static inline int begin(void **state)
{
    return begin_with(state, FOREVER_US);
}

static inline int begin_breathless(void **state)
{
    return begin_with(state, 0);
}

static inline int end(void **state)
{
    sse = sse_free(sse);
    known = state_free(known);
    assert_int_equal(config.references, 1);
    return tear_down(state);
}

/* n events that are in the log, and of which state knows. */
static inline void happen(unsigned n, size_t padding, bool publish)
{
    for (unsigned left = n, some; left; left -= some) {
        some = left < 500 ? left : 500;
        state_set_event(known, store_last_id(store) + some, now_us());
        put(some, padding, publish);
    }
}

static inline struct sse_client *open_with(struct sse_request request)
{
    struct sse_client *client;
    if (sse_open(sse, &request, &client, &err) < 0)
        fail_msg("%s", err.msg);
    return client;
}

static inline struct sse_client *open_at(const char *from)
{
    return open_with((struct sse_request){ .from = from });
}

/* What comes until there is nothing, in pieces of so many bytes. False: the stream has ended. */
static inline bool listen_in(struct sse_client *client, size_t piece)
{
    size_t size = 0;
    ssize_t n;
    while ((n = sse_more(client, told + size, piece)) > 0) {
        size += (size_t) n;
        assert_true(size + piece < ROOM);
    }
    told[size] = '\0';
    return n == 0;
}

static inline bool listen_to(struct sse_client *client)
{
    return listen_in(client, 8000);
}

static inline unsigned count(const char *part)
{
    unsigned n = 0;
    for (const char *p = told; (p = strstr(p, part)); p += strlen(part))
        n++;
    return n;
}

/* The lines of these events, each once, in order, and of no others. */
static inline void assert_lines(uint64_t first_id, uint64_t last_id)
{
    const char *p = told;
    uint64_t id = first_id;
    while ((p = strstr(p, "\nevent: log\ndata: {\"id\":"))) {
        p += strlen("\nevent: log\ndata: {\"id\":");
        assert_int_equal(strtoull(p, NULL, 10), id++);
    }
    assert_int_equal(id, last_id + 1);
}

#define sse_test(function) cmocka_unit_test_setup_teardown(function, begin, end)
