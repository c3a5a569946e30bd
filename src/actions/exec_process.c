/* exec_process.c - one run of a program: started with nothing of ours, fed, listened to, and ended in time.
 *
 * The program leads a session of its own, and so a process group that can be ended as a whole. The group's number is
 * the program's, which stays taken until the program is reaped: signals are sent before that, never after.
 * Source: pidfd_open(2), waitid(2), pipe(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sonoran-pushd/child.h>

#include "exec.h"

#define TERM_GRACE_US (2 * USEC_PER_SEC)      /* between SIGTERM and SIGKILL */
#define CANCEL_GRACE_US (500 * USEC_PER_MSEC) /* the same where the daemon itself has to end */
#define KILL_GRACE_US USEC_PER_SEC            /* for SIGKILL to be obeyed */
#define READ_BYTES 16384
#define DRAIN_MAX_BYTES (1 << 20) /* the largest pipe: what was written before the end, not what comes after it */
#define WAIT_MAX_MS 60000

enum stage { RUNNING, ASKED, KILLED };

struct run {
    const struct process_plan *plan;
    pid_t pid;
    int pidfd;
    int in, out;       /* our ends of its stdin, and of its stdout and stderr; -1: closed */
    struct span input; /* not written yet */
    enum stage stage;
    enum process_end end; /* why it was asked to */
    bool ended, cancelled;
    usec_t deadline_us; /* of the stage */
};

/* ---- start ---- */

/* Sets run->in and run->out as well where it fails half way; whoever has the run closes them. */
static int start(struct run *run)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 };
    int r = pipe2(in, O_CLOEXEC);
    int its_in CLEANUP(cleanup_close) = in[0];
    run->in = in[1];
    if (r == 0)
        r = pipe2(out, O_CLOEXEC);
    int its_out CLEANUP(cleanup_close) = out[1];
    run->out = out[0];
    if (r < 0)
        return -errno;

    /* Each end has flags of its own: the program's ends stay as programs expect them. */
    if (fcntl(run->in, F_SETFL, O_NONBLOCK) < 0 || fcntl(run->out, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    const struct child_plan child = {
        .argv = run->plan->argv, .environment = run->plan->environment, .in = its_in, .out = its_out
    };
    return child_start(&child, &run->pid);
}

/* ---- while it runs ---- */

static void close_end(int *fd)
{
    close(*fd);
    *fd = -1;
}

/* A program may leave its input unread: EPIPE (SIGPIPE is ignored in this process). */
static void write_input(struct run *run)
{
    if (run->input.size > 0) {
        ssize_t n = write(run->in, run->input.s, run->input.size);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        run->input.size = n < 0 ? 0 : run->input.size - (size_t) n;
        run->input.s += n < 0 ? 0 : n;
    }
    if (run->input.size == 0)
        close_end(&run->in);
}

/* How much was there. */
static size_t read_output(struct run *run)
{
    char buffer[READ_BYTES];
    ssize_t n = read(run->out, buffer, sizeof(buffer));
    if (n > 0) {
        exec_output_add(run->plan->output, buffer, (size_t) n);
        return (size_t) n;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_end(&run->out);
    return 0;
}

/* A stopped process sees SIGTERM when it goes on. */
static void ask_to_end(struct run *run, enum process_end why, usec_t grace_us)
{
    usec_t deadline_us = uptime_us() + grace_us;
    if (run->stage == RUNNING) {
        run->end = why;
        run->stage = ASKED;
        run->deadline_us = deadline_us;
        child_signal_group(run->pid, SIGTERM);
        child_signal_group(run->pid, SIGCONT);
    } else if (run->stage == ASKED && deadline_us < run->deadline_us) {
        run->deadline_us = deadline_us;
    }
}

/* false: there is nothing more to wait for. */
static bool pass_deadline(struct run *run)
{
    switch (run->stage) {
    case RUNNING:
        ask_to_end(run, PROCESS_TIMED_OUT, TERM_GRACE_US);
        return true;
    case ASKED:
        child_signal_group(run->pid, SIGKILL);
        run->stage = KILLED;
        run->deadline_us = uptime_us() + KILL_GRACE_US;
        return !run->ended;
    case KILLED:
        break;
    }
    return false;
}

/* A program that ends by itself is finished, whatever it started. One that was asked to may have left others of its
 * group behind that are still cleaning up: who holds its output is given the rest of the time. */
static bool is_finished(const struct run *run)
{
    return run->ended && (run->stage != ASKED || run->out < 0);
}

static int wait_ms(usec_t deadline_us)
{
    usec_t now = uptime_us(), left_ms = deadline_us > now ? (deadline_us - now + 999) / USEC_PER_MSEC : 0;
    return left_ms < WAIT_MAX_MS ? (int) left_ms : WAIT_MAX_MS;
}

/* One round. false: finished, or past waiting for. */
static bool attend(struct run *run)
{
    enum { END, CANCEL, IN, OUT, N };
    struct pollfd fds[N] = {
        [END] = { .fd = run->ended ? -1 : run->pidfd, .events = POLLIN },
        [CANCEL] = { .fd = run->cancelled ? -1 : run->plan->cancel_fd, .events = POLLIN },
        [IN] = { .fd = run->in, .events = POLLOUT },
        [OUT] = { .fd = run->out, .events = POLLIN },
    };
    (void) poll(fds, N, wait_ms(run->deadline_us)); /* interrupted: nothing has happened, and the next round goes on */

    if (fds[IN].revents)
        write_input(run);
    if (fds[OUT].revents)
        (void) read_output(run);
    if (fds[END].revents)
        run->ended = true;
    if (is_finished(run))
        return false;
    if (fds[CANCEL].revents) {
        run->cancelled = true;
        ask_to_end(run, PROCESS_CANCELLED, CANCEL_GRACE_US);
    }
    return uptime_us() < run->deadline_us || pass_deadline(run);
}

/* ---- afterwards ---- */

static void finish(struct run *run, struct process_result *ret)
{
    siginfo_t info = { 0 };
    if (waitid(P_PID, (id_t) run->pid, &info, WEXITED | WNOWAIT) < 0)
        info = (siginfo_t){ 0 };
    bool exited = info.si_code == CLD_EXITED, well = run->stage == RUNNING && exited && info.si_status == 0;

    /* After success it may leave something running in the background; after a failure the next try would meet it. */
    if (!well)
        child_signal_group(run->pid, SIGKILL);
    for (size_t n = 0, more = 1; run->out >= 0 && more > 0 && n < DRAIN_MAX_BYTES; n += more)
        more = read_output(run);
    if (well) {
        ret->left_fd = run->out;
        run->out = -1;
    }

    ret->end = run->stage != RUNNING ? run->end : exited ? PROCESS_EXITED : PROCESS_SIGNALLED;
    ret->number = info.si_status;
    ret->unended = child_reap(run->pid) ? 0 : run->pid;
}

static int watch(struct run *run, struct process_result *ret)
{
    int pidfd CLEANUP(cleanup_close) = pidfd_open(run->pid, 0);
    if (pidfd < 0) {
        int r = -errno;
        child_signal_group(run->pid, SIGKILL);
        ret->unended = run->pid;
        return r;
    }

    run->pidfd = pidfd;
    while (attend(run))
        ;
    if (run->ended) {
        finish(run, ret);
        return 0;
    }
    ret->end = run->end;
    ret->unended = run->pid;
    return 0;
}

int exec_process_run(const struct process_plan *plan, struct process_result *ret)
{
    struct run run = { .plan = plan, .in = -1, .out = -1, .input = plan->input };
    *ret = (struct process_result){ .left_fd = -1 };

    run.deadline_us = uptime_us() + plan->timeout_us;
    int r = start(&run);
    if (r == 0)
        r = watch(&run, ret);
    cleanup_close(&run.in);
    cleanup_close(&run.out);
    return r;
}
