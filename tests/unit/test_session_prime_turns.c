/* test_session_prime_turns.c - several that want to be primed, and what the CAD asks for: whose turn it is, and when.
 */
#include "prime_helpers.h"

/* What comes of the old question settles nothing of the new one, which waits for the key. */
static void another_question_under_the_same_name(void **fixture)
{
    (void) fixture;
    static const struct turn four[] = { { CALLS, CLOSE }, { UNITS, CLOSE }, { CALLS, CLOSE }, { UNITS, CLOSE } };
    struct text status CLEANUP(text_free) = TEXT_INIT;
    eventfd_t n = 0, all = 0;
    start();
    server_start(&server, four, 4);
    int told_fd = server.told_fd = eventfd(0, EFD_CLOEXEC);
    server_run(&server);
    open_prime();
    ask(42 * USEC_PER_SEC);
    while (all < 2 && eventfd_read(told_fd, &n) == 0)
        all += n;
    session_prime_forget(prime, "city"); /* while it waits whether an event tells of the call after all */
    ask_as("city", "default", "ANOTHER-KEY", PLACE, 42 * USEC_PER_SEC);
    ask_as("town", "another", KEY, PLACE + 1, 42 * USEC_PER_SEC);
    struct batch batch = take_batch();
    assert_string_equal(batch.events[0].origin->name, "town");
    assert_false(session_prime_take(prime, &batch, &primed));
    show_status(&status);
    assert_non_null(strstr(status.s, "\"primed_at\":null"));
    pthread_mutex_lock(&prime->lock);
    assert_true(prime_find_job(prime, "city")->wanted);
    pthread_mutex_unlock(&prime->lock);
    end_prime();
    close(told_fd);
    batch_done(&batch);
}

/* A login while the calls of the one before are asked for: what comes of those is of use, but its own question is asked
 * all the same, and with the longer gap. */
static void another_login_meanwhile(void **fixture)
{
    (void) fixture;
    char line[512];
    struct text status CLEANUP(text_free) = TEXT_INIT;
    eventfd_t n;
    start();
    server_start(&server, both, ARRAY_SIZE(both));
    int told_fd = server.told_fd = eventfd(0, EFD_CLOEXEC);
    int go_fd = server.go_fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    server_run(&server);
    open_prime();
    ask(42 * USEC_PER_SEC);
    assert_int_equal(eventfd_read(told_fd, &n), 0);
    ask(5 * USEC_PER_SEC);
    assert_int_equal(eventfd_write(go_fd, ARRAY_SIZE(both)), 0);
    take(line, sizeof(line));
    assert_string_equal(line, "missed during 42 s: call 55120 Structure Fire; different besides: 1 unit");
    show_status(&status);
    assert_non_null(strstr(status.s, "\"primed_at\":null"));
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, "city");
    assert_true(job->wanted && !job->waits && !job->storing);
    assert_in_range(job->question.login_us - job->question.gap_begin_us, 42 * USEC_PER_SEC, MINUTE_US);
    pthread_mutex_unlock(&prime->lock);
    end_prime();
    close(told_fd);
    close(go_fd);
}

static void rest_both(usec_t until_us)
{
    pthread_mutex_lock(&prime->lock);
    prime_pace_of(prime, "default")->rest_until_us = until_us;
    prime_pace_of(prime, "another")->rest_until_us = until_us;
    pthread_mutex_unlock(&prime->lock);
}

/* Both may be asked for from the same moment on: who asked first is. Whose third page of units has to wait a minute. */
static void a_large_community_holds_nobody_up(void **fixture)
{
    (void) fixture;
    char *first = page(1), *second = page(SESSION_REST_PAGE);
    const struct turn turns[] = {
        { CALLS, CLOSE }, { first, CLOSE }, { second, CLOSE }, { CALLS, CLOSE }, { UNITS, CLOSE },
    };
    begin(turns, ARRAY_SIZE(turns));
    rest_both(uptime_us() + USEC_PER_SEC / 5);
    ask(42 * USEC_PER_SEC);
    ask_as("town", "another", KEY, PLACE + 1, 42 * USEC_PER_SEC);
    struct batch batch = take_batch();
    assert_string_equal(batch.events[0].origin->name, "town");
    batch_done(&batch);
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, "city");
    assert_true(job->wanted && job->round && job->round->n_pages == 2);
    pthread_mutex_unlock(&prime->lock);
    session_prime_forget(prime, "city");
    end_prime();
    assert_int_equal(server.n_requests, 5);
    free(first);
    free(second);
}

/* ---- what the CAD asks for ---- */

static void the_cad_asks_for_no_more_than_an_hour(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = {
        { "HTTP/1.1 429 Too Many\r\nRetry-After: 31536000\r\nConnection: close\r\n\r\n", CLOSE }
    };
    begin(turns, 1);
    ask(42 * USEC_PER_SEC);
    wait_status("too many requests");
    pthread_mutex_lock(&prime->lock);
    usec_t now = uptime_us(), due_us = prime_find_job(prime, "city")->due_us;
    usec_t rest_us = prime->paces->rest_until_us;
    pthread_mutex_unlock(&prime->lock);
    assert_true(due_us > now + 59 * MINUTE_US && due_us <= now + 60 * MINUTE_US);
    assert_true(rest_us > now + 59 * MINUTE_US && rest_us <= now + 60 * MINUTE_US);
    end_prime();
}

/* Of whichever list. */
static void each_answer_speaks_for_the_key(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { "HTTP/1.1 402 Payment Required\r\nConnection: close\r\n\r\n", CLOSE },
                                         { "HTTP/1.1 429 Too Many\r\nRetry-After: 1800\r\nConnection: close\r\n\r\n",
                                           CLOSE } };
    begin(turns, 2);
    ask(42 * USEC_PER_SEC);
    wait_status("the community's plan does not have it");
    pthread_mutex_lock(&prime->lock);
    usec_t now = uptime_us(), due_us = prime_find_job(prime, "city")->due_us;
    usec_t rest_us = prime->paces->rest_until_us;
    pthread_mutex_unlock(&prime->lock);
    assert_true(rest_us > now + 29 * MINUTE_US && rest_us <= now + 30 * MINUTE_US);
    assert_true(due_us > now + 29 * MINUTE_US && due_us <= now + 30 * MINUTE_US);
    end_prime();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_question_under_the_same_name), TEST(another_login_meanwhile),
        TEST(a_large_community_holds_nobody_up),    TEST(the_cad_asks_for_no_more_than_an_hour),
        TEST(each_answer_speaks_for_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
