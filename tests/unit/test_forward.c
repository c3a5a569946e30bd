/* test_forward.c - what is posted for an event, and what each answer comes to. */
#include "web_helpers.h"

#include <dirent.h>
#include <errno.h>

#include <cjson/cJSON.h>
#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/families.h>

#include "../../src/actions/forward.h"

#define KEY "KEY-one"
#define TIME_US (1764000000 * USEC_PER_SEC + 123456)

static const struct event_community communities[] = { { "default", KEY }, { "default", "TEST-API-KEY-0000" } };
static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
static struct err err;

/* ---- render ---- */

struct fixture {
    struct batch batch;
    struct description description;
    struct action_record record;
    struct forward_settings settings;
    struct config_action config;
    struct action_payload payload;
};

static bool try_parse(struct fixture *fixture, const char *body)
{
    const struct envelope_rules rules = { .communities = communities,
                                          .n_communities = ARRAY_SIZE(communities),
                                          .families = &families_all,
                                          .accept_unknown_types = true };
    *fixture = (struct fixture){ .description = DESCRIPTION_INIT, .payload = ACTION_PAYLOAD_INIT };
    fixture->record.community_key = KEY;
    fixture->record.description = &fixture->description;
    text_add(&fixture->description.line, "a line");
    ids_add(&fixture->description.calls, 7);
    int refusal = envelope_parse(strdup(body), strlen(body), &rules, &origin, TIME_US, &fixture->batch, NULL, &err);
    if (refusal != ENVELOPE_OK)
        description_free(&fixture->description);
    return refusal == ENVELOPE_OK;
}

static void parse(struct fixture *fixture, const char *body)
{
    if (!try_parse(fixture, body))
        fail_msg("%s: %s", body, err.msg);
}

/* Of the events of a body this one. */
static int render(struct fixture *fixture, size_t index)
{
    struct event *event = &fixture->batch.events[index];
    event->id = 1042 + index;
    fixture->record.event = event;
    action_payload_free(&fixture->payload);
    fixture->config.settings = &fixture->settings;
    return action_forward.render(&fixture->config, &fixture->record, &fixture->payload, &err);
}

static void finish(struct fixture *fixture)
{
    action_payload_free(&fixture->payload);
    description_free(&fixture->description);
    batch_done(&fixture->batch);
}

static void expect_body(struct fixture *fixture, size_t index, const char *wanted)
{
    assert_int_equal(render(fixture, index), 0);
    assert_string_equal(fixture->payload.body.s, wanted);
    assert_int_equal(fixture->payload.body.size, strlen(wanted));
    assert_int_equal(fixture->payload.event_id, 1042 + index);
}

#define HEAD "{\"key\":\"" KEY "\",\"type\":"

/* What comes in, what goes out. */
static const char *const original[][2] = {
    { "{\"key\":\"key-ONE\",\"type\":\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[1]}}",
      HEAD "\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[1]}}" },
    /* numbers that a double would spoil, spaces, line breaks, escapes, a name twice, the order */
    { " { \"data\" : {\t\"callIds\" :\n [ 9007199254740993 , 1.10, 1e2,-0 ] , "
      "\"x\":\"\\u00e9\\/\\ud83d\\ude00é\",\"x\":null } ,"
      "\"type\":\"event_remove_911\",\"key\":\"" KEY "\"} ",
      HEAD "\"event_remove_911\",\"data\":{\t\"callIds\" :\n [ 9007199254740993 , 1.10, 1e2,-0 ] , "
           "\"x\":\"\\u00e9\\/\\ud83d\\ude00é\",\"x\":null }}" },
    /* other members, as they came */
    { "{\"logKey\" : \"a\\\"}{\" , \"key\":\"" KEY
      "\",\"n\":12345678901234567890,\"type\":\"GET_LOGS\",\"Data\":{ \"a\" : 1.0 }}",
      HEAD "\"GET_LOGS\",\"logKey\":\"a\\\"}{\",\"n\":12345678901234567890,\"Data\":{ \"a\" : 1.0 }}" },
    { "{\"key\":\"" KEY "\",\"type\":\"GET_LOGS\",\"data\":null}", HEAD "\"GET_LOGS\",\"data\":null}" },
    { "{\"key\":\"" KEY "\",\"type\":\"EVENT_UNIT_GROUP_ADD\",\"identId\":4127,\"data\":{\"groupName\":\"A\"}}",
      HEAD "\"EVENT_UNIT_GROUP_ADD\",\"data\":{\"groupName\":\"A\"},\"identId\":4127}" },
    /* an alias as the alias, a script's spelling as it is */
    { "{\"key\":\"" KEY "\",\"type\":\"EVENT_DISPATCH_CLOSE\",\"data\":{\"callIds\":[1]}}",
      HEAD "\"EVENT_DISPATCH_CLOSE\",\"data\":{\"callIds\":[1]}}" },
    { "{\"key\":\"" KEY "\",\"type\":\"play_tone\",\"data\":{\"tone\":1}}",
      HEAD "\"play_tone\",\"data\":{\"tone\":1}}" },
    /* a type that nobody knows stays in its string, and its array is one event */
    { "{\"key\":\"" KEY "\",\"type\":\"x\\\"\\n\\u0001é\",\"data\":[ 1, {} ]}",
      HEAD "\"x\\\"\\n\\u0001é\",\"data\":[ 1, {} ]}" },
};

static void test_original(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(original); i++) {
        struct fixture fixture;
        parse(&fixture, original[i][0]);
        expect_body(&fixture, 0, original[i][1]);
        finish(&fixture);
    }
}

/* As if the sender had sent one after the other. */
static void test_original_of_array(void **state)
{
    struct fixture fixture;
    (void) state;
    parse(&fixture, "{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\",\"x\":[1],\"data\":[ {\"callIds\":[ 1 ]} , "
                    "{\"callId\":\"2\"}]}");
    assert_int_equal(fixture.batch.n_events, 2);
    expect_body(&fixture, 0, HEAD "\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[ 1 ]},\"x\":[1]}");
    expect_body(&fixture, 1, HEAD "\"EVENT_REMOVE_911\",\"data\":{\"callId\":\"2\"},\"x\":[1]}");
    finish(&fixture);
}

static void test_key(void **state)
{
    struct fixture fixture;
    (void) state;
    parse(&fixture, "{\"key\":\"" KEY "\",\"type\":\"GET_LOGS\"}");
    fixture.settings.api_key = (char[]){ "own \"key\"\n" };
    expect_body(&fixture, 0, "{\"key\":\"own \\\"key\\\"\\n\",\"type\":\"GET_LOGS\"}");
    fixture.record.community_key = NULL;
    expect_body(&fixture, 0, "{\"key\":\"own \\\"key\\\"\\n\",\"type\":\"GET_LOGS\"}");

    fixture.settings.api_key = NULL;
    assert_int_equal(render(&fixture, 0), -ENOKEY);
    assert_string_equal(err.msg, "no key to send: the community is gone, and the action has no api_key");
    fixture.settings.body = FORWARD_BODY_RECORD; /* which has no key */
    assert_int_equal(render(&fixture, 0), 0);
    assert_null(strstr(fixture.payload.body.s, KEY));
    finish(&fixture);
}

static void test_record(void **state)
{
    struct fixture fixture;
    (void) state;
    parse(&fixture,
          "{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\",\"x\":1.0,\"data\":{ \"callIds\":[9007199254740993]}}");
    fixture.settings.body = FORWARD_BODY_RECORD;
    expect_body(&fixture, 0,
                "{\"id\":1042,\"time\":\"2025-11-24T16:00:00.123456Z\",\"type\":\"EVENT_REMOVE_911\","
                "\"family\":\"call911\",\"level\":0,"
                "\"community\":\"default\",\"source\":\"push\",\"listener\":\"main\",\"from\":\"192.0.2.1\","
                "\"verdict\":\"accepted\","
                "\"summary\":\"a line\",\"calls911\":[],\"calls\":[7],\"units\":[],"
                "\"data\":{ \"callIds\":[9007199254740993]},\"extra\":{\"x\":1.0}}");
    finish(&fixture);
}

static void test_headers(void **state)
{
    struct fixture fixture;
    (void) state;
    parse(&fixture, "{\"key\":\"" KEY "\",\"type\":\"GET_LOGS\"}");
    fixture.settings.signing_secret = (char[]){ "a secret" };
    assert_int_equal(render(&fixture, 0), 0);
    assert_int_equal(fixture.payload.words.n, 2); /* a signature is of the time of a try */
    assert_string_equal(fixture.payload.words.v[0], "Content-Type: application/json");
    assert_string_equal(fixture.payload.words.v[1], "Sonoran-Event-Id: 1042");
    assert_string_equal(fixture.payload.secret.s, KEY);
    finish(&fixture);
}

/* What a sonoran-pushd behind this one reads out of it. */
static void expect_same_behind(struct fixture *fixture, size_t index)
{
    const struct event *sent = &fixture->batch.events[index];
    struct fixture behind;
    assert_int_equal(render(fixture, index), 0);
    parse(&behind, fixture->payload.body.s);
    const struct event *read = &behind.batch.events[0];
    assert_int_equal(behind.batch.n_events, 1);
    assert_string_equal(read->type, sent->type);
    assert_int_equal(read->verdict, EVENT_ACCEPTED);
    assert_int_equal(read->data_text.size, sent->data_text.size);
    assert_int_equal(read->extra_text.size, sent->extra_text.size);
    if (sent->data_text.size)
        assert_memory_equal(read->data_text.s, sent->data_text.s, sent->data_text.size);
    if (sent->extra_text.size)
        assert_memory_equal(read->extra_text.s, sent->extra_text.s, sent->extra_text.size);
    finish(&behind);
}

static bool read_sample(const char *name, char *body, size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), FIXTURES "/samples/%s", name);
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    size_t n = file ? fread(body, 1, size - 1, file) : 0;
    body[n] = '\0';
    return n > 0 && n < size - 1;
}

static void test_samples(void **state)
{
    DIR *folder = opendir(FIXTURES "/samples");
    int n_events = 0;
    (void) state;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        static char body[65536];
        struct fixture fixture;
        if (entry->d_name[0] == '.')
            continue;
        assert_true(read_sample(entry->d_name, body, sizeof(body)));
        if (!try_parse(&fixture, body))
            continue;
        for (size_t i = 0; i < fixture.batch.n_events; i++) {
            if (fixture.batch.events[i].verdict != EVENT_ACCEPTED)
                continue;
            expect_same_behind(&fixture, i);
            n_events++;
        }
        finish(&fixture);
    }
    closedir(folder);
    assert_true(n_events > 90);
}

/* ---- deliver ---- */

struct answer_case {
    struct turn turn;
    enum action_result result;
    usec_t retry_after_us;
    const char *sentence;
};

#define ANSWER(status, more)                                                                                           \
    {                                                                                                                  \
        "HTTP/1.1 " status "\r\n" more "Content-Length: 0\r\n\r\n", STAY                                               \
    }

static const struct answer_case answer_cases[] = {
    { ANSWER("200 OK", ""), ACTION_DONE, 0, "" },
    { ANSWER("200 OK", "Retry-After: 5\r\n"), ACTION_DONE, 0, "" },
    { ANSWER("202 Accepted", ""), ACTION_DONE, 0, "" },
    { ANSWER("299 Fine", ""), ACTION_DONE, 0, "" },
    { ANSWER("301 Moved", "Location: /x\r\n"), ACTION_GIVE_UP, 0, NULL },
    { ANSWER("304 Same", ""), ACTION_GIVE_UP, 0, "answered 304, and redirects are not followed" },
    { ANSWER("400 Bad", ""), ACTION_GIVE_UP, 0, "answered 400" },
    { ANSWER("401 Who", ""), ACTION_GIVE_UP, 0, "answered 401" },
    { ANSWER("404 Where", "Retry-After: 5\r\n"), ACTION_GIVE_UP, 0, "answered 404" },
    { ANSWER("408 Late", ""), ACTION_RETRY, 0, "answered 408" },
    { ANSWER("425 Early", ""), ACTION_RETRY, 0, "answered 425" },
    { ANSWER("429 Slow", "Retry-After: 7\r\n"), ACTION_RETRY, 7 * USEC_PER_SEC, "answered 429" },
    { ANSWER("429 Slow", "Retry-After: 0.5\r\n"), ACTION_RETRY, USEC_PER_SEC / 2, "answered 429" },
    { ANSWER("500 Oh", ""), ACTION_RETRY, 0, "answered 500" },
    { ANSWER("503 Soon", "Retry-After: 86400\r\n"), ACTION_RETRY, 3600 * USEC_PER_SEC, "answered 503" },
    { ANSWER("503 Soon", "Retry-After: Sun, 06 Nov 2095 08:49:37 GMT\r\n"), ACTION_RETRY, 3600 * USEC_PER_SEC,
      "answered 503" },
    { ANSWER("599 Oh", ""), ACTION_RETRY, 0, "answered 599" },
    { ANSWER("600 Oh", ""), ACTION_GIVE_UP, 0, "answered 600" },
    { { "nonsense\r\n\r\n", CLOSE }, ACTION_RETRY, 0, NULL },
};

static struct action *open_action(const struct config_action *config, int cancel_fd)
{
    const struct action_context context = { .config = config, .cancel_fd = cancel_fd };
    struct action *action = NULL;
    assert_int_equal(action_forward.open(&action, &context, &err), 0);
    return action;
}

static void test_answers(void **state)
{
    struct turn turns[ARRAY_SIZE(answer_cases)];
    struct server server;
    char url[64];
    struct forward_settings settings = { .url = url };
    struct config_action config = { .settings = &settings, .timeout_us = 60 * USEC_PER_SEC };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(answer_cases); i++)
        turns[i] = answer_cases[i].turn;
    server_start(&server, turns, ARRAY_SIZE(turns));
    server_run(&server);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
    text_add(&payload.body, "{}");

    struct action *action = open_action(&config, -1);
    for (size_t i = 0; i < ARRAY_SIZE(answer_cases); i++) {
        struct action_outcome outcome;
        action_forward.deliver(action, &payload, 1, &outcome);
        assert_int_equal(outcome.result, answer_cases[i].result);
        assert_int_equal(outcome.retry_after_us, answer_cases[i].retry_after_us);
        if (answer_cases[i].sentence)
            assert_string_equal(outcome.err.msg, answer_cases[i].sentence);
        else
            assert_true(outcome.err.msg[0]);
    }
    action_forward.close(action);
    server_stop(&server);
    action_payload_free(&payload);
    assert_int_equal(server.n_accepted, 1);
    text_free(&server.last);
}

static enum action_result deliver_to(const char *url, const char *header, int cancel_fd)
{
    struct forward_settings settings = { .url = strdup(url) };
    struct config_action config = { .settings = &settings, .timeout_us = 60 * USEC_PER_SEC };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct action_outcome outcome;
    words_add(&payload.words, header);
    struct action *action = open_action(&config, cancel_fd);
    action_forward.deliver(action, &payload, 1, &outcome);
    action_forward.close(action);
    action_payload_free(&payload);
    free(settings.url);
    assert_true(outcome.err.msg[0]);
    assert_int_equal(outcome.retry_after_us, 0);
    return outcome.result;
}

static void test_no_answer(void **state)
{
    char url[64];
    int port, cancel_fd = eventfd(1, EFD_CLOEXEC);
    (void) state;
    close(listen_anywhere(1, &port));
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    assert_int_equal(deliver_to(url, "A: b", -1), ACTION_RETRY);
    assert_int_equal(deliver_to(url, "A: b\r\nC: d", -1), ACTION_GIVE_UP);
    assert_int_equal(deliver_to(url, "A: b", cancel_fd), ACTION_CANCELLED);
    close(cancel_fd);
}

/* ---- check ---- */

static void complain(void *context, const char *option, const char *sentence)
{
    text_addf(context, "%s: %s\n", option, sentence);
}

static void test_check(void **state)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    struct forward_settings settings = { .url = (char[]){ "https://user:pass@example.org:8443/x?y" },
                                         .content_type = (char[]){ "application/json" } };
    const struct config_action config = { .settings = &settings };
    (void) state;
    action_forward.check(&config, &families_all, complain, &said);
    assert_string_equal(said.s, "");
    settings.url = (char[]){ "http://[::1/secret" };
    action_forward.check(&config, &families_all, complain, &said);
    assert_string_equal(said.s, "url: expected an http or https URL with a host\n");

    text_reset(&said);
    settings.url = (char[]){ "http://host/" };
    settings.ca_file = (char[]){ "bot.pem" };
    action_forward.check(&config, &families_all, complain, &said);
    action_forward.check_present(&config, complain, &said);
    assert_string_equal(said.s, "ca_file: expected the absolute path of a file, such as /etc/ssl/bot.pem\n");
    text_reset(&said);
    settings.ca_file = (char[]){ "/nowhere/bot.pem" };
    action_forward.check(&config, &families_all, complain, &said);
    action_forward.check_present(&config, complain, &said);
    action_forward.doubt(&config, &families_all, complain, &said);
    assert_string_equal(said.s, "ca_file: /nowhere/bot.pem: No such file or directory\n"
                                "ca_file: without effect, because the URL is not one of https\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_original), cmocka_unit_test(test_original_of_array), cmocka_unit_test(test_key),
        cmocka_unit_test(test_record),   cmocka_unit_test(test_headers),           cmocka_unit_test(test_samples),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_no_answer),         cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
