/* net_connection.h - bytes to and from a server over TCP, TLS or a Unix socket, for protocols that are not HTTP or are
 * HTTP only in their first lines.
 *
 * Shape:   a pool is one thread's connections; they share its waiting, and the certificates that were read. Nothing
 *          here waits but net_pool_wait: a connection is begun, becomes open or fails while the pool waits, and sends
 *          and receives what is possible now. What an answer means, and when to connect again, is the caller's.
 *          Before waiting, and before another one of the pool is begun, receive from each that is open until -EAGAIN:
 *          TLS keeps bytes that no socket tells of, and libcurl may close what was not used yet.
 * Units:   _ms milliseconds, _us microseconds.
 * Memory:  libcurl is loaded when the first pool is opened, and stays: with a first TLS connection 2 MB, and 6 MB of
 *          files. Connections share the certificates of a ca_file, and of the system's each reads those that it needs;
 *          a further one takes about 70 KiB.
 * Owner:   settings are borrowed for the call; connections are closed before their pool.
 * Threads: a pool and its connections belong to one thread; another one ends its waiting by wake_fd.
 * Errors:  negative errno and a sentence, which names of a URL its host and port alone.
 * Source:  libcurl's manual: CURLOPT_CONNECT_ONLY(3), curl_easy_recv(3), curl_easy_send(3), curl_multi_poll(3).
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <sys/types.h>

struct net_pool;
struct net_connection;

struct net_settings {
    const char *url; /* "https://host:port" with TLS, "http://host:port" without; the rest of it does not matter */
    const char *unix_path; /* the socket that is connected to, whatever host url names; NULL: that host */
    const char *ca_file;   /* certificates that alone vouch for who answers; NULL: those of the system */
    bool use_proxy;        /* those that the environment names: https_proxy, http_proxy, no_proxy */
    usec_t connect_us;     /* the longest that name, TCP and TLS may take together */
};

int net_pool_open(struct net_pool **ret, struct err *err) MUST_CHECK;
struct net_pool *net_pool_close(struct net_pool *pool);

/* Until a connection can go on, or timeout_ms is over; it may return early. A connection that is open has to be read,
 * or closed: its bytes end every waiting. 1: wake_fd is readable (-1: there is none), 0: look at the connections.
 * -ENOMEM. */
int net_pool_wait(struct net_pool *pool, int wake_fd, int timeout_ms, struct err *err) MUST_CHECK;

/* Begins one; what is wrong with it, net_connection_result says. -ENOMEM, -ENAMETOOLONG: unix_path. */
int net_connection_open(struct net_connection **ret, struct net_pool *pool, const struct net_settings *settings,
                        struct err *err) MUST_CHECK;
struct net_connection *net_connection_close(struct net_connection *connection);

/* 0: it is open, or was; -EINPROGRESS: not yet, wait; else why it never will be: as web_post has them, -EHOSTUNREACH,
 * -ECONNREFUSED (of a unix_path: what connect(2) says), -ETIMEDOUT, -EPROTO TLS, -EINVAL the URL, -ECONNRESET the proxy
 * cannot be reached or says no, -ENOMEM, -EIO. */
int net_connection_result(const struct net_connection *connection, struct err *err) MUST_CHECK;

/* How long each step of it took; 0: it was not taken, or not yet, and of what was known already a microsecond. */
struct net_times {
    usec_t name_us, tcp_us, tls_us;
    char address[64]; /* that was connected to: "203.0.113.7" */
};
void net_connection_get_times(const struct net_connection *connection, struct net_times *ret);

/* How many bytes are taken, which may be fewer than size. -EAGAIN: none now, or it is not open yet: wait. Where it
 * never will be: as net_connection_result. The last 16 KiB of them may still wait here for room and go while the pool
 * waits; what is left when the connection is closed is lost. -ECONNRESET: it is over. */
ssize_t net_connection_send(struct net_connection *connection, const void *bytes, size_t size,
                            struct err *err) MUST_CHECK;

/* How many bytes have come; 0: the other side has ended it properly; -EAGAIN and where it never
 * will be, as above. -ECONNRESET: it is over. */
ssize_t net_connection_receive(struct net_connection *connection, void *ret_bytes, size_t size,
                               struct err *err) MUST_CHECK;

/* It was received from until -EAGAIN, and no waiting has seen anything since: of many it need not be asked now. Before
 * what is silent is given up, ask it all the same. */
bool net_connection_is_quiet(const struct net_connection *connection);
