/* state.h - the CAD as we last heard it: units, dispatch calls, 911 calls.
 *
 * Shape:   for each community, which is named by its realm (event.h), three maps by id. What was mentioned but never
 *          described is a placeholder.
 *          A unit that logged out stays, offline and without panic, so that later lines can name it; calls keep it
 *          attached. Whatever nobody spoke of in the STATE_KEEP_US before the newest event goes.
 *          A 911 call that was removed is kept as long, so that a later line can name it; snapshots leave it out.
 * Units:   now_us is the event's time; status, page, origin and priority are the CAD's numbers (events.md 2.6).
 * Since:   the time of the event by which a value last became what it is; 0 where that was not seen: what a list
 *          mentions for the first time may have been so for long. A patch names the time where the event itself is the
 *          change (a status event, a log-in, an opening), which counts also where nothing was known before.
 * Owner:   state copies what it keeps. Snapshots belong to the caller (state_snapshot_free).
 * Threads: every function locks for itself, and no callback runs under the lock; but the functions that find or name
 *          are for the thread that changes the state, or has it alone.
 * Errors:  1 changed, 0 nothing to change (seen_us alone is no change), -ENOMEM, also of a community of another node
 *          where STATE_MAX_ELSEWHERE are there: a put did nothing; what concerns
 *          several entries may have done a part. A map holds STATE_MAX_ENTRIES; the one not heard of for longest
 *          makes room, in the order of hearing, whatever the clock said.
 * Source:  vendor pages push-events/unit-events, push-events/dispatch-events; effects of events.md section 6.
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <sonoran-pushd/text.h>

#define STATE_MAX_ENTRIES 4096   /* of each map of a community */
#define STATE_MAX_ELSEWHERE 4096 /* communities of other nodes, about; of more nothing is kept */
#define STATE_KEEP_US (24 * 3600 * USEC_PER_SEC)
#define STATE_TEXT_MAX_BYTES 512 /* longer texts are cut, at a character */
#define STATE_MAX_ATTACHED 256   /* units of one call */

/* "Not told": such a member of a patch leaves what is known. Texts: NULL, and "" clears. Flags: -1.
 * In a snapshot numbers nobody told are these too, texts are "" (never NULL), flags are 0 or 1: panic and
 * dispatcher 0 until told, online 1 until told otherwise; but emergency, silent and track_primary are -1 until told. */
#define STATE_UNSET INT32_MIN
#define STATE_UNSET_ID INT64_MIN

struct ids;
struct state;

/* How a call came to be known: by its event, or from a list of the CAD's, without or with the event having been missed.
 * In a patch STATE_SEEN is "not told". */
enum state_primed { STATE_SEEN, STATE_PRIMED_KNOWN, STATE_PRIMED_MISSED };

struct state_unit {
    int64_t id;
    const char *number; /* "3-L-27" */
    const char *name;   /* "Mara Ellison" */
    const char *location;
    const char *department;
    const char *group;   /* "": in none */
    const char *api_ids; /* the player's in the game, a list of texts in JSON; "": none */
    int32_t status, page;
    int8_t panic, dispatcher, online;
    bool told; /* a log-in or a whole unit was seen; a placeholder has false */
    usec_t status_since_us, panic_since_us, duty_since_us; /* duty: online, or off duty, whichever it is */
    usec_t seen_us;                                        /* written by state, like what follows */
    uint64_t changed_id;                                   /* the event that last changed it */
    uint8_t changed_source;                                /* where that came from: state_source */
    bool test;                                             /* in a snapshot: made of test events alone */
};

struct state_call {
    int64_t id;
    const char *title;
    const char *code;
    const char *address;
    const char *postal;
    const char *block;
    const char *description;
    const char *last_note;
    int32_t origin, status, priority;
    int8_t track_primary; /* -1: not told */
    bool told;            /* opened, or edited with its list of units; a placeholder has false */
    int64_t primary;      /* unit id */
    int64_t call911;      /* the 911 call it came from */
    uint32_t n_notes;     /* in a patch 0: not told */
    usec_t opened_us;     /* by an opening that was seen, else 0 */
    usec_t closed_us;     /* 0: open, or its closing was not seen */
    uint8_t primed;       /* state_primed, until its opening is seen */
    usec_t seen_us;       /* written by state, like what follows */
    uint64_t changed_id;
    uint8_t changed_source;
    bool test;
};

struct state_call911 {
    int64_t id;
    const char *caller;
    const char *location;
    const char *description;
    const char *postal, *plate, *phone, *position; /* of its metaData; position as a line has it */
    int8_t emergency;
    int8_t silent;    /* -1: not told */
    int8_t removed;   /* written by state, like what follows */
    bool told;        /* its own event was seen */
    int64_t call;     /* the dispatch call made from it last */
    usec_t opened_us; /* when it came first, or again after its removal; 0: that was not seen */
    uint8_t primed;   /* state_primed, until it comes again */
    usec_t seen_us;
    uint64_t changed_id;
    uint8_t changed_source;
    bool test;
};

#define STATE_UNIT_PATCH(unit_id)                                                                                      \
    {                                                                                                                  \
        .id = (unit_id), .status = STATE_UNSET, .page = STATE_UNSET, .panic = -1, .dispatcher = -1, .online = -1       \
    }
#define STATE_CALL_PATCH(call_id)                                                                                      \
    {                                                                                                                  \
        .id = (call_id), .origin = STATE_UNSET, .status = STATE_UNSET, .priority = STATE_UNSET,                        \
        .primary = STATE_UNSET_ID, .call911 = STATE_UNSET_ID, .track_primary = -1                                      \
    }
#define STATE_CALL911_PATCH(call_id)                                                                                   \
    {                                                                                                                  \
        .id = (call_id), .emergency = -1, .silent = -1                                                                 \
    }

#define STATE_CALL_CLOSED 2

struct state *state_new(void);
struct state *state_free(struct state *state);

/* The event whose changes follow, each with an id above the last. What nobody spoke of in the STATE_KEEP_US before it
 * (to the minute; by the log's order, whatever the clock did) is forgotten. state_window_begin: when that
 * began, if the newest event came then. */
void state_set_event(struct state *state, uint64_t event_id, usec_t now_us);
usec_t state_window_begin(usec_t newest_us);

/* Whether it is made up. Who is known from tests alone is a placeholder, and not counted as on duty; what is known from
 * a real event is not changed by a test, not even linked with what tests made up: that begins anew with the first real
 * event that speaks of it. */
void state_set_test(struct state *state, bool test);

/* Where its changes come from: "push", and the listener's name. Up to STATE_MAX_SOURCES are told apart. */
#define STATE_MAX_SOURCES 255
void state_set_source(struct state *state, const char *source, const char *name);

/* What a changed_source stands for: "push/main", as long as the state is there; "" where it is not known. */
const char *state_source(const struct state *state, uint8_t number);

/* The event this state is as of; and how often an heir took its place, which changes it without an event. */
struct state_moment {
    uint64_t as_of, n_turns;
};
uint64_t state_as_of(const struct state *state);
struct state_moment state_moment(const struct state *state);

/* What a transaction changes, until it is on disk: looks and changes like any state, finds in base what it did not
 * change, and leaves base as it is. Borrows base, which meanwhile only state_merge may change; one thread has both.
 * state_merge makes it part of base, at once for all who read, as of that event; it cannot fail but for a community
 * heard of for the first time without memory (-ENOMEM: nothing is taken over). state_drop: it never was. Both leave an
 * empty overlay, to be used again. */
struct state *state_overlay(struct state *base);
int state_merge(struct state *overlay, uint64_t as_of);
void state_drop(struct state *overlay);

/* The event behind which all was told that is known; an overlay's is what its base will have. What nobody spoke of for
 * STATE_KEEP_US is gone, but what is spoken of again and again keeps what was once told, however long ago. So from time
 * to time an heir takes the place of a state: it hears of the same events, but only of those from some moment on, and
 * what was told before is not known to it. Whoever reads all events behind state_begin knows the same.
 *
 * state_heir: with nothing known; borrows state, and uses its names of sources. state_succeed: at once for all who
 * read; the heir is empty afterwards, and the overlay (NULL: there is none), which has to be empty, is of the new
 * state. One thread has state, heir and overlay. state_clear: nothing is known any more. */
uint64_t state_begin(const struct state *state);
struct state *state_heir(struct state *state);
void state_succeed(struct state *state, struct state *heir, struct state *overlay);
void state_clear(struct state *state);

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

/* Adds a note to a call: counted, the newest is kept. One without text (NULL, "") is none, as in a list of notes. */
int state_call_note(struct state *state, const char *community, int64_t call, const char *note, usec_t now_us);

int state_call911_remove(struct state *state, const char *community, int64_t call, usec_t now_us);

/* Borrowed until the next change of this state; texts as in snapshots, but NULL where nothing is known. NULL: never
 * heard of, or no state at all. */
const struct state_unit *state_find_unit(const struct state *state, const char *community, int64_t id);
const struct state_call *state_find_call(const struct state *state, const char *community, int64_t id);
const struct state_call911 *state_find_call911(const struct state *state, const char *community, int64_t id);

/* The units at a call, in the order they came, borrowed as above; returns how many. */
size_t state_call_units(const struct state *state, const char *community, int64_t call, const int64_t **ret);

/* The calls not closed that a unit is attached to, up to max of them; returns how many it wrote. */
size_t state_unit_calls(const struct state *state, const char *community, int64_t unit, int64_t *ret, size_t max);

/* The dispatch call made from a 911 call, the newest if there are several, or STATE_UNSET_ID. */
int64_t state_call_of_911(const struct state *state, const char *community, int64_t call911);

/* The one unit on duty that has this number, else the one off duty; STATE_UNSET_ID where none has, or several. */
int64_t state_unit_by_number(const struct state *state, const char *community, const char *number);

/* The units of a group, by id; "" is no group. */
void state_group_units(const struct state *state, const char *community, const char *group, struct ids *out);

/* Units on duty as far as somebody told so (a placeholder does not count), and the dispatchers among them. */
void state_count(const struct state *state, const char *community, int *ret_dispatchers, int *ret_on_duty);

/* How lines name a unit, for the thread that may find: "3-L-27 Mara Ellison", one of the two when the other is not
 * known, else "unit 4127". Texts are made safe and cut at 60 characters. Returns whether it knew more than the id. */
bool state_name_unit(const struct state *state, const char *community, int64_t id, struct text *out);

enum state_kind { STATE_KIND_UNIT, STATE_KIND_CALL, STATE_KIND_CALL911 };

/* What was there once: removed, or forgotten. */
struct state_gone {
    enum state_kind kind;
    int64_t id;
    uint64_t changed_id; /* the event with which it went */
};

/* A copy of everything about one community, in the order of the ids. Empty for a community nobody spoke of. */
struct state_snapshot {
    struct state_unit *units;
    const int64_t **unit_calls; /* [n_units]: the calls not closed that each is attached to */
    size_t *n_unit_calls;       /* [n_units] */
    size_t n_units;
    struct state_call *calls;
    const int64_t **attached;         /* [n_calls]: units at each call, in the order they came */
    const usec_t **attached_since_us; /* [n_calls]: since when each is there, 0: not seen */
    size_t *n_attached;               /* [n_calls] */
    size_t n_calls;
    struct state_call911 *calls911;
    size_t n_calls911;
    struct state_gone *gone; /* of state_changes */
    size_t n_gone;
    uint64_t as_of; /* the event it is as of */
    uint64_t n_turns;
    bool lost; /* of state_changes */
};

int state_snapshot(const struct state *state, const char *community, struct state_snapshot **ret) MUST_CHECK;

/* The first realm behind name in the alphabet that anything was heard of, which is replaced: true, or false where there
 * is none. Begin with "". */
bool state_next_realm(const struct state *state, char name[REALM_MAX_BYTES + 1]);

/* Of a state that is no overlay: only what changed, or went, behind that event, in the order of change; with what is
 * known of a snapshot as of that event, all that state_snapshot would tell. changed_id is the event that the change is
 * told with; at a turn nobody's event changed it, so a snapshot may have another. A unit changes with the calls it is
 * attached to, too. Costs as much as there is changed. gone may have what was never shown.
 * lost: that is not known any more, or to some part, and whoever asks begins anew with state_snapshot. At a turn
 * (state_succeed) what is forgotten changes as of the next event, but is in a snapshot before that. */
#define STATE_MAX_REMOVED 1024 /* so many are kept of each map */
int state_changes(const struct state *state, const char *community, uint64_t after_id,
                  struct state_snapshot **ret) MUST_CHECK;

/* What changed up to this event is lost: whoever reads the events of a log again does not see what a turn forgot. */
void state_lose_changes(struct state *state, uint64_t id);

struct state_snapshot *state_snapshot_free(struct state_snapshot *snapshot);
