/* duty.h - for each unit of a log how long it was on duty, in which status, at how many calls.
 *
 * Shape:   one pass over the events from a day before since_us (for who was on duty then) up to until_us. A unit is on
 *          duty from a log-in, or from the first word of its own where none was seen, to its log-out, or to its last
 *          word where nothing is heard of it for STATE_KEEP_US; both are flagged. Test events do not count.
 * Units:   microseconds since 1970 UTC, and lapses of them.
 * Owner:   the caller's, for duty_free.
 * Threads: none. Errors: those of the store, -ENOMEM.
 */
#pragma once

#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

struct duty_asked {
    usec_t since_us, until_us; /* 0: from the first event, to the newest */
    const char *community;     /* its realm; NULL: all */
};

/* The CAD's own, and what communities have besides. */
enum duty_status {
    DUTY_UNAVAILABLE,
    DUTY_BUSY,
    DUTY_AVAILABLE,
    DUTY_EN_ROUTE,
    DUTY_ON_SCENE,
    DUTY_OTHER, /* another one, or not told */
    DUTY_STATUSES,
};

struct duty_unit {
    char community[REALM_MAX_BYTES + 1];
    int64_t id;
    char *number, *name; /* the newest; "": not known */
    usec_t on_us, status_us[DUTY_STATUSES];
    uint32_t n_logins, n_calls, n_panics;
    bool still;     /* on duty at the end */
    bool before;    /* on duty already when the time asked for began */
    bool no_login;  /* it was heard of on duty, and its log-in was not seen */
    bool no_logout; /* it fell silent for a day, or logged in again after that */
};

struct duty {
    usec_t since_us, until_us; /* what was counted: as asked, until_us as far as the log goes (of any community), or of
                                * the first and the newest event; 0: no event */
    usec_t oldest_us;          /* of the first event in the log, where that is later than what was asked for; else 0 */
    bool set_back;             /* the clock was: what lies across that counts nothing */
    bool several_communities;
    struct duty_unit *units; /* longest on duty first */
    size_t n_units;
};

int duty_read(struct store_reader *reader, const struct duty_asked *asked, struct duty **ret,
              struct err *err) MUST_CHECK;
struct duty *duty_free(struct duty *duty);
