/* fuzz_websocket.c - any bytes as what comes from the CAD's hub: the head of its answer, and then frames. libFuzzer's
 * target.
 *
 * Looked for besides crashes: a message that is too long or no UTF-8, an answer that is no frame, memory that grows
 * with what nobody reads, words that a terminal would obey; a difference between bytes that come at once and in pieces;
 * and one between the messages here and those of wslay's own functions. */
#include <errno.h>
#include <stdlib.h>

#include "websocket_frames.h"
#include "websocket_head.h"

#define SMALL_MAX 130 /* wslay's own functions hold a ping to it, too, which may have 125 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Where bytes come from. */
struct feed {
    const uint8_t *bytes;
    size_t size, piece;
};

/* What came of them, in numbers that can be compared. */
struct story {
    uint64_t messages, sent;
    int end;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t take(struct feed *feed, void *ret, size_t size)
{
    size_t n = feed->size < feed->piece ? feed->size : feed->piece;
    n = n < size ? n : size;
    memcpy(ret, feed->bytes, n);
    feed->bytes += n;
    feed->size -= n;
    return n;
}

static ssize_t read_feed(void *context, void *ret, size_t size, struct err *err)
{
    (void) err;
    size_t n = take(context, ret, size);
    return n ? (ssize_t) n : -EAGAIN;
}

static void require_utf8(const char *s, size_t size)
{
    uint32_t code;
    for (size_t n; size; s += n, size -= n)
        require((n = utf8_read(s, size, &code)) > 0);
}

static uint64_t hash_message(uint64_t hash, int opcode, const void *bytes, size_t size)
{
    hash = hash_bytes(hash, &opcode, sizeof(opcode));
    hash = hash_bytes(hash, &size, sizeof(size));
    return hash_bytes(hash, bytes, size);
}

/* ---- as it is ---- */

/* Each is whole, masked, and none follows the one that closes. */
static uint64_t look_at_sent(const struct text *out)
{
    uint64_t hash = HASH_START;
    bool is_closed = false;
    for (size_t at = 0; at < out->size;) {
        const unsigned char *frame = (const unsigned char *) out->s + at;
        unsigned char payload[WEBSOCKET_CONTROL_MAX_BYTES];
        size_t n = frame[1] & 0x7f;
        require(out->size - at >= 6 && frame[0] & 0x80 && frame[1] & 0x80 && n <= sizeof(payload) && !is_closed);
        require(out->size - at >= 6 + n);
        for (size_t i = 0; i < n; i++)
            payload[i] = frame[6 + i] ^ frame[2 + i % 4];
        is_closed = (frame[0] & 15) == WSLAY_CONNECTION_CLOSE;
        require(is_closed ? n != 1 : (frame[0] & 15) == WSLAY_PONG);
        hash = hash_message(hash, frame[0] & 15, payload, n);
        at += 6 + n;
    }
    return hash;
}

static struct story read_frames(struct feed *feed, size_t max_bytes)
{
    struct story story = { .messages = HASH_START };
    struct websocket_frames frames;
    struct websocket_message message;
    struct err err = { "" };
    require(websocket_frames_open(&frames, max_bytes, read_feed, feed, &err) == 0);
    while ((story.end = websocket_frames_next(&frames, &message, &err)) == 1 || frames.has_more) {
        if (story.end != 1)
            continue;
        require(message.bytes.size <= max_bytes && message.bytes.s[message.bytes.size] == '\0');
        if (!message.is_binary)
            require_utf8(message.bytes.s, message.bytes.size);
        story.messages = hash_message(story.messages, message.is_binary ? WSLAY_BINARY_FRAME : WSLAY_TEXT_FRAME,
                                      message.bytes.s, message.bytes.size);
    }
    if (story.end == 0) {
        require_utf8(message.bytes.s, message.bytes.size);
        require(message.close_code >= 1000 && message.close_code < 5000);
    }
    require(frames.out.size <= WEBSOCKET_WAITING_MAX + WEBSOCKET_CONTROL_MAX_BYTES);
    require(frames.is_closed == (story.end == 0 || story.end == -EPROTO));
    require(websocket_frames_next(&frames, &message, &err) == story.end);
    story.sent = look_at_sent(&frames.out);
    websocket_frames_close(&frames);
    return story;
}

/* How many bytes belong to a head; none where there is no whole one. */
static size_t read_head(const uint8_t *bytes, size_t size, size_t piece, int *ret_check)
{
    struct websocket_head head = { .line = TEXT_INIT };
    struct err err = { "" };
    size_t at = 0;
    ssize_t n = 0;
    while (at < size && !head.is_whole && n >= 0) {
        size_t rest = size - at < piece ? size - at : piece;
        n = websocket_head_take(&head, (const char *) bytes + at, rest, &err);
        at += n < 0 ? 0 : (size_t) n;
    }
    *ret_check = n < 0 ? (int) n : head.is_whole ? websocket_head_check(&head, ACCEPT, &err) : 1;
    for (const char *s = err.msg; *s; s++)
        require(*s >= ' ' && *s < 0x7f); /* none of theirs */
    text_free(&head.line);
    return head.is_whole ? at : 0;
}

/* ---- as wslay's functions for whole messages have it ---- */

struct oracle {
    struct feed *feed;
    uint64_t messages;
};

static ssize_t read_for_oracle(wslay_event_context_ptr wslay, uint8_t *ret, size_t size, int flags, void *userdata)
{
    const struct oracle *oracle = userdata;
    size_t n = take(oracle->feed, ret, size);
    (void) flags;
    if (n == 0)
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
    return n ? (ssize_t) n : -1;
}

static void take_for_oracle(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message,
                            void *userdata)
{
    struct oracle *oracle = userdata;
    (void) wslay;
    if (!wslay_is_ctrl_frame(message->opcode))
        oracle->messages = hash_message(oracle->messages, message->opcode, message->msg, message->msg_length);
}

static uint64_t ask_oracle(struct feed *feed, size_t max_bytes)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback = read_for_oracle,
                                                            .on_msg_recv_callback = take_for_oracle };
    struct oracle oracle = { feed, HASH_START };
    wslay_event_context_ptr wslay;
    require(wslay_event_context_client_init(&wslay, &callbacks, &oracle) == 0);
    wslay_event_config_set_max_recv_msg_length(wslay, max_bytes);
    while (feed->size && wslay_event_get_read_enabled(wslay) && wslay_event_recv(wslay) == 0)
        continue;
    wslay_event_context_free(wslay);
    return oracle.messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const size_t pieces[] = { 1, 2, 3, 5, 125, 1000, 4096, 65536 };
    int check, check_again;
    if (size < 1)
        return 0;
    size_t piece = pieces[bytes[0] & 7], max_bytes = bytes[0] & 8 ? SMALL_MAX : 1 << 20;
    bool has_head = bytes[0] & 16;
    bytes++;
    size--;
    size_t n = has_head ? read_head(bytes, size, piece, &check) : 0;
    if (has_head)
        require(read_head(bytes, size, SIZE_MAX, &check_again) == n && check == check_again);
    struct feed feed = { bytes + n, size - n, piece }, whole = { bytes + n, size - n, SIZE_MAX }, same = whole;
    struct story story = read_frames(&feed, max_bytes), at_once = read_frames(&whole, max_bytes);
    require(story.messages == at_once.messages && story.sent == at_once.sent && story.end == at_once.end);
    require(ask_oracle(&same, max_bytes) == story.messages);
    return 0;
}
