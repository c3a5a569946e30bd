/* store_described.h - an event with everything that a row can have, and what was decided about it. */
#pragma once

#include "store_helpers.h"

static const struct event_family family = { .name = "unit" };
static const struct event_families none = { NULL, 0, NULL };
static const char known[] = "{\"units\":[{\"id\":7,\"number\":\"3-l-27\"},{\"id\":8}],\"on_duty\":2}";

static struct origin origin = { .source = "session", .name = "main", .peer = "192.0.2.1" };

static inline struct event make_event(uint64_t id)
{
    return (struct event){
        .id = id,
        .time_us = id * USEC_PER_SEC,
        .type = "EVENT_UNIT_STATUS",
        .type_sent = "event_unit_status",
        .test = true,
        .family = &family,
        .community = "alpha",
        .realm = "alpha",
        .origin = &origin,
        .data_text = { "{\"a\": 1}", 8 },
        .extra_text = { "{\"test\":true}", 13 },
    };
}

static inline void describe(struct description *ret)
{
    *ret = (struct description) DESCRIPTION_INIT;
    text_add(&ret->line, "unit 7 \u2192 en route");
    text_add(&ret->known, known);
    description_add_number(ret, "3-l-27");
    ids_add(&ret->units, 7);
    ids_add(&ret->units, INT64_MIN);
    ids_add(&ret->calls, 9007199254740993);
    ids_add(&ret->calls911, 3);
    ret->by = 8;
    ret->record = INT64_MAX;
    ret->level = 4;
}

/* As many as there are to be. */
static inline void append_described(struct store *store, int n)
{
    struct description description;
    describe(&description);
    assert_int_equal(store_begin(store, &err), 0);
    for (int i = 0; i < n; i++) {
        struct event event = make_event(store_last_id(store) + 1 + (uint64_t) i);
        assert_int_equal(store_append(store, &event, &description, &err), 0);
    }
    assert_int_equal(store_commit(store, &err), 0);
    description_free(&description);
}

static inline void assert_ids(const struct ids *got, const struct ids *wanted)
{
    assert_int_equal(got->n, wanted->n);
    assert_memory_equal(got->v, wanted->v, got->n * sizeof(*got->v));
}

static inline void assert_described(const struct store_row *row)
{
    struct description wanted, got = DESCRIPTION_INIT;
    struct batch batch;
    describe(&wanted);
    assert_true(row->described);
    assert_string_equal(row->family, "unit");
    assert_int_equal(store_row_restore(row, &none, &batch), 0);
    store_row_describe(row, &batch.events[0], &got);
    assert_string_equal(got.line.s, wanted.line.s);
    assert_string_equal(got.known.s, known);
    assert_ids(&got.calls, &wanted.calls);
    assert_ids(&got.calls911, &wanted.calls911);
    assert_ids(&got.units, &wanted.units);
    assert_int_equal(got.by, 8);
    assert_true(got.record == INT64_MAX);
    assert_int_equal(got.level, 4);
    assert_string_equal(batch.events[0].origin->source, "session");
    assert_string_equal(batch.events[0].type_sent, "event_unit_status");
    assert_true(batch.events[0].test);
    assert_string_equal(batch.events[0].log, row->log);
    assert_int_equal(strlen(row->log), 32);
    batch_done(&batch);
    description_free(&wanted);
    description_free(&got);
}
