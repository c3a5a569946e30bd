/* test_pipeline_fair.c - of what waits, who is next: large ones and small ones, ordered sources and others, and all at
 * the end. */
#include "pipeline_helpers.h"

static _Atomic bool commit_waits;
static _Atomic int n_held, n_given, n_begun;
static _Atomic uint64_t given_id; /* of the last one */

int __real_store_commit(struct store *log, struct err *error);
int __wrap_store_commit(struct store *log, struct err *error);

int __wrap_store_commit(struct store *log, struct err *error)
{
    n_held += commit_waits;
    while (commit_waits)
        usleep(100);
    n_held = 0;
    return __real_store_commit(log, error);
}

int __real_store_begin(struct store *log, struct err *error);
int __wrap_store_begin(struct store *log, struct err *error);

int __wrap_store_begin(struct store *log, struct err *error)
{
    n_begun++;
    return __real_store_begin(log, error);
}

static void given(void *userdata, void *ticket, const struct event *first, int r)
{
    (void) userdata, (void) ticket;
    assert_true(first || r < 0);
    n_given++;
}

static void note_id(void *userdata, void *ticket, const struct event *first, int r)
{
    given_id = first ? first->id : 0;
    given(userdata, ticket, first, r);
}

static void room(void *userdata)
{
    (void) userdata;
}

static int hand_in_to(struct pipeline_source *to, const char *name, size_t padding)
{
    static const struct origin origin = { "toy", "feeder", "192.0.2.1" };
    const struct event_community community = { name, KEY };
    const struct envelope_rules rules = { &community, 1, &families_all, false, 0, 0 };
    static const struct span type = { "EVENT_REMOVE_911", sizeof("EVENT_REMOVE_911") - 1 };
    struct text data CLEANUP(text_free) = TEXT_INIT;
    struct batch batch;
    struct err problem;
    text_addf(&data, "{\"callIds\":[1],\"x\":\"%*s\"}", (int) padding, "");
    assert_int_equal(envelope_make_one(type, (struct span){ data.s, data.size }, &rules, name, &origin, now_us(),
                                       &batch, &problem),
                     ENVELOPE_OK);
    int r = pipeline_submit(to, &batch, to);
    if (r < 0)
        batch_done(&batch);
    return r;
}

/* As streams do: they fill the queue, and what is posted meanwhile is not sent again. */
static void large_ones_find_room_beside_who_waits_for_it(void **unused)
{
    const struct pipeline_settings narrow = { .max_queue_bytes = 16 << 20 };
    const struct pipeline_source_callbacks fills = { .settled = given, .resume = room, .ordered = true };
    const struct pipeline_source_callbacks posts = { .settled = given };
    struct pipeline_source *filler, *poster;
    int n_filled = 1;
    (void) unused;
    pipeline_configure(pipeline, &narrow);
    assert_int_equal(pipeline_source_new(&filler, pipeline, &fills), 0);
    assert_int_equal(pipeline_source_new(&poster, pipeline, &posts), 0);
    n_given = 0;
    commit_waits = true;
    assert_int_equal(hand_in_to(filler, "default", 0), 0);
    pipeline_flush(filler);
    assert_true(wait_count(&n_held, 1));
    for (; n_filled < 6; n_filled++)
        assert_int_equal(hand_in_to(filler, "default", 1 << 20), 0);
    pipeline_flush(filler);
    assert_int_equal(hand_in_to(poster, "another", 1 << 20), 0);
    pipeline_flush(poster);
    commit_waits = false;
    assert_true(wait_count(&n_given, n_filled + 1));
    pipeline_source_free(filler);
    pipeline_source_free(poster);
}

/* Another program has the log: at the end that is waited for once, and not once for each part of what waits. */
static void a_lock_at_the_end_is_waited_for_once(void **unused)
{
    const struct pipeline_source_callbacks posts = { .settled = given };
    const int n = 512 * 20;
    struct pipeline_source *poster;
    sqlite3 *db = NULL;
    (void) unused;
    assert_int_equal(pipeline_source_new(&poster, pipeline, &posts), 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    n_given = 0;
    for (int i = 0; i < n; i++)
        assert_int_equal(hand_in_to(poster, "default", 0), 0);
    pipeline_flush(poster);
    delivery_stop(delivery, USEC_PER_SEC);
    n_begun = 0;
    pipeline_hurry(pipeline);
    assert_int_equal(pipeline_stop(pipeline, PATIENCE_US), 0);
    sqlite3_close(db);
    assert_int_equal(n_given, n);
    assert_in_range(n_begun, 0, 5);
    pipeline_source_free(poster);
}

/* What a session of a community said, and behind it what was posted. */
static void later_ones_of_a_community_stay_behind(void **unused)
{
    const struct pipeline_source_callbacks orders = { .settled = given, .ordered = true };
    const struct pipeline_source_callbacks posts = { .settled = note_id };
    struct pipeline_source *session, *poster;
    (void) unused;
    assert_int_equal(pipeline_source_new(&session, pipeline, &orders), 0);
    assert_int_equal(pipeline_source_new(&poster, pipeline, &posts), 0);
    given_id = 0;
    n_given = 0;
    commit_waits = true;
    assert_int_equal(hand_in_to(session, "default", 0), 0);
    pipeline_flush(session);
    assert_true(wait_count(&n_held, 1));
    for (int i = 0; i < 700; i++)
        assert_int_equal(hand_in_to(session, "default", 0), 0);
    pipeline_flush(session);
    assert_int_equal(hand_in_to(poster, "default", 0), 0);
    pipeline_flush(poster);
    commit_waits = false;
    assert_true(wait_count(&n_given, 702));
    assert_int_equal(given_id, 702);
    pipeline_source_free(session);
    pipeline_source_free(poster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(large_ones_find_room_beside_who_waits_for_it),
        pipeline_test(a_lock_at_the_end_is_waited_for_once),
        pipeline_test(later_ones_of_a_community_stay_behind),
    };
    if (log_open(LOG_TARGET_TEXT, LOG_ERR, &err) < 0)
        return 1;
    int r = cmocka_run_group_tests_name("pipeline_fair", tests, NULL, NULL);
    log_close(USEC_PER_SEC);
    return r;
}
