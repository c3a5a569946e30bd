/* doctor.h - inside src/ctl: what the checks of doctor share. Each adds at least one finding, or has nothing to say
 * without what an earlier one failed to get. */
#pragma once

#include <sonoran-pushd/config.h>

#include "ctl_daemon.h"
#include "findings.h"
#include "process.h"
#include "summary.h"

struct doctor {
    const char *config_file;
    const char *store; /* path; NULL: only the configuration tells, which cannot be read */
    char *found_store; /* ours: the store where the rest of the configuration does not load */
    usec_t now, quiet_us;
    bool root, systemd;    /* who asks, and what starts services here */
    bool denied;           /* the configuration is not for us to read */
    bool check_log;        /* all of it is to be read */
    struct process other;  /* a daemon that runs; file NULL: none is seen */
    struct config *config; /* NULL: it does not load */
    bool running;          /* somebody holds the control socket, or that cannot be told */
    const cJSON *told;     /* what the daemon said; NULL: nothing */
    struct summary summary;
    bool read;   /* summary is filled */
    bool recent; /* an event came within quiet_us */
    struct findings findings;
};

#define AS_ROOT "sudo " CTL_NAME " doctor sees it"

/* doctor_daemon.c: what runs, and how it is */
void doctor_check_running(struct doctor *doctor, struct daemon_answer *ret_answer);
void doctor_check_reload(struct doctor *doctor);
void doctor_check_actions(struct doctor *doctor);

/* doctor_listeners.c: where it listens */
void doctor_check_listeners(struct doctor *doctor);

/* doctor_sessions.c: the CAD's own connections */
void doctor_check_sessions(struct doctor *doctor);

/* doctor_streams.c: events of other nodes */
void doctor_check_streams(struct doctor *doctor);

/* doctor_requests.c: what came */
void doctor_check_requests(struct doctor *doctor);
void doctor_check_counts(struct doctor *doctor); /* whatever else is counted */

/* doctor_machine.c: the log and what it lies on */
void doctor_check_events(struct doctor *doctor);
void doctor_check_storing(struct doctor *doctor);
void doctor_check_log(struct doctor *doctor);
void doctor_check_disk(struct doctor *doctor);
void doctor_check_clock(struct doctor *doctor);
