/* service.h - the process as systemd and the terminal see it: signals, readiness, the main loop.
 *
 * Threads: the main thread, unless told otherwise. service_hold_signals comes before any other thread is made, which
 *          then inherits its signal mask.
 * Errors:  negative errno and a sentence.
 * Source:  sd-event(3), sd_notify(3), systemd.service(5) for Type=notify and
 *          FileDescriptorStoreMax=.
 */
#pragma once

#include <sonoran-pushd/base.h>

struct service_callbacks {
    void *userdata;
    void (*reload)(void *userdata); /* SIGHUP, unless it is the hang-up of the terminal */
    void (*minute)(void *userdata); /* about once a minute */

    /* Another thread wants something done: while call_fd can be read, call is called. */
    int call_fd;
    void (*call)(void *userdata);

    /* Does everything get on? Asked twice in each watchdog interval, if systemd has set one; false leaves the watchdog
     * unfed. Who is stuck is told by whoever answers. */
    bool (*healthy)(void *userdata);
};

/* A listening socket that systemd hands over: one that an earlier daemon gave it to keep, or one that is lent, of an
 * administrator's own .socket unit. */
struct service_socket {
    char name[256]; /* of the listener; of a lent one, what FileDescriptorName= says */
    bool lent;
    int fd;
};

/* All of them, from malloc, open without end on exec and non-blocking; what is no listening TCP socket is closed and
 * told. Returns how many. To be called once. */
int service_take_sockets(struct service_socket **ret, struct err *err) MUST_CHECK;

/* systemd keeps a copy of the listener's socket, until it is told to forget it or the service stops: over restarts,
 * crashes and upgrades nobody is refused. One of the same name has to be forgotten first. */
void service_store_socket(const char *name, int fd);
void service_forget_socket(const char *name);

/* The first thing of all: whatever signal comes waits for service_run. The other lets them do again what they did, for
 * what only prints and ends. */
void service_hold_signals(void);
void service_release_signals(void);

/* No core dumps (they would hold keys), as many open files as allowed. */
int service_prepare(struct err *err) MUST_CHECK;

/* For what takes long before service_run, from any thread: whether it was asked to end meanwhile, which the loop then
 * finds, and, at most once a second, more time from systemd. A start that calls it gets on. */
bool service_stop_requested(void);

/* Runs until SIGTERM, SIGINT, SIGQUIT, or the hang-up of the terminal. Other signals are ignored with a line. As the
 * first process of a container it reaps the orphans of programs. */
int service_run(const struct service_callbacks *callbacks, struct err *err) MUST_CHECK;

/* What systemd is told; nothing where it does not ask. */
void service_tell_ready(const char *status);
void service_tell_status(const char *status); /* from any thread */
void service_tell_reloading(void);
void service_tell_stopping(void);
