/* session_backoff.h - when a session connects again, and when a silent one counts as dead.
 *
 * Shape:   pure: the clock, and what is drawn by lot, are the caller's.
 * Units:   _us microseconds; of a clock that never jumps where they say when.
 * Source:  design section 16; the steps: what the CAD's own clients do, spread so that many do not come at once.
 */
#pragma once

#include <sonoran-pushd/base.h>

/* How it ended. */
enum session_end {
    SESSION_END_LOST,    /* cut, silent, not reached, or closed with the wish to have us back */
    SESSION_END_KICKED,  /* closed by the CAD without a reason */
    SESSION_END_REFUSED, /* the login, or the whole connection: nothing that heals soon */
    SESSION_END_BUSY,    /* the CAD has too much to do, and may have told how long */
};

struct session_backoff {
    unsigned step, refusals, kicks; /* in a row */
    bool was_short;                 /* the last one that was logged in was lost within a minute */
    bool busy;                      /* the last end was the CAD's wish to be left alone for so long */
};

/* How long to wait now. One that was logged in and is lost begins the row of steps anew; one that is lost within a
 * minute of its login for the second time in a row goes on in it. live_us: how long it was logged in, 0: it was not.
 * asked_us: what the CAD asked for, 0: nothing. lot: any number drawn by lot. */
usec_t session_backoff_next(struct session_backoff *backoff, enum session_end end, usec_t live_us, usec_t asked_us,
                            uint32_t lot);

/* Closed without a reason, again within a minute of the login: it is worth a warning. */
bool session_backoff_is_kicked(const struct session_backoff *backoff);

/* ---- the life of a connection: any byte that comes proves it. ---- */

#define SESSION_LIFE_PING_US (10 * USEC_PER_SEC)   /* between websocket pings, and the time to answer one */
#define SESSION_LIFE_SILENT_US (30 * USEC_PER_SEC) /* where none was ever answered */
#define SESSION_LIFE_RECORD_US (15 * USEC_PER_SEC) /* from one record of ours to the next */

struct session_life {
    usec_t ping_us;    /* the last one that went out; 0: none yet */
    usec_t waiting_us; /* the first one since which no byte came; 0: none waits */
    usec_t record_us;  /* our last record */
};

enum session_life_step { SESSION_LIFE_QUIET, SESSION_LIFE_PING, SESSION_LIFE_RECORD, SESSION_LIFE_DEAD };

/* What is due now; a ping and a record count as sent. heard_us: the last byte; answers: a ping was answered before. */
enum session_life_step session_life_next(struct session_life *life, usec_t heard_us, bool answers, usec_t now_us);

/* When to ask again. */
usec_t session_life_due_us(const struct session_life *life, usec_t heard_us, bool answers);
