/* test_session_backoff.c - when a session connects again, and when a silent one is dead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session_backoff.h"

#define S USEC_PER_SEC
#define LEAST 0
#define MOST UINT32_MAX

static void row(enum session_end end, const unsigned *seconds, size_t n)
{
    struct session_backoff low = { 0 }, high = { 0 };
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(session_backoff_next(&low, end, 0, 0, LEAST), seconds[i] * S / 2);
        assert_int_equal(session_backoff_next(&high, end, 0, 0, MOST), seconds[i] * S * 3 / 2);
    }
}

static void the_row(void **state)
{
    static const unsigned seconds[] = { 2, 5, 10, 30, 60, 60, 60 };
    struct session_backoff low = { 0 }, high = { 0 };
    (void) state;
    assert_int_equal(session_backoff_next(&low, SESSION_END_LOST, 0, 0, LEAST), 0);
    assert_int_equal(session_backoff_next(&high, SESSION_END_LOST, 0, 0, MOST), 2 * S);
    for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
        assert_int_equal(session_backoff_next(&low, SESSION_END_LOST, 0, 0, LEAST), seconds[i] * S / 2);
        assert_int_equal(session_backoff_next(&high, SESSION_END_LOST, 0, 0, MOST), seconds[i] * S * 3 / 2);
    }
}

static void a_refused_login_is_tried_slower(void **state)
{
    static const unsigned seconds[] = { 30, 60, 120, 300, 300, 300 };
    (void) state;
    row(SESSION_END_REFUSED, seconds, ARRAY_SIZE(seconds));
}

static void a_minute_of_life_begins_anew(void **state)
{
    struct session_backoff backoff = { 0 };
    (void) state;
    for (int i = 0; i < 9; i++)
        (void) session_backoff_next(&backoff, SESSION_END_LOST, 0, 0, MOST);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_KICKED, 59 * S, 0, MOST), 90 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, 60 * S, 0, MOST), 2 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, 0, 0, MOST), 3 * S);
    for (int i = 0; i < 3; i++)
        (void) session_backoff_next(&backoff, SESSION_END_REFUSED, 0, 0, MOST);
    (void) session_backoff_next(&backoff, SESSION_END_LOST, 1, 0, MOST);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_REFUSED, 0, 0, MOST), 45 * S);
}

/* A hub that takes the login and ends it again and again is not stormed. */
static void a_short_life_begins_anew_once(void **state)
{
    struct session_backoff backoff = { 0 };
    (void) state;
    for (int i = 0; i < 9; i++)
        (void) session_backoff_next(&backoff, SESSION_END_LOST, 0, 0, MOST);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, S, 0, MOST), 2 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, S, 0, MOST), 3 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, 0, 0, MOST), 15 * S / 2);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, 59 * S, 0, MOST), 15 * S);
    for (int i = 0; i < 3; i++)
        (void) session_backoff_next(&backoff, SESSION_END_LOST, S, 0, MOST);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, S, 0, MOST), 90 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, 60 * S, 0, MOST), 2 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, S, 0, MOST), 2 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_LOST, S, 0, MOST), 3 * S);
}

static void what_the_cad_asks_for(void **state)
{
    struct session_backoff backoff = { 0 };
    (void) state;
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_BUSY, 0, 0, LEAST), 60 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_BUSY, 0, 0, MOST), 62 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_BUSY, 0, 7 * S, LEAST), 7 * S);
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_BUSY, 0, 86400 * S, LEAST), 3600 * S);
    assert_true(backoff.busy);
    (void) session_backoff_next(&backoff, SESSION_END_LOST, 0, 0, LEAST);
    assert_false(backoff.busy);
}

static void kicked_twice(void **state)
{
    struct session_backoff backoff = { 0 };
    (void) state;
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_KICKED, 59 * S, 0, MOST), 2 * S);
    assert_false(session_backoff_is_kicked(&backoff));
    assert_int_equal(session_backoff_next(&backoff, SESSION_END_KICKED, S, 0, MOST), 90 * S);
    assert_true(session_backoff_is_kicked(&backoff));
    (void) session_backoff_next(&backoff, SESSION_END_KICKED, 61 * S, 0, MOST);
    assert_false(session_backoff_is_kicked(&backoff));
    (void) session_backoff_next(&backoff, SESSION_END_KICKED, S, 0, MOST);
    (void) session_backoff_next(&backoff, SESSION_END_LOST, S, 0, MOST);
    (void) session_backoff_next(&backoff, SESSION_END_KICKED, S, 0, MOST);
    assert_false(session_backoff_is_kicked(&backoff));
}

/* ---- life ---- */

/* Second by second, from 0 on; the last byte comes at heard, pings are answered at once where answers. Returns when it
 * is dead, and how many pings and records went out until then. */
static usec_t live(usec_t heard, bool answers, unsigned *ret_pings, unsigned *ret_records)
{
    const usec_t begin = 1000 * S;
    struct session_life life = { .record_us = begin };
    *ret_pings = *ret_records = 0;
    for (usec_t now = begin; now < begin + 600 * S; now += S) {
        usec_t last = now < begin + heard ? now : begin + heard;
        enum session_life_step step;
        while ((step = session_life_next(&life, last, answers, now)) != SESSION_LIFE_QUIET) {
            if (step == SESSION_LIFE_DEAD)
                return now - begin;
            *ret_pings += step == SESSION_LIFE_PING;
            *ret_records += step == SESSION_LIFE_RECORD;
        }
        assert_in_range(session_life_due_us(&life, last, answers), now + 1, now + 10 * S);
    }
    return 0;
}

static void silence_is_death(void **state)
{
    unsigned pings, records;
    (void) state;
    assert_int_equal(live(600 * S, true, &pings, &records), 0);
    assert_int_equal(pings, 60);
    assert_int_equal(records, 39);
    assert_int_equal(live(0, false, &pings, &records), 30 * S);
    assert_int_equal(live(95 * S, false, &pings, &records), 125 * S);
    /* Pinged at 100 for the first time since, dead 10 s behind that. */
    assert_int_equal(live(91 * S, true, &pings, &records), 110 * S);
    assert_int_equal(live(99 * S, true, &pings, &records), 110 * S);
    assert_int_equal(live(100 * S, true, &pings, &records), 120 * S);
}

/* Who was not looked at for long (a machine that slept) is pinged first. */
static void a_late_look(void **state)
{
    struct session_life life = { .record_us = 1000 * S };
    (void) state;
    assert_int_equal(session_life_next(&life, 1000 * S, true, 1000 * S), SESSION_LIFE_PING);
    assert_int_equal(session_life_next(&life, 1000 * S, true, 1000 * S), SESSION_LIFE_QUIET);
    assert_int_equal(session_life_next(&life, 1099 * S, true, 1100 * S), SESSION_LIFE_PING);
    assert_int_equal(session_life_next(&life, 1099 * S, true, 1100 * S), SESSION_LIFE_RECORD);
    assert_int_equal(session_life_next(&life, 1099 * S, true, 1109 * S), SESSION_LIFE_QUIET);
    assert_int_equal(session_life_next(&life, 1099 * S, true, 1110 * S), SESSION_LIFE_DEAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_row),
        cmocka_unit_test(a_refused_login_is_tried_slower),
        cmocka_unit_test(a_minute_of_life_begins_anew),
        cmocka_unit_test(a_short_life_begins_anew_once),
        cmocka_unit_test(what_the_cad_asks_for),
        cmocka_unit_test(kicked_twice),
        cmocka_unit_test(silence_is_death),
        cmocka_unit_test(a_late_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
