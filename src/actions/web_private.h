/* web_private.h - inside the files of web.h: a connection and the post under way on it. */
#pragma once

#include "web.h"
#include "web_library.h"

#define WEB_LEFT_MAX 8

struct web {
    CURLM *multi;
    CURL *easy;
    usec_t timeout_us, connect_us;
    int cancel_fd;
    char words[CURL_ERROR_SIZE]; /* libcurl's own on the last failure */

    /* Of the post under way. */
    const struct web_request *request;
    struct web_answer answer;
    size_t received_bytes;
    bool has_status; /* its line has come, maybe of an interim answer */
    usec_t head_us;  /* uptime at which the head was complete; 0: not yet */

    /* Of posts that waited for no answer: who gets one is not made to see the connection break. A ring. */
    int left_fds[WEB_LEFT_MAX];
    size_t next_left;
};

/* For CLEANUP: what libcurl allocated. */
void web_cleanup_url(CURLU **url);
void web_cleanup_text(char **text);

/* All of the request has been handed to the system. */
bool web_is_sent(const struct web *web);

/* ---- web_failures.c ---- */

/* Why there is no head of an answer. */
int web_explain(struct web *web, CURLcode code, struct err *err) MUST_CHECK;
