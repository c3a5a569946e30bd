/* test_delivery_batch.c - an action type that takes several events at a time: its worker settles the front of a batch.
 */
#define FAKE_BATCH 8
#include "delivery_helpers.h"

/* Event 1 keeps the worker busy until n more wait behind it, which then come in batches. */
static void start_behind_first(const char *actions, unsigned n)
{
    give_order((struct order){ .id = 1, .hold = true });
    start_with(actions);
    add_events(1);
    wait_until(world.n_tried == 1);
    add_events(n);
}

static void assert_each_once(size_t n)
{
    assert_int_equal(world.n_delivered, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(world.delivered[i], i + 1);
}

static void test_full_batches(void **state)
{
    (void) state;
    start_behind_first(ACTION, 20);
    release();
    wait_until(status_of_first().cursor == 21);
    assert_each_once(21);
    const size_t sizes[] = { 1, 8, 8, 4 };
    assert_int_equal(world.n_batches, ARRAY_SIZE(sizes));
    assert_memory_equal(world.batches, sizes, sizeof(sizes));
    assert_int_equal(status_of_first().n_attempts, 21);
}

static void test_of_every_size(void **state)
{
    (void) state;
    start_with(ACTION);
    for (unsigned n = 1; n <= FAKE_BATCH + 1; n++) {
        size_t n_before = store_last_id(store);
        add_events(n);
        wait_until(status_of_first().cursor == n_before + n);
    }
    assert_each_once(store_last_id(store));
}

/* The cursor has moved as far as what is done reaches, also on the disk, while the rest waits. */
static void test_front_is_settled(void **state)
{
    (void) state;
    give_order((struct order){ .id = 4, .result = ACTION_RETRY, .times = 1, .retry_after_us = 3600 * USEC_PER_SEC });
    start_behind_first(ACTION, 7);
    release();
    wait_until(status_of_first().state == DELIVERY_FAILING);
    assert_int_equal(status_of_first().cursor, 3);
    assert_int_equal(status_of_first().n_attempts, 4);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_cursor("a"), 3);
    assert_each_once(3);
    assert_int_equal(world.n_tried, 4);
}

static void test_rest_comes_again_together(void **state)
{
    (void) state;
    give_order((struct order){ .id = 4, .result = ACTION_RETRY, .times = 2 });
    start_behind_first(ACTION, 7);
    release();
    wait_until(status_of_first().cursor == 8);
    assert_each_once(8);
    const uint64_t tried[] = { 1, 2, 3, 4, 4, 4, 5, 6, 7, 8 };
    assert_int_equal(world.n_tried, ARRAY_SIZE(tried));
    assert_memory_equal(world.tried, tried, sizeof(tried));
    const size_t sizes[] = { 1, 7, 5, 5 };
    assert_memory_equal(world.batches, sizes, sizeof(sizes));
}

static void test_failure_in_the_middle(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    give_order((struct order){ .id = 4, .result = ACTION_GIVE_UP });
    start_behind_first(ACTION, 7);
    release();
    wait_until(status_of_first().cursor == 8);
    assert_delivered((uint64_t[]){ 1, 2, 3, 5, 6, 7, 8 }, 7);
    assert_int_equal(world.n_batches, 2);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 1);
    assert_int_equal(failure.event_id, 4);
    assert_int_equal(stored_cursor("a"), 8);
}

static void test_given_up_in_the_middle(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    give_order((struct order){ .id = 4, .result = ACTION_RETRY });
    start_behind_first(ACTION_WITH("give_up_after: \"250ms\""), 7);
    release();
    wait_until(status_of_first().cursor == 8);
    assert_delivered((uint64_t[]){ 1, 2, 3, 5, 6, 7, 8 }, 7);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 1);
    assert_non_null(strstr(error, "given up after"));
}

/* What is cancelled comes again after a restart, and nothing before it. */
static void test_cancelled_in_the_middle(void **state)
{
    (void) state;
    give_order((struct order){ .id = 5, .hold = true });
    start_behind_first(ACTION, 9);
    release_one(1);
    wait_until(world.n_tried == 5);
    assert_int_equal(delivery_stop(delivery, 100 * USEC_PER_MSEC), 0);
    assert_int_equal(status_of_first().cursor, 4);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_cursor("a"), 4);
    delivery = delivery_free(delivery);
    config = config_free(config);
    release();
    start_with(ACTION);
    wait_until(status_of_first().cursor == 10);
    assert_each_once(10);
}

/* A type that gets no further in one try than a few: the rest follows at once. */
static void test_short_tries(void **state)
{
    (void) state;
    start_behind_first(ACTION, 20);
    world.most = 3;
    release();
    wait_until(status_of_first().cursor == 21);
    assert_each_once(21);
    assert_int_equal(status_of_first().n_attempts, 21);
}

static void test_off_in_the_middle(void **state)
{
    (void) state;
    give_order((struct order){ .id = 4, .result = ACTION_OFF, .times = 1 });
    start_behind_first(ACTION, 7);
    release();
    wait_until(status_of_first().state == DELIVERY_OFF);
    assert_int_equal(status_of_first().cursor, 3);
    reload_with(ACTION);
    wait_until(status_of_first().cursor == 8);
    assert_each_once(8);
}

static void test_replay_while_the_rest_waits(void **state)
{
    (void) state;
    give_order((struct order){ .id = 4, .result = ACTION_RETRY, .times = 1, .retry_after_us = 3600 * USEC_PER_SEC });
    start_behind_first(ACTION, 7);
    release();
    wait_until(status_of_first().state == DELIVERY_FAILING);
    assert_int_equal(delivery_replay(delivery, "a", 2, &err), 0);
    wait_until(status_of_first().cursor == 8);
    assert_delivered((uint64_t[]){ 1, 2, 3, 2, 3, 4, 5, 6, 7, 8 }, 10);
}

static void test_too_old_in_the_middle(void **state)
{
    (void) state;
    give_order((struct order){ .id = 2, .result = ACTION_RETRY, .times = 1 });
    start_behind_first(ACTION_WITH("max_age: \"150ms\""), 3);
    release();
    wait_until(status_of_first().cursor == 4);
    assert_int_equal(status_of_first().n_left_out[LEFT_OUT_MAX_AGE] + world.n_delivered, 4);
}

static void test_in_parallel(void **state)
{
    bool seen[101] = { false };
    (void) state;
    start_behind_first(ACTION_WITH("parallel: 3"), 99);
    release();
    wait_until(status_of_first().cursor == 100);
    assert_int_equal(world.n_delivered, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_false(seen[world.delivered[i]]);
        seen[world.delivered[i]] = true;
    }
}

/* Several give way in one batch, of each kind. */
static void test_all_kinds_in_one(void **state)
{
    (void) state;
    give_order((struct order){ .id = 3, .result = ACTION_WAIT, .times = 1 });
    give_order((struct order){ .id = 4, .result = ACTION_GIVE_UP });
    give_order((struct order){ .id = 6, .result = ACTION_RETRY, .times = 1 });
    give_order((struct order){ .id = 7, .result = ACTION_RETRY, .times = 1 });
    start_behind_first(ACTION, 8);
    release();
    wait_until(status_of_first().cursor == 9);
    assert_delivered((uint64_t[]){ 1, 2, 3, 5, 6, 7, 8, 9 }, 8);
    assert_int_equal(status_of_first().n_failed, 1);
    assert_int_equal(status_of_first().n_attempts, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delivery_test(test_full_batches),
        delivery_test(test_of_every_size),
        delivery_test(test_front_is_settled),
        delivery_test(test_rest_comes_again_together),
        delivery_test(test_failure_in_the_middle),
        delivery_test(test_given_up_in_the_middle),
        delivery_test(test_cancelled_in_the_middle),
        delivery_test(test_short_tries),
        delivery_test(test_off_in_the_middle),
        delivery_test(test_replay_while_the_rest_waits),
        delivery_test(test_too_old_in_the_middle),
        delivery_test(test_in_parallel),
        delivery_test(test_all_kinds_in_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
