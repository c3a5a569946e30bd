/* test_redis.c - commands and replies over a connection: the login, many at once, who does not answer, goes, or says
 * no.
 */
#include "net_peer.h"

#include <sonoran-pushd/redis.h>

static struct redis *redis;
static enum redis_verdict verdict;

/* ---- the peer ---- */

static char said[4096]; /* all that came */

/* As much as that, or until the other side ends it. */
static void hear(struct peer *self, const char *words)
{
    size_t n = 0, size = strlen(words);
    ssize_t m;
    while (n < size && (m = peer_read(self, said + n, size - n)) > 0)
        n += (size_t) m;
    said[n] = '\0';
    self->n_right += strcmp(said, words) == 0;
}

static void begin_redis(enum way way, const struct redis_settings *settings)
{
    static char address[160];
    struct redis_settings with = *settings;
    if (way == UNIX)
        snprintf(address, sizeof(address), "unix:%s", unix_path);
    else
        snprintf(address, sizeof(address), "%s://127.0.0.1:%d", way == TLS ? "rediss" : "redis", peer.port);
    with.url = settings->url ? settings->url : address;
    with.ca_file = way == TLS ? ca_file : NULL;
    with.connect_us = settings->connect_us ? settings->connect_us : CONNECT_US;
    with.max_reply_bytes = 1 << 20;
    err.msg[0] = '\0';
    assert_int_equal(net_pool_open(&pool, &err), 0);
    assert_int_equal(redis_open(&redis, pool, &with, &err), 0);
}

static void end_redis(void)
{
    redis = redis_close(redis);
    pool = net_pool_close(pool);
    peer_stop();
}

static void send_command(const char *a, const char *b)
{
    assert_int_equal(redis_send(redis, (struct span[]){ span_of(a), span_of(b) }, 2, &err), 0);
}

static const struct redis_reply *await(void)
{
    const struct redis_reply *reply;
    if (redis_await(redis, -1, UINT64_MAX, &reply, &err) != 1)
        fail_msg("%s", err.msg);
    return reply;
}

/* ---- login ---- */

#define LOGIN "*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n"

static void speak_login(struct peer *self)
{
    hear(self, LOGIN);
    peer_write(self, "+OK\r\n+OK\r\n");
    hear(self, "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n");
    peer_write(self, "$1\r\nx\r\n");
}

/* And by each way. What is sent before it is open goes behind the login. */
static void test_login(void **state)
{
    (void) state;
    const struct redis_settings settings = { .username = "bob", .password = "secret", .database = 2 };
    for (enum way way = TCP; way <= UNIX; way++) {
        peer_start(way, speak_login);
        begin_redis(way, &settings);
        send_command("ECHO", "x");
        assert_int_equal(redis_await_open(redis, -1, &verdict, &err), 0);
        assert_int_equal(verdict, REDIS_DONE);
        assert_string_equal(await()->text.s, "x");
        assert_true(redis_heard_us(redis) > 0);
        end_redis();
        assert_int_equal(peer.n_right, 2);
    }
}

/* What the URL says counts where the settings say nothing. */
static void test_login_of_url(void **state)
{
    (void) state;
    char with_login[96];
    peer_start(TCP, speak_login);
    snprintf(with_login, sizeof(with_login), "redis://bob:nothing@127.0.0.1:%d/2", peer.port);
    begin_redis(TCP, &(struct redis_settings){ .url = with_login, .password = "secret" });
    send_command("ECHO", "x");
    assert_string_equal(await()->text.s, "x");
    end_redis();
    assert_int_equal(peer.n_right, 2);
}

static void refuse_login(struct peer *self)
{
    hear(self, "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n");
    peer_write(self, "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
}

static void test_login_refused(void **state)
{
    (void) state;
    const struct redis_reply *reply;
    peer_start(TCP, refuse_login);
    begin_redis(TCP, &(struct redis_settings){ .password = "secret" });
    assert_int_equal(redis_await_open(redis, -1, &verdict, &err), -EACCES);
    assert_int_equal(verdict, REDIS_NEVER);
    assert_non_null(strstr(err.msg, "WRONGPASS"));
    assert_null(strstr(err.msg, "secret"));
    assert_int_equal(redis_receive(redis, &reply, &err), -EACCES);
    end_redis();
    assert_int_equal(peer.n_right, 1);
}

/* ---- replies ---- */

/* Each before the next is read: what was not read would end the connection rudely. */
static void answer_many(struct peer *self)
{
    for (int i = 0; i < 1000; i++) {
        hear(self, "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n");
        peer_write(self, i % 2 ? ":1\r\n" : "*1\r\n$1\r\na\r\n");
    }
}

static void test_many_at_once(void **state)
{
    (void) state;
    peer_start(TCP, answer_many);
    begin_redis(TCP, &(struct redis_settings){ 0 });
    for (int i = 0; i < 1000; i++)
        send_command("ECHO", "x");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(await()->type, i % 2 ? REDIS_NUMBER : REDIS_LIST);
    end_redis();
}

static void expect_end(int r, const char *part)
{
    const struct redis_reply *reply;
    for (int i = 0; i < 2; i++) { /* and stays so */
        err.msg[0] = '\0';
        assert_int_equal(redis_await(redis, -1, UINT64_MAX, &reply, &err), r);
        if (!strstr(err.msg, part))
            fail_msg("\"%s\" is not in \"%s\"", part, err.msg);
    }
}

static void answer_half(struct peer *self)
{
    hear(self, "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n");
    peer_write(self, "+OK\r\n*2\r\n:1\r\n");
}

/* What came before is still read. */
static void test_closed_in_the_middle(void **state)
{
    (void) state;
    for (enum way way = TCP; way <= UNIX; way++) {
        peer_start(way, answer_half);
        begin_redis(way, &(struct redis_settings){ 0 });
        send_command("ECHO", "x");
        assert_string_equal(await()->text.s, "OK");
        expect_end(-ECONNRESET, "closed the connection");
        end_redis();
    }
}

static void speak_http(struct peer *self)
{
    hear(self, "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n");
    peer_write(self, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

static void test_no_redis(void **state)
{
    (void) state;
    peer_start(TCP, speak_http);
    begin_redis(TCP, &(struct redis_settings){ 0 });
    send_command("ECHO", "x");
    expect_end(-EPROTO, "its reply is no Redis");
    end_redis();
}

/* ---- who does not answer ---- */

static void say_nothing(struct peer *self)
{
    wait_go(self);
}

static void test_silent(void **state)
{
    (void) state;
    const struct redis_reply *reply;
    peer_start(TCP, say_nothing);
    begin_redis(TCP, &(struct redis_settings){ 0 });
    assert_int_equal(redis_await_open(redis, -1, NULL, &err), 0);
    send_command("ECHO", "x");
    assert_int_equal(redis_await(redis, -1, uptime_us(), &reply, &err), -ETIMEDOUT);
    assert_non_null(strstr(err.msg, "does not answer"));
    int cancel_fd = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(redis_await(redis, cancel_fd, UINT64_MAX, &reply, &err), -ECANCELED);
    close(cancel_fd);
    eventfd_write(peer.go_fd, 1);
    end_redis();
}

static void hear_and_close(struct peer *self)
{
    hear(self, "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n");
}

/* As a server that wants TLS. */
static void test_closed_without_a_word(void **state)
{
    (void) state;
    for (enum way way = TCP; way <= UNIX; way++) {
        peer_start(way, hear_and_close);
        begin_redis(way, &(struct redis_settings){ 0 });
        send_command("ECHO", "x");
        expect_end(-ECONNRESET, way == TCP ? "does it want TLS (rediss://)?" : "closed the connection");
        end_redis();
    }
}

static void test_silent_at_login(void **state)
{
    (void) state;
    peer_start(TCP, say_nothing);
    begin_redis(TCP, &(struct redis_settings){ .password = "secret", .connect_us = 50 * USEC_PER_MSEC });
    assert_int_equal(redis_await_open(redis, -1, &verdict, &err), -ETIMEDOUT);
    assert_int_equal(verdict, REDIS_LATER);
    assert_non_null(strstr(err.msg, "has not answered the login within 50ms"));
    eventfd_write(peer.go_fd, 1);
    end_redis();
}

static void test_nobody_there(void **state)
{
    (void) state;
    peer_start(UNIX, say_nothing);
    begin_redis(UNIX, &(struct redis_settings){ .url = "unix:/nowhere/redis.sock" });
    assert_int_equal(redis_await_open(redis, -1, &verdict, &err), -ENOENT);
    assert_int_equal(verdict, REDIS_LATER);
    assert_string_equal(err.msg, "cannot connect to /nowhere/redis.sock: no such file or directory");
    end_redis();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login),
        cmocka_unit_test(test_login_of_url),
        cmocka_unit_test(test_login_refused),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_closed_in_the_middle),
        cmocka_unit_test(test_closed_without_a_word),
        cmocka_unit_test(test_no_redis),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_silent_at_login),
        cmocka_unit_test(test_nobody_there),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
