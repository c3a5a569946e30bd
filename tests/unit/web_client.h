/* web_client.h - a web that talks to the server of web_helpers.h, for test_web*.c. */
#pragma once

#include "web_helpers.h"

#include <sonoran-pushd/net.h>

#define LONG_US (600 * USEC_PER_SEC) /* never reached */

static struct server server;
static struct web *web;
static struct web_answer answer;
static struct err err;
static char url[128];
static int cancel_fd;
static enum web_wait waits;

static inline void open_web(usec_t timeout_us)
{
    const struct web_settings settings = { .timeout_us = timeout_us, .cancel_fd = cancel_fd };
    snprintf(url, sizeof(url), "http://user:pass@127.0.0.1:%d/secret-path?token=secret", server.port);
    err.msg[0] = '\0';
    assert_int_equal(web_open(&web, &settings, &err), 0);
}

/* A server with this script, and a web that talks to it. */
#define begin(timeout_us, ...)                                                                                         \
    static const struct turn turns[] = { __VA_ARGS__ };                                                                \
    server_start(&server, turns, ARRAY_SIZE(turns));                                                                   \
    server_run(&server);                                                                                               \
    open_web(timeout_us)

static inline void end(void)
{
    web = web_close(web);
    server_stop(&server);
}

static inline int set_up(void **state)
{
    (void) state;
    cancel_fd = eventfd(0, EFD_CLOEXEC);
    waits = WEB_WAIT_HEAD;
    return cancel_fd < 0;
}

static inline int tear_down(void **state)
{
    (void) state;
    text_free(&server.last);
    close(cancel_fd);
    return 0;
}

static inline int post_to(const char *where, const struct words *headers, const char *body, size_t max_answer_bytes)
{
    const struct web_request request = { .url = where,
                                         .headers = headers,
                                         .body = { body, strlen(body) },
                                         .max_answer_bytes = max_answer_bytes,
                                         .wait = waits };
    answer = (struct web_answer){ 0 };
    return web_post(web, &request, &answer, &err);
}

static inline void expect_answer(long status, const char *body)
{
    int r = post_to(url, NULL, "{}", 1000);
    if (r < 0)
        fail_msg("%d, %s", r, err.msg);
    assert_int_equal(answer.status, status);
    assert_string_equal(answer.body.s, body);
    web_answer_free(&answer);
}

/* PORT in the sentence is the server's. */
static inline void expect_failure(int wanted, const char *sentence)
{
    struct text filled CLEANUP(text_free) = TEXT_INIT;
    const char *port = strstr(sentence, "PORT");
    int r = post_to(url, NULL, "{}", 1000);
    text_add_bytes(&filled, sentence, port ? (size_t) (port - sentence) : strlen(sentence));
    if (port)
        text_addf(&filled, "%d%s", server.port, port + 4);
    assert_string_equal(err.msg, filled.s);
    assert_int_equal(r, wanted);
}

#define web_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
