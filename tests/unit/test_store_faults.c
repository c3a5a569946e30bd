/* test_store_faults.c - a disk that fails: below SQLite, at each single write and sync of a commit; no descriptors. */
#include <sys/resource.h>

#include "store_helpers.h"

enum fault { FAULT_NONE, FAULT_FULL, FAULT_WRITE, FAULT_SHORT, FAULT_SYNC };

/* The default VFS with these in front. A file keeps the default's memory; only its table of methods is another. The
 * default has a table for each way of locking. */
static sqlite3_vfs shim;
static sqlite3_io_methods methods[4];
static const sqlite3_io_methods *real[4];
static int (*real_open)(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags);

static enum fault fault;
static int reason = EIO; /* as the system tells it */
static int passes;       /* calls that still succeed */
static bool goes_on;     /* every later one fails too */
static int n_failed;     /* calls that were made to fail */
static const sqlite3_file *only, *main_file;

static const sqlite3_io_methods *real_of(const sqlite3_file *file)
{
    return real[file->pMethods - methods];
}

static bool fails(const sqlite3_file *file, bool is_sync)
{
    if (fault == FAULT_NONE || (fault == FAULT_SYNC) != is_sync || (only && file != only))
        return false;
    if (passes-- > 0 || (n_failed > 0 && !goes_on))
        return false;
    n_failed++;
    errno = reason;
    return true;
}

static int shim_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    if (!fails(file, false))
        return real_of(file)->xWrite(file, data, size, offset);
    if (fault == FAULT_SHORT)
        (void) real_of(file)->xWrite(file, data, size / 2, offset);
    return fault == FAULT_WRITE ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

static int shim_sync(sqlite3_file *file, int flags)
{
    return fails(file, true) ? SQLITE_IOERR_FSYNC : real_of(file)->xSync(file, flags);
}

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    int code = real_open(vfs, name, file, flags, ret_flags);
    if (code != SQLITE_OK || !file->pMethods)
        return code;
    size_t i = 0;
    while (real[i] && real[i] != file->pMethods)
        assert_true(++i < ARRAY_SIZE(real));
    real[i] = file->pMethods;
    methods[i] = *real[i];
    methods[i].xWrite = shim_write;
    methods[i].xSync = shim_sync;
    if (methods[i].iVersion > 2)
        methods[i].iVersion = 2; /* no memory map: all writes come by here */
    file->pMethods = &methods[i];
    if (flags & SQLITE_OPEN_MAIN_DB)
        main_file = file;
    return code;
}

static int install(void **state)
{
    (void) state;
    shim = *sqlite3_vfs_find(NULL);
    real_open = shim.xOpen;
    shim.zName = "faults";
    shim.xOpen = shim_open;
    shim.pNext = NULL;
    return sqlite3_vfs_register(&shim, 1);
}

static void begin_fault(enum fault which, int after, bool lasting)
{
    fault = which;
    passes = after;
    goes_on = lasting;
    n_failed = 0;
}

static void end_fault(void)
{
    fault = FAULT_NONE;
    only = NULL;
}

/* What a kill at this moment would leave behind has everything that was committed, and nothing that failed. */
static void assert_survives_kill(uint64_t committed, size_t padding)
{
    char copy[160], wal[160], copy_wal[180];
    uint64_t newest = 0;
    struct store_reader *reader = NULL;
    snprintf(copy, sizeof(copy), "%s/copy.db", folder);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    snprintf(copy_wal, sizeof(copy_wal), "%s-wal", copy);
    copy_file(path, copy);
    copy_file(wal, copy_wal);
    assert_int_equal(store_reader_open(&reader, copy, &err), 0);
    assert_int_equal(store_newest(reader, &newest, &err), 0);
    store_reader_close(reader);
    assert_int_equal(newest, committed);
    assert_rows(copy, 1, newest, padding);
    unlink(copy);
    unlink(copy_wal);
}

/* Fails the first call of a commit, then the second, and so on, until a commit has no more calls that could fail. */
static void fail_at_each(enum fault which, int expected, bool lasting, int n, size_t padding)
{
    struct store *store = open_store(0, 0);
    uint64_t committed = 0;
    int failures = 0;
    assert_int_equal(append_many(store, 3, padding), 0);
    committed = 3;
    for (int after = 0;; after++) {
        begin_fault(which, after, lasting);
        int r = append_many(store, n, padding);
        int hit = n_failed;
        if (hit)
            assert_int_equal(r, expected);
        if (r < 0)
            assert_survives_kill(committed, padding);
        store_rollback(store);
        end_fault();
        committed += r < 0 ? 0 : (uint64_t) n;
        assert_int_equal(store_last_id(store), committed);
        assert_rows(path, 1, committed, padding);
        if (!hit)
            break;
        failures++;
        assert_int_equal(append_many(store, n, padding), 0);
        committed += (uint64_t) n;
    }
    assert_true(failures > 0);
    store_close(store);
    assert_rows(path, 1, committed, padding);
    assert_int_equal(ask_number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    store = open_store(0, 0);
    assert_int_equal(store_last_id(store), committed);
    store_close(store);
}

static void test_full(void **state)
{
    (void) state;
    fail_at_each(FAULT_FULL, -ENOSPC, false, 5, 2000);
}

static void test_full_for_a_while(void **state)
{
    (void) state;
    fail_at_each(FAULT_FULL, -ENOSPC, true, 5, 2000);
}

static void test_write_error(void **state)
{
    (void) state;
    fail_at_each(FAULT_WRITE, -EIO, false, 5, 2000);
}

static void test_write_error_for_a_while(void **state)
{
    (void) state;
    fail_at_each(FAULT_WRITE, -EIO, true, 5, 2000);
}

static void test_short_write(void **state)
{
    (void) state;
    fail_at_each(FAULT_SHORT, -ENOSPC, false, 5, 2000);
}

static void test_sync_error(void **state)
{
    (void) state;
    fail_at_each(FAULT_SYNC, -EIO, false, 5, 2000);
}

static void test_sync_error_for_a_while(void **state)
{
    (void) state;
    fail_at_each(FAULT_SYNC, -EIO, true, 5, 2000);
}

/* So much in one transaction that SQLite's memory for it overflows into the WAL before the commit. */
static void test_full_before_commit(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 1, 50000), 0);
    begin_fault(FAULT_FULL, 20, true);
    assert_int_equal(append_many(store, 200, 50000), -ENOSPC);
    assert_true(n_failed > 0);
    store_rollback(store);
    end_fault();
    assert_int_equal(append_many(store, 200, 50000), 0);
    store_close(store);
    assert_rows(path, 1, 201, 50000);
}

/* The database itself cannot be written: what is in the WAL counts, and gets there later. */
static void checkpoint_fails(enum fault which)
{
    const size_t padding = 50000;
    struct store *store = open_store(0, 0);
    only = main_file;
    assert_non_null(only);
    begin_fault(which, which == FAULT_SYNC ? 0 : 100, true);
    for (int i = 0; i < 4; i++)
        assert_int_equal(append_many(store, 200, padding), 0); /* 10 MB each: more than a checkpoint waits for */
    assert_true(n_failed > 0);
    assert_survives_kill(800, padding);
    end_fault();
    assert_int_equal(append_many(store, 200, padding), 0);
    store_close(store);
    assert_rows(path, 1, 1000, padding);
    assert_int_equal(ask_number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

static void test_checkpoint_full(void **state)
{
    (void) state;
    checkpoint_fails(FAULT_FULL);
}

static void test_checkpoint_sync(void **state)
{
    (void) state;
    checkpoint_fails(FAULT_SYNC);
}

/* Deleting old events fails as a whole or not at all, and can be tried again. */
static void test_trim_fails(void **state)
{
    (void) state;
    struct store_trimmed trimmed;
    uint64_t first = 1;
    int failures = 0;
    struct store *store = open_store(1, 0);
    assert_int_equal(append_many(store, 3000, 100), 0);
    for (int after = 0; first < 3000; after++) {
        begin_fault(FAULT_FULL, after, true);
        int r =
            store_trim(store, &(struct store_time){ 1000000 * USEC_PER_SEC, 1000000 * USEC_PER_SEC }, &trimmed, &err);
        end_fault();
        assert_true(r >= 0 || r == -ENOSPC);
        failures += r < 0;
        first += r < 0 ? 0 : trimmed.n_events;
        assert_rows(path, first, 3000, 100);
    }
    assert_true(failures > 0);
    store_close(store);
}

/* An old failure of the system is not the reason of a new one of another kind. */
static void test_reason_is_not_stale(void **state)
{
    (void) state;
    sqlite3 *other = NULL;
    struct store *store = open_store(0, 0);
    begin_fault(FAULT_WRITE, 20, false); /* before the commit: of one that fails SQLite tells no reason */
    reason = ENOSPC;
    assert_int_equal(append_many(store, 200, 50000), -ENOSPC);
    reason = EIO;
    store_rollback(store);
    end_fault();
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(append_many(store, 1, 100), -EBUSY);
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_int_equal(append_many(store, 1, 100), 0);
    store_close(store);
}

/* Tells whether there is room and a disk that syncs, and leaves nothing behind. */
static void test_probe(void **state)
{
    (void) state;
    const size_t bytes = 65536;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, 3, 100), 0);
    begin_fault(FAULT_FULL, 5, true); /* a small event would have its room */
    assert_int_equal(append_many(store, 1, 100), 0);
    begin_fault(FAULT_FULL, 5, true);
    assert_int_equal(store_probe(store, bytes, &err), -ENOSPC);
    begin_fault(FAULT_WRITE, 0, true);
    assert_int_equal(store_probe(store, bytes, &err), -EIO);
    begin_fault(FAULT_SYNC, 0, true);
    assert_int_equal(store_probe(store, bytes, &err), -EIO);
    assert_survives_kill(4, 100);
    begin_fault(FAULT_FULL, 1000, true);
    assert_int_equal(store_probe(store, bytes, &err), 0);
    assert_true(passes < 1000 - (int) (bytes / 4096)); /* it did write so much */
    end_fault();
    assert_survives_kill(4, 100);
    assert_int_equal(append_many(store, 3, 100), 0);
    assert_int_equal(ask_number("SELECT count(*) FROM cursors"), 0);
    store_close(store);
    assert_rows(path, 1, 7, 100);
}

/* However many are left: it is they that are missing, and nothing is said of the file. */
static void test_reader_without_descriptors(void **state)
{
    (void) state;
    struct store *store = open_store(0, 0);
    struct store_reader *reader = NULL;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(STDERR_FILENO), r = -1;
    assert_return_code(next, errno);
    close(next);
    for (rlim_t left = 0; r < 0; left++) {
        struct rlimit few = { (rlim_t) next + left, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        r = store_reader_open(&reader, path, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(left > 0 || r < 0);
        if (r < 0) {
            assert_int_equal(r, -EMFILE);
            assert_non_null(strstr(err.msg, "Too many open files"));
        }
    }
    store_reader_close(reader);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_full),
        store_test(test_full_for_a_while),
        store_test(test_write_error),
        store_test(test_write_error_for_a_while),
        store_test(test_short_write),
        store_test(test_sync_error),
        store_test(test_sync_error_for_a_while),
        store_test(test_full_before_commit),
        store_test(test_checkpoint_full),
        store_test(test_checkpoint_sync),
        store_test(test_trim_fails),
        store_test(test_reason_is_not_stale),
        store_test(test_probe),
        store_test(test_reader_without_descriptors),
    };
    return cmocka_run_group_tests(tests, install, NULL);
}
