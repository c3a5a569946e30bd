/* websocket_frames.c - frames by wslay; what follows in which order, and what may be in them, is decided here. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <sonoran-pushd/text_secret.h>

#include "websocket_frames.h"

#define KEPT_ROOM ((size_t) 64 << 10) /* for the next message */
#define HEADER_MAX_BYTES 14
#define FRAMES_AT_ONCE 1000   /* of those that make no message whole */
#define IDLE_FRAMES_MAX 10000 /* far above a ping a second, in the time to the next answer to one of ours */
#define NOT_ENDED 1

/* ---- what goes ---- */

static ssize_t put_into_out(const uint8_t *bytes, size_t size, int flags, void *userdata)
{
    struct websocket_frames *frames = userdata;
    (void) flags;
    text_add_bytes(&frames->out, (const char *) bytes, size); /* there is room */
    return (ssize_t) size;
}

static int make_mask(uint8_t *ret, size_t size, void *userdata)
{
    (void) userdata;
    return getrandom(ret, size, 0) == (ssize_t) size ? 0 : -1;
}

/* However much waits. */
static int add_frame(struct websocket_frames *frames, enum wslay_opcode opcode, struct span bytes, struct err *err)
{
    struct wslay_frame_iocb frame = { .fin = 1,
                                      .opcode = (uint8_t) opcode,
                                      .payload_length = bytes.size,
                                      .mask = 1,
                                      .data = (const uint8_t *) bytes.s,
                                      .data_length = bytes.size };
    if (!text_reserve(&frames->out, bytes.size + HEADER_MAX_BYTES))
        return err_set(err, -ENOMEM, "no memory for a message");
    if (wslay_frame_send(frames->wslay, &frame) < 0)
        return err_set(err, -EIO, "no random bytes for a message");
    return 0;
}

int websocket_frames_add(struct websocket_frames *frames, enum wslay_opcode opcode, struct span bytes, struct err *err)
{
    size_t waits = frames->out.size - frames->out_at;
    if (frames->is_closed)
        return err_set(err, -ENOTCONN, "the connection was finished");
    if (bytes.size > WEBSOCKET_WAITING_MAX || waits + bytes.size + HEADER_MAX_BYTES > WEBSOCKET_WAITING_MAX)
        return err_set(err, -ENOBUFS, "the other side does not read what is sent");
    return add_frame(frames, opcode, bytes, err);
}

void websocket_frames_sent(struct websocket_frames *frames, size_t size)
{
    struct text *out = &frames->out;
    frames->out_at += size;
    if (frames->out_at < out->size / 2)
        return;
    memmove(out->s, out->s + frames->out_at, out->size - frames->out_at);
    out->size -= frames->out_at;
    frames->out_at = 0;
    if (out->size == 0 && out->room > KEPT_ROOM)
        text_wipe(out);
}

int websocket_frames_ping(struct websocket_frames *frames, struct err *err)
{
    const uint64_t payload[2] = { frames->secret, frames->n_pings + 1 };
    int r = websocket_frames_add(frames, WSLAY_PING, (struct span){ (const char *) payload, sizeof(payload) }, err);
    if (r < 0)
        return r;
    frames->n_pings++;
    frames->pinged_us = uptime_us();
    return 0;
}

void websocket_frames_finish(struct websocket_frames *frames, int code)
{
    const char payload[2] = { (char) (code >> 8), (char) code };
    if (!frames->is_closed)
        (void) !add_frame(frames, WSLAY_CONNECTION_CLOSE, (struct span){ payload, code ? sizeof(payload) : 0 }, NULL);
    frames->is_closed = true;
}

/* ---- what comes ---- */

static ssize_t read_bytes(uint8_t *ret, size_t size, int flags, void *userdata)
{
    struct websocket_frames *frames = userdata;
    (void) flags;
    frames->has_read = frames->read(frames->context, ret, size, &frames->err);
    return frames->has_read > 0 ? frames->has_read : -1;
}

static int end(struct websocket_frames *frames, int r)
{
    frames->end = r;
    return r;
}

static int fail(struct websocket_frames *frames, int code, const char *what)
{
    websocket_frames_finish(frames, code);
    return end(frames, err_set(&frames->err, -EPROTO, "%s", what));
}

static int fail_too_long(struct websocket_frames *frames)
{
    struct text max CLEANUP(text_free) = TEXT_INIT;
    text_add_size(&max, frames->max_message_bytes);
    websocket_frames_finish(frames, WSLAY_CODE_MESSAGE_TOO_BIG);
    return end(frames, err_set(&frames->err, -EPROTO, "a message of more than %s", max.s));
}

static size_t count_ascii(const char *s, size_t size)
{
    const uint64_t tops = 0x8080808080808080;
    uint64_t eight;
    size_t n = 0;
    for (; size - n >= sizeof(eight); n += sizeof(eight)) {
        memcpy(&eight, s + n, sizeof(eight));
        if (eight & tops)
            break;
    }
    while (n < size && (unsigned char) s[n] < 0x80)
        n++;
    return n;
}

/* Whole, and without halves of surrogate pairs and the like. */
static bool is_utf8(const char *s, size_t size)
{
    uint32_t code;
    size_t i = count_ascii(s, size);
    while (i < size) {
        size_t n = utf8_read(s + i, size - i, &code);
        if (n == 0)
            return false;
        i += n;
        i += count_ascii(s + i, size - i);
    }
    return true;
}

static int begin_frame(struct websocket_frames *frames, const struct wslay_frame_iocb *piece)
{
    bool begins = piece->opcode == WSLAY_TEXT_FRAME || piece->opcode == WSLAY_BINARY_FRAME;
    bool goes_on = piece->opcode == WSLAY_CONTINUATION_FRAME;
    frames->in_frame = true;
    frames->n_begun++;
    frames->frame_opcode = piece->opcode;
    frames->frame_is_last = piece->fin;
    frames->frame_left = piece->payload_length;
    frames->n_control = 0;
    if (piece->rsv)
        return fail(frames, WSLAY_CODE_PROTOCOL_ERROR, "a frame of an extension");
    if (piece->mask)
        return fail(frames, WSLAY_CODE_PROTOCOL_ERROR, "a masked frame");
    if (!begins && !goes_on && (piece->opcode < WSLAY_CONNECTION_CLOSE || piece->opcode > WSLAY_PONG))
        return fail(frames, WSLAY_CODE_PROTOCOL_ERROR, "a frame of no known kind");
    if ((begins && frames->opcode) || (goes_on && !frames->opcode))
        return fail(frames, WSLAY_CODE_PROTOCOL_ERROR, "frames out of order");
    if ((begins || goes_on) && piece->payload_length > frames->max_message_bytes - frames->message.size)
        return fail_too_long(frames);
    frames->n_idle += piece->payload_length == 0 || !(begins || goes_on);
    if (frames->n_idle > IDLE_FRAMES_MAX)
        return fail(frames, WSLAY_CODE_POLICY_VIOLATION, "pings or empty frames without end, and no message");
    if (begins)
        frames->opcode = piece->opcode;
    return NOT_ENDED;
}

static void take_pong(struct websocket_frames *frames)
{
    uint64_t payload[2];
    if (frames->n_control != sizeof(payload))
        return;
    memcpy(payload, frames->control, sizeof(payload));
    if (payload[0] != frames->secret || payload[1] == 0 || payload[1] > frames->n_pings)
        return;
    frames->answered_us = uptime_us();
    if (payload[1] > frames->n_answered) {
        frames->n_answered = payload[1];
        frames->n_idle = 0;
    }
    if (payload[1] == frames->n_pings)
        frames->took_us = frames->answered_us - frames->pinged_us;
}

/* RFC 6455, 7.4: those that stand for the lack of one are never sent. */
static bool is_code(unsigned code)
{
    return code >= 1000 && code < 5000 && code != 1004 && code != 1005 && code != 1006 && code != 1015;
}

static int take_close(struct websocket_frames *frames)
{
    const unsigned char *bytes = (const unsigned char *) frames->control;
    unsigned code = frames->n_control >= 2 ? bytes[0] * 256u + bytes[1] : 0;
    if (frames->n_control && !is_code(code))
        return fail(frames, WSLAY_CODE_PROTOCOL_ERROR, "a close frame without a proper code");
    if (frames->n_control && !is_utf8(frames->control + 2, frames->n_control - 2))
        return fail(frames, WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, "a close frame that is no UTF-8");
    websocket_frames_finish(frames, (int) code);
    frames->close_code = code ? (int) code : WEBSOCKET_NO_CODE;
    frames->control[frames->n_control] = '\0';
    return end(frames, 0);
}

/* A pong for which there is no room is left out: whoever pings on has not read the others yet. */
static int end_control(struct websocket_frames *frames)
{
    if (frames->frame_opcode == WSLAY_CONNECTION_CLOSE)
        return take_close(frames);
    if (frames->frame_opcode == WSLAY_PONG)
        take_pong(frames);
    else
        (void) !websocket_frames_add(frames, WSLAY_PONG, (struct span){ frames->control, frames->n_control }, NULL);
    return NOT_ENDED;
}

static int end_message(struct websocket_frames *frames, struct websocket_message *ret)
{
    bool is_binary = frames->opcode == WSLAY_BINARY_FRAME;
    frames->opcode = 0;
    frames->n_idle = 0;
    if (!is_binary && !is_utf8(frames->message.s, frames->message.size))
        return fail(frames, WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, "a text that is no UTF-8");
    frames->message_is_given = true;
    *ret = (struct websocket_message){ .bytes = { frames->message.s, frames->message.size }, .is_binary = is_binary };
    return NOT_ENDED;
}

/* Of a frame, as much as came at once. */
static int take_piece(struct websocket_frames *frames, const struct wslay_frame_iocb *piece,
                      struct websocket_message *ret)
{
    bool is_control = wslay_is_ctrl_frame(piece->opcode);
    if (!frames->in_frame && begin_frame(frames, piece) != NOT_ENDED)
        return frames->end;
    if (is_control) {
        memcpy(frames->control + frames->n_control, piece->data, piece->data_length);
        frames->n_control += piece->data_length;
    } else {
        text_add_secret(&frames->message, (const char *) piece->data, piece->data_length);
    }
    if (frames->message.failed)
        return end(frames, err_set(&frames->err, -ENOMEM, "no memory for a message"));
    frames->frame_left -= piece->data_length;
    frames->in_frame = frames->frame_left > 0;
    if (frames->in_frame)
        return NOT_ENDED;
    if (is_control)
        return end_control(frames);
    return frames->frame_is_last ? end_message(frames, ret) : NOT_ENDED;
}

static void forget_message(struct websocket_frames *frames)
{
    if (frames->message.room > KEPT_ROOM)
        text_wipe(&frames->message);
    text_reset(&frames->message);
    frames->message_is_given = false;
}

/* What wslay could not go on without. */
static int take_end_of_bytes(struct websocket_frames *frames)
{
    if (frames->has_read > 0)
        return NOT_ENDED;
    if (frames->has_read == -EAGAIN)
        return -EAGAIN;
    return end(frames, frames->has_read ? (int) frames->has_read : -ECONNRESET);
}

static int say_end(const struct websocket_frames *frames, struct websocket_message *ret, struct err *err)
{
    if (frames->end < 0)
        return err_set(err, frames->end, "%s", frames->err.msg);
    *ret = (struct websocket_message){ .bytes = span_of(frames->n_control ? frames->control + 2 : ""),
                                       .close_code = frames->close_code };
    return 0;
}

int websocket_frames_next(struct websocket_frames *frames, struct websocket_message *ret, struct err *err)
{
    struct wslay_frame_iocb piece;
    int r = frames->end;
    if (frames->message_is_given)
        forget_message(frames);
    frames->n_begun = 0;
    frames->has_more = false;
    while (r == NOT_ENDED && !frames->message_is_given) {
        frames->has_more = frames->n_begun >= FRAMES_AT_ONCE && !frames->in_frame;
        if (frames->has_more)
            return -EAGAIN;
        memset(&piece, 0, sizeof(piece));
        ssize_t n = wslay_frame_recv(frames->wslay, &piece);
        if (n >= 0)
            r = take_piece(frames, &piece, ret);
        else if (n == WSLAY_ERR_WANT_READ)
            r = take_end_of_bytes(frames);
        else
            r = fail(frames, WSLAY_CODE_PROTOCOL_ERROR, "a frame of a wrong length");
    }
    if (frames->end != NOT_ENDED)
        return say_end(frames, ret, err);
    return r;
}

/* ---- a life ---- */

int websocket_frames_open(struct websocket_frames *frames, size_t max_message_bytes,
                          ssize_t (*read)(void *, void *, size_t, struct err *), void *context, struct err *err)
{
    static const struct wslay_frame_callbacks callbacks = { put_into_out, read_bytes, make_mask };
    *frames = (struct websocket_frames){ .max_message_bytes = max_message_bytes,
                                         .read = read,
                                         .context = context,
                                         .end = NOT_ENDED,
                                         .message = TEXT_INIT,
                                         .out = TEXT_INIT };
    (void) !getrandom(&frames->secret, sizeof(frames->secret), 0);
    if (wslay_frame_context_init(&frames->wslay, &callbacks, frames) != 0)
        return err_set(err, -ENOMEM, "no memory for a websocket");
    return 0;
}

void websocket_frames_close(struct websocket_frames *frames)
{
    if (!frames->wslay)
        return;
    wslay_frame_context_free(frames->wslay);
    text_wipe(&frames->message);
    text_wipe(&frames->out);
}
