/* push_limits.c - what the configuration allows strangers, cut to what the process may have open. */
#include "push_private.h"

struct http_settings push_limits_for_http(const struct config *config)
{
    return (struct http_settings){
        .thread = "http",
        .body_bytes = config->limits.body_bytes,
        .connections = config_connections(config, HTTP_SPARE_CONNECTIONS).push,
        .connections_per_ip = config->limits.connections_per_ip,
        .request_time_us = config->limits.request_time_us,
        .in_flight_bytes = config->limits.in_flight_bytes,
    };
}

void push_limits_tell_few_descriptors(const struct config *config)
{
    const struct config_connections allowed = config_connections(config, HTTP_SPARE_CONNECTIONS);
    if (allowed.push < config->limits.connections)
        log_line(LOG_WARNING, LOG_ID_CONFIG,
                 "limits.connections is %llu, but the process may have %llu files open and needs some itself: at most "
                 "%llu connections (LimitNOFILE= of the unit, ulimit -n)",
                 (unsigned long long) config->limits.connections, (unsigned long long) allowed.descriptors,
                 (unsigned long long) allowed.push);
}
