/* web_failures.c - a request that came to nothing, as one sentence. Source: libcurl-errors(3). */
#include <errno.h>
#include <string.h>

#include "web_private.h"

static bool is_connected(const struct web *web)
{
    curl_off_t connected_us = 0;
    web_libcurl.curl_easy_getinfo(web->target.easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    return connected_us != 0;
}

static int explain_timeout(struct web *web, struct err *err)
{
    struct text time CLEANUP(text_free) = TEXT_INIT;
    if (!is_connected(web))
        return net_target_explain(&web->target, CURLE_OPERATION_TIMEDOUT, err);
    text_add_duration(&time, web->timeout_us);
    if (web_is_sent(web))
        return err_set(err, -ETIME, "no answer within %s, though the request was taken", time.s);
    return err_set(err, -ETIMEDOUT, "no answer within %s", time.s);
}

static int explain_lost(struct web *web, CURLcode code, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT;
    net_target_add_host(&host, &web->target, true);
    const char *when = web->has_status            ? "in the middle of the answer"
                       : code == CURLE_SEND_ERROR ? "in the middle of the request"
                                                  : "without an answer";
    return err_set(err, -ECONNRESET, "%s closed the connection %s", host.s, when);
}

/* Only the end of one line too long, or of too many of them, is said; each version of libcurl says it in another way.
 */
static bool is_large_header(const struct web *web, CURLcode code)
{
    enum { TOO_LARGE = 100 }; /* CURLE_TOO_LARGE, which 7.88 has not */
    return web->has_status && ((int) code == CURLE_OUT_OF_MEMORY || (int) code == TOO_LARGE ||
                               strcasestr(web->target.words, "too large") != NULL);
}

int web_explain_stream(struct web *web, int r, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT, limit CLEANUP(text_free) = TEXT_INIT;
    net_target_add_host(&host, &web->target, true);
    if (r == -ETIME) {
        text_add_duration(&limit, web->stream->silence_us);
        return err_set(err, r, "%s has said nothing for %s", host.s, limit.s);
    }
    text_add_size(&limit, web->stream->max_bytes);
    return err_set(err, r, "%s sends more than %s", host.s, limit.s);
}

int web_explain(struct web *web, CURLcode code, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT;
    if (is_large_header(web, code)) {
        net_target_add_host(&host, &web->target, true);
        return err_set(err, -EBADMSG, "%s answers with a header that is too large", host.s);
    }
    switch ((int) code) {
    case CURLE_OK: /* the end of a connection counts as the end of a head */
        return explain_lost(web, code, err);
    case CURLE_OPERATION_TIMEDOUT:
        return explain_timeout(web, err);
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
        return explain_lost(web, code, err);
    case CURLE_RECV_ERROR:
        return is_connected(web) ? explain_lost(web, code, err) : net_target_explain(&web->target, code, err);
    case CURLE_UNSUPPORTED_PROTOCOL: /* an answer without a status line: HTTP/0.9 */
    case CURLE_WEIRD_SERVER_REPLY:
        net_target_add_host(&host, &web->target, true);
        return err_set(err, -EBADMSG, "%s does not answer in HTTP", host.s);
    default:
        return net_target_explain(&web->target, code, err);
    }
}
