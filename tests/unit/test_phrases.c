/* test_phrases.c - the words that all sentences of events share: old values, ends of lists, URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fields.h"

static void test_since(void **state)
{
    const usec_t noon = 1795449600 * USEC_PER_SEC;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    assert_false(phrase_say_since(&text, " after ", 0, noon));                   /* not seen */
    assert_false(phrase_say_since(&text, " after ", noon, noon + 999999));       /* below a second */
    assert_false(phrase_say_since(&text, " after ", noon + USEC_PER_SEC, noon)); /* a clock that stepped */
    assert_string_equal(text.s, "");
    assert_true(phrase_say_since(&text, " after ", noon, noon + USEC_PER_SEC));
    assert_string_equal(text.s, " after 1 s");
}

static void test_was(void **state)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    phrase_say_was(&text, NULL, "Pier Rd");
    phrase_say_was(&text, "", "Pier Rd");
    phrase_say_was(&text, "Pier Rd", "Pier Rd");
    phrase_say_was(&text, "Pier Rd", NULL);
    phrase_say_was_word(&text, WORD_UNIT_STATUS, STATE_UNSET, 2);
    phrase_say_was_word(&text, WORD_UNIT_STATUS, 2, 2);
    assert_string_equal(text.s, "");
    phrase_say_was(&text, "Pier\nRd", "Old Mill Ln");
    phrase_say_was_word(&text, WORD_UNIT_STATUS, 3, 4);
    assert_string_equal(text.s, " (was Pier Rd) (was en route)");
}

/* What state had to cut is no change when it comes again. */
static void test_other(void **state)
{
    char told[600], known[STATE_TEXT_MAX_BYTES + 1] = { 0 };
    (void) state;
    memset(told, 'x', sizeof(told) - 1);
    told[sizeof(told) - 1] = '\0';
    memset(known, 'x', STATE_TEXT_MAX_BYTES);
    assert_false(phrase_is_other(known, told));
    told[10] = 'y';
    assert_true(phrase_is_other(known, told));
    assert_true(phrase_is_other(NULL, "a"));
    assert_true(phrase_is_other("a", ""));
    assert_false(phrase_is_other(NULL, ""));
    assert_false(phrase_is_other("a", NULL));
}

static void test_file(void **state)
{
    static const struct {
        const char *url, *said;
    } cases[] = {
        { "https://files.example.net/pdf/record_88213.pdf?sig=a1B2c3&exp=1785732000", ", record_88213.pdf" },
        { "https://tones.example.net/calder/medic-1.mp3#t=1", ", medic-1.mp3" },
        { "https://tones.example.net/calder/", ", calder" },
        { "https://tones.example.net/", "" },
        { "https://tones.example.net", "" },
        { "medic-1.mp3", ", medic-1.mp3" },
        { "/a/b", ", b" },
        { "a/b\n\033.mp3", ", b \\x1b.mp3" },
        { "?x", "" },
        { "", "" },
        { NULL, "" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        phrase_say_file(&text, ", ", cases[i].url);
        assert_string_equal(text.s, cases[i].said);
    }
}

static void assert_position(const char *x, const char *y, const char *position)
{
    char got[POSITION_MAX_BYTES];
    cJSON *place = cJSON_CreateObject();
    cJSON_AddStringToObject(place, "x", x);
    cJSON_AddStringToObject(place, "y", y);
    assert_int_equal(phrase_position_of(place, got), *position != '\0');
    assert_string_equal(got, position);
    cJSON_Delete(place);
}

static void test_position(void **state)
{
    (void) state;
    assert_position("-1042.31", "318.77", "(-1042.3, 318.8)");
    assert_position("0", "-0.04", "(0.0, 0.0)");
    assert_position("0.06", "-9.97", "(0.1, -10.0)");
    assert_position("999999999.96", "-1e9", "(1000000000.0, -1000000000.0)");
    assert_position("5.", "1.25e2", "(5.0, 125.0)");
    assert_position("0.1234567890123456789", "12345678901.5e-3", "(0.1, 12345678.9)");
    assert_position("1000000001", "0", "");
    assert_position("1.2.3", "0", "");
    assert_position("-", "0", "");
    assert_position("nan", "0", "");
    assert_position("12 m", "0", "");
    assert_position("0", "", "");
}

/* As the C library writes them, but for what lies between two, which is no double anyway. */
static void test_positions_as_printed(void **state)
{
    (void) state;
    for (int i = -30000; i < 30000; i += 7) {
        char text[32], expected[POSITION_MAX_BYTES];
        if (abs(i) % 10 == 5 || abs(i) < 5)
            continue;
        snprintf(text, sizeof(text), "%s%d.%02d", i < 0 ? "-" : "", abs(i) / 100, abs(i) % 100);
        snprintf(expected, sizeof(expected), "(%.1f, %.1f)", strtod(text, NULL), strtod(text, NULL));
        assert_position(text, text, expected);
    }
}

static void test_more(void **state)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    phrase_say_more(&text, LINE_LIST_MAX);
    assert_string_equal(text.s, "");
    phrase_say_more(&text, LINE_LIST_MAX + 7);
    assert_string_equal(text.s, " and 7 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_was),
        cmocka_unit_test(test_other),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_more),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_positions_as_printed),
    };
    return cmocka_run_group_tests_name("phrases", tests, NULL, NULL);
}
