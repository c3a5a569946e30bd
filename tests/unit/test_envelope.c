/* test_envelope.c - bodies sound and unsound, keys, and the sender's bytes. Events themselves: test_events.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

static const struct event_community communities[] = { { "first", "KEY-one" }, { "second", "key-TWO" } };
static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };

static enum envelope_refusal parse(const char *body, size_t size, bool accept_unknown, struct batch *ret,
                                   struct err *err)
{
    const struct envelope_rules rules = { .communities = communities,
                                          .n_communities = ARRAY_SIZE(communities),
                                          .families = &families_all,
                                          .accept_unknown_types = accept_unknown };
    char *copy = malloc(size + 1), claimed[EVENT_TYPE_MAX_BYTES + 1];
    memcpy(copy, body, size);
    copy[size] = '\0';
    return envelope_parse(copy, size, &rules, &origin, 1, ret, claimed, err);
}

static void expect(const char *body, size_t size, enum envelope_refusal wanted)
{
    struct batch batch;
    struct err err = { "" };
    enum envelope_refusal refusal = parse(body, size, false, &batch, &err);
    if (refusal == ENVELOPE_OK)
        batch_done(&batch);
    if (refusal != wanted)
        print_error("%.200s\n  %s\n", body, err.msg);
    assert_int_equal(refusal, wanted);
    if (refusal != ENVELOPE_OK)
        assert_true(err.msg[0]);
}

static void expect_text(const char *body, enum envelope_refusal wanted)
{
    expect(body, strlen(body), wanted);
}

#define REST "\"key\":\"KEY-one\",\"type\":\"EVENT_REMOVE_911\"}"

static const char *const sound[] = {
    "{" REST,
    " \t\r\n{ \"data\" : { \"callIds\" : [ 1 , 2 ] } , " REST " \n",
    "\xef\xbb\xbf{" REST,
    "{\"x\":[0,-0,1.5,-1e5,1E+5,2e-7,12345678901234567890],\"y\":[true,false,null]," REST,
    "{\"x\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00 \x7f é 😀\"," REST,
    "{\"x\":1e400,\"y\":100000000000000000000000000000000000000000000000000000000000000000000000000," REST,
    "{\"x\":0.1234567890123456789012345678901234567890123456789012345678901234567890," REST,
    "{\"\":{},\"\":[]," REST,
    "{\"a\":[\"\\ud800\",\"\\udc00x\",\"\\ud800\\u0041\",\"\\ud83d\\ude00\",\"\\ud83d\\ud83d\\ude00\"]," REST,
    "{\"data\":1,\"data\":{}," REST,
    "{\"\\u006bey\":\"KEY-one\",\"type\":\"EVENT_REMOVE_911\"}",
    "{\"key\":\"\\u004bEY-one\",\"t\\u0079pe\":\"EVENT\\u005fREMOVE_911\"}",
};

static const char *const unsound[] = {
    "",
    " ",
    "null",
    "\"text\"",
    "12",
    "[]",
    "[{}]",
    "{",
    "{\"",
    "{\"a",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{,}",
    "{\"a\" 1," REST,
    "{\"a\":," REST,
    "{a:1," REST,
    "{'a':1," REST,
    "{\"a\":1,," REST,
    "{\"a\":1 \"b\":2," REST,
    "{" REST "x",
    "{" REST "{}",
    "{" REST ",",
    "{" REST "]",
    "{\"a\":[1,]," REST,
    "{\"a\":{\"b\":1,}," REST,
    "{\"a\":[1 2]," REST,
    "{\"a\":[}," REST,
    "{\"a\":{]," REST,
    "{\"a\":[}]," REST,
    "{\"data\":[{]}," REST,
    "{\"data\":{12345678901234567:1}," REST,
    "{\"data\":{\"a\":1,12345678901234567 :1}," REST,
    "{\"data\":[12345678901234567:1]," REST,
    "{\"x\":{12345678901234567:1}," REST,
    "{\"a\":01," REST,
    "{\"a\":-," REST,
    "{\"a\":+1," REST,
    "{\"a\":1.," REST,
    "{\"a\":.5," REST,
    "{\"a\":1e," REST,
    "{\"a\":0x10," REST,
    "{\"a\":1-2," REST,
    "{\"a\":NaN," REST,
    "{\"a\":Infinity," REST,
    "{\"a\":tru," REST,
    "{\"a\":nulll," REST,
    "{\"a\":True," REST,
    "{\"a\":\"\\x\"," REST,
    "{\"a\":\"\\u12g4\"," REST,
    "{\"a\":\"\\u0000\"," REST,
    "{\"a\\u0000b\":1," REST,
    "{\"a\":\"line\nbreak\"," REST,
    "{\"a\":\"tab\t\"," REST,
    "{\"a\":\"\x01\"," REST,
    "{\"a\":\"\xff\"," REST,
    "{\"a\":\"\xc0\x80\"," REST,
    "{\"a\":\"\xed\xa0\x80\"," REST,
    "{\"a\":\"\xf4\x90\x80\x80\"," REST,
    "{\"a\":\"\xc3\"," REST,
    "{\x0b" REST,
    "{\xc2\xa0" REST,
    "{\"data\":\xef\xbb\xbf{}," REST,
    "{/**/" REST,
    "{\"KEY\":[}," REST,
    "{\"data\":[},\"data\":{}," REST,
    "{\"key\":[1 1],\"type\":\"X\"}",
    "{\"a\":[1 1]," REST,
    "{\"a\":{\"b\"}," REST,
    "{\"a\":{\"b\":}," REST,
    "{\"a\":[:]," REST,
    "{\"a\":[,1]," REST,
    "{\"a\":{1:2}," REST,
    "{\"key\":\"a\",\"key\":\"KEY-one\",\"type\":\"X\"}",
    "{\"key\":\"KEY-one\",\"type\":\"X\",\"type\":\"X\"}",
    "{\"key\":\"KEY-one\",\"\\u006bey\":\"KEY-one\",\"type\":\"X\"}",
};

static void test_soundness(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
        struct batch batch;
        struct err err = { "" };
        enum envelope_refusal refusal = parse(sound[i], strlen(sound[i]), false, &batch, &err);
        if (refusal != ENVELOPE_OK)
            print_error("%s\n  %s\n", sound[i], err.msg);
        assert_int_equal(refusal, ENVELOPE_OK);
        batch_done(&batch);
    }
    for (size_t i = 0; i < ARRAY_SIZE(unsound); i++)
        expect_text(unsound[i], ENVELOPE_JSON);
    expect("{\"a\":\"x\0y\"," REST, sizeof("{\"a\":\"x\0y\"," REST) - 1, ENVELOPE_JSON);
    expect("{" REST "\0", sizeof("{" REST "\0") - 1, ENVELOPE_JSON);
}

static void test_every_cut_is_unsound(void **state)
{
    (void) state;
    const char *body = "{\"data\":{\"a\":[1,-2.5e3,true,\"\\u00e9\\n é\"]},\"x\":{\"y\":null}," REST;
    expect_text(body, ENVELOPE_OK);
    for (size_t size = 0; size < strlen(body); size++)
        expect(body, size, ENVELOPE_JSON);
}

static void test_depth(void **state)
{
    (void) state;
    for (int depth = EVENT_MAX_DEPTH - 1; depth <= EVENT_MAX_DEPTH; depth++) {
        struct text body CLEANUP(text_free) = TEXT_INIT;
        text_add(&body, "{\"data\":{\"callIds\":1},\"x\":");
        for (int i = 0; i < depth; i++)
            text_add(&body, "[");
        for (int i = 0; i < depth; i++)
            text_add(&body, "]");
        text_add(&body, "," REST);
        expect(body.s, body.size, depth < EVENT_MAX_DEPTH ? ENVELOPE_OK : ENVELOPE_JSON);
    }
}

static void test_keys(void **state)
{
    (void) state;
    static const struct {
        const char *key, *community;
    } cases[] = {
        { "\"KEY-one\"", "first" },
        { "\"key-ONE\"", "first" },
        { "\"KEY-two\"", "second" },
        { "\"KEY-on\"", NULL },
        { "\"KEY-onee\"", NULL },
        { "\" KEY-one\"", NULL },
        { "\"KEY-one \"", NULL },
        { "\"\"", NULL },
        { "null", NULL },
        { "5", NULL },
        { "[\"KEY-one\"]", NULL },
        { "\"KEY\\rone\"", NULL },
        { "true", NULL },
        { "\"KEY\\u002done\"", "first" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text body CLEANUP(text_free) = TEXT_INIT;
        struct batch batch;
        struct err err;
        text_addf(&body, "{\"type\":\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[7]},\"key\":%s}", cases[i].key);
        enum envelope_refusal refusal = parse(body.s, body.size, false, &batch, &err);
        assert_int_equal(refusal, cases[i].community ? ENVELOPE_OK : ENVELOPE_KEY);
        if (refusal != ENVELOPE_OK)
            continue;
        assert_string_equal(batch.events[0].community, cases[i].community);
        batch_done(&batch);
    }
    expect_text("{\"type\":\"EVENT_REMOVE_911\"}", ENVELOPE_KEY);
    expect_text("{\"KEY\":\"KEY-one\",\"type\":\"EVENT_REMOVE_911\"}", ENVELOPE_KEY);
    expect_text("{}", ENVELOPE_KEY);
    expect_text("{\"key\":\"KEY-two \",\"type\":[]}", ENVELOPE_KEY);
}

static void test_bytes_are_kept_and_the_key_is_not(void **state)
{
    (void) state;
    const char *body = "{\"a\" : 90071992547409931 ,\"key\":\"KEY-one\",\"Key\":\"KEY-one\", \"data\": "
                       "[ {\"callIds\" : [ 9007199254740993 ]} ,\n{ \"callId\":\"\\u0037\" } ] ,"
                       "\"type\":\"event_remove_911\",\"b\":{\"c\":1.0e0}}";
    struct batch batch;
    struct err err;
    assert_int_equal(parse(body, strlen(body), false, &batch, &err), ENVELOPE_OK);
    assert_int_equal(batch.n_events, 2);

    static const char *const data[] = { "{\"callIds\" : [ 9007199254740993 ]}", "{ \"callId\":\"\\u0037\" }" };
    static const int64_t ids[] = { 9007199254740993, 7 };
    const char *extra = "{\"a\":90071992547409931,\"b\":{\"c\":1.0e0}}";
    for (size_t i = 0; i < 2; i++) {
        const struct event *event = &batch.events[i];
        struct description description = DESCRIPTION_INIT;
        struct text record CLEANUP(text_free) = TEXT_INIT;
        assert_int_equal(event->data_text.size, strlen(data[i]));
        assert_memory_equal(event->data_text.s, data[i], strlen(data[i]));
        assert_int_equal(event->extra_text.size, strlen(extra));
        assert_memory_equal(event->extra_text.s, extra, strlen(extra));
        assert_string_equal(event->type, "EVENT_REMOVE_911");
        struct state *cad = state_new();
        description_reset(&description);
        event->handler->describe(event, cad, &description);
        assert_int_equal(description.calls911.n, 1);
        assert_true(description.calls911.v[0] == ids[i]);
        event_write_record(event, &description, &record);
        assert_non_null(strstr(record.s, data[i]));
        assert_null(strcasestr(record.s, "key-one"));
        description_free(&description);
        state_free(cad);
    }
    batch_done(&batch);
}

/* What JavaScript makes of a name that was cut inside an emoji. */
static void test_half_a_surrogate_pair(void **state)
{
    (void) state;
    const char *body = "{\"data\":{\"call\":{\"callId\":1,\"caller\":\"a\\ud83d\",\"x\":12345678901234567890}},"
                       "\"key\":\"KEY-one\",\"type\":\"EVENT_911\"}";
    struct batch batch;
    struct err err;
    assert_int_equal(parse(body, strlen(body), false, &batch, &err), ENVELOPE_OK);
    const cJSON *call = cJSON_GetObjectItem(batch.events[0].data, "call");
    assert_string_equal(cJSON_GetObjectItem(call, "caller")->valuestring, "a\xef\xbf\xbd");
    assert_memory_equal(batch.events[0].data_text.s, body + 8, batch.events[0].data_text.size);
    batch_done(&batch);
    expect_text("{\"key\":\"\\ud800\",\"type\":\"X\"}", ENVELOPE_KEY);
}

static void test_unknown_types(void **state)
{
    (void) state;
    const char *body = "{\"key\":\"KEY-one\",\"type\":\"event_neu_ä\",\"data\":[1,2]}";
    for (int accept = 0; accept <= 1; accept++) {
        struct batch batch;
        struct err err;
        assert_int_equal(parse(body, strlen(body), accept, &batch, &err), ENVELOPE_OK);
        assert_int_equal(batch.n_events, 1);
        assert_int_equal(batch.events[0].verdict, accept ? EVENT_ACCEPTED : EVENT_UNKNOWN);
        assert_string_equal(batch.events[0].type, "EVENT_NEU_ä");
        assert_memory_equal(batch.events[0].data_text.s, "[1,2]", 5);
        batch_done(&batch);
    }
}

/* What is longer than any type is none, and is kept with the rest. */
static void test_long_types(void **state)
{
    (void) state;
    for (size_t n = EVENT_TYPE_STORED_MAX_BYTES; n <= EVENT_TYPE_STORED_MAX_BYTES + 1; n++) {
        char body[EVENT_TYPE_STORED_MAX_BYTES + 100], type[EVENT_TYPE_STORED_MAX_BYTES + 2];
        struct batch batch;
        struct err err;
        memset(type, 'T', n);
        type[n] = '\0';
        snprintf(body, sizeof(body), "{\"key\":\"KEY-one\",\"type\":\"%s\"}", type);
        assert_int_equal(parse(body, strlen(body), true, &batch, &err), ENVELOPE_OK);
        const struct event *event = &batch.events[0];
        bool is_type = n <= EVENT_TYPE_STORED_MAX_BYTES;
        assert_string_equal(event->type, is_type ? type : "");
        assert_int_equal(event->verdict, is_type ? EVENT_ACCEPTED : EVENT_UNKNOWN);
        assert_true(is_type || strcmp(event->reason, "type: longer than 1024 bytes") == 0);
        assert_int_equal(event->extra_text.size, is_type ? 0 : n + strlen("{\"type\":\"\"}"));
        batch_done(&batch);
    }
}

/* A key in the place of the type, or in it, is neither kept nor told; a type that exists is what it is. */
static void test_keys_as_types(void **state)
{
    static const struct {
        const char *sent, *type, *spelt;
    } cases[] = {
        { "KEY-one", "[KEY]", "[key]" },
        { "key-two", "[KEY]", "[key]" },
        { "k\\u0065y-ONE", "[KEY]", "[key]" },
        { "event_x?Key-One&key-TWOkey-on", "EVENT_X?[KEY]&[KEY]KEY-ON", "event_x?[key]&[key]key-on" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char body[200], claimed[EVENT_TYPE_MAX_BYTES + 1];
        struct batch batch;
        struct err err;
        snprintf(body, sizeof(body), "{\"key\":\"KEY-one\",\"type\":\"%s\",\"x\":1}", cases[i].sent);
        assert_int_equal(parse(body, strlen(body), true, &batch, &err), ENVELOPE_OK);
        assert_string_equal(batch.events[0].type, cases[i].type);
        assert_string_equal(batch.events[0].type_sent, cases[i].spelt);
        assert_int_equal(batch.events[0].extra_text.size, strlen("{\"x\":1}"));
        batch_done(&batch);

        const struct envelope_rules rules = { communities, ARRAY_SIZE(communities), &families_all, false, 0, 0 };
        snprintf(body, sizeof(body), "{\"key\":\"EVENT_911\",\"type\":\"%s\"}", cases[i].sent);
        char *copy = strdup(body);
        assert_int_equal(envelope_parse(copy, strlen(copy), &rules, &origin, 1, &batch, claimed, &err), ENVELOPE_KEY);
        assert_string_equal(claimed, cases[i].type);
    }
}

static void test_a_key_like_a_type(void **state)
{
    static const struct event_community short_one[] = { { "first", "911" } };
    const struct envelope_rules rules = { short_one, 1, &families_all, false, 0, 0 };
    char *body = strdup("{\"key\":\"911\",\"type\":\"event_remove_911\",\"data\":{\"callIds\":[5]}}");
    struct batch batch;
    struct err err;
    (void) state;
    assert_int_equal(envelope_parse(body, strlen(body), &rules, &origin, 1, &batch, NULL, &err), ENVELOPE_OK);
    assert_int_equal(batch.events[0].verdict, EVENT_ACCEPTED);
    batch_done(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soundness),
        cmocka_unit_test(test_every_cut_is_unsound),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_bytes_are_kept_and_the_key_is_not),
        cmocka_unit_test(test_half_a_surrogate_pair),
        cmocka_unit_test(test_unknown_types),
        cmocka_unit_test(test_long_types),
        cmocka_unit_test(test_keys_as_types),
        cmocka_unit_test(test_a_key_like_a_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
