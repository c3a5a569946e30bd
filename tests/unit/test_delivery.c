/* test_delivery.c - what becomes of events: delivered, tried again, given up, skipped. */
#include "delivery_helpers.h"

static void test_backoff(void **state)
{
    (void) state;
    assert_int_equal(attempt_backoff_us(1, 0), USEC_PER_SEC / 2);
    assert_int_equal(attempt_backoff_us(1, UINT32_MAX), USEC_PER_SEC);
    assert_int_equal(attempt_backoff_us(4, UINT32_MAX), 8 * USEC_PER_SEC);
    assert_int_equal(attempt_backoff_us(9, UINT32_MAX), 256 * USEC_PER_SEC);
    assert_int_equal(attempt_backoff_us(10, UINT32_MAX), 300 * USEC_PER_SEC);
    assert_int_equal(attempt_backoff_us(UINT32_MAX, 0), 150 * USEC_PER_SEC);
}

static void test_in_order(void **state)
{
    (void) state;
    start_with(ACTION);
    add_events(3);
    add_events(200);
    wait_until(status_of_first().n_delivered == 203);
    for (size_t i = 0; i < 203; i++)
        assert_int_equal(world.delivered[i], i + 1);
    assert_true(n_pokes > 0);
    assert_true(delivery_unsaved(delivery));
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_cursor("a"), 203);
    assert_false(delivery_unsaved(delivery));
}

static void test_new_action_begins_at_the_end(void **state)
{
    (void) state;
    start_with("");
    add_events(5);
    reload_with(ACTION);
    add_events(1);
    wait_until(world.n_delivered == 1);
    assert_delivered((uint64_t[]){ 6 }, 1);
}

static void test_filters(void **state)
{
    (void) state;
    start_with(ACTION_WITH("events: [ \"EVENT_911\" ]"));
    add_events(4);
    wait_until(status_of_first().cursor == 4);
    assert_delivered((uint64_t[]){ 2, 4 }, 2);
}

static void test_retry_keeps_the_order(void **state)
{
    (void) state;
    give_order((struct order){ .id = 2, .result = ACTION_RETRY, .times = 2 });
    start_with(ACTION);
    add_events(3);
    wait_until(status_of_first().n_delivered == 3);
    assert_delivered((uint64_t[]){ 1, 2, 3 }, 3);
    assert_int_equal(world.n_tried, 5);
    assert_int_equal(status_of_first().n_attempts, 5);
}

static void test_failing_is_seen(void **state)
{
    (void) state;
    give_order((struct order){ .id = 1, .result = ACTION_RETRY });
    start_with(ACTION);
    add_events(2);
    wait_until(status_of_first().state == DELIVERY_FAILING && status_of_first().n_attempts > 1);
    struct delivery_status status = status_of_first();
    assert_string_equal(status.error, "ordered to fail");
    assert_int_equal(status.cursor, 0);
    assert_int_equal(status.lag, 2);
    assert_true(status.error_us > 0);
}

static void test_given_up(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    give_order((struct order){ .id = 2, .result = ACTION_GIVE_UP });
    start_with(ACTION);
    add_events(3);
    wait_until(status_of_first().cursor == 3);
    assert_delivered((uint64_t[]){ 1, 3 }, 2);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 1);
    assert_string_equal(error, "ordered to fail");
    assert_int_equal(stored_cursor("a"), 3);
}

static void test_given_up_after_a_time(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    give_order((struct order){ .id = 1, .result = ACTION_RETRY });
    start_with(ACTION_WITH("give_up_after: \"250ms\""));
    add_events(2);
    wait_until(status_of_first().cursor == 2);
    assert_delivered((uint64_t[]){ 2 }, 1);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 1);
    assert_non_null(strstr(error, "given up after"));
}

static void test_asked_to_come_back_later_than_it_is_tried(void **state)
{
    (void) state;
    give_order((struct order){ .id = 1, .result = ACTION_RETRY, .times = 1, .retry_after_us = 3600 * USEC_PER_SEC });
    start_with(ACTION_WITH("give_up_after: \"2s\""));
    add_events(2);
    wait_until(status_of_first().cursor == 2);
    assert_delivered((uint64_t[]){ 1, 2 }, 2);
}

static void test_too_old(void **state)
{
    (void) state;
    start_with(ACTION_WITH("max_age: \"1ms\""));
    give_order((struct order){ .id = 1, .result = ACTION_RETRY });
    add_events(1);
    wait_until(status_of_first().n_left_out[LEFT_OUT_MAX_AGE] == 1);
    assert_int_equal(world.n_delivered, 0);
    wait_until(status_of_first().cursor == 1);
}

static void test_switched_off(void **state)
{
    (void) state;
    give_order((struct order){ .id = 2, .result = ACTION_OFF, .times = 1 });
    start_with(ACTION);
    add_events(3);
    wait_until(status_of_first().state == DELIVERY_OFF);
    add_events(1);
    assert_int_equal(status_of_first().cursor, 1);
    reload_with(ACTION);
    wait_until(status_of_first().cursor == 4);
    assert_delivered((uint64_t[]){ 1, 2, 3, 4 }, 4);
}

/* The place in the log stays, and what waits is delivered when the pause is over. */
static void test_switched_off_for_a_time(void **state)
{
    (void) state;
    give_order((struct order){ .id = 2, .result = ACTION_OFF, .times = 2 });
    start_with(ACTION);
    add_events(3);
    wait_until(status_of_first().state == DELIVERY_OFF);
    assert_true(status_of_first().next_try_us > now_us());
    let_look_again();
    wait_until(world.n_tried == 3 && status_of_first().state == DELIVERY_OFF);
    assert_int_equal(status_of_first().cursor, 1);
    let_look_again();
    wait_until(status_of_first().cursor == 3);
    assert_delivered((uint64_t[]){ 1, 2, 3 }, 3);
    assert_int_equal(world.n_opened, 1);
}

static void test_missing_at_the_start(void **state)
{
    (void) state;
    world.missing = true;
    start_with(ACTION_WITH("parallel: 3"));
    wait_until(status_of_first().state == DELIVERY_OFF);
    add_events(3);
    struct delivery_status status = status_of_first();
    assert_string_equal(status.error, "command: expected a program");
    assert_int_equal(status.cursor, 0);
    assert_int_equal(status.lag, 3);
    assert_true(status.next_try_us > now_us());
    assert_int_equal(world.n_opened, 0);

    let_look_again();
    wait_until(status_of_first().state == DELIVERY_OFF && status_of_first().next_try_us > now_us());
    assert_int_equal(world.n_opened, 0);
    reload_with(ACTION_WITH("parallel: 3"));
    wait_until(status_of_first().state == DELIVERY_OFF);

    world.missing = false;
    let_look_again();
    wait_until(status_of_first().cursor == 3);
    assert_int_equal(world.n_delivered, 3);
    assert_int_equal(status_of_first().state, DELIVERY_IDLE);
}

static void test_missing_until_a_reload(void **state)
{
    (void) state;
    world.missing = true;
    start_with(ACTION);
    wait_until(status_of_first().state == DELIVERY_OFF);
    add_events(2);
    world.missing = false;
    reload_with(ACTION);
    wait_until(status_of_first().cursor == 2);
    assert_delivered((uint64_t[]){ 1, 2 }, 2);
}

static void test_parallel(void **state)
{
    (void) state;
    give_order((struct order){ .id = 1, .hold = true });
    start_with(ACTION_WITH("parallel: 3"));
    add_events(100);
    wait_until(world.n_delivered == 99);
    assert_int_equal(status_of_first().cursor, 0);
    release();
    wait_until(status_of_first().cursor == 100);
    assert_int_equal(world.n_delivered, 100);
    wait_until(world.n_opened == 3); /* a thread may begin when the others have done it all */
}

/* ---- what is told once ---- */

static void test_repeats(void **state)
{
    static struct worker worker = { .lock = PTHREAD_MUTEX_INITIALIZER };
    (void) state;
    pthread_mutex_lock(&worker.lock);
    assert_true(worker_is_news(&worker, true, 1, "answered 400: no call 55120"));
    assert_false(worker_is_news(&worker, true, 2, "answered 400: no call 9"));
    assert_true(worker_is_news(&worker, true, 3, "answered 400: no unit 9"));
    assert_true(worker_is_news(&worker, false, 4, "answered 400: no call 9"));
    assert_false(worker_is_news(&worker, true, 5, "answered 400: no call 9"));
    assert_int_equal(worker.repeats[0].n_more, 2);
    assert_int_equal(worker.repeats[0].last_id, 5);
    /* However many kinds there are, so many lines and no more. */
    assert_true(worker_is_news(&worker, true, 6, "x"));
    for (uint64_t id = 7; id < 100; id++)
        assert_false(worker_is_news(&worker, true, id, id % 2 ? "y" : "z"));
    assert_int_equal(worker.repeats[REPEATS_KINDS - 1].n_more, 93);
    assert_int_equal(worker.repeats[0].n_more, 2);
    pthread_mutex_unlock(&worker.lock);
}

static void test_repeats_are_failures_all_the_same(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    give_order((struct order){ .result = ACTION_GIVE_UP });
    start_with(ACTION);
    add_events(50);
    wait_until(status_of_first().cursor == 50);
    assert_int_equal(status_of_first().n_failed, 50);
    assert_int_equal(delivery->workers[0]->repeats[0].n_more, 49);
    delivery_tick(delivery);
    assert_int_equal(delivery->workers[0]->repeats[0].n_more, 0);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 50);
}

static void test_last_answer(void **state)
{
    (void) state;
    give_order((struct order){ .id = 1, .result = ACTION_DONE, .answer = "200 ok" });
    give_order((struct order){ .id = 2, .result = ACTION_GIVE_UP, .answer = "403 Bad API Key" });
    start_with(ACTION);
    assert_string_equal(status_of_first().answer, "");
    add_events(1);
    wait_until(status_of_first().n_delivered == 1);
    assert_string_equal(status_of_first().answer, "200 ok");
    add_events(1);
    wait_until(status_of_first().n_failed == 1);
    assert_string_equal(status_of_first().answer, "403 Bad API Key");
    assert_string_equal(delivery->workers[0]->told_answer, "200 ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_repeats),
        delivery_test(test_repeats_are_failures_all_the_same),
        delivery_test(test_last_answer),
        delivery_test(test_in_order),
        delivery_test(test_new_action_begins_at_the_end),
        delivery_test(test_filters),
        delivery_test(test_retry_keeps_the_order),
        delivery_test(test_failing_is_seen),
        delivery_test(test_given_up),
        delivery_test(test_given_up_after_a_time),
        delivery_test(test_asked_to_come_back_later_than_it_is_tried),
        delivery_test(test_too_old),
        delivery_test(test_switched_off),
        delivery_test(test_switched_off_for_a_time),
        delivery_test(test_missing_at_the_start),
        delivery_test(test_missing_until_a_reload),
        delivery_test(test_parallel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
