/* private.h - inside src/action: what a pointer found, globs, conditions. */
#pragma once

#include <sonoran-pushd/action.h>

/* ---- sent.c ---- */

/* The sender's bytes of element or member n (from 0) of an array or object, which is sound JSON; size 0: there is none
 * such. */
struct span sent_child(struct span container, uint32_t n);

/* ---- pointer.c ---- */

/* Something in an event: as cJSON has it, and the way to the sender's bytes of it. */
struct found {
    const cJSON *item;
    struct span root; /* the bytes of the value where the way starts; size 0: not known */
    unsigned depth;
    uint32_t way[EVENT_MAX_DEPTH]; /* the position in each container on the way */
};

int pointer_check_span(struct span pointer, struct err *err) MUST_CHECK;

/* False: there is nothing. */
bool pointer_look(const struct event *event, struct span pointer, struct found *ret);

/* The sender's bytes; size 0: not known. */
struct span found_bytes(const struct found *found);

/* As pointer_add_value, with numbers, objects and arrays as they were sent. found->item may be NULL. */
void found_add(struct text *out, const struct found *found);

/* ---- glob.c ---- */

/* As fnmatch without flags, ignoring ASCII case: * ? [a-z] [!a-z] [[:digit:]] \*. A letter is a UTF-8 character. Takes
 * no longer than the product of the sizes, whatever the texts are. */
bool glob_matches(struct span glob, struct span text);

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
    struct span pointer;
    enum comparison comparison;
    struct span value;
};

int condition_read(const char *text, struct condition *ret, struct err *err) MUST_CHECK;
bool condition_holds(const struct condition *condition, const struct event *event);
