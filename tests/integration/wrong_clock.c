/* wrong_clock.c - preloaded into the daemon: a wall clock that a test sets while it runs.
 *
 * $WRONG_CLOCK is a file of two 64-bit numbers: how many seconds the clock is ahead, and how many more the machine
 * seems to be up. clocks.py is the other side. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct clocks {
    _Atomic int64_t wall_ahead_s, boottime_ahead_s;
} * clocks;

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("WRONG_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*clocks), PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        abort();
    close(fd);
    clocks = memory;
}

/* The system call itself: a sanitizer asks for the time before it can look for another function. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int r = (int) syscall(SYS_clock_gettime, clock, ret);
    if (r == 0 && clocks && clock == CLOCK_REALTIME)
        ret->tv_sec += clocks->wall_ahead_s;
    if (r == 0 && clocks && clock == CLOCK_BOOTTIME)
        ret->tv_sec += clocks->boottime_ahead_s;
    return r;
}
