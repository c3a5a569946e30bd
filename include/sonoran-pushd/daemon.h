/* daemon.h - the daemon as a whole: everything built in the order of the layers, the loop, everything taken down in
 * reverse.
 *
 * Owner:   takes a reference to the config; *secrets changes to newer ones and stays the caller's.
 * Threads: the main thread.
 * Errors:  are told in the log; the return value says only that there was one, and daemon_needs_help whether a
 *          restart is of no use.
 */
#pragma once

#include <sonoran-pushd/config.h>

struct source_types;

/* All that a configuration may say: with what each type of action and each source brings. */
extern const struct config_schema daemon_schema;

/* What config_load has to check with, for this daemon's events and actions. */
extern const struct config_hooks daemon_config_hooks;

/* The same for a reload, for which it is a mistake as well that an action lacks what may come later, its program or a
 * secret: a start begins without, and the action is off until it is there. And for --check, which gives advice too. */
extern const struct config_hooks daemon_reload_hooks;
extern const struct config_hooks daemon_check_hooks;

/* Mistakes and warnings of a file, one line each. */
void daemon_tell_problems(const struct config_problems *problems);

/* Runs until it is asked to end. file: read again on SIGHUP. source_types: where events may come from. */
int daemon_run(const char *file, struct config *config, struct config_secrets **secrets,
               const struct source_types *source_types);

/* Whether what it failed with stays until somebody does something about it. */
bool daemon_needs_help(int r);
