/* test_state_memory.c - what is allocated, and what happens when memory runs out. */
#include <errno.h>

#include "state_helpers.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

/* Memory that runs out on demand; sanitizers bring their own allocator, and skip what needs this one. */
static bool counting;
static size_t n_allocations, n_living, fail_from = SIZE_MAX;

#ifndef SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static bool refused(void)
{
    return counting && n_allocations++ >= fail_from;
}

static void *counted(void *p)
{
    n_living += counting && p;
    return p;
}

void *malloc(size_t size)
{
    return refused() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return refused() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
    if (refused())
        return NULL;
    return p ? __libc_realloc(p, size) : counted(__libc_malloc(size));
}

void free(void *p)
{
    n_living -= counting && p;
    __libc_free(p);
}
#endif

static void need_own_allocator(void)
{
#ifdef SANITIZED
    skip();
#endif
}

static void count_from_now(size_t fail)
{
    n_allocations = 0;
    fail_from = fail;
    counting = true;
}

static void unchanged_puts_allocate_nothing(void **fixture)
{
    need_own_allocator();
    put_call911(*fixture, 90, "Zoë", "118 Lantern St", T0);
    count_from_now(SIZE_MAX);
    int same = put_call911(*fixture, 90, "Zoë", "118 Lantern St", T0 + 1);
    size_t n_same = n_allocations;
    int other = put_call911(*fixture, 90, "Zoë", "119 Lantern St", T0 + 1);
    counting = false;
    assert_true(same == 0 && n_same == 0);
    assert_true(other == 1 && n_allocations == 1);
}

static int step_put_unit(struct state *state)
{
    return put_named(state, 7, "3-L-27", "Mara Ellison");
}

static int step_put_call(struct state *state)
{
    return put_call(state, 50, 1, T0);
}

static int step_put_call911(struct state *state)
{
    return put_call911(state, 90, "Zoë", "118 Lantern St", T0);
}

static int step_rename(struct state *state)
{
    return state_group_rename(state, "a", "K9", "Dogs", T0);
}

static int step_attach(struct state *state)
{
    return state_call_attach(state, "a", 51, IDS(1, 2), T0);
}

static int step_set_units(struct state *state)
{
    return state_call_set_units(state, "a", 52, IDS(1, 2), T0);
}

static int step_detach(struct state *state)
{
    return state_call_detach(state, "a", 53, IDS(4), T0);
}

static int step_clear(struct state *state)
{
    return state_units_clear(state, "a", IDS(99), T0);
}

static int step_note(struct state *state)
{
    return state_call_note(state, "a", 54, "note", T0);
}

static int step_snapshot(struct state *state)
{
    struct state_snapshot *snapshot;
    int r = state_snapshot(state, "a", &snapshot);
    if (r == 0)
        state_snapshot_free(snapshot);
    return r;
}

static const struct step {
    int (*run)(struct state *state);
    int first, again;
    bool needs_none;
} steps[] = {
    { step_put_unit, 1, 0, false }, { step_put_call, 1, 0, false }, { step_put_call911, 1, 0, false },
    { step_rename, 1, 0, false },   { step_attach, 1, 0, false },   { step_set_units, 1, 0, false },
    { step_detach, 1, 0, false },   { step_clear, 0, 0, true },     { step_note, 1, 1, false },
    { step_snapshot, 0, 0, false },
};

/* With memory for n allocations; whether that was enough. */
static bool step_succeeds(const struct step *step, size_t n)
{
    n_living = 0;
    count_from_now(SIZE_MAX);
    struct state *state = state_new();
    put_group(state, 9, "K9");
    count_from_now(n);
    int r = step->run(state);
    count_from_now(SIZE_MAX);
    int retried = r < 0 ? step->run(state) : r;
    int again = step->run(state);
    state_free(state);
    counting = false;

    assert_true(r == step->first || r == -ENOMEM);
    assert_int_equal(retried, step->first);
    assert_int_equal(again, step->again);
    assert_int_equal(n_living, 0);
    return r >= 0;
}

static void no_memory_is_said(void **fixture)
{
    need_own_allocator();
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        assert_int_equal(step_succeeds(&steps[i], 0), steps[i].needs_none);
        for (size_t n = 1; !step_succeeds(&steps[i], n);)
            assert_true(++n < 20);
    }
    put_named(*fixture, 7, "1", "old");
    count_from_now(1);
    int r = step_put_unit(*fixture); /* memory for one of two texts: neither is taken */
    counting = false;
    assert_int_equal(r, -ENOMEM);
    count_from_now(0);
    struct state *none = state_new();
    int elsewhere = state_call_note(*fixture, "new", 1, "note", T0);
    counting = false;
    assert_null(none);
    assert_int_equal(elsewhere, -ENOMEM);
    SNAP(s, *fixture);
    assert_string_equal(s->units[0].number, "1");
    assert_string_equal(s->units[0].name, "old");
}

/* Each try finds memory for one thing more. After one of them the first unit knows the call, which does not know it. */
static void tried_again_nobody_is_there_twice(void **fixture)
{
    int r = -ENOMEM;
    int64_t calls[4];
    need_own_allocator();
    for (size_t n = 0; r < 0 && n < 20; n++) {
        count_from_now(1);
        r = step_attach(*fixture);
        counting = false;
    }
    assert_int_equal(r, 1);
    assert_int_equal(state_unit_calls(*fixture, "a", 1, calls, 4), 1);
    assert_int_equal(state_unit_calls(*fixture, "a", 2, calls, 4), 1);
}

#define STEP_US (STATE_KEEP_US / 96) /* whole minutes */

/* The time goes on until the unit of that id was heard of too long ago. */
static void forget_unit(struct state *state, int64_t id)
{
    usec_t now = T0 + (usec_t) id * STEP_US + STATE_KEEP_US + STEP_US / 2;
    state_set_event(state, 1000 + (uint64_t) id, now);
    assert_true(put_unit(state, 999, 1, now) >= 0);
}

/* Once there was no room for one more of what went, which drove out the oldest; then there was again. */
static void what_went_is_in_order_after_a_lack_of_memory(void **fixture)
{
    struct state *state = *fixture;
    need_own_allocator();
    put_unit(state, 999, 1, T0);
    for (int64_t id = 1; id <= 70; id++) {
        state_set_event(state, (uint64_t) id, T0 + (usec_t) id * STEP_US);
        put_unit(state, id, 1, T0 + (usec_t) id * STEP_US);
        put_unit(state, 999, 1, T0 + (usec_t) id * STEP_US);
    }
    for (int64_t id = 1; id <= 70; id++) {
        count_from_now(id == 33 || id == 34 ? 0 : SIZE_MAX);
        forget_unit(state, id);
        counting = false;
    }
    CLEANUP(drop) struct state_snapshot *s = NULL;
    assert_int_equal(state_changes(state, "a", 1002, &s), 0);
    assert_false(s->lost);
    assert_int_equal(s->n_gone, 68);
    for (size_t i = 0; i < s->n_gone; i++)
        assert_true(s->gone[i].id == 3 + (int64_t) i && s->gone[i].changed_id == 1003 + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unchanged_puts_allocate_nothing),
        TEST(no_memory_is_said),
        TEST(tried_again_nobody_is_there_twice),
        TEST(what_went_is_in_order_after_a_lack_of_memory),
    };
    return cmocka_run_group_tests_name("state_memory", tests, NULL, NULL);
}
