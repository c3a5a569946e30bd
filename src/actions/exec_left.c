/* exec_left.c - what programs leave running in the background: its output is read on, so that it can go on writing.
 *
 * One thread for all of them, which is there while there is something to read. Nobody waits for it: whatever still runs
 * when the daemon ends is not the daemon's any more.
 * Source: epoll(7), Q6: an entry goes with the last copy of its descriptor, and a program that is just being started
 * may have one; so it is taken out by hand.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <sonoran-pushd/wait.h>

#include "exec.h"

#define LEFT_MAX 256 /* programs whose output is read */
#define N_READY 32
#define READ_BYTES 16384
#define PAUSE_US (10 * USEC_PER_MSEC) /* between two rounds: who writes without end is held to 1.6 MB/s */

struct left {
    bool used;
    int fd;
    char name[NAME_MAX_BYTES + 1]; /* output's: the action may go before the program */
    struct output output;
};

static struct {
    pthread_mutex_t lock;
    struct left all[LEFT_MAX]; /* used: under the lock; else of the thread */
    size_t n_used;
    int epoll_fd;
    bool full; /* was told */
} them = { .lock = PTHREAD_MUTEX_INITIALIZER, .epoll_fd = -1 };

/* ---- the thread ---- */

static void forget(struct left *left)
{
    (void) epoll_ctl(them.epoll_fd, EPOLL_CTL_DEL, left->fd, NULL);
    close(left->fd);
    exec_output_end(&left->output);
    pthread_mutex_lock(&them.lock);
    left->used = them.full = false;
    them.n_used--;
    pthread_mutex_unlock(&them.lock);
}

static void read_on(struct left *left)
{
    char buffer[READ_BYTES];
    ssize_t n = read(left->fd, buffer, sizeof(buffer));
    if (n > 0)
        exec_output_add(&left->output, buffer, (size_t) n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        forget(left);
}

/* Whether there is none any more; then the next one begins with a new thread. */
static bool is_over(void)
{
    pthread_mutex_lock(&them.lock);
    bool over = them.n_used == 0;
    if (over) {
        close(them.epoll_fd);
        them.epoll_fd = -1;
    }
    pthread_mutex_unlock(&them.lock);
    return over;
}

static void *read_all(void *argument)
{
    struct epoll_event ready[N_READY];
    (void) argument;
    pthread_setname_np(pthread_self(), "background");
    while (!is_over()) {
        int n = epoll_wait(them.epoll_fd, ready, N_READY, -1);
        for (int i = 0; i < n; i++)
            read_on(ready[i].data.ptr);
        wait_pause(PAUSE_US);
    }
    return NULL;
}

/* ---- one more: under the lock ---- */

static int start_thread(void)
{
    pthread_attr_t detached;
    pthread_t thread;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int r = pthread_create(&thread, &detached, read_all, NULL);
    pthread_attr_destroy(&detached);
    return -r;
}

static int begin_reading(void)
{
    if (them.epoll_fd >= 0)
        return 0; /* there is a thread */
    them.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (them.epoll_fd < 0)
        return -errno;
    int r = start_thread();
    if (r < 0) {
        close(them.epoll_fd);
        them.epoll_fd = -1;
    }
    return r;
}

static struct left *find_free(void)
{
    for (size_t i = 0; i < LEFT_MAX; i++)
        if (!them.all[i].used)
            return &them.all[i];
    return NULL;
}

static int add(int fd, const struct output *output)
{
    struct left *left = find_free();
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = left };
    if (!left)
        return -ENOSPC;
    *left = (struct left){ .used = true, .fd = fd, .output = *output };
    snprintf(left->name, sizeof(left->name), "%s", output->name);
    left->output.name = left->name;
    them.n_used++; /* before the thread looks */

    int r = begin_reading();
    if (r >= 0 && epoll_ctl(them.epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        r = -errno;
    if (r < 0) {
        left->used = false;
        them.n_used--;
    }
    return r;
}

void exec_left_read_on(int fd, struct output *output)
{
    pthread_mutex_lock(&them.lock);
    int r = add(fd, output);
    bool news = r < 0 && !them.full;
    them.full |= r == -ENOSPC;
    pthread_mutex_unlock(&them.lock);
    if (r == 0)
        return;
    if (news)
        log_line(LOG_WARNING, LOG_ID_ACTION_OUTPUT,
                 "%s: what it left running in the background is not read, and ends when it writes: %s", output->name,
                 r == -ENOSPC ? "too many others are running already" : strerror(-r));
    close(fd);
    exec_output_end(output);
}
