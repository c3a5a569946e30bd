/* test_forward_template.c - bodies that the configuration words itself: what is posted, and what is said about them. */
#include "web_helpers.h"

#include <cjson/cJSON.h>
#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/families.h>

#include "../../src/actions/forward.h"

#define NASTY "a \"b\" \\ c\n{id} é&=<@everyone>"

static struct err err;

/* ---- render ---- */

/* By an event whose data have what is nasty. */
static void make(const char *template, const char *content_type, struct action_payload *ret)
{
    static const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "192.0.2.1" };
    struct forward_settings settings = { .body = FORWARD_BODY_TEMPLATE,
                                         .template = strdup(template),
                                         .content_type = strdup(content_type) };
    const struct config_action config = { .settings = &settings };
    struct description description = DESCRIPTION_INIT;
    cJSON *data = cJSON_CreateObject();
    cJSON_AddStringToObject(data, "nasty", NASTY);
    char *text = cJSON_PrintUnformatted(data);
    const struct event event = { .id = 7,
                                 .type = "EVENT_911",
                                 .community = "default",
                                 .origin = &origin,
                                 .data = data,
                                 .data_text = { text, strlen(text) } };
    const struct action_record record = { .event = &event, .description = &description };
    text_add(&description.line, NASTY);
    assert_int_equal(action_forward.render(&config, &record, ret, &err), 0);
    description_free(&description);
    cJSON_Delete(data);
    free(text);
    free(settings.template);
    free(settings.content_type);
}

static void assert_json(const char *template, const char *content_type)
{
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    make(template, content_type, &payload);
    cJSON *json = cJSON_ParseWithOpts(payload.body.s, NULL, true);
    assert_non_null(json);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "text")->valuestring, NASTY);
    assert_int_equal(cJSON_GetArraySize(json), 2);
    cJSON_Delete(json);
    action_payload_free(&payload);
}

static void test_json(void **state)
{
    (void) state;
    assert_json("{\"text\": \"{summary}\", \"id\": {id}}", "application/json");
    assert_json("{ \"text\" : \"{/nasty}\", \"o\":{\n\"x\":[]}}", "application/vnd.x+JSON; charset=utf-8");
}

static void assert_body(const char *template, const char *content_type, const char *wanted)
{
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct text header CLEANUP(text_free) = TEXT_INIT;
    make(template, content_type, &payload);
    assert_string_equal(payload.body.s, wanted);
    text_addf(&header, "Content-Type: %s", content_type);
    assert_string_equal(payload.words.v[0], header.s);
    assert_string_equal(payload.words.v[1], "Sonoran-Event-Id: 7");
    assert_string_equal(payload.secret.s, "");
    action_payload_free(&payload);
}

static void test_other_types(void **state)
{
    (void) state;
    assert_body("{type}: {summary}", "text/plain", "EVENT_911: " NASTY);
    assert_body("{{{/nothing}{summary}", "text/plain; charset=utf-8", "{" NASTY);
    assert_body("text={summary}&id={id}", "application/x-www-form-urlencoded",
                "text=a%20%22b%22%20%5C%20c%0A%7Bid%7D%20%C3%A9%26%3D%3C%40everyone%3E&id=7");
}

/* ---- check ---- */

static void complain(void *context, const char *option, const char *sentence)
{
    text_addf(context, "%s: %s\n", option, sentence);
}

static void assert_said(struct forward_settings settings, const char *mistakes, const char *doubts)
{
    struct text said CLEANUP(text_free) = TEXT_INIT, doubted CLEANUP(text_free) = TEXT_INIT;
    settings.url = (char[]){ "http://host/" };
    const struct config_action config = { .settings = &settings };
    action_forward.check(&config, &families_all, complain, &said);
    action_forward.doubt(&config, &families_all, complain, &doubted);
    assert_string_equal(said.s, mistakes);
    assert_string_equal(doubted.s, doubts);
}

static void check(const char *template, const char *content_type, const char *mistakes, const char *doubts)
{
    char *type = strdup(content_type), *text = template ? strdup(template) : NULL;
    assert_said((struct forward_settings){ .body = FORWARD_BODY_TEMPLATE, .template = text, .content_type = type },
                mistakes, doubts);
    free(type);
    free(text);
}

#define JSON "application/json"
#define NOT_SOUND(at)                                                                                                  \
    "template: expected JSON, as content_type says, but with a sample event it is none from \"" at                     \
    "\" on: texts belong in quotes, as in \"{summary}\"\n"
#define NOT_ALWAYS "template: no JSON where an event has not all of what is asked for: put each {…} in quotes\n"

static void test_check(void **state)
{
    (void) state;
    check("{\"text\":\"{summary}\"}", JSON, "", "");
    check("[\"{/call/callId}\", {id}, { } ]", JSON, "", "");
    check("{\"text\":{summary}}", JSON, NOT_SOUND("call 90417 at \\\"118 Lantern St\\\"}"), "");
    check("{\"text\":\"{summary}\"", JSON, NOT_SOUND(""), "");
    check("{\"call\":{/call/callId}}", JSON, "", NOT_ALWAYS);
    check("{\"text\":{summary}}", "text/plain", "", "");
    check("{/a~}", JSON, "template: expected a JSON Pointer with ~0 for ~ and ~1 for /, not \"/a~\"\n", "");
    check(NULL, JSON, "template: expected a text with {placeholders}, because body: template\n", "");
    static const char *const bad_types[] = { "", "json", "text/", "/plain", "text/plain\r\nX: y", "text/plain x" };
    for (size_t i = 0; i < ARRAY_SIZE(bad_types); i++)
        check("x", bad_types[i], "content_type: expected a type such as application/json or text/plain\n", "");
    assert_said((struct forward_settings){ .template = (char[]){ "x" }, .content_type = (char[]){ JSON } }, "",
                "template: without effect, because body is not \"template\"\n");
    assert_said((struct forward_settings){ .content_type = (char[]){ "text/plain" } }, "",
                "content_type: without effect, because body is not \"template\"\n");
    char *headers[] = { (char[]){ "A: }{" }, (char[]){ "Title: {summary}" }, (char[]){ "B: {id}" } };
    assert_said((struct forward_settings){ .content_type = (char[]){ JSON }, .headers = headers, .n_headers = 3 }, "",
                "headers: {…} is sent as it stands: placeholders are for template alone\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
