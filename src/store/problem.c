/* problem.c - SQLite's result codes as errno, and a sentence. */
#include <errno.h>

#include "store_private.h"

static int to_errno(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CORRUPT:
        return -EUCLEAN;
    case SQLITE_NOTADB:
        return -EMEDIUMTYPE;
    case SQLITE_INTERRUPT:
        return -ECANCELED;
    case SQLITE_TOOBIG:
        return -EFBIG;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return -EINVAL;
    default:
        return -EIO;
    }
}

void store_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

bool store_needs_help(int r)
{
    return r == -EUCLEAN || r == -EMEDIUMTYPE || r == -EPROTONOSUPPORT;
}

int store_problem(sqlite3 *db, int code, struct err *err, const char *what)
{
    const char *words = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    bool is_io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    int system = db && is_io ? sqlite3_system_errno(db) : 0; /* with other codes that of an older failure */
    if (system == ENOSPC || system == EDQUOT)
        return err_set(err, -ENOSPC, "%s: no space left on the device", what);
    if (system == EMFILE || system == ENFILE) /* nothing is wrong with the file */
        return err_set(err, -system, "%s: %s", what, strerror(system));
    return err_set(err, to_errno(code), "%s: %s", what, words);
}
