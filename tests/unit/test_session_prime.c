/* test_session_prime.c - a session that asks what the CAD knows: the event that comes of it, gaps over restarts, how
 * often it may ask, and what is told of trouble. */
#include "pipeline_helpers.h"
#include "web_helpers.h"

#include <sonoran-pushd/primed.h>

#include "session_prime_private.h"

#define OK_JSON(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define CALLS                                                                                                          \
    OK_JSON("{\"ActiveCalls\":[{\"callId\":55120,\"title\":\"Structure "                                               \
            "Fire\",\"status\":1}],\"EmergencyCalls\":[],\"ClosedCalls\":[]}")
#define UNITS OK_JSON("[{\"id\":4127,\"status\":2,\"data\":{\"unitNum\":\"3-L-27\",\"name\":\"Mara Ellison\"}}]")

static const struct turn both[] = { { CALLS, CLOSE }, { UNITS, CLOSE } };

static struct server server;
static struct session_prime *prime;
static int wake_fd;

static void open_prime(void)
{
    const struct source_parts parts = { .config = config, .families = &families_all, .way_in = way_in, .state = cad };
    char *configured = config->store.path;
    config->store.path = path;
    wake_fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(session_prime_new(&prime, &parts, wake_fd, &err), 0);
    config->store.path = configured;
}

static void free_prime(void)
{
    assert_int_equal(session_prime_stop(prime, MINUTE_US), 0);
    prime = session_prime_free(prime);
}

static void begin(const struct turn *turns, size_t n_turns)
{
    start();
    server_start(&server, turns, n_turns);
    server_run(&server);
    open_prime();
}

static void end_prime(void)
{
    free_prime();
    close(wake_fd);
    server_stop(&server);
    text_free(&server.last);
    stop();
}

static void ask(usec_t gap_us)
{
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/apiWsHub", server.port);
    const struct session_prime_ask question = {
        .name = "city", .community = "default", .url = url, .key = KEY, .server = 1, .gap_us = gap_us
    };
    assert_int_equal(session_prime_ask(prime, &question), 0);
}

/* What waits is stored. */
static void take(char *ret_line, size_t size)
{
    struct pollfd wait = { .fd = wake_fd, .events = POLLIN };
    struct batch batch;
    int before = n_answered;
    assert_int_equal(poll(&wait, 1, 20000), 1);
    assert_true(session_prime_take(prime, &batch));
    assert_int_equal(batch.events[0].verdict, EVENT_INTERNAL);
    assert_string_equal(batch.events[0].type, PRIMED_TYPE);
    assert_string_equal(batch.events[0].origin->name, "city");
    assert_string_equal(batch.events[0].origin->peer, "127.0.0.1");
    struct description description = DESCRIPTION_INIT;
    event_describe(&batch.events[0], NULL, &description);
    snprintf(ret_line, size, "%s", description.line.s);
    description_free(&description);
    assert_int_equal(pipeline_submit(way_in, &batch, NULL), 0);
    pipeline_flush(way_in);
    while (n_answered == before)
        usleep(1000);
}

static void wait_status(const char *words)
{
    for (int i = 0; i < 20000; i++) {
        struct text status CLEANUP(text_free) = TEXT_INIT;
        struct json_writer out = json_writer(&status);
        json_begin_object(&out, NULL);
        session_prime_add_status(prime, "city", &out);
        json_end(&out);
        if (strstr(status.s, words))
            return;
        usleep(1000);
    }
    fail_msg("never \"%s\"", words);
}

static void at_the_first_start_of_a_log(void **fixture)
{
    (void) fixture;
    char line[512];
    begin(both, 2);
    ask(0);
    take(line, sizeof(line));
    assert_string_equal(line, "known from the CAD: 1 unit, 1 call");
    assert_int_equal(state_as_of(cad), 1);
    assert_string_equal(state_find_unit(cad, "default", 4127)->name, "Mara Ellison");
    assert_string_equal(state_find_call(cad, "default", 55120)->title, "Structure Fire");
    wait_status("\"primed_at\":\"20");
    end_prime();
    /* and after a restart */
    start();
    assert_string_equal(state_find_unit(cad, "default", 4127)->name, "Mara Ellison");
    assert_int_equal(state_find_call(cad, "default", 55120)->primed, STATE_PRIMED_KNOWN);
    stop();
}

static void after_a_gap(void **fixture)
{
    (void) fixture;
    char line[512];
    begin(both, 2);
    ask(42 * USEC_PER_SEC);
    take(line, sizeof(line));
    assert_string_equal(line, "missed during 42 s: call 55120 Structure Fire; different besides: 1 unit");
    end_prime();
}

/* The gap is that from the stop to the login. */
static void after_a_restart(void **fixture)
{
    (void) fixture;
    char line[512];
    begin(NULL, 0);
    session_prime_heard(prime, "city", now_us() - 50 * MINUTE_US);
    end_prime();
    begin(both, 2);
    ask(0);
    take(line, sizeof(line));
    assert_string_equal(line, "missed during 50 min: call 55120 Structure Fire; different besides: 1 unit");
    end_prime();
}

static void where_nothing_differs_there_is_no_event(void **fixture)
{
    (void) fixture;
    static const struct turn nothing_there[] = { { OK_JSON("{\"activeCalls\":[],\"emergencyCalls\":[]}"), CLOSE },
                                                 { OK_JSON("[]"), CLOSE } };
    struct batch batch;
    begin(nothing_there, 2);
    ask(42 * USEC_PER_SEC);
    wait_status("\"primed_at\":\"20");
    assert_false(session_prime_take(prime, &batch));
    assert_int_equal(store_last_id(store), 0);
    end_prime();
}

static void one_of_the_two_is_better_than_none(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { "HTTP/1.1 402 Payment Required\r\nConnection: close\r\n\r\n", CLOSE },
                                         { UNITS, CLOSE } };
    char line[512];
    begin(turns, 2);
    ask(42 * USEC_PER_SEC);
    take(line, sizeof(line));
    assert_string_equal(line, "after 42 s without connection, different: 1 unit");
    wait_status("the community's plan does not have it");
    end_prime();
}

static void no_more_often_than_the_cad_allows(void **fixture)
{
    (void) fixture;
    char line[512];
    struct prime_pace pace = { .community = "default" };
    struct store_reader *reader;
    begin(both, 2);
    ask(0);
    take(line, sizeof(line));
    end_prime();
    start(); /* what was kept is in the log by now */
    open_prime();
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    prime_read_pace(&pace, reader);
    store_reader_close(reader);
    usec_t now = uptime_us();
    assert_true(pace.calls_us && now - pace.calls_us < PRIME_PACE_US);
    assert_true(pace.units_us[0] == pace.calls_us && pace.units_us[1] == pace.calls_us);
    free_prime();
    close(wake_fd);
    stop();
}

/* A disconnected session's question is not asked, one that is under way ends with the program. */
static void the_end_waits_for_nobody(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { NULL, HANG } };
    struct batch batch;
    start();
    server_start(&server, turns, 1);
    int told_fd = server.told_fd = eventfd(0, EFD_CLOEXEC);
    server_run(&server);
    open_prime();
    ask(42 * USEC_PER_SEC);
    struct pollfd told = { .fd = told_fd, .events = POLLIN };
    assert_int_equal(poll(&told, 1, 20000), 1);
    session_prime_forget(prime, "city");
    session_prime_forget(prime, "nobody");
    assert_false(session_prime_take(prime, &batch));
    end_prime();
    assert_int_equal(server.n_requests, 1);
    close(told_fd);
}

static int with_folder(void **fixture)
{
    n_answered = 0;
    if (make_folder(fixture) < 0)
        return -1;
    read_config();
    return 0;
}

static int without_folder(void **fixture)
{
    config = config_free(config);
    return remove_folder(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_folder, without_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(at_the_first_start_of_a_log),
        TEST(after_a_gap),
        TEST(after_a_restart),
        TEST(where_nothing_differs_there_is_no_event),
        TEST(one_of_the_two_is_better_than_none),
        TEST(no_more_often_than_the_cad_allows),
        TEST(the_end_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
