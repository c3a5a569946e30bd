/* test_http_unix.c - a Unix socket: where it can be, whose its clients are, and what they can do to it. */
#include "http_helpers.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>

static char folder[] = "/tmp/http_unix.XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int make_folder(void **state)
{
    (void) state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void) state;
    (void) unlink(address.sun_path);
    return rmdir(folder);
}

static int forget_socket(void **state)
{
    (void) state;
    (void) unlink(address.sun_path);
    return 0;
}

static int unix_socket(int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

static void nobody_there(void **state)
{
    struct stat file;
    struct err err = { "" };
    char name[128];
    (void) state;
    int fd = http_listen_unix(address.sun_path, 0660, &err);
    assert_true(fd >= 0);
    assert_int_equal(stat(address.sun_path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0660);
    http_socket_name(fd, name, sizeof(name));
    assert_string_equal(name, address.sun_path);
    close(fd);
}

static void a_stale_one_is_replaced(void **state)
{
    struct err err = { "" };
    (void) state;
    close(http_listen_unix(address.sun_path, 0660, &err));
    int fd = http_listen_unix(address.sun_path, 0660, &err), client = unix_socket(SOCK_STREAM);
    assert_true(fd >= 0);
    assert_int_equal(connect(client, (struct sockaddr *) &address, sizeof(address)), 0);
    close(client);
    close(fd);
}

static void one_in_use_is_not(void **state)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct err err = { "" };
        int other = unix_socket(types[i]);
        assert_int_equal(bind(other, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(types[i] == SOCK_STREAM ? listen(other, 0) : 0, 0);
        assert_int_equal(http_listen_unix(address.sun_path, 0660, &err), -EADDRINUSE);
        assert_non_null(strstr(err.msg, "listens there already"));
        assert_int_equal(access(address.sun_path, F_OK), 0);
        close(other);
        unlink(address.sun_path);
    }
}

/* Its queue is full, but it lives. */
static void one_that_does_not_answer(void **state)
{
    struct err err = { "" };
    int other = unix_socket(SOCK_STREAM), clients[8], n = 0;
    (void) state;
    assert_int_equal(bind(other, (struct sockaddr *) &address, sizeof(address)), 0);
    assert_int_equal(listen(other, 0), 0);
    while (n < 8) {
        clients[n] = unix_socket(SOCK_STREAM | SOCK_NONBLOCK);
        if (connect(clients[n++], (struct sockaddr *) &address, sizeof(address)) < 0)
            break;
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(http_listen_unix(address.sun_path, 0660, &err), -EADDRINUSE);
    while (n > 0)
        close(clients[--n]);
    close(other);
}

static void where_none_can_be(void **state)
{
    char path[200], missing[64];
    struct err err = { "" };
    (void) state;
    FILE *file = fopen(address.sun_path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(http_listen_unix(address.sun_path, 0660, &err), -EEXIST); /* it is not ours to remove */
    assert_int_equal(access(address.sun_path, F_OK), 0);
    snprintf(missing, sizeof(missing), "%s/no/control.sock", folder);
    assert_int_equal(http_listen_unix(missing, 0660, &err), -ENOENT);
    memset(path, 'x', sizeof(path));
    memcpy(path, "/tmp/", 5);
    path[HTTP_UNIX_PATH_MAX_BYTES + 1] = '\0';
    assert_int_equal(http_listen_unix(path, 0660, &err), -ENAMETOOLONG);
    assert_non_null(strstr(err.msg, "107"));
}

static void tell_user(void *userdata, struct http_request *request, struct http_answer *ret)
{
    uid_t user = 0;
    char *body;
    bool by_unix = http_peer_user(request, &user);
    (void) userdata;
    assert_true(
        asprintf(&body, "%d %u %s %s", by_unix, (unsigned) user, request->origin->peer, request->origin->listener) > 0);
    *ret = (struct http_answer){ .status = 200, .body = body, .free_body = free };
}

static int begin(void **state)
{
    static const struct http_route rows[] = { { .method = "POST", .path = "/", .handle = tell_user } };
    const struct http_routes routes = { .rows = rows, .n = ARRAY_SIZE(rows) };
    struct http_settings settings = http_default_settings();
    struct err err = { "" };
    (void) state;
    settings.body_bytes = 1000;
    return http_begin_on(http_listen_unix(address.sun_path, 0660, &err), &settings, &routes,
                         (struct http_callbacks){ 0 });
}

static int end(void **state)
{
    http_tear_down(state);
    return forget_socket(state);
}

static int connect_to_it(void)
{
    int fd = unix_socket(SOCK_STREAM);
    assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    return fd;
}

static void expect_user(void)
{
    char answer[2048], wanted[128];
    int fd = connect_to_it();
    size_t n = 0, more;
    http_send(fd, "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
    while ((more = http_receive(fd, answer + n, sizeof(answer) - n)) > 0)
        n += more;
    close(fd);
    snprintf(wanted, sizeof(wanted), "\r\n\r\n1 %u user %u main", (unsigned) getuid(), (unsigned) getuid());
    assert_non_null(strstr(answer, wanted));
}

static void whose_its_clients_are(void **state)
{
    (void) state;
    expect_user();
    expect_user();
}

/* Half a request, none, one that is never read: the next one is served. */
static void clients_that_do_nothing(void **state)
{
    int half = connect_to_it(), silent = connect_to_it(), deaf = connect_to_it();
    (void) state;
    http_send(half, "POST / HTTP/1.1\r\nHost: te");
    http_send(deaf, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi");
    expect_user();
    close(half);
    close(silent);
    close(deaf);
}

/* More than it would ever read, of which nothing is kept. */
static void a_body_without_end(void **state)
{
    char piece[4096], answer[1024];
    int fd = connect_to_it();
    ssize_t n = 1;
    (void) state;
    memset(piece, 'x', sizeof(piece));
    http_send(fd, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1073741824\r\n\r\n");
    for (uint64_t sent = 0; n > 0 && sent<(uint64_t) 1 << 30; sent += n> 0 ? (uint64_t) n : 0)
        n = send(fd, piece, sizeof(piece), MSG_NOSIGNAL);
    assert_true(n < 0); /* the other side has closed */
    ssize_t got = recv(fd, answer, sizeof(answer) - 1, 0);
    assert_true(got > 0);
    answer[got] = '\0';
    assert_non_null(strstr(answer, "HTTP/1.1 413 "));
    close(fd);
    expect_user();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nobody_there, forget_socket),
        cmocka_unit_test_teardown(a_stale_one_is_replaced, forget_socket),
        cmocka_unit_test_teardown(one_in_use_is_not, forget_socket),
        cmocka_unit_test_teardown(one_that_does_not_answer, forget_socket),
        cmocka_unit_test_teardown(where_none_can_be, forget_socket),
        cmocka_unit_test_setup_teardown(whose_its_clients_are, begin, end),
        cmocka_unit_test_setup_teardown(clients_that_do_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_body_without_end, begin, end),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
