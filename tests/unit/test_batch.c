/* test_batch.c - what a body with the right key becomes: one event or several, refused as a whole, within limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

static const struct event_community communities[] = { { "first", "KEY-one" }, { "second", "key-TWO" } };
static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };

static enum envelope_refusal parse(const char *body, size_t size, bool accept_unknown, struct batch *ret,
                                   struct err *err)
{
    const struct envelope_rules rules = { .communities = communities,
                                          .n_communities = ARRAY_SIZE(communities),
                                          .families = &families_all,
                                          .accept_unknown_types = accept_unknown };
    char *copy = malloc(size + 1), claimed[EVENT_TYPE_MAX_BYTES + 1];
    memcpy(copy, body, size);
    copy[size] = '\0';
    return envelope_parse(copy, size, &rules, &origin, 1, ret, claimed, err);
}

#define REST "\"key\":\"KEY-one\",\"type\":\"EVENT_REMOVE_911\"}"

/* The key was right: what came is kept, also with a type that is none, and nobody but a person can want it. */
static void test_no_type(void **state)
{
    (void) state;
    static const struct {
        const char *member, *extra, *reason;
    } cases[] = {
        { "", "{\"x\":1}", "type: missing" },
        { ",\"type\":null", "{\"x\":1,\"type\":null}", "type: missing" },
        { ",\"type\":\"\"", "{\"x\":1,\"type\":\"\"}", "type: expected a text that is not empty, got an empty text" },
        { ",\"type\": 911 ", "{\"x\":1,\"type\":911}", "type: expected a text that is not empty, got 911" },
        { ",\"\\u0074ype\":{\"a\":1}", "{\"x\":1,\"\\u0074ype\":{\"a\":1}}",
          "type: expected a text that is not empty, got an object with the names \"a\"" },
    };
    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        struct text body CLEANUP(text_free) = TEXT_INIT;
        struct batch batch, restored;
        struct err err;
        text_addf(&body, "{\"key\":\"KEY-one\",\"x\":1%s,\"data\":[{\"callIds\":[1]},{}]}", cases[i / 2].member);
        assert_int_equal(parse(body.s, body.size, i % 2, &batch, &err), ENVELOPE_OK);
        assert_int_equal(batch.n_events, 1);
        const struct event *event = &batch.events[0];
        assert_int_equal(event->verdict, EVENT_UNKNOWN);
        assert_string_equal(event->type, "");
        assert_string_equal(event->reason, cases[i / 2].reason);
        assert_int_equal(event->extra_text.size, strlen(cases[i / 2].extra));
        assert_memory_equal(event->extra_text.s, cases[i / 2].extra, event->extra_text.size);
        assert_memory_equal(event->data_text.s, "[{\"callIds\":[1]},{}]", event->data_text.size);
        assert_int_equal(batch_restore(&restored, event, &families_all), 0);
        assert_string_equal(restored.events[0].reason, cases[i / 2].reason);
        batch_done(&restored);
        batch_done(&batch);
    }
}

/* One request is one row: all of its data, and which element it was. */
static void test_a_refused_list_is_one_event(void **state)
{
    (void) state;
    const char *body = "{\"data\":[{\"callId\":1}, {\"callId\":\"x\"} ,{\"callId\":3}]," REST;
    struct batch batch, restored;
    struct err err;
    assert_int_equal(parse(body, strlen(body), false, &batch, &err), ENVELOPE_OK);
    assert_int_equal(batch.n_events, 1);
    struct event *event = &batch.events[0];
    assert_int_equal(event->verdict, EVENT_INVALID);
    assert_int_equal(event->index, -1);
    assert_string_equal(event->reason, "data[1].callId: expected a whole number, got a text");
    assert_memory_equal(event->data_text.s, "[{\"callId\":1}, {\"callId\":\"x\"} ,{\"callId\":3}]",
                        event->data_text.size);

    /* From the log: the same, what is not refused any more, and what another version refused beside it. */
    assert_int_equal(batch_restore(&restored, event, &families_all), 0);
    assert_int_equal(restored.n_events, 1);
    assert_string_equal(restored.events[0].reason, event->reason);
    batch_done(&restored);
    event->data_text = (struct span){ "[{\"callId\":1},{\"callId\":2}]", 27 };
    assert_int_equal(batch_restore(&restored, event, &families_all), 0);
    assert_int_equal(restored.n_events, 1);
    assert_int_equal(restored.events[0].verdict, EVENT_INVALID);
    assert_int_equal(restored.events[0].data_text.size, 27);
    assert_string_equal(restored.events[0].reason, "refused when it came");
    batch_done(&restored);
    batch_done(&batch);
}

static enum envelope_refusal parse_within(const struct text *body, uint64_t stored, uint64_t parsed, char *claimed,
                                          struct err *err)
{
    const struct envelope_rules rules = { .communities = communities,
                                          .n_communities = ARRAY_SIZE(communities),
                                          .families = &families_all,
                                          .max_stored_bytes = stored,
                                          .max_parsed_bytes = parsed };
    struct batch batch;
    enum envelope_refusal refusal =
        envelope_parse(strndup(body->s, body->size), body->size, &rules, &origin, 1, &batch, claimed, err);
    if (refusal == ENVELOPE_OK)
        batch_done(&batch);
    return refusal;
}

/* Each element is stored with everything beside the list: their sum counts, to the byte. */
static void test_stored_bytes(void **state)
{
    (void) state;
    static const char element[] = "{\"callId\":1}", extra[] = "{\"x\":\"yyyyyyyyyyyyyyyyyyyy\"}";
    const uint64_t each = strlen(element) + strlen(extra);
    char claimed[EVENT_TYPE_MAX_BYTES + 1];
    struct text body CLEANUP(text_free) = TEXT_INIT;
    struct err err = { "" };
    text_addf(&body, "{\"data\":[%s,%s,%s],\"x\":\"yyyyyyyyyyyyyyyyyyyy\"," REST, element, element, element);
    assert_int_equal(parse_within(&body, 3 * each, 0, claimed, &err), ENVELOPE_OK);
    assert_int_equal(parse_within(&body, 3 * each - 1, 0, claimed, &err), ENVELOPE_SIZE);
    assert_string_equal(err.msg, "data: too many elements beside so much else");
    assert_string_equal(claimed, "EVENT_REMOVE_911");

    /* A refused list is stored once. */
    text_reset(&body);
    text_addf(&body, "{\"data\":[%s,%s,{}],\"x\":\"yyyyyyyyyyyyyyyyyyyy\"," REST, element, element);
    assert_int_equal(parse_within(&body, 3 * each - 1, 0, claimed, &err), ENVELOPE_OK);
}

static void test_parsed_bytes(void **state)
{
    (void) state;
    char claimed[EVENT_TYPE_MAX_BYTES + 1];
    struct text body CLEANUP(text_free) = TEXT_INIT;
    struct err err = { "" };
    text_add(&body, "{\"data\":{\"callId\":1,\"x\":[1");
    for (int i = 1; i < 100000; i++)
        text_add(&body, ",1");
    text_add(&body, "]}," REST);
    assert_int_equal(parse_within(&body, 0, 16 << 20, claimed, &err), ENVELOPE_OK);
    assert_int_equal(parse_within(&body, 0, 4 << 20, claimed, &err), ENVELOPE_SIZE);
    assert_string_equal(err.msg, "data: too many values");
    assert_string_equal(claimed, "EVENT_REMOVE_911");
}

static void test_batch_limit(void **state)
{
    (void) state;
    for (int n = EVENT_MAX_BATCH; n <= EVENT_MAX_BATCH + 1; n++) {
        struct text body CLEANUP(text_free) = TEXT_INIT;
        struct batch batch;
        struct err err;
        text_add(&body, "{\"data\":[");
        for (int i = 0; i < n; i++)
            text_add(&body, i ? ",{\"callId\":1}" : "{\"callId\":1}");
        text_add(&body, "]," REST);
        assert_int_equal(parse(body.s, body.size, false, &batch, &err), ENVELOPE_OK);
        assert_int_equal(batch.n_events, n > EVENT_MAX_BATCH ? 1 : n);
        assert_int_equal(batch.events[0].verdict, n > EVENT_MAX_BATCH ? EVENT_INVALID : EVENT_ACCEPTED);
        batch_done(&batch);
    }
}

/* A set, in the order they came, full at IDS_MAX, and empty again; also where it is too large to look at each. */
static void test_many_ids(void **state)
{
    (void) state;
    struct description description = DESCRIPTION_INIT;
    struct ids *ids = &description.units;
    for (int round = 0; round < 3; round++) {
        const int64_t n = (int64_t[]){ 33, 7, IDS_MAX + 100 }[round];
        description_reset(&description);
        assert_int_equal(ids->n, 0);
        for (int64_t i = 0; i < 3 * n; i++)
            ids_add(ids, (i % n) * (int64_t) 0x100000000 - round);
        assert_int_equal(ids->n, n < IDS_MAX ? n : IDS_MAX);
        for (size_t i = 0; i < ids->n; i++)
            assert_true(ids->v[i] == (int64_t) i * (int64_t) 0x100000000 - round);
    }
    description_free(&description);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_type),      cmocka_unit_test(test_a_refused_list_is_one_event),
        cmocka_unit_test(test_stored_bytes), cmocka_unit_test(test_parsed_bytes),
        cmocka_unit_test(test_batch_limit),  cmocka_unit_test(test_many_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
