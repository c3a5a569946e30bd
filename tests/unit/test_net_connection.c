/* test_net_connection.c - a connection by TCP, TLS and a Unix socket: what comes in pieces, a peer that does not read
 * or goes, another thread that ends the waiting, many at once. */
#include "net_peer.h"

#include <dirent.h>

#define MANY 30

/* ---- bytes ---- */

/* And its proper end. */
static void test_halves(void **state)
{
    (void) state;
    for (enum way way = TCP; way <= UNIX; way++) {
        char byte;
        peer_start(way, speak_in_halves);
        connect_to_peer(way);
        assert_int_equal(net_connection_receive(connection, &byte, 1, &err), -EAGAIN);
        send_words("1");
        expect_piece("PO");
        send_words("2");
        expect_piece("NG");
        assert_int_equal(receive(&byte, 1), 0);
        end();
        peer_stop();
    }
}

#define ALL_BYTES ((size_t) 12 << 20)

/* Each byte is the lowest of its place. */
static void read_later(struct peer *self)
{
    static unsigned char bytes[65536];
    ssize_t n = 0;
    wait_go(self);
    for (size_t read = 0; read < ALL_BYTES && (n = peer_read(self, bytes, sizeof(bytes))) > 0;)
        for (ssize_t i = 0; i < n; i++)
            self->n_right += bytes[i] == (unsigned char) read++;
    peer_write(self, "!");
}

/* Never from the same memory twice in a row, which TLS alone would not forgive. */
static ssize_t send_some(size_t sent)
{
    static unsigned char places[2][1 << 16];
    static size_t which;
    unsigned char *bytes = places[which ^= 1];
    size_t size = ALL_BYTES - sent < sizeof(places[0]) ? ALL_BYTES - sent : sizeof(places[0]);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char) (sent + i);
    ssize_t n = net_connection_send(connection, bytes, size, &err);
    memset(bytes, '?', size);
    return n;
}

/* As much as there is room for is taken, and then nothing; all the rest when the peer reads. */
static void test_peer_that_does_not_read(void **state)
{
    (void) state;
    for (enum way way = TCP; way <= UNIX; way++) {
        size_t sent = 0;
        ssize_t n;
        peer_start(way, read_later);
        connect_to_peer(way);
        while ((n = send_some(sent)) > 0 && sent < ALL_BYTES)
            sent += (size_t) n;
        assert_int_equal(n, -EAGAIN);
        assert_true(sent > 0 && sent < ALL_BYTES);
        assert_int_equal(net_pool_wait(pool, -1, 0, &err), 0);
        eventfd_write(peer.go_fd, 1);
        while (sent < ALL_BYTES) {
            n = send_some(sent);
            if (n == -EAGAIN)
                assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
            else
                assert_true(n > 0);
            sent += n > 0 ? (size_t) n : 0;
        }
        expect_piece("!");
        end();
        peer_stop();
        assert_int_equal(peer.n_right, ALL_BYTES);
    }
}

static void reset_in_the_middle(struct peer *self)
{
    const struct linger rude = { .l_onoff = 1 };
    char byte;
    peer_write(self, "ha");
    peer_read(self, &byte, 1);
    setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &rude, sizeof(rude));
    SSL_free(self->ssl);
    self->ssl = NULL;
}

static void expect_lost(const char *who)
{
    char byte, sentence[128];
    snprintf(sentence, sizeof(sentence), "%s closed the connection", who);
    assert_int_equal(receive(&byte, 1), -ECONNRESET);
    assert_string_equal(err.msg, sentence);
    err.msg[0] = '\0';
    ssize_t n;
    while ((n = net_connection_send(connection, "x", 1, &err)) > 0)
        continue;
    assert_int_equal(n, -ECONNRESET);
    assert_string_equal(err.msg, sentence);
}

static void test_close_in_the_middle(void **state)
{
    (void) state;
    for (enum way way = TCP; way <= TLS; way++) {
        char who[32];
        peer_start(way, reset_in_the_middle);
        connect_to_peer(way);
        expect_piece("ha");
        send_words("x");
        snprintf(who, sizeof(who), "127.0.0.1:%d", peer.port);
        expect_lost(who);
        end();
        peer_stop();
    }
}

static void leave_unread(struct peer *self)
{
    wait_go(self);
}

/* What it has not read is lost, and it says so: a Unix socket's way to be rude. */
static void test_close_of_a_unix_socket(void **state)
{
    (void) state;
    peer_start(UNIX, leave_unread);
    connect_to_peer(UNIX);
    send_words("x");
    eventfd_write(peer.go_fd, 1);
    expect_lost(unix_path);
    end();
    peer_stop();
}

/* ---- waiting ---- */

static void *wake(void *userdata)
{
    eventfd_write(*(int *) userdata, 1);
    return NULL;
}

static void wake_from_elsewhere(void)
{
    pthread_t thread;
    int wake_fd = eventfd(0, EFD_CLOEXEC), r;
    assert_int_equal(pthread_create(&thread, NULL, wake, &wake_fd), 0);
    while ((r = net_pool_wait(pool, wake_fd, LONG_MS, &err)) == 0)
        continue;
    assert_int_equal(r, 1);
    pthread_join(thread, NULL);
    close(wake_fd);
}

static void speak_when_told(struct peer *self)
{
    wait_go(self);
    peer_write(self, "late");
}

/* Of many that are silent none has to be asked again and again. */
static void test_quiet(void **state)
{
    (void) state;
    char byte;
    peer_start(TCP, speak_when_told);
    connect_to_peer(TCP);
    assert_false(net_connection_is_quiet(connection));
    assert_int_equal(net_connection_receive(connection, &byte, 1, &err), -EAGAIN);
    assert_true(net_connection_is_quiet(connection));
    assert_int_equal(net_pool_wait(pool, -1, 0, &err), 0);
    assert_true(net_connection_is_quiet(connection));
    eventfd_write(peer.go_fd, 1);
    while (net_connection_is_quiet(connection))
        assert_int_equal(net_pool_wait(pool, -1, LONG_MS, &err), 0);
    assert_int_equal(net_connection_receive(connection, &byte, 1, &err), 1);
    assert_false(net_connection_is_quiet(connection)); /* there is more */
    expect_piece("ate");
    assert_int_equal(receive(&byte, 1), 0);
    end();
    peer_stop();
}

/* One that is open and silent, one that is not open yet, and none at all. */
static void test_wake(void **state)
{
    (void) state;
    peer_start(TCP, leave_unread);
    connect_to_peer(TCP);
    wake_from_elsewhere();
    connection = net_connection_close(connection);
    wake_from_elsewhere();
    end();
    eventfd_write(peer.go_fd, 1);
    peer_stop();

    peer_start(TCP, leave_unread); /* says nothing in TLS either */
    snprintf(url, sizeof(url), "https://127.0.0.1:%d", peer.port);
    assert_int_equal(begin(&(struct net_settings){ .url = url, .connect_us = CONNECT_US }), 0);
    wake_from_elsewhere();
    assert_int_equal(net_connection_result(connection, &err), -EINPROGRESS);
    char byte;
    assert_int_equal(net_connection_send(connection, "x", 1, &err), -EAGAIN);
    assert_int_equal(net_connection_receive(connection, &byte, 1, &err), -EAGAIN);
    end();
    eventfd_write(peer.go_fd, 1);
    peer_stop();
}

/* Nothing was ever opened in it. */
static void test_wake_of_an_empty_pool(void **state)
{
    (void) state;
    assert_int_equal(net_pool_open(&pool, &err), 0);
    wake_from_elsewhere();
    assert_int_equal(net_pool_wait(pool, -1, 0, &err), 0);
    end();
}

static size_t count_fds(void)
{
    size_t n = 0;
    DIR *fds = opendir("/proc/self/fd");
    while (readdir(fds))
        n++;
    closedir(fds);
    return n;
}

/* In one pool, some open and some that fail; those that go take nothing with them, and leave nothing. */
static void test_many(void **state)
{
    struct net_connection *all[MANY];
    int port, dead_port, n_open = 0, fd = listen_anywhere(MANY, &port), dead_fd = bind_anywhere(&dead_port);
    (void) state;
    assert_int_equal(net_pool_open(&pool, &err), 0);
    size_t n_fds = 0;
    for (int round = 0; round < 3; round++, n_open = 0) {
        for (int i = 0; i < MANY; i++) {
            snprintf(url, sizeof(url), "http://127.0.0.1:%d", i % 3 ? port : dead_port);
            const struct net_settings settings = { .url = url, .connect_us = CONNECT_US };
            assert_int_equal(net_connection_open(&all[i], pool, &settings, &err), 0);
        }
        for (int i = 0; i < MANY; i++) {
            connection = all[i];
            int r = wait_for_result();
            assert_int_equal(r, i % 3 ? 0 : -ECONNREFUSED);
            n_open += r == 0;
        }
        assert_int_equal(n_open, MANY - MANY / 3);
        for (int i = 0; i < MANY; i++)
            all[(i * 7) % MANY] = net_connection_close(all[(i * 7) % MANY]);
        for (int i = 0; i < n_open; i++)
            close(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
        if (round == 0)
            n_fds = count_fds();
    }
    assert_int_equal(count_fds(), n_fds);
    connection = NULL;
    end();
    close(fd);
    close(dead_fd);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the daemon does: TLS writes without asking */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_peer_that_does_not_read),
        cmocka_unit_test(test_close_in_the_middle),
        cmocka_unit_test(test_close_of_a_unix_socket),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_wake_of_an_empty_pool),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
