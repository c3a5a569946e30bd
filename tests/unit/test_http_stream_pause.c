/* test_http_stream_pause.c - streams with nothing to say: they cost no round of the loop, are asked when there may be
 * something, and do not hide that their client is gone or that the end has come. */
#include "http_stream_helpers.h"

#include <sys/resource.h>
#include <sys/un.h>

#define SEVERAL 20
#define MANY 500
#define CALM_US USEC_PER_SEC /* the loop's longest wait is a fifth of it, where it does not wait for ever */
#define WOKEN_MIN_US (50 * USEC_PER_MSEC) /* between two times that all are asked */

static int fds[MANY];
static int n_fds;
static bool stopped;
static char unix_path[] = "/tmp/http_stream.XXXXXX/s";

static int set_up_for(size_t streams, usec_t request_time_us)
{
    struct http_settings settings = http_default_settings();
    settings.streams = settings.streams_per_ip = streams;
    settings.connections = settings.connections_per_ip = streams + 8;
    settings.request_time_us = request_time_us;
    n_fds = 0;
    stopped = false;
    return set_up_with(&settings);
}

static int set_up(void **state)
{
    (void) state;
    return set_up_for(SEVERAL, PATIENCE_US);
}

static int set_up_impatient(void **state)
{
    (void) state;
    return set_up_for(SEVERAL, 100 * USEC_PER_MSEC);
}

static int set_up_many(void **state)
{
    struct rlimit files;
    (void) state;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    return set_up_for(MANY, PATIENCE_US);
}

static void hang_up(void)
{
    while (n_fds > 0)
        close(fds[--n_fds]);
}

static int tear_down(void **state)
{
    (void) state;
    if (!stopped)
        assert_int_equal(http_stop(http, USEC_PER_SEC, HTTP_NO_LIMIT), 0);
    http = http_free(http);
    close(http_listening_fd);
    hang_up();
    return n_streams != 0; /* each was freed */
}

static int open_stream(const char *request)
{
    int fd = fds[n_fds++] = http_connect();
    http_send(fd, request);
    read_until(fd, "\r\n\r\n");
    return fd;
}

static void open_streams(int n)
{
    while (n-- > 0)
        open_stream(GET_STREAM);
}

/* As long as it takes until there was no round: one that never comes is what fails. */
static void wait_for_calm(void)
{
    usec_t end = uptime_us() + PATIENCE_US, calm_since = uptime_us();
    unsigned n_before = n_rounds;
    while (uptime_us() < calm_since + CALM_US) {
        poll(NULL, 0, 20);
        if (n_rounds == n_before)
            continue;
        n_before = n_rounds;
        calm_since = uptime_us();
        assert_true(calm_since < end);
    }
}

static void read_to_the_end(int fd)
{
    char bytes[256];
    read_until(fd, "0\r\n\r\n"); /* the last chunk: an end, no cut */
    assert_int_equal(http_receive(fd, bytes, sizeof(bytes)), 0);
}

static void they_cost_nothing(void **state)
{
    (void) state;
    open_streams(SEVERAL);
    wait_for_calm();
    say("one", false);
    for (int i = 0; i < n_fds; i++)
        read_until(fds[i], "one");
    wait_for_calm();
    assert_true(http_alive(http)); /* the watchdog's question is for the thread, not for them */
    int n_before = n_asked;
    wait_for_calm();
    assert_int_equal(n_asked, n_before);
    hang_up();
    http_wait_for(all_gone);
}

static void *wake_often(void *argument)
{
    (void) argument;
    for (int i = 0; i < 200; i++) {
        http_wake(http);
        poll(NULL, 0, 1);
    }
    return NULL;
}

/* However many wake them: what was said last is asked for after it was said. */
static void they_are_asked_in_one_go(void **state)
{
    pthread_t wakers[2];
    (void) state;
    open_stream(GET_STREAM);
    wait_for_calm();
    int n_before = n_asked;
    usec_t began_us = uptime_us();
    for (size_t i = 0; i < ARRAY_SIZE(wakers); i++)
        assert_int_equal(pthread_create(&wakers[i], NULL, wake_often, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(wakers); i++)
        pthread_join(wakers[i], NULL);
    int n = n_asked - n_before;
    assert_in_range(n, 1, (uptime_us() - began_us) / WOKEN_MIN_US + 2);
    say("the last", false);
    read_until(fds[0], "the last");
}

static void they_are_asked_after_a_silence(void **state)
{
    (void) state;
    open_stream(GET_BEATS);
    open_stream(GET_STREAM);
    read_until(fds[0], ":\n");
    read_until(fds[0], ":\n");
    hang_up();
    http_wait_for(all_gone);
}

static void clients_go(void **state)
{
    const struct linger none = { .l_onoff = 1 };
    (void) state;
    open_streams(SEVERAL);
    wait_for_calm();
    for (int i = 0; i < n_fds / 2; i++)
        assert_int_equal(setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0); /* a reset */
    hang_up();
    http_wait_for(all_gone);
}

static void the_end_is_told(void **state)
{
    (void) state;
    open_streams(SEVERAL);
    wait_for_calm();
    assert_int_equal(http_stop(http, USEC_PER_SEC, HTTP_NO_LIMIT), 0);
    stopped = true;
    for (int i = 0; i < n_fds; i++)
        read_to_the_end(fds[i]);
}

static void allow_one_stream(void *argument)
{
    struct http_settings settings = http_default_settings();
    (void) argument;
    settings.streams = settings.streams_per_ip = 1;
    http_configure(http, &settings);
}

static void fewer_are_allowed(void **state)
{
    (void) state;
    open_streams(3);
    assert_int_equal(http_call(http, allow_one_stream, NULL, HTTP_NO_LIMIT), 0);
    assert_int_equal(ask("/stream"), 503);
    say("one", false);
    for (int i = 0; i < n_fds; i++)
        read_until(fds[i], "one");
    hang_up();
    http_wait_for(all_gone);
    open_stream(GET_STREAM);
    assert_int_equal(ask("/stream"), 503);
}

static void many(void **state)
{
    (void) state;
    open_streams(MANY);
    assert_int_equal(ask("/stream"), 503);
    wait_for_calm();
    most_asked = 0;
    say("one", false);
    for (int i = 0; i < n_fds; i++)
        read_until(fds[i], "one");
    wait_for_calm();
    assert_in_range(most_asked, 1, MANY - 1); /* each twice, but a part of them in a round */
    for (int i = 0; i < MANY / 4; i++)        /* some go while the others are asked */
        close(fds[--n_fds]);
    say("one two", false);
    for (int i = 0; i < n_fds; i++)
        read_until(fds[i], " two");
    hang_up();
    http_wait_for(all_gone);
}

/* ---- on a Unix socket ---- */

static int set_up_unix(void **state)
{
    const struct http_routes routes = stream_routes();
    struct http_settings settings = http_default_settings();
    struct err err = { "" };
    (void) state;
    settings.request_time_us = 100 * USEC_PER_MSEC; /* silence is longer than that */
    n_fds = 0;
    stopped = false;
    strrchr(unix_path, '/')[0] = '\0';
    if (!mkdtemp(unix_path))
        return -1;
    unix_path[strlen(unix_path)] = '/';
    return http_begin_on(http_listen_unix(unix_path, 0600, &err), &settings, &routes,
                         (struct http_callbacks){ .round = count_round });
}

static int tear_down_unix(void **state)
{
    int r = tear_down(state);
    (void) unlink(unix_path);
    strrchr(unix_path, '/')[0] = '\0';
    r |= rmdir(unix_path);
    memcpy(unix_path + strlen(unix_path) - 6, "XXXXXX", 6);
    unix_path[strlen(unix_path)] = '/';
    return r;
}

static int connect_unix(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", unix_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    return fds[n_fds++] = fd;
}

static void by_unix_socket(void **state)
{
    int silent = connect_unix(), flooded = connect_unix();
    (void) state;
    say("", false);
    http_send(silent, GET_STREAM);
    read_until(silent, "\r\n\r\n");
    http_send(flooded, GET_FLOOD);
    while (n_streams != 1 || !n_flooded_bytes) /* it takes nothing */
        poll(NULL, 0, 2);
    wait_for_calm();
    say("one", false);
    read_until(silent, "one");
    hang_up();
    http_wait_for(all_gone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_cost_nothing, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(they_are_asked_in_one_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(they_are_asked_after_a_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clients_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fewer_are_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many, set_up_many, tear_down),
        cmocka_unit_test_setup_teardown(by_unix_socket, set_up_unix, tear_down_unix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
