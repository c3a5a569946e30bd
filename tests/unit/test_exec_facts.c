/* test_exec_facts.c - what an event means as variables of the exec action's program. */
#include <sonoran-pushd/families.h>

#include "../../src/actions/exec.h"
#include "exec_helpers.h"

/* Facts are variables on one line, of a bounded length; what the event has not is not there. */
static void test_facts(void **state)
{
    (void) state;
    char program[] = "/bin/true", name[] = "siren", *words[] = { program, NULL };
    struct exec_settings settings = { .command = words, .n_command = 1 };
    struct config_action config = { .name = name, .settings = &settings };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct text body = TEXT_INIT;
    struct batch batch;
    struct description description = DESCRIPTION_INIT;
    struct err err;

    text_add(&body, "{\"key\":\"TEST-API-KEY-0000\",\"type\":\"EVENT_911\",\"test\":true,\"data\":{\"call\":{"
                    "\"callId\":3,\"isEmergency\":\"1\",\"caller\":\"\\u001b[2J\\u202eO'Brien $(id)\\n\\tX\","
                    "\"location\":\"nil\",\"metaData\":{\"postal\":7042},\"description\":\"");
    for (int i = 0; i < 3000; i++)
        text_add(&body, "é");
    text_add(&body, "\"}}}");
    static const struct event_community communities[] = { { "default", "TEST-API-KEY-0000" } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = { .communities = communities, .n_communities = 1, .families = &families_all };
    if (envelope_parse(body.s, body.size, &rules, &origin, 1, &batch, NULL, &err) != ENVELOPE_OK)
        fail_msg("%s", err.msg);
    cJSON *known = cJSON_Parse("{\"dispatchers\":0,\"on_duty\":3}");
    const struct action_record record = { .event = &batch.events[0], .description = &description, .known = known };
    assert_int_equal(action_exec.render(&config, &record, &payload, &err), 0);
    assert_string_equal(find_variable(&payload.environment, "SONORAN_CALLER"), "[2JO'Brien $(id)  X");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_EMERGENCY"), "yes");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_CALL911"), "3");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_POSTAL"), "7042");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_DISPATCHERS"), "0");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_ON_DUTY"), "3");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_FAMILY"), "call911");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_TEST"), "1");
    assert_null(find_variable(&payload.environment, "SONORAN_LOCATION"));
    assert_null(find_variable(&payload.environment, "SONORAN_PLATE"));
    assert_int_equal(strlen(find_variable(&payload.environment, "SONORAN_DESCRIPTION")), 2048 + strlen("…"));
    cJSON_Delete(known);
    action_payload_free(&payload);
    batch_done(&batch);
}

/* The more an event concerns, the more its variables need: what finds no room is left out, and the program is run. */
static void test_more_than_there_is_room_for(void **state)
{
    (void) state;
    char program[] = "/bin/true", argument[] = "{/x}", name[] = "siren";
    char *words[COMMAND_MAX + 1] = { program };
    struct exec_settings settings = { .command = words, .n_command = 8 };
    struct config_action config = { .name = name, .timeout_us = LONG_US, .settings = &settings };
    const struct action_context context = { .config = &config, .cancel_fd = -1 };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct action_outcome outcome;
    struct action *action;
    struct text data = TEXT_INIT;
    struct sample sample;
    struct err err;

    text_add(&data, "{\"x\":\"");
    for (size_t i = 0; i < EXEC_STRING_MAX_BYTES; i++)
        text_add(&data, "x");
    text_add(&data, "\"}");
    sample_init(&sample, data.s);
    for (size_t i = 1; i < settings.n_command; i++)
        words[i] = argument;
    for (int64_t i = 0; i < IDS_MAX; i++)
        ids_add(&sample.description.units, 1000000000000000000 + i);
    for (int64_t i = 0; i < IDS_MAX; i++)
        ids_add(&sample.description.calls, 1000000000000000000 + i);
    assert_int_equal(action_exec.render(&config, &sample.record, &payload, &err), 0);
    assert_string_equal(find_variable(&payload.environment, "SONORAN_LEFT_OUT"), "1");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_CALLS911"), "90417");
    assert_non_null(find_variable(&payload.environment, "SONORAN_CALLS"));
    assert_null(find_variable(&payload.environment, "SONORAN_UNITS"));
    assert_int_equal(action_exec.open(&action, &context, &err), 0);
    action_exec.deliver(action, &payload, 1, &outcome);
    assert_outcome(&outcome, ACTION_DONE, "");
    action_exec.close(action);
    action_payload_free(&payload);
    sample_free(&sample);
    text_free(&data);
}

/* As {summary}, for people who see no terminal. */
static void test_summary(void **state)
{
    (void) state;
    char program[] = "/bin/true", argument[] = "{summary}", name[] = "siren", *words[] = { program, argument, NULL };
    struct exec_settings settings = { .command = words, .n_command = 2 };
    struct config_action config = { .name = name, .settings = &settings };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    static const char player[] = "Zo\u200b\u00eb \x1b[2J\n\u202eC:\\new";
    struct sample sample;
    struct err err;

    sample_init(&sample, "{}");
    text_reset(&sample.description.line);
    text_add_prose(&sample.description.line, player, strlen(player), 0);
    assert_non_null(strstr(sample.description.line.s, "\\u200b"));
    assert_int_equal(action_exec.render(&config, &sample.record, &payload, &err), 0);
    assert_string_equal(payload.words.v[1], "Zoë [2J C:\\new");
    assert_string_equal(find_variable(&payload.environment, "SONORAN_SUMMARY"), payload.words.v[1]);
    action_payload_free(&payload);
    sample_free(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        exec_test(test_facts),
        exec_test(test_summary),
        exec_test(test_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, be_like_the_daemon, NULL);
}
