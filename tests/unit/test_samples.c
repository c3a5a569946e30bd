/* test_samples.c - every type of event and every other name of one has a sample, which its own check lets through. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>

#include "../../src/ctl/body.h"
#include "../../src/ctl/samples.h"

#define KEY "TEST-API-KEY-0000"

static enum envelope_refusal parse(const struct text *body, struct batch *ret, struct err *err)
{
    const struct event_community community = { "default", KEY };
    const struct envelope_rules rules = { .communities = &community, .n_communities = 1, .families = &families_all };
    const struct origin origin = { EVENT_SOURCE_PUSH, "main", "127.0.0.1" };
    char claimed[EVENT_TYPE_MAX_BYTES + 1];
    return envelope_parse(strndup(body->s, body->size), body->size, &rules, &origin, 1, ret, claimed, err);
}

/* As the daemon would hear it, under the given name. */
static void check(const char *name, const struct event_type *type)
{
    struct text body = TEXT_INIT;
    struct batch batch;
    struct err err = { "" };
    const struct sample *sample = sample_find(name);
    if (!sample)
        fail_msg("%s has no sample", name);
    assert_string_equal(sample->type, type->name);

    assert_int_equal(body_make(KEY, name, sample->data, sample->top, true, &body, &err), 0);
    if (parse(&body, &batch, &err) != ENVELOPE_OK)
        fail_msg("%s: %s", name, err.msg);
    assert_int_equal(batch.n_events, 1);
    if (batch.events[0].verdict != EVENT_ACCEPTED)
        fail_msg("%s: %s", name, batch.events[0].reason);
    assert_ptr_equal(batch.events[0].handler, type);
    assert_true(batch.events[0].test);
    batch_done(&batch);
    text_free(&body);
}

static void test_every_type(void **unused)
{
    (void) unused;
    size_t n = 0, n_aliases = 0;
    for (size_t i = 0; i < families_all.n; i++)
        for (size_t j = 0; j < families_all.list[i]->n_types; j++) {
            const struct event_type *type = &families_all.list[i]->types[j];
            check(type->name, type);
            n++;
            if (type->alias) {
                check(type->alias, type);
                n_aliases++;
            }
        }
    assert_int_equal(n, samples_n);
    assert_int_equal(n_aliases, 4);
}

static void test_find(void **unused)
{
    char long_name[2000];
    (void) unused;
    memset(long_name, 'A', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_ptr_equal(sample_find("event_911"), sample_find("EVENT_911"));
    assert_null(sample_find("EVENT_9111"));
    assert_null(sample_find(""));
    assert_null(sample_find(long_name));
}

static bool marked;

static void expect_body(const char *json, const char *expected)
{
    struct text from = TEXT_INIT, body = TEXT_INIT;
    struct err err;
    text_add(&from, json);
    int r = body_with_key(&from, "a\"b", marked, &body, &err);
    if (!expected) {
        assert_int_equal(r, -EINVAL);
    } else {
        assert_int_equal(r, 0);
        assert_string_equal(body.s, expected);
    }
    text_free(&from);
    text_free(&body);
}

/* Nothing but the key changes. */
static void test_body_with_key(void **unused)
{
    (void) unused;
    expect_body("{}", "{\"key\":\"a\\\"b\"}");
    expect_body(" { } ", "{\"key\":\"a\\\"b\"}");
    expect_body("{\"key\":\"x\"}", "{\"key\":\"a\\\"b\"}");
    expect_body("{\"type\":\"T\"}", "{\"key\":\"a\\\"b\",\"type\":\"T\"}");
    expect_body("{ \"key\" : \"}\\\",\" , \"n\": 90071992547409931 }",
                "{\"key\":\"a\\\"b\", \"n\": 90071992547409931 }");
    expect_body("{\"data\":{\"key\":1,\"x\":[{},[1,2]]},\n\"key\":[\"key\",{}],\"z\":\"\\\\\"}",
                "{\"key\":\"a\\\"b\",\"data\":{\"key\":1,\"x\":[{},[1,2]]},\"z\":\"\\\\\"}");
    expect_body("{\"keys\":1,\"Key\":2}", "{\"key\":\"a\\\"b\",\"keys\":1,\"Key\":2}");
    expect_body("{\"k\\u0065y\":1, \"z\":2}", "{\"key\":\"a\\\"b\", \"z\":2}");
    expect_body("\xef\xbb\xbf{\"z\":2}", "{\"key\":\"a\\\"b\",\"z\":2}");
    expect_body("{\"z\":\"\t\"}", NULL);
    expect_body("{\"z\":01}", NULL);
    expect_body("", NULL);
    expect_body("[]", NULL);
    expect_body("{\"a\":1", NULL);
    expect_body("{} {}", NULL);
}

/* Where the body says nothing of it. */
static void test_body_is_marked(void **unused)
{
    (void) unused;
    marked = true;
    expect_body("{}", "{\"key\":\"a\\\"b\",\"test\":true}");
    expect_body("{\"type\":\"T\", \"data\":{\"test\":1} }",
                "{\"key\":\"a\\\"b\",\"type\":\"T\", \"data\":{\"test\":1} ,\"test\":true}");
    expect_body("{\"test\": false}", "{\"key\":\"a\\\"b\",\"test\": false}");
    expect_body("{\"te\\u0073t\":0}", "{\"key\":\"a\\\"b\",\"te\\u0073t\":0}");
    expect_body("{\"Test\":false}",
                "{\"key\":\"a\\\"b\",\"Test\":false,\"test\":true}"); /* which says nothing to the daemon */
    marked = false;
}

/* Whatever stands beside it. */
static void test_made_body_is_marked(void **unused)
{
    static const char *const tops[] = { NULL, "\"test\":false", "\"te\\u0073t\":false,\"test\":0", "\"TEST\":false" };
    (void) unused;
    for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
        struct text body CLEANUP(text_free) = TEXT_INIT;
        struct batch batch;
        struct err err = { "" };
        assert_int_equal(body_make(KEY, "EVENT_911", "{}", tops[i], true, &body, &err), 0);
        assert_int_equal(parse(&body, &batch, &err), ENVELOPE_OK);
        assert_true(batch.events[0].test);
        batch_done(&batch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),          cmocka_unit_test(test_find),
        cmocka_unit_test(test_body_with_key),       cmocka_unit_test(test_body_is_marked),
        cmocka_unit_test(test_made_body_is_marked),
    };
    return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
