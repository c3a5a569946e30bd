/* test_viewer_sse.c - server-sent events, in whatever pieces they come. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/ctl/viewer_sse.h"

static int take(void *context, const struct viewer_sse_event *event, struct err *err)
{
    struct text *heard = context;
    text_addf(heard, "[%s %llu %.*s]", event->name, (unsigned long long) event->id, (int) event->data.size,
              event->data.s);
    return strcmp(event->name, "stop") == 0 ? err_set(err, -EAGAIN, "stopped") : 0;
}

static void expect_in_pieces(const char *stream, size_t piece_bytes, const char *expected)
{
    struct text heard = TEXT_INIT;
    struct viewer_sse sse = VIEWER_SSE_INIT(take, &heard);
    struct err err;
    for (size_t at = 0, size = strlen(stream); at < size; at += piece_bytes) {
        size_t n = size - at < piece_bytes ? size - at : piece_bytes;
        assert_int_equal(viewer_sse_read(&sse, (struct span){ stream + at, n }, &err), 0);
    }
    assert_string_equal(heard.s, expected);
    viewer_sse_done(&sse);
    text_free(&heard);
}

static void expect(const char *stream, const char *expected)
{
    for (size_t piece_bytes = 1; piece_bytes <= strlen(stream); piece_bytes++)
        expect_in_pieces(stream, piece_bytes, expected);
}

static void test_events(void **unused)
{
    (void) unused;
    expect("data: a\n\n", "[ 0 a]");
    expect("retry: 2000\nevent: hello\ndata: {}\n\n", "[hello 0 {}]");
    expect("event: unit\ndata:{\"a\":1}\n\nid: 7\nevent: log\ndata: x\n\n", "[unit 0 {\"a\":1}][log 7 x]");
    expect("id: 7\ndata: a\n\ndata: b\n\n", "[ 7 a][ 7 b]"); /* an id holds on */
    expect("data: a\ndata: b\n\n", "[ 0 a\nb]");
    expect(":\n\n: word\n\ndata: a\n\n", "[ 0 a]");
    expect("event: nothing\n\ndata: a\n\n", "[ 0 a]"); /* without data it is none, and its name is forgotten */
    expect("data\n\n", "[ 0 ]");
    expect("id: x\nid: -1\nid:\ndata: a\n\n", "[ 0 a]");
    expect("unheard: of\ndata: a\n\n", "[ 0 a]");
    expect("data: not whole yet\n", "");
    expect("data: \xc3\xa9\n\n", "[ 0 \xc3\xa9]");
}

static void test_line_ends(void **unused)
{
    (void) unused;
    expect("data: a\r\n\r\ndata: b\r\n\r\n", "[ 0 a][ 0 b]");
    expect("data: a\r\rdata: b\r\r", "[ 0 a][ 0 b]");
    expect("data: a\n\r\ndata: b\r\n\n", "[ 0 a][ 0 b]");
}

static void test_refusals(void **unused)
{
    struct text heard = TEXT_INIT, endless = TEXT_INIT;
    struct viewer_sse sse = VIEWER_SSE_INIT(take, &heard);
    struct err err;
    (void) unused;
    assert_int_equal(viewer_sse_read(&sse, span_of("event: stop\ndata: a\n\ndata: b\n\n"), &err), -EAGAIN);
    assert_string_equal(heard.s, "[stop 0 a]");
    viewer_sse_done(&sse);

    sse = (struct viewer_sse) VIEWER_SSE_INIT(take, &heard);
    for (size_t i = 0; i < VIEWER_SSE_MAX_BYTES / 1024; i++)
        text_addf(&endless, "%1024s", "");
    assert_int_equal(viewer_sse_read(&sse, (struct span){ endless.s, endless.size }, &err), 0);
    assert_int_equal(viewer_sse_read(&sse, span_of("x"), &err), -EMSGSIZE);
    viewer_sse_done(&sse);
    text_free(&heard);
    text_free(&endless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("viewer_sse", tests, NULL, NULL);
}
