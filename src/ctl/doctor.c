/* doctor.c - "sonoran-pushctl doctor": the usual reasons why no events arrive, as far as this machine can see them.
 * Source: events.md 1.7 to 1.11. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "settings.h"

#define DEFAULT_STORE "/var/lib/sonoran-pushd/events.db"
#define HOUR_US (3600 * USEC_PER_SEC)
#define DEFAULT_HOURS 24
#define HOURS_MAX 10000

struct arguments {
    struct ctl_common common;
    uint64_t hours;
};

/* What the CAD and the net between do, which no check here can see. */
static const char *const hints[] = {
    "In the CAD's admin panel (Advanced > In-Game Integration), the server has this machine's public IP and the "
    "listener's port, without blanks.",
    "That port is open from outside, for TCP: at the host's panel or router, and in this machine's firewall. Open "
    "http://IP:PORT/sonorancad/event in a browser elsewhere: a short page says that the listener runs.",
    "The CAD prefers a websocket: while a FiveM resource (3.2.38 or later) or a bot is logged in for the same "
    "server id, no HTTP request is sent. Let the resource forward (enablePushEventForwarding, pushEventForwardUrl), "
    "use another server id here, or log in there without one.",
    "A FiveM resource sets the IP and port of its own server entry anew at each start, unless disableOverride is true.",
    "pushEventForwardUrl is used exactly as written: http://IP:PORT/sonorancad/event.",
    "Those who try it have this server selected in the CAD, and are logged in on the police, fire or EMS page.",
    "What is done through the CAD's API sends no event for most types; try it by hand in the CAD.",
};

static int read_hours(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    if (options_read_id(value, &arguments->hours) < 0 || arguments->hours > HOURS_MAX)
        return err_set(err, -EINVAL, "expected a whole number of hours from 1 to %d", HOURS_MAX);
    return 0;
}

static const struct ctl_option rows[] = {
    { "hours", "N", read_hours, "so long without an event is worth a warning (24)", 0 },
    OPTION_JSON("one object with what was found"),
};

static const struct ctl_spec spec = {
    .verb = "doctor",
    .usage = "[OPTION]...",
    .about = "Looks for the usual reasons why no events arrive, and says what to do. Best run as root.",
    .footer = "Exit status: 0 nothing is wrong (warnings are for people to judge), 1 something is.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

/* Mistakes, or what is only worth a warning: a file with a secret that others can read. */
static void check_config(struct doctor *doctor)
{
    struct config_problems problems = { 0 };
    int r = settings_load(doctor->config_file, &doctor->config, &problems);
    for (size_t i = 0; i < problems.n_lines; i++)
        finding_add(&doctor->findings, r < 0 && r != -EACCES ? FINDING_FAIL : FINDING_WARN, "config", NULL, "%s",
                    problems.lines[i]);
    config_problems_free(&problems);
    if (r == -EACCES)
        finding_add(&doctor->findings, FINDING_WARN, "config", NULL,
                    "the configuration is for root and the daemon to read: run this as root");
    else if (r < 0)
        finding_add(&doctor->findings, FINDING_FAIL, "config", "put the lines above right; " PROGRAM_NAME " --check",
                    "the configuration does not load: the daemon would not start with it");
    else
        finding_add(&doctor->findings, FINDING_OK, "config", NULL, "the configuration %s loads", doctor->config_file);
}

static void examine(struct doctor *doctor, const char *store)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    check_config(doctor);
    doctor->store = store ? store : doctor->config ? doctor->config->store.path : DEFAULT_STORE;
    check_running(doctor, &answer);
    check_listeners(doctor);
    check_requests(doctor);
    check_events(doctor);
    check_storing(doctor);
    check_actions(doctor);
    check_disk(doctor);
    check_clock(doctor);
    doctor->told = NULL;
}

static void doctor_done(struct doctor *doctor)
{
    config_free(doctor->config);
    summary_free(&doctor->summary);
    findings_done(&doctor->findings);
}

int doctor_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file, .hours = DEFAULT_HOURS };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;

    struct doctor doctor CLEANUP(doctor_done) = { .config_file = arguments.common.config_file,
                                                  .now = now_us(),
                                                  .quiet_us = arguments.hours * HOUR_US,
                                                  .summary = SUMMARY_INIT };
    examine(&doctor, arguments.common.store);
    findings_write(&doctor.findings, hints, ARRAY_SIZE(hints), arguments.common.json, &out);
    status = write_stdout(&out);
    return status == EXIT_SUCCESS && findings_have(&doctor.findings, FINDING_FAIL) ? EXIT_FAILURE : status;
}
