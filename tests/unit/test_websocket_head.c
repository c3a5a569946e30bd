/* test_websocket_head.c - answers to an upgrade, whole and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sonoran-pushd/base64.h>

#include "websocket_head.h"

#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define GOOD                                                                                                           \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT
#define END "\r\n\r\n"

static struct websocket_head head;
static struct err err;

static void end(void)
{
    text_free(&head.line);
}

/* All of it in pieces of a size: how many bytes were taken, or below 0 what is said of it. Ends the one before. */
static ssize_t take(const char *bytes, size_t size, size_t piece)
{
    size_t at = 0;
    end();
    head = (struct websocket_head){ .line = TEXT_INIT };
    err.msg[0] = '\0';
    while (at < size) {
        size_t rest = size - at < piece ? size - at : piece;
        ssize_t n = websocket_head_take(&head, bytes + at, rest, &err);
        if (n < 0)
            return n;
        at += (size_t) n;
        if (head.is_whole)
            break;
        assert_int_equal(n, rest);
    }
    return (ssize_t) at;
}

static const size_t pieces[] = { 1, 2, 7, 1 << 16 };

/* What is said of a whole one. */
static void expect(const char *answer, int r, const char *sentence)
{
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        ssize_t n = take(answer, strlen(answer), pieces[i]);
        if (n < 0) {
            assert_int_equal(n, r);
        } else {
            assert_true(head.is_whole);
            assert_int_equal(n, strlen(answer));
            assert_int_equal(websocket_head_check(&head, ACCEPT, &err), r);
        }
        assert_string_equal(err.msg, sentence);
    }
    end();
}

/* RFC 6455, 1.3 */
static void test_accept(void **state)
{
    char accept[WEBSOCKET_ACCEPT_BYTES + 1];
    (void) state;
    assert_int_equal(base64_sha1(span_of("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), accept), 0);
    assert_string_equal(accept, ACCEPT);
    assert_int_equal(base64_encode(span_of("the sample nonce"), accept), 0);
    assert_string_equal(accept, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_int_equal(base64_encode((struct span){ "\0\xff", 2 }, accept), 0);
    assert_string_equal(accept, "AP8=");
}

static void test_good(void **state)
{
    (void) state;
    expect(GOOD END, 0, "");
    expect("HTTP/1.1 101\r\nconnection: keep-alive ,\tupgrade\r\nUPGRADE:WebSocket\r\nsec-websocket-ACCEPT:" ACCEPT
           " \r\nServer: Kestrel\r\nX:\r\nDate: \xc3\xa4" END,
           0, "");
    expect(
        "HTTP/1.1 101 \r\nConnection: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT
        "\r\nContent-Length: 0" END,
        0, "");
    expect("HTTP/1.1 100 Continue" END GOOD END, 0, "");
    expect("HTTP/1.1 103 Early Hints\r\nUpgrade: x\r\nLink: <a>" END "HTTP/1.1 102 P" END GOOD END, 0, "");
}

/* What an answer that is none of one had to say counts for nothing. */
static void test_interim(void **state)
{
    (void) state;
    expect("HTTP/1.1 103 Early Hints\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT END
           "HTTP/1.1 101 Switching Protocols" END,
           -EBADMSG, "its answer is no upgrade to it");
}

/* The first frames have come with it. */
static void test_rest_is_left(void **state)
{
    (void) state;
    static const char all[] = GOOD END "\x81\x03{}\x1e\r\n\r\n";
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        assert_int_equal(take(all, sizeof(all) - 1, pieces[i]), strlen(GOOD END));
        assert_true(head.is_whole);
        assert_int_equal(websocket_head_take(&head, "x", 1, &err), 0);
    }
    end();
}

static void test_wrong_101(void **state)
{
    (void) state;
    expect(GOOD "\r\nUpgrade: h2c" END, -EBADMSG, "its answer is no upgrade to it");
    expect("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT END, -EBADMSG,
           "its answer is no upgrade to it");
    expect("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgraded, close\r\nSec-WebSocket-Accept: " ACCEPT END,
           -EBADMSG, "its answer is no upgrade to it");
    expect("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade" END, -EBADMSG,
           "its answer accepts another request");
    expect("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
           "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=" END,
           -EBADMSG, "its answer accepts another request");
    expect(GOOD "x" END, -EBADMSG, "its answer accepts another request");
    expect(GOOD "\r\nSec-WebSocket-Accept: " ACCEPT END, -EBADMSG, "its answer accepts another request");
    expect(GOOD "\r\nSec-WebSocket-Extensions: permessage-deflate" END, -EBADMSG,
           "its answer adds what was not asked for");
    expect(GOOD "\r\nSec-WebSocket-Protocol: x" END, -EBADMSG, "its answer adds what was not asked for");
}

static void expect_refusal(const char *answer, int status, const char *reason, usec_t retry_after_us,
                           const char *server)
{
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        assert_true(take(answer, strlen(answer), pieces[i]) > 0);
        assert_true(head.is_whole);
        assert_int_equal(websocket_head_check(&head, ACCEPT, &err), status >= 400 ? -EACCES : -EBADMSG);
        assert_int_equal(head.answer.status, status);
        assert_string_equal(head.answer.reason, reason);
        assert_string_equal(head.answer.server, server);
        assert_int_equal(head.answer.retry_after_us, retry_after_us);
    }
    end();
}

static void test_refusals(void **state)
{
    (void) state;
    expect("HTTP/1.1 403 Forbidden" END, -EACCES, "403");
    expect("HTTP/1.0 404" END, -EACCES, "404");
    expect("HTTP/1.1 302 Found\r\nLocation: https://portal.example" END, -EBADMSG, "it answers 302");
    expect("HTTP/1.1 200 " END, -EBADMSG, "it answers 200");
    expect_refusal("HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\nContent-Type: text/html" END "<html>…", 403,
                   "Forbidden", 0, "cloudflare");
    expect_refusal("HTTP/1.1 429 Too Many Requests\r\nretry-after: 7" END, 429, "Too Many Requests", 7 * USEC_PER_SEC,
                   "");
    expect_refusal("HTTP/1.1 503 Service Unavailable\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT" END, 503,
                   "Service Unavailable", 0, "");
    expect_refusal("HTTP/1.1 200 OK\r\nServer: nginx/1.22" END, 200, "OK", 0, "nginx/1.22");
    expect_refusal("HTTP/1.1 500 \xe2\x80\xae\xff\t\r\nServer: \xc2\x9b" END, 500, "\xe2\x80\xae\xff", 0, "\xc2\x9b");
}

/* However long. */
static void test_long_words(void **state)
{
    struct text answer = TEXT_INIT;
    (void) state;
    text_add(&answer, "HTTP/1.1 500 x");
    for (int i = 0; i < 100; i++)
        text_add(&answer, "\xf0\x9f\x9a\x93");
    text_add(&answer, "\r\nRetry-After: 1");
    for (int i = 0; i < 100; i++)
        text_add(&answer, "0");
    text_add(&answer, END);
    assert_int_equal(take(answer.s, answer.size, 1), answer.size);
    assert_int_equal(strlen(head.answer.reason), WEBSOCKET_REFUSAL_BYTES - 1);
    assert_int_equal(head.answer.retry_after_us, 0);
    text_free(&answer);
    end();
}

static void test_no_http(void **state)
{
    static const char *const answers[] = {
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\x15\x03\x01",
        "H",
        "HTTP/2 101 x\r\n",
        "HTTP/1.2 101 x\r\n",
        "http/1.1 101 x\r\n",
        "HTTP/1.1 1O1 x\r\n",
        "HTTP/1.1 0101 x\r\n",
        "HTTP/1.1 999 x\r\n",
        "HTTP/1.1  101 x\r\n",
        "HTTP/1.1 101x\r\n",
        "HTTP/1.1 10\r\n",
        "\r\n",
        "HTTP/1.1 101 x\n",
        "HTTP/1.1 101 x\rUpgrade: websocket\r\n",
        "HTTP/1.1 101 \x1b[2J\r\n",
        "HTTP/1.1 101 x\r\nUpgrade\r\n",
        "HTTP/1.1 101 x\r\nUpgrade : websocket\r\n",
        "HTTP/1.1 101 x\r\n Upgrade: websocket\r\n",
        "HTTP/1.1 101 x\r\n: websocket\r\n",
        "HTTP/1.1 101 x\r\nA: \x7f\r\n",
        "HTTP/1.1 100 x\r\n\r\n\r\n",
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        for (size_t k = 0; k < ARRAY_SIZE(pieces); k++) {
            ssize_t n = take(answers[i], strlen(answers[i]), pieces[k]);
            if (strcmp(answers[i], "H") == 0)
                assert_true(n == 1 && !head.is_whole);
            else if (n != -EBADMSG)
                fail_msg("%s: %zd", answers[i], n);
            else
                assert_string_equal(err.msg, "its answer is no HTTP");
        }
    assert_int_equal(take("HTTP/1.1 101 x\r\nA: \0\r\n", 22, 1), -EBADMSG);
    end();
}

/* One answer or many, in short lines or in one without end. */
static void test_too_long(void **state)
{
    static const char *const words[] = { "x", "A: b\r\n", "\r\nHTTP/1.1 100 c\r\n" };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        struct text answer = TEXT_INIT;
        text_add(&answer, "HTTP/1.1 100 c\r\n");
        while (answer.size < WEBSOCKET_HEAD_MAX_BYTES)
            text_add(&answer, words[i]);
        for (size_t k = 0; k < ARRAY_SIZE(pieces); k++) {
            assert_int_equal(take(answer.s, WEBSOCKET_HEAD_MAX_BYTES, pieces[k]), WEBSOCKET_HEAD_MAX_BYTES);
            text_add(&answer, words[i]);
            assert_int_equal(take(answer.s, WEBSOCKET_HEAD_MAX_BYTES + 1, pieces[k]), -EBADMSG);
            assert_string_equal(err.msg, "its answer is longer than 16K");
        }
        text_free(&answer);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),       cmocka_unit_test(test_good),      cmocka_unit_test(test_interim),
        cmocka_unit_test(test_rest_is_left), cmocka_unit_test(test_wrong_101), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_long_words),   cmocka_unit_test(test_no_http),   cmocka_unit_test(test_too_long),
    };
    head.line = (struct text) TEXT_INIT;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
