/* net.h - what this program asks of others: HTTP over a connection that is kept.
 *
 * Shape:   a web is one connection at a time; a request is sent once and its answer taken. Redirects are not followed,
 *          proxies used only where they are asked for, certificates checked. Only http and https.
 * Memory:  libcurl is loaded when the first web is opened or the first URL checked, and stays.
 * Owner:   settings and requests are borrowed for the call; the answer is the caller's (web_answer_free).
 * Threads: a web belongs to one thread; the rest may be called from any.
 * Errors:  negative errno and a sentence, which names of a URL its host and port alone: a path may be a secret.
 * Source:  the manuals of libcurl's functions and options; RFC 9110 for Retry-After.
 */
#pragma once

#include <sonoran-pushd/text.h>
#include <sonoran-pushd/words.h>

struct web;

struct web_settings {
    usec_t timeout_us;      /* for a request and its answer, the connection included */
    int cancel_fd;          /* becomes readable, and stays so, when a request under way has to end; -1: none does */
    const char *ca_file;    /* certificates that alone vouch for who answers; NULL: those of the system */
    const char *unix_path;  /* the socket that is asked, whatever host a URL names; NULL: the host */
    const char *user_agent; /* NULL: the daemon's */
    bool use_proxy;         /* the one of the environment (https_proxy, no_proxy), as libcurl reads it */
};

enum web_wait {
    WEB_WAIT_HEAD, /* for the answer's head; what follows is taken for a moment, and then the connection is closed */
    WEB_WAIT_BODY, /* for max_answer_bytes of the body too, or its end */
    WEB_WAIT_SENT, /* (of a POST) until the request has been sent; status is 0 where no answer has come by then */
};

struct web_request {
    const char *url;
    const struct words *headers; /* "Name: value"; NULL: none */
    char *const *more_headers;   /* likewise */
    size_t n_more_headers;
    struct span body;
    size_t max_answer_bytes; /* of the body that are kept; the rest is no mistake */
    enum web_wait wait;
};

/* Headers that an answer keeps; web_header finds them by these names, in any case. A new one is a word here. */
#define WEB_HEADERS                                                                                                    \
    "Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset-After", "X-RateLimit-Bucket", "X-RateLimit-Global",     \
        "X-RateLimit-Scope", "Server"
#define WEB_N_HEADERS 7
#define WEB_HEADER_MAX_BYTES 63 /* a longer value counts as none */

struct web_answer {
    long status; /* 200 */
    struct text body;
    bool whole;            /* it ended as it should have */
    bool late;             /* it did not, since the time was over */
    struct text redirect;  /* where it points to, with the host; "": nowhere */
    usec_t retry_after_us; /* of Retry-After, in each of its forms, from now on; 0: none */
    char headers[WEB_N_HEADERS][WEB_HEADER_MAX_BYTES + 1];
};

/* -EINVAL: no URL that can be posted to. */
int web_check_url(const char *url, struct err *err) MUST_CHECK;

/* Certificates in PEM, to vouch for who answers. */
int web_check_ca_file(const char *path, struct err *err) MUST_CHECK;

/* -ENAMETOOLONG: unix_path. */
int web_open(struct web **ret, const struct web_settings *settings, struct err *err) MUST_CHECK;
struct web *web_close(struct web *web);

/* 0: there is an answer, of whatever status, or as much as was waited for. Else nothing is known of what became of the
 * request: -ECANCELED the settings' cancel_fd is readable, -EINVAL a header or the URL cannot be sent (nothing was),
 * -ENOMEM, and for what a network does: -EHOSTUNREACH no such name, -ECONNREFUSED no connection (of a unix_path: what
 * connect(2) says), -ETIMEDOUT, -ETIME the request was sent and no answer came in time, -ECONNRESET, -EPROTO TLS,
 * -EBADMSG no HTTP that we take, -EIO. */
int web_post(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err) MUST_CHECK;
int web_get(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err) MUST_CHECK;

/* ---- an answer that goes on ---- */

struct web_stream {
    /* Takes a piece of the body of a 2xx, in the thread of web_stream. Below 0, with a sentence: no more of it. */
    int (*take)(void *context, struct span piece, struct err *err);
    void *context;
    usec_t silence_us; /* the longest time without a byte, once there is a head; 0: any */
    size_t max_bytes;  /* of the body; 0: any number */
};

/* A GET, or a POST where the request has a body, whose answer is taken piece by piece until it ends or the connection
 * does (answer.whole tells which). timeout_us of the web is for the head alone; request->wait does not matter. The body
 * of another answer than 2xx is kept as web_get keeps it, and take is not called.
 * Errors: those of web_post; what take returned; -ETIME it was silent for too long; -EFBIG more than max_bytes. */
int web_stream(struct web *web, const struct web_request *request, const struct web_stream *stream,
               struct web_answer *ret, struct err *err) MUST_CHECK;

/* ---- web_answer.c ---- */

/* One of WEB_HEADERS; NULL: the answer did not have it. */
const char *web_header(const struct web_answer *answer, const char *name);
void web_answer_free(struct web_answer *answer);

/* Takes a header line, with or without its end, if it is one of WEB_HEADERS. */
void web_answer_keep(struct web_answer *answer, const char *line, size_t size);

/* How long from now_us on: "30", "0.25", "Sun, 06 Nov 1994 08:49:37 GMT" and the two older forms of a date. 0: at once,
 * or not readable. At most a year. */
usec_t web_read_retry_after(const char *value, usec_t now_us);

/* ---- web_words.c ---- */

/* The words of a body, with one blank between them; of a page those that are not markup. Not safe for a terminal. */
void web_add_words(struct text *out, const char *s, size_t size);
