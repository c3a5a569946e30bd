/* test_sse_rows.c - what an event changed comes before its line, in the form of now, to those who may see it. */
#include "sse_helpers.h"

static void unit(int64_t id, uint64_t event_id, const char *number)
{
    struct state_unit patch = STATE_UNIT_PATCH(id);
    patch.number = number;
    state_set_event(known, event_id, now_us());
    assert_int_equal(state_unit_put(known, "default", &patch, now_us()), 1);
}

static void rows_come_before_the_line(void **state)
{
    struct sse_client *client = open_at(NULL);
    (void) state;
    unit(7, 1, "A-1");
    put(1, 0, true);
    assert_true(listen_to(client));
    const char *row =
        strstr(told, "event: unit\ndata: {\"community\":\"default\",\"node\":null,\"id\":7,\"changed\":1,");
    assert_non_null(row);
    assert_true(row < strstr(told, "id: 1\nevent: log\n"));
    assert_int_equal(count("event: unit"), 1);

    unit(7, 2, "A-2"); /* of two changes the last one, before the line that made it */
    unit(7, 3, "A-3");
    put(2, 0, true);
    assert_true(listen_to(client));
    assert_int_equal(count("event: unit"), 1);
    row = strstr(told, "\"number\":\"A-3\"");
    assert_true(row > strstr(told, "id: 2\nevent: log\n") && row < strstr(told, "id: 3\nevent: log\n"));

    struct sse_client *again = open_at("2"); /* from the log the same */
    assert_true(listen_to(again));
    assert_non_null(strstr(told, "\"number\":\"A-3\""));
    assert_lines(3, 3);
    struct sse_client *other = open_with((struct sse_request){ .from = "0", .community = "other" });
    assert_true(listen_to(other));
    assert_int_equal(count("event: unit") + count("event: log"), 0);
    sse_close(other);
    sse_close(again);
    sse_close(client);
}

static void call911(int64_t id, uint64_t event_id, bool removed)
{
    struct state_call911 patch = STATE_CALL911_PATCH(id);
    patch.caller = "J. Doe";
    state_set_event(known, event_id, now_us());
    assert_int_equal(removed ? state_call911_remove(known, "default", id, now_us())
                             : state_call911_put(known, "default", &patch, now_us()),
                     1);
}

static void what_is_gone(void **state)
{
    struct sse_client *client = open_at(NULL);
    (void) state;
    call911(90417, 1, false);
    put(1, 0, true);
    assert_true(listen_to(client));
    assert_int_equal(count("event: call911"), 1);
    call911(90417, 2, true);
    put(1, 0, true);
    assert_true(listen_to(client));
    assert_non_null(strstr(told,
                           "event: call911\ndata: {\"community\":\"default\",\"node\":null,\"id\":90417,\"changed\":2,"
                           "\"gone\":true}\n\nid: 2\n"));
    sse_close(client);
}

/* More than state remembers went while it was away: it is told to forget, once, and misses no line. */
static void more_is_gone_than_is_known(void **state)
{
    (void) state;
    for (int64_t id = 1; id <= STATE_MAX_REMOVED + 10; id++)
        unit(id, 1, "A-1");
    state_set_event(known, 2, now_us() + STATE_KEEP_US + 3600 * USEC_PER_SEC);
    state_set_event(known, 3, now_us() + STATE_KEEP_US + 3600 * USEC_PER_SEC);
    put(3, 0, true);
    struct sse_client *client = open_at("1");
    assert_true(listen_to(client));
    assert_int_equal(count("event: reset"), 1);
    assert_non_null(strstr(told,
                           "id: 1\nevent: reset\ndata: {\"why\":\"what went in the meantime is not known any more\","
                           "\"lost_from\":null,\"lost_to\":null}\n\n"));
    assert_lines(2, 3);
    sse_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sse_test(rows_come_before_the_line),
        sse_test(what_is_gone),
        sse_test(more_is_gone_than_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
