/* test_session_prime.c - a session that asks what the CAD knows: the event that comes of it, gaps over restarts, how
 * often it may ask, and what is told of trouble. */
#include "prime_helpers.h"

static void at_the_first_start_of_a_log(void **fixture)
{
    (void) fixture;
    char line[512];
    begin(both, 2);
    ask(0);
    take(line, sizeof(line));
    assert_string_equal(line, "known from the CAD: 1 unit, 1 call");
    assert_int_equal(state_as_of(cad), 1);
    struct pipeline_status heard_status;
    pipeline_get_status(pipeline, &heard_status);
    assert_int_equal(heard_status.n_heard, 0); /* the silence goes on (log.silence) */
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
    ask(5 * USEC_PER_SEC);
    assert_int_equal(asked_gap_us(), 5 * USEC_PER_SEC); /* the one before is over */
    end_prime();
}

/* The gap is that from the stop to the login. */
static void after_a_restart(void **fixture)
{
    (void) fixture;
    char line[512];
    begin(NULL, 0);
    session_prime_heard(prime, "city", PLACE, now_us() - 50 * MINUTE_US);
    session_prime_heard(prime, "city", PLACE, now_us() - 60 * MINUTE_US); /* never back */
    end_prime();
    begin(both, 2);
    ask(0);
    take(line, sizeof(line));
    assert_string_equal(line, "missed during 50 min: call 55120 Structure Fire; different besides: 1 unit");
    end_prime();
}

/* The name of a session may lead elsewhere by now. */
static void what_another_cad_has_was_not_missed(void **fixture)
{
    (void) fixture;
    char line[512];
    begin(NULL, 0);
    session_prime_heard(prime, "city", PLACE + 1, now_us() - 50 * MINUTE_US);
    end_prime();
    begin(both, 2);
    ask(0);
    take(line, sizeof(line));
    assert_string_equal(line, "known from the CAD: 1 unit, 1 call");
    end_prime();
}

/* As long as it is not stored it is not primed, and the gap stays. */
static void what_could_not_be_stored_is_asked_for_again(void **fixture)
{
    (void) fixture;
    struct text status CLEANUP(text_free) = TEXT_INIT;
    begin(both, 2);
    ask(42 * USEC_PER_SEC);
    struct batch batch = take_batch();
    batch_done(&batch);
    show_status(&status);
    assert_non_null(strstr(status.s, "\"primed_at\":null"));
    session_prime_heard(prime, "city", PLACE, now_us());
    session_prime_again(prime, "city", &primed);
    wait_status("what the CAD knows could not be stored");
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, "city");
    usec_t now = uptime_us();
    assert_true(job->wanted && job->due_us > now + PRIME_RETRY_US / 2 && job->due_us <= now + PRIME_RETRY_US);
    assert_int_equal(job->question.login_us - job->question.gap_begin_us, 42 * USEC_PER_SEC);
    assert_int_equal(job->heard_us, 0);
    pthread_mutex_unlock(&prime->lock);
    session_prime_settled(prime, "city", &primed); /* too late: nothing */
    wait_status("\"primed_at\":null");
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
    assert_false(session_prime_take(prime, &batch, &primed));
    assert_int_equal(ask_number("SELECT count(*) FROM events"), 0);
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
    wait_status("\"primed_at\":null");
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
    assert_false(session_prime_take(prime, &batch, &primed));
    end_prime();
    assert_int_equal(server.n_requests, 1);
    close(told_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(at_the_first_start_of_a_log),
        TEST(after_a_gap),
        TEST(after_a_restart),
        TEST(what_another_cad_has_was_not_missed),
        TEST(what_could_not_be_stored_is_asked_for_again),
        TEST(where_nothing_differs_there_is_no_event),
        TEST(one_of_the_two_is_better_than_none),
        TEST(no_more_often_than_the_cad_allows),
        TEST(the_end_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
