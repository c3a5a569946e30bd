/* session_probe_reach.c - of a session what can be tried beside one that is open: the way to the CAD, and what its REST
 * interface says. */
#include <errno.h>

#include "session_private.h"

#define CONNECT_US (10 * USEC_PER_SEC)
#define WAIT_MAX_MS 1000

struct reach {
    struct session_target *target;
    session_probe_tell *tell;
    void *context;
};

static void tell(void *context, const char *name, enum session_probe_result result, usec_t took_us, const char *words)
{
    const struct reach *reach = context;
    struct text safe CLEANUP(text_free) = TEXT_INIT; /* the CAD may have said the key */
    (void) event_hide_keys(&reach->target->rules, span_of(words), &safe);
    const struct session_probe_step step = { name, result, took_us, safe.s };
    reach->tell(reach->context, &step);
}

/* Name, TCP and TLS; not a byte to the hub. */
static int connect_to(struct reach *reach, struct net_pool *pool, struct err *err)
{
    const struct session_settings *settings = &reach->target->settings;
    const struct net_settings wanted = {
        .url = settings->url,
        .ca_file = settings->ca_file,
        .use_proxy = session_may_use_proxy(settings->url),
        .connect_us = CONNECT_US,
    };
    struct net_connection *connection;
    struct net_times times;
    int r = net_connection_open(&connection, pool, &wanted, err);
    if (r < 0)
        return r;
    while ((r = net_connection_result(connection, err)) == -EINPROGRESS)
        if (net_pool_wait(pool, -1, WAIT_MAX_MS, err) < 0)
            break;
    net_connection_get_times(connection, &times);
    if (r >= 0)
        tell(reach, "reach", SESSION_PROBE_OK, times.name_us + times.tcp_us + times.tls_us, reach->target->host);
    net_connection_close(connection);
    return r;
}

static int run(struct reach *reach, struct net_pool *pool)
{
    struct err err = { "" };
    int r = connect_to(reach, pool, &err);
    if (r < 0) {
        tell(reach, session_cause_name(session_cause_of(r)), SESSION_PROBE_FAILED, 0, err.msg);
        return 1;
    }
    return session_probe_ask_rest(reach->target, tell, reach) ? 0 : 1;
}

int session_probe_reach(const struct config *config, const struct session_probe *what, session_probe_tell *to,
                        void *context, struct err *err)
{
    struct reach reach = { .tell = to, .context = context };
    struct net_pool *pool = NULL;
    int r = session_target_new(&reach.target, session_settings_find(config, what->name), config, err);
    if (r >= 0)
        r = net_pool_open(&pool, err);
    if (r >= 0)
        r = run(&reach, pool);
    net_pool_close(pool);
    session_target_free(reach.target);
    return r;
}
