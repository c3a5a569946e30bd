/* gate_report.c - what is counted of what came, and what people are told of it. */
#include <assert.h>

#include <sonoran-pushd/source_gate.h>

#define COUNT(NAME, LABEL, HELP, VALUE, WHICH, ...)                                                                    \
    {                                                                                                                  \
        .name = (NAME), .kind = REPORT_COUNTER, .label = (LABEL), .value = (VALUE), .help = (HELP),                    \
        .object = "requests", .offset = REPORT_OFFSET(struct gate_status, counts[WHICH]), __VA_ARGS__                  \
    }
#define BODIES(VALUE, WHICH, ...)                                                                                      \
    COUNT("requests", "result", "Posted bodies by what became of them.", VALUE, WHICH, __VA_ARGS__)
#define REFUSALS(VALUE, WHICH, ...)                                                                                    \
    COUNT("http_refusals", "reason", "Requests and connections refused before a body was judged.", VALUE, WHICH,       \
          .member = (VALUE), __VA_ARGS__)

static const struct report_row report_rows[] = {
    [GATE_ACCEPTED] = BODIES("accepted", GATE_ACCEPTED, .member = "accepted", .words = "accepted"),
    [GATE_UNKNOWN] =
        BODIES("unknown", GATE_UNKNOWN, .member = "unknown", .words = "of an unknown type",
               .doubt = { "request", "requests", "had a type that is not known here",
                          "sonoran-pushctl events --verdict unknown shows them; unknown_types: accept lets them "
                          "through" }),
    [GATE_INVALID] = BODIES("invalid", GATE_INVALID, .member = "invalid", .words = "with invalid data",
                            .doubt = { "request", "requests", "had data that cannot be used",
                                       "sonoran-pushctl events --verdict invalid shows them" }),
    /* How grave it is depends on whether the right key comes too: doctor judges it itself. */
    [GATE_WRONG_KEY] = BODIES("wrong_key", GATE_WRONG_KEY, .member = "wrong_key", .words = "with a wrong key",
                              .last_label = "Wrong key:"),
    [GATE_MALFORMED] = BODIES("malformed", GATE_MALFORMED, .member = "malformed", .words = "malformed",
                              .doubt = { "request", "requests", "brought no event",
                                         "strangers who try open ports do that; the daemon's log has their "
                                         "addresses" }),
    [GATE_NOT_STORED] =
        BODIES("not_stored", GATE_NOT_STORED, .member = "busy", .words = "turned away busy",
               .doubt = { "request", "requests", "got 503, because too much came at once or nothing could be stored",
                          "the daemon's log tells the reason" }),
    [GATE_NOT_FOUND] =
        REFUSALS("not_found", GATE_NOT_FOUND, .words = "to a wrong path", .last_label = "Wrong path:",
                 .doubt = { "request", "requests", "came to a path that is none of ours (404)",
                            "the URL in the CAD or in a forwarder has to end in /sonorancad/event, or in one of paths "
                            "in the configuration" }),
    [GATE_TOO_LARGE] = REFUSALS("too_large", GATE_TOO_LARGE, .words = "too large", .last_label = "Too large:",
                                .doubt = { "request", "requests", "had a body larger than limits.body (413)",
                                           "if that was the CAD, its events are lost: raise limits.body" }),
    [GATE_NOT_ALLOWED] =
        REFUSALS("not_allowed", GATE_NOT_ALLOWED, .words = "from addresses that are not in allow",
                 .last_label = "Not allowed:",
                 .doubt = { "connection", "connections", "came from addresses that are not in allow of their listener",
                            "if one of them is the CAD's or a proxy's, add it to allow" }),
    [GATE_CONNECTIONS] =
        REFUSALS("connections", GATE_CONNECTIONS, .words = "that had to give way",
                 .doubt = { "connection", "connections",
                            "had to give way (limits.connections, limits.connections_per_ip)",
                            "behind a proxy all come from one address: raise limits.connections_per_ip for it" }),
    [GATE_NOT_HTTP] =
        REFUSALS("not_http", GATE_NOT_HTTP, .words = "that were not HTTP", .last_label = "No HTTP:",
                 .doubt = { "connection", "connections", "spoke something else than HTTP",
                            "the port speaks http:// only: enter it in the CAD so, without https, and let a proxy in "
                            "front send no PROXY line" }),
};

static_assert(ARRAY_SIZE(report_rows) == GATE_N_COUNTS, "every count needs its row");
const struct report_table gate_report = { report_rows, ARRAY_SIZE(report_rows) };
