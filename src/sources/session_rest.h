/* session_rest.h - the CAD's REST interface, as far as state is primed from it: one request, and what its answer is.
 *
 * Shape:   GET with the community's key; of an answer the parsed form, of anything else why not and when to try again.
 * Units:   in the names.
 * Owner:   settings are borrowed for the call; the tree is the caller's, for cJSON_Delete.
 * Threads: none.
 * Errors:  0; -ECANCELED; else negative and a sentence, made safe and without the key, and what kind it is of.
 * Source:  vendor pages api-endpoints-v2: authentication, emergency/calls/get-calls, emergency/units/get-active-units.
 */
#pragma once

#include <sonoran-pushd/json.h>
#include <sonoran-pushd/net.h>

#define SESSION_REST_MAX_BYTES ((size_t) 2 << 20) /* of an answer: some hundred calls with all their notes */
#define SESSION_REST_MAX_VALUES 200000            /* parsed, about 16 MB; "[1,1,..." would be 80 */
#define SESSION_REST_PAGE 100                     /* units; an answer with more is none */

struct session_rest {
    struct web *web;
    const char *base; /* "https://api.sonorancad.com" */
    const char *key;
    uint32_t server;
};

/* Why there is no answer that can be used. */
enum session_rest_failure {
    SESSION_REST_DOWN,    /* no answer, or one of a server in trouble: soon again */
    SESSION_REST_STRANGE, /* an answer that is none of a CAD */
    SESSION_REST_REFUSED, /* key, plan, server: until somebody does something */
    SESSION_REST_LIMITED, /* too many requests with this key */
    SESSION_REST_N_FAILURES
};

struct session_rest_problem {
    enum session_rest_failure failure;
    long status;           /* 0: there was no answer */
    usec_t retry_after_us; /* that the CAD asks for; 0: it does not */
};

int session_rest_get_calls(const struct session_rest *rest, cJSON **ret, struct session_rest_problem *ret_problem,
                           struct err *err) MUST_CHECK;
int session_rest_get_units(const struct session_rest *rest, size_t offset, cJSON **ret,
                           struct session_rest_problem *ret_problem, struct err *err) MUST_CHECK;

/* Of another page, "general/version", whatever it answers. */
int session_rest_get(const struct session_rest *rest, const char *page, cJSON **ret,
                     struct session_rest_problem *ret_problem, struct err *err) MUST_CHECK;

/* "https://host:443" of a hub's URL; -EINVAL: it has none. */
int session_rest_base(const char *hub_url, struct text *ret) MUST_CHECK;
