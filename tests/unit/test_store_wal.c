/* The write-ahead log: copied by a thread of its own or by the one that writes, and begun again. */
#include "store_helpers.h"

#define EVENTS 50
#define PADDING 20000 /* 1 MB and more a transaction */
#define MIB (1 << 20)

static off_t wal_size(void)
{
    char wal[160];
    struct stat st;
    snprintf(wal, sizeof(wal), "%s-wal", path);
    return stat(wal, &st) == 0 ? st.st_size : 0;
}

static int transactions(struct store *store, int n)
{
    int r = 0;
    for (int i = 0; i < n && r >= 0; i++)
        r = append_many(store, EVENTS, PADDING);
    return r;
}

static void test_alone(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(transactions(store, 60), 0);
    assert_in_range(wal_size(), MIB, 20 * MIB);
    store_close(store);
    assert_int_equal(wal_size(), 0);
    assert_rows(path, 1, 60 * EVENTS, PADDING);
}

static void test_beside(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(store_start_checkpoints(store, &err), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(transactions(store, 30), 0);
        assert_in_range(wal_size(), MIB, 112 * MIB); /* a third of that where the disk is quick */
    }
    assert_int_equal(store_checkpoint_result(store, &err), 0);
    store_stop_checkpoints(store);
    store_stop_checkpoints(store);
    assert_int_equal(transactions(store, 30), 0);
    store_close(store);
    assert_rows(path, 1, 180 * EVENTS, PADDING);
}

/* Of the size that max_size leaves it, and closed while the thread runs. */
static void test_small(void **state)
{
    (void) state;
    struct store *store = open_store(0, 4 * MIB);
    assert_int_equal(store_start_checkpoints(store, &err), 0);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(append_many(store, 2, PADDING), 0);
        assert_in_range(wal_size(), 1, 4 * MIB); /* a twelfth of that where the disk is quick */
    }
    store_close(store);
    assert_rows(path, 1, 600, PADDING);
}

/* A reader keeps all that it sees in the WAL; when it has ended, the WAL begins again and is cut. */
static void test_held(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct store *store = open_store(0, 0);
    assert_int_equal(store_start_checkpoints(store, &err), 0);
    assert_int_equal(transactions(store, 1), 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_int_equal(transactions(store, 80), 0);
    int n = 81;
    assert_true(wal_size() > 80 * MIB);
    store_reader_close(reader);
    for (; wal_size() > 64 * MIB; n++) /* once the thread has copied it, which takes what the disk takes */
        assert_int_equal(transactions(store, 1), 0);
    store_close(store);
    assert_rows(path, 1, (unsigned) n * EVENTS, PADDING);
}

static void trim_until_settled(struct store *store, int n_looks)
{
    const struct store_time now = { USEC_PER_SEC, USEC_PER_SEC };
    struct store_trimmed trimmed = { .left = true };
    for (int i = 0; (trimmed.left || trimmed.again) && i < n_looks; i++) {
        assert_int_equal(store_trim(store, &now, &trimmed, &err), 0);
        usleep(trimmed.left ? 1000 : 0);
    }
    assert_int_equal(trimmed.wal_bytes, wal_size());
}

/* While a reader holds it, far above the limit. */
static struct store *open_and_grow(bool beside)
{
    struct store_reader *reader = NULL;
    struct store_row row;
    struct store *store = open_store(0, 4 * MIB);
    if (beside)
        assert_int_equal(store_start_checkpoints(store, &err), 0);
    assert_int_equal(append_many(store, 2, PADDING), 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    assert_int_equal(transactions(store, 2), 0);
    assert_in_range(wal_size(), MIB, 4 * MIB);
    store_reader_close(reader);
    return store;
}

/* Nothing comes any more that would begin it again: it is cut between events, and the database has everything. */
static void settles(bool beside)
{
    struct store *store = open_and_grow(beside);
    trim_until_settled(store, 10000);
    assert_in_range(wal_size(), 0, MIB / 2);
    assert_int_equal(append_many(store, 1, PADDING), 0);
    store_close(store);
    assert_rows(path, 1, 2 * EVENTS + 3, PADDING);
}

static void test_settles(void **state)
{
    (void) state;
    settles(false);
}

static void test_settles_beside(void **state)
{
    (void) state;
    settles(true);
}

/* What is deleted goes from the end of the file too, also where a reader was in the way at first. */
static void test_shrinks(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct stat st;
    struct store *store = open_store(0, 4 * MIB);
    for (int i = 0; i < 300; i++)
        assert_int_equal(append_many(store, 2, PADDING), 0);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ .after_id = 500 }, &err), 0);
    assert_int_equal(store_read(reader, &row, &err), 1);
    trim_until_settled(store, 10);
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size, 8 * MIB, 20 * MIB);
    store_reader_close(reader);
    trim_until_settled(store, 10000);
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size + wal_size(), 3 * MIB, 4 * MIB);
    store_close(store);
}

/* Longer than its head says, with nothing in the WAL that a checkpoint could do: there is nothing to come back for.
 * Deleting events cuts it. */
static void rests(bool beside)
{
    const struct store_time now = { USEC_PER_SEC, USEC_PER_SEC };
    struct store_trimmed trimmed = { .left = true };
    struct stat st;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 9, PADDING), 0);
    store_close(store);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size + MIB), 0);
    store = open_store(0, 0);
    if (beside)
        assert_int_equal(store_start_checkpoints(store, &err), 0);
    trim_until_settled(store, 10000);
    assert_int_equal(store_trim(store, &now, &trimmed, &err), 0);
    assert_false(trimmed.left || trimmed.again);
    assert_int_equal(append_many(store, 1, 0), 0);
    store_configure(store, &(struct store_settings){ .durable = true, .max_size_bytes = 5 * PADDING });
    trim_until_settled(store, 10000);
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size, 1, 9 * PADDING);
    store_close(store);
}

static void test_rests(void **state)
{
    (void) state;
    rests(false);
}

static void test_rests_beside(void **state)
{
    (void) state;
    rests(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_alone),   store_test(test_beside),  store_test(test_small),
        store_test(test_held),    store_test(test_settles), store_test(test_settles_beside),
        store_test(test_shrinks), store_test(test_rests),   store_test(test_rests_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
