/* test_session_records.c - the CAD's hub protocol: each byte that is sent, and each odd record that comes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session_records.h"

#define R "\x1e"

static void is(struct span span, const char *text)
{
    assert_int_equal(span.size, strlen(text));
    assert_memory_equal(span.s, text, span.size);
}

static int read_record(const char *text, struct session_record *ret, struct err *err)
{
    err->msg[0] = '\0';
    return session_record_read(span_of(text), ret, err);
}

/* ---- what is sent ---- */

static void what_we_send(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    assert_int_equal(strlen(SESSION_HANDSHAKE), 32);
    assert_string_equal(SESSION_HANDSHAKE, "{\"protocol\":\"json\",\"version\":1}" R);
    assert_string_equal(SESSION_PING, "{\"type\":6}" R);
    assert_string_equal(SESSION_CLOSE, "{\"type\":7}" R);
    session_record_write_login(&out, "demo", "KEY-1", 1);
    assert_int_equal(out.size, 87);
    assert_string_equal(out.s,
                        "{\"type\":1,\"invocationId\":\"1\",\"target\":\"authenticatev2\",\"arguments\":[\"demo\","
                        "\"KEY-1\",1]}" R);
    text_reset(&out);
    session_record_write_login(&out, "de\"mo\x1e", "K", 0);
    assert_string_equal(out.s, "{\"type\":1,\"invocationId\":\"1\",\"target\":\"authenticatev2\",\"arguments\":["
                               "\"de\\\"mo\\u001e\",\"K\",null]}" R);
    text_reset(&out);
    session_record_write_answer(&out, span_of("\"q\\\"1\""), NULL);
    assert_string_equal(out.s, "{\"type\":3,\"invocationId\":\"q\\\"1\",\"result\":null}" R);
    text_reset(&out);
    session_record_write_answer(&out, span_of("\"q1\""), "Busy");
    assert_string_equal(out.s, "{\"type\":3,\"invocationId\":\"q1\",\"error\":\"Busy\"}" R);
}

/* ---- records out of messages ---- */

static void several_in_a_message(void **state)
{
    struct span left = span_of("{}" R "{\"type\":6}" R R "{\"ty"), record;
    (void) state;
    assert_true(session_records_next(&left, &record));
    is(record, "{}");
    assert_true(session_records_next(&left, &record));
    is(record, "{\"type\":6}");
    assert_true(session_records_next(&left, &record));
    is(record, "");
    assert_false(session_records_next(&left, &record));
    is(left, "{\"ty");
    left = (struct span){ NULL, 0 };
    assert_false(session_records_next(&left, &record));
}

/* ---- the handshake ---- */

static void handshake(void **state)
{
    static const struct {
        const char *text;
        int r;
        const char *error;
    } cases[] = {
        { "{}", 0, "" },
        { "{\"minorVersion\":1,\"x\":{}}", 0, "" },
        { "{\"error\":null}", 0, "" },
        { "{\"error\":\"The protocol 'x' is not supported.\"}", -EPROTO, "\"The protocol 'x' is not supported.\"" },
        { "{\"error\":7}", -EPROTO, "" },
        { "{\"type\":6}", -EINVAL, "" },
        { "[]", -EINVAL, "" },
        { "", -EINVAL, "" },
        { "{\"error\":\"x\"", -EINVAL, "" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct span error;
        struct err err = { "" };
        int r = session_record_read_handshake(span_of(cases[i].text), &error, &err);
        if (r != cases[i].r)
            fail_msg("%s: %d, %s", cases[i].text, r, err.msg);
        if (r != -EINVAL)
            is(error, cases[i].error);
    }
}

/* ---- what comes ---- */

static void an_event(void **state)
{
    static const char *const texts[] = {
        "{\"type\":1,\"target\":\"pushEvent\",\"arguments\":[\"{\\\"n\\\":1}\"]}",
        "{\"arguments\":[\"{\\\"n\\\":1}\"],\"target\":\"pushEvent\",\"type\":1}",
        ("{\"headers\":{\"a\":\"b\"},\"type\":1,\"x\":[1,{\"target\":2}],\"target\":\"PushEVENT\",\"arguments\":"
         "[\"{\\\"n\\\":1}\"],\"streamIds\":[]}"),
        " { \"t\\u0079pe\" : 1.0 , \"target\" : \"push\\u0045vent\" , \"arguments\" : [ \"{\\u0022n\\u0022:1}\" ] } ",
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct session_record record;
        struct err err;
        size_t size = 0;
        if (read_record(texts[i], &record, &err) < 0)
            fail_msg("%s: %s", texts[i], err.msg);
        assert_int_equal(record.kind, SESSION_INVOCATION);
        assert_true(session_record_is(record.target, "pushEvent"));
        assert_int_equal(record.invocation.size, 0);
        char *body = session_record_body(session_record_argument(&record), &size);
        assert_string_equal(body, "{\"n\":1}");
        assert_int_equal(size, 7);
        free(body);
    }
}

/* An object is its own bytes; a text is unescaped once, and what is escaped in it stays so. */
static void bodies_byte_for_byte(void **state)
{
    static const struct {
        const char *arguments, *body;
    } cases[] = {
        { "[{\"id\": 9007199254740993,\"x\":\"\\u00e9\\/\", \"n\":1.0}]",
          "{\"id\": 9007199254740993,\"x\":\"\\u00e9\\/\", \"n\":1.0}" },
        { "[\"{\\\"id\\\": 9007199254740993,\\\"x\\\":\\\"\\\\u00e9\\\\n\\\\\\\"\\\"}\"]",
          "{\"id\": 9007199254740993,\"x\":\"\\u00e9\\n\\\"\"}" },
        { "[\"\xc3\xa9 \\ud83d\\udea8 \\u00e9\"]", "\xc3\xa9 \xf0\x9f\x9a\xa8 \xc3\xa9" },
        { "[ 7 , 8 ]", "7" },
        { "[\"\"]", "" },
        { "[]", "" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct session_record record = { .arguments = span_of(cases[i].arguments) };
        size_t size = 99;
        char *body = session_record_body(session_record_argument(&record), &size);
        assert_string_equal(body, cases[i].body);
        assert_int_equal(size, strlen(cases[i].body));
        free(body);
    }
}

static void completions(void **state)
{
    struct session_record record;
    struct err err;
    struct span error;
    (void) state;
    assert_int_equal(read_record("{\"type\":3,\"invocationId\":\"1\",\"result\":{\"success\":true,\"error\":null,"
                                 "\"count\":0}}",
                                 &record, &err),
                     0);
    assert_int_equal(record.kind, SESSION_COMPLETION);
    assert_true(session_record_is(record.invocation, SESSION_LOGIN_ID));
    assert_int_equal(record.error.size, 0);
    assert_true(session_record_logged_in(record.result, &error));
    assert_int_equal(read_record("{\"result\":{\"error\":\"Invalid API key.\",\"count\":0,\"success\":false},"
                                 "\"invocationId\":\"1\",\"type\":3}",
                                 &record, &err),
                     0);
    assert_false(session_record_logged_in(record.result, &error));
    is(error, "\"Invalid API key.\"");
    assert_int_equal(read_record("{\"type\":3,\"invocationId\":\"1\",\"error\":\"Failed to invoke\"}", &record, &err),
                     0);
    is(record.error, "\"Failed to invoke\"");
    static const char *const not_in[] = {
        "null", "true", "\"yes\"", "{}", "[]", "{\"success\":1}", "{\"success\":\"true\"}"
    };
    for (size_t i = 0; i < ARRAY_SIZE(not_in); i++)
        assert_false(session_record_logged_in(span_of(not_in[i]), &error));
    assert_false(session_record_logged_in((struct span){ 0 }, &error));
}

static void closes(void **state)
{
    struct session_record record;
    struct err err;
    (void) state;
    assert_int_equal(read_record("{\"type\":7}", &record, &err), 0);
    assert_int_equal(record.kind, SESSION_CLOSES);
    assert_false(record.allow_reconnect);
    assert_int_equal(record.error.size, 0);
    assert_int_equal(read_record("{\"type\":7,\"allowReconnect\":true}", &record, &err), 0);
    assert_true(record.allow_reconnect);
    assert_int_equal(read_record("{\"allowReconnect\":false,\"error\":\"bye\",\"type\":7}", &record, &err), 0);
    assert_false(record.allow_reconnect);
    is(record.error, "\"bye\"");
}

static void json_that_is_not_taken(void **state)
{
    struct session_record record;
    struct err err;
    (void) state;
    assert_int_equal(read_record("{\"type\":1,\"target\":\"a\",\"arguments\":[\"\\u0000\"]}", &record, &err), -ENOTSUP);
    assert_int_equal(read_record("{\"type\":1,\"target\":\"a\",\"arguments\":[\"\\u00\"]}", &record, &err), -EINVAL);
}

static void of_no_interest(void **state)
{
    static const char *const texts[] = {
        "{\"type\":6}",
        "{\"type\":2,\"invocationId\":\"3\",\"item\":8}",
        "{\"type\":4,\"invocationId\":\"3\",\"target\":\"x\",\"arguments\":[]}",
        "{\"type\":5,\"invocationId\":\"3\"}",
        "{\"type\":8,\"sequenceId\":1}",
        "{\"type\":9,\"sequenceId\":1}",
        "{\"type\":4711}",
        "{\"type\":-1}",
        "{\"type\":1.5}",
        "{\"type\":11111111111111111111111111111111}",
        "{\"type\":6,\"type\":6}",
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct session_record record;
        struct err err;
        if (read_record(texts[i], &record, &err) < 0)
            fail_msg("%s: %s", texts[i], err.msg);
        assert_int_equal(record.kind, SESSION_OTHER);
    }
}

static void no_records(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        { "", "no text" },
        { "foo", "" },
        { "null", "" },
        { "[42]", "" },
        { "\"foo\"", "" },
        { "{\"type\":1,\"target\":\"x\",\"arguments\":[]", "" },
        { "{\"type\":6} {}", "" },
        { "{}", "a record without a type" },
        { "{\"type\":\"6\"}", "a record without a type" },
        { "{\"type\":null}", "a record without a type" },
        { "{\"type\":true}", "a record without a type" },
        { "{\"type\":1,\"arguments\":[]}", "an invocation without a target" },
        { "{\"type\":1,\"target\":\"\",\"arguments\":[]}", "an invocation without a target" },
        { "{\"type\":1,\"target\":7,\"arguments\":[]}", "an invocation without a target" },
        { "{\"type\":1,\"target\":\"x\"}", "an invocation without arguments" },
        { "{\"type\":1,\"target\":\"x\",\"arguments\":{}}", "an invocation without arguments" },
        { "{\"type\":1,\"target\":\"x\",\"arguments\":null}", "an invocation without arguments" },
        { "{\"type\":1,\"invocationId\":1,\"target\":\"x\",\"arguments\":[]}",
          "an id of an invocation that is no text" },
        { "{\"type\":1,\"invocationId\":\"\",\"target\":\"x\",\"arguments\":[]}",
          "an id of an invocation that is no text" },
        { "{\"type\":3,\"result\":1}", "a completion without an id" },
        { "{\"type\":3,\"invocationId\":4,\"result\":1}", "an id of an invocation that is no text" },
        { "{\"type\":3,\"invocationId\":\"4\",\"error\":7}", "a completion whose error is no text" },
        { "{\"type\":3,\"invocationId\":\"4\",\"error\":\"\"}", "a completion whose error is no text" },
        { "{\"type\":3,\"invocationId\":\"4\",\"error\":\"x\",\"result\":1}", "a completion with result and error" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct session_record record;
        struct err err;
        if (read_record(cases[i].text, &record, &err) != -EINVAL)
            fail_msg("%s is taken", cases[i].text);
        if (!strstr(err.msg, cases[i].sentence))
            fail_msg("%s: %s", cases[i].text, err.msg);
    }
}

/* It is kept until the commit, and there is a CAD that has them as long as it likes. */
static void an_id_has_its_limit(void **state)
{
    (void) state;
    for (int size = 254; size <= 255; size++) { /* beside its quotes */
        struct text text CLEANUP(text_free) = TEXT_INIT;
        struct session_record record;
        struct err err;
        text_addf(&text, "{\"type\":1,\"invocationId\":\"%0*d\",\"target\":\"x\",\"arguments\":[]}", size, 7);
        assert_int_equal(read_record(text.s, &record, &err), size == 254 ? 0 : -EINVAL);
        assert_string_equal(err.msg, size == 254 ? "" : "an id of an invocation that is too long");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_send), cmocka_unit_test(several_in_a_message),   cmocka_unit_test(handshake),
        cmocka_unit_test(an_event),     cmocka_unit_test(bodies_byte_for_byte),   cmocka_unit_test(completions),
        cmocka_unit_test(closes),       cmocka_unit_test(json_that_is_not_taken), cmocka_unit_test(of_no_interest),
        cmocka_unit_test(no_records),   cmocka_unit_test(an_id_has_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
