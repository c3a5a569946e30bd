/* doctor.h - inside src/ctl: what the checks of doctor share. Each adds at least one finding, or has nothing to say
 * without what an earlier one failed to get. */
#pragma once

#include <sonoran-pushd/config.h>

#include "daemon.h"
#include "findings.h"
#include "summary.h"

struct doctor {
    const char *config_file;
    const char *store; /* path */
    usec_t now, quiet_us;
    struct config *config; /* NULL: it does not load */
    bool running;          /* somebody holds the control socket */
    const cJSON *told;     /* what the daemon said; NULL: nothing */
    struct summary summary;
    bool read; /* summary is filled */
    struct findings findings;
};

/* doctor_daemon.c: what runs, and what was said to it */
void check_running(struct doctor *doctor, struct daemon_answer *ret_answer);
void check_listeners(struct doctor *doctor);
void check_requests(struct doctor *doctor);
void check_actions(struct doctor *doctor);

/* doctor_machine.c: the log and what it lies on */
void check_events(struct doctor *doctor);
void check_storing(struct doctor *doctor);
void check_disk(struct doctor *doctor);
void check_clock(struct doctor *doctor);
