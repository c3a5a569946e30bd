/* test_websocket_refused.c - every answer to an upgrade that opens no websocket; proxies, certificates, URLs. */
#include "websocket_peer.h"

#define NEVER_US (50 * USEC_PER_MSEC) /* for an answer that never comes */

static const char *answer;

static void say_answer(struct peer *self)
{
    char byte;
    hear_request(self);
    peer_write(self, answer);
    if (!self->ssl)
        shutdown(self->fd, SHUT_WR);
    while (!self->ssl && peer_read(self, &byte, 1) == 1)
        continue;
}

static void keep_silent(struct peer *self)
{
    hear_request(self);
    peer_write(self, answer);
    wait_go(self);
}

/* % in the sentence is the host. */
static void expect_sentence(const char *sentence)
{
    char words[256], host[32] = "";
    const char *place = strchr(sentence, '%');
    if (place)
        snprintf(host, sizeof(host), "127.0.0.1:%d", peer.port);
    snprintf(words, sizeof(words), "%.*s%s%s", place ? (int) (place - sentence) : 0, sentence, host,
             place ? place + 1 : sentence);
    assert_string_equal(err.msg, words);
}

/* And it stays what it is. */
static void expect_no(int r, const char *sentence, int status)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(websocket_result(ws, &refusal, &err), r);
        expect_sentence(sentence);
        assert_int_equal(refusal.status, status);
        assert_int_equal(websocket_receive(ws, &message, &err), r);
        expect_sentence(sentence);
        assert_int_equal(websocket_send(ws, span_of("x"), &err), -ENOTCONN);
        websocket_finish(ws, WEBSOCKET_NORMAL);
    }
    assert_true(websocket_due_us(ws) == UINT64_MAX);
}

static void expect_answer(const char *said, int r, const char *sentence, int status)
{
    answer = said;
    for (enum way way = TCP; way <= TLS; way++) {
        assert_int_equal(ws_connect(way, say_answer), r);
        expect_no(r, sentence, status);
        ws_end();
        peer_stop();
    }
}

static void test_answers(void **state)
{
    (void) state;
    expect_answer(
        "HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n"
        "<!DOCTYPE html><title>Just a moment...</title>",
        -EACCES, "% refuses the connection: 403", 403);
    assert_string_equal(refusal.reason, "Forbidden");
    assert_string_equal(refusal.server, "cloudflare");
    assert_int_equal(refusal.retry_after_us, 0);
    expect_answer("HTTP/1.1 503 \x1b[2JNo\r\n\r\n", -EBADMSG, "% does not speak websocket: its answer is no HTTP", 0);
    expect_answer("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\n\r\n{}", -EACCES,
                  "% refuses the connection: 429", 429);
    assert_int_equal(refusal.retry_after_us, 120 * USEC_PER_SEC);
    expect_answer("HTTP/1.1 302 Found\r\nLocation: https://portal.example/\r\n\r\n", -EBADMSG,
                  "% does not speak websocket: it answers 302", 302);
    expect_answer("HTTP/1.1 200 OK\r\n\r\nhello", -EBADMSG, "% does not speak websocket: it answers 200", 200);
    expect_answer("SSH-2.0-OpenSSH_9.2p1\r\n", -EBADMSG, "% does not speak websocket: its answer is no HTTP", 0);
    expect_answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x01z",
                  -EBADMSG, "% does not speak websocket: its answer accepts another request", 101);
    expect_answer("", -ECONNRESET, "no answer to the upgrade: % closed the connection", 0);
    expect_answer("HTTP/1.1 101 Switching Protocols\r\nUpgr", -ECONNRESET,
                  "no answer to the upgrade: % closed the connection", 101);
}

static void say_with_extension(struct peer *self)
{
    hear_request(self);
    say_upgrade(self, answer, "", 0);
}

static void test_extension(void **state)
{
    (void) state;
    answer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    assert_int_equal(ws_connect(TLS, say_with_extension), -EBADMSG);
    expect_no(-EBADMSG, "% does not speak websocket: its answer adds what was not asked for", 101);
    ws_end();
    peer_stop();
}

static void say_head_without_end(struct peer *self)
{
    hear_request(self);
    peer_write(self, "HTTP/1.1 101 x\r\n");
    while (say_bytes(self, "A: b\r\n", 6))
        continue;
}

static void test_head_without_end(void **state)
{
    (void) state;
    assert_int_equal(ws_connect(TCP, say_head_without_end), -EBADMSG);
    expect_no(-EBADMSG, "% does not speak websocket: its answer is longer than 16K", 101);
    ws_end();
    peer_stop();
}

/* Not before its time, and by itself. */
static void test_silence(void **state)
{
    static const char *const answers[] = { "", "HTTP/1.1 101 x\r\n" };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct websocket_settings settings = ws_settings(TCP);
        answer = answers[i];
        peer_start(TCP, keep_silent);
        assert_int_equal(ws_begin(&settings), 0);
        ws_end();
        eventfd_write(peer.go_fd, 1);
        peer_stop();

        settings.net.connect_us = NEVER_US;
        peer_start(TCP, keep_silent);
        usec_t began_us = uptime_us();
        assert_int_equal(ws_begin(&settings), 0);
        assert_int_equal(ws_wait_result(), -ETIMEDOUT);
        if (strstr(err.msg, "upgrade")) { /* a slow machine has not even connected */
            assert_true(uptime_us() - began_us >= NEVER_US);
            expect_no(-ETIMEDOUT, "% has not answered the upgrade within 50ms", i ? 101 : 0);
        }
        eventfd_write(peer.go_fd, 1);
        ws_end();
        peer_stop();
    }
}

/* ---- no connection ---- */

static void test_no_connection(void **state)
{
    int fd;
    (void) state;
    fd = bind_anywhere(&peer.port);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", peer.port);
    const struct websocket_settings settings = ws_settings(TCP);
    assert_int_equal(ws_begin(&settings), 0);
    assert_int_equal(ws_wait_result(), -ECONNREFUSED);
    expect_no(-ECONNREFUSED, "cannot connect to %: connection refused", 0);
    ws_end();
    close(fd);
}

static void test_certificate(void **state)
{
    (void) state;
    answer = "";
    peer_start(TLS, say_answer);
    struct websocket_settings settings = ws_settings(TCP); /* without ca_file */
    assert_int_equal(ws_begin(&settings), 0);
    assert_int_equal(ws_wait_result(), -EPROTO);
    assert_non_null(strstr(err.msg, "self-signed certificate"));
    assert_int_equal(websocket_receive(ws, &message, &err), -EPROTO);
    assert_non_null(strstr(err.msg, "TLS with 127.0.0.1:"));
    ws_end();
    peer_stop();
}

static void test_urls(void **state)
{
    static const char *const wrong[] = { "",
                                         "nonsense://x",
                                         "http://",
                                         "http://user@127.0.0.1",
                                         "https://a:b@127.0.0.1/",
                                         "http://127.0.0.1/\r\nX: y",
                                         "http://127.0.0.1/a b\n",
                                         "http://127.0.0.1:x" };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        const struct websocket_settings settings = { .net = { .url = wrong[i], .connect_us = CONNECT_US },
                                                     .max_message_bytes = 1 };
        int r = ws_begin(&settings);
        if (r == 0) /* a scheme that libcurl knows: the connection tells */
            r = ws_wait_result();
        if (r != -EINVAL)
            fail_msg("%s: %d", wrong[i], r);
        assert_non_null(strstr(err.msg, "expected "));
        ws_end();
    }
}

/* ---- by a proxy ---- */

static char tunnel[1024]; /* what the proxy was asked */

static void be_proxy(struct peer *self)
{
    hear_request(self);
    memcpy(tunnel, request, sizeof(tunnel));
    peer_write(self, answer);
    if (strstr(answer, " 200 ")) {
        upgrade(self);
        say_bytes(self, "\x81\x02{}", 4);
        expect_frame(self, 8, "\x03\xe8");
    }
}

static int ws_connect_by_proxy(const char *to, const char *said)
{
    char proxy[64];
    const struct websocket_settings settings = { .net = { .url = to, .use_proxy = true, .connect_us = CONNECT_US },
                                                 .max_message_bytes = 100,
                                                 .user_agent = "ours/1" };
    answer = said;
    peer_start(TCP, be_proxy);
    snprintf(proxy, sizeof(proxy), "http://user:word@127.0.0.1:%d", peer.port);
    setenv("http_proxy", proxy, 1);
    int r = ws_begin(&settings);
    r = r < 0 ? r : ws_wait_result();
    unsetenv("http_proxy");
    return r;
}

static void check_proxied(const char *to, const char *host_line, const char *connect_line)
{
    char line[256];
    assert_int_equal(ws_connect_by_proxy(to, "HTTP/1.1 200 Connection established\r\n\r\n"), 0);
    ws_expect("{}");
    websocket_finish(ws, WEBSOCKET_NORMAL);
    assert_int_equal(ws_receive(), -ECONNRESET);
    ws_end();
    peer_stop();
    assert_int_equal(peer.n_right, 1);
    assert_int_equal(strncmp(tunnel, connect_line, strlen(connect_line)), 0);
    assert_non_null(strstr(tunnel, "\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n"));
    snprintf(line, sizeof(line), "GET %s\r\n", host_line);
    assert_int_equal(strncmp(request, line, strlen(line)), 0);
    assert_non_null(strstr(request, "\r\nUser-Agent: ours/1\r\n"));
    assert_null(strstr(request, "Proxy"));
}

/* Hosts in every form: what stands in Host is what the proxy was asked for, but for the port that is always meant. */
static void test_proxy(void **state)
{
    (void) state;
    check_proxied("http://there.invalid", "/ HTTP/1.1\r\nHost: there.invalid", "CONNECT there.invalid:80 HTTP/1.1\r\n");
    check_proxied("http://There.invalid:80/a/?b", "/a/?b HTTP/1.1\r\nHost: There.invalid",
                  "CONNECT There.invalid:80 HTTP/1.1\r\n");
    check_proxied("http://[2001:db8::1]:8080/x?y=z", "/x?y=z HTTP/1.1\r\nHost: [2001:db8::1]:8080",
                  "CONNECT [2001:db8::1]:8080 HTTP/1.1\r\n");
}

static void test_proxy_that_refuses(void **state)
{
    (void) state;
    assert_int_equal(ws_connect_by_proxy("http://there.invalid/", "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
                     -ECONNRESET);
    assert_non_null(strstr(err.msg, "there.invalid:80"));
    assert_non_null(strstr(err.msg, "407"));
    assert_int_equal(refusal.status, 0); /* it is not the server's */
    ws_end();
    peer_stop();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the daemon does: TLS writes without asking */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers), cmocka_unit_test(test_extension),     cmocka_unit_test(test_head_without_end),
        cmocka_unit_test(test_silence), cmocka_unit_test(test_no_connection), cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_urls),    cmocka_unit_test(test_proxy),         cmocka_unit_test(test_proxy_that_refuses),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
