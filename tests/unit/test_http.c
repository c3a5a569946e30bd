/* test_http.c - what only the inside of http can show. The rest is in tests/integration, on the real binary. */
#include "http_helpers.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CLOSING_POST "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"

/* How many descriptors the epolls of this process watch. */
static size_t count_watched(void)
{
    DIR *folder = opendir("/proc/self/fdinfo");
    char path[64], line[256];
    size_t n = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        snprintf(path, sizeof(path), "/proc/self/fdinfo/%.16s", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
            n += strncmp(line, "tfd:", 4) == 0;
        if (file)
            fclose(file);
    }
    closedir(folder);
    return n;
}

static uint64_t n_connections(void)
{
    struct http_values values;
    http_get_values(http, &values);
    return values.connections;
}

static bool no_connections(void)
{
    return n_connections() == 0;
}

static bool one_connection(void)
{
    return n_connections() == 1;
}

static void wait_for_rounds(unsigned n)
{
    while (n > 0)
        n -= http_alive(http);
}

/* Like a program of an exec action between its fork and its exec: all descriptors of this process, a moment longer. */
static pid_t hold_descriptors(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    return pid;
}

static void a_freed_connection_leaves_the_loop(void **state)
{
    char answer[1024];
    (void) state;
    size_t n_watched = count_watched();
    int fd = http_connect();
    http_wait_for(one_connection);
    pid_t pid = hold_descriptors();
    http_send(fd, CLOSING_POST);
    assert_true(http_receive(fd, answer, sizeof(answer)) > 0);
    assert_non_null(strstr(answer, "200"));
    shutdown(fd, SHUT_WR);
    http_wait_for(no_connections);
    wait_for_rounds(3); /* in which a report of the freed one would be taken */
    size_t n_watched_after = count_watched();

    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fd);
    assert_int_equal(n_watched_after, n_watched);
}

static bool overtaken;
static struct http_ticket *kept;

static void *answer(void *ticket)
{
    struct http_ticket *answered = ticket;
    answered->answer.status = 200;
    answered->answer.body = "from another thread";
    http_answer_later(http, answered);
    return NULL;
}

/* The first request is answered before this returns, as by a thread that is faster; the second is kept. */
static void answer_elsewhere(void *userdata, struct http_request *request, struct http_answer *ret)
{
    pthread_t thread;
    (void) userdata;
    (void) ret;
    if (overtaken) {
        __atomic_store_n(&kept, request->ticket, __ATOMIC_RELEASE);
        return;
    }
    overtaken = true;
    assert_int_equal(pthread_create(&thread, NULL, answer, request->ticket), 0);
    pthread_join(thread, NULL);
}

static bool one_is_kept(void)
{
    return __atomic_load_n(&kept, __ATOMIC_ACQUIRE);
}

static int set_up_elsewhere(void **state)
{
    static const struct http_route rows[] = { { .method = "POST", .path = "/", .handle = answer_elsewhere } };
    const struct http_routes routes = { .rows = rows, .n = ARRAY_SIZE(rows) };
    const struct http_settings settings = http_default_settings();
    (void) state;
    return http_begin(&settings, &routes, (struct http_callbacks){ 0 });
}

static void expect_answer(int fd)
{
    char received[1024];
    assert_true(http_receive(fd, received, sizeof(received)) > 0);
    assert_non_null(strstr(received, "from another thread"));
}

static void an_answer_that_overtakes_the_handler(void **state)
{
    static const char post[] = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}";
    (void) state;
    int fd = http_connect();
    http_send(fd, post);
    expect_answer(fd);
    http_send(fd, post);
    http_wait_for(one_is_kept);
    answer(kept);
    expect_answer(fd);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_that_overtakes_the_handler, set_up_elsewhere, http_tear_down),
        cmocka_unit_test_setup_teardown(a_freed_connection_leaves_the_loop, http_set_up, http_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
