/* test_pipeline_sources.c - several sources at once: each in its own thread and order, each ticket settled once,
 * whatever becomes of it, and who finds no room told when there is some. */
#include "pipeline_helpers.h"

#include <pthread.h>

#define N_EACH 400
#define N_SOURCES 3

/* ---- a store that fails, or waits, when it is told to ---- */

static _Atomic bool commit_fails, commit_waits;
static _Atomic int n_held; /* commits that wait */
static _Atomic int n_to_fail;

int __real_store_commit(struct store *log, struct err *error);
int __wrap_store_commit(struct store *log, struct err *error);

int __wrap_store_commit(struct store *log, struct err *error)
{
    n_held += commit_waits;
    while (commit_waits)
        usleep(100);
    n_held = 0;
    return commit_fails || (n_to_fail > 0 && n_to_fail--) ? err_set(error, -ENOSPC, "the disk is full")
                                                          : __real_store_commit(log, error);
}

/* ---- a source ---- */

struct ticket {
    int n_settled, r;
    uint64_t id;
    enum event_verdict verdict;
};

struct feeder {
    struct pipeline_source *way_in;
    struct ticket tickets[N_EACH];
    size_t n; /* handed in */
    _Atomic size_t n_settled;
    _Atomic int n_pauses, n_resumes, n_ends;
    bool in_order;
    bool refused; /* each second event is one that no handler can use */
    pthread_t thread;
};

static void settled(void *userdata, void *handed_back, const struct event *first, int r)
{
    struct feeder *feeder = userdata;
    struct ticket *ticket = handed_back;
    feeder->in_order = feeder->in_order && ticket == &feeder->tickets[feeder->n_settled];
    ticket->n_settled++;
    ticket->r = r;
    ticket->id = first->id;
    ticket->verdict = first->verdict;
    feeder->n_settled++;
}

static void settled_all(void *userdata)
{
    struct feeder *feeder = userdata;
    feeder->n_ends++;
}

static void paused(void *userdata)
{
    struct feeder *feeder = userdata;
    feeder->n_pauses++;
}

static void resumed(void *userdata)
{
    struct feeder *feeder = userdata;
    feeder->n_resumes++;
}

static bool ordered; /* those that are opened */
static const char *unstored;

static void feeder_open(struct feeder *feeder)
{
    const struct pipeline_source_callbacks callbacks = { .userdata = feeder,
                                                         .settled = settled,
                                                         .settled_all = settled_all,
                                                         .pause = paused,
                                                         .resume = resumed,
                                                         .ordered = ordered,
                                                         .unstored = unstored };
    *feeder = (struct feeder){ .in_order = true };
    assert_int_equal(pipeline_source_new(&feeder->way_in, pipeline, &callbacks), 0);
}

static int hand_in(struct feeder *feeder, size_t padding)
{
    static const struct origin origin = { "toy", "feeder", "192.0.2.1" };
    static const struct event_community community = { "default", KEY };
    const struct envelope_rules rules = { &community, 1, &families_all, false, 0, 0 };
    static const struct span type = { "EVENT_REMOVE_911", sizeof("EVENT_REMOVE_911") - 1 };
    struct text data CLEANUP(text_free) = TEXT_INIT;
    struct batch batch;
    struct err problem;
    bool wrong = feeder->refused && feeder->n % 2;
    text_addf(&data, "{\"%s\":[1],\"x\":\"%*s\"}", wrong ? "nothing" : "callIds", (int) padding, "");
    assert_int_equal(envelope_make_one(type, (struct span){ data.s, data.size }, &rules, "default", &origin, now_us(),
                                       &batch, &problem),
                     ENVELOPE_OK);
    int r = pipeline_submit(feeder->way_in, &batch, &feeder->tickets[feeder->n]);
    if (r < 0)
        batch_done(&batch);
    else
        feeder->n++;
    return r;
}

static void wait_settled(const struct feeder *feeder)
{
    usec_t end = uptime_us() + PATIENCE_US;
    while (feeder->n_settled < feeder->n && uptime_us() < end)
        usleep(100);
    assert_int_equal(feeder->n_settled, feeder->n);
}

static void each_is_settled_once(const struct feeder *feeder, int r)
{
    assert_true(feeder->in_order);
    for (size_t i = 0; i < feeder->n; i++) {
        assert_int_equal(feeder->tickets[i].n_settled, 1);
        assert_int_equal(feeder->tickets[i].r, r);
        if (r == 0 && i > 0)
            assert_true(feeder->tickets[i].id > feeder->tickets[i - 1].id);
    }
}

/* In rounds of different sizes. */
static void *bring_events(void *argument)
{
    struct feeder *feeder = argument;
    for (size_t i = 0; i < N_EACH; i++) {
        if (hand_in(feeder, 0) < 0)
            return argument; /* not taken */
        if (i % 7 == 0 || i % 5 == 0)
            pipeline_flush(feeder->way_in);
    }
    pipeline_flush(feeder->way_in);
    return NULL;
}

/* ---- the tests ---- */

static void several_sources_hand_in_at_once(void **unused)
{
    struct feeder *feeders = calloc(N_SOURCES, sizeof(*feeders));
    (void) unused;
    for (size_t i = 0; i < N_SOURCES; i++) {
        feeder_open(&feeders[i]);
        feeders[i].refused = i == 1;
        assert_int_equal(pthread_create(&feeders[i].thread, NULL, bring_events, &feeders[i]), 0);
    }
    for (size_t i = 0; i < N_SOURCES; i++) {
        void *problem;
        pthread_join(feeders[i].thread, &problem);
        assert_null(problem);
        wait_settled(&feeders[i]);
        feeders[i].way_in = pipeline_source_free(feeders[i].way_in);
        each_is_settled_once(&feeders[i], 0);
        assert_true(feeders[i].n_ends > 0);
    }
    assert_int_equal(feeders[0].tickets[1].verdict, EVENT_ACCEPTED);
    assert_int_equal(feeders[1].tickets[1].verdict, EVENT_INVALID);
    assert_int_equal(feeders[1].tickets[2].verdict, EVENT_ACCEPTED);
    assert_int_equal(ask_number("SELECT max(id) FROM events"), N_SOURCES * N_EACH);
    free(feeders);
}

static void a_failed_commit_is_settled_and_pauses(void **unused)
{
    struct feeder *feeder = malloc(sizeof(*feeder)), *twin = malloc(sizeof(*twin));
    struct text sentence CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    unstored = "theirs wait";
    feeder_open(feeder);
    feeder_open(twin);
    unstored = NULL;
    commit_fails = true;
    assert_int_equal(hand_in(feeder, 0), 0);
    assert_int_equal(hand_in(feeder, 0), 0);
    pipeline_flush(feeder->way_in);
    wait_settled(feeder);
    pipeline_add_sentence(pipeline, &sentence); /* each kind of source says it once */
    assert_string_equal(sentence.s, "Events cannot be stored (theirs wait)");
    pipeline_source_free(twin->way_in);
    free(twin);
    each_is_settled_once(feeder, -ENOSPC);
    assert_int_equal(feeder->n_pauses, 1);
    assert_int_equal(feeder->n_resumes, 0);
    assert_int_equal(ask_number("SELECT count(*) FROM events"), 0);

    /* Nothing is handed in, and still it is told when it can be again. */
    commit_fails = false;
    assert_true(wait_count(&feeder->n_resumes, 1));
    assert_int_equal(hand_in(feeder, 0), 0);
    pipeline_flush(feeder->way_in);
    wait_settled(feeder);
    assert_int_equal(feeder->tickets[2].r, 0);
    assert_int_equal(feeder->n_pauses, 1);
    pipeline_source_free(feeder->way_in);
    free(feeder);
}

static void hand_in_one(struct feeder *feeder)
{
    assert_int_equal(hand_in(feeder, 0), 0);
    pipeline_flush(feeder->way_in);
}

/* What follows it may have been flushed before anybody could know. */
static void nothing_passes_one_that_failed(void **unused)
{
    struct feeder *feeder = malloc(sizeof(*feeder)), *other = malloc(sizeof(*other));
    (void) unused;
    feeder_open(other);
    ordered = true;
    feeder_open(feeder);
    ordered = false;
    commit_waits = true;
    hand_in_one(feeder);
    assert_true(wait_count(&n_held, 1));
    hand_in_one(feeder);
    hand_in_one(other);
    hand_in_one(feeder);
    n_to_fail = 1;
    commit_waits = false;
    wait_settled(feeder);
    wait_settled(other);
    each_is_settled_once(feeder, -ENOSPC);
    each_is_settled_once(other, 0);
    assert_int_equal(ask_number("SELECT max(id) FROM events"), 1);
    hand_in_one(feeder);
    wait_settled(feeder);
    assert_int_equal(feeder->tickets[3].r, -ENOSPC);

    pipeline_source_again(feeder->way_in);
    hand_in_one(feeder);
    wait_settled(feeder);
    assert_int_equal(feeder->tickets[4].r, 0);
    pipeline_source_free(feeder->way_in);
    pipeline_source_free(other->way_in);
    free(feeder);
    free(other);
}

/* Nobody hands it in again, and late is better than never. */
static void at_the_end_what_is_behind_it_is_stored(void **unused)
{
    struct feeder *feeder = malloc(sizeof(*feeder));
    (void) unused;
    ordered = true;
    feeder_open(feeder);
    ordered = false;
    n_to_fail = 1;
    hand_in_one(feeder);
    wait_settled(feeder);
    assert_int_equal(hand_in(feeder, 0), 0);
    delivery_stop(delivery, USEC_PER_SEC);
    assert_int_equal(pipeline_stop(pipeline, PATIENCE_US), 0);
    assert_int_equal(feeder->n_settled, 2);
    assert_int_equal(feeder->tickets[0].r, -ENOSPC);
    assert_int_equal(feeder->tickets[1].r, 0);
    pipeline_source_free(feeder->way_in);
    free(feeder);
}

static void who_finds_no_room_is_told_when_there_is(void **unused)
{
    const struct pipeline_settings narrow = { .max_queue_bytes = 100 << 10 };
    struct feeder *feeder = malloc(sizeof(*feeder)), *other = malloc(sizeof(*other));
    (void) unused;
    pipeline_configure(pipeline, &narrow);
    feeder_open(feeder);
    feeder_open(other);
    commit_waits = true;
    int r = 0;
    while (r == 0 && feeder->n < 50)
        r = hand_in(feeder, 10 << 10);
    assert_int_equal(r, -EBUSY);
    assert_in_range(feeder->n, 2, 12);
    pipeline_flush(feeder->way_in);
    assert_int_equal(hand_in(other, 90 << 10), -EBUSY); /* the room is that of all */
    assert_int_equal(feeder->n_resumes + other->n_resumes, 0);

    commit_waits = false;
    assert_true(wait_count(&feeder->n_resumes, 1));
    assert_true(wait_count(&other->n_resumes, 1));
    assert_int_equal(hand_in(other, 90 << 10), 0);
    pipeline_flush(other->way_in);
    wait_settled(feeder);
    wait_settled(other);
    each_is_settled_once(feeder, 0);
    each_is_settled_once(other, 0);
    pipeline_source_free(feeder->way_in);
    pipeline_source_free(other->way_in);
    free(feeder);
    free(other);
}

/* What waits is given back to whose it is; tickets of two sources may be the same. */
static void a_source_withdraws_its_own(void **unused)
{
    struct feeder *feeder = malloc(sizeof(*feeder)), *other = malloc(sizeof(*other));
    (void) unused;
    feeder_open(feeder);
    feeder_open(other);
    commit_waits = true;
    assert_int_equal(hand_in(feeder, 0), 0);
    pipeline_flush(feeder->way_in);
    assert_true(wait_count(&n_held, 1));
    assert_int_equal(hand_in(feeder, 0), 0);
    pipeline_flush(feeder->way_in);
    assert_int_equal(hand_in(other, 0), 0);
    pipeline_flush(other->way_in);
    assert_int_equal(pipeline_withdraw(other->way_in, &feeder->tickets[1], MINUTE_US), -EINPROGRESS);
    assert_int_equal(pipeline_withdraw(other->way_in, &other->tickets[0], MINUTE_US), 0);
    assert_int_equal(pipeline_withdraw(other->way_in, &other->tickets[0], MINUTE_US), -EINPROGRESS);
    commit_waits = false;
    wait_settled(feeder);
    each_is_settled_once(feeder, 0);
    pipeline_source_free(feeder->way_in);
    pipeline_source_free(other->way_in);
    assert_int_equal(other->n_settled, 0);
    assert_int_equal(ask_number("SELECT max(id) FROM events"), 2);
    free(feeder);
    free(other);
}

static void what_was_not_flushed_is_settled_at_the_end(void **unused)
{
    struct feeder *feeder = malloc(sizeof(*feeder));
    (void) unused;
    feeder_open(feeder);
    assert_int_equal(hand_in(feeder, 0), 0);
    delivery_stop(delivery, USEC_PER_SEC);
    assert_int_equal(pipeline_stop(pipeline, PATIENCE_US), 0);
    each_is_settled_once(feeder, 0);
    assert_int_equal(feeder->n_settled, 1);
    pipeline_source_free(feeder->way_in);
    free(feeder);
}

static void a_source_that_goes_takes_back_what_it_gathered(void **unused)
{
    struct feeder *feeder = malloc(sizeof(*feeder));
    (void) unused;
    feeder_open(feeder);
    assert_int_equal(hand_in(feeder, 0), 0);
    pipeline_source_free(feeder->way_in);
    assert_int_equal(feeder->n_settled, 0);
    free(feeder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(several_sources_hand_in_at_once),
        pipeline_test(a_failed_commit_is_settled_and_pauses),
        pipeline_test(nothing_passes_one_that_failed),
        pipeline_test(at_the_end_what_is_behind_it_is_stored),
        pipeline_test(who_finds_no_room_is_told_when_there_is),
        pipeline_test(a_source_withdraws_its_own),
        pipeline_test(what_was_not_flushed_is_settled_at_the_end),
        pipeline_test(a_source_that_goes_takes_back_what_it_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
