/* test_json_get.c - texts as strings of JSON and back, and the members of a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/json.h>

static void test_says_the_same(void **state)
{
    (void) state;
    const char *in = "q\" b\\ n\n \033[2J \xc2\x9b \xe2\x80\xae \xf3\xa0\x81\x81 ë 😀";
    struct text text CLEANUP(text_free) = TEXT_INIT;
    json_quote(&text, in, strlen(in));
    for (const char *p = text.s; *p; p++)
        assert_true((unsigned char) *p >= 0x20 && *p != 0x7f);
    assert_null(strstr(text.s, "\xc2\x9b"));
    assert_null(strstr(text.s, "\xe2\x80\xae"));

    cJSON *json = cJSON_Parse(text.s);
    assert_non_null(json);
    assert_string_equal(json->valuestring, in);
    cJSON_Delete(json);
}

/* Eight bytes are looked at together, and room is made for some hundred: it is all the same wherever one stands. */
static void test_says_the_same_at_any_place(void **state)
{
    static const char *const strange[] = { "\"", "\\", "\x01", "\x1f", "\x7f", "\n", "é", "\u202e", "😀", "\U000e0001" };
    struct text text CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    for (size_t place = 0; place < 600; place++) {
        const char *one = strange[place % ARRAY_SIZE(strange)];
        char in[640];
        memset(in, place % 2 ? ' ' : '~', sizeof(in));
        memcpy(in + place, one, strlen(one));
        in[place + strlen(one) + place % 19] = '\0';
        text_reset(&text);
        json_quote(&text, in, strlen(in));
        cJSON *json = cJSON_Parse(text.s);
        assert_string_equal(cJSON_GetStringValue(json), in);
        assert_int_equal(strlen(text.s), text.size);
        cJSON_Delete(json);
    }
}

static void test_plain_ends_at_the_first_that_is_not(void **state)
{
    (void) state;
    for (size_t place = 0; place <= 24; place++)
        for (int c = 0; c < 256; c++) {
            char in[24];
            memset(in, 'x', sizeof(in));
            if (place < sizeof(in))
                in[place] = (char) c;
            for (size_t behind = place + 1; behind < sizeof(in); behind++)
                in[behind] = (char) (c + 1); /* what it borrows from */
            bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
            if (!plain || place == sizeof(in))
                assert_int_equal(json_count_plain(in, sizeof(in)), place);
            else
                assert_true(json_count_plain(in, sizeof(in)) > place);
        }
}

static void test_replaces_what_is_not_utf8(void **state)
{
    (void) state;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    json_quote(&text,
               "a\xff"
               "b",
               3);
    assert_string_equal(text.s, "\"a\\ufffdb\"");
}

static void test_string_value(void **state)
{
    static const struct {
        const char *json, *value;
    } cases[] = {
        { "\"\"", "" },
        { "\"a b\"", "a b" },
        { "\"\\u0041\\n\\\"\"", "A\n\"" },
        { "\"\\\\\\/\\b\\f\\n\\r\\t\"", "\\/\b\f\n\r\t" },
        { "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7f\xc2\x80\u07ff\u0800\uffff" },
        { "\"\\ud83d\\uDE00 \\udbff\\udfff\"", "\U0001f600 \U0010ffff" },
        { "\"gr\u00fc\u00df 8 bytes and more, then \\\"\u20ac\\\"\"",
          "gr\u00fc\u00df 8 bytes and more, then \"\u20ac\"" },
        { "\"\\ud83d\"", "\ufffd" },
        { "\"\\ud83d\\n\\ude00\\ud83d\\ud83d\\ude00\"", "\ufffd\n\ufffd\ufffd\U0001f600" },
        { "7", NULL },
        { "\"", NULL },
        { "\"a\\\"", NULL },
        { "\"a\\u12\"", NULL },
        { "", NULL },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t size = 99;
        char *value CLEANUP(cleanup_free) = json_string_value(span_of(cases[i].json), &size);
        if (!cases[i].value) {
            assert_null(value);
            continue;
        }
        assert_string_equal(value, cases[i].value);
        assert_int_equal(size, strlen(cases[i].value));
    }
}

/* What is missing or of another type is nothing. */
static void test_get(void **state)
{
    cJSON *json =
        cJSON_Parse("{\"n\":17,\"t\":\"x\",\"yes\":true,\"no\":false,\"nn\":-1,\"\":1,\"N\":2,\"huge\":1e19,\"o\":{}}");
    cJSON *list = cJSON_Parse("[1]");
    (void) state;
    assert_int_equal(json_get_count(json, "n"), 17);
    assert_int_equal(json_get_count(json, "N"), 2);
    assert_int_equal(json_get_count(json, ""), 1);
    assert_int_equal(json_get_count(json, "nn"), 0);
    assert_int_equal(json_get_count(json, "huge"), 0);
    assert_int_equal(json_get_count(json, "t"), 0);
    assert_string_equal(json_get_text(json, "t"), "x");
    assert_string_equal(json_get_text(json, "n"), "");
    assert_string_equal(json_get_text(json, "T"), "");
    assert_true(json_get_flag(json, "yes"));
    assert_false(json_get_flag(json, "no"));
    assert_false(json_get_flag(json, "n"));
    assert_true(json_is(json_get(json, "o"), cJSON_Object));
    assert_null(json_get(json, "none"));
    assert_null(json_get(json_get(json, "none"), "n"));
    assert_null(json_get(list, ""));
    cJSON_Delete(json);
    cJSON_Delete(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_the_same),
        cmocka_unit_test(test_says_the_same_at_any_place),
        cmocka_unit_test(test_plain_ends_at_the_first_that_is_not),
        cmocka_unit_test(test_replaces_what_is_not_utf8),
        cmocka_unit_test(test_string_value),
        cmocka_unit_test(test_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
