/* failing_disk.c - preloaded into the daemon: a disk that a test makes fail, stall, or see the process die.
 *
 * Stands in front of the system calls that SQLite changes its files with. What happens at which of them is in a file
 * that the test and the daemon both have mapped ($FAILING_DISK), so it can be switched while the daemon runs, and the
 * counts are there after its death. disk.py is the other side. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Like disk.py has them. */
enum fault { NOTHING, DIE_BEFORE, DIE_AFTER, DIE_TORN, NO_SPACE, BROKEN, READ_ONLY, CUT, STALL };
enum call { WRITE, SYNC, TRUNCATE, UNLINK, RENAME, LINK, CREATE, READ, N_CALLS };
/* WAL_HEAD: where a write-ahead log begins (again). BESIDE: other files of a log, and copies of one. */
enum kind { DATABASE, WAL, WAL_HEAD, BESIDE, N_KINDS };

static struct control {
    atomic_int fault;
    atomic_int calls;  /* which: a bit for each */
    atomic_int kinds;  /* of which files: a bit for each */
    atomic_int passes; /* such calls that still succeed */
    atomic_int keep;   /* a copy of what is synced, as NAME.synced: all that a power cut leaves */
    atomic_int n_hits;
    atomic_int counts[N_CALLS][N_KINDS];
} * control;

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_pread)(int, void *, size_t, off64_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static int (*real_link)(const char *, const char *);
static int (*real_ftruncate)(int, off64_t);
static int (*real_unlink)(const char *);

static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    return function;
}

/* Functions out of the pointers that dlsym gives: POSIX wants this way. */
#define NEXT(function, name) (*(void **) &(function) = next(name))

__attribute__((constructor)) static void set_up(void)
{
    NEXT(real_pwrite, "pwrite64");
    NEXT(real_pread, "pread64");
    NEXT(real_fdatasync, "fdatasync");
    NEXT(real_ftruncate, "ftruncate64");
    NEXT(real_fsync, "fsync");
    NEXT(real_unlink, "unlink");
    NEXT(real_rename, "rename");
    NEXT(real_renameat2, "renameat2");
    NEXT(real_link, "link");
    const char *path = getenv("FAILING_DISK");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        abort();
    control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (control == MAP_FAILED)
        abort();
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name), end_size = strlen(end);
    return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

static enum kind kind_of(const char *name)
{
    return ends_with(name, ".db")       ? DATABASE
           : ends_with(name, ".db-wal") ? WAL
           : strstr(name, ".db")        ? BESIDE
                                        : N_KINDS;
}

static bool name_of(int fd, char *ret_name, size_t size)
{
    char link[32];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, ret_name, size - 1);
    ret_name[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static enum kind kind_of_file(int fd)
{
    char name[512];
    return name_of(fd, name, sizeof(name)) ? kind_of(name) : N_KINDS;
}

static atomic_bool head_written;

static enum kind kind_written(int fd, off64_t offset)
{
    enum kind kind = kind_of_file(fd);
    if (kind != WAL || offset != 0)
        return kind;
    head_written = true;
    return WAL_HEAD;
}

/* Its head is synced by itself, before anything behind it. */
static enum kind kind_synced(int fd)
{
    enum kind kind = kind_of_file(fd);
    return kind == WAL && atomic_exchange(&head_written, false) ? WAL_HEAD : kind;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void pause_a_little(void)
{
    const struct timespec pause = { .tv_nsec = 1000 * 1000 };
    nanosleep(&pause, NULL);
}

/* What this call has to suffer. */
static enum fault fault_at(enum call call, enum kind kind)
{
    if (kind == N_KINDS || !control)
        return NOTHING;
    control->counts[call][kind]++;
    if (!(control->calls & 1 << call) || !(control->kinds & 1 << kind) || control->fault == NOTHING ||
        control->passes-- > 0)
        return NOTHING;
    control->n_hits++;
    while (control->fault == STALL)
        pause_a_little();
    if (control->fault == DIE_BEFORE)
        die();
    return (enum fault) control->fault;
}

/* Whether the call is not made, with errno. */
static bool refused(enum fault fault)
{
    if (fault < NO_SPACE || fault > READ_ONLY)
        return false;
    errno = fault == NO_SPACE ? ENOSPC : fault == BROKEN ? EIO : EROFS;
    return true;
}

static int ended(enum fault fault, int r)
{
    if (fault == DIE_AFTER || fault == DIE_TORN)
        die();
    return r;
}

/* By one thread at a time, so that the newest copy is the one that stays. */
static void copy_synced(int fd)
{
    char name[512], copy[600], whole[600], buffer[65536];
    off64_t at = 0;
    ssize_t n;
    if (!name_of(fd, name, sizeof(name)))
        return;
    snprintf(copy, sizeof(copy), "%s.copying", name);
    snprintf(whole, sizeof(whole), "%s.synced", name);
    int copy_fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (; (n = pread(fd, buffer, sizeof(buffer), at)) > 0; at += n)
        if (real_pwrite(copy_fd, buffer, (size_t) n, at) != n)
            abort();
    close(copy_fd);
    if (rename(copy, whole) < 0)
        abort();
}

static void keep_synced(int fd)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    copy_synced(fd);
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    enum fault fault = fault_at(WRITE, kind_written(fd, offset));
    if (refused(fault))
        return -1;
    if (fault == CUT && size < 2) { /* the rest of one that was cut */
        errno = ENOSPC;
        return -1;
    }
    bool part = fault == CUT || fault == DIE_TORN;
    ssize_t n = real_pwrite(fd, data, part ? size / 2 : size, offset);
    ended(fault, 0);
    return n;
}

/* Other libraries read files before set_up. */
ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
    if (!real_pread)
        NEXT(real_pread, "pread64");
    return refused(fault_at(READ, kind_of_file(fd))) ? -1 : real_pread(fd, data, size, offset);
}

int fdatasync(int fd)
{
    enum kind kind = kind_synced(fd);
    enum fault fault = fault_at(SYNC, kind);
    if (refused(fault))
        return -1;
    int r = real_fdatasync(fd);
    if (r == 0 && kind < BESIDE && control->keep)
        keep_synced(fd);
    return ended(fault, r);
}

int fsync(int fd)
{
    enum fault fault = fault_at(SYNC, kind_of_file(fd));
    return refused(fault) ? -1 : ended(fault, real_fsync(fd));
}

int ftruncate64(int fd, off64_t size)
{
    enum fault fault = fault_at(TRUNCATE, kind_of_file(fd));
    return refused(fault) ? -1 : ended(fault, real_ftruncate(fd, size));
}

int unlink(const char *name)
{
    enum fault fault = fault_at(UNLINK, kind_of(name));
    return refused(fault) ? -1 : ended(fault, real_unlink(name));
}

int rename(const char *from, const char *to)
{
    enum fault fault = fault_at(RENAME, kind_of(to));
    return refused(fault) ? -1 : ended(fault, real_rename(from, to));
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    enum fault fault = fault_at(RENAME, kind_of(to));
    return refused(fault) ? -1 : ended(fault, real_renameat2(from_fd, from, to_fd, to, flags));
}

int link(const char *from, const char *to)
{
    enum fault fault = fault_at(LINK, kind_of(to));
    return refused(fault) ? -1 : ended(fault, real_link(from, to));
}

typedef int (*open_function)(const char *, int, ...);

static int open_file(open_function real, const char *name, int flags, mode_t mode)
{
    enum fault fault = flags & O_CREAT ? fault_at(CREATE, kind_of(name)) : NOTHING;
    return refused(fault) ? -1 : ended(fault, real(name, flags, mode));
}

/* Other libraries open files before set_up. */
#define OPEN(function)                                                                                                 \
    int function(const char *name, int flags, ...)                                                                     \
    {                                                                                                                  \
        static open_function real;                                                                                     \
        va_list more;                                                                                                  \
        if (!real)                                                                                                     \
            NEXT(real, #function);                                                                                     \
        va_start(more, flags);                                                                                         \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;                                                      \
        va_end(more);                                                                                                  \
        return open_file(real, name, flags, mode);                                                                     \
    }

OPEN(open)
OPEN(open64)
