/* store_helpers.h - a log in a folder of its own, and events to put into it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sonoran-pushd/store.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];
static struct err err;

/* In memory where there is one: these tests are about what is written, not about the disk. */
static inline int make_folder(void **state)
{
    (void) state;
    snprintf(folder, sizeof(folder), "%s/store-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/events.db", folder);
    return 0;
}

static inline int remove_folder(void **state)
{
    char command[128];
    (void) state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

#define store_test(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

static inline struct store *open_store(uint64_t keep_us, uint64_t max_size_bytes)
{
    struct store *store = NULL;
    const struct store_settings settings = {
        .path = path, .durable = true, .keep_us = keep_us, .max_size_bytes = max_size_bytes
    };
    int r = store_open(&store, &settings, &err);
    if (r < 0)
        fail_msg("store_open: %d, %s", r, err.msg);
    return store;
}

/* What opening says that must fail. */
static inline int refused_open(void)
{
    struct store *store = NULL;
    err.msg[0] = '\0';
    int r = store_open(&store, &(struct store_settings){ .path = path, .durable = true }, &err);
    assert_true(r < 0);
    assert_null(store);
    return r;
}

/* Data of an event that tells its id. */
static inline char *data_of(uint64_t id, size_t padding)
{
    char *data = malloc(padding + 64);
    int n = snprintf(data, 64, "{\"id\": %llu,  \"x\":\"", (unsigned long long) id);
    memset(data + n, 'x', padding);
    memcpy(data + n + padding, "\"}", 3);
    return data;
}

static inline int append_one(struct store *store, uint64_t id, usec_t time_us, const char *type, size_t padding)
{
    struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "192.0.2.1" };
    char *data = data_of(id, padding);
    struct event event = {
        .id = id,
        .time_us = time_us,
        .type = type,
        .community = id % 2 ? "odd" : "even",
        .realm = id % 2 ? "odd" : "even",
        .origin = &origin,
        .verdict = id % 5 == 0 ? EVENT_INVALID : EVENT_ACCEPTED,
        .data_text = { data, strlen(data) },
    };
    int r = store_append(store, &event, NULL, &err);
    free(data);
    return r;
}

/* n more events, each second one later than the one before, in one transaction. 0 or what failed. */
static inline int append_many(struct store *store, int n, size_t padding)
{
    uint64_t id = store_last_id(store);
    int r = store_begin(store, &err);
    for (int i = 0; i < n && r >= 0; i++) {
        id++;
        r = append_one(store, id, id * USEC_PER_SEC, id % 3 ? "EVENT_911" : "EVENT_UNIT_STATUS", padding);
    }
    return r < 0 ? r : store_commit(store, &err);
}

/* All rows of a log as ids first..last without a gap, with the bytes they were written with. */
static inline void assert_rows(const char *file, uint64_t first, uint64_t last, size_t padding)
{
    struct store_reader *reader = NULL;
    struct store_row row;
    uint64_t id = first;
    int r = store_reader_open(&reader, file, &err);
    if (r < 0)
        fail_msg("store_reader_open: %d, %s", r, err.msg);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    for (; (r = store_read(reader, &row, &err)) > 0; id++) {
        char *data = data_of(id, padding);
        assert_int_equal(row.id, id);
        assert_int_equal(row.data.size, strlen(data));
        assert_memory_equal(row.data.s, data, row.data.size);
        free(data);
    }
    assert_int_equal(r, 0);
    assert_int_equal(id, last + 1);
    store_reader_close(reader);
}

static inline void copy_file(const char *from, const char *to)
{
    char command[600];
    snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
    assert_int_equal(system(command), 0);
}

/* Everything that can go at this time. What the steps told is added up in *ret. */
static inline uint64_t trim_at(struct store *store, usec_t now_us, usec_t boottime_us, struct store_trimmed *ret)
{
    const struct store_time now = { now_us, boottime_us };
    struct store_trimmed step;
    *ret = (struct store_trimmed){ 0 };
    do {
        if (store_trim(store, &now, &step, &err) < 0)
            fail_msg("store_trim: %s", err.msg);
        ret->n_events += step.n_events;
        ret->n_unread += step.n_unread;
        ret->jump_us += step.jump_us;
        ret->believed |= step.believed;
        ret->quiet |= step.quiet;
    } while (step.again);
    return ret->n_events;
}

/* The same where the machine is up since 1970. */
static inline int trim_all(struct store *store, usec_t now_us, uint64_t *ret_unread)
{
    struct store_trimmed trimmed;
    int n = (int) trim_at(store, now_us, now_us, &trimmed);
    *ret_unread = trimmed.n_unread;
    return n;
}

/* The first number that a statement gives, by a connection of its own. */
static inline int64_t ask_number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int code = sqlite3_step(statement);
    assert_true(code == SQLITE_ROW || code == SQLITE_DONE);
    int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}
