/* failing_calls.c - preloaded into the daemon or sonoran-pushctl: one system call of a test's choice fails.
 *
 * Stands in front of the C library's calls. Which one fails, and how, is in a file that the test and the program both
 * have mapped ($FAILING_CALLS), so it can be chosen anew while the program runs. calls.py is the other side. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PART (-1) /* no error: half of it is done */

/* The name of each call that can fail, as it is asked for by tests, and the ways it does, one for each turn. */
#define CALLS(ROW)                                                                                                     \
    ROW(write, EIO, ENOSPC, EINTR, PART)                                                                               \
    ROW(pwrite, ENOSPC, EIO, EINTR, PART)                                                                              \
    ROW(send, EAGAIN, ECONNRESET, EINTR, PART, ENOBUFS, EPIPE)                                                         \
    ROW(read, EIO, EINTR, EAGAIN, PART)                                                                                \
    ROW(pread, EIO, EINTR, PART)                                                                                       \
    ROW(recv, ECONNRESET, EAGAIN, EINTR, PART)                                                                         \
    ROW(accept, EMFILE, EINTR, ECONNABORTED, ENOBUFS, EAGAIN)                                                          \
    ROW(epoll_wait, EINTR)                                                                                             \
    ROW(epoll_ctl, ENOMEM, ENOSPC)                                                                                     \
    ROW(poll, EINTR, ENOMEM)                                                                                           \
    ROW(sync, EIO, ENOSPC, EINTR)                                                                                      \
    ROW(truncate, EIO, ENOSPC, EINTR)                                                                                  \
    ROW(open, EMFILE, EIO, EACCES, EINTR)                                                                              \
    ROW(name, EIO, ENOSPC, EACCES)                                                                                     \
    ROW(stat, EIO, EACCES)                                                                                             \
    ROW(lock, ENOLCK, EINTR)                                                                                           \
    ROW(mmap, ENOMEM, EAGAIN)                                                                                          \
    ROW(socket, EMFILE, ENOBUFS)                                                                                       \
    ROW(socket_option, ENOBUFS, ENOMEM)                                                                                \
    ROW(bind, EADDRINUSE, ENOMEM)                                                                                      \
    ROW(connect, ECONNREFUSED, EINTR, ENETUNREACH, EAGAIN)                                                             \
    ROW(descriptor, EMFILE, ENFILE, ENOMEM)                                                                            \
    ROW(child, EAGAIN, ENOMEM)                                                                                         \
    ROW(thread, EAGAIN)                                                                                                \
    ROW(wait, EINTR)                                                                                                   \
    ROW(look_up, EAI_AGAIN, EAI_MEMORY)                                                                                \
    ROW(random, EINTR, EAGAIN)

#define NAME_OF(name, ...) CALL_##name,
enum call { CALLS(NAME_OF) N_CALLS };

#define MOST_WAYS 8
#define WAYS_OF(name, ...) { #name, { __VA_ARGS__ } },
static const struct {
    const char *name;
    int ways[MOST_WAYS];
} calls[] = { CALLS(WAYS_OF) };

/* Like calls.py has it. */
static struct control {
    atomic_int armed;
    atomic_int turn;    /* which of its ways: counted round */
    atomic_long passes; /* calls that still succeed before it */
    atomic_long n_calls, n_hits;
    atomic_int for_good; /* all that come after it fail as well */
    atomic_int error;    /* 0: one of its ways; else this */
    atomic_ulong wanted; /* a bit for each call; 0: all */
    char hit[128];       /* what was: its name, the error, what it was about */
} * control;

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("FAILING_CALLS");
    int fd = path ? openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        abort();
    close(fd);
    unsetenv("LD_PRELOAD"); /* programs that are run have calls of their own */
    control = memory;
}

static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    return function;
}

static const char *name_of(int fd, char *ret_name, size_t size)
{
    char link[32];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = fd < 0 ? 0 : readlinkat(AT_FDCWD, link, ret_name, size - 1);
    ret_name[n > 0 ? n : 0] = '\0';
    return ret_name;
}

/* Where no disk and no other side is. */
static bool is_kernels_own(const char *about)
{
    return strncmp(about, "anon_inode:", strlen("anon_inode:")) == 0;
}

static int way_of(enum call call, const char *about)
{
    int n = 0;
    if (control->error)
        return control->error;
    if (is_kernels_own(about) && call == CALL_read)
        return control->turn % 2 ? EINTR : EAGAIN;
    while (n < MOST_WAYS && calls[call].ways[n])
        n++;
    return calls[call].ways[control->turn % n];
}

static void remember(enum call call, int way, const char *about)
{
    const char *last = strrchr(about, '/');
    snprintf(control->hit, sizeof(control->hit), "%s %d %.90s", calls[call].name, way, last ? last + 1 : about);
}

/* What this one has to suffer: 0, PART, an error. It is about a file of this name, or of this descriptor. */
static int way_at(enum call call, int fd, const char *name)
{
    char found[256];
    if (!control || !control->armed || (control->wanted && !(control->wanted & 1UL << call)))
        return 0;
    control->n_calls++;
    if (control->passes-- > 0 || (!control->for_good && !atomic_exchange(&control->armed, 0)))
        return 0;
    if (!name)
        name_of(fd, found, sizeof(found));
    const char *about = name ? name : found;
    int way = way_of(call, about);
    if (!control->n_hits++)
        remember(call, way, about);
    return way;
}

static bool fails(enum call call, int fd, const char *name)
{
    int before = errno, way = way_at(call, fd, name);
    errno = way > 0 ? way : before;
    return way > 0;
}

#define MOST_WATCHED 1024
static struct {
    int epoll_fd;
    struct epoll_event event;
} watched[MOST_WATCHED];

/* The kernel tells of what is there, or may be sent, again only after it has said that there is no more. */
static void tell_again(int fd)
{
    if (fd >= 0 && fd < MOST_WATCHED && watched[fd].epoll_fd > 0)
        syscall(SYS_epoll_ctl, watched[fd].epoll_fd, EPOLL_CTL_MOD, fd, &watched[fd].event);
}

/* Where only a part is done, *size is that. */
static bool fails_or_cuts(enum call call, int fd, size_t *size)
{
    char name[32];
    if (call == CALL_write && is_kernels_own(name_of(fd, name, sizeof(name)))) /* an eventfd that always has room */
        return false;
    int before = errno, way = way_at(call, fd, NULL);
    if (way == PART && *size > 1)
        *size /= 2;
    if (way == PART || way == EAGAIN)
        tell_again(fd);
    errno = way > 0 ? way : before;
    return way > 0;
}

/* Functions out of the pointers that dlsym gives: POSIX wants this way. Other libraries call before set_up. */
#define REAL(result, name, parameters)                                                                                 \
    static result(*real) parameters;                                                                                   \
    if (!real)                                                                                                         \
        *(void **) &real = next(#name);

#define FAILS(result, failed, call, name, parameters, fd, about, arguments)                                            \
    result name parameters                                                                                             \
    {                                                                                                                  \
        REAL(result, name, parameters)                                                                                 \
        return fails(CALL_##call, fd, about) ? failed : real arguments;                                                \
    }

#define MOVES(call, name, parameters, arguments)                                                                       \
    ssize_t name parameters                                                                                            \
    {                                                                                                                  \
        REAL(ssize_t, name, parameters)                                                                                \
        return fails_or_cuts(CALL_##call, fd, &size) ? -1 : real arguments;                                            \
    }

MOVES(write, write, (int fd, const void *data, size_t size), (fd, data, size))
MOVES(pwrite, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
MOVES(send, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
MOVES(send, sendto, (int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size),
      (fd, data, size, flags, to, to_size))
MOVES(send, sendfile64, (int fd, int from, off64_t *at, size_t size), (fd, from, at, size))
MOVES(read, read, (int fd, void *data, size_t size), (fd, data, size))
MOVES(pread, pread64, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at))
MOVES(recv, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))

FAILS(ssize_t, -1, send, sendmsg, (int fd, const struct msghdr *message, int flags), fd, NULL, (fd, message, flags))
FAILS(ssize_t, -1, send, writev, (int fd, const struct iovec *data, int n), fd, NULL, (fd, data, n))
FAILS(ssize_t, -1, recv, recvmsg, (int fd, struct msghdr *message, int flags), fd, NULL, (fd, message, flags))
FAILS(ssize_t, -1, random, getrandom, (void *data, size_t size, unsigned flags), -1, NULL, (data, size, flags))

FAILS(int, -1, accept, accept4, (int fd, struct sockaddr *from, socklen_t *size, int flags), fd, NULL,
      (fd, from, size, flags))
FAILS(int, -1, epoll_wait, epoll_wait, (int fd, struct epoll_event *events, int n, int timeout_ms), fd, NULL,
      (fd, events, n, timeout_ms))
FAILS(int, -1, poll, poll, (struct pollfd * fds, nfds_t n, int timeout_ms), -1, NULL, (fds, n, timeout_ms))
FAILS(int, -1, sync, fdatasync, (int fd), fd, NULL, (fd))
FAILS(int, -1, sync, fsync, (int fd), fd, NULL, (fd))
FAILS(int, -1, truncate, ftruncate64, (int fd, off64_t size), fd, NULL, (fd, size))
FAILS(int, -1, name, unlink, (const char *name), -1, name, (name))
FAILS(int, -1, name, rename, (const char *from, const char *to), -1, to, (from, to))
FAILS(int, -1, name, renameat2, (int from_fd, const char *from, int to_fd, const char *to, unsigned flags), -1, to,
      (from_fd, from, to_fd, to, flags))
FAILS(int, -1, name, link, (const char *from, const char *to), -1, to, (from, to))
FAILS(int, -1, name, mkdir, (const char *name, mode_t mode), -1, name, (name, mode))
FAILS(int, -1, name, chmod, (const char *name, mode_t mode), -1, name, (name, mode))
FAILS(int, -1, stat, stat64, (const char *name, struct stat64 *ret), -1, name, (name, ret))
FAILS(int, -1, stat, lstat64, (const char *name, struct stat64 *ret), -1, name, (name, ret))
FAILS(int, -1, stat, fstat64, (int fd, struct stat64 *ret), fd, NULL, (fd, ret))
FAILS(int, -1, stat, statvfs64, (const char *name, struct statvfs64 *ret), -1, name, (name, ret))
FAILS(int, -1, stat, access, (const char *name, int mode), -1, name, (name, mode))
FAILS(int, -1, lock, flock, (int fd, int what), fd, NULL, (fd, what))
FAILS(void *, MAP_FAILED, mmap, mmap64, (void *at, size_t size, int mode, int flags, int fd, off64_t from), fd, NULL,
      (at, size, mode, flags, fd, from))
FAILS(int, -1, socket, socket, (int domain, int type, int protocol), -1, NULL, (domain, type, protocol))
FAILS(int, -1, socket, socketpair, (int domain, int type, int protocol, int fds[2]), -1, NULL,
      (domain, type, protocol, fds))
FAILS(int, -1, socket_option, setsockopt, (int fd, int level, int name, const void *value, socklen_t size), fd, NULL,
      (fd, level, name, value, size))
FAILS(int, -1, socket_option, getsockopt, (int fd, int level, int name, void *ret, socklen_t *size), fd, NULL,
      (fd, level, name, ret, size))
FAILS(int, -1, socket_option, getsockname, (int fd, struct sockaddr *ret, socklen_t *size), fd, NULL, (fd, ret, size))
FAILS(int, -1, bind, bind, (int fd, const struct sockaddr *address, socklen_t size), fd, NULL, (fd, address, size))
FAILS(int, -1, bind, listen, (int fd, int n), fd, NULL, (fd, n))
FAILS(int, -1, connect, connect, (int fd, const struct sockaddr *to, socklen_t size), fd, NULL, (fd, to, size))
FAILS(int, -1, descriptor, epoll_create1, (int flags), -1, NULL, (flags))
FAILS(int, -1, descriptor, eventfd, (unsigned value, int flags), -1, NULL, (value, flags))
FAILS(int, -1, descriptor, timerfd_create, (int clock, int flags), -1, NULL, (clock, flags))
FAILS(int, -1, descriptor, signalfd, (int fd, const sigset_t *set, int flags), fd, NULL, (fd, set, flags))
FAILS(int, -1, descriptor, pipe2, (int fds[2], int flags), -1, NULL, (fds, flags))
FAILS(int, -1, descriptor, dup2, (int fd, int to), fd, NULL, (fd, to))
FAILS(int, -1, descriptor, dup3, (int fd, int to, int flags), fd, NULL, (fd, to, flags))
FAILS(int, -1, descriptor, pidfd_open, (pid_t pid, unsigned flags), -1, NULL, (pid, flags))
FAILS(DIR *, NULL, open, opendir, (const char *name), -1, name, (name))
FAILS(FILE *, NULL, open, fopen64, (const char *name, const char *mode), -1, name, (name, mode))
FAILS(FILE *, NULL, open, fopen, (const char *name, const char *mode), -1, name, (name, mode))
FAILS(ssize_t, -1, open, readlink, (const char *name, char *ret, size_t size), -1, name, (name, ret, size))
FAILS(int, -1, wait, waitid, (idtype_t of, id_t id, siginfo_t *ret, int flags), -1, NULL, (of, id, ret, flags))
FAILS(int, -1, wait, nanosleep, (const struct timespec *time, struct timespec *left), -1, NULL, (time, left))

/* These return what went wrong. */
int pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *data)
{
    REAL(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *) )
    int way = way_at(CALL_thread, -1, NULL);
    return way > 0 ? way : real(ret, attributes, run, data);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    REAL(int, getaddrinfo, (const char *, const char *, const struct addrinfo *, struct addrinfo **) )
    int way = way_at(CALL_look_up, -1, name);
    return way ? way : real(name, service, hints, ret);
}

/* Who is called in between could not return from a real one. */
pid_t vfork(void)
{
    return fails(CALL_child, -1, NULL) ? -1 : fork();
}

int epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    REAL(int, epoll_ctl, (int, int, int, struct epoll_event *) )
    if (what == EPOLL_CTL_ADD && fails(CALL_epoll_ctl, fd, NULL)) /* only this needs memory */
        return -1;
    if (fd >= 0 && fd < MOST_WATCHED) {
        watched[fd].epoll_fd = what == EPOLL_CTL_DEL ? 0 : epoll_fd;
        watched[fd].event = event ? *event : (struct epoll_event){ 0 };
    }
    return real(epoll_fd, what, fd, event);
}

/* Not of one that is given back: whoever cannot has it for ever. */
static bool takes_lock(int what, const struct flock *lock)
{
    return (what == F_SETLK || what == F_SETLKW) && lock->l_type != F_UNLCK;
}

/* The locks that SQLite takes; and a copy of a descriptor. */
static int control_file(int (*real)(int, int, ...), int fd, int what, void *value)
{
    if (takes_lock(what, value) && fails(CALL_lock, fd, NULL))
        return -1;
    if ((what == F_DUPFD_CLOEXEC || what == F_DUPFD) && fails(CALL_descriptor, fd, NULL))
        return -1;
    return real(fd, what, value);
}

#define FCNTL(name)                                                                                                    \
    int name(int fd, int what, ...)                                                                                    \
    {                                                                                                                  \
        REAL(int, name, (int, int, ...))                                                                               \
        va_list more;                                                                                                  \
        va_start(more, what);                                                                                          \
        void *value = va_arg(more, void *);                                                                            \
        va_end(more);                                                                                                  \
        return control_file(real, fd, what, value);                                                                    \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

#define OPEN(function)                                                                                                 \
    int function(const char *name, int flags, ...)                                                                     \
    {                                                                                                                  \
        REAL(int, function, (const char *, int, ...))                                                                  \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;                                                      \
        va_end(more);                                                                                                  \
        return fails(CALL_open, -1, name) ? -1 : real(name, flags, mode);                                              \
    }

OPEN(open)
OPEN(open64)
