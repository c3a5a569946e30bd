/* net_proxy.c - libcurl finds the proxy by itself, and hardly tells of it: which one it is, and why it did not let
 * through. Source: libcurl-env(3), CURLOPT_PROXY(3). */
#include "net_proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web_private.h"

static const char *find_url(const char *url)
{
    bool plain = strncasecmp(url, "http://", strlen("http://")) == 0; /* HTTP_PROXY may be what a client of CGI says */
    const char *const names[] = { plain ? "http_proxy" : "https_proxy", plain ? "http_proxy" : "HTTPS_PROXY",
                                  "all_proxy", "ALL_PROXY" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return NULL;
}

static void read_url(struct net_proxy *ret, const char *url)
{
    const unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME;
    CURLU *parts CLEANUP(web_cleanup_url) = web_libcurl.curl_url();
    char *host CLEANUP(web_cleanup_text) = NULL, *port CLEANUP(web_cleanup_text) = NULL;
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    if (!parts || web_libcurl.curl_url_set(parts, CURLUPART_URL, url, flags) != CURLUE_OK ||
        web_libcurl.curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host)
        return;
    (void) web_libcurl.curl_url_get(parts, CURLUPART_PORT, &port, 0);
    ret->port = port ? (unsigned) strtoul(port, NULL, 10) : ret->is_tls ? 443 : 1080;
    text_add_safe(&safe, host, strlen(host), 100);
    snprintf(ret->end, sizeof(ret->end), "%s:%u", safe.failed ? "" : safe.s, ret->port);
}

bool net_proxy_find(struct net_proxy *ret, const char *url)
{
    const char *its_url = find_url(url);
    if (!its_url)
        return false;
    *ret = (struct net_proxy){ .is_tls = strncasecmp(its_url, "https://", strlen("https://")) == 0 };
    read_url(ret, its_url);
    return true;
}

static long answer_of(const struct net_target *target)
{
    long status = 0;
    web_libcurl.curl_easy_getinfo(target->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status;
}

static bool may_be_used(const struct net_target *target, struct net_proxy *ret)
{
    return target->use_proxy && !target->unix_path[0] && net_proxy_find(ret, target->url);
}

/* By the port that was connected to; where host and proxy have the same one, the host is told. */
bool net_proxy_failed(struct net_proxy *ret, const struct net_target *target, CURLcode code)
{
    if (!may_be_used(target, ret))
        return false;
    bool was_asked = target->port == ret->port && target->port != net_target_port(target);
    if (target->tls_begun)
        return ret->is_tls && was_asked && !answer_of(target);
    switch ((int) code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
    case CURLE_RECV_ERROR:
        return true;
    case CURLE_COULDNT_CONNECT:
        return was_asked || !target->port; /* a scheme of its URL that libcurl does not know */
    case CURLE_OPERATION_TIMEDOUT:
        return was_asked;
    default:
        return false;
    }
}

static void add_why(struct text *out, const struct net_target *target, CURLcode code)
{
    long status = answer_of(target), system = 0;
    web_libcurl.curl_easy_getinfo(target->easy, CURLINFO_OS_ERRNO, &system);
    if (target->tls_begun)
        net_target_add_tls(out, target, code);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        net_target_add_no_answer(out, target);
    else if (code == CURLE_COULDNT_RESOLVE_PROXY)
        text_add(out, "its name cannot be resolved");
    else if (status)
        text_addf(out, "it answers %ld%s", status, status == 407 ? ", it wants a login" : "");
    else if (code == CURLE_COULDNT_CONNECT && system > 0)
        net_target_add_system(out, system);
    else if (code == CURLE_COULDNT_CONNECT)
        text_add(out, "its URL is of no kind of proxy");
    else
        text_add_safe(out, target->words, strlen(target->words), 200);
}

int net_proxy_explain(const struct net_proxy *proxy, const struct net_target *target, CURLcode code, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT, why CLEANUP(text_free) = TEXT_INIT;
    net_target_add_end(&host, target);
    if (!proxy->end[0])
        return err_set(err, -ECONNRESET, "cannot connect to %s by the proxy: its URL cannot be read", host.s);
    add_why(&why, target, code);
    return err_set(err, -ECONNRESET, "cannot connect to %s by the proxy %s: %s", host.s, proxy->end, why.s);
}
