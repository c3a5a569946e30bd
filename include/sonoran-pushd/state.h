/* state.h - the CAD as we last heard it: units, dispatch calls, 911 calls.
 *
 * Shape:   for each community three maps by id. What was mentioned but never described is a placeholder.
 *          A unit that logged out stays, offline and without panic, for STATE_KEEP_US, so that later lines can
 *          name it; calls keep it attached. Closed calls, and 911 calls nobody removed, go after the same time.
 * Units:   now_us is the event's time; status, page, origin and priority are the CAD's numbers (events.md 2.6).
 * Owner:   state copies what it keeps. Snapshots belong to the caller (state_snapshot_free).
 * Threads: every function locks for itself, and no callback runs under the lock.
 * Errors:  1 changed, 0 nothing to change (seen_us alone is no change), -ENOMEM: a put did nothing; what concerns
 *          several entries may have done a part. A map holds STATE_MAX_ENTRIES; the one not heard of for longest
 *          makes room, in the order of hearing, whatever the clock said.
 * Source:  vendor pages push-events/unit-events, push-events/dispatch-events; effects of events.md section 6.
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <sonoran-pushd/text.h>

#define STATE_MAX_ENTRIES 4096 /* of each map of a community */
#define STATE_KEEP_US (24 * 3600 * USEC_PER_SEC)
#define STATE_KEEP_SILENT_US (7 * STATE_KEEP_US) /* of anything: who is not heard of for so long is not there */
#define STATE_TEXT_MAX_BYTES 512                 /* longer texts are cut, at a character */
#define STATE_MAX_ATTACHED 256                   /* units of one call */

/* "Not told": such a member of a patch leaves what is known. Texts: NULL, and "" clears. Flags: -1.
 * In a snapshot numbers nobody told are these too, texts are "" (never NULL), flags are 0 or 1: panic, dispatcher
 * and emergency 0 until told, online 1 until told otherwise. */
#define STATE_UNSET INT32_MIN
#define STATE_UNSET_ID INT64_MIN

struct state;

struct state_unit {
    int64_t id;
    const char *number; /* "3-L-27" */
    const char *name;   /* "Mara Ellison" */
    const char *location;
    const char *department;
    const char *group; /* "": in none */
    int32_t status, page;
    int8_t panic, dispatcher, online;
    usec_t seen_us; /* written by state */
};

struct state_call {
    int64_t id;
    const char *title;
    const char *code;
    const char *address;
    const char *postal;
    const char *description;
    const char *last_note;
    int32_t origin, status, priority;
    int64_t primary;  /* unit id */
    int64_t call911;  /* the 911 call it came from */
    uint32_t n_notes; /* in a patch 0: not told */
    usec_t seen_us;   /* written by state */
};

struct state_call911 {
    int64_t id;
    const char *caller;
    const char *location;
    const char *description;
    int8_t emergency;
    usec_t seen_us; /* written by state */
};

#define STATE_UNIT_PATCH(unit_id)                                                                                      \
    {                                                                                                                  \
        .id = (unit_id), .status = STATE_UNSET, .page = STATE_UNSET, .panic = -1, .dispatcher = -1, .online = -1       \
    }
#define STATE_CALL_PATCH(call_id)                                                                                      \
    {                                                                                                                  \
        .id = (call_id), .origin = STATE_UNSET, .status = STATE_UNSET, .priority = STATE_UNSET,                        \
        .primary = STATE_UNSET_ID, .call911 = STATE_UNSET_ID                                                           \
    }
#define STATE_CALL911_PATCH(call_id)                                                                                   \
    {                                                                                                                  \
        .id = (call_id), .emergency = -1                                                                               \
    }

#define STATE_CALL_CLOSED 2

struct state *state_new(void);
struct state *state_free(struct state *state);

/* Writes what the patch tells about an entry, which it makes where there is none. */
int state_unit_put(struct state *state, const char *community, const struct state_unit *patch, usec_t now_us);
int state_call_put(struct state *state, const char *community, const struct state_call *patch, usec_t now_us);
int state_call911_put(struct state *state, const char *community, const struct state_call911 *patch, usec_t now_us);

/* Every unit of a group that changed its name; "" as the old name is no group. */
int state_group_rename(struct state *state, const char *community, const char *old_name, const char *new_name,
                       usec_t now_us);

/* Units at a dispatch call: each at most once, in the order they came; beyond STATE_MAX_ATTACHED they are ignored.
 * set replaces all of them, its order with it; each makes placeholders for the call and the units. */
int state_call_attach(struct state *state, const char *community, int64_t call, const int64_t *units, size_t n_units,
                      usec_t now_us);
int state_call_detach(struct state *state, const char *community, int64_t call, const int64_t *units, size_t n_units,
                      usec_t now_us);
int state_call_set_units(struct state *state, const char *community, int64_t call, const int64_t *units, size_t n_units,
                         usec_t now_us);
/* The units leave every call they are attached to. No placeholders. */
int state_units_clear(struct state *state, const char *community, const int64_t *units, size_t n_units, usec_t now_us);

/* Adds a note to a call: counted, the newest is kept. NULL, a note without text, is only counted. */
int state_call_note(struct state *state, const char *community, int64_t call, const char *note, usec_t now_us);

int state_call911_remove(struct state *state, const char *community, int64_t call, usec_t now_us);

/* Forgets what was not heard of for more than STATE_KEEP_US (offline units, closed calls, 911 calls) or, of any
 * kind, STATE_KEEP_SILENT_US. Called now and then. */
int state_expire(struct state *state, usec_t now_us);

/* How lines name things; texts are made safe and cut at 80 characters. Each returns whether it knew more than the id.
 * unit:    "3-L-27 Mara Ellison", one of the two when the other is not known, else "unit 4127"
 * call:    "55120 Structure Fire", else "55120"
 * call911: "90417 (Zoë Okonkwo, 118 Lantern St)", with what is known of the two, else "90417" */
bool state_name_unit(const struct state *state, const char *community, int64_t id, struct text *out);
bool state_name_call(const struct state *state, const char *community, int64_t id, struct text *out);
bool state_name_call911(const struct state *state, const char *community, int64_t id, struct text *out);

/* Where a unit was last: " at Pier Rd / Old Mill Ln", or nothing. */
bool state_say_location(const struct state *state, const char *community, int64_t id, struct text *out);

/* A copy of everything about one community, in the order of the ids. Empty for a community nobody spoke of. */
struct state_snapshot {
    struct state_unit *units;
    size_t n_units;
    struct state_call *calls;
    const int64_t **attached; /* [n_calls]: units at each call, in the order they came */
    size_t *n_attached;       /* [n_calls] */
    size_t n_calls;
    struct state_call911 *calls911;
    size_t n_calls911;
};

int state_snapshot(const struct state *state, const char *community, struct state_snapshot **ret) MUST_CHECK;
struct state_snapshot *state_snapshot_free(struct state_snapshot *snapshot);
