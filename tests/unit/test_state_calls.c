/* test_state_calls.c - dispatch calls and 911 calls: numbers, notes, which units are at them. */
#include "state_helpers.h"

static void call_numbers(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(put_call(state, 50, STATE_UNSET, T0), 1);
    SNAP(fresh, state);
    const struct state_call *c = &fresh->calls[0];
    assert_true(c->origin == STATE_UNSET && c->status == STATE_UNSET && c->priority == STATE_UNSET);
    assert_true(c->primary == STATE_UNSET_ID && c->call911 == STATE_UNSET_ID && c->n_notes == 0);
    assert_int_equal(fresh->n_attached[0], 0);

    struct state_call patch = STATE_CALL_PATCH(50);
    patch.origin = 1;
    assert_int_equal(state_call_put(state, "a", &patch, T0), 1);
    patch.status = 2;
    assert_int_equal(state_call_put(state, "a", &patch, T0), 1);
    patch.priority = 3;
    assert_int_equal(state_call_put(state, "a", &patch, T0), 1);
    patch.primary = -1;
    assert_int_equal(state_call_put(state, "a", &patch, T0), 1);
    patch.call911 = INT64_MAX;
    assert_int_equal(state_call_put(state, "a", &patch, T0), 1);
    assert_int_equal(state_call_put(state, "a", &patch, T0 + 9), 0);
    assert_int_equal(put_call(state, 50, STATE_UNSET, T0 + 9), 0);
    SNAP(told, state);
    c = &told->calls[0];
    assert_true(c->origin == 1 && c->status == 2 && c->priority == 3 && c->primary == -1);
    assert_true(c->call911 == INT64_MAX && c->seen_us == T0 + 9);
}

static void call911_is_put_and_removed(void **fixture)
{
    struct state *state = *fixture;
    struct state_call911 patch = STATE_CALL911_PATCH(90);
    assert_int_equal(state_call911_put(state, "a", &patch, T0), 1);
    assert_int_equal(state_call911_put(state, "a", &patch, T0 + 1), 0);
    assert_int_equal(state_find_call911(state, "a", 90)->emergency, -1); /* not told is not civil */
    patch.emergency = 0;
    assert_int_equal(state_call911_put(state, "a", &patch, T0), 1);
    assert_int_equal(state_call911_put(state, "a", &patch, T0), 0);
    patch.emergency = 1;
    assert_int_equal(state_call911_put(state, "a", &patch, T0 + 2), 1);
    assert_int_equal(state_call911_put(state, "a", &(struct state_call911) STATE_CALL911_PATCH(90), T0 + 3), 0);
    SNAP(s, state);
    assert_true(s->n_calls911 == 1 && s->calls911[0].emergency == 1 && s->calls911[0].seen_us == T0 + 3);

    assert_int_equal(state_call911_remove(state, "a", 91, T0), 0);
    assert_int_equal(state_call911_remove(state, "b", 90, T0), 0);
    assert_int_equal(state_call911_remove(state, "a", 90, T0), 1);
    assert_int_equal(state_call911_remove(state, "a", 90, T0), 0);
    SNAP(gone, state);
    assert_int_equal(gone->n_calls911, 0);
}

static void units_attach_and_detach(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(state_call_attach(state, "a", 50, IDS(9, 3, 9), T0), 1);
    expect_attached(state, 50, IDS(9, 3));
    assert_int_equal(state_call_attach(state, "a", 50, IDS(3, 9), T0 + 1), 0);
    assert_int_equal(state_call_attach(state, "a", 50, IDS(3, -1, 5), T0), 1);
    expect_attached(state, 50, IDS(9, 3, -1, 5));
    assert_int_equal(state_call_detach(state, "a", 50, IDS(3, 9), T0), 1);
    expect_attached(state, 50, IDS(-1, 5));
    assert_int_equal(state_call_detach(state, "a", 50, IDS(3), T0), 0);
    expect_attached(state, 50, IDS(-1, 5));
    assert_int_equal(state_call_attach(state, "a", 50, NULL, 0, T0), 0);
    assert_int_equal(state_call_detach(state, "a", 50, IDS(5, -1), T0), 1);

    SNAP(s, state);
    assert_true(s->n_calls == 1 && s->n_attached[0] == 0 && s->calls[0].status == STATE_UNSET);
    assert_int_equal(s->n_units, 4); /* placeholders: -1 3 5 9 */
    assert_true(s->units[3].id == 9 && s->units[3].online == 1 && s->units[3].seen_us == T0);
    assert_string_equal(s->units[3].name, "");
}

static void detach_makes_placeholders(void **fixture)
{
    assert_int_equal(state_call_detach(*fixture, "a", 50, IDS(4), T0), 1);
    SNAP(s, *fixture);
    assert_true(s->n_calls == 1 && s->n_attached[0] == 0 && s->n_units == 1 && s->units[0].id == 4);
}

static void attach_hears_of_units(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(state_call_attach(state, "a", 50, IDS(1, 2), T0), 1);
    assert_int_equal(state_call_attach(state, "a", 50, IDS(2), T0 + 5), 0);
    SNAP(s, state);
    assert_true(s->units[0].seen_us == T0 && s->units[1].seen_us == T0 + 5 && s->calls[0].seen_us == T0 + 5);
}

static void set_replaces_units(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(state_call_set_units(state, "a", 50, IDS(1, 2, 1, 3), T0), 1);
    expect_attached(state, 50, IDS(1, 2, 3));
    assert_int_equal(state_call_set_units(state, "a", 50, IDS(1, 2, 3), T0), 0);
    assert_int_equal(state_call_set_units(state, "a", 50, IDS(3, 4), T0), 1);
    expect_attached(state, 50, IDS(3, 4));
    assert_int_equal(state_call_set_units(state, "a", 50, IDS(4, 3), T0), 1);
    expect_attached(state, 50, IDS(4, 3));
    assert_int_equal(state_call_set_units(state, "a", 50, NULL, 0, T0), 1);
    assert_int_equal(state_call_set_units(state, "a", 50, NULL, 0, T0), 0);
    SNAP(s, state);
    assert_true(s->n_attached[0] == 0 && s->n_units == 4);
}

static void attached_units_are_limited(void **fixture)
{
    struct state *state = *fixture;
    int64_t many[STATE_MAX_ATTACHED + 50];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (int64_t) i;
    assert_int_equal(state_call_attach(state, "a", 50, many, ARRAY_SIZE(many), T0), 1);
    assert_int_equal(state_call_attach(state, "a", 50, many, ARRAY_SIZE(many), T0), 0);
    assert_int_equal(state_call_attach(state, "a", 50, IDS(100000), T0), 0);
    expect_attached(state, 50, many, STATE_MAX_ATTACHED);
    SNAP(s, state);
    assert_int_equal(s->n_units, STATE_MAX_ATTACHED);

    assert_int_equal(state_call_set_units(state, "a", 51, many, ARRAY_SIZE(many), T0), 1);
    expect_attached(state, 51, many, STATE_MAX_ATTACHED);
    assert_int_equal(state_call_detach(state, "a", 50, many + 1, ARRAY_SIZE(many) - 1, T0), 1);
    expect_attached(state, 50, IDS(0));
}

static void units_leave_all_calls(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(state_units_clear(state, "a", IDS(1), T0), 0);
    state_call_attach(state, "a", 50, IDS(1, 2, 3), T0);
    state_call_attach(state, "a", 51, IDS(3, 1), T0);
    state_call_attach(state, "a", 52, IDS(4), T0);
    assert_int_equal(state_units_clear(state, "a", IDS(77), T0), 0);
    assert_int_equal(state_units_clear(state, "a", NULL, 0, T0), 0);
    assert_int_equal(state_units_clear(state, "b", IDS(1), T0), 0);
    assert_int_equal(state_units_clear(state, "a", IDS(3, 78, 1), T0 + 2), 1);
    assert_int_equal(state_units_clear(state, "a", IDS(3, 78, 1), T0 + 2), 0);
    expect_attached(state, 50, IDS(2));
    expect_attached(state, 52, IDS(4));
    SNAP(s, state);
    assert_true(s->n_attached[1] == 0 && s->n_units == 4);
    assert_true(s->units[0].seen_us == T0 + 2 && s->units[1].seen_us == T0);
    assert_true(s->calls[1].seen_us == T0 + 2 && s->calls[2].seen_us == T0);
}

static void notes_are_counted(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(state_call_note(state, "a", 50, "first", T0), 1);
    assert_int_equal(state_call_note(state, "a", 50, "second", T0), 1);
    assert_int_equal(state_call_note(state, "a", 50, "second", T0), 1);
    assert_int_equal(state_call_note(state, "a", 50, NULL, T0 + 1), 0);
    assert_int_equal(state_call_note(state, "a", 50, "", T0 + 1), 0);
    SNAP(s, state);
    assert_true(s->n_calls == 1 && s->calls[0].n_notes == 3 && s->calls[0].seen_us == T0 + 1);
    assert_string_equal(s->calls[0].last_note, "second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(call_numbers),
        TEST(call911_is_put_and_removed),
        TEST(units_attach_and_detach),
        TEST(detach_makes_placeholders),
        TEST(attach_hears_of_units),
        TEST(set_replaces_units),
        TEST(attached_units_are_limited),
        TEST(units_leave_all_calls),
        TEST(notes_are_counted),
    };
    return cmocka_run_group_tests_name("state_calls", tests, NULL, NULL);
}
