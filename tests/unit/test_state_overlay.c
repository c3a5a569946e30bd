/* test_state_overlay.c - what a transaction changes: nobody sees it before it is merged, nothing is left when it is
 * dropped, and in the end a state is the same as one that was changed directly; and what is forgotten, and when. */
#include <sonoran-pushd/ids.h>

#include "state_helpers.h"

#include "state_random.h"

/* The units of a group, which come in the order of hearing. */
static void dump_groups(const struct state *state, const char *community, struct text *out)
{
    static const char *const groups[] = { "a", "b", "3-L-27", "K9" };
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        struct ids ids CLEANUP(ids_free) = { 0 };
        state_group_units(state, community, groups[i], &ids);
        text_addf(out, "group %s:", groups[i]);
        for (size_t k = 0; k < ids.n; k++)
            text_addf(out, " %" PRId64, ids.v[k]);
        text_add(out, "\n");
    }
}

static void dump(const struct state *state, struct text *out)
{
    text_reset(out);
    dump_state_text(state, "a", N_IDS, out);
    dump_state_text(state, "b", N_IDS, out);
    dump_groups(state, "a", out);
    dump_groups(state, "b", out);
    assert_false(out->failed);
}

static void expect_same(const struct state *one, const struct state *other)
{
    struct text a CLEANUP(text_free) = TEXT_INIT, b CLEANUP(text_free) = TEXT_INIT;
    dump(one, &a);
    dump(other, &b);
    assert_string_equal(a.s, b.s);
}

/* Transactions of several events, of which some fail: those leave nothing. */
static void transactions_are_whole(void **fixture)
{
    struct state *base = *fixture, *overlay = state_overlay(base), *direct = state_new();
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    usec_t now = T0;
    uint64_t id = 0;
    for (seed = 1; id < 6000;) {
        struct change changes[12];
        size_t n = 1 + random_below(ARRAY_SIZE(changes));
        bool fails = random_below(4) == 0;
        dump(base, &before);
        for (size_t i = 0; i < n; i++)
            changes[i] = random_change(id + i + 1, now = step(now));
        for (size_t i = 0; i < n; i++)
            make(overlay, &changes[i]);
        dump(base, &after);
        assert_string_equal(before.s, after.s);
        if (fails) {
            state_drop(overlay);
            expect_same(base, overlay);
            continue;
        }
        id += n;
        assert_int_equal(state_merge(overlay, id), 0);
        for (size_t i = 0; i < n; i++)
            make(direct, &changes[i]);
        assert_int_equal(state_as_of(base), id);
        expect_same(base, direct);
    }
    state_free(overlay);
    state_free(direct);
}

/* What is real in one state, as text; the other has more, that is made up. */
static void dump_real(const struct state *real, const struct state *state, struct text *out)
{
    SNAP(r, real);
    SNAP(s, state);
    int dispatchers, on_duty;
    state_count(state, "a", &dispatchers, &on_duty);
    text_addf(out, "%d %d\n", dispatchers, on_duty);
    for (size_t i = 0, k = 0; i < r->n_units; i++) {
        int64_t calls[N_IDS];
        while (k < s->n_units && s->units[k].id != r->units[i].id)
            k++;
        assert_true(k < s->n_units);
        dump_unit_text(out, state, &s->units[k]);
        for (size_t n = state_unit_calls(state, "a", s->units[k].id, calls, N_IDS); n-- > 0;)
            text_addf(out, "at %" PRId64 "\n", calls[n]);
    }
    for (size_t i = 0, k = 0; i < r->n_calls; i++) {
        while (k < s->n_calls && s->calls[k].id != r->calls[i].id)
            k++;
        assert_true(k < s->n_calls);
        dump_call_text(out, &s->calls[k], s->attached[k], s->attached_since_us[k], s->n_attached[k]);
    }
    for (int64_t id = 0; id < N_IDS; id++)
        if (state_find_call911(real, "a", id))
            dump_call911_text(out, state_find_call911(state, "a", id));
}

/* Whatever tests did before and between. */
static void tests_change_nothing_real(void **fixture)
{
    struct state *base = *fixture, *overlay = state_overlay(base), *real = state_new();
    usec_t now = T0;
    seed = 3;
    for (uint64_t id = 1; id <= 3000; id++) {
        struct text a CLEANUP(text_free) = TEXT_INIT, b CLEANUP(text_free) = TEXT_INIT;
        struct change change = random_change(id, now = step(now));
        make(overlay, &change);
        if (change.test)
            state_set_event(real, id, now);
        else
            make(real, &change);
        if (random_below(3))
            continue;
        assert_int_equal(state_merge(overlay, id), 0);
        dump_real(real, base, &a);
        dump_real(real, real, &b);
        assert_string_equal(a.s, b.s);
    }
    state_free(overlay);
    state_free(real);
}

static void an_overlay_shows_both(void **fixture)
{
    struct state *base = *fixture, *overlay = state_overlay(base);
    const int64_t *units;
    put_named(base, 1, "3-L-27", "Mara");
    put_named(base, 2, "3-L-33", "Jonas");
    state_call_attach(base, "a", 50, IDS(1), T0);
    put_named(overlay, 1, NULL, "Tess");
    state_call_attach(overlay, "a", 50, IDS(2, 3), T0);
    assert_string_equal(state_find_unit(overlay, "a", 1)->name, "Tess");
    assert_string_equal(state_find_unit(overlay, "a", 1)->number, "3-L-27");
    assert_string_equal(state_find_unit(overlay, "a", 2)->name, "Jonas");
    assert_string_equal(state_find_unit(base, "a", 1)->name, "Mara");
    assert_null(state_find_unit(base, "a", 3));
    assert_int_equal(state_call_units(overlay, "a", 50, &units), 3);
    assert_int_equal(state_call_units(base, "a", 50, &units), 1);
    state_free(overlay); /* one in the middle of a transaction too */
    assert_string_equal(state_find_unit(base, "a", 1)->name, "Mara");
    expect_counts(base, 2, 1, 0);
}

/* In a full map each newcomer is told with somebody's end, in a transaction as outside of one. */
static void a_full_map_in_a_transaction(void **fixture)
{
    struct state *base = *fixture, *overlay = state_overlay(base), *direct = state_new();
    struct state *const both[] = { base, direct };
    for (size_t k = 0; k < 2; k++)
        for (int64_t id = 0; id < STATE_MAX_ENTRIES; id++)
            put_unit(both[k], id, -1, T0);
    for (size_t k = 0; k < 2; k++) {
        struct state *state = k ? direct : overlay;
        state_call_attach(state, "a", 50, IDS(7), T0);
        for (int64_t id = 0; id < STATE_MAX_ENTRIES; id++)
            put_unit(state, 100000 + id, -1, T0);
        put_unit(state, 3, 0, T0 + 1); /* gone, and here again */
    }
    expect_counts(base, STATE_MAX_ENTRIES, 0, 0);
    assert_int_equal(state_merge(overlay, 1), 0);
    state_set_event(direct, 1, T0);
    expect_same(base, direct);
    expect_counts(base, STATE_MAX_ENTRIES, 1, 0);
    expect_attached(base, 50, NULL, 0);
    state_free(overlay);
    state_free(direct);
}

static size_t n_units_of(const struct state *state)
{
    SNAP(s, state);
    return s->n_units;
}

static void what_is_old_goes(void **fixture)
{
    struct state *state = *fixture;
    state_set_event(state, 1, T0);
    put_unit(state, 1, 1, T0);
    put_unit(state, 2, 1, T0);
    state_call_attach(state, "a", 50, IDS(1, 2), T0);
    state_set_event(state, 2, T0 + MINUTE_US);
    put_unit(state, 2, 0, T0 + MINUTE_US);
    put_call(state, 50, 1, T0 + MINUTE_US);
    state_set_event(state, 3, T0 + STATE_KEEP_US);
    assert_int_equal(n_units_of(state), 2);
    state_set_event(state, 4, T0 + STATE_KEEP_US + MINUTE_US);
    assert_int_equal(n_units_of(state), 1);
    expect_attached(state, 50, IDS(2));
    assert_non_null(state_find_unit(state, "a", 2));
    state_set_event(state, 5, T0 + 3 * STATE_KEEP_US);
    expect_counts(state, 0, 0, 0);
}

static void a_clock_that_steps_back_forgets_nothing(void **fixture)
{
    struct state *state = *fixture;
    state_set_event(state, 1, T0);
    put_unit(state, 1, 1, T0);
    state_set_event(state, 2, T0 - 5 * STATE_KEEP_US);
    put_unit(state, 2, 1, T0);
    state_set_event(state, 3, 0);
    assert_int_equal(n_units_of(state), 2);
    state_set_event(state, 4, MINUTE_US); /* in its own time the second event is as new as this one */
    assert_int_equal(n_units_of(state), 2);
}

/* Ids in the log, and when each came; a start begins behind the last that is old by the time of the newest. */
static void expect_same_after_a_start(const struct change *all, size_t n, const struct state *before)
{
    struct state *after = state_new();
    size_t from = n - 1;
    usec_t begin_us = state_window_begin(all[n - 1].time_us);
    while (from > 0 && all[from - 1].time_us >= begin_us)
        from--;
    for (size_t i = from; i < n; i++)
        make(after, &all[i]);
    expect_same(before, after);
    state_free(after);
}

/* Each event tells all there is to tell, so that what came before the last day cannot show. */
static struct change whole_change(uint64_t event_id, usec_t time_us)
{
    struct change c = random_change(event_id, time_us);
    c.kind = c.kind % 2 ? 3 : 0;
    c.test = false;
    c.unit.number = c.unit.name = c.unit.group = c.call911.caller = "x";
    c.unit.status = 2;
    c.unit.panic = 0;
    c.unit.dispatcher = c.unit.online = 1;
    c.unit.told = true;
    c.unit.status_since_us = 0;
    c.call911.emergency = 1;
    return c;
}

static void a_start_changes_nothing(void **fixture)
{
    enum { N = 1500 };
    static struct change all[N];
    struct state *overlay = state_overlay(*fixture);
    usec_t now = T0;
    seed = 7;
    for (size_t n = 0; n < N;) {
        size_t end = n + 1 + random_below(5);
        for (; n < end && n < N; n++) {
            all[n] = whole_change(n + 1, now = step(now));
            make(overlay, &all[n]);
        }
        assert_int_equal(state_merge(overlay, n), 0);
        if (random_below(8) == 0)
            expect_same_after_a_start(all, n, *fixture);
    }
    state_free(overlay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(transactions_are_whole),  TEST(tests_change_nothing_real),
        TEST(an_overlay_shows_both),   TEST(a_full_map_in_a_transaction),
        TEST(what_is_old_goes),        TEST(a_clock_that_steps_back_forgets_nothing),
        TEST(a_start_changes_nothing),
    };
    return cmocka_run_group_tests_name("state_overlay", tests, NULL, NULL);
}
