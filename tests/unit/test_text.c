/* test_text.c - the text builder, and text from outside made safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/text_secret.h>

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

static void test_secret_grows(void **state)
{
    struct text secret = TEXT_INIT, text = TEXT_INIT;
    (void) state;
    for (int i = 0; i < 1000; i++) {
        char word[16];
        snprintf(word, sizeof(word), "%d ", i);
        text_add_secret(&secret, word, strlen(word));
        text_add(&text, word);
    }
    assert_string_equal(secret.s, text.s);
    assert_int_equal(secret.size, text.size);
    text_add_secret(&secret, "x", TEXT_MAX_BYTES + 1);
    assert_true(secret.failed);
    assert_int_equal(secret.size, text.size);
    text_wipe(&secret);
    text_free(&text);
}

static void test_duration(void **state)
{
    static const struct {
        usec_t us;
        const char *exact, *lapse, *about;
    } cases[] = {
        { 0, "0s", "0 s", "0 s" },
        { 1500 * USEC_PER_MSEC, "1500ms", "1 s", "1 s" },
        { USEC_PER_SEC, "1s", "1 s", "1 s" },
        { 59 * USEC_PER_SEC, "59s", "59 s", "59 s" },
        { 60 * USEC_PER_SEC, "1min", "1 min", "60 s" },
        { 119 * USEC_PER_SEC, "119s", "1 min", "119 s" },
        { 120 * USEC_PER_SEC, "2min", "2 min", "2 min" },
        { 3599 * USEC_PER_SEC, "3599s", "59 min", "59 min" },
        { 3600 * USEC_PER_SEC, "1h", "1 h", "60 min" },
        { (3 * 3600 + 12 * 60 + 59) * USEC_PER_SEC, "11579s", "3 h 12 min", "3 h" },
        { (24 * 3600 - 1) * USEC_PER_SEC, "86399s", "23 h 59 min", "23 h" },
        { (24 * 3600 + 59) * USEC_PER_SEC, "86459s", "1 d", "24 h" },
        { 50 * 3600 * USEC_PER_SEC, "50h", "2 d 2 h", "2 d" },
        { 30 * 24 * 3600 * USEC_PER_SEC, "30d", "30 d", "30 d" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text exact CLEANUP(text_free) = TEXT_INIT, lapse CLEANUP(text_free) = TEXT_INIT,
                          about CLEANUP(text_free) = TEXT_INIT;
        text_add_duration(&exact, cases[i].us);
        text_add_lapse(&lapse, cases[i].us);
        text_add_about(&about, cases[i].us);
        assert_string_equal(exact.s, cases[i].exact);
        assert_string_equal(lapse.s, cases[i].lapse);
        assert_string_equal(about.s, cases[i].about);
    }
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

/* What has no room is cut off, but nothing in the middle of a letter. */
static void test_err_ends_with_a_letter(void **state)
{
    (void) state;
    static const char *const letters[] = { "x", "\u00e9", "\u20ac", "\U0001f693" };
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        for (size_t before = 0; before < 4; before++) {
            struct text words CLEANUP(text_free) = TEXT_INIT;
            struct err err;
            uint32_t code;
            size_t n = strlen(letters[i]);
            text_add(&words, &"..."[3 - before]);
            while (words.size < 2 * sizeof(err.msg))
                text_add(&words, letters[i]);
            for (int wraps = 0; wraps < 3; wraps++) {
                if (wraps == 0)
                    err_set(&err, 0, "%s", words.s);
                else
                    err_wrap(&err, 0, "%s", wraps == 1 ? "why" : words.s);
                size_t size = strlen(err.msg);
                assert_in_range(size, sizeof(err.msg) - n, sizeof(err.msg) - 1);
                assert_int_equal(utf8_read(err.msg + size - n, n, &code), n);
            }
        }
}

static void test_marks(void **state)
{
    (void) state;
    static const struct {
        uint32_t code;
        bool is_unsafe, is_unseen;
        const char *text;
        bool is_blank;
    } rows[] = {
        { 0x00, true, true, "\x01", true },
        { 0x1f, true, true, "\x1f", true },
        { ' ', false, false, " ", true },
        { 'a', false, false, "a", false },
        { '~', false, false, "~", false },
        { 0x7f, true, true, "\x7f", true },
        { 0x9f, true, true, "\xc2\x9f", true },
        { 0xa0, false, false, "\u00a0", true },
        { 0xad, false, true, "\u00ad", true },
        { 0xae, false, false, "\u00ae", false },
        { 0x180e, false, true, "\u180e", true },
        { 0x200b, true, true, "\u200b", true },
        { 0x200d, false, false, "\u200d", true },
        { 0x2027, false, false, "\u2027", false },
        { 0x202e, true, true, "\u202e", true },
        { 0xfff8, false, false, "\ufff8", false },
        { 0xfff9, false, true, "\ufff9", true },
        { 0xfffb, false, true, "\ufffb", true },
        { 0xfffd, false, false, "\ufffd", false },
        { 0xe0041, true, true, "\U000e0041", true },
        { 0x1f6a8, false, false, "\U0001f6a8", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(text_is_unsafe(rows[i].code), rows[i].is_unsafe);
        assert_int_equal(text_is_unseen(rows[i].code), rows[i].is_unseen);
        assert_int_equal(text_is_blank(rows[i].text, strlen(rows[i].text)), rows[i].is_blank);
    }
}

static void test_cut(void **state)
{
    (void) state;
    static const char siren[] = "ab\U0001f6a8c";
    static const size_t keep[] = { 0, 1, 2, 2, 2, 2, 6, 7, 7 };
    for (size_t max = 0; max < ARRAY_SIZE(keep); max++)
        assert_int_equal(utf8_cut(siren, strlen(siren), max), keep[max]);
    assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5); /* no UTF-8 */
    assert_int_equal(utf8_cut("\x80\x80", 2, 1), 1);
}

static void test_nearest(void **state)
{
    (void) state;
    static const struct {
        const char *written, *name;
    } rows[] = {
        { "mian", "main" }, { "Mian", "main" },     { "amin", "main" },     { "jsno", "json" },
        { "naim", NULL },   { "stauts", "status" }, { "status", "status" }, { "sttaus", "status" },
        { "", NULL },       { "something", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct nearest nearest = nearest_to(rows[i].written);
        static const char *const known[] = { "main", "json", "status" };
        for (size_t k = 0; k < ARRAY_SIZE(known); k++)
            nearest_try(&nearest, known[k], (int) strlen(known[k]));
        if (rows[i].name)
            assert_string_equal(nearest.name, rows[i].name);
        else
            assert_null(nearest.name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_cut),
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
        cmocka_unit_test(test_secret_grows),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_err),
        cmocka_unit_test(test_err_ends_with_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
