/* lane.c - what is measured by listener. A lane stays, so that what it has counted never goes back, whatever is
 * reloaded. */
#include <string.h>

#include "http_private.h"

static const struct report_limits request_limits = {
    { 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000 }, 13
};

static const struct report_row report_rows[] = {
    { .name = "http_connections",
      .kind = REPORT_GAUGE,
      .help = "Connections that are open.",
      .offset = REPORT_OFFSET(struct lane_values, connections) },
    { .name = "request_seconds",
      .unit = "seconds",
      .kind = REPORT_HISTOGRAM,
      .limits = &request_limits,
      .help = "From the first line of a request to its answer.",
      .offset = REPORT_OFFSET_HISTOGRAM(struct lane_values, request_us) },
};
const struct report_table http_listener_report = { report_rows, ARRAY_SIZE(report_rows) };

/* The first is that of listeners beyond the limit. */
static struct lane *find(struct http *http, const char *listener)
{
    for (size_t i = 1; i < http->n_lanes; i++)
        if (strcmp(http->lanes[i].listener, listener) == 0)
            return &http->lanes[i];
    return &http->lanes[0];
}

void lanes_open(struct http *http)
{
    for (size_t i = 0; i < http->n_listeners; i++) {
        const char *name = http->listeners[i].name;
        size_t n = http->n_lanes;
        if (n == ARRAY_SIZE(http->lanes) || find(http, name) != &http->lanes[0])
            continue;
        text_copy(http->lanes[n].listener, sizeof(http->lanes[n].listener), name);
        http->n_lanes = n + 1; /* from here on others look at it */
    }
}

void lane_enter(struct connection *connection)
{
    connection->lane = find(connection->http, connection->origin.listener);
    report_count(&connection->lane->values.connections, 1);
}

void lane_leave(struct connection *connection)
{
    report_count(&connection->lane->values.connections, (uint64_t) -1);
}

void lane_answered(struct connection *connection, usec_t took_us)
{
    report_observe(&connection->lane->values.request_us, &request_limits, took_us);
}

static bool is_used(const struct lane_values *values)
{
    uint64_t n = values->connections;
    for (size_t i = 0; i <= REPORT_LIMITS_MAX; i++)
        n += values->request_us.n[i];
    return n;
}

void http_add_report(struct http *http, struct report_list *list)
{
    struct http_values all;
    http_get_values(http, &all);
    report_list_add(list, &(struct report_part){ .table = &http_report, .values = &all }, sizeof(all));
    size_t n = http->n_lanes;
    for (size_t i = 0; i < n; i++) {
        const struct lane *lane = &http->lanes[i];
        struct lane_values values;
        report_copy(&values, &lane->values, sizeof(values));
        if (i || is_used(&values))
            report_list_add(list,
                            &(struct report_part){ &http_listener_report, &values, { { "listener", lane->listener } } },
                            sizeof(values));
    }
}
