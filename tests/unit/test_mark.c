/* test_mark.c - which words of a line are in colour on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include <cmocka.h>

#include <sonoran-pushd/event.h>

static const struct event_family family = { .name = "dispatch", .colour = "36" };

static void expect(const char *line, int level, enum event_verdict verdict, const char *shown)
{
    struct event event = { .community = "county", .family = &family, .verdict = verdict };
    struct description description = DESCRIPTION_INIT;
    struct text out CLEANUP(text_free) = TEXT_INIT;
    text_add(&description.line, line);
    description.level = level;
    log_add_marked(&out, event_mark(&event, &description), description.line.s);
    assert_string_equal(out.s, shown);
    description_free(&description);
}

#define ACCEPTED(line, level, shown) expect(line, level, EVENT_ACCEPTED, shown)

static void test_up_to_the_number(void **state)
{
    (void) state;
    ACCEPTED("911 call 90417 at Pier Rd", LOG_NOTICE, "\033[36m911 call 90417\033[0m at Pier Rd");
    ACCEPTED("call 55120 Structure Fire", LOG_INFO, "\033[36mcall 55120\033[0m Structure Fire");
    ACCEPTED("3-L-27 Mara Ellison busy", LOG_INFO, "\033[36m3-L-27\033[0m Mara Ellison busy");
    ACCEPTED("station alert for Harbor Station 9", LOG_NOTICE, "\033[36mstation alert\033[0m for Harbor Station 9");
    ACCEPTED("no unit updated", LOG_DEBUG, "\033[36mno unit\033[0m updated");
    ACCEPTED("word", LOG_INFO, "\033[36mword\033[0m");
    ACCEPTED("", LOG_INFO, "\033[36m\033[0m");
}

static void test_behind_what_stands_in_front(void **state)
{
    (void) state;
    ACCEPTED("county: call 5 x", LOG_INFO, "county: \033[36mcall 5\033[0m x");
    ACCEPTED("test: call 5 x", LOG_INFO, "test: \033[36mcall 5\033[0m x");
    ACCEPTED("county: test: call 5 x", LOG_INFO, "county: test: \033[36mcall 5\033[0m x");
    ACCEPTED("county: TEST PANIC: unit 1", LOG_WARNING, "county: \033[1;31mTEST PANIC\033[0m: unit 1");
}

static void test_of_another_node(void **state)
{
    struct event event = {
        .community = "county", .family = &family, .home = { .node = "edge1" }, .realm = "county@edge1"
    };
    const char *const lines[][2] = {
        { "call 5 x", "county@edge1: \033[36mcall 5\033[0m x" },
        { "county: call 5 x", "county@edge1: \033[36mcall 5\033[0m x" },
        { "county: test: call 5 x", "county@edge1: test: \033[36mcall 5\033[0m x" },
        { "city: call 5 x", "county@edge1: \033[36mcity\033[0m: call 5 x" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct description description = DESCRIPTION_INIT;
        struct text line CLEANUP(text_free) = TEXT_INIT, out CLEANUP(text_free) = TEXT_INIT;
        text_add(&description.line, lines[i][0]);
        description.level = LOG_INFO;
        struct log_mark mark = event_write_line(&event, &description, &line);
        log_add_marked(&out, mark, line.s);
        assert_string_equal(out.s, lines[i][1]);
        description_free(&description);
    }
}

static void test_red_and_green(void **state)
{
    (void) state;
    ACCEPTED("PANIC again: unit 1", LOG_WARNING, "\033[1;31mPANIC again\033[0m: unit 1");
    ACCEPTED("E-12 off duty while in panic", LOG_WARNING, "\033[1;31mE-12\033[0m off duty while in panic");
    ACCEPTED("panic ended after 2 min: unit 1", LOG_NOTICE, "\033[32mpanic ended after 2 min\033[0m: unit 1");
    expect("refused EVENT_911 from 192.0.2.1: x", LOG_WARNING, EVENT_INVALID,
           "\033[33mrefused EVENT_911\033[0m from 192.0.2.1: x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_to_the_number),
        cmocka_unit_test(test_behind_what_stands_in_front),
        cmocka_unit_test(test_of_another_node),
        cmocka_unit_test(test_red_and_green),
    };
    return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
