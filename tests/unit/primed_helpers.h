/* primed_helpers.h - a community with its log, asked and answered. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/primed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define T0 (1760000000 * USEC_PER_SEC)
#define GAP (42 * USEC_PER_SEC)

/* One community, and what its log heard. */
struct world {
    struct state *state;
    uint64_t id;
    usec_t now_us;
    const char *heard; /* " call:1 911:2 " before the gap */
    struct text line;
    struct text data;
    size_t n_compared; /* how much of it was missed */
    int level;
    size_t n_missed; /* of what was taken last */
    struct description description;
};

static inline int begin(void **fixture)
{
    struct world *world = calloc(1, sizeof(*world));
    world->state = state_new();
    world->now_us = T0;
    world->heard = "";
    world->line = world->data = (struct text) TEXT_INIT;
    world->description = (struct description) DESCRIPTION_INIT;
    *fixture = world;
    return 0;
}

static inline int end(void **fixture)
{
    struct world *world = *fixture;
    state_free(world->state);
    text_free(&world->line);
    text_free(&world->data);
    description_free(&world->description);
    free(world);
    return 0;
}

static inline void apply(struct world *world, const struct event *event)
{
    state_set_event(world->state, event->id, event->time_us);
    state_set_test(world->state, false);
    state_set_source(world->state, event->origin->source, event->origin->name);
    (void) event->handler->apply(event, world->state);
}

static inline void hear_from(struct world *world, const char *source, const char *name, const char *type,
                             const char *data)
{
    struct batch batch;
    struct origin origin = { 0 };
    text_copy(origin.source, sizeof(origin.source), source);
    text_copy(origin.name, sizeof(origin.name), name);
    const struct event stored = { .id = ++world->id,
                                  .type = type,
                                  .time_us = world->now_us += USEC_PER_SEC,
                                  .community = "a",
                                  .origin = &origin,
                                  .data_text = span_of(data) };
    assert_int_equal(batch_restore(&batch, &stored, &families_all), 0);
    assert_int_equal(batch.events[0].verdict, EVENT_ACCEPTED);
    apply(world, &batch.events[0]);
    batch_done(&batch);
}

/* An event of the session that primes. */
static inline void hear(struct world *world, const char *type, const char *data)
{
    hear_from(world, "session", "city", type, data);
}

/* ---- asking ---- */

static inline bool was_heard(void *context, enum state_kind kind, int64_t id)
{
    const struct world *world = context;
    char word[40];
    snprintf(word, sizeof(word), " %s:%lld ", kind == STATE_KIND_CALL ? "call" : "911", (long long) id);
    return strstr(world->heard, word) != NULL;
}

struct asked {
    uint64_t id;
    usec_t us;
};

static inline struct asked ask(const struct world *world)
{
    return (struct asked){ world->id, world->now_us };
}

/* Told to a state as it is after all that came since it was asked; units: one page, all there are. */
static inline int answer(struct world *world, struct asked asked, usec_t gap_us, const char *calls, const char *units)
{
    struct state_snapshot *known;
    cJSON *calls_json = calls ? cJSON_Parse(calls) : NULL, *units_json = units ? cJSON_Parse(units) : NULL;
    assert_true((!calls || calls_json) && (!units || units_json));
    const cJSON *page = units_json;
    const struct primed_question question = { .asked_id = asked.id,
                                              .asked_us = asked.us,
                                              .now_us = world->now_us,
                                              .server = 1,
                                              .source = primed_source(world->state, "session", "city"),
                                              .gap_us = gap_us };
    const struct primed_answers answers = {
        .calls = calls_json, .units = &page, .n_units = units ? 1 : 0, .units_whole = units != NULL
    };
    assert_int_equal(state_snapshot(world->state, "a", &known), 0);
    text_reset(&world->data);
    int r = primed_diff(&question, &answers, known, was_heard, world, &world->data, &world->n_compared);
    state_snapshot_free(known);
    cJSON_Delete(calls_json);
    cJSON_Delete(units_json);
    assert_true(r >= 0);
    return r;
}

static inline void take(struct world *world)
{
    struct batch batch;
    const struct origin origin = { "session", "city", "api.example.net" };
    const struct event stored = { .id = ++world->id,
                                  .type = PRIMED_TYPE,
                                  .time_us = world->now_us += USEC_PER_SEC,
                                  .community = "a",
                                  .origin = &origin,
                                  .verdict = EVENT_INTERNAL,
                                  .data_text = { world->data.s, world->data.size } };
    assert_int_equal(batch_restore(&batch, &stored, &families_all), 0);
    const struct event *event = &batch.events[0];
    assert_int_equal(event->verdict, EVENT_INTERNAL);
    assert_non_null(event->handler);
    event_describe(event, world->state, &world->description);
    apply(world, event);
    world->n_missed = primed_count_missed(event, world->state);
    families_write_known(event, world->state, &world->description);
    text_reset(&world->line);
    text_add(&world->line, world->description.line.s);
    world->level = world->description.level;
    batch_done(&batch);
}

/* Asked and answered with nothing in between. */
static inline void prime(struct world *world, usec_t gap_us, const char *calls, const char *units)
{
    assert_int_equal(answer(world, ask(world), gap_us, calls, units), 1);
    take(world);
}

#define UNIT_A                                                                                                         \
    "{\"id\":4127,\"accId\":\"x\",\"status\":2,\"isPanic\":false,\"location\":\"Pier Rd\",\"isDispatch\":false,"       \
    "\"data\":{\"unitNum\":\"3-L-27\",\"name\":\"Mara Ellison\",\"department\":\"Calder\",\"group\":\"\",\"page\":0,"  \
    "\"apiIds\":[\"steam:1\"]}}"
#define UNIT_B                                                                                                         \
    "{\"id\":4133,\"status\":3,\"isPanic\":false,\"isDispatch\":true,\"data\":{\"unitNum\":\"D-2\",\"name\":"          \
    "\"Priya\"}}"
#define CALL                                                                                                           \
    "{\"callId\":55120,\"origin\":0,\"status\":1,\"priority\":2,\"block\":\"100\",\"address\":\"118 Lantern St\","     \
    "\"postal\":\"7042\",\"title\":\"Structure Fire\",\"code\":\"10-70\",\"primary\":4127,\"trackPrimary\":false,"     \
    "\"description\":\"Smoke\",\"notes\":[{\"content\":\"one\"},{\"content\":\"two\"}],\"idents\":[4127],"             \
    "\"metaData\":{\"createdFromId\":\"90417\"},\"updated\":\"2026-04-08T21:30:00Z\"}"
#define CALL911                                                                                                        \
    "{\"callId\":90417,\"isEmergency\":true,\"caller\":\"Zoe\",\"location\":\"118 Lantern St\",\"description\":\"x\"," \
    "\"metaData\":{\"phone\":\"555-0100\",\"x\":\"1.5\",\"y\":\"2\"}}"
#define ALL(active, emergency) "{\"ActiveCalls\":[" active "],\"EmergencyCalls\":[" emergency "],\"ClosedCalls\":[]}"

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
