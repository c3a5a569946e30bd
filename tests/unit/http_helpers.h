/* http_helpers.h - an http that answers at once, and clients of it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <sonoran-pushd/http.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US (120 * USEC_PER_SEC)

static struct http *http;
static struct sockaddr_in http_address;
static int http_listening_fd;

static inline void answer_ok(void *userdata, struct http_request *request, struct http_answer *ret)
{
    (void) userdata;
    (void) request;
    ret->status = 200;
    ret->body = "ok";
}

static inline void answer_refusal(void *userdata, unsigned status, const char *what, struct http_answer *ret)
{
    (void) userdata;
    (void) status;
    ret->body = what;
}

static inline void pass_round(void *userdata)
{
    (void) userdata;
}

static inline void pass_refused(void *userdata, const struct http_origin *origin, enum http_refusal kind,
                                const char *what, const char *path)
{
    (void) userdata;
    (void) origin;
    (void) kind;
    (void) what;
    (void) path;
}

static inline struct http_settings http_default_settings(void)
{
    return (struct http_settings){ .thread = "http",
                                   .body_bytes = 1 << 20,
                                   .connections = 64,
                                   .connections_per_ip = 64,
                                   .request_time_us = PATIENCE_US,
                                   .in_flight_bytes = 16 << 20,
                                   .streams = 2,
                                   .streams_per_ip = 2 };
}

static inline int http_begin_on(int fd, const struct http_settings *settings, const struct http_routes *routes,
                                struct http_callbacks callbacks)
{
    const struct http_listener listener = { .name = "main", .fd = fd };
    struct err err = { "" };
    http_listening_fd = fd;
    callbacks.refusal = answer_refusal;
    callbacks.round = callbacks.round ? callbacks.round : pass_round;
    callbacks.refused = pass_refused;
    return fd < 0 || http_start(&http, &listener, 1, settings, routes, &callbacks, &err) < 0;
}

static inline int http_begin(const struct http_settings *settings, const struct http_routes *routes,
                             struct http_callbacks callbacks)
{
    struct err err = { "" };
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = http_listen((struct sockaddr *) &any, sizeof(any), &err);
    socklen_t size = sizeof(http_address);
    return fd < 0 || getsockname(fd, (struct sockaddr *) &http_address, &size) < 0 ||
           http_begin_on(fd, settings, routes, callbacks) != 0;
}

static inline int http_set_up(void **state)
{
    static const struct http_route rows[] = { { .method = "POST", .path = "/", .handle = answer_ok } };
    const struct http_routes routes = { .rows = rows, .n = ARRAY_SIZE(rows) };
    const struct http_settings settings = http_default_settings();
    (void) state;
    return http_begin(&settings, &routes, (struct http_callbacks){ 0 });
}

static inline int http_tear_down(void **state)
{
    (void) state;
    assert_int_equal(http_stop(http, USEC_PER_SEC, HTTP_NO_LIMIT), 0);
    http = http_free(http);
    close(http_listening_fd);
    return 0;
}

static inline int http_connect(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &http_address, sizeof(http_address)), 0);
    return fd;
}

static inline void http_send(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The next bytes; how many, 0 at the end of the stream. */
static inline size_t http_receive(int fd, char *ret, size_t size)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&ready, 1, PATIENCE_US / 1000), 1);
    ssize_t n = recv(fd, ret, size - 1, 0);
    ret[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t) n : 0;
}

/* One request on a connection of its own, and all that comes back until it is closed. */
static inline void http_ask(const char *request, char *ret, size_t size)
{
    int fd = http_connect();
    size_t n = 0, more;
    http_send(fd, request);
    while ((more = http_receive(fd, ret + n, size - n)) > 0)
        n += more;
    close(fd);
}

static inline void http_wait_for(bool (*condition)(void))
{
    usec_t end = uptime_us() + PATIENCE_US;
    while (!condition()) {
        assert_true(uptime_us() < end);
        poll(NULL, 0, 2);
    }
}
