/* test_canvas.c - text in cells: widths, cuts, what a terminal must not see. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/ctl/canvas.h"

static struct canvas canvas;

static void begin(bool ascii)
{
    assert_int_equal(canvas_open(&canvas, 2, 10, ascii), 0);
}

static void expect_row(int row, const char *expected)
{
    struct text out = TEXT_INIT;
    canvas_write_row(&canvas, row, &out);
    assert_string_equal(out.s, expected);
    text_free(&out);
}

static void expect(bool ascii, int columns, const char *text, const char *expected)
{
    begin(ascii);
    int took = canvas_put(&canvas, 0, 0, columns, STYLE_PLAIN, text);
    expect_row(0, expected);
    assert_in_range(took, 0, columns);
    canvas_close(&canvas);
}

static void test_fits(void **unused)
{
    (void) unused;
    expect(false, 10, "", "");
    expect(false, 10, "0123456789", "0123456789");
    expect(false, 10, "Zo\xc3\xab", "Zo\xc3\xab");
    expect(false, 10, "e\xcc\x81t", "e\xcc\x81t");                                 /* a mark above its letter */
    expect(false, 10, "\xe6\xbc\xa2\xe5\xad\x97 N", "\xe6\xbc\xa2\xe5\xad\x97 N"); /* two columns each */
    expect(false, 4, "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97");
}

static void test_cut(void **unused)
{
    (void) unused;
    expect(false, 10, "0123456789x", "012345678\xe2\x80\xa6");
    expect(false, 1, "ab", "\xe2\x80\xa6");
    expect(false, 0, "ab", "");
    expect(false, -3, "ab", "");
    expect(false, 3, "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe2\x80\xa6");
    expect(false, 4, "a\xe6\xbc\xa2\xe5\xad\x97", "a\xe6\xbc\xa2\xe2\x80\xa6"); /* no half of a character */
    expect(false, 2, "\xe6\xbc\xa2\xe5\xad\x97", "\xe2\x80\xa6");
    expect(true, 4, "abcdef", "abc~");
}

static void test_ascii(void **unused)
{
    (void) unused;
    expect(true, 10, "Zo\xc3\xab", "Zo?");
    expect(true, 10, "\xe6\xbc\xa2", "?");
    expect(true, 10, "e\xcc\x81t", "et");
}

/* Texts come here safe; should one not be, nothing of it reaches a terminal all the same. */
static void test_unsafe(void **unused)
{
    (void) unused;
    expect(false, 10, "a\x1b[31mb", "a?[31mb");
    expect(false, 10, "a\nb\tc\x7f", "a?b?c?");
    expect(false, 10,
           "a\xe2\x80\xae"
           "b",
           "a?b"); /* turns the direction */
    expect(false, 10,
           "a\xff\xfe"
           "b",
           "a??b");
    expect(false, 10,
           "a\xc2\x9b"
           "31mb",
           "a?31mb");
}

static void test_places(void **unused)
{
    (void) unused;
    begin(false);
    canvas_put_right(&canvas, 0, 0, 10, STYLE_PLAIN, "right");
    expect_row(0, "     right");
    canvas_put_right(&canvas, 1, 4, 3, STYLE_PLAIN, "right");
    expect_row(1, "    ri\xe2\x80\xa6");
    /* What lies below a half of a wide character loses the other one. */
    canvas_put(&canvas, 0, 0, 10, STYLE_PLAIN, "\xe6\xbc\xa2\xe5\xad\x97");
    canvas_put(&canvas, 0, 1, 1, STYLE_PLAIN, "x");
    expect_row(0, " x\xe5\xad\x97 right");
    canvas_fill(&canvas, 0, 0, 3, STYLE_BAR);
    expect_row(0, "     right");
    assert_int_equal(canvas_put(&canvas, 2, 0, 10, STYLE_PLAIN, "x"), 0);
    assert_int_equal(canvas_put(&canvas, -1, 0, 10, STYLE_PLAIN, "x"), 0);
    assert_int_equal(canvas_put(&canvas, 0, 10, 10, STYLE_PLAIN, "x"), 0);
    canvas_fill(&canvas, 5, 0, 3, STYLE_BAR);
    canvas_close(&canvas);
}

static void test_no_room(void **unused)
{
    (void) unused;
    assert_int_equal(canvas_open(&canvas, 0, 10, false), 0);
    assert_int_equal(canvas_put(&canvas, 0, 0, 10, STYLE_PLAIN, "x"), 0);
    canvas_close(&canvas);
}

/* Where a long text goes on in the next row. */
static void test_fit(void **unused)
{
    (void) unused;
    assert_int_equal(canvas_fit(&canvas, "one two", 7), 7);
    assert_int_equal(canvas_fit(&canvas, "one two", 6), 3);
    assert_int_equal(canvas_fit(&canvas, "one two", 3), 3);
    assert_int_equal(canvas_fit(&canvas, "one two", 2), 2); /* no blank in reach */
    assert_int_equal(canvas_fit(&canvas, "\u6f22\u5b57", 3), 3);
    assert_int_equal(canvas_fit(&canvas, "\u6f22\u5b57", 1), 3); /* at least one */
    assert_int_equal(canvas_fit(&canvas, "e\u0301e", 1), 3);     /* marks go with their letter */
    assert_int_equal(canvas_fit(&canvas, "", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits),   cmocka_unit_test(test_cut),    cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_unsafe), cmocka_unit_test(test_places), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_fit),
    };
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}
