/* test_action_pointer.c - what pointers find, and that as text, from fixtures/actions/pointer.json; lists of words. */
#include "action_helpers.h"
#include "filter_private.h"

static void add_found(struct text *out, const struct event *event, const char *pointer)
{
    struct found found;
    if (pointer_look(event, span_of(pointer), &found))
        pointer_found_add(out, &found);
}

static void check_event(const cJSON *fixture, const struct event *event)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(fixture, "finds")) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        if (!pointer_find(event, item->string))
            fail_msg("%s: nothing", item->string);
        add_found(&text, event, item->string);
        assert_string_equal(text.s, item->valuestring);
    }
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(fixture, "not")) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        if (pointer_find(event, item->valuestring))
            fail_msg("%s: found", item->valuestring);
        add_found(&text, event, item->valuestring);
        assert_string_equal(text.s, "");
    }
}

static void test_fixture(void **state)
{
    struct two_events events;
    make_events(*state, &events);
    check_event(*state, &events.came.events[0]);
    check_event(*state, &events.restored.events[0]);
    free_events(&events);
}

static void test_syntax(void **state)
{
    static const char *const good[] = { "", "/", "/a", "/a~0b~1", "//", "/ä ö", "/0" };
    static const struct {
        const char *pointer, *sentence;
    } bad[] = {
        { "a", "expected a JSON Pointer such as /call/callId, not \"a\"" },
        { " /a", "expected a JSON Pointer such as /call/callId, not \" /a\"" },
        { "/a~", "expected a JSON Pointer with ~0 for ~ and ~1 for /, not \"/a~\"" },
        { "/a~2\x1b", "expected a JSON Pointer with ~0 for ~ and ~1 for /, not \"/a~2\\x1b\"" },
        { "/~~0", "expected a JSON Pointer with ~0 for ~ and ~1 for /, not \"/~~0\"" },
    };
    struct err err;
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_int_equal(pointer_check(span_of(good[i]), &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(pointer_check(span_of(bad[i].pointer), &err), -EINVAL);
        assert_string_equal(err.msg, bad[i].sentence);
    }
}

/* Without the sender's letters: as much as cJSON kept. */
static void test_values(void **state)
{
    static const struct {
        const char *json, *text;
    } values[] = {
        { "\"a\\nb\"", "a\nb" },
        { "0", "0" },
        { "-7", "-7" },
        { "9007199254740992", "9007199254740992" },
        { "1.10", "1.1" },
        { "0.1", "0.1" },
        { "0.30000000000000004", "0.30000000000000004" },
        { "1e300", "1e+300" },
        { "1e999", "" },
        { "true", "true" },
        { "false", "false" },
        { "null", "" },
        { "[]", "[]" },
        { "{ \"a\": [ 1, null ] }", "{\"a\":[1,null]}" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        cJSON *value = cJSON_Parse(values[i].json);
        pointer_add_value(&text, value);
        cJSON_Delete(value);
        assert_string_equal(text.s, values[i].text);
    }
    struct text text CLEANUP(text_free) = TEXT_INIT;
    pointer_add_value(&text, NULL);
    assert_string_equal(text.s, "");
}

/* As deep as a body may be, and deeper pointers than any. */
static void test_depth(void **state)
{
    struct text data CLEANUP(text_free) = TEXT_INIT, pointer CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    for (int i = 0; i < EVENT_MAX_DEPTH - 1; i++) {
        text_add(&data, i % 2 ? "[0," : "{\"a\":");
        text_add(&pointer, i % 2 ? "/1" : "/a");
    }
    text_add(&data, "1.10");
    for (int i = EVENT_MAX_DEPTH - 2; i >= 0; i--)
        text_add(&data, i % 2 ? "]" : "}");
    cJSON *fixture = cJSON_CreateObject();
    cJSON_AddStringToObject(fixture, "data", data.s);
    struct two_events events;
    make_events(fixture, &events);
    cJSON_Delete(fixture);

    struct text value CLEANUP(text_free) = TEXT_INIT;
    add_found(&value, &events.came.events[0], pointer.s);
    assert_string_equal(value.s, "1.10");
    for (int i = 0; i < 100; i++)
        text_add(&pointer, "/0");
    assert_null(pointer_find(&events.came.events[0], pointer.s));
    free_events(&events);
}

static void test_words(void **state)
{
    struct words words = { 0 };
    char expected[16];
    (void) state;
    words_add(&words, "");
    assert_null(words.v[1]);
    for (int i = 1; i < 100; i++) {
        words_addf(&words, "%d=%s", i, "x");
        assert_null(words.v[i + 1]);
    }
    assert_int_equal(words.n, 100);
    assert_string_equal(words.v[0], "");
    for (int i = 1; i < 100; i++) {
        snprintf(expected, sizeof(expected), "%d=x", i);
        assert_string_equal(words.v[i], expected);
    }
    assert_false(words.failed);
    words_free(&words);
    assert_null(words.v);
    assert_int_equal(words.n, 0);
    words_free(&words);
}

static void test_payload(void **state)
{
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    (void) state;
    action_payload_free(&payload);
    text_add(&payload.body, "body");
    words_add(&payload.words, "word");
    words_add(&payload.environment, "A=b");
    action_payload_free(&payload);
    assert_int_equal(payload.body.size, 0);
    assert_int_equal(payload.words.n + payload.environment.n, 0);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_syntax), cmocka_unit_test(test_values),  cmocka_unit_test(test_depth),
        cmocka_unit_test(test_words),  cmocka_unit_test(test_payload),
    };
    cJSON *fixtures = load_fixtures("pointer");
    int failed = run_fixtures("action_pointer", fixtures, test_fixture, others, ARRAY_SIZE(others));
    cJSON_Delete(fixtures);
    return failed;
}
