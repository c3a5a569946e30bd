/* test_summary.c - what status tells of the log takes a few looks, not a walk through all there is. */
#include "store_described.h"

#include "../../src/ctl/summary.h"

#define N_EVENTS 20000
#define STEPS_AT_ONCE 100

static uint64_t n_steps;

static int count_steps(void *userdata)
{
    (void) userdata;
    n_steps += STEPS_AT_ONCE;
    return 0;
}

/* Of every connection that is opened from now on. */
static int watch(sqlite3 *db, char **ret_error, const struct sqlite3_api_routines *api)
{
    (void) ret_error;
    (void) api;
    sqlite3_progress_handler(db, STEPS_AT_ONCE, count_steps, NULL);
    return 0;
}

static uint64_t last_hour(usec_t now)
{
    struct summary summary = SUMMARY_INIT;
    if (summary_read(path, now, &summary, &err) < 0)
        fail_msg("%s", err.msg);
    uint64_t n = summary.last_hour;
    summary_free(&summary);
    return n;
}

/* An event comes each second. */
static void test_few_looks(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(1000 * USEC_PER_SEC, 0);
    append_described(store, N_EVENTS);
    sqlite3_auto_extension((void (*)(void)) watch);
    n_steps = 0;
    assert_int_equal(last_hour(N_EVENTS * USEC_PER_SEC + 500 * USEC_PER_MSEC), 3600);
    sqlite3_reset_auto_extension();
    assert_in_range(n_steps, 1, N_EVENTS);
    assert_int_equal(last_hour((N_EVENTS + 4000) * USEC_PER_SEC), 0);

    assert_int_equal(trim_all(store, (N_EVENTS + 1) * USEC_PER_SEC, &unread), N_EVENTS - 1000);
    assert_int_equal(last_hour(N_EVENTS * USEC_PER_SEC), 1000);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_few_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
