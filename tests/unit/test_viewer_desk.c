/* test_viewer_desk.c - what somebody does at the board in a terminal: opens a row, holds the picture, acknowledges. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/ctl/viewer_desk.h"

#define NOW ((usec_t) 1795453200 * USEC_PER_SEC) /* 2026-11-23T17:00:00Z */
#define HEAD "\"community\":\"default\",\"node\":null,\"test\":false,"
#define SINCE "\"since\":\"2026-11-23T16:59:18.000000Z\""
#define UNIT(id, number, label, rank, more)                                                                            \
    "{" HEAD "\"id\":" id ",\"number\":\"" number "\",\"name\":\"Ruth\",\"online\":true,\"label\":\"" label            \
    "\",\"rank\":\"" rank "\"," more SINCE "}"
#define PANIC(id, number, since) UNIT(id, number, "PANIC", "0", "\"panic_since\":\"" since "\",")
#define CALL                                                                                                           \
    "{" HEAD "\"id\":85003,\"title\":\"Structure Fire\",\"address\":\"31 Kiln Street\",\"postal\":\"7042\","           \
    "\"description\":\"Smoke from the attic\",\"opened\":\"2026-11-23T16:59:18.000000Z\",\"primary\":1,"               \
    "\"units\":[{\"id\":1},{\"id\":4}],\"label\":\"ACTIVE\",\"rank\":\"1\"," SINCE "}"
#define FIRST "2026-11-23T16:59:18.000000Z"
#define LATER "2026-11-23T16:59:58.000000Z"

static struct viewer viewer;
static struct viewer_look look;
static struct viewer_desk desk;

static int begin(void **unused)
{
    (void) unused;
    viewer_init(&viewer);
    viewer.loaded = viewer.live = true;
    look = (struct viewer_look){ .now_us = NOW };
    viewer_desk_init(&desk, &viewer, &look);
    return 0;
}

static int end(void **unused)
{
    (void) unused;
    viewer_desk_done(&desk);
    viewer_done(&viewer);
    return 0;
}

static void take(enum viewer_kind kind, const char *json)
{
    cJSON *item = cJSON_Parse(json);
    assert_non_null(item);
    viewer_take_item(&viewer, kind, item);
}

static void say(const char *json)
{
    cJSON *record = cJSON_Parse(json);
    assert_non_null(record);
    viewer_take_record(&viewer, record);
    cJSON_Delete(record);
}

static void press(const char *keys)
{
    for (; *keys; keys++)
        viewer_obey(&desk, (wint_t) *keys, false);
}

/* All rows, one a line. */
static struct text drawn(int rows, int columns, bool ascii)
{
    struct text out = TEXT_INIT;
    struct canvas canvas;
    assert_int_equal(canvas_open(&canvas, rows, columns, ascii), 0);
    viewer_desk_prepare(&desk);
    viewer_draw(viewer_desk_shown(&desk), &look, &canvas);
    for (int row = 0; row < canvas.rows; row++) {
        canvas_write_row(&canvas, row, &out);
        text_add(&out, "\n");
    }
    canvas_close(&canvas);
    return out;
}

static void expect(int rows, int columns, const char *words)
{
    struct text out = drawn(rows, columns, false);
    if (!strstr(out.s, words))
        fail_msg("no \"%s\" in\n%s", words, out.s);
    text_free(&out);
}

static void expect_not(int rows, int columns, const char *words)
{
    struct text out = drawn(rows, columns, false);
    if (strstr(out.s, words))
        fail_msg("\"%s\" in\n%s", words, out.s);
    text_free(&out);
}

/* ---- what is open ---- */

static void tell_story(const char *json)
{
    cJSON_Delete(desk.detail.story);
    desk.detail.story = cJSON_Parse(json);
    assert_non_null(desk.detail.story);
}

static void test_open_call(void **unused)
{
    (void) unused;
    take(VIEWER_UNIT, UNIT("1", "E-3", "ENR", "2", ""));
    take(VIEWER_CALL, CALL);
    press("\t\r");
    expect(24, 80, " ACTIVE Structure Fire  #85003 ─");
    expect(24, 80, "Address       31 Kiln Street");
    expect(24, 80, "Units         E-3 Ruth, ENR (primary)\n                 unit 4\n");
    expect(24, 80, "Looking for its story");
    expect(24, 80, "Esc back");
    tell_story("{\"figures\":{\"answered_after\":12.5,\"first_unit_after\":null,\"closed_after\":3723},"
               "\"units\":[{\"id\":1,\"number\":\"E-3\",\"name\":\"Ruth\",\"attached\":\"" FIRST "\",\"left\":null}],"
               "\"entries\":[{\"time\":\"" FIRST "\",\"after\":null,\"summary\":\"Call 85003 is new\"},"
               "{\"time\":\"" LATER
               "\",\"after\":40,\"summary\":\"E-3 is attached\"}],\"missing\":\"Its beginning.\"}");
    expect(24, 80, "answered after 00:12, closed after 1h02m");
    expect(24, 80, "E-3 Ruth                    16:59:18  -         -         -\n");
    expect(24, 80, "16:59:58 +00:40  E-3 is attached");
    expect(24, 80, "Its beginning.");
    expect(40, 40, "   16:59:58 +00:40\n       E-3 is attached");
    press("\x1b");
    expect(24, 80, "Tab list");
    assert_false(desk.left);
    press("\rq");
    expect(24, 80, "Tab list");
    assert_false(desk.left);
    press("q");
    assert_true(desk.left);
}

static void test_open_unit(void **unused)
{
    (void) unused;
    take(VIEWER_CALL, CALL);
    take(VIEWER_UNIT, UNIT("1", "E-3", "ENR", "2", "\"calls\":[85003,7],\"department\":\"Fire\","));
    press("\t\t\r");
    expect(24, 80, " ENR E-3 Ruth  #1 ─");
    expect(24, 80, "Department    Fire");
    expect(24, 80, "Calls         85003 Structure Fire, 31 Kiln Street\n                 7\n");
    expect_not(24, 80, "story");
    take(VIEWER_UNIT, UNIT("1", "E-3", "SCN", "2", "\"location\":\"Quay\",")); /* it goes on */
    expect(24, 80, " SCN E-3 Ruth");
    expect(24, 80, "Location      Quay");
    take(VIEWER_UNIT, "{" HEAD "\"id\":1,\"gone\":true}");
    expect(24, 80, "no more");
    expect(24, 80, "Location      Quay");
}

static void test_open_nothing(void **unused)
{
    (void) unused;
    for (int i = 0; i <= VIEWER_N_PANES; i++)
        press("\r\t");
    assert_null(look.detail);
    expect(24, 80, "nobody is waiting");
}

/* A long one scrolls, and not beyond its ends. */
static void test_long(void **unused)
{
    struct text json = TEXT_INIT;
    (void) unused;
    text_add(&json, "{" HEAD "\"id\":90417,\"label\":\"911\",\"rank\":\"0\",\"description\":\"first ");
    for (int i = 0; i < 1000; i++)
        text_addf(&json, "w%d ", i);
    text_add(&json, "last\"}");
    take(VIEWER_CALL911, json.s);
    text_free(&json);
    press("\r");
    expect(24, 80, "first w0 w1");
    expect(24, 80, " 1-21 of ");
    press("kkk");
    expect(24, 80, " 1-21 of ");
    press("j");
    expect_not(24, 80, "first w0");
    expect(24, 80, " 2-22 of ");
    for (int i = 0; i < 60; i++)
        press(" ");
    expect(24, 80, " last\n");
    expect(24, 80, "Looking");
    press("k");
    expect_not(24, 80, "Looking");
    press("\x1b");
    assert_null(look.detail);
}

/* Whatever the size, and whatever stands in it, nothing is written outside and no byte is obeyed. */
static void test_hostile(void **unused)
{
    static const char evil[] = "\\u001b]0;x\\u0007\\u001b[31m\\u202e \\u6f22\\u5b57\\n";
    struct text item = TEXT_INIT, story = TEXT_INIT;
    (void) unused;
    text_addf(&item,
              "{" HEAD "\"id\":1,\"title\":\"%s\",\"address\":\"%s\",\"description\":\"%s%0300d\",\"label\":\"%s\","
              "\"units\":[1,{\"id\":\"x\"},{\"id\":2}],\"opened\":7,\"rank\":\"1\"}",
              evil, evil, evil, 7, evil);
    text_addf(
        &story,
        "{\"figures\":{\"closed_after\":1e300,\"answered_after\":\"x\"},\"units\":[7,{\"id\":1e300,\"name\":\"%s\"}],"
        "\"entries\":[7,{\"summary\":\"%s\",\"after\":-5,\"time\":\"%s\"}],\"missing\":\"%s\"}",
        evil, evil, evil, evil);
    take(VIEWER_CALL, item.s);
    press("\t\r");
    assert_non_null(look.detail);
    tell_story(story.s);
    for (int rows = 0; rows < 45; rows++)
        for (int columns = 0; columns < 140; columns += 1 + columns / 30) {
            struct text out = drawn(rows, columns, rows % 2);
            assert_null(strchr(out.s, '\x1b'));
            assert_null(strchr(out.s, '\x07'));
            assert_null(strstr(out.s, "\xe2\x80\xae"));
            for (const char *s = out.s; rows % 2 && *s; s++)
                assert_true((unsigned char) *s < 0x80);
            text_free(&out);
        }
    text_free(&item);
    text_free(&story);
}

/* The mark goes with the row that has it. */
static void test_mark_stays(void **unused)
{
    (void) unused;
    take(VIEWER_UNIT, UNIT("1", "E-3", "AVL", "5", ""));
    take(VIEWER_UNIT, UNIT("2", "L-1", "AVL", "6", ""));
    press("\t\tjj");
    expect(24, 80, ">  AVL   L-1");
    take(VIEWER_UNIT, UNIT("3", "M-2", "SCN", "1", ""));
    expect(24, 80, ">  AVL   L-1");
    take(VIEWER_UNIT, UNIT("2", "L-1", "SCN", "0", ""));
    expect(24, 80, ">  SCN   L-1");
    press("j");
    expect(24, 80, ">  SCN   M-2");
    take(VIEWER_UNIT, "{" HEAD "\"id\":3,\"gone\":true}");
    expect(24, 80, ">  AVL   E-3");
}

/* ---- the picture that is held ---- */

static void test_hold(void **unused)
{
    (void) unused;
    viewer.clock_us = (int64_t) NOW - (int64_t) now_us();
    take(VIEWER_UNIT, UNIT("1", "E-3", "AVL", "5", ""));
    take(VIEWER_UNIT, UNIT("2", "L-1", "AVL", "6", ""));
    say("{\"id\":7,\"summary\":\"before\"}");
    press("p");
    expect(24, 80, "PAUSED, 0 events since  911 0");
    look.now_us += 3600 * USEC_PER_SEC;
    take(VIEWER_UNIT, UNIT("2", "L-1", "SCN", "0", ""));
    say("{\"id\":8,\"summary\":\"after it\"}");
    expect(24, 80, "PAUSED, 1 event since ");
    expect(24, 80, "AVL   L-1");
    expect(24, 80, "00:42"); /* ages as well */
    expect(24, 80, "before");
    expect_not(24, 80, "after it");
    expect(24, 80, " 18:00:00\n"); /* but not the clock */
    take(VIEWER_UNIT, PANIC("3", "M-2", LATER));
    expect(24, 100, "PAUSED, 1 event since with 1 ALARM ");
    expect(24, 40, "PAUSED 1! ");
    expect_not(24, 80, "M-2");
    viewer.live = false;
    expect(24, 80, "STALE");
    viewer.live = true;
    press("p");
    expect(24, 80, "SCN   L-1");
    expect(24, 80, "after it");
    expect(24, 80, "PANIC  M-2 Ruth");
    expect_not(24, 80, "PAUSED");
    say("{\"id\":9,\"summary\":\"there\",\"community\":\"east\",\"origin\":{\"node\":\"edge1\"}}");
    say("{\"id\":10,\"summary\":\"odd\",\"community\":\"east\",\"origin\":{\"node\":\"\\u001b[1m\"}}");
    expect(24, 80, "east@edge1: there");
    expect(24, 80, "east@?: odd");
}

/* In the held picture rows are opened as they were. */
static void test_hold_open(void **unused)
{
    (void) unused;
    take(VIEWER_UNIT, UNIT("1", "E-3", "AVL", "5", ""));
    press("p");
    take(VIEWER_UNIT, "{" HEAD "\"id\":1,\"gone\":true}");
    press("\t\t\r");
    expect(24, 80, " AVL E-3 Ruth  #1 ─");
    expect_not(24, 80, "no more");
    press("p");
    expect(24, 80, "no more");
}

/* ---- the bell ---- */

static bool rings_at(usec_t seconds)
{
    return viewer_desk_rings(&desk, (1000 + seconds) * USEC_PER_SEC);
}

static void test_rings_again(void **unused)
{
    (void) unused;
    look.bell = true;
    assert_false(rings_at(0));
    take(VIEWER_UNIT, PANIC("1", "E-3", FIRST));
    assert_true(rings_at(1));
    assert_false(rings_at(2));
    take(VIEWER_UNIT, PANIC("1", "E-3", FIRST)); /* something else of it changed, and nobody has acknowledged it */
    assert_false(rings_at(30));
    assert_true(rings_at(31));
    take(VIEWER_UNIT, PANIC("2", "L-1", FIRST)); /* another one does not wait */
    assert_true(rings_at(32));
    take(VIEWER_UNIT, UNIT("2", "L-1", "AVL", "6", ""));
    assert_false(rings_at(61));
    assert_true(rings_at(62));
    press("a");
    assert_false(rings_at(100));
    expect(24, 80, " acknowledged");
    take(VIEWER_UNIT, PANIC("1", "E-3", FIRST));
    assert_false(rings_at(200));
    take(VIEWER_UNIT, UNIT("1", "E-3", "AVL", "5", ""));
    take(VIEWER_UNIT, PANIC("1", "E-3", LATER)); /* another one */
    assert_true(rings_at(201));
    expect_not(24, 80, " acknowledged");
    take(VIEWER_UNIT, UNIT("1", "E-3", "AVL", "5", ""));
    assert_false(rings_at(300)); /* it is over */
}

/* What began before somebody looked rings as well, for nobody has acknowledged it; a 911 call of then does not. */
static void test_rings_for_old(void **unused)
{
    (void) unused;
    viewer.loaded = false;
    take(VIEWER_CALL911, "{" HEAD "\"id\":90417,\"label\":\"EMERGENCY\",\"rank\":\"0\"}");
    look.bell = true;
    assert_false(rings_at(0));
    take(VIEWER_UNIT, PANIC("1", "E-3", FIRST));
    viewer.loaded = true;
    assert_true(rings_at(1));
    look.bell = false;
    assert_false(rings_at(100));
    look.bell = true;
    assert_true(rings_at(101));
}

/* It survives a state that is loaded anew, and is no acknowledgement of those that nobody saw. */
static void test_acknowledged(void **unused)
{
    struct err err;
    (void) unused;
    for (int i = 1; i <= 5; i++) {
        char json[512];
        snprintf(json, sizeof(json), PANIC("%d", "U-%d", FIRST), i, i);
        take(VIEWER_UNIT, json);
    }
    expect(24, 80, "and 2 more in panic");
    press("a");
    expect(24, 80, "PANIC  U-4 Ruth"); /* they come first now */
    assert_true(viewer_has_unheard(&viewer));
    press("p"); /* also of a picture that is held */
    press("a");
    assert_false(viewer_has_unheard(&viewer));
    press("p");
    cJSON *state =
        cJSON_Parse("{\"communities\":[{\"units\":[" PANIC("1", "U-1", FIRST) "," PANIC("2", "U-2", LATER) "]}]}");
    assert_int_equal(viewer_take_state(&viewer, state, &err), 0);
    cJSON_Delete(state);
    assert_true(viewer.lists[VIEWER_UNIT].v[0].heard);
    assert_false(viewer.lists[VIEWER_UNIT].v[1].heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open_call, begin, end),
        cmocka_unit_test_setup_teardown(test_open_unit, begin, end),
        cmocka_unit_test_setup_teardown(test_open_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_long, begin, end),
        cmocka_unit_test_setup_teardown(test_hostile, begin, end),
        cmocka_unit_test_setup_teardown(test_mark_stays, begin, end),
        cmocka_unit_test_setup_teardown(test_hold, begin, end),
        cmocka_unit_test_setup_teardown(test_hold_open, begin, end),
        cmocka_unit_test_setup_teardown(test_rings_again, begin, end),
        cmocka_unit_test_setup_teardown(test_rings_for_old, begin, end),
        cmocka_unit_test_setup_teardown(test_acknowledged, begin, end),
    };
    setenv("TZ", "UTC", 1);
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests_name("viewer_desk", tests, NULL, NULL);
}
