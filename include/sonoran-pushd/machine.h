/* machine.h - what looks after services on this machine, so that nobody is told to type what is not there.
 *
 * Threads: any; nothing is kept.
 * Source:  sd_booted(3).
 */
#pragma once

#include <sonoran-pushd/base.h>

/* Is it systemd that runs services here? Elsewhere systemctl and journalctl are of no use. */
bool machine_has_systemd(void);

/* What somebody does to restart the daemon: "systemctl restart sonoran-pushd", or "restart sonoran-pushd". */
const char *machine_restart(void);
