/* test_state_find.c - looking things up, and since when they are what they are. */
#include <sonoran-pushd/ids.h>

#include "state_helpers.h"

static void nothing_is_found_in_nothing(void **fixture)
{
    const struct state *const states[] = { NULL, *fixture };
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        const int64_t *units;
        int64_t call;
        int dispatchers = 7, on_duty = 7;
        struct ids ids CLEANUP(ids_free) = { 0 };
        assert_null(state_find_unit(states[i], "a", 1));
        assert_null(state_find_call(states[i], "a", 1));
        assert_null(state_find_call911(states[i], "a", 1));
        assert_int_equal(state_call_units(states[i], "a", 1, &units), 0);
        assert_int_equal(state_unit_calls(states[i], "a", 1, &call, 1), 0);
        assert_true(state_call_of_911(states[i], "a", 1) == STATE_UNSET_ID);
        assert_true(state_unit_by_number(states[i], "a", "1") == STATE_UNSET_ID);
        state_group_units(states[i], "a", "g", &ids);
        state_count(states[i], "a", &dispatchers, &on_duty);
        assert_true(ids.n == 0 && dispatchers == 0 && on_duty == 0);
    }
}

static void status_is_known_since(void **fixture)
{
    struct state *state = *fixture;
    struct state_unit mention = STATE_UNIT_PATCH(7), change = STATE_UNIT_PATCH(8);
    mention.status = change.status = 2;
    change.status_since_us = T0;
    state_unit_put(state, "a", &mention, T0);
    state_unit_put(state, "a", &change, T0);
    assert_int_equal(state_find_unit(state, "a", 7)->status_since_us, 0);
    assert_int_equal(state_find_unit(state, "a", 8)->status_since_us, T0);

    state_unit_put(state, "a", &mention, T0 + 5); /* the same again */
    change.status_since_us = T0 + 5;
    state_unit_put(state, "a", &change, T0 + 5);
    assert_int_equal(state_find_unit(state, "a", 7)->status_since_us, 0);
    assert_int_equal(state_find_unit(state, "a", 8)->status_since_us, T0);

    mention.status = 3; /* another one than was told is a change, whoever tells it */
    state_unit_put(state, "a", &mention, T0 + 9);
    assert_int_equal(state_find_unit(state, "a", 7)->status_since_us, T0 + 9);
}

static void duty_is_known_since_a_log_in(void **fixture)
{
    struct state *state = *fixture;
    put_unit(state, 7, -1, T0); /* a placeholder: on duty, but nobody said so */
    assert_int_equal(state_find_unit(state, "a", 7)->duty_since_us, 0);
    struct state_unit duty = STATE_UNIT_PATCH(7);
    duty.online = 1;
    duty.told = true;
    duty.duty_since_us = T0 + 1;
    assert_int_equal(state_unit_put(state, "a", &duty, T0 + 1), 1);
    duty.duty_since_us = T0 + 2;
    assert_int_equal(state_unit_put(state, "a", &duty, T0 + 2), 0); /* again */
    assert_int_equal(state_find_unit(state, "a", 7)->duty_since_us, T0 + 1);
    duty.online = 0;
    duty.duty_since_us = T0 + 3;
    assert_int_equal(state_unit_put(state, "a", &duty, T0 + 3), 1);
    assert_int_equal(state_find_unit(state, "a", 7)->duty_since_us, T0 + 3);
}

static usec_t panic_since(struct state *state, int64_t id, int8_t panic, usec_t told_us, usec_t now_us)
{
    struct state_unit patch = STATE_UNIT_PATCH(id);
    patch.panic = panic;
    patch.panic_since_us = told_us;
    state_unit_put(state, "a", &patch, now_us);
    return state_find_unit(state, "a", id)->panic_since_us;
}

static void panic_is_known_since(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(panic_since(state, 7, 1, 0, T0), 0); /* in a list, nobody knows for how long */
    assert_int_equal(panic_since(state, 7, 0, 0, T0 + 1), T0 + 1);
    assert_int_equal(panic_since(state, 8, 1, T0, T0), T0);
    assert_int_equal(panic_since(state, 8, 1, T0 + 1, T0 + 1), T0);
    put_unit(state, 8, 0, T0 + 2); /* leaving ends it */
    assert_int_equal(state_find_unit(state, "a", 8)->panic_since_us, T0 + 2);
}

static const struct state_call *tell_call(struct state *state, int32_t status, usec_t opened_us, usec_t closed_us,
                                          usec_t now_us)
{
    struct state_call patch = STATE_CALL_PATCH(50);
    patch.status = status;
    patch.opened_us = opened_us;
    patch.closed_us = closed_us;
    state_call_put(state, "a", &patch, now_us);
    return state_find_call(state, "a", 50);
}

static void calls_are_open_and_closed_since(void **fixture)
{
    struct state *state = *fixture;
    const struct state_call *call = tell_call(state, 1, T0, 0, T0);
    assert_true(call->opened_us == T0 && call->closed_us == 0);
    call = tell_call(state, 0, T0 + 1, 0, T0 + 1); /* opened twice: the first counts */
    assert_true(call->opened_us == T0 && call->closed_us == 0);
    call = tell_call(state, STATE_CALL_CLOSED, 0, T0 + 2, T0 + 2);
    assert_true(call->opened_us == T0 && call->closed_us == T0 + 2);
    call = tell_call(state, STATE_CALL_CLOSED, 0, T0 + 3, T0 + 3);
    assert_true(call->closed_us == T0 + 2);
    call = tell_call(state, 1, T0 + 4, 0, T0 + 4);
    assert_true(call->opened_us == T0 + 4 && call->closed_us == 0);
}

static void first_heard_of_closed(void **fixture)
{
    assert_int_equal(tell_call(*fixture, STATE_CALL_CLOSED, 0, 0, T0)->closed_us, 0);
}

static void removed_calls_are_found(void **fixture)
{
    struct state *state = *fixture;
    put_call911(state, 90, "Zoë", "118 Lantern St", T0);
    assert_int_equal(state_call911_remove(state, "a", 90, T0 + 1), 1);
    const struct state_call911 *call = state_find_call911(state, "a", 90);
    assert_true(call->removed && call->opened_us == T0);
    assert_string_equal(call->caller, "Zoë");
    expect_counts(state, 0, 0, 0);
    assert_int_equal(put_call911(state, 90, NULL, NULL, T0 + 2), 1);
    call = state_find_call911(state, "a", 90);
    assert_true(!call->removed && call->opened_us == T0 + 2);
    expect_counts(state, 0, 0, 1);
}

static void calls_of_units_and_units_of_calls(void **fixture)
{
    struct state *state = *fixture;
    const int64_t *units;
    int64_t calls[2];
    state_call_attach(state, "a", 50, IDS(7, 8), T0);
    state_call_attach(state, "a", 51, IDS(8), T0);
    state_call_attach(state, "a", 52, IDS(8), T0);
    assert_int_equal(state_call_units(state, "a", 50, &units), 2);
    assert_true(units[0] == 7 && units[1] == 8);
    assert_int_equal(state_unit_calls(state, "a", 7, calls, 2), 1);
    assert_int_equal(calls[0], 50);
    assert_int_equal(state_unit_calls(state, "a", 8, calls, 2), 2);
    put_call(state, 50, STATE_CALL_CLOSED, T0);
    assert_int_equal(state_unit_calls(state, "a", 7, calls, 2), 0);
    assert_int_equal(state_unit_calls(state, "a", 8, calls, 2), 2);
    assert_true(calls[0] == 51 && calls[1] == 52);
}

static void a_call_made_from_a_911_call(void **fixture)
{
    struct state_call patch = STATE_CALL_PATCH(50);
    patch.call911 = 90;
    put_call911(*fixture, 90, "Zoë", NULL, T0);
    state_call_put(*fixture, "a", &patch, T0);
    assert_int_equal(state_call_of_911(*fixture, "a", 90), 50);
    assert_true(state_call_of_911(*fixture, "a", 91) == STATE_UNSET_ID);
    patch.call911 = 91; /* it is moved */
    state_call_put(*fixture, "a", &patch, T0);
    assert_int_equal(state_call_of_911(*fixture, "a", 91), 50);
    assert_true(state_call_of_911(*fixture, "a", 90) == STATE_UNSET_ID);
}

static void a_number_that_one_unit_has(void **fixture)
{
    struct state *state = *fixture;
    put_named(state, 7, "3-L-27", NULL);
    put_named(state, 8, "3-L-33", NULL);
    assert_int_equal(state_unit_by_number(state, "a", "3-L-27"), 7);
    put_named(state, 9, "3-L-27", NULL);
    assert_true(state_unit_by_number(state, "a", "3-L-27") == STATE_UNSET_ID);
    assert_true(state_unit_by_number(state, "a", "") == STATE_UNSET_ID);
    put_named(state, 7, "9", NULL);
    assert_int_equal(state_unit_by_number(state, "a", "3-L-27"), 9);
    put_unit(state, 9, 0, T0);
    assert_int_equal(state_unit_by_number(state, "a", "3-L-27"), 9);
    put_named(state, 7, "3-L-27", NULL); /* the other one is off duty */
    assert_int_equal(state_unit_by_number(state, "a", "3-L-27"), 7);
    put_unit(state, 7, 0, T0);
    assert_true(state_unit_by_number(state, "a", "3-L-27") == STATE_UNSET_ID);
}

static void units_of_a_group(void **fixture)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    put_group(*fixture, 3, "K9");
    put_group(*fixture, 1, "K9");
    put_group(*fixture, 2, "");
    state_group_units(*fixture, "a", "K9", &ids);
    state_group_units(*fixture, "a", "", &ids);
    assert_true(ids.n == 2 && ids.v[0] + ids.v[1] == 4);
}

static void who_is_on_duty_is_counted(void **fixture)
{
    struct state *state = *fixture;
    int dispatchers, on_duty;
    for (int64_t id = 1; id <= 4; id++) {
        struct state_unit patch = STATE_UNIT_PATCH(id);
        patch.online = id < 4;
        patch.told = true;
        patch.dispatcher = id > 2;
        state_unit_put(state, "a", &patch, T0);
    }
    put_unit(state, 5, -1, T0); /* a placeholder */
    state_count(state, "a", &dispatchers, &on_duty);
    assert_true(dispatchers == 1 && on_duty == 3);
    put_unit(state, 3, 0, T0);
    state_count(state, "a", &dispatchers, &on_duty);
    assert_true(dispatchers == 0 && on_duty == 2);
}

/* A siren for "dispatchers = 0" stays loud after a test of a log-in. */
static void nobody_made_up_is_on_duty(void **fixture)
{
    struct state *state = *fixture;
    struct state_unit patch = STATE_UNIT_PATCH(1);
    int dispatchers, on_duty;
    patch.online = patch.dispatcher = 1;
    patch.told = true;
    state_set_test(state, true);
    state_unit_put(state, "a", &patch, T0);
    state_count(state, "a", &dispatchers, &on_duty);
    assert_true(dispatchers == 0 && on_duty == 0);
    state_set_test(state, false);
    state_unit_put(state, "a", &patch, T0);
    state_set_test(state, true);
    state_unit_put(state, "a", &patch, T0);
    state_count(state, "a", &dispatchers, &on_duty);
    assert_true(dispatchers == 1 && on_duty == 1);
}

static void entries_know_the_event_that_changed_them(void **fixture)
{
    struct state *state = *fixture;
    state_set_event(state, 41, T0);
    state_set_source(state, "push", "main");
    put_named(state, 7, "1", "Mara");
    state_call_attach(state, "a", 50, IDS(7), T0);
    state_set_event(state, 42, T0);
    state_set_source(state, "session", "city");
    put_named(state, 7, "1", "Mara");
    state_call_note(state, "a", 50, "here", T0);
    assert_int_equal(state_find_unit(state, "a", 7)->changed_id, 41);
    assert_int_equal(state_find_call(state, "a", 50)->changed_id, 42);
    assert_string_equal(state_source(state, state_find_unit(state, "a", 7)->changed_source), "push/main");
    assert_string_equal(state_source(state, state_find_call(state, "a", 50)->changed_source), "session/city");
    assert_string_equal(state_source(state, 0), "");
}

/* More than can be told apart: those that were told go on being so, the others are not known. */
static void sources_are_limited(void **fixture)
{
    struct state *state = *fixture, *overlay = state_overlay(state);
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", i);
        state_set_source(overlay, "push", name);
        put_named(overlay, i, NULL, "x");
    }
    assert_int_equal(state_merge(overlay, 1), 0);
    assert_string_equal(state_source(state, state_find_unit(state, "a", 254)->changed_source), "push/254");
    assert_string_equal(state_source(state, state_find_unit(state, "a", 255)->changed_source), "");
    state_set_source(overlay, "push", "3");
    put_named(overlay, 255, NULL, "y");
    assert_string_equal(state_source(overlay, state_find_unit(overlay, "a", 255)->changed_source), "push/3");
    state_free(overlay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_found_in_nothing),
        TEST(status_is_known_since),
        TEST(duty_is_known_since_a_log_in),
        TEST(panic_is_known_since),
        TEST(calls_are_open_and_closed_since),
        TEST(first_heard_of_closed),
        TEST(removed_calls_are_found),
        TEST(calls_of_units_and_units_of_calls),
        TEST(a_call_made_from_a_911_call),
        TEST(a_number_that_one_unit_has),
        TEST(units_of_a_group),
        TEST(who_is_on_duty_is_counted),
        TEST(nobody_made_up_is_on_duty),
        TEST(entries_know_the_event_that_changed_them),
        TEST(sources_are_limited),
    };
    return cmocka_run_group_tests_name("state_find", tests, NULL, NULL);
}
