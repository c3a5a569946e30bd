/* test_feed.c - the newest events in memory: kept for whom, how many, shared by readers of any speed, and the same as
 * the log gives them back. */
#include "feed_helpers.h"

static void ignore(void *userdata, uint64_t newest_id)
{
    (void) userdata;
    (void) newest_id;
}

static struct feed_reader *open_at(uint64_t after_id)
{
    static const struct feed_listener listener = { ignore, NULL };
    struct feed_reader *reader;
    struct feed_entry entry;
    assert_int_equal(feed_reader_open(&reader, feed, &listener), 0);
    feed_seek(reader, after_id, after_id + 1);
    (void) !feed_read(reader, &entry, &err); /* it has begun */
    feed_rest(reader);
    return reader;
}

/* The next n, which are to be there, in their order; *ret has the last of them. */
static void read_on(struct feed_reader *reader, uint64_t after_id, unsigned n, const struct feed_record **ret)
{
    struct feed_entry entry;
    feed_seek(reader, after_id, feed_newest_id(feed));
    for (unsigned i = 1; i <= n; i++) {
        int r = feed_read(reader, &entry, &err);
        if (r != 1)
            fail_msg("event %u of %u: %d %s", i, n, r, r < 0 ? err.msg : "");
        assert_int_equal(entry.id, after_id + i);
    }
    if (ret)
        assert_int_equal(feed_take(reader, ret), 0);
    feed_rest(reader);
}

/* ---- kept for whom ---- */

static void nothing_without_a_reader(void **state)
{
    (void) state;
    assert_false(feed_is_wanted(feed));
    put(3, 0, true);
    assert_int_equal(n_kept(), 0);
    assert_int_equal(feed->bytes, 0);
    assert_int_equal(feed_newest_id(feed), 3);

    struct feed_reader *reader = open_at(3);
    assert_true(feed_is_wanted(feed));
    put(3, 0, true);
    assert_int_equal(n_kept(), 3);
    reader = feed_reader_close(reader);
    assert_false(feed_is_wanted(feed));
    assert_int_equal(n_kept(), 0);
    assert_int_equal(feed->bytes, 0);
}

static void until_the_slowest_has_passed(void **state)
{
    (void) state;
    struct feed_reader *fast = open_at(0), *slow = open_at(0);
    const struct feed_record *of_fast, *of_slow;
    put(2, 0, true);
    put(1, 0, true);
    read_on(fast, 0, 3, &of_fast);
    assert_int_equal(n_kept(), 3);
    read_on(slow, 0, 2, NULL);
    read_on(slow, 2, 1, &of_slow);
    assert_ptr_equal(of_fast, of_slow);
    assert_int_equal(n_kept(), 0);
    assert_int_equal(feed->bytes, 0);
    assert_string_equal(of_fast->event.type, "EVENT_REMOVE_911"); /* whoever holds it has it still */
    (void) feed_unref(of_fast);
    (void) feed_unref(of_slow);
    feed_reader_close(fast);
    feed_reader_close(slow);
}

/* One who would come to it too late anyway. */
static void not_for_one_far_behind(void **state)
{
    (void) state;
    struct feed_reader *reader = open_at(0);
    put(4000, 0, false);
    assert_true(feed_is_wanted(feed));
    put(200, 0, false);
    assert_false(feed_is_wanted(feed));
    put(1, 0, true);
    assert_int_equal(n_kept(), 0);
    read_on(reader, 0, 4201, NULL);
    assert_true(feed_is_wanted(feed));
    feed_reader_close(reader);
}

/* ---- how many ---- */

static void no_more_than_so_many(void **state)
{
    (void) state;
    struct feed_reader *reader = open_at(0);
    put(2000, 0, true);
    put(2000, 0, true);
    put(90, 0, true);
    assert_true(n_kept() <= FEED_MAX_RECORDS);
    assert_true(feed->bytes <= FEED_MAX_BYTES);
    read_on(reader, 0, 4090, NULL);
    assert_int_equal(n_kept(), 0);
    feed_reader_close(reader);
}

static void no_more_than_so_many_bytes(void **state)
{
    (void) state;
    struct feed_reader *reader = open_at(0);
    const struct feed_record *record;
    for (int i = 0; i < 24; i++) {
        put(1, 1 << 20, true);
        assert_true(feed->bytes <= FEED_MAX_BYTES);
    }
    assert_true(n_kept() > 1);
    assert_true(n_kept() < 24);
    read_on(reader, 0, 24, &record); /* the first of them from the log */
    assert_int_equal(record->event.id, 24);
    (void) feed_unref(record);
    assert_int_equal(feed->bytes, 0);
    put(1, FEED_MAX_BYTES, true); /* more than there may be at all */
    assert_int_equal(n_kept(), 0);
    read_on(reader, 24, 1, NULL);
    feed_reader_close(reader);
}

/* The memory of a request goes with the last of its records: a part of them is no less. */
static void requests_are_kept_whole_or_not(void **state)
{
    (void) state;
    struct feed_reader *reader = open_at(0);
    put(12, 1 << 20, true);
    assert_int_equal(n_kept(), 0);
    assert_int_equal(feed->bytes, 0);
    put(3, 1 << 10, true);
    assert_int_equal(n_kept(), 3);
    assert_true(feed->bytes >= 3 << 10);
    read_on(reader, 0, 15, NULL);
    assert_int_equal(feed->bytes, 0);
    feed_reader_close(reader);
}

/* ---- from memory and from the log ---- */

static void holes_are_read_from_the_log(void **state)
{
    (void) state;
    struct feed_reader *reader = open_at(0);
    put(3, 0, true);
    put(2, 0, false);
    put(3, 0, true);
    assert_int_equal(n_kept(), 3);
    read_on(reader, 0, 8, NULL);
    read_on(reader, 5, 3, NULL); /* back, where nothing is kept any more */
    put(2, 0, true);
    read_on(reader, 8, 2, NULL);
    feed_reader_close(reader);
}

/* In small steps, with more in hand than each takes; then to another place. */
static void a_walk_goes_on(void **state)
{
    (void) state;
    struct feed_reader *reader = open_at(0);
    put(40, 0, true);
    for (uint64_t id = 0; id < 30; id += 5)
        read_on(reader, id, 5, NULL);
    read_on(reader, 2, 4, NULL);
    read_on(reader, 30, 10, NULL);
    assert_int_equal(n_kept(), 0);
    struct feed_entry entry;
    feed_seek(reader, 40, 40);
    assert_int_equal(feed_read(reader, &entry, &err), 0);
    feed_reader_close(reader);
}

static void what_is_kept_needs_no_disk(void **state)
{
    (void) state;
    struct feed_reader *reader = open_at(0);
    const struct feed_record *record;
    struct feed_entry entry;
    char aside[160];
    put(1, 0, true);
    put(1, 0, false);
    feed_close_store(reader);
    snprintf(aside, sizeof(aside), "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    read_on(reader, 0, 1, &record);
    (void) feed_unref(record);
    feed_seek(reader, 1, 2);
    assert_true(feed_read(reader, &entry, &err) < 0);
    feed_close_store(reader);
    assert_int_equal(rename(aside, path), 0);
    read_on(reader, 1, 1, NULL);
    feed_reader_close(reader);
}

static void write_all(const struct feed_record *record, struct text *out)
{
    const struct event *event = &record->event;
    event_write_record(event, &record->description, out);
    text_addf(out, "\nlevel %d, index %d, test %d, type_sent %s, source %s, by %lld\n", record->description.level,
              event->index, event->test, event->type_sent ? event->type_sent : "-", event->origin->source,
              (long long) record->description.by);
    char *data = event->data ? cJSON_PrintUnformatted(event->data) : NULL;
    char *top = event->top ? cJSON_PrintUnformatted(event->top) : NULL;
    char *json = feed_known(record) ? cJSON_PrintUnformatted(feed_known(record)) : NULL;
    text_addf(out, "%s\n%s\n%s\n", data ? data : "-", top ? top : "-", json ? json : "-");
    assert_true(!event->data || (!event->data->next && !event->data->string));
    cJSON_free(data);
    cJSON_free(top);
    cJSON_free(json);
}

static const char *const bodies[] = {
    "{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[1, 2.0]}}",
    "{\"type\":\"event_remove_911\",\"test\":true,\"data\":[{\"callIds\":[1]},{\"callIds\":\"2\"}],\"key\":\"" KEY
    "\"}",
    "{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\",\"data\":{\"2\":{\"callIds\":[2]},\"1\":{\"callIds\":[1]}}}",
    "{\"key\":\"" KEY
    "\",\"type\":\"EVENT_REMOVE_911\",\"data\":[{\"callIds\":{\"3\":7,\"1\":8},\"n\":1234567890123456789}]}",
    "{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\",\"data\":[]}",
    "{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\"}",
    "{\"key\":\"" KEY "\",\"type\":\"EVENT_OF_TOMORROW\",\"data\":[1,{\"a\":\"b\"}],\"more\":{\"x\":[]}}",
    "{\"key\":\"" KEY "\",\"type\":7,\"data\":{}}",
    "{\"key\":\"" KEY "\",\"type\":\"EVENT_UNIT_STATUS\",\"data\":{\"identIds\":[4127],\"status\":2},\"more\":1e400}",
};

/* Whatever the verdict, alone or in a list. */
static void the_same_as_from_the_log(void **state)
{
    (void) state;
    struct feed_reader *memory = open_at(0), *log = open_at(0);
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        uint64_t id = store_last_id(store);
        store_body(bodies[i], true);
        for (; id < store_last_id(store); id++) {
            struct text kept CLEANUP(text_free) = TEXT_INIT, read CLEANUP(text_free) = TEXT_INIT;
            const struct feed_record *of_memory, *of_log;
            struct store_reader *rows;
            struct store_row row;
            read_on(memory, id, 1, &of_memory);
            assert_int_equal(feed_open_store(log, &rows, &err), 0);
            assert_int_equal(store_seek(rows, &(struct store_filter){ .after_id = id, .last_id = id + 1 }, &err), 0);
            assert_int_equal(store_read(rows, &row, &err), 1);
            assert_int_equal(feed_restore(&row, &families_all, &of_log), 0);
            store_rest(rows);
            assert_ptr_not_equal(of_memory, of_log);
            write_all(of_memory, &kept);
            write_all(of_log, &read);
            assert_string_equal(kept.s, read.s);
            (void) feed_unref(of_memory);
            (void) feed_unref(of_log);
        }
    }
    feed_reader_close(memory);
    feed_reader_close(log);
}

/* ---- lives ---- */

static void expect_told(uint64_t epoch_ms, uint64_t id, enum feed_told told, uint64_t up_to)
{
    uint64_t ret = UINT64_MAX;
    assert_int_equal(feed_look_told(feed, epoch_ms, id, &ret), told);
    if (told == FEED_IS_OURS)
        assert_int_equal(ret, up_to);
}

static void begin_life(struct store_life *ret)
{
    struct store_life before;
    assert_int_equal(store_begin_life(store, &err), 0);
    (void) store_get_life(store, ret, &before);
    assert_int_equal(feed_begin_life(feed, ret), 0);
}

/* What somebody outside has of it, to whom it was told in this life or in one before, or whom another log told. */
static void test_told(void **state)
{
    (void) state;
    const struct store_life first = *feed_life(feed);
    struct store_life second;
    put(3, 0, false);
    expect_told(first.epoch_ms, 2, FEED_IS_OURS, 2);
    expect_told(first.epoch_ms, 3, FEED_IS_OURS, 3);
    expect_told(first.epoch_ms, 5, FEED_IS_AHEAD, 0);
    expect_told(first.epoch_ms - 1, 2, FEED_IS_EARLIER, 0);
    expect_told(first.epoch_ms + 1, 2, FEED_IS_LATER, 0);

    begin_life(&second);
    assert_int_equal(second.first_id, 4);
    put(2, 0, false);
    expect_told(first.epoch_ms, 3, FEED_IS_OURS, 3);
    expect_told(first.epoch_ms, 5, FEED_IS_OURS, 3); /* what was lost is not what came in its place */
    expect_told(second.epoch_ms, 4, FEED_IS_OURS, 4);
    expect_told(second.epoch_ms, 6, FEED_IS_AHEAD, 0);
    assert_string_equal(feed_life_of(feed, 3)->log, first.log);
    assert_string_equal(feed_life_of(feed, 4)->log, second.log);
    assert_string_equal(feed_life_of(feed, 900)->log, second.log);

    feed_free(feed); /* and the same after a restart */
    assert_int_equal(feed_new(&feed, store, &families_all), 0);
    expect_told(first.epoch_ms, 5, FEED_IS_OURS, 3);
    expect_told(second.epoch_ms, 4, FEED_IS_OURS, 4);
}

/* Who reads already sees of which life an event is that came in a new one. */
static void test_reader_over_lives(void **state)
{
    (void) state;
    struct store_life second;
    struct store_reader *reader = NULL;
    struct store_row row;
    put(1, 0, false);
    assert_int_equal(store_open_reader(store, &reader, &err), 0);
    begin_life(&second);
    put(1, 0, false);
    assert_int_equal(store_seek(reader, &(struct store_filter){ .after_id = 1 }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_string_equal(row.log, second.log);
    store_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        feed_test(test_told),
        feed_test(test_reader_over_lives),
        feed_test(nothing_without_a_reader),
        feed_test(until_the_slowest_has_passed),
        feed_test(not_for_one_far_behind),
        feed_test(no_more_than_so_many),
        feed_test(no_more_than_so_many_bytes),
        feed_test(requests_are_kept_whole_or_not),
        feed_test(holes_are_read_from_the_log),
        feed_test(a_walk_goes_on),
        feed_test(what_is_kept_needs_no_disk),
        feed_test(the_same_as_from_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
