/* test_exec_system.c - the exec action and the system: how much a program may be given, and what it starts with. What
 * is looked at is the kernel's, so it is not for an emulator (tests/system/arm64). */
#include "exec_helpers.h"

extern char **environ;

/* An event with a text of so many bytes, given as argument n times. 0: it was rendered, and its delivery ended with
 * the sentence. */
static int render_long(size_t size, size_t n, const char *sentence, struct err *ret_err)
{
    char program[] = "/bin/true", argument[] = "{/x}", name[] = "siren";
    char *words[COMMAND_MAX + 1] = { program };
    struct exec_settings settings = { .command = words, .n_command = n + 1 };
    struct config_action config = { .name = name, .settings = &settings };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct text data = TEXT_INIT;
    struct sample sample;

    for (size_t i = 1; i <= n; i++)
        words[i] = argument;
    text_add(&data, "{\"x\":\"");
    for (size_t i = 0; i < size; i++)
        text_add(&data, "x");
    text_add(&data, "\"}");
    sample_init(&sample, data.s);
    for (int i = 0; i < 3000; i++)
        text_add(&sample.description.line, "é");
    int r = action_exec.render(&config, &sample.record, &payload, ret_err);
    if (r == 0) {
        /* The summary is cut between two characters. */
        const struct action_context context = { .config = &config, .cancel_fd = -1 };
        struct action_outcome outcome;
        struct action *action;
        const char *summary = find_variable(&payload.environment, "SONORAN_SUMMARY");
        config.timeout_us = LONG_US;
        assert_in_range(summary ? strlen(summary) : 4000, 4000, 4200);
        assert_string_equal(summary ? summary + strlen(summary) - 5 : "é…", "é…");
        assert_int_equal(action_exec.open(&action, &context, ret_err), 0);
        action_exec.deliver(action, &payload, 1, &outcome);
        assert_outcome(&outcome, *sentence ? ACTION_GIVE_UP : ACTION_DONE, sentence);
        action_exec.close(action);
    } else {
        assert_int_equal(payload.words.n, 0);
    }
    action_payload_free(&payload);
    sample_free(&sample);
    text_free(&data);
    return r;
}

static void test_render_too_long(void **state)
{
    (void) state;
    struct err err;
    assert_int_equal(render_long(131071, 7, "", &err), 0);
    assert_int_equal(render_long(131072, 1, "", &err), -E2BIG);
    assert_string_equal(err.msg, "argument 1 of the program would have 131072 bytes, at most 131071 are possible");
    assert_int_equal(render_long(131071, 8, "", &err), -E2BIG);
    assert_non_null(strstr(err.msg, "the program's arguments would have 10"));
}

/* The system takes less where the stack is small. */
static void test_too_long_for_system(void **state)
{
    struct rlimit before, small;
    (void) state;
    struct err err;
    assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
    small = before;
    small.rlim_cur = 512 << 10;
    assert_int_equal(setrlimit(RLIMIT_STACK, &small), 0);
    int r = render_long(131071, 1, "has more arguments and variables than the system takes", &err);
    assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
    assert_int_equal(r, 0);
}

/* ---- what a program is given: the test itself is the program ---- */

static void probe_signals(FILE *out)
{
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action = { .sa_handler = SIG_DFL };
        if (sigismember(&blocked, i) == 1)
            fprintf(out, "blocked %d\n", i);
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            fprintf(out, "ignored %d\n", i);
    }
}

static int probe(const char *file)
{
    char cwd[256] = "";
    bool open_fds[1024];
    for (int fd = 0; fd < 1024; fd++)
        open_fds[fd] = fcntl(fd, F_GETFD) >= 0;
    FILE *out = fopen(file, "w");
    if (!out)
        return 1;
    for (int fd = 0; fd < 1024; fd++)
        if (open_fds[fd])
            fprintf(out, "fd %d%s\n", fd, fcntl(fd, F_GETFL) & O_NONBLOCK ? " nonblocking" : "");
    probe_signals(out);
    struct rlimit files = { 0 };
    (void) getrlimit(RLIMIT_NOFILE, &files);
    fprintf(out, "files %llu\n", (unsigned long long) files.rlim_cur);
    fprintf(out, "cwd %s\nleader %d\n", getcwd(cwd, sizeof(cwd)), getsid(0) == getpid() && getpgid(0) == getpid());
    for (char **variable = environ; *variable; variable++)
        fprintf(out, "%s\n", *variable);
    return fclose(out) == 0 ? 0 : 1;
}

static void test_surroundings(void **state)
{
    (void) state;
    char self[256] = "";
    struct siren siren;
    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("HOME", "/nowhere", 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    setenv("NOTIFY_SOCKET", "/run/notify", 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("MEMORY_PRESSURE_WATCH", "/sys/fs/cgroup/x", 1);
    setenv("SONORAN_SECRET_CITY", "a-key", 1);
    setenv("LD_LIBRARY_PATH", "/nowhere", 1);
    int low = dup(STDOUT_FILENO), high = fcntl(STDOUT_FILENO, F_DUPFD, 900);
    assert_true(low > 2 && high >= 900);

    siren_init(&siren, LONG_US, self, path_of("probed"));
    struct action_outcome outcome = run_siren(&siren, "{}", -1);
    close(low);
    close(high);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_string_equal(read_all("probed"), "fd 0\nfd 1\nfd 2\n"
                                            "files 777\n"
                                            "cwd /\nleader 1\n"
                                            "PATH=/usr/bin:/bin\n"
                                            "HOME=/nowhere\n"
                                            "LANG=C.UTF-8\n"
                                            "SONORAN_ACTION=siren\n"
                                            "SONORAN_EVENT=EVENT_911\n"
                                            "SONORAN_EVENT_ID=1042\n"
                                            "SONORAN_TIME=2026-11-23T16:00:00.123456Z\n"
                                            "SONORAN_COMMUNITY=default\n"
                                            "SONORAN_LISTENER=main\n"
                                            "SONORAN_FROM=192.0.2.7\n"
                                            "SONORAN_VERDICT=accepted\n"
                                            "SONORAN_FAMILY=\n"
                                            "SONORAN_SOURCE=push\n"
                                            "SONORAN_TEST=\n"
                                            "SONORAN_LEVEL=0\n"
                                            "SONORAN_SUMMARY=911 call 90417 from John \"Doe\"\n"
                                            "SONORAN_CALLS=\n"
                                            "SONORAN_CALLS911=90417\n"
                                            "SONORAN_UNITS=4127,-1\n"
                                            "SONORAN_LEFT_OUT=0\n");
    siren_free(&siren);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return probe(argv[1]);
    const struct CMUnitTest tests[] = {
        exec_test(test_render_too_long),
        exec_test(test_too_long_for_system),
        exec_test(test_surroundings),
    };
    return cmocka_run_group_tests(tests, be_like_the_daemon, NULL);
}
