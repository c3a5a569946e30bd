/* action.h - what every action type is made of: the event it gets, a pure half that renders, one try at delivering.
 *
 * Shape:   render makes a payload from an event, once; deliver takes it to the world and says how it went. Filters and
 *          {placeholders} are here as well, because action types and workers both use them.
 * Units:   in the name.
 * Owner:   a payload owns its texts (action_payload_free); records are borrowed.
 * Threads: an open action belongs to one thread; render and all of the pure functions may run in any.
 * Errors:  negative errno and a sentence. A sentence never holds a URL, a key or a secret.
 * Source:  design section 11; RFC 6901 for pointers.
 */
#pragma once

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/event.h>
#include <sonoran-pushd/state.h>

/* One event as it left the log. */
struct action_record {
    const struct event *event;
    const struct description *description; /* its line ({summary}) and ids */
    const char *community_key;             /* of the event's community; NULL: it has none any more */
    const struct state *state;             /* for the names of units; NULL: none */
};

/* Texts one behind the other, each terminated, with a NULL at the end: fit for execve. */
struct words {
    char **v;
    size_t n, room;
    bool failed; /* no memory; looked at once, at the end */
};

void words_add(struct words *words, const char *word);
void words_addf(struct words *words, const char *format, ...) PRINTF_LIKE(2, 3);
void words_free(struct words *words);

/* What deliver needs. exec: words is argv, environment is added to its environment, body goes to its stdin.
 * forward, discord: body is posted, words are header lines. */
struct action_payload {
    uint64_t event_id;
    struct text body;
    struct words words, environment;
};

#define ACTION_PAYLOAD_INIT                                                                                            \
    {                                                                                                                  \
        .body = TEXT_INIT                                                                                              \
    }

void action_payload_free(struct action_payload *payload);

enum action_result {
    ACTION_DONE,
    ACTION_RETRY,   /* the same again, later */
    ACTION_WAIT,    /* not tried: it has to wait for retry_after_us first (a rate limit). No failure, not told */
    ACTION_GIVE_UP, /* this event never, the next one may */
    ACTION_OFF,     /* nothing at all until the configuration is read again: the target is gone or refuses us */
    ACTION_CANCELLED,
};

struct action_outcome {
    enum action_result result;
    usec_t retry_after_us; /* the target's own wish, 0: none */
    struct err err;        /* one sentence for people where result is not DONE: "answered 503", "ended with status 3" */
};

/* What an open action may use. */
struct action_context {
    const struct config_action *config; /* outlives the action */
    int cancel_fd;                      /* becomes readable, and stays so, when a delivery under way has to end */
};

struct action;

struct action_type {
    enum config_action_type type;

    /* What the table of options cannot see: is the program there, is the template sound. complain takes the name of
     * the option and a sentence ("expected …"), as often as there is something. May be NULL. */
    void (*check)(const struct config_action *config, config_complain *complain, void *context);

    /* One for each thread that delivers. */
    int (*open)(struct action **ret, const struct action_context *context, struct err *err);
    struct action *(*close)(struct action *action);

    /* Pure: the same record gives the same payload. */
    int (*render)(const struct config_action *config, const struct action_record *record, struct action_payload *ret,
                  struct err *err);

    /* Tries once, ends within config->timeout_us (and a little for ending a program), never sleeps between tries. */
    void (*deliver)(struct action *action, const struct action_payload *payload, struct action_outcome *ret);
};

/* Passed down by whoever builds the program. */
struct action_types {
    const struct action_type *const *list;
    size_t n;
};

const struct action_type *action_type_find(const struct action_types *types, enum config_action_type type);

/* ---- pointer.c ---- */

/* What a JSON Pointer names in the event's data, or, if there is nothing or null, in its other top-level members; NULL:
 * in neither. "" is the whole data. Names are compared with their case. */
const cJSON *pointer_find(const struct event *event, const char *pointer);

/* -EINVAL: not a pointer (does not start with "/", "~" not followed by 0 or 1). */
int pointer_check(const char *pointer, struct err *err) MUST_CHECK;

/* A scalar as text: a string's bytes, a number with the digits that cJSON kept (whole ones all, but 1.10 is 1.1), true,
 * false; "" for null and NULL; objects and arrays as JSON. */
void pointer_add_value(struct text *out, const cJSON *value);

/* What pointer_find would find as pointer_add_value would write it, but with numbers, objects and arrays in the
 * sender's own letters. */
void pointer_add(struct text *out, const struct event *event, const char *pointer);

/* ---- template.c ----
 * {id} {time} {type} {community} {listener} {from} {verdict} {summary} {calls} {calls911} {units}: members of the
 * record; ids with commas. {/call/callId}: pointer_find. "{{" is a brace. What is not there is empty. */

int template_check(const char *template, struct err *err) MUST_CHECK;

/* add puts a value from the event into out, escaped as the target needs it; text of the template itself goes in as it
 * is. The template has passed template_check. */
void template_expand(const char *template, const struct action_record *record,
                     void (*add)(struct text *out, const char *s, size_t size), struct text *out);

/* ---- filter.c ----
 * Which events an action wants: all of events (globs of types, aliases too), when, communities, listeners that are
 * given must let it through. Globs are those of fnmatch and ignore ASCII case.
 * when: "/isPanic = true", "/call/priority < 3", "/call/code ~ 10-*", "/call/callId exists", "/x != y", "/a >= 2",
 * "/call/title = \"Shots fired\"" (quotes where there are blanks). Numbers, and texts that are decimal numbers, are
 * compared as numbers where both sides are, else as texts with their case. What is not there fulfils only "!="; null
 * exists as little, but is "= null". Objects and arrays fulfil "!=" and "exists". */

void filter_check(const struct config_action *config, const struct event_families *families, bool accept_unknown_types,
                  config_complain *complain, void *context);
bool filter_wants_type(const struct config_action *config, const struct event_families *families, const char *type);
bool filter_wants(const struct config_action *config, const struct event *event);
