/* test_websocket_frames.c - frames from a server that come in whatever pieces, and what a client answers. */
#include "websocket_feed.h"

/* What comes of it: messages, and the end if there is one. */
static void tell_received(struct text *ret)
{
    struct websocket_message message;
    int r;
    while ((r = websocket_frames_next(&frames, &message, &err)) == 1 ||
           (r == -EAGAIN && (feed.size || feed.waited || frames.has_more))) {
        if (r != 1)
            continue;
        assert_int_equal(message.bytes.s[message.bytes.size], 0);
        text_addf(ret, "%s %.100s|", message.is_binary ? "binary" : "text", message.bytes.s);
    }
    if (r == 0)
        text_addf(ret, "close %d %s|", message.close_code, message.bytes.s);
    else if (r != -EAGAIN)
        text_addf(ret, "%d %s|", r, err.msg);
}

struct frames_case {
    const char *bytes;
    size_t size;
    const char *received, *sent; /* "gone" in received: the connection has an end */
};

#define WRONG(words) "-71 " words "|" /* -EPROTO */

static const struct frames_case cases[] = {
    /* websocket's own bytes, as SignalR sends them */
    { BYTES("\x81\x03{}\x1e"), "text {}\x1e|", "" },
    { BYTES("\x81\x0b{\"type\":6}\x1e"), "text {\"type\":6}\x1e|", "" },
    { BYTES("\x01\x0a{\"type\":1,\x00\x0a\"target\":\"\x80\x26pushEvent\",\"arguments\":[\"{\\\"n\\\":1}\"]}\x1e"),
      "text {\"type\":1,\"target\":\"pushEvent\",\"arguments\":[\"{\\\"n\\\":1}\"]}\x1e|", "" },
    { BYTES("\x88\x02\x03\xe8"), "close 1000 |", "close 1000|" },
    { BYTES("\x82\x02{}"), "binary {}|", "" },
    /* pieces, with others between */
    { BYTES("\x01\x01"
            "a\x89\x05hello\x00\x01"
            "b\x8a\x00\x80\x01"
            "c"),
      "text abc|", "pong hello|" },
    { BYTES("\x01\x01"
            "a\x00\x01"
            "b\x80\x00\x81\x01"
            "c"),
      "text ab|text c|", "" },
    { BYTES("\x81\x00\x82\x00\x01\x00\x80\x00"), "text |binary |text |", "" },
    { BYTES("\x81\x01"
            "a\x81\x01"
            "b\x81\x01"
            "c\x81\x01"),
      "text a|text b|text c|", "" },
    { BYTES("\x01\x01\xc3\x80\x01\xa4"), "text \xc3\xa4|", "" },
    { BYTES("\x89\x00\x8a\x03"
            "any\x8a\x10"
            "0123456789abcdef\x81\x01"
            "a"),
      "text a|", "pong|" },
    { BYTES("\x02\x02\xff\x00\x80\x01\xfe"), "binary \xff|", "" },
    /* ends */
    { BYTES("\x88\x00"), "close 1005 |", "close|" },
    { BYTES("\x88\x05\x03\xe9"
            "bye\x81\x01"
            "a"),
      "close 1001 bye|", "close 1001|" },
    { BYTES("\x01\x01"
            "a\x88\x02\x0b\xb8"),
      "close 3000 |", "close 3000|" },
    { BYTES("\x88\x02\x03\xf4"), "close 1012 |", "close 1012|" },
    { BYTES("\x81\x01"
            "a"),
      "text a|-104 gone|", "" },
    { BYTES("\x81\x02"
            "a"),
      "-104 gone|", "" },
    { BYTES("\x81"), "-104 gone|", "" },
    { BYTES("\x81\x7e\x01"), "-104 gone|", "" },
    /* nothing forgiven */
    { BYTES("\xc1\x01"
            "a"),
      WRONG("a frame of an extension"), "close 1002|" },
    { BYTES("\x91\x01"
            "a"),
      WRONG("a frame of an extension"), "close 1002|" },
    { BYTES("\x81\x01"
            "a\xa9\x00"),
      "text a|" WRONG("a frame of an extension"), "close 1002|" },
    { BYTES("\x81\x83\x00\x00\x00\x00{}\x1e"), WRONG("a masked frame"), "close 1002|" },
    { BYTES("\x89\x80\x00\x00\x00\x00"), WRONG("a masked frame"), "close 1002|" },
    { BYTES("\x83\x00"), WRONG("a frame of no known kind"), "close 1002|" },
    { BYTES("\x8b\x00"), WRONG("a frame of no known kind"), "close 1002|" },
    { BYTES("\x80\x01"
            "a"),
      WRONG("frames out of order"), "close 1002|" },
    { BYTES("\x01\x01"
            "a\x81\x01"
            "b"),
      WRONG("frames out of order"), "close 1002|" },
    { BYTES("\x01\x01"
            "a\x82\x01"
            "b"),
      WRONG("frames out of order"), "close 1002|" },
    { BYTES("\x81\x01"
            "a\x80\x01"
            "b"),
      "text a|" WRONG("frames out of order"), "close 1002|" },
    { BYTES("\x09\x00"), WRONG("a frame of a wrong length"), "close 1002|" },
    { BYTES("\x89\x7e\x00\x7e"), WRONG("a frame of a wrong length"), "close 1002|" },
    { BYTES("\x81\x7e\x00\x7d"), WRONG("a frame of a wrong length"), "close 1002|" },
    { BYTES("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), WRONG("a frame of a wrong length"), "close 1002|" },
    { BYTES("\x81\x7f\x80\x00\x00\x00\x00\x01\x00\x00"), WRONG("a frame of a wrong length"), "close 1002|" },
    { BYTES("\x88\x01\x03"), WRONG("a close frame without a proper code"), "close 1002|" },
    { BYTES("\x88\x02\x03\xe7"), WRONG("a close frame without a proper code"), "close 1002|" },
    { BYTES("\x88\x02\x03\xed"), WRONG("a close frame without a proper code"), "close 1002|" },
    { BYTES("\x88\x02\x03\xee"), WRONG("a close frame without a proper code"), "close 1002|" },
    { BYTES("\x88\x02\x13\x88"), WRONG("a close frame without a proper code"), "close 1002|" },
    { BYTES("\x88\x03\x03\xe8\xff"), WRONG("a close frame that is no UTF-8"), "close 1007|" },
    { BYTES("\x81\x04{\xff}\x1e"), WRONG("a text that is no UTF-8"), "close 1007|" },
    { BYTES("\x81\x01\xc3"), WRONG("a text that is no UTF-8"), "close 1007|" },
    { BYTES("\x81\x03\xed\xa0\x80"), WRONG("a text that is no UTF-8"), "close 1007|" },
    { BYTES("\x81\x02\xc0\x80"), WRONG("a text that is no UTF-8"), "close 1007|" },
    { BYTES("\x81\x0d"
            "12345678 \xc3\xa4\xff."),
      WRONG("a text that is no UTF-8"), "close 1007|" },
    { BYTES("\x81\x04\xf4\x90\x80\x80"), WRONG("a text that is no UTF-8"), "close 1007|" },
    { BYTES("\x01\x01\xc3\x80\x01"
            "a"),
      WRONG("a text that is no UTF-8"), "close 1007|" },
};

static const size_t pieces[] = { 1, 2, 3, 4096 };

static void check_case(const struct frames_case *one, size_t piece, bool waits)
{
    struct text received CLEANUP(text_free) = TEXT_INIT, sent CLEANUP(text_free) = TEXT_INIT;
    begin(MAX_BYTES);
    feed.bytes = one->bytes;
    feed.size = one->size;
    feed.piece = piece;
    feed.waits = waits;
    feed.waited = false;
    feed.at_end = strstr(one->received, "gone") ? -ECONNRESET : -EAGAIN;
    tell_received(&received);
    tell_sent(&sent);
    if (strcmp(received.s, one->received) != 0 || strcmp(sent.s, one->sent) != 0)
        fail_msg("row %td in pieces of %zu: received %s for %s, sent %s for %s", one - cases, piece, received.s,
                 one->received, sent.s, one->sent);
    /* What ended it stays. */
    if (frames.end <= 0) {
        text_reset(&received);
        tell_received(&received);
        assert_non_null(strstr(one->received, received.s));
        assert_int_equal(websocket_frames_ping(&frames, &err), frames.is_closed ? -ENOTCONN : 0);
    }
    websocket_frames_close(&frames);
}

static void test_cases(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t k = 0; k < 2 * ARRAY_SIZE(pieces); k++)
            check_case(&cases[i], pieces[k / 2], k % 2);
}

/* ---- lengths ---- */

static size_t write_header(char *ret, int first, size_t size)
{
    ret[0] = (char) first;
    if (size < 126) {
        ret[1] = (char) size;
        return 2;
    }
    size_t n = size < 65536 ? 2 : 8;
    ret[1] = n == 2 ? 126 : 127;
    for (size_t i = 0; i < n; i++)
        ret[2 + i] = (char) (size >> 8 * (n - 1 - i));
    return 2 + n;
}

/* As it was sent, and a small one behind it. */
static void test_sizes(void **state)
{
    static const size_t sizes[] = { 0, 1, 125, 126, 146, 4095, 4096, 65535, 65536, 1 << 20 };
    struct websocket_message message;
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        char *bytes = malloc(sizes[i] + 20);
        size_t n = write_header(bytes, 0x81, sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            bytes[n + at] = (char) ('0' + at % 70);
        memcpy(bytes + n + sizes[i], "\x81\x01z", 3);
        for (size_t piece = 1; piece <= 4096; piece += 4095) {
            begin(sizes[i] > 1 ? sizes[i] : 1);
            feed.bytes = bytes;
            feed.size = n + sizes[i] + 3;
            feed.piece = piece;
            feed.waits = false;
            assert_int_equal(websocket_frames_next(&frames, &message, &err), 1);
            assert_int_equal(message.bytes.size, sizes[i]);
            assert_memory_equal(message.bytes.s, bytes + n, sizes[i]);
            assert_int_equal(websocket_frames_next(&frames, &message, &err), 1);
            assert_int_equal(message.bytes.size, 1);
            assert_true(frames.message.room <= 65536); /* the room of a large one is given back */
            assert_int_equal(websocket_frames_next(&frames, &message, &err), -EAGAIN);
            websocket_frames_close(&frames);
        }
        free(bytes);
    }
}

/* Whoever sends what makes no message does not keep the caller: empty frames, pings that nobody asked for. */
static void test_many_without_a_message(void **state)
{
    static const char *const frame[] = { "\x00\x00", "\x8a\x00", "\x89\x00" };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(frame); i++) {
        struct websocket_message message;
        char *bytes = malloc(2 + 5000 * 2 + 3);
        int r, n_turns = 0;
        memcpy(bytes, "\x01\x00", 2);
        for (size_t at = 0; at < 5000; at++)
            memcpy(bytes + 2 + at * 2, frame[i], 2);
        memcpy(bytes + 2 + 5000 * 2, "\x80\x01z", 3);
        begin(10);
        feed.bytes = bytes;
        feed.size = 2 + 5000 * 2 + 3;
        feed.piece = 4096;
        feed.waits = false;
        while ((r = websocket_frames_next(&frames, &message, &err)) == -EAGAIN && frames.has_more)
            n_turns++;
        assert_int_equal(r, 1);
        assert_false(frames.has_more);
        assert_string_equal(message.bytes.s, "z");
        assert_true(n_turns >= 3);
        assert_int_equal(websocket_frames_next(&frames, &message, &err), -EAGAIN);
        assert_false(frames.has_more);
        websocket_frames_close(&frames);
        free(bytes);
    }
}

#define IDLE_MAX 10000

/* n times a frame of two bytes, and then what the end is. */
static char *many(const char *frame, size_t n, const char *end, size_t *ret_size)
{
    char *bytes = malloc(2 * n + strlen(end));
    for (size_t i = 0; i < n; i++)
        memcpy(bytes + 2 * i, frame, 2);
    memcpy(bytes + 2 * n, end, strlen(end));
    *ret_size = 2 * n + strlen(end);
    return bytes;
}

static int receive(const char *bytes, size_t size)
{
    struct websocket_message message;
    int r;
    feed.bytes = bytes;
    feed.size = size;
    feed.piece = 4096;
    feed.waits = false;
    while ((r = websocket_frames_next(&frames, &message, &err)) == -EAGAIN && frames.has_more)
        continue;
    return r;
}

/* As many as are let pass, again behind each message; and then one too many. */
static void test_no_message_at_all(void **state)
{
    static const char *const frame[] = { "\x8a\x00", "\x89\x00" };
    struct text sent = TEXT_INIT;
    size_t size;
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(frame); i++) {
        char *bytes = many(frame[i], IDLE_MAX, "\x81\x01z", &size);
        begin(10);
        assert_int_equal(receive(bytes, size), 1);
        assert_int_equal(receive(bytes, size - 3), -EAGAIN);
        assert_int_equal(receive(frame[i], 2), -EPROTO);
        assert_string_equal(err.msg, "pings or empty frames without end, and no message");
        tell_sent(&sent);
        assert_non_null(strstr(sent.s, "close 1008|"));
        websocket_frames_close(&frames);
        text_reset(&sent);
        free(bytes);
    }
    text_free(&sent);
    char *bytes = many("\x00\x00", IDLE_MAX - 1, "", &size);
    begin(10);
    assert_int_equal(receive("\x01\x00", 2), -EAGAIN);
    assert_int_equal(receive(bytes, size), -EAGAIN);
    assert_int_equal(receive("\x00\x00", 2), -EPROTO);
    websocket_frames_close(&frames);
    free(bytes);
}

static void expect_too_long(const char *bytes, size_t size, size_t max_bytes, const char *sentence)
{
    struct text sent = TEXT_INIT;
    struct websocket_message message;
    begin(max_bytes);
    feed.bytes = bytes;
    feed.size = size;
    feed.piece = 4096;
    feed.waits = false;
    assert_int_equal(websocket_frames_next(&frames, &message, &err), -EPROTO);
    assert_string_equal(err.msg, sentence);
    tell_sent(&sent);
    assert_non_null(strstr(sent.s, "close 1009|"));
    assert_true(frames.message.room <= 256); /* nothing was made ready for it */
    text_free(&sent);
    websocket_frames_close(&frames);
}

static void test_too_long(void **state)
{
    (void) state;
    expect_too_long(BYTES("\x81\x03"
                          "abc"),
                    2, "a message of more than 2");
    expect_too_long(BYTES("\x01\x02"
                          "ab\x80\x01"
                          "c"),
                    2, "a message of more than 2");
    expect_too_long(BYTES("\x01\x02"
                          "ab\x00\x00\x89\x01!\x00\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"
                          "x"),
                    2 << 20, "a message of more than 2M");
    expect_too_long(BYTES("\x81\x7f\x00\x00\x00\x00\x00\x20\x00\x01"
                          "x"),
                    2 << 20, "a message of more than 2M");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many_without_a_message),
        cmocka_unit_test(test_no_message_at_all),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
