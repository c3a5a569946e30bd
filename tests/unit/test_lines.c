/* test_lines.c - the sentence for each event, from fixtures/lines/<family>.json: in the middle of a shift, and cold.
 *
 * A case is a body (as in test_events) that comes "at" a minute of the shift, SHIFT_ENDS without one. The shift is
 * fixtures/lines/shift.json, played up to there, then what stands in "before"; the ids of "without" are left out of it.
 * "warm" is the line then, beside it level (6 where it is not told), ids, by and record; "cold" the line of one who
 * knows nothing. "communities": there is another one beside it. fixtures/update test_lines lines writes the
 * expectations anew, for a person to look through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#include "event_bodies.h"

#define SHIFT_BEGINS_US ((usec_t) 1795449600000000)
#define SHIFT_ENDS 192 /* minutes: 3 h 12 min */

static struct cases cases;
static cJSON *shift;

static void hear(struct batch *batch, const cJSON *item, double minute)
{
    static const struct event_community communities[] = { { "default", KEY }, { "county", "another key" } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities,
        .n_communities = cJSON_GetObjectItem(item, "communities") ? 2 : 1,
        .families = &families_all,
        .accept_unknown_types = true,
    };
    usec_t time_us = SHIFT_BEGINS_US + (usec_t) (minute * 60 * (double) USEC_PER_SEC);
    struct err err;
    char *body = body_of(item);
    assert_int_equal(envelope_parse(body, strlen(body), &rules, &origin, time_us, batch, NULL, &err), ENVELOPE_OK);
}

static void play(struct state *state, const cJSON *item, double minute)
{
    struct batch batch;
    hear(&batch, item, minute);
    for (size_t i = 0; i < batch.n_events; i++) {
        assert_int_equal(batch.events[i].verdict, EVENT_ACCEPTED);
        if (batch.events[i].handler->apply)
            assert_true(batch.events[i].handler->apply(&batch.events[i], state) >= 0);
    }
    batch_done(&batch);
}

static double minute_of(const cJSON *item, double otherwise)
{
    const cJSON *at = cJSON_GetObjectItem(item, "at");
    return at ? at->valuedouble : otherwise;
}

static bool is_without(const cJSON *fixture, const cJSON *item)
{
    const cJSON *id, *what = cJSON_GetObjectItem(item, "about");
    cJSON_ArrayForEach (id, cJSON_GetObjectItem(fixture, "without"))
        if (what && id->valuedouble == what->valuedouble)
            return true;
    return false;
}

static struct state *state_at(const cJSON *fixture, double minute)
{
    struct state *state = state_new();
    const cJSON *item;
    cJSON_ArrayForEach (item, shift)
        if (minute_of(item, 0) < minute && !is_without(fixture, item))
            play(state, item, minute_of(item, 0));
    cJSON_ArrayForEach (item, cJSON_GetObjectItem(fixture, "before"))
        play(state, item, minute_of(item, minute - 1));
    return state;
}

static void describe(const cJSON *fixture, const struct state *state, double minute, struct description *ret)
{
    struct batch batch;
    hear(&batch, fixture, minute);
    assert_int_equal(batch.n_events, 1);
    event_describe(&batch.events[0], state, ret);
    batch_done(&batch);
}

static void add_line(cJSON *came, const char *name, const struct description *description)
{
    cJSON_AddStringToObject(came, name, description->line.s);
    for (const char *p = description->line.s; *p; p++)
        assert_true((unsigned char) *p >= 0x20 && *p != 0x7f);
}

static void add_warm(cJSON *came, const struct description *description)
{
    add_line(came, "warm", description);
    if (description->level != LOG_INFO)
        cJSON_AddNumberToObject(came, "level", description->level);
    add_ids(came, "calls", description->calls.v, description->calls.n);
    add_ids(came, "calls911", description->calls911.v, description->calls911.n);
    add_ids(came, "units", description->units.v, description->units.n);
    if (description->by)
        add_id(came, "by", description->by);
    if (description->record)
        add_id(came, "record", description->record);
}

static cJSON *line_of(const cJSON *fixture)
{
    struct description warm = DESCRIPTION_INIT, cold = DESCRIPTION_INIT, blank = DESCRIPTION_INIT;
    double minute = minute_of(fixture, SHIFT_ENDS);
    struct state *state = state_at(fixture, minute), *nothing = state_new();
    cJSON *came = cJSON_CreateObject();

    describe(fixture, state, minute, &warm);
    describe(fixture, NULL, minute, &cold);
    describe(fixture, nothing, minute, &blank);
    assert_string_equal(cold.line.s, blank.line.s);
    add_warm(came, &warm);
    add_line(came, "cold", &cold);
    state_free(state);
    state_free(nothing);
    description_free(&warm);
    description_free(&cold);
    description_free(&blank);
    return came;
}

static void test_line(void **state)
{
    const cJSON *fixture = *state;
    case_check(fixture, line_of(fixture));
}

int main(void)
{
    cases_load(&cases, "lines");
    shift = cases_take_out(&cases, "shift.json");
    cases_add(&cases, test_line);
    int failed = cases_run(&cases, "lines");
    cJSON_Delete(shift);
    return failed;
}
