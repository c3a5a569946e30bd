/* service.h - the process as systemd and the terminal see it: signals, readiness, the main loop.
 *
 * Threads: the main thread only. service_prepare comes before any other thread is made, which then inherits its
 *          signal mask.
 * Errors:  negative errno and a sentence.
 * Source:  sd-event(3), sd_notify(3), systemd.service(5) for Type=notify-reload.
 */
#pragma once

#include <sonoran-pushd/base.h>

struct service_callbacks {
    void *userdata;
    void (*reload)(void *userdata); /* SIGHUP */
    void (*minute)(void *userdata); /* about once a minute */

    /* Does everything get on? Asked twice in each watchdog interval, if systemd has set one; false leaves the watchdog
     * unfed. Who is stuck is told by whoever answers. */
    bool (*healthy)(void *userdata);
};

/* A socket that systemd listens on for us; name: of FileDescriptorName=. */
struct service_socket {
    char name[NAME_MAX_BYTES + 1];
    int fd; /* -1: taken */
};

/* All of them, from malloc, open without end on exec and non-blocking; what is no listening TCP socket is closed and
 * told. Returns how many. To be called once. */
int service_take_sockets(struct service_socket **ret, struct err *err) MUST_CHECK;

/* Signals for the loop, no core dumps (they would hold keys), as many open files as allowed. */
int service_prepare(struct err *err) MUST_CHECK;

/* Runs until SIGTERM or SIGINT. */
int service_run(const struct service_callbacks *callbacks, struct err *err) MUST_CHECK;

/* What systemd is told; nothing where it does not ask. */
void service_tell_ready(const char *status);
void service_tell_status(const char *status); /* from any thread */
void service_tell_reloading(void);
void service_tell_stopping(void);
