/* state_helpers.h - for the tests of state: a state as fixture, short ways to put entries, looks at snapshots.
 *
 * Everything is put into community "a".
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/state.h>

#define T0 ((usec_t) 1795449600 * USEC_PER_SEC)
#define IDS(...) ((const int64_t[]){ __VA_ARGS__ }), sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)

static inline int setup(void **fixture)
{
    return (*fixture = state_new()) ? 0 : -1;
}

static inline int teardown(void **fixture)
{
    return (*fixture = state_free(*fixture)) ? -1 : 0;
}

static inline struct state_snapshot *snap_of(const struct state *state, const char *community)
{
    struct state_snapshot *snapshot = NULL;
    assert_int_equal(state_snapshot(state, community, &snapshot), 0);
    assert_non_null(snapshot);
    return snapshot;
}

static inline struct state_snapshot *snap(const struct state *state)
{
    return snap_of(state, "a");
}

static inline void drop(void *snapshot)
{
    state_snapshot_free(*(struct state_snapshot **) snapshot);
}

#define SNAP(name, state) CLEANUP(drop) struct state_snapshot *name = snap(state)

static inline int put_unit(struct state *state, int64_t id, int8_t online, usec_t now)
{
    struct state_unit patch = STATE_UNIT_PATCH(id);
    patch.online = online;
    return state_unit_put(state, "a", &patch, now);
}

static inline int put_named(struct state *state, int64_t id, const char *number, const char *name)
{
    struct state_unit patch = STATE_UNIT_PATCH(id);
    patch.number = number;
    patch.name = name;
    return state_unit_put(state, "a", &patch, T0);
}

static inline int put_group(struct state *state, int64_t id, const char *group)
{
    struct state_unit patch = STATE_UNIT_PATCH(id);
    patch.group = group;
    return state_unit_put(state, "a", &patch, T0);
}

static inline int put_call(struct state *state, int64_t id, int32_t status, usec_t now)
{
    struct state_call patch = STATE_CALL_PATCH(id);
    patch.status = status;
    return state_call_put(state, "a", &patch, now);
}

static inline int put_call911(struct state *state, int64_t id, const char *caller, const char *location, usec_t now)
{
    struct state_call911 patch = STATE_CALL911_PATCH(id);
    patch.caller = caller;
    patch.location = location;
    return state_call911_put(state, "a", &patch, now);
}

static inline void expect_attached(const struct state *state, int64_t call, const int64_t *units, size_t n)
{
    SNAP(s, state);
    for (size_t i = 0; i < s->n_calls; i++) {
        if (s->calls[i].id != call)
            continue;
        assert_int_equal(s->n_attached[i], n);
        assert_memory_equal(s->attached[i], units, n * sizeof(*units));
        return;
    }
    fail_msg("no call %lld", (long long) call);
}

static inline void expect_counts(const struct state *state, size_t n_units, size_t n_calls, size_t n_calls911)
{
    SNAP(s, state);
    assert_int_equal(s->n_units, n_units);
    assert_int_equal(s->n_calls, n_calls);
    assert_int_equal(s->n_calls911, n_calls911);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
