/* fuzz_log.h - the event log of fuzz_rows.c: made as the daemon makes it, and filled with any values. */
#pragma once

#include "fuzz_checks.h"

#include <fcntl.h>
#include <sonoran-pushd/store.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW '\x1e'
#define COLUMN '\x1f'
#define ROWS_MAX 64

static char folder[64], log_path[96], copy_path[96];

static const char *const schema_1 =
    "CREATE TABLE events (id INTEGER PRIMARY KEY, received_at INTEGER, community TEXT, listener TEXT, peer TEXT, "
    "type TEXT, verdict TEXT, data TEXT, extra TEXT);"
    "CREATE TABLE cursors (action TEXT PRIMARY KEY, event_id INTEGER) WITHOUT ROWID;"
    "CREATE TABLE failed (action TEXT, event_id INTEGER, attempts INTEGER, error TEXT, at INTEGER,"
    " PRIMARY KEY (action, event_id)) WITHOUT ROWID;"
    "CREATE INDEX failed_by_event ON failed (event_id);"
    "PRAGMA application_id = 1397773128; PRAGMA user_version = 1;";

static const char *const loosen =
    "PRAGMA journal_mode = MEMORY; PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = replace(replace(replace(sql, ' STRICT, WITHOUT', ' WITHOUT'), ' STRICT', ''),"
    " ' NOT NULL', '');"
    "PRAGMA writable_schema = RESET;";

static void run(sqlite3 *db, const char *sql)
{
    require(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db;
    require(sqlite3_open(path, &db) == SQLITE_OK);
    run(db, "PRAGMA synchronous = OFF");
    return db;
}

static void remove_log(const char *name)
{
    static const char *const behind[] = { "", "-wal", "-shm", "-journal", ".lock" };
    char path[128];
    for (size_t i = 0; i < ARRAY_SIZE(behind); i++) {
        snprintf(path, sizeof(path), "%s%s", name, behind[i]);
        unlink(path);
    }
}

static void remove_all(void)
{
    remove_log(log_path);
    remove_log(copy_path);
    rmdir(folder);
}

/* As the daemon makes it, and then looser. */
static void make_log(void)
{
    struct store *store;
    struct err err;
    snprintf(folder, sizeof(folder), "%s/fuzz-rows-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    require(mkdtemp(folder) != NULL);
    snprintf(log_path, sizeof(log_path), "%s/events.db", folder);
    snprintf(copy_path, sizeof(copy_path), "%s/copy.db", folder);
    require(store_open(&store, &(struct store_settings){ .path = log_path }, &err) == 0);
    store_close(store);
    sqlite3 *db = open_db(log_path);
    run(db, loosen);
    sqlite3_close(db);
    atexit(remove_all);
}

static void bind(sqlite3_stmt *statement, int position, const char *value)
{
    size_t size = strlen(value);
    if (value[0] == '#')
        sqlite3_bind_int64(statement, position, strtoll(value + 1, NULL, 10));
    else if (value[0] == '~')
        sqlite3_bind_double(statement, position, strtod(value + 1, NULL));
    else if (value[0] == '!')
        sqlite3_bind_blob(statement, position, value + 1, (int) size - 1, SQLITE_TRANSIENT);
    else if (value[0])
        sqlite3_bind_text(statement, position, value, (int) size, SQLITE_TRANSIENT);
}

/* What a table does not take is not there. */
static void insert(sqlite3 *db, char *row, bool old)
{
    static const struct {
        char letter;
        const char *table;
        size_t n, n_old;
    } tables[] = { { 'e', "events", 24, 9 }, { 'c', "cursors", 2, 2 },   { 'f', "failed", 5, 5 }, { 'r', "refs", 4, 0 },
                   { 'l', "lives", 3, 0 },   { 'p', "positions", 3, 0 }, { 'm', "meta", 2, 0 } };
    struct text sql CLEANUP(text_free) = TEXT_INIT;
    sqlite3_stmt *statement = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        size_t n = old ? tables[i].n_old : tables[i].n;
        if (tables[i].letter != row[0] || !n)
            continue;
        char *rest = row;
        (void) next_part(&rest, COLUMN);
        text_addf(&sql, "INSERT OR IGNORE INTO %s VALUES (?", tables[i].table);
        for (size_t k = 1; k < n; k++)
            text_add(&sql, ", ?");
        text_add(&sql, ")");
        require(sqlite3_prepare_v2(db, sql.s, -1, &statement, NULL) == SQLITE_OK);
        for (size_t k = 0; k < n; k++)
            bind(statement, (int) k + 1, next_part(&rest, COLUMN));
        sqlite3_step(statement);
        sqlite3_finalize(statement);
        return;
    }
}

static void fill_log(const char *path, char *rows, bool old)
{
    sqlite3 *db = open_db(path);
    run(db, "PRAGMA journal_mode = MEMORY; BEGIN");
    run(db, old ? schema_1
                : "DELETE FROM events; DELETE FROM refs; DELETE FROM lives; DELETE FROM meta; DELETE FROM cursors;"
                  " DELETE FROM failed; DELETE FROM positions;");
    for (size_t n = 0; *rows && n < ROWS_MAX; n++)
        insert(db, next_part(&rows, ROW), old);
    run(db, "COMMIT");
    sqlite3_close(db);
}

static void copy_log(void)
{
    char block[1 << 16];
    int from = open(log_path, O_RDONLY | O_CLOEXEC), to = open(copy_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(from >= 0 && to >= 0);
    for (ssize_t n; (n = read(from, block, sizeof(block))) > 0;)
        require(write(to, block, (size_t) n) == n);
    close(from);
    close(to);
}
