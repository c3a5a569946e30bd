/* test_store_size.c - max_size: all files of a log keep to it, whatever its rows are like, and no more is deleted than
 * has to be. */
#include "store_described.h"

#define HOUR_US (3600 * USEC_PER_SEC)
#define KIB ((uint64_t) 1 << 10)
#define MIB ((uint64_t) 1 << 20)
#define N_UNITS 6
#define LARGEST_BYTES ((uint64_t) 300000)

/* The whole of one event is in refs, known and line as much as in its data. */
static void append_padded(struct store *store, uint64_t id, size_t padding)
{
    struct description description;
    struct event event = make_event(id);
    char *data = data_of(event.id, padding);
    describe(&description);
    for (int i = 0; i < N_UNITS; i++)
        ids_add(&description.units, 100000 + (int64_t) event.id * N_UNITS + i);
    event.data_text = span_of(data);
    assert_int_equal(store_append(store, &event, &description, &err), 0);
    free(data);
    description_free(&description);
}

static uint64_t file_bytes(const char *suffix)
{
    char name[160];
    struct stat st;
    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &st) == 0 ? (uint64_t) st.st_size : 0;
}

static uint64_t all_bytes(void)
{
    return file_bytes("") + file_bytes("-wal") + file_bytes("-shm");
}

/* Some events with these paddings in turn, in one transaction. */
static void append_some(struct store *store, const size_t *paddings, size_t n)
{
    uint64_t first = store_last_id(store) + 1;
    assert_int_equal(store_begin(store, &err), 0);
    for (uint64_t id = first; id < first + 20; id++)
        append_padded(store, id, paddings[id % n]);
    assert_int_equal(store_commit(store, &err), 0);
}

/* Until the log has so many bytes. */
static void fill(const size_t *paddings, size_t n, uint64_t bytes)
{
    struct store *store = open_store(0, 0);
    while (file_bytes("") < bytes) {
        append_some(store, paddings, n);
        store_settle(store);
    }
    store_close(store);
}

/* Of the database, without what is free. */
static uint64_t used_bytes(void)
{
    const char *sql = "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count";
    return (uint64_t) ask_number(sql) * 4096;
}

/* A little too much is in it, and a little goes: as much as that, and a row. */
static void takes_little(const size_t *paddings, size_t n)
{
    const uint64_t excess = 64 * KIB;
    size_t largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = paddings[i] > largest ? paddings[i] : largest;
    fill(paddings, n, 4 * MIB);
    uint64_t before = used_bytes(), unread;
    struct store *store = open_store(0, before - excess);
    assert_true(trim_all(store, HOUR_US, &unread) > 0);
    uint64_t wal = file_bytes("-wal"), limit = (before - excess) / 8;
    uint64_t used = used_bytes() + (wal < limit ? wal : limit) + file_bytes("-shm");
    assert_true(used <= before - excess);
    assert_true(used + largest + 32 * KIB > before - excess);
    store_close(store);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE event_id NOT IN (SELECT id FROM events)"), 0);
}

/* Twice as much as may be there, and more comes: the files keep to it, and are not far below. */
static void keeps_to_it(const size_t *paddings, size_t n)
{
    const uint64_t limit = 4 * MIB;
    uint64_t unread;
    fill(paddings, n, 2 * limit);
    struct store *store = open_store(0, limit);
    for (int i = 0; i < 5; i++) {
        (void) trim_all(store, HOUR_US, &unread);
        assert_in_range(all_bytes(), limit - limit / 8 - LARGEST_BYTES, limit);
        append_some(store, paddings, n);
    }
    store_close(store);
}

static const size_t small[] = { 0, 100 }, medium[] = { 2200, 4200 }, huge[] = { LARGEST_BYTES },
                    mixed[] = { 0, 200000, 20, 2200, 5000, 100, 0, 70000, 300, 12000 };

#define SIZE_TESTS(name)                                                                                               \
    static void test_little_of_##name(void **state)                                                                    \
    {                                                                                                                  \
        (void) state;                                                                                                  \
        takes_little(name, ARRAY_SIZE(name));                                                                          \
    }                                                                                                                  \
    static void test_limit_of_##name(void **state)                                                                     \
    {                                                                                                                  \
        (void) state;                                                                                                  \
        keeps_to_it(name, ARRAY_SIZE(name));                                                                           \
    }

SIZE_TESTS(small)
SIZE_TESTS(medium)
SIZE_TESTS(huge)
SIZE_TESTS(mixed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_little_of_small), store_test(test_little_of_medium), store_test(test_little_of_huge),
        store_test(test_little_of_mixed), store_test(test_limit_of_small),   store_test(test_limit_of_medium),
        store_test(test_limit_of_huge),   store_test(test_limit_of_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
