/* web.h - inside src/actions: posting to a URL over a connection that is kept.
 *
 * Shape:   a web is one connection at a time; a post sends a body once and takes the answer. Redirects are not
 *          followed, proxies not used, certificates checked. Only http and https.
 * Owner:   the request is borrowed for the call; the answer is the caller's (web_answer_free).
 * Threads: a web belongs to one thread; the rest may be called from any.
 * Errors:  negative errno and a sentence, which names of a URL its host and port alone: a path may be a secret.
 * Source:  the manuals of libcurl's functions and options; RFC 9110 for Retry-After.
 */
#pragma once

#include <sonoran-pushd/action.h>

struct web;

enum web_wait {
    WEB_WAIT_HEAD, /* for the answer's head; what follows is taken for a moment, and then the connection is closed */
    WEB_WAIT_BODY, /* for max_answer_bytes of the body too, or its end */
    WEB_WAIT_SENT, /* until the request has been sent; status is 0 where no answer has come by then */
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

/* Headers that an answer keeps; web_header finds them by these names, in any case. */
#define WEB_HEADERS                                                                                                    \
    "Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset-After", "X-RateLimit-Bucket", "X-RateLimit-Global",     \
        "X-RateLimit-Scope"
#define WEB_N_HEADERS 6
#define WEB_HEADER_MAX_BYTES 63 /* a longer value counts as none */

struct web_answer {
    long status; /* 200 */
    struct text body;
    bool whole;            /* it ended as it should have */
    struct text redirect;  /* where it points to, with the host; "": nowhere */
    usec_t retry_after_us; /* of Retry-After, in each of its forms, from now on; 0: none */
    char headers[WEB_N_HEADERS][WEB_HEADER_MAX_BYTES + 1];
};

/* -EINVAL: no URL that can be posted to. */
int web_check_url(const char *url, struct err *err) MUST_CHECK;

/* Certificates in PEM, to vouch for who answers. */
int web_check_ca_file(const char *path, struct err *err) MUST_CHECK;

/* With the context's ca_file, it alone vouches. */
int web_open(struct web **ret, const struct action_context *context, struct err *err) MUST_CHECK;
struct web *web_close(struct web *web);

/* 0: there is an answer, of whatever status, or as much as was waited for. Else nothing is known of what became of the
 * request: -ECANCELED the context's cancel_fd is readable, -EINVAL a header or the URL cannot be sent (nothing was),
 * -ENOMEM, and for what a network does: -EHOSTUNREACH no such name, -ECONNREFUSED no connection, -ETIMEDOUT, -ETIME the
 * request was sent and no answer came in time, -ECONNRESET, -EPROTO TLS, -EBADMSG no HTTP that we take, -EIO. */
int web_post(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err) MUST_CHECK;

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
