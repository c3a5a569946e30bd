/* test_duty.c - who was on duty for how long, and what a log cannot know of it. */
#include "story_helpers.h"

#include <sonoran-pushd/duty.h>

#define DAY 86400

static void drop(struct duty **duty)
{
    duty_free(*duty);
}

static struct duty *read_asked(int64_t since_s, int64_t until_s, const char *community)
{
    const struct duty_asked asked = { .since_us = since_s ? (T0 + (usec_t) since_s) * USEC_PER_SEC : 0,
                                      .until_us = until_s ? (T0 + (usec_t) until_s) * USEC_PER_SEC : 0,
                                      .community = community };
    struct store_reader *reader = read_log();
    struct duty *duty = NULL;
    int r = duty_read(reader, &asked, &duty, &err);
    store_reader_close(reader);
    if (r < 0)
        fail_msg("duty_read: %d, %s", r, err.msg);
    return duty;
}

#define DUTY(name, ...) CLEANUP(drop) struct duty *name = read_asked(__VA_ARGS__)

static const struct duty_unit *unit_of(const struct duty *duty, int64_t id)
{
    for (size_t i = 0; i < duty->n_units; i++)
        if (duty->units[i].id == id)
            return &duty->units[i];
    fail_msg("no unit %lld", (long long) id);
    return NULL;
}

static void expect_on(const struct duty_unit *unit, int64_t seconds)
{
    usec_t sum_us = 0;
    for (size_t i = 0; i < DUTY_STATUSES; i++)
        sum_us += unit->status_us[i];
    assert_int_equal(unit->on_us / USEC_PER_SEC, seconds);
    assert_int_equal(unit->on_us, sum_us);
}

/* As a bit mask: 1 before, 2 still, 4 no log-in, 8 no log-out. */
static void expect_flags(const struct duty_unit *unit, int flags)
{
    assert_int_equal(unit->before | unit->still << 1 | unit->no_login << 2 | unit->no_logout << 3, flags);
}

static void test_shift(void **state)
{
    (void) state;
    tell_login(0, 4, "3-L-4", 2);
    tell_status(600, 4, 3);
    tell_status(1200, 4, 4);
    tell_status(1300, 4, 7);
    tell_logout(3600, 4);
    tell_login(5000, 4, "3-L-9", 1);
    tell_logout(5100, 4);
    DUTY(duty, 0, 0, NULL);
    const struct duty_unit *unit = unit_of(duty, 4);
    expect_on(unit, 3700);
    assert_int_equal(unit->status_us[DUTY_AVAILABLE], 600 * USEC_PER_SEC);
    assert_int_equal(unit->status_us[DUTY_EN_ROUTE], 600 * USEC_PER_SEC);
    assert_int_equal(unit->status_us[DUTY_ON_SCENE], 100 * USEC_PER_SEC);
    assert_int_equal(unit->status_us[DUTY_OTHER], 2300 * USEC_PER_SEC);
    assert_int_equal(unit->status_us[DUTY_BUSY], 100 * USEC_PER_SEC);
    assert_int_equal(unit->n_logins, 2);
    assert_string_equal(unit->number, "3-L-9"); /* the newest */
    assert_string_equal(unit->name, "Name 4");
    expect_flags(unit, 0);
    assert_int_equal(duty->since_us, T0 * USEC_PER_SEC);
    assert_int_equal(duty->until_us, (T0 + 5100) * USEC_PER_SEC);
}

static void test_open_ends(void **state)
{
    (void) state;
    tell_status(0, 1, 2);      /* no log-in was seen */
    tell_login(10, 2, "2", 2); /* and stays */
    tell_logout(20, 3);        /* was there before */
    tell_logout(100, 1);
    tell_status(110, 1, 0);  /* what the CAD still says behind a log-out */
    tell_status(1000, 1, 2); /* its log-in got lost */
    DUTY(duty, 0, 0, NULL);
    expect_on(unit_of(duty, 1), 100);
    expect_flags(unit_of(duty, 1), 2 | 4);
    expect_on(unit_of(duty, 2), 990);
    expect_flags(unit_of(duty, 2), 2);
    expect_on(unit_of(duty, 3), 0);
    expect_flags(unit_of(duty, 3), 4);
}

/* Nothing is heard of it for more than a day: it is not counted on until it comes back. */
static void test_no_logout(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_status(100, 4, 1);
    tell_login(3 * DAY, 4, "4", 2);
    tell_logout(3 * DAY + 50, 4);
    tell_login(3 * DAY, 5, "5", 2);
    tell_status(5 * DAY, 6, 2);
    DUTY(duty, 0, 0, NULL);
    expect_on(unit_of(duty, 4), 150);
    expect_flags(unit_of(duty, 4), 8);
    expect_on(unit_of(duty, 5), 0);
    expect_flags(unit_of(duty, 5), 8);
}

static void test_part_of_it(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_login(10, 5, "5", 2);
    tell_logout(20, 5);
    tell_status(1000, 4, 4);
    tell_logout(2000, 4);
    DUTY(duty, 500, 1500, NULL);
    assert_int_equal(duty->n_units, 1);
    expect_on(unit_of(duty, 4), 1000); /* up to the end that was asked for */
    assert_int_equal(unit_of(duty, 4)->status_us[DUTY_AVAILABLE], 500 * USEC_PER_SEC);
    assert_int_equal(duty->until_us, (T0 + 1500) * USEC_PER_SEC);
    assert_int_equal(unit_of(duty, 4)->n_logins, 0);
    expect_flags(unit_of(duty, 4), 1 | 2);
    assert_int_equal(duty->oldest_us, 0);
}

/* The log goes on where any community tells something, and ends where none does. */
static void test_until(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_status(5, 4, 2);
    {
        DUTY(end, 0, 14, NULL);
        expect_on(unit_of(end, 4), 5);
    }
    tell_event(20, "b", "EVENT_911", "{'call':{'callId':1}}", false);
    DUTY(duty, 0, 14, "a");
    expect_on(unit_of(duty, 4), 14);
    expect_flags(unit_of(duty, 4), 2);
    DUTY(later, 3600, 7200, "a");
    assert_int_equal(later->n_units, 0);
    assert_int_equal(later->until_us, later->since_us);
}

/* What is sent again is no other log-in, and no other call. */
static void test_told_twice(void **state)
{
    (void) state;
    for (int i = 0; i < 2; i++)
        tell_login(i, 4, "4", 2);
    for (int i = 0; i < 2; i++)
        tell(10 + i, "EVENT_DISPATCH_NEW", "{'dispatch':{'callId':8,'status':1,'idents':[4]}}");
    DUTY(duty, 0, 0, NULL);
    assert_int_equal(unit_of(duty, 4)->n_logins, 1);
    assert_int_equal(unit_of(duty, 4)->n_calls, 1);
    tell_closed(20, 8);
    tell(21, "EVENT_DISPATCH_NEW", "{'dispatch':{'callId':8,'status':1,'idents':[4]}}");
    tell_logout(30, 4);
    tell_login(40, 4, "4", 2);
    DUTY(again, 0, 0, NULL);
    assert_int_equal(unit_of(again, 4)->n_logins, 2);
    assert_int_equal(unit_of(again, 4)->n_calls, 2);
}

/* A log that begins later than what is asked for says so. */
static void test_long_ago(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_logout(60, 4);
    DUTY(duty, -365 * DAY, 0, NULL);
    assert_int_equal(duty->oldest_us, T0 * USEC_PER_SEC);
    expect_on(unit_of(duty, 4), 60);
    expect_flags(unit_of(duty, 4), 0);
}

static void test_calls(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_new(1, 7, 0);
    tell_attach(2, 7, 4);
    tell_move(3, "EVENT_DISPATCH_UNIT_DETACH", 7, 4);
    tell_attach(4, 7, 4);
    tell(5, "EVENT_DISPATCH_EDIT", "{'dispatch':{'callId':7,'idents':[4,5]}}");
    tell_closed(6, 7);
    tell_new(7, 7, 0); /* the id again: another call */
    tell_attach(8, 7, 4);
    tell(9, "EVENT_DISPATCH_NEW", "{'dispatch':{'callId':8,'idents':[4]}}");
    DUTY(duty, 0, 0, NULL);
    assert_int_equal(unit_of(duty, 4)->n_calls, 3);
    assert_int_equal(unit_of(duty, 5)->n_calls, 1);
    expect_on(unit_of(duty, 5), 0);
    expect_flags(unit_of(duty, 5), 0); /* that it was attached says not that it was on duty */
}

static void test_panics(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_login(0, 5, "5", 2);
    tell_unit(1, "EVENT_UNIT_PANIC", 4, ",'isPanic':true");
    tell_unit(2, "EVENT_UNIT_PANIC", 4, ",'isPanic':true");
    tell_unit(3, "EVENT_UNIT_PANIC", 4, ",'isPanic':false");
    tell(4, "EVENT_UNIT_STATUS", "{'units':[{'id':4,'status':2,'isPanic':true},{'id':5,'status':2,'isPanic':false}]}");
    DUTY(duty, 0, 0, NULL);
    assert_int_equal(unit_of(duty, 4)->n_panics, 2);
    assert_int_equal(unit_of(duty, 5)->n_panics, 0);
}

/* More units than what was known then has room for: the event itself is asked. */
static void test_many_units(void **state)
{
    (void) state;
    struct text data CLEANUP(text_free) = TEXT_INIT;
    text_add(&data, "{'units':[");
    for (int i = 0; i < 100; i++)
        text_addf(&data, "%s{'id':%d,'status':%d,'data':{'unitNum':'N-%d'}}", i ? "," : "", i + 1, i % 5, i);
    text_add(&data, "]}");
    tell(0, "EVENT_UNIT_STATUS", data.s);
    tell_status(60, 1, 0);
    DUTY(duty, 0, 0, NULL);
    assert_int_equal(duty->n_units, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(unit_of(duty, i + 1)->status_us[i % 5], 60 * USEC_PER_SEC);
}

static void test_communities(void **state)
{
    (void) state;
    tell_event(0, "a", "EVENT_UNIT_LOGIN", "{'unit':{'id':4}}", false);
    tell_event(10, "b", "EVENT_UNIT_LOGIN", "{'unit':{'id':4}}", false);
    tell_event(30, "a", "EVENT_UNIT_LOGOUT", "{'identId':4}", false);
    {
        DUTY(both, 0, 0, NULL);
        assert_true(both->several_communities);
        assert_int_equal(both->n_units, 2);
        assert_string_equal(both->units[0].community, "a");
        expect_on(&both->units[0], 30);
        expect_on(&both->units[1], 20);
    }
    DUTY(one, 0, 0, "b");
    assert_int_equal(one->n_units, 1);
    assert_string_equal(one->units[0].community, "b");
}

/* Neither drills nor a clock that was set back add to anybody's time. */
static void test_left_out(void **state)
{
    (void) state;
    tell_event(0, "a", "EVENT_UNIT_LOGIN", "{'unit':{'id':9,'status':2}}", true);
    tell_login(0, 4, "4", 2);
    tell_status(100, 4, 4);
    {
        DUTY(before, 0, 0, NULL);
        assert_false(before->set_back);
        assert_int_equal(before->n_units, 1);
    }
    tell_status(-3500, 4, 2);
    tell_logout(-3400, 4);
    DUTY(duty, 0, 0, NULL);
    assert_true(duty->set_back);
    expect_on(unit_of(duty, 4), 200);
    expect_flags(unit_of(duty, 4), 0);
}

/* Two connections at once: an event may be stored behind one that came a moment later. */
static void test_disorder(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_status(100, 4, 4);
    tell_status(99, 4, 1);
    tell_logout(200, 4);
    DUTY(duty, 0, 0, NULL);
    assert_false(duty->set_back);
    expect_on(unit_of(duty, 4), 200);
}

static void test_offline(void **state)
{
    (void) state;
    tell_login(0, 4, "4", 2);
    tell_status(50, 4, 100);
    tell_status(2000, 5, 2);
    DUTY(duty, 0, 0, NULL);
    expect_on(unit_of(duty, 4), 50);
    expect_flags(unit_of(duty, 4), 0);
}

static void test_empty(void **state)
{
    (void) state;
    DUTY(duty, 0, 0, NULL);
    assert_int_equal(duty->n_units, 0);
    DUTY(asked, 100, 200, NULL);
    assert_int_equal(asked->n_units, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_shift),       log_test(test_open_ends), log_test(test_no_logout),  log_test(test_part_of_it),
        log_test(test_long_ago),    log_test(test_calls),     log_test(test_panics),     log_test(test_many_units),
        log_test(test_communities), log_test(test_left_out),  log_test(test_offline),    log_test(test_disorder),
        log_test(test_empty),       log_test(test_until),     log_test(test_told_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
