/* test_exec_left.c - what a program of the exec action leaves running in the background. */
#include "exec_helpers.h"

static void test_background(void **state)
{
    (void) state;
    struct action_outcome outcome = run_script("sleep 90 & echo $! >$D/job\n"
                                               "until read -r name </proc/$!/comm && [ $name = sleep ]; do :; done\n"
                                               "echo started",
                                               LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_string_equal(message_of(0), "siren: started");
    pid_t job = atoi(read_all("job"));
    assert_int_equal(waitpid(job, NULL, WNOHANG), 0); /* goes on */
    assert_int_equal(kill(job, SIGINT), 0);
    assert_int_equal(kill(job, SIGTERM), 0);
    assert_int_equal(wait_signal_of("job"), SIGTERM); /* a shell's background jobs ignore SIGINT */

    outcome = run_script("sleep 90 & echo $! >$D/job; exit 75", LONG_US);
    assert_outcome(&outcome, ACTION_RETRY, "ended with status 75");
    assert_int_equal(wait_signal_of("job"), SIGKILL);
    assert_no_children();
}

static void wait_for_lines(size_t n)
{
    while (count_lines() < n)
        usleep(1000); /* the alarm bounds it */
    assert_int_equal(count_lines(), n);
}

/* play horn.wav & */
static void test_background_writes(void **state)
{
    (void) state;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    struct action_outcome outcome =
        run_script("(read -r line <$D/fifo; echo later; printf last) & echo $! >$D/job", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_int_equal(count_lines(), 0);
    write_file("fifo", "go\n", 0600);
    assert_int_equal(wait_signal_of("job"), 0);
    wait_for_lines(2);
    assert_string_equal(message_of(0), "siren: later");
    assert_string_equal(message_of(1), "siren: last");

    /* More than a pipe holds, and than is shown. */
    outcome = run_script("(sleep 0.1; yes | head -c 200000) & echo $! >$D/job", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_int_equal(wait_signal_of("job"), 0);
    wait_for_adopted();
    wait_for_lines(2 + 21);
    assert_string_equal(message_of(2 + 20), "siren: … 199960 more bytes of output");
}

#define MANY 257

static void test_many_in_the_background(void **state)
{
    (void) state;
    for (int i = 0; i < MANY; i++) {
        struct action_outcome outcome = run_script("sleep 900 & echo -n $! '' >>$D/jobs", LONG_US);
        assert_outcome(&outcome, ACTION_DONE, "");
    }
    wait_for_lines(1);
    assert_string_equal(message_of(0), "siren: what it left running in the background is not read, and ends when it "
                                       "writes: too many others are running already");
    char *next = read_all("jobs");
    for (int i = 0; i < MANY; i++)
        assert_int_equal(kill((pid_t) strtol(next, &next, 10), SIGKILL), 0);
    wait_for_adopted();

    do { /* there is room again, once the reader has seen that they are gone */
        struct action_outcome outcome = run_script("(sleep 0.1; echo heard) &", LONG_US);
        assert_outcome(&outcome, ACTION_DONE, "");
        wait_for_adopted();
    } while (!strstr(read_all("log"), "siren: heard"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        exec_test(test_background),
        exec_test(test_background_writes),
        exec_test(test_many_in_the_background),
    };
    return cmocka_run_group_tests(tests, be_like_the_daemon, NULL);
}
