/* test_state_snapshot.c - what snapshots show, and threads that share a state. */
#include <pthread.h>
#include <stdatomic.h>

#include "state_helpers.h"

static void snapshots_stand_alone(void **fixture)
{
    struct state *state = *fixture;
    put_named(state, 1, "3-L-27", "Mara Ellison");
    state_call_note(state, "a", 50, "shots heard", T0);
    state_call_attach(state, "a", 50, IDS(1, 2), T0);
    put_call911(state, 90, "Zoë", "118 Lantern St", T0);
    SNAP(s, state);

    put_named(state, 1, "3-L-28", "");
    state_call_set_units(state, "a", 50, IDS(8, 9), T0);
    state_call911_remove(state, "a", 90, T0);
    *fixture = state_free(state);
    assert_string_equal(s->units[0].number, "3-L-27");
    assert_string_equal(s->units[0].name, "Mara Ellison");
    assert_string_equal(s->calls[0].last_note, "shots heard");
    assert_string_equal(s->calls911[0].caller, "Zoë");
    assert_string_equal(s->calls911[0].location, "118 Lantern St");
    assert_true(s->n_attached[0] == 2 && s->attached[0][0] == 1 && s->attached[0][1] == 2);
}

static void free_takes_null(void **fixture)
{
    (void) fixture;
    assert_null(state_free(NULL));
    assert_null(state_snapshot_free(NULL));
}

#define THREAD_PUTS 20000

struct crowd {
    struct state *state;
    atomic_int n_writing, n_writers;
};

/* Number and name are told together and equal, so a snapshot in which they differ was taken in between. */
static void *write_for_long(void *argument)
{
    struct crowd *crowd = argument;
    int writer = atomic_fetch_add(&crowd->n_writers, 1);
    for (int i = 0; i < THREAD_PUTS; i++) {
        char word[48];
        snprintf(word, sizeof(word), "%d-%d", writer, i);
        put_named(crowd->state, i % 50, word, word);
        state_call_attach(crowd->state, "a", i % 10, IDS(i % 50), T0);
        if (i % 100 == 0)
            state_units_clear(crowd->state, "a", IDS(i % 50), T0);
    }
    atomic_fetch_sub(&crowd->n_writing, 1);
    return NULL;
}

static bool snapshot_is_whole(const struct state_snapshot *s)
{
    for (size_t i = 0; i < s->n_units; i++)
        if (strcmp(s->units[i].number, s->units[i].name) != 0)
            return false;
    for (size_t i = 0; i < s->n_calls; i++)
        for (size_t k = 0; k < s->n_attached[i]; k++)
            if (s->attached[i][k] < 0 || s->attached[i][k] >= 50)
                return false;
    return true;
}

static void threads_share_it(void **fixture)
{
    struct crowd crowd = { .state = *fixture, .n_writing = 2 };
    pthread_t writers[2];
    for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_for_long, &crowd), 0);

    size_t n_broken = 0;
    do {
        SNAP(s, *fixture);
        n_broken += !snapshot_is_whole(s);
        n_broken += state_as_of(*fixture) != 0;
    } while (atomic_load(&crowd.n_writing) > 0);

    for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
        pthread_join(writers[i], NULL);
    assert_int_equal(n_broken, 0);
    expect_counts(*fixture, 50, 10, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(snapshots_stand_alone),
        TEST(free_takes_null),
        TEST(threads_share_it),
    };
    return cmocka_run_group_tests_name("state_snapshot", tests, NULL, NULL);
}
