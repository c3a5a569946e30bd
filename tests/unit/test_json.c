/* test_json.c - JSON text scanned letter by letter, and the sender's bytes of a part of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/json.h>

static void expect_span(struct span span, const char *bytes)
{
    assert_int_equal(span.size, strlen(bytes));
    assert_memory_equal(span.s, bytes, span.size);
}

static void test_sound(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " [1,-0.5e+3,\"\\u00e9 \xc3\xa9 \xf0\x9f\x9a\x92\",true,false,null] ",
        "{\"a\":{\"b\":[{}]},\"\":0}",
        "\"\\ud83d\\udea8\"",
        "0",
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct json_scan scan = json_scan_of(span_of(texts[i]));
        struct err err = { "" };
        if (json_scan_value(&scan, &err) < 0)
            fail_msg("%s: %s", texts[i], err.msg);
        json_scan_space(&scan);
        assert_ptr_equal(scan.p, scan.end);
        assert_false(scan.met.awkward);
    }
}

/* Whatever stands behind the first value is not looked at by who has seen that this one is sound. */
static void test_all_of_a_text(void **state)
{
    static const struct {
        const char *text;
        bool is_one;
    } rows[] = {
        { " {\"a\":1}\r\n", true },
        { "\"a\"", true },
        { "404 page not found", false },
        { "1111111111111111111 \"\\]", false }, /* long, so that it is copied */
        { "1111111111111111111 \"x", false },
        { "\"\\ud800\"\"", false },
        { "1 2", false },
        { "{", false },
        { "", false },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cJSON *json = json_parse_all(span_of(rows[i].text));
        if (!json == rows[i].is_one)
            fail_msg("%s", rows[i].text);
        cJSON_Delete(json);
    }
    assert_null(json_parse_all((struct span){ 0 }));
}

static void test_unsound(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        { "", "unfinished text at byte 1" },
        { "{\"a\":1", "unfinished text at byte 7" },
        { "[1 2]", "missing comma at byte 4" },
        { "[1,]", "unexpected letter at byte 4" },
        { "{\"a\":1,}", "a member without a name at byte 8" },
        { "{\"a\" 1}", "a member without a colon at byte 6" },
        { "01", "malformed number at byte 3" },
        { "1.", "malformed number at byte 3" },
        { "nul", "unexpected letter at byte 1" },
        { "\"\\u0000\"", "NUL character at byte 2" },
        { "\"\\x\"", "unknown escape at byte 2" },
        { "\"\\u12g4\"", "unknown escape at byte 2" },
        { "\"\x01\"", "control character in a string at byte 2" },
        { "\"\xc3(\"", "not UTF-8 at byte 2" },
        { "\"abc", "unfinished string at byte 5" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_scan scan = json_scan_of(span_of(cases[i].text));
        struct err err = { "" };
        assert_int_equal(json_scan_value(&scan, &err), -EINVAL);
        assert_string_equal(err.msg, cases[i].sentence);
    }
}

static void test_depth(void **state)
{
    (void) state;
    for (size_t depth = JSON_MAX_DEPTH - 1; depth <= JSON_MAX_DEPTH + 1; depth++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        for (size_t i = 0; i < depth; i++)
            text_add(&text, i % 2 ? "{\"a\":" : "[");
        text_add(&text, "1");
        for (size_t i = depth; i-- > 0;)
            text_add(&text, i % 2 ? "}" : "]");
        struct json_scan scan = json_scan_of((struct span){ text.s, text.size });
        assert_int_equal(json_scan_value(&scan, NULL), depth <= JSON_MAX_DEPTH ? 0 : -EINVAL);
    }
}

static void test_parse_spares_digits(void **state)
{
    static const char text[] = "{\"id\":123456789012345678901,\"short\":12.5,\"half\":\"a\\ud83d\",\"7\":1}";
    struct json_scan scan = json_scan_of(span_of(text));
    (void) state;
    assert_int_equal(json_scan_value(&scan, NULL), 0);
    assert_true(scan.met.awkward);
    assert_true(scan.met.numbered);
    cJSON *json = json_parse(span_of(text), scan.met);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "id")->valuestring, "123456789012345678901");
    assert_true(cJSON_GetObjectItemCaseSensitive(json, "short")->valuedouble == 12.5);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "half")->valuestring, "a\xef\xbf\xbd");
    cJSON_Delete(json);
}

static void test_object(void **state)
{
    struct json_scan scan = json_scan_of(span_of(" { \"a\" : 1 , \"b\":[2, 3] } "));
    struct span name, value;
    (void) state;
    assert_int_equal(json_scan_object_begin(&scan, NULL), 1);
    assert_int_equal(json_scan_member(&scan, &name, &value, NULL), 0);
    expect_span(name, "\"a\"");
    expect_span(value, "1");
    assert_int_equal(json_scan_object_next(&scan, NULL), 1);
    assert_int_equal(json_scan_member(&scan, &name, &value, NULL), 0);
    expect_span(name, "\"b\"");
    expect_span(value, "[2, 3]");
    assert_int_equal(json_scan_object_next(&scan, NULL), 0);
}

static void test_not_all_of_a_text(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        { "", "no text" },
        { "[]", "not an object" },
        { "{", "unfinished object" },
        { "{} x", "text behind the object" },
        { "{1:2}", "a member without a name" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_scan scan = json_scan_of(span_of(cases[i].text));
        struct err err = { "" };
        assert_int_equal(json_scan_object_begin(&scan, &err), -EINVAL);
        assert_string_equal(err.msg, cases[i].sentence);
    }
}

static void test_children(void **state)
{
    static const struct {
        const char *container, *children[4]; /* child n, "" behind the last one */
    } cases[] = {
        { "[]", { "" } },
        { "{}", { "" } },
        { " [ 1.10 , \"a,]\\\"\" , {\"b\":[ ]} ] ", { "1.10", "\"a,]\\\"\"", "{\"b\":[ ]}", "" } },
        { "{\"a\" : 1e3 , \"b}\" : null}", { "1e3", "null", "" } },
        { "12", { "" } },
        { "", { "" } },
        { "[1,", { "1", "" } }, /* what is not sound ends the walk */
        { "{\"a\"", { "" } },
        { "{a:1}", { "" } },
        { "[\"a", { "" } },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t n = 0;
        do
            expect_span(json_child(span_of(cases[i].container), n), cases[i].children[n]);
        while (*cases[i].children[n++]);
    }
}

static void test_names_of_children(void **state)
{
    struct json_scan children = json_children_of(span_of("{\"a\\\"\":1,\"\":2}"));
    struct span name, value;
    (void) state;
    assert_true(json_next_child(&children, &name, &value));
    expect_span(name, "\"a\\\"\"");
    assert_true(json_next_child(&children, &name, &value));
    expect_span(name, "\"\"");
    expect_span(value, "2");
    assert_false(json_next_child(&children, &name, &value));

    children = json_children_of(span_of("[3]"));
    assert_true(json_next_child(&children, &name, &value));
    expect_span(name, "");
}

static void test_members(void **state)
{
    (void) state;
    expect_span(json_members(span_of("{\"a\":1 ,\"b\":{}}")), "\"a\":1 ,\"b\":{}");
    expect_span(json_members(span_of(" { \n\"a\":1 } ")), "\"a\":1 ");
    expect_span(json_members(span_of("{ }")), "");
    expect_span(json_members(span_of("7")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_unsound),
        cmocka_unit_test(test_all_of_a_text),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_parse_spares_digits),
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_not_all_of_a_text),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_names_of_children),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
