/* test_record.c - the event record: every member, in its order, and back; and records that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include <sonoran-pushd/families.h>

#define HEAD "{\"id\":1042,\"log\":\"9f0c00000000000000000000000000aa\",\"time\":\"2026-11-23T16:00:00.123456Z\""
#define FROM "\"community\":\"default\",\"source\":\"session\",\"listener\":\"main\",\"from\":\"203.0.113.7\","
#define TAIL                                                                                                           \
    "\"summary\":\"a \\\"line\\\" of \\\\x1b\",\"calls911\":[90417],\"calls\":[],\"units\":[-1,9007199254740993]"

#define ORIGIN "\"origin\":{\"log\":\"00aa\",\"id\":7,\"node\":\"edge1\"}"

static int read_back(const char *record, struct batch *batch, struct description *description, struct err *err)
{
    /* a copy of just its size: nothing is read behind it */
    size_t size = strlen(record);
    char *copy = malloc(size);
    memcpy(copy, record, size);
    int r = event_read_record((struct span){ copy, size }, &families_all, batch, description, err);
    free(copy);
    return r;
}

static const char *const sound[] = {
    HEAD ",\"type\":\"EVENT_REMOVE_911\",\"type_sent\":\"event_remove_911\",\"family\":\"call911\",\"level\":5," FROM
         "\"verdict\":\"accepted\",\"test\":true," TAIL
         ",\"by\":-7,\"record\":5,\"known\":{\"units\":[{\"id\":4127}],\"on_duty\":12},"
         "\"data\":{ \"callIds\":[ 1.0 ] },\"extra\":{\"test\":true,\"x\" : 12345678901234567890}}",
    HEAD ",\"type\":\"EVENT_OF_TOMORROW\",\"level\":4," FROM "\"verdict\":\"unknown\",\"reason\":\"as it was said "
         "then\"," TAIL ",\"data\":[1,{}]}",
    HEAD ",\"type\":\"\",\"level\":4," FROM "\"verdict\":\"unknown\",\"reason\":\"type: missing\"," TAIL
         ",\"data\":{},\"extra\":{\"type\":null}}",
    HEAD ",\"type\":\"GET_LOGS\",\"family\":\"support\",\"level\":6," FROM "\"verdict\":\"accepted\"," TAIL "," ORIGIN
         ",\"known\":{\"units\":[{\"id\":4127}]},\"data\":{\"logKey\":1}}",
};

static void test_sound(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
        struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
        struct text again CLEANUP(text_free) = TEXT_INIT;
        struct batch batch;
        struct err err;
        if (read_back(sound[i], &batch, &description, &err) < 0)
            fail_msg("%s: %s", err.msg, sound[i]);
        event_write_record(&batch.events[0], &description, &again);
        assert_string_equal(again.s, sound[i]);
        batch_done(&batch);
    }
}

/* Without the one member, and with a part that can be left out. */
static void test_view(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
        struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
        struct text view CLEANUP(text_free) = TEXT_INIT;
        struct text wanted CLEANUP(text_free) = TEXT_INIT;
        const char *from = strstr(sound[i], "\"from\""), *data = strstr(sound[i], ",\"data\"");
        size_t data_at, data_bytes;
        struct batch batch;
        struct err err;
        assert_int_equal(read_back(sound[i], &batch, &description, &err), 0);
        event_write_view(&batch.events[0], &description, &view, &data_at, &data_bytes);
        text_addf(&wanted, "%.*s%s", (int) (from - sound[i]), sound[i], strchr(from, ',') + 1);
        assert_string_equal(view.s, wanted.s);
        assert_int_equal(strlen(data) - 1, data_bytes);
        assert_memory_equal(view.s + data_at, data, data_bytes);
        assert_string_equal(view.s + data_at + data_bytes, "}");
        batch_done(&batch);
    }
}

static void test_view_of_a_refusal(void **state)
{
    (void) state;
    static const char record[] = HEAD ",\"type\":\"\",\"level\":4," FROM "\"verdict\":\"unknown\",\"reason\":\"type: "
                                      "missing\",\"summary\":\"refused an event without a type from 203.0.113.7: type: "
                                      "missing\",\"calls911\":[],\"calls\":[],\"units\":[],\"data\":{}}";
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct text view CLEANUP(text_free) = TEXT_INIT;
    size_t data_at, data_bytes;
    struct batch batch;
    struct err err;
    assert_int_equal(read_back(record, &batch, &description, &err), 0);
    event_write_view(&batch.events[0], &description, &view, &data_at, &data_bytes);
    assert_non_null(strstr(view.s, "\"summary\":\"refused an event without a type: type: missing\""));
    assert_null(strstr(view.s, "203.0.113.7"));
    batch_done(&batch);
}

/* As deep inside extra as a request may be, which is one level deeper in a record. */
static void test_deep(void **state)
{
    (void) state;
    struct text record CLEANUP(text_free) = TEXT_INIT;
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct batch batch;
    struct err err;
    text_add(&record, HEAD ",\"type\":\"GET_LOGS\",\"level\":6," FROM "\"verdict\":\"accepted\"," TAIL
                           ",\"data\":{},\"extra\":{\"x\":");
    for (int i = 0; i < EVENT_MAX_DEPTH - 1; i++)
        text_add(&record, "[");
    for (int i = 0; i < EVENT_MAX_DEPTH - 1; i++)
        text_add(&record, "]");
    text_add(&record, "}}");
    assert_int_equal(read_back(record.s, &batch, &description, &err), 0);
    batch_done(&batch);
}

/* In the first of the sound ones, one thing in place of another. */
static const struct {
    const char *from, *to, *says;
} wrong[] = {
    { "{\"id\":1042,", "{", "id: missing" },
    { "1042", "0", "id: expected a number from 1 on" },
    { "1042", "1e3", "id: expected a whole number" },
    { "1042", "99999999999999999999", "id: expected a whole number" },
    { "1042", "\"1042\"", "id: expected a whole number" },
    { "2026-11-23T16:00:00.123456Z", "2026-11-23", "time: expected one like 2026-11-23T16:00:00.123456Z" },
    { "2026-11-23T16:00:00.123456Z", "2026-11-23T16:00:00.-23456Z", "time: expected one like 2026" },
    { "2026-11-23T16:00:00.123456Z", "2026- 1-23T16:00:00.123456Z", "time: expected one like 2026" },
    { "2026-11-23T16:00:00.123456Z", "2026-99-23T16:00:00.123456Z", "time: expected one like 2026" },
    { "2026-11-23T16:00:00.123456Z", "2026-11-23T16:00:61.123456Z", "time: expected one like 2026" },
    { "2026-11-23T16:00:00.123456Z", "1926-11-23T16:00:00.123456Z", "time: expected one like 2026" },
    { "\"level\":5", "\"level\":8", "level: expected a number from 0 to 7" },
    { "accepted", "Accepted", "verdict: expected accepted, unknown, invalid or internal" },
    { "\"default\"", "[]", "community: expected a text" },
    { "\"default\"", "\"a name of more than thirty-two bytes\"", "community: longer than 32 bytes" },
    { "\"session\"", "null", "source: expected a text" },
    { "[90417]", "[90417,1.5]", "calls911: expected a list of whole numbers" },
    { "[90417]", "{\"a\":1}", "calls911: expected a list of whole numbers" },
    { "{\"units\":[{\"id\":4127}],\"on_duty\":12}", "[]", "known: expected an object" },
    { "\"test\":true,\"summary\"", "\"test\":1,\"summary\"", "test: expected true" },
    { "\"data\":", "\"Data\":", "data: missing" },
    { "of ", "of \\u0000 ", "" },
    { "\"default\"", "\"a\\u001b[2Jb\"", "community: has control characters in it" },
    { "203.0.113.7", "\\u202e203", "from: has control characters in it" },
    { "\"session\"", "\"a\\nb\"", "source: has control characters in it" },
    { "\"extra\":{", "\"extra\":{{", "" },
    { "567890}}", "567890}", "unfinished object" },
    { "567890}}", "567890}} ,", "text behind the object" },
};

static void test_wrong(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
        struct text record CLEANUP(text_free) = TEXT_INIT;
        const char *at = strstr(sound[0], wrong[i].from);
        struct batch batch;
        struct err err;
        assert_non_null(at);
        text_add_bytes(&record, sound[0], (size_t) (at - sound[0]));
        text_add(&record, wrong[i].to);
        text_add(&record, at + strlen(wrong[i].from));
        assert_int_equal(read_back(record.s, &batch, &description, &err), -EINVAL);
        if (!strstr(err.msg, wrong[i].says))
            fail_msg("%s instead of %s", err.msg, wrong[i].says);
    }
}

/* The same of where it came from, in the last of the sound ones. */
static void test_wrong_origin(void **state)
{
    static const struct {
        const char *origin, *says;
    } cases[] = {
        { "[]", "origin: expected an object" },
        { "{}", "origin.node: expected a name" },
        { "{\"log\":\"00aa\",\"id\":7,\"node\":\"a@b\"}", "origin.node: expected a name" },
        { "{\"log\":\"00aa\",\"id\":7,\"node\":5}", "origin.node: expected a name" },
        { "{\"log\":\"00aa\",\"id\":7,\"node\":\"a-name-of-more-than-thirty-two-bytes\"}",
          "origin.node: expected a name" },
        { "{\"log\":\"zz\",\"id\":7,\"node\":\"edge1\"}", "origin.log: expected hex digits" },
        { "{\"id\":7,\"node\":\"edge1\"}", "origin.log: expected hex digits" },
        { "{\"log\":\"00aa\",\"id\":0,\"node\":\"edge1\"}", "origin.id: expected a number from 1 on" },
        { "{\"log\":\"00aa\",\"id\":7.5,\"node\":\"edge1\"}", "origin.id: expected a number from 1 on" },
        { "{\"log\":\"00aa\",\"id\":99999999999999999999,\"node\":\"edge1\"}", "origin.id: expected a number" },
    };
    (void) state;
    const char *record = sound[ARRAY_SIZE(sound) - 1], *at = strstr(record, ORIGIN);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
        struct text wrong_one CLEANUP(text_free) = TEXT_INIT;
        struct batch batch;
        struct err err;
        text_addf(&wrong_one, "%.*s\"origin\":%s%s", (int) (at - record), record, cases[i].origin, at + strlen(ORIGIN));
        assert_int_equal(read_back(wrong_one.s, &batch, &description, &err), -EINVAL);
        if (!strstr(err.msg, cases[i].says))
            fail_msg("%s instead of %s", err.msg, cases[i].says);
    }
}

/* ---- bounds ---- */

static void add_times(struct text *out, const char *piece, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_add(out, piece);
}

/* n pieces between what is before and after them, in a sound record with one thing in place of another. */
struct large {
    const char *from, *before, *piece, *after;
    size_t most; /* what still is an event */
    const char *says;
};

static const struct large large[] = {
    { "\"type\":\"EVENT_REMOVE_911\"", "\"type\":\"", "T", "\"", 1024, "type: longer than 1024 bytes" },
    { "event_remove_911", "", "t", "", 1024, "type_sent: longer than 1024 bytes" },
    { "a \\\"line\\\" of \\\\x1b", "", "s", "", 65536, "summary: longer than 65536 bytes" },
    { "\"test\":true", "\"reason\":\"", "r", "\"", 511, "reason: longer than 511 bytes" },
    { "\"on_duty\":12}", "\"x\":\"", "k", "\"}", 1024 + 32 - 30, "known: longer than 1056 bytes" },
    { "9f0c00000000000000000000000000aa", "", "9", "", 32, "log: longer than 32 bytes" },
    { "\"default\"", "\"", "c", "\"", 32, "community: longer than 32 bytes" },
    { "\"session\"", "\"", "s", "\"", 32, "source: longer than 32 bytes" },
    { "[90417]", "[1", ",2", "]", 4095, "calls911: more than 4096" },
    { "\"calls\":[]", "\"calls\":[1", ",2", "]", 4095, "calls: more than 4096" },
    { "[-1,9007199254740993]", "[1", ",2", "]", 4095, "units: more than 4096" },
};

static int read_large(const struct large *one, size_t n, struct err *err)
{
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct text record CLEANUP(text_free) = TEXT_INIT;
    const char *at = strstr(sound[0], one->from);
    struct batch batch;
    assert_non_null(at);
    text_add_bytes(&record, sound[0], (size_t) (at - sound[0]));
    text_add(&record, one->before);
    add_times(&record, one->piece, n);
    text_add(&record, one->after);
    text_add(&record, at + strlen(one->from));
    int r = read_back(record.s, &batch, &description, err);
    if (r == 0)
        batch_done(&batch);
    return r;
}

static void test_large(void **state)
{
    struct err err = { "" };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
        if (read_large(&large[i], large[i].most, &err) < 0)
            fail_msg("%s: %s", large[i].says, err.msg);
        assert_int_equal(read_large(&large[i], large[i].most + 1, &err), -EINVAL);
        assert_string_equal(err.msg, large[i].says);
    }
}

/* Somebody else's line is as harmless as ours. */
static void test_line_made_safe(void **state)
{
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct text record CLEANUP(text_free) = TEXT_INIT;
    static const char line[] = "a \\\"line\\\" of \\\\x1b";
    const char *at = strstr(sound[0], line);
    struct batch batch;
    struct err err;
    (void) state;
    text_add_bytes(&record, sound[0], (size_t) (at - sound[0]));
    text_add(&record, "PANIC\\u001b[2J:\\n nobody\\u202e");
    text_add(&record, at + strlen(line));
    assert_int_equal(read_back(record.s, &batch, &description, &err), 0);
    assert_string_equal(description.line.s, "PANIC\\x1b[2J: nobody\\u202e");
    batch_done(&batch);
}

/* At each byte, and with each byte spoilt: an event or a sentence. */
static void test_cut(void **state)
{
    (void) state;
    for (size_t i = 0; i < strlen(sound[0]); i++)
        for (int spoil = 0; spoil < 3; spoil++) {
            struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
            struct batch batch;
            struct err err;
            char *record = strdup(sound[0]);
            record[i] = "\0x\""[spoil];
            if (read_back(record, &batch, &description, &err) >= 0)
                batch_done(&batch);
            free(record);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound), cmocka_unit_test(test_deep),
        cmocka_unit_test(test_view),  cmocka_unit_test(test_view_of_a_refusal),
        cmocka_unit_test(test_wrong), cmocka_unit_test(test_wrong_origin),
        cmocka_unit_test(test_large), cmocka_unit_test(test_line_made_safe),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
