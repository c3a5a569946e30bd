/* schema.c - what a database file is, and the way from an older version to this one. */
#include <errno.h>

#include "private.h"

/* One step for each version: from nothing to 1, and so on. */
static const char *const steps[STORE_SCHEMA_VERSION] = {
    "CREATE TABLE events ("
    " id INTEGER PRIMARY KEY,"
    " received_at INTEGER NOT NULL,"
    " community TEXT NOT NULL,"
    " listener TEXT NOT NULL,"
    " peer TEXT NOT NULL,"
    " type TEXT NOT NULL,"
    " verdict TEXT NOT NULL,"
    " data TEXT,"
    " extra TEXT"
    ") STRICT;"
    "CREATE TABLE cursors (action TEXT PRIMARY KEY, event_id INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE failed ("
    " action TEXT NOT NULL,"
    " event_id INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " error TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY (action, event_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX failed_by_event ON failed (event_id);",
};

static int read_number(sqlite3 *db, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? 0 : store_problem(db, code, err, "cannot read the schema");
}

static int migrate(sqlite3 *db, int64_t version, struct err *err)
{
    int code = version == 0 ? sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL) : SQLITE_OK;
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (; code == SQLITE_OK && version < STORE_SCHEMA_VERSION; version++)
        code = sqlite3_exec(db, steps[version], NULL, NULL, NULL);
    char stamp[96];
    snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", STORE_APPLICATION_ID,
             STORE_SCHEMA_VERSION);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, stamp, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return 0;

    int r = store_problem(db, code, err, "cannot set up the tables");
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

int schema_check(sqlite3 *db, const char *path, bool writable, struct err *err)
{
    int64_t application = 0, version = 0, tables = 0;
    int r = read_number(db, "PRAGMA application_id", &application, err);
    if (r >= 0)
        r = read_number(db, "PRAGMA user_version", &version, err);
    if (r >= 0)
        r = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (r == -EMEDIUMTYPE)
        return err_set(err, r, "%s is no event log, and is left as it is: not an SQLite database", path);
    if (r < 0)
        return err_wrap(err, r, "%s", path);

    bool fresh = application == 0 && version == 0 && tables == 0;
    if (!fresh && application != STORE_APPLICATION_ID)
        return err_set(err, -EMEDIUMTYPE, "%s is no event log, and is left as it is: a database of another program",
                       path);
    if (version > STORE_SCHEMA_VERSION)
        return err_set(err, -EPROTONOSUPPORT,
                       "%s was written by a newer version of %s (schema %lld, this one knows %d), and is left as it is",
                       path, PROGRAM_NAME, (long long) version, STORE_SCHEMA_VERSION);
    if (version == STORE_SCHEMA_VERSION)
        return 0;
    if (!writable)
        return err_set(err, fresh ? -ENODATA : -EPROTONOSUPPORT, "%s: %s", path,
                       fresh ? "no event log yet" : "of an older version; the daemon brings it up to date");
    r = migrate(db, version, err);
    return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}
