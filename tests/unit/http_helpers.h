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
    ret->text = "ok";
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

static inline int http_set_up(void **state)
{
    static const char *const paths[] = { "/" };
    const struct http_settings settings = { .paths = paths,
                                            .n_paths = 1,
                                            .body_bytes = 1 << 20,
                                            .connections = 64,
                                            .connections_per_ip = 64,
                                            .request_time_us = PATIENCE_US,
                                            .in_flight_bytes = 16 << 20 };
    const struct http_callbacks callbacks = { .post = answer_ok, .round = pass_round, .refused = pass_refused };
    struct err err = { "" };
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct http_listener listener = { .name = "main", .fd = http_listen((struct sockaddr *) &any, sizeof(any), &err) };
    http_listening_fd = listener.fd;
    socklen_t size = sizeof(http_address);
    (void) state;
    return listener.fd < 0 || getsockname(listener.fd, (struct sockaddr *) &http_address, &size) < 0 ||
           http_start(&http, &listener, 1, &settings, &callbacks, &err) < 0;
}

static inline int http_tear_down(void **state)
{
    (void) state;
    http_stop(http, USEC_PER_SEC);
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

static inline void http_wait_for(bool (*condition)(void))
{
    usec_t end = uptime_us() + PATIENCE_US;
    while (!condition()) {
        assert_true(uptime_us() < end);
        poll(NULL, 0, 2);
    }
}
