/* filter_private.h - inside src/action: what a pointer found, globs, conditions. */
#pragma once

#include <sonoran-pushd/action_type.h>

/* ---- pointer.c ---- */

/* Something in an event: as cJSON has it, and the way to the sender's bytes of it. */
struct found {
    const cJSON *item;
    struct span root; /* the bytes of the value where the way starts; size 0: not known */
    unsigned depth;
    uint32_t way[EVENT_MAX_DEPTH]; /* the position in each container on the way */
};

/* -EINVAL: not a pointer (does not start with "/", "~" not followed by 0 or 1). */
int pointer_check(struct span pointer, struct err *err) MUST_CHECK;

/* "/data/call": begins with the member that it is looked up in. */
bool pointer_is_outside(struct span pointer);

/* False: there is nothing. */
bool pointer_look(const struct event *event, struct span pointer, struct found *ret);

/* The sender's bytes; size 0: not known. */
struct span pointer_found_bytes(const struct found *found);

/* As pointer_add_value, with numbers, objects and arrays as they were sent. found->item may be NULL. */
void pointer_found_add(struct text *out, const struct found *found);

/* ---- number.c ---- */

int number_compare_spans(struct span a, struct span b);
bool number_is_decimal(struct span text); /* "-1.50", not "1e3" */
/* False: one is no number. */
bool number_compare(struct span left, struct span right, int *ret);

/* ---- name.c: members of the record and facts, by name ---- */

void name_emit(const struct action_record *record, struct span name, fact_take *take, void *context);
void name_write(const struct action_record *record, struct span name, struct text *out); /* all values */

/* The first row of that name in the types that the action takes (config NULL: in any); NULL: none has it. */
const struct fact *name_find(const struct event_families *families, const struct config_action *config,
                             struct span name);
/* The first type that has it. */
const char *name_owner(const struct event_families *families, struct span name);
/* Whether a player may have written it. */
bool name_is_quote(const struct event_families *families, struct span name);
/* The fact that a field of the data goes into, by the last step of the pointer to it; NULL: none. */
const char *name_of_field(const struct event_families *families, const struct config_action *config,
                          struct span pointer);
/* The name that was meant by another, or by that of a field in the data ("callId"); NULL: none is near. */
const char *name_meant(const struct event_families *families, const struct config_action *config, struct span written);

/* ---- condition.c ---- */

enum comparison {
    COMPARISON_EQUAL,
    COMPARISON_NOT_EQUAL,
    COMPARISON_LESS,
    COMPARISON_LESS_OR_EQUAL,
    COMPARISON_GREATER,
    COMPARISON_GREATER_OR_EQUAL,
    COMPARISON_GLOB,
    COMPARISON_EXISTS,
};

/* One condition of "when", taken apart; borrows its text. */
struct condition {
    struct span name; /* or a JSON Pointer */
    enum comparison comparison;
    struct span value;
    bool quoted;
};

bool condition_is_pointer(const struct condition *condition);
int condition_read(const char *text, struct condition *ret, struct err *err) MUST_CHECK;
bool condition_holds(const struct condition *condition, const struct action_record *record);

/* ---- filter.c ---- */

bool filter_wants_row(const struct config_action *config, const struct event_type *type);
