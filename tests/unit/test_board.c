/* test_board.c - items as a board shows them: the order, the words, the limits, and the JSON. */
#include <inttypes.h>
#include <stdio.h>

#include <sonoran-pushd/board.h>

#include "state_helpers.h"

#define MINUTE_US (60 * USEC_PER_SEC)
#define NOW (T0 + 60 * MINUTE_US)

static const struct config_board limits = {
    .call911_warn_us = 2 * MINUTE_US,
    .call911_late_us = 5 * MINUTE_US,
    .unassigned_urgent_warn_us = 1 * MINUTE_US,
    .unassigned_urgent_late_us = 3 * MINUTE_US,
    .unassigned_warn_us = 4 * MINUTE_US,
    .unassigned_late_us = 6 * MINUTE_US,
    .en_route_warn_us = 10 * MINUTE_US,
    .en_route_late_us = 20 * MINUTE_US,
    .on_scene_warn_us = 30 * MINUTE_US,
    .on_scene_late_us = 59 * MINUTE_US,
};
static const struct config_board no_limits;

static struct board board_of(const struct state *state, const struct config_board *with)
{
    return (struct board){ .limits = with, .state = state, .community = "a", .now_us = NOW };
}

/* ---- units ---- */

static struct state_unit unit_of(int32_t status, bool panic, bool online, usec_t since_us, int64_t id)
{
    return (struct state_unit){ .id = id,
                                .status = status,
                                .panic = panic,
                                .online = online,
                                .status_since_us = since_us,
                                .panic_since_us = panic ? since_us : 0,
                                .duty_since_us = since_us };
}

/* In the order of a board, each with the next. */
static void units_have_their_order(void **fixture)
{
    const struct {
        int32_t status;
        bool panic, online;
        const char *label;
    } rows[] = {
        { 2, true, true, "PANIC" }, { 4, false, true, "SCN" }, { 3, false, true, "ENR" },  { 1, false, true, "BSY" },
        { 2, false, true, "AVL" },  { 0, false, true, "UNV" }, { 2, false, false, "OFF" },
    };
    const struct board board = board_of(*fixture, &limits);
    char last[BOARD_RANK_BYTES] = "";
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (usec_t k = 0; k < 4; k++) { /* not known, long, short, in the future */
            struct state_unit unit =
                unit_of(rows[i].status, rows[i].panic, rows[i].online, k ? T0 + k * 30 * MINUTE_US : 0, -5 + (int) k);
            struct board_look look;
            board_look_unit(&board, &unit, &look);
            assert_string_equal(look.label, rows[i].label);
            assert_true(strcmp(last, look.rank) < 0);
            memcpy(last, look.rank, sizeof(last));
        }
}

static void expect_unit(const struct board *board, int32_t status, const char *label, usec_t warn_us, usec_t late_us)
{
    struct state_unit unit = unit_of(status, false, true, T0, 1);
    struct board_look look;
    board_look_unit(board, &unit, &look);
    assert_string_equal(look.label, label);
    assert_int_equal(look.since_us, T0);
    assert_int_equal(look.warn_us, warn_us);
    assert_int_equal(look.late_us, late_us);
}

static void units_have_words_and_limits(void **fixture)
{
    const struct board board = board_of(*fixture, &limits), without = board_of(*fixture, &no_limits);
    expect_unit(&board, 3, "ENR", T0 + 10 * MINUTE_US, T0 + 20 * MINUTE_US);
    expect_unit(&board, 4, "SCN", T0 + 30 * MINUTE_US, T0 + 59 * MINUTE_US);
    expect_unit(&board, 2, "AVL", 0, 0);
    expect_unit(&board, 7, "S7", 0, 0);
    expect_unit(&board, 100, "OFF", 0, 0);
    expect_unit(&board, -1, "S-1", 0, 0);
    expect_unit(&board, INT32_MAX, "S2147483647", 0, 0);
    expect_unit(&board, STATE_UNSET, "---", 0, 0);
    expect_unit(&without, 3, "ENR", 0, 0);
}

/* A clock that was ahead when it came, and a beginning that nobody saw. */
static void times_are_of_now_or_not_known(void **fixture)
{
    const struct board board = board_of(*fixture, &limits);
    struct state_unit ahead = unit_of(3, false, true, NOW + MINUTE_US, 1), unseen = unit_of(3, false, true, 0, 2);
    struct board_look look;
    board_look_unit(&board, &ahead, &look);
    assert_int_equal(look.since_us, NOW);
    assert_int_equal(look.warn_us, NOW + 10 * MINUTE_US);
    board_look_unit(&board, &unseen, &look);
    assert_true(look.since_us == 0 && look.warn_us == 0 && look.late_us == 0);
}

/* ---- calls ---- */

static struct board_look look_of_call(const struct board *board, int32_t status, int32_t priority, size_t n_units,
                                      usec_t opened_us)
{
    const struct state_call call = { .id = 1, .status = status, .priority = priority, .opened_us = opened_us };
    struct board_look look;
    board_look_call(board, &call, n_units, &look);
    return look;
}

static void calls_have_their_order(void **fixture)
{
    const struct board board = board_of(*fixture, &limits);
    static const int32_t priorities[] = { 1, 2, 3, STATE_UNSET };
    char last[BOARD_RANK_BYTES] = "";
    for (size_t closed = 0; closed < 2; closed++)
        for (size_t n_units = closed; n_units < 2; n_units++)
            for (size_t i = 0; i < ARRAY_SIZE(priorities); i++)
                for (usec_t k = 0; k < 2; k++) {
                    const struct board_look look = look_of_call(&board, closed ? STATE_CALL_CLOSED : 1, priorities[i],
                                                                n_units, T0 + k * MINUTE_US);
                    assert_true(strcmp(last, look.rank) < 0);
                    memcpy(last, look.rank, sizeof(last));
                }
}

static void expect_call(const struct board *board, int32_t status, int32_t priority, size_t n_units, const char *label,
                        usec_t warn_min, usec_t late_min)
{
    const struct board_look look = look_of_call(board, status, priority, n_units, T0);
    assert_string_equal(look.label, label);
    assert_int_equal(look.warn_us, warn_min ? T0 + warn_min * MINUTE_US : 0);
    assert_int_equal(look.late_us, late_min ? T0 + late_min * MINUTE_US : 0);
}

static void calls_have_words_and_limits(void **fixture)
{
    const struct board board = board_of(*fixture, &limits);
    expect_call(&board, 1, 1, 0, "NO UNIT", 1, 3);
    expect_call(&board, 0, 2, 0, "NO UNIT", 4, 6);
    expect_call(&board, STATE_UNSET, STATE_UNSET, 0, "NO UNIT", 4, 6);
    expect_call(&board, 0, 1, 2, "PENDING", 0, 0);
    expect_call(&board, 1, 1, 1, "ACTIVE", 0, 0);
    expect_call(&board, STATE_UNSET, 1, 1, "ACTIVE", 0, 0);
    expect_call(&board, STATE_CALL_CLOSED, 1, 0, "CLOSED", 0, 0);
}

static struct board_look look_of_911(const struct board *board, int8_t emergency, int8_t silent, int64_t call)
{
    const struct state_call911 call911 = { .emergency = emergency, .silent = silent, .call = call, .opened_us = T0 };
    struct board_look look;
    board_look_call911(board, &call911, &look);
    return look;
}

static void calls911_wait_until_a_call_is_made(void **fixture)
{
    const struct board board = board_of(*fixture, &limits);
    const struct board_look urgent = look_of_911(&board, 1, 1, STATE_UNSET_ID),
                            silent = look_of_911(&board, 0, 1, STATE_UNSET_ID),
                            plain = look_of_911(&board, -1, -1, STATE_UNSET_ID), made = look_of_911(&board, 1, 1, 7);
    assert_string_equal(urgent.label, "EMERGENCY");
    assert_string_equal(silent.label, "SILENT");
    assert_string_equal(plain.label, "911");
    assert_string_equal(made.label, "DISPATCHED");
    assert_true(strcmp(urgent.rank, silent.rank) < 0 && strcmp(plain.rank, made.rank) < 0);
    assert_true(urgent.warn_us == T0 + 2 * MINUTE_US && urgent.late_us == T0 + 5 * MINUTE_US);
    assert_true(made.warn_us == 0 && made.late_us == 0);
}

/* ---- as JSON ---- */

static void expect_lists(const struct state *state, const char *wanted)
{
    const struct board board = board_of(state, &limits);
    struct text json CLEANUP(text_free) = TEXT_INIT;
    SNAP(s, state);
    struct json_writer out = json_writer(&json);
    json_begin_object(&out, NULL);
    board_write_lists(&out, &board, s);
    json_end(&out);
    assert_false(json.failed);
    assert_string_equal(json.s, wanted);
}

/* Mentioned, and no more: nothing is known. */
static void what_is_not_known_is_null(void **fixture)
{
    state_set_event(*fixture, 3, T0);
    state_set_source(*fixture, "push", "main");
    state_set_test(*fixture, true);
    state_call_attach(*fixture, "a", 50, IDS(-9007199254740993), T0);
    expect_lists(*fixture,
                 "{\"units\":[{\"community\":\"a\",\"node\":null,\"id\":-9007199254740993,\"changed\":3,"
                 "\"source\":\"push/main\",\"test\":true,\"number\":\"\",\"name\":\"\",\"department\":\"\",\"group\":"
                 "\"\",\"location\":\"\",\"api_ids\":[],\"told\":false,\"online\":true,\"dispatcher\":false,\"status\":"
                 "null,\"status_since\":null,\"page\":null,\"panic\":false,\"panic_since\":null,\"duty_since\":null,"
                 "\"calls\":[50],\"label\":\"---\",\"rank\":\"580000000000000000000007fdfffffffffffff\",\"since\":null,"
                 "\"warn_at\":null,\"late_at\":null}],\"calls\":[{\"community\":\"a\",\"node\":null,\"id\":50,"
                 "\"changed\":3,\"source\":\"push/main\",\"test\":true,\"title\":\"\",\"code\":\"\",\"address\":\"\","
                 "\"postal\":\"\",\"block\":\"\",\"description\":\"\",\"last_note\":\"\",\"notes\":0,\"told\":false,"
                 "\"missed\":false,"
                 "\"origin\":null,\"status\":null,\"priority\":null,\"opened\":null,\"closed\":null,\"call911\":null,"
                 "\"primary\":null,\"track_primary\":null,\"units\":[{\"id\":-9007199254740993,\"since\":"
                 "\"2026-11-23T16:00:00.000000Z\"}],\"label\":\"ACTIVE\",\"rank\":"
                 "\"1ffffffff000000000000008000000000000032\",\"since\":null,\"warn_at\":null,\"late_at\":null}],"
                 "\"calls911\":[]}");
}

static void hostile_texts_stay_texts(void **fixture)
{
    put_call911(*fixture, 90, "</script>\"\\\x1b[2J\xe2\x80\xae\n", "\xff", T0);
    const struct board board = board_of(*fixture, &limits);
    struct text json CLEANUP(text_free) = TEXT_INIT;
    SNAP(s, *fixture);
    struct json_writer out = json_writer(&json);
    board_write_call911(&out, &board, s, 0);
    assert_non_null(strstr(json.s, "\"caller\":\"</script>\\\"\\\\\\u001b[2J\\u202e\\n\",\"location\":\"\\ufffd\""));
}

static void gone_is_the_name_alone(void **fixture)
{
    CLEANUP(drop) struct state_snapshot *s = NULL;
    struct text json CLEANUP(text_free) = TEXT_INIT;
    put_call911(*fixture, 90, "x", "y", T0);
    state_set_event(*fixture, 7, T0);
    state_call911_remove(*fixture, "a", 90, T0);
    assert_int_equal(state_changes(*fixture, "a", 6, &s), 0);
    assert_int_equal(s->n_gone, 1);
    const struct board board = board_of(*fixture, &limits);
    struct json_writer out = json_writer(&json);
    board_write_gone(&out, &board, s, 0);
    assert_string_equal(json.s, "{\"community\":\"a\",\"node\":null,\"id\":90,\"changed\":7,\"gone\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(units_have_their_order),    TEST(units_have_words_and_limits), TEST(times_are_of_now_or_not_known),
        TEST(calls_have_their_order),    TEST(calls_have_words_and_limits), TEST(calls911_wait_until_a_call_is_made),
        TEST(what_is_not_known_is_null), TEST(hostile_texts_stay_texts),    TEST(gone_is_the_name_alone),
    };
    return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
