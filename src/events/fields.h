/* fields.h - inside src/events: reading the fields of an event, checking the minimum, and phrases of its line.
 *
 * A null is a missing field everywhere. Names ending in NULL are lists of names that mean the same (V6 to V15).
 */
#pragma once

#include <errno.h>
#include <sonoran-pushd/event.h>
#include <sonoran-pushd/events.h>
#include <sonoran-pushd/state.h>
#include <string.h>
#include <syslog.h>

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- reading: NULL, STATE_UNSET or -1 where the field is missing or of no use ---- */

const cJSON *get(const cJSON *object, const char *name);
const char *get_text(const cJSON *object, const char *name);
const char *get_text_of(const cJSON *object, const char *const *names); /* the first that is there and not empty */
int32_t get_number(const cJSON *object, const char *name);
int8_t get_flag(const cJSON *object, const char *name);
bool read_id(const cJSON *item, int64_t *ret); /* a whole number, or its decimal text */
bool get_id(const cJSON *object, const char *name, int64_t *ret);

/* All ids under these names, each one or a list, into out. */
void get_ids(const cJSON *object, const char *const *names, struct ids *out);

/* The first element of a list, or the thing itself where there is no list; next_of continues. */
const cJSON *first_of(const cJSON *item);
const cJSON *next_of(const cJSON *list, const cJSON *element);

/* ---- checking: 0, or -EINVAL with the path ---- */

enum { MAY_BE_EMPTY = 1, ALSO_AT_TOP = 2 };

int need_id(const struct event *event, struct err *err, const cJSON *object, const char *path, const char *name);
int need_ids(const struct event *event, struct err *err, const char *const *names, int flags);
int need_text(const struct event *event, struct err *err, const char *const *names);

/* A list under a name whose elements are objects with an id: data.units[]. Elements that are ids themselves pass
 * where bare ids are allowed. */
int need_units(const struct event *event, struct err *err, bool bare_ids, bool may_be_empty);

/* ---- objects of the CAD (events.md section 2) as patches for state; texts are borrowed from the JSON ---- */

void read_unit(const cJSON *json, struct state_unit *ret);
void read_call(const cJSON *json, struct state_call *ret);
void read_call911(const cJSON *json, struct state_call911 *ret);
const char *read_note(const cJSON *note, const char **ret_author, const char **ret_kind);

/* ---- phrases ---- */

#define LINE_TEXT_MAX 200 /* characters of a free text in a line */
#define LINE_NAME_MAX 80

void say(struct text *out, const char *text, size_t max_chars); /* from outside, made safe; NULL: nothing */
void say_after(struct text *out, const char *before, const char *text, size_t max_chars); /* both or nothing */

enum wording { WORD_UNIT_STATUS, WORD_PAGE, WORD_ORIGIN, WORD_CALL_STATUS, WORD_RECORD_TYPE };

/* "en route"; a number nobody named: "status 9". */
void say_word(struct text *out, enum wording wording, int32_t number);

/* "3-L-27 Mara Ellison and unit 4133"; also counts them among the event's units. */
void say_units(const struct event *event, const struct state *state, struct description *out, const struct ids *ids);
void say_unit(const struct event *event, const struct state *state, struct description *out, int64_t id);

/* The same from the unit object itself, which may know more than state. */
void say_unit_object(const struct event *event, const struct state *state, struct description *out, const cJSON *unit,
                     int64_t id);
void say_unit_objects(const struct event *event, const struct state *state, struct description *out,
                      const cJSON *units);

/* "call 55120 Structure Fire", "calls 1, 2 and 3" */
void say_calls(const struct event *event, const struct state *state, struct description *out, const struct ids *ids);
void say_calls911(const struct event *event, const struct state *state, struct description *out, const struct ids *ids);

/* " by D-2 Priya Vance" where eventOriginIdent tells. */
void say_originator(const struct event *event, const struct state *state, struct description *out);

/* Between the elements of an enumeration: ", " or " and ". */
void say_separator(struct text *out, size_t i, size_t n);

/* Lists longer than this end in "and 12 more". */
#define LINE_LIST_MAX 8

/* Puts what a call's object tells into state: the patch and, where the object lists them, its units. */
int apply_call(const struct event *event, struct state *state, const cJSON *call);
/* The units an object lists under idents or units; whether it has such a list at all. */
bool call_units(const cJSON *call, struct ids *ret);
/* "call 55120": by its name too where the object, whose details follow, tells neither title nor
 * code. */
void say_call(const struct event *event, const struct state *state, struct description *out, const cJSON *call,
              int64_t id);
/* "Structure Fire (10-70) at 118 Lantern St, …, units …: description", and the ids it mentions. */
void say_call_details(const struct event *event, const struct state *state, struct description *out, const cJSON *call);
/* What whole units listed under units tell of themselves. */
int apply_units(const struct event *event, struct state *state, const cJSON *object);
int apply_unit(const struct event *event, struct state *state, const cJSON *unit, int8_t online, int8_t dispatcher);
