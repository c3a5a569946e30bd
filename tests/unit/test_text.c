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
    { "two people still inside", 15, "two people stil…" },
    { "", 0, "" },
};

static const struct safe_case prose_cases[] = {
    { "a\nb\r\tc", 0, "a b c" },
    { "a \n\n  b\n", 0, "a b" },
    { "\n\ta  b", 0, "a  b" }, /* blanks of their own stay */
    { "\n", 0, "" },
    { "\033[2J\007\n", 0, "\\x1b[2J\\x07" },
    { "äöüß\n", 4, "äöüß" },
    { "two people still inside", 15, "two people…" },
    { "two people still inside", 16, "two people still…" },
    { "two people still inside", 17, "two people still…" },
    { "https://example.net/a", 15, "https://example…" },
    { "ab cdefghijklmnopqrstuvwxyz", 20, "ab cdefghijklmnopqrs…" }, /* no blank is near */
};

static void test_wiped(void **state)
{
    (void) state;
    struct text text = TEXT_INIT;
    text_wipe(&text); /* which holds nothing of its own */
    text_add(&text, "a key");
    text_wipe(&text);
    assert_string_equal(text.s, "");
    assert_int_equal(text.room, 0);
}

static void test_duration(void **state)
{
    (void) state;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add_duration(&text, 20 * USEC_PER_SEC);
    text_add(&text, " ");
    text_add_duration(&text, 1500 * USEC_PER_MSEC);
    assert_string_equal(text.s, "20s 1500ms");
}

static void test_size(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *words;
    } cases[] = {
        { 0, "0" },
        { 1000, "1000" },
        { 1 << 10, "1K" },
        { 1536 << 10, "1536K" },
        { 4 << 20, "4M" },
        { UINT64_C(3) << 30, "3G" },
        { UINT64_C(2048) << 30, "2048G" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        text_add_size(&text, cases[i].bytes);
        assert_string_equal(text.s, cases[i].words);
    }
}

static void test_safe(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(safe_cases); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        text_add_safe(&text, safe_cases[i].in, strlen(safe_cases[i].in), safe_cases[i].max_chars);
        assert_string_equal(text.s, safe_cases[i].out);
    }
}

static void test_prose(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(prose_cases); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        text_add_prose(&text, prose_cases[i].in, strlen(prose_cases[i].in), prose_cases[i].max_chars);
        assert_string_equal(text.s, prose_cases[i].out);
    }
}

static void test_unescaped(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "plain \u00e9 \U0001f6a8", "plain \u00e9 \U0001f6a8" },
        { "a\\x1b[31mb\\u200bc\\ue0041d\\nE", "a[31mbcd\\nE" },
        { "C:\\new\\readme\\tmp", "C:\\new\\readme\\tmp" },
        { "\\u200bcafe", "cafe" },
        { "\\", "\\" },
        { "\\x", "\\x" },
        { "\\x1", "\\x1" },
        { "C:\\x41 \\u0041 \\X1b \\x1B", "C:\\x41 \\u0041 \\X1b \\x1B" }, /* not what anything is shown as */
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        text_add_unescaped(&text, cases[i].in, strlen(cases[i].in));
        assert_string_equal(text.s, cases[i].out);
    }
}

static void test_unescaped_is_the_end_of_safe(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(safe_cases); i++) {
        struct text safe CLEANUP(text_free) = TEXT_INIT, text CLEANUP(text_free) = TEXT_INIT;
        text_add_safe(&safe, safe_cases[i].in, strlen(safe_cases[i].in), 0);
        text_add_unescaped(&text, safe.s, safe.size);
        assert_null(strstr(text.s, "\\u"));
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

/* Eight bytes are looked at together, and room is made for some hundred: it is all the same wherever one stands. */
static void test_json_says_the_same_at_any_place(void **state)
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
        text_add_json(&text, in, strlen(in));
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
                assert_int_equal(text_count_plain(in, sizeof(in)), place);
            else
                assert_true(text_count_plain(in, sizeof(in)) > place);
        }
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
        cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_unescaped),
        cmocka_unit_test(test_unescaped_is_the_end_of_safe),
        cmocka_unit_test(test_prose),
        cmocka_unit_test(test_prose),
        cmocka_unit_test(test_safe_counts_nul_as_text),
        cmocka_unit_test(test_json_says_the_same),
        cmocka_unit_test(test_json_says_the_same_at_any_place),
        cmocka_unit_test(test_plain_ends_at_the_first_that_is_not),
        cmocka_unit_test(test_json_replaces_what_is_not_utf8),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_err),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
