/* test_session_prime_kept.c - what a session that wants to be primed keeps from one question to the next: its gap, when
 * it was last heard, what the CAD refused, and pages. */
#include "prime_helpers.h"

#define FAILS "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n"
#define REFUSES "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n"
#define NO_CALLS OK_JSON("{\"activeCalls\":[],\"emergencyCalls\":[]}")
#define NO_UNITS OK_JSON("[]")

static int told_fd, go_fd;

/* A server that answers a request once it is let. */
static void begin_held(const struct turn *turns, size_t n_turns)
{
    start();
    server_start(&server, turns, n_turns);
    told_fd = server.told_fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    go_fd = server.go_fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    server_run(&server);
    open_prime();
}

static void wait_request(void)
{
    eventfd_t n;
    assert_int_equal(eventfd_read(told_fd, &n), 0);
}

static void let(unsigned n)
{
    assert_int_equal(eventfd_write(go_fd, n), 0);
}

static void end_held(void)
{
    end_prime();
    close(told_fd);
    close(go_fd);
}

static void heard_before_this_process(usec_t ago_us)
{
    begin(NULL, 0);
    session_prime_heard(prime, "city", PLACE, now_us() - ago_us);
    end_prime();
}

/* ---- the gap ---- */

/* It is looked for once, and stays until it is filled. */
static void the_gap_over_a_restart(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { FAILS, CLOSE } };
    heard_before_this_process(50 * MINUTE_US);
    begin(turns, 1);
    ask(0);
    wait_status("answered 500");
    pthread_mutex_lock(&prime->lock);
    assert_false(prime_find_job(prime, "city")->question.first);
    pthread_mutex_unlock(&prime->lock);
    assert_int_equal(asked_gap_us() / MINUTE_US, 50);
    end_prime();
}

/* Before it is found, by a login more, or because it lives. */
static void a_gap_that_is_looked_for_is_not_forgotten(void **fixture)
{
    (void) fixture;
    begin_held(both, ARRAY_SIZE(both));
    ask(0);
    wait_request();
    session_prime_heard(prime, "city", PLACE, now_us());
    assert_int_equal(kept_us(), 0);
    ask(5 * USEC_PER_SEC);
    pthread_mutex_lock(&prime->lock);
    assert_true(prime_find_job(prime, "city")->question.first);
    pthread_mutex_unlock(&prime->lock);
    let(ARRAY_SIZE(both));
    end_held();
}

/* ---- when it was heard ---- */

static void where_nothing_was_missed_it_is_kept(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { FAILS, CLOSE } };
    begin(turns, 1);
    ask(0);
    wait_status("answered 500");
    usec_t now = now_us();
    session_prime_heard(prime, "city", PLACE, now);
    assert_int_equal(kept_us(), now);
    end_prime();
}

/* Else a gap would grow for as long as the plan has no such interface. */
static void where_the_cad_refuses_it_is_kept(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { REFUSES, CLOSE }, { NO_UNITS, CLOSE } };
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    wait_job(is_refused, "a refusal");
    usec_t now = now_us();
    session_prime_heard(prime, "city", PLACE, now);
    assert_int_equal(kept_us(), now);
    end_prime();
}

/* ---- trouble ---- */

static bool is_over(const struct prime_job *job)
{
    return !job->wanted;
}

/* A login does not hurry it, whoever reloads does; once it is over nothing is left of it. */
static void a_refusal_that_is_over(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = {
        { REFUSES, CLOSE }, { NO_UNITS, CLOSE }, { NO_CALLS, CLOSE }, { NO_UNITS, CLOSE }
    };
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    wait_job(is_refused, "a refusal");
    ask(5 * USEC_PER_SEC);
    pthread_mutex_lock(&prime->lock);
    assert_true(prime_find_job(prime, "city")->due_us > uptime_us() + MINUTE_US);
    pthread_mutex_unlock(&prime->lock);
    forget_pace();
    session_prime_hurry(prime, "city");
    wait_job(is_over, "no trouble");
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, "city");
    assert_true(!job->refused && !job->n_failed && !job->told_status && !job->problem[0] && job->primed_us);
    pthread_mutex_unlock(&prime->lock);
    end_prime();
}

/* So that it is told when it comes again. */
static void a_failure_that_is_over(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { FAILS, CLOSE }, { NO_CALLS, CLOSE }, { NO_UNITS, CLOSE } };
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    wait_status("answered 500");
    forget_pace();
    ask(5 * USEC_PER_SEC);
    wait_job(is_over, "no trouble");
    pthread_mutex_lock(&prime->lock);
    assert_int_equal(prime_find_job(prime, "city")->told_status, 0);
    pthread_mutex_unlock(&prime->lock);
    end_prime();
}

static void an_end_is_no_failure(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { NULL, HANG } };
    begin_held(turns, 1);
    let(1);
    ask(42 * USEC_PER_SEC);
    wait_request();
    assert_int_equal(session_prime_stop(prime, MINUTE_US), 0);
    for (size_t i = 0; i < SESSION_REST_N_FAILURES; i++)
        assert_int_equal(prime->values.failures[i], 0);
    end_held();
}

static bool is_due(const struct prime_job *job)
{
    return job->wanted && !job->due_us;
}

/* The log knows when the key was used last: nothing else is waited for. */
static void what_may_not_be_asked_yet(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { NO_CALLS, CLOSE }, { NO_UNITS, CLOSE } };
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    wait_job(is_over, "an answer");
    end_prime();
    begin(NULL, 0);
    ask(42 * USEC_PER_SEC);
    wait_job(is_due, "a question that waits for its key alone");
    end_prime();
}

/* ---- an answer that waits to be stored ---- */

static void what_waits_for_nobody(void **fixture)
{
    (void) fixture;
    struct batch batch;
    begin(both, ARRAY_SIZE(both));
    ask(42 * USEC_PER_SEC);
    struct pollfd wait = { .fd = wake_fd, .events = POLLIN };
    assert_int_equal(poll(&wait, 1, 20000), 1);
    session_prime_forget(prime, "city");
    assert_false(session_prime_take(prime, &batch, &primed));
    end_prime();
}

/* Of whoever had the name before. */
static void the_end_of_another_answer(void **fixture)
{
    (void) fixture;
    begin(both, ARRAY_SIZE(both));
    ask(42 * USEC_PER_SEC);
    struct batch batch = take_batch();
    const struct session_primed other = { .number = primed.number + 1 };
    session_prime_settled(prime, "city", &other);
    session_prime_again(prime, "city", &other);
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, "city");
    assert_true(job->waits == primed.number && job->storing == primed.number && !job->wanted && !job->primed_us);
    pthread_mutex_unlock(&prime->lock);
    batch_done(&batch);
    end_prime();
}

/* The login after it has a gap of its own, which that answer does not fill, and does not wait for longer either. */
static void a_login_beside_it(void **fixture)
{
    (void) fixture;
    for (int stored = 0; stored < 2; stored++) {
        begin(both, ARRAY_SIZE(both));
        ask(42 * USEC_PER_SEC);
        struct batch batch = take_batch();
        ask(5 * USEC_PER_SEC);
        if (stored)
            session_prime_settled(prime, "city", &primed);
        else
            session_prime_again(prime, "city", &primed);
        assert_int_equal(kept_us(), 0);
        pthread_mutex_lock(&prime->lock);
        const struct prime_job *job = prime_find_job(prime, "city");
        assert_true(job->wanted && !job->waits && !job->storing && job->due_us <= uptime_us());
        pthread_mutex_unlock(&prime->lock);
        batch_done(&batch);
        end_prime();
        assert_int_equal(without_folder(fixture), 0);
        assert_int_equal(with_folder(fixture), 0);
    }
}

/* ---- pages ---- */

static struct prime_round *round_of_city(void)
{
    pthread_mutex_lock(&prime->lock);
    struct prime_round *round = prime_find_job(prime, "city")->round;
    pthread_mutex_unlock(&prime->lock);
    return round;
}

/* With another key it may be another community: while the pages wait for the next, and while one is on its way. */
static void no_page_of_another_question(void **fixture)
{
    (void) fixture;
    char *first = page(1), *second = page(SESSION_REST_PAGE);
    const struct turn turns[] = { { CALLS, CLOSE }, { first, CLOSE }, { second, CLOSE } };
    begin_held(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    let(3);
    wait_job(has_two_pages, "two pages");
    ask_as("city", "default", "ANOTHER-KEY", PLACE, 42 * USEC_PER_SEC);
    assert_null(round_of_city());
    end_held();
    free(first);
    free(second);
}

static void no_page_that_comes_too_late(void **fixture)
{
    (void) fixture;
    char *first = page(1), *second = page(SESSION_REST_PAGE);
    const struct turn turns[] = {
        { CALLS, CLOSE }, { first, CLOSE }, { second, CLOSE }, { CALLS, CLOSE }, { UNITS, CLOSE }
    };
    begin_held(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    let(2);
    for (int i = 0; i < 3; i++)
        wait_request();
    ask_as("city", "default", "ANOTHER-KEY", PLACE, 42 * USEC_PER_SEC);
    ask_as("town", "another", KEY, PLACE + 1, 42 * USEC_PER_SEC);
    let(3);
    struct batch batch = take_batch();
    assert_string_equal(batch.events[0].origin->name, "town");
    assert_null(round_of_city());
    batch_done(&batch);
    end_held();
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_gap_over_a_restart),
        TEST(a_gap_that_is_looked_for_is_not_forgotten),
        TEST(where_nothing_was_missed_it_is_kept),
        TEST(where_the_cad_refuses_it_is_kept),
        TEST(a_refusal_that_is_over),
        TEST(a_failure_that_is_over),
        TEST(an_end_is_no_failure),
        TEST(what_may_not_be_asked_yet),
        TEST(what_waits_for_nobody),
        TEST(the_end_of_another_answer),
        TEST(a_login_beside_it),
        TEST(no_page_of_another_question),
        TEST(no_page_that_comes_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
