/* limits.c - what the configuration allows strangers, cut to what the process may have open. */
#include <sys/resource.h>

#include "private.h"

/* Kept aside, so that strangers never take what the daemon itself needs. Measured: 18 are open in a daemon without
 * actions, an action holds 2 and opens up to 5 while it delivers. */
#define OWN_DESCRIPTORS 30 /* event log, journal, loops, control socket and whoever asks there, a reload */
#define DESCRIPTORS_OF_ACTION 7
#define CONNECTIONS_MIN 4

static uint64_t allowed_connections(const struct config *config, uint64_t *ret_descriptors)
{
    struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
    getrlimit(RLIMIT_NOFILE, &limit);
    *ret_descriptors = limit.rlim_cur;
    uint64_t kept =
        OWN_DESCRIPTORS + HTTP_SPARE_CONNECTIONS + config->n_listeners + DESCRIPTORS_OF_ACTION * config->n_actions;
    uint64_t rest = limit.rlim_cur > kept ? limit.rlim_cur - kept : 0;
    if (rest < CONNECTIONS_MIN)
        rest = CONNECTIONS_MIN;
    return rest < config->limits.connections ? rest : config->limits.connections;
}

struct http_settings http_settings(const struct config *config)
{
    uint64_t descriptors;
    return (struct http_settings){
        .paths = (const char *const *) config->paths,
        .n_paths = config->n_paths,
        .body_bytes = config->limits.body_bytes,
        .connections = allowed_connections(config, &descriptors),
        .connections_per_ip = config->limits.connections_per_ip,
        .request_time_us = config->limits.request_time_us,
        .in_flight_bytes = config->limits.in_flight_bytes,
    };
}

void tell_few_descriptors(const struct config *config)
{
    uint64_t descriptors, allowed = allowed_connections(config, &descriptors);
    if (allowed < config->limits.connections)
        log_line(LOG_WARNING, LOG_ID_CONFIG,
                 "limits.connections is %llu, but the process may have %llu files open and needs some itself: at most "
                 "%llu connections (LimitNOFILE= of the unit, ulimit -n)",
                 (unsigned long long) config->limits.connections, (unsigned long long) descriptors,
                 (unsigned long long) allowed);
}
