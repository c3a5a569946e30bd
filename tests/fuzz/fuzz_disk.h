/* fuzz_disk.h - the files that fuzz_config.c knows, and no others: what the code under test asks about files is
 * answered from here, so that it cannot open any of the machine's. Linked with --wrap for each function of a name
 * __wrap_. */
#pragma once

#include "fuzz_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/f/"
#define FILES_MAX 12
#define READ_MAX_BYTES ((size_t) 1 << 17)

struct file {
    char path[256];
    struct span bytes;
};

static struct {
    struct file files[FILES_MAX];
    size_t n;
    bool is_open; /* the code under test asks, and not the fuzzer */
    mode_t mode;
} disk;

/* What is compiled for large files calls them by other names. */
#define ALSO(name) __attribute__((alias("__wrap_" #name)))

int __real_open(const char *path, int flags, ...);
int __real_stat(const char *path, struct stat *ret);
int __real_lstat(const char *path, struct stat *ret);
int __real_access(const char *path, int mode);
char *__real_realpath(const char *path, char *ret);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...) ALSO(open);
int __wrap_stat(const char *path, struct stat *ret);
int __wrap_stat64(const char *path, struct stat *ret) ALSO(stat);
int __wrap_lstat(const char *path, struct stat *ret);
int __wrap_lstat64(const char *path, struct stat *ret) ALSO(lstat);
int __wrap_access(const char *path, int mode);
char *__wrap_realpath(const char *path, char *ret);
int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *path, int error), glob_t *ret);
int __wrap_glob64(const char *pattern, int flags, int (*on_error)(const char *path, int error), glob_t *ret) ALSO(glob);
void __wrap_globfree(glob_t *found);
void __wrap_globfree64(glob_t *found) ALSO(globfree);
int __wrap_web_check_ca_file(const char *path, struct err *err);
int __real_file_read(const char *path, size_t max_bytes, struct text *ret, struct stat *ret_st, struct err *err);
int __wrap_file_read(const char *path, size_t max_bytes, struct text *ret, struct stat *ret_st, struct err *err);

static const struct file *find_file(const char *path)
{
    for (size_t i = 0; i < disk.n; i++)
        if (strcmp(disk.files[i].path, path) == 0)
            return &disk.files[i];
    errno = ENOENT;
    return NULL;
}

/* The first of a name counts. */
static void add_file(const char *name, struct span bytes)
{
    if (disk.n == FILES_MAX)
        return;
    struct file *file = &disk.files[disk.n];
    snprintf(file->path, sizeof(file->path), "%s%s", *name == '/' ? "" : FOLDER, name);
    file->bytes = bytes;
    disk.n += find_file(file->path) == NULL;
}

/* O_CREAT comes from the fuzzer alone. */
int __wrap_open(const char *path, int flags, ...)
{
    if (!disk.is_open) {
        va_list args;
        va_start(args, flags);
        int fd = __real_open(path, flags, flags & O_CREAT ? va_arg(args, mode_t) : 0);
        va_end(args);
        return fd;
    }
    const struct file *file = find_file(path);
    if (!file)
        return -1;
    int fd = memfd_create("file", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, file->bytes.s, file->bytes.size) == (ssize_t) file->bytes.size);
    require(lseek(fd, 0, SEEK_SET) == 0 && fchmod(fd, disk.mode) == 0);
    return fd;
}

static int stat_file(const char *path, struct stat *ret)
{
    const struct file *file = find_file(path);
    if (!file)
        return -1;
    *ret = (struct stat){ .st_mode = S_IFREG | disk.mode, .st_uid = geteuid(), .st_size = (off_t) file->bytes.size };
    return 0;
}

int __wrap_stat(const char *path, struct stat *ret)
{
    return disk.is_open ? stat_file(path, ret) : __real_stat(path, ret);
}

int __wrap_lstat(const char *path, struct stat *ret)
{
    return disk.is_open ? stat_file(path, ret) : __real_lstat(path, ret);
}

int __wrap_access(const char *path, int mode)
{
    if (!disk.is_open)
        return __real_access(path, mode);
    return find_file(path) ? 0 : -1;
}

char *__wrap_realpath(const char *path, char *ret)
{
    if (!disk.is_open)
        return __real_realpath(path, ret);
    require(!ret);
    return find_file(path) || strcmp(path, FOLDER "secrets") == 0 ? strdup(path) : NULL;
}

int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *path, int error), glob_t *ret)
{
    (void) flags;
    (void) on_error;
    *ret = (glob_t){ 0 };
    if (strlen(pattern) > 64) { /* fnmatch takes its time; a folder that cannot be read */
        errno = EACCES;
        return GLOB_ABORTED;
    }
    ret->gl_pathv = calloc(FILES_MAX, sizeof(ret->gl_pathv[0]));
    for (size_t i = 0; i < disk.n; i++)
        if (fnmatch(pattern, disk.files[i].path, FNM_PATHNAME | FNM_PERIOD) == 0)
            ret->gl_pathv[ret->gl_pathc++] = strdup(disk.files[i].path);
    return ret->gl_pathc ? 0 : GLOB_NOMATCH;
}

void __wrap_globfree(glob_t *found)
{
    for (size_t i = 0; i < found->gl_pathc; i++)
        free(found->gl_pathv[i]);
    free(found->gl_pathv);
}

/* It takes the memory for the largest file at once, and wipes it: most of the time would go into that. */
int __wrap_file_read(const char *path, size_t max_bytes, struct text *ret, struct stat *ret_st, struct err *err)
{
    return __real_file_read(path, max_bytes < READ_MAX_BYTES ? max_bytes : READ_MAX_BYTES, ret, ret_st, err);
}

/* Which libcurl would read. */
int __wrap_web_check_ca_file(const char *path, struct err *err)
{
    return err_set(err, -ENOENT, "%s", find_file(path) ? "no certificates" : "no such file");
}
