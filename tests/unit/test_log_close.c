/* test_log_close.c - lines told before the log is open, and by threads that go on when it is closed. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <sonoran-pushd/log.h>

#define ROUNDS 50
#define LINES 500

static void *write_lines(void *unused)
{
    for (int i = 0; i < LINES; i++)
        log_line(LOG_INFO, NULL, "line %d of a thread that goes on", i);
    return unused;
}

static size_t count_lines(FILE *file)
{
    size_t n = 0;
    rewind(file);
    for (int c; (c = fgetc(file)) != EOF;)
        n += c == '\n';
    return n;
}

static void close_in_the_middle(void)
{
    struct err err;
    pthread_t thread;
    assert_int_equal(log_open(LOG_TARGET_TEXT, LOG_INFO, &err), 0);
    assert_int_equal(pthread_create(&thread, NULL, write_lines, NULL), 0);
    log_close(60 * USEC_PER_SEC);
    pthread_join(thread, NULL);
}

/* What write tells goes to a file. */
static FILE *tell_into_file(void (*write)(void))
{
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
    write();
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    close(before);
    return file;
}

static void write_rounds(void)
{
    for (int i = 0; i < ROUNDS; i++)
        close_in_the_middle();
}

static void nothing_is_lost(void **state)
{
    (void) state;
    FILE *file = tell_into_file(write_rounds);
    assert_int_equal(count_lines(file), ROUNDS * LINES);
    fclose(file);
}

/* A warning about the configuration comes before the configuration says where lines go. */
static void write_before_it_is_open(void)
{
    struct err err;
    log_configure(LOG_TARGET_TEXT, LOG_INFO);
    log_line(LOG_WARNING, NULL, "a warning");
    assert_int_equal(log_open(LOG_TARGET_JSON, LOG_INFO, &err), 0);
    log_line(LOG_INFO, NULL, "a line");
    log_close(60 * USEC_PER_SEC);
}

static void what_was_told_before_is_not_lost(void **state)
{
    (void) state;
    FILE *file = tell_into_file(write_before_it_is_open);
    assert_int_equal(count_lines(file), 2);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(what_was_told_before_is_not_lost),
    };
    return cmocka_run_group_tests_name("log_close", tests, NULL, NULL);
}
