/* daemon.h - the daemon as a whole: everything built in the order of the layers, the loop, everything taken down in
 * reverse.
 *
 * Owner:   takes a reference to the config.
 * Threads: the main thread.
 * Errors:  are told in the log; the return value says only that there was one.
 */
#pragma once

#include <sonoran-pushd/config.h>

/* What config_load has to check with, for this daemon's events and actions. */
extern const struct config_hooks daemon_config_hooks;

/* Mistakes and warnings of a file, one line each. */
void daemon_tell_problems(const struct config_problems *problems, int level, const char *message_id);

/* Runs until it is asked to end. file: read again on SIGHUP. */
int daemon_run(const char *file, struct config *config);
