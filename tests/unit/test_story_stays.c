/* test_story_stays.c - until when what a unit tells is of a call that nobody said to be closed. */
#include "story_helpers.h"

#include <sonoran-pushd/story.h>

#define S(seconds) ((int64_t) (seconds) * (int64_t) USEC_PER_SEC)

static void drop(struct story **story)
{
    story_free(*story);
}

static struct story *story_of(int64_t call)
{
    const struct story_asked asked = { .id = call };
    struct store_reader *reader = read_log();
    struct story *story = NULL;
    int r = story_read(reader, &asked, &story, &err);
    store_reader_close(reader);
    if (r < 0)
        fail_msg("story_read: %d, %s", r, err.msg);
    return story;
}

static void expect_figures(const struct story *story, int64_t answered, int64_t unit, int64_t scene, int64_t closed)
{
    struct story_figures figures = story_get_figures(story);
    assert_int_equal(figures.answered_us, answered);
    assert_int_equal(figures.first_unit_us, unit);
    assert_int_equal(figures.first_on_scene_us, scene);
    assert_int_equal(figures.closed_us, closed);
}

/* Its closing got lost, and the unit went on to others: on scene days later is not on scene here. */
static void test_lost_closing_and_unit(void **state)
{
    (void) state;
    tell_new(0, 601, 0);
    tell_attach(5, 601, 4);
    tell_logout(100, 4);
    tell_login(3 * 86400, 4, "3-L-4", 2);
    tell_new(3 * 86400 + 1, 602, 0);
    tell_attach(3 * 86400 + 2, 602, 4);
    tell_status(3 * 86400 + 5, 4, 4);
    struct story *story CLEANUP(drop) = story_of(601), *other CLEANUP(drop) = story_of(602);
    assert_int_equal(story->n_entries, 3);
    expect_figures(story, -1, S(5), -1, -1);
    expect_figures(other, -1, S(1), S(4), -1);
}

/* It never stopped working, and nobody spoke of the call. */
static void test_silent_call(void **state)
{
    (void) state;
    tell_new(0, 601, 0);
    tell_attach(5, 601, 4);
    for (int i = 1; i <= 5; i++)
        tell_status(i * 43200, 4, i % 3);
    tell_status(3 * 86400, 4, 4);
    {
        struct story *open CLEANUP(drop) = story_of(601);
        assert_int_equal(open->n_entries, 4); /* with two of the statuses: those of its day */
        expect_figures(open, -1, S(5), -1, -1);
    }
    tell_closed(4 * 86400, 601);
    struct story *story CLEANUP(drop) = story_of(601);
    expect_figures(story, -1, S(5), -1, S(4 * 86400));
}

/* The first word after days is told to a state that still has it at the call. */
static void test_first_word_after_days(void **state)
{
    (void) state;
    tell_new(0, 601, 0);
    tell_attach(5, 601, 4);
    tell_status(3 * 86400, 4, 4);
    struct story *story CLEANUP(drop) = story_of(601);
    assert_int_equal(story->n_entries, 2);
    expect_figures(story, -1, S(5), -1, -1);
}

/* The call is spoken of, and the unit is not heard. */
static void test_silent_unit(void **state)
{
    (void) state;
    tell_new(0, 601, 0);
    tell_attach(5, 601, 4);
    tell(43200, "EVENT_DISPATCH_NOTE", "{'callId':601,'note':'more'}");
    tell(80000, "EVENT_DISPATCH_NOTE", "{'callId':601,'note':'more'}");
    tell_status(90000, 4, 4);
    struct story *story CLEANUP(drop) = story_of(601);
    expect_figures(story, -1, S(5), -1, -1);
}

static void test_logged_out(void **state)
{
    (void) state;
    tell_new(0, 7, 0);
    tell_attach(5, 7, 4);
    tell_logout(100, 4);
    tell_login(200, 4, "3-L-4", 2);
    tell_status(300, 4, 4); /* wherever that is */
    {
        struct story *before CLEANUP(drop) = story_of(7);
        expect_figures(before, -1, S(5), -1, -1);
    }
    tell_attach(310, 7, 4);
    struct story *story CLEANUP(drop) = story_of(7);
    expect_figures(story, -1, S(5), S(310), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_lost_closing_and_unit), log_test(test_silent_call), log_test(test_first_word_after_days),
        log_test(test_silent_unit),           log_test(test_logged_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
