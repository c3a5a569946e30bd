/* test_web_stream.c - GET, Unix sockets, and answers that go on. */
#include "web_client.h"

#include <errno.h>
#include <sys/un.h>

#define SHORT_US (50 * USEC_PER_MSEC)

static struct text taken = TEXT_INIT;
static size_t n_pieces, end_after; /* pieces; 0: never */
static bool cancels;

static int take(void *context, struct span piece, struct err *ret_err)
{
    (void) context;
    n_pieces++;
    text_add_bytes(&taken, piece.s, piece.size);
    if (cancels)
        eventfd_write(cancel_fd, 1);
    return n_pieces == end_after ? err_set(ret_err, -EPIPE, "that is enough") : 0;
}

static int set_up_stream(void **state)
{
    n_pieces = end_after = 0;
    cancels = false;
    return set_up(state);
}

static int tear_down_stream(void **state)
{
    text_free(&taken);
    taken = (struct text) TEXT_INIT;
    return tear_down(state);
}

static int ask(const struct web_stream *stream)
{
    const struct web_request request = { .url = url, .max_answer_bytes = 100 };
    answer = (struct web_answer){ .body = TEXT_INIT, .redirect = TEXT_INIT };
    return stream ? web_stream(web, &request, stream, &answer, &err) : web_get(web, &request, &answer, &err);
}

static void expect_end(const struct web_stream *stream, int wanted, const char *sentence)
{
    char filled[256];
    const char *port = strstr(sentence, "PORT");
    text_copy(filled, sizeof(filled), sentence);
    if (port)
        snprintf(filled, sizeof(filled), "%.*s%d%s", (int) (port - sentence), sentence, server.port, port + 4);
    assert_int_equal(ask(stream), wanted);
    assert_string_equal(err.msg, filled);
}

/* ---- GET ---- */

static void get_ok(void)
{
    assert_int_equal(ask(NULL), 0);
    assert_string_equal(answer.body.s, "ok");
    assert_true(answer.whole);
    web_answer_free(&answer);
}

/* Nothing of the request before is left on the connection that both use. */
static void test_get_after_post(void **state)
{
    char wanted[512];
    (void) state;
    begin(LONG_US, { OK_ANSWER, STAY }, { OK_ANSWER, STAY });
    expect_answer(200, "ok");
    get_ok();
    end();
    snprintf(wanted, sizeof(wanted),
             "GET /secret-path?token=secret HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"
             "User-Agent: sonoran-pushd/" PROGRAM_VERSION "\r\nAccept: */*\r\n\r\n",
             server.port);
    assert_string_equal(server.last.s, wanted);
    assert_int_equal(server.n_accepted, 1);
}

static void test_post_after_get(void **state)
{
    (void) state;
    begin(LONG_US, { OK_ANSWER, STAY }, { OK_ANSWER, STAY });
    get_ok();
    expect_answer(200, "ok");
    end();
    assert_non_null(strstr(server.last.s, "POST /secret-path"));
    assert_non_null(strstr(server.last.s, "Content-Length: 2\r\n"));
    assert_string_equal(strstr(server.last.s, "\r\n\r\n") + 4, "{}");
    assert_int_equal(server.n_accepted, 1);
}

/* ---- Unix sockets ---- */

static int listen_at(const char *path, bool listens)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    text_copy(address.sun_path, sizeof(address.sun_path), path);
    assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    assert_true(!listens || listen(fd, 16) == 0);
    return fd;
}

static void test_unix_socket(void **state)
{
    static const struct turn turns[] = { { "HTTP/1.1 200 OK\r\nServer: x/1\r\nContent-Length: 2\r\n\r\nok", STAY } };
    char folder[] = "/tmp/test_web_stream-XXXXXX", path[64], sentence[256];
    (void) state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    const struct web_settings settings = {
        .timeout_us = LONG_US, .cancel_fd = -1, .unix_path = path, .user_agent = "me/2"
    };
    snprintf(url, sizeof(url), "http://localhost/x");

    assert_int_equal(web_open(&web, &settings, &err), 0);
    assert_int_equal(ask(NULL), -ENOENT);
    snprintf(sentence, sizeof(sentence), "cannot connect to %s: no such file or directory", path);
    assert_string_equal(err.msg, sentence);
    close(listen_at(path, false));
    assert_int_equal(ask(NULL), -ECONNREFUSED);
    unlink(path);

    server = (struct server){ .turns = turns, .n_turns = 1, .told_fd = -1, .go_fd = -1, .last = TEXT_INIT };
    server.listen_fd = listen_at(path, true);
    server_run(&server);
    assert_int_equal(ask(NULL), 0);
    assert_string_equal(answer.body.s, "ok");
    assert_string_equal(web_header(&answer, "Server"), "x/1");
    web_answer_free(&answer);
    end();
    assert_string_equal(server.last.s, "GET /x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: me/2\r\nAccept: */*\r\n\r\n");
    unlink(path);
    rmdir(folder);
}

static void test_long_unix_path(void **state)
{
    char path[109];
    (void) state;
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    const struct web_settings settings = { .timeout_us = LONG_US, .cancel_fd = -1, .unix_path = path };
    assert_int_equal(web_open(&web, &settings, &err), -ENAMETOOLONG);
}

/* ---- answers that go on ---- */

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

static void test_pieces(void **state)
{
    const struct web_stream stream = { .take = take };
    (void) state;
    begin(LONG_US, { STREAM_HEAD "Connection: close\r\n\r\nevent: a\n\nevent: b\n\n", CLOSE });
    assert_int_equal(ask(&stream), 0);
    assert_int_equal(answer.status, 200);
    assert_true(answer.whole);
    assert_string_equal(taken.s, "event: a\n\nevent: b\n\n");
    assert_string_equal(answer.body.s, "");
    web_answer_free(&answer);
    end();
}

static void test_stream_breaks(void **state)
{
    const struct web_stream stream = { .take = take };
    (void) state;
    begin(LONG_US, { STREAM_HEAD "Content-Length: 100\r\n\r\nhalf", CLOSE });
    assert_int_equal(ask(&stream), 0);
    assert_false(answer.whole);
    assert_string_equal(taken.s, "half");
    web_answer_free(&answer);
    end();
}

/* The time of a request is for its head alone: byte after byte, this takes longer. */
static void test_stream_lives_on(void **state)
{
    const struct web_stream stream = { .take = take, .silence_us = LONG_US };
    (void) state;
    begin(SHORT_US, { STREAM_HEAD "\r\n", TRICKLE });
    end_after = 10;
    expect_end(&stream, -EPIPE, "that is enough");
    assert_true(taken.size >= end_after);
    end();
}

static void test_silence(void **state)
{
    const struct web_stream stream = { .take = take, .silence_us = SHORT_US };
    (void) state;
    begin(LONG_US, { STREAM_HEAD "\r\nevent: a\n\n", HANG });
    expect_end(&stream, -ETIME, "127.0.0.1:PORT has said nothing for 50ms");
    assert_string_equal(taken.s, "event: a\n\n");
    end();
}

static void test_no_head(void **state)
{
    const struct web_stream stream = { .take = take };
    (void) state;
    begin(10 * SHORT_US, { NULL, HANG });
    expect_end(&stream, -ETIME, "no answer within 500ms, though the request was taken");
    end();
}

static void test_too_much(void **state)
{
    const struct web_stream stream = { .take = take, .max_bytes = 1 << 20 };
    (void) state;
    begin(LONG_US, { STREAM_HEAD "\r\n", FLOOD });
    expect_end(&stream, -EFBIG, "127.0.0.1:PORT sends more than 1M");
    assert_true(taken.size > 0 && taken.size <= stream.max_bytes);
    end();
}

/* What another answer says is kept, as far as it is wanted, and no piece of it is taken for an event. */
static void test_refused(void **state)
{
    const struct web_stream stream = { .take = take };
    (void) state;
    begin(LONG_US, { "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nfull", STAY },
          { "HTTP/1.1 404 No\r\n\r\n", FLOOD });
    assert_int_equal(ask(&stream), 0);
    assert_int_equal(answer.status, 503);
    assert_string_equal(answer.body.s, "full");
    assert_int_equal(answer.retry_after_us, 7 * USEC_PER_SEC);
    web_answer_free(&answer);
    assert_int_equal(ask(&stream), 0);
    assert_int_equal(answer.status, 404);
    assert_int_equal(answer.body.size, 100);
    web_answer_free(&answer);
    assert_int_equal(n_pieces, 0);
    end();
}

static void test_cancelled(void **state)
{
    const struct web_stream stream = { .take = take };
    (void) state;
    begin(LONG_US, { STREAM_HEAD "\r\nevent: a\n\n", HANG });
    cancels = true;
    expect_end(&stream, -ECANCELED, "cancelled");
    assert_int_equal(n_pieces, 1);
    end();
}

#define stream_test(function) cmocka_unit_test_setup_teardown(function, set_up_stream, tear_down_stream)

int main(void)
{
    const struct CMUnitTest tests[] = {
        stream_test(test_get_after_post),  stream_test(test_post_after_get), stream_test(test_unix_socket),
        stream_test(test_long_unix_path),  stream_test(test_pieces),         stream_test(test_stream_breaks),
        stream_test(test_stream_lives_on), stream_test(test_silence),        stream_test(test_no_head),
        stream_test(test_too_much),        stream_test(test_refused),        stream_test(test_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
