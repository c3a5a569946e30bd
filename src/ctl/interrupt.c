/* interrupt.c - a flag for loops, and a descriptor for whoever waits for other things besides. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "interrupt.h"

static int came_fd = -1, null_fd = -1;
static volatile sig_atomic_t came;

static void take(int number)
{
    static const uint64_t one = 1;
    int before = errno;
    (void) number;
    came = 1;
    (void) !write(came_fd, &one, sizeof(one));
    if (null_fd >= 0)
        (void) dup2(null_fd, STDIN_FILENO);
    errno = before;
}

int interrupt_begin(struct err *err)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = take, .sa_flags = (int) SA_RESETHAND }; /* no SA_RESTART: a read ends */
    came_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (came_fd < 0)
        return err_set(err, -errno, "no descriptor: %s", strerror(errno));
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        struct sigaction before;
        /* Under nohup, or behind a script's "&", it is not meant. */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    return came_fd;
}

int interrupt_ends_stdin(struct err *err)
{
    null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return null_fd < 0 ? err_set(err, -errno, "cannot open /dev/null: %s", strerror(errno)) : 0;
}

bool interrupt_came(void)
{
    return came;
}

bool interrupt_wait(usec_t until_us)
{
    struct pollfd poll_fd = { .fd = came_fd, .events = POLLIN };
    for (usec_t now; !came && (now = uptime_us()) < until_us;) {
        usec_t ms = (until_us - now + 999) / 1000;
        poll(&poll_fd, 1, ms > INT_MAX ? INT_MAX : (int) ms);
    }
    return !came;
}
