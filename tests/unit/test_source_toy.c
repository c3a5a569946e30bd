/* test_source_toy.c - a source of one file and one row: what it reads is stored once and in order, as a type with data
 * or as a body, whatever the pipeline has room for and whatever fails. And rows beside each other. */
#include "source_helpers.h"

#include <sonoran-pushd/wait.h>

#include "toy_source.h"

#define PADDING_BYTES (10 << 10)

static int begin(void **state)
{
    memset(&toy_inbox.messages, 0, sizeof(toy_inbox) - offsetof(struct toy_inbox, messages));
    return begin_sources(state, &source_toy);
}

static int end(void **state)
{
    assert_int_equal(source_set_stop(set, PATIENCE_US), 0);
    assert_true(toy_inbox.stopped);
    assert_int_equal(pipeline_stop(pipeline, PATIENCE_US), 0);
    set = source_set_free(set);
    return tear_down(state);
}

static void deliver(const char *type, const char *text)
{
    pthread_mutex_lock(&toy_inbox.lock);
    toy_inbox.messages[toy_inbox.n++] = (struct toy_message){ type, text };
    pthread_cond_broadcast(&toy_inbox.changed);
    pthread_mutex_unlock(&toy_inbox.lock);
}

static bool wait_until(const size_t *value, size_t wanted)
{
    usec_t until = uptime_us() + PATIENCE_US;
    pthread_mutex_lock(&toy_inbox.lock);
    while (*value < wanted && wait_signal(&toy_inbox.changed, &toy_inbox.lock, until))
        continue;
    bool there = *value >= wanted;
    pthread_mutex_unlock(&toy_inbox.lock);
    return there;
}

/* Paused, and nothing of it is on its way any more. */
static bool wait_all_back(void)
{
    usec_t until = uptime_us() + PATIENCE_US;
    pthread_mutex_lock(&toy_inbox.lock);
    while (toy_inbox.n_settled < toy_inbox.n_taken && wait_signal(&toy_inbox.changed, &toy_inbox.lock, until))
        continue;
    bool back = toy_inbox.n_settled == toy_inbox.n_taken;
    pthread_mutex_unlock(&toy_inbox.lock);
    return back;
}

/* Each is in the log once, in the order it was read in. */
static void all_are_stored_in_order(void)
{
    assert_true(wait_until(&toy_inbox.n_done, toy_inbox.n));
    for (size_t i = 0; i < toy_inbox.n; i++)
        assert_int_equal(toy_inbox.ids[i], i + 1);
    assert_int_equal(store_last_id(store), toy_inbox.n);
    assert_int_equal(toy_inbox.n_taken, toy_inbox.n_settled + toy_inbox.n_busy);
}

static void row_is(uint64_t id, const char *type, const char *verdict)
{
    struct store_reader *reader;
    struct store_row row;
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ .after_id = id - 1, .last_id = id }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_string_equal(row.source, "toy");
    assert_string_equal(row.listener, "inbox");
    assert_string_equal(row.peer, "192.0.2.7");
    assert_string_equal(row.type, type);
    assert_string_equal(event_verdict_name(row.verdict), verdict);
    store_reader_close(reader);
}

/* ---- the tests ---- */

static void data_and_bodies_come_in(void **unused)
{
    (void) unused;
    deliver("EVENT_REMOVE_911", "{\"callIds\":[1]}");
    deliver(NULL, "{\"key\":\"" KEY "\",\"type\":\"EVENT_911\",\"data\":{\"call\":{\"callId\":7}}}");
    deliver("EVENT_911", "{}");
    all_are_stored_in_order();
    row_is(1, "EVENT_REMOVE_911", "accepted");
    row_is(2, "EVENT_911", "accepted");
    row_is(3, "EVENT_911", "invalid");
    assert_int_equal(toy_inbox.n_settled, 3);
    assert_int_equal(toy_inbox.n_failed, 0);
}

static void a_wrong_key_is_stopped_at_the_gate(void **unused)
{
    (void) unused;
    deliver(NULL, "{\"key\":\"NOBODYS\",\"type\":\"EVENT_911\"}");
    assert_true(wait_until(&toy_inbox.n_done, 1));
    assert_int_equal(toy_inbox.n_settled, 0);
    assert_int_equal(store_last_id(store), 0);
}

static void a_full_pipeline_pauses_and_resumes_it(void **unused)
{
    const struct pipeline_settings narrow = { .max_queue_bytes = 5 * PADDING_BYTES };
    struct text data CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    text_addf(&data, "{\"callIds\":[1],\"x\":\"%*s\"}", PADDING_BYTES, "");
    pipeline_configure(pipeline, &narrow);
    commit_waits = true;
    for (int i = 0; i < 40; i++)
        deliver("EVENT_REMOVE_911", data.s);
    assert_true(wait_until(&toy_inbox.n_busy, 1));
    assert_int_equal(toy_inbox.n_resumes, 0);
    commit_waits = false;
    all_are_stored_in_order();
    assert_true(toy_inbox.n_resumes > 0);
    assert_int_equal(toy_inbox.n_settled, 40);
    assert_int_equal(toy_inbox.n_pauses, 0);
}

static void a_failed_commit_pauses_and_resumes_it(void **unused)
{
    (void) unused;
    commit_fails = true;
    for (int i = 0; i < 20; i++)
        deliver("EVENT_REMOVE_911", "{\"callIds\":[1]}");
    assert_true(wait_until(&toy_inbox.n_failed, 1));
    assert_true(wait_until(&toy_inbox.n_pauses, 1));
    assert_true(wait_all_back());
    assert_int_equal(toy_inbox.n_done, 0);
    commit_fails = false;
    all_are_stored_in_order();
    assert_true(toy_inbox.n_resumes > 0);
    assert_int_equal(toy_inbox.n_settled, 20 + toy_inbox.n_failed);
}

static void a_configuration_is_in_force_at_all_or_none(void **unused)
{
    (void) unused;
    refuses = true;
    assert_int_equal(source_set_configure(set, config, &err), -EADDRINUSE);
    assert_string_equal(err.msg, "not today");
    assert_int_equal(toy_inbox.n_dropped, 1);
    assert_int_equal(toy_inbox.n_configured, 0);
    refuses = false;
    assert_int_equal(source_set_configure(set, config, &err), 0);
    assert_int_equal(toy_inbox.n_dropped, 1);
    assert_int_equal(toy_inbox.n_configured, 1);
}

static void a_row_is_shown_and_looked_after(void **unused)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    struct json_writer status = json_writer(&said), health = status;
    const char *thread = "";
    (void) unused;
    source_set_ready(set);
    assert_int_equal(toy_inbox.n_ready, 1);
    assert_true(source_set_alive(set, &thread));
    json_begin_object(&status, NULL);
    source_set_add_status(set, &status);
    json_end(&status);
    assert_string_equal(said.s, "{\"toy\":{\"settled\":0}}");
    text_reset(&said);
    json_begin_array(&health, NULL);
    source_set_add_health(set, &health);
    json_end(&health);
    assert_string_equal(said.s, "[{\"source\":\"toy\",\"name\":\"inbox\"}]");
    assert_int_equal(source_set_stop(set, PATIENCE_US), 0);
    assert_false(source_set_alive(set, &thread));
    assert_string_equal(thread, "the toy");
}

/* One that cannot be opened ends the start, and the others are taken down. */
static void a_row_that_fails_to_open(void **unused)
{
    struct source_set *other;
    (void) unused;
    refuses = true;
    assert_int_equal(source_set_new(&other, &types, config, &families_all, NULL, pipeline), 0);
    assert_int_equal(source_set_open(other, &err), SOURCE_NEEDS_HELP);
    assert_int_equal(source_set_stop(other, PATIENCE_US), 0);
    source_set_free(other);
}

#define toy_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        toy_test(data_and_bodies_come_in),
        toy_test(a_wrong_key_is_stopped_at_the_gate),
        toy_test(a_full_pipeline_pauses_and_resumes_it),
        toy_test(a_failed_commit_pauses_and_resumes_it),
        toy_test(a_configuration_is_in_force_at_all_or_none),
        toy_test(a_row_is_shown_and_looked_after),
        toy_test(a_row_that_fails_to_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
