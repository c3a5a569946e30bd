/* websocket_frames.h - inside src/net: messages in frames, as a client has them, wherever their bytes come from.
 *
 * Shape:   frames_next asks for bytes by read until a message is whole. What has to be sent is put into out; whoever
 *          has a connection takes it from there (websocket_frames_sent).
 * Memory:  a message that comes, out, and the 5 KiB of a context of wslay.
 * Threads: none; errors and units as in websocket.h.
 * Source:  RFC 6455, 5 to 7; wslay_frame_recv, wslay_frame_send. Its functions for whole messages are not used: they
 *          read on behind a message, take 48 bytes for one in a frame of its own, and answer broken frames without
 *          saying why.
 */
#pragma once

#include <sonoran-pushd/text.h>
#include <sonoran-pushd/websocket.h>
#include <wslay/wslay.h>

#define WEBSOCKET_CONTROL_MAX_BYTES 125

struct websocket_frames {
    wslay_frame_context_ptr wslay;
    size_t max_message_bytes;
    /* As net_connection_receive: bytes, 0 at the end, -EAGAIN, or why there are no more. */
    ssize_t (*read)(void *context, void *ret, size_t size, struct err *err);
    void *context;
    ssize_t has_read; /* what it said last */
    unsigned n_begun; /* frames in this call of websocket_frames_next */
    bool has_more;    /* it has ended for their number alone */
    unsigned n_idle;  /* control and empty frames, since a message or an answer to a ping of ours */

    /* What comes. */
    bool in_frame;
    uint64_t frame_left;   /* of its payload */
    unsigned frame_opcode; /* its own */
    bool frame_is_last;
    unsigned opcode; /* of the message under way; 0: none is */
    struct text message;
    bool message_is_given; /* the caller has it until the next call */
    char control[WEBSOCKET_CONTROL_MAX_BYTES + 1];
    size_t n_control;

    /* How it ended: 1: it has not; else what websocket_frames_next says from now on, */
    int end;
    int close_code; /* of 0, */
    struct err err; /* and below. */

    /* What goes. */
    struct text out;
    size_t out_at;  /* before it, it has been sent */
    bool is_closed; /* our close frame is the last in out, or has been sent */

    /* Pings carry what only we know, and their number. */
    uint64_t secret, n_pings, n_answered;   /* n_answered: the newest one that was */
    usec_t pinged_us, answered_us, took_us; /* took_us: of the last that was answered before the next one went */
};

/* -ENOMEM. Closing accepts zeroed memory. */
int websocket_frames_open(struct websocket_frames *frames, size_t max_message_bytes,
                          ssize_t (*read)(void *, void *, size_t, struct err *), void *context,
                          struct err *err) MUST_CHECK;
void websocket_frames_close(struct websocket_frames *frames);

/* As websocket_receive. */
int websocket_frames_next(struct websocket_frames *frames, struct websocket_message *ret, struct err *err) MUST_CHECK;

/* Puts a frame with the whole of bytes into out. -ENOBUFS, -ENOTCONN after a close frame, -ENOMEM. */
int websocket_frames_add(struct websocket_frames *frames, enum wslay_opcode opcode, struct span bytes,
                         struct err *err) MUST_CHECK;
int websocket_frames_ping(struct websocket_frames *frames, struct err *err) MUST_CHECK;

/* 0: without a code. */
void websocket_frames_finish(struct websocket_frames *frames, int code);

/* size bytes of out, from out_at on, have been sent. */
void websocket_frames_sent(struct websocket_frames *frames, size_t size);
