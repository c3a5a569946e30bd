/* wrong_clock.c - preloaded into the daemon: clocks that a test sets while it runs.
 *
 * $WRONG_CLOCK is a file of three 64-bit numbers: how many seconds the wall clock is ahead, how many more the machine
 * seems to be up, and how many of them seem to have passed by the clock that waits are measured by. A wait with an end
 * (poll(2), pthread_cond_clockwait(3)) looks at that clock every STEP_MS. clocks.py is the other side. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct clocks {
    _Atomic int64_t wall_ahead_s, boottime_ahead_s, waits_ahead_s;
} * clocks;

#define STEP_MS 20

static int (*wait_on)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("WRONG_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*clocks), PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        abort();
    close(fd);
    clocks = memory;
    *(void **) &wait_on = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
}

/* The system call itself: a sanitizer asks for the time before it can look for another function. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int r = (int) syscall(SYS_clock_gettime, clock, ret);
    if (r == 0 && clocks && clock == CLOCK_REALTIME)
        ret->tv_sec += clocks->wall_ahead_s;
    if (r == 0 && clocks && clock == CLOCK_BOOTTIME)
        ret->tv_sec += clocks->boottime_ahead_s;
    if (r == 0 && clocks && clock == CLOCK_MONOTONIC)
        ret->tv_sec += clocks->waits_ahead_s;
    return r;
}

/* ---- waits ---- */

static int64_t in_ms(const struct timespec *time)
{
    return (int64_t) time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return in_ms(&now);
}

static int64_t step_of(int64_t left_ms)
{
    return left_ms < STEP_MS ? left_ms : STEP_MS;
}

int poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
    int64_t end_ms = timeout_ms < 0 ? INT64_MAX : clock_ms() + timeout_ms, left_ms = timeout_ms;
    while (1) {
        int64_t step_ms = timeout_ms < 0 ? STEP_MS : step_of(left_ms);
        const struct timespec step = { 0, step_ms * 1000000 };
        int r = (int) syscall(SYS_ppoll, fds, n_fds, timeout_ms < 0 ? NULL : &step, NULL, 0);
        left_ms = end_ms - clock_ms();
        if (r != 0 || left_ms <= 0)
            return r;
    }
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *lock, clockid_t clock,
                           const struct timespec *until)
{
    if (clock != CLOCK_MONOTONIC)
        return wait_on(condition, lock, clock, until);
    int64_t left_ms = in_ms(until) - clock_ms();
    while (left_ms > 0) {
        struct timespec step;
        syscall(SYS_clock_gettime, clock, &step);
        step.tv_nsec += step_of(left_ms) * 1000000;
        step.tv_sec += step.tv_nsec / 1000000000;
        step.tv_nsec %= 1000000000;
        int r = wait_on(condition, lock, clock, &step);
        if (r != ETIMEDOUT)
            return r;
        left_ms = in_ms(until) - clock_ms();
    }
    return ETIMEDOUT;
}
