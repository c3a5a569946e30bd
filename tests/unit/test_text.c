/* test_text.c - the text builder, and text from outside made safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <sonoran-pushd/text.h>

static void test_grows(void **state)
{
    (void) state;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    assert_string_equal(text.s, "");
    for (int i = 0; i < 1000; i++)
        text_add(&text, "0123456789");
    assert_int_equal(text.size, 10000);
    assert_int_equal(strlen(text.s), 10000);
    text_reset(&text);
    assert_string_equal(text.s, "");
    text_addf(&text, "%d-%s", 7, "x");
    text_add_int(&text, INT64_MIN);
    text_add_int(&text, INT64_MAX);
    text_add_int(&text, 0);
    assert_string_equal(text.s, "7-x-922337203685477580892233720368547758070");
}

static void test_refuses_more_than_the_limit(void **state)
{
    (void) state;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add(&text, "kept");
    assert_false(text_reserve(&text, TEXT_MAX_BYTES));
    assert_true(text.failed);
    assert_string_equal(text.s, "kept");
}

struct safe_case {
    const char *in;
    size_t max_chars;
    const char *out;
};

static const struct safe_case safe_cases[] = {
    { "plain", 0, "plain" },
    { "Zoë 日本 😀", 0, "Zoë 日本 😀" },
    { "a\nb\r\tc", 0, "a\\nb\\r\\tc" },
    { "\033[2J\007\177", 0, "\\x1b[2J\\x07\\x7f" },
    { "\xc2\x9b"
      "31m",
      0, "\\u009b31m" }, /* the one-character CSI */
    { "\xe2\x80\xae"
      "evil\xe2\x81\xa6",
      0, "\\u202eevil\\u2066" }, /* direction of writing */
    { "\xe2\x80\xa8\xef\xbb\xbf\xe2\x80\x8b", 0, "\\u2028\\ufeff\\u200b" },
    { "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x92", 0, "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x92" }, /* joined */
    { "\xff\xc3(\xe2\x82", 0, "\\xff\\xc3(\\xe2\\x82" }, /* not UTF-8 */
    { "\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80", 0, "\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80" },
    { "äöüß", 2, "äö…" },
    { "äöüß", 4, "äöüß" },
    { "", 0, "" },
};

static void test_safe(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(safe_cases); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        text_add_safe(&text, safe_cases[i].in, strlen(safe_cases[i].in), safe_cases[i].max_chars);
        assert_string_equal(text.s, safe_cases[i].out);
    }
}

static void test_safe_counts_nul_as_text(void **state)
{
    (void) state;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&text, "a\0b", 3, 0);
    assert_string_equal(text.s, "a\\x00b");
}

static void test_json_says_the_same(void **state)
{
    (void) state;
    const char *in = "q\" b\\ n\n \033[2J \xc2\x9b \xe2\x80\xae \xf3\xa0\x81\x81 ë 😀";
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add_json(&text, in, strlen(in));
    for (const char *p = text.s; *p; p++)
        assert_true((unsigned char) *p >= 0x20 && *p != 0x7f);
    assert_null(strstr(text.s, "\xc2\x9b"));
    assert_null(strstr(text.s, "\xe2\x80\xae"));

    cJSON *json = cJSON_Parse(text.s);
    assert_non_null(json);
    assert_string_equal(json->valuestring, in);
    cJSON_Delete(json);
}

static void test_json_replaces_what_is_not_utf8(void **state)
{
    (void) state;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add_json(&text,
                  "a\xff"
                  "b",
                  3);
    assert_string_equal(text.s, "\"a\\ufffdb\"");
}

static void test_time(void **state)
{
    (void) state;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add_time_utc(&text, 1795449600123456);
    text_add(&text, " ");
    text_add_time_utc(&text, 1795449600000001);
    text_add(&text, " ");
    text_add_time_utc(&text, 0);
    assert_string_equal(text.s, "2026-11-23T16:00:00.123456Z 2026-11-23T16:00:00.000001Z 1970-01-01T00:00:00.000000Z");
}

static void test_err(void **state)
{
    (void) state;
    struct err err;
    assert_int_equal(err_set(&err, -5, "a %d", 1), -5);
    assert_int_equal(err_wrap(&err, -6, "b"), -6);
    assert_string_equal(err.msg, "b: a 1");
    for (int i = 0; i < 300; i++)
        err_wrap(&err, 0, "long");
    assert_true(strlen(err.msg) < sizeof(err.msg));
    assert_int_equal(err_set(NULL, -7, "nobody reads it"), -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_refuses_more_than_the_limit),
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_safe_counts_nul_as_text),
        cmocka_unit_test(test_json_says_the_same),
        cmocka_unit_test(test_json_replaces_what_is_not_utf8),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_err),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
