/* web_helpers.h - a server that takes requests one by one and does with each what its script says. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sonoran-pushd/text.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum then {
    STAY,    /* takes the next request of this connection, or of the next one if the client closes it */
    CLOSE,   /* properly */
    RESET,   /* rudely */
    HANG,    /* says nothing more until the client gives up */
    TRICKLE, /* a byte now and then, until the client gives up */
    FLOOD,   /* bytes without end */
};

struct turn {
    const char *answer; /* NULL: none */
    enum then then;
};

struct server {
    int listen_fd, port;
    int told_fd;       /* eventfd: a request has come; -1: nobody wants to know */
    int go_fd;         /* eventfd: once it is written to, what has come is answered; -1: at once */
    bool speaks_first; /* waits for no request */
    const struct turn *turns;
    size_t n_turns;
    pthread_t thread;

    /* To be read after server_stop. */
    int n_accepted, n_requests;
    struct text last; /* request as it came */
};

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* How many bytes a request has in all, 0: not known yet. */
static inline size_t request_size(const struct text *request)
{
    const char *end = strstr(request->s, "\r\n\r\n"), *length = strcasestr(request->s, "\r\nContent-Length:");
    return end ? (size_t) (end + 4 - request->s) + (length ? strtoul(length + 17, NULL, 10) : 0) : 0;
}

static inline bool read_request(int fd, struct text *request)
{
    char buffer[65536];
    text_reset(request);
    while (request_size(request) == 0 || request->size < request_size(request)) {
        ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
        if (n <= 0)
            return false;
        text_add_bytes(request, buffer, (size_t) n);
    }
    return true;
}

static inline void wait_for_end(int fd)
{
    char buffer[256];
    while (recv(fd, buffer, sizeof(buffer), 0) > 0)
        continue;
}

static inline void send_until_end(int fd, size_t size, int pause_ms)
{
    static char bytes[65536];
    memset(bytes, 'x', sizeof(bytes));
    while (send(fd, bytes, size, MSG_NOSIGNAL) > 0)
        poll(NULL, 0, pause_ms);
}

/* Answers, and says whether the connection stays. */
static inline bool take_turn(int fd, const struct turn *turn)
{
    const struct linger rude = { .l_onoff = 1 };
    if (turn->answer)
        send(fd, turn->answer, strlen(turn->answer), MSG_NOSIGNAL);
    if (turn->then == RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &rude, sizeof(rude));
    if (turn->then == HANG)
        wait_for_end(fd);
    if (turn->then == TRICKLE)
        send_until_end(fd, 1, 20);
    if (turn->then == FLOOD)
        send_until_end(fd, 65536, 0);
    return turn->then == STAY;
}

static inline void *serve(void *userdata)
{
    struct server *server = userdata;
    int fd = -1;
    for (size_t i = 0; i < server->n_turns;) {
        if (fd < 0) {
            fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd < 0)
                return NULL;
            server->n_accepted++;
        }
        bool stays = server->speaks_first || read_request(fd, &server->last);
        if (stays) {
            server->n_requests++;
            if (server->told_fd >= 0)
                eventfd_write(server->told_fd, 1);
            if (server->go_fd >= 0)
                eventfd_read(server->go_fd, &(eventfd_t){ 0 });
            stays = take_turn(fd, &server->turns[i++]);
        }
        if (!stays) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0) {
        wait_for_end(fd);
        close(fd);
    }
    return NULL;
}

/* A socket that has a free port of 127.0.0.1. */
static inline int bind_anywhere(int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* The same, which listens. */
static inline int listen_anywhere(int backlog, int *ret_port)
{
    int fd = bind_anywhere(ret_port);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static inline void server_start(struct server *server, const struct turn *turns, size_t n_turns)
{
    *server = (struct server){ .turns = turns, .n_turns = n_turns, .told_fd = -1, .go_fd = -1, .last = TEXT_INIT };
    server->listen_fd = listen_anywhere(16, &server->port);
}

/* Apart from server_start, so that a test can set more before. */
static inline void server_run(struct server *server)
{
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* After the client has closed its connection. */
static inline void server_stop(struct server *server)
{
    shutdown(server->listen_fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
}
