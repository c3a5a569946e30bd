/* schema.c - what a database file is, and the way from an older version to this one. */
#include <errno.h>

#include "store_private.h"

#define EVENTS_1                                                                                                       \
    " id INTEGER PRIMARY KEY,"                                                                                         \
    " received_at INTEGER NOT NULL,"                                                                                   \
    " community TEXT NOT NULL,"                                                                                        \
    " listener TEXT NOT NULL,"                                                                                         \
    " peer TEXT NOT NULL,"                                                                                             \
    " type TEXT NOT NULL,"                                                                                             \
    " verdict TEXT NOT NULL,"                                                                                          \
    " data TEXT,"                                                                                                      \
    " extra TEXT,"

/* In quotes, since it stands in a text of SQL as well. */
#define SOURCE_2 " source TEXT NOT NULL DEFAULT ''push'',"

#define DECIDED_2                                                                                                      \
    " type_sent TEXT,"                                                                                                 \
    " family TEXT,"                                                                                                    \
    " level INTEGER,"                                                                                                  \
    " test INTEGER,"                                                                                                   \
    " summary TEXT,"                                                                                                   \
    " calls TEXT,"                                                                                                     \
    " calls911 TEXT,"                                                                                                  \
    " units TEXT,"                                                                                                     \
    " originator INTEGER,"                                                                                             \
    " record INTEGER,"                                                                                                 \
    " known TEXT,"

#define ORIGIN_2                                                                                                       \
    " origin_node TEXT,"                                                                                               \
    " origin_log TEXT,"                                                                                                \
    " origin_id INTEGER"

#define BESIDE_2                                                                                                       \
    "CREATE TABLE refs ("                                                                                              \
    " community TEXT NOT NULL,"                                                                                        \
    " kind TEXT NOT NULL,"                                                                                             \
    " ref ANY NOT NULL,"                                                                                               \
    " event_id INTEGER NOT NULL,"                                                                                      \
    " PRIMARY KEY (community, kind, ref, event_id)"                                                                    \
    ") STRICT, WITHOUT ROWID;"                                                                                         \
    "CREATE TABLE positions ("                                                                                         \
    " source TEXT NOT NULL,"                                                                                           \
    " key TEXT NOT NULL,"                                                                                              \
    " value TEXT NOT NULL,"                                                                                            \
    " PRIMARY KEY (source, key)"                                                                                       \
    ") STRICT, WITHOUT ROWID;"                                                                                         \
    "CREATE TABLE lives (first_id INTEGER PRIMARY KEY, log TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT;"             \
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"                            \
    "INSERT INTO meta VALUES ('schema', '2');"

/* From each version to this one. What is short and read often stands in front of data, which may be long. An older log
 * has the new columns behind it: no row is touched for them. ALTER TABLE would read all of them (SQLite 3.42 and later
 * look whether the default fits a STRICT table), so the words of the table are changed, as sqlite.org has it in
 * lang_altertable.html, "Making Other Kinds Of Table Schema Changes". */
static const char *const steps[STORE_SCHEMA_VERSION] = {
    "CREATE TABLE events ("
    " id INTEGER PRIMARY KEY,"
    " received_at INTEGER NOT NULL,"
    " source TEXT NOT NULL,"
    " community TEXT NOT NULL,"
    " listener TEXT NOT NULL,"
    " peer TEXT NOT NULL,"
    " type TEXT NOT NULL,"
    " verdict TEXT NOT NULL," DECIDED_2 " data TEXT,"
    " extra TEXT," ORIGIN_2 ") STRICT;"
    "CREATE TABLE cursors (action TEXT PRIMARY KEY, event_id INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE failed ("
    " action TEXT NOT NULL,"
    " event_id INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " error TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY (action, event_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX failed_by_event ON failed (event_id);" BESIDE_2,

    "PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = 'CREATE TABLE events (" EVENTS_1 SOURCE_2 DECIDED_2 ORIGIN_2 ") STRICT'"
    " WHERE type = 'table' AND name = 'events';"
    "PRAGMA writable_schema = RESET;" BESIDE_2
    "INSERT INTO meta SELECT 'filled_id', coalesce(min(id), 1) - 1 FROM events;"
    "INSERT INTO meta SELECT 'fill_until_id', coalesce(max(id), 0) FROM events;",
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

int schema_migrate(sqlite3 *db, const char *path, struct err *err)
{
    int64_t version = 0;
    int r = read_number(db, "PRAGMA user_version", &version, err);
    if (r < 0)
        return r;

    int code = version == 0 ? sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL) : SQLITE_OK;
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, steps[version], NULL, NULL, NULL);
    char stamp[96];
    snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", STORE_APPLICATION_ID,
             STORE_SCHEMA_VERSION);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, stamp, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return 0;

    r = store_problem(db, code, err, "cannot set up the tables");
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return err_wrap(err, r, "%s", path);
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
                       "%s was made by a newer %s (schema %lld, this one knows %d), and is left as it is", path,
                       PROGRAM_NAME, (long long) version, STORE_SCHEMA_VERSION);
    if (version < 0)
        return err_set(err, -EMEDIUMTYPE, "%s is no event log, and is left as it is: its schema has the number %lld",
                       path, (long long) version);
    if (version == STORE_SCHEMA_VERSION)
        return 0;
    if (!writable)
        return err_set(err, fresh ? -ENODATA : -EPROTONOSUPPORT, "%s: %s", path,
                       fresh ? "no event log yet" : "of an older version; the daemon brings it up to date");
    return 1;
}
