/* restore.c - a copy put in the place of the log. What was there is kept: it may have what the copy has not. The copy
 * is whole, with its new life and on disk, before anything of the log is touched. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

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

/* Its epoch is behind that of the log which was there, even if the clock is not. */
static int begin_life(const char *copy, uint64_t epoch_ms, bool (*stop)(void), struct store_life *ret, struct err *err)
{
    const struct store_settings settings = { .path = copy, .durable = true, .stop = stop };
    struct store *store = NULL;
    struct store_life before;
    char name[PATH_MAX];
    int r = store_open(&store, &settings, err);
    if (r < 0)
        return r;
    if (store->life.epoch_ms < epoch_ms)
        store->life.epoch_ms = epoch_ms;
    r = store_begin_life(store, err);
    if (r == 0)
        r = lives_note_restored(store, err);
    (void) store_get_life(store, ret, &before);
    store_close(store);
    if (r == 0 && leftovers_name(name, copy, "-wal") &&
        access(name, F_OK) == 0) /* which the end of it removes, unless the disk fails */
        r = err_set(err, -EIO, "cannot write %s", copy);
    if (leftovers_name(name, copy, ".lock"))
        (void) unlink(name);
    return r;
}

/* As far as it can be read. */
static void look_at_old(const char *path, uint64_t *ret_newest_id, uint64_t *ret_epoch_ms)
{
    struct store_reader *reader = NULL;
    struct err ignored;
    *ret_epoch_ms = 0;
    if (store_reader_open(&reader, path, &ignored) < 0)
        return;
    if (store_newest(reader, ret_newest_id, &ignored) < 0)
        *ret_newest_id = 0;
    if (reader->n_lives)
        *ret_epoch_ms = reader->lives[reader->n_lives - 1].epoch_ms;
    store_reader_close(reader);
}

static int put_in_place(const char *path, const char *copy, struct store_restored *ret, struct err *err)
{
    struct aside aside CLEANUP(aside_let_go) = { NULL, false };
    int r = aside_hold(path, &aside, err);
    return r == 0 ? aside_replace(&aside, path, copy, &ret->kept, err) : r;
}

static int restore(const char *path, const char *from, const char *copy, int fd, bool (*stop)(void),
                   struct store_restored *ret, struct err *err)
{
    struct owner owner;
    uint64_t epoch_ms;
    int r = copy_log(from, copy, stop, &ret->copy, err);
    if (r < 0)
        return r;
    look_at_old(path, &ret->kept_newest_id, &epoch_ms);
    r = begin_life(copy, epoch_ms, stop, &ret->life, err);
    if (r >= 0)
        r = read_owner(path, &owner, err);
    if (r == 0)
        r = give_to(fd, path, &owner, err);
    if (r == 0 && fsync(fd) < 0)
        r = err_set(err, -errno, "%s: %s", copy, strerror(errno));
    return r < 0 ? r : put_in_place(path, copy, ret, err);
}

/* While nobody else can begin to write. */
static int restore_locked(const char *path, const char *from, int lock_fd, bool (*stop)(void),
                          struct store_restored *ret, struct err *err)
{
    char copy[PATH_MAX];
    struct owner owner;
    int r = read_owner(path, &owner, err);
    if (r == 0)
        r = give_to(lock_fd, "the lock of the log", &owner, err);
    if (r < 0)
        return r;
    leftovers_drop(path);
    if (!leftovers_name(copy, path, STORE_RESTORING))
        return err_set(err, -ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
    int fd CLEANUP(cleanup_close) = open(copy, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, -errno, "cannot write beside %s: %s", path, strerror(errno));
    r = restore(path, from, copy, fd, stop, ret, err);
    if (r < 0)
        leftovers_discard(copy);
    return r;
}

int store_restore(const char *path, const char *from, bool (*stop)(void), struct store_restored *ret, struct err *err)
{
    char *real CLEANUP(cleanup_free) = store_real_path(path);
    struct stat log, file;
    *ret = (struct store_restored){ 0 };
    if (!real)
        return err_set(err, -ENOMEM, "no memory");
    if (stat(from, &file) < 0)
        return err_set(err, -errno, "cannot read %s: %s", from, strerror(errno));
    if (stat(real, &log) == 0 && log.st_dev == file.st_dev && log.st_ino == file.st_ino)
        return err_set(err, -EINVAL, "%s is the event log itself", from);
    int lock_fd CLEANUP(cleanup_close) = -1;
    int r = lock_take(real, &lock_fd, err);
    return r < 0 ? r : restore_locked(real, from, lock_fd, stop, ret, err);
}
