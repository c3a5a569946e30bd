/* test_envelope_steps.c - an envelope opened, asked whose it is, made into events, each for itself; and a type and data
 * without one. What bodies are sound: test_envelope.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>

static const struct event_community communities[] = { { "first", "KEY-one" }, { "second", "key-TWO" } };
static const struct origin origin = { "session", "alpha", "api.sonorancad.com" };
static const struct envelope_rules rules = { .communities = communities,
                                             .n_communities = ARRAY_SIZE(communities),
                                             .families = &families_all };
static struct err err;

static enum envelope_refusal open_body(const char *body, struct envelope *ret)
{
    return envelope_open(strdup(body), strlen(body), &rules, &origin, 7, ret, &err);
}

static enum envelope_refusal make_one(const char *type, size_t type_size, const char *data, struct batch *ret)
{
    return envelope_make_one((struct span){ type, type_size }, (struct span){ data, data ? strlen(data) : 0 }, &rules,
                             "second", &origin, 7, ret, &err);
}

static void is_of_the_session(const struct event *event, const char *community)
{
    assert_string_equal(event->origin->source, "session");
    assert_string_equal(event->origin->name, "alpha");
    assert_string_equal(event->origin->peer, "api.sonorancad.com");
    assert_string_equal(event->community, community);
    assert_int_equal(event->time_us, 7);
    assert_true(event->among_communities);
}

/* The session knows whose it is, and asks no key. */
static void a_body_without_a_key(void **state)
{
    (void) state;
    struct envelope envelope;
    struct batch batch;
    assert_int_equal(open_body("{\"type\":\"event_remove_911\",\"data\":{\"callIds\":[1]}}", &envelope), ENVELOPE_OK);
    assert_false(envelope.has_key);
    assert_int_equal(envelope_make(&envelope, &rules, "second", &batch, &err), ENVELOPE_OK);
    assert_null(envelope.memory);
    assert_int_equal(batch.n_events, 1);
    assert_string_equal(batch.events[0].type, "EVENT_REMOVE_911");
    assert_int_equal(batch.events[0].verdict, EVENT_ACCEPTED);
    is_of_the_session(&batch.events[0], "second");
    batch_done(&batch);
}

static void a_key_tells_whose_it_is(void **state)
{
    (void) state;
    struct envelope envelope;
    assert_int_equal(open_body("{\"type\":\"X\",\"key\":\"KEY-two\"}", &envelope), ENVELOPE_OK);
    assert_true(envelope.has_key);
    assert_string_equal(envelope_authenticate(&envelope, &rules, &err)->name, "second");
    envelope_drop(&envelope);
    assert_null(envelope.memory);
    envelope_drop(&envelope);
}

static void a_wrong_key_leaves_the_type_to_be_told(void **state)
{
    (void) state;
    struct envelope envelope;
    char claimed[EVENT_TYPE_MAX_BYTES + 1];
    assert_int_equal(open_body("{\"type\":\"event_911\",\"key\":\"nobody's\"}", &envelope), ENVELOPE_OK);
    assert_null(envelope_authenticate(&envelope, &rules, &err));
    assert_string_equal(err.msg, "wrong key");
    envelope_show_claimed(&envelope, claimed);
    assert_string_equal(claimed, "EVENT_911");
    envelope_drop(&envelope);
}

/* It is in the body's text, and the body is the batch's. */
static void a_key_that_is_not_asked_for_is_wiped(void **state)
{
    (void) state;
    struct envelope envelope;
    struct batch batch;
    char *body = strdup("{\"type\":\"EVENT_REMOVE_911\",\"key\":\"KEY-one\",\"data\":{\"callIds\":[1]}}");
    size_t size = strlen(body);
    assert_int_equal(envelope_open(body, size, &rules, &origin, 7, &envelope, &err), ENVELOPE_OK);
    assert_int_equal(envelope_make(&envelope, &rules, "first", &batch, &err), ENVELOPE_OK);
    assert_null(memmem(body, size, "KEY-one", strlen("KEY-one")));
    batch_done(&batch);
}

static void an_unsound_body_leaves_nothing(void **state)
{
    (void) state;
    struct envelope envelope;
    assert_int_equal(open_body("{\"type\":\"X\"", &envelope), ENVELOPE_JSON);
    assert_null(envelope.memory);
}

static void a_list_makes_an_event_of_each_element(void **state)
{
    (void) state;
    struct batch batch;
    assert_int_equal(make_one("Event_Remove_911", 16, " [{\"callIds\":[1]}, {\"callIds\":[2] }] ", &batch),
                     ENVELOPE_OK);
    assert_int_equal(batch.n_events, 2);
    assert_string_equal(batch.events[1].type, "EVENT_REMOVE_911");
    assert_string_equal(batch.events[1].type_sent, "Event_Remove_911");
    struct span data = batch.events[1].data_text;
    assert_int_equal(data.size, strlen("{\"callIds\":[2] }"));
    assert_memory_equal(data.s, "{\"callIds\":[2] }", data.size);
    is_of_the_session(&batch.events[0], "second");
    batch_done(&batch);
}

/* Stored with its verdict, as what comes in a body is. */
static void data_a_handler_cannot_use_has_a_verdict(void **state)
{
    (void) state;
    struct batch batch;
    assert_int_equal(make_one("EVENT_911", 9, NULL, &batch), ENVELOPE_OK);
    assert_int_equal(batch.events[0].verdict, EVENT_INVALID);
    assert_true(batch.events[0].reason[0]);
    batch_done(&batch);
    assert_int_equal(make_one("NO_SUCH", 7, "{}", &batch), ENVELOPE_OK);
    assert_int_equal(batch.events[0].verdict, EVENT_UNKNOWN);
    batch_done(&batch);
}

static void an_unsound_type_or_data_is_refused(void **state)
{
    (void) state;
    struct batch batch;
    char *longest = calloc(1, EVENT_TYPE_STORED_MAX_BYTES + 1);
    memset(longest, 'X', EVENT_TYPE_STORED_MAX_BYTES + 1);
    assert_int_equal(make_one("", 0, "{}", &batch), ENVELOPE_JSON);
    assert_int_equal(make_one("A\0B", 3, "{}", &batch), ENVELOPE_JSON);
    assert_int_equal(make_one("A\xff", 2, "{}", &batch), ENVELOPE_JSON);
    assert_int_equal(make_one(longest, EVENT_TYPE_STORED_MAX_BYTES + 1, "{}", &batch), ENVELOPE_JSON);
    assert_int_equal(make_one(longest, EVENT_TYPE_STORED_MAX_BYTES, "{}", &batch), ENVELOPE_OK);
    batch_done(&batch);
    free(longest);
    static const char *const unsound[] = { "{", "{}{}", "{\"a\":01}", "{\"a\":\"\\u0000\"}", "x", "{} ]" };
    for (size_t i = 0; i < ARRAY_SIZE(unsound); i++)
        assert_int_equal(make_one("EVENT_911", 9, unsound[i], &batch), ENVELOPE_JSON);
}

/* As deep as in a body, in which it stands one level further in. */
static void data_is_as_deep_as_in_a_body(void **state)
{
    (void) state;
    struct batch batch;
    char deep[2 * EVENT_MAX_DEPTH + 1] = "";
    for (int i = 0; i < EVENT_MAX_DEPTH; i++) {
        deep[i] = '[';
        deep[2 * EVENT_MAX_DEPTH - 1 - i] = ']';
    }
    assert_int_equal(make_one("NO_SUCH", 7, deep, &batch), ENVELOPE_JSON);
    deep[2 * EVENT_MAX_DEPTH - 1] = '\0';
    assert_int_equal(make_one("NO_SUCH", 7, deep + 1, &batch), ENVELOPE_OK);
    batch_done(&batch);
}

/* Swapped by hand: it is neither stored nor shown. */
static void a_key_in_the_place_of_the_type_is_hidden(void **state)
{
    (void) state;
    struct batch batch;
    assert_int_equal(make_one("key-one", 7, "{}", &batch), ENVELOPE_OK);
    assert_string_equal(batch.events[0].type, "[KEY]");
    batch_done(&batch);
}

static void too_much_to_parse_or_store_is_refused(void **state)
{
    (void) state;
    struct batch batch;
    struct envelope_rules narrow = rules;
    struct text data CLEANUP(text_free) = TEXT_INIT;
    text_add(&data, "[{\"callIds\":[1]}");
    for (int i = 0; i < 999; i++)
        text_add(&data, ",{\"callIds\":[1]}");
    text_add(&data, "]");
    const struct span type = { "EVENT_REMOVE_911", 16 }, whole = { data.s, data.size };
    narrow.max_stored_bytes = data.size / 2;
    assert_int_equal(envelope_make_one(type, whole, &narrow, "first", &origin, 7, &batch, &err), ENVELOPE_SIZE);
    narrow = rules;
    narrow.max_parsed_bytes = data.size;
    assert_int_equal(envelope_make_one(type, whole, &narrow, "first", &origin, 7, &batch, &err), ENVELOPE_SIZE);
    assert_int_equal(envelope_make_one(type, whole, &rules, "first", &origin, 7, &batch, &err), ENVELOPE_OK);
    assert_int_equal(batch.n_events, 1000);
    batch_done(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_without_a_key),
        cmocka_unit_test(a_key_tells_whose_it_is),
        cmocka_unit_test(a_wrong_key_leaves_the_type_to_be_told),
        cmocka_unit_test(a_key_that_is_not_asked_for_is_wiped),
        cmocka_unit_test(an_unsound_body_leaves_nothing),
        cmocka_unit_test(a_list_makes_an_event_of_each_element),
        cmocka_unit_test(data_a_handler_cannot_use_has_a_verdict),
        cmocka_unit_test(an_unsound_type_or_data_is_refused),
        cmocka_unit_test(data_is_as_deep_as_in_a_body),
        cmocka_unit_test(a_key_in_the_place_of_the_type_is_hidden),
        cmocka_unit_test(too_much_to_parse_or_store_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
