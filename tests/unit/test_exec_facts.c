/* test_exec_facts.c - the facts of an event as variables of the exec action's program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/events.h>

static const char *find_variable(const struct words *environment, const char *name)
{
    for (size_t i = 0; i < environment->n; i++)
        if (strncmp(environment->v[i], name, strlen(name)) == 0 && environment->v[i][strlen(name)] == '=')
            return environment->v[i] + strlen(name) + 1;
    return NULL;
}

/* Facts are variables on one line, of a bounded length; what the event has not is not there. */
static void test_facts(void **state)
{
    (void) state;
    char program[] = "/bin/true", name[] = "siren", *words[] = { program, NULL };
    struct config_action config = { .name = name, .command = words, .n_command = 1 };
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
    static const struct http_origin origin = { "main", "192.0.2.1" };
    const struct envelope_rules rules = { .communities = communities,
                                          .n_communities = 1,
                                          .families = &all_event_families };
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_facts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
