/* board.h - what is known, as a board shows it: units, calls and 911 calls as JSON, in what order, since when, under
 * which word, and from when on somebody waits too long. A board only draws.
 *
 * Shape:   one object for each item of a snapshot; all members are always there. null: not known; a text is "" then.
 *          sonoran-pushd-items(7) lists them. Texts are those of the sender, safe in a terminal (json_quote).
 * Order:   by the bytes of rank, ascending. Units: panic, then on scene, en route, busy, available, unavailable and
 *          statuses of the community's own, then off duty; calls: without unit, then by priority, and those that are
 *          closed last; 911 calls: emergencies first, and last those that a dispatch call was made from. In each the
 *          longest first, and first of all what nobody knows the beginning of: it was so before the first event of it.
 * Units:   times of the wall clock. What began in the future began now.
 * Owner:   borrows all; what it writes is the caller's.
 * Threads: any.
 * Source:  design 15; the words and colours of boards of other makers.
 */
#pragma once

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/json.h>
#include <sonoran-pushd/state.h>

struct board {
    const struct config_board *limits;
    const struct state *state; /* of the snapshots: it knows the names of sources */
    const char *community;     /* its realm */
    usec_t now_us;
};

/* The members name and "node" (null: ours) of an object that is open. */
void board_write_realm(struct json_writer *out, const char *name, const char *realm);

/* As one value of an array, or the outermost. i: of the snapshot's units, calls, calls911 or gone. */
void board_write_unit(struct json_writer *out, const struct board *board, const struct state_snapshot *from, size_t i);
void board_write_call(struct json_writer *out, const struct board *board, const struct state_snapshot *from, size_t i);
void board_write_call911(struct json_writer *out, const struct board *board, const struct state_snapshot *from,
                         size_t i);
void board_write_gone(struct json_writer *out, const struct board *board, const struct state_snapshot *from, size_t i);

/* All of a snapshot: the members units, calls and calls911 of an object that is open. */
void board_write_lists(struct json_writer *out, const struct board *board, const struct state_snapshot *from);

/* ---- how an item is shown ---- */

#define BOARD_LABEL_BYTES 16
#define BOARD_RANK_BYTES 48

struct board_look {
    char label[BOARD_LABEL_BYTES]; /* the word of a chip */
    char rank[BOARD_RANK_BYTES];
    usec_t since_us;         /* what its age counts from; 0: not known */
    usec_t warn_us, late_us; /* from when on it is yellow, and red; 0: never */
};

void board_look_unit(const struct board *board, const struct state_unit *unit, struct board_look *ret);
void board_look_call(const struct board *board, const struct state_call *call, size_t n_attached,
                     struct board_look *ret);
void board_look_call911(const struct board *board, const struct state_call911 *call, struct board_look *ret);
