/* websocket_head.h - inside src/net: the answer to an upgrade, up to its first frame. Source: RFC 9112; RFC 6455, 4.1.
 */
#pragma once

#include <sonoran-pushd/text.h>
#include <sonoran-pushd/websocket.h>

#define WEBSOCKET_HEAD_MAX_BYTES ((size_t) 16 << 10)
#define WEBSOCKET_ACCEPT_BYTES 28

/* Zeroed memory, and TEXT_INIT for line, is one of which nothing has come. */
struct websocket_head {
    struct text line; /* as much as has come of it */
    size_t n_bytes;
    struct websocket_refusal answer; /* of status 0: its line has not come yet */
    char accept[WEBSOCKET_ACCEPT_BYTES + 1];
    int n_accepts;
    bool upgrades, connects; /* Upgrade: websocket, Connection: Upgrade */
    bool adds;               /* an extension or a subprotocol */
    bool is_whole;
};

/* How many of the bytes belong to it: all until it is whole. An answer that says that another one follows (100, 103) is
 * none. -EBADMSG: it is no HTTP, or too long ("its answer is no HTTP"); -ENOMEM. */
ssize_t websocket_head_take(struct websocket_head *head, const char *bytes, size_t size, struct err *err) MUST_CHECK;

/* 0: it, which is whole, is the right one. -EACCES ("403") and -EBADMSG ("it answers 302") as in
 * websocket_result. */
int websocket_head_check(const struct websocket_head *head, const char *accept, struct err *err) MUST_CHECK;
