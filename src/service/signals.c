/* signals.c - signals are held back from the first instruction on, and told to the main loop one by one.
 *
 * A hang-up of the terminal has two faces. The kernel sends SIGHUP to the leader of the session and to the programs in
 * the foreground; a shell passes it on to its jobs with kill(2), which looks like an administrator's wish to reload.
 * So the terminal itself is looked at: once it is gone, nobody is there who could end the daemon.
 * Source: signal(7), sd_event_add_signal(3), tty_ioctl(4); __tty_hangup and disassociate_ctty in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <sonoran-pushd/child.h>
#include <sonoran-pushd/log.h>

#include "service_private.h"

static sigset_t held, before;
static bool nohup;
static int terminal_fd = -1;

/* The orphans of a container, or of who asked for them, come to us. */
static bool is_init(void)
{
    int subreaper = 0;
    (void) prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    return getpid() == 1 || subreaper;
}

/* Not held: what a mistake of our own raises, and what stops and continues the job of a terminal. */
static void fill_held(void)
{
    static const int others[] = { SIGABRT, SIGBUS,  SIGFPE,  SIGILL,  SIGSEGV, SIGSYS, SIGTRAP,  SIGKILL, SIGSTOP,
                                  SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGCHLD, SIGURG, SIGWINCH, SIGPIPE, SIGXFSZ };
    sigfillset(&held);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        sigdelset(&held, others[i]);
    if (is_init())
        sigaddset(&held, SIGCHLD);
}

void service_hold_signals(void)
{
    struct sigaction hup;
    fill_held();
    (void) pthread_sigmask(SIG_BLOCK, &held, &before);
    nohup = sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler == SIG_IGN;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file too large is an error of write() */
    signal(SIGCHLD, SIG_DFL); /* ignored, it would take the programs' exit statuses from us */
}

void service_release_signals(void)
{
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void service_open_terminal(void)
{
    if (!nohup)
        terminal_fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

static bool terminal_is_gone(void)
{
    struct pollfd terminal = { .fd = terminal_fd };
    return poll(&terminal, 1, 0) > 0 && terminal.revents & POLLHUP;
}

bool signals_stop_waits(void)
{
    sigset_t pending;
    sigemptyset(&pending);
    (void) sigpending(&pending);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) || sigismember(&pending, SIGQUIT) ||
           terminal_is_gone();
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void) info;
    (void) userdata;
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int hang_up(sd_event_source *source)
{
    log_line(LOG_NOTICE, NULL, "the terminal is gone; nohup or a service keeps the daemon running without one");
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_hup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    const struct service_callbacks *callbacks = userdata;
    bool by_terminal = info->ssi_code == SI_KERNEL;
    if (terminal_is_gone() || (by_terminal && !nohup))
        return hang_up(source);
    if (by_terminal)
        log_line(LOG_NOTICE, NULL, "the terminal is gone; running on, as nohup wants it");
    else
        callbacks->reload(callbacks->userdata);
    return 0;
}

static int on_other(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    int number = (int) info->ssi_signo;
    const char *name = sigabbrev_np(number);
    (void) source;
    (void) userdata;
    log_line(LOG_NOTICE, NULL, "signal %d (SIG%s) ignored; SIGHUP reloads, SIGTERM ends", number, name ? name : "RT");
    return 0;
}

static int on_terminal(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void) fd;
    (void) userdata;
    return events & EPOLLHUP ? hang_up(source) : 0;
}

/* Edge-triggered: what is typed there is not ours to read. */
static int watch_terminal(sd_event *event)
{
    return terminal_fd < 0 ? 0 : sd_event_add_io(event, NULL, terminal_fd, EPOLLIN | EPOLLET, on_terminal, NULL);
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void) source;
    (void) info;
    (void) userdata;
    (void) child_reap_adopted();
    return 0;
}

static sd_event_signal_handler_t handler_of(int number)
{
    switch (number) {
    case SIGTERM:
    case SIGINT:
    case SIGQUIT:
        return on_stop;
    case SIGHUP:
        return on_hup;
    case SIGCHLD:
        return on_child;
    default:
        return on_other;
    }
}

int signals_watch(sd_event *event, struct service_callbacks *callbacks)
{
    int r = watch_terminal(event);
    for (int number = 1; number <= SIGRTMAX && r >= 0; number++)
        if (sigismember(&held, number) == 1)
            r = sd_event_add_signal(event, NULL, number, handler_of(number), callbacks);
    return r;
}
