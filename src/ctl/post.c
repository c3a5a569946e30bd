/* post.c - one HTTP request: to the machine named, through no proxy, following no redirect. */
#include <errno.h>

#include <sonoran-pushd/net.h>

#include "post.h"

#define TIMEOUT_US (10 * USEC_PER_SEC)
#define ANSWER_MAX_BYTES ((size_t) 16 << 10)

static void cleanup_web(struct web **web)
{
    web_close(*web);
}

int post_ask(const char *url, const struct text *body, long *ret_status, struct text *ret_answer, struct err *err)
{
    static char type[] = "Content-Type: application/json";
    static char *const headers[] = { type };
    const struct web_settings settings = { .timeout_us = TIMEOUT_US,
                                           .cancel_fd = -1,
                                           .user_agent = CTL_NAME "/" PROGRAM_VERSION };
    struct web_request request = { .url = url, .max_answer_bytes = ANSWER_MAX_BYTES, .wait = WEB_WAIT_BODY };
    struct web *web CLEANUP(cleanup_web) = NULL;
    struct web_answer answer;
    if (body) {
        request.body = (struct span){ body->s, body->size };
        request.more_headers = headers;
        request.n_more_headers = ARRAY_SIZE(headers);
    }
    int r = web_open(&web, &settings, err);
    if (r >= 0)
        r = body ? web_post(web, &request, &answer, err) : web_get(web, &request, &answer, err);
    if (r < 0)
        return r;
    *ret_status = answer.status;
    text_reset(ret_answer);
    text_add_bytes(ret_answer, answer.body.s, answer.body.size);
    web_answer_free(&answer);
    return ret_answer->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}
