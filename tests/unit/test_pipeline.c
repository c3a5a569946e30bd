/* test_pipeline.c - state, log and answers belong together: whatever fails, and whenever it starts again. */
#include "store_helpers.h"

#include <dirent.h>
#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/events.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <syslog.h>

#include "state_dump.h"

#define KEY "TEST-API-KEY-0000"
#define T0 ((usec_t) 1795449600 * USEC_PER_SEC)
#define MINUTE_US (60 * USEC_PER_SEC)
#define DAY_US (24 * 60 * MINUTE_US)
#define PATIENCE_US (20 * USEC_PER_SEC)
#define MAX_ID 100 /* of the 911 calls that dumps ask for; those of samples are asked for by name */

static struct store *store;
static struct state *cad;
static struct pipeline *pipeline;
static struct delivery *delivery;
static struct config *config;
static const struct action_types no_types = { 0 };

/* ---- a store that fails when it is told to ---- */

static _Atomic bool commit_fails;
static _Atomic int appends_left = -1; /* until one fails; -1: none does */

int __real_store_commit(struct store *log, struct err *error);
int __real_store_append(struct store *log, const struct event *event, const struct description *description,
                        struct err *error);
int __wrap_store_commit(struct store *log, struct err *error);
int __wrap_store_append(struct store *log, const struct event *event, const struct description *description,
                        struct err *error);

int __wrap_store_commit(struct store *log, struct err *error)
{
    return commit_fails ? err_set(error, -ENOSPC, "the disk is full") : __real_store_commit(log, error);
}

int __wrap_store_append(struct store *log, const struct event *event, const struct description *description,
                        struct err *error)
{
    if (appends_left >= 0 && appends_left-- == 0)
        return err_set(error, -ENOSPC, "the disk is full");
    return __real_store_append(log, event, description, error);
}

/* ---- the daemon's middle ---- */

static _Atomic int n_answered, last_answer;

static void answer(void *userdata, void *ticket, const struct event *first, int r)
{
    (void) userdata;
    (void) ticket;
    (void) first;
    last_answer = r;
    n_answered++;
}

static void nothing(void *userdata)
{
    (void) userdata;
}

static bool never(void)
{
    return false;
}

static void heard(void *userdata, const char *peer, usec_t time_us)
{
    (void) userdata;
    (void) peer;
    (void) time_us;
}

static void read_config(void)
{
    char file[160];
    struct config_problems problems;
    snprintf(file, sizeof(file), "%s/pushd.conf", folder);
    FILE *out = fopen(file, "we");
    assert_non_null(out);
    fputs("communities = ( { api_key = \"" KEY "\" } )\n", out);
    fclose(out);
    chmod(file, 0600);
    assert_int_equal(config_load(file, NULL, &config, &problems), 0);
    config_problems_free(&problems);
}

static void start(void)
{
    const struct pipeline_settings settings = { .max_queue_bytes = 64 << 20 };
    const struct delivery_settings deliveries = {
        .store_path = path, .families = &all_event_families, .types = &no_types, .changed = nothing
    };
    const struct pipeline_recovery recovery = { path, &all_event_families, never, heard, NULL };
    const struct pipeline_callbacks callbacks = { NULL, answer, nothing };
    store = open_store(0, 0);
    cad = state_new();
    assert_int_equal(pipeline_new(&pipeline, store, cad, &settings), 0);
    assert_int_equal(delivery_new(&delivery, &deliveries), 0);
    if (pipeline_recover(pipeline, &recovery, &err) < 0 || delivery_load(delivery, config, store, &err) < 0 ||
        pipeline_start(pipeline, delivery, &callbacks, &err) < 0 || delivery_start(delivery, &err) < 0)
        fail_msg("%s", err.msg);
}

static void stop(void)
{
    delivery_stop(delivery, USEC_PER_SEC);
    assert_int_equal(pipeline_stop(pipeline, PATIENCE_US), 0);
    pipeline = pipeline_free(pipeline);
    delivery = delivery_free(delivery);
    cad = state_free(cad);
    store = store_close(store);
}

static int set_up(void **state)
{
    if (make_folder(state) < 0)
        return -1;
    commit_fails = false;
    appends_left = -1;
    n_answered = 0;
    read_config();
    start();
    return 0;
}

static int tear_down(void **state)
{
    stop();
    config = config_free(config);
    return remove_folder(state);
}

#define pipeline_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* Posts a body, which becomes free; what was answered. */
static int post(char *body, usec_t time_us)
{
    static const struct event_community community = { .name = "default", .key = KEY };
    static const struct http_origin origin = { .listener = "main", .peer = "192.0.2.1" };
    const struct envelope_rules rules = { .communities = &community,
                                          .n_communities = 1,
                                          .families = &all_event_families };
    struct batch batch;
    int before = n_answered;
    usec_t end = uptime_us() + PATIENCE_US;
    enum envelope_refusal refusal = envelope_parse(body, strlen(body), &rules, &origin, time_us, &batch, NULL, &err);
    if (refusal != ENVELOPE_OK)
        return 1;
    assert_int_equal(pipeline_submit(pipeline, &batch, &batch), 0);
    pipeline_flush(pipeline);
    while (n_answered == before && uptime_us() < end)
        usleep(100);
    assert_int_equal(n_answered, before + 1);
    return last_answer;
}

static void dump(struct text *out)
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

/* ---- the tests ---- */

static char *names[400];
static size_t n_names;

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static void list_samples(void)
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

static char *read_sample(const char *name)
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

static uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* Nobody sees what is not on disk, and nothing of it is left; a start finds what was there. The clock is set now and
 * then, for a while or for good. */
static void state_is_that_of_the_log(void **unused)
{
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    usec_t now = T0;
    (void) unused;
    seed = 3;
    for (int i = 0; i < 700; i++) {
        usec_t elsewhere = random_below(40) ? 0 : (random_below(2) ? 30 * DAY_US : -(30 * DAY_US));
        now += random_below(2 * MINUTE_US);
        dump(&before);
        commit_fails = random_below(4) == 0;
        int r = post(read_sample(names[random_below(n_names)]), now + elsewhere);
        if (commit_fails)
            assert_true(r == -ENOSPC || r == 1);
        else
            assert_true(r == 0 || r == 1);
        dump(&after);
        if (r < 0)
            assert_string_equal(before.s, after.s);
        commit_fails = false;
        if (random_below(20))
            continue;
        dump(&before);
        stop();
        start();
        dump(&after);
        assert_string_equal(before.s, after.s);
    }
    assert_true(state_as_of(cad) == store_last_id(store) && store_last_id(store) > 300);
}

static void read_line(uint64_t id, struct text *ret)
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

/* The second of two events of one request is told from what the first one changed, and its row keeps that. */
static void events_of_one_request_concern_each_other(void **unused)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    assert_int_equal(post(strdup("{\"key\":\"" KEY
                                 "\",\"type\":\"EVENT_UNIT_LOGIN\",\"data\":[{\"unit\":{\"id\":41,\"status\":2,"
                                 "\"data\":{\"unitNum\":\"3-L-27\",\"name\":\"Mara Ellison\"}}},{\"unit\":{\"id\":41,"
                                 "\"status\":2,\"data\":{\"unitNum\":\"3-L-27\",\"name\":\"Tess Novak\"}}}]}"),
                          T0),
                     0);
    read_line(1, &line);
    assert_non_null(strstr(line.s,
                           "{\"units\":[{\"id\":41,\"number\":\"3-L-27\",\"name\":\"Mara Ellison\",\"status\":2}],"
                           "\"dispatchers\":0,\"on_duty\":1}"));
    read_line(2, &line);
    assert_non_null(strstr(line.s, "again"));
    assert_non_null(strstr(line.s, "\"name\":\"Tess Novak\""));
}

static char *many_statuses(size_t n)
{
    struct text body = TEXT_INIT;
    text_add(&body, "{\"key\":\"" KEY "\",\"type\":\"EVENT_UNIT_STATUS\",\"data\":[");
    for (size_t i = 0; i < n; i++)
        text_addf(&body, "%s{\"identIds\":[%zu],\"status\":3}", i ? "," : "", 5 + i);
    text_add(&body, "]}");
    assert_false(body.failed);
    return body.s;
}

static void a_large_request_that_fails_at_its_last(void **unused)
{
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    assert_int_equal(post(many_statuses(100), T0), 0);
    dump(&before);
    appends_left = EVENT_MAX_BATCH - 1;
    assert_int_equal(post(many_statuses(EVENT_MAX_BATCH), T0 + 1), -ENOSPC);
    assert_int_equal(appends_left, -1);
    dump(&after);
    assert_string_equal(before.s, after.s);
    assert_int_equal(store_last_id(store), 100);

    assert_int_equal(post(many_statuses(EVENT_MAX_BATCH), T0 + 2), 0);
    dump(&before);
    stop();
    start();
    dump(&after);
    assert_string_equal(before.s, after.s);
    assert_int_equal(store_last_id(store), 100 + EVENT_MAX_BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(state_is_that_of_the_log),
        pipeline_test(events_of_one_request_concern_each_other),
        pipeline_test(a_large_request_that_fails_at_its_last),
    };
    list_samples();
    if (log_open(LOG_TARGET_TEXT, LOG_ERR, &err) < 0) /* one failure is told, events are not */
        return 1;
    int r = cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
    log_close(USEC_PER_SEC);
    while (n_names)
        free(names[--n_names]);
    return r;
}
