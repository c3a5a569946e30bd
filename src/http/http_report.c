/* http_report.c - what is measured of a server. */
#include "http_private.h"

const struct report_limits http_body_limits = { { 256, 1024, 4096, 16384, 65536, 262144, 1048576 }, 7 };

static const struct report_row report_rows[] = {
    { .name = "open_connections",
      .status_only = true,
      .kind = REPORT_GAUGE,
      .help = "Connections that are open.",
      .member = "connections",
      .offset = REPORT_OFFSET(struct http_values, connections) },
    { .name = "http_connections_limit",
      .kind = REPORT_GAUGE,
      .help = "How many connections may be open (limits.connections, or what file descriptors allow).",
      .offset = REPORT_OFFSET(struct http_values, connections_limit) },
    { .name = "http_in_flight_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "Bodies above 16 KiB that are held in memory until they are stored.",
      .offset = REPORT_OFFSET(struct http_values, in_flight_bytes) },
    { .name = "http_in_flight_limit_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "How large they may be together (limits.in_flight).",
      .offset = REPORT_OFFSET(struct http_values, in_flight_limit_bytes) },
    { .name = "request_body_bytes",
      .unit = "bytes",
      .kind = REPORT_HISTOGRAM,
      .limits = &http_body_limits,
      .help = "Size of the bodies that were read whole.",
      .offset = REPORT_OFFSET_HISTOGRAM(struct http_values, body_bytes) },
};

const struct report_table http_report = { report_rows, ARRAY_SIZE(report_rows) };

const char *http_library_version(void)
{
    return MHD_get_version();
}
