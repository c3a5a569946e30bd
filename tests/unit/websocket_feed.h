/* websocket_feed.h - frames whose bytes come from a test, and those that were sent, for test_websocket_*.c. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "websocket_frames.h"

#define MAX_BYTES 1000
#define BYTES(s) s, sizeof(s) - 1

static struct websocket_frames frames;
static struct err err;

/* Where their bytes come from: pieces of a size, with nothing there for now after each where that is wanted. */
static struct {
    const char *bytes;
    size_t size, piece;
    bool waits, waited;
    ssize_t at_end;
} feed;

static inline ssize_t read_feed(void *context, void *ret, size_t size, struct err *ret_err)
{
    (void) context;
    if (feed.waits && (feed.waited = !feed.waited))
        return -EAGAIN;
    size_t n = feed.size < feed.piece ? feed.size : feed.piece;
    n = n < size ? n : size;
    if (n == 0)
        return feed.at_end < 0 ? err_set(ret_err, (int) feed.at_end, "gone") : 0;
    memcpy(ret, feed.bytes, n);
    feed.bytes += n;
    feed.size -= n;
    return (ssize_t) n;
}

static inline void begin(size_t max_bytes)
{
    assert_int_equal(websocket_frames_open(&frames, max_bytes, read_feed, NULL, &err), 0);
    feed.at_end = -EAGAIN;
}

/* ---- what was sent, in words ---- */

static const char *const words_of_opcodes[16] = {
    [1] = "text", [2] = "binary", [8] = "close", [9] = "ping", [10] = "pong"
};

static inline size_t unmask(const unsigned char *frame, size_t size, char *ret)
{
    size_t n = frame[1] & 0x7f, at = 2;
    assert_true(size >= 6 && frame[0] & 0x80 && frame[1] & 0x80);
    if (n == 126) {
        n = frame[2] * 256u + frame[3];
        at = 4;
    } else if (n == 127) {
        n = 0;
        for (at = 2; at < 10; at++)
            n = n * 256 + frame[at];
    }
    assert_true(size >= at + 4 + n);
    for (size_t i = 0; i < n; i++)
        ret[i] = (char) (frame[at + 4 + i] ^ frame[at + i % 4]);
    ret[n] = '\0';
    return n;
}

static inline size_t header_size(const unsigned char *frame)
{
    return (frame[1] & 0x7f) == 126 ? 8 : (frame[1] & 0x7f) == 127 ? 14 : 6;
}

/* "pong hello|close 1002|" */
static inline void tell_sent(struct text *ret)
{
    char *payload = malloc(frames.out.size + 1);
    for (size_t at = frames.out_at, n; at < frames.out.size; at += n) {
        const unsigned char *frame = (const unsigned char *) frames.out.s + at;
        size_t size = unmask(frame, frames.out.size - at, payload);
        n = header_size(frame) + size;
        text_add(ret, words_of_opcodes[frame[0] & 15]);
        if ((frame[0] & 15) == 8 && size == 2)
            text_addf(ret, " %d", (unsigned char) payload[0] * 256 + (unsigned char) payload[1]);
        else if (size)
            text_addf(ret, " %s", payload);
        text_add(ret, "|");
    }
    free(payload);
}
