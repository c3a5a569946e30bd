/* test_forward_headers.c - the headers that a configuration adds, as they are sent. */
#include "web_helpers.h"

#include <sonoran-pushd/actions.h>

#include "../../src/actions/forward.h"

static struct err err;

static void test_headers_of_the_configuration(void **state)
{
    static const struct turn turns[] = { { OK_ANSWER, STAY }, { OK_ANSWER, STAY } };
    struct server server;
    char url[64], *headers[] = { (char[]){ "X-Api-Key: abc" }, (char[]){ "Title: Panic! é" } };
    struct forward_settings settings = { .url = url };
    struct config_action config = { .settings = &settings, .timeout_us = 60 * USEC_PER_SEC };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct action_outcome outcome;
    (void) state;
    settings.headers = headers;
    settings.n_headers = ARRAY_SIZE(headers);
    server_start(&server, turns, ARRAY_SIZE(turns));
    server_run(&server);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
    words_add(&payload.words, "Content-Type: application/json");
    const struct action_context context = { .config = &config, .cancel_fd = -1 };
    struct action *action = NULL;
    assert_int_equal(action_forward.open(&action, &context, &err), 0);
    action_forward.deliver(action, &payload, 1, &outcome);
    assert_int_equal(outcome.result, ACTION_DONE);
    settings.signing_secret = (char[]){ "secret" };
    action_forward.deliver(action, &payload, 1, &outcome);
    action_forward.close(action);
    server_stop(&server);
    assert_non_null(strstr(server.last.s, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(server.last.s, "\r\nX-Api-Key: abc\r\n"));
    assert_non_null(strstr(server.last.s, "\r\nTitle: Panic! é\r\n"));
    assert_non_null(strstr(server.last.s, "\r\nSonoran-Signature: "));
    action_payload_free(&payload);
    text_free(&server.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_headers_of_the_configuration) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
