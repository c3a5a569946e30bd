/* child.h - programs that this process starts, and those that it inherits. Nothing else starts one.
 *
 * Shape:   a program begins as one of a fresh service: signals at their defaults and none blocked, the limit of open
 *          files that this process was started with, only the descriptors and the environment that it is given, "/" as
 *          its folder, a session and so a process group of its own. Umask, user and the other limits are those of this
 *          process.
 * Threads: child_start in any. A child belongs to the thread that started it: only that one may wait for it, and when
 *          the thread ends first, the main thread has the child.
 * Errors:  negative errno.
 * Source:  design section 11; vfork(2), credentials(7), waitid(2), prctl(2) for PR_SET_CHILD_SUBREAPER.
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <sys/types.h>

struct child_plan {
    char *const *argv, *const *environment; /* argv[0] is the program's file */
    int in, out;                            /* its stdin; its stdout and stderr. Both above 2 */
};

/* Returns when the program runs, or cannot. The calling thread alone waits for that; until then the child holds copies
 * of every descriptor for some microseconds: what is closed meanwhile is not yet closed for the other side, nor taken
 * out of an epoll. */
int child_start(const struct child_plan *plan, pid_t *ret) MUST_CHECK;

/* To the program and whatever it started that is still in its group. Before child_reap only: until then the group's
 * number is the program's, and taken. Nobody left, or nobody who may be signalled, is no failure. */
void child_signal_group(pid_t pid, int signal);

/* Takes a dead child away. false: it has not ended yet. */
bool child_reap(pid_t pid);

/* As many open files for this process as the system allows it; what child_start starts gets what this process had
 * before. To be called once, before other threads are. */
void child_raise_own_limit(void);

/* PID 1 (of a container) inherits what programs leave behind, and nobody else can take the dead among them away.
 * Leaves alone what other threads started. Returns how many it took. For the main thread, which starts nothing
 * itself, at SIGCHLD. */
unsigned child_reap_adopted(void);
