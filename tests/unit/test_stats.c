/* test_stats.c - what began on each day or in each hour, and how long it took. */
#include "story_helpers.h"

#include <sonoran-pushd/stats.h>
#include <time.h>

#define HOUR 3600
#define DAY 86400

static void drop(struct stats **stats)
{
    stats_free(*stats);
}

static struct stats *read_asked(struct stats_asked asked)
{
    struct store_reader *reader = read_log();
    struct stats *stats = NULL;
    int r = stats_read(reader, &asked, &stats, &err);
    store_reader_close(reader);
    if (r < 0)
        fail_msg("stats_read: %d, %s", r, err.msg);
    return stats;
}

#define STATS(name, ...) CLEANUP(drop) struct stats *name = read_asked((struct stats_asked){ __VA_ARGS__ })

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void expect_lapses(struct stats_lapses lapses, uint32_t n, int64_t median_s, int64_t p90_s)
{
    assert_int_equal(lapses.n, n);
    assert_int_equal(lapses.median_us, (usec_t) median_s * USEC_PER_SEC);
    assert_int_equal(lapses.p90_us, (usec_t) p90_s * USEC_PER_SEC);
}

static void tell_call(int64_t at_s, int id, int attached_after_s, int on_scene_after_s)
{
    tell_911(at_s, id);
    tell_new(at_s + 10, id, id);
    tell_attach(at_s + 10 + attached_after_s, id, id);
    tell_status(at_s + on_scene_after_s, id, 4);
    tell_closed(at_s + on_scene_after_s + 1, id);
}

static void test_lapses(void **state)
{
    (void) state;
    use_zone("UTC0");
    for (int i = 1; i <= 10; i++)
        tell_call(i * 1000, i, i, 100 + i);
    STATS(stats, .by_hour = false);
    assert_int_equal(stats->n_spans, 1);
    assert_int_equal(stats->total.n_calls, 10);
    assert_int_equal(stats->total.n_calls911, 10);
    expect_lapses(stats->spans[0].attached, 10, 5, 9);
    expect_lapses(stats->spans[0].on_scene, 10, 105, 109);
    expect_lapses(stats->total.on_scene, 10, 105, 109);
    assert_int_equal(stats->by_hour[16], 6); /* 16:00 is T0: three of each began before 17:00 */
}

/* One unit that was at the scene before it was attached; one that left before it was there; a list instead of events.
 */
static void test_who_is_at_it(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_login(0, 1, "1", 4);
    tell_911(10, 1);
    tell_new(20, 1, 1);
    tell_attach(30, 1, 1); /* on scene already: 20 s */
    tell_911(100, 2);
    tell_new(110, 2, 2);
    tell_attach(120, 2, 2);
    tell_move(130, "EVENT_DISPATCH_UNIT_DETACH", 2, 2);
    tell_status(140, 2, 4);
    tell(150, "EVENT_DISPATCH_EDIT", "{'dispatch':{'callId':2,'idents':[3]}}");
    tell(160, "EVENT_DISPATCH_EDIT", "{'dispatch':{'callId':2,'idents':[]}}");
    tell_status(170, 3, 4);
    tell_attach(180, 2, 4);
    tell_status(200, 4, 4); /* 100 s */
    tell_status(300, 4, 4);
    STATS(stats, .by_hour = true);
    expect_lapses(stats->total.on_scene, 2, 20, 100);
    expect_lapses(stats->total.attached, 2, 10, 10);
}

static void test_at_two_calls(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_911(0, 1);
    tell_new(10, 1, 1);
    tell_attach(20, 1, 5);
    tell_status(30, 5, 4);
    tell_911(40, 2);
    tell_new(50, 2, 2);
    tell_attach(60, 2, 5); /* it is at the scene of the other */
    {
        STATS(before, .by_hour = false);
        expect_lapses(before->total.on_scene, 1, 30, 30);
    }
    tell_status(70, 5, 3);
    tell_status(140, 5, 4);
    STATS(stats, .by_hour = false);
    expect_lapses(stats->total.on_scene, 2, 30, 100);
}

/* A status that it had is told again with other things. */
static void test_same_status_again(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_911(0, 1);
    tell_new(10, 1, 1);
    tell_attach(20, 1, 5);
    tell_status(30, 5, 4);
    tell_911(40, 2);
    tell_new(50, 2, 2);
    tell_attach(60, 2, 5);
    tell_unit(70, "EVENT_UNIT_PANIC", 5, ",'isPanic':true");
    tell(80, "EVENT_UNIT_UPDATE", "{'unit':{'id':5,'status':4,'location':'Pier Rd'}}");
    STATS(stats, .by_hour = false);
    expect_lapses(stats->total.on_scene, 1, 30, 30);
}

/* Two calls from one 911 call: it was answered once. */
static void test_two_from_one(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_911(0, 9);
    tell_new(10, 1, 9);
    tell_new(11, 2, 9);
    tell_attach(20, 1, 4);
    tell_attach(20, 2, 5);
    tell_status(30, 4, 4);
    tell_status(500, 5, 4);
    STATS(stats, .by_hour = false);
    expect_lapses(stats->total.on_scene, 1, 30, 30);
    expect_lapses(stats->total.attached, 2, 9, 10);
}

/* Nobody said that the call was closed: who is on scene somewhere else afterwards is not on scene there. */
static void tell_lost_closing(void)
{
    tell_911(0, 1);
    tell_new(10, 1, 1);
    tell_attach(20, 1, 5);
}

static void test_lost_closing(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_lost_closing();
    tell_logout(100, 5);
    tell_login(3 * DAY, 5, "5", 2);
    tell_status(3 * DAY + 5, 5, 4);
    STATS(stats, .by_hour = false);
    assert_int_equal(stats->total.on_scene.n, 0);
}

static void test_logged_out(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_lost_closing();
    tell_logout(100, 5);
    tell_login(200, 5, "5", 2);
    tell_status(300, 5, 4);
    {
        STATS(before, .by_hour = false);
        assert_int_equal(before->total.on_scene.n, 0);
    }
    tell_attach(310, 1, 5); /* it came back to it */
    STATS(stats, .by_hour = false);
    expect_lapses(stats->total.on_scene, 1, 310, 310);
}

/* The unit went on working, and nobody spoke of the call. */
static void test_silent_call(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_lost_closing();
    for (int i = 1; i <= 5; i++)
        tell_status(i * DAY / 2, 5, i % 3);
    tell_status(3 * DAY, 5, 4);
    STATS(stats, .by_hour = false);
    assert_int_equal(stats->total.on_scene.n, 0);
}

/* Neither time is before the other, though the log ends before what is asked for. */
static void test_end(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_911(0, 1);
    {
        STATS(later, .since_us = (T0 + 3600) * USEC_PER_SEC);
        assert_int_equal(later->until_us, later->since_us);
    }
    tell_911(100, 2);
    STATS(stats, .until_us = (T0 + 50) * USEC_PER_SEC);
    assert_int_equal(stats->until_us, (T0 + 50) * USEC_PER_SEC);
    STATS(all, .until_us = (T0 + 500) * USEC_PER_SEC);
    assert_int_equal(all->until_us, (T0 + 100) * USEC_PER_SEC);
}

/* Ids that come again begin anew; the same event twice does not. */
static void test_ids_again(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_911(0, 9);
    tell_911(1, 9);
    tell_new(5, 7, 9);
    tell_new(6, 7, 9);
    tell(7, "EVENT_REMOVE_911", "{'callIds':[9]}");
    tell_attach(8, 7, 1);
    tell_closed(20, 7);
    tell_911(30, 9);
    tell_new(31, 7, 0);
    tell_status(32, 1, 4); /* it was at the call of before */
    tell_911(40 + 2 * DAY, 9);
    STATS(stats, .by_hour = false);
    assert_int_equal(stats->total.n_calls911, 3);
    assert_int_equal(stats->total.n_calls, 2);
    expect_lapses(stats->total.attached, 1, 3, 3);
    assert_int_equal(stats->total.on_scene.n, 0);
    assert_int_equal(stats->n_spans, 2);
}

/* 2026-10-25 has 25 hours in Berlin: 02:00 twice. */
static void test_an_hour_twice(void **state)
{
    (void) state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    story_base_s = 1792879200; /* 00:00 there, 22:00Z of the day before */
    tell_911(0, 1);
    tell_911(2 * HOUR + 60, 2);
    tell_911(3 * HOUR + 60, 3);
    tell_911(24 * HOUR + 60, 4); /* 23:01, the same day */
    tell_911(25 * HOUR, 5);      /* midnight */
    STATS(days, .by_hour = false);
    assert_int_equal(days->n_spans, 2);
    assert_int_equal(days->spans[0].n_calls911, 4);
    assert_int_equal(days->spans[1].begin_us, (story_base_s + 25 * HOUR) * USEC_PER_SEC);
    STATS(hours, .by_hour = true);
    assert_int_equal(hours->n_spans, 5);
    assert_int_equal(hours->spans[1].begin_us, (story_base_s + 2 * HOUR) * USEC_PER_SEC);
    assert_int_equal(hours->spans[2].begin_us, (story_base_s + 3 * HOUR) * USEC_PER_SEC);
    assert_int_equal(hours->by_hour[2], 2);
    assert_int_equal(hours->by_hour[0], 2);
    use_zone("UTC0");
}

/* A call counts where it began, also where that is the day before. */
static void test_over_midnight(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_911(8 * HOUR - 30, 1);
    tell_new(8 * HOUR - 20, 1, 1);
    tell_attach(8 * HOUR + 10, 1, 1);
    tell_status(8 * HOUR + 60, 1, 4);
    STATS(stats, .by_hour = false);
    assert_int_equal(stats->n_spans, 2);
    expect_lapses(stats->spans[0].on_scene, 1, 90, 90);
    expect_lapses(stats->spans[0].attached, 1, 30, 30);
    assert_int_equal(stats->spans[1].n_calls, 0);
    assert_int_equal(stats->spans[1].attached.n, 0);
    STATS(later, .since_us = (T0 + 8 * HOUR) * USEC_PER_SEC);
    assert_int_equal(later->n_spans, 1);
    assert_int_equal(later->total.n_calls911 + later->total.n_calls + later->total.on_scene.n, 0);
}

static void test_left_out(void **state)
{
    (void) state;
    use_zone("UTC0");
    tell_event(0, "a", "EVENT_911", "{'call':{'callId':1}}", true);
    tell_event(1, "b", "EVENT_911", "{'call':{'callId':1}}", false);
    tell_911(2, 1);
    tell_new(-500, 1, 1);
    tell_attach(-490, 1, 1);
    tell_status(-480, 1, 4);
    STATS(stats, .community = "a");
    assert_true(stats->set_back);
    assert_int_equal(stats->total.n_calls911, 1);
    assert_int_equal(stats->total.on_scene.n, 0);
    expect_lapses(stats->total.attached, 1, 10, 10);
    STATS(all, .since_us = T0 * USEC_PER_SEC - (usec_t) 365 * DAY * USEC_PER_SEC);
    assert_int_equal(all->total.n_calls911, 2);
    assert_int_equal(all->oldest_us, T0 * USEC_PER_SEC);
}

static void test_empty(void **state)
{
    (void) state;
    STATS(stats, .by_hour = true);
    assert_int_equal(stats->n_spans, 0);
    assert_int_equal(stats->total.attached.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_lapses),       log_test(test_who_is_at_it),  log_test(test_ids_again),
        log_test(test_at_two_calls), log_test(test_an_hour_twice), log_test(test_over_midnight),
        log_test(test_left_out),     log_test(test_empty),         log_test(test_same_status_again),
        log_test(test_two_from_one), log_test(test_lost_closing),  log_test(test_logged_out),
        log_test(test_silent_call),  log_test(test_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
