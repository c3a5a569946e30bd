/* web.c - a body goes out, an answer comes in; with web_failures.c the one place of the daemon that uses libcurl. What
 * an answer means is not said here. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web_private.h"

#define CONNECT_MAX_US (5 * USEC_PER_SEC)
#define POLL_MAX_US (10 * USEC_PER_SEC)
/* What nobody wants of an answer is waited for and read up to here, which keeps the connection. */
#define REST_MAX_US (500 * USEC_PER_MSEC)
#define REST_MAX_BYTES ((size_t) 256 << 10)

static void cleanup_slist(struct curl_slist **list)
{
    libcurl.curl_slist_free_all(*list);
}

void web_cleanup_url(CURLU **url)
{
    libcurl.curl_url_cleanup(*url);
}

void web_cleanup_text(char **text)
{
    libcurl.curl_free(*text);
}

/* ---- what libcurl calls ---- */

static bool is_final(const struct web *web)
{
    long status = 0;
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200;
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
            web->head_us = uptime_us();
    } else {
        web_answer_keep(&web->answer, line, size);
    }
    return size;
}

static size_t on_body(char *s, size_t one, size_t size, void *userdata)
{
    struct web *web = userdata;
    size_t room = web->request->max_answer_bytes - web->answer.body.size;
    (void) one;
    if (room)
        text_add_bytes(&web->answer.body, s, size < room ? size : room);
    web->received_bytes += size;
    return size;
}

/* ---- URLs ---- */

static int check_parts(const char *url, struct err *err)
{
    CURLU *parts CLEANUP(web_cleanup_url) = libcurl.curl_url();
    char *scheme CLEANUP(web_cleanup_text) = NULL, *host CLEANUP(web_cleanup_text) = NULL;
    if (!parts)
        return err_set(err, -ENOMEM, "no memory for a URL");
    if (libcurl.curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        libcurl.curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
        libcurl.curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host)
        return 0;
    return err_set(err, -EINVAL, "expected an http or https URL with a host");
}

int web_check_ca_file(const char *path, struct err *err)
{
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    char line[128];
    if (!file)
        return err_set(err, -errno, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof(line), file))
        if (strstr(line, "-----BEGIN CERTIFICATE-----") || strstr(line, "-----BEGIN TRUSTED CERTIFICATE-----"))
            return 0;
    return err_set(err, -EINVAL, "%s has no certificate in it: expected -----BEGIN CERTIFICATE-----", path);
}

int web_check_url(const char *url, struct err *err)
{
    int r = web_library_load(err);
    return r < 0 ? r : check_parts(url, err);
}

/* ---- a post ---- */

static bool is_cancelled(const struct web *web)
{
    struct pollfd cancel = { .fd = web->cancel_fd, .events = POLLIN };
    return poll(&cancel, 1, 0) > 0;
}

bool web_is_sent(const struct web *web)
{
    curl_off_t sent_bytes = 0;
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_SIZE_UPLOAD_T, &sent_bytes);
    return (size_t) sent_bytes >= web->request->body.size && sent_bytes > 0;
}

/* What is wanted has come; what else may come is not waited for any longer. */
static bool is_enough(const struct web *web, usec_t now)
{
    const struct web_request *request = web->request;
    if (request->wait == WEB_WAIT_SENT)
        return web_is_sent(web);
    if (!web->head_us)
        return false;
    if (request->wait == WEB_WAIT_BODY)
        return web->answer.body.size >= request->max_answer_bytes;
    return now >= web->head_us + REST_MAX_US || web->received_bytes > REST_MAX_BYTES;
}

static int poll_ms(const struct web *web, usec_t now)
{
    usec_t wait = POLL_MAX_US;
    if (web->head_us && web->request->wait == WEB_WAIT_HEAD)
        wait = web->head_us + REST_MAX_US - now;
    return (int) ((wait + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

/* Waits until the transfer has ended, or enough has come of it (*ret_whole false). */
static int wait_transfer(struct web *web, CURLcode *ret_code, bool *ret_whole)
{
    struct curl_waitfd cancel = { .fd = web->cancel_fd, .events = CURL_WAIT_POLLIN };
    int running = 1, left;

    for (;;) {
        if (libcurl.curl_multi_perform(web->multi, &running) != CURLM_OK)
            return -ENOMEM;
        usec_t now = uptime_us();
        if (!running || is_enough(web, now))
            break;
        if (libcurl.curl_multi_poll(web->multi, &cancel, web->cancel_fd >= 0, poll_ms(web, now), NULL) != CURLM_OK)
            return -ENOMEM;
        if (cancel.revents)
            return -ECANCELED;
    }
    const CURLMsg *message = running ? NULL : libcurl.curl_multi_info_read(web->multi, &left);
    *ret_code = running ? CURLE_OK : message ? message->data.result : CURLE_OUT_OF_MEMORY;
    *ret_whole = !running && *ret_code == CURLE_OK;
    return 0;
}

static int transfer(struct web *web, struct err *err)
{
    CURLcode code = CURLE_OK;
    if (is_cancelled(web))
        return err_set(err, -ECANCELED, "cancelled");
    if (libcurl.curl_multi_add_handle(web->multi, web->easy) != CURLM_OK)
        return err_set(err, -ENOMEM, "no memory for a request");

    int r = wait_transfer(web, &code, &web->answer.whole);
    libcurl.curl_multi_remove_handle(web->multi, web->easy);
    if (r < 0)
        return err_set(err, r, r == -ECANCELED ? "cancelled" : "no memory for a request");
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
        if (!libcurl.curl_slist_append(list, headers[i]))
            return err_set(err, -ENOMEM, "no memory for headers");
    }
    return 0;
}

static int make_headers(const struct web_request *request, struct curl_slist **ret, struct err *err)
{
    struct curl_slist *list = libcurl.curl_slist_append(NULL, "Expect:"); /* no round trip to ask first */
    if (!list)
        return err_set(err, -ENOMEM, "no memory for headers");
    int r = request->headers ? add_headers(list, request->headers->v, request->headers->n, err) : 0;
    if (r >= 0)
        r = add_headers(list, request->more_headers, request->n_more_headers, err);
    if (r < 0) {
        libcurl.curl_slist_free_all(list);
        return r;
    }
    *ret = list;
    return 0;
}

static int prepare_post(struct web *web, const struct web_request *request, struct curl_slist *headers)
{
    const char *body = request->body.size ? request->body.s : ""; /* NULL would mean a callback */
    /* Not on a connection that its other end may have closed: nobody would see that nothing arrived. */
    long alone = request->wait == WEB_WAIT_SENT;
    web->request = request;
    web->answer = (struct web_answer){ .body = TEXT_INIT, .redirect = TEXT_INIT };
    web->received_bytes = 0;
    web->has_status = false;
    web->head_us = 0;
    web->words[0] = '\0';
    CURLcode code = libcurl.curl_easy_setopt(web->easy, CURLOPT_URL, request->url);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_HTTPHEADER, headers);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.size);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_POSTFIELDS, body);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_FRESH_CONNECT, alone);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_FORBID_REUSE, alone);
    return code == CURLE_OK ? 0 : -ENOMEM;
}

static void finish_answer(struct web *web)
{
    const char *retry_after = web_header(&web->answer, "Retry-After");
    char *redirect = NULL;
    if (retry_after)
        web->answer.retry_after_us = web_read_retry_after(retry_after, now_us());
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_RESPONSE_CODE, &web->answer.status);
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect)
        text_add(&web->answer.redirect, redirect);
}

int web_post(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err)
{
    struct curl_slist *headers CLEANUP(cleanup_slist) = NULL;
    int r = web_check_url(request->url, err);
    if (r >= 0)
        r = make_headers(request, &headers, err);
    if (r < 0)
        return r;
    if (prepare_post(web, request, headers) < 0)
        return err_set(err, -ENOMEM, "no memory for a request");

    r = transfer(web, err);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_HTTPHEADER, NULL);
    web->request = NULL; /* the caller's */
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

/* ---- open, close ---- */

/* libcurl's own sockets would be inherited by programs that are started meanwhile. */
static curl_socket_t open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void) userdata;
    (void) purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* One that was told to wait for no answer stays open until some more have been posted. */
static int close_socket(void *userdata, curl_socket_t fd)
{
    struct web *web = userdata;
    if (web->request && web->request->wait == WEB_WAIT_SENT) {
        int *left = &web->left_fds[web->next_left++ % WEB_LEFT_MAX];
        int oldest = *left;
        *left = fd;
        fd = oldest;
    }
    cleanup_close(&fd);
    return 0;
}

static void set_options(struct web *web)
{
    CURL *easy = web->easy;
    libcurl.curl_easy_setopt(easy, CURLOPT_POST, 1L);
    libcurl.curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    libcurl.curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    libcurl.curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even one of the environment */
    libcurl.curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    libcurl.curl_easy_setopt(easy, CURLOPT_USERAGENT, PROGRAM_NAME "/" PROGRAM_VERSION);
    libcurl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    libcurl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    libcurl.curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    libcurl.curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    libcurl.curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) (web->timeout_us / USEC_PER_MSEC));
    libcurl.curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) (web->connect_us / USEC_PER_MSEC));
    /* A name server that says nothing must not hold up a timeout or a cancel: the thread that asks it is left to
     * end by itself. */
    libcurl.curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    libcurl.curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    libcurl.curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    libcurl.curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, web);
    libcurl.curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, web->words);
    libcurl.curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    libcurl.curl_easy_setopt(easy, CURLOPT_HEADERDATA, web);
    libcurl.curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    libcurl.curl_easy_setopt(easy, CURLOPT_WRITEDATA, web);
}

int web_open(struct web **ret, const struct action_context *context, struct err *err)
{
    int r = web_library_load(err);
    if (r < 0)
        return r;
    struct web *web = calloc(1, sizeof(*web));
    for (size_t i = 0; web && i < WEB_LEFT_MAX; i++)
        web->left_fds[i] = -1;
    if (!web || !(web->multi = libcurl.curl_multi_init()) || !(web->easy = libcurl.curl_easy_init())) {
        web_close(web);
        return err_set(err, -ENOMEM, "no memory for a connection");
    }
    web->timeout_us = context->config->timeout_us;
    web->connect_us = web->timeout_us < CONNECT_MAX_US ? web->timeout_us : CONNECT_MAX_US;
    web->cancel_fd = context->cancel_fd;
    set_options(web);
    if (context->config->ca_file) {
        libcurl.curl_easy_setopt(web->easy, CURLOPT_CAPATH, NULL);
        libcurl.curl_easy_setopt(web->easy, CURLOPT_CAINFO, context->config->ca_file);
    }
    *ret = web;
    return 0;
}

struct web *web_close(struct web *web)
{
    if (!web)
        return NULL;
    libcurl.curl_easy_cleanup(web->easy);
    libcurl.curl_multi_cleanup(web->multi);
    for (size_t i = 0; i < WEB_LEFT_MAX; i++)
        cleanup_close(&web->left_fds[i]);
    free(web);
    return NULL;
}
