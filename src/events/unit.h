/* unit.h - inside src/events: the types of the unit family, each in a file of its own, and the words they share. */
#pragma once

#include <sonoran-pushd/ids.h>

#include "fields.h"

/* Each unit that data.units[] lists. */
#define FOR_EACH_UNIT(unit, event)                                                                                     \
    for (const cJSON *list_ = get((event)->data, "units"), *unit = first_of(list_); unit; unit = next_of(list_, unit))

int login_check(const struct event *event, struct err *err);
void login_describe(const struct event *event, const struct state *state, struct description *out);
int login_apply(const struct event *event, struct state *state);
int logout_check(const struct event *event, struct err *err);
void logout_describe(const struct event *event, const struct state *state, struct description *out);
int logout_apply(const struct event *event, struct state *state);

int status_check(const struct event *event, struct err *err);
void status_describe(const struct event *event, const struct state *state, struct description *out);
int status_apply(const struct event *event, struct state *state);
int update_check(const struct event *event, struct err *err);
void update_describe(const struct event *event, const struct state *state, struct description *out);
int update_apply(const struct event *event, struct state *state);

int panic_check(const struct event *event, struct err *err);
void panic_describe(const struct event *event, const struct state *state, struct description *out);
int panic_apply(const struct event *event, struct state *state);

/* The ids in the game that a unit's object has, as state keeps them; NULL: it tells of none. */
const char *read_api_ids(const cJSON *unit, struct text *ret);

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

struct told_unit told_unit(const struct line *line, int64_t id, const cJSON *json);

enum panic { PANIC_NOT_TOLD, PANIC_BEGINS, PANIC_GOES_ON, PANIC_ENDS };
enum panic panic_of(const struct told_unit *unit);

/* Of several those whose panic begins come first (0), then those whose panic ends: nobody has to read on to see it. */
#define TURNS 3
int turn_of(const struct told_unit *unit);

/* "PANIC: " or "panic ended after 2 min: ", and the level of it. */
void say_panic(const struct line *line, const struct told_unit *unit);

/* "PANIC: 3-L-27 Mara Ellison at Pier Rd; " for each of a list of whole units whose panic begins or ends, in front of a
 * sentence about something else. */
void say_panics(const struct line *line, const cJSON *units);

/* "3-L-27 Mara Ellison", counted; also_was: " (was 3-L-33 Jonas Brandt)" where it is somebody else now, which it
 * returns. */
bool say_told_unit(const struct line *line, const struct told_unit *unit, bool also_was);

/* " (unit 4127)" behind a name. */
void say_unit_number(const struct line *line, const struct told_unit *unit);

/* Each fact that it tells anew, ", at Pier Rd (was Harbor Station 9)"; whether there was one. */
bool say_unit_changes(const struct line *line, const struct told_unit *unit);
/* The same without the status. */
bool say_unit_other_changes(const struct line *line, const struct told_unit *unit);
/* The same in the order of a log-in. */
void say_session_changes(const struct line *line, const struct told_unit *unit);

/* " at Pier Rd" as told, else ", last at Pier Rd" as known, else nothing. */
void say_unit_place(const struct line *line, const struct told_unit *unit);
void say_last_place(const struct line *line, const struct told_unit *unit);

/* The open calls of a unit, counted. */
void unit_calls(const struct line *line, int64_t id, struct ids *ret);
/* ", call 55120 Structure Fire" of one unit; of several where it is the same for all, which it returns. */
void say_unit_calls(const struct line *line, const char *before, int64_t id);
bool have_same_calls(const struct line *line, const struct ids *units);

/* Whether several go by their numbers in one list. */
bool is_none_named(const struct line *line, const struct ids *ids);

/* "; " between clauses about one unit each; false for those the line has no room for, whose unit is only counted. */
bool begin_clause(const struct line *line, size_t i, int64_t id);
/* "; and 7 more" */
void end_clauses(const struct line *line, size_t n);
