/* child.c - a program started with nothing of ours. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sonoran-pushd/child.h>

/* What child_raise_own_limit found. */
static struct rlimit own_limit;
static bool own_limit_raised;

void child_raise_own_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    own_limit = limit;
    limit.rlim_cur = limit.rlim_max;
    own_limit_raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* Handlers are gone after execve; what is ignored or blocked would stay so. */
static void reset_signals(void)
{
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        (void) signal(i, SIG_DFL);
    sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Where the child keeps the pipe for what went wrong; execve closes it. */
#define TROUBLE_FILENO (STDERR_FILENO + 1)

static bool keep_trouble(int fd)
{
    return fd == TROUBLE_FILENO || dup3(fd, TROUBLE_FILENO, O_CLOEXEC) >= 0;
}

static bool set_files(const struct child_plan *plan, int trouble)
{
    bool set = dup2(plan->in, STDIN_FILENO) >= 0 && dup2(plan->out, STDOUT_FILENO) >= 0 &&
               dup2(plan->out, STDERR_FILENO) >= 0 && keep_trouble(trouble);
    if (set)
        closefrom(TROUBLE_FILENO + 1);
    return set;
}

/* In the child, which shares our memory: system calls only. */
static _Noreturn void become(const struct child_plan *plan, int trouble)
{
    int fd = trouble;
    if (set_files(plan, trouble)) {
        fd = TROUBLE_FILENO;
        if (setsid() >= 0 && chdir("/") == 0 && (!own_limit_raised || setrlimit(RLIMIT_NOFILE, &own_limit) == 0)) {
            reset_signals();
            execve(plan->argv[0], plan->argv, plan->environment);
        }
    }
    int error = errno;
    (void) !write(fd, &error, sizeof(error));
    _exit(EXIT_FAILURE);
}

/* 0: nothing did. */
static int read_trouble(int fd)
{
    int error = 0;
    ssize_t n;
    while ((n = read(fd, &error, sizeof(error))) < 0 && errno == EINTR)
        ;
    return n == sizeof(error) ? -error : 0;
}

/* Signals are held back: no handler of ours may run in the child. */
static pid_t start(const struct child_plan *plan, int trouble)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0)
        become(plan, trouble);
    int r = pid < 0 ? -errno : pid;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

/* posix_spawn does the same, but knows no limits; set from outside afterwards they would come too late for a program
 * that looks at once. */
int child_start(const struct child_plan *plan, pid_t *ret)
{
    int trouble[2];
    if (pipe2(trouble, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = start(plan, trouble[1]);
    close(trouble[1]);
    int r = pid < 0 ? pid : read_trouble(trouble[0]);
    close(trouble[0]);
    if (pid > 0 && r < 0)
        (void) waitpid(pid, NULL, 0);
    if (r == 0)
        *ret = pid;
    return r;
}

void child_signal_group(pid_t pid, int signal)
{
    (void) kill(-pid, signal);
}

bool child_reap(pid_t pid)
{
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid == pid;
}

/* The kernel gives orphans to the first thread of their new parent. */
unsigned child_reap_adopted(void)
{
    siginfo_t info = { 0 };
    unsigned n = 0;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WNOTHREAD) == 0 && info.si_pid != 0) {
        n++;
        info.si_pid = 0;
    }
    return n;
}
