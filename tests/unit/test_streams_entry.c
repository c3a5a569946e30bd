/* test_streams_entry.c - entries of a stream and the events in them: whose they are, which are wanted, how late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include <sonoran-pushd/families.h>

#include "streams_entry.h"

#define NOW ((usec_t) 1795450000 * USEC_PER_SEC)
#define TAIL(more)                                                                                                     \
    "\"time\":\"2026-11-23T16:00:00.123456Z\",\"type\":\"EVENT_REMOVE_911\",\"level\":6,\"community\":\"county\","     \
    "\"source\":\"session\",\"listener\":\"cad\",\"from\":\"cad.example\",\"verdict\":\"accepted\","                   \
    "\"summary\":\"it is over\",\"calls911\":[5],\"calls\":[],\"units\":[]," more "\"data\":{ \"callIds\":[ 5.0 ] }}"
#define RECORD(log, more) "{\"id\":7," log TAIL(more)
#define FOREIGN "\"log\":\"00aa\","
#define OURS "\"log\":\"00bb\","

static struct err err;

static int is_ours(void *context, const char *log, struct err *error)
{
    (void) context;
    if (strcmp(log, "00ee") == 0)
        return err_set(error, -EIO, "the disk fails");
    return strcmp(log, "00bb") == 0;
}

static struct redis_reply text_reply(const char *text)
{
    return (struct redis_reply){ .type = REDIS_TEXT, .text = span_of(text) };
}

/* Members up to NULL. */
static int read_entry(const char *id, const char *const *members, struct streams_entry *ret)
{
    static struct redis_reply list[8], parts[2];
    size_t n = 0;
    for (; members[n]; n++)
        list[n] = text_reply(members[n]);
    parts[0] = text_reply(id);
    parts[1] = (struct redis_reply){ .type = REDIS_LIST, .elements = list, .n_elements = n };
    return streams_entry_read(&(struct redis_reply){ .type = REDIS_LIST, .elements = parts, .n_elements = 2 }, ret);
}

static int make(const struct streams_entry *entry, const char *community, usec_t now_us, struct batch *ret)
{
    char only[32];
    char *const communities[] = { only };
    text_copy(only, sizeof(only), community ? community : "");
    const struct streams_wishes wishes = { &families_all, communities, community ? 1 : 0, is_ours, NULL };
    err.msg[0] = '\0';
    return streams_entry_make(entry, "edge1", &wishes, now_us, ret, &err);
}

static int make_record(const char *record, const char *community, struct batch *ret)
{
    const struct streams_entry entry = { .record = span_of(record) };
    return make(&entry, community, NOW, ret);
}

static void test_members(void **state)
{
    struct streams_entry entry;
    (void) state;
    assert_int_equal(read_entry("5-7", (const char *[]){ "type", "X", "prev", "5-6", "record", "{}", NULL }, &entry),
                     0);
    assert_int_equal(entry.place.seq, 7);
    assert_int_equal(entry.before.seq, 6);
    assert_true(span_is(entry.record, "{}"));
    assert_int_equal(entry.node.size, 0);
    assert_int_equal(read_entry("5-7", (const char *[]){ "prev", "", NULL }, &entry), 0);
    assert_int_equal(entry.before.ms + entry.before.seq + entry.record.size, 0);
    assert_int_equal(read_entry("x", (const char *[]){ NULL }, &entry), -EINVAL);
}

static void test_nodes(void **state)
{
    static const struct {
        const char *key, *node;
    } cases[] = { { "cad:events:edge1", "edge1" }, { "edge2", "edge2" },   { "cad:events:", "cad-events-" },
                  { "a:b c@d", "b-c-d" },          { "a:\xc3\xa4", "--" }, { "", "node" } };
    char node[NAME_MAX_BYTES + 1];
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        streams_node_of(cases[i].key, node);
        assert_string_equal(node, cases[i].node);
    }
}

static void test_event(void **state)
{
    struct batch batch;
    (void) state;
    assert_int_equal(make_record(RECORD(FOREIGN, ""), NULL, &batch), STREAMS_EVENT);
    const struct event *event = &batch.events[0];
    assert_string_equal(event->realm, "county@edge1");
    assert_string_equal(event->origin->source, "streams");
    assert_string_equal(event->origin->name, "cad");
    assert_string_equal(event->origin->peer, "cad.example");
    assert_string_equal(event->home.log, "00aa");
    assert_int_equal(event->home.id, 7);
    assert_null(event->log);
    assert_true(span_is(event->data_text, "{ \"callIds\":[ 5.0 ] }"));
    assert_string_equal(event->decided->line.s, "it is over");
    batch_done(&batch);
}

/* Its entry says, or its record, which is from still another one. */
static void test_whose(void **state)
{
    struct batch batch;
    struct streams_entry entry = { .record = span_of(RECORD(FOREIGN, "")), .node = span_of("edge9") };
    (void) state;
    assert_int_equal(make(&entry, NULL, NOW, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].realm, "county@edge9");
    batch_done(&batch);
    entry.node = span_of("not a node");
    assert_int_equal(make(&entry, NULL, NOW, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].realm, "county@edge1");
    batch_done(&batch);
    assert_int_equal(make_record(RECORD(FOREIGN, "\"origin\":{\"log\":\"00cc\",\"id\":3,\"node\":\"far\"},"), NULL,
                                 &batch),
                     STREAMS_EVENT);
    assert_string_equal(batch.events[0].realm, "county@far");
    assert_int_equal(batch.events[0].home.id, 3);
    batch_done(&batch);
}

static void test_unwanted(void **state)
{
    struct batch batch;
    (void) state;
    assert_int_equal(make_record(RECORD(OURS, ""), NULL, &batch), STREAMS_OURS);
    assert_int_equal(make_record(RECORD(FOREIGN, "\"origin\":{\"log\":\"00bb\",\"id\":3,\"node\":\"hub\"},"), NULL,
                                 &batch),
                     STREAMS_OURS);
    assert_int_equal(make_record(RECORD(FOREIGN, ""), "city*", &batch), STREAMS_UNWANTED);
    assert_int_equal(make_record(RECORD(FOREIGN, ""), "count?", &batch), STREAMS_EVENT);
    batch_done(&batch);
}

static void test_not_found_out(void **state)
{
    struct batch batch;
    (void) state;
    assert_int_equal(make_record(RECORD("\"log\":\"00ee\",", ""), NULL, &batch), -EIO);
    assert_string_equal(err.msg, "the disk fails");
}

static void test_unreadable(void **state)
{
    static const struct {
        const char *record, *says;
    } cases[] = { { "", "it has no record" },
                  { "{}", "id: missing" },
                  { "no JSON", "" },
                  { RECORD("", ""), "log: missing" },
                  { RECORD("\"log\":\"00a,\",", ""), "log: expected hex digits" },
                  { RECORD(FOREIGN, "\"origin\":{},"), "origin.node: expected" } };
    struct batch batch;
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(make_record(cases[i].record, NULL, &batch), STREAMS_UNREADABLE);
        assert_non_null(strstr(err.msg, cases[i].says));
        assert_true(err.msg[0]);
    }
}

/* For the actions, which are spared what was long ago. */
static void test_late(void **state)
{
    const struct streams_entry entry = { .record = span_of(RECORD(FOREIGN, "\"known\":{\"units\":[]},")) };
    struct batch batch;
    (void) state;
    assert_int_equal(make_record(RECORD(FOREIGN, "\"known\":{\"units\":[]},"), NULL, &batch), STREAMS_EVENT);
    usec_t time_us = batch.events[0].time_us;
    batch_done(&batch);
    assert_int_equal(make(&entry, NULL, time_us + STREAMS_LATE_S * USEC_PER_SEC, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].decided->known.s, "{\"units\":[]}");
    batch_done(&batch);
    assert_int_equal(make(&entry, NULL, time_us + (STREAMS_LATE_S + 1) * USEC_PER_SEC, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].decided->known.s, "{\"late_s\":601,\"units\":[]}");
    batch_done(&batch);
    const struct streams_entry again = { .record = span_of(RECORD(FOREIGN, "\"known\":{\"late_s\":5},")) };
    assert_int_equal(make(&again, NULL, time_us + (STREAMS_LATE_S + 1) * USEC_PER_SEC, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].decided->known.s, "{\"late_s\":601}");
    batch_done(&batch);
    assert_int_equal(make(&again, NULL, time_us, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].decided->known.s, "{\"late_s\":0}");
    batch_done(&batch);
    assert_int_equal(make(&entry, NULL, time_us - STREAMS_LATE_S * USEC_PER_SEC, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].decided->known.s, "{\"units\":[]}");
    batch_done(&batch); /* its clock is ahead: */
    assert_int_equal(make(&entry, NULL, time_us - (STREAMS_LATE_S + 1) * USEC_PER_SEC, &batch), STREAMS_EVENT);
    assert_string_equal(batch.events[0].decided->known.s, "{\"late_s\":-601,\"units\":[]}");
    batch_done(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members), cmocka_unit_test(test_nodes),         cmocka_unit_test(test_event),
        cmocka_unit_test(test_whose),   cmocka_unit_test(test_unwanted),      cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_late),    cmocka_unit_test(test_not_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
