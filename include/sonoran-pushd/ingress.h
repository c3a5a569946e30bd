/* ingress.h - the push endpoint: a body in, a verdict and its status out (design section 3).
 *
 * Owner:   borrows the config, the families and the pipeline, which outlive it.
 * Threads: everything runs in the HTTP thread, except ingress_new, ingress_free and ingress_tick.
 * Errors:  are answers; refusals are told to the log, the first at once, those like it once a minute as a number.
 */
#pragma once

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/event.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/pipeline.h>

struct ingress;

int ingress_new(struct ingress **ret, const struct config *config, const struct event_families *families,
                struct pipeline *pipeline) MUST_CHECK;
struct ingress *ingress_free(struct ingress *ingress);

/* For http_start, and for pipeline_start after it. */
struct http_callbacks ingress_callbacks(struct ingress *ingress);
struct pipeline_callbacks ingress_answers(struct ingress *ingress, struct http *http);

/* An event of the log that was read again at the start: where it came from, a right key came from (peer as in struct
 * http_origin, when by the wall clock). For pipeline_recover, before http_start. */
void ingress_heard(void *ingress, const char *peer, usec_t time_us);

/* A new config is in force; from inside http_call. On failure the old one stays. */
int ingress_configure(struct ingress *ingress, const struct config *config) MUST_CHECK;

/* What was posted since the start, by what became of it. The first three are the verdicts. */
enum ingress_count {
    INGRESS_ACCEPTED,
    INGRESS_UNKNOWN,   /* stored, answered "Invalid Type" */
    INGRESS_INVALID,   /* stored (but for what is too much to store), answered "Invalid Data" */
    INGRESS_MALFORMED, /* not sound JSON */
    INGRESS_WRONG_KEY, /* also those refused unread for earlier wrong keys */
    INGRESS_NOT_STORED,
    INGRESS_NOT_FOUND, /* posted to a path that is none; last: the path */
    INGRESS_TOO_LARGE,
    /* above limits.body */ INGRESS_CONNECTIONS, /* above limits.connections or limits.connections_per_ip */
    INGRESS_NOT_HTTP, /* TLS, PROXY, … or nothing that could be read as a request; last: which */
    INGRESS_N_COUNTS
};

const char *ingress_count_name(enum ingress_count count);

struct ingress_last {
    usec_t at_us; /* 0: there was none, or none of this kind is kept */
    char peer[INET6_ADDRSTRLEN];
    char what[160]; /* from outside, made safe */
};

struct ingress_status {
    uint64_t counts[INGRESS_N_COUNTS];
    struct ingress_last last[INGRESS_N_COUNTS]; /* of refusals before a verdict */
};

/* From any thread. */
void ingress_get_status(struct ingress *ingress, struct ingress_status *ret);

/* Logs the refusals counted since the last call; called once a minute, and at the end. */
void ingress_tick(struct ingress *ingress);
