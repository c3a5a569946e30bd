/* test_exec_limits.c - the exec action with programs that do not end, do not read, do not stop writing, do not die. */
#include "exec_helpers.h"

#include <pthread.h>
#include <stdatomic.h>

#define SHORT_US (200 * USEC_PER_MSEC) /* a time limit that is reached */
#define SET_UP_US (5 * USEC_PER_SEC)   /* the same, after the program had time to prepare itself */

/* Signals that this process sends reach nobody. */
static atomic_bool signals_get_lost;

int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);

int __wrap_kill(pid_t pid, int signal)
{
    if (!signals_get_lost)
        return __real_kill(pid, signal);
    errno = EPERM;
    return -1;
}

/* ---- the time limit ---- */

static void test_time_limit(void **state)
{
    (void) state;
    struct action_outcome outcome = run_script("exec sleep 90", SHORT_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 200ms and was stopped");
    assert_no_children();

    outcome = run_script("trap 'echo cleaned >$D/cleaned; exit 0' TERM; sleep 90 & wait", SET_UP_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 5s and was stopped");
    assert_string_equal(read_all("cleaned"), "cleaned\n");
    wait_for_adopted();

    outcome = run_script("kill -STOP $$", SHORT_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 200ms and was stopped");
    assert_no_children();
}

static void test_ignores_term(void **state)
{
    (void) state;
    struct action_outcome outcome = run_script("trap '' TERM; sleep 90 & echo $! >$D/child\n"
                                               "sh -c 'sleep 90 & echo $! >$0/grandchild; wait' $D &\n"
                                               "while :; do sleep 90; done",
                                               SET_UP_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 5s and was stopped");
    wait_for_adopted();
    assert_gone("child");
    assert_gone("grandchild");
}

/* The program ends when it is asked to; what it started is given time to clean up, and then ended. */
static void test_ignores_term_later(void **state)
{
    (void) state;
    struct action_outcome outcome =
        run_script("(trap '' TERM; exec sleep 90) & echo $! >$D/deaf\n"
                   "sh -c 'trap \"sleep 0.1; echo cleaned >$0/cleaned; exit 0\" TERM; sleep 90 & wait' $D & "
                   "echo $! >$D/tidy\nwait",
                   SET_UP_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 5s and was stopped");
    assert_int_equal(wait_signal_of("deaf"), SIGKILL);
    assert_int_equal(wait_signal_of("tidy"), 0);
    assert_string_equal(read_all("cleaned"), "cleaned\n");
    wait_for_adopted();
}

/* ---- output without end ---- */

static void test_flood(void **state)
{
    (void) state;
    struct action_outcome outcome = run_script("yes | head -c 1000001", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_int_equal(count_lines(), 21);
    assert_string_equal(message_of(19), "siren: y");
    assert_string_equal(message_of(20), "siren: … 999961 more bytes of output");

    outcome = run_script("exec yes", SET_UP_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 5s and was stopped");
    assert_int_equal(count_lines(), 42);
    assert_no_children();
}

/* What is in the pipe when the program ends belongs to it. */
static void test_written_at_the_end(void **state)
{
    (void) state;
    struct text big = TEXT_INIT;
    for (int i = 0; i < 30000; i++)
        text_add(&big, "y\n");
    write_file("big", big.s, 0600);
    text_free(&big);
    for (int i = 0; i < 20; i++) {
        struct action_outcome outcome = run_script("exec dd if=$D/big bs=60000 count=1 2>/dev/null", LONG_US);
        assert_outcome(&outcome, ACTION_DONE, "");
        assert_int_equal(count_lines(), 21);
        assert_string_equal(message_of(20), "siren: … 59960 more bytes of output");
        assert_int_equal(truncate(path_of("log"), 0), 0);
    }
}

static void test_long_line(void **state)
{
    (void) state;
    struct action_outcome outcome = run_script("yes | tr -d '\\n' | head -c 4097", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_int_equal(count_lines(), 2);
    assert_int_equal(strlen(message_of(0)), strlen("siren: ") + 4096);
    assert_string_equal(message_of(1), "siren: … 1 more byte of output");

    outcome = run_script("yes '' | head -c 5000", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_int_equal(count_lines(), 3);
    assert_string_equal(message_of(2), "siren: … 904 more bytes of output");
}

/* ---- input ---- */

static struct action_outcome run_on_much(const char *lines, usec_t timeout_us)
{
    struct text data = TEXT_INIT;
    struct siren siren;
    text_add(&data, "{\"x\":\"");
    for (int i = 0; i < 900000; i++)
        text_add(&data, "x");
    text_add(&data, "\"}");
    write_script("script", lines);
    siren_init(&siren, timeout_us, "script", NULL);
    struct action_outcome outcome = run_siren(&siren, data.s, -1);
    siren_free(&siren);
    text_free(&data);
    return outcome;
}

static void test_input(void **state)
{
    (void) state;
    struct action_outcome outcome = run_on_much("sleep 0.1; tr -d x | wc -lc >$D/counts; echo told", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    int lines = 0, others = 0;
    assert_int_equal(sscanf(read_all("counts"), "%d %d", &lines, &others), 2);
    assert_int_equal(lines, 1); /* all of it, to the last line break */
    assert_in_range(others, 200, 400);

    outcome = run_on_much("exit 0", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    outcome = run_on_much("exec <&-; sleep 0.1; exit 3", LONG_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "ended with status 3");
    outcome = run_on_much("head -c 70000 >/dev/null; exec <&- >&- 2>&-; sleep 0.1; exit 75", LONG_US);
    assert_outcome(&outcome, ACTION_RETRY, "ended with status 75");
    outcome = run_on_much("exec sleep 90", SHORT_US);
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 200ms and was stopped");
    /* Both pipes are full at the same time. */
    outcome = run_on_much("head -c 900000 /dev/zero; cat >/dev/null", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_no_children();
}

/* ---- what cannot be ended ---- */

/* No signal can end it: the deliverer is not held up, no second program comes beside it, and it is no zombie later. */
static void test_cannot_be_ended(void **state)
{
    (void) state;
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct action_outcome outcome = { 0 };
    struct action *action = NULL;
    struct sample sample;
    struct siren siren;
    struct err err;

    write_script("script", "echo $$ >>$D/pids; test -e $D/quick || exec sleep 90");
    siren_init(&siren, SHORT_US, "script", NULL);
    sample_init(&sample, "{}");
    const struct action_context context = { .config = &siren.config, .cancel_fd = -1 };
    assert_int_equal(action_exec.open(&action, &context, &err), 0);
    assert_int_equal(action_exec.render(&siren.config, &sample.record, &payload, &err), 0);

    signals_get_lost = true;
    action_exec.deliver(action, &payload, 1, &outcome);
    signals_get_lost = false;
    assert_outcome(&outcome, ACTION_GIVE_UP, "did not end within 200ms and could not be stopped");

    pid_t pid = atoi(read_all("pids"));
    char sentence[128];
    snprintf(sentence, sizeof(sentence), "waits for process %d of an earlier event, which could not be stopped", pid);
    action_exec.deliver(action, &payload, 1, &outcome);
    assert_outcome(&outcome, ACTION_RETRY, sentence);

    siginfo_t info;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
    write_file("quick", "", 0600);
    siren.config.timeout_us = LONG_US;
    action_exec.deliver(action, &payload, 1, &outcome);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_no_children();

    action_exec.close(action);
    action_payload_free(&payload);
    sample_free(&sample);
    siren_free(&siren);
}

/* ---- cancelled ---- */

/* The program itself makes the descriptor readable, once it is far enough. */
static struct action_outcome run_cancelled(const char *lines)
{
    struct siren siren;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    int fifo = open(path_of("fifo"), O_RDWR | O_CLOEXEC);
    assert_true(fifo >= 0);
    write_script("script", lines);
    siren_init(&siren, LONG_US, "script", NULL);
    struct action_outcome outcome = run_siren(&siren, "{}", fifo);
    siren_free(&siren);
    close(fifo);
    assert_int_equal(unlink(path_of("fifo")), 0);
    return outcome;
}

static void test_cancel(void **state)
{
    (void) state;
    struct action_outcome outcome = run_cancelled("echo stop >$D/fifo; exec sleep 90");
    assert_outcome(&outcome, ACTION_CANCELLED, "was stopped before its end");
    assert_no_children();

    outcome = run_cancelled("trap '' TERM; echo stop >$D/fifo; while :; do sleep 90; done");
    assert_outcome(&outcome, ACTION_CANCELLED, "was stopped before its end");
    wait_for_adopted();

    outcome = run_cancelled("trap 'exit 0' TERM; echo stop >$D/fifo; while :; do sleep 0.1; done");
    assert_outcome(&outcome, ACTION_CANCELLED, "was stopped before its end");
    wait_for_adopted();
}

static void test_cancelled_before(void **state)
{
    (void) state;
    int cancel[2];
    struct siren siren;
    assert_int_equal(pipe2(cancel, O_CLOEXEC), 0);
    assert_int_equal(write(cancel[1], "x", 1), 1);
    write_script("script", "echo >$D/started");
    siren_init(&siren, LONG_US, "script", NULL);
    struct action_outcome outcome = run_siren(&siren, "{}", cancel[0]);
    siren_free(&siren);
    close(cancel[0]);
    close(cancel[1]);
    assert_outcome(&outcome, ACTION_CANCELLED, "was not started any more");
    assert_false(is_there("started"));
}

/* ---- many at one time ---- */

#define N_THREADS 8
#define N_RUNS 12

/* Each program gets its own input and ends as that says. cmocka's asserts stay in the test's own thread. */
static void *run_many(void *argument)
{
    struct siren siren;
    intptr_t wrong = 0;
    const long number = (long) (intptr_t) argument;
    char data[32], sentence[32];
    siren_init(&siren, LONG_US, "script", NULL);
    for (long i = 0; i < N_RUNS; i++) {
        snprintf(data, sizeof(data), "{\"x\":%ld}", number + i % 2);
        snprintf(sentence, sizeof(sentence), "ended with status %ld", number + i % 2);
        struct action_outcome outcome = run_siren(&siren, data, -1);
        wrong += strcmp(outcome.err.msg, sentence) != 0;
    }
    siren_free(&siren);
    return (void *) wrong;
}

static void test_parallel(void **state)
{
    (void) state;
    pthread_t threads[N_THREADS];
    write_script("script", "read -r line; line=${line##*:}; echo hello; exit ${line%%\\}*}");
    for (intptr_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, (void *) (10 + 10 * i)), 0);
    for (size_t i = 0; i < N_THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(count_lines(), N_THREADS * N_RUNS);
    assert_no_children();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        exec_test(test_time_limit),
        exec_test(test_ignores_term),
        exec_test(test_ignores_term_later),
        exec_test(test_flood),
        exec_test(test_long_line),
        exec_test(test_written_at_the_end),
        exec_test(test_input),
        exec_test(test_cannot_be_ended),
        exec_test(test_cancel),
        exec_test(test_cancelled_before),
        exec_test(test_parallel),
    };
    return cmocka_run_group_tests(tests, be_like_the_daemon, NULL);
}
