/* test_story_read.c - the story of a call, from events in a log to its figures; and what it says of what is not there.
 */
#include "story_helpers.h"

#include <sonoran-pushd/story.h>

#define S(seconds) ((int64_t) (seconds) * (int64_t) USEC_PER_SEC)

static void drop(struct story **story)
{
    story_free(*story);
}

static struct story *read_asked(struct story_asked asked)
{
    struct store_reader *reader = read_log();
    struct story *story = NULL;
    int r = story_read(reader, &asked, &story, &err);
    store_reader_close(reader);
    if (r < 0)
        fail_msg("story_read: %d, %s", r, err.msg);
    return story;
}

static struct story *story_of(int64_t call)
{
    return read_asked((struct story_asked){ .id = call });
}

static int refused(struct story_asked asked)
{
    struct store_reader *reader = read_log();
    struct story *story = NULL;
    int r = story_read(reader, &asked, &story, &err);
    store_reader_close(reader);
    assert_null(story);
    return r;
}

static void expect_figures(const struct story *story, int64_t answered, int64_t unit, int64_t scene, int64_t closed)
{
    struct story_figures figures = story_get_figures(story);
    assert_int_equal(figures.answered_us, answered);
    assert_int_equal(figures.first_unit_us, unit);
    assert_int_equal(figures.first_on_scene_us, scene);
    assert_int_equal(figures.closed_us, closed);
}

static usec_t at(int64_t s)
{
    return (usec_t) ((int64_t) T0 + s) * USEC_PER_SEC;
}

/* Twelve events belong to it, and three do not. */
static void tell_whole(void)
{
    tell_login(0, 4127, "3-L-27", 2);
    tell_login(1, 4133, "3-L-33", 2);
    tell_911(10, 90417);
    tell_new(22, 55120, 90417);
    tell(23, "EVENT_REMOVE_911", "{'callIds':[90417]}");
    tell_attach(30, 55120, 4127);
    tell_status(31, 4127, 3);
    tell_attach(40, 55120, 4133);
    tell(41, "EVENT_DISPATCH_NOTE", "{'callId':55120,'note':'two people on the roof'}");
    tell_status(190, 4127, 4);
    tell_unit(200, "EVENT_UNIT_PANIC", 4127, ",'isPanic':true");
    tell_move(230, "EVENT_DISPATCH_UNIT_DETACH", 55120, 4133);
    tell_status(240, 4133, 4);
    tell_closed(610, 55120);
    tell_status(620, 4127, 2);
}

static void expect_whole(const struct story *story)
{
    static const uint64_t ids[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14 };
    assert_int_equal(story->call, 55120);
    assert_int_equal(story->call911, 90417);
    assert_string_equal(story->title, "Fire");
    assert_string_equal(story->address, "118 Lantern St");
    assert_int_equal(story->n_entries, ARRAY_SIZE(ids));
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        assert_int_equal(story->entries[i].id, ids[i]);
    assert_int_equal(story->n_units, 2);
    const struct story_unit *first = &story->units[0], *second = &story->units[1];
    assert_string_equal(first->number, "3-L-27");
    assert_string_equal(first->name, "Name 4127");
    assert_int_equal(first->attached_us, at(30));
    assert_int_equal(first->en_route_us, at(31));
    assert_int_equal(first->on_scene_us, at(190));
    assert_int_equal(first->left_us, 0);
    assert_int_equal(second->attached_us, at(40));
    assert_int_equal(second->on_scene_us, 0);
    assert_int_equal(second->left_us, at(230));
    expect_figures(story, S(12), S(20), S(180), S(600));
    assert_string_equal(story->missing.s, "");
}

static void test_whole(void **state)
{
    (void) state;
    tell_whole();
    struct story *by_call CLEANUP(drop) = story_of(55120);
    struct story *by_911 CLEANUP(drop) = read_asked((struct story_asked){ .id = 90417, .is_911 = true });
    expect_whole(by_call);
    expect_whole(by_911);
}

/* Weeks later the CAD counts from the same number again. */
static void test_newest_use(void **state)
{
    (void) state;
    tell_whole();
    tell_911(2000000, 90417);
    tell_new(2000005, 55120, 90417);
    struct story *story CLEANUP(drop) = story_of(55120);
    assert_int_equal(story->n_entries, 2);
    assert_int_equal(story->opened_us, at(2000005));
    assert_int_equal(story->n_units, 0);
    expect_figures(story, S(5), -1, -1, -1);
    assert_string_equal(story->missing.s, "The call was not seen to be closed.");
}

/* The 911 call leads to the call that was made from it then, though its id was used again. */
static void test_use_of_then(void **state)
{
    (void) state;
    tell_whole();
    tell_new(2000005, 55120, 0);
    struct story *story CLEANUP(drop) = read_asked((struct story_asked){ .id = 90417, .is_911 = true });
    expect_whole(story);
}

/* One whose closing got lost, and whose id comes again a week later. */
static void test_lost_closing(void **state)
{
    (void) state;
    tell_new(0, 7, 0);
    tell_attach(1, 7, 1);
    tell_new(7 * 86400, 7, 0);
    struct story *story CLEANUP(drop) = story_of(7);
    assert_int_equal(story->n_entries, 1);
    assert_int_equal(story->n_units, 0);
}

/* A call that stays open for days is one, however quiet it is. */
static void test_quiet_for_days(void **state)
{
    (void) state;
    tell_new(0, 7, 0);
    tell_attach(60, 7, 1);
    tell_closed(3 * 86400, 7);
    struct story *story CLEANUP(drop) = story_of(7);
    assert_int_equal(story->n_entries, 3);
    assert_int_equal(story->n_units, 1);
    expect_figures(story, -1, S(60), -1, S(3 * 86400));
}

static void test_no_beginning(void **state)
{
    (void) state;
    uint64_t unread;
    tell_new(0, 7, 0);
    tell(90000, "EVENT_DISPATCH_EDIT", "{'dispatch':{'callId':7,'title':'Fire','idents':[4]}}");
    tell_closed(90010, 7);
    {
        struct story *whole CLEANUP(drop) = story_of(7);
        assert_string_equal(whole->missing.s, "");
    }
    store_configure(story_log,
                    &(struct store_settings){ .path = path, .durable = true, .keep_us = 3600 * USEC_PER_SEC });
    assert_int_equal(trim_all(story_log, at(90020), &unread), 1);
    struct story *story CLEANUP(drop) = story_of(7);
    assert_int_equal(story->opened_us, 0);
    expect_figures(story, -1, -1, -1, -1);
    assert_string_equal(story->missing.s, "The call was not seen to be opened: the log begins with event 2. "
                                          "When 1 unit came to it was not seen.");
}

static void test_missing_911(void **state)
{
    (void) state;
    tell_new(0, 7, 9);
    tell_closed(5, 7);
    struct story *story CLEANUP(drop) = story_of(7);
    assert_string_equal(story->missing.s, "911 call 9, which it was made from, was not seen to come.");
    expect_figures(story, -1, -1, -1, -1);
}

static void test_911_alone(void **state)
{
    (void) state;
    tell_911(0, 9);
    tell(75, "EVENT_REMOVE_911", "{'callIds':[9]}");
    struct story *story CLEANUP(drop) = read_asked((struct story_asked){ .id = 9, .is_911 = true });
    assert_int_equal(story->call, STATE_UNSET_ID);
    assert_int_equal(story->opened_us, at(0));
    expect_figures(story, -1, -1, -1, S(75));
    assert_string_equal(story->missing.s, "");
}

static void test_there_before_attached(void **state)
{
    (void) state;
    tell_login(0, 4, "3-L-4", 4);
    tell_new(10, 7, 0);
    tell_attach(12, 7, 4);
    struct story *story CLEANUP(drop) = story_of(7);
    assert_int_equal(story->units[0].on_scene_us, at(12));
    assert_string_equal(story->units[0].number, "3-L-4");
    expect_figures(story, -1, S(2), S(2), -1);
}

/* At two calls at once: the status that it had is that of the first, until it tells another. */
static void test_at_two_calls(void **state)
{
    (void) state;
    tell_login(0, 4, "3-L-4", 2);
    tell_new(10, 7, 0);
    tell_attach(12, 7, 4);
    tell_status(20, 4, 4);
    tell_new(30, 8, 0);
    tell_attach(31, 8, 4);
    {
        struct story *before CLEANUP(drop) = story_of(8);
        assert_int_equal(before->units[0].on_scene_us, 0);
    }
    tell_status(40, 4, 3);
    tell_status(50, 4, 4);
    struct story *story CLEANUP(drop) = story_of(8);
    assert_int_equal(story->units[0].attached_us, at(31));
    assert_int_equal(story->units[0].en_route_us, at(40));
    assert_int_equal(story->units[0].on_scene_us, at(50));
}

static void test_clock_set_back(void **state)
{
    (void) state;
    tell_911(0, 9);
    tell_new(-3600, 7, 9);
    tell_closed(-3500, 7);
    struct story *story CLEANUP(drop) = story_of(7);
    assert_int_equal(story->n_entries, 3);
    expect_figures(story, -1, -1, -1, -1);
    assert_string_equal(story->missing.s,
                        "The clock was set back by 1 h before event 2: times before and after it do not compare.");
}

/* Only what a community's own events say is of its call. */
static void test_communities(void **state)
{
    (void) state;
    tell_new(0, 7, 0);
    tell_event(1, "b", "EVENT_DISPATCH_CLOSED", "{'callIds':[7]}", false);
    assert_int_equal(refused((struct story_asked){ .id = 7 }), -EINVAL);
    assert_non_null(strstr(err.msg, "(a, b)"));
    struct story *story CLEANUP(drop) = read_asked((struct story_asked){ .id = 7, .community = "a" });
    assert_int_equal(story->n_entries, 1);
    assert_int_equal(refused((struct story_asked){ .id = 7, .community = "c" }), -ENOENT);
}

static void test_nothing(void **state)
{
    (void) state;
    assert_int_equal(refused((struct story_asked){ .id = 7 }), -ENOENT);
    tell_new(0, 8, 0);
    assert_int_equal(refused((struct story_asked){ .id = 7, .is_911 = true }), -ENOENT);
    assert_string_equal(err.msg, "the log has nothing of 911 call 7");
}

static void test_bounded(void **state)
{
    (void) state;
    tell_new(0, 7, 0);
    for (int i = 1; i <= 20; i++)
        tell(i, "EVENT_DISPATCH_NOTE", "{'callId':7,'note':'more'}");
    tell_closed(30, 7);
    struct story *story CLEANUP(drop) = read_asked((struct story_asked){ .id = 7, .max_events = 5 });
    assert_int_equal(story->n_entries, 5);
    assert_int_equal(story->entries[2].id, 3);
    assert_int_equal(story->entries[3].id, 21);
    expect_figures(story, -1, -1, -1, S(30));
    assert_string_equal(story->missing.s, "17 events in the middle are left out.");
}

/* A made-up call has a story as well, and its entries say so; what a test says of a real one changes nothing. */
static void test_tests(void **state)
{
    (void) state;
    tell_event(0, "a", "EVENT_DISPATCH_NEW", "{'dispatch':{'callId':7,'title':'Drill','idents':[4]}}", true);
    tell_event(9, "a", "EVENT_DISPATCH_CLOSED", "{'callIds':[7]}", true);
    tell_new(20, 8, 0);
    tell_event(21, "a", "EVENT_DISPATCH_CLOSED", "{'callIds':[8]}", true);
    struct story *drill CLEANUP(drop) = story_of(7), *real CLEANUP(drop) = story_of(8);
    assert_true(drill->entries[0].test);
    expect_figures(drill, -1, 0, -1, S(9));
    assert_false(real->entries[0].test);
    assert_int_equal(real->closed_us, 0);
}

static void test_words(void **state)
{
    (void) state;
    static const char *const bad[] = { "", "911:", "x", "12x", " 5", "911:x", "99999999999999999999" };
    struct story_asked asked;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(story_read_call(bad[i], &asked), -EINVAL);
    assert_int_equal(story_read_call("911:90417", &asked), 0);
    assert_true(asked.is_911 && asked.id == 90417);
    assert_int_equal(story_read_call("911", &asked), 0);
    assert_true(!asked.is_911 && asked.id == 911);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_whole),         log_test(test_newest_use),     log_test(test_use_of_then),
        log_test(test_lost_closing),  log_test(test_quiet_for_days), log_test(test_no_beginning),
        log_test(test_missing_911),   log_test(test_911_alone),      log_test(test_there_before_attached),
        log_test(test_at_two_calls),  log_test(test_clock_set_back), log_test(test_communities),
        log_test(test_nothing),       log_test(test_bounded),        log_test(test_tests),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
