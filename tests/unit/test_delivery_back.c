/* test_delivery_back.c - an action whose target is to have each event, and may lose what it had: that comes again. */
#define FAKE_BATCH 8
#define FAKE_MIRRORS true
#include "delivery_helpers.h"

static void order_back(uint64_t at_id, uint64_t back_id, uint64_t back_max)
{
    give_order(
        (struct order){ .id = at_id, .result = ACTION_BACK, .times = 1, .back_id = back_id, .back_max = back_max });
}

static void expect_delivered_again(uint64_t n, uint64_t until_id, uint64_t from_id)
{
    size_t i = 0;
    wait_until(status_of_first().cursor == n);
    for (uint64_t id = world.delivered[0]; id <= until_id; id++)
        assert_int_equal(world.delivered[i++], id);
    for (uint64_t id = from_id; id <= n; id++)
        assert_int_equal(world.delivered[i++], id);
    assert_int_equal(world.n_delivered, i);
}

static void test_back(void **state)
{
    (void) state;
    order_back(6, 3, 0);
    start_with(ACTION);
    add_events(8);
    expect_delivered_again(8, 5, 3);
    assert_int_equal(status_of_first().n_attempts, world.n_delivered); /* none for what comes again */
    assert_int_equal(save(false), 0);
    assert_int_equal(stored_cursor("a"), 8);
}

/* In the middle of that the daemon is killed: it goes on there. */
static void test_place_is_kept(void **state)
{
    (void) state;
    order_back(6, 3, 0);
    give_order((struct order){ .id = 4, .result = ACTION_DONE, .times = 1 });
    start_with(ACTION);
    add_events(5);
    wait_until(status_of_first().cursor == 5);
    assert_int_equal(save(false), 0);
    give_order((struct order){ .id = 4, .hold = true });
    add_events(3);
    wait_until(status_of_first().cursor < 5);
    assert_int_equal(save(false), 0);
    assert_true(stored_cursor("a") <= 3);
    release();
    wait_until(status_of_first().cursor == 8);
}

/* Also after a restart. */
static void test_not_before_it_began(void **state)
{
    (void) state;
    store_close(store);
    store = open_store(0, 0);
    feed = NULL;
    assert_int_equal(feed_new(&feed, store, &families_all), 0);
    add_events(4);
    start_with(ACTION);
    add_events(2);
    wait_until(status_of_first().cursor == 6);
    assert_int_equal(save(false), 0);
    assert_int_equal(delivery_stop(delivery, USEC_PER_SEC), 0);
    delivery = delivery_free(delivery);
    config = config_free(config);
    world.n_delivered = 0;
    order_back(8, 1, 0);
    start_with(ACTION);
    add_events(2);
    expect_delivered_again(8, 7, 5);
}

/* Nor one that a reload brought. */
static void test_not_before_a_reload_made_it(void **state)
{
    (void) state;
    start_with("");
    add_events(4);
    reload_with(ACTION);
    assert_int_equal(save(false), 0);
    uint64_t began_id = 0;
    assert_int_equal(store_get_began(store, "a", &began_id, &err), 0);
    assert_int_equal(began_id, 4);
    order_back(6, 1, 0);
    add_events(2);
    expect_delivered_again(6, 5, 5);
    reload_with("");
    assert_int_equal(save(false), 0);
    assert_int_equal(store_get_began(store, "a", &began_id, &err), 0);
    assert_int_equal(began_id, 0);
}

static void test_not_further_than_wanted(void **state)
{
    (void) state;
    order_back(6, 1, 4);
    start_with(ACTION);
    add_events(8);
    expect_delivered_again(8, 5, 5);
}

/* Nothing of that is before what it has in hand: it goes on. */
static void test_nowhere_to_go(void **state)
{
    (void) state;
    order_back(6, 1, 2);
    start_with(ACTION);
    add_events(8);
    expect_delivered_again(8, 5, 6);
}

/* Meanwhile somebody sends it elsewhere, and that counts. */
static void test_replay_counts_more(void **state)
{
    (void) state;
    give_order((struct order){ .id = 6, .result = ACTION_BACK, .hold = true, .times = 1, .back_id = 4 });
    start_with(ACTION);
    add_events(8);
    wait_until(world.n_tried == 6);
    assert_int_equal(delivery_replay(delivery, "a", 2, &err), 0);
    release();
    expect_delivered_again(8, 5, 2);
}

/* ---- what failed, and comes again ---- */

static unsigned count_stored_failures(void)
{
    struct store_failure failure;
    char error[256];
    assert_int_equal(save(false), 0);
    return stored_failures(&failure, error);
}

/* What is delivered when it comes again is no longer on the list of failed ones: of this life, */
static void test_failed_comes_again(void **state)
{
    (void) state;
    give_order((struct order){ .id = 3, .result = ACTION_GIVE_UP, .times = 1 });
    give_order((struct order){ .id = 4, .result = ACTION_GIVE_UP, .times = 2 });
    start_with(ACTION);
    add_events(5);
    wait_until(status_of_first().cursor == 5);
    assert_int_equal(count_stored_failures(), 2);
    order_back(6, 2, 0);
    add_events(1);
    wait_until(status_of_first().cursor == 6);
    assert_int_equal(count_stored_failures(), 1);
}

/* of one before a restart, and before a reload. */
static void test_failed_comes_again_later(void **state)
{
    (void) state;
    give_order((struct order){ .id = 3, .result = ACTION_GIVE_UP, .times = 1 });
    start_with(ACTION);
    add_events(4);
    wait_until(status_of_first().cursor == 4);
    assert_int_equal(count_stored_failures(), 1);
    assert_int_equal(delivery_stop(delivery, USEC_PER_SEC), 0);
    delivery = delivery_free(delivery);
    config = config_free(config);
    start_with(ACTION);
    reload_with(ACTION_WITH("timeout: \"9s\""));
    order_back(5, 2, 0);
    add_events(1);
    wait_until(status_of_first().cursor == 5);
    assert_int_equal(count_stored_failures(), 0);
}

/* ---- all of the log ---- */

static void add_one(enum event_verdict verdict, usec_t time_us, const char *node)
{
    const struct origin origin = { .source = "session", .name = "main", .peer = "127.0.0.1" };
    const struct event event = { .id = store_last_id(store) + 1,
                                 .time_us = time_us,
                                 .type = "EVENT_911",
                                 .community = "default",
                                 .realm = "default",
                                 .home = { .node = node, .log = "ab", .id = 1 },
                                 .origin = &origin,
                                 .verdict = verdict,
                                 .data_text = { DATA, sizeof(DATA) - 1 } };
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append(store, &event, NULL, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    feed_grow(feed, store_last_id(store));
}

/* Late ones too, and those of our own making; none that was refused, and none of another node. */
static void test_which(void **state)
{
    (void) state;
    start_with(ACTION);
    add_one(EVENT_ACCEPTED, now_us(), NULL);
    add_one(EVENT_INTERNAL, now_us(), NULL);
    add_one(EVENT_ACCEPTED, now_us() - 3600 * USEC_PER_SEC, NULL);
    add_one(EVENT_INVALID, now_us(), NULL);
    add_one(EVENT_ACCEPTED, now_us(), "edge2");
    add_one(EVENT_ACCEPTED, now_us(), NULL);
    wait_until(status_of_first().cursor == 6);
    assert_delivered((uint64_t[]){ 1, 2, 3, 6 }, 4);
}

static void test_never_given_up(void **state)
{
    (void) state;
    give_order((struct order){ .id = 1, .result = ACTION_RETRY, .times = 3 });
    start_with(ACTION_WITH("give_up_after: \"1ms\""));
    add_events(2);
    wait_until(status_of_first().cursor == 2);
    assert_delivered((uint64_t[]){ 1, 2 }, 2);
    assert_int_equal(status_of_first().n_failed, 0);
}

/* ---- the log ---- */

static void test_log(void **state)
{
    (void) state;
    uint64_t id = 0;
    start_with(ACTION);
    add_events(2);
    wait_until(status_of_first().cursor == 2);
    const struct action_log *log = world.log;
    uint64_t epoch_ms = log->newest_epoch_ms(log->userdata);
    assert_int_equal(log->epoch_ms(log->userdata, 1), epoch_ms);
    assert_int_equal(log->look_told(log->userdata, epoch_ms, 1, &id), FEED_IS_OURS);
    assert_int_equal(id, 1);
    assert_int_equal(log->look_told(log->userdata, epoch_ms, 7, &id), FEED_IS_AHEAD);
    assert_false(delivery_wants_life(delivery));
    const struct store_life life = { .log = "ab", .epoch_ms = epoch_ms + 7, .first_id = 3 };
    assert_int_equal(feed_begin_life(feed, &life), 0);
    assert_int_equal(log->newest_epoch_ms(log->userdata), epoch_ms + 7);
    assert_int_equal(log->epoch_ms(log->userdata, 2), epoch_ms);
    assert_int_equal(log->epoch_ms(log->userdata, 3), epoch_ms + 7);
    unsigned n = n_pokes;
    log->renew(log->userdata);
    assert_true(delivery_wants_life(delivery) && n_pokes > n);
    delivery_has_life(delivery);
    assert_false(delivery_wants_life(delivery));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        delivery_test(test_back),
        delivery_test(test_place_is_kept),
        delivery_test(test_not_before_it_began),
        delivery_test(test_not_before_a_reload_made_it),
        delivery_test(test_not_further_than_wanted),
        delivery_test(test_nowhere_to_go),
        delivery_test(test_replay_counts_more),
        delivery_test(test_failed_comes_again),
        delivery_test(test_failed_comes_again_later),
        delivery_test(test_which),
        delivery_test(test_never_given_up),
        delivery_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
