/* file.c - small files that may hold secrets: read at once into memory that is wiped. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_private.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* what editors of Windows put in front */

/* O_NONBLOCK: opening a FIFO would wait for its writer. */
static int open_regular(const char *path, struct stat *ret_st, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set(err, -errno, "%s", strerror(errno));

    int r = fstat(fd, ret_st) < 0      ? -errno
            : S_ISDIR(ret_st->st_mode) ? -EISDIR
            : S_ISREG(ret_st->st_mode) ? 0
                                       : -ENODEV;
    if (r < 0) {
        close(fd);
        return err_set(err, r, "%s", r == -ENODEV ? "Not a regular file" : strerror(-r));
    }

    return fd;
}

int file_read(const char *path, size_t max_bytes, struct text *ret, struct stat *ret_st, struct err *err)
{
    CLEANUP(cleanup_close) int fd = open_regular(path, ret_st, err);
    if (fd < 0)
        return fd;

    CLEANUP(text_wipe) struct text bytes = TEXT_INIT;
    if (!text_reserve(&bytes, max_bytes + 1)) /* at once: growing would leave copies behind */
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));

    ssize_t n;
    while ((n = read(fd, bytes.s + bytes.size, max_bytes + 1 - bytes.size)) > 0)
        bytes.size += (size_t) n;
    if (n < 0)
        return err_set(err, -errno, "%s", strerror(errno));
    if (bytes.size > max_bytes)
        return err_set(err, -EFBIG, "larger than %zuK", max_bytes >> 10);

    size_t mark = strlen(BYTE_ORDER_MARK);
    if (bytes.size >= mark && memcmp(bytes.s, BYTE_ORDER_MARK, mark) == 0) {
        bytes.size -= mark;
        memmove(bytes.s, bytes.s + mark, bytes.size);
        explicit_bzero(bytes.s + bytes.size, mark);
    }
    bytes.s[bytes.size] = '\0';
    *ret = bytes;
    bytes = (struct text) TEXT_INIT;
    return 0;
}

char *config_path_beside(const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    char *path;
    int n = asprintf(&path, "%.*s%s", *name == '/' || !slash ? 0 : (int) (slash - file + 1), file, name);
    return n < 0 ? NULL : path;
}
