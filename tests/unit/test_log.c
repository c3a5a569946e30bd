/* test_log.c - what a record becomes on each target, and which are written at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/log/log_private.h"

#define TIME_US ((usec_t) 1795449600 * USEC_PER_SEC + 123456) /* 2026-11-23T16:00:00.123456Z */

static const struct log_field fields[] = {
    { .name = "SONORAN_EVENT_ID", .number = 1042 },
    { .name = "SONORAN_CALL", .number = 55120, .list = true },
    { .name = "SONORAN_CALL", .number = 55121, .list = true },
    { .name = "SONORAN_UNIT", .number = 7, .list = true },
    { .name = "SONORAN_FROM", .text = "203.0.113.7", .size = 11 },
};

static const struct log_record event = { .level = LOG_NOTICE,
                                         .mark = { .colour = "1;31", .size = 5 },
                                         .message_id = LOG_ID_EVENT,
                                         .time_us = TIME_US,
                                         .line = "PANIC: 3-L-27 at \"Pier\"",
                                         .fields = fields,
                                         .n_fields = ARRAY_SIZE(fields) };

static const struct log_record own = { .level = LOG_WARNING, .time_us = TIME_US, .line = "few descriptors" };

static int set_zone(void **state)
{
    (void) state;
    setenv("TZ", "UTC", true);
    tzset();
    return 0;
}

static void expect(struct log_form form, const struct log_record *record, const char *wanted)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    log_format(&form, record, &out);
    assert_false(out.failed);
    assert_string_equal(out.s, wanted);
}

static void as_text(void **state)
{
    const struct log_form plain = { .target = LOG_TARGET_TEXT }, colour = { .target = LOG_TARGET_TEXT, .colour = true };
    (void) state;
    expect(plain, &event, "16:00:00 PANIC: 3-L-27 at \"Pier\"\n"); /* no label before what an event says */
    expect(colour, &event, "16:00:00 \033[1;31mPANIC\033[0m: 3-L-27 at \"Pier\"\n");
    expect(plain, &own, "16:00:00 warn few descriptors\n");
    expect(colour, &own, "16:00:00 \033[33mwarn\033[0m few descriptors\n");
}

static void as_text_for_the_journal(void **state)
{
    (void) state;
    expect((struct log_form){ .target = LOG_TARGET_TEXT, .stream = true }, &own, "<4>few descriptors\n");
}

static void as_json(void **state)
{
    const struct log_form form = { .target = LOG_TARGET_JSON };
    (void) state;
    expect(form, &event,
           "{\"time\":\"2026-11-23T16:00:00.123456Z\",\"priority\":5,\"message\":\"PANIC: 3-L-27 at \\\"Pier\\\"\","
           "\"message_id\":\"" LOG_ID_EVENT "\",\"event_id\":1042,\"call\":[55120,55121],\"unit\":[7],"
           "\"from\":\"203.0.113.7\"}\n");
    expect(form, &own, "{\"time\":\"2026-11-23T16:00:00.123456Z\",\"priority\":4,\"message\":\"few descriptors\"}\n");
}

/* ---- which are written ---- */

static char written[4096];

/* What comes on stderr while function runs with the log open. */
static void listen_to(int level, void (*function)(void))
{
    struct err err = { "" };
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
    int r = log_open(LOG_TARGET_TEXT, level, &err);
    function();
    log_close(60 * USEC_PER_SEC);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    written[fread(written, 1, sizeof(written) - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(r, 0);
}

static void log_levels(void)
{
    log_line(LOG_INFO, NULL, "info %d", 1);
    log_line(LOG_WARNING, NULL, "warning %s", "two");
    log_write(&(struct log_record){ .level = LOG_INFO, .line = "ready", .always = true });
}

static void only_what_is_wanted(void **state)
{
    (void) state;
    listen_to(LOG_WARNING, log_levels);
    assert_null(strstr(written, "info 1"));
    assert_non_null(strstr(written, " warn warning two\n"));
    assert_non_null(strstr(written, " info ready\n")); /* scripts wait for it */
    listen_to(LOG_INFO, log_levels);
    assert_non_null(strstr(written, " info info 1\n"));
}

static void log_a_problem(void)
{
    assert_int_equal(log_problem(-5, "it failed: %s", "no luck"), -5);
}

static void a_problem_is_an_error(void **state)
{
    (void) state;
    listen_to(LOG_ERR, log_a_problem);
    assert_non_null(strstr(written, " err  it failed: no luck\n"));
}

static bool no_memory;

void __wrap_text_add_safe(struct text *text, const char *s, size_t size, size_t max_chars);
void __real_text_add_safe(struct text *text, const char *s, size_t size, size_t max_chars);

void __wrap_text_add_safe(struct text *text, const char *s, size_t size, size_t max_chars)
{
    if (no_memory)
        text->failed = true;
    else
        __real_text_add_safe(text, s, size, max_chars);
}

static void log_without_memory(void)
{
    no_memory = true;
    log_line(LOG_ERR, NULL, "it failed");
    no_memory = false;
    log_line(LOG_ERR, NULL, "it went on");
}

/* It is absent, and counted. */
static void a_line_without_memory(void **state)
{
    struct log_values before, after;
    (void) state;
    log_get_values(&before);
    listen_to(LOG_INFO, log_without_memory);
    log_get_values(&after);
    assert_null(strstr(written, "err  \n"));
    assert_non_null(strstr(written, "err  it went on\n"));
    assert_non_null(strstr(written, "1 log line lost"));
    assert_int_equal(after.lost_lines, before.lost_lines + 1);
}

static void log_with_tickets(void)
{
    log_write(&(struct log_record){ .level = LOG_INFO, .line = "one", .mark.colour = "0", .ticket = 41 });
    log_passed(42);
}

/* What a writer may forget, who would have to write it again. */
static void how_far_it_is_written(void **state)
{
    (void) state;
    listen_to(LOG_INFO, log_with_tickets);
    assert_int_equal(log_written(), 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_text),
        cmocka_unit_test(as_text_for_the_journal),
        cmocka_unit_test(as_json),
        cmocka_unit_test(only_what_is_wanted),
        cmocka_unit_test(a_problem_is_an_error),
        cmocka_unit_test(a_line_without_memory),
        cmocka_unit_test(how_far_it_is_written),
    };
    return cmocka_run_group_tests_name("log", tests, set_zone, NULL);
}
