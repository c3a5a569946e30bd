/* test_delivery_tries.c - how long an event is tried counts over restarts, reloads and clocks that are set. */
#include "delivery_helpers.h"

#define MINUTE_US (60 * USEC_PER_SEC)
#define DAY_US (24 * 60 * MINUTE_US)

static _Atomic int64_t ahead_us; /* how far the wall clock is set */

usec_t __real_now_us(void);
usec_t __wrap_now_us(void);

usec_t __wrap_now_us(void)
{
    return __real_now_us() + (usec_t) ahead_us;
}

static int set_up_clock(void **state)
{
    ahead_us = 0;
    return set_up(state);
}

#define tries_test(function) cmocka_unit_test_setup_teardown(function, set_up_clock, tear_down)

#define FOR_AN_HOUR ACTION_WITH("give_up_after: \"1h\"")

static size_t stored_tries(struct store_try ret[8])
{
    size_t n;
    assert_int_equal(store_get_tries(store, "a", ret, 8, &n, &err), 0);
    return n;
}

static void stop(void)
{
    delivery_stop(delivery, 200 * USEC_PER_MSEC);
    if (delivery_unsaved(delivery))
        assert_int_equal(save(false), 0);
    delivery = delivery_free(delivery);
    config = config_free(config);
}

/* Until it was tried once more than before, in vain. */
static void wait_for_try(size_t n_tried)
{
    wait_until(world.n_tried > n_tried && status_of_first().state == DELIVERY_FAILING);
}

static void start_failing(const char *actions)
{
    give_order((struct order){ .id = 1, .result = ACTION_RETRY, .retry_after_us = 30 * MINUTE_US });
    start_with(actions);
    add_events(2);
    wait_for_try(0);
}

static void test_over_a_restart(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    start_failing(FOR_AN_HOUR);
    stop();
    ahead_us += 59 * MINUTE_US;
    start_with(FOR_AN_HOUR);
    wait_for_try(1);
    assert_int_equal(status_of_first().cursor, 0);
    stop();
    ahead_us += 2 * MINUTE_US;
    start_with(FOR_AN_HOUR);
    wait_until(status_of_first().cursor == 2);
    assert_delivered((uint64_t[]){ 2 }, 1);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 1);
    assert_int_equal(failure.attempts, 3);
    assert_string_equal(error, "given up after 3 attempts: ordered to fail");
    assert_int_equal(stored_tries((struct store_try[8]){ 0 }), 0);
}

static void test_clock_set_back(void **state)
{
    struct store_try tries[8];
    (void) state;
    start_failing(FOR_AN_HOUR);
    stop();
    ahead_us -= DAY_US;
    start_with(FOR_AN_HOUR);
    wait_for_try(1);
    assert_int_equal(status_of_first().cursor, 0);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_tries(tries), 1);
    assert_int_equal(tries[0].attempts, 2);
    assert_true(now_us() - tries[0].first_us < MINUTE_US * 10);
}

/* A machine without a battery comes up in another year; when the daemon ends, the clock is right. */
static void test_clock_wrong_at_first(void **state)
{
    (void) state;
    ahead_us = -300 * (int64_t) DAY_US;
    start_failing(FOR_AN_HOUR);
    assert_int_equal(save(false), 0);
    ahead_us = 0;
    stop();
    start_with(FOR_AN_HOUR);
    wait_for_try(1);
    assert_int_equal(status_of_first().cursor, 0);
}

static void test_saved_with_the_cursor(void **state)
{
    struct store_try tries[8];
    (void) state;
    start_failing(FOR_AN_HOUR);
    assert_true(delivery_unsaved(delivery));
    save(true);
    assert_int_equal(stored_tries(tries), 0);
    assert_true(delivery_unsaved(delivery));
    assert_int_equal(save(false), 0);
    assert_false(delivery_unsaved(delivery));
    assert_int_equal(stored_tries(tries), 1);
    assert_int_equal(tries[0].event_id, 1);
    assert_int_equal(tries[0].attempts, 1);
    assert_true(now_us() - tries[0].first_us < 10 * MINUTE_US);
}

static void test_over_a_reload(void **state)
{
    (void) state;
    start_failing(FOR_AN_HOUR);
    ahead_us += 2 * DAY_US; /* counts for nothing: the process has a better clock */
    reload_with(ACTION_WITH("give_up_after: \"1h\", timeout: \"5s\""));
    wait_for_try(1);
    assert_int_equal(status_of_first().cursor, 0);
    reload_with(ACTION_WITH("give_up_after: \"1ms\""));
    wait_until(status_of_first().cursor == 2);
    assert_int_equal(world.n_tried, 4);
}

static void test_forgotten_when_done(void **state)
{
    struct store_try tries[8];
    (void) state;
    give_order((struct order){ .id = 1, .result = ACTION_RETRY, .times = 1, .retry_after_us = 200 * USEC_PER_MSEC });
    start_with(FOR_AN_HOUR);
    add_events(1);
    wait_for_try(0);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_tries(tries), 1);
    wait_until(status_of_first().cursor == 1);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_tries(tries), 0);
}

static void test_replay_counts_anew(void **state)
{
    struct store_try tries[8];
    (void) state;
    start_failing(FOR_AN_HOUR);
    assert_int_equal(save(false), 0);
    assert_int_equal(delivery_replay(delivery, "a", 2, &err), 0);
    wait_until(status_of_first().cursor == 2);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_tries(tries), 0);
    assert_int_equal(delivery_replay(delivery, "a", 1, &err), 0);
    wait_for_try(2);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_tries(tries), 1);
    assert_int_equal(tries[0].attempts, 1);
}

static void test_goes_with_the_action(void **state)
{
    struct store_try tries[8];
    (void) state;
    start_failing(FOR_AN_HOUR);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_tries(tries), 1);
    reload_with("");
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_tries(tries), 0);
}

static void test_several_at_a_time(void **state)
{
    struct store_try tries[8];
    (void) state;
    give_order((struct order){ .result = ACTION_RETRY, .retry_after_us = 30 * MINUTE_US });
    start_with(ACTION_WITH("give_up_after: \"1h\", parallel: 3"));
    add_events(5);
    wait_until(status_of_first().n_attempts == 3);
    stop();
    assert_int_equal(stored_tries(tries), 3);
    ahead_us += 2 * 60 * MINUTE_US;
    start_with(ACTION_WITH("give_up_after: \"1h\", parallel: 3"));
    wait_until(status_of_first().n_failed == 3);
    wait_until(status_of_first().n_attempts == 5); /* the others are new, and wait */
    assert_int_equal(status_of_first().cursor, 3);
    stop();
    assert_int_equal(stored_tries(tries), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tries_test(test_over_a_restart),       tries_test(test_clock_set_back),
        tries_test(test_clock_wrong_at_first), tries_test(test_saved_with_the_cursor),
        tries_test(test_over_a_reload),        tries_test(test_forgotten_when_done),
        tries_test(test_replay_counts_anew),   tries_test(test_goes_with_the_action),
        tries_test(test_several_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
