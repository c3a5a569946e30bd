/* test_store_failed.c - how many failed deliveries there are of each action, whatever becomes of a transaction. */
#include "store_helpers.h"

static void put(struct store *store, const char *action, uint64_t event_id)
{
    const struct store_failure failure = {
        .action = action, .event_id = event_id, .attempts = 1, .error = "HTTP 500", .at_us = 1
    };
    assert_int_equal(store_put_failed(store, &failure, &err), 0);
}

static void begin(struct store *store)
{
    assert_int_equal(store_begin(store, &err), 0);
}

/* What is counted along is what there is. */
static void assert_failed(const struct store *store, uint64_t bot, uint64_t siren)
{
    assert_int_equal(store_count_failed(store, "bot"), bot);
    assert_int_equal(store_count_failed(store, "siren"), siren);
    assert_int_equal(ask_number("SELECT count(*) FROM failed WHERE action = 'bot'"), bot);
    assert_int_equal(ask_number("SELECT count(*) FROM failed WHERE action = 'siren'"), siren);
}

static void test_counted(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 4, 0), 0);
    assert_failed(store, 0, 0);
    begin(store);
    put(store, "bot", 1);
    put(store, "bot", 1); /* tried again, in vain */
    put(store, "bot", 2);
    put(store, "siren", 2);
    assert_int_equal(store_commit(store, &err), 0);
    assert_failed(store, 2, 1);
    begin(store);
    put(store, "bot", 3);
    assert_int_equal(store_drop_failed(store, "siren", 0, &err), 0);
    store_rollback(store);
    assert_failed(store, 2, 1);
    begin(store);
    assert_int_equal(store_drop_failed(store, "bot", 1, &err), 0);
    assert_int_equal(store_drop_failed(store, "bot", 99, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    assert_failed(store, 1, 1);
    begin(store);
    assert_int_equal(store_drop_cursor(store, "bot", &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    assert_failed(store, 0, 1);
    store_close(store);
}

/* Also those of an action that is not configured, which went with its events. */
static void test_they_go_with_old_events(void **state)
{
    uint64_t n_unread;
    (void) state;
    struct store *store = open_store(100 * USEC_PER_SEC, 0);
    assert_int_equal(append_many(store, 200, 0), 0);
    begin(store);
    for (uint64_t id = 91; id <= 110; id++)
        put(store, "bot", id);
    put(store, "siren", 5);
    assert_int_equal(store_commit(store, &err), 0);
    store_close(store);

    store = open_store(100 * USEC_PER_SEC, 0);
    assert_failed(store, 20, 1);
    assert_int_equal(trim_all(store, 201 * USEC_PER_SEC, &n_unread), 100);
    assert_failed(store, 10, 0);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_counted),
        store_test(test_they_go_with_old_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
