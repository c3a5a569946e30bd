/* net_peer.h - the other end of a connection by TCP, TLS or a Unix socket, and ours, for test_net_*.c. */
#pragma once

#include "web_helpers.h"

#include <errno.h>
#include <signal.h>
#include <sonoran-pushd/net_connection.h>
#include <sys/un.h>

#include "tls_helpers.h"

#define LONG_MS 600000 /* never reached */
#define CONNECT_US (600 * USEC_PER_SEC)

/* The other end. */
struct peer {
    int listen_fd, port;
    SSL_CTX *context; /* NULL: no TLS */
    int fd;
    SSL *ssl;
    void (*speak)(struct peer *peer);
    int go_fd;      /* eventfd: the test lets it go on */
    size_t n_right; /* bytes that came as they should */
    pthread_t thread;
};

static char folder[] = "/tmp/test_net_connection-XXXXXX", unix_path[108], ca_file[64], url[64];
static EVP_PKEY *key;
static X509 *certificate;
static struct peer peer;
static struct net_pool *pool;
static struct net_connection *connection;
static struct err err;

/* ---- the peer ---- */

static inline ssize_t peer_read(struct peer *self, void *bytes, size_t size)
{
    return self->ssl ? SSL_read(self->ssl, bytes, (int) size) : recv(self->fd, bytes, size, 0);
}

static inline void peer_write(struct peer *self, const char *words)
{
    if (self->ssl)
        SSL_write(self->ssl, words, (int) strlen(words));
    else
        send(self->fd, words, strlen(words), MSG_NOSIGNAL);
}

static inline void wait_go(struct peer *self)
{
    eventfd_t n;
    eventfd_read(self->go_fd, &n);
}

static inline void *peer_run(void *userdata)
{
    struct peer *self = userdata;
    bool spoken = false; /* who does not take our certificate may come once more */
    while (!spoken && (self->fd = accept4(self->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        self->ssl = self->context ? SSL_new(self->context) : NULL;
        if (self->ssl)
            SSL_set_fd(self->ssl, self->fd);
        spoken = !self->ssl || SSL_accept(self->ssl) == 1;
        if (spoken)
            self->speak(self);
        if (self->ssl)
            SSL_shutdown(self->ssl);
        SSL_free(self->ssl);
        close(self->fd);
    }
    return NULL;
}

static inline int listen_unix(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    text_copy(address.sun_path, sizeof(address.sun_path), unix_path);
    unlink(unix_path);
    assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

enum way { TCP, TLS, UNIX };

static inline void peer_start(enum way way, void (*speak)(struct peer *self))
{
    peer = (struct peer){ .speak = speak, .go_fd = eventfd(0, EFD_CLOEXEC) };
    peer.listen_fd = way == UNIX ? listen_unix() : listen_anywhere(16, &peer.port);
    peer.context = way == TLS ? make_context(key, certificate) : NULL;
    snprintf(url, sizeof(url), "%s://127.0.0.1:%d/secret", way == TLS ? "https" : "http", peer.port);
    assert_int_equal(pthread_create(&peer.thread, NULL, peer_run, &peer), 0);
}

static inline void peer_stop(void)
{
    shutdown(peer.listen_fd, SHUT_RDWR);
    pthread_join(peer.thread, NULL);
    close(peer.listen_fd);
    close(peer.go_fd);
    SSL_CTX_free(peer.context);
}

/* ---- our end ---- */

static inline int begin(const struct net_settings *settings)
{
    err.msg[0] = '\0';
    int r = net_pool_open(&pool, &err);
    return r < 0 ? r : net_connection_open(&connection, pool, settings, &err);
}

static inline int wait_for_result(void)
{
    int r;
    while ((r = net_connection_result(connection, &err)) == -EINPROGRESS)
        assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
    return r;
}

static inline int connect_with(const struct net_settings *settings)
{
    int r = begin(settings);
    return r < 0 ? r : wait_for_result();
}

static inline void connect_to_peer(enum way way)
{
    const struct net_settings settings = { .url = url,
                                           .unix_path = way == UNIX ? unix_path : NULL,
                                           .ca_file = way == TLS ? ca_file : NULL,
                                           .connect_us = CONNECT_US };
    if (connect_with(&settings) < 0)
        fail_msg("%s", err.msg);
}

static inline void end(void)
{
    connection = net_connection_close(connection);
    pool = net_pool_close(pool);
}

/* The next piece, or 0 or an error; at most as long as the room. */
static inline ssize_t receive(char *ret, size_t size)
{
    ssize_t n;
    while ((n = net_connection_receive(connection, ret, size, &err)) == -EAGAIN)
        assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
    return n;
}

static inline void expect_piece(const char *words)
{
    char piece[64] = "";
    assert_int_equal(receive(piece, sizeof(piece) - 1), strlen(words));
    assert_string_equal(piece, words);
}

static inline void send_words(const char *words)
{
    ssize_t n;
    while ((n = net_connection_send(connection, words, strlen(words), &err)) == -EAGAIN)
        assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
    assert_int_equal(n, strlen(words));
}

/* What many of them say. */
static inline void speak_in_halves(struct peer *self)
{
    char byte;
    for (const char *const *half = (const char *const[]){ "PO", "NG", NULL }; *half; half++)
        if (peer_read(self, &byte, 1) == 1)
            peer_write(self, *half);
}

static inline int set_up(void **state)
{
    (void) state;
    assert_non_null(mkdtemp(folder));
    snprintf(unix_path, sizeof(unix_path), "%s/socket", folder);
    snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", folder);
    key = EVP_EC_gen("P-256");
    certificate = make_certificate(key);
    write_certificate(ca_file, certificate);
    return 0;
}

static inline int tear_down(void **state)
{
    (void) state;
    unlink(unix_path);
    unlink(ca_file);
    rmdir(folder);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return 0;
}
