/* test_demo.c - the built-in shift of "sonoran-pushctl play": every event is one that the daemon takes, and together
 * they are a story that could be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#include "../../src/ctl/demo_shift.h"
#include "../../src/ctl/play.h"

#define COMMUNITY "default"

static struct demo demo;
static struct play_event event = PLAY_EVENT_INIT;

static bool next(void)
{
    struct err err = { "" };
    play_event_done(&event);
    int r = demo_next(&demo, &event, &err);
    if (r < 0)
        fail_msg("%s", err.msg);
    return r > 0;
}

static int begin(void **unused)
{
    struct err err;
    (void) unused;
    return demo_begin(&demo, 7, &err);
}

static int end(void **unused)
{
    (void) unused;
    demo_end(&demo);
    description_free(&event.description);
    event = (struct play_event) PLAY_EVENT_INIT;
    return 0;
}

static void test_accepted(void **unused)
{
    size_t n = 0;
    usec_t last_us = 0;
    (void) unused;
    for (; next(); n++) {
        const struct event *one = &event.batch.events[0];
        if (one->verdict != EVENT_ACCEPTED)
            fail_msg("row %zu, %s: %s", n, one->type, one->reason);
        assert_in_range(event.at_us, last_us, UINT64_MAX);
        assert_null(memmem(one->data_text.s, one->data_text.size, "C_", 2));
        last_us = event.at_us;
    }
    assert_int_equal(n, demo_shift_n);
    assert_in_range(n, 150, 250);
    assert_in_range(last_us / USEC_PER_SEC, 540, 660); /* about ten minutes */
}

/* ---- the story ---- */

static bool is(const char *type)
{
    return strcmp(event.batch.events[0].type, type) == 0;
}

static const cJSON *data(const char *name)
{
    return json_get(event.batch.events[0].data, name);
}

/* What an event speaks of has been told of before, by the state that its line was made from: units are on duty, calls
 * open, 911 calls in the queue. */
static void test_nothing_before_its_time(void **unused)
{
    static const char *const strange[] = { "unit 71",         "again",         "no change known", "was not attached",
                                           "nothing changed", "still on call", "not known" };
    (void) unused;
    for (size_t n = 0; next(); n++) {
        for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
            const char *found = strstr(event.description.line.s, strange[i]);
            /* "D-1 Iris Calloway (unit 7101) on duty" is the one place for the id of a unit. */
            if (found && found[-1] != '(')
                fail_msg("row %zu: %s", n, event.description.line.s);
        }
    }
}

static void test_units_are_on_duty(void **unused)
{
    (void) unused;
    for (size_t n = 0; next(); n++) {
        if (is("EVENT_UNIT_LOGIN") || is("EVENT_UNIT_LOGOUT"))
            continue;
        for (size_t i = 0; i < event.description.units.n; i++) {
            const struct state_unit *unit = state_find_unit(demo.state, COMMUNITY, event.description.units.v[i]);
            if (!unit || unit->online != 1)
                fail_msg("row %zu: unit %lld is off duty", n, (long long) event.description.units.v[i]);
        }
    }
}

static void test_attached_after_opened(void **unused)
{
    size_t n_attached = 0;
    (void) unused;
    for (size_t n = 0; next(); n++) {
        if (!is("EVENT_DISPATCH_UNIT_ATTACH") && !is("EVENT_DISPATCH_NOTE"))
            continue;
        int64_t id = (int64_t) data("callId")->valuedouble;
        const struct state_call *call = state_find_call(demo.state, COMMUNITY, id);
        if (!call || !call->told || call->closed_us)
            fail_msg("row %zu: call %lld is not open", n, (long long) id);
        n_attached++;
    }
    assert_in_range(n_attached, 20, 60);
}

/* At the end everybody is home and nothing is open. */
static void test_ends_as_it_began(void **unused)
{
    bool panic = false, panic_ended = false;
    (void) unused;
    while (next()) {
        panic |= strncmp(event.description.line.s, "PANIC: ", 7) == 0;
        panic_ended |= panic && strncmp(event.description.line.s, "panic ended", 11) == 0;
    }
    assert_true(panic_ended);
    for (int64_t id = 7101; id <= 7151; id++) {
        const struct state_unit *unit = state_find_unit(demo.state, COMMUNITY, id);
        assert_false(unit && (unit->online || unit->panic));
    }
    for (unsigned n = 1; n <= 10; n++) {
        const struct state_call *call = n <= 8 ? state_find_call(demo.state, COMMUNITY, demo.first_id + n) : NULL;
        const struct state_call911 *call911 = state_find_call911(demo.state, COMMUNITY, demo.first_id + 9 + n);
        assert_int_equal(call != NULL, n <= 8);
        assert_non_null(call911);
        assert_false(call && call->status != STATE_CALL_CLOSED);
        assert_int_equal(call911->removed, 1);
    }
}

static void test_rounds_share_no_call(void **unused)
{
    unsigned first = demo.first_id;
    (void) unused;
    end(NULL);
    struct err err;
    assert_int_equal(demo_begin(&demo, 8, &err), 0);
    assert_int_equal(demo.first_id, first + DEMO_IDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_accepted, begin, end),
        cmocka_unit_test_setup_teardown(test_nothing_before_its_time, begin, end),
        cmocka_unit_test_setup_teardown(test_units_are_on_duty, begin, end),
        cmocka_unit_test_setup_teardown(test_attached_after_opened, begin, end),
        cmocka_unit_test_setup_teardown(test_ends_as_it_began, begin, end),
        cmocka_unit_test_setup_teardown(test_rounds_share_no_call, begin, end),
    };
    return cmocka_run_group_tests_name("demo", tests, NULL, NULL);
}
