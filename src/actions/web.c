/* web.c - a body goes out, an answer comes in: the one file of the daemon that uses libcurl. What an answer means is
 * not said here. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "web.h"
#include "web_library.h"

#define CONNECT_MAX_US (5 * USEC_PER_SEC)
#define POLL_MAX_MS 10000
/* An answer longer than it may be is read on to here, which keeps the connection, and then cut. */
#define DRAIN_MAX_BYTES ((size_t) 256 << 10)

struct web {
    CURLM *multi;
    CURL *easy;
    usec_t timeout_us, connect_us;
    int cancel_fd;
    char words[CURL_ERROR_SIZE]; /* libcurl's own on the last failure */

    /* Of the post under way. */
    struct web_answer answer;
    size_t max_answer_bytes, received_bytes;
    bool cut;
};

static void cleanup_slist(struct curl_slist **list)
{
    libcurl.curl_slist_free_all(*list);
}

static void cleanup_url(CURLU **url)
{
    libcurl.curl_url_cleanup(*url);
}

static void cleanup_curl_text(char **text)
{
    libcurl.curl_free(*text);
}

/* ---- what libcurl calls ---- */

static size_t on_header(char *line, size_t one, size_t size, void *userdata)
{
    struct web *web = userdata;
    (void) one;
    /* What came before another status line was of an interim answer. */
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0)
        memset(web->answer.headers, 0, sizeof(web->answer.headers));
    else
        web_answer_keep(&web->answer, line, size);
    return size;
}

static size_t on_body(char *s, size_t one, size_t size, void *userdata)
{
    struct web *web = userdata;
    size_t room = web->max_answer_bytes - web->answer.body.size;
    (void) one;
    if (room)
        text_add_bytes(&web->answer.body, s, size < room ? size : room);
    web->received_bytes += size;
    web->cut = web->received_bytes > DRAIN_MAX_BYTES && web->received_bytes > web->max_answer_bytes;
    return web->cut ? 0 : size;
}

/* ---- failures ---- */

static int check_parts(const char *url, struct err *err)
{
    CURLU *parts CLEANUP(cleanup_url) = libcurl.curl_url();
    char *scheme CLEANUP(cleanup_curl_text) = NULL, *host CLEANUP(cleanup_curl_text) = NULL;
    if (!parts)
        return err_set(err, -ENOMEM, "no memory for a URL");
    if (libcurl.curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        libcurl.curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
        libcurl.curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host)
        return 0;
    return err_set(err, -EINVAL, "expected an http or https URL with a host");
}

int web_check_url(const char *url, struct err *err)
{
    int r = web_library_load(err);
    return r < 0 ? r : check_parts(url, err);
}

/* "example.org", and ":443" where with_port. */
static void add_host(struct text *out, const char *url, bool with_port)
{
    CURLU *parts CLEANUP(cleanup_url) = libcurl.curl_url();
    char *host CLEANUP(cleanup_curl_text) = NULL, *port CLEANUP(cleanup_curl_text) = NULL;
    if (!parts || libcurl.curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        libcurl.curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        text_add(out, "the host");
        return;
    }
    text_add_safe(out, host, strlen(host), 100);
    if (with_port && libcurl.curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        text_addf(out, ":%s", port);
}

/* "20s", "1500ms" */
static void add_duration(struct text *out, usec_t us)
{
    bool whole = us % USEC_PER_SEC == 0;
    text_addf(out, "%llu%s", (unsigned long long) (us / (whole ? USEC_PER_SEC : USEC_PER_MSEC)), whole ? "s" : "ms");
}

static int explain_timeout(struct web *web, const char *url, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT, time CLEANUP(text_free) = TEXT_INIT;
    curl_off_t found_us = 0, connected_us = 0;
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_NAMELOOKUP_TIME_T, &found_us);
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    add_duration(&time, connected_us ? web->timeout_us : web->connect_us);
    if (connected_us)
        return err_set(err, -ETIMEDOUT, "no answer within %s", time.s);
    add_host(&host, url, found_us != 0);
    if (found_us)
        return err_set(err, -ETIMEDOUT, "cannot connect to %s: no answer within %s", host.s, time.s);
    return err_set(err, -ETIMEDOUT, "the name %s cannot be resolved: no answer within %s", host.s, time.s);
}

static int explain_connect(struct web *web, const char *url, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT;
    long system = 0;
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_OS_ERRNO, &system);
    add_host(&host, url, true);
    const char *words = system > 0 ? strerrordesc_np((int) system) : NULL;
    if (!words)
        return err_set(err, -ECONNREFUSED, "cannot connect to %s", host.s);
    return err_set(err, -ECONNREFUSED, "cannot connect to %s: %c%s", host.s, tolower((unsigned char) *words),
                   words + 1);
}

/* libcurl's words have in them what the other side's certificate says. */
static int explain_tls(struct web *web, CURLcode code, struct err *err)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    const char *words = web->words[0] ? web->words : libcurl.curl_easy_strerror(code);
    const char *openssl = strstr(words, "error:"); /* error:0A00010B:SSL routines::wrong version number */
    if (openssl)
        words = strrchr(openssl, ':') + 1;
    else if (strncmp(words, "SSL: ", 5) == 0 || strncmp(words, "SSL certificate", 15) == 0)
        words = strchr(words, ' ') + 1;
    text_add_safe(&safe, words, strlen(words), 200);
    return err_set(err, -EPROTO, "TLS: %s", safe.s);
}

static int explain_lost(struct web *web, CURLcode code, const char *url, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT;
    long status = 0;
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_RESPONSE_CODE, &status);
    add_host(&host, url, true);
    const char *when = status                     ? "in the middle of the answer"
                       : code == CURLE_SEND_ERROR ? "in the middle of the request"
                                                  : "without an answer";
    return err_set(err, -ECONNRESET, "%s closed the connection %s", host.s, when);
}

static int explain(struct web *web, CURLcode code, const char *url, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT;
    switch ((int) code) {
    case CURLE_OUT_OF_MEMORY:
        return err_set(err, -ENOMEM, "no memory for a request");
    case CURLE_URL_MALFORMAT:
        return err_set(err, -EINVAL, "expected an http or https URL with a host");
    case CURLE_COULDNT_RESOLVE_HOST:
        add_host(&host, url, false);
        return err_set(err, -EHOSTUNREACH, "the name %s cannot be resolved", host.s);
    case CURLE_COULDNT_CONNECT:
        return explain_connect(web, url, err);
    case CURLE_OPERATION_TIMEDOUT:
        return explain_timeout(web, url, err);
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return explain_lost(web, code, url, err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return explain_tls(web, code, err);
    case CURLE_UNSUPPORTED_PROTOCOL: /* an answer without a status line: HTTP/0.9 */
    case CURLE_WEIRD_SERVER_REPLY:
        add_host(&host, url, true);
        return err_set(err, -EBADMSG, "%s does not answer in HTTP", host.s);
    default:
        return err_set(err, -EIO, "%s", libcurl.curl_easy_strerror(code));
    }
}

/* ---- a post ---- */

static bool is_cancelled(const struct web *web)
{
    struct pollfd cancel = { .fd = web->cancel_fd, .events = POLLIN };
    return poll(&cancel, 1, 0) > 0;
}

/* Waits until the transfer has ended. */
static int wait_transfer(struct web *web, CURLcode *ret_code)
{
    struct curl_waitfd cancel = { .fd = web->cancel_fd, .events = CURL_WAIT_POLLIN };
    int running = 1, left;

    while (running) {
        if (libcurl.curl_multi_perform(web->multi, &running) != CURLM_OK)
            return -ENOMEM;
        if (!running)
            break;
        if (libcurl.curl_multi_poll(web->multi, &cancel, web->cancel_fd >= 0, POLL_MAX_MS, NULL) != CURLM_OK)
            return -ENOMEM;
        if (cancel.revents)
            return -ECANCELED;
    }
    const CURLMsg *message = libcurl.curl_multi_info_read(web->multi, &left);
    *ret_code = message ? message->data.result : CURLE_OUT_OF_MEMORY;
    return 0;
}

static int transfer(struct web *web, const char *url, struct err *err)
{
    CURLcode code = CURLE_OK;
    if (is_cancelled(web))
        return err_set(err, -ECANCELED, "cancelled");
    if (libcurl.curl_multi_add_handle(web->multi, web->easy) != CURLM_OK)
        return err_set(err, -ENOMEM, "no memory for a request");

    int r = wait_transfer(web, &code);
    libcurl.curl_multi_remove_handle(web->multi, web->easy);
    if (r < 0)
        return err_set(err, r, r == -ECANCELED ? "cancelled" : "no memory for a request");
    if (code == CURLE_WRITE_ERROR && web->cut)
        return 0;
    return code == CURLE_OK ? 0 : explain(web, code, url, err);
}

static bool has_control_character(const char *s)
{
    for (; *s; s++)
        if ((unsigned char) *s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

static int make_headers(const struct words *headers, struct curl_slist **ret, struct err *err)
{
    struct curl_slist *list = libcurl.curl_slist_append(NULL, "Expect:"); /* no round trip to ask first */
    bool complete = list;

    for (size_t i = 0; headers && i < headers->n && complete; i++) {
        if (has_control_character(headers->v[i])) {
            libcurl.curl_slist_free_all(list);
            return err_set(err, -EINVAL, "a header with a control character");
        }
        complete = libcurl.curl_slist_append(list, headers->v[i]);
    }
    if (!complete) {
        libcurl.curl_slist_free_all(list);
        return err_set(err, -ENOMEM, "no memory for headers");
    }
    *ret = list;
    return 0;
}

static int prepare_post(struct web *web, const struct web_request *request, struct curl_slist *headers)
{
    const char *body = request->body.size ? request->body.s : ""; /* NULL would mean a callback */
    web->answer = (struct web_answer){ .body = TEXT_INIT };
    web->max_answer_bytes = request->max_answer_bytes;
    web->received_bytes = 0;
    web->cut = false;
    web->words[0] = '\0';
    CURLcode code = libcurl.curl_easy_setopt(web->easy, CURLOPT_URL, request->url);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_HTTPHEADER, headers);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.size);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_POSTFIELDS, body);
    return code == CURLE_OK ? 0 : -ENOMEM;
}

int web_post(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err)
{
    struct curl_slist *headers CLEANUP(cleanup_slist) = NULL;
    int r = web_check_url(request->url, err);
    if (r >= 0)
        r = make_headers(request->headers, &headers, err);
    if (r < 0)
        return r;
    if (prepare_post(web, request, headers) < 0)
        return err_set(err, -ENOMEM, "no memory for a request");

    r = transfer(web, request->url, err);
    libcurl.curl_easy_setopt(web->easy, CURLOPT_HTTPHEADER, NULL);
    if (r >= 0 && web->answer.body.failed)
        r = err_set(err, -ENOMEM, "no memory for an answer");
    if (r < 0) {
        web_answer_free(&web->answer);
        return r;
    }
    const char *retry_after = web_header(&web->answer, "Retry-After");
    if (retry_after)
        web->answer.retry_after_us = web_read_retry_after(retry_after, now_us());
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_RESPONSE_CODE, &web->answer.status);
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
    if (!web || !(web->multi = libcurl.curl_multi_init()) || !(web->easy = libcurl.curl_easy_init())) {
        web_close(web);
        return err_set(err, -ENOMEM, "no memory for a connection");
    }
    web->timeout_us = context->config->timeout_us;
    web->connect_us = web->timeout_us < CONNECT_MAX_US ? web->timeout_us : CONNECT_MAX_US;
    web->cancel_fd = context->cancel_fd;
    set_options(web);
    *ret = web;
    return 0;
}

struct web *web_close(struct web *web)
{
    if (!web)
        return NULL;
    libcurl.curl_easy_cleanup(web->easy);
    libcurl.curl_multi_cleanup(web->multi);
    free(web);
    return NULL;
}
