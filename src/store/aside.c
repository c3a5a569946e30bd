/* aside.c - another file in the place of a log, so that a kill at any moment leaves one of them there, whole.
 *
 * A log is two files, of which the WAL counts for whatever database of its name lies beside it. So the old one is made
 * one file first, and nobody may open it while the new one takes its name: journal_mode DELETE copies the WAL and
 * removes it, which it does only where nobody else has the log open, and a lock keeps them out from there.
 * Source: sqlite.org, pragma.html, lockingv3.html. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store_private.h"

/* Where SQLite's locks are in a database: the pending byte, the reserved one, and those of readers. */
#define FIRST_LOCK 0x40000000
#define LAST_LOCK (FIRST_LOCK + 511)
#define NAMES_MAX 100
#define PATIENCE_MS 500

static const char *const parts[] = { "-wal", "-journal" };

static int refuse(const char *path, struct err *err)
{
    char holder[STORE_HOLDER_BYTES];
    int fd CLEANUP(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    holder_find_in(fd, FIRST_LOCK, LAST_LOCK, holder);
    return err_set(err, -EAGAIN, "%s has %s open: end it first", holder, path);
}

/* Whatever the pragma answers: what stands beside the file tells. */
static int make_one_file(sqlite3 *db, const char *path)
{
    char name[PATH_MAX];
    sqlite3_busy_timeout(db, PATIENCE_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* what is damaged stays as it is */
    int code = sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(parts) && code == SQLITE_OK; i++)
        if (!leftovers_name(name, path, parts[i]) || access(name, F_OK) == 0)
            code = SQLITE_BUSY;
    return code;
}

int aside_hold(const char *path, struct aside *ret, struct err *err)
{
    *ret = (struct aside){ NULL, access(path, F_OK) == 0 };
    if (!ret->there)
        return 0;
    int code =
        sqlite3_open_v2(path, &ret->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = make_one_file(ret->db, path);
    if (code == SQLITE_OK)
        return 0;
    int r = store_problem(ret->db, code, err, path);
    aside_let_go(ret);
    if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT) /* a kill can spoil nothing of it */
        return 0;
    return (code & 0xff) == SQLITE_BUSY ? refuse(path, err) : r;
}

void aside_let_go(struct aside *aside)
{
    sqlite3_close(aside->db);
    aside->db = NULL;
}

static int move(const char *path, const char *kept, const char *part, struct err *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    if (!leftovers_name(from, path, part) || !leftovers_name(to, kept, part))
        return err_set(err, -ENAMETOOLONG, "%s%s: %s", kept, part, strerror(ENAMETOOLONG));
    return rename(from, to) == 0 || errno == ENOENT ? 0 : err_set(err, -errno, "%s: %s", from, strerror(errno));
}

/* Of what is no database, or has none any more. */
static int move_parts(const char *path, const char *kept, struct err *err)
{
    char index[PATH_MAX];
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
        r = move(path, kept, parts[i], err);
    if (leftovers_name(index, path, "-shm"))
        (void) unlink(index); /* made anew from the WAL */
    return r;
}

static bool is_taken(const char *kept)
{
    char wal[PATH_MAX];
    return access(kept, F_OK) == 0 || !leftovers_name(wal, kept, "-wal") || access(wal, F_OK) == 0;
}

static int choose_name(const char *path, char **ret, struct err *err)
{
    char when[32], number[16] = "";
    time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    for (int i = 2; i < NAMES_MAX; i++) {
        if (asprintf(ret, "%s" STORE_KEPT "%s%s", path, when, number) < 0) {
            *ret = NULL;
            return err_set(err, -ENOMEM, "no memory");
        }
        if (!is_taken(*ret))
            return 0;
        free(*ret);
        *ret = NULL;
        snprintf(number, sizeof(number), "-%d", i);
    }
    return err_set(err, -EEXIST, "%s" STORE_KEPT "%s is there already", path, when);
}

/* Of what was not there at all nothing has that name, but a WAL may have been left without its log. */
static void note_rest(char **kept)
{
    char wal[PATH_MAX];
    bool left = leftovers_name(wal, *kept, "-wal") && access(wal, F_OK) == 0;
    free(*kept);
    *kept = left ? strdup(wal) : NULL;
}

static void undo(const char *path, const char *kept)
{
    struct err ignored;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        (void) !move(kept, path, parts[i], &ignored);
    (void) unlink(kept);
}

/* The old log gets a second name before the new one takes the first: there is a log of that name at any moment. */
int aside_replace(const struct aside *aside, const char *path, const char *copy, char **ret_kept, struct err *err)
{
    int r = choose_name(path, ret_kept, err);
    if (r < 0)
        return r;
    if (aside->there && link(path, *ret_kept) < 0)
        return err_set(err, -errno, "cannot keep the log as %s: %s", *ret_kept, strerror(errno));
    if (!aside->db)
        r = move_parts(path, *ret_kept, err);
    if (r == 0 && rename(copy, path) < 0)
        r = err_set(err, -errno, "%s: %s", path, strerror(errno));
    if (r < 0) {
        undo(path, *ret_kept);
        return r;
    }
    if (!aside->there)
        note_rest(ret_kept);
    return copy_sync_folder(path, err);
}
