/* web_failures.c - a request that came to nothing, as one sentence. Source: libcurl-errors(3). */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "web_private.h"

/* "example.org", and ":443" where with_port. */
static void add_host(struct text *out, const char *url, bool with_port)
{
    CURLU *parts CLEANUP(web_cleanup_url) = libcurl.curl_url();
    char *host CLEANUP(web_cleanup_text) = NULL, *port CLEANUP(web_cleanup_text) = NULL;
    if (!parts || libcurl.curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        libcurl.curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        text_add(out, "the host");
        return;
    }
    text_add_safe(out, host, strlen(host), 100);
    if (with_port && libcurl.curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        text_addf(out, ":%s", port);
}

static int explain_timeout(struct web *web, const char *url, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT, time CLEANUP(text_free) = TEXT_INIT;
    curl_off_t found_us = 0, connected_us = 0;
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_NAMELOOKUP_TIME_T, &found_us);
    libcurl.curl_easy_getinfo(web->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    text_add_duration(&time, connected_us ? web->timeout_us : web->connect_us);
    if (connected_us && web_is_sent(web))
        return err_set(err, -ETIME, "no answer within %s, though the request was taken", time.s);
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
    add_host(&host, url, true);
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
                               strcasestr(web->words, "too large") != NULL);
}

int web_explain(struct web *web, CURLcode code, struct err *err)
{
    const char *url = web->request->url;
    struct text host CLEANUP(text_free) = TEXT_INIT;
    if (is_large_header(web, code)) {
        add_host(&host, url, true);
        return err_set(err, -EBADMSG, "%s answers with a header that is too large", host.s);
    }
    switch ((int) code) {
    case CURLE_OK: /* the end of a connection counts as the end of a head */
        return explain_lost(web, code, url, err);
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
