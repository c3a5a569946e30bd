/* process.h - inside src/ctl: a daemon that runs on this machine, whoever started it. */
#pragma once

#include "ctl_private.h"

struct process {
    int pid;
    char *file; /* its configuration, yours to free; relative to a folder that cannot be seen, where it cannot */
};

/* The one with this configuration, else any that is seen. False: there is none. */
bool process_find(const char *config_file, struct process *ret);

/* The number of one whose words have this program among them, by its name: those of a loader, too. 0: none is seen. */
int process_find_program(const char *name);

/* Whether it was started with this file. */
bool process_has(const struct process *process, const char *config_file);
