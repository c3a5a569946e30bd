/* web_private.h - inside src/net: a connection and the request under way on it. */
#pragma once

#include <sonoran-pushd/net.h>

#include "net_target.h"

#define WEB_LEFT_MAX 8

struct web {
    CURLM *multi;
    struct net_target target;
    usec_t timeout_us;
    int cancel_fd;

    /* Of the request under way. */
    const struct web_request *request;
    const struct web_stream *stream; /* NULL: the answer is kept */
    struct err *err;                 /* for stream->take */
    int stream_result;               /* below 0: why it was ended from here; err has the sentence */
    struct web_answer answer;
    size_t received_bytes;
    usec_t begun_us, heard_us; /* uptime of the begin, and of the last bytes */
    bool has_status;           /* its line has come, maybe of an interim answer */
    usec_t head_us;            /* uptime at which the head was complete; 0: not yet */

    /* Of posts that waited for no answer: who gets one is not made to see the connection break. A ring. */
    int left_fds[WEB_LEFT_MAX];
    size_t next_left;
};

/* ---- web_url.c ---- */

/* For CLEANUP: what libcurl allocated. */
void web_cleanup_url(CURLU **url);
void web_cleanup_text(char **text);

/* ---- web.c ---- */

/* All of the request has been handed to the system. */
bool web_is_sent(const struct web *web);

/* ---- web_failures.c ---- */

/* Why there is no head of an answer. */
int web_explain(struct web *web, CURLcode code, struct err *err) MUST_CHECK;

/* Why an answer that goes on was ended from here: -ETIME, -EFBIG. */
int web_explain_stream(struct web *web, int r, struct err *err) MUST_CHECK;
