/* stats.h - how much was going on in a log, by day or hour, and how long it took until somebody came.
 *
 * Shape:   one pass. Days and hours are those of the local time; one is there where the log has an event in it. Calls
 *          count where they begin, and so does how long they took. Until when a unit is at a call: as in story.
 *          Several calls from one 911 call have one first unit on scene. Test events do not count.
 * Units:   microseconds; times since 1970 UTC.
 * Owner:   the caller's, for stats_free.
 * Threads: none. Errors: those of the store, -ENOMEM.
 */
#pragma once

#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

struct stats_asked {
    usec_t since_us, until_us; /* 0: from the first event, to the newest */
    const char *community;     /* its realm; NULL: all */
    bool by_hour;              /* else by day */
};

/* Of some lapses; n 0: there is none. */
struct stats_lapses {
    uint32_t n;
    usec_t median_us, p90_us; /* nearest rank */
};

struct stats_span {
    usec_t begin_us;
    uint32_t n_calls, n_calls911;
    struct stats_lapses on_scene; /* from a 911 call to the first unit on scene */
    struct stats_lapses attached; /* from the opening of a call to the first unit attached */
};

struct stats {
    usec_t since_us, until_us, oldest_us; /* as those of duty */
    bool set_back;
    struct stats_span *spans; /* in their order */
    size_t n_spans;
    struct stats_span total;
    uint32_t by_hour[24]; /* calls and 911 calls that began in each hour of the day */
};

int stats_read(struct store_reader *reader, const struct stats_asked *asked, struct stats **ret,
               struct err *err) MUST_CHECK;
struct stats *stats_free(struct stats *stats);
