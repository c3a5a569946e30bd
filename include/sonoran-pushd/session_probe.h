/* session_probe.h - one session of the configuration tried once, step by step: the program to run first with a real
 * account.
 *
 * Shape:   connects, logs in, asks for a sign of life and leaves; then asks the CAD's REST interface what priming will
 *          ask it, and whether the server is there. Each step is told when it is over. Nothing is stored: an event that
 *          comes meanwhile is named, and lost.
 * Units:   _us microseconds.
 * Owner:   all is borrowed for the call, or until tell returns.
 * Threads: one; it takes half a minute at most, and longer where each answer comes late.
 * Errors:  of the steps: as their words, which are safe for a terminal and without the key. Else negative errno and a
 *          sentence.
 */
#pragma once

#include <sonoran-pushd/config.h>

enum session_probe_result {
    SESSION_PROBE_OK,
    SESSION_PROBE_DOUBT, /* it will work, but not as well as it might */
    SESSION_PROBE_FAILED,
};

struct session_probe_step {
    const char *name; /* "login" */
    enum session_probe_result result;
    usec_t took_us;
    const char *words;
};

/* What the configuration says of it, for who shows the steps. */
struct session_probe {
    const char *name, *community, *community_id, *url;
    uint64_t server;
};

/* name NULL: the first. -ENOENT: there is none, or none of that name (err says which there are). */
int session_probe_find(const struct config *config, const char *name, struct session_probe *ret,
                       struct err *err) MUST_CHECK;

typedef void session_probe_tell(void *context, const struct session_probe_step *step);

/* 0: each step was right, or a doubt; 1: one failed, and what comes after it was not tried. */
int session_probe_run(const struct config *config, const struct session_probe *probe, session_probe_tell *tell,
                      void *context, struct err *err) MUST_CHECK;

/* Without the hub, so that it does no harm to a session that is open or about to be: "reach", or in its place what
 * cannot be had (name, connection, tls, proxy), and then the REST interface ("plan", "community", "server"). As
 * session_probe_run. */
int session_probe_reach(const struct config *config, const struct session_probe *probe, session_probe_tell *tell,
                        void *context, struct err *err) MUST_CHECK;

/* How many the configuration has; its i-th. */
size_t session_probe_count(const struct config *config);
void session_probe_get(const struct config *config, size_t i, struct session_probe *ret);
