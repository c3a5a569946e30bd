/* test_store_elsewhere.c - events of other nodes, whose clocks may be any: by age they go as they came here. */
#include "store_helpers.h"

#define HOUR_US (3600 * USEC_PER_SEC)
#define DAY_US (24 * HOUR_US)
#define KEEP_US (30 * DAY_US)
#define T0 (20000 * DAY_US) /* now */
#define UP (400 * DAY_US)   /* and how long the machine is up */

static struct store *store;
static struct store_trimmed trimmed;

static void append_of_node(usec_t came_us, int64_t late_us)
{
    const struct origin origin = { .source = "streams", .name = "main", .peer = "192.0.2.1" };
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    const struct event event = { .id = store_last_id(store) + 1,
                                 .time_us = came_us - (usec_t) late_us,
                                 .type = "EVENT_911",
                                 .community = "default",
                                 .realm = "default@edge1",
                                 .home = { "edge1", "00aa", 7 },
                                 .origin = &origin,
                                 .verdict = EVENT_ACCEPTED,
                                 .data_text = span_of("{}") };
    if (late_us)
        assert_int_equal(description_set_late(&description, late_us / (int64_t) USEC_PER_SEC), 0);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append(store, &event, &description, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
}

/* One came every hour of the last 40 days; the clock of its node is right, 60 days behind or a year ahead. */
static void fill(void)
{
    static const int64_t late_days[] = { 0, 60, -365 };
    store = open_store(KEEP_US, 0);
    for (unsigned i = 0; i <= 40 * 24; i++)
        append_of_node(T0 - 40 * DAY_US + i * HOUR_US, late_days[i % 3] * (int64_t) DAY_US);
}

static void test_by_age(void **state)
{
    (void) state;
    fill();
    assert_int_equal(trim_at(store, T0, UP, &trimmed), 10 * 24);
    assert_int_equal(trimmed.jump_us, 0);
    assert_int_equal(trim_at(store, T0 + HOUR_US, UP + HOUR_US, &trimmed), 1);
    store_close(store);
}

/* The newest is a year ahead: that is no clock of ours that went back. */
static void test_after_a_restart(void **state)
{
    (void) state;
    fill();
    append_of_node(T0 + HOUR_US, -365 * (int64_t) DAY_US);
    store_close(store);
    store = open_store(KEEP_US, 0);
    assert_int_equal(trim_at(store, T0 + HOUR_US, HOUR_US, &trimmed), 10 * 24 + 1);
    assert_int_equal(trimmed.jump_us, 0);
    store_close(store);
}

static void test_found_by_when_it_came(void **state)
{
    struct store_reader *reader = NULL;
    struct store_row row;
    (void) state;
    fill();
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    for (unsigned i = 0; i <= 40 * 24; i++) {
        uint64_t id = 0;
        assert_int_equal(store_last_until(reader, T0 - 40 * DAY_US + i * HOUR_US, &id, &err), 0);
        assert_int_equal(id, i + 1);
    }
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    for (unsigned i = 0; i <= 40 * 24; i++) {
        assert_int_equal(store_read(reader, &row, &err), 1);
        assert_int_equal(row.came_us, T0 - 40 * DAY_US + i * HOUR_US);
    }
    store_reader_close(reader);
    store_close(store);
}

/* What somebody else wrote there ends in no harm. */
static void test_out_of_range(void **state)
{
    struct store_reader *reader = NULL;
    struct store_row row;
    (void) state;
    store = open_store(KEEP_US, 0);
    append_of_node(T0, 0);
    append_of_node(T0, INT64_MAX - (int64_t) USEC_PER_SEC);
    append_of_node(T0, INT64_MIN / 2);
    append_of_node(T0, 0);
    (void) trim_at(store, T0, UP, &trimmed);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    while (store_read(reader, &row, &err) > 0)
        ;
    store_reader_close(reader);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_by_age),
        store_test(test_after_a_restart),
        store_test(test_found_by_when_it_came),
        store_test(test_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
