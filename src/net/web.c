/* web.c - a request goes out, an answer comes in. What an answer means is not said here. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "web_private.h"

#define POLL_MAX_US (10 * USEC_PER_SEC)
/* What nobody wants of an answer is waited for and read up to here, which keeps the connection. */
#define REST_MAX_US (500 * USEC_PER_MSEC)
#define REST_MAX_BYTES ((size_t) 256 << 10)

static void cleanup_slist(struct curl_slist **list)
{
    web_libcurl.curl_slist_free_all(*list);
}

/* ---- what libcurl calls ---- */

static long status_of(const struct web *web)
{
    long status = 0;
    web_libcurl.curl_easy_getinfo(web->target.easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool is_final(const struct web *web)
{
    return status_of(web) >= 200;
}

/* Of an answer that nobody asked to go on, as of an error's page, only the beginning is wanted. */
static bool is_streaming(const struct web *web)
{
    return web->stream && web->head_us && status_of(web) / 100 == 2;
}

static size_t on_header(char *line, size_t one, size_t size, void *userdata)
{
    struct web *web = userdata;
    (void) one;
    /* What came before another status line was of an interim answer. */
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        memset(web->answer.headers, 0, sizeof(web->answer.headers));
        web->has_status = true;
    } else if (size <= 2 && (*line == '\r' || *line == '\n')) {
        if (is_final(web))
            web->head_us = web->heard_us = uptime_us();
    } else {
        web_answer_keep(&web->answer, line, size);
    }
    return size;
}

static size_t keep_body(struct web *web, const char *s, size_t size)
{
    size_t room = web->request->max_answer_bytes - web->answer.body.size;
    if (room)
        text_add_bytes(&web->answer.body, s, size < room ? size : room);
    return size;
}

/* Another number than size ends the transfer. */
static size_t hand_on(struct web *web, const char *s, size_t size)
{
    const struct web_stream *stream = web->stream;
    if (stream->max_bytes && web->received_bytes > stream->max_bytes)
        web->stream_result = web_explain_stream(web, -EFBIG, web->err);
    else
        web->stream_result = stream->take(stream->context, (struct span){ s, size }, web->err);
    return web->stream_result < 0 ? CURL_WRITEFUNC_ERROR : size;
}

static size_t on_body(char *s, size_t one, size_t size, void *userdata)
{
    struct web *web = userdata;
    (void) one;
    web->received_bytes += size;
    web->heard_us = uptime_us();
    return is_streaming(web) ? hand_on(web, s, size) : keep_body(web, s, size);
}

/* ---- a request ---- */

static bool is_cancelled(const struct web *web)
{
    struct pollfd cancel = { .fd = web->cancel_fd, .events = POLLIN };
    return poll(&cancel, 1, 0) > 0;
}

bool web_is_sent(const struct web *web)
{
    curl_off_t sent_bytes = 0;
    long head_bytes = 0; /* of a request without a body that is all */
    web_libcurl.curl_easy_getinfo(web->target.easy, CURLINFO_SIZE_UPLOAD_T, &sent_bytes);
    web_libcurl.curl_easy_getinfo(web->target.easy, CURLINFO_REQUEST_SIZE, &head_bytes);
    return (size_t) sent_bytes >= web->request->body.size && (sent_bytes > 0 || head_bytes > 0);
}

/* What is wanted has come; what else may come is not waited for any longer. */
static bool is_enough(const struct web *web, usec_t now)
{
    const struct web_request *request = web->request;
    if (request->wait == WEB_WAIT_SENT && !web->stream)
        return web_is_sent(web);
    if (!web->head_us || is_streaming(web))
        return false;
    if (request->wait == WEB_WAIT_BODY || web->stream)
        return web->answer.body.size >= request->max_answer_bytes;
    return now >= web->head_us + REST_MAX_US || web->received_bytes > REST_MAX_BYTES;
}

/* libcurl keeps the limits of an answer that ends; of one that goes on it knows none. 0: there is no limit. */
static usec_t deadline_us(const struct web *web)
{
    if (!web->stream)
        return 0;
    if (!is_streaming(web))
        return web->begun_us + web->timeout_us;
    return web->stream->silence_us ? web->heard_us + web->stream->silence_us : 0;
}

static bool is_late(const struct web *web, usec_t now)
{
    usec_t deadline = deadline_us(web);
    return deadline && now >= deadline;
}

static int poll_ms(const struct web *web, usec_t now)
{
    usec_t wait = POLL_MAX_US, deadline = deadline_us(web);
    if (web->head_us && web->request->wait == WEB_WAIT_HEAD && !web->stream)
        wait = web->head_us + REST_MAX_US - now;
    if (deadline && deadline - now < wait)
        wait = deadline - now;
    return (int) ((wait + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

/* Waits until the transfer has ended, or enough has come of it (*ret_whole false). */
static int wait_transfer(struct web *web, CURLcode *ret_code, bool *ret_whole)
{
    struct curl_waitfd cancel = { .fd = web->cancel_fd, .events = CURL_WAIT_POLLIN };
    int running = 1, left;

    for (;;) {
        if (web_libcurl.curl_multi_perform(web->multi, &running) != CURLM_OK)
            return -ENOMEM;
        usec_t now = uptime_us();
        if (!running || is_enough(web, now))
            break;
        if (is_late(web, now)) {
            *ret_code = CURLE_OPERATION_TIMEDOUT;
            return 0;
        }
        if (web_libcurl.curl_multi_poll(web->multi, &cancel, web->cancel_fd >= 0, poll_ms(web, now), NULL) != CURLM_OK)
            return -ENOMEM;
        if (cancel.revents)
            return -ECANCELED;
    }
    const CURLMsg *message = running ? NULL : web_libcurl.curl_multi_info_read(web->multi, &left);
    *ret_code = running ? CURLE_OK : message ? message->data.result : CURLE_OUT_OF_MEMORY;
    *ret_whole = !running && *ret_code == CURLE_OK;
    return 0;
}

static int transfer(struct web *web, struct err *err)
{
    CURLcode code = CURLE_OK;
    int r;
    if (is_cancelled(web))
        return err_set(err, -ECANCELED, "cancelled");
    do {
        if (web_libcurl.curl_multi_add_handle(web->multi, web->target.easy) != CURLM_OK)
            return err_set(err, -ENOMEM, "no memory for a request");
        r = wait_transfer(web, &code, &web->answer.whole);
        web_libcurl.curl_multi_remove_handle(web->multi, web->target.easy);
    } while (r >= 0 && net_target_try_all(&web->target, code));
    if (r < 0)
        return err_set(err, r, r == -ECANCELED ? "cancelled" : "no memory for a request");
    if (web->stream_result < 0)
        return web->stream_result;
    if (code == CURLE_OPERATION_TIMEDOUT && is_streaming(web))
        return web_explain_stream(web, -ETIME, err);
    web->answer.late = code == CURLE_OPERATION_TIMEDOUT;
    if (web->head_us || (web->request->wait == WEB_WAIT_SENT && web_is_sent(web)))
        return 0;
    return web_explain(web, code, err);
}

static bool has_control_character(const char *s)
{
    for (; *s; s++)
        if ((unsigned char) *s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

static int add_headers(struct curl_slist *list, char *const *headers, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (has_control_character(headers[i]))
            return err_set(err, -EINVAL, "a header with a control character");
        if (!web_libcurl.curl_slist_append(list, headers[i]))
            return err_set(err, -ENOMEM, "no memory for headers");
    }
    return 0;
}

static int make_headers(const struct web_request *request, struct curl_slist **ret, struct err *err)
{
    struct curl_slist *list = web_libcurl.curl_slist_append(NULL, "Expect:"); /* no round trip to ask first */
    if (!list)
        return err_set(err, -ENOMEM, "no memory for headers");
    int r = request->headers ? add_headers(list, request->headers->v, request->headers->n, err) : 0;
    if (r >= 0)
        r = add_headers(list, request->more_headers, request->n_more_headers, err);
    if (r < 0) {
        web_libcurl.curl_slist_free_all(list);
        return r;
    }
    *ret = list;
    return 0;
}

static void set_method(struct web *web, bool post)
{
    const struct span *body = &web->request->body;
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_HTTPGET, 1L); /* forgets the body of the request before */
    if (!post)
        return;
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_POST, 1L);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) body->size);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_POSTFIELDS,
                                 body->size ? body->s : ""); /* NULL: from a callback */
}

static void begin(struct web *web, const struct web_request *request, const struct web_stream *stream, struct err *err)
{
    web->request = request;
    web->stream = stream;
    web->err = err;
    web->stream_result = 0;
    web->answer = (struct web_answer){ .body = TEXT_INIT, .redirect = TEXT_INIT };
    web->received_bytes = 0;
    web->has_status = false;
    web->begun_us = uptime_us();
    web->head_us = web->heard_us = 0;
    net_target_begin(&web->target, request->url);
}

static int prepare(struct web *web, bool post, struct curl_slist *headers)
{
    /* Not on a connection that its other end may have closed: nobody would see that nothing arrived. */
    long alone = web->request->wait == WEB_WAIT_SENT || web->stream;
    long timeout_ms = web->stream ? 0 : (long) (web->timeout_us / USEC_PER_MSEC);
    CURLcode code = web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_URL, web->request->url);
    set_method(web, post);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_HTTPHEADER, headers);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_FRESH_CONNECT, alone);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_FORBID_REUSE, alone);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_HEADERFUNCTION, on_header);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_HEADERDATA, web);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_WRITEFUNCTION, on_body);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_WRITEDATA, web);
    return code == CURLE_OK ? 0 : -ENOMEM;
}

static void finish_answer(struct web *web)
{
    const char *retry_after = web_header(&web->answer, "Retry-After");
    char *redirect = NULL;
    if (retry_after)
        web->answer.retry_after_us = web_read_retry_after(retry_after, now_us());
    web->answer.status = status_of(web);
    web_libcurl.curl_easy_getinfo(web->target.easy, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect)
        text_add(&web->answer.redirect, redirect);
}

static int ask(struct web *web, bool post, const struct web_request *request, const struct web_stream *stream,
               struct web_answer *ret, struct err *err)
{
    struct curl_slist *headers CLEANUP(cleanup_slist) = NULL;
    int r = web_check_url(request->url, err);
    if (r >= 0)
        r = make_headers(request, &headers, err);
    if (r < 0)
        return r;
    begin(web, request, stream, err);
    r = prepare(web, post, headers) < 0 ? err_set(err, -ENOMEM, "no memory for a request") : transfer(web, err);
    web_libcurl.curl_easy_setopt(web->target.easy, CURLOPT_HTTPHEADER, NULL);
    web->request = NULL; /* the caller's, as are the others */
    web->target.url = NULL;
    web->stream = NULL;
    web->err = NULL;
    if (r >= 0)
        finish_answer(web);
    if (r >= 0 && (web->answer.body.failed || web->answer.redirect.failed))
        r = err_set(err, -ENOMEM, "no memory for an answer");
    if (r < 0) {
        web_answer_free(&web->answer);
        return r;
    }
    *ret = web->answer;
    return 0;
}

int web_post(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err)
{
    return ask(web, true, request, NULL, ret, err);
}

int web_get(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err)
{
    return ask(web, false, request, NULL, ret, err);
}

int web_stream(struct web *web, const struct web_request *request, const struct web_stream *stream,
               struct web_answer *ret, struct err *err)
{
    return ask(web, request->body.size > 0, request, stream, ret, err);
}
