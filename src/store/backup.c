/* backup.c - a copy of the log in a file of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

static int is_there(const char *name, struct err *err)
{
    return err_set(err, -EEXIST, "%s is there already, and is left as it is", name);
}

/* Never over something: link(2) where the file system does not know the other. */
static int give_name(const char *from, const char *to, struct err *err)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 || (errno == EINVAL && link(from, to) == 0))
        return 0;
    return errno == EEXIST ? is_there(to, err) : err_set(err, -errno, "%s: %s", to, strerror(errno));
}

static int copy_and_name(const char *path, const char *copy, const char *to, bool (*stop)(void), struct store_copy *ret,
                         struct err *err)
{
    int r = copy_log(path, copy, stop, ret, err);
    if (r == 0)
        r = give_name(copy, to, err);
    leftovers_discard(copy);
    return r == 0 ? copy_sync_folder(to, err) : r;
}

/* A WAL or a journal of that name would count for the copy, though it is of another file. */
static int check_free(const char *to, struct err *err)
{
    static const char *const ends[] = { "", "-wal", "-journal" };
    char name[PATH_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (!leftovers_name(name, to, ends[i]))
            return err_set(err, -ENAMETOOLONG, "%s: %s", to, strerror(ENAMETOOLONG));
        if (faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return is_there(name, err);
    }
    return 0;
}

int store_backup(const char *path, const char *to, bool (*stop)(void), struct store_copy *ret, struct err *err)
{
    char *copy CLEANUP(cleanup_free) = NULL;
    *ret = (struct store_copy){ 0 };
    int r = check_free(to, err);
    if (r < 0)
        return r;
    if (asprintf(&copy, "%s.XXXXXX", to) < 0) {
        copy = NULL;
        return err_set(err, -ENOMEM, "no memory");
    }
    int fd CLEANUP(cleanup_close) = mkostemp(copy, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "cannot make %s: %s", to, strerror(errno));
    return copy_and_name(path, copy, to, stop, ret, err);
}
