/* test_web.c - what is sent, what is taken of an answer, and how connections are kept. Failures: test_web_faults.c.
 * What answers mean: test_forward.c. */
#include "web_client.h"

#include <fcntl.h>

static void test_request(void **state)
{
    (void) state;
    begin(LONG_US, { OK_ANSWER, STAY });
    struct words headers = { 0 };
    words_add(&headers, "Content-Type: application/json");
    words_add(&headers, "Sonoran-Event-Id: 7");
    assert_int_equal(post_to(url, &headers, "{\"a\":1}", 1000), 0);
    web_answer_free(&answer);
    words_free(&headers);
    end();

    char wanted[512];
    snprintf(wanted, sizeof(wanted),
             "POST /secret-path?token=secret HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"
             "User-Agent: sonoran-pushd/" PROGRAM_VERSION "\r\nAccept: */*\r\nContent-Type: application/json\r\n"
             "Sonoran-Event-Id: 7\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
             server.port);
    assert_string_equal(server.last.s, wanted);
}

static void test_no_proxy(void **state)
{
    (void) state;
    begin(LONG_US, { OK_ANSWER, STAY });
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    expect_answer(200, "ok");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    end();
}

static void test_large_body(void **state)
{
    (void) state;
    begin(LONG_US, { OK_ANSWER, STAY });
    struct text body CLEANUP(text_free) = TEXT_INIT;
    for (int i = 0; i < 200000; i++)
        text_addf(&body, "%07d,", i);
    assert_int_equal(post_to(url, NULL, body.s, 1000), 0);
    web_answer_free(&answer);
    end();
    assert_string_equal(strstr(server.last.s, "\r\n\r\n") + 4, body.s);
    assert_null(strstr(server.last.s, "Expect"));
}

static void test_connection_is_kept(void **state)
{
    (void) state;
    begin(LONG_US, { OK_ANSWER, STAY }, { "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nbad", STAY },
          { "HTTP/1.1 204 Empty\r\n\r\n", STAY }, { OK_ANSWER, STAY });
    expect_answer(200, "ok");
    expect_answer(500, "bad");
    expect_answer(204, "");
    expect_answer(200, "ok");
    end();
    assert_int_equal(server.n_accepted, 1);
}

static void test_stale_connection(void **state)
{
    (void) state;
    begin(LONG_US, { OK_ANSWER, CLOSE }, { OK_ANSWER, STAY }, { NULL, CLOSE }, { OK_ANSWER, STAY }, { NULL, RESET },
          { OK_ANSWER, STAY });
    for (int i = 0; i < 4; i++)
        expect_answer(200, "ok");
    end();
    assert_int_equal(server.n_accepted, 4);
    assert_int_equal(server.n_requests, 6);
}

static void test_redirect_is_not_followed(void **state)
{
    (void) state;
    begin(LONG_US, { "HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", STAY },
          { OK_ANSWER, STAY });
    expect_answer(307, "");
    end();
    assert_int_equal(server.n_requests, 1);
}

/* Nobody answers, and it arrives all the same, on a connection that is not cut off. */
static void test_sent_is_enough(void **state)
{
    static const struct turn turns[] = { { NULL, CLOSE }, { NULL, CLOSE }, { NULL, HANG } };
    eventfd_t n_told = 0;
    (void) state;
    server_start(&server, turns, ARRAY_SIZE(turns));
    server.told_fd = eventfd(0, EFD_CLOEXEC);
    server_run(&server);
    open_web(LONG_US);
    waits = WEB_WAIT_SENT;
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        assert_int_equal(post_to(url, NULL, i == 2 ? "{\"last\":1}" : "{}", 1000), 0);
        assert_int_equal(answer.status, 0);
        web_answer_free(&answer);
        assert_int_equal(eventfd_read(server.told_fd, &n_told), 0);
    }
    close(server.told_fd);
    end();
    assert_int_equal(server.n_accepted, 3);
    assert_string_equal(strstr(server.last.s, "\r\n\r\n") + 4, "{\"last\":1}");
}

/* Nothing is to be sent but the head, and that arrives too. */
static void test_nothing_is_sent(void **state)
{
    static const struct turn turns[] = { { NULL, HANG } };
    (void) state;
    server_start(&server, turns, ARRAY_SIZE(turns));
    server_run(&server);
    open_web(LONG_US);
    waits = WEB_WAIT_SENT;
    assert_int_equal(post_to(url, NULL, "", 1000), 0);
    assert_int_equal(answer.status, 0);
    web_answer_free(&answer);
    end();
}

static void test_all_is_sent(void **state)
{
    struct text body CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    for (int i = 0; i < 1000000; i++)
        text_addf(&body, "%07d,", i);
    begin(LONG_US, { NULL, HANG });
    waits = WEB_WAIT_SENT;
    assert_int_equal(post_to(url, NULL, body.s, 1000), 0);
    web_answer_free(&answer);
    end();
    assert_string_equal(strstr(server.last.s, "\r\n\r\n") + 4, body.s);
}

static void test_where_it_redirects(void **state)
{
    char wanted[64];
    (void) state;
    begin(LONG_US, { "HTTP/1.1 308 Go\r\nLocation: /elsewhere?a\r\nContent-Length: 0\r\n\r\n", STAY });
    assert_int_equal(post_to(url, NULL, "{}", 0), 0);
    snprintf(wanted, sizeof(wanted), "127.0.0.1:%d/elsewhere?a", server.port);
    assert_non_null(strstr(answer.redirect.s, wanted));
    web_answer_free(&answer);
    end();
}

static void test_headers_of_answer(void **state)
{
    (void) state;
    begin(LONG_US,
          { "HTTP/1.1 103 Early\r\nX-RateLimit-Bucket: early\r\nX-RateLimit-Global: true\r\n\r\n"
            "HTTP/1.1 429 Slow down\r\nretry-after: 2\r\nX-RateLimit-Remaining:0\r\n"
            "x-ratelimit-reset-after: \t1.337 \r\nX-RateLimit-Bucket: b\r\nX-RateLimit: no\r\n"
            "X-RateLimit-Scope: 0123456789012345678901234567890123456789012345678901234567890123\r\n"
            "Content-Length: 0\r\n\r\n",
            STAY },
          { OK_ANSWER, STAY });
    assert_int_equal(post_to(url, NULL, "", 0), 0);
    assert_int_equal(answer.status, 429);
    assert_int_equal(answer.retry_after_us, 2 * USEC_PER_SEC);
    assert_string_equal(web_header(&answer, "X-RateLimit-Remaining"), "0");
    assert_string_equal(web_header(&answer, "X-RateLimit-Reset-After"), "1.337");
    assert_string_equal(web_header(&answer, "x-ratelimit-bucket"), "b");
    assert_null(web_header(&answer, "X-RateLimit-Global"));
    assert_null(web_header(&answer, "X-RateLimit-Scope"));
    assert_null(web_header(&answer, "Content-Length"));
    web_answer_free(&answer);

    assert_int_equal(post_to(url, NULL, "", 0), 0);
    assert_int_equal(answer.retry_after_us, 0);
    assert_null(web_header(&answer, "X-RateLimit-Remaining"));
    web_answer_free(&answer);
    end();
}

static void test_retry_after(void **state)
{
    static const struct {
        const char *value;
        usec_t us;
    } cases[] = {
        { "0", 0 },
        { "30", 30000000 },
        { "0.25", 250000 },
        { "64.57", 64570000 },
        { "99999999999999999999999999", 366 * 24 * 3600 * USEC_PER_SEC },
        { "-5", 0 },
        { "inf", 0 },
        { "0x10", 0 },
        { "", 0 },
        { ".", 0 },
        { "soon", 0 },
        { "Sun, 06 Nov 1994 08:49:37 GMT", 10000000 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 10000000 },
        { "Sun Nov  6 08:49:37 1994", 10000000 },
        { "Sun, 06 Nov 1994 08:49:27 GMT", 0 },
        { "Sun, 06 Nov 1990 08:49:37 GMT", 0 },
        { "Sun, 06 Nov 2094 08:49:37 GMT", 366 * 24 * 3600 * USEC_PER_SEC },
        { "Sun, 06 Nov 1994 08:49:37 GMT!", 0 },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (web_read_retry_after(cases[i].value, 784111767 * USEC_PER_SEC) != cases[i].us)
            fail_msg("%s", cases[i].value);
}

static void test_long_answer(void **state)
{
    static char long_answer[100100];
    (void) state;
    int n = snprintf(long_answer, sizeof(long_answer), "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    memset(long_answer + n, 'y', 100000);

    begin(LONG_US, { long_answer, STAY }, { OK_ANSWER, STAY });
    assert_int_equal(post_to(url, NULL, "{}", 10), 0);
    assert_string_equal(answer.body.s, "yyyyyyyyyy");
    web_answer_free(&answer);
    expect_answer(200, "ok");
    end();
    assert_int_equal(server.n_accepted, 1);
}

static void test_endless_answer(void **state)
{
    (void) state;
    begin(LONG_US, { "HTTP/1.1 500 No\r\n\r\n", FLOOD }, { OK_ANSWER, STAY });
    assert_int_equal(post_to(url, NULL, "{}", 3), 0);
    assert_int_equal(answer.status, 500);
    assert_string_equal(answer.body.s, "xxx");
    web_answer_free(&answer);
    expect_answer(200, "ok");
    end();
}

static void test_sockets_close_on_exec(void **state)
{
    int n_sockets = 0;
    (void) state;
    begin(LONG_US, { OK_ANSWER, STAY });
    expect_answer(200, "ok");
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t size = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *) &peer, &size) == 0 && peer.ss_family == AF_INET) {
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            n_sockets++;
        }
    }
    assert_true(n_sockets >= 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        web_test(test_request),
        web_test(test_no_proxy),
        web_test(test_large_body),
        web_test(test_connection_is_kept),
        web_test(test_stale_connection),
        web_test(test_redirect_is_not_followed),
        web_test(test_sent_is_enough),
        web_test(test_nothing_is_sent),
        web_test(test_all_is_sent),
        web_test(test_where_it_redirects),
        web_test(test_headers_of_answer),
        cmocka_unit_test(test_retry_after),
        web_test(test_long_answer),
        web_test(test_endless_answer),
        web_test(test_sockets_close_on_exec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
