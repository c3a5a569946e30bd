/* test_pipeline_changes.c - who follows the state is told by a daemon that has started since what no event says. */
#include "pipeline_helpers.h"

static void post_status(unsigned hour)
{
    struct text body = TEXT_INIT;
    text_addf(&body, "{\"key\":\"" KEY "\",\"type\":\"EVENT_UNIT_STATUS\",\"data\":{\"identIds\":[41],\"status\":%u}}",
              hour % 5);
    assert_int_equal(post(body.s, T0 + hour * 60 * MINUTE_US), 0);
}

static uint64_t place(const char *name)
{
    char statement[96];
    snprintf(statement, sizeof(statement), "SELECT value FROM meta WHERE name = '%s'", name);
    return (uint64_t) ask_number(statement);
}

static bool is_lost(uint64_t after_id)
{
    struct state_snapshot *changes = NULL;
    assert_int_equal(state_changes(cad, "default", after_id, &changes), 0);
    bool lost = changes->lost;
    state_snapshot_free(changes);
    return lost;
}

/* What a turn forgot is in no event: whoever followed before it begins anew. */
static void a_turn_is_told_after_a_start(void **unused)
{
    (void) unused;
    for (unsigned hour = 0; hour < 49; hour++)
        post_status(hour);
    uint64_t turned_id = place("state_turned_id");
    assert_true(turned_id > 0 && turned_id < store_last_id(store));
    assert_false(is_lost(turned_id) || is_lost(place("state_after_id")));
    stop();
    start();
    assert_true(is_lost(turned_id));
    assert_false(is_lost(turned_id + 1));
}

/* Nothing is forgotten yet. */
static void a_start_alone_loses_nothing(void **unused)
{
    (void) unused;
    for (unsigned hour = 0; hour < 20; hour++)
        post_status(hour);
    stop();
    start();
    assert_false(is_lost(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(a_turn_is_told_after_a_start),
        pipeline_test(a_start_alone_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
