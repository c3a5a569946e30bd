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
};

/* Signals for the loop, no core dumps (they would hold keys), as many open files as allowed. */
int service_prepare(struct err *err) MUST_CHECK;

/* Runs until SIGTERM or SIGINT. */
int service_run(const struct service_callbacks *callbacks, struct err *err) MUST_CHECK;

/* What systemd is told; nothing where it does not ask. */
void service_tell_ready(const char *status);
void service_tell_status(const char *status); /* from any thread */
void service_tell_reloading(void);
void service_tell_stopping(void);
