/* test_child.c - programs started as a fresh service would be, and orphans that nobody else takes away.
 *
 * The test is started with a low limit of open files, and adopts what programs leave behind as PID 1 would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sonoran-pushd/child.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_MAX_S 600
#define STARTED_WITH 777 /* open files */

static int start_with(const char *program, const char *line, int out, pid_t *ret)
{
    char *words[] = { strdup(program), strdup("-c"), strdup(line), NULL }, *environment[] = { NULL };
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const struct child_plan plan = { .argv = words, .environment = environment, .in = in, .out = out };
    int r = child_start(&plan, ret);
    close(in);
    for (size_t i = 0; words[i]; i++)
        free(words[i]);
    return r;
}

/* What a line of shell writes. */
static const char *output_of(const char *line)
{
    static char output[1024];
    int out[2], status = -1;
    pid_t pid = 0;
    ssize_t n, size = 0;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(start_with("/bin/sh", line, out[1], &pid), 0);
    close(out[1]);
    while ((n = read(out[0], output + size, sizeof(output) - 1 - (size_t) size)) > 0)
        size += n;
    output[size] = '\0';
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return output;
}

static void test_limits(void **state)
{
    struct rlimit own;
    (void) state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &own), 0);
    assert_int_equal(own.rlim_cur, own.rlim_max);
    assert_true(own.rlim_cur > STARTED_WITH);
    assert_string_equal(output_of("ulimit -Sn"), "777\n");
}

static void test_umask(void **state)
{
    (void) state;
    mode_t before = umask(027);
    assert_string_equal(output_of("umask"), "0027\n");
    umask(before);
}

/* Of a shell: its own, and what it was given. */
static void test_descriptors(void **state)
{
    (void) state;
    int low = dup(STDOUT_FILENO), high = fcntl(STDOUT_FILENO, F_DUPFD, 900);
    assert_true(low > 2 && high >= 900);
    assert_string_equal(output_of("exec /bin/ls /proc/self/fd"), "0\n1\n2\n3\n"); /* 3: the folder */
    close(low);
    close(high);
}

static void test_not_started(void **state)
{
    pid_t pid = 0;
    (void) state;
    assert_int_equal(start_with("/nowhere/at/all", "", STDOUT_FILENO, &pid), -ENOENT);
    assert_int_equal(start_with("/tmp", "", STDOUT_FILENO, &pid), -EACCES);
    assert_int_equal(pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- adopted ones ---- */

struct starter {
    pid_t child;
    pthread_barrier_t started, looked;
};

/* Starts a program that leaves a dead one and ends itself, and does not wait for it yet. */
static void *start_and_look_away(void *argument)
{
    struct starter *starter = argument;
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int r = start_with("/bin/sh", "true & exit 3", out, &starter->child);
    siginfo_t info = { 0 };
    if (r < 0 || waitid(P_PID, (id_t) starter->child, &info, WEXITED | WNOWAIT) < 0)
        starter->child = -1;
    close(out);
    pthread_barrier_wait(&starter->started);
    pthread_barrier_wait(&starter->looked);
    return NULL;
}

static bool is_zombie(pid_t pid)
{
    char name[64], state = '?';
    snprintf(name, sizeof(name), "/proc/%d/stat", (int) pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    bool known = fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    fclose(file);
    return known && state == 'Z';
}

static unsigned reap_some(void)
{
    unsigned n;
    while ((n = child_reap_adopted()) == 0)
        usleep(1000); /* the alarm bounds it */
    return n;
}

static void test_adopted(void **state)
{
    struct starter starter = { 0 };
    pthread_t thread;
    (void) state;
    pthread_barrier_init(&starter.started, NULL, 2);
    pthread_barrier_init(&starter.looked, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, start_and_look_away, &starter), 0);
    pthread_barrier_wait(&starter.started);
    assert_true(starter.child > 0);

    assert_int_equal(reap_some(), 1); /* the orphan */
    assert_int_equal(child_reap_adopted(), 0);
    assert_true(is_zombie(starter.child)); /* still belongs to its thread */

    pthread_barrier_wait(&starter.looked);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(reap_some(), 1); /* whose thread is gone */
    assert_false(is_zombie(starter.child));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    pthread_barrier_destroy(&starter.started);
    pthread_barrier_destroy(&starter.looked);
}

static int be_started_with_few_files(void **state)
{
    struct rlimit few;
    (void) state;
    alarm(TEST_MAX_S);
    if (getrlimit(RLIMIT_NOFILE, &few) < 0)
        return -1;
    few.rlim_cur = STARTED_WITH;
    if (setrlimit(RLIMIT_NOFILE, &few) < 0)
        return -1;
    child_raise_own_limit();
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* A program of its own would end with a status, and nobody knew that it was none. */
static void test_files_that_cannot_be_set(void **state)
{
    (void) state;
    char *words[] = { strdup("/bin/true"), NULL }, *environment[] = { NULL };
    const struct child_plan plan = { .argv = words, .environment = environment, .in = -1, .out = STDERR_FILENO };
    pid_t pid;
    assert_int_equal(child_start(&plan, &pid), -EBADF);
    free(words[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_umask),
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_not_started),
        cmocka_unit_test(test_adopted),     cmocka_unit_test(test_files_that_cannot_be_set),
    };
    return cmocka_run_group_tests(tests, be_started_with_few_files, NULL);
}
