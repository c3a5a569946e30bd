/* test_known_read.c - what is known of an event, in a row that somebody else has written into: it is left out where it
 * is read, and the event is what it was. */
#include "store_described.h"

#include <sonoran-pushd/facts.h>
#include <syslog.h>

static const char *const sound[] = {
    "{}",
    "{\"dispatchers\":0,\"on_duty\":12}",
    "{\"units\":[{\"id\":4127,\"number\":\"3-L-27\",\"name\":\"Mara\",\"department\":\"Sheriff\",\"status\":2,"
    "\"api_ids\":[\"a\",\"b\"]},{\"id\":\"9007199254740993\"}],\"calls\":[{\"id\":1,\"title\":\"x\",\"code\":\"y\","
    "\"address\":\"z\",\"postal\":\"1\",\"priority\":1,\"status\":2}],\"calls911\":[{\"id\":2,\"emergency\":false}],"
    "\"was\":{\"address\":\"old\"},\"dispatchers\":1,\"on_duty\":2}",
    "{\"of_tomorrow\":[1,{\"a\":null}],\"units\":[{\"id\":1,\"mood\":7}]}",
    "{\n\"on_duty\" : 1 }",
};

static const char *const unsound[] = {
    "",
    "{",
    "{\"on_duty\":1",
    "{\"on_duty\":1}}",
    "{\"on_duty\":1} {}",
    "{\"on_duty\":01}",
    "{on_duty:1}",
    "{\"x\":\"\xff\"}",
    "{\"x\":\"\\u0000\"}",
    "null",
    "7",
    "\"{}\"",
    "[]",
    "[{\"id\":1}]",
    "{\"on_duty\":\"1\"}",
    "{\"dispatchers\":null}",
    "{\"units\":{}}",
    "{\"units\":5}",
    "{\"units\":[\"x\"]}",
    "{\"units\":[5]}",
    "{\"units\":[{\"id\":1},null]}",
    "{\"units\":[{\"number\":\"3-L-27\"}]}",
    "{\"units\":[{\"id\":true}]}",
    "{\"units\":[{\"id\":4e127}]}",
    "{\"units\":[{\"id\":1,\"number\":27}]}",
    "{\"units\":[{\"id\":1,\"status\":\"2\"}]}",
    "{\"units\":[{\"id\":1,\"api_ids\":\"a\"}]}",
    "{\"units\":[{\"id\":1,\"api_ids\":[1]}]}",
    "{\"calls\":\"x\"}",
    "{\"calls\":[{\"id\":1,\"title\":[]}]}",
    "{\"calls911\":[{\"id\":1,\"emergency\":0}]}",
    "{\"was\":[]}",
    "{\"was\":{\"address\":5}}",
};

static void what_is_sound_is_taken(void **state)
{
    struct description description = DESCRIPTION_INIT;
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
        description_take_known(&description, span_of(sound[i]));
        assert_string_equal(description.known.s, sound[i]);
        assert_non_null(description.known_json);
    }
    for (size_t i = 0; i < ARRAY_SIZE(unsound); i++) {
        description_take_known(&description, span_of(unsound[i]));
        if (description.known.size || description.known_json)
            fail_msg("%s is taken", unsound[i]);
    }
    description_take_known(&description, span_of(sound[0]));
    description_reset(&description);
    assert_null(description.known_json);
    description_free(&description);
}

static void take_fact(void *context, const struct fact *fact, const struct fact_value *value)
{
    struct text *out = context;
    text_addf(out, "%s=%s ", fact->name, value->text);
}

/* The record of the one event, and its facts of every event. */
static void read_one(struct text *record, struct text *facts)
{
    struct description description = DESCRIPTION_INIT;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct batch batch;
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_int_equal(store_row_restore(&row, &none, &batch), 0);
    store_row_describe(&row, &batch.events[0], &description);
    text_reset(record);
    text_reset(facts);
    event_write_record(&batch.events[0], &description, record);
    facts_emit(&batch.events[0], &description, description.known_json, take_fact, facts);
    batch_done(&batch);
    description_free(&description);
    store_reader_close(reader);
}

static void put_known(const char *value)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "UPDATE events SET known = ?1", -1, &statement, NULL), SQLITE_OK);
    sqlite3_bind_text(statement, 1, value, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* An action gets sound JSON, and everything else of the event. */
static void a_row_that_is_damaged(void **state)
{
    struct text record CLEANUP(text_free) = TEXT_INIT, facts CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    struct store *store = open_store(0, 0);
    append_described(store, 1);
    store_close(store);
    read_one(&record, &facts);
    assert_non_null(strstr(record.s, "\"known\":"));
    assert_string_equal(facts.s, "on_duty=2 ");
    for (size_t i = 0; i < ARRAY_SIZE(unsound); i++) {
        put_known(unsound[i]);
        read_one(&record, &facts);
        cJSON *json = cJSON_Parse(record.s);
        assert_non_null(json);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "type")), "EVENT_UNIT_STATUS");
        assert_int_equal(cJSON_GetObjectItem(json, "level")->valueint, 4);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "units")), 2);
        assert_false(cJSON_HasObjectItem(json, "known"));
        assert_string_equal(facts.s, "");
        cJSON_Delete(json);
    }
    (void) ask_number("UPDATE events SET level = 99");
    read_one(&record, &facts);
    assert_non_null(strstr(record.s, "\"level\":6,"));
}

/* Nor does it keep old events from being deleted. */
static void a_damaged_row_is_deleted(void **state)
{
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(unsound); i++) {
        uint64_t unread;
        struct store *store = open_store(USEC_PER_SEC, 0);
        uint64_t first = store_last_id(store);
        append_described(store, 2);
        put_known(unsound[i]);
        assert_int_equal(trim_all(store, (first + 1000) * USEC_PER_SEC, &unread), first ? 2 : 1);
        store_close(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_is_sound_is_taken),
        store_test(a_row_that_is_damaged),
        store_test(a_damaged_row_is_deleted),
    };
    return cmocka_run_group_tests_name("known_read", tests, NULL, NULL);
}
