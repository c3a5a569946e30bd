/* test_forward_answer.c - what a receiver's words come to, and what of them is shown; the signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "sign.h"

#define KEY "KEY-one"
#define URL "http://me:password9@bot.example:4000/sonorancad/tok3n-of-the-url?key=0123456789abcdef"

struct judge_case {
    const char *expect, *body;
    long status;
    bool broken;
    enum action_result result;
    const char *sentence, *answer;
};

static const struct judge_case judge_cases[] = {
    { NULL, "Bad API Key", 200, false, ACTION_DONE, "", "200 Bad API Key" },
    { NULL, "", 204, false, ACTION_DONE, "", "204" },
    { NULL, "ok", 200, true, ACTION_DONE, "", "200 ok" },
    { "ok*", "OK, thanks\n", 200, false, ACTION_DONE, "", "200 OK, thanks" },
    { "ok*", " \r\n ok", 200, false, ACTION_DONE, "", "200 ok" },
    { "ok", "ok\n", 200, false, ACTION_DONE, "", "200 ok" },
    { "ok*", "Bad API Key", 200, false, ACTION_GIVE_UP, "answered 200, but not what is expected: Bad API Key",
      "200 Bad API Key" },
    { "ok*", "", 204, false, ACTION_GIVE_UP, "answered 204, but not what is expected", "204" },
    { "ok*", "", 200, true, ACTION_RETRY, "answered 200, but not what is expected", "200" },
    { "ok*", "ok", 200, true, ACTION_DONE, "", "200 ok" },
    { "ok*", "ok", 400, false, ACTION_GIVE_UP, "answered 400: ok", "400 ok" },
    { "ok*", "starting", 201, false, ACTION_RETRY, "answered 201, but not what is expected: starting", "201 starting" },
    { "sent", "", 0, true, ACTION_DONE, "", "" },
    { "sent", "no", 500, false, ACTION_DONE, "", "500 no" },
    { NULL, "tunnel not found", 404, false, ACTION_RETRY, "answered 404: tunnel not found", "404 tunnel not found" },
    { NULL, "busy", 503, true, ACTION_RETRY, "answered 503: busy", "503 busy" },
    /* for people: no markup, no line breaks, nothing that a terminal obeys */
    { NULL, "\n<html><head>\n <title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>", 502, false,
      ACTION_RETRY, "answered 502: Bad Gateway nginx", "502 Bad Gateway nginx" },
    { NULL, "a\n\n\tb\x1b[31m", 200, false, ACTION_DONE, "", "200 a b\\x1b[31m" },
    /* no secret, however it is repeated */
    { NULL, "bad key key-ONE, KEY-oneKEY-one", 403, false, ACTION_GIVE_UP,
      "answered 403: bad key *******, **************", "403 bad key *******, **************" },
    { NULL, "Cannot POST /sonorancad/tok3n-of-the-url?key=0123456789ABCDEF", 404, false, ACTION_RETRY,
      "answered 404: Cannot POST /sonorancad/****************?key=****************",
      "404 Cannot POST /sonorancad/****************?key=****************" },
    { NULL, "Bearer TOK-of_headers is not known", 401, false, ACTION_GIVE_UP,
      "answered 401: Bearer ************** is not known", "401 Bearer ************** is not known" },
    { NULL, "me:password9@bot.example", 401, false, ACTION_GIVE_UP, "answered 401: me:*********@bot.example",
      "401 me:*********@bot.example" },
};

static char *headers[] = { (char[]){ "Authorization: Bearer tok-of_headers" } };

static void judge(const struct judge_case *c, const char *key, struct action_outcome *ret)
{
    static uint64_t later[] = { 404, 201 };
    struct forward_settings settings = { .url = (char[]){ URL },
                                         .expect = c->expect ? strdup(c->expect) : NULL,
                                         .retry_statuses = later,
                                         .n_retry_statuses = ARRAY_SIZE(later),
                                         .headers = headers,
                                         .n_headers = ARRAY_SIZE(headers) };
    const struct config_action config = { .settings = &settings };
    struct web_answer answer = { .status = c->status, .body = TEXT_INIT, .redirect = TEXT_INIT, .whole = !c->broken };
    *ret = (struct action_outcome){ .result = ACTION_CANCELLED };
    text_add(&answer.body, c->body);
    forward_judge(&config, &answer, key, ret);
    web_answer_free(&answer);
    free(settings.expect);
}

static void test_judge(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(judge_cases); i++) {
        struct action_outcome outcome;
        judge(&judge_cases[i], KEY, &outcome);
        assert_string_equal(outcome.err.msg, judge_cases[i].sentence);
        assert_string_equal(outcome.answer, judge_cases[i].answer);
        assert_int_equal(outcome.result, judge_cases[i].result);
    }
}

/* A key that may be written in several ways is not looked for: nothing is shown. */
static void test_key_that_cannot_be_found(void **state)
{
    const struct judge_case c = { NULL, "bad key \\u0061 \\\"b", 403, false, ACTION_GIVE_UP, NULL, NULL };
    struct action_outcome outcome;
    (void) state;
    judge(&c, "a \"b", &outcome);
    assert_string_equal(outcome.err.msg, "answered 403");
    assert_string_equal(outcome.answer, "403");
    judge(&c, KEY, &outcome);
    assert_string_not_equal(outcome.answer, "403");
    char *before = headers[0];
    headers[0] = (char[]){ "X-Api-Key: a/b=" };
    judge(&c, KEY, &outcome);
    assert_string_equal(outcome.answer, "403");
    headers[0] = before;
}

/* What was kept ends in the middle of the key; what is shown ends in the middle of a letter. */
static void test_long_answers(void **state)
{
    static char body[FORWARD_ANSWER_BYTES + 1];
    const struct judge_case c = { NULL, body, 500, true, ACTION_RETRY, NULL, NULL };
    struct action_outcome outcome;
    (void) state;
    memset(body, ' ', sizeof(body) - 1);
    memcpy(body + sizeof(body) - 5, "KEY-", 4);
    judge(&c, KEY, &outcome);
    assert_string_equal(outcome.answer, "500 ****");

    for (size_t i = 0; i < 300; i += 2)
        memcpy(body + i, "\xc3\xa9", 2);
    judge(&c, KEY, &outcome);
    assert_int_equal(strlen(outcome.answer), 4 + FORWARD_EXPECT_BYTES);
    memset(body, '\x1b', 300);
    judge(&c, KEY, &outcome);
    assert_true(strlen(outcome.answer) > 200 && strlen(outcome.answer) < ACTION_ANSWER_MAX);
}

/* Made with: printf '%s' '1764000000.{"key":"KEY-one","type":"GET_LOGS"}' | openssl dgst -sha256 -hmac 'a secret' */
static void test_signature(void **state)
{
    static const char body[] = "{\"key\":\"KEY-one\",\"type\":\"GET_LOGS\"}";
    struct text signature CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    (void) state;
    assert_int_equal(sign_body(&signature, "a secret", 1764000000, span_of(body), &err), 0);
    assert_string_equal(signature.s,
                        "t=1764000000,v1=ab1eea8693cad62049d624e79ca6fef7160535487d43cde007fe012a0c4eb7ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_key_that_cannot_be_found),
        cmocka_unit_test(test_long_answers),
        cmocka_unit_test(test_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
