/* test_net_refused.c - every way in which no connection is made, each with its sentence; and what a proxy is asked. */
#include "net_peer.h"

PRINTF_LIKE(3, 4)
static void expect_failure(const struct net_settings *settings, int wanted, const char *format, ...)
{
    char sentence[256];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    int r = connect_with(settings);
    end();
    assert_string_equal(err.msg, sentence);
    assert_int_equal(r, wanted);
}

static void test_no_connection(void **state)
{
    char long_path[200];
    int port, fd = bind_anywhere(&port);
    (void) state;
    snprintf(url, sizeof(url), "http://user:pass@127.0.0.1:%d/secret", port);
    expect_failure(&(struct net_settings){ .url = url, .connect_us = CONNECT_US }, -ECONNREFUSED,
                   "cannot connect to 127.0.0.1:%d: connection refused", port);
    close(fd);
    unlink(unix_path);
    expect_failure(&(struct net_settings){ .url = url, .unix_path = unix_path, .connect_us = CONNECT_US }, -ENOENT,
                   "cannot connect to %s: no such file or directory", unix_path);
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    expect_failure(&(struct net_settings){ .url = url, .unix_path = long_path, .connect_us = CONNECT_US },
                   -ENAMETOOLONG, "%s is too long for a Unix socket", long_path);
    expect_failure(&(struct net_settings){ .url = "http://", .connect_us = CONNECT_US }, -EINVAL,
                   "expected an http or https URL with a host");
    expect_failure(&(struct net_settings){ .url = "ftp://127.0.0.1", .connect_us = CONNECT_US }, -EINVAL,
                   "expected an http or https URL with a host");
    expect_failure(&(struct net_settings){ .url = "http://nowhere.invalid:1/secret", .connect_us = CONNECT_US },
                   -EHOSTUNREACH, "the name nowhere.invalid cannot be resolved");
}

/* It takes the connection, and then says nothing to TLS. On a machine that does much else even the first may take
 * long. */
static void test_no_answer(void **state)
{
    char begin[64];
    int port, r = 0, fd = listen_anywhere(64, &port);
    (void) state;
    snprintf(url, sizeof(url), "https://127.0.0.1:%d", port);
    for (usec_t us = USEC_PER_SEC / 10; r != -EPROTO && us < CONNECT_US; us *= 2) {
        r = connect_with(&(struct net_settings){ .url = url, .connect_us = us });
        end();
    }
    snprintf(begin, sizeof(begin), "TLS with 127.0.0.1:%d: no answer within ", port);
    assert_int_equal(r, -EPROTO);
    assert_true(strncmp(err.msg, begin, strlen(begin)) == 0);
    close(fd);
}

static void expect_no_tls(const char *host, const char *ca, const char *words)
{
    char begin[64];
    peer_start(TLS, speak_in_halves);
    snprintf(url, sizeof(url), "https://%s:%d", host, peer.port);
    int r = connect_with(&(struct net_settings){ .url = url, .ca_file = ca, .connect_us = CONNECT_US });
    end();
    peer_stop();
    assert_int_equal(r, -EPROTO);
    snprintf(begin, sizeof(begin), "TLS with %s:%d: ", host, peer.port);
    if (strncmp(err.msg, begin, strlen(begin)) != 0 || !strstr(err.msg, words))
        fail_msg("%s", err.msg);
}

static void test_certificate(void **state)
{
    (void) state;
    expect_no_tls("localhost", ca_file, "localhost");
    expect_no_tls("127.0.0.1", NULL, "self-signed certificate");
}

/* ---- by a proxy ---- */

static struct text asked = TEXT_INIT;
static const char *proxy_says;

static void speak_as_proxy(struct peer *self)
{
    char byte;
    while (!strstr(asked.s, "\r\n\r\n") && peer_read(self, &byte, 1) == 1)
        text_add_bytes(&asked, &byte, 1);
    peer_write(self, proxy_says);
    while (peer_read(self, &byte, 1) == 1)
        peer_write(self, "!");
}

static int connect_through(const char *proxy_url, usec_t connect_us)
{
    const struct net_settings settings = { .url = "http://there.invalid:80/",
                                           .use_proxy = true,
                                           .connect_us = connect_us };
    setenv("http_proxy", proxy_url, 1);
    int r = connect_with(&settings);
    unsetenv("http_proxy");
    return r;
}

static int connect_by_proxy(const char *answer)
{
    char proxy[64];
    text_reset(&asked);
    proxy_says = answer;
    peer_start(TCP, speak_as_proxy);
    snprintf(proxy, sizeof(proxy), "http://me:SECRET@127.0.0.1:%d", peer.port);
    return connect_through(proxy, CONNECT_US);
}

#define BY_PROXY "cannot connect to there.invalid:80 by the proxy"

/* with_port, which has % for the port. */
static void put_port(char *ret, size_t size, const char *with_port, int port)
{
    const char *at = strchr(with_port, '%');
    if (at)
        snprintf(ret, size, "%.*s%d%s", (int) (at - with_port), with_port, port, at + 1);
    else
        snprintf(ret, size, "%s", with_port);
}

static void expect_no_proxy(int r, int port, const char *begin)
{
    char sentence[256];
    put_port(sentence, sizeof(sentence), begin, port);
    end();
    if (strncmp(err.msg, sentence, strlen(sentence)) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(r, -ECONNRESET);
    assert_null(strstr(err.msg, "SECRET"));
}

static void refuse(const char *answer, const char *sentence)
{
    int r = connect_by_proxy(answer);
    expect_no_proxy(r, peer.port, sentence);
    peer_stop();
}

static void test_refusing_proxy(void **state)
{
    (void) state;
    refuse("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", BY_PROXY " 127.0.0.1:%: it answers 407, it wants a login");
    refuse("HTTP/1.1 403 \x1b[31mNo\r\nContent-Length: 0\r\n\r\n", BY_PROXY " 127.0.0.1:%: it answers 403");
    refuse("SSH-2.0\r\n\r\n", BY_PROXY " 127.0.0.1:%: ");
}

static void test_bad_proxies(void **state)
{
    static const struct {
        const char *proxy, *sentence;
    } rows[] = {
        { "http://me:SECRET@127.0.0.1:%", BY_PROXY " 127.0.0.1:%: connection refused" },
        { "socks5h://me:SECRET@127.0.0.1:%", BY_PROXY " 127.0.0.1:%: connection refused" },
        { "http://me:SECRET@proxy.invalid:%", BY_PROXY " proxy.invalid:%: its name cannot be resolved" },
        { "gopher://me:SECRET@127.0.0.1:%", BY_PROXY " 127.0.0.1:%: its URL is of no kind of proxy" },
        { "http://me:SECRET@127.0.0.1:9%", BY_PROXY ": its URL cannot be read" },
    };
    int port, fd = bind_anywhere(&port);
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char proxy[64];
        put_port(proxy, sizeof(proxy), rows[i].proxy, port);
        expect_no_proxy(connect_through(proxy, CONNECT_US), port, rows[i].sentence);
    }
    close(fd);
}

/* It takes the connection, and then says nothing, with TLS or without. */
static void test_silent_proxy(void **state)
{
    char proxy[64];
    int port, fd = listen_anywhere(2, &port);
    (void) state;
    snprintf(proxy, sizeof(proxy), "http://me:SECRET@127.0.0.1:%d", port);
    expect_no_proxy(connect_through(proxy, USEC_PER_SEC / 10), port, BY_PROXY " 127.0.0.1:%: no answer within 100ms");
    snprintf(proxy, sizeof(proxy), "https://me:SECRET@127.0.0.1:%d", port);
    expect_no_proxy(connect_through(proxy, USEC_PER_SEC / 10), port, BY_PROXY " 127.0.0.1:%: no answer within 100ms");
    close(fd);
}

/* Nobody vouches for the certificate of a proxy that is spoken to in TLS. */
static void test_certificate_of_a_proxy(void **state)
{
    char proxy[64];
    (void) state;
    peer_start(TLS, speak_as_proxy);
    snprintf(proxy, sizeof(proxy), "https://me:SECRET@127.0.0.1:%d", peer.port);
    int r = connect_through(proxy, CONNECT_US);
    expect_no_proxy(r, peer.port, BY_PROXY " 127.0.0.1:%: certificate problem: self-signed certificate");
    peer_stop();
}

static void test_proxy(void **state)
{
    (void) state;
    assert_int_equal(connect_by_proxy("HTTP/1.1 200 OK\r\n\r\n"), 0);
    send_words("x");
    expect_piece("!");
    end();
    peer_stop();
    assert_true(strncmp(asked.s, "CONNECT there.invalid:80 HTTP/1.1\r\n", 35) == 0);
}

static void let_through_and_close(struct peer *self)
{
    char byte;
    text_reset(&asked);
    while (!strstr(asked.s, "\r\n\r\n") && peer_read(self, &byte, 1) == 1)
        text_add_bytes(&asked, &byte, 1);
    peer_write(self, "HTTP/1.1 200 OK\r\n\r\n");
    while (peer_read(self, &byte, 1) == 1 && byte != 0x01) /* the begin of TLS */
        ;
}

/* What the proxy lets through to is told as what it is. */
static void test_behind_a_proxy(void **state)
{
    char proxy[64];
    const struct net_settings settings = { .url = "https://there.invalid/",
                                           .use_proxy = true,
                                           .connect_us = CONNECT_US };
    (void) state;
    peer_start(TCP, let_through_and_close);
    snprintf(proxy, sizeof(proxy), "http://me:SECRET@127.0.0.1:%d", peer.port);
    setenv("https_proxy", proxy, 1);
    int r = connect_with(&settings);
    unsetenv("https_proxy");
    end();
    peer_stop();
    assert_int_equal(r, -EPROTO);
    assert_true(strncmp(err.msg, "TLS with there.invalid:443: ", 28) == 0);
    assert_null(strstr(err.msg, "SECRET"));
}

/* Not asked for, it is not used. */
static void test_no_proxy(void **state)
{
    (void) state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    peer_start(TCP, speak_in_halves);
    connect_to_peer(TCP);
    unsetenv("http_proxy");
    end();
    peer_stop();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the daemon does: TLS writes without asking */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_connection),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_no_proxy),
        cmocka_unit_test(test_refusing_proxy),
        cmocka_unit_test(test_bad_proxies),
        cmocka_unit_test(test_silent_proxy),
        cmocka_unit_test(test_certificate_of_a_proxy),
        cmocka_unit_test(test_behind_a_proxy),
    };
    int r = cmocka_run_group_tests(tests, set_up, tear_down);
    text_free(&asked);
    return r;
}
