/* doctor_sessions.c - the CAD's own connections: are they open, and if not, what stands between.
 *
 * What the daemon says of a session counts. Of one that is not open this machine tries the way to the CAD itself, but
 * opens no session: a second one may take the events of the first (session_probe.h). */
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/session_probe.h>

#include "doctor.h"
#include "process.h"
#include "session_words.h"

#define PANEL "Admin > In-Game Integration > API shows the community's id and key, "
#define PANEL_SERVERS "Admin > Customization > Servers the numbers of the servers"
#define BESIDE                                                                                                         \
    "where a FiveM resource of Sonoran CAD is logged in for this server, take the session out and let the resource "   \
    "forward (enablePushEventForwarding, pushEventForwardUrl)"

/* By what the daemon calls the cause, and by the step that failed here. */
static const struct advice {
    const char *about, *words;
} advices[] = {
    { "name",
      "the name server of this machine does not know it: getent hosts api.sonorancad.com; is there a network?" },
    { "connection", "outgoing connections to it have to be allowed, port 443: by this machine's firewall and at the "
                    "host's panel; where only a proxy gets out, name it in https_proxy in the environment of the "
                    "service" },
    { "tls", "is the clock right, and is the package ca-certificates there? A proxy that looks into TLS needs its "
             "certificate in ca_file of the session" },
    { "proxy",
      "look at https_proxy in the environment of the service; a proxy has to let CONNECT to port 443 through" },
    { "hub", "url of the session is wrong: without it the CAD's own is taken" },
    { "websocket", "a proxy or firewall in between answers in place of the CAD, or url of the session is wrong" },
    { "turned_away", "it tries again by itself; where that goes on for hours, ask who runs the CAD, with what " CTL_NAME
                     " probe prints" },
    { "login", PANEL PANEL_SERVERS "; then " CTL_NAME " reload tries it at once" },
    { "protocol", "a newer " PROGRAM_NAME " may know it; " CTL_NAME " probe prints what to send with a question" },
    { "silent", "it connects again by itself; where that happens often, a proxy or NAT in between drops connections" },
    { "lost", "it connects again by itself" },
    { "kicked", "another program is logged in with this server's number, perhaps: " BESIDE },
    { "full", "events cannot be stored as fast as they come: is the disk slow, or full? Else raise limits.in_flight" },
    { "community", PANEL "of the same community" },
    { "server", PANEL_SERVERS },
};

static const char *advice_on(const char *about)
{
    for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
        if (strcmp(advices[i].about, about) == 0)
            return advices[i].words;
    return NULL;
}

/* ---- what this machine finds ---- */

struct trial {
    struct doctor *doctor;
    const char *name;
};

static void tell_step(void *context, const struct session_probe_step *step)
{
    static const enum finding_level levels[] = {
        [SESSION_PROBE_OK] = FINDING_OK, [SESSION_PROBE_DOUBT] = FINDING_WARN, [SESSION_PROBE_FAILED] = FINDING_FAIL
    };
    const struct trial *trial = context;
    bool reached = strcmp(step->name, "reach") == 0;
    finding_add(&trial->doctor->findings, levels[step->result], "session",
                step->result == SESSION_PROBE_FAILED ? advice_on(step->name) : NULL, "session %s: %s%s%s", trial->name,
                reached ? step->words : step->name, reached ? " can be reached from here" : ": ",
                reached ? "" : step->words);
}

static void try_way(struct doctor *doctor, const struct session_probe *probe)
{
    struct trial trial = { doctor, probe->name };
    struct err err = { "" };
    if (session_probe_reach(doctor->config, probe, tell_step, &trial, &err) < 0)
        finding_add(&doctor->findings, FINDING_WARN, "session", NULL, "session %s: %s", probe->name, err.msg);
}

/* ---- what the daemon says ---- */

static const cJSON *find_told(const struct doctor *doctor, const char *name)
{
    const cJSON *session;
    cJSON_ArrayForEach (session, json_get(doctor->told, "sessions"))
        if (strcmp(json_get_text(session, "name"), name) == 0)
            return session;
    return NULL;
}

static bool is_open(const cJSON *told)
{
    return !json_get(told, "cut_since");
}

static void tell_state(struct doctor *doctor, const char *name, const cJSON *told)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    const cJSON *trouble = json_get(told, "trouble");
    session_words_write(&words, told, doctor->now);
    if (is_open(told))
        finding_add(&doctor->findings, FINDING_OK, "session", NULL, "session %s: %s", name, words.s);
    else
        finding_add(&doctor->findings, trouble ? FINDING_FAIL : FINDING_WARN, "session",
                    advice_on(json_get_text(trouble, "cause")), "session %s: %s", name, words.s);
}

static void tell_doubts(struct doctor *doctor, const char *name, const cJSON *told)
{
    const char *problem = json_get_text(told, "prime_problem");
    uint64_t n_strange = json_get_count(told, "strange");
    if (*problem)
        finding_add(&doctor->findings, FINDING_WARN, "session",
                    "what is missed in a gap stays unknown until that works; where the plan has no such interface, "
                    "prime: false in the session",
                    "session %s: the CAD does not tell its units and calls: %s", name, problem);
    if (n_strange)
        finding_add(&doctor->findings, FINDING_WARN, "session", "a newer " PROGRAM_NAME " may know them",
                    "session %s: the CAD called %llu time%s for what this version does not know", name,
                    (unsigned long long) n_strange, text_plural(n_strange));
}

/* ---- each ---- */

static void check_session(struct doctor *doctor, const struct session_probe *probe)
{
    const cJSON *told = find_told(doctor, probe->name);
    if (told) {
        tell_state(doctor, probe->name, told);
        tell_doubts(doctor, probe->name, told);
    } else if (doctor->told) {
        finding_add(&doctor->findings, FINDING_WARN, "session", "let the daemon read it again: " CTL_NAME " reload",
                    "session %s: it stands in the configuration, the daemon does not know it", probe->name);
    }
    if (!doctor->running || (told && !is_open(told)))
        try_way(doctor, probe);
    if (!doctor->running)
        finding_add(&doctor->findings, FINDING_OK, "session", NULL,
                    "session %s: whether the CAD lets it log in, " CTL_NAME " probe %s tries", probe->name,
                    probe->name);
}

/* Without a configuration, as far as the daemon tells. */
static void check_told(struct doctor *doctor)
{
    const cJSON *session;
    cJSON_ArrayForEach (session, json_get(doctor->told, "sessions")) {
        tell_state(doctor, json_get_text(session, "name"), session);
        tell_doubts(doctor, json_get_text(session, "name"), session);
    }
}

/* Its resource logs in with the same server's number, unless somebody saw to that. */
static void check_beside(struct doctor *doctor)
{
    int pid = process_find_program("FXServer");
    if (pid)
        finding_add(&doctor->findings, FINDING_WARN, "session", BESIDE,
                    "a FiveM server runs here (process %d): what its resource and a session for the same server do to "
                    "each other, only the CAD knows",
                    pid);
}

void doctor_check_sessions(struct doctor *doctor)
{
    size_t n = doctor->config ? session_probe_count(doctor->config) : 0;
    struct session_probe probe;
    if (!doctor->config)
        check_told(doctor);
    for (size_t i = 0; i < n; i++) {
        session_probe_get(doctor->config, i, &probe);
        check_session(doctor, &probe);
    }
    if (n || cJSON_GetArraySize(json_get(doctor->told, "sessions")) > 0)
        check_beside(doctor);
}
