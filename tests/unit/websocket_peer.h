/* websocket_peer.h - the server's end of a websocket, and ours, for test_websocket*.c. */
#pragma once

#include "net_peer.h"

#include <netinet/tcp.h>
#include <sonoran-pushd/base64.h>
#include <sonoran-pushd/websocket.h>

#define MESSAGE_MAX ((size_t) 2 << 20)

static struct websocket *ws;
static struct websocket_refusal refusal;
static struct websocket_message message;
static char request[4096]; /* as it came */

/* ---- the peer ---- */

static inline bool say_bytes(struct peer *self, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *rest = (const char *) bytes + at;
        ssize_t n =
            self->ssl ? SSL_write(self->ssl, rest, (int) (size - at)) : send(self->fd, rest, size - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t) n;
    }
    return true;
}

static inline bool hear_bytes(struct peer *self, void *ret, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = peer_read(self, (char *) ret + at, size - at);
        if (n <= 0)
            return false;
        at += (size_t) n;
    }
    return true;
}

/* Until its end, and no further. */
static inline void hear_request(struct peer *self)
{
    size_t size = 0;
    request[0] = '\0';
    while (!strstr(request, "\r\n\r\n") && size < sizeof(request) - 1 && hear_bytes(self, request + size, 1))
        request[++size] = '\0';
}

/* The right answer to it, and what comes at once behind it. */
static inline void say_upgrade(struct peer *self, const char *more_headers, const char *frames, size_t size)
{
    char said[128] = "", accept[BASE64_BYTES(BASE64_SHA1_BYTES) + 1] = "", answer[4096];
    const char *key_line = strstr(request, "Sec-WebSocket-Key: ");
    snprintf(said, sizeof(said), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key_line ? key_line + 19 : "");
    (void) !base64_sha1(span_of(said), accept);
    int n = snprintf(answer, sizeof(answer),
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                     accept, more_headers);
    memcpy(answer + n, frames, size);
    say_bytes(self, answer, (size_t) n + size);
}

static inline void upgrade(struct peer *self)
{
    hear_request(self);
    say_upgrade(self, "", "", 0);
}

/* The next frame of ours: its opcode, -1 at the end. *ret is the payload, malloced, with a NUL behind it. */
static inline int hear_frame(struct peer *self, char **ret, size_t *ret_size)
{
    unsigned char head[2], more[8], mask[4];
    *ret = NULL;
    if (!hear_bytes(self, head, 2))
        return -1;
    size_t size = head[1] & 0x7f, n_more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (!hear_bytes(self, more, n_more) || !hear_bytes(self, mask, 4))
        return -1;
    size = n_more ? 0 : size;
    for (size_t i = 0; i < n_more; i++)
        size = size << 8 | more[i];
    *ret = malloc(size + 1);
    if (!*ret || !hear_bytes(self, *ret, size))
        return -1;
    for (size_t i = 0; i < size; i++)
        (*ret)[i] ^= (char) mask[i % 4];
    (*ret)[size] = '\0';
    *ret_size = size;
    return head[0] & 15;
}

/* The next one of that kind, with these words; what others come before does not matter. Counts in n_right. */
static inline void expect_frame(struct peer *self, int opcode, const char *words)
{
    char *payload;
    size_t size;
    int got;
    while ((got = hear_frame(self, &payload, &size)) >= 0 && got != opcode)
        free(payload);
    self->n_right += got == opcode && strcmp(payload, words) == 0;
    free(payload);
}

/* ---- our end ---- */

static inline int ws_begin(const struct websocket_settings *settings)
{
    err.msg[0] = '\0';
    assert_int_equal(net_pool_open(&pool, &err), 0);
    return websocket_open(&ws, pool, settings, &err);
}

/* As long as it takes; what is due is done when it is. */
static inline int ws_wait_result(void)
{
    int r;
    while ((r = websocket_result(ws, &refusal, &err)) == -EINPROGRESS) {
        usec_t due_us = websocket_due_us(ws), now = uptime_us();
        int timeout_ms = due_us == UINT64_MAX ? LONG_MS : due_us > now ? (int) ((due_us - now) / 1000) + 1 : 0;
        assert_int_equal(net_pool_wait(pool, -1, timeout_ms < LONG_MS ? timeout_ms : LONG_MS, &err), 0);
    }
    return r;
}

static inline struct websocket_settings ws_settings(enum way way)
{
    return (struct websocket_settings){ .net = { .url = url,
                                                 .unix_path = way == UNIX ? unix_path : NULL,
                                                 .ca_file = way == TLS ? ca_file : NULL,
                                                 .connect_us = CONNECT_US },
                                        .max_message_bytes = MESSAGE_MAX };
}

static inline int ws_connect(enum way way, void (*speak)(struct peer *self))
{
    const struct websocket_settings settings = ws_settings(way);
    peer_start(way, speak);
    int r = ws_begin(&settings);
    return r < 0 ? r : ws_wait_result();
}

static inline void ws_open(enum way way, void (*speak)(struct peer *self))
{
    if (ws_connect(way, speak) < 0)
        fail_msg("%s", err.msg);
}

static inline void ws_end(void)
{
    ws = websocket_close(ws);
    pool = net_pool_close(pool);
}

static inline int ws_receive(void)
{
    int r;
    while ((r = websocket_receive(ws, &message, &err)) == -EAGAIN)
        assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
    return r;
}

static inline void ws_expect(const char *words)
{
    int r = ws_receive();
    if (r != 1)
        fail_msg("%d %s", r, err.msg);
    assert_string_equal(message.bytes.s, words);
    assert_int_equal(message.bytes.size, strlen(words));
}
