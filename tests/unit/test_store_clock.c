/* test_store_clock.c - events deleted by age, while the clock does what it likes. */
#include "store_helpers.h"

#define HOUR_US (3600 * USEC_PER_SEC)
#define DAY_US (24 * HOUR_US)
#define KEEP_US (30 * DAY_US)
#define T0 (20000 * DAY_US) /* now, at the beginning of each test */
#define UP (400 * DAY_US)   /* and how long the machine is up */
#define RESTARTED (USEC_PER_SEC * 60)

static struct store *store;
static struct store_trimmed trimmed;

static void append_at(usec_t time_us)
{
    uint64_t id = store_last_id(store) + 1;
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(append_one(store, id, time_us, "EVENT_911", 0), 0);
    assert_int_equal(store_commit(store, &err), 0);
}

/* An event every hour of the last so many days. */
static void fill(unsigned days)
{
    store = open_store(KEEP_US, 0);
    for (usec_t at = T0 - days * DAY_US; at <= T0; at += HOUR_US)
        append_at(at);
}

static void reopen(void)
{
    store_close(store);
    store = open_store(KEEP_US, 0);
}

/* How many go when so much time has passed, and the clock is ahead by so much. */
static uint64_t after(usec_t passed_us, int64_t ahead_us)
{
    return trim_at(store, T0 + passed_us + (usec_t) ahead_us, UP + passed_us, &trimmed);
}

static void test_time_passes(void **state)
{
    (void) state;
    fill(40);
    assert_int_equal(after(0, 0), 10 * 24);
    assert_int_equal(after(HOUR_US, 0), 1);
    assert_int_equal(after(20 * DAY_US, 0), 20 * 24 - 1); /* nobody sends, and the clock is right */
    assert_int_equal(trimmed.jump_us, 0);
    store_close(store);
}

static void test_jump_ahead(void **state)
{
    (void) state;
    const int64_t jump = 31 * (int64_t) DAY_US;
    fill(5);
    assert_int_equal(after(0, 0), 0);
    append_at(T0 + (usec_t) jump); /* by the clock that has jumped */
    assert_int_equal(after(10 * USEC_PER_SEC, jump), 0);
    assert_int_equal(trimmed.jump_us, jump);
    assert_false(trimmed.quiet);
    assert_int_equal(after(20 * USEC_PER_SEC, jump), 0);
    assert_int_equal(trimmed.jump_us, 0); /* told once */
    assert_int_equal(after(DAY_US, jump), 0);
    assert_false(trimmed.believed);
    assert_int_equal(after(DAY_US + 20 * USEC_PER_SEC, jump), 5 * 24 + 1);
    assert_true(trimmed.believed);
    assert_int_equal(after(DAY_US + HOUR_US, jump), 0);
    assert_false(trimmed.believed);
    assert_int_equal(store_last_id(store), 5 * 24 + 2);
    store_close(store);
}

static void test_jump_that_is_put_right(void **state)
{
    (void) state;
    fill(30);
    assert_int_equal(after(0, 0), 0);
    assert_int_equal(after(HOUR_US, 300 * (int64_t) DAY_US), 1); /* as old as it is */
    assert_int_equal(after(2 * HOUR_US, 0), 1);
    assert_int_equal(trimmed.jump_us, -300 * (int64_t) DAY_US);
    assert_int_equal(after(2 * DAY_US, 0), 46);
    store_close(store);
}

/* Whoever starts behind the jump sees a log that agrees with the clock, but not for a day yet. */
static void test_jump_and_restart(void **state)
{
    (void) state;
    const int64_t jump = 31 * (int64_t) DAY_US;
    fill(5);
    for (usec_t passed = HOUR_US; passed <= 20 * HOUR_US; passed += HOUR_US)
        append_at(T0 + passed + (usec_t) jump);
    reopen();
    assert_int_equal(after(20 * HOUR_US, jump), 0);
    for (usec_t passed = 21 * HOUR_US; passed <= 30 * HOUR_US; passed += HOUR_US)
        append_at(T0 + passed + (usec_t) jump);
    reopen();
    assert_int_equal(after(30 * HOUR_US, jump), 5 * 24 + 1);
    store_close(store);
}

/* A restored machine, or one without a battery: up for a minute, and the newest event is of long ago. */
static void test_start_far_ahead(void **state)
{
    (void) state;
    const usec_t away = 40 * DAY_US;
    fill(5);
    assert_int_equal(trim_at(store, T0 + away, RESTARTED, &trimmed), 0);
    assert_int_equal(trimmed.jump_us, away - RESTARTED);
    assert_true(trimmed.quiet);
    append_at(T0 + away);
    reopen();
    assert_int_equal(trim_at(store, T0 + away + 60, RESTARTED + 60, &trimmed), 0);
    assert_int_equal(trim_at(store, T0 + away + DAY_US + 60, RESTARTED + DAY_US + 60, &trimmed), 5 * 24 + 1);
    store_close(store);
}

/* As restore leaves it; what it takes for the time is the clock of then. */
static void put_back_at(usec_t time_us)
{
    char sql[200];
    sqlite3 *db = NULL;
    store_close(store);
    snprintf(sql, sizeof(sql),
             "UPDATE lives SET epoch = %llu; INSERT OR REPLACE INTO meta (name, value) VALUES ('restored', 'before')",
             (unsigned long long) (time_us / USEC_PER_MSEC));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    store = open_store(KEEP_US, 0);
}

/* An old copy is no clock that is ahead, but nothing is deleted sooner for it. */
static void test_put_back(void **state)
{
    const usec_t away = 40 * DAY_US;
    (void) state;
    fill(5);
    put_back_at(T0 + away);
    assert_int_equal(trim_at(store, T0 + away + HOUR_US, RESTARTED, &trimmed), 0);
    assert_int_equal(trimmed.jump_us, 0);
    put_back_at(T0 + away);
    assert_int_equal(trim_at(store, T0 + 2 * away, RESTARTED, &trimmed), 0);
    assert_int_equal(trimmed.jump_us, 2 * away - RESTARTED);
    put_back_at(T0 + 3 * away); /* by a clock that was ahead */
    assert_int_equal(trim_at(store, T0 + 2 * away, RESTARTED, &trimmed), 0);
    assert_int_equal(trimmed.jump_us, 2 * away - RESTARTED);
    assert_int_equal(trim_at(store, T0 + 2 * away + DAY_US, RESTARTED + DAY_US, &trimmed), 5 * 24);
    store_close(store);
}

/* A night without events and a restart are no jump. */
static void test_start_after_silence(void **state)
{
    (void) state;
    fill(31);
    assert_int_equal(trim_at(store, T0 + 10 * HOUR_US, RESTARTED, &trimmed), 25);
    assert_int_equal(trimmed.jump_us, 0);
    reopen();
    assert_int_equal(trim_at(store, T0 + 11 * HOUR_US, 20 * DAY_US, &trimmed), 10);
    assert_int_equal(trimmed.jump_us, 0);
    store_close(store);
}

static void test_back(void **state)
{
    (void) state;
    fill(40);
    assert_int_equal(after(0, -100 * (int64_t) DAY_US), 0);
    assert_int_equal(trimmed.jump_us, -100 * (int64_t) DAY_US);
    append_at(T0 - 100 * DAY_US);
    assert_int_equal(after(HOUR_US, -100 * (int64_t) DAY_US), 0);
    assert_int_equal(trimmed.jump_us, 0);
    assert_int_equal(after(2 * HOUR_US, 0), 0); /* right again, for two hours */
    assert_int_equal(after(2 * DAY_US, 0), 12 * 24);
    store_close(store);
}

/* Times that only somebody else can have written; a sanitizer sees what they do. */
static void test_times_out_of_range(void **state)
{
    const usec_t times[] = { INT64_MAX, (usec_t) INT64_MIN, UINT64_MAX, 0 };
    (void) state;
    store = open_store(KEEP_US, 0);
    append_at(T0 - HOUR_US);
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        append_at(times[i]);
        reopen();
        assert_int_equal(after(0, 0), 0);
        assert_true(trimmed.jump_us != 0);
    }
    store_close(store);
}

/* max_size asks no clock. */
static void test_size_in_doubt(void **state)
{
    (void) state;
    store = open_store(KEEP_US, 1000000);
    assert_int_equal(append_many(store, 100, 30000), 0);
    assert_true(trim_at(store, T0, RESTARTED, &trimmed) > 50);
    assert_true(trimmed.jump_us > 0);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_time_passes),
        store_test(test_jump_ahead),
        store_test(test_jump_that_is_put_right),
        store_test(test_jump_and_restart),
        store_test(test_start_far_ahead),
        store_test(test_put_back),
        store_test(test_start_after_silence),
        store_test(test_back),
        store_test(test_times_out_of_range),
        store_test(test_size_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
