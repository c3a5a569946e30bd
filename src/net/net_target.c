/* net_target.c - how a connection is made, and why it was not, as one sentence. Source: libcurl-errors(3). */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net_proxy.h"
#include "web_private.h"

/* libcurl's own sockets would be inherited by programs that are started meanwhile. */
static curl_socket_t open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct net_target *target = userdata;
    struct sockaddr_in to; /* of IPv6 the port is at the same place */
    (void) purpose;
    memcpy(&to, &address->addr, sizeof(to));
    if (address->family == AF_INET || address->family == AF_INET6)
        target->port = ntohs(to.sin_port);
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The system has its certificates in a folder, a file for each authority, by whose name libcurl finds the one that it
 * needs, and all of them in one file: read for each connection, that takes 0.9 MB. But somebody may have added one to
 * the file alone, or mounted another over it, so it is read where the folder does not do; from then on always. */
static atomic_bool folder_lacks;

static void read_by_folder(struct net_target *target)
{
    const char *folder = NULL;
    (void) web_libcurl.curl_easy_getinfo(target->easy, CURLINFO_CAPATH, &folder);
    target->by_folder = folder && !folder_lacks;
    if (target->by_folder)
        web_libcurl.curl_easy_setopt(target->easy, CURLOPT_CAINFO, NULL);
}

bool net_target_try_all(struct net_target *target, CURLcode code)
{
    const char *file = NULL;
    if (!target->by_folder || (code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE))
        return false;
    (void) web_libcurl.curl_easy_getinfo(target->easy, CURLINFO_CAINFO, &file);
    web_libcurl.curl_easy_setopt(target->easy, CURLOPT_CAINFO, file);
    target->by_folder = false;
    folder_lacks = true;
    net_target_begin(target, target->url);
    return true;
}

/* Called when a handshake is begun. libcurl's times tell nothing of a connection until that is over. */
static CURLcode note_tls(CURL *easy, void *context, void *userdata)
{
    struct net_target *target = userdata;
    (void) easy;
    (void) context;
    target->tls_begun = true;
    return CURLE_OK;
}

void net_target_use_proxy(struct net_target *target)
{
    target->use_proxy = true;
    web_libcurl.curl_easy_setopt(target->easy, CURLOPT_PROXY, NULL);
}

void net_target_begin(struct net_target *target, const char *url)
{
    target->url = url;
    target->port = 0;
    target->tls_begun = false;
    target->words[0] = '\0';
}

int net_target_open(struct net_target *target, const char *unix_path, const char *ca_file, struct err *err)
{
    if (unix_path && strlen(unix_path) >= sizeof(target->unix_path))
        return err_set(err, -ENAMETOOLONG, "%s is too long for a Unix socket", unix_path);
    CURL *easy = target->easy = web_libcurl.curl_easy_init();
    if (!easy)
        return err_set(err, -ENOMEM, "no memory for a connection");
    text_copy(target->unix_path, sizeof(target->unix_path), unix_path ? unix_path : "");
    web_libcurl.curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    web_libcurl.curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even one of the environment */
    web_libcurl.curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) (target->connect_us / USEC_PER_MSEC));
    if (unix_path)
        web_libcurl.curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, unix_path);
    if (ca_file) {
        web_libcurl.curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        web_libcurl.curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    } else {
        read_by_folder(target);
    }
    /* A name server that says nothing must not hold up a timeout or a cancel: the thread that asks it is left to
     * end by itself. */
    web_libcurl.curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, target);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, note_tls);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, target);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, target->words);
    return 0;
}

/* ---- failures ---- */

void net_target_add_host(struct text *out, const struct net_target *target, bool with_port)
{
    CURLU *parts CLEANUP(web_cleanup_url) = web_libcurl.curl_url();
    char *host CLEANUP(web_cleanup_text) = NULL, *port CLEANUP(web_cleanup_text) = NULL;
    if (!parts || web_libcurl.curl_url_set(parts, CURLUPART_URL, target->url, 0) != CURLUE_OK ||
        web_libcurl.curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        text_add(out, "the host");
        return;
    }
    text_add_safe(out, host, strlen(host), 100);
    if (with_port && web_libcurl.curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        text_addf(out, ":%s", port);
}

unsigned net_target_port(const struct net_target *target)
{
    CURLU *parts CLEANUP(web_cleanup_url) = web_libcurl.curl_url();
    char *port CLEANUP(web_cleanup_text) = NULL;
    bool known = parts && web_libcurl.curl_url_set(parts, CURLUPART_URL, target->url, 0) == CURLUE_OK &&
                 web_libcurl.curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    return known ? (unsigned) strtoul(port, NULL, 10) : 0;
}

void net_target_add_end(struct text *out, const struct net_target *target)
{
    if (target->unix_path[0])
        text_add(out, target->unix_path);
    else
        net_target_add_host(out, target, true);
}

void net_target_add_no_answer(struct text *out, const struct net_target *target)
{
    text_add(out, "no answer within ");
    text_add_duration(out, target->connect_us);
}

void net_target_add_system(struct text *out, long system)
{
    const char *words = strerrordesc_np((int) system);
    if (words)
        text_addf(out, "%c%s", tolower((unsigned char) *words), words + 1);
    else
        text_addf(out, "error %ld", system);
}

/* libcurl's words have in them what the other side's certificate says, and whom it speaks to. */
void net_target_add_tls(struct text *out, const struct net_target *target, CURLcode code)
{
    static const char connects[] = "OpenSSL SSL_connect: ";
    const char *words = target->words[0] ? target->words : web_libcurl.curl_easy_strerror(code);
    const char *openssl = strstr(words, "error:"); /* error:0A00010B:SSL routines::wrong version number */
    if (openssl)
        words = strrchr(openssl, ':') + 1;
    else if (strncmp(words, connects, strlen(connects)) == 0)
        words += strlen(connects);
    else if (strncmp(words, "SSL: ", 5) == 0 || strncmp(words, "SSL certificate", 15) == 0)
        words = strchr(words, ' ') + 1;
    const char *end = strstr(words, " in connection to ");
    if (code == CURLE_OPERATION_TIMEDOUT)
        net_target_add_no_answer(out, target);
    else if (strncmp(words, "SSL_ERROR_SYSCALL", strlen("SSL_ERROR_SYSCALL")) == 0)
        text_add(out, "the connection was closed");
    else
        text_add_safe(out, words, end ? (size_t) (end - words) : strlen(words), 200);
}

static int explain_timeout(struct net_target *target, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT, why CLEANUP(text_free) = TEXT_INIT;
    curl_off_t found_us = 0;
    web_libcurl.curl_easy_getinfo(target->easy, CURLINFO_NAMELOOKUP_TIME_T, &found_us);
    net_target_add_no_answer(&why, target);
    net_target_add_host(&host, target, found_us != 0);
    if (found_us)
        return err_set(err, -ETIMEDOUT, "cannot connect to %s: %s", host.s, why.s);
    return err_set(err, -ETIMEDOUT, "the name %s cannot be resolved: %s", host.s, why.s);
}

static int explain_connect(struct net_target *target, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT, why CLEANUP(text_free) = TEXT_INIT;
    long system = 0;
    web_libcurl.curl_easy_getinfo(target->easy, CURLINFO_OS_ERRNO, &system);
    net_target_add_end(&host, target);
    if (system <= 0)
        return err_set(err, target->unix_path[0] ? -EIO : -ECONNREFUSED, "cannot connect to %s", host.s);
    net_target_add_system(&why, system);
    int r = target->unix_path[0] ? -(int) system : -ECONNREFUSED;
    return err_set(err, r, "cannot connect to %s: %s", host.s, why.s);
}

static int explain_tls(struct net_target *target, CURLcode code, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT, why CLEANUP(text_free) = TEXT_INIT;
    net_target_add_end(&host, target);
    net_target_add_tls(&why, target, code);
    return err_set(err, -EPROTO, "TLS with %s: %s", host.s, why.s);
}

static int explain_lost(struct net_target *target, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT;
    net_target_add_end(&host, target);
    return err_set(err, -ECONNRESET, "%s closed the connection", host.s);
}

int net_target_explain(struct net_target *target, CURLcode code, struct err *err)
{
    struct text host CLEANUP(text_free) = TEXT_INIT;
    struct net_proxy proxy;
    if (net_proxy_failed(&proxy, target, code))
        return net_proxy_explain(&proxy, target, code, err);
    switch ((int) code) {
    case CURLE_OUT_OF_MEMORY:
        return err_set(err, -ENOMEM, "no memory for a request");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return err_set(err, -EINVAL, "expected an http or https URL with a host");
    case CURLE_COULDNT_RESOLVE_HOST:
        net_target_add_host(&host, target, false);
        return err_set(err, -EHOSTUNREACH, "the name %s cannot be resolved", host.s);
    case CURLE_COULDNT_CONNECT:
        return explain_connect(target, err);
    case CURLE_OPERATION_TIMEDOUT:
        return target->tls_begun ? explain_tls(target, code, err) : explain_timeout(target, err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return explain_tls(target, code, err);
    case CURLE_RECV_ERROR:
        return explain_lost(target, err);
    default:
        return err_set(err, -EIO, "%s", web_libcurl.curl_easy_strerror(code));
    }
}
