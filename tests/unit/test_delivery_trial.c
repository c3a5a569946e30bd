/* test_delivery_trial.c - a made-up event for one action: whatever its worker does, and nothing is left of it. */
#include "delivery_helpers.h"

static int try_sample(const char *action)
{
    const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "127.0.0.1" };
    const struct event event = { .type = "EVENT_911",
                                 .time_us = now_us(),
                                 .community = "default",
                                 .realm = "default",
                                 .origin = &origin,
                                 .verdict = EVENT_ACCEPTED,
                                 .data_text = { DATA, sizeof(DATA) - 1 } };
    struct batch batch;
    assert_int_equal(batch_restore(&batch, &event, &families_all), 0);
    int r = delivery_try(delivery, action, &batch, &err);
    batch_done(&batch);
    return r;
}

static bool is_under_way(struct delivery_trial *ret)
{
    assert_int_equal(delivery_tried(delivery, ret), 0);
    return ret->under_way;
}

static struct delivery_trial outcome(void)
{
    struct delivery_trial trial;
    wait_until(!is_under_way(&trial));
    return trial;
}

static void test_delivered(void **state)
{
    struct delivery_trial trial;
    (void) state;
    start_with(ACTION);
    assert_int_equal(delivery_tried(delivery, &trial), -ENOENT);
    assert_int_equal(try_sample("a"), 0);
    trial = outcome();
    assert_true(trial.tried);
    assert_int_equal(trial.result, ACTION_DONE);
    assert_int_equal(trial.left_out, LEFT_OUT_NOT);
    assert_string_equal(trial.action, "a");
    assert_string_equal(trial.type, "EVENT_911");
    assert_string_equal(trial.error, "");
    assert_int_equal(world.n_delivered, 1);
    struct delivery_status status = status_of_first();
    assert_int_equal(status.n_attempts + status.n_delivered + status.cursor, 0);
    assert_false(delivery_unsaved(delivery));
}

static void test_filter(void **state)
{
    (void) state;
    start_with(ACTION_WITH("when: [ \"/call/callId = 7\", \"/call/x exists\" ]"));
    assert_int_equal(try_sample("a"), 0);
    struct delivery_trial trial = outcome();
    assert_int_equal(trial.left_out, LEFT_OUT_WHEN);
    assert_string_equal(trial.condition, "/call/x exists");
    assert_int_equal(trial.result, ACTION_DONE);
}

/* Its worker is in the middle of something that does not end. */
static void test_beside_its_worker(void **state)
{
    (void) state;
    start_with(ACTION);
    give_order((struct order){ .id = 1, .hold = true });
    give_order((struct order){ .result = ACTION_RETRY, .answer = "503" });
    add_events(1);
    wait_until(world.n_tried == 1);
    assert_int_equal(try_sample("a"), 0);
    struct delivery_trial trial = outcome();
    assert_int_equal(trial.result, ACTION_RETRY);
    assert_string_equal(trial.error, "ordered to fail");
    assert_string_equal(trial.answer, "503");
    assert_int_equal(world.n_tried, 2); /* once */
    assert_int_equal(status_of_first().cursor, 0);
}

static void test_missing(void **state)
{
    (void) state;
    world.missing = true;
    start_with(ACTION);
    assert_int_equal(try_sample("a"), 0);
    struct delivery_trial trial = outcome();
    assert_false(trial.tried);
    assert_non_null(strstr(trial.error, "expected a program"));
    assert_int_equal(try_sample("b"), -ENOENT);
}

/* One at a time, over a reload, and cancelled at the end, which waits for it. */
static void test_under_way(void **state)
{
    struct delivery_trial trial;
    (void) state;
    start_with(ACTION);
    give_order((struct order){ .hold = true });
    assert_int_equal(try_sample("a"), 0);
    wait_until(world.n_tried == 1);
    assert_int_equal(try_sample("a"), -EBUSY);
    reload_with("");
    assert_true(is_under_way(&trial));
    delivery_stop(delivery, USEC_PER_SEC);
    assert_int_equal(delivery_tried(delivery, &trial), -ENOENT);
    assert_int_equal(world.n_delivered, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delivery_test(test_delivered), delivery_test(test_filter),    delivery_test(test_beside_its_worker),
        delivery_test(test_missing),   delivery_test(test_under_way),
    };
    return cmocka_run_group_tests_name("delivery_trial", tests, NULL, NULL);
}
