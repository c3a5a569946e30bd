/* stats_private.h - inside src/story: what is gathered on the way to the figures of days and hours. */
#pragma once

#include <sonoran-pushd/stats.h>

#include "digest.h"
#include "finder.h"
#include "story_private.h"

struct lapses {
    usec_t *v;
    size_t n, room;
};

struct span_lapses {
    struct stats_span out;
    struct lapses on_scene, attached;
};

struct stats_call {
    usec_t opened_us, called_us; /* 0: not seen, or answered already: it is timed once */
    usec_t attached_us;          /* first; 0: nobody yet */
    usec_t heard_us;
    uint32_t turn;    /* grows when nobody is at it any more */
    uint32_t call911; /* the number of what it was made from, where called_us is there */
    bool closed;
};

struct stats_call911 {
    usec_t called_us, heard_us;
    bool removed;
    bool reached; /* somebody was on scene, of whichever call was made from it */
};

#define STATS_CALLS_MAX 8 /* of a unit at a time; the oldest makes room */

struct stats_unit {
    int32_t status;
    usec_t heard_us;
    struct stats_stay {
        uint32_t call, turn; /* its number, and its turn then */
    } calls[STATS_CALLS_MAX];
    uint8_t n_calls;
};

struct stats_pass {
    const struct stats_asked *asked;
    struct stats *stats;
    usec_t newest_us;
    struct span_lapses *spans;
    size_t n_spans, room_spans;
    usec_t cached_at, cached_begin_us; /* of the newest moment that was looked up */
    int cached_hour;
    struct finder_names communities;
    struct finder call_numbers, call911_numbers, unit_numbers;
    struct stats_call *calls;
    struct stats_call911 *calls911;
    struct stats_unit *units;
    size_t room_calls, room_calls911, room_units;
};

void *stats_make_room(void *v, size_t n, size_t *room, size_t size);
int stats_add_lapse(struct lapses *lapses, usec_t us) MUST_CHECK;

/* Borrowed until the next one that is asked for. NULL: no memory. */
struct span_lapses *stats_span_of(struct stats_pass *pass, usec_t time_us, int *ret_hour);

/* stats_calls.c */
int stats_take_calls(struct stats_pass *pass, const struct digest *digest) MUST_CHECK;
void stats_calls_done(struct stats_pass *pass);
