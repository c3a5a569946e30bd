/* test_delivery_changes.c - reload, restart, failed ones again, replay, the end. */
#include "delivery_helpers.h"

#include "../../src/store/store_private.h"

static void test_reload(void **state)
{
    (void) state;
    start_with(ACTION);
    add_events(1);
    wait_until(status_of_first().cursor == 1);
    reload_with(ACTION ", { name: \"b\", type: \"exec\", command: [ \"/bin/true\" ] }");
    wait_until(world.n_opened == 2); /* a went on */
    assert_int_equal(world.n_open, 2);
    add_events(1);
    wait_until(world.n_delivered == 3);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_cursor("b"), 2);
    reload_with(ACTION_WITH("timeout: \"3s\"")); /* a changed, b gone */
    wait_until(world.n_opened == 3);
    assert_int_equal(world.n_open, 1); /* who ends has ended when the reload is done */
    assert_true(delivery_unsaved(delivery));
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_cursor("b"), UINT64_MAX);
    add_events(1);
    wait_until(status_of_first().cursor == 3);
    assert_int_equal(world.n_delivered, 4);
}

static void test_reload_while_it_delivers(void **state)
{
    (void) state;
    give_order((struct order){ .id = 1, .hold = true });
    start_with(ACTION);
    add_events(2);
    wait_until(world.n_tried == 1);
    reload_with(ACTION_WITH("timeout: \"3s\"")); /* cancelled, and begun again */
    wait_until(world.n_tried == 2);
    release();
    wait_until(status_of_first().cursor == 2);
    assert_delivered((uint64_t[]){ 1, 2 }, 2);
}

static void test_cursors_survive(void **state)
{
    (void) state;
    start_with(ACTION);
    add_events(2);
    wait_until(status_of_first().cursor == 2);
    assert_int_equal(save(false), 0);
    delivery_stop(delivery, 0);
    delivery = delivery_free(delivery);
    config = config_free(config);
    const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "::1" };
    const struct event event = { .id = 3,
                                 .time_us = now_us(),
                                 .type = "EVENT_911",
                                 .community = "gone",
                                 .realm = "gone",
                                 .origin = &origin,
                                 .verdict = EVENT_ACCEPTED,
                                 .data_text = { DATA, sizeof(DATA) - 1 } };
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append(store, &event, NULL, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    start_with(ACTION);
    wait_until(world.n_delivered == 3);
    assert_delivered((uint64_t[]){ 1, 2, 3 }, 3);
}

static void test_strangers_go(void **state)
{
    (void) state;
    assert_int_equal(store_set_cursor(store, "gone", 0, &err), 0);
    assert_int_equal(store_set_cursor(store, "-log", 0, &err), 0);
    start_with(ACTION);
    assert_int_equal(stored_cursor("gone"), UINT64_MAX);
    assert_int_equal(stored_cursor("-log"), 0);
    assert_int_equal(stored_cursor("a"), 0);
}

static void test_save_that_fails(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    give_order((struct order){ .id = 1, .result = ACTION_GIVE_UP });
    start_with(ACTION);
    add_events(2);
    wait_until(status_of_first().cursor == 2);
    save(true);
    assert_true(delivery_unsaved(delivery));
    assert_int_equal(stored_failures(&failure, error), 0);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 1);
    assert_int_equal(stored_cursor("a"), 2);
    assert_false(delivery_unsaved(delivery));
}

static void test_failed_ones_again(void **state)
{
    struct store_failure failure;
    char error[256];
    (void) state;
    give_order((struct order){ .result = ACTION_GIVE_UP, .times = 40 });
    start_with(ACTION);
    add_events(40);
    wait_until(status_of_first().n_failed == 40);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 40);

    assert_int_equal(delivery_retry(delivery, "a", 7, &err), 0);
    wait_until(world.n_delivered == 1);
    assert_int_equal(world.delivered[0], 7);
    wait_until(delivery_unsaved(delivery));
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 39);

    assert_int_equal(delivery_retry(delivery, "a", 0, &err), 0);
    wait_until(status_of_first().n_delivered == 40);
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 0);
    assert_int_equal(stored_cursor("a"), 40);
    assert_int_equal(delivery_retry(delivery, "nobody", 0, &err), -ENOENT);
}

static void fail_all(unsigned n)
{
    give_order((struct order){ .result = ACTION_GIVE_UP, .times = n });
    start_with(ACTION);
    add_events(n);
    wait_until(status_of_first().n_failed == n);
    assert_int_equal(save(false), 0);
}

/* Thousands that are delivered again are taken off the list by the writer, for whom requests wait. */
static void test_one_of_many_is_found_at_once(void **state)
{
    (void) state;
    start_with(ACTION);
    assert_int_equal(store_begin(store, &err), 0);
    for (uint64_t id = 1; id <= 1000; id++) {
        const struct store_failure failure = {
            .action = "a", .event_id = id, .attempts = 1, .error = "old", .at_us = 1
        };
        assert_int_equal(store_put_failed(store, &failure, &err), 0);
    }
    (void) sqlite3_stmt_status(store->statements[DROP_FAILED], SQLITE_STMTSTATUS_VM_STEP, true);
    assert_int_equal(store_drop_failed(store, "a", 1000, &err), 0);
    assert_true(sqlite3_stmt_status(store->statements[DROP_FAILED], SQLITE_STMTSTATUS_VM_STEP, false) < 100);
    assert_int_equal(store_commit(store, &err), 0);
}

/* Impatient people ask twice: each is delivered once. */
static void test_all_again_twice(void **state)
{
    (void) state;
    fail_all(100);
    give_order((struct order){ .id = 40, .hold = true });
    assert_int_equal(delivery_retry(delivery, "a", 0, &err), 0);
    wait_until(world.n_delivered == 39);
    assert_int_equal(delivery_retry(delivery, "a", 0, &err), 0);
    release();
    add_events(1);
    wait_until(status_of_first().cursor == 101);
    wait_until(world.n_delivered >= 101);
    assert_int_equal(world.n_delivered, 101);
}

static void test_again_where_it_is_off(void **state)
{
    (void) state;
    fail_all(50);
    give_order((struct order){ .id = 51, .result = ACTION_OFF, .times = 1 });
    add_events(1);
    wait_until(status_of_first().state == DELIVERY_OFF);
    assert_int_equal(delivery_retry(delivery, "a", 0, &err), 0);
    reload_with(ACTION);
    wait_until(world.n_delivered == 51);
}

static void test_again_where_it_is_changed_meanwhile(void **state)
{
    (void) state;
    fail_all(50);
    give_order((struct order){ .id = 3, .hold = true });
    assert_int_equal(delivery_retry(delivery, "a", 0, &err), 0);
    wait_until(world.n_delivered == 2);
    reload_with(ACTION_WITH("timeout: \"3s\""));
    release();
    wait_until(world.n_delivered == 50);
}

static bool reading_fails(void)
{
    struct worker *worker = delivery->workers[0];
    pthread_mutex_lock(&worker->lock);
    bool fails = worker->read_failed;
    pthread_mutex_unlock(&worker->lock);
    return fails;
}

static void test_again_where_the_log_cannot_be_read(void **state)
{
    struct store_failure failure = { .action = "a", .event_id = 1, .attempts = 1, .error = "old", .at_us = 1 };
    char away[160];
    (void) state;
    start_with("");
    add_events(1);
    assert_int_equal(store_put_failed(store, &failure, &err), 0);
    snprintf(away, sizeof(away), "%s.away", path);
    assert_int_equal(rename(path, away), 0);
    reload_with(ACTION);
    assert_int_equal(delivery_retry(delivery, "a", 0, &err), 0);
    wait_until(reading_fails());
    assert_int_equal(rename(away, path), 0);
    wait_until(world.n_delivered == 1);
}

/* It was refused when it came, so nobody gets it. */
static void test_refused_is_not_delivered_again(void **state)
{
    const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "::1" };
    const struct event event = { .id = 1,
                                 .time_us = now_us(),
                                 .type = "EVENT_911",
                                 .community = "default",
                                 .realm = "default",
                                 .origin = &origin,
                                 .verdict = EVENT_INVALID,
                                 .data_text = { DATA, sizeof(DATA) - 1 } };
    (void) state;
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append(store, &event, NULL, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    start_with(ACTION);
    assert_int_equal(delivery_retry(delivery, "a", 1, &err), 0);
    add_events(1);
    wait_until(status_of_first().cursor == 2);
    assert_delivered((uint64_t[]){ 2 }, 1);
}

static void test_what_retention_took(void **state)
{
    struct store_failure failure = { .action = "a", .event_id = 999, .attempts = 1, .error = "old", .at_us = 1 };
    char error[256];
    (void) state;
    start_with(ACTION);
    assert_int_equal(store_put_failed(store, &failure, &err), 0);
    assert_int_equal(delivery_retry(delivery, "a", 0, &err), 0);
    wait_until(delivery_unsaved(delivery));
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_failures(&failure, error), 0);
}

static void test_replay(void **state)
{
    (void) state;
    start_with(ACTION);
    add_events(3);
    wait_until(status_of_first().cursor == 3);
    assert_int_equal(delivery_replay(delivery, "a", 2, &err), 0);
    wait_until(world.n_delivered == 5);
    assert_delivered((uint64_t[]){ 1, 2, 3, 2, 3 }, 5);
    assert_int_equal(delivery_replay(delivery, "a", 5, &err), -ERANGE);
    assert_int_equal(delivery_replay(delivery, "a", 0, &err), -ERANGE);
    assert_int_equal(delivery_replay(delivery, "b", 1, &err), -ENOENT);
    assert_int_equal(delivery_replay(delivery, "a", 4, &err), 0);
}

static void test_replay_while_it_fails(void **state)
{
    (void) state;
    give_order((struct order){ .id = 2, .result = ACTION_RETRY });
    start_with(ACTION);
    add_events(3);
    wait_until(status_of_first().state == DELIVERY_FAILING);
    assert_int_equal(delivery_replay(delivery, "a", 3, &err), 0);
    wait_until(status_of_first().cursor == 3);
    assert_delivered((uint64_t[]){ 1, 3 }, 2);
}

static void test_stop_cancels(void **state)
{
    (void) state;
    give_order((struct order){ .id = 1, .hold = true });
    start_with(ACTION);
    add_events(1);
    wait_until(world.n_tried == 1);
    delivery_stop(delivery, 0);
    assert_int_equal(world.n_open, 0);
    assert_int_equal(status_of_first().cursor, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delivery_test(test_reload),
        delivery_test(test_reload_while_it_delivers),
        delivery_test(test_cursors_survive),
        delivery_test(test_strangers_go),
        delivery_test(test_save_that_fails),
        delivery_test(test_failed_ones_again),
        delivery_test(test_one_of_many_is_found_at_once),
        delivery_test(test_all_again_twice),
        delivery_test(test_again_where_it_is_off),
        delivery_test(test_again_where_it_is_changed_meanwhile),
        delivery_test(test_again_where_the_log_cannot_be_read),
        delivery_test(test_refused_is_not_delivered_again),
        delivery_test(test_what_retention_took),
        delivery_test(test_replay),
        delivery_test(test_replay_while_it_fails),
        delivery_test(test_stop_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
