/* test_session_prime_trouble.c - the priming of sessions where not all is well: answers that are too much. */
#include "prime_helpers.h"

/* Until something is true of the job of "city". */
static void wait_job(bool (*is)(const struct prime_job *job), const char *what)
{
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&prime->lock);
        const struct prime_job *job = prime_find_job(prime, "city");
        bool so = job && is(job);
        pthread_mutex_unlock(&prime->lock);
        if (so)
            return;
        usleep(1000);
    }
    fail_msg("never: %s", what);
}

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

static bool has_two_pages(const struct prime_job *job)
{
    return job->round && job->round->n_pages == 2;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_a_page_only_what_counts_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
