/* test_streams_place.c - what of a stream was read, what is missing, and what its end says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "streams_place.h"

static void test_places(void **state)
{
    static const char *const wrong[] = {
        "", "5", "5-", "-5", "5-6 ", " 5-6", "5-6-7", "5-x", "18446744073709551616-0"
    };
    struct redis_id place;
    char text[REDIS_ID_BYTES];
    (void) state;
    assert_true(redis_id_read(span_of("18446744073709551615-18446744073709551615"), &place));
    assert_string_equal(redis_id_write(place, text), "18446744073709551615-18446744073709551615");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_false(redis_id_read(span_of(wrong[i]), &place));
        assert_int_equal(place.ms + place.seq, 0);
    }
    assert_true(redis_id_compare((struct redis_id){ 5, 9 }, (struct redis_id){ 6, 1 }) < 0);
    assert_true(redis_id_compare((struct redis_id){ 5, 9 }, (struct redis_id){ 5, 8 }) > 0);
    assert_int_equal(redis_id_compare((struct redis_id){ 5, 9 }, (struct redis_id){ 5, 9 }), 0);
}

static struct streams_known known_of(const char *text)
{
    struct streams_known known;
    streams_known_read(text, &known);
    return known;
}

static void assert_known(const struct streams_known *known, const char *wanted)
{
    char text[STREAMS_KNOWN_BYTES];
    assert_string_equal(streams_known_write(known, text), wanted);
}

/* The life that was read last stands first, and none goes back. */
static void test_known(void **state)
{
    struct streams_known known = known_of("");
    (void) state;
    assert_int_equal(known.n, 0);
    streams_known_add(&known, (struct redis_id){ 5, 1 });
    streams_known_add(&known, (struct redis_id){ 5, 7 });
    assert_known(&known, "5-7");
    streams_known_add(&known, (struct redis_id){ 9, 8 });
    assert_known(&known, "9-8 5-7");
    streams_known_add(&known, (struct redis_id){ 5, 3 });
    assert_known(&known, "5-7 9-8");
    known = known_of("9-8 5-7 nonsense 4-4");
    assert_known(&known, "9-8 5-7");
    for (uint64_t ms = 10; ms < 10 + 2 * STREAMS_LIVES_MAX; ms++)
        streams_known_add(&known, (struct redis_id){ ms, UINT64_MAX });
    assert_int_equal(known.n, STREAMS_LIVES_MAX);
    assert_int_equal(known.v[0].ms, 9 + 2 * STREAMS_LIVES_MAX);
    assert_int_equal(known.v[STREAMS_LIVES_MAX - 1].ms, 10 + STREAMS_LIVES_MAX);
}

static void test_entries(void **state)
{
    static const struct {
        const char *known, *place, *before;
        enum streams_news wanted;
    } cases[] = {
        { "", "5-7", "5-6", STREAMS_NEXT }, /* begins at its first entry, whatever was before it */
        { "5-6", "5-7", "5-6", STREAMS_NEXT },
        { "5-6", "5-9", "5-6", STREAMS_NEXT }, /* what the action left out */
        { "5-6", "5-9", "", STREAMS_NEXT },
        { "5-6", "5-9", "5-8", STREAMS_LOST },
        { "5-6", "5-9", "5-4", STREAMS_NEXT }, /* published again from an earlier one on */
        { "5-6", "5-6", "5-5", STREAMS_KNOWN },
        { "5-6", "5-2", "", STREAMS_KNOWN },
        { "5-6", "8-7", "5-6", STREAMS_NEXT }, /* a new life */
        { "5-6", "8-9", "8-8", STREAMS_LOST }, /* whose first entries never came */
        { "5-6", "8-9", "5-8", STREAMS_LOST },
        { "8-9 5-6", "5-6", "5-5", STREAMS_KNOWN },
        { "8-9 5-6", "5-7", "5-6", STREAMS_NEXT },
        { "8-9", "5-7", "5-6", STREAMS_LOST }, /* of an earlier life of which nothing is known */
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct streams_known known = known_of(cases[i].known);
        struct redis_id place, before;
        redis_id_read(span_of(cases[i].place), &place);
        (void) redis_id_read(span_of(cases[i].before), &before);
        if (streams_look(&known, place, before) != cases[i].wanted)
            fail_msg("%s, behind %s, with %s known", cases[i].place, cases[i].before, cases[i].known);
    }
}

static void test_ends(void **state)
{
    static const struct {
        const char *known, *end, *asked;
        enum streams_end wanted;
    } cases[] = {
        { "", "", NULL, STREAMS_END_GOES_ON },
        { "", "5-6", NULL, STREAMS_END_GOES_ON },
        { "5-6", "5-6", NULL, STREAMS_END_GOES_ON },
        { "5-6", "5-7", "5-6", STREAMS_END_GOES_ON },
        { "5-6", "8-1", "5-6", STREAMS_END_GOES_ON },
        { "5-6", "", NULL, STREAMS_END_BEHIND }, /* deleted */
        { "5-6", "", "5-6", STREAMS_END_BEHIND },
        { "5-6", "5-4", NULL, STREAMS_END_BEHIND },
        { "5-6", "5-5", "5-4", STREAMS_END_BEHIND }, /* it comes again */
        { "5-6", "3-90", NULL, STREAMS_END_EARLIER },
        { "5-6", "3-90", "3-90", STREAMS_END_EARLIER },
        { "5-6", "3-91", "3-90", STREAMS_END_ANEW },
        { "5-6", "3-1", "", STREAMS_END_ANEW },
        { "3-91 5-6", "3-92", "3-91", STREAMS_END_GOES_ON },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct streams_known known = known_of(cases[i].known);
        struct redis_id end, asked;
        (void) redis_id_read(span_of(cases[i].end), &end);
        (void) redis_id_read(span_of(cases[i].asked ? cases[i].asked : ""), &asked);
        if (streams_look_at_end(&known, end, cases[i].asked ? &asked : NULL) != cases[i].wanted)
            fail_msg("end %s, with %s known", cases[i].end, cases[i].known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
