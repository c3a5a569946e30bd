/* test_session_prime_trouble.c - the priming of sessions where not all is well: answers that are too much, a full
 * disk, refusals, a clock that is set back. */
#include "prime_helpers.h"

/* ---- large answers ---- */

/* 100 units, each with a list that nobody asked for. */
static char *large_page(int first)
{
    struct text text = TEXT_INIT;
    text_add(&text, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[");
    for (int i = 0; i < SESSION_REST_PAGE; i++) {
        text_addf(&text, "%s{\"id\":%d,\"status\":2,\"data\":{\"unitNum\":\"U\"},\"x\":[1", i ? "," : "", first + i);
        for (int k = 0; k < 1000; k++)
            text_add(&text, ",1");
        text_add(&text, "]}");
    }
    text_add(&text, "]");
    return text.s;
}

/* A large community's pages are kept for minutes, until the last one has come. */
static void of_a_page_only_what_counts_is_kept(void **fixture)
{
    (void) fixture;
    char *first = large_page(1), *second = large_page(SESSION_REST_PAGE);
    const struct turn turns[] = { { CALLS, CLOSE }, { first, CLOSE }, { second, CLOSE } };
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    wait_job(has_two_pages, "two pages");
    pthread_mutex_lock(&prime->lock);
    const struct prime_round *round = prime_find_job(prime, "city")->round;
    for (size_t i = 0; i < round->n_pages; i++) {
        const cJSON *unit = round->pages[i]->child;
        assert_int_equal(cJSON_GetArraySize(round->pages[i]), SESSION_REST_PAGE);
        assert_null(json_get(unit, "x"));
        assert_string_equal(json_get_text(json_get(unit, "data"), "unitNum"), "U");
    }
    assert_true(round->whole && round->more);
    pthread_mutex_unlock(&prime->lock);
    end_prime();
    free(first);
    free(second);
}

/* ---- a disk that is full ---- */

static void store_it(struct batch *take_batch, const struct session_primed *its)
{
    int before = n_answered;
    assert_int_equal(pipeline_submit(way_in, take_batch, NULL), 0);
    pipeline_flush(way_in);
    while (n_answered == before)
        usleep(1000);
    session_prime_settled(prime, "city", its);
}

static bool is_over(const struct prime_job *job)
{
    return !job->wanted && !job->waits;
}

/* A new login while the batch waits: as long as state does not have that, the same would be missed again. */
static void what_waits_to_be_stored_is_not_missed_twice(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { CALLS, CLOSE }, { UNITS, CLOSE }, { CALLS, CLOSE },
                                         { UNITS, CLOSE }, { CALLS, CLOSE }, { UNITS, CLOSE } };
    struct batch again;
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    struct batch first = take_batch();
    struct session_primed its = { primed.number, 1 };
    forget_pace();
    ask(5 * USEC_PER_SEC);
    assert_true(asked_gap_us() >= 42 * USEC_PER_SEC);
    ask_as("town", "another", KEY, PLACE + 1, 42 * USEC_PER_SEC);
    struct batch other = take_batch();
    assert_string_equal(other.events[0].origin->name, "town");
    batch_done(&other);
    store_it(&first, &its);
    wait_job(is_over, "asked again");
    assert_false(session_prime_take(prime, &again, &primed));
    assert_int_equal(prime->values.missed, 1);
    end_prime();
}

/* ---- refusals ---- */

/* When it is asked again, behind the refusal and a reload. */
static usec_t due_after(const char *refusal)
{
    const struct turn turns[] = { { refusal, CLOSE }, { UNITS, CLOSE } };
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    wait_job(is_refused, "a refusal");
    session_prime_hurry(prime, "nobody");
    session_prime_hurry(prime, "city");
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, "city");
    usec_t now = uptime_us(), in_us = job->due_us > now ? job->due_us - now : 0;
    assert_true(job->wanted && !job->told_status);
    pthread_mutex_unlock(&prime->lock);
    end_prime();
    return in_us;
}

static void a_reload_tries_again(void **fixture)
{
    (void) fixture;
    assert_int_equal(due_after("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n"), 0);
}

static void not_before_the_cad_wants_it(void **fixture)
{
    (void) fixture;
    usec_t in_us = due_after("HTTP/1.1 403 Forbidden\r\nRetry-After: 1800\r\nConnection: close\r\n\r\n");
    assert_true(in_us > 29 * MINUTE_US && in_us <= 30 * MINUTE_US);
}

/* ---- what came all the same ---- */

#define CALL911(id) "{\"callId\":" id ",\"caller\":\"Zoe\"}"

static void hear(const char *body)
{
    char *copy = strdup(body);
    assert_int_equal(post(copy, now_us()), 0);
}

/* The list is older than its removal, and state tells nothing of it any more. */
static void a_911_call_that_was_heard_and_removed(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = {
        { OK_JSON("{\"EmergencyCalls\":[" CALL911("90417") "," CALL911("90418") "]}"), CLOSE }, { UNITS, CLOSE }
    };
    begin(turns, ARRAY_SIZE(turns));
    hear("{\"key\":\"" KEY "\",\"type\":\"EVENT_911\",\"data\":{\"call\":" CALL911("90417") "}}");
    hear("{\"key\":\"" KEY "\",\"type\":\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[90417,90418]}}");
    ask(42 * USEC_PER_SEC);
    struct batch batch = take_batch();
    const cJSON *list = json_get(batch.events[0].data, "calls911");
    for (const cJSON *call = list->child; call; call = call->next)
        assert_int_equal(!json_get(call, "missed"), json_get(call, "callId")->valuedouble == 90417);
    batch_done(&batch);
    end_prime();
}

/* ---- a clock that is set back ---- */

static void what_was_heard_in_the_future(void **fixture)
{
    (void) fixture;
    begin(NULL, 0);
    usec_t now = now_us();
    session_prime_heard(prime, "city", PLACE, now + 60 * MINUTE_US);
    assert_true(kept_us() >= now && kept_us() < now + MINUTE_US);
    pthread_mutex_lock(&prime->lock);
    prime_find_job(prime, "city")->heard_us = now + 60 * MINUTE_US; /* what was now then */
    pthread_mutex_unlock(&prime->lock);
    session_prime_heard(prime, "city", PLACE, now - MINUTE_US);
    assert_true(kept_us() == now - MINUTE_US);
    end_prime();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_a_page_only_what_counts_is_kept),
        TEST(what_waits_to_be_stored_is_not_missed_twice),
        TEST(a_reload_tries_again),
        TEST(not_before_the_cad_wants_it),
        TEST(a_911_call_that_was_heard_and_removed),
        TEST(what_was_heard_in_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
