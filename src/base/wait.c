/* wait.c - waits that end. */
#include <assert.h>
#include <errno.h>
#include <time.h>

#include <sonoran-pushd/wait.h>

#define JOIN_STEP_US USEC_PER_MSEC

static struct timespec to_timespec(usec_t us)
{
    return (struct timespec){ .tv_sec = (time_t) (us / USEC_PER_SEC), .tv_nsec = (long) (us % USEC_PER_SEC * 1000) };
}

bool wait_signal(pthread_cond_t *condition, pthread_mutex_t *lock, usec_t until_us)
{
    const struct timespec until = to_timespec(until_us);
    assert(wait_is_locked(lock));
    return pthread_cond_clockwait(condition, lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}

/* In steps: ThreadSanitizer does not know pthread_clockjoin_np and takes every thread for one that goes on. */
bool wait_thread(pthread_t thread, usec_t until_us)
{
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        if (uptime_us() >= until_us)
            return false;
        wait_pause(JOIN_STEP_US);
    }
    return true;
}

bool wait_is_locked(pthread_mutex_t *lock)
{
    return pthread_mutex_trylock(lock) == EBUSY;
}

void wait_pause(usec_t pause_us)
{
    const struct timespec pause = to_timespec(pause_us);
    nanosleep(&pause, NULL);
}
