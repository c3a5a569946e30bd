/* test_home.c - events of another node: from the record that it published into a log of ours and out again, with what
 * it decided, and apart from those of its namesakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#include "fixture_cases.h"

#include "store_helpers.h"

#define LIFE "9f0c00000000000000000000000000aa"

static const struct event_community communities[] = { { "default", KEY } };
static const struct envelope_rules rules = { .communities = communities,
                                             .n_communities = 1,
                                             .families = &families_all };
static const struct origin main_listener = { EVENT_SOURCE_PUSH, "main", "203.0.113.7" };

/* What the node published about the event. */
static void publish(struct event *event, uint64_t id, struct text *ret)
{
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    event->id = id;
    event->log = LIFE;
    event_describe(event, NULL, &description);
    event_write_record(event, &description, ret);
}

static void hear(const struct text *record, const char *node, struct batch *ret)
{
    struct description decided = DESCRIPTION_INIT;
    if (event_read_record((struct span){ record->s, record->size }, &families_all, ret, &decided, &err) < 0)
        fail_msg("%s: %s", err.msg, record->s);
    const struct event *event = &ret->events[0];
    char log[NAME_MAX_BYTES + 1];
    text_copy(log, sizeof(log), event->log);
    assert_int_equal(batch_take_home(ret, "streams", &(struct event_home){ node, log, event->id }, &decided), 0);
    description_free(&decided);
}

static void assert_same(const struct event *got, const struct event *sent)
{
    assert_int_equal(got->data_text.size, sent->data_text.size ? sent->data_text.size : 2);
    if (sent->data_text.size)
        for (size_t i = 0; i < sent->data_text.size; i++) /* line breaks are blanks in a record */
            assert_true(got->data_text.s[i] == sent->data_text.s[i] ||
                        (got->data_text.s[i] == ' ' && strchr("\r\n", sent->data_text.s[i])));
    assert_string_equal(got->type, sent->type);
    assert_int_equal(got->verdict, sent->verdict);
    assert_int_equal(got->time_us, sent->time_us);
    assert_int_equal(got->test, sent->test);
    assert_string_equal(got->community, sent->community);
    assert_string_equal(got->origin->name, sent->origin->name);
    assert_string_equal(got->origin->peer, sent->origin->peer);
    assert_string_equal(got->home.node, "edge1");
    assert_string_equal(got->home.log, LIFE);
    assert_int_equal(got->home.id, sent->id);
}

static void check_sample(const char *name)
{
    char *body = read_file("samples", name);
    struct batch sent;
    enum envelope_refusal refusal =
        envelope_parse(body, strlen(body), &rules, &main_listener, 1789 * USEC_PER_SEC, &sent, NULL, &err);
    if (refusal != ENVELOPE_OK)
        return;
    for (size_t i = 0; i < sent.n_events; i++) {
        struct text record CLEANUP(text_free) = TEXT_INIT;
        struct batch heard;
        publish(&sent.events[i], i + 1, &record);
        hear(&record, "edge1", &heard);
        assert_same(&heard.events[0], &sent.events[i]);
        assert_string_equal(heard.events[0].realm, "default@edge1");
        struct description wanted CLEANUP(description_free) = DESCRIPTION_INIT;
        event_describe(&sent.events[i], NULL, &wanted);
        assert_string_equal(heard.events[0].decided->line.s, wanted.line.s);
        assert_int_equal(heard.events[0].decided->level, wanted.level);
        batch_done(&heard);
    }
    batch_done(&sent);
}

static void test_every_sample(void **unused)
{
    size_t n = 0;
    const struct dirent *entry;
    DIR *samples = opendir(FIXTURES "/samples");
    (void) unused;
    assert_non_null(samples);
    while ((entry = readdir(samples)))
        if (entry->d_name[0] != '.') {
            check_sample(entry->d_name);
            n++;
        }
    closedir(samples);
    assert_true(n > 50);
}

/* A call of the same number at two nodes, and here. */
static void hear_call(const char *node, const char *caller, struct batch *ret)
{
    struct text body = TEXT_INIT, record CLEANUP(text_free) = TEXT_INIT;
    text_addf(&body,
              "{\"key\":\"" KEY "\",\"type\":\"EVENT_911\",\"data\":{\"call\":{\"callId\":7,\"caller\":\"%s\","
              "\"location\":\"Pier\",\"description\":\"x\"}}}",
              caller);
    if (envelope_parse(body.s, body.size, &rules, &main_listener, USEC_PER_SEC, ret, NULL, &err) != ENVELOPE_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(ret->events[0].verdict, EVENT_ACCEPTED);
    if (!node)
        return;
    struct batch sent = *ret;
    publish(&sent.events[0], 40, &record);
    batch_done(&sent);
    hear(&record, node, ret);
}

static void test_state_apart(void **unused)
{
    static const char *const nodes[] = { NULL, "edge1", "edge2" }, *const callers[] = { "Ann", "Ben", "Cid" };
    static const char *const realms[] = { "default", "default@edge1", "default@edge2" };
    struct state *state = state_new();
    (void) unused;
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        struct batch batch;
        hear_call(nodes[i], callers[i], &batch);
        state_set_event(state, i + 1, USEC_PER_SEC);
        assert_int_equal(batch.events[0].handler->apply(&batch.events[0], state), 1);
        batch_done(&batch);
    }
    for (size_t i = 0; i < ARRAY_SIZE(realms); i++)
        assert_string_equal(state_find_call911(state, realms[i], 7)->caller, callers[i]);
    char realm[REALM_MAX_BYTES + 1] = "";
    for (size_t i = 0; i < ARRAY_SIZE(realms); i++) {
        assert_true(state_next_realm(state, realm));
        assert_string_equal(realm, realms[i]);
    }
    assert_false(state_next_realm(state, realm));
    state_free(state);
}

/* ---- in the log ---- */

static void store_call(struct store *store, const char *node, const char *caller)
{
    struct batch batch;
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    hear_call(node, caller, &batch);
    batch.events[0].id = store_last_id(store) + 1;
    if (batch.events[0].decided)
        assert_int_equal(description_copy(&description, batch.events[0].decided), 0);
    else
        event_describe(&batch.events[0], NULL, &description);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append(store, &batch.events[0], &description, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    batch_done(&batch);
}

/* The only row that fits, whole. */
static void assert_only(struct store_reader *reader, const char *realm, bool by_ref, uint64_t id, const char *node)
{
    const struct store_ref ref = { .kind = "911", .has_id = true, .id = 7 };
    const struct store_filter filter = { .community = realm, .refs = &ref, .n_refs = by_ref };
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct text record CLEANUP(text_free) = TEXT_INIT;
    struct store_row row;
    struct batch batch;
    assert_int_equal(store_seek(reader, &filter, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_int_equal(row.id, id);
    assert_string_equal(row.realm, realm);
    assert_string_equal(row.community, "default");
    assert_int_equal(store_row_restore(&row, &families_all, &batch), 0);
    assert_string_equal(batch.events[0].realm, realm);
    store_row_describe(&row, &batch.events[0], &description);
    event_write_record(&batch.events[0], &description, &record);
    const char *origin = strstr(record.s, "\"origin\"");
    assert_int_equal(!origin, !node);
    if (node) {
        char wanted[100];
        snprintf(wanted, sizeof(wanted), "\"origin\":{\"log\":\"" LIFE "\",\"id\":40,\"node\":\"%s\"}", node);
        assert_memory_equal(origin, wanted, strlen(wanted));
    }
    batch_done(&batch);
    assert_int_equal(store_read(reader, &row, &err), 0);
}

static void test_log(void **unused)
{
    char name[REALM_MAX_BYTES + 1] = "";
    struct store_reader *reader = NULL;
    struct store *store = open_store(0, 0);
    (void) unused;
    store_call(store, "edge1", "Ben");
    store_call(store, NULL, "Ann");
    store_call(store, "edge2", "Cid");
    store_close(store);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    for (int by_ref = 0; by_ref < 2; by_ref++) {
        assert_only(reader, "default@edge1", by_ref, 1, "edge1");
        assert_only(reader, "default@edge2", by_ref, 3, "edge2");
        assert_only(reader, "default", by_ref, 2, NULL);
    }
    assert_int_equal(store_next_community(reader, name, &err), 1);
    assert_string_equal(name, "default");
    assert_int_equal(store_next_community(reader, name, &err), 1);
    assert_string_equal(name, "default@edge1");
    store_reader_close(reader);
}

/* What finds them goes with them. */
static void test_refs_go(void **unused)
{
    uint64_t unread;
    struct store *store = open_store(3600 * USEC_PER_SEC, 0);
    (void) unused;
    store_call(store, "edge1", "Ben");
    store_call(store, NULL, "Ann");
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE community = 'default@edge1'"), 1);
    assert_int_equal(trim_all(store, 7200 * USEC_PER_SEC, &unread), 1);
    assert_int_equal(ask_number("SELECT count(*) FROM refs"), 1);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE community = 'default@edge1'"), 0);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sample),
        cmocka_unit_test(test_state_apart),
        store_test(test_log),
        store_test(test_refs_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
