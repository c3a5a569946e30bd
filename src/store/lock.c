/* lock.c - who may write the log: a second daemon on the same file would number events twice. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

static int refuse(const char *path, int fd, struct err *err)
{
    char holder[32] = "";
    ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
    holder[n > 0 ? strspn(holder, "0123456789") : 0] = '\0';
    return err_set(err, -EBUSY, "%s is in use by another %s%s%s", path, PROGRAM_NAME, holder[0] ? ", process " : "",
                   holder);
}

/* What to do about it; the lock is the first file that is opened. */
static int refuse_open(const char *lock_path, int problem, struct err *err)
{
    int folder = (int) (strrchr(lock_path, '/') ? strrchr(lock_path, '/') - lock_path : 0);
    if (problem == ENOENT || problem == ENOTDIR)
        return err_set(err, -problem,
                       "the event log cannot be in the folder %.*s, which is not there: make it, or "
                       "change store.path",
                       folder, lock_path);
    if (problem == EACCES || problem == EPERM)
        return err_set(err, -problem,
                       "cannot open %s as uid %u: %s; it and its folder have to belong to the user that the daemon "
                       "runs as",
                       lock_path, (unsigned) geteuid(), strerror(problem));
    return err_set(err, -problem, "cannot open %s: %s", lock_path, strerror(problem));
}

int lock_take(const char *path, int *ret_fd, struct err *err)
{
    char *lock_path CLEANUP(cleanup_free) = NULL, self[32];
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return err_set(err, -EMEDIUMTYPE, "%s is a folder: store.path has to name a file, such as events.db in it",
                       path);
    if (asprintf(&lock_path, "%s.lock", path) < 0) {
        lock_path = NULL;
        return err_set(err, -ENOMEM, "no memory");
    }
    *ret_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (*ret_fd < 0)
        return refuse_open(lock_path, errno, err);
    if (flock(*ret_fd, LOCK_EX | LOCK_NB) < 0)
        return refuse(path, *ret_fd, err);

    int n = snprintf(self, sizeof(self), "%d\n", getpid());
    if (ftruncate(*ret_fd, 0) < 0 || pwrite(*ret_fd, self, (size_t) n, 0) != n)
        return err_set(err, -errno, "cannot write %s: %s", lock_path, strerror(errno));
    return 0;
}
