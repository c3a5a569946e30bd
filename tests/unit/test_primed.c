/* test_primed.c - what the CAD's REST interface says beside what is known: what differs, its line, what it changes. */
#include "primed_helpers.h"

/* ---- what is known from it ---- */

static void at_first_nothing_is_missed(void **fixture)
{
    struct world *world = *fixture;
    prime(world, 0, ALL(CALL, CALL911), "[" UNIT_A "," UNIT_B "]");
    assert_string_equal(world->line.s, "known from the CAD: 2 units, 1 call, 1 911 call");
    assert_int_equal(world->level, LOG_INFO);

    const struct state_unit *unit = state_find_unit(world->state, "a", 4127);
    assert_string_equal(unit->number, "3-L-27");
    assert_string_equal(unit->name, "Mara Ellison");
    assert_string_equal(unit->department, "Calder");
    assert_string_equal(unit->api_ids, "[\"steam:1\"]");
    assert_int_equal(unit->status, 2);
    assert_true(unit->told);
    assert_int_equal(unit->status_since_us, 0); /* nobody saw it begin */
    const struct state_call *call = state_find_call(world->state, "a", 55120);
    assert_string_equal(call->title, "Structure Fire");
    assert_string_equal(call->last_note, "two");
    assert_int_equal(call->n_notes, 2);
    assert_int_equal(call->call911, 90417);
    assert_int_equal(call->opened_us, 0);
    assert_int_equal(call->primed, STATE_PRIMED_KNOWN);
    const struct state_call911 *call911 = state_find_call911(world->state, "a", 90417);
    assert_string_equal(call911->phone, "555-0100");
    assert_string_equal(call911->position, "(1.5, 2.0)");
    assert_int_equal(call911->opened_us, 0);
    int dispatchers, on_duty;
    state_count(world->state, "a", &dispatchers, &on_duty);
    assert_int_equal(on_duty, 2);
    assert_int_equal(dispatchers, 1);
    const int64_t *at;
    assert_int_equal(state_call_units(world->state, "a", 55120, &at), 1);
    assert_int_equal(at[0], 4127);
    assert_int_equal(world->description.units.n, 2);
    assert_int_equal(world->description.calls.v[0], 55120);
    assert_int_equal(world->description.calls911.v[0], 90417);
    assert_non_null(strstr(world->description.known.s, "Mara Ellison"));
}

static void what_is_known_already_is_no_event(void **fixture)
{
    struct world *world = *fixture;
    prime(world, 0, ALL(CALL, CALL911), "[" UNIT_A "," UNIT_B "]");
    assert_int_equal(answer(world, ask(world), GAP, ALL(CALL, CALL911), "[" UNIT_A "," UNIT_B "]"), 0);
    assert_int_equal(answer(world, ask(world), GAP, NULL, NULL), 0);
    /* the other letter case of the lists */
    assert_int_equal(answer(world, ask(world), GAP,
                            "{\"activeCalls\":[" CALL "],\"emergencyCalls\":[" CALL911 "],\"closedCalls\":[]}", NULL),
                     0);
}

/* What came by events is the same as what a list says of it. */
static void events_and_lists_agree(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_911", "{\"call\":" CALL911 "}");
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    hear(world, "EVENT_DISPATCH_NEW", "{\"dispatch\":" CALL "}");
    assert_int_equal(answer(world, ask(world), GAP, ALL(CALL, CALL911), "[" UNIT_A "]"), 0);
}

/* ---- what was missed ---- */

static void what_no_event_told_was_missed(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    prime(world, GAP, ALL(CALL, CALL911), "[" UNIT_A "," UNIT_B "]");
    assert_string_equal(world->line.s, "missed during 42 s: 911 call 90417 (Zoe, 118 Lantern St), "
                                       "call 55120 Structure Fire; different besides: 1 unit");
    assert_int_equal(world->level, LOG_WARNING);
    assert_int_equal(state_find_call(world->state, "a", 55120)->primed, STATE_PRIMED_MISSED);
    assert_int_equal(state_find_call911(world->state, "a", 90417)->primed, STATE_PRIMED_MISSED);
    assert_int_equal(world->n_compared, 2);
    assert_int_equal(world->n_missed, 2);
}

/* State forgets after a day, the log does not. */
static void what_the_log_heard_was_not_missed(void **fixture)
{
    struct world *world = *fixture;
    world->heard = " call:55120  911:90417 ";
    prime(world, GAP, ALL(CALL, CALL911), "[" UNIT_A "]");
    assert_string_equal(world->line.s, "after 42 s without connection, different: 1 unit, 1 call, 1 911 call");
    assert_int_equal(world->level, LOG_INFO);
}

/* An event that only mentions a call does not tell of it. */
static void a_call_that_was_only_mentioned_was_missed(void **fixture)
{
    struct world *world = *fixture;
    struct asked asked = ask(world);
    hear(world, "EVENT_DISPATCH_UNIT_ATTACH", "{\"callId\":55120,\"idents\":[4140]}");
    assert_int_equal(answer(world, asked, GAP, ALL(CALL, ""), NULL), 1);
    take(world);
    assert_string_equal(world->line.s, "missed during 42 s: call 55120 Structure Fire");
    const int64_t *at;
    assert_int_equal(state_call_units(world->state, "a", 55120, &at), 2); /* who came since stays */
    assert_string_equal(state_find_call(world->state, "a", 55120)->title, "Structure Fire");
}

static void what_came_by_an_event_after_all_was_not_missed(void **fixture)
{
    struct world *world = *fixture;
    struct asked asked = ask(world);
    assert_int_equal(answer(world, asked, GAP, ALL("", CALL911), NULL), 1);
    hear(world, "EVENT_911", "{\"call\":" CALL911 "}"); /* between the answer and the writer */
    take(world);
    assert_int_equal(world->n_compared, 1);
    assert_int_equal(world->n_missed, 0);
    assert_string_equal(world->line.s, "after 42 s without connection, different: 1 911 call");
    assert_int_equal(state_find_call911(world->state, "a", 90417)->primed, STATE_SEEN);
    assert_true(state_find_call911(world->state, "a", 90417)->opened_us > 0);
}

/* It came and went between the question and the answer. */
static void what_was_removed_meanwhile_is_not_told(void **fixture)
{
    struct world *world = *fixture;
    struct asked asked = ask(world);
    hear(world, "EVENT_911", "{\"call\":" CALL911 "}");
    hear(world, "EVENT_REMOVE_911", "{\"callIds\":[90417]}");
    assert_int_equal(answer(world, asked, GAP, ALL("", CALL911), "[" UNIT_B "]"), 1);
    take(world);
    assert_string_equal(world->line.s, "after 42 s without connection, different: 1 unit");
    assert_true(state_find_call911(world->state, "a", 90417)->removed);
}

static void a_panic_is_missed_too(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    prime(world, GAP, NULL, "[{\"id\":4127,\"status\":2,\"isPanic\":true,\"data\":{}}]");
    assert_string_equal(world->line.s, "missed during 42 s: panic of 3-L-27 Mara Ellison; different besides: 1 unit");
    assert_int_equal(world->level, LOG_WARNING);
    assert_int_equal(state_find_unit(world->state, "a", 4127)->panic, 1);
}

/* Opened and closed in the gap; those of before the log are history. */
static void of_closed_calls_only_recent_ones_were_missed(void **fixture)
{
    struct world *world = *fixture;
    world->now_us = 1775683830 * USEC_PER_SEC; /* 2026-04-08T21:30:30Z */
    prime(world, GAP,
          "{\"ClosedCalls\":[" CALL
          ",{\"callId\":1,\"title\":\"Old\",\"status\":2,\"updated\":\"2026-04-08T20:00:00Z\"},"
          "{\"callId\":2,\"title\":\"Undated\",\"status\":2}]}",
          NULL);
    assert_string_equal(world->line.s, "missed during 42 s: call 55120 Structure Fire, closed again");
    assert_null(state_find_call(world->state, "a", 1));
    assert_null(state_find_call(world->state, "a", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(at_first_nothing_is_missed),
        TEST(what_is_known_already_is_no_event),
        TEST(events_and_lists_agree),
        TEST(what_no_event_told_was_missed),
        TEST(what_the_log_heard_was_not_missed),
        TEST(a_call_that_was_only_mentioned_was_missed),
        TEST(what_came_by_an_event_after_all_was_not_missed),
        TEST(what_was_removed_meanwhile_is_not_told),
        TEST(a_panic_is_missed_too),
        TEST(of_closed_calls_only_recent_ones_were_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
