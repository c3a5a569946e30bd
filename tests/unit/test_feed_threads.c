/* test_feed_threads.c - the writer and its readers at the same time. */
#include "feed_helpers.h"

#include <pthread.h>

#define MANY 3000

static void heard(void *userdata, uint64_t newest_id)
{
    _Atomic uint64_t *newest = userdata;
    *newest = newest_id;
}

static _Atomic bool stopping;

struct follower {
    pthread_t thread;
    struct feed_reader *reader;
    _Atomic uint64_t newest_id;
    unsigned pause_every; /* events; 0: never */
    uint64_t n_read;
};

static void follow(struct follower *follower)
{
    struct feed_entry entry;
    const struct feed_record *record;
    feed_seek(follower->reader, follower->n_read, follower->newest_id);
    for (int r; (r = feed_read(follower->reader, &entry, &err)) != 0;) {
        assert_int_equal(r, 1);
        assert_int_equal(entry.id, ++follower->n_read);
        assert_int_equal(feed_take(follower->reader, &record), 0);
        assert_int_equal(record->event.id, entry.id);
        assert_int_equal(cJSON_GetArraySize(feed_known(record)), 2);
        (void) feed_unref(record);
        if (follower->pause_every && entry.id % follower->pause_every == 0)
            usleep(1000);
    }
    feed_rest(follower->reader);
}

static void *follower_thread(void *argument)
{
    struct follower *follower = argument;
    while (!stopping || follower->n_read < follower->newest_id) {
        follow(follower);
        usleep(100);
    }
    return NULL;
}

static void readers_of_all_speeds(void **state)
{
    (void) state;
    struct follower followers[4] = { { .pause_every = 0 }, { .pause_every = 7 }, { .pause_every = 100 }, { 0 } };
    stopping = false;
    for (size_t i = 0; i < ARRAY_SIZE(followers); i++) {
        const struct feed_listener listener = { heard, &followers[i].newest_id };
        assert_int_equal(feed_reader_open(&followers[i].reader, feed, &listener), 0);
        assert_int_equal(pthread_create(&followers[i].thread, NULL, follower_thread, &followers[i]), 0);
    }
    for (unsigned n = 0; n < MANY; n += 10)
        put(10, 64, n % 400 != 0);
    stopping = true;
    for (size_t i = 0; i < ARRAY_SIZE(followers); i++) {
        pthread_join(followers[i].thread, NULL);
        assert_int_equal(followers[i].n_read, MANY);
    }
    assert_int_equal(n_kept(), 0);
    for (size_t i = 0; i < ARRAY_SIZE(followers); i++)
        feed_reader_close(followers[i].reader);
}

static void *open_and_close(void *unused)
{
    (void) unused;
    while (!stopping) {
        _Atomic uint64_t newest = 0;
        const struct feed_listener listener = { heard, &newest };
        struct feed_reader *reader;
        struct feed_entry entry;
        assert_int_equal(feed_reader_open(&reader, feed, &listener), 0);
        feed_seek(reader, feed_newest_id(feed), UINT64_MAX);
        assert_true(feed_read(reader, &entry, &err) >= 0);
        feed_reader_close(reader); /* nobody calls it from here on, so newest may go */
    }
    return NULL;
}

static void readers_come_and_go(void **state)
{
    (void) state;
    pthread_t thread;
    stopping = false;
    assert_int_equal(pthread_create(&thread, NULL, open_and_close, NULL), 0);
    for (unsigned n = 0; n < 300; n++)
        put(1, 0, feed_is_wanted(feed));
    stopping = true;
    pthread_join(thread, NULL);
    assert_int_equal(n_kept(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        feed_test(readers_of_all_speeds),
        feed_test(readers_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
