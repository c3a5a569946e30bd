/* pipeline_helpers.h - the daemon's middle: a log, state, a pipeline and a delivery without actions; started, stopped
 * and fed with bodies at times of the test's own. */
#pragma once

#include "store_helpers.h"

#include <dirent.h>
#include <sonoran-pushd/daemon.h>
#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <syslog.h>

#include "state_dump.h"

#define KEY "TEST-API-KEY-0000"
#define T0 ((usec_t) 1795449600 * USEC_PER_SEC)
#define MINUTE_US (60 * USEC_PER_SEC)
#define DAY_US (24 * 60 * MINUTE_US)
#define PATIENCE_US MINUTE_US
#define MAX_ID 100 /* of the 911 calls that dumps ask for; those of samples are asked for by name */

static struct store *store;
static struct state *cad;
static struct pipeline *pipeline;
static struct pipeline_source *way_in;
static struct feed *feed;
static struct delivery *delivery;
static struct config *config;
static const char *community_name = "default"; /* whose bodies are posted */
static bool several_communities;
static struct origin posted_by = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "192.0.2.1" };
static uint64_t keep_us;            /* what is to be kept; nothing is deleted for it */
static void (*before_writer)(void); /* what a test opens before the writer starts; NULL: nothing */

static _Atomic int n_answered, last_answer;

static inline void answer(void *userdata, void *ticket, const struct event *first, int r)
{
    (void) userdata;
    (void) ticket;
    (void) first;
    last_answer = r;
    n_answered++;
}

static inline void nothing(void *userdata)
{
    (void) userdata;
}

static inline bool never(void)
{
    return false;
}

static inline void heard(void *userdata, const char *source, const char *peer, usec_t time_us)
{
    (void) userdata;
    (void) source;
    (void) peer;
    (void) time_us;
}

static inline void read_config(void)
{
    char file[160];
    struct config_problems problems;
    snprintf(file, sizeof(file), "%s/pushd.yaml", folder);
    FILE *out = fopen(file, "we");
    assert_non_null(out);
    fputs("communities: [ { api_key: \"" KEY "\" } ]\n", out);
    fclose(out);
    chmod(file, 0600);
    assert_int_equal(config_load(file, &daemon_schema, NULL, &config, &problems), 0);
    config_problems_free(&problems);
}

static inline void start(void)
{
    const struct pipeline_settings settings = { .max_queue_bytes = 64 << 20,
                                                .several_communities = several_communities,
                                                .keep_us = keep_us };
    store = open_store(0, 0);
    assert_int_equal(feed_new(&feed, store, &families_all), 0);
    const struct delivery_settings deliveries = { .feed = feed, .families = &families_all, .changed = nothing };
    const struct pipeline_recovery recovery = { path, &families_all, never, heard, NULL };
    const struct pipeline_source_callbacks callbacks = { .settled = answer };
    cad = state_new();
    assert_int_equal(pipeline_new(&pipeline, store, cad, &settings), 0);
    assert_int_equal(pipeline_source_new(&way_in, pipeline, &callbacks), 0);
    assert_int_equal(delivery_new(&delivery, &deliveries), 0);
    if (before_writer)
        before_writer();
    if (pipeline_recover(pipeline, &recovery, &err) < 0 || delivery_load(delivery, config, store, &err) < 0 ||
        pipeline_start(pipeline, feed, delivery, &err) < 0 || delivery_start(delivery, &err) < 0)
        fail_msg("%s", err.msg);
}

/* true: it came to that within the time. */
static inline bool wait_count(const _Atomic int *value, int wanted)
{
    usec_t end = uptime_us() + PATIENCE_US;
    while (*value < wanted && uptime_us() < end)
        usleep(100);
    return *value >= wanted;
}

static inline void stop(void)
{
    delivery_stop(delivery, USEC_PER_SEC);
    assert_int_equal(pipeline_stop(pipeline, PATIENCE_US), 0);
    way_in = pipeline_source_free(way_in);
    pipeline = pipeline_free(pipeline);
    delivery = delivery_free(delivery);
    feed = feed_free(feed);
    cad = state_free(cad);
    store = store_close(store);
}

static inline int set_up(void **state)
{
    if (make_folder(state) < 0)
        return -1;
    n_answered = 0;
    read_config();
    start();
    return 0;
}

static inline int tear_down(void **state)
{
    stop();
    config = config_free(config);
    return remove_folder(state);
}

#define pipeline_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* Posts a body, which becomes free; what was answered. */
static inline int post(char *body, usec_t time_us)
{
    const struct event_community communities[] = { { community_name, KEY }, { "another", "ANOTHER-KEY" } };
    const struct envelope_rules rules = { .communities = communities,
                                          .n_communities = several_communities ? 2 : 1,
                                          .families = &families_all };
    struct batch batch;
    int before = n_answered;
    usec_t end = uptime_us() + PATIENCE_US;
    enum envelope_refusal refusal = envelope_parse(body, strlen(body), &rules, &posted_by, time_us, &batch, NULL, &err);
    if (refusal != ENVELOPE_OK)
        return 1;
    assert_int_equal(pipeline_submit(way_in, &batch, &batch), 0);
    pipeline_flush(way_in);
    while (n_answered == before && uptime_us() < end)
        usleep(100);
    assert_int_equal(n_answered, before + 1);
    return last_answer;
}

static inline void dump(struct text *out)
{
    static const int64_t calls911[] = { 90417, 90418, 90430, 90500 };
    text_reset(out);
    dump_state_text(cad, "default", MAX_ID, out);
    for (size_t i = 0; i < ARRAY_SIZE(calls911); i++) {
        const struct state_call911 *call = state_find_call911(cad, "default", calls911[i]);
        if (call)
            dump_call911_text(out, call);
    }
    assert_false(out->failed);
}

static char *names[400];
static size_t n_names;

static inline int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static inline void list_samples(void)
{
    DIR *samples = opendir(FIXTURES "/samples");
    assert_non_null(samples);
    for (const struct dirent *entry; (entry = readdir(samples));)
        if (entry->d_name[0] != '.' && n_names < ARRAY_SIZE(names))
            names[n_names++] = strdup(entry->d_name);
    closedir(samples);
    qsort(names, n_names, sizeof(names[0]), compare);
    assert_true(n_names > 50);
}

static inline char *read_sample(const char *name)
{
    char file[512];
    struct text body = TEXT_INIT;
    snprintf(file, sizeof(file), "%s/samples/%s", FIXTURES, name);
    FILE *in = fopen(file, "re");
    assert_non_null(in);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof(piece), in)) > 0;)
        text_add_bytes(&body, piece, n);
    fclose(in);
    return body.s;
}

static uint64_t seed;

static inline uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

static inline void read_line(uint64_t id, struct text *ret)
{
    struct store_reader *reader;
    struct store_row row;
    text_reset(ret);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ .after_id = id - 1, .last_id = id }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_true(row.described);
    text_add_bytes(ret, row.summary.s, row.summary.size);
    text_add(ret, "\n");
    text_add_bytes(ret, row.known.s, row.known.size);
    store_reader_close(reader);
}
