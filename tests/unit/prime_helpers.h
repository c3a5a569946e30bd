/* prime_helpers.h - the priming of sessions beside a log, and a server that is asked. */
#pragma once

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
static struct session_primed primed; /* of the batch that was taken last */

static inline void open_prime(void)
{
    const struct source_parts parts = { .config = config, .families = &families_all, .way_in = way_in, .state = cad };
    char *configured = config->store.path;
    config->store.path = path;
    wake_fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(session_prime_new(&prime, &parts, wake_fd, &err), 0);
    config->store.path = configured;
}

static inline void free_prime(void)
{
    assert_int_equal(session_prime_stop(prime, MINUTE_US), 0);
    prime = session_prime_free(prime);
}

static inline void begin(const struct turn *turns, size_t n_turns)
{
    start();
    server_start(&server, turns, n_turns);
    server_run(&server);
    open_prime();
}

static inline void end_prime(void)
{
    free_prime();
    close(wake_fd);
    server_stop(&server);
    text_free(&server.last);
    stop();
}

#define PLACE 7

static inline void ask_as(const char *name, const char *community, const char *key, uint64_t place, usec_t gap_us)
{
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/apiWsHub", server.port);
    const struct session_prime_ask question = { .name = name,
                                                .community = community,
                                                .url = url,
                                                .host = "127.0.0.1",
                                                .key = key,
                                                .server = 1,
                                                .place = place,
                                                .gap_us = gap_us };
    assert_int_equal(session_prime_ask(prime, &question), 0);
}

static inline void ask(usec_t gap_us)
{
    ask_as("city", "default", KEY, PLACE, gap_us);
}

/* What comes next waits no more. */
static inline struct batch take_batch(void)
{
    struct pollfd wait = { .fd = wake_fd, .events = POLLIN };
    struct batch batch;
    eventfd_t n;
    assert_int_equal(poll(&wait, 1, 20000), 1);
    assert_int_equal(eventfd_read(wake_fd, &n), 0);
    assert_true(session_prime_take(prime, &batch, &primed));
    return batch;
}

/* What waits is stored. */
static inline void take(char *ret_line, size_t size)
{
    int before = n_answered;
    struct batch batch = take_batch();
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
    session_prime_settled(prime, "city", &primed);
}

static inline void wait_status(const char *words)
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

static inline void show_status(struct text *ret)
{
    struct json_writer out = json_writer(ret);
    json_begin_object(&out, NULL);
    session_prime_add_status(prime, "city", &out);
    json_end(&out);
}

/* Until something is true of the job of "city". */
static inline void wait_job(bool (*is)(const struct prime_job *job), const char *what)
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

/* As if the last round was long ago. */
static inline void forget_pace(void)
{
    pthread_mutex_lock(&prime->lock);
    for (struct prime_pace *pace = prime->paces; pace; pace = pace->next)
        pace->calls_us = pace->units_us[0] = pace->units_us[1] = 0;
    pthread_mutex_unlock(&prime->lock);
}

/* 100 units, so that there may be more. */
static inline char *page(int first)
{
    struct text text = TEXT_INIT;
    text_add(&text, OK_JSON("["));
    for (int i = 0; i < SESSION_REST_PAGE; i++)
        text_addf(&text, "%s{\"id\":%d,\"status\":2,\"data\":{\"unitNum\":\"U%d\"}}", i ? "," : "", first + i, i);
    text_add(&text, "]");
    return text.s;
}

static inline bool has_two_pages(const struct prime_job *job)
{
    return job->round && job->round->n_pages == 2;
}

static inline bool is_refused(const struct prime_job *job)
{
    return job->refused;
}

/* Of the question of "city", in whole seconds; 0: none. */
static inline usec_t asked_gap_us(void)
{
    pthread_mutex_lock(&prime->lock);
    const struct prime_question *question = &prime_find_job(prime, "city")->question;
    usec_t begin_us = question->gap_begin_us, us = begin_us ? question->login_us - begin_us : 0;
    pthread_mutex_unlock(&prime->lock);
    return us / USEC_PER_SEC * USEC_PER_SEC;
}

/* When "city" was last heard, as it is kept. */
static inline usec_t kept_us(void)
{
    pthread_mutex_lock(&prime->lock);
    usec_t heard_us = prime_find_job(prime, "city")->heard_us;
    pthread_mutex_unlock(&prime->lock);
    return heard_us;
}

static inline int with_folder(void **fixture)
{
    n_answered = 0;
    if (make_folder(fixture) < 0)
        return -1;
    read_config();
    return 0;
}

static inline int without_folder(void **fixture)
{
    config = config_free(config);
    return remove_folder(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_folder, without_folder)
