/* test_primed_since.c - a list of the CAD's beside what was told since it was asked for, and what is not in it. */
#include "primed_helpers.h"

/* ---- what is newer wins ---- */

static void what_was_told_since_stays(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    struct asked asked = ask(world);
    hear(world, "EVENT_UNIT_STATUS", "{\"identIds\":[4127],\"status\":4}");
    assert_int_equal(answer(world, asked, GAP, NULL, "[" UNIT_A "]"), 0);
    assert_int_equal(state_find_unit(world->state, "a", 4127)->status, 4);
}

/* Also what was told between the comparison and the writer. */
static void the_writer_looks_again(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    hear(world, "EVENT_DISPATCH_NEW", "{\"dispatch\":" CALL "}");
    struct asked asked = ask(world);
    assert_int_equal(answer(world, asked, GAP, ALL("", ""), "[{\"id\":4127,\"status\":1,\"data\":{}}]"), 1);
    hear(world, "EVENT_UNIT_STATUS", "{\"identIds\":[4127],\"status\":4}");
    hear(world, "EVENT_DISPATCH_NOTE", "{\"callId\":55120,\"note\":\"three\"}");
    take(world);
    assert_int_equal(state_find_unit(world->state, "a", 4127)->status, 4);
    assert_int_equal(state_find_call(world->state, "a", 55120)->status, 1); /* not ended */
}

/* A name that nobody told is no news that could be older. */
static void names_are_known_whatever_was_told_since(void **fixture)
{
    struct world *world = *fixture;
    struct asked asked = ask(world);
    hear(world, "EVENT_UNIT_STATUS", "{\"identIds\":[4127],\"status\":4}");
    assert_int_equal(answer(world, asked, 0, NULL, "[" UNIT_A "]"), 1);
    take(world);
    const struct state_unit *unit = state_find_unit(world->state, "a", 4127);
    assert_string_equal(unit->number, "3-L-27");
    assert_string_equal(unit->name, "Mara Ellison");
    assert_true(unit->told);
    assert_int_equal(unit->status, 4);
}

static void a_removed_911_call_stays_removed(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_911", "{\"call\":" CALL911 "}");
    struct asked asked = ask(world);
    hear(world, "EVENT_REMOVE_911", "{\"callIds\":[90417]}");
    if (answer(world, asked, GAP, ALL("", CALL911), NULL))
        take(world);
    assert_int_equal(state_find_call911(world->state, "a", 90417)->removed, 1);
}

/* What was seen at five to nine is no news at half past eight. */
static void the_clock_was_set_back(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    hear(world, "EVENT_911", "{\"call\":" CALL911 "}");
    world->now_us -= 3600 * USEC_PER_SEC;
    struct asked asked = ask(world);
    assert_int_equal(answer(world, asked, GAP, ALL("", ""), "[{\"id\":4127,\"status\":4,\"data\":{}}]"), 1);
    take(world);
    assert_int_equal(state_find_unit(world->state, "a", 4127)->status, 4);
    assert_int_equal(state_find_call911(world->state, "a", 90417)->removed, 1);
}

/* ---- what is gone ---- */

static void what_the_session_told_is_ended(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_911", "{\"call\":" CALL911 "}");
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    hear(world, "EVENT_DISPATCH_NEW", "{\"dispatch\":{\"callId\":7,\"title\":\"Traffic Stop\",\"status\":1}}");
    prime(world, GAP, ALL("", ""), "[]");
    assert_string_equal(world->line.s, "after 42 s without connection, ended: 911 call 90417 (Zoe, 118 Lantern St), "
                                       "call 7 Traffic Stop, 1 unit off duty");
    assert_int_equal(state_find_call(world->state, "a", 7)->status, STATE_CALL_CLOSED);
    assert_int_equal(state_find_call911(world->state, "a", 90417)->removed, 1);
    assert_int_equal(state_find_unit(world->state, "a", 4127)->online, 0);
    assert_int_equal(answer(world, ask(world), GAP, ALL("", ""), "[]"), 0);
}

/* The last one too. */
static void of_as_many_sessions_as_are_told_apart(void **fixture)
{
    struct world *world = *fixture;
    char name[16];
    for (int i = 1; i < STATE_MAX_SOURCES; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        hear_from(world, "push", name, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_B "}");
    }
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    assert_int_equal(primed_source(world->state, "session", "city"), STATE_MAX_SOURCES);
    assert_int_equal(primed_source(world->state, "session", "town"), 0);
}

static void what_another_source_told_is_not(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_B "}");
    hear_from(world, "push", "main", "EVENT_911", "{\"call\":" CALL911 "}");
    hear_from(world, "push", "main", "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    hear_from(world, "push", "main", "EVENT_DISPATCH_NEW", "{\"dispatch\":" CALL "}");
    assert_int_equal(answer(world, ask(world), GAP, ALL("", ""), "[" UNIT_B "]"), 0);
}

/* A list that may not be whole, or did not come, ends nothing. */
static void what_was_not_answered_ends_nothing(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_911", "{\"call\":" CALL911 "}");
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    hear(world, "EVENT_DISPATCH_NEW", "{\"dispatch\":{\"callId\":7,\"title\":\"Traffic Stop\",\"status\":1}}");
    assert_int_equal(answer(world, ask(world), GAP, "{}", NULL), 0);
    assert_int_equal(answer(world, ask(world), GAP, "{\"ActiveCalls\":null,\"EmergencyCalls\":17}", NULL), 0);
}

/* One that lost a unit to another call is not ended by that, nor is the unit. */
static void one_thing_told_touches_no_other(void **fixture)
{
    struct world *world = *fixture;
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_A "}");
    hear(world, "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT_B "}");
    hear(world, "EVENT_DISPATCH_NEW",
         "{\"dispatch\":{\"callId\":7,\"title\":\"Stop\",\"status\":1,\"idents\":[4127,4133]}}");
    prime(world, GAP, ALL(CALL, ""), "[{\"id\":4127,\"status\":4,\"data\":{\"name\":\"Mara E.\"}}]");
    const struct state_unit *unit = state_find_unit(world->state, "a", 4127);
    assert_int_equal(unit->status, 4);
    assert_string_equal(unit->name, "Mara E.");
    assert_int_equal(state_find_unit(world->state, "a", 4133)->online, 0);
    assert_int_equal(state_find_call(world->state, "a", 7)->status, STATE_CALL_CLOSED);
}

/* ---- hostile answers ---- */

static void whatever_they_are_made_of(void **fixture)
{
    struct world *world = *fixture;
    static const char *const calls[] = {
        "[]",
        "17",
        "\"x\"",
        "{\"ActiveCalls\":[1,null,\"x\",[],{},{\"callId\":-1},{\"callId\":\"55x\"}]}",
        "{\"EmergencyCalls\":{\"1\":{},\"2\":[]}}",
        "{\"ClosedCalls\":[{\"callId\":[]}],\"ActiveCalls\":{\"callId\":1}}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        assert_int_equal(answer(world, ask(world), GAP, calls[i], "[1,null,{\"id\":0},{\"id\":\"x\"},[],\"y\"]"), 0);
}

static void a_text_of_any_length_is_cut(void **fixture)
{
    struct world *world = *fixture;
    char json[3000];
    snprintf(json, sizeof(json), "[{\"id\":1,\"data\":{\"name\":\"%02000d\\u001b[31m\"}}]", 7);
    prime(world, 0, NULL, json);
    assert_true(strlen(state_find_unit(world->state, "a", 1)->name) <= STATE_TEXT_MAX_BYTES);
    assert_int_equal(answer(world, ask(world), 0, NULL, json), 0); /* and is the same again */
}

static void a_long_id_keeps_its_digits(void **fixture)
{
    struct world *world = *fixture;
    prime(world, GAP, "{\"ActiveCalls\":[{\"callId\":\"9007199254740993\",\"title\":\"x\",\"status\":1}]}", NULL);
    assert_string_equal(world->line.s, "missed during 42 s: call 9007199254740993 x");
    assert_non_null(state_find_call(world->state, "a", 9007199254740993));
}

/* Also from who takes what it does not know. */
static void nobody_else_can_send_it(void **fixture)
{
    (void) fixture;
    const struct event_community communities[] = { { "a", "k" } };
    const struct origin origin = { "push", "main", "127.0.0.1" };
    for (int accept = 0; accept < 2; accept++) {
        const struct envelope_rules rules = {
            .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = accept
        };
        struct batch batch;
        struct err err;
        char *body = strdup("{\"key\":\"k\",\"type\":\"state_primed\",\"data\":{\"units\":[{\"id\":1}]}}");
        assert_int_equal(envelope_parse(body, strlen(body), &rules, &origin, T0, &batch, NULL, &err), ENVELOPE_OK);
        assert_int_equal(batch.events[0].verdict, EVENT_UNKNOWN);
        assert_null(batch.events[0].handler);
        batch_done(&batch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_told_since_stays),
        TEST(the_writer_looks_again),
        TEST(names_are_known_whatever_was_told_since),
        TEST(a_removed_911_call_stays_removed),
        TEST(the_clock_was_set_back),
        TEST(what_the_session_told_is_ended),
        TEST(of_as_many_sessions_as_are_told_apart),
        TEST(what_another_source_told_is_not),
        TEST(what_was_not_answered_ends_nothing),
        TEST(one_thing_told_touches_no_other),
        TEST(whatever_they_are_made_of),
        TEST(a_text_of_any_length_is_cut),
        TEST(a_long_id_keeps_its_digits),
        TEST(nobody_else_can_send_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
