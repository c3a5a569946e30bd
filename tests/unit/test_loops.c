/* test_loops.c - what comes back is told from what is merely sent often. Time is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "../../src/delivery/private.h"

#define MS USEC_PER_MSEC
#define START_US (1795449600 * USEC_PER_SEC)
#define HASH 7
#define WHO 1

static struct loops loops;
static usec_t now, paused_us;
static unsigned n_sent;

static int set_up(void **state)
{
    (void) state;
    loops = (struct loops){ .lock = PTHREAD_MUTEX_INITIALIZER };
    now = START_US;
    paused_us = 0;
    n_sent = 0;
    return 0;
}

/* The worker takes an event as soon as it is free, and needs a millisecond. True: a loop. */
static bool handle(uint64_t hash, usec_t came_us)
{
    bool loop;
    usec_t wait;
    if (now < came_us)
        now = came_us;
    while ((wait = loops_look(&loops, hash, WHO, came_us, now, &loop)) > 0) {
        now += wait;
        paused_us += wait;
    }
    if (loop)
        return true;
    loops_sent(&loops, hash, WHO, came_us, now);
    n_sent++;
    now += MS;
    return false;
}

/* Each time it is sent it comes back. */
static void expect_loop(usec_t way_us)
{
    usec_t came_us = now;
    while (!handle(HASH, came_us)) {
        assert_true(n_sent < 20);
        assert_true(now < START_US + 40 * USEC_PER_SEC);
        came_us = now - MS + way_us;
    }
}

static void test_loops_are_found(void **state)
{
    static const usec_t ways_us[] = { 1 * MS, 2 * MS, 50 * MS, 300 * MS, 900 * MS };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(ways_us); i++) {
        (void) set_up(NULL);
        expect_loop(ways_us[i]);
    }
}

/* And it is found again when somebody switches the action on without having put it right. */
static void test_found_again(void **state)
{
    (void) state;
    expect_loop(5 * MS);
    now += USEC_PER_SEC;
    n_sent = 0;
    usec_t came_us = now;
    while (!handle(HASH, came_us)) {
        assert_true(n_sent < 20);
        came_us = now - MS + 5 * MS;
    }
}

/* Of what else is sent nothing waits. */
static void test_other_events_pass(void **state)
{
    usec_t came_us = now;
    (void) state;
    while (!handle(HASH, came_us)) {
        came_us = now - MS + 5 * MS;
        usec_t before_us = paused_us;
        assert_false(handle(8 + n_sent, now));
        assert_int_equal(paused_us, before_us);
        assert_true(n_sent < 60);
    }
}

static void expect_harmless(usec_t came_us)
{
    assert_false(handle(HASH, came_us));
}

/* One status, sent sixty times in a row, faster than it goes on or slower. */
static void test_bursts(void **state)
{
    (void) state;
    for (usec_t gap_us = 0; gap_us <= 50 * MS; gap_us += MS / 4) {
        (void) set_up(NULL);
        for (unsigned burst = 0; burst < 20; burst++)
            for (unsigned i = 0; i < 60; i++)
                expect_harmless(START_US + burst * 7 * USEC_PER_SEC + i * gap_us);
        assert_int_equal(n_sent, 20 * 60);
    }
}

/* As regular as a clock, at any pace; and it is held up for seconds once a minute at most. */
static void test_heartbeats(void **state)
{
    (void) state;
    for (usec_t gap_us = 10 * MS; gap_us <= 4 * USEC_PER_SEC; gap_us += 10 * MS) {
        (void) set_up(NULL);
        unsigned n = (unsigned) (600 * USEC_PER_SEC / gap_us);
        for (unsigned i = 0; i < n; i++)
            expect_harmless(START_US + i * gap_us);
        assert_true(paused_us <= 11 * 3 * USEC_PER_SEC);
    }
}

/* A button that is pressed again and again, as fingers do. */
static void test_presses(void **state)
{
    uint32_t random = 1;
    (void) state;
    for (usec_t mean_us = 200 * MS; mean_us <= 2 * USEC_PER_SEC; mean_us += 200 * MS) {
        (void) set_up(NULL);
        usec_t came_us = START_US;
        for (unsigned i = 0; i < 20000; i++) {
            random = random * 1664525 + 1013904223;
            came_us += mean_us / 50 + (random >> 8) * (mean_us * 2) / (UINT32_MAX >> 8);
            expect_harmless(came_us);
        }
    }
}

/* Another action sends the same to a target that keeps it: what is counted is an event, not a delivery of it. */
static void test_two_actions(void **state)
{
    (void) state;
    for (unsigned i = 0; i < 6; i++) {
        usec_t came_us = START_US + i * 200 * MS;
        expect_harmless(came_us);
        expect_harmless(came_us);
    }
    assert_int_equal(paused_us, 0);
}

/* One of several actions, all of which send the same; what the last one sends comes back. */
struct actor {
    usec_t ready_us;
    unsigned next; /* event */
    bool off;
};

static void one_step(struct actor *actors, size_t n, usec_t *came_us, unsigned *n_came, usec_t way_us)
{
    size_t first = n;
    bool loop;
    for (size_t i = 0; i < n; i++)
        if (!actors[i].off && actors[i].next < *n_came && (first == n || actors[i].ready_us < actors[first].ready_us))
            first = i;
    assert_true(first < n);
    struct actor *actor = &actors[first];
    usec_t came = came_us[actor->next], at = actor->ready_us > came ? actor->ready_us : came;
    usec_t wait = loops_look(&loops, HASH, first + 1, came, at, &loop);
    actor->off = loop;
    actor->ready_us = at + (wait ? wait : MS);
    if (wait || loop)
        return;
    loops_sent(&loops, HASH, first + 1, came, at);
    actor->next++;
    if (first == n - 1)
        came_us[(*n_came)++] = at + way_us;
}

/* Whatever order they come in: the one that brings it back is the one that is switched off. */
static void test_the_guilty_one(void **state)
{
    (void) state;
    for (usec_t way_us = MS / 4; way_us <= 800 * MS; way_us *= 2)
        for (usec_t lag_us = 0; lag_us <= 40 * MS; lag_us = lag_us * 2 + MS / 4)
            for (size_t n = 2; n <= 3; n++) {
                usec_t came_us[256] = { START_US };
                unsigned n_came = 1;
                struct actor actors[3] = { { .ready_us = START_US + lag_us } };
                (void) set_up(NULL);
                while (!actors[n - 1].off) {
                    one_step(actors, n, came_us, &n_came, way_us);
                    assert_true(n_came < 60);
                    assert_false(actors[0].off || actors[n - 2].off);
                }
            }
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
        cmocka_unit_test_setup(test_other_events_pass, set_up),
        cmocka_unit_test_setup(test_bursts, set_up),
        cmocka_unit_test_setup(test_heartbeats, set_up),
        cmocka_unit_test_setup(test_presses, set_up),
        cmocka_unit_test_setup(test_two_actions, set_up),
        cmocka_unit_test(test_the_guilty_one),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
