/* test_websocket_sent.c - the frames of a client: masked, bounded, and pings that nobody else can answer. */
#include "websocket_feed.h"

static void test_sent(void **state)
{
    struct text sent CLEANUP(text_free) = TEXT_INIT;
    static char large[70000];
    (void) state;
    memset(large, 'x', sizeof(large));
    begin(MAX_BYTES);
    assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, span_of("{\"type\":6}\x1e"), &err), 0);
    assert_int_equal(frames.out.size, 17);
    assert_memory_equal(frames.out.s, "\x81\x8b", 2);
    assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, span_of(""), &err), 0);
    assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, (struct span){ large, 200 }, &err), 0);
    assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, (struct span){ large, sizeof(large) }, &err), 0);
    websocket_frames_finish(&frames, 1000);
    websocket_frames_finish(&frames, 1001); /* once is enough */
    assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, span_of("x"), &err), -ENOTCONN);
    tell_sent(&sent);
    assert_int_equal(strlen("text {\"type\":6}.|text|text |text |close 1000|") + 200 + sizeof(large), sent.size);
    assert_non_null(strstr(sent.s, "x|close 1000|"));
    websocket_frames_close(&frames);
}

/* Masks that are never the same. */
static void test_masks(void **state)
{
    char seen[8][4];
    (void) state;
    begin(MAX_BYTES);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, span_of("\0\0"), &err), 0);
        memcpy(seen[i], frames.out.s + frames.out.size - 4, 4);
        assert_true(i == 0 || memcmp(seen[i], seen[i - 1], 4) != 0);
    }
    websocket_frames_close(&frames);
}

/* Sent bit by bit; what is left moves to the front, and room is given back. */
static void test_sent_in_bits(void **state)
{
    static char large[100000];
    struct text all CLEANUP(text_free) = TEXT_INIT;
    struct text expected CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    begin(MAX_BYTES);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, (struct span){ large, 6000 }, &err), 0);
        text_add_bytes(&expected, frames.out.s + frames.out.size - 6008, 6008);
        for (int k = 0; k < 40 && frames.out_at < frames.out.size; k++) {
            size_t n = frames.out.size - frames.out_at < 100 ? frames.out.size - frames.out_at : 100;
            text_add_bytes(&all, frames.out.s + frames.out_at, n);
            websocket_frames_sent(&frames, n);
        }
    }
    while (frames.out_at < frames.out.size) {
        text_add_bytes(&all, frames.out.s + frames.out_at, 1);
        websocket_frames_sent(&frames, 1);
    }
    assert_int_equal(all.size, expected.size);
    assert_memory_equal(all.s, expected.s, all.size);
    assert_true(frames.out.room <= 65536);
    websocket_frames_close(&frames);
}

/* Who does not read gets no more than a bound, neither of ours nor of pongs; its end is sent in any case. */
static void test_bound(void **state)
{
    static char part[1000], pings[64 * 127];
    struct websocket_message message;
    int r;
    (void) state;
    begin(MAX_BYTES);
    while ((r = websocket_frames_add(&frames, WSLAY_TEXT_FRAME, (struct span){ part, sizeof(part) }, &err)) == 0)
        assert_true(frames.out.size <= WEBSOCKET_WAITING_MAX);
    assert_int_equal(r, -ENOBUFS);
    assert_true(frames.out.size > WEBSOCKET_WAITING_MAX - 2 * sizeof(part));
    for (size_t i = 0; i < 64; i++)
        memcpy(pings + i * 127, "\x89\x7d", 2);
    feed.piece = 4096;
    feed.waits = false;
    feed.bytes = pings;
    feed.size = sizeof(pings);
    assert_int_equal(websocket_frames_next(&frames, &message, &err), -EAGAIN);
    assert_true(frames.out.size > WEBSOCKET_WAITING_MAX - 150);
    while ((r = websocket_frames_ping(&frames, &err)) == 0)
        continue;
    assert_int_equal(r, -ENOBUFS);
    assert_true(frames.out.size <= WEBSOCKET_WAITING_MAX);
    size_t before = frames.out.size;
    websocket_frames_finish(&frames, 1000);
    assert_int_equal(frames.out.size, before + 8);
    websocket_frames_sent(&frames, frames.out.size);
    websocket_frames_close(&frames);
    begin(MAX_BYTES);
    assert_int_equal(websocket_frames_add(&frames, WSLAY_TEXT_FRAME, (struct span){ part, SIZE_MAX }, &err), -ENOBUFS);
    websocket_frames_close(&frames);
}

/* ---- pings of ours ---- */

static void answer(const char *pong, size_t size)
{
    struct websocket_message message;
    char frame[127] = { (char) 0x8a, (char) size };
    memcpy(frame + 2, pong, size);
    feed.bytes = frame;
    feed.size = size + 2;
    feed.piece = 4096;
    feed.waits = false;
    assert_int_equal(websocket_frames_next(&frames, &message, &err), -EAGAIN);
}

static void test_pings(void **state)
{
    char pings[2][64];
    (void) state;
    begin(MAX_BYTES);
    answer("", 0);
    assert_int_equal(frames.answered_us, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(websocket_frames_ping(&frames, &err), 0);
        assert_int_equal(unmask((const unsigned char *) frames.out.s, frames.out.size, pings[i]), 16);
        websocket_frames_sent(&frames, frames.out.size);
    }
    assert_memory_not_equal(pings[0], pings[1], 16);
    answer("", 0);                  /* what a server says when it pleases */
    answer("0123456789abcdef", 16); /* and what it cannot know */
    answer(pings[0], 15);
    pings[0][0] ^= 1;
    answer(pings[0], 16);
    assert_int_equal(frames.answered_us, 0);
    pings[0][0] ^= 1;
    answer(pings[0], 16);
    assert_true(frames.answered_us >= frames.pinged_us && frames.pinged_us > 0);
    assert_int_equal(frames.took_us, 0); /* it may have been the next one that took so long */
    frames.pinged_us -= 1000;
    answer(pings[1], 16);
    assert_true(frames.took_us >= 1000);
    frames.n_pings = 1; /* one that has not gone yet */
    frames.answered_us = 0;
    answer(pings[1], 16);
    assert_int_equal(frames.answered_us, 0);
    websocket_frames_close(&frames);
}

/* Who answers a ping may send as much again; but for each answer once. */
static void test_answered_in_between(void **state)
{
    char ping[64];
    (void) state;
    begin(MAX_BYTES);
    assert_int_equal(websocket_frames_ping(&frames, &err), 0);
    assert_int_equal(unmask((const unsigned char *) frames.out.s, frames.out.size, ping), 16);
    for (int i = 0; i < 9999; i++)
        answer("", 0);
    answer(ping, 16);
    for (int i = 0; i < 10000; i++)
        answer(ping, 16);
    struct websocket_message message;
    feed.bytes = "\x8a\x00";
    feed.size = 2;
    assert_int_equal(websocket_frames_next(&frames, &message, &err), -EPROTO);
    websocket_frames_close(&frames);
}

/* Of what was never opened, too. */
static void test_close(void **state)
{
    struct websocket_frames none = { 0 };
    (void) state;
    websocket_frames_close(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sent),  cmocka_unit_test(test_masks), cmocka_unit_test(test_sent_in_bits),
        cmocka_unit_test(test_bound), cmocka_unit_test(test_pings), cmocka_unit_test(test_answered_in_between),
        cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
