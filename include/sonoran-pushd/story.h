/* story.h - one call from first word to closing, told by what the log holds of it.
 *
 * Shape:   a dispatch call, the 911 call it was made from (either leads to the other where the data link them), and
 *          the units at it while they were. Entries are events in the order of the log; times are those of the events.
 *          The CAD uses ids of calls again: the story is that of the newest use. A new one begins where a call is
 *          opened after its closing, or was not spoken of for STATE_KEEP_US and is closed or opened then.
 *          What a unit tells is of the call until it leaves, logs out (and is not attached again), or until call or
 *          unit are not spoken of for STATE_KEEP_US.
 * Units:   microseconds since 1970 UTC; 0: not seen. Ids that are not there: STATE_UNSET_ID.
 * Owner:   a story is the caller's, for story_free.
 * Threads: none; a reader belongs to one thread.
 * Errors:  -ENOENT the log has nothing of it, -EINVAL the community has to be named; else those of the store.
 * Source:  design section 15.
 */
#pragma once

#include <sonoran-pushd/json.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

struct story_asked {
    const char *community; /* its realm; NULL: the only one of the log */
    bool is_911;
    int64_t id;
    size_t max_events; /* of more, those in the middle are left out; 0: none is */
};

struct story_entry {
    uint64_t id;
    usec_t time_us;
    bool test;
    char *type, *summary; /* the line that was told, which is safe */
    struct ids units;
};

struct story_unit {
    int64_t id;
    char *number, *name; /* "": not known */
    usec_t attached_us, en_route_us, on_scene_us, left_us;
    bool at; /* attached now, or when the call was closed */
};

struct story {
    char community[REALM_MAX_BYTES + 1];
    int64_t call, call911;
    char *title, *address;
    usec_t called_us;            /* the 911 call came */
    usec_t opened_us, closed_us; /* of the dispatch call; where there is none, of the 911 call */
    bool missed;                 /* in a gap of the session, until a list of the CAD told of it: likewise */
    struct story_entry *entries;
    size_t n_entries;
    struct story_unit *units;
    size_t n_units;
    struct text missing; /* what the log does not hold, in sentences; "": nothing is missing */
};

/* Lapses; -1: not known. answered: from the 911 call to the opening; the others from the first word, which is the 911
 * call, or the opening where there is none. */
struct story_figures {
    int64_t answered_us, first_unit_us, first_on_scene_us, closed_us;
};

int story_read(struct store_reader *reader, const struct story_asked *asked, struct story **ret,
               struct err *err) MUST_CHECK;
struct story *story_free(struct story *story);
struct story_figures story_get_figures(const struct story *story);

/* Members of the object that is open: those of GET /api/story. */
void story_write(const struct story *story, struct json_writer *out);

/* "55120", or "911:90417". -EINVAL: neither. */
int story_read_call(const char *text, struct story_asked *ret) MUST_CHECK;
