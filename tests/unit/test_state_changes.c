/* test_state_changes.c - who follows a state by its changes knows what a snapshot tells, from any event on. */
#include <inttypes.h>

#include "state_helpers.h"
#include "state_random.h"

/* What a follower knows: of each item its text, by kind and id. */
struct follower {
    char *items[3][N_IDS];
    uint64_t as_of;
};

static void keep(struct follower *follower, enum state_kind kind, int64_t id, char *text)
{
    assert_true(id >= 0 && id < N_IDS);
    free(follower->items[kind][id]);
    follower->items[kind][id] = text;
}

static void forget_all(struct follower *follower)
{
    for (size_t kind = 0; kind < ARRAY_SIZE(follower->items); kind++)
        for (int64_t id = 0; id < N_IDS; id++)
            keep(follower, kind, id, NULL);
}

static char *unit_text(const struct state *state, const struct state_snapshot *s, size_t i)
{
    struct text out = TEXT_INIT;
    dump_unit_text(&out, state, &s->units[i]);
    for (size_t k = 0; k < s->n_unit_calls[i]; k++)
        text_addf(&out, " at %" PRId64, s->unit_calls[i][k]);
    text_addf(&out, " %d", s->units[i].test);
    return out.s;
}

static char *call_text(const struct state_snapshot *s, size_t i)
{
    struct text out = TEXT_INIT;
    dump_call_text(&out, &s->calls[i], s->attached[i], s->attached_since_us[i], s->n_attached[i]);
    text_addf(&out, " %d", s->calls[i].test);
    return out.s;
}

static char *call911_text(const struct state_snapshot *s, size_t i)
{
    struct text out = TEXT_INIT;
    dump_call911_text(&out, &s->calls911[i]);
    text_addf(&out, " %d", s->calls911[i].test);
    return out.s;
}

static void take(struct follower *follower, const struct state *state, const struct state_snapshot *s)
{
    for (size_t i = 0; i < s->n_gone; i++)
        keep(follower, s->gone[i].kind, s->gone[i].id, NULL);
    for (size_t i = 0; i < s->n_units; i++)
        keep(follower, STATE_KIND_UNIT, s->units[i].id, unit_text(state, s, i));
    for (size_t i = 0; i < s->n_calls; i++)
        keep(follower, STATE_KIND_CALL, s->calls[i].id, call_text(s, i));
    for (size_t i = 0; i < s->n_calls911; i++)
        keep(follower, STATE_KIND_CALL911, s->calls911[i].id, call911_text(s, i));
    follower->as_of = s->as_of;
}

static void begin_anew(struct follower *follower, const struct state *state)
{
    SNAP(s, state);
    forget_all(follower);
    take(follower, state, s);
}

static size_t follow(struct follower *follower, const struct state *state)
{
    CLEANUP(drop) struct state_snapshot *s = NULL;
    assert_int_equal(state_changes(state, "a", follower->as_of, &s), 0);
    size_t n = s->n_units + s->n_calls + s->n_calls911 + s->n_gone;
    if (s->lost)
        begin_anew(follower, state);
    else
        take(follower, state, s);
    return n;
}

/* One frame of each event, with the rows that have its number: as streams do, whose lists are searched by it. */
struct frame_rows {
    const struct state *state;
    const struct state_snapshot *s;
    uint64_t id;
    struct follower *follower;
};

static bool is_of(const struct frame_rows *rows, uint64_t changed_id, uint64_t *before_id)
{
    assert_true(changed_id >= *before_id && changed_id > rows->follower->as_of);
    *before_id = changed_id;
    return changed_id == rows->id;
}

static void take_frame(const struct frame_rows *rows)
{
    const struct state_snapshot *s = rows->s;
    uint64_t gone = 0, units = 0, calls = 0, calls911 = 0;
    for (size_t i = 0; i < s->n_gone; i++)
        if (is_of(rows, s->gone[i].changed_id, &gone))
            keep(rows->follower, s->gone[i].kind, s->gone[i].id, NULL);
    for (size_t i = 0; i < s->n_units; i++)
        if (is_of(rows, s->units[i].changed_id, &units))
            keep(rows->follower, STATE_KIND_UNIT, s->units[i].id, unit_text(rows->state, s, i));
    for (size_t i = 0; i < s->n_calls; i++)
        if (is_of(rows, s->calls[i].changed_id, &calls))
            keep(rows->follower, STATE_KIND_CALL, s->calls[i].id, call_text(s, i));
    for (size_t i = 0; i < s->n_calls911; i++)
        if (is_of(rows, s->calls911[i].changed_id, &calls911))
            keep(rows->follower, STATE_KIND_CALL911, s->calls911[i].id, call911_text(s, i));
}

static void follow_frames(struct follower *follower, const struct state *state)
{
    CLEANUP(drop) struct state_snapshot *s = NULL;
    assert_int_equal(state_changes(state, "a", follower->as_of, &s), 0);
    if (s->lost) {
        begin_anew(follower, state);
        return;
    }
    for (uint64_t id = follower->as_of + 1; id <= s->as_of; id++)
        take_frame(&(struct frame_rows){ state, s, id, follower });
    follower->as_of = s->as_of;
}

static void cut_number(char *text, const char *word)
{
    char *found = text ? strstr(text, word) : NULL;
    if (!found)
        return;
    found += strlen(word);
    const char *end = found + strspn(found, "0123456789");
    memmove(found, end, strlen(end) + 1);
}

/* When it was heard of last is no change, nor is what a turn knows of who changed it. */
static const char *what_counts(char *text, bool turned)
{
    cut_number(text, " seen ");
    if (turned)
        cut_number(text, " by ");
    return text ? text : "nothing";
}

static void expect_same(struct follower *one, struct follower *other, bool turned)
{
    for (size_t kind = 0; kind < ARRAY_SIZE(one->items); kind++)
        for (int64_t id = 0; id < N_IDS; id++)
            assert_string_equal(what_counts(one->items[kind][id], turned), what_counts(other->items[kind][id], turned));
}

static void expect_right(struct follower *follower, const struct state *state, bool turned)
{
    struct follower fresh = { 0 };
    begin_anew(&fresh, state);
    assert_int_equal(follower->as_of, fresh.as_of);
    expect_same(follower, &fresh, turned);
    forget_all(&fresh);
}

/* ---- one change ---- */

struct counts {
    size_t units, calls, calls911, gone;
};

static void expect_changes(const struct state *state, uint64_t after_id, struct counts wanted)
{
    CLEANUP(drop) struct state_snapshot *s = NULL;
    assert_int_equal(state_changes(state, "a", after_id, &s), 0);
    assert_false(s->lost);
    assert_int_equal(s->n_units, wanted.units);
    assert_int_equal(s->n_calls, wanted.calls);
    assert_int_equal(s->n_calls911, wanted.calls911);
    assert_int_equal(s->n_gone, wanted.gone);
}

static void only_what_changed(void **fixture)
{
    struct state *state = *fixture;
    state_set_event(state, 1, T0);
    put_named(state, 1, "3-L-27", "Mara");
    put_named(state, 2, "3-L-33", "Jonas");
    state_set_event(state, 2, T0);
    state_call_attach(state, "a", 50, IDS(1), T0);
    expect_changes(state, 0, (struct counts){ .units = 2, .calls = 1 });
    expect_changes(state, 1, (struct counts){ .units = 1, .calls = 1 }); /* the unit's row has its calls */
    expect_changes(state, 2, (struct counts){ 0 });
    expect_changes(state, 9, (struct counts){ 0 });

    state_set_event(state, 3, T0);
    put_named(state, 1, "3-L-27", "Mara"); /* as it was */
    put_call(state, 50, 1, T0);
    expect_changes(state, 2, (struct counts){ .calls = 1 });
    state_set_event(state, 4, T0);
    put_call(state, 50, STATE_CALL_CLOSED, T0); /* its units are at no open call any more */
    expect_changes(state, 3, (struct counts){ .units = 1, .calls = 1 });
    state_set_event(state, 5, T0);
    state_units_clear(state, "a", IDS(1, 2), T0);
    expect_changes(state, 4, (struct counts){ .units = 1, .calls = 1 });
}

static void what_went_is_told_until_it_comes_again(void **fixture)
{
    struct state *state = *fixture;
    state_set_event(state, 1, T0);
    put_unit(state, 1, 1, T0);
    put_call911(state, 90, "Zoë", "here", T0);
    state_set_event(state, 2, T0);
    state_call911_remove(state, "a", 90, T0);
    expect_changes(state, 1, (struct counts){ .gone = 1 });
    state_set_event(state, 3, T0 + 2 * STATE_KEEP_US - 1);
    put_unit(state, 2, 1, T0);
    expect_changes(state, 2, (struct counts){ .units = 1, .gone = 2 });
    state_set_event(state, 4, T0 + 2 * STATE_KEEP_US);
    put_unit(state, 1, 1, T0);
    expect_changes(state, 2, (struct counts){ .units = 2, .gone = 1 });
}

static bool is_lost(const struct state *state, uint64_t after_id)
{
    CLEANUP(drop) struct state_snapshot *s = NULL;
    assert_int_equal(state_changes(state, "a", after_id, &s), 0);
    return s->lost;
}

/* Each that comes into a full map drives one out. */
static void too_much_that_went_is_lost(void **fixture)
{
    struct state *state = *fixture;
    uint64_t id = 0;
    for (; id < STATE_MAX_ENTRIES + STATE_MAX_REMOVED; id++) {
        state_set_event(state, id + 1, T0);
        put_unit(state, (int64_t) id, 1, T0);
    }
    assert_false(is_lost(state, STATE_MAX_ENTRIES));
    expect_changes(state, STATE_MAX_ENTRIES, (struct counts){ .units = STATE_MAX_REMOVED, .gone = STATE_MAX_REMOVED });
    state_set_event(state, id + 1, T0);
    put_unit(state, (int64_t) id, 1, T0);
    assert_true(is_lost(state, STATE_MAX_ENTRIES));
    assert_false(is_lost(state, STATE_MAX_ENTRIES + 1));
}

/* ---- many ---- */

/* Whoever follows knows what is known after a turn, at the latest with the next event. */
static void a_turn_is_a_change(void **fixture)
{
    struct state *base = *fixture, *overlay = state_overlay(base), *heir = state_heir(base);
    struct follower often = { 0 }, seldom = { 0 }, frames = { 0 };
    usec_t now = T0;
    size_t n_turns = 0, n_followed = 0;
    bool hears = false;
    seed = 5;
    for (uint64_t id = 1; id < 4000; id++) {
        struct change change = random_change(id, now += USEC_PER_SEC);
        make(overlay, &change);
        if (hears)
            make(heir, &change);
        assert_int_equal(state_merge(overlay, id), 0);
        if (id % 100 == 0 && hears) {
            assert_int_equal(state_moment(base).n_turns, n_turns);
            state_succeed(base, heir, overlay);
            assert_int_equal(state_moment(base).n_turns, n_turns + 1); /* told by nothing else: */
            assert_int_equal(state_moment(base).as_of, id);
            n_turns++;
            CLEANUP(drop) struct state_snapshot *s = NULL;
            assert_int_equal(state_changes(base, "a", id, &s), 0);
            n_followed += !s->lost && s->n_units + s->n_calls + s->n_gone > 0;
        }
        if (id % 100 == 0)
            hears = true;
        follow(&often, base);
        expect_right(&often, base, true);
        follow_frames(&frames, base);
        if (id % 100 != 0)
            expect_right(&frames, base, true);
        if (random_below(10))
            continue;
        follow(&seldom, base);
        expect_right(&seldom, base, true);
    }
    assert_true(n_turns > 30 && n_followed > 10);
    forget_all(&often);
    forget_all(&seldom);
    forget_all(&frames);
    state_free(heir);
    state_free(overlay);
}

/* Transactions of several events; followers ask after each, or after many. */
static void changes_are_all(void **fixture)
{
    struct state *base = *fixture, *overlay = state_overlay(base);
    struct follower often = { 0 }, seldom = { 0 };
    usec_t now = T0;
    uint64_t id = 0;
    for (seed = 11; id < 6000;) {
        size_t n = 1 + random_below(12);
        for (size_t i = 0; i < n; i++) {
            struct change change = random_change(id + i + 1, now = step(now));
            make(overlay, &change);
        }
        id += n;
        assert_int_equal(state_merge(overlay, id), 0);
        follow(&often, base);
        expect_right(&often, base, false);
        if (random_below(10) == 0) {
            follow(&seldom, base);
            expect_right(&seldom, base, false);
        }
    }
    forget_all(&often);
    forget_all(&seldom);
    state_free(overlay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_changed),
        TEST(what_went_is_told_until_it_comes_again),
        TEST(too_much_that_went_is_lost),
        TEST(a_turn_is_a_change),
        TEST(changes_are_all),
    };
    return cmocka_run_group_tests_name("state_changes", tests, NULL, NULL);
}
