/* doctor_daemon.c - does it run, and is what it does all right? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/machine.h>

#include "counts.h"
#include "doctor.h"

#define ERROR_MAX_CHARS 200

static void tell_not_running(struct doctor *doctor, const char *sentence)
{
    const struct process *other = &doctor->other;
    if (other->file && !process_has(other, doctor->config_file))
        finding_add(&doctor->findings, FINDING_FAIL, "running", NULL,
                    "%s; the " PROGRAM_NAME " that runs here (process %d) has another configuration: " CTL_NAME
                    " -c %s doctor",
                    sentence, other->pid, other->file);
    else
        finding_add(&doctor->findings, FINDING_FAIL, "running",
                    doctor->systemd ? "systemctl start " PROGRAM_NAME "; why it ended: journalctl -u " PROGRAM_NAME
                                      " -e"
                                    : "start " PROGRAM_NAME "; why it ended stands in its output",
                    "%s", sentence);
}

void doctor_check_running(struct doctor *doctor, struct daemon_answer *ret_answer)
{
    struct err err = { "where to ask it stands in the configuration" };
    int r = doctor->store ? daemon_get(doctor->store, "/api/status", ret_answer, &err) : -EACCES;
    doctor->running = r != DAEMON_NOT_RUNNING;
    doctor->told = ret_answer->json;
    const char *version = json_get_text(doctor->told, "version");
    if (r == DAEMON_NOT_RUNNING)
        tell_not_running(doctor, err.msg);
    else if (r == -EACCES && process_has(&doctor->other, doctor->config_file))
        finding_add(&doctor->findings, FINDING_WARN, "running", AS_ROOT,
                    "the daemon runs (process %d), but what it says of itself cannot be seen: %s", doctor->other.pid,
                    err.msg);
    else if (r == -EACCES)
        finding_add(&doctor->findings, FINDING_WARN, "running", AS_ROOT,
                    "whether the daemon runs, and what it says of itself, cannot be seen: %s", err.msg);
    else if (r < 0)
        finding_add(&doctor->findings, FINDING_FAIL, "running",
                    doctor->systemd ? "journalctl -u " PROGRAM_NAME " -e tells what it was doing last"
                                    : "its output tells what it was doing last",
                    "%s", err.msg);
    else if (*version && strcmp(version, PROGRAM_VERSION) != 0)
        finding_add(&doctor->findings, FINDING_WARN, "running", machine_restart(),
                    "the daemon that runs is version %s, what is installed is %s", version, PROGRAM_VERSION);
    else
        finding_add(&doctor->findings, FINDING_OK, "running", NULL, "the daemon runs");
}

void doctor_check_reload(struct doctor *doctor)
{
    const cJSON *refused = json_get(doctor->told, "reload_refused");
    struct text when CLEANUP(text_free) = TEXT_INIT;
    if (!refused)
        return;
    table_write_ago(&when, daemon_get_time(refused, "at"), doctor->now);
    finding_add(&doctor->findings, FINDING_WARN, "reload", "when the file is right: " CTL_NAME " reload",
                "the last reload, %s, was refused, so the configuration from before it is in force: %.*s", when.s,
                ERROR_MAX_CHARS, json_get_text(refused, "problem"));
}

static void check_action(struct doctor *doctor, const cJSON *action)
{
    const char *name = json_get_text(action, "name"), *state = json_get_text(action, "state");
    const char *error = json_get_text(action, "last_error");
    struct text which CLEANUP(text_free) = TEXT_INIT;
    uint64_t lag = json_get_count(action, "lag");
    if (strcmp(state, "off") == 0)
        finding_add(&doctor->findings, FINDING_FAIL, "actions",
                    "put it right; it is looked at again within the hour, or at once by " CTL_NAME " reload",
                    "action %s is off: %.*s", name, ERROR_MAX_CHARS, error);
    else if (strcmp(state, "failing") == 0)
        finding_add(&doctor->findings, FINDING_FAIL, "actions", "it tries again by itself; later events wait behind",
                    "action %s fails, with %llu event%s waiting: %.*s", name, (unsigned long long) lag,
                    text_plural(lag), ERROR_MAX_CHARS, error);
    else
        finding_add(&doctor->findings, FINDING_OK, "actions", NULL, "action %s works, %llu event%s waiting", name,
                    (unsigned long long) lag, text_plural(lag));
    text_addf(&which, "action %s", name);
    (void) counts_check_one(action, &delivery_report, "actions", which.s, doctor->now, &doctor->findings);
}

void doctor_check_actions(struct doctor *doctor)
{
    const cJSON *action;
    cJSON_ArrayForEach (action, json_get(doctor->told, "actions")) {
        check_action(doctor, action);
    }
}
