/* test_pipeline_home.c - events of another node through the pipeline: as that node told them, with where they stand
 * there in one transaction, and whatever its clock says. */
#include "pipeline_helpers.h"

#define KNOWN "\"known\":{\"units\":[],\"dispatchers\":3,\"on_duty\":12}"
#define SUMMARY "911 call 7, as edge1 told it"

static _Atomic bool commit_fails;
int __real_store_commit(struct store *log, struct err *error);
int __wrap_store_commit(struct store *log, struct err *error);

int __wrap_store_commit(struct store *log, struct err *error)
{
    return commit_fails ? err_set(error, -ENOSPC, "the disk is full") : __real_store_commit(log, error);
}

/* type, verdict and data: of JSON. */
static void make_of(uint64_t id, usec_t time_us, const char *type, const char *verdict, const char *data,
                    struct batch *ret)
{
    struct description decided = DESCRIPTION_INIT;
    struct text record CLEANUP(text_free) = TEXT_INIT, time CLEANUP(text_free) = TEXT_INIT;
    text_add_time_utc(&time, time_us);
    text_addf(&record,
              "{\"id\":%llu,\"log\":\"00aa\",\"time\":\"%.19s.000000Z\",\"type\":\"%s\",\"level\":5,"
              "\"community\":\"default\",\"source\":\"push\",\"listener\":\"main\",\"from\":\"203.0.113.7\","
              "\"verdict\":\"%s\",\"summary\":\"" SUMMARY "\",\"calls911\":[7],\"calls\":[],\"units\":[]," KNOWN
              ",\"data\":%s}",
              (unsigned long long) id, time.s, type, verdict, data);
    if (event_read_record((struct span){ record.s, record.size }, &families_all, ret, &decided, &err) < 0)
        fail_msg("%s: %s", err.msg, record.s);
    assert_int_equal(batch_take_home(ret, "streams", &(struct event_home){ "edge1", "00aa", id }, &decided), 0);
    description_free(&decided);
}

static void make(uint64_t id, usec_t time_us, struct batch *ret)
{
    make_of(id, time_us, "EVENT_911", "accepted",
            "{\"call\":{\"callId\":7,\"caller\":\"Ben\",\"location\":\"Pier\",\"description\":\"x\"}}", ret);
}

static void wait_answered(int wanted)
{
    usec_t end = uptime_us() + PATIENCE_US;
    while (n_answered < wanted && uptime_us() < end)
        usleep(100);
    assert_int_equal(n_answered, wanted);
}

static void hand_in(uint64_t id, usec_t time_us, const char *cursor)
{
    const struct pipeline_position position = { "streams", "cad:events:edge1", cursor };
    struct batch batch;
    make(id, time_us, &batch);
    assert_int_equal(pipeline_submit_at(way_in, &batch, NULL, &position), 0);
}

static int hear(uint64_t id, usec_t time_us, const char *cursor)
{
    int before = n_answered;
    hand_in(id, time_us, cursor);
    pipeline_flush(way_in);
    wait_answered(before + 1);
    return last_answer;
}

/* In one transaction. */
static void hear_all(const char *const *cursors, size_t n)
{
    int before = n_answered;
    for (size_t i = 0; i < n; i++)
        hand_in(i + 1, T0, cursors[i]);
    pipeline_flush(way_in);
    wait_answered(before + (int) n);
}

static void assert_position(const char *wanted)
{
    char value[64];
    struct store_reader *reader = NULL;
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    int r = store_get_position(reader, "streams", "cad:events:edge1", value, sizeof(value), &err);
    store_reader_close(reader);
    assert_int_equal(r, wanted ? 0 : -ENOENT);
    if (wanted)
        assert_string_equal(value, wanted);
}

static void as_it_was_told(void **unused)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    assert_int_equal(hear(7, T0, "5-7"), 0);
    read_line(1, &line);
    assert_string_equal(line.s, SUMMARY "\n{\"units\":[],\"dispatchers\":3,\"on_duty\":12}");
    assert_string_equal(state_find_call911(cad, "default@edge1", 7)->caller, "Ben");
    assert_null(state_find_call911(cad, "default", 7));
    assert_int_equal(pipeline_last_heard_us(pipeline, "default@edge1"), T0);
    stop();
    start();
    assert_string_equal(state_find_call911(cad, "default@edge1", 7)->caller, "Ben");
    assert_int_equal(pipeline_last_heard_us(pipeline, "default@edge1"), T0);
    assert_int_equal(pipeline_last_heard_us(pipeline, "default"), 0);
}

/* Both or none, and of those of one key the last. */
static void with_its_position(void **unused)
{
    static const char *const cursors[] = { "5-1", "5-2" };
    (void) unused;
    commit_fails = true;
    assert_int_equal(hear(1, T0, "5-1"), -ENOSPC);
    assert_position(NULL);
    commit_fails = false;
    hear_all(cursors, ARRAY_SIZE(cursors));
    assert_position("5-2");
    commit_fails = true;
    assert_int_equal(hear(3, T0, "5-3"), -ENOSPC);
    assert_position("5-2");
    commit_fails = false;
}

static char *call_of(int id)
{
    struct text body = TEXT_INIT;
    text_addf(&body,
              "{\"key\":\"" KEY "\",\"type\":\"EVENT_911\",\"data\":{\"call\":{\"callId\":%d,\"caller\":\"Ann\","
              "\"location\":\"Pier\",\"description\":\"x\"}}}",
              id);
    return body.s;
}

/* What an edge tells of last week makes nobody forget what is of now. */
static void an_old_one_moves_nothing(void **unused)
{
    (void) unused;
    assert_int_equal(post(call_of(1), T0), 0);
    assert_int_equal(hear(7, T0 - 8 * DAY_US, "5-7"), 0);
    assert_int_equal(post(call_of(2), T0 + MINUTE_US), 0);
    assert_int_equal(hear(8, T0 - 7 * DAY_US, "5-8"), 0);
    assert_int_equal(post(call_of(3), T0 + 2 * MINUTE_US), 0);
    for (int started = 0; started < 2; started++) {
        for (int id = 1; id <= 3; id++)
            assert_non_null(state_find_call911(cad, "default", id));
        assert_non_null(state_find_call911(cad, "default@edge1", 7));
        stop();
        start();
    }
}

static void hear_of(uint64_t id, usec_t time_us, const char *type, const char *verdict, const char *data)
{
    struct batch batch;
    int before = n_answered;
    make_of(id, time_us, type, verdict, data, &batch);
    assert_int_equal(pipeline_submit(way_in, &batch, NULL), 0);
    pipeline_flush(way_in);
    wait_answered(before + 1);
}

/* What an edge was told by the CAD names ids of its log, which say nothing of those here: times are compared. */
static void what_an_edge_is_primed_with(void **unused)
{
    char data[256];
    (void) unused;
    for (uint64_t id = 1; id <= 9; id++)
        assert_int_equal(post(call_of((int) id), T0), 0);
    hear_of(1, T0, "EVENT_UNIT_LOGIN", "accepted",
            "{\"unit\":{\"id\":5,\"status\":2,\"data\":{\"unitNum\":\"3-L-27\",\"name\":\"Mara\"}}}");
    assert_int_equal(state_find_unit(cad, "default@edge1", 5)->status, 2);
    snprintf(data, sizeof(data), "{\"asked_id\":1,\"asked_us\":%llu,\"units\":[{\"id\":5,\"status\":4}],\"calls\":[]}",
             (unsigned long long) (T0 + MINUTE_US));
    hear_of(2, T0 + MINUTE_US, "STATE_PRIMED", "internal", data);
    assert_int_equal(state_find_unit(cad, "default@edge1", 5)->status, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(as_it_was_told),
        pipeline_test(with_its_position),
        pipeline_test(an_old_one_moves_nothing),
        pipeline_test(what_an_edge_is_primed_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
