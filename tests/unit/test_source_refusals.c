/* test_source_refusals.c - lines about refused requests: few, however many strangers come, and none of them costs a
 * sender of ours its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/intake/intake_private.h"
#include <sonoran-pushd/log.h>

static struct refusals refusals;
static FILE *file;
static int stderr_before;

static int set_up(void **state)
{
    struct err err = { "" };
    (void) state;
    memset(&refusals, 0, sizeof(refusals));
    pthread_mutex_init(&refusals.lock, NULL);
    file = tmpfile();
    stderr_before = dup(STDERR_FILENO);
    if (!file || dup2(fileno(file), STDERR_FILENO) < 0)
        return -1;
    return log_open(LOG_TARGET_JSON, LOG_INFO, &err);
}

static int tear_down(void **state)
{
    (void) state;
    pthread_mutex_destroy(&refusals.lock);
    fclose(file);
    return 0;
}

/* Ends the log: all that was written. */
static const char *lines(void)
{
    static char written[1 << 16];
    log_close(60 * USEC_PER_SEC);
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    rewind(file);
    written[fread(written, 1, sizeof(written) - 1, file)] = '\0';
    return written;
}

static size_t count(const char *all, const char *part)
{
    size_t n = 0;
    for (const char *p = all; (p = strstr(p, part)); p++)
        n++;
    return n;
}

static const char *source = "push";

static void refuse(unsigned number, const char *reason, bool known)
{
    struct origin origin = { .name = "main" };
    text_copy(origin.source, sizeof(origin.source), source);
    snprintf(origin.peer, sizeof(origin.peer), "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255, number & 255);
    const struct gate_refusal refusal = {
        .origin = &origin, .reason = reason, .detail = "why", .claimed = "EVENT_911", .path = "/x"
    };
    refusals_tell(&refusals, &refusal, LOG_WARNING, known);
}

static void one_line_with_all_that_is_known(void **state)
{
    (void) state;
    refuse(1, "wrong key", false);
    const char *said = lines();
    assert_int_equal(count(said, "\n"), 1);
    assert_non_null(strstr(said, "\"message\":\"refused a request from 10.0.0.1: wrong key, for EVENT_911 (why)\""));
    assert_non_null(strstr(said, "\"listener\":\"main\",\"from\":\"10.0.0.1\",\"verdict\":\"refused\",\"reason\":"
                                 "\"wrong key\",\"event\":\"EVENT_911\",\"path\":\"/x\""));
}

/* The first of each kind and host, and then their number. */
static void many_of_many(void **state)
{
    (void) state;
    for (unsigned i = 0; i < 1000; i++)
        refuse(i, "wrong key", false);
    refuse(5000, "path not found", false);
    refusals_sum_up(&refusals);
    refuse(1, "wrong key", false); /* a new minute */
    refusals_sum_up(&refusals);
    const char *said = lines();
    assert_int_equal(count(said, "refused a request from"), REFUSAL_HOSTS + 2);
    assert_int_equal(count(said, "refused 996 more like this in the last minute: wrong key (the last from 10.0.3.231)"),
                     1);
    assert_int_equal(count(said, "more like this"), 1);
}

static void a_known_host_has_its_own(void **state)
{
    (void) state;
    for (unsigned i = 0; i < 1000; i++)
        refuse(i, "wrong key", false);
    refuse(2000, "wrong key", true);
    refuse(2000, "wrong key", true);
    refusals_sum_up(&refusals);
    const char *said = lines();
    assert_int_equal(count(said, "refused a request from 10.0.7.208"), 1);
    assert_int_equal(count(said, "refused 1 more like this in the last minute: wrong key (the last from 10.0.7.208)"),
                     1);
}

/* What strangers do at one source takes no line from another. */
static void each_source_has_its_own(void **state)
{
    (void) state;
    for (unsigned i = 0; i < 10; i++)
        refuse(i, "wrong key", false);
    source = "session";
    for (unsigned i = 0; i < 10; i++)
        refuse(i, "wrong key", false);
    source = "push";
    refusals_sum_up(&refusals);
    const char *said = lines();
    assert_int_equal(count(said, "refused a request from"), 2 * REFUSAL_HOSTS);
    assert_int_equal(count(said, "refused 6 more like this"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_line_with_all_that_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_of_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_known_host_has_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_source_has_its_own, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
