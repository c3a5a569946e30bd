/* connections.c - how the descriptors that the process may have open are shared between the doors. */
#include <sys/resource.h>

#include <sonoran-pushd/config.h>

/* Kept aside, so that strangers never take what the daemon itself needs. Measured: 20 are open in a daemon without
 * actions, an action holds 2 and opens up to 5 while it delivers. */
#define OWN_DESCRIPTORS 24 /* event log, journal, loops, control socket, a reload, the log for whoever asks */
#define DESCRIPTORS_OF_ACTION 7
#define CONNECTIONS_MIN 4
#define ADMIN_CONNECTIONS_MAX 64
#define DESCRIPTORS_OF_ADMIN 16 /* one of so many that the process may have is for a connection of the admin side */
#define DESCRIPTORS_OF_STREAM 8 /* likewise, for one that goes on */

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t at_least_some(uint64_t n)
{
    return n < CONNECTIONS_MIN ? CONNECTIONS_MIN : n;
}

struct config_connections config_connections(const struct config *config, uint64_t spare)
{
    struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
    getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t streams = smaller(config->admin.streams, limit.rlim_cur / DESCRIPTORS_OF_STREAM);
    uint64_t admin = smaller(at_least_some(limit.rlim_cur / DESCRIPTORS_OF_ADMIN), ADMIN_CONNECTIONS_MAX);
    uint64_t kept = OWN_DESCRIPTORS + config->n_listeners + DESCRIPTORS_OF_ACTION * config->n_actions + spare + admin +
                    streams + spare;
    uint64_t rest = at_least_some(limit.rlim_cur > kept ? limit.rlim_cur - kept : 0);
    return (struct config_connections){ .descriptors = limit.rlim_cur,
                                        .push = smaller(rest, config->limits.connections),
                                        .admin = admin,
                                        .streams = streams };
}
