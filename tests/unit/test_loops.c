/* test_loops.c - what comes back is told from what is merely sent often. Time is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/delivery/delivery_private.h"

#define MS USEC_PER_MSEC
#define START_US USEC_PER_SEC
#define HASH 7
#define COPIES_MAX 32768
#define ACTORS_MAX 4

/* ---- a model: copies of one event come, and actors send each of them on ---- */

struct actor {
    unsigned next;   /* copy that it has in hand */
    usec_t ready_us; /* not before */
    usec_t way_us;   /* so long after it sent one, it comes back */
    unsigned n_back; /* so often; 0: its target keeps what it gets */
    bool off;
    unsigned n_sent;
    usec_t waited_us; /* in all */
};

static struct loops loops;
static usec_t came_us[COPIES_MAX]; /* sorted; those that are to come as well */
static unsigned n_came, n_copies;
static struct actor actors[ACTORS_MAX];
static size_t n_actors;

static int set_up(void **state)
{
    (void) state;
    loops = (struct loops){ .lock = PTHREAD_MUTEX_INITIALIZER };
    memset(actors, 0, sizeof(actors));
    n_came = n_copies = 0;
    n_actors = 1;
    return 0;
}

static void will_come(usec_t at_us)
{
    unsigned place = n_copies++;
    assert_true(n_copies <= COPIES_MAX);
    for (; place > n_came && came_us[place - 1] > at_us; place--)
        came_us[place] = came_us[place - 1];
    came_us[place] = at_us;
}

static usec_t time_of(const struct actor *actor)
{
    if (actor->off || actor->next >= n_came)
        return UINT64_MAX;
    return actor->ready_us > came_us[actor->next] ? actor->ready_us : came_us[actor->next];
}

static void act(struct actor *actor, usec_t now)
{
    usec_t wait = loops_pass(&loops, HASH, (uint64_t) (actor - actors) + 1, now, &actor->off);
    actor->ready_us = now + (wait ? wait : MS);
    actor->waited_us += wait;
    if (wait || actor->off)
        return;
    actor->next++;
    actor->n_sent++;
    for (unsigned i = 0; i < actor->n_back; i++)
        will_come(now + actor->way_us + i * MS);
}

/* Until nothing is left to be done. */
static void run(void)
{
    for (;;) {
        struct actor *first = &actors[0];
        for (size_t i = 1; i < n_actors; i++)
            if (time_of(&actors[i]) < time_of(first))
                first = &actors[i];
        usec_t now = time_of(first);
        if (n_came < n_copies && came_us[n_came] <= now)
            loops_came(&loops, HASH, came_us[n_came++]);
        else if (now < UINT64_MAX)
            act(first, now);
        else
            return;
    }
}

/* ---- loops ---- */

static void test_loops_are_found(void **state)
{
    static const usec_t ways_us[] = { MS / 4, 1 * MS, 2 * MS, 50 * MS, 300 * MS, 900 * MS };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(ways_us); i++)
        for (unsigned n_back = 1; n_back <= (ways_us[i] < 500 * MS ? 3 : 1); n_back++) {
            (void) set_up(NULL);
            actors[0] = (struct actor){ .way_us = ways_us[i], .n_back = n_back };
            will_come(START_US);
            run();
            assert_true(actors[0].off);
            assert_in_range(actors[0].n_sent, 6, 20);
            assert_true(actors[0].ready_us < START_US + 50 * USEC_PER_SEC);
        }
}

/* And it is found again when somebody switches the action on without having put it right. */
static void test_found_again(void **state)
{
    (void) state;
    actors[0] = (struct actor){ .way_us = 5 * MS, .n_back = 1 };
    will_come(START_US);
    for (unsigned round = 0; round < 5; round++) {
        actors[0].off = false;
        actors[0].n_sent = 0;
        actors[0].ready_us += USEC_PER_SEC;
        run();
        assert_true(actors[0].off);
        assert_in_range(actors[0].n_sent, 6, 20);
    }
}

/* Each brings back what it sends, and all of them send what any of them brought back: it grows fast. The last one's
 * target keeps what it gets. */
static void test_several_loops(void **state)
{
    static const usec_t ways_us[] = { MS / 4, 3 * MS, 40 * MS, 400 * MS };
    (void) state;
    for (size_t n = 1; n < ACTORS_MAX; n++)
        for (unsigned mix = 0; mix < 64; mix++)
            for (unsigned n_back = 1; n_back <= 2; n_back++) {
                (void) set_up(NULL);
                for (size_t i = 0; i < n; i++)
                    actors[i] = (struct actor){ .way_us = ways_us[mix >> (2 * i) & 3], .n_back = n_back };
                n_actors = n + 1;
                will_come(START_US);
                run();
                for (size_t i = 0; i < n; i++)
                    assert_true(actors[i].off);
                assert_false(actors[n].off);
                assert_int_equal(actors[n].n_sent, n_copies);
                assert_in_range(n_copies, 7, 30 * n * n_back);
            }
}

/* Whatever order they come in: the one that brings it back is the one that is switched off. */
static void test_the_guilty_one(void **state)
{
    (void) state;
    for (usec_t way_us = MS / 4; way_us <= 800 * MS; way_us *= 2)
        for (usec_t lag_us = 0; lag_us <= 40 * MS; lag_us = lag_us * 2 + MS / 4)
            for (size_t guilty = 0; guilty < 3; guilty++) {
                (void) set_up(NULL);
                n_actors = 3;
                actors[0].ready_us = START_US + lag_us;
                actors[guilty].way_us = way_us;
                actors[guilty].n_back = 1;
                will_come(START_US);
                run();
                for (size_t i = 0; i < n_actors; i++)
                    assert_int_equal(actors[i].off, i == guilty);
                assert_in_range(n_copies, 7, 30);
            }
}

/* One of two that are tried is taken out of the configuration, or has nothing to send any more. */
static void test_one_goes_away(void **state)
{
    bool loop;
    (void) state;
    actors[0] = (struct actor){ .way_us = 5 * MS, .n_back = 1 };
    for (unsigned i = 0; i < 8; i++)
        will_come(START_US + i * MS);
    for (unsigned i = 0; i < 8; i++) {
        (void) loops_pass(&loops, HASH, 1000, START_US + i * MS, &loop);
        loops_came(&loops, HASH, START_US + i * MS);
    }
    (void) loops_pass(&loops, HASH, 1000, START_US + 9 * MS, &loop);
    run();
    assert_true(actors[0].off);
    assert_in_range(actors[0].n_sent, 6, 30);
}

/* Somebody goes on sending the same, so that no silence is one: it goes on, but not faster and faster. */
static void test_one_presses_meanwhile(void **state)
{
    enum { SECONDS = 300, AT_A_TIME = 40 };
    (void) state;
    for (size_t n = 1; n < ACTORS_MAX; n++) {
        (void) set_up(NULL);
        n_actors = n;
        for (size_t i = 0; i < n; i++)
            actors[i] = (struct actor){ .way_us = 5 * MS, .n_back = 1 };
        for (unsigned i = 0; i < SECONDS; i++)
            will_come(START_US + i * USEC_PER_SEC);
        run();
        for (size_t i = 0; i < n; i++)
            assert_true(actors[i].off);
        assert_true(n_copies < SECONDS + SECONDS / 4 * AT_A_TIME * n);
    }
}

/* Of what else is sent nothing waits, and however much it is, the loop is found. */
static void test_among_other_events(void **state)
{
    uint64_t other = HASH;
    (void) state;
    actors[0] = (struct actor){ .way_us = 100 * MS, .n_back = 1 };
    will_come(START_US);
    for (usec_t now = START_US; !actors[0].off; now += 2 * MS) {
        bool loop;
        if (n_came < n_copies && came_us[n_came] <= now)
            loops_came(&loops, HASH, came_us[n_came++]);
        if (time_of(&actors[0]) <= now)
            act(&actors[0], now);
        assert_int_equal(loops_pass(&loops, ++other, 1, now, &loop), 0);
        assert_false(loop);
        loops_came(&loops, other, now);
        assert_true(now < START_US + 60 * USEC_PER_SEC);
    }
    assert_in_range(actors[0].n_sent, 6, 20);
}

/* ---- what is none ---- */

static void expect_harmless(void)
{
    run();
    for (size_t i = 0; i < n_actors; i++) {
        assert_false(actors[i].off);
        assert_int_equal(actors[i].n_sent, n_copies);
    }
}

/* One status, sent sixty times in a row, faster than it goes on or slower. */
static void test_bursts(void **state)
{
    (void) state;
    for (usec_t gap_us = 0; gap_us <= 50 * MS; gap_us += MS / 4) {
        (void) set_up(NULL);
        n_actors = 2;
        for (unsigned burst = 0; burst < 20; burst++)
            for (unsigned i = 0; i < 60; i++)
                will_come(START_US + burst * 7 * USEC_PER_SEC + i * gap_us);
        expect_harmless();
    }
}

/* As regular as a clock, at any pace; and it is held up for seconds once a minute at most. */
static void test_heartbeats(void **state)
{
    (void) state;
    for (usec_t gap_us = 20 * MS; gap_us <= 4 * USEC_PER_SEC; gap_us += 10 * MS) {
        (void) set_up(NULL);
        unsigned n = (unsigned) (600 * USEC_PER_SEC / gap_us);
        for (unsigned i = 0; i < n; i++)
            will_come(START_US + i * gap_us);
        expect_harmless();
        assert_true(actors[0].waited_us <= 11 * 4 * USEC_PER_SEC);
    }
}

/* A button that is pressed again and again, as fingers do. */
static void test_presses(void **state)
{
    uint32_t random = 1;
    (void) state;
    for (usec_t mean_us = 200 * MS; mean_us <= 6 * USEC_PER_SEC; mean_us += 200 * MS) {
        (void) set_up(NULL);
        n_actors = 2;
        usec_t at_us = START_US;
        for (unsigned i = 0; i < 20000; i++) {
            random = random * 1664525 + 1013904223;
            at_us += mean_us / 50 + (random >> 8) * (mean_us * 2) / (UINT32_MAX >> 8);
            will_come(at_us);
        }
        expect_harmless();
    }
}

/* Several actions send the same to targets that keep it: what is counted is an event, not a delivery of it. */
static void test_two_actions(void **state)
{
    (void) state;
    n_actors = 2;
    for (unsigned i = 0; i < 6; i++)
        will_come(START_US + i * 200 * MS);
    expect_harmless();
    assert_int_equal(actors[0].waited_us + actors[1].waited_us, 0);
}

static void test_hash(void **state)
{
    struct event a = { .type = "EVENT_911", .data_text = { "{}", 2 } }, b = a;
    (void) state;
    assert_int_equal(loops_hash(&a), loops_hash(&b));
    b.id = 8;
    assert_int_equal(loops_hash(&a), loops_hash(&b));
    b.data_text = (struct span){ "{ }", 3 };
    assert_int_not_equal(loops_hash(&a), loops_hash(&b));
    b = a;
    b.extra_text = (struct span){ "{}", 2 };
    assert_int_not_equal(loops_hash(&a), loops_hash(&b));
    b = a;
    b.type = "EVENT_9111";
    assert_int_not_equal(loops_hash(&a), loops_hash(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_loops_are_found, set_up),
        cmocka_unit_test_setup(test_found_again, set_up),
        cmocka_unit_test_setup(test_several_loops, set_up),
        cmocka_unit_test_setup(test_the_guilty_one, set_up),
        cmocka_unit_test_setup(test_one_goes_away, set_up),
        cmocka_unit_test_setup(test_one_presses_meanwhile, set_up),
        cmocka_unit_test_setup(test_among_other_events, set_up),
        cmocka_unit_test_setup(test_bursts, set_up),
        cmocka_unit_test_setup(test_heartbeats, set_up),
        cmocka_unit_test_setup(test_presses, set_up),
        cmocka_unit_test_setup(test_two_actions, set_up),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
