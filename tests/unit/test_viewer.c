/* test_viewer.c - the board in a terminal: what it keeps of what the daemon says, and how that is laid out. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/ctl/viewer.h"

#define NOW ((usec_t) 1795453200 * USEC_PER_SEC) /* 2026-11-23T17:00:00Z */
#define SINCE "\"since\":\"2026-11-23T16:59:18.000000Z\",\"warn_at\":null,\"late_at\":null"
#define HEAD "\"community\":\"default\",\"node\":null,\"test\":false,"

static struct viewer viewer;
static struct viewer_look look;

static int begin(void **unused)
{
    (void) unused;
    viewer_init(&viewer);
    look = (struct viewer_look){ .now_us = NOW };
    return 0;
}

static int end(void **unused)
{
    (void) unused;
    viewer_done(&viewer);
    return 0;
}

static void take(enum viewer_kind kind, const char *json)
{
    cJSON *item = cJSON_Parse(json);
    assert_non_null(item);
    viewer_take_item(&viewer, kind, item);
}

static void load(const char *json)
{
    struct err err;
    cJSON *state = cJSON_Parse(json);
    assert_non_null(state);
    assert_int_equal(viewer_take_state(&viewer, state, &err), 0);
    cJSON_Delete(state);
}

#define UNIT(id, number, name, label, rank, more)                                                                      \
    "{" HEAD "\"id\":" id ",\"number\":\"" number "\",\"name\":\"" name "\",\"online\":true,\"label\":\"" label        \
    "\",\"rank\":\"" rank "\"," more SINCE "}"
#define CALL(id, title, units, rank)                                                                                   \
    "{" HEAD "\"id\":" id ",\"title\":\"" title "\",\"address\":\"31 Kiln Street\",\"priority\":1,\"primary\":1,"      \
    "\"units\":[" units "],\"label\":\"ACTIVE\",\"rank\":\"" rank "\"," SINCE "}"

/* All rows, one a line. */
static struct text drawn(int rows, int columns, bool ascii)
{
    struct text out = TEXT_INIT;
    struct canvas canvas;
    assert_int_equal(canvas_open(&canvas, rows, columns, ascii), 0);
    viewer_draw(&viewer, &look, &canvas);
    for (int row = 0; row < canvas.rows; row++) {
        canvas_write_row(&canvas, row, &out);
        text_add(&out, "\n");
    }
    canvas_close(&canvas);
    return out;
}

static void expect_drawn(int rows, int columns, const char *words)
{
    struct text out = drawn(rows, columns, false);
    if (!strstr(out.s, words))
        fail_msg("no \"%s\" in\n%s", words, out.s);
    text_free(&out);
}

static void expect_not_drawn(int rows, int columns, const char *words)
{
    struct text out = drawn(rows, columns, false);
    if (strstr(out.s, words))
        fail_msg("\"%s\" in\n%s", words, out.s);
    text_free(&out);
}

static void test_items(void **unused)
{
    (void) unused;
    take(VIEWER_UNIT, UNIT("1", "E-3", "Ruth", "SCN", "2", ""));
    take(VIEWER_UNIT, UNIT("2", "L-1", "Pavel", "AVL", "3", ""));
    take(VIEWER_UNIT, UNIT("3", "M-2", "Jo", "ENR", "1", ""));
    assert_int_equal(viewer.lists[VIEWER_UNIT].n, 3);
    assert_int_equal(viewer.lists[VIEWER_UNIT].v[0].id, 3);
    take(VIEWER_UNIT, UNIT("2", "L-1", "Pavel", "PANIC", "0", "")); /* the same one, elsewhere in the order */
    assert_int_equal(viewer.lists[VIEWER_UNIT].n, 3);
    assert_int_equal(viewer.lists[VIEWER_UNIT].v[0].id, 2);
    take(VIEWER_UNIT, "{" HEAD "\"id\":1,\"gone\":true}");
    take(VIEWER_UNIT, "{" HEAD "\"id\":77,\"gone\":true}");
    assert_int_equal(viewer.lists[VIEWER_UNIT].n, 2);
    take(VIEWER_UNIT, "{\"community\":\"other\",\"node\":null,\"id\":2,\"gone\":true}"); /* another one of that id */
    assert_int_equal(viewer.lists[VIEWER_UNIT].n, 2);
    take(VIEWER_UNIT, "{}");
    take(VIEWER_UNIT, "[]");
    take(VIEWER_UNIT, "{" HEAD "\"id\":\"2\"}");
    take(VIEWER_UNIT, "{" HEAD "\"id\":1.5}");
    assert_int_equal(viewer.lists[VIEWER_UNIT].n, 2);
}

static void test_alarms(void **unused)
{
    (void) unused;
    load("{\"communities\":[{\"units\":[" UNIT("1", "E-3", "Ruth", "PANIC", "0", "") "]}]}");
    assert_int_equal(viewer.n_alarms, 0); /* it was so before somebody looked */
    take(VIEWER_UNIT, UNIT("1", "E-3", "Ruth", "PANIC", "0", ""));
    assert_int_equal(viewer.n_alarms, 0);
    take(VIEWER_UNIT, UNIT("2", "L-1", "Pavel", "PANIC", "0", ""));
    assert_int_equal(viewer.n_alarms, 1);
    take(VIEWER_UNIT, UNIT("2", "L-1", "Pavel", "AVL", "3", ""));
    take(VIEWER_UNIT, UNIT("2", "L-1", "Pavel", "PANIC", "0", ""));
    assert_int_equal(viewer.n_alarms, 2);
    /* While the link was away one began. */
    load("{\"communities\":[{\"units\":[" UNIT("2", "L-1", "Pavel", "PANIC", "0",
                                               "") "," UNIT("3", "M-2", "Jo", "PANIC", "0", "") "]}]}");
    assert_int_equal(viewer.n_alarms, 3);
    assert_int_equal(viewer.lists[VIEWER_UNIT].n, 2);
}

static void test_no_state(void **unused)
{
    struct err err;
    cJSON *broken = cJSON_Parse("{\"communities\":{}}");
    (void) unused;
    assert_true(viewer_take_state(&viewer, broken, &err) < 0);
    assert_true(viewer_take_state(&viewer, NULL, &err) < 0);
    cJSON_Delete(broken);
}

static void test_rows(void **unused)
{
    (void) unused;
    take(VIEWER_UNIT, UNIT("1", "E-3", "Ruth Adeyemi", "SCN", "2", "\"calls\":[85003],"));
    take(VIEWER_UNIT,
         "{" HEAD
         "\"id\":9,\"number\":\"OFF-1\",\"name\":\"Gone Home\",\"online\":false,\"label\":\"OFF\",\"rank\":\"9\"}");
    take(VIEWER_CALL, CALL("85003", "Structure Fire", "{\"id\":1},{\"id\":4127}", "1"));
    take(VIEWER_CALL, "{" HEAD "\"id\":85009,\"title\":\"Over\",\"label\":\"CLOSED\",\"rank\":\"9\"}");
    take(VIEWER_CALL911, "{" HEAD "\"id\":90417,\"location\":\"Quay\",\"caller\":\"Jo\",\"description\":\"Help\","
                         "\"label\":\"EMERGENCY\",\"rank\":\"0\"," SINCE "}");
    viewer.loaded = viewer.live = true;
    expect_drawn(24, 80, "SCN   E-3  Ruth Ad");
    expect_drawn(24, 80, ">85003  00:42");
    expect_drawn(24, 80, "P1 85003 Structure Fire");
    expect_drawn(24, 80, "E-3* unit 4127"); /* one that is not known */
    expect_drawn(24, 80, "EMERGENCY  90417 Quay, Jo: Help");
    expect_drawn(24, 80, " live  911 1  calls 1  units 1");
    expect_not_drawn(24, 80, "Gone Home");
    expect_not_drawn(24, 80, "Over");
    expect_drawn(40, 130, "E-3* SCN  unit 4127");
    expect_drawn(10, 40, "EMERG  90417 Quay");
    expect_not_drawn(10, 40, "Structure");
    look.focus = VIEWER_CALL;
    expect_drawn(10, 40, "Structure");
    snprintf(look.filter, sizeof(look.filter), "adeyemi");
    expect_drawn(24, 80, "units 1");
    expect_drawn(24, 80, "911 0");
}

/* A call was made from it: it is there to look at, and waits for nobody. */
static void test_dispatched(void **unused)
{
    (void) unused;
    take(VIEWER_CALL911,
         "{" HEAD "\"id\":90417,\"location\":\"Quay\",\"label\":\"EMERGENCY\",\"rank\":\"0\"," SINCE "}");
    viewer.loaded = true;
    expect_drawn(24, 80, "911 1  ");
    take(VIEWER_CALL911,
         "{" HEAD "\"id\":90417,\"location\":\"Quay\",\"label\":\"DISPATCHED\",\"rank\":\"2\"," SINCE "}");
    expect_drawn(24, 80, "DISPATCHED 90417 Quay");
    expect_drawn(10, 40, "DISP   90417 Quay");
    expect_drawn(24, 80, "911 0  ");
    expect_drawn(24, 80, "911 calls  0");
    assert_int_equal(viewer.n_alarms, 0);
}

/* Several communities: rows say whose they are, in any width. One has nothing to say. */
static void test_communities(void **unused)
{
    static const char north[] = "{\"name\":\"north\",\"units\":[" UNIT("1", "E-3", "Ruth", "AVL", "3", "") "]}";
    struct text state = TEXT_INIT;
    (void) unused;
    text_addf(&state, "{\"communities\":[%s]}", north);
    load(state.s);
    viewer.live = true;
    expect_not_drawn(24, 80, "default");
    text_reset(&state);
    text_addf(&state, "{\"communities\":[%s,{\"name\":\"a-name-of-sixteen\"}]}", north);
    load(state.s);
    take(VIEWER_CALL, CALL("85003", "Structure Fire", "{\"id\":1}", "1"));
    take(VIEWER_CALL911, "{" HEAD "\"id\":90417,\"location\":\"Quay\",\"label\":\"911\",\"rank\":\"0\"," SINCE "}");
    take(VIEWER_UNIT, "{\"community\":\"a-name-of-sixteen\",\"node\":null,\"id\":1,\"number\":\"L-1\",\"online\":true,"
                      "\"label\":\"PANIC\",\"rank\":\"0\"," SINCE "}");
    expect_drawn(24, 80, "AVL   E-3  Ruth      default   00:42");
    expect_drawn(24, 80, "a-name-\u2026  00:42");
    expect_drawn(24, 80, "E-3*              default       00:42");
    expect_drawn(24, 80, "Quay                                    default       00:42");
    expect_drawn(24, 80, "L-1, a-name-of-sixteen");
    expect_drawn(40, 130, "Structure Fire                         default       00:42");
    text_free(&state);
}

static void test_limits(void **unused)
{
    (void) unused;
    take(VIEWER_UNIT, "{" HEAD "\"id\":1,\"number\":\"E-3\",\"online\":true,\"label\":\"ENR\",\"rank\":\"1\",\"since\":"
                      "\"2026-11-23T16:00:00.000000Z\",\"late_at\":\"2026-11-23T16:20:00.000000Z\"}");
    expect_drawn(24, 60, "1h00m!");
    look.now_us -= 45 * 60 * USEC_PER_SEC;
    expect_drawn(24, 60, "15:00");
    expect_not_drawn(24, 60, "15:00!");
    look.now_us -= 3600 * USEC_PER_SEC; /* a clock that went back */
    expect_drawn(24, 60, "00:00");
}

static void test_link(void **unused)
{
    (void) unused;
    expect_drawn(24, 80, "NO LINK");
    viewer.loaded = true;
    look.uptime_us = 100 * USEC_PER_SEC;
    viewer.heard_us = 88 * USEC_PER_SEC;
    expect_drawn(24, 80, "STALE 12 s");
    viewer.live = true;
    expect_drawn(24, 80, "live");
    expect_drawn(24, 80, "nobody is waiting");
    expect_drawn(24, 80, "play --demo");
}

/* Whatever the size, and whatever stands in it, nothing is written outside and no byte is obeyed. */
static void test_any_size(void **unused)
{
    (void) unused;
    for (int i = 0; i < 60; i++) {
        char json[1024];
        snprintf(json, sizeof(json),
                 "{" HEAD
                 "\"id\":%d,\"number\":\"\\u001b[31m%d\",\"name\":\"\\u202e\\u6f22\\u5b57 %0200d\",\"online\":true,"
                 "\"label\":\"%s\",\"rank\":\"%02d\",\"location\":\"\\u0007\\n\",\"calls\":[1,2],\"test\":true}",
                 i, i, i, i < 5 ? "PANIC" : "\x1b[5m", i);
        take(VIEWER_UNIT, json);
    }
    take(VIEWER_CALL, CALL("85003", "\\u001b]0;title\\u0007",
                           "{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4},{\"id\":5},"
                           "{\"id\":6},{\"id\":7}",
                           "1"));
    viewer.loaded = true;
    for (int rows = 0; rows < 45; rows++)
        for (int columns = 0; columns < 140; columns += 1 + columns / 30) {
            struct text out = drawn(rows, columns, rows % 2);
            assert_null(strchr(out.s, '\x1b'));
            assert_null(strchr(out.s, '\x07'));
            assert_null(strstr(out.s, "\xe2\x80\xae"));
            text_free(&out);
        }
    expect_drawn(24, 80, "and 2 more in panic");
    look.once = true;
    assert_in_range(viewer_rows(&viewer, &look), 60, 80);
    expect_not_drawn(viewer_rows(&viewer, &look), 100, " more ─");
}

static void test_arrows(void **unused)
{
    (void) unused;
    for (int i = 10; i < 40; i++) {
        char json[512];
        snprintf(json, sizeof(json), UNIT("%d", "U-%d", "", "AVL", "%d", ""), i, i, i);
        take(VIEWER_UNIT, json);
    }
    look.focus = VIEWER_UNIT;
    look.chooses = true;
    look.chosen[VIEWER_UNIT] = 100000;
    expect_drawn(10, 40, "U-39");
    assert_int_equal(look.chosen[VIEWER_UNIT], 29);
    expect_not_drawn(10, 40, "U-10 ");
    look.chosen[VIEWER_UNIT] = -100000;
    look.marked[VIEWER_UNIT].known = false;
    expect_drawn(10, 40, ">  AVL   U-10");
    assert_int_equal(look.chosen[VIEWER_UNIT], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_items, begin, end),
        cmocka_unit_test_setup_teardown(test_alarms, begin, end),
        cmocka_unit_test_setup_teardown(test_no_state, begin, end),
        cmocka_unit_test_setup_teardown(test_rows, begin, end),
        cmocka_unit_test_setup_teardown(test_dispatched, begin, end),
        cmocka_unit_test_setup_teardown(test_communities, begin, end),
        cmocka_unit_test_setup_teardown(test_limits, begin, end),
        cmocka_unit_test_setup_teardown(test_link, begin, end),
        cmocka_unit_test_setup_teardown(test_any_size, begin, end),
        cmocka_unit_test_setup_teardown(test_arrows, begin, end),
    };
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests_name("viewer", tests, NULL, NULL);
}
