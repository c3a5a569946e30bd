/* sse_report.c - what is counted of the event stream. */
#include "sse_private.h"

#define VALUE(field) REPORT_OFFSET(struct sse_values, field)
#define START(FROM, FIELD)                                                                                             \
    {                                                                                                                  \
        .name = "stream_starts", .kind = REPORT_COUNTER, .label = "from", .value = (FROM),                             \
        .help = "Event streams that began, by where: at the end of the log, behind the id of before, behind ?from=, "  \
                "or with a reset.",                                                                                    \
        .offset = VALUE(FIELD)                                                                                         \
    }
#define END(REASON, FIELD)                                                                                             \
    {                                                                                                                  \
        .name = "stream_ends", .kind = REPORT_COUNTER, .label = "reason", .value = (REASON),                           \
        .help = "Event streams that ended, by whom or what: the client, one that takes too little, a configuration "   \
                "without its community, an error, the end of the daemon.",                                             \
        .offset = VALUE(FIELD)                                                                                         \
    }

static const struct report_row report_rows[] = {
    { .name = "stream_clients",
      .kind = REPORT_GAUGE,
      .help = "Event streams that are open.",
      .offset = VALUE(clients) },
    { .name = "stream_clients_limit",
      .kind = REPORT_GAUGE,
      .help = "Event streams that may be open at one time.",
      .offset = VALUE(clients_limit) },
    { .name = "stream_events_sent",
      .kind = REPORT_COUNTER,
      .help = "Events sent to clients of the event stream.",
      .offset = VALUE(events) },
    { .name = "stream_bytes_sent",
      .kind = REPORT_COUNTER,
      .help = "Bytes written to event streams.",
      .offset = VALUE(bytes) },
    START("now", starts_now),
    START("id", starts_id),
    START("from", starts_from),
    START("reset", starts_reset),
    END("client", ends_client),
    END("slow", ends_slow),
    END("configuration", ends_configuration),
    END("error", ends_error),
    END("stop", ends_stop),
};

const struct report_table sse_report = { report_rows, ARRAY_SIZE(report_rows) };
