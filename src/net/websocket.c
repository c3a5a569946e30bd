/* websocket.c - a connection on which an upgrade is asked for, and then frames go. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <sonoran-pushd/base64.h>

#include "web_private.h"
#include "websocket_frames.h"
#include "websocket_head.h"

#define KEY_BYTES 16
#define READ_BYTES 4096

enum step { CONNECTING, ASKING, OPEN, FAILED };

struct websocket {
    struct net_connection *connection;
    struct websocket_frames frames; /* the request goes by its out, too */
    struct websocket_head head;
    struct text host, path; /* "example.org:8443", "/a?b" */
    char *user_agent;
    usec_t connect_us, due_us, heard_us;
    enum step step;
    int failure; /* of FAILED */
    struct err err;
    char accept[WEBSOCKET_ACCEPT_BYTES + 1];
    /* What came with the end of the head. */
    char rest[READ_BYTES];
    size_t rest_at, n_rest;
    int send_failure; /* of the connection; what comes may still be read */
};

/* ---- bytes ---- */

static void flush(struct websocket *ws)
{
    struct websocket_frames *frames = &ws->frames;
    while (frames->out_at < frames->out.size && !ws->send_failure) {
        ssize_t n = net_connection_send(ws->connection, frames->out.s + frames->out_at,
                                        frames->out.size - frames->out_at, NULL);
        if (n == -EAGAIN)
            return;
        if (n < 0)
            ws->send_failure = (int) n;
        else
            websocket_frames_sent(frames, (size_t) n);
    }
}

static ssize_t read_connection(struct websocket *ws, void *ret, size_t size, struct err *err)
{
    ssize_t n = net_connection_receive(ws->connection, ret, size, err);
    if (n > 0)
        ws->heard_us = uptime_us();
    return n ? n : err_set(err, -ECONNRESET, "%s closed the connection", ws->host.s);
}

static ssize_t read_for_frames(void *context, void *ret, size_t size, struct err *err)
{
    struct websocket *ws = context;
    size_t n = ws->n_rest - ws->rest_at < size ? ws->n_rest - ws->rest_at : size;
    if (n == 0)
        return read_connection(ws, ret, size, err);
    memcpy(ret, ws->rest + ws->rest_at, n);
    ws->rest_at += n;
    return (ssize_t) n;
}

/* ---- the upgrade ---- */

static int fail(struct websocket *ws, int r)
{
    ws->step = FAILED;
    ws->due_us = UINT64_MAX;
    ws->failure = r;
    return r;
}

/* And what its answer has to say. */
static int write_request(struct websocket *ws)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char random[KEY_BYTES], said[BASE64_BYTES(KEY_BYTES) + sizeof(guid)];
    struct text *out = &ws->frames.out;
    if (getrandom(random, sizeof(random), 0) != sizeof(random) ||
        base64_encode((struct span){ random, sizeof(random) }, said) < 0)
        return err_set(&ws->err, -EIO, "no random bytes for a connection");
    text_addf(out, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", ws->path.s,
              ws->host.s);
    text_addf(out, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nUser-Agent: %s\r\n\r\n", said,
              ws->user_agent);
    memcpy(said + BASE64_BYTES(KEY_BYTES), guid, sizeof(guid));
    if (out->failed || base64_sha1(span_of(said), ws->accept) < 0)
        return err_set(&ws->err, -ENOMEM, "no memory for a connection");
    return 0;
}

static int ask(struct websocket *ws)
{
    int r = net_connection_result(ws->connection, &ws->err);
    if (r == -EINPROGRESS)
        return r;
    if (r == 0)
        r = write_request(ws);
    if (r < 0)
        return fail(ws, r);
    ws->step = ASKING;
    ws->due_us = uptime_us() + ws->connect_us;
    return 0;
}

static int explain_silence(struct websocket *ws)
{
    struct text time CLEANUP(text_free) = TEXT_INIT;
    text_add_duration(&time, ws->connect_us);
    return err_set(&ws->err, -ETIMEDOUT, "%s has not answered the upgrade within %s", ws->host.s, time.s);
}

static int explain_answer(struct websocket *ws, int r)
{
    if (r == -EACCES)
        return err_wrap(&ws->err, r, "%s refuses the connection", ws->host.s);
    return r == -EBADMSG ? err_wrap(&ws->err, r, "%s does not speak websocket", ws->host.s) : r;
}

/* Until the head is whole. */
static int read_answer(struct websocket *ws)
{
    while (!ws->head.is_whole) {
        ssize_t n = read_connection(ws, ws->rest, sizeof(ws->rest), &ws->err);
        if (n == -EAGAIN)
            return uptime_us() < ws->due_us ? -EINPROGRESS : explain_silence(ws);
        if (n < 0)
            return err_wrap(&ws->err, (int) n, "no answer to the upgrade");
        ssize_t taken = websocket_head_take(&ws->head, ws->rest, (size_t) n, &ws->err);
        if (taken < 0)
            return explain_answer(ws, (int) taken);
        ws->rest_at = (size_t) taken;
        ws->n_rest = (size_t) n;
    }
    return explain_answer(ws, websocket_head_check(&ws->head, ws->accept, &ws->err));
}

static int take_further(struct websocket *ws)
{
    int r = ws->step == CONNECTING ? ask(ws) : 0;
    if (r < 0 || ws->step != ASKING)
        return r < 0 ? r : ws->step == OPEN ? 0 : ws->failure;
    flush(ws);
    r = read_answer(ws);
    if (r == -EINPROGRESS)
        return r;
    text_free(&ws->head.line);
    if (r < 0)
        return fail(ws, r);
    ws->step = OPEN;
    ws->due_us = UINT64_MAX;
    return 0;
}

int websocket_result(struct websocket *ws, struct websocket_refusal *ret_refusal, struct err *err)
{
    int r = take_further(ws);
    if (ret_refusal)
        *ret_refusal = ws->step == FAILED ? ws->head.answer : (struct websocket_refusal){ 0 };
    if (r < 0 && r != -EINPROGRESS)
        return err_set(err, r, "%s", ws->err.msg);
    return r;
}

/* ---- messages ---- */

int websocket_receive(struct websocket *ws, struct websocket_message *ret, struct err *err)
{
    int r = websocket_result(ws, NULL, err);
    if (r < 0)
        return r == -EINPROGRESS ? -EAGAIN : r;
    flush(ws);
    r = websocket_frames_next(&ws->frames, ret, err);
    flush(ws); /* pongs, a close frame */
    return r == -EPROTO ? err_wrap(err, r, "%s breaks off websocket", ws->host.s) : r;
}

bool websocket_has_more(const struct websocket *ws)
{
    return ws->frames.has_more;
}

bool websocket_is_quiet(const struct websocket *ws)
{
    return ws->step == OPEN && net_connection_is_quiet(ws->connection);
}

/* 0: a frame can be added. */
static int check_open(const struct websocket *ws, struct err *err)
{
    if (ws->step != OPEN)
        return err_set(err, -ENOTCONN, "the connection to %s is not open", ws->host.s);
    if (ws->frames.end <= 0)
        return err_set(err, ws->frames.end ? ws->frames.end : -ECONNRESET, "the connection to %s is over", ws->host.s);
    if (ws->send_failure)
        return err_set(err, ws->send_failure, "%s closed the connection", ws->host.s);
    return 0;
}

int websocket_send(struct websocket *ws, struct span text, struct err *err)
{
    int r = check_open(ws, err);
    if (r == 0)
        r = websocket_frames_add(&ws->frames, WSLAY_TEXT_FRAME, text, err);
    flush(ws);
    return r;
}

int websocket_ping(struct websocket *ws, struct err *err)
{
    int r = check_open(ws, err);
    if (r == 0)
        r = websocket_frames_ping(&ws->frames, err);
    flush(ws);
    return r;
}

void websocket_finish(struct websocket *ws, enum websocket_code code)
{
    if (check_open(ws, NULL) < 0)
        return;
    websocket_frames_finish(&ws->frames, (int) code);
    flush(ws);
}

void websocket_get_times(const struct websocket *ws, struct net_times *ret)
{
    net_connection_get_times(ws->connection, ret);
}

usec_t websocket_due_us(const struct websocket *ws)
{
    return ws->due_us;
}

usec_t websocket_heard_us(const struct websocket *ws)
{
    return ws->heard_us;
}

usec_t websocket_answered_us(const struct websocket *ws, usec_t *ret_took_us)
{
    if (ret_took_us)
        *ret_took_us = ws->frames.took_us;
    return ws->frames.answered_us;
}

/* ---- a life ---- */

/* Into host and path, as they are sent. */
static int read_url(struct websocket *ws, const char *url, struct err *err)
{
    CURLU *parts CLEANUP(web_cleanup_url) = web_libcurl.curl_url();
    char *host CLEANUP(web_cleanup_text) = NULL, *port CLEANUP(web_cleanup_text) = NULL;
    char *path CLEANUP(web_cleanup_text) = NULL, *query CLEANUP(web_cleanup_text) = NULL;
    char *user CLEANUP(web_cleanup_text) = NULL;
    if (!parts || web_libcurl.curl_url_set(parts, CURLUPART_URL, url, CURLU_URLENCODE) != CURLUE_OK ||
        web_libcurl.curl_url_get(parts, CURLUPART_HOST, &host, CURLU_PUNYCODE) != CURLUE_OK ||
        web_libcurl.curl_url_get(parts, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        return err_set(err, -EINVAL, "expected an http or https URL with a host");
    if (web_libcurl.curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
        return err_set(err, -EINVAL, "expected a URL without a user");
    text_add(&ws->host, host);
    if (web_libcurl.curl_url_get(parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK)
        text_addf(&ws->host, ":%s", port);
    text_add(&ws->path, path);
    if (web_libcurl.curl_url_get(parts, CURLUPART_QUERY, &query, 0) == CURLUE_OK)
        text_addf(&ws->path, "?%s", query);
    return ws->host.failed || ws->path.failed ? err_set(err, -ENOMEM, "no memory for a URL") : 0;
}

static int open_parts(struct websocket *ws, struct net_pool *pool, const struct websocket_settings *settings,
                      struct err *err)
{
    const char *user_agent = settings->user_agent ? settings->user_agent : PROGRAM_NAME "/" PROGRAM_VERSION;
    int r = read_url(ws, settings->net.url, err);
    if (r < 0)
        return r;
    if (!(ws->user_agent = strdup(user_agent)))
        return err_set(err, -ENOMEM, "no memory for a websocket");
    ws->connect_us = settings->net.connect_us;
    ws->due_us = UINT64_MAX;
    r = websocket_frames_open(&ws->frames, settings->max_message_bytes, read_for_frames, ws, err);
    return r < 0 ? r : net_connection_open(&ws->connection, pool, &settings->net, err);
}

int websocket_open(struct websocket **ret, struct net_pool *pool, const struct websocket_settings *settings,
                   struct err *err)
{
    struct websocket *ws = calloc(1, sizeof(*ws));
    if (!ws)
        return err_set(err, -ENOMEM, "no memory for a websocket");
    ws->host = ws->path = ws->head.line = (struct text) TEXT_INIT;
    int r = open_parts(ws, pool, settings, err);
    if (r < 0) {
        websocket_close(ws);
        return r;
    }
    *ret = ws;
    return 0;
}

void websocket_set_max_message(struct websocket *ws, size_t max_message_bytes)
{
    size_t came = ws->frames.message.size;
    ws->frames.max_message_bytes = max_message_bytes > came ? max_message_bytes : came;
}

struct websocket *websocket_close(struct websocket *ws)
{
    if (!ws)
        return NULL;
    net_connection_close(ws->connection);
    websocket_frames_close(&ws->frames);
    text_free(&ws->head.line);
    text_free(&ws->host);
    text_free(&ws->path);
    free(ws->user_agent);
    free(ws);
    return NULL;
}
