/* test_pipeline.c - state, log and answers belong together: whatever fails, and whenever it starts again. */
#include "pipeline_helpers.h"

/* ---- a store that fails when it is told to ---- */

static _Atomic bool commit_fails;
static _Atomic int appends_left = -1; /* until one fails; -1: none does */

int __real_store_commit(struct store *log, struct err *error);
int __real_store_append_all(struct store *log, const struct store_entry *entries, size_t n, struct err *error);
int __wrap_store_commit(struct store *log, struct err *error);
int __wrap_store_append_all(struct store *log, const struct store_entry *entries, size_t n, struct err *error);

int __wrap_store_commit(struct store *log, struct err *error)
{
    return commit_fails ? err_set(error, -ENOSPC, "the disk is full") : __real_store_commit(log, error);
}

int __wrap_store_append_all(struct store *log, const struct store_entry *entries, size_t n, struct err *error)
{
    int left = appends_left;
    if (left >= 0)
        appends_left = left < (int) n ? -1 : left - (int) n;
    if (left < 0 || left >= (int) n)
        return __real_store_append_all(log, entries, n, error);
    int r = __real_store_append_all(log, entries, (size_t) left, error);
    return r < 0 ? r : err_set(error, -ENOSPC, "the disk is full");
}

/* ---- the tests ---- */

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
        now += random_below(30 * MINUTE_US);
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

/* Of units from first on. */
static char *statuses_with(const char *key, size_t first, size_t n)
{
    struct text body = TEXT_INIT;
    text_addf(&body, "{\"key\":\"%s\",\"type\":\"EVENT_UNIT_STATUS\",\"data\":[", key);
    for (size_t i = 0; i < n; i++)
        text_addf(&body, "%s{\"identIds\":[%zu],\"status\":3}", i ? "," : "", first + i);
    text_add(&body, "]}");
    assert_false(body.failed);
    return body.s;
}

static char *many_statuses(size_t first, size_t n)
{
    return statuses_with(KEY, first, n);
}

static void hand_in(char *body)
{
    const struct event_community communities[] = { { "default", KEY }, { "another", "ANOTHER-KEY" } };
    const struct envelope_rules rules = { .communities = communities, .n_communities = 2, .families = &families_all };
    struct batch batch;
    assert_int_equal(envelope_parse(body, strlen(body), &rules, &posted_by, T0, &batch, NULL, &err), ENVELOPE_OK);
    assert_int_equal(pipeline_submit(way_in, &batch, &batch), 0);
}

static const char *community_of(uint64_t id)
{
    static char name[NAME_MAX_BYTES + 1];
    struct store_reader *reader;
    struct store_row row;
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ .after_id = id - 1, .last_id = id }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    snprintf(name, sizeof(name), "%s", row.community);
    store_reader_close(reader);
    return name;
}

static void wait_answered(size_t n)
{
    usec_t end = uptime_us() + PATIENCE_US;
    while (n_answered < (int) n && uptime_us() < end)
        usleep(100);
    assert_int_equal(n_answered, n);
}

static void hand_in_and_wait(void)
{
    enum { LISTS = 4 };
    for (size_t i = 0; i < LISTS; i++)
        hand_in(many_statuses(100 * i, EVENT_MAX_BATCH));
    hand_in(statuses_with("ANOTHER-KEY", 1, 1));
    hand_in(many_statuses(1, 1));
    hand_in(statuses_with("ANOTHER-KEY", 2, 1));
    pipeline_flush(way_in);
    wait_answered(LISTS + 3);
    assert_int_equal(store_last_id(store), LISTS * EVENT_MAX_BATCH + 3);
}

/* The other's events are before its lists, or behind the first of them; its own event stays behind them. */
static void one_community_does_not_wait_for_all_of_another(void **unused)
{
    (void) unused;
    hand_in_and_wait();
    uint64_t first = strcmp(community_of(1), "another") == 0 ? 1 : 1 + EVENT_MAX_BATCH;
    assert_string_equal(community_of(first), "another");
    assert_string_equal(community_of(first + 1), "another");
    assert_string_equal(community_of(first + 2), "default");
    assert_string_equal(community_of(store_last_id(store)), "default");
}

/* Another's events find room beside as many of its lists as may wait, together more than one of these. */
static void large_requests_leave_room(void **unused)
{
    enum { OTHERS = 200 };
    char *body;
    struct batch batch = { 0 };
    const struct event_community communities[] = { { "default", KEY } };
    const struct envelope_rules rules = { .communities = communities, .n_communities = 1, .families = &families_all };
    const struct pipeline_settings narrow = { .max_queue_bytes = 8 << 20 };
    size_t n = 0;
    int r;
    (void) unused;
    pipeline_configure(pipeline, &narrow);
    do {
        body = many_statuses(1, 200);
        batch_done(&batch);
        assert_int_equal(envelope_parse(body, strlen(body), &rules, &posted_by, T0, &batch, NULL, &err), ENVELOPE_OK);
        r = pipeline_submit(way_in, &batch, &batch);
    } while (r == 0 && ++n);
    batch_done(&batch);
    assert_int_equal(r, -EBUSY);
    assert_true(n > 0);
    for (size_t i = 0; i < OTHERS; i++)
        hand_in(statuses_with("ANOTHER-KEY", i, 1));
    pipeline_flush(way_in);
    wait_answered(n + OTHERS);
}

static void a_large_request_that_fails_at_its_last(void **unused)
{
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    assert_int_equal(post(many_statuses(5, 100), T0), 0);
    dump(&before);
    appends_left = EVENT_MAX_BATCH - 1;
    assert_int_equal(post(many_statuses(5, EVENT_MAX_BATCH), T0 + 1), -ENOSPC);
    assert_int_equal(appends_left, -1);
    dump(&after);
    assert_string_equal(before.s, after.s);
    assert_int_equal(store_last_id(store), 100);

    assert_int_equal(post(many_statuses(5, EVENT_MAX_BATCH), T0 + 2), 0);
    dump(&before);
    stop();
    start();
    dump(&after);
    assert_string_equal(before.s, after.s);
    assert_int_equal(store_last_id(store), 100 + EVENT_MAX_BATCH);
}

/* State keeps the newest of them, in no more memory than that takes, and a start knows the same ones. */
static void a_hundred_thousand_units(void **unused)
{
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    struct state_snapshot *snapshot;
    (void) unused;
    for (size_t n = 0; n < 25; n++)
        assert_int_equal(post(many_statuses(1000 + n * EVENT_MAX_BATCH * 3 / 4, EVENT_MAX_BATCH), T0 + n), 0);
    assert_int_equal(state_snapshot(cad, "default", &snapshot), 0);
    assert_int_equal(snapshot->n_units, STATE_MAX_ENTRIES);
    state_snapshot_free(snapshot);
    dump(&before);
    stop();
    start();
    dump(&after);
    assert_string_equal(before.s, after.s);
    assert_int_equal(store_last_id(store), 25 * EVENT_MAX_BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(state_is_that_of_the_log),
        pipeline_test(events_of_one_request_concern_each_other),
        pipeline_test(one_community_does_not_wait_for_all_of_another),
        pipeline_test(large_requests_leave_room),
        pipeline_test(a_large_request_that_fails_at_its_last),
        pipeline_test(a_hundred_thousand_units),
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
