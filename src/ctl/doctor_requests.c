/* doctor_requests.c - what those who speak to the daemon get wrong, by its counts. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/* ", the last 5 min ago from 203.0.113.7", as far as it is told. */
static void write_last(const struct doctor *doctor, const char *name, struct text *out)
{
    char member[64];
    snprintf(member, sizeof(member), "last_%s", name);
    const cJSON *last = cJSON_GetObjectItemCaseSensitive(doctor->told, member);
    usec_t at_us = json_time(last, "at");
    if (!at_us)
        return;
    text_add(out, ", the last ");
    write_ago(out, at_us, doctor->now);
    text_addf(out, " from %s", json_text(last, "from"));
    if (*json_text(last, "what"))
        text_addf(out, ": %s", json_text(last, "what"));
}

static void check_wrong_keys(struct doctor *doctor, uint64_t n_accepted, uint64_t n_wrong)
{
    struct text last CLEANUP(text_free) = TEXT_INIT;
    bool only = n_accepted == 0 && !doctor->recent;
    write_last(doctor, "wrong_key", &last);
    finding_add(&doctor->findings, only ? FINDING_FAIL : FINDING_WARN, "keys",
                only ? "compare api_key (or api_key_file) with the community's API key in the CAD's admin panel; upper "
                       "or lower case does not matter, blanks do"
                     : NULL,
                "%llu request%s came with a wrong key since the start%s%s", (unsigned long long) n_wrong,
                text_plural(n_wrong), last.s, only ? "; none with the right one" : "");
}

/* Of the daemon's counts: what is said of so many requests, and what to do about it. */
static const struct refused {
    const char *name, *noun, *words, *advice;
} refused[] = {
    { "unknown", "request", "had a type that is not known here",
      CTL_NAME " events --verdict unknown shows them; unknown_types = \"accept\" lets them through" },
    { "invalid", "request", "had data that cannot be used", CTL_NAME " events --verdict invalid shows them" },
    { "malformed", "request", "had no event in it",
      "strangers who try open ports do that; the daemon's log has their addresses" },
    { "busy", "request", "got 503, because too much came at once or nothing could be stored",
      "the daemon's log tells the reason" },
    { "not_found", "request", "came to a path that is none of ours (404)",
      "the URL in the CAD or in a forwarder has to end in /sonorancad/event, or in one of paths in the configuration" },
    { "too_large", "request", "had a body larger than limits.body (413)",
      "if that was the CAD, its events are lost: raise limits.body" },
    { "connections", "connection", "had to give way (limits.connections, limits.connections_per_ip)",
      "behind a proxy all come from one address: raise limits.connections_per_ip for it" },
    { "not_http", "connection", "spoke something else than HTTP",
      "the port speaks http:// only: enter it in the CAD so, without https, and let a proxy in front send no PROXY "
      "line" },
};

static uint64_t check_refused(struct doctor *doctor, const cJSON *requests, const struct refused *kind)
{
    struct text last CLEANUP(text_free) = TEXT_INIT;
    uint64_t n = json_count(requests, kind->name);
    if (!n)
        return 0;
    write_last(doctor, kind->name, &last);
    finding_add(&doctor->findings, FINDING_WARN, "requests", kind->advice, "%llu %s%s %s since the start%s",
                (unsigned long long) n, kind->noun, text_plural(n), kind->words, last.s);
    return n;
}

/* Full: whoever comes now waits outside. */
static void check_connections(struct doctor *doctor)
{
    uint64_t n = json_count(doctor->told, "connections");
    if (doctor->config && n && n >= doctor->config->limits.connections)
        finding_add(&doctor->findings, FINDING_FAIL, "connections",
                    "ss -tn shows whose they are; raise limits.connections, or stop them in the firewall",
                    "all %llu connections of limits.connections are in use: others have to wait",
                    (unsigned long long) n);
}

void check_requests(struct doctor *doctor)
{
    const cJSON *requests = cJSON_GetObjectItemCaseSensitive(doctor->told, "requests");
    uint64_t n_accepted = json_count(requests, "accepted"), n_wrong = json_count(requests, "wrong_key"), n_other = 0;
    if (!requests)
        return;
    check_connections(doctor);
    if (n_accepted)
        finding_add(&doctor->findings, FINDING_OK, "requests", NULL, "%llu request%s accepted since the start",
                    (unsigned long long) n_accepted, n_accepted == 1 ? " was" : "s were");
    if (n_wrong)
        check_wrong_keys(doctor, n_accepted, n_wrong);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        n_other += check_refused(doctor, requests, &refused[i]);
    if (!n_accepted && !n_wrong && !doctor->recent)
        finding_add(&doctor->findings, FINDING_WARN, "requests",
                    n_other ? NULL : "nothing reaches this machine, or the CAD sends nothing: see the list below",
                    "not one request with an event has come since the start");
}
