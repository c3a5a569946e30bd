/* restore.c - a copy put in the place of the log. What was there is kept: it may have what the copy has not. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "private.h"

/* Of a state folder that systemd gives to another user at each start, the files have to have the owner that they had:
 * it changes them only together with the folder's. */
struct owner {
    uid_t uid;
    gid_t gid;
    mode_t mode;
};

static int read_owner(const char *path, struct owner *ret, struct err *err)
{
    char *copy CLEANUP(cleanup_free) = strdup(path);
    struct stat st;
    if (!copy)
        return err_set(err, -ENOMEM, "no memory");
    bool there = stat(path, &st) == 0;
    if (!there && stat(dirname(copy), &st) < 0)
        return err_set(err, -errno, "%s: %s", copy, strerror(errno));
    *ret = (struct owner){ st.st_uid, st.st_gid, there ? st.st_mode & 07777 : 0640 };
    return 0;
}

static int give_to(int fd, const char *name, const struct owner *owner, struct err *err)
{
    struct stat st;
    bool done = fstat(fd, &st) == 0 &&
                ((st.st_uid == owner->uid && st.st_gid == owner->gid) || fchown(fd, owner->uid, owner->gid) == 0);
    if (!done || fchmod(fd, owner->mode) < 0)
        return err_set(err, -errno, "cannot give %s its owner: %s", name, strerror(errno));
    return 0;
}

static int begin_life(const char *path, bool (*stop)(void), struct store_life *ret, struct err *err)
{
    const struct store_settings settings = { .path = path, .durable = true, .stop = stop };
    struct store *store = NULL;
    struct store_life before;
    char lock[PATH_MAX];
    int r = store_open(&store, &settings, err);
    if (r >= 0)
        r = store_begin_life(store, err);
    if (r >= 0)
        (void) store_get_life(store, ret, &before);
    store_close(store);
    snprintf(lock, sizeof(lock), "%s.lock", path);
    (void) unlink(lock);
    return r;
}

static bool newest_of(const char *path, uint64_t *ret_id)
{
    struct store_reader *reader = NULL;
    struct err ignored;
    bool readable = store_reader_open(&reader, path, &ignored) >= 0 && store_newest(reader, ret_id, &ignored) >= 0;
    store_reader_close(reader);
    return readable;
}

/* Of a log that was closed in order, a reader leaves an empty one and its index behind. */
static void drop_empty_wal(const char *path)
{
    char wal[PATH_MAX], shm[PATH_MAX];
    struct stat st;
    snprintf(wal, sizeof(wal), "%s-wal", path);
    snprintf(shm, sizeof(shm), "%s-shm", path);
    if (stat(wal, &st) == 0 && st.st_size == 0 && unlink(wal) == 0)
        (void) unlink(shm);
}

static int move(const char *path, const char *kept, const char *suffix, struct err *err)
{
    char from[PATH_MAX], to[PATH_MAX]; /* the longer one */
    snprintf(from, sizeof(from), "%s%s", path, suffix);
    if ((size_t) snprintf(to, sizeof(to), "%s%s", kept, suffix) >= sizeof(to))
        return err_set(err, -ENAMETOOLONG, "%s%s: %s", kept, suffix, strerror(ENAMETOOLONG));
    return rename(from, to) == 0 || errno == ENOENT ? 0 : err_set(err, -errno, "%s: %s", from, strerror(errno));
}

/* The log gets a second name before the copy takes the first: there is a log of that name at any moment. */
static int keep_old(const char *path, char **ret_kept, struct err *err)
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    if (asprintf(ret_kept, "%s.kept-%s", path, when) < 0) {
        *ret_kept = NULL;
        return err_set(err, -ENOMEM, "no memory");
    }
    if (link(path, *ret_kept) < 0)
        return err_set(err, -errno, "cannot keep the log as %s: %s", *ret_kept, strerror(errno));
    drop_empty_wal(path);
    int r = move(path, *ret_kept, "-wal", err);
    return r == 0 ? move(path, *ret_kept, "-shm", err) : r;
}

/* Nothing took its place: with its WAL it is whole again. */
static void give_back(const char *path, const char *kept)
{
    struct err err;
    (void) !move(kept, path, "-wal", &err);
    (void) !move(kept, path, "-shm", &err);
}

static int put_in_place(const char *path, const char *copy, char **ret_kept, struct err *err)
{
    int r = access(path, F_OK) == 0 ? keep_old(path, ret_kept, err) : 0;
    if (r == 0 && rename(copy, path) < 0)
        r = err_set(err, -errno, "%s: %s", path, strerror(errno));
    if (r == 0)
        return copy_sync_folder(path, err);
    if (*ret_kept)
        give_back(path, *ret_kept);
    return r;
}

static int restore(const char *path, const char *from, const char *copy, int fd, bool (*stop)(void),
                   struct store_restored *ret, struct err *err)
{
    struct owner owner;
    int r = copy_log(from, copy, stop, &ret->copy, err);
    if (r == 0)
        r = begin_life(copy, stop, &ret->life, err);
    if (r >= 0)
        r = read_owner(path, &owner, err);
    if (r == 0)
        r = give_to(fd, path, &owner, err);
    if (r == 0 && fsync(fd) < 0)
        r = err_set(err, -errno, "%s: %s", copy, strerror(errno));
    if (r < 0)
        return r;
    (void) newest_of(path, &ret->kept_newest_id);
    return put_in_place(path, copy, &ret->kept, err);
}

/* With what SQLite may have left beside it. */
static void discard(const char *copy)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal", ".lock" };
    char name[PATH_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", copy, suffixes[i]);
        (void) unlink(name);
    }
}

/* While nobody else can begin to write. */
static int restore_locked(const char *path, const char *from, int lock_fd, bool (*stop)(void),
                          struct store_restored *ret, struct err *err)
{
    char *copy CLEANUP(cleanup_free) = NULL;
    struct owner owner;
    int r = read_owner(path, &owner, err);
    if (r == 0)
        r = give_to(lock_fd, "the lock of the log", &owner, err);
    if (r < 0)
        return r;
    if (asprintf(&copy, "%s.XXXXXX", path) < 0) {
        copy = NULL;
        return err_set(err, -ENOMEM, "no memory");
    }
    int fd CLEANUP(cleanup_close) = mkostemp(copy, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "cannot write beside %s: %s", path, strerror(errno));
    r = restore(path, from, copy, fd, stop, ret, err);
    if (r < 0)
        discard(copy);
    return r;
}

int store_restore(const char *path, const char *from, bool (*stop)(void), struct store_restored *ret, struct err *err)
{
    struct stat log, file;
    *ret = (struct store_restored){ 0 };
    if (stat(from, &file) < 0)
        return err_set(err, -errno, "cannot read %s: %s", from, strerror(errno));
    if (stat(path, &log) == 0 && log.st_dev == file.st_dev && log.st_ino == file.st_ino)
        return err_set(err, -EINVAL, "%s is the event log itself", from);
    int lock_fd CLEANUP(cleanup_close) = -1;
    int r = lock_take(path, &lock_fd, err);
    return r < 0 ? r : restore_locked(path, from, lock_fd, stop, ret, err);
}
