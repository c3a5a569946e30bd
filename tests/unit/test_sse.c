/* test_sse.c - the event stream without a server: one ring for all, the log behind it, what a client is told when, and
 * that nobody who listens costs nothing. */
#include "sse_helpers.h"

static void nothing_while_nobody_listens(void **state)
{
    (void) state;
    happen(10, 0, true);
    assert_int_equal(sse->ring.end_id, 0);
    assert_false(feed_is_wanted(feed));
    struct sse_client *client = open_at(NULL);
    happen(10, 0, true);
    assert_int_equal(n_woken, 1);
    assert_int_equal(sse->ring.end_id - sse->ring.first_id, 0); /* nobody has asked */
    assert_true(listen_to(client));
    assert_lines(11, 20);
    assert_int_equal(sse->ring.end_id - sse->ring.first_id, 10);
    sse_close(client);
    assert_int_equal(sse->ring.bytes, 0);
    assert_null(sse->ring.reader);
    assert_null(sse->past);
    assert_false(feed_is_wanted(feed));
}

static void one_frame_for_all(void **state)
{
    struct sse_client *clients[20];
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        clients[i] = open_at(NULL);
    happen(5, 0, true);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        assert_true(listen_in(clients[i], 1 + 37 * i)); /* however small the pieces are */
        assert_lines(1, 5);
        assert_int_equal(sse->past_id, 0); /* nobody has read the log */
    }
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        sse_close(clients[i]);
}

static void as_much_as_the_ring_has_room_for(void **state)
{
    struct sse_client *client = open_at(NULL), *slow = open_at(NULL);
    (void) state;
    happen(3000, 0, true);
    assert_true(listen_to(client));
    assert_lines(1, 3000);
    assert_true(sse->ring.end_id - sse->ring.first_id <= SSE_RING_FRAMES && sse->ring.bytes <= SSE_RING_BYTES);
    assert_true(listen_to(slow)); /* which it has fallen out of */
    assert_lines(1, 3000);
    assert_false(sse->walking);
    sse_close(client);
    sse_close(slow);
}

/* A frame that leaves the ring while a client is in the middle of it is finished as it was begun. */
static void a_frame_stays_for_who_is_in_it(void **state)
{
    struct sse_client *client = open_at(NULL), *slow = open_at(NULL);
    char some[600];
    (void) state;
    happen(1, 0, true);
    ssize_t n = 0;
    while (!slow->frame)
        n = sse_more(slow, some, 150);
    assert_true(n > 0);
    happen(2000, 0, true);
    assert_true(listen_to(client));
    assert_true(sse->ring.first_id > 1);
    assert_int_equal(slow->frame->n_refs, 1);
    assert_true(listen_to(slow));
    assert_non_null(strstr(told, "\nid: 2\n"));
    assert_null(strstr(told, "id: 1\n"));
    sse_close(client);
    sse_close(slow);
}

static void data_is_there_only_for_who_wants_it(void **state)
{
    struct sse_client *plain = open_at("0");
    (void) state;
    happen(2, 100, true);
    assert_true(listen_to(plain));
    assert_int_equal(count("\"data\":"), 0);
    size_t bytes = sse->ring.bytes;
    struct sse_client *whole = open_with((struct sse_request){ .from = "0", .data = true });
    assert_true(listen_to(whole)); /* from the log, since the ring has none */
    assert_int_equal(count("\"data\":{\"callIds\":["), 2);
    happen(1, SSE_FRAME_DATA_BYTES, true); /* too much for the ring */
    happen(1, 100, true);
    assert_true(listen_to(whole));
    assert_lines(3, 4);
    assert_int_equal(count("\"data\":{\"callIds\":["), 2);
    assert_true(sse->ring.bytes < 2 * bytes + 1000);
    assert_true(listen_in(plain, 10));
    assert_lines(3, 4);
    assert_int_equal(count("\"data\":"), 0);
    sse_close(whole);
    sse_close(plain);
}

static void a_filter_costs_others_nothing(void **state)
{
    (void) state;
    happen(1000, 0, true);
    struct sse_client *client = open_with((struct sse_request){ .from = "0", .type = "NONE" });
    ssize_t n = sse_more(client, told, ROOM); /* its hello, and one tick: not all of the log at once */
    told[n] = '\0';
    assert_int_equal(count("event: tick"), 1);
    assert_true(client->place_id < 500);
    assert_true(listen_to(client));
    assert_int_equal(client->place_id, 1000);
    assert_true(count("event: tick") >= 2);
    assert_lines(1, 0);
    sse_close(client);
}

static void who_is_far_behind_after_all_is_ended(void **state)
{
    (void) state;
    happen(SSE_BEHIND_MAX + 500, 0, false);
    struct sse_client *late = open_at("0"), *live = open_at(NULL);
    assert_true(listen_to(live));
    assert_true(listen_to(late)); /* it was never at the end: that is no slowness */
    assert_lines(1, SSE_BEHIND_MAX + 500);
    happen(SSE_BEHIND_MAX + 1, 0, false);
    assert_false(listen_to(live));
    struct sse_values values;
    sse_close(live);
    sse_get_values(sse, &values);
    assert_int_equal(values.ends_slow, 1);
    assert_int_equal(values.clients, 1);
    sse_close(late);
}

static void what_was_trimmed_meanwhile(void **state)
{
    struct sse_client *client = open_at(NULL), *quick = open_at(NULL);
    sqlite3 *db;
    (void) state;
    assert_true(listen_to(client));
    happen(3000, 0, true);
    assert_true(listen_to(quick));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM events WHERE id <= 100", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_true(listen_to(client));
    assert_non_null(strstr(told, "id: 100\nevent: reset\ndata: {\"why\":\"older events are not kept any more\","
                                 "\"lost_from\":1,\"lost_to\":100}\n\n"));
    assert_lines(101, 3000);
    sse_close(quick);
    sse_close(client);
}

/* Somebody else wrote it. */
static void what_is_no_json_is_passed(void **state)
{
    sqlite3 *db;
    (void) state;
    happen(3, 0, false);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE events SET data = '{' WHERE id = 2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct sse_client *client = open_at("0");
    assert_true(listen_to(client));
    assert_int_equal(count("event: log"), 2);
    assert_int_equal(client->place_id, 3);
    sse_close(client);
}

static void a_comment_after_silence(void **state)
{
    char some[100];
    (void) state;
    struct sse_client *client = open_at(NULL);
    struct sse_client *filtered = open_with((struct sse_request){ .type = "NONE" });
    while (client->own.size)
        (void) sse_more(client, some, sizeof(some));
    while (filtered->own.size)
        (void) sse_more(filtered, some, sizeof(some));
    assert_int_equal(sse_more(client, some, sizeof(some)), 3);
    assert_memory_equal(some, ":\n\n", 3);
    happen(1, 0, true);
    ssize_t n = sse_more(filtered, told, ROOM);
    assert_true(n > 0);
    assert_memory_equal(told, "id: 1\nevent: tick\n", strlen("id: 1\nevent: tick\n"));
    n = sse_more(filtered, told, ROOM);
    assert_memory_equal(told, ":\n\n", 3);
    assert_int_equal(n, 3);
    sse_close(client);
    sse_close(filtered);
}

/* When the time of a round is up each client still gets on, by one event at a time. */
static void a_round_has_an_end(void **state)
{
    (void) state;
    happen(5, 0, true);
    struct sse_client *client = open_with((struct sse_request){ .from = "0", .type = "NO_SUCH_TYPE" });
    sse->parts.round_us = 1000;
    sse->round_since_us = 1;
    assert_true(sse_more(client, told, ROOM) > 0);
    assert_non_null(strstr(told, "id: 1\nevent: tick\n"));
    assert_int_equal(client->place_id, 1);
    assert_true(sse_more(client, told, ROOM) > 0);
    assert_int_equal(client->place_id, 2);

    sse->parts.round_us = FOREVER_US;
    sse_end_round(sse);
    (void) listen_to(client);
    assert_int_equal(client->place_id, 5);
    sse_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sse_test(nothing_while_nobody_listens),
        sse_test(one_frame_for_all),
        sse_test(as_much_as_the_ring_has_room_for),
        sse_test(a_frame_stays_for_who_is_in_it),
        sse_test(data_is_there_only_for_who_wants_it),
        sse_test(a_filter_costs_others_nothing),
        sse_test(who_is_far_behind_after_all_is_ended),
        sse_test(what_was_trimmed_meanwhile),
        sse_test(what_is_no_json_is_passed),
        sse_test(a_round_has_an_end),
        cmocka_unit_test_setup_teardown(a_comment_after_silence, begin_breathless, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
