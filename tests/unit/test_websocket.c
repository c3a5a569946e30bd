/* test_websocket.c - a websocket over TCP, TLS and a Unix socket: asked for, open, ended in every way. */
#include "websocket_peer.h"

#define BYTES(s) s, sizeof(s) - 1

/* ---- open ---- */

static void talk(struct peer *self)
{
    upgrade(self);
    say_bytes(self, BYTES("\x81\x03{}\x1e\x82\x01"
                          "b"));
    expect_frame(self, 1, "{\"type\":6}\x1e");
    say_bytes(self, BYTES("\x89\x05hello"));
    expect_frame(self, 10, "hello");
    say_bytes(self, BYTES("\x01\x01"
                          "a\x89\x00\x00\x01"
                          "b\x8a\x01?\x80\x00"));
    expect_frame(self, 8, "\x03\xe9");
    say_bytes(self, BYTES("\x88\x02\x03\xe9"));
}

/* The key is another each time. */
static void check_request(char *ret_key)
{
    char expected[1024];
    const char *key_line = strstr(request, "Sec-WebSocket-Key: ");
    assert_non_null(key_line);
    snprintf(ret_key, 25, "%s", key_line + 19);
    snprintf(
        expected, sizeof(expected),
        "GET /hub/%%C3%%A4?a=b&c=%%20 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nUser-Agent: sonoran-pushd/" PROGRAM_VERSION "\r\n\r\n",
        peer.port, ret_key);
    assert_int_equal(strcasecmp(request, expected), 0); /* %C3, or %c3, as libcurl likes */
}

static void test_talk(void **state)
{
    char keys[3][25];
    (void) state;
    for (enum way way = TCP; way <= UNIX; way++) {
        struct websocket_settings settings = ws_settings(way);
        char long_url[128];
        peer_start(way, talk);
        snprintf(long_url, sizeof(long_url), "%s://127.0.0.1:%d/hub/\xc3\xa4?a=b&c=%%20#no",
                 way == TLS ? "https" : "http", peer.port);
        settings.net.url = long_url;
        assert_int_equal(ws_begin(&settings), 0);
        assert_int_equal(websocket_result(ws, &refusal, &err), -EINPROGRESS);
        assert_int_equal(websocket_receive(ws, &message, &err), -EAGAIN);
        assert_int_equal(websocket_send(ws, span_of("x"), &err), -ENOTCONN);
        websocket_finish(ws, WEBSOCKET_NORMAL);
        assert_int_equal(websocket_heard_us(ws), 0);
        if (ws_wait_result() < 0)
            fail_msg("%s", err.msg);
        assert_int_equal(refusal.status, 0);
        assert_true(websocket_due_us(ws) == UINT64_MAX);
        usec_t heard_us = websocket_heard_us(ws);
        assert_true(heard_us > 0 && heard_us <= uptime_us());
        ws_expect("{}\x1e");
        assert_false(message.is_binary);
        ws_expect("b");
        assert_true(message.is_binary);
        assert_int_equal(websocket_send(ws, span_of("{\"type\":6}\x1e"), &err), 0);
        ws_expect("ab");
        assert_true(websocket_heard_us(ws) >= heard_us);
        assert_int_equal(websocket_answered_us(ws, NULL), 0);
        websocket_finish(ws, WEBSOCKET_GOING_AWAY);
        assert_int_equal(websocket_send(ws, span_of("x"), &err), -ENOTCONN);
        assert_int_equal(ws_receive(), 0);
        assert_int_equal(message.close_code, WEBSOCKET_GOING_AWAY);
        assert_int_equal(websocket_send(ws, span_of("x"), &err), -ECONNRESET);
        assert_int_equal(websocket_result(ws, NULL, &err), 0);
        ws_end();
        peer_stop();
        assert_int_equal(peer.n_right, 3);
        check_request(keys[way]);
        assert_true(way == TCP || strcmp(keys[way], keys[way - 1]) != 0);
    }
}

static void answer_ping(struct peer *self)
{
    char *payload, frame[20] = "\x8a\x00\x8a\x10";
    size_t size;
    upgrade(self);
    if (hear_frame(self, &payload, &size) == 9 && size == 16) {
        memcpy(frame + 4, payload, size);
        say_bytes(self, frame, sizeof(frame));
    }
    free(payload);
    wait_go(self);
}

static void test_ping(void **state)
{
    usec_t took_us = 0, began_us = uptime_us();
    (void) state;
    ws_open(TLS, answer_ping);
    assert_int_equal(websocket_ping(ws, &err), 0);
    while (websocket_answered_us(ws, &took_us) == 0) {
        assert_int_equal(websocket_receive(ws, &message, &err), -EAGAIN);
        if (websocket_answered_us(ws, NULL) == 0)
            assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
    }
    assert_true(took_us > 0 && took_us <= uptime_us() - began_us);
    assert_in_range(websocket_answered_us(ws, NULL), began_us, uptime_us());
    eventfd_write(peer.go_fd, 1);
    ws_end();
    peer_stop();
}

static void say_all_at_once(struct peer *self)
{
    hear_request(self);
    say_upgrade(self, "Server: x\r\n", BYTES("\x81\x0e{}\x1e{\"type\":6}\x1e\x81\x0b{\"type\":6}\x1e\x88\x02\x03\xe8"));
    expect_frame(self, 8, "\x03\xe8");
}

static void test_glued(void **state)
{
    (void) state;
    for (enum way way = TCP; way <= UNIX; way++) {
        ws_open(way, say_all_at_once);
        ws_expect("{}\x1e{\"type\":6}\x1e");
        ws_expect("{\"type\":6}\x1e");
        assert_int_equal(ws_receive(), 0);
        assert_int_equal(message.close_code, WEBSOCKET_NORMAL);
        ws_end();
        peer_stop();
        assert_int_equal(peer.n_right, 1);
    }
}

static const char *slowly;
static size_t n_slowly;

static void say_slowly(struct peer *self)
{
    int at_once = 1;
    setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    hear_request(self);
    char accept[BASE64_BYTES(BASE64_SHA1_BYTES) + 1], said[128], all[512];
    snprintf(said, sizeof(said), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", strstr(request, "-Key: ") + 6);
    (void) !base64_sha1(span_of(said), accept);
    int n = snprintf(all, sizeof(all),
                     "HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    memcpy(all + n, slowly, n_slowly);
    for (size_t i = 0; i < (size_t) n + n_slowly; i++) {
        wait_go(self);
        say_bytes(self, all + i, 1);
    }
}

/* Each byte comes when the one before it has been looked at. */
static void test_byte_by_byte(void **state)
{
    static const char bytes[] = "\x01\x02{\"\x89\x01?\x00\x00\x80\x03:}\x1e\x88\x05\x03\xe9"
                                "bye";
    const struct websocket_settings settings = ws_settings(TCP);
    int r;
    (void) state;
    slowly = bytes;
    n_slowly = sizeof(bytes) - 1;
    peer_start(TCP, say_slowly);
    assert_int_equal(ws_begin(&settings), 0);
    while ((r = websocket_result(ws, NULL, &err)) == -EINPROGRESS) {
        eventfd_write(peer.go_fd, 1);
        assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
    }
    assert_int_equal(r, 0);
    for (int i = 1; i >= 0; i--) {
        while ((r = websocket_receive(ws, &message, &err)) == -EAGAIN) {
            eventfd_write(peer.go_fd, 1);
            assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
        }
        assert_int_equal(r, i);
        assert_string_equal(message.bytes.s, i ? "{\":}\x1e" : "bye");
    }
    assert_int_equal(message.close_code, 1001);
    ws_end();
    peer_stop();
}

/* ---- large ---- */

static char *large; /* with its head */
static size_t n_large;

static void say_large(struct peer *self)
{
    upgrade(self);
    say_bytes(self, large, n_large);
    expect_frame(self, 8, n_large - 10 > MESSAGE_MAX ? "\x03\xf1" : "\x03\xe8");
}

static void make_large(size_t size)
{
    n_large = size + 10;
    large = realloc(large, n_large);
    memset(large, 'x', n_large);
    memcpy(large, "\x81\x7f\0\0\0\0", 6);
    for (int i = 0; i < 4; i++)
        large[6 + i] = (char) (size >> 8 * (3 - i));
}

static void test_large(void **state)
{
    (void) state;
    make_large(MESSAGE_MAX);
    for (enum way way = TCP; way <= UNIX; way++) {
        ws_open(way, say_large);
        assert_int_equal(ws_receive(), 1);
        assert_int_equal(message.bytes.size, MESSAGE_MAX);
        assert_memory_equal(message.bytes.s, large + 10, MESSAGE_MAX);
        websocket_finish(ws, WEBSOCKET_NORMAL);
        assert_int_equal(ws_receive(), -ECONNRESET);
        ws_end();
        peer_stop();
        assert_int_equal(peer.n_right, 1);
    }
}

static void expect_sentence(const char *format)
{
    char sentence[256], host[32];
    snprintf(host, sizeof(host), "127.0.0.1:%d", peer.port);
    const char *place = strchr(format, '%');
    snprintf(sentence, sizeof(sentence), "%.*s%s%s", (int) (place - format), format, host, place + 1);
    assert_string_equal(err.msg, sentence);
}

static void test_too_large(void **state)
{
    (void) state;
    make_large(5 << 20);
    ws_open(TLS, say_large);
    assert_int_equal(ws_receive(), -EPROTO);
    expect_sentence("% breaks off websocket: a message of more than 2M");
    assert_int_equal(websocket_send(ws, span_of("x"), &err), -EPROTO);
    assert_int_equal(websocket_receive(ws, &message, &err), -EPROTO);
    expect_sentence("% breaks off websocket: a message of more than 2M");
    ws_end();
    peer_stop();
    free(large);
    large = NULL;
}

/* Nothing is read until it may be. */
static void read_all_later(struct peer *self)
{
    char *payload, words[16];
    size_t size;
    upgrade(self);
    wait_go(self);
    while (hear_frame(self, &payload, &size) == 1) {
        snprintf(words, sizeof(words), "%06zu", self->n_right);
        self->n_right += size == 20000 && memcmp(payload, words, 6) == 0;
        free(payload);
    }
    free(payload);
    say_bytes(self, BYTES("\x88\x00"));
}

/* It gets all that was taken when it reads at last, in order. */
static void test_who_does_not_read(void **state)
{
    static char part[20000];
    (void) state;
    for (enum way way = TCP; way <= UNIX; way++) {
        size_t n = 0;
        int r;
        ws_open(way, read_all_later);
        do {
            snprintf(part, 7, "%06zu", n);
            r = websocket_send(ws, (struct span){ part, sizeof(part) }, &err);
            n += r == 0;
        } while (r == 0);
        assert_int_equal(r, -ENOBUFS);
        assert_true(n >= WEBSOCKET_WAITING_MAX / sizeof(part));
        assert_int_equal(websocket_ping(ws, &err) < 0 ? -ENOBUFS : 0, websocket_ping(ws, &err));
        websocket_finish(ws, WEBSOCKET_NORMAL);
        eventfd_write(peer.go_fd, 1);
        assert_int_equal(ws_receive(), 0);
        assert_int_equal(message.close_code, WEBSOCKET_NO_CODE);
        ws_end();
        peer_stop();
        assert_true(peer.n_right > 0 && peer.n_right <= n);
    }
}

/* ---- ends ---- */

static void break_rules(struct peer *self)
{
    upgrade(self);
    say_bytes(self, BYTES("\x81\x01"
                          "a\xc1\x00"));
    expect_frame(self, 8, "\x03\xea");
}

static void test_broken(void **state)
{
    (void) state;
    ws_open(TLS, break_rules);
    ws_expect("a");
    assert_int_equal(ws_receive(), -EPROTO);
    expect_sentence("% breaks off websocket: a frame of an extension");
    websocket_finish(ws, WEBSOCKET_NORMAL);
    ws_end();
    peer_stop();
    assert_int_equal(peer.n_right, 1);
}

static void leave_in_a_frame(struct peer *self)
{
    upgrade(self);
    say_bytes(self, BYTES("\x81\x01"
                          "a\x81\x05"
                          "bcd"));
}

static void be_rude(struct peer *self)
{
    const struct linger rude = { .l_onoff = 1 };
    upgrade(self);
    wait_go(self);
    setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &rude, sizeof(rude));
    SSL_free(self->ssl);
    self->ssl = NULL;
}

static void test_cut(void **state)
{
    (void) state;
    for (enum way way = TCP; way <= TLS; way++) {
        ws_open(way, leave_in_a_frame);
        ws_expect("a");
        assert_int_equal(ws_receive(), -ECONNRESET);
        expect_sentence("% closed the connection");
        assert_int_equal(websocket_send(ws, span_of("x"), &err), -ECONNRESET);
        ws_end();
        peer_stop();

        ws_open(way, be_rude);
        eventfd_write(peer.go_fd, 1);
        assert_int_equal(ws_receive(), -ECONNRESET);
        expect_sentence("% closed the connection");
        ws_end();
        peer_stop();
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the daemon does: TLS writes without asking */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk),   cmocka_unit_test(test_ping),
        cmocka_unit_test(test_glued),  cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_large),  cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_broken), cmocka_unit_test(test_who_does_not_read),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
