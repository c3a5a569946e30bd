/* test_pipeline_ahead.c - a start on a log that is long enough to be read ahead knows what was known before it: of
 * large events and small ones, of those that are no JSON any more; and it ends when it is asked to. */
#include "pipeline_helpers.h"

#define N_REQUESTS 40
#define EACH 100
#define LARGE_BYTES ((size_t) 300 << 10)

static struct text said = TEXT_INIT;

#include <errno.h>
#include <pthread.h>
static _Atomic int create_fails_at = -1, n_seeks, fail_seek_at = -1;
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *u);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *u);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *u)
{
    if (create_fails_at >= 0 && create_fails_at-- == 0)
        return EAGAIN;
    return __real_pthread_create(t, a, f, u);
}
int __real_store_seek(struct store_reader *r, const struct store_filter *f, struct err *e);
int __wrap_store_seek(struct store_reader *r, const struct store_filter *f, struct err *e);
int __wrap_store_seek(struct store_reader *r, const struct store_filter *f, struct err *e)
{
    if (n_seeks++ == fail_seek_at)
        return err_set(e, -EIO, "cannot seek");
    return __real_store_seek(r, f, e);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static char *statuses(void)
{
    struct text body = TEXT_INIT;
    text_add(&body, "{\"key\":\"" KEY "\",\"type\":\"EVENT_UNIT_STATUS\",\"data\":[");
    for (unsigned i = 0; i < EACH; i++)
        text_addf(&body, "%s{\"identIds\":[%u],\"status\":%u}", i ? "," : "", 40 + (unsigned) random_below(50),
                  (unsigned) random_below(5));
    text_add(&body, "]}");
    assert_false(body.failed);
    return body.s;
}

static char *call911(unsigned id, size_t bytes)
{
    struct text body = TEXT_INIT;
    text_addf(&body,
              "{\"key\":\"" KEY "\",\"type\":\"EVENT_911\",\"data\":{\"call\":{\"callId\":%u,\"caller\":\"John Doe\","
              "\"location\":\"Pier Rd\",\"isEmergency\":true,\"description\":\"",
              id);
    for (size_t i = 0; i < bytes; i++)
        text_add(&body, "x");
    text_add(&body, "\"}}}");
    assert_false(body.failed);
    return body.s;
}

/* Among small ones, some that fill a chunk each, and some that change nothing. */
static void say_much(void)
{
    for (unsigned i = 0; i < N_REQUESTS; i++) {
        usec_t time_us = T0 + i * MINUTE_US;
        assert_int_equal(post(statuses(), time_us), 0);
        assert_int_equal(post(call911(i, i % 8 == 3 ? LARGE_BYTES : 20 * i), time_us), 0);
        assert_int_equal(post(strdup("{\"key\":\"" KEY "\",\"type\":\"GET_LOGS\",\"data\":{}}"), time_us), 0);
    }
    dump(&said);
}

static void know_the_same(void)
{
    struct text now CLEANUP(text_free) = TEXT_INIT;
    dump(&now);
    assert_string_equal(now.s, said.s);
    assert_int_equal(state_as_of(cad), store_last_id(store));
}

static void test_known_again(void **state)
{
    (void) state;
    say_much();
    for (int i = 0; i < 3; i++) {
        stop();
        start();
        know_the_same();
    }
}

/* Nothing is told yet: what was decided is read, too. */
static void test_untold(void **state)
{
    (void) state;
    say_much();
    stop();
    run_sql("DELETE FROM cursors");
    start();
    know_the_same();
}

static void test_no_json(void **state)
{
    (void) state;
    say_much();
    assert_int_equal(post(call911(90, 3), T0 + DAY_US / 2), 0);
    assert_int_equal(post(call911(91, 3), T0 + DAY_US / 2), 0);
    stop();
    run_sql("UPDATE events SET data = '{\"call\":{' WHERE id = (SELECT max(id) FROM events)");
    start();
    assert_non_null(state_find_call911(cad, "default", 90));
    assert_null(state_find_call911(cad, "default", 91));
    assert_int_equal(state_as_of(cad), store_last_id(store));
}

static _Atomic int n_asked;

static bool after_some(void)
{
    return ++n_asked > 5;
}

static void test_asked_to_end(void **state)
{
    (void) state;
    const struct pipeline_recovery recovery = { path, &families_all, after_some, heard, NULL };
    say_much();
    stop();
    before_writer = NULL;
    store = open_store(0, 0);
    cad = state_new();
    const struct pipeline_settings settings = { .max_queue_bytes = 64 << 20 };
    assert_int_equal(pipeline_new(&pipeline, store, cad, &settings), 0);
    assert_int_equal(pipeline_recover(pipeline, &recovery, &err), -ECANCELED);
    assert_true(state_as_of(cad) < store_last_id(store));
    pipeline = pipeline_free(pipeline);
    cad = state_free(cad);
    store = store_close(store);
    start();
    know_the_same();
}

/* Then it is read without it. */
static void test_no_thread(void **state)
{
    (void) state;
    say_much();
    for (int i = 0; i < 2; i++) {
        stop();
        run_sql("DELETE FROM cursors");
        create_fails_at = i;
        start();
        create_fails_at = -1;
        know_the_same();
    }
}

static void test_a_seek_fails(void **state)
{
    (void) state;
    const struct pipeline_recovery recovery = { path, &families_all, never, heard, NULL };
    const struct pipeline_settings settings = { .max_queue_bytes = 64 << 20 };
    say_much();
    stop();
    for (int i = 2; i < 34; i++) {
        store = open_store(0, 0);
        cad = state_new();
        assert_int_equal(pipeline_new(&pipeline, store, cad, &settings), 0);
        n_seeks = 0;
        fail_seek_at = i;
        assert_int_equal(pipeline_recover(pipeline, &recovery, &err), -EIO);
        assert_string_equal(err.msg, "cannot seek");
        fail_seek_at = -1;
        pipeline = pipeline_free(pipeline);
        cad = state_free(cad);
        store = store_close(store);
    }
    start();
    know_the_same();
}

static _Atomic int restore_fails_in = -1;
int __real_store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret);
int __wrap_store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret);
int __wrap_store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret)
{
    if (restore_fails_in >= 0 && restore_fails_in-- == 0)
        return -ENOMEM;
    return __real_store_row_restore(row, families, ret);
}

/* That is no event which changes nothing: the start fails, and another one knows it. */
static void test_no_memory_for_one(void **state)
{
    (void) state;
    assert_int_equal(post(call911(90, 3), T0), 0);
    assert_int_equal(post(call911(91, 3), T0), 0);
    stop();
    const struct pipeline_recovery recovery = { path, &families_all, never, heard, NULL };
    const struct pipeline_settings settings = { .max_queue_bytes = 64 << 20 };
    store = open_store(0, 0);
    cad = state_new();
    assert_int_equal(pipeline_new(&pipeline, store, cad, &settings), 0);
    restore_fails_in = 1;
    int r = pipeline_recover(pipeline, &recovery, &err);
    restore_fails_in = -1;
    pipeline = pipeline_free(pipeline);
    cad = state_free(cad);
    store = store_close(store);
    start();
    assert_int_equal(r, -ENOMEM);
}

/* What is not there is not looked for, piece by piece. */
static void test_gap(void **state)
{
    (void) state;
    assert_int_equal(post(call911(1, 3), T0), 0);
    stop();
    run_sql("UPDATE events SET id = 2000000; UPDATE cursors SET event_id = 0; DELETE FROM refs");
    n_seeks = 0;
    start();
    assert_true(n_seeks < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(test_known_again), pipeline_test(test_untold),
        pipeline_test(test_no_json),     pipeline_test(test_asked_to_end),
        pipeline_test(test_no_thread),   pipeline_test(test_a_seek_fails),
        pipeline_test(test_gap),         pipeline_test(test_no_memory_for_one),
    };
    if (log_open(LOG_TARGET_TEXT, LOG_ERR, &err) < 0)
        return 1;
    int r = cmocka_run_group_tests_name("pipeline_ahead", tests, NULL, NULL);
    log_close(USEC_PER_SEC);
    text_free(&said);
    return r;
}
