/* test_delivery_left_out.c - what an action does not get, and how that is counted. */
#include "delivery_helpers.h"

#define SECONDS(n) ((usec_t) (n) *USEC_PER_SEC)
#define NOON SECONDS(1000000000)

/* ---- the memory alone ---- */

struct said {
    const char *type, *community;
    usec_t time_us;
    int64_t units[2], call; /* 0: none */
    int level;
};

static bool lets_through(struct cooldown *cooldown, struct said said)
{
    struct description description = DESCRIPTION_INIT;
    const struct event event = { .type = said.type ? said.type : "EVENT_UNIT_PANIC",
                                 .community = said.community ? said.community : "default",
                                 .realm = said.community ? said.community : "default",
                                 .time_us = NOON + said.time_us };
    for (size_t i = 0; i < ARRAY_SIZE(said.units); i++)
        if (said.units[i])
            ids_add(&description.units, said.units[i]);
    description.level = said.level;
    if (said.call)
        ids_add(&description.calls, said.call);
    bool through = cooldown_lets_through(cooldown, &event, &description);
    description_free(&description);
    return through;
}

#define assert_through(...) assert_true(lets_through(cooldown, (struct said){ __VA_ARGS__ }))
#define assert_left_out(...) assert_false(lets_through(cooldown, (struct said){ __VA_ARGS__ }))

static void test_the_same_within_the_time(void **state)
{
    struct cooldown *cooldown = cooldown_new(SECONDS(30));
    (void) state;
    assert_through(.units = { 1 });
    assert_left_out(.time_us = SECONDS(29), .units = { 1 });
    assert_through(.time_us = SECONDS(30), .units = { 1 }); /* counted from the last one let through */
    assert_left_out(.time_us = SECONDS(59), .units = { 1 });
    assert_through(.type = "EVENT_UNIT_STATUS", .time_us = SECONDS(59), .units = { 1 });
    assert_through(.community = "county", .time_us = SECONDS(59), .units = { 1 });
    assert_through(.time_us = SECONDS(59), .units = { 2 });
    assert_through(.time_us = SECONDS(59), .call = 1); /* a call is no unit of that number */
    cooldown_free(cooldown);
}

/* A second unit in danger at the same call is told. */
static void test_whoever_is_new_is_told(void **state)
{
    struct cooldown *cooldown = cooldown_new(SECONDS(30));
    (void) state;
    assert_through(.units = { 1 }, .call = 5);
    assert_left_out(.time_us = SECONDS(1), .units = { 1 }, .call = 5);
    assert_through(.time_us = SECONDS(2), .units = { 2 }, .call = 5);
    assert_left_out(.time_us = SECONDS(3), .units = { 2, 1 }, .call = 5);
    assert_through(.time_us = SECONDS(4), .units = { 2, 3 });
    cooldown_free(cooldown);
}

/* The end of a panic keeps no panic from being told. */
static void test_another_level(void **state)
{
    struct cooldown *cooldown = cooldown_new(SECONDS(30));
    (void) state;
    assert_through(.units = { 1 }, .level = LOG_NOTICE);
    assert_through(.time_us = SECONDS(1), .units = { 1 }, .level = LOG_WARNING);
    assert_left_out(.time_us = SECONDS(2), .units = { 1 }, .level = LOG_WARNING);
    cooldown_free(cooldown);
}

/* The same 911 call again: its line is not urgent any more. */
static void test_what_is_not_urgent(void **state)
{
    struct cooldown *cooldown = cooldown_new(SECONDS(30));
    (void) state;
    assert_through(.call = 1, .level = LOG_NOTICE);
    assert_left_out(.time_us = SECONDS(1), .call = 1, .level = LOG_INFO);
    assert_left_out(.time_us = SECONDS(1), .call = 1, .level = LOG_DEBUG);
    assert_through(.time_us = SECONDS(2), .call = 2, .level = LOG_INFO);
    assert_left_out(.time_us = SECONDS(3), .call = 2, .level = LOG_DEBUG);
    assert_through(.time_us = SECONDS(4), .call = 2, .level = LOG_NOTICE);
    assert_through(.time_us = SECONDS(30), .call = 1, .level = LOG_INFO);
    cooldown_free(cooldown);
}

static void test_about_nobody(void **state)
{
    struct cooldown *cooldown = cooldown_new(SECONDS(30));
    (void) state;
    assert_through(.time_us = 0);
    assert_through(.time_us = 1);
    cooldown_free(cooldown);
}

static void test_time_goes_back(void **state)
{
    struct cooldown *cooldown = cooldown_new(SECONDS(30));
    (void) state;
    assert_through(.time_us = SECONDS(100), .units = { 1 });
    assert_through(.time_us = SECONDS(90), .units = { 1 });
    assert_left_out(.time_us = SECONDS(100), .units = { 1 });
    cooldown_free(cooldown);
}

/* More than there is room for: something is told once more, nothing is lost. */
static void test_more_than_can_be_remembered(void **state)
{
    struct cooldown *cooldown = cooldown_new(SECONDS(3600));
    (void) state;
    for (int64_t id = 1; id <= 100000; id++)
        assert_through(.time_us = (usec_t) id, .units = { id });
    assert_left_out(.time_us = SECONDS(1), .units = { 100000 });
    cooldown_free(cooldown);
}

/* ---- on a real log ---- */

static void add_event(const char *type, usec_t time_us, const char *data, const char *extra)
{
    const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "127.0.0.1" };
    assert_int_equal(store_begin(store, &err), 0);
    const struct event event = { .id = store_last_id(store) + 1,
                                 .time_us = time_us,
                                 .type = type,
                                 .community = "default",
                                 .realm = "default",
                                 .origin = &origin,
                                 .verdict = EVENT_ACCEPTED,
                                 .data_text = { data, strlen(data) },
                                 .extra_text = { extra, extra ? strlen(extra) : 0 } };
    assert_int_equal(store_append(store, &event, NULL, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
}

static void add_panic(const char *unit, usec_t time_us)
{
    char data[80];
    snprintf(data, sizeof(data), "{\"identIds\":[%s],\"isPanic\":true}", unit);
    add_event("EVENT_UNIT_PANIC", time_us, data, NULL);
}

static uint64_t left_out(enum left_out why)
{
    return status_of_first().n_left_out[why];
}

static void look_at_all(void)
{
    feed_grow(feed, store_last_id(store));
    wait_until(status_of_first().cursor == store_last_id(store));
}

#define COOLDOWN "events: [ \"EVENT_UNIT_PANIC\" ], when: [ \"/isPanic = true\" ], cooldown: \"30s\""

static void test_cooldown(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with(ACTION_WITH(COOLDOWN));
    add_panic("1", now);
    add_panic("1", now + SECONDS(5));
    add_event("EVENT_UNIT_PANIC", now + SECONDS(6), "{\"identIds\":[2],\"isPanic\":false}", NULL);
    add_panic("2", now + SECONDS(7));
    add_panic("1", now + SECONDS(31));
    look_at_all();
    assert_delivered((uint64_t[]){ 1, 4, 5 }, 3);
    assert_int_equal(left_out(LEFT_OUT_COOLDOWN), 1);
    assert_int_equal(left_out(LEFT_OUT_WHEN), 1);
}

/* One that nobody was told of keeps nothing from being told. */
static void test_cooldown_and_max_age(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with(ACTION_WITH(COOLDOWN ", max_age: \"1h\""));
    add_panic("1", now - SECONDS(3610));
    add_panic("1", now - SECONDS(3590));
    look_at_all();
    assert_delivered((uint64_t[]){ 2 }, 1);
    assert_int_equal(left_out(LEFT_OUT_MAX_AGE), 1);
    assert_int_equal(left_out(LEFT_OUT_COOLDOWN), 0);
}

static void restart_with(const char *actions)
{
    assert_int_equal(save(false), 0);
    delivery_stop(delivery, 200 * USEC_PER_MSEC);
    delivery = delivery_free(delivery);
    config = config_free(config);
    start_with(actions);
}

static void test_cooldown_over_a_restart(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with(ACTION_WITH(COOLDOWN));
    for (int i = 0; i < 3000; i++) /* more than is looked at at one time */
        add_event("EVENT_UNIT_PANIC", now, "{\"identIds\":[9],\"isPanic\":false}", NULL);
    add_panic("1", now);
    look_at_all();
    assert_int_equal(world.n_delivered, 1);

    restart_with(ACTION_WITH(COOLDOWN));
    add_panic("1", now + SECONDS(20));
    add_panic("2", now + SECONDS(20));
    look_at_all();
    assert_int_equal(world.n_delivered, 2);
    assert_int_equal(left_out(LEFT_OUT_COOLDOWN), 1);
    assert_int_equal(left_out(LEFT_OUT_WHEN), 0); /* what it is shown again is not counted again */
}

static void test_cooldown_over_a_reload(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with(ACTION_WITH(COOLDOWN));
    add_panic("1", now);
    look_at_all();
    reload_with(ACTION_WITH(COOLDOWN ", timeout: \"9s\""));
    add_panic("1", now + SECONDS(20));
    look_at_all();
    assert_int_equal(world.n_delivered, 1);
    assert_int_equal(left_out(LEFT_OUT_COOLDOWN), 1);
}

/* node NULL: of ours. */
static void add_of(const char *node, usec_t time_us, int64_t late_s)
{
    const struct origin origin = { .source = "session", .name = "main", .peer = "192.0.2.1" };
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    const struct event event = { .id = store_last_id(store) + 1,
                                 .time_us = time_us,
                                 .type = "EVENT_911",
                                 .community = "default",
                                 .realm = "default",
                                 .home = { node, "00aa", 7 },
                                 .origin = &origin,
                                 .verdict = EVENT_ACCEPTED,
                                 .data_text = { DATA, sizeof(DATA) - 1 } };
    text_add(&description.line, "a call");
    if (late_s)
        assert_int_equal(description_set_late(&description, late_s), 0);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append(store, &event, &description, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
}

static void add_of_elsewhere(usec_t time_us)
{
    add_of(NULL, time_us, 0);
}

static void test_age_at_arrival(void **state)
{
    struct config_action action = { 0 };
    (void) state;
    assert_false(look_is_late(&action, SECONDS(600)));
    assert_true(look_is_late(&action, SECONDS(600) + 1));
    action.max_age_us = SECONDS(700);
    assert_false(look_is_late(&action, SECONDS(700)));
    assert_true(look_is_late(&action, SECONDS(701)));
    action.late = true;
    assert_false(look_is_late(&action, SECONDS(7000)));
}

/* What is posted is never late, whatever the clock does; what comes from elsewhere is by what stands before it. */
static void test_late(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with(ACTION);
    add_event("EVENT_911", now, DATA, NULL);
    add_event("EVENT_911", now - SECONDS(3600), DATA, NULL);
    add_of_elsewhere(now - SECONDS(599));
    add_of_elsewhere(now - SECONDS(601));
    look_at_all();
    assert_delivered((uint64_t[]){ 1, 2, 3 }, 3);
    assert_int_equal(left_out(LEFT_OUT_LATE), 1);

    restart_with(ACTION_WITH("late: true"));
    add_of_elsewhere(now - SECONDS(7200));
    look_at_all();
    assert_delivered((uint64_t[]){ 1, 2, 3, 5 }, 4);
}

/* Of another node's the row says it, whatever stands before it; and ours do not go by its clock. */
static void test_late_from_a_node(void **state)
{
    (void) state;
    start_with(ACTION);
    add_of("edge1", now_us(), 601);
    add_of("edge1", now_us() + SECONDS(86400), -86400);
    add_of_elsewhere(now_us());
    add_event("EVENT_911", now_us() + SECONDS(3600), DATA, NULL);
    add_of("edge1", now_us(), 0);
    add_of("edge1", now_us(), 599);
    look_at_all();
    assert_delivered((uint64_t[]){ 2, 3, 4, 5, 6 }, 5);
    assert_int_equal(left_out(LEFT_OUT_LATE), 1);
}

/* A restart knows the time of the event before. */
static void test_late_after_a_restart(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with(ACTION);
    add_event("EVENT_911", now, DATA, NULL);
    look_at_all();
    restart_with(ACTION);
    add_of_elsewhere(now - SECONDS(7200));
    look_at_all();
    assert_delivered((uint64_t[]){ 1 }, 1);
    assert_int_equal(left_out(LEFT_OUT_LATE), 1);
}

/* It is as old as it was then, whatever has come since. */
static void test_late_at_a_replay(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with(ACTION);
    add_of_elsewhere(now - SECONDS(3600));
    add_event("EVENT_911", now, DATA, NULL);
    look_at_all();
    assert_int_equal(delivery_replay(delivery, "a", 1, &err), 0);
    wait_until(world.n_delivered == 4);
    assert_delivered((uint64_t[]){ 1, 2, 1, 2 }, 4);
}

/* What came before it existed was told by nobody. */
static void test_cooldown_of_a_new_action(void **state)
{
    usec_t now = now_us();
    (void) state;
    start_with("");
    add_panic("1", now);
    feed_grow(feed, store_last_id(store));
    reload_with(ACTION_WITH(COOLDOWN));
    add_panic("1", now + SECONDS(20));
    look_at_all();
    assert_delivered((uint64_t[]){ 2 }, 1);
}

static void test_invented(void **state)
{
    (void) state;
    start_with(ACTION_WITH("events: [ \"EVENT_911\" ]"));
    add_event("EVENT_911", now_us(), "{\"call\":{\"callId\":7}}", "{\"test\":true}");
    add_event("EVENT_911", now_us(), "{\"call\":{\"callId\":7}}", "{\"test\":\"yes\"}");
    add_event("EVENT_REMOVE_911", now_us(), "{\"callIds\":[7]}", "{\"test\":true}");
    look_at_all();
    assert_delivered((uint64_t[]){ 2 }, 1);
    assert_int_equal(left_out(LEFT_OUT_TEST), 1);
    assert_int_equal(left_out(LEFT_OUT_EVENTS), 0);
}

static void test_reasons(void **state)
{
    (void) state;
    assert_string_equal(filter_left_out_name(LEFT_OUT_NOT), "");
    for (enum left_out why = LEFT_OUT_EVENTS; why < LEFT_OUT_N; why++)
        assert_true(*filter_left_out_name(why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_within_the_time),
        cmocka_unit_test(test_whoever_is_new_is_told),
        cmocka_unit_test(test_another_level),
        cmocka_unit_test(test_what_is_not_urgent),
        cmocka_unit_test(test_about_nobody),
        cmocka_unit_test(test_time_goes_back),
        cmocka_unit_test(test_more_than_can_be_remembered),
        cmocka_unit_test(test_reasons),
        delivery_test(test_cooldown),
        delivery_test(test_cooldown_and_max_age),
        delivery_test(test_cooldown_over_a_restart),
        delivery_test(test_cooldown_over_a_reload),
        delivery_test(test_cooldown_of_a_new_action),
        delivery_test(test_invented),
        cmocka_unit_test(test_age_at_arrival),
        delivery_test(test_late),
        delivery_test(test_late_from_a_node),
        delivery_test(test_late_after_a_restart),
        delivery_test(test_late_at_a_replay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
