/* test_store_plans.c - no statement of the writer reads a whole table: in a million events that takes seconds, in which
 * none is stored. */
#include "store_described.h"

#include "store_private.h"

#define N_EVENTS 2000
#define FEW 20 /* cursors and lives are */

static void test_no_whole_table(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(1000 * USEC_PER_SEC, 0);
    append_described(store, N_EVENTS);
    assert_int_equal(store_set_cursor(store, "action", 5, &err), 0);
    assert_int_equal(store_set_cursor(store, "action", N_EVENTS, &err), 0);
    assert_int_equal(trim_all(store, (N_EVENTS + 1) * USEC_PER_SEC, &unread), N_EVENTS / 2);
    store_configure(store, &(struct store_settings){ .durable = true, .max_size_bytes = 100000 });
    assert_true(trim_all(store, (N_EVENTS + 1) * USEC_PER_SEC, &unread) > 0);
    for (int i = 0; i < N_STATEMENTS; i++)
        if (sqlite3_stmt_status(store->statements[i], SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) > FEW)
            fail_msg("it reads all there is: %s", sqlite3_sql(store->statements[i]));
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE event_id < (SELECT min(id) FROM events)"), 0);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_no_whole_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
