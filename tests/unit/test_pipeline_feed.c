/* test_pipeline_feed.c - what the writer hands on is what the log gives back: of every sample, in an order by chance,
 * record, facts and what a render may read. */
#include "pipeline_helpers.h"

#include <sonoran-pushd/facts.h>

#include "../../src/feed/feed_private.h"

static void ignore(void *userdata, uint64_t newest_id)
{
    (void) userdata;
    (void) newest_id;
}

static void add_fact(void *context, const struct fact *fact, const struct fact_value *value)
{
    text_addf(context, "%s: %s %s %s\n", fact->name, value->text, value->number ? value->number : "-",
              value->label ? value->label : "-");
}

static void add_json(struct text *out, const cJSON *json)
{
    char *printed = json ? cJSON_PrintUnformatted(json) : NULL;
    text_addf(out, "%s\n", printed ? printed : "-");
    cJSON_free(printed);
}

static void write_all(const struct feed_record *record, struct text *out)
{
    const struct event *event = &record->event;
    event_write_record(event, &record->description, out);
    text_addf(out, "\n%s %s %d %s %s %lld\n", event->log, event->type_sent ? event->type_sent : "-", event->index,
              event->handler ? event->handler->name : "-", event->verdict == EVENT_ACCEPTED ? "" : event->reason,
              (long long) record->description.record);
    add_json(out, event->data);
    add_json(out, event->top);
    add_json(out, feed_known(record));
    if (event->verdict == EVENT_ACCEPTED)
        facts_emit(event, &record->description, feed_known(record), add_fact, out);
    assert_false(out->failed);
}

/* By a way of its own: as a reader that was far behind. */
static const struct feed_record *read_from_log(struct store_reader *reader, uint64_t id)
{
    const struct feed_record *record = NULL;
    struct store_row row;
    assert_int_equal(store_seek(reader, &(struct store_filter){ .after_id = id - 1, .last_id = id }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_int_equal(feed_restore(&row, &families_all, &record), 0);
    store_rest(reader);
    return record;
}

static void compare_next(struct feed_reader *reader, struct store_reader *log, uint64_t id)
{
    struct text handed CLEANUP(text_free) = TEXT_INIT, read CLEANUP(text_free) = TEXT_INIT;
    const struct feed_record *record, *of_log = read_from_log(log, id);
    struct feed_entry entry;
    assert_int_equal(feed_read(reader, &entry, &err), 1);
    assert_int_equal(entry.id, id);
    assert_int_equal(entry.time_us, of_log->event.time_us);
    assert_int_equal(entry.verdict, of_log->event.verdict);
    assert_string_equal(entry.type, of_log->event.type);
    assert_int_equal(feed_take(reader, &record), 0);
    write_all(record, &handed);
    write_all(of_log, &read);
    assert_string_equal(handed.s, read.s);
    (void) feed_unref(record);
    (void) feed_unref(of_log);
}

static void test_handed_on(void **state)
{
    (void) state;
    const struct feed_listener listener = { ignore, NULL };
    struct feed_reader *reader;
    struct store_reader *log;
    struct feed_entry entry;
    uint64_t id = 0;
    assert_int_equal(feed_reader_open(&reader, feed, &listener), 0);
    assert_int_equal(store_open_reader(store, &log, &err), 0);
    feed_seek(reader, 0, 1);
    assert_int_equal(feed_read(reader, &entry, &err), 0); /* it stands at the end now */
    feed_rest(reader);
    feed_close_store(reader);
    list_samples();
    for (int round = 0; round < 400; round++) {
        (void) post(read_sample(names[random_below(n_names)]), T0 + (usec_t) round * MINUTE_US);
        struct pipeline_status status;
        pipeline_get_status(pipeline, &status);
        for (usec_t end = uptime_us() + PATIENCE_US; feed_newest_id(feed) < status.newest_id && uptime_us() < end;)
            usleep(100);
        assert_int_equal(feed_newest_id(feed), status.newest_id);
        feed_seek(reader, id, feed_newest_id(feed));
        while (id < feed_newest_id(feed))
            compare_next(reader, log, ++id);
        feed_rest(reader);
    }
    assert_true(id > 300);
    assert_null(reader->store); /* nothing was read from the disk */
    store_reader_close(log);
    feed_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(test_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
