/* test_http_stream.c - answers that go on: what is there comes at once, nobody holds more than one piece, and those who
 * take nothing are let go. */
#include "http_stream_helpers.h"

static int left_open[2] = { -1, -1 };

static int set_up(void **state)
{
    const struct http_settings settings = http_default_settings();
    (void) state;
    return set_up_with(&settings);
}

static int set_up_impatient(void **state)
{
    struct http_settings settings = http_default_settings();
    settings.request_time_us = 100 * USEC_PER_MSEC;
    (void) state;
    return set_up_with(&settings);
}

static int tear_down(void **state)
{
    http_tear_down(state);
    for (size_t i = 0; i < ARRAY_SIZE(left_open); i++) {
        if (left_open[i] >= 0)
            close(left_open[i]);
        left_open[i] = -1;
    }
    return n_streams != 0; /* each was freed */
}

static bool is_flooded(void)
{
    return n_flooded_bytes > 0;
}

static bool streams_begun(void)
{
    return n_streams == 2;
}

static void what_comes_later(void **state)
{
    int fd = http_connect();
    char rest[16];
    (void) state;
    http_send(fd, GET_STREAM);
    read_until(fd, "\r\nConnection: close\r\n"); /* the head is out before there is anything to say */
    say("one", false);
    read_until(fd, "one");
    say("one two", false);
    read_until(fd, " two");
    assert_int_equal(ask("/"), 200); /* others are served meanwhile */
    say("one two", true);
    read_until(fd, "0\r\n\r\n"); /* the last chunk, and the connection with it */
    assert_int_equal(http_receive(fd, rest, sizeof(rest)), 0);
    close(fd);
    http_wait_for(all_gone);
}

/* As a proxy may ask: no chunks, the end is that of the connection. */
static void to_http_1_0(void **state)
{
    char answer[2048];
    (void) state;
    say("one two", true);
    http_ask("GET /stream HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 200 OK\r\n"));
    assert_null(strstr(answer, "chunked"));
    assert_non_null(strstr(answer, "\r\n\r\none two"));
    assert_string_equal(strstr(answer, "one two"), "one two");

    say("", false);
    int fd = http_connect();
    http_send(fd, "GET /stream HTTP/1.0\r\n\r\n");
    read_until(fd, "\r\n\r\n");
    say("three", false);
    read_until(fd, "three");
    close(fd);
    http_wait_for(all_gone);
}

static void the_head_alone(void **state)
{
    char answer[2048];
    (void) state;
    http_ask("HEAD /stream HTTP/1.1\r\nHost: test\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 200 OK\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Type: text/event-stream\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    http_wait_for(all_gone);
}

static void the_client_goes(void **state)
{
    int fd = http_connect(), other = http_connect();
    (void) state;
    http_send(fd, GET_STREAM);
    http_send(other, GET_FLOOD);
    http_wait_for(streams_begun);
    close(fd);
    close(other);
    http_wait_for(all_gone);
}

/* What it does not take stays in the socket's buffers: nothing is piled up for it. */
static void who_takes_nothing_is_let_go(void **state)
{
    int fd = http_connect();
    (void) state;
    http_send(fd, GET_FLOOD);
    http_wait_for(is_flooded);
    http_wait_for(all_gone);
    assert_in_range(n_flooded_bytes, 1, 64 << 20);
    close(fd);
}

static void as_many_as_there_may_be(void **state)
{
    int fds[] = { http_connect(), http_connect() };
    char answer[2048];
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        http_send(fds[i], GET_STREAM);
        read_until(fds[i], "\r\n\r\n");
    }
    http_ask("GET /stream HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 503 "));
    assert_non_null(strstr(answer, "\r\nRetry-After: 5\r\n"));
    assert_int_equal(ask("/"), 200);
    close(fds[0]);
    close(fds[1]);
    http_wait_for(all_gone);
    fds[0] = http_connect();
    http_send(fds[0], GET_STREAM);
    read_until(fds[0], "HTTP/1.1 200 ");
    close(fds[0]);
}

/* tear_down ends http while they last, and looks whether each was freed. */
static void the_end_does_not_wait_for_them(void **state)
{
    (void) state;
    left_open[0] = http_connect();
    left_open[1] = http_connect();
    http_send(left_open[0], GET_STREAM);
    http_send(left_open[1], GET_FLOOD);
    http_wait_for(streams_begun);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(to_http_1_0, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_head_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_client_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_takes_nothing_is_let_go, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(as_many_as_there_may_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_does_not_wait_for_them, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
