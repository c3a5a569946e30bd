/* test_json_write.c - JSON written value by value: its bytes, and what is no JSON. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <sonoran-pushd/json.h>

static void test_values(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    json_begin_object(&json, NULL);
    json_add_text(&json, "text", "a \"b\"\n\\");
    json_add_span(&json, "span", (struct span){ "abc", 2 });
    json_add_int(&json, "least", INT64_MIN);
    json_add_int(&json, "most", INT64_MAX);
    json_add_bool(&json, "yes", true);
    json_add_bool(&json, "no", false);
    json_add_null(&json, "null");
    json_add_time(&json, "time", UINT64_C(1795449600123456));
    json_add_raw(&json, "raw", span_of("[1 , 2]"));
    json_end(&json);
    assert_string_equal(out.s, "{\"text\":\"a \\\"b\\\"\\n\\\\\",\"span\":\"ab\",\"least\":-9223372036854775808,"
                               "\"most\":9223372036854775807,\"yes\":true,\"no\":false,\"null\":null,"
                               "\"time\":\"2026-11-23T16:00:00.123456Z\",\"raw\":[1 , 2]}");
    assert_int_equal(json.depth, 0);
}

static void test_nested(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    text_add(&out, "before ");
    struct json_writer json = json_writer(&out);
    json_begin_array(&json, NULL);
    json_begin_object(&json, NULL);
    json_end(&json);
    json_begin_array(&json, NULL);
    json_end(&json);
    json_begin_object(&json, NULL);
    json_begin_array(&json, "a");
    json_add_int(&json, NULL, 1);
    json_add_int(&json, NULL, 2);
    json_begin_object(&json, NULL);
    json_add_null(&json, "b");
    json_end(&json);
    json_end(&json);
    json_add_bool(&json, "c", true);
    json_end(&json);
    json_add_text(&json, NULL, "");
    json_end(&json);
    assert_string_equal(out.s, "before [{},[],{\"a\":[1,2,{\"b\":null}],\"c\":true},\"\"]");
}

static void test_one_value(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    json_add_int(&json, NULL, 7);
    assert_string_equal(out.s, "7");
}

/* A terminal that shows it obeys none of it. */
static void test_escapes(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    json_begin_object(&json, NULL);
    json_add_text(&json, "a", "\xe2\x80\xae\xff\xf3\xa0\x80\x81");
    json_add_int(&json, "", 1);
    json_end(&json);
    assert_string_equal(out.s, "{\"a\":\"\\u202e\\ufffd\\udb40\\udc01\",\"\":1}");
}

static void test_members(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    json_begin_object(&json, NULL);
    json_add_members(&json, (struct span){ 0 });
    json_add_members(&json, span_of("\"a\":1 ,\"b\":2"));
    json_add_members(&json, (struct span){ 0 });
    json_add_members(&json, span_of("\"c\":3"));
    json_add_int(&json, "d", 4);
    json_add_member(&json, span_of("\"\\n\""), span_of("[5 ]"));
    json_end(&json);
    assert_string_equal(out.s, "{\"a\":1 ,\"b\":2,\"c\":3,\"d\":4,\"\\n\":[5 ]}");
}

static void test_more_of_an_object(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer_of_more(&out);
    (void) state;
    json_begin_array(&json, "a");
    json_add_members(&json, span_of("1,2"));
    json_end(&json);
    json_add_bool(&json, "b", false);
    assert_string_equal(out.s, ",\"a\":[1,2],\"b\":false");
}

static void test_failed(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    json_add_raw(&json, NULL, (struct span){ 0 });
    assert_true(out.failed);
}

static void test_taken_back(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    json_begin_array(&json, NULL);
    for (int i = 0; i < 2; i++) {
        struct json_writer before = json;
        size_t size = out.size;
        json_begin_object(&json, NULL);
        json_add_int(&json, "a", 1);
        json = before;
        out.s[out.size = size] = '\0';
    }
    json_add_int(&json, NULL, 2);
    json_end(&json);
    assert_string_equal(out.s, "[2]");
}

/* As deep as the scanner reads. */
static void test_depth(void **state)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    for (int i = 0; i < JSON_MAX_DEPTH; i++) {
        if (i % 2)
            json_begin_array(&json, "a");
        else
            json_begin_object(&json, NULL);
    }
    while (json.depth)
        json_end(&json);
    struct json_scan scan = json_scan_of((struct span){ out.s, out.size });
    assert_int_equal(json_scan_value(&scan, NULL), 0);
    assert_ptr_equal(scan.p, scan.end);
}

/* ---- what is no JSON ---- */

static void no_name(struct json_writer *json)
{
    json_begin_object(json, NULL);
    json_add_int(json, NULL, 1);
}

static void name_in_array(struct json_writer *json)
{
    json_begin_array(json, NULL);
    json_add_int(json, "a", 1);
}

static void name_to_escape(struct json_writer *json)
{
    json_begin_object(json, NULL);
    json_add_int(json, "a\"b", 1);
}

static void name_outside(struct json_writer *json)
{
    json_add_int(json, "a", 1);
}

static void two_values(struct json_writer *json)
{
    json_begin_object(json, NULL);
    json_end(json);
    json_add_int(json, NULL, 1);
}

static void end_too_many(struct json_writer *json)
{
    json_begin_object(json, NULL);
    json_end(json);
    json_end(json);
}

static void too_deep(struct json_writer *json)
{
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        json_begin_array(json, NULL);
}

static void members_outside(struct json_writer *json)
{
    json_add_members(json, (struct span){ "\"a\":1", 5 });
}

static void write_nowhere(void)
{
    (void) !freopen("/dev/null", "w", stderr);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
}

static void test_misuse(void **state)
{
    static void (*const mistakes[])(struct json_writer *) = {
        no_name, name_to_escape, name_in_array, name_outside, two_values, end_too_many, too_deep, members_outside
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        int status;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct text out = TEXT_INIT;
            struct json_writer json = json_writer(&out);
            write_nowhere();
            signal(SIGABRT, SIG_DFL);
            mistakes[i](&json);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("mistake %zu was not found", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_nested),  cmocka_unit_test(test_one_value),
        cmocka_unit_test(test_escapes),    cmocka_unit_test(test_members), cmocka_unit_test(test_more_of_an_object),
        cmocka_unit_test(test_taken_back), cmocka_unit_test(test_depth),   cmocka_unit_test(test_failed),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
