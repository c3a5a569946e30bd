/* test_store_fill.c - a log of schema 1 as it is filled, and events found by what they concern. */
#include "store_described.h"

/* ---- a log of schema 1 ---- */

static void test_migrated(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store_row row;
    copy_file(FIXTURES "/store/v1.db", path);
    struct store *store = open_store(0, 0);
    append_described(store, 1);
    assert_int_equal(ask_number("SELECT value FROM meta WHERE name = 'filled_id'"), 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(store_read(reader, &row, &err), 1);
        assert_string_equal(row.source, i < 4 ? "push" : "session");
        assert_int_equal(row.described, i == 4);
        assert_int_equal(strlen(row.log), 32);
    }
    assert_described(&row);
    store_reader_close(reader);

    struct description description;
    describe(&description);
    struct event event = make_event(2);
    assert_int_equal(store_get_fill(store).filled_id, 0);
    assert_int_equal(store_get_fill(store).until_id, 4);
    assert_int_equal(store_begin_fill(store, &err), 0);
    assert_int_equal(store_fill(store, &event, &description, &err), 0);
    assert_int_equal(store_end_fill(store, 2, &err), 0);
    assert_int_equal(store_get_fill(store).filled_id, 2);
    description_free(&description);
    store_close(store);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE event_id = 2"), 5);
    assert_int_equal(ask_number("SELECT count(*) FROM events WHERE id = 2 AND summary LIKE 'unit 7%' AND level = 4"),
                     1);
    assert_int_equal(store_check(path, &err), 0);
}

/* Rows from first to last, with long lines. */
static void fill_rows(struct store *store, uint64_t first, uint64_t last)
{
    struct description description;
    describe(&description);
    for (int i = 0; i < 500; i++)
        text_add(&description.line, "x");
    assert_int_equal(store_begin_fill(store, &err), 0);
    for (uint64_t id = first; id <= last; id++) {
        struct event event = make_event(id);
        event.community = event.realm = id % 2 ? "odd" : "even"; /* as append_many has it */
        assert_int_equal(store_fill(store, &event, &description, &err), 0);
    }
    assert_int_equal(store_end_fill(store, last, &err), 0);
    description_free(&description);
}

/* max_size counts what the log had before, until all is filled; also where the daemon was started anew meanwhile. */
static void test_fill_counts_at_its_end(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 3000, 200), 0);
    store_close(store);
    (void) ask_number("INSERT INTO meta VALUES ('filled_id', '0'), ('fill_until_id', '3000')");
    uint64_t max_size = (uint64_t) ask_number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    max_size += max_size / 4; /* for the write-ahead log */

    store = open_store(0, max_size);
    fill_rows(store, 1, 2000);
    assert_int_equal(trim_all(store, 1, &unread), 0);
    store_close(store);
    store = open_store(0, max_size);
    assert_int_equal(store_get_fill(store).filled_id, 2000);
    fill_rows(store, 2001, 2999);
    assert_int_equal(trim_all(store, 1, &unread), 0);
    fill_rows(store, 3000, 3000);
    assert_int_equal(store_get_fill(store).until_id, 0);
    assert_true(trim_all(store, 1, &unread) > 500);
    store_close(store);
    assert_int_equal(ask_number("SELECT count(*) FROM meta WHERE name LIKE 'fill%'"), 0);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE event_id < (SELECT min(id) FROM events)"), 0);
}

/* What fails leaves everything as it was. */
static void test_fill_that_fails(void **state)
{
    (void) state;
    copy_file(FIXTURES "/store/v1.db", path);
    struct store *store = open_store(0, 0);
    struct description description;
    describe(&description);
    struct event event = make_event(1);
    assert_int_equal(store_begin_fill(store, &err), 0);
    assert_int_equal(store_fill(store, &event, &description, &err), 0);
    store_rollback(store);
    description_free(&description);
    assert_int_equal(store_get_fill(store).filled_id, 0);
    assert_int_equal(ask_number("SELECT count(*) FROM events WHERE summary IS NOT NULL"), 0);
    assert_int_equal(ask_number("SELECT count(*) FROM refs"), 0);
    append_described(store, 1);
    assert_int_equal(store_last_id(store), 5);
    store_close(store);
}

/* ---- found by what they concern ---- */

static void assert_found(struct store_reader *reader, const struct store_filter *filter, uint64_t first, uint64_t last)
{
    struct store_row row;
    uint64_t id = first;
    assert_int_equal(store_seek(reader, filter, &err), 0);
    for (; store_read(reader, &row, &err) > 0; id++)
        assert_int_equal(row.id, id);
    assert_int_equal(id, last + 1);
}

static void test_found(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    char name[REALM_MAX_BYTES + 1] = "";
    uint64_t id, until_id, n_newest = 3;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 10, 0), 0);
    append_described(store, 10);
    store_close(store);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);

    const struct store_ref by_id = { "unit", true, 7, NULL }, by_number = { "unit", false, 0, "3-L-27" };
    const struct store_ref either = { "unit", true, 99, "3-L-27" }, nobody = { "unit", true, 99, "9-X-9" };
    const struct store_ref both[] = { by_id, { "911", true, 3, NULL } }, one[] = { by_id, { "911", true, 4, NULL } };
    struct store_filter filter = { .community = "alpha", .refs = &by_id, .n_refs = 1 };
    assert_found(reader, &filter, 11, 20);
    filter.refs = &by_number;
    assert_found(reader, &filter, 11, 20);
    filter.refs = &either;
    assert_found(reader, &filter, 11, 20);
    filter.refs = &nobody;
    assert_found(reader, &filter, 11, 10);
    assert_int_equal(store_newest_n(reader, &filter, &n_newest, &id, &err), -ENOENT);
    filter = (struct store_filter){ .community = "alpha", .refs = both, .n_refs = 2, .after_id = 12, .last_id = 18 };
    assert_found(reader, &filter, 13, 18);
    assert_int_equal(store_newest_n(reader, &filter, &n_newest, &id, &err), 0);
    assert_int_equal(id, 16);
    assert_int_equal(n_newest, 3);
    n_newest = 100;
    assert_int_equal(store_newest_n(reader, &filter, &n_newest, &id, &err), 0);
    assert_true(id == 13 && n_newest == 6);
    filter.refs = one;
    assert_found(reader, &filter, 11, 10);
    filter = (struct store_filter){ .community = "beta", .refs = &by_id, .n_refs = 1 };
    assert_found(reader, &filter, 11, 10);
    assert_found(reader, &(struct store_filter){ 0 }, 1, 20); /* after one with refs */

    assert_int_equal(store_next_community(reader, name, &err), 1);
    assert_string_equal(name, "alpha");
    assert_int_equal(store_next_community(reader, name, &err), 0);
    assert_int_equal(store_get_unfilled(reader, &id, &until_id, &err), 0);
    store_reader_close(reader);
}

/* Rows that are to be filled are in no ref, and have communities all the same. */
static void test_unfilled(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    char name[REALM_MAX_BYTES + 1] = "";
    uint64_t after_id, until_id;
    copy_file(FIXTURES "/store/v1.db", path);
    struct store *store = open_store(0, 0);
    append_described(store, 1);
    store_close(store);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_get_unfilled(reader, &after_id, &until_id, &err), 1);
    assert_int_equal(after_id, 0);
    assert_int_equal(until_id, 4);
    assert_int_equal(store_next_community(reader, name, &err), 1);
    assert_string_equal(name, "alpha");
    assert_int_equal(store_next_community(reader, name, &err), 1);
    assert_string_equal(name, "default");
    assert_int_equal(store_next_community(reader, name, &err), 0);
    store_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_migrated),        store_test(test_fill_counts_at_its_end),
        store_test(test_fill_that_fails), store_test(test_found),
        store_test(test_unfilled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
