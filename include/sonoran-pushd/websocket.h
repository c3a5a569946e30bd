/* websocket.h - messages to and from a server by websocket (RFC 6455, client's side), over a connection of
 * net_connection.h.
 *
 * Shape:   nothing here waits. websocket_open begins one; after each net_pool_wait websocket_result takes it further
 *          until it is open, and then websocket_receive gives one message after the other until -EAGAIN: that also
 * sends what waits to be sent, and answers pings and the close frame. No negotiation before, no extension, no
 *          subprotocol, no redirect: the answer has to be the right 101. When to connect again is the caller's.
 * Units:   _us microseconds; times are of uptime_us. Sizes are bytes.
 * Memory:  the message that comes, at most max_message_bytes; WEBSOCKET_WAITING_MAX for what waits to be sent; 25 KiB.
 * Owner:   settings are borrowed for the call. Close a websocket before its pool.
 * Threads: as its pool: one.
 * Errors:  negative errno and a sentence, with none of the other side's words, and of the URL host and port alone.
 * Source:  RFC 6455; wslay's manual (wslay_frame_recv, wslay_frame_send); RFC 9110 for Retry-After.
 */
#pragma once

#include <sonoran-pushd/net_connection.h>

#define WEBSOCKET_WAITING_MAX ((size_t) 256 << 10)

/* RFC 6455, 7.4.1: codes of a close frame. */
enum websocket_code {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_NO_CODE = 1005, /* only received: the close frame had none */
};

struct websocket;

struct websocket_settings {
    struct net_settings net;  /* its url with path and query, without user. connect_us holds twice: for the connection,
                                 and then for the answer to the upgrade */
    const char *user_agent;   /* NULL: the daemon's */
    size_t max_message_bytes; /* of one message; a longer one ends the connection */
};

#define WEBSOCKET_REFUSAL_BYTES 256

/* Who answered in place of the websocket. Its words are as they came, cut to the room for them: not safe to show. */
struct websocket_refusal {
    int status;                           /* 403; 0: nobody answered by HTTP */
    char reason[WEBSOCKET_REFUSAL_BYTES]; /* "Forbidden"; "": none */
    char server[WEBSOCKET_REFUSAL_BYTES]; /* its Server header; "": none */
    usec_t retry_after_us;                /* of Retry-After in each of its forms, from now on; 0: none */
};

struct websocket_message {
    struct span bytes; /* a NUL behind them. Of a text they are UTF-8. Valid until the next call with this websocket */
    bool is_binary;
    int close_code; /* of an end alone, where bytes are what the other side says about it: any, not safe to show */
};

/* Begins one; what is wrong with it, websocket_result says. -EINVAL the URL, and net_connection_open's. */
int websocket_open(struct websocket **ret, struct net_pool *pool, const struct websocket_settings *settings,
                   struct err *err) MUST_CHECK;

/* At any time. Of what waits to be sent, only what the system takes at once is: see websocket_finish. */
struct websocket *websocket_close(struct websocket *websocket);

/* 0: it is open, or was. -EINPROGRESS: not yet, wait. Else why it never will be: as net_connection_result;
 *   -EACCES      the answer is 400 or above
 *   -EBADMSG     it is another than 101 and below 400, a 101 that is wrong (no upgrade, another accept, an extension or
 *                subprotocol), no HTTP, or its head is longer than 16 KiB: who answers does not speak websocket
 *   -ETIMEDOUT   there was no answer within connect_us, or no connection
 *   -ECONNRESET  the connection ended without an answer
 * ret_refusal (NULL: of no interest) is set in each case, with zeros where nobody answered. */
int websocket_result(struct websocket *websocket, struct websocket_refusal *ret_refusal, struct err *err) MUST_CHECK;

/* net_connection_get_times. */
void websocket_get_times(const struct websocket *websocket, struct net_times *ret);

/* Uptime by which websocket_result has to be asked again, though nothing came; UINT64_MAX: any. */
usec_t websocket_due_us(const struct websocket *websocket);

/* 1: the next message. -EAGAIN: there is none yet, or it is not open yet: wait. 0: the other side has ended it with a
 * close frame (close_code, bytes). -ECONNRESET: it is over without one. -EPROTO: what came is no websocket, no UTF-8, a
 * message is longer than max_message_bytes, or 10,000 frames came of which none is a message, nor any the answer to a
 * ping of ours: 1002, 1007, 1009 or 1008 was sent as the close frame. -ENOMEM. Where it never will be open: as
 * websocket_result. What ended it stays the answer; close it then. */
int websocket_receive(struct websocket *websocket, struct websocket_message *ret, struct err *err) MUST_CHECK;

/* Behind -EAGAIN: others get their turn, since so much came that is no message; ask again without waiting. */
bool websocket_has_more(const struct websocket *websocket);

/* net_connection_is_quiet. */
bool websocket_is_quiet(const struct websocket *websocket);

/* A text message, whole: it is UTF-8. What the system does not take now waits here, and goes with the next
 * websocket_receive. -ENOBUFS: more than WEBSOCKET_WAITING_MAX would wait; the other side does not read. -ENOTCONN: not
 * open yet, or finished. -ECONNRESET, -EPROTO, -ENOMEM: it is over. */
int websocket_send(struct websocket *websocket, struct span text, struct err *err) MUST_CHECK;

/* A ping frame. Errors as websocket_send. */
int websocket_ping(struct websocket *websocket, struct err *err) MUST_CHECK;

/* Another limit than that of the settings. A message under way is over it at the next frame, if it is. */
void websocket_set_max_message(struct websocket *websocket, size_t max_message_bytes);

/* When the last byte came, of the answer to the upgrade or later; 0: never. */
usec_t websocket_heard_us(const struct websocket *websocket);

/* When the last answer to one of our pings came, 0: never; a pong that nobody asked for is none. *ret_took_us (may be
 * NULL): how long that one took. */
usec_t websocket_answered_us(const struct websocket *websocket, usec_t *ret_took_us);

/* Sends a close frame with code, and nothing after it. Go on with websocket_receive while it says -EAGAIN or 1, for a
 * second at most, and close then. Where it is not open, or over, nothing happens. */
void websocket_finish(struct websocket *websocket, enum websocket_code code);
