/* interrupt.h - inside src/ctl: for verbs that go on until somebody ends them (SIGINT, SIGTERM, SIGHUP).
 *
 * Shape:   one for the program. The second signal ends it in the hard way.
 * Threads: any.
 */
#pragma once

#include <sonoran-pushd/base.h>

/* From here on these signals are kept. Returns what becomes readable with the first, and stays so. -errno. */
int interrupt_begin(struct err *err) MUST_CHECK;
bool interrupt_came(void);

/* Before interrupt_begin: with the first signal what is read from stdin ends, also where it comes just before a read
 * waits. -errno. */
int interrupt_ends_stdin(struct err *err) MUST_CHECK;

/* false: a signal came before that time (of uptime_us), or has come already. */
bool interrupt_wait(usec_t until_us);
