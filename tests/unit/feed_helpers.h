/* feed_helpers.h - a log with a feed, and requests that come into both, as the writer brings them. */
#pragma once

#include "store_helpers.h"

#include <sonoran-pushd/families.h>

#include "../../src/feed/feed_private.h"

#define KEY "TEST-API-KEY-0000"

static struct store *store;
static struct feed *feed;

static inline int set_up(void **state)
{
    if (make_folder(state) < 0)
        return -1;
    store = open_store(0, 0);
    return feed_new(&feed, store, &families_all);
}

static inline int tear_down(void **state)
{
    feed = feed_free(feed);
    store = store_close(store);
    return remove_folder(state);
}

#define feed_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static inline struct batch parse(const char *text)
{
    static const struct event_community communities[] = { { "default", KEY } };
    const struct envelope_rules rules = { .communities = communities, .n_communities = 1, .families = &families_all };
    const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "192.0.2.1" };
    struct batch batch;
    if (envelope_parse(strdup(text), strlen(text), &rules, &origin, now_us(), &batch, NULL, &err) != ENVELOPE_OK)
        fail_msg("%s", err.msg);
    return batch;
}

/* What the writer does with a request. */
static inline void store_body(const char *body, bool publish)
{
    struct batch batch = parse(body);
    struct description *descriptions = calloc(batch.n_events, sizeof(*descriptions));
    assert_int_equal(store_begin(store, &err), 0);
    uint64_t id = store_last_id(store);
    for (size_t i = 0; i < batch.n_events; i++) {
        descriptions[i] = (struct description) DESCRIPTION_INIT;
        batch.events[i].id = ++id;
        event_describe(&batch.events[i], NULL, &descriptions[i]);
        text_add(&descriptions[i].known, "{\"units\":[{\"id\":7,\"number\":\"3-L-27\"}],\"on_duty\":2}");
        assert_int_equal(store_append(store, &batch.events[i], &descriptions[i], &err), 0);
    }
    assert_int_equal(store_commit(store, &err), 0);
    if (publish) {
        size_t n = batch.n_events;
        feed_publish(feed, &batch, descriptions);
        for (size_t i = 0; i < n; i++)
            assert_null(descriptions[i].known_json);
    }
    for (size_t i = 0; i < batch.n_events; i++)
        description_free(&descriptions[i]);
    batch_done(&batch);
    free(descriptions);
    feed_grow(feed, id);
}

/* A request of n events, each of about so many bytes. */
static inline void put(unsigned n, size_t padding, bool publish)
{
    struct text body CLEANUP(text_free) = TEXT_INIT;
    text_add(&body, "{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\",\"data\":[");
    for (unsigned i = 0; i < n; i++) {
        text_addf(&body, "%s{\"callIds\":[%u],\"x\":\"", i ? "," : "", i + 1);
        for (size_t k = 0; k < padding; k++)
            text_add_bytes(&body, "x", 1);
        text_add(&body, "\"}");
    }
    text_add(&body, "]}");
    store_body(body.s, publish);
}

static inline size_t n_kept(void)
{
    return feed->end_id - feed->first_id;
}
