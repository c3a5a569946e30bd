/* test_store_age.c - where in the log a time lies, a reader that is stopped, and the check of a whole file. */
#include "store_helpers.h"

static void append_at(struct store *store, usec_t time_us)
{
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(append_one(store, store_last_id(store) + 1, time_us, "EVENT_911", 0), 0);
    assert_int_equal(store_commit(store, &err), 0);
}

static uint64_t last_until(struct store_reader *reader, usec_t time_us)
{
    uint64_t id = UINT64_MAX;
    assert_int_equal(store_last_until(reader, time_us, &id, &err), 0);
    return id;
}

static void test_last_until(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store *store = open_store(0, 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(last_until(reader, UINT64_MAX), 0); /* empty */
    assert_int_equal(append_many(store, 1000, 0), 0);    /* event n at second n */
    for (uint64_t n = 0; n <= 1000; n++)
        assert_int_equal(last_until(reader, n * USEC_PER_SEC + 1), n);
    assert_int_equal(last_until(reader, UINT64_MAX), 1000);
    assert_int_equal(last_until(reader, 0), 0);
    store_reader_close(reader);
    store_close(store);

    (void) ask_number("DELETE FROM events WHERE id < 101 OR id BETWEEN 300 AND 900");
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(last_until(reader, 100 * USEC_PER_SEC), 0);
    assert_int_equal(last_until(reader, 101 * USEC_PER_SEC), 101);
    assert_int_equal(last_until(reader, 899 * USEC_PER_SEC), 299);
    assert_int_equal(last_until(reader, 901 * USEC_PER_SEC), 901);
    store_reader_close(reader);
}

/* Whoever has written into the file. */
static void test_what_nobody_writes(void **state)
{
    (void) state;
    char node[NAME_MAX_BYTES + 1], cursor[NAME_MAX_BYTES + 1] = "";
    uint64_t id;
    store_close(open_store(0, 0));
    (void) ask_number("PRAGMA user_version = -1");
    assert_int_equal(refused_open(), -EMEDIUMTYPE);
    assert_non_null(strstr(err.msg, "its schema has the number -1"));
    (void) ask_number("PRAGMA user_version = 2");
    (void) ask_number("INSERT INTO events (id, received_at, source, community, listener, peer, type, verdict)"
                      " VALUES (9223372036854775807, 1, 'push', 'a', 'main', '', '', 'accepted')");
    assert_int_equal(refused_open(), -EUCLEAN);
    assert_non_null(strstr(err.msg, "the last number that there is"));
    (void) ask_number("UPDATE events SET id = -7");
    struct store *store = open_store(0, 0);
    assert_int_equal(store_last_id(store), 0);
    assert_int_equal(append_many(store, 1, 0), 0);
    assert_int_equal(store_last_id(store), 1);
    (void) ask_number("UPDATE meta SET value = 'x y' WHERE name = 'node'");
    assert_int_equal(store_get_node(store, node, &err), 0);
    assert_true(event_is_node(node));
    (void) ask_number("INSERT INTO cursors VALUES ('0123456789012345678901234567890123456789', 1), ('siren', 3),"
                      " ('z' || char(0) || 'z', 1)");
    assert_int_equal(store_next_cursor(store, cursor, &id, &err), 1);
    assert_string_equal(cursor, "siren");
    assert_int_equal(store_next_cursor(store, cursor, &id, &err), 0);
    store_close(store);
}

/* None is found a second time, whoever asks for the next one. */
static void test_communities_that_are_none(void **state)
{
    (void) state;
    static const char *const values[] = { "hex(zeroblob(40))", "'a' || char(0) || 'b'" };
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char name[REALM_MAX_BYTES + 1] = "", sql[160];
        struct store_reader *reader = NULL;
        store_close(open_store(0, 0));
        snprintf(sql, sizeof(sql), "INSERT INTO refs VALUES (%s, 'call', 1, 1)", values[i]);
        (void) ask_number(sql);
        assert_int_equal(store_reader_open(&reader, path, &err), 0);
        int r = store_next_community(reader, name, &err);
        assert_int_equal(r < 0 ? r : store_next_community(reader, name, &err), -EUCLEAN);
        store_reader_close(reader);
        (void) ask_number("DELETE FROM refs");
    }
}

/* Which a log has that somebody wrote into. */
static void test_last_number(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 3, 0), 0);
    store_close(store);
    (void) ask_number("UPDATE events SET id = 9223372036854775807 WHERE id = 3");
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(last_until(reader, 2 * USEC_PER_SEC), 2);
    store_reader_close(reader);
    (void) ask_number("DELETE FROM events WHERE id < 3");
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(last_until(reader, 3 * USEC_PER_SEC), INT64_MAX);
    store_reader_close(reader);
}

/* Whatever the clock did, it ends, and at an event that is old enough. */
static void test_times_in_no_order(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store *store = open_store(0, 0);
    for (uint64_t i = 1; i <= 200; i++)
        append_at(store, (i * 7919) % 211);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    for (usec_t at = 0; at <= 211; at++) {
        uint64_t id = last_until(reader, at);
        assert_true(id == 0 || (id * 7919) % 211 <= at);
    }
    store_reader_close(reader);
    store_close(store);
}

static int n_asked, stop_at;

static bool stop(void)
{
    return ++n_asked >= stop_at;
}

static void test_stop(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store_row row;
    int r;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 5000, 0), 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    n_asked = 0;
    stop_at = 10;
    store_stop_if(reader, stop);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    while ((r = store_read(reader, &row, &err)) > 0)
        ;
    assert_int_equal(r, -ECANCELED);
    assert_int_equal(n_asked, 10);
    stop_at = INT32_MAX;
    assert_int_equal(store_seek(reader, &(struct store_filter){ .type = "NONE" }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 0); /* asked among rows that are left out as well */
    assert_true(n_asked > 20);
    store_reader_close(reader);
    store_close(store);
}

/* What a kill leaves behind is not read against the will of whoever asks for the end. */
static void test_stop_at_opening(void **state)
{
    (void) state;
    char copy[160], wal[160], copy_wal[180];
    struct store *store = open_store(0, 0), *other = NULL;
    assert_int_equal(append_many(store, 100, 5000), 0);
    snprintf(copy, sizeof(copy), "%s/copy.db", folder);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    snprintf(copy_wal, sizeof(copy_wal), "%s-wal", copy);
    copy_file(path, copy);
    copy_file(wal, copy_wal);
    store_close(store);

    struct store_settings settings = { .path = copy, .durable = true, .stop = stop };
    n_asked = 0;
    stop_at = 2;
    assert_int_equal(store_open(&other, &settings, &err), -ECANCELED);
    assert_int_equal(n_asked, 2);
    stop_at = INT32_MAX;
    assert_int_equal(store_open(&other, &settings, &err), 0);
    assert_int_equal(store_last_id(other), 100);
    store_close(other);
}

/* Damage that nobody has met yet is no reason not to start, and is found by whoever looks. */
static void test_check(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 300, 500), 0);
    assert_int_equal(store_check(path, &err), 0); /* beside a writer */
    store_close(store);
    assert_int_equal(store_check(path, &err), 0);

    int fd = open(path, O_WRONLY | O_CLOEXEC);
    char spoiled[4096];
    memset(spoiled, 0xa5, sizeof(spoiled));
    assert_int_equal(pwrite(fd, spoiled, sizeof(spoiled), 40L * sizeof(spoiled)), sizeof(spoiled));
    close(fd);
    store = open_store(0, 0);
    assert_int_equal(store_last_id(store), 300);
    store_close(store);
    assert_int_equal(store_check(path, &err), -EUCLEAN);
    assert_non_null(strstr(err.msg, path));
    assert_non_null(strstr(err.msg, "is damaged"));
    unlink(path);
    assert_int_equal(store_check(path, &err), -ENOENT);
}

static void test_needs_help(void **state)
{
    (void) state;
    assert_true(store_needs_help(-EUCLEAN) && store_needs_help(-EMEDIUMTYPE) && store_needs_help(-EPROTONOSUPPORT));
    assert_false(store_needs_help(-ENOSPC) || store_needs_help(-EBUSY) || store_needs_help(-EROFS) ||
                 store_needs_help(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_last_until),         store_test(test_last_number),
        store_test(test_what_nobody_writes), store_test(test_communities_that_are_none),
        store_test(test_times_in_no_order),  store_test(test_stop),
        store_test(test_stop_at_opening),    store_test(test_check),
        cmocka_unit_test(test_needs_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
