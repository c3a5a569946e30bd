/* unit.h - inside src/families: the types of the unit family, each in a file of its own, and the words they share. */
#pragma once

#include <sonoran-pushd/ids.h>

#include "fields.h"

/* Each unit that data.units[] lists. */
#define FOR_EACH_UNIT(unit, event)                                                                                     \
    for (const cJSON *list_ = field_get((event)->data, "units"), *unit = field_first_of(list_); unit;                  \
         unit = field_next_of(list_, unit))

int unit_login_check(const struct event *event, struct err *err);
void unit_login_describe(const struct event *event, const struct state *state, struct description *out);
int unit_login_apply(const struct event *event, struct state *state);
int unit_logout_check(const struct event *event, struct err *err);
void unit_logout_describe(const struct event *event, const struct state *state, struct description *out);
int unit_logout_apply(const struct event *event, struct state *state);

int unit_status_check(const struct event *event, struct err *err);
void unit_status_describe(const struct event *event, const struct state *state, struct description *out);
int unit_status_apply(const struct event *event, struct state *state);
int unit_update_check(const struct event *event, struct err *err);
void unit_update_describe(const struct event *event, const struct state *state, struct description *out);
int unit_update_apply(const struct event *event, struct state *state);

int unit_panic_check(const struct event *event, struct err *err);
void unit_panic_describe(const struct event *event, const struct state *state, struct description *out);
int unit_panic_apply(const struct event *event, struct state *state);

/* The ids in the game that a unit's object has, as state keeps them; NULL: it tells of none. */
const char *unit_read_api_ids(const cJSON *unit, struct text *ret);

/* ---- unit_words.c: what a line says of one unit ---- */

/* A line that is being written, and what it is written from. */
struct line {
    const struct event *event;
    const struct state *state;
    struct description *out;
};

struct told_unit {
    int64_t id;
    const cJSON *json;            /* its object, or NULL */
    struct state_unit now;        /* what that tells */
    const struct state_unit *was; /* NULL: never heard of */
};

struct told_unit unit_told(const struct line *line, int64_t id, const cJSON *json);

enum panic { PANIC_NOT_TOLD, PANIC_BEGINS, PANIC_GOES_ON, PANIC_ENDS };
enum panic unit_panic_of(const struct told_unit *unit);

/* Of several those whose panic begins come first (0), then those whose panic ends: nobody has to read on to see it. */
#define TURNS 3
int unit_turn_of(const struct told_unit *unit);

/* Whether a later object of the list is of the same unit and tells all that this one does: the last one counts. */
bool unit_is_told_again(const cJSON *list, const struct told_unit *unit);

/* "PANIC: " or "panic ended after 2 min: ", and the level of it. */
void unit_say_panic(const struct line *line, const struct told_unit *unit);

/* "PANIC: 3-L-27 Mara Ellison at Pier Rd; " for each of a list of whole units whose panic begins or ends, in front of a
 * sentence about something else. */
void unit_say_panics(const struct line *line, const cJSON *units);

/* "3-L-27 Mara Ellison", counted; also_was: " (was 3-L-33 Jonas Brandt)" where it is somebody else now, which it
 * returns. */
bool unit_say_told(const struct line *line, const struct told_unit *unit, bool also_was);

/* " (unit 4127)" behind a name. */
void unit_say_number(const struct line *line, const struct told_unit *unit);

/* Each fact that it tells anew, ", at Pier Rd (was Harbor Station 9)"; whether there was one. */
bool unit_say_changes(const struct line *line, const struct told_unit *unit);
/* The same without the status. */
bool unit_say_other_changes(const struct line *line, const struct told_unit *unit);
/* The same in the order of a log-in. */
void unit_say_session_changes(const struct line *line, const struct told_unit *unit);

/* " at Pier Rd" as told, else ", last at Pier Rd" as known, else nothing. */
void unit_say_place(const struct line *line, const struct told_unit *unit);
void unit_say_last_place(const struct line *line, const struct told_unit *unit);

/* The open calls of a unit, counted. */
void unit_calls(const struct line *line, int64_t id, struct ids *ret);
/* ", call 55120 Structure Fire" of one unit; of several where it is the same for all, which it returns. */
void unit_say_calls(const struct line *line, const char *before, int64_t id);
bool unit_have_same_calls(const struct line *line, const struct ids *units);

/* Whether several go by their numbers in one list. */
bool unit_is_none_named(const struct line *line, const struct ids *ids);

/* "; " between clauses about one unit each; false for those the line has no room for, whose unit is only counted. */
bool unit_begin_clause(const struct line *line, size_t i, int64_t id);
/* "; and 7 more" */
void unit_end_clauses(const struct line *line, size_t n);
