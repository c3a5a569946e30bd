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

/* A new config is in force; from inside http_call. On failure the old one stays. */
int ingress_configure(struct ingress *ingress, const struct config *config) MUST_CHECK;

/* Posted bodies since the start, by what became of them. */
enum ingress_count {
    INGRESS_ACCEPTED,
    INGRESS_UNKNOWN,   /* stored, answered "Invalid Type" */
    INGRESS_INVALID,   /* stored, answered "Invalid Data" */
    INGRESS_MALFORMED, /* not sound JSON, or without a type */
    INGRESS_WRONG_KEY, /* also those refused unread for earlier wrong keys */
    INGRESS_NOT_STORED,
    INGRESS_N_COUNTS
};

const char *ingress_count_name(enum ingress_count count);

struct ingress_status {
    uint64_t counts[INGRESS_N_COUNTS];
    usec_t wrong_key_us; /* when the last one came, 0: none */
    char wrong_key_peer[INET6_ADDRSTRLEN];
};

/* From any thread. */
void ingress_get_status(struct ingress *ingress, struct ingress_status *ret);

/* Logs the refusals counted since the last call; called once a minute, and at the end. */
void ingress_tick(struct ingress *ingress);
