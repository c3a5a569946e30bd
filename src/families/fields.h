/* fields.h - inside src/families: reading the fields of an event, checking the minimum, and phrases of its line.
 *
 * A null is a missing field everywhere. Names ending in NULL are lists of names that mean the same (V6 to V15).
 * describe reads refused events too, for the ids that they have: nothing that check asks for may be taken for granted.
 */
#pragma once

#include <errno.h>
#include <sonoran-pushd/event.h>
#include <sonoran-pushd/facts.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>
#include <string.h>
#include <syslog.h>

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum wording { WORD_NONE, WORD_UNIT_STATUS, WORD_PAGE, WORD_ORIGIN, WORD_CALL_STATUS, WORD_RECORD_TYPE };

/* ---- reading: NULL, STATE_UNSET or -1 where the field is missing or of no use ---- */

/* A scalar of another type is its text in a text field, and a number or its name in a numbered one: "caller": 17,
 * "status": "EN_ROUTE". The words that scripts write for nothing (nil, null, undefined, None, NOT SET, blanks), as the
 * whole text, are missing as null is. The text of a number lasts until the thread has read NUMBER_TEXTS more. */
#define NUMBER_TEXTS 256

const cJSON *field_get(const cJSON *object, const char *name);
const char *scalar_text(const cJSON *item);
int8_t scalar_flag(const cJSON *item);
const cJSON *field_get_any(const cJSON *object, const char *const *names); /* the first that is there */
const char *field_get_text(const cJSON *object, const char *name);
const char *field_get_text_of(const cJSON *object,
                              const char *const *names); /* the first that is there and not empty */
int32_t field_get_number(const cJSON *object, const char *name);
int32_t scalar_number(const cJSON *item, enum wording wording); /* a number, its text, or a word of these */
int8_t field_get_flag(const cJSON *object, const char *name);
bool scalar_read_whole(const cJSON *item, int64_t *ret);         /* a whole number, or its decimal text */
MUST_CHECK bool scalar_read_id(const cJSON *item, int64_t *ret); /* the same, but -1, which is no id */
MUST_CHECK bool field_get_id(const cJSON *object, const char *name, int64_t *ret);

/* The ids under a name in each element of a list. */
void field_get_ids_of(const cJSON *list, const char *name, struct ids *out);

/* All ids under these names, each one or a list, into out. */
void field_get_ids(const cJSON *object, const char *const *names, struct ids *out);
void field_get_units(const cJSON *object, const char *const *names, struct ids *out); /* without 0, which is nobody */

/* The first element of a list, or the thing itself where there is no list; field_next_of continues. NULL has none, and
 * a null in a list is passed over. */
const cJSON *field_first_of(const cJSON *item);
const cJSON *field_next_of(const cJSON *list, const cJSON *element);
size_t field_count_of(const cJSON *list);

/* ---- checking: 0, or -EINVAL with the path ---- */

#define PATH_MAX_BYTES 96

/* "units[2]" for an element of a list, "units" for the thing that stands there alone. */
void field_path_of(char ret[PATH_MAX_BYTES], const char *list_path, const cJSON *list, const cJSON *element);

enum { MAY_BE_EMPTY = 1, ALSO_AT_TOP = 2 };

int field_need_id(const struct event *event, struct err *err, const cJSON *object, const char *path, const char *name);
int field_need_ids(const struct event *event, struct err *err, const char *const *names, int flags);
int field_need_text(const struct event *event, struct err *err, const char *const *names);

/* -EINVAL: two ways to say it, and neither was taken. */
int field_refuse_neither(const struct event *event, struct err *err, const char *name, const char *other_name);

/* A list under a name whose elements are objects with an id: data.units[]. Elements that are ids themselves pass
 * where bare ids are allowed. */
int field_need_units(const struct event *event, struct err *err, bool bare_ids, bool may_be_empty);

/* ---- objects of the CAD (events.md section 2) as patches for state; texts are borrowed from the JSON ---- */

/* False: it has no id, and concerns nobody. The id of *ret is 0 then. */
MUST_CHECK bool field_read_unit(const cJSON *json, struct state_unit *ret);
MUST_CHECK bool field_read_call(const cJSON *json, struct state_call *ret);
MUST_CHECK bool field_read_call911(const cJSON *json, struct state_call911 *ret);
const char *field_read_note(const cJSON *note, const char **ret_author, const char **ret_kind);

/* ---- phrases ---- */

#define LINE_CHARS_MAX 400 /* characters above which block, origin and code are left out, in this order */
#define LINE_TEXT_MAX 160  /* of a free text */
#define LINE_NAME_MAX 60   /* of a title, a place, a name */
#define LINE_LIST_MAX 5    /* longer lists end in "and 7 more" */

size_t phrase_line_chars(const struct text *line);

void phrase_say(struct text *out, const char *text, size_t max_chars); /* from outside, made safe; NULL: nothing */
void phrase_say_after(struct text *out, const char *before, const char *text, size_t max_chars); /* both or nothing */

/* "en route"; a number nobody named: "status 9". */
void phrase_say_word(struct text *out, enum wording wording, int32_t number);
/* The other way, whatever letter case and separators ("EN_ROUTE"); STATE_UNSET: it is no such word. */
int32_t word_number(enum wording wording, const char *text);
extern const struct fact_word words_unit_status[], words_page[], words_origin[], words_call_status[],
    words_record_type[];

/* "3-L-27 Mara Ellison and unit 4133"; also counts them among the event's units. */
void phrase_say_units(const struct event *event, const struct state *state, struct description *out,
                      const struct ids *ids);
void phrase_say_unit(const struct event *event, const struct state *state, struct description *out, int64_t id);

/* The same from the unit object itself, which may know more than state. */
void phrase_say_unit_object(const struct event *event, const struct state *state, struct description *out,
                            const cJSON *unit, int64_t id);

/* "call 55120 Structure Fire", "calls 1, 2 and 3" */
void phrase_say_calls(const struct event *event, const struct state *state, struct description *out,
                      const struct ids *ids);

/* Counts a unit among those the event concerns; 0 is none. */
void phrase_count_unit(struct description *out, int64_t id);

/* Who did it as eventOriginIdent tells, 0: nobody is told. */
int64_t phrase_originator_of(const struct event *event);

/* " by D-2 Priya Vance" where it tells. */
void phrase_say_originator(const struct event *event, const struct state *state, struct description *out);

/* Several things by the names they have, and ids among those of the event. */
typedef void name_function(const struct event *event, const struct state *state, struct text *out, int64_t id);
void phrase_say_list(const struct event *event, const struct state *state, struct text *out, const struct ids *ids,
                     name_function *name);
void phrase_count_ids(struct ids *all, const struct ids *ids);

/* Between the elements of an enumeration: ", " or " and ". */
void phrase_say_separator(struct text *out, size_t i, size_t n);

/* " and 7 more" behind the LINE_LIST_MAX that were said of n. */
void phrase_say_more(struct text *out, size_t n);

/* ---- what changed, and how long it took ---- */

/* Whether a text that was told is another one than the old one, of state or NULL. */
bool phrase_is_other(const char *old, const char *told);

/* " (was OLD)" where the old one is known and differs. */
void phrase_say_was(struct text *out, const char *old, const char *told);
void phrase_say_was_word(struct text *out, enum wording wording, int32_t old, int32_t told);

/* The words before it and the duration (text_add_lapse); nothing below a second, or where since was not seen (0).
 * Whether it said so. */
bool phrase_say_since(struct text *out, const char *before, usec_t since_us, usec_t now_us);

/* The last part of a URL's path, without its query; size 0 where it has none. */
struct span phrase_file_of(const char *url);
/* The words before it and the last part of a URL's path, without its query; nothing where it has none. */
void phrase_say_file(struct text *out, const char *before, const char *url);

/* What a call-out needs: the object, its own words (NULL: none), "police" where policeRequired is true. */
const cJSON *alert_needed_of(const cJSON *callout);
const char *alert_needed_words(const cJSON *needed);
bool alert_is_needed(const cJSON *item, struct text *ret_name);

/* The first field of a record with this uid, in any section; who wrote it. NULL: there is none. */
const cJSON *record_field(const cJSON *record, const char *uid);
const char *record_officer(const cJSON *record);

/* "(-1042.3, 318.8)" of an object's x and y, numbers or decimal texts; false and "": it has none. */
#define POSITION_MAX_BYTES 40
bool phrase_position_of(const cJSON *place, char ret[POSITION_MAX_BYTES]);

/* Whether the message of a station alert is no speech but a recording. */
bool alert_is_recorded_sound(const char *message);

/* ---- objects in state ---- */

/* Puts what a call's object tells into state: the patch and, where the object lists them, its units. A call without
 * a number is only told. opening: the event is the call's beginning. */
int call_apply_call(const struct event *event, struct state *state, const cJSON *call, bool opening);
/* The units an object lists under idents or units; whether it has such a list at all. */
bool call_units(const cJSON *call, struct ids *ret);
/* Whether a call that has just been opened came before its number (-1, and until 2020 none at all). */
bool call_has_no_number_yet(const cJSON *call);
/* What whole units listed under units tell of themselves. */
int call_apply_units(const struct event *event, struct state *state, const cJSON *object);
/* beside: what the event says of it outside its object; NULL: the unit is only mentioned. */
int unit_apply(const struct event *event, struct state *state, const cJSON *unit, const struct state_unit *beside);

/* dispatch_type of EVENT_DISPATCH, 0 to 4, from whatever form; STATE_UNSET: there is none. */
int32_t legacy_kind(const struct event *event);

/* ---- facts_*.c: what the events of each type mean ---- */

extern const struct fact_list facts_911, facts_remove_911;
extern const struct fact_list facts_dispatch, facts_closed, facts_note, facts_attach, facts_bodycam;
extern const struct fact_list facts_login, facts_logout, facts_status, facts_update, facts_panic;
extern const struct fact_list facts_group, facts_group_name;
extern const struct fact_list facts_record, facts_print;
extern const struct fact_list facts_tone, facts_station, facts_pager, facts_callout;
extern const struct fact_list facts_character, facts_link, facts_sign, facts_logs;
extern const struct fact_list facts_legacy_dispatch, facts_call_clear;
