/* test_web_faults.c - servers that do not behave, names that do not exist, and giving up on them. */
#include "../../src/net/web_library.h"
#include "web_client.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>

/* ---- names: getaddrinfo as libcurl sees it ---- */

static sem_t lookup_may_end, lookup_has_ended;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    if (node && strcmp(node, "nosuch.invalid") == 0)
        return EAI_NONAME;
    if (node && (strcmp(node, "slow.invalid") == 0 || strcmp(node, "cancel.invalid") == 0)) {
        if (node[0] == 'c')
            eventfd_write(cancel_fd, 1);
        sem_wait(&lookup_may_end);
        sem_post(&lookup_has_ended);
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, ret);
}

/* ---- the tests ---- */

#define REACHED_US (3 * USEC_PER_SEC) /* by one of several tries; the others have to be over before */

static void test_timeout(void **state)
{
    (void) state;
    begin(REACHED_US, { NULL, HANG }, { "HTTP/1.1 200 OK\r\nX-Long: ", TRICKLE }, { OK_ANSWER, STAY });
    expect_failure(-ETIME, "no answer within 3s, though the request was taken");
    expect_failure(-ETIME, "no answer within 3s, though the request was taken");
    expect_answer(200, "ok");
    end();
}

static void test_connection_breaks(void **state)
{
    (void) state;
    begin(LONG_US, { NULL, CLOSE }, { NULL, RESET }, { "HTTP/1.1 200 OK\r\nContent-Len", CLOSE },
          { "HTTP/1.1 100 Continue\r\n\r\n", CLOSE }, { OK_ANSWER, STAY });
    expect_failure(-ECONNRESET, "127.0.0.1:PORT closed the connection without an answer");
    expect_failure(-ECONNRESET, "127.0.0.1:PORT closed the connection without an answer");
    expect_failure(-ECONNRESET, "127.0.0.1:PORT closed the connection in the middle of the answer");
    expect_failure(-ECONNRESET, "127.0.0.1:PORT closed the connection in the middle of the answer");
    expect_answer(200, "ok");
    end();
}

/* Its head was there: this is an answer, in time, whatever becomes of its body. */
static void test_body_breaks(void **state)
{
    static const char *const bodies[] = { "ab", "ab", "ab", "\1", "" };
    (void) state;
    begin(LONG_US, { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", CLOSE },
          { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", HANG },
          { "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nab", HANG },
          { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\1\r\nnonsense", HANG },
          { "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", HANG }, { OK_ANSWER, STAY });
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        expect_answer(i == 2 ? 500 : 200, bodies[i]);
        assert_false(answer.whole);
    }
    expect_answer(200, "ok");
    assert_true(answer.whole);
    end();
}

/* Whoever wants the body waits for it, as long as a try may take. */
static void test_body_is_waited_for(void **state)
{
    (void) state;
    begin(REACHED_US, { "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", TRICKLE },
          { "HTTP/1.1 200 OK\r\n\r\n", FLOOD }, { OK_ANSWER, STAY });
    waits = WEB_WAIT_BODY;
    assert_int_equal(post_to(url, NULL, "{}", 5000), 0);
    assert_true(answer.body.size > 0 && !answer.whole);
    web_answer_free(&answer);
    assert_int_equal(post_to(url, NULL, "{}", 5), 0);
    assert_string_equal(answer.body.s, "xxxxx");
    web_answer_free(&answer);
    expect_answer(200, "ok");
    end();
}

static void test_large_header(void **state)
{
    struct text head CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    text_add(&head, "HTTP/1.1 200 OK\r\nX-Long: ");
    for (int i = 0; i < 20000; i++)
        text_add(&head, "0123456789");
    const struct turn large[] = { { head.s, HANG } };
    server_start(&server, large, 1);
    server_run(&server);
    open_web(LONG_US);
    expect_failure(-EBADMSG, "127.0.0.1:PORT answers with a header that is too large");
    end();
}

static void test_not_http(void **state)
{
    (void) state;
    begin(LONG_US, { "220 mail.example ESMTP\r\n", CLOSE });
    expect_failure(-EBADMSG, "127.0.0.1:PORT does not answer in HTTP");
    end();
}

static void test_nobody_there(void **state)
{
    (void) state;
    int fd = bind_anywhere(&server.port); /* so that nobody else gets it */
    open_web(LONG_US);
    expect_failure(-ECONNREFUSED, "cannot connect to 127.0.0.1:PORT: connection refused");
    web = web_close(web);
    close(fd);
}

/* Before there is a connection, it is the proxy that speaks. */
static void test_proxy(void **state)
{
    static const struct turn turns[] = { { "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", CLOSE } };
    const struct web_settings settings = { .timeout_us = LONG_US, .cancel_fd = -1, .use_proxy = true };
    const struct web_request request = { .url = "https://there.invalid/" };
    char proxy[64], sentence[128];
    (void) state;
    server_start(&server, turns, ARRAY_SIZE(turns));
    server_run(&server);
    snprintf(proxy, sizeof(proxy), "http://me:pass@127.0.0.1:%d", server.port);
    setenv("https_proxy", proxy, 1);
    assert_int_equal(web_open(&web, &settings, &err), 0);
    int r = web_get(web, &request, &answer, &err);
    unsetenv("https_proxy");
    snprintf(sentence, sizeof(sentence),
             "cannot connect to there.invalid:443 by the proxy 127.0.0.1:%d: it answers 407, it wants a login",
             server.port);
    assert_string_equal(err.msg, sentence);
    assert_int_equal(r, -ECONNRESET);
    end();
}

static void test_connection_hangs(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fds[8], listen_fd = listen_anywhere(0, &server.port);
    (void) state;
    address.sin_port = htons((uint16_t) server.port);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void) connect(fds[i], (struct sockaddr *) &address, sizeof(address));
    }
    open_web(USEC_PER_SEC);
    expect_failure(-ETIMEDOUT, "cannot connect to 127.0.0.1:PORT: no answer within 1s");
    web = web_close(web);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        close(fds[i]);
    close(listen_fd);
}

static void test_no_such_name(void **state)
{
    (void) state;
    open_web(LONG_US);
    snprintf(url, sizeof(url), "https://user:pass@nosuch.invalid/secret");
    expect_failure(-EHOSTUNREACH, "the name nosuch.invalid cannot be resolved");
    web = web_close(web);
}

static void test_cancel(void **state)
{
    (void) state;
    static const struct turn turns[] = { { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", HANG },
                                         { OK_ANSWER, STAY } };
    server_start(&server, turns, ARRAY_SIZE(turns));
    server.told_fd = cancel_fd;
    server_run(&server);
    open_web(LONG_US);
    expect_failure(-ECANCELED, "cancelled");
    expect_failure(-ECANCELED, "cancelled"); /* and nothing is begun any more */
    end();
    assert_int_equal(server.n_accepted, 1);
}

static void test_silent_name_server(void **state)
{
    (void) state;
    sem_init(&lookup_may_end, 0, 0);
    sem_init(&lookup_has_ended, 0, 0);
    open_web(USEC_PER_SEC);
    snprintf(url, sizeof(url), "http://slow.invalid/secret");
    expect_failure(-ETIMEDOUT, "the name slow.invalid cannot be resolved: no answer within 1s");
    web = web_close(web);

    open_web(LONG_US);
    snprintf(url, sizeof(url), "http://cancel.invalid/secret");
    expect_failure(-ECANCELED, "cancelled");
    web = web_close(web);
    for (int i = 0; i < 2; i++) {
        sem_post(&lookup_may_end);
        sem_wait(&lookup_has_ended);
    }
}

static void test_refused_requests(void **state)
{
    static const char *const bad_headers[] = { "X: a\r\nY: b", "X: a\nY: b", "X: \x7f", "X: \x1b[2J", "X\t: b" };
    static const char *const bad_urls[] = {
        "",           "example.org/x", "ftp://example.org/", "file:///etc/passwd", "http://",
        "https://",   "http://a b/",   "http://a/\n",        "http://[::1/",       "http://a:99999999/",
        "gopher://a/"
    };
    (void) state;
    open_web(LONG_US);
    for (size_t i = 0; i < ARRAY_SIZE(bad_headers); i++) {
        struct words headers = { 0 };
        words_add(&headers, bad_headers[i]);
        assert_int_equal(post_to(url, &headers, "", 0), -EINVAL);
        assert_string_equal(err.msg, "a header with a control character");
        words_free(&headers);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_urls); i++) {
        if (post_to(bad_urls[i], NULL, "", 0) != -EINVAL)
            fail_msg("%s", bad_urls[i]);
        assert_string_equal(err.msg, "expected an http or https URL with a host");
    }
    assert_int_equal(web_check_url("HTTPS://user:pass@[::1]:8443/path?query#part", &err), 0);
    web = web_close(web);
}

static CURL *no_memory(void)
{
    return NULL;
}

/* Nothing of ours is closed in place of what was not opened yet. */
static void test_no_memory_to_open(void **state)
{
    (void) state;
    const struct web_settings settings = { .timeout_us = LONG_US, .cancel_fd = cancel_fd };
    assert_int_equal(web_library_load(&err), 0);
    __typeof__(web_libcurl.curl_easy_init) easy_init = web_libcurl.curl_easy_init;
    int flags = fcntl(STDIN_FILENO, F_GETFD);
    web_libcurl.curl_easy_init = no_memory;
    assert_int_equal(web_open(&web, &settings, &err), -ENOMEM);
    web_libcurl.curl_easy_init = easy_init;
    assert_true(flags >= 0);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), flags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        web_test(test_timeout),
        web_test(test_connection_breaks),
        web_test(test_not_http),
        web_test(test_nobody_there),
        web_test(test_proxy),
        web_test(test_connection_hangs),
        web_test(test_no_such_name),
        web_test(test_body_breaks),
        web_test(test_body_is_waited_for),
        web_test(test_large_header),
        web_test(test_cancel),
        web_test(test_silent_name_server),
        web_test(test_refused_requests),
        web_test(test_no_memory_to_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
