/* check.c - the whole file read for damage, which a start leaves to whoever asks for it. */
#include <errno.h>
#include <string.h>

#include "store_private.h"

int check_database(sqlite3 *db, const char *path, bool quick, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    const char *sql = quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)";
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return store_problem(db, code, err, path);
    const char *words = (const char *) sqlite3_column_text(statement, 0);
    return words && strcmp(words, "ok") == 0 ? 0 : err_set(err, -EUCLEAN, "%s is damaged: %s", path, words);
}

int store_check(const char *path, struct err *err)
{
    struct store_reader *reader = NULL;
    int r = store_reader_open(&reader, path, err);
    if (r >= 0)
        r = check_database(reader->db, path, false, err);
    store_reader_close(reader);
    return r;
}
