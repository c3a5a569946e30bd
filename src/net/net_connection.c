/* net_connection.c - connections that libcurl makes, and leaves to us. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/net_connection.h>

#include "net_target.h"

#define OUT_BYTES ((size_t) 16 << 10) /* a record of TLS */

struct net_connection {
    struct net_pool *pool;
    struct net_connection *next;
    struct net_target target;
    char *url;
    int result; /* of net_connection_result */
    struct err err;
    curl_socket_t fd; /* once it is open */
    bool is_quiet;    /* all was received, and nothing has happened since */
    /* What is sent next. TLS has to be given the same bytes at the same place again where there was no room for them,
     * which no caller has to know. */
    char out[OUT_BYTES];
    size_t out_at, n_out;
};

struct net_pool {
    CURLM *multi;
    struct net_connection *first;
    struct curl_waitfd *waits; /* room for wake_fd and each connection */
    size_t n;                  /* connections */
};

int net_pool_open(struct net_pool **ret, struct err *err)
{
    int r = web_library_load(err);
    if (r < 0)
        return r;
    struct net_pool *pool = calloc(1, sizeof(*pool));
    struct curl_waitfd *waits = calloc(1, sizeof(*waits));
    if (!pool || !waits || !(pool->multi = web_libcurl.curl_multi_init())) {
        free(waits);
        free(pool);
        return err_set(err, -ENOMEM, "no memory for connections");
    }
    pool->waits = waits;
    *ret = pool;
    return 0;
}

struct net_pool *net_pool_close(struct net_pool *pool)
{
    if (!pool)
        return NULL;
    web_libcurl.curl_multi_cleanup(pool->multi);
    free(pool->waits);
    free(pool);
    return NULL;
}

/* ---- waiting ---- */

static bool begin_again(struct net_connection *connection)
{
    CURLM *multi = connection->pool->multi;
    web_libcurl.curl_multi_remove_handle(multi, connection->target.easy);
    return web_libcurl.curl_multi_add_handle(multi, connection->target.easy) == CURLM_OK;
}

static void settle(struct net_connection *connection, CURLcode code)
{
    if (net_target_try_all(&connection->target, code) && begin_again(connection))
        return;
    connection->result = code == CURLE_OK ? 0 : net_target_explain(&connection->target, code, &connection->err);
    if (code == CURLE_OK)
        web_libcurl.curl_easy_getinfo(connection->target.easy, CURLINFO_ACTIVESOCKET, &connection->fd);
}

/* Takes the connections that are under way further. Whether one of them is open now, or has failed; -ENOMEM. */
static int take_further(struct net_pool *pool, struct err *err)
{
    int running, left, n_settled = 0;
    const CURLMsg *message;
    if (web_libcurl.curl_multi_perform(pool->multi, &running) != CURLM_OK)
        return err_set(err, -ENOMEM, "no memory for connections");
    while ((message = web_libcurl.curl_multi_info_read(pool->multi, &left))) {
        struct net_connection *connection = NULL;
        web_libcurl.curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &connection);
        settle(connection, message->data.result);
        n_settled++;
    }
    return n_settled > 0;
}

/* CURLE_AGAIN: some of it is left. */
static CURLcode flush(struct net_connection *connection)
{
    CURLcode code = CURLE_OK;
    while (code == CURLE_OK && connection->n_out) {
        size_t n = 0;
        code = web_libcurl.curl_easy_send(connection->target.easy, connection->out + connection->out_at,
                                          connection->n_out, &n);
        connection->out_at += n;
        connection->n_out -= n;
    }
    return code;
}

/* What is under way, libcurl waits for by itself. */
static unsigned list_waits(const struct net_pool *pool, int wake_fd)
{
    unsigned n = 0;
    pool->waits[n++] = (struct curl_waitfd){ .fd = wake_fd, .events = CURL_WAIT_POLLIN };
    for (const struct net_connection *one = pool->first; one; one = one->next)
        if (one->result == 0)
            pool->waits[n++] = (struct curl_waitfd){
                .fd = one->fd,
                .events = (short) (CURL_WAIT_POLLIN | (one->n_out ? CURL_WAIT_POLLOUT : 0)),
            };
    return n;
}

/* In the order of list_waits. */
static void note_events(struct net_pool *pool)
{
    const struct curl_waitfd *wait = pool->waits + 1;
    for (struct net_connection *one = pool->first; one; one = one->next)
        if (one->result == 0)
            one->is_quiet &= !wait++->revents;
}

int net_pool_wait(struct net_pool *pool, int wake_fd, int timeout_ms, struct err *err)
{
    int r = take_further(pool, err);
    if (r < 0)
        return r;
    unsigned n = list_waits(pool, wake_fd), first = wake_fd < 0;
    if (web_libcurl.curl_multi_poll(pool->multi, pool->waits + first, n - first, r > 0 ? 0 : timeout_ms, NULL) !=
        CURLM_OK)
        return err_set(err, -ENOMEM, "no memory for connections");
    bool is_woken = !first && pool->waits[0].revents;
    note_events(pool);
    for (struct net_connection *one = pool->first; one; one = one->next)
        (void) flush(one); /* what fails fails in the next call too */
    r = take_further(pool, err);
    return r < 0 ? r : is_woken;
}

/* ---- one connection ---- */

/* It stays in the pool's handle as long as it is used: taken out, libcurl would close it. */
static int begin(struct net_connection *connection, const struct net_settings *settings, struct err *err)
{
    struct net_pool *pool = connection->pool;
    struct net_target *target = &connection->target;
    struct curl_waitfd *waits = reallocarray(pool->waits, pool->n + 2, sizeof(*waits));
    if (waits)
        pool->waits = waits;
    connection->url = strdup(settings->url);
    net_target_begin(target, connection->url);
    target->connect_us = settings->connect_us;
    int r = waits && target->url ? net_target_open(target, settings->unix_path, settings->ca_file, err)
                                 : err_set(err, -ENOMEM, "no memory for a connection");
    if (r < 0)
        return r;
    web_libcurl.curl_easy_setopt(target->easy, CURLOPT_PRIVATE, connection);
    web_libcurl.curl_easy_setopt(target->easy, CURLOPT_URL, target->url);
    web_libcurl.curl_easy_setopt(target->easy, CURLOPT_CONNECT_ONLY, 1L);
    web_libcurl.curl_easy_setopt(target->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    web_libcurl.curl_easy_setopt(target->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    if (settings->use_proxy)
        net_target_use_proxy(target);
    return web_libcurl.curl_multi_add_handle(pool->multi, target->easy) == CURLM_OK
               ? 0
               : err_set(err, -ENOMEM, "no memory for a connection");
}

static void connection_free(struct net_connection *connection)
{
    web_libcurl.curl_easy_cleanup(connection->target.easy);
    free(connection->url);
    explicit_bzero(connection->out, sizeof(connection->out)); /* a login has its key in it */
    free(connection);
}

int net_connection_open(struct net_connection **ret, struct net_pool *pool, const struct net_settings *settings,
                        struct err *err)
{
    struct net_connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return err_set(err, -ENOMEM, "no memory for a connection");
    connection->pool = pool;
    connection->result = -EINPROGRESS;
    int r = begin(connection, settings, err);
    if (r < 0) {
        connection_free(connection);
        return r;
    }
    connection->next = pool->first;
    pool->first = connection;
    pool->n++;
    *ret = connection;
    return 0;
}

struct net_connection *net_connection_close(struct net_connection *connection)
{
    if (!connection)
        return NULL;
    struct net_pool *pool = connection->pool;
    struct net_connection **place = &pool->first;
    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    pool->n--;
    web_libcurl.curl_multi_remove_handle(pool->multi, connection->target.easy);
    connection_free(connection);
    return NULL;
}

int net_connection_result(const struct net_connection *connection, struct err *err)
{
    return connection->result < 0 ? err_set(err, connection->result, "%s", connection->err.msg) : 0;
}

/* 0: it is open; what cannot be sent or received yet can be later. */
static int check_open(const struct net_connection *connection, struct err *err)
{
    return connection->result == -EINPROGRESS ? -EAGAIN : net_connection_result(connection, err);
}

static int explain_lost(const struct net_connection *connection, struct err *err)
{
    struct text end CLEANUP(text_free) = TEXT_INIT;
    net_target_add_end(&end, &connection->target);
    return err_set(err, -ECONNRESET, "%s closed the connection", end.s);
}

/* libcurl tells each as the time since the begin. */
void net_connection_get_times(const struct net_connection *connection, struct net_times *ret)
{
    CURL *easy = connection->target.easy;
    curl_off_t name = 0, tcp = 0, tls = 0;
    const char *address = NULL;
    web_libcurl.curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &name);
    web_libcurl.curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &tcp);
    web_libcurl.curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &tls);
    web_libcurl.curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    *ret = (struct net_times){ .name_us = (usec_t) name,
                               .tcp_us = tcp > name ? (usec_t) (tcp - name) : tcp > 0,
                               .tls_us = tls > tcp ? (usec_t) (tls - tcp) : 0 };
    snprintf(ret->address, sizeof(ret->address), "%s", address ? address : "");
}

ssize_t net_connection_send(struct net_connection *connection, const void *bytes, size_t size, struct err *err)
{
    size_t n = size < OUT_BYTES ? size : OUT_BYTES;
    int r = check_open(connection, err);
    if (r < 0)
        return r;
    CURLcode code = flush(connection);
    if (code == CURLE_AGAIN)
        return -EAGAIN;
    if (code == CURLE_OK) {
        memcpy(connection->out, bytes, n);
        connection->out_at = 0;
        connection->n_out = n;
        code = flush(connection);
    }
    return code == CURLE_OK || code == CURLE_AGAIN ? (ssize_t) n : explain_lost(connection, err);
}

bool net_connection_is_quiet(const struct net_connection *connection)
{
    return connection->is_quiet;
}

ssize_t net_connection_receive(struct net_connection *connection, void *ret_bytes, size_t size, struct err *err)
{
    size_t n = 0;
    int r = check_open(connection, err);
    if (r < 0)
        return r;
    CURLcode code = web_libcurl.curl_easy_recv(connection->target.easy, ret_bytes, size, &n);
    if (code == CURLE_OK)
        return (ssize_t) n;
    connection->is_quiet = code == CURLE_AGAIN;
    return connection->is_quiet ? -EAGAIN : explain_lost(connection, err);
}
