/* test_session_prime_lists.c - what the lists of the CAD are taken for: who is off duty, what was missed and since
 * when; and how often they may be asked for. */
#include "prime_helpers.h"

#define FAILS "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n"
#define NO_CALLS OK_JSON("{\"activeCalls\":[],\"emergencyCalls\":[]}")
#define BODY_911                                                                                                       \
    "{\"key\":\"" KEY "\",\"type\":\"EVENT_911\",\"data\":{\"call\":{\"callId\":90417,\"caller\":\"Zoe\"}}}"

static const char *comes_meanwhile; /* between the first look at the lists and the next; NULL: nothing */
static unsigned n_looks;

static void hear(const char *body, usec_t time_us)
{
    assert_int_equal(post(strdup(body), time_us), 0);
}

int __real_primed_diff(const struct primed_question *question, const struct primed_answers *answers,
                       const struct state_snapshot *known, primed_heard *heard_before, void *context, struct text *ret,
                       size_t *ret_n_missed);
int __wrap_primed_diff(const struct primed_question *question, const struct primed_answers *answers,
                       const struct state_snapshot *known, primed_heard *heard_before, void *context, struct text *ret,
                       size_t *ret_n_missed);
int __wrap_primed_diff(const struct primed_question *question, const struct primed_answers *answers,
                       const struct state_snapshot *known, primed_heard *heard_before, void *context, struct text *ret,
                       size_t *ret_n_missed)
{
    int r = __real_primed_diff(question, answers, known, heard_before, context, ret, ret_n_missed);
    n_looks++;
    if (comes_meanwhile)
        hear(comes_meanwhile, now_us());
    comes_meanwhile = NULL;
    return r;
}

/* ---- units ---- */

/* Who moved while it was asked may stand on no page. */
static void pages_that_do_not_meet(void **fixture)
{
    (void) fixture;
    for (int moved = 0; moved < 2; moved++) {
        char *first = page(1), *second = page(SESSION_REST_PAGE + moved);
        const struct turn turns[] = { { NO_CALLS, CLOSE }, { first, CLOSE }, { second, CLOSE } };
        begin(turns, ARRAY_SIZE(turns));
        ask(42 * USEC_PER_SEC);
        wait_job(has_two_pages, "two pages");
        pthread_mutex_lock(&prime->lock);
        assert_true(prime_find_job(prime, "city")->round->whole == !moved);
        pthread_mutex_unlock(&prime->lock);
        session_prime_forget(prime, "city");
        end_prime();
        free(first);
        free(second);
        assert_int_equal(without_folder(fixture), 0);
        assert_int_equal(with_folder(fixture), 0);
    }
}

/* Unit 4127 is known by then, and would be on a page that did not come. */
static void nobody_is_off_duty_for_a_page_that_fails(void **fixture)
{
    (void) fixture;
    char line[512], *first = page(1);
    const struct turn turns[] = {
        { NO_CALLS, CLOSE }, { UNITS, CLOSE }, { NO_CALLS, CLOSE }, { first, CLOSE }, { FAILS, CLOSE }
    };
    begin(turns, ARRAY_SIZE(turns));
    ask(42 * USEC_PER_SEC);
    take(line, sizeof(line));
    forget_pace();
    ask(5 * USEC_PER_SEC);
    struct batch batch = take_batch();
    assert_int_equal(cJSON_GetArraySize(json_get(batch.events[0].data, "units")), SESSION_REST_PAGE);
    assert_int_equal(cJSON_GetArraySize(json_get(json_get(batch.events[0].data, "gone"), "units")), 0);
    batch_done(&batch);
    end_prime();
    free(first);
}

/* ---- what was missed ---- */

static void an_event_that_was_on_its_way(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = {
        { OK_JSON("{\"EmergencyCalls\":[{\"callId\":90417,\"caller\":\"Zoe\"}]}"), CLOSE }, { UNITS, CLOSE }
    };
    begin(turns, ARRAY_SIZE(turns));
    n_looks = 0;
    comes_meanwhile = BODY_911;
    ask(42 * USEC_PER_SEC);
    struct batch batch = take_batch();
    assert_int_equal(n_looks, 2);
    assert_int_equal(primed.n_missed, 0);
    assert_int_equal(cJSON_GetArraySize(json_get(batch.events[0].data, "calls911")), 0);
    batch_done(&batch);
    end_prime();
}

/* After a crash the log knows better than what was kept, as far as it is of before the login. */
static void the_last_event_before_a_crash(void **fixture)
{
    (void) fixture;
    static const struct turn turns[] = { { FAILS, CLOSE } };
    const struct origin pushed = posted_by;
    begin(NULL, 0);
    session_prime_heard(prime, "city", PLACE, now_us() - 50 * MINUTE_US);
    end_prime();
    begin(turns, ARRAY_SIZE(turns));
    hear(BODY_911, now_us() - 5 * MINUTE_US);
    posted_by = (struct origin){ .source = "session", .name = "city", .peer = "127.0.0.1" };
    hear(BODY_911, now_us() - 10 * MINUTE_US);
    hear(BODY_911, now_us() + 10 * MINUTE_US);
    posted_by = pushed;
    ask(0);
    wait_status("answered 500");
    assert_int_equal(asked_gap_us() / MINUTE_US, 10);
    end_prime();
}

/* ---- how often ---- */

static void each_request_counts_for_the_key(void **fixture)
{
    (void) fixture;
    begin(NULL, 0);
    struct prime_pace *pace = prime_pace_of(prime, "default");
    assert_int_equal(prime_ready_us(prime, "default"), 0);
    pace->calls_us = 1;
    assert_int_equal(prime_ready_us(prime, "default"), 1 + PRIME_PACE_US);
    pace->units_us[0] = 2;
    assert_int_equal(prime_ready_us(prime, "default"), 2 + PRIME_PACE_US);
    pace->units_us[1] = 3;
    assert_int_equal(prime_ready_us(prime, "default"), 3 + PRIME_PACE_US);
    assert_int_equal(prime_page_us(pace), 2 + PRIME_PACE_US);
    pace->rest_until_us = 4 + PRIME_PACE_US;
    assert_int_equal(prime_ready_us(prime, "default"), 4 + PRIME_PACE_US);
    end_prime();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_that_do_not_meet),          TEST(nobody_is_off_duty_for_a_page_that_fails),
        TEST(an_event_that_was_on_its_way),    TEST(the_last_event_before_a_crash),
        TEST(each_request_counts_for_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
