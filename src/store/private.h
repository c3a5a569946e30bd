/* private.h - inside src/store: the writing connection and what its files share. */
#pragma once

#include <sonoran-pushd/store.h>
#include <sqlite3.h>
#include <sys/stat.h>

#define STORE_APPLICATION_ID 0x53505348 /* "SPSH" */
#define STORE_SCHEMA_VERSION 1

enum statement {
    BEGIN,
    COMMIT,
    INSERT_EVENT,
    GET_CURSOR,
    SET_CURSOR,
    NEXT_CURSOR,
    DROP_CURSOR,
    PUT_FAILED,
    DROP_FAILED,
    FORGET_FAILED,
    OLDEST,
    SLOWEST_CURSOR,
    DELETE_EVENTS,
    FILL,
    TOUCH,
    UNTOUCH,
    N_STATEMENTS
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[N_STATEMENTS];
    char *path, *wal_path;
    int lock_fd;
    struct stat file, wal_file; /* as they were opened */
    bool durable, relaxed;      /* relaxed: for the transaction under way, durable comes back after it */
    uint64_t keep_us, max_size_bytes;
    uint64_t last_id;     /* committed */
    uint64_t appended_id; /* in the transaction under way */
};

/* A failure of SQLite as negative errno, with SQLite's words behind what. */
int store_problem(sqlite3 *db, int code, struct err *err, const char *what);

/* store.c: a statement without rows; texts are borrowed until it has run. */
int store_run(struct store *store, enum statement which, struct err *err, const char *what) MUST_CHECK;
void store_bind_text(sqlite3_stmt *statement, int position, const char *s, size_t size);

/* probe.c: writes so many bytes into the WAL where the next transaction would stand, and rolls them back. */
int store_write_over(struct store *store, size_t bytes, struct err *err) MUST_CHECK;

/* schema.c: what a file is, and what it has to become. create: an empty file may be filled. */
int schema_check(sqlite3 *db, const char *path, bool writable, struct err *err) MUST_CHECK;
