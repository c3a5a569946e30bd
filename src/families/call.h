/* call.h - inside src/families: dispatch calls and 911 calls in words, and what a call's object tells state. */
#pragma once

#include "fields.h"

#define CALL_TEXTS 7

/* What a call's object says, beside what was known of the call before. It points into itself: not to be copied. */
struct call {
    const struct event *event;
    const struct state *state;
    struct description *out;
    const cJSON *json;
    struct state_call told;
    char numbers[CALL_TEXTS][JSON_DOUBLE_MAX_BYTES]; /* what is a number among told's texts */
    bool numbered;                                   /* told.id is its id */
    struct ids units;                                /* that it lists */
    bool lists_units;
    const struct state_call *known; /* NULL: state was not told of it as a whole, which proves nothing */
};

void call_read(struct call *ret, const struct event *event, const struct state *state, struct description *out,
               const cJSON *json);
void call_read_id(struct call *ret, const struct event *event, const struct state *state, struct description *out,
                  int64_t id); /* of a call of which nothing is told but that */
void call_done(struct call *call);
bool call_has_id(const struct ids *ids, int64_t id);

/* The call as state was told it as a whole, or NULL. */
const struct state_call *phrase_call_known(const struct event *event, const struct state *state, int64_t id);

/* "call 55120 Structure Fire", "civil call 90418 (Sam Ode, Ferry Terminal)" by state; counted among the event's. */
void phrase_say_call(const struct event *event, const struct state *state, struct description *out, int64_t id);
void phrase_say_call911(const struct event *event, const struct state *state, struct description *out, int64_t id);
void phrase_say_call911_kind(const struct event *event, const struct state *state, struct text *line, int64_t id);

/* The same behind "call 55120 opened", with a comma where anything stands between the two. */
void call_say_by(const struct call *call, size_t verb_end);

/* "call 55120 Structure Fire" by its object, else by state; a call without a number has its title behind the verb. */
void call_say_object(const struct call *call);

/* ", with 3-L-27 Mara Ellison (primary) and unit 4133", the names in the object first. */
void call_say_units_of(const struct call *call, const struct ids *ids, int64_t primary);

/* ", from 911 call 90417 after 2 min" */
void call_say_origin911(const struct call *call);

/* A sentence, said again with less and less of what a line that is too long leaves out, in this order. */
enum { CALL_WHOLE, CALL_WITHOUT_BLOCK, CALL_WITHOUT_ORIGIN, CALL_WITHOUT_CODE };
typedef void call_sentence(const struct call *call, const char *verb, int brevity);
void call_say_brief(const struct call *call, const char *verb, call_sentence *sentence);

/* "call 55120 Structure Fire opened, priority 2, at 118 Lantern St, …", as far as it is told. */
call_sentence call_say_all;

/* One of the two, for a call that begins, and for one that goes on. An edit of a call that was never heard of may be
 * its end as well. */
void call_say_opening(const struct call *call);
void call_say_edit(const struct call *call);

/* What it was, for the description's was. */
void call_write_was(const struct call *call);
void call911_write_was(struct text *was, const struct state_call911 *old, const struct state_call911 *told);

/* What comes before a text that was told and is another one than the old one, the text, and the old one in brackets. */
void call_say_text_change(struct text *line, const char *before, const char *without, const char *old,
                          const char *told);

/* " at (-1042.3, 318.8)" of an object's x and y, numbers or decimal texts. */
void phrase_say_position(struct text *line, const cJSON *place);

/* " closed by D-2 Priya Vance after 23 min, with 3-L-27 Mara Ellison", and the id of the 911 call it was made from. */
void dispatch_say_closed(const struct call *call);
bool phrase_is_closed(const struct state_call *call);

/* ", 1 unit left" at a call, once those are gone; nothing where state was not told all of its units. */
void phrase_say_left(const struct event *event, const struct state *state, struct text *line, int64_t call,
                     const struct ids *gone);

/* ", note from 3-L-27 Mara Ellison: Second alarm requested" */
void phrase_say_note(const struct event *event, const struct state *state, struct description *out, const cJSON *note);

/* The parts of dispatch.c that have files of their own. */
void dispatch_closed_describe(const struct event *event, const struct state *state, struct description *out);
void dispatch_attach_describe(const struct event *event, const struct state *state, struct description *out);
void dispatch_detach_describe(const struct event *event, const struct state *state, struct description *out);
extern const char *const dispatch_attach_unit_names[];
extern const char *const dispatch_closed_call_names[];
