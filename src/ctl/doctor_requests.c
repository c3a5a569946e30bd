/* doctor_requests.c - what those who speak to the daemon get wrong, by its counts. */
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/source_gate.h>

#include "counts.h"
#include "doctor.h"

static void check_wrong_keys(struct doctor *doctor, uint64_t n_accepted, uint64_t n_wrong)
{
    struct text last CLEANUP(text_free) = TEXT_INIT;
    bool only = n_accepted == 0 && !doctor->recent;
    counts_write_last(doctor->told, "wrong_key", doctor->now, &last);
    finding_add(&doctor->findings, only ? FINDING_FAIL : FINDING_WARN, "keys",
                only ? "compare api_key (or api_key_file) with the community's API key in the CAD's admin panel; upper "
                       "or lower case does not matter, blanks do"
                     : NULL,
                "%llu request%s came with a wrong key since the start%s%s", (unsigned long long) n_wrong,
                text_plural(n_wrong), last.s, only ? "; none with the right one" : "");
}

/* Full: whoever comes now waits outside. */
static void check_connections(struct doctor *doctor)
{
    uint64_t n = json_get_count(doctor->told, "connections");
    if (doctor->config && n && n >= doctor->config->limits.connections)
        finding_add(&doctor->findings, FINDING_FAIL, "connections",
                    "ss -tn shows whose they are; raise limits.connections, or stop them in the firewall",
                    "all %llu connections of limits.connections are in use: others have to wait",
                    (unsigned long long) n);
}

void doctor_check_requests(struct doctor *doctor)
{
    const cJSON *requests = json_get(doctor->told, "requests");
    uint64_t n_accepted = counts_get(doctor->told, &gate_report.rows[GATE_ACCEPTED]),
             n_wrong = counts_get(doctor->told, &gate_report.rows[GATE_WRONG_KEY]);
    if (!requests)
        return;
    check_connections(doctor);
    if (n_accepted)
        finding_add(&doctor->findings, FINDING_OK, "requests", NULL, "%llu request%s accepted since the start",
                    (unsigned long long) n_accepted, n_accepted == 1 ? " was" : "s were");
    if (n_wrong)
        check_wrong_keys(doctor, n_accepted, n_wrong);
    uint64_t n_other = counts_check(doctor->told, &gate_report, doctor->now, &doctor->findings);
    bool by_session = cJSON_GetArraySize(json_get(doctor->told, "sessions")) > 0; /* what these bring is no request */
    if (!n_accepted && !n_wrong && !doctor->recent && !by_session)
        finding_add(&doctor->findings, FINDING_WARN, "requests",
                    n_other ? NULL : "nothing reaches this machine, or the CAD sends nothing: see the list below",
                    "not one request with an event has come since the start");
}

void doctor_check_counts(struct doctor *doctor)
{
    for (size_t i = 0; i < COUNTS_N_TABLES; i++)
        if (counts_tables[i] != &gate_report)
            (void) counts_check(doctor->told, counts_tables[i], doctor->now, &doctor->findings);
}
