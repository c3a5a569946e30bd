/* doctor.c - "sonoran-pushctl doctor": the usual reasons why no events arrive, as far as this machine can see them.
 * Source: events.md 1.7 to 1.11. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/daemon.h>
#include <sonoran-pushd/machine.h>
#include <sonoran-pushd/session_probe.h>

#include "doctor.h"
#include "settings.h"

#define HOUR_US (3600 * USEC_PER_SEC)
#define DEFAULT_HOURS 24
#define HOURS_MAX 10000

struct arguments {
    struct ctl_common common;
    uint64_t hours;
    bool check_log;
};

/* What the CAD and the net between do, which no check here can see: of events that are posted, of those that come by a
 * session, or of both. */
static const struct hint {
    bool posted, by_session;
    const char *words;
} hints[] = {
    { true, false,
      "In the CAD, Admin > Customization > Servers (older panels: Advanced > In-Game Integration), the server has this "
      "machine's public IP and the listener's port, without blanks." },
    { true, false,
      "That port is open from outside, for TCP: at the host's panel or router, and in this machine's firewall. Open "
      "http://IP:PORT/sonorancad/event in a browser elsewhere: a short page says that the listener runs." },
    { true, false,
      "The CAD prefers a websocket: while a FiveM resource (3.2.38 or later) or a bot is logged in for the same server "
      "id, no HTTP request is sent. Let the resource forward (enablePushEventForwarding, pushEventForwardUrl), use "
      "another server id here, or log in there without one." },
    { false, true,
      "The session has the number of the server that events are wanted of (Admin > Customization > Servers), and no "
      "FiveM resource, bot or second machine is logged in for the same one: it may take the events." },
    { false, true,
      "The community's plan has the API. " CTL_NAME " probe asks the CAD for its name; it can be run while the daemon "
      "is stopped." },
    { false, true,
      "While no session is open the CAD posts, if the server there has this machine's public IP and a port of a "
      "listener "
      "that is open: worth having where it can be had." },
    { true, false,
      "A FiveM resource sets the IP and port of its own server entry anew at each start, unless disableOverride is "
      "true." },
    { true, false, "pushEventForwardUrl is used exactly as written: http://IP:PORT/sonorancad/event." },
    { true, true,
      "Those who try it have this server selected in the CAD, and are logged in on the police, fire or EMS page." },
    { true, true, "What is done through the CAD's API sends no event for most types; try it by hand in the CAD." },
};

static size_t choose_hints(const struct doctor *doctor, const char **ret)
{
    bool by_session = doctor->config && session_probe_count(doctor->config);
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if (by_session ? hints[i].by_session : hints[i].posted)
            ret[n++] = hints[i].words;
    return n;
}

static int read_hours(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    if (options_read_id(value, &arguments->hours) < 0 || arguments->hours > HOURS_MAX)
        return err_set(err, -EINVAL, "expected a whole number of hours from 1 to %d", HOURS_MAX);
    return 0;
}

#define AT(member) offsetof(struct arguments, member)

static const struct ctl_option rows[] = {
    { "hours", 0, "N", read_hours, "so long without an event is worth a warning (24)", 0 },
    { "check-log", 0, NULL, NULL, "read all of the event log for damage, which takes a while", AT(check_log) },
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

/* Where nobody named a file and the usual one is not there, the one of the daemon that runs. */
static void choose_config(struct doctor *doctor)
{
    bool found = process_find(doctor->config_file, &doctor->other);
    if (!found || strcmp(doctor->config_file, CONFIG_DEFAULT_FILE) != 0 || access(CONFIG_DEFAULT_FILE, F_OK) == 0 ||
        errno != ENOENT || process_has(&doctor->other, CONFIG_DEFAULT_FILE))
        return;
    doctor->config_file = doctor->other.file;
    finding_add(&doctor->findings, FINDING_OK, "config", NULL, "process %d is a " PROGRAM_NAME " with -c %s",
                doctor->other.pid, doctor->other.file);
}

/* Secrets of actions are all that is missing. */
static bool starts_without_secrets(struct doctor *doctor)
{
    struct config_problems problems = { 0 };
    int r = settings_load(doctor->config_file, true, &doctor->config, &problems);
    config_problems_free(&problems);
    return r >= 0;
}

static void tell_of_keys(struct doctor *doctor, const struct config_community *community)
{
    if (community->n_api_keys > 1)
        finding_add(&doctor->findings, FINDING_OK, "config", NULL,
                    "community %s has %zu keys: take the old one out when the CAD's panel has the new one",
                    community->name, community->n_api_keys);
}

/* Mistakes, or what is only worth a warning: a file with a secret that others can read. */
static void check_config(struct doctor *doctor)
{
    struct config_problems problems = { 0 };
    int r = settings_load(doctor->config_file, false, &doctor->config, &problems);
    bool denied = doctor->denied = r < 0 && settings_denied(r, &problems);
    for (size_t i = 0; i < problems.n_lines; i++) {
        if (problems.shows[i]) /* the sentence alone tells it */
            continue;
        bool mistake = !problems.warns[i] && !denied && !settings_line_denied(problems.lines[i]);
        finding_add(&doctor->findings, mistake ? FINDING_FAIL : FINDING_WARN, "config", NULL, "%s", problems.lines[i]);
    }
    config_problems_free(&problems);
    if (denied)
        finding_add(&doctor->findings, FINDING_WARN, "config", AS_ROOT,
                    "the configuration, or a secret that it names, is for root to read: run this as root");
    else if (r < 0 && starts_without_secrets(doctor))
        finding_add(&doctor->findings, FINDING_FAIL, "config", "put the lines above right; then " CTL_NAME " reload",
                    "the daemon starts with this configuration, but leaves actions off, and refuses it at a reload");
    else if (r < 0)
        finding_add(&doctor->findings, FINDING_FAIL, "config", "put the lines above right; " PROGRAM_NAME " --check",
                    "the configuration does not load: the daemon would not start with it");
    else
        finding_add(&doctor->findings, FINDING_OK, "config", NULL, "the configuration %s loads", doctor->config_file);
    for (size_t i = 0; doctor->config && i < doctor->config->n_communities; i++)
        tell_of_keys(doctor, &doctor->config->communities[i]);
}

/* A file with a mistake, or with secrets that are not for us, may say all the same where the log is. */
static void choose_store(struct doctor *doctor, const char *store)
{
    doctor->store = store ? store : doctor->config ? doctor->config->store.path : NULL;
    if (!doctor->store && config_find_store(doctor->config_file, &daemon_schema, &doctor->found_store) >= 0)
        doctor->store = doctor->found_store;
}

static void examine(struct doctor *doctor, const char *store)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    choose_config(doctor);
    check_config(doctor);
    choose_store(doctor, store);
    doctor_check_running(doctor, &answer);
    doctor_check_reload(doctor);
    doctor_check_listeners(doctor);
    doctor_check_sessions(doctor);
    doctor_check_streams(doctor);
    doctor_check_events(doctor);
    doctor_check_requests(doctor);
    doctor_check_counts(doctor);
    doctor_check_storing(doctor);
    doctor_check_log(doctor);
    doctor_check_actions(doctor);
    doctor_check_disk(doctor);
    doctor_check_clock(doctor);
    doctor->told = NULL;
}

static void doctor_done(struct doctor *doctor)
{
    free(doctor->other.file);
    free(doctor->found_store);
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
                                                  .root = geteuid() == 0,
                                                  .systemd = machine_has_systemd(),
                                                  .check_log = arguments.check_log,
                                                  .quiet_us = arguments.hours * HOUR_US,
                                                  .summary = SUMMARY_INIT };
    examine(&doctor, arguments.common.store);
    const char *chosen[ARRAY_SIZE(hints)];
    findings_write(&doctor.findings, chosen, choose_hints(&doctor, chosen), arguments.common.json, &out);
    status = table_write_stdout(&out);
    return status == EXIT_SUCCESS && findings_have(&doctor.findings, FINDING_FAIL) ? EXIT_FAILURE : status;
}
