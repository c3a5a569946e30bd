/* test_store.c - the log on disk: opened, filled, read, shortened, and refused where it is none. */
#include "store_helpers.h"

#define HOUR_US (3600 * USEC_PER_SEC)

static void test_new(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(store_last_id(store), 0);
    assert_int_equal(append_many(store, 3, 0), 0);
    assert_int_equal(append_many(store, 4, 0), 0);
    assert_int_equal(store_last_id(store), 7);
    store_close(store);

    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(ask_number("PRAGMA auto_vacuum"), 2);
    assert_int_equal(ask_number("PRAGMA user_version"), 2);
    assert_int_equal(ask_number("PRAGMA application_id"), 0x53505348);
    assert_rows(path, 1, 7, 0);

    store = open_store(0, 0);
    assert_int_equal(store_last_id(store), 7);
    assert_int_equal(append_many(store, 1, 0), 0);
    store_close(store);
    assert_rows(path, 1, 8, 0);
}

static void test_rollback(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 2, 0), 0);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(append_one(store, 3, 1, "EVENT_911", 0), 0);
    store_rollback(store);
    store_rollback(store); /* without effect */
    assert_int_equal(store_last_id(store), 2);
    assert_rows(path, 1, 2, 0);

    assert_int_equal(append_many(store, 1, 0), 0);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(append_one(store, 4, 1, "EVENT_911", 0), 0);
    store_close(store);
    assert_rows(path, 1, 3, 0);
}

/* An id is used once. */
static void test_id_again(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 2, 0), 0);
    assert_int_equal(store_begin(store, &err), 0);
    assert_true(append_one(store, 2, 1, "EVENT_911", 0) < 0);
    store_rollback(store);
    assert_int_equal(append_many(store, 1, 0), 0);
    store_close(store);
    assert_rows(path, 1, 3, 0);
}

static void test_cursors(void **state)
{
    (void) state;
    uint64_t id = 0;
    struct store *store = open_store(0, 0);
    assert_int_equal(store_get_cursor(store, "a", &id, &err), -ENOENT);
    assert_int_equal(store_set_cursor(store, "a", 5, &err), 0);
    assert_int_equal(store_set_cursor(store, "b", 6, &err), 0);
    assert_int_equal(store_set_cursor(store, "a", 9007199254740993, &err), 0);

    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_set_cursor(store, "b", 60, &err), 0);
    store_rollback(store);
    store_close(store);

    store = open_store(0, 0);
    assert_int_equal(store_get_cursor(store, "a", &id, &err), 0);
    assert_int_equal(id, 9007199254740993);
    assert_int_equal(store_get_cursor(store, "b", &id, &err), 0);
    assert_int_equal(id, 6);
    assert_int_equal(store_get_cursor(store, "A", &id, &err), -ENOENT);
    store_close(store);
}

/* ---- what is deleted ---- */

static void test_trim_age(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(HOUR_US, 0);
    assert_int_equal(trim_all(store, 10 * HOUR_US, &unread), 0); /* empty */
    assert_int_equal(append_many(store, 2000, 0), 0);            /* event n at second n */
    assert_int_equal(trim_all(store, HOUR_US, &unread), 0);
    assert_int_equal(trim_all(store, HOUR_US + 1201 * USEC_PER_SEC, &unread), 1200);
    assert_rows(path, 1201, 2000, 0);
    assert_int_equal(trim_all(store, 10 * HOUR_US, &unread), 799); /* the newest stays */
    assert_int_equal(unread, 0);
    assert_int_equal(append_many(store, 1, 0), 0);
    store_close(store);
    assert_rows(path, 2000, 2001, 0);

    store = open_store(0, 0);
    assert_int_equal(trim_all(store, 100 * HOUR_US, &unread), 0);
    store_close(store);
}

static void test_trim_waits_for_cursors(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(HOUR_US, 0);
    assert_int_equal(append_many(store, 50, 0), 0);
    assert_int_equal(store_set_cursor(store, "slow", 20, &err), 0);
    assert_int_equal(store_set_cursor(store, "fast", 40, &err), 0);
    assert_int_equal(trim_all(store, 10 * HOUR_US, &unread), 20);
    assert_int_equal(store_set_cursor(store, "slow", 30, &err), 0);
    assert_int_equal(trim_all(store, 10 * HOUR_US, &unread), 10);
    assert_int_equal(unread, 0);
    store_close(store);
    assert_rows(path, 31, 50, 0);
}

/* All files of the log; what was deleted is given back. */
static int64_t used_bytes(void)
{
    char wal[160];
    struct stat st, wal_st;
    snprintf(wal, sizeof(wal), "%s-wal", path);
    assert_int_equal(stat(path, &st), 0);
    return ask_number("PRAGMA page_count") * ask_number("PRAGMA page_size") +
           (stat(wal, &wal_st) == 0 ? wal_st.st_size : 0);
}

static void trim_size(size_t padding, int n)
{
    const int64_t limit = 1000000;
    uint64_t unread, last = (uint64_t) n;
    struct store *store = open_store(0, (uint64_t) limit);
    assert_int_equal(append_many(store, n, padding), 0);
    assert_true(used_bytes() > 2 * limit);
    uint64_t gone = (uint64_t) trim_all(store, HOUR_US, &unread);
    assert_true(used_bytes() <= limit);
    assert_true(used_bytes() > limit - 100000); /* no more than had to go */
    assert_int_equal(unread, 0);
    assert_rows(path, gone + 1, last, padding);
    assert_int_equal(append_many(store, 1, padding), 0);
    assert_int_equal(store_last_id(store), last + 1);
    store_close(store);
}

static void test_trim_size_of_large(void **state)
{
    (void) state;
    trim_size(30000, 100);
}

static void test_trim_size_of_small(void **state)
{
    (void) state;
    trim_size(100, 12000);
}

static void test_trim_never_takes_the_newest(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(1, 1000);
    assert_int_equal(append_many(store, 3, 50000), 0);
    assert_int_equal(trim_all(store, HOUR_US, &unread), 2);
    store_close(store);
    store = open_store(1, 1000);
    assert_int_equal(store_last_id(store), 3);
    store_close(store);
}

/* Size goes before what an action has not seen, and tells how much that was. */
static void test_trim_forced(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(0, 1000000);
    assert_int_equal(append_many(store, 100, 30000), 0);
    assert_int_equal(store_set_cursor(store, "slow", 10, &err), 0);
    int gone = trim_all(store, HOUR_US, &unread);
    assert_true(gone > 20);
    assert_int_equal(unread, gone - 10);
    store_close(store);
}

/* ---- reading ---- */

static int count(struct store_reader *reader, struct store_filter filter)
{
    struct store_row row;
    int r, n = 0;
    assert_int_equal(store_seek(reader, &filter, &err), 0);
    for (uint64_t last = 0; (r = store_read(reader, &row, &err)) > 0; n++) {
        assert_true(row.id > last);
        last = row.id;
    }
    assert_int_equal(r, 0);
    assert_int_equal(store_read(reader, &row, &err), 0); /* and does not begin again */
    return n;
}

static void test_filters(void **state)
{
    (void) state;
    uint64_t newest = 0;
    struct store_reader *reader = NULL;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 30, 0), 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(count(reader, (struct store_filter){ 0 }), 30);
    assert_int_equal(count(reader, (struct store_filter){ .after_id = 25 }), 5);
    assert_int_equal(count(reader, (struct store_filter){ .after_id = 30 }), 0);
    assert_int_equal(count(reader, (struct store_filter){ .since_us = 29 * USEC_PER_SEC }), 2);
    assert_int_equal(count(reader, (struct store_filter){ .until_us = 2 * USEC_PER_SEC }), 2);
    assert_int_equal(count(reader, (struct store_filter){ .type = "EVENT_911" }), 20);
    assert_int_equal(count(reader, (struct store_filter){ .type = "EVENT_UNIT_*" }), 10);
    assert_int_equal(count(reader, (struct store_filter){ .type = "event_911" }), 0);
    assert_int_equal(count(reader, (struct store_filter){ .verdict = "invalid" }), 6);
    assert_int_equal(count(reader, (struct store_filter){ .verdict = "accepted", .community = "odd" }), 12);
    assert_int_equal(store_newest(reader, &newest, &err), 0);
    assert_int_equal(newest, 30);
    store_reader_close(reader);
    store_close(store);
}

/* A walk sees what was there when it began; the next one sees the rest. */
static void test_read_while_writing(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 10, 0), 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    int n = 0;
    while (store_read(reader, &row, &err) > 0) {
        n++;
        assert_int_equal(append_many(store, 5, 2000), 0);
    }
    assert_int_equal(n, 10);
    assert_int_equal(store_last_id(store), 60);
    assert_int_equal(count(reader, (struct store_filter){ .after_id = 10 }), 50);
    store_close(store);
    assert_int_equal(count(reader, (struct store_filter){ 0 }), 60);
    store_reader_close(reader);
}

static void test_reader_of_nothing(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    assert_int_equal(store_reader_open(&reader, path, &err), -ENOENT);
    assert_int_equal(access(path, F_OK), -1);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(store_reader_open(&reader, path, &err), -ENODATA);
    assert_null(reader);
}

/* ---- other files ---- */

static void spoil(const char *sql)
{
    store_close(open_store(0, 0));
    (void) ask_number(sql);
}

static void test_newer(void **state)
{
    (void) state;
    spoil("PRAGMA user_version = 3");
    assert_int_equal(refused_open(), -EPROTONOSUPPORT);
    assert_non_null(strstr(err.msg, "made by a newer sonoran-pushd (schema 3, this one knows 2)"));
}

static void test_foreign(void **state)
{
    (void) state;
    spoil("PRAGMA application_id = 5");
    assert_int_equal(refused_open(), -EMEDIUMTYPE);
    FILE *file = fopen(path, "w");
    fputs("some text that is no database", file);
    fclose(file);
    assert_int_equal(refused_open(), -EMEDIUMTYPE);
    struct store_reader *reader = NULL;
    assert_int_equal(store_reader_open(&reader, path, &err), -EMEDIUMTYPE);
}

static void test_truncated(void **state)
{
    (void) state;
    struct stat st;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 200, 500), 0);
    store_close(store);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 100), 0);
    assert_int_equal(refused_open(), -EUCLEAN);
    assert_int_equal(truncate(path, 5 * 4096), 0);
    assert_int_equal(refused_open(), -EUCLEAN);
    assert_non_null(strstr(err.msg, "left as it is"));
}

static void test_second_writer(void **state)
{
    (void) state;
    char self[32];
    struct store *store = open_store(0, 0);
    assert_int_equal(refused_open(), -EBUSY);
    snprintf(self, sizeof(self), "process %d", getpid());
    assert_non_null(strstr(err.msg, self));
    store_close(store);
    store_close(open_store(0, 0));
}

/* A log as version 1 of the schema was written by the program. */
static void test_version_1(void **state)
{
    (void) state;
    static const char data[] = "{ \"call\" :{\"callId\":9007199254740993,\"x\":1.10}}";
    static const char *const verdicts[] = { "accepted", "unknown", "invalid", "accepted" };
    struct store_reader *reader = NULL;
    struct store_row row;
    uint64_t id;
    copy_file(FIXTURES "/store/v1.db", path);
    struct store *store = open_store(0, 0);
    assert_int_equal(store_last_id(store), 4);
    assert_int_equal(store_get_cursor(store, "-log", &id, &err), 0);
    assert_int_equal(append_many(store, 1, 0), 0);

    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
        assert_int_equal(store_read(reader, &row, &err), 1);
        assert_int_equal(row.id, i + 1);
        assert_string_equal(event_verdict_name(row.verdict), verdicts[i]);
        assert_string_equal(row.type, i == 1 ? "EVENT_FUTURE_THING" : "EVENT_911");
        assert_string_equal(row.community, "default");
        assert_string_equal(row.listener, "main");
        assert_string_equal(row.peer, "127.0.0.1");
        if (i > 0)
            continue;
        assert_int_equal(row.data.size, sizeof(data) - 1);
        assert_memory_equal(row.data.s, data, row.data.size);
        assert_non_null(memmem(row.extra.s, row.extra.size, "\"extra\"", 7));
    }
    store_reader_close(reader);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_new),
        store_test(test_rollback),
        store_test(test_id_again),
        store_test(test_cursors),
        store_test(test_trim_age),
        store_test(test_trim_waits_for_cursors),
        store_test(test_trim_size_of_large),
        store_test(test_trim_size_of_small),
        store_test(test_trim_never_takes_the_newest),
        store_test(test_trim_forced),
        store_test(test_filters),
        store_test(test_read_while_writing),
        store_test(test_reader_of_nothing),
        store_test(test_newer),
        store_test(test_foreign),
        store_test(test_truncated),
        store_test(test_second_writer),
        store_test(test_version_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
