/* test_redis_streams.c - what it means how a stream ends, for an action that believed something of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "redis_action.h"

/* A log of two lives: 1 to 100 of the epoch 1000, from 101 on of 2000. */
#define NEWEST_ID 150

static struct err err;
static bool renewed;

static uint64_t epoch_ms(void *userdata, uint64_t event_id)
{
    (void) userdata;
    return event_id <= 100 ? 1000 : 2000;
}

static uint64_t newest_epoch_ms(void *userdata)
{
    (void) userdata;
    return renewed ? 3000 : 2000;
}

static enum feed_told look_told(void *userdata, uint64_t epoch, uint64_t id, uint64_t *ret_id)
{
    (void) userdata;
    uint64_t end = epoch == 1000 ? 100 : NEWEST_ID;
    *ret_id = id < end ? id : end;
    if (epoch != 1000 && epoch != 2000)
        return epoch > newest_epoch_ms(NULL) ? FEED_IS_LATER : FEED_IS_EARLIER;
    return epoch == 2000 && id > end && !renewed ? FEED_IS_AHEAD : FEED_IS_OURS;
}

static void renew(void *userdata)
{
    (void) userdata;
    renewed = true;
}

static const struct action_log of_log = { NULL, epoch_ms, newest_epoch_ms, look_told, renew };
static struct redis_options options = { .max_len = 1000 };
static char name[] = "bus";
static struct config_action config = { .name = name, .settings = &options };
static struct redis_streams streams;
static struct action_outcome outcome;

static int begin(void **state)
{
    (void) state;
    renewed = false;
    streams = (struct redis_streams){ .config = &config, .log = &of_log };
    return log_open(LOG_TARGET_TEXT, LOG_ERR, &err);
}

static int end(void **state)
{
    (void) state;
    redis_streams_free(&streams);
    log_close(10 * USEC_PER_SEC);
    return 0;
}

static struct redis_stream *stream(const char *key)
{
    size_t place = redis_streams_find(&streams, key);
    return &streams.v[place];
}

static bool take(const char *key, uint64_t epoch, uint64_t id, uint64_t event_id)
{
    outcome = (struct action_outcome){ .result = ACTION_CANCELLED };
    return redis_streams_take(&streams, stream(key), (struct redis_id){ epoch, id }, event_id, &outcome);
}

static void expect_back(uint64_t from_id)
{
    assert_int_equal(outcome.result, ACTION_BACK);
    assert_int_equal(outcome.back_id, from_id);
    assert_int_equal(outcome.back_max, options.max_len);
}

/* ---- ids ---- */

static void test_ids(void **state)
{
    (void) state;
    struct redis_id id;
    char text[REDIS_ID_BYTES];
    assert_true(redis_id_read(span_of("1795449600123-42"), &id));
    assert_true(id.ms == 1795449600123 && id.seq == 42);
    redis_id_write(id, text);
    assert_string_equal(text, "1795449600123-42");
    assert_true(redis_id_read(span_of("18446744073709551615-18446744073709551615"), &id));
    static const char *const none[] = { "",    "-", "1", "1-", "-1", "a-1", "1-b", "1-2-3", "18446744073709551616-1",
                                        "1 -2" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        assert_false(redis_id_read(span_of(none[i]), &id));
    assert_int_equal(redis_id_compare((struct redis_id){ 1, 9 }, (struct redis_id){ 2, 1 }), -1);
    assert_int_equal(redis_id_compare((struct redis_id){ 2, 9 }, (struct redis_id){ 2, 1 }), 1);
    assert_int_equal(redis_id_compare((struct redis_id){ 2, 1 }, (struct redis_id){ 2, 1 }), 0);
}

/* ---- the first look ---- */

static void test_goes_on_where_it_ends(void **state)
{
    (void) state;
    assert_true(take("a", 2000, 119, 120));
    assert_true(stream("a")->is_known);
    assert_int_equal(redis_streams_id(&streams, stream("a"), 120).ms, 2000);
    assert_int_equal(redis_streams_id(&streams, stream("a"), 90).ms, 1000);
}

/* The answer to the last try was lost, or its place was not saved. */
static void test_is_ahead_of_the_cursor(void **state)
{
    (void) state;
    assert_true(take("a", 2000, 130, 120));
}

static void test_is_behind_the_cursor(void **state)
{
    (void) state;
    assert_false(take("a", 2000, 110, 120));
    expect_back(111);
    assert_true(take("a", 2000, 110, 115)); /* what came first of what is published again */
    assert_true(take("b", 2000, 112, 130)); /* all behind that has come: nothing of it is missing here */
    assert_false(take("c", 2000, 105, 140));
    expect_back(106);
}

static void test_is_empty(void **state)
{
    (void) state;
    assert_false(take("a", 0, 0, 120));
    expect_back(1);
    assert_true(take("a", 0, 0, 1));
}

static void test_of_an_earlier_life(void **state)
{
    (void) state;
    assert_true(take("a", 1000, 100, 101));
    assert_true(take("b", 1000, 107, 101)); /* what was lost with it is not what came in its place */
    assert_false(take("c", 1000, 90, 101));
    expect_back(91);
}

static void test_of_another_log(void **state)
{
    (void) state;
    assert_false(take("a", 1500, 7, 120)); /* earlier: as an empty one */
    expect_back(1);
    assert_false(take("b", 5000, 7, 120));
    assert_int_equal(outcome.result, ACTION_OFF);
    assert_non_null(strstr(outcome.err.msg, "5000-7"));
}

/* ---- later ---- */

static void test_the_same_again(void **state)
{
    (void) state;
    assert_true(take("a", 2000, 119, 120));
    redis_streams_lose(&streams);
    assert_false(stream("a")->is_known);
    assert_true(take("a", 2000, 119, 140));
}

/* All that came to the action has to come again, and of the others nothing is believed. */
static void test_lost(void **state)
{
    (void) state;
    assert_true(take("a", 2000, 119, 120));
    assert_true(take("b", 2000, 119, 120));
    stream("a")->last = (struct redis_id){ 2000, 130 };
    assert_false(take("a", 2000, 125, 131));
    expect_back(126);
    assert_false(stream("b")->is_known || stream("b")->is_believed);
    assert_true(stream("a")->is_known);
}

/* As by a server that is short of memory: each time it is there again. */
static void test_lost_again_and_again(void **state)
{
    (void) state;
    usec_t before_us = 0;
    for (int i = 0; i < 8; i++) {
        streams.lost_us -= streams.pause_us; /* it has passed */
        stream("a")->last = (struct redis_id){ 2000, 130 };
        stream("a")->is_believed = true;
        assert_false(take("a", 0, 0, 131));
        expect_back(1);
        assert_true(streams.pause_us == 30 * USEC_PER_SEC || streams.pause_us > before_us);
        before_us = streams.pause_us;

        stream("a")->last = (struct redis_id){ 2000, 130 };
        assert_false(take("a", 0, 0, 131));
        assert_int_equal(outcome.result, ACTION_RETRY);
        assert_in_range(outcome.retry_after_us, 1, streams.pause_us);
        assert_non_null(strstr(outcome.err.msg, "too little memory"));
        assert_false(stream("a")->is_known);
    }
    streams.lost_us -= 91 * USEC_PER_SEC;
    assert_false(take("a", 0, 0, 131));
    expect_back(1);
    assert_int_equal(streams.pause_us, USEC_PER_SEC);
}

/* What it did not take comes again, though it ends as it is believed to, and though all has come to the action. */
static void test_missed(void **state)
{
    (void) state;
    assert_true(take("a", 2000, 119, 120));
    redis_streams_miss(stream("a"));
    assert_false(stream("a")->is_known);
    assert_false(take("a", 2000, 119, 130));
    expect_back(120);
    assert_true(take("a", 2000, 119, 120));
    redis_streams_miss(stream("b")); /* it is next, and nothing of it was left before that */
    assert_true(take("b", 2000, 139, 140));
    assert_true(take("b", 2000, 139, 145));
}

static bool is_doubted(uint64_t epoch, uint64_t id, uint64_t event_id)
{
    return redis_streams_doubt(&streams, stream("a"), (struct redis_id){ epoch, id }, event_id);
}

static void test_doubts(void **state)
{
    (void) state;
    assert_true(is_doubted(1000, 107, 100)); /* whether the copy was made before it or after */
    assert_false(is_doubted(1000, 100, 99));
    assert_false(is_doubted(1000, 107, 101)); /* of another life: no id of it is the stream's */
    assert_true(is_doubted(2000, 151, 150));
    assert_false(is_doubted(2000, 150, 149));
    assert_false(is_doubted(5000, 7, 150));
    redis_streams_differ(stream("a"), 100);
    assert_false(is_doubted(1000, 107, 100));
    assert_true(take("a", 1000, 107, 100));
    assert_int_equal(redis_streams_id(&streams, stream("a"), 100).ms, 2000);
    assert_int_equal(redis_streams_id(&streams, stream("a"), 99).ms, 1000);
}

/* The log has lost what the stream has: a new life begins, and what is to be added is of it. */
static void test_renewed(void **state)
{
    (void) state;
    assert_true(redis_streams_doubt(&streams, stream("a"), (struct redis_id){ 2000, 170 }, 150));
    redis_streams_differ(stream("a"), 150);
    assert_false(take("a", 2000, 170, 150));
    assert_int_equal(outcome.result, ACTION_RETRY);
    assert_true(renewed);
    assert_true(take("a", 2000, 170, 150));
    assert_true(redis_id_compare(redis_streams_id(&streams, stream("a"), 150), stream("a")->last) > 0);
    assert_int_equal(redis_streams_id(&streams, stream("a"), 150).ms, 3000);
    assert_int_equal(redis_streams_id(&streams, stream("a"), 149).ms, 2000);
}

/* That one has missed something is not forgotten with it. */
static void test_missed_by_one_of_too_many(void **state)
{
    (void) state;
    char key[32];
    assert_true(take("a", 2000, 119, 120));
    redis_streams_miss(stream("a"));
    for (int i = 0; i < 1024; i++) {
        redis_streams_trim(&streams);
        snprintf(key, sizeof(key), "key-%d", i);
        assert_true(redis_streams_find(&streams, key) < 1024);
    }
    assert_false(take("a", 2000, 119, 130));
    expect_back(120);
}

/* What the log lost, and has others for, is not in the stream though it ends behind that. */
static void test_renewed_behind_the_cursor(void **state)
{
    (void) state;
    redis_streams_differ(stream("a"), 145);
    renewed = true;
    assert_false(take("a", 2000, 170, 150));
    expect_back(145);
}

static void test_not_without_end(void **state)
{
    (void) state;
    char key[32];
    for (int i = 0; i < 5000; i++) {
        redis_streams_trim(&streams);
        snprintf(key, sizeof(key), "key-%d", i);
        assert_true(redis_streams_find(&streams, key) < 1024);
    }
}

#define streams_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        streams_test(test_ids),
        streams_test(test_goes_on_where_it_ends),
        streams_test(test_is_ahead_of_the_cursor),
        streams_test(test_is_behind_the_cursor),
        streams_test(test_is_empty),
        streams_test(test_of_an_earlier_life),
        streams_test(test_of_another_log),
        streams_test(test_the_same_again),
        streams_test(test_lost),
        streams_test(test_lost_again_and_again),
        streams_test(test_missed),
        streams_test(test_missed_by_one_of_too_many),
        streams_test(test_doubts),
        streams_test(test_renewed),
        streams_test(test_renewed_behind_the_cursor),
        streams_test(test_not_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
