/* action_type.h - what every action type is made of: the event it gets, a pure half that renders, one try at
 * delivering.
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

#include <assert.h>
#include <sonoran-pushd/config.h>
#include <sonoran-pushd/event.h>
#include <sonoran-pushd/facts.h>
#include <sonoran-pushd/feed.h>
#include <sonoran-pushd/words.h>

/* One event as it left the log. */
struct action_record {
    const struct event *event;
    const struct description *description;       /* its line ({summary}) and ids */
    const char *community_key;                   /* of the event's community; NULL: it has none any more */
    const cJSON *known;                          /* description's, parsed; NULL: none */
    bool several_communities, several_listeners; /* are configured */
    const char *node; /* how this machine calls itself; of an event of another one, that is asked for (event.h) */
};

/* What deliver needs. exec: words is argv, environment is added to its environment, body goes to its stdin.
 * forward, discord: body is posted, words are header lines. redis: body is an entry's record, words are its others. */
struct action_payload {
    uint64_t event_id;
    struct text body;
    struct words words, environment;
    struct text secret; /* the key in the body, which an answer may repeat and nobody may read; "": none */
    bool again;         /* it is of the list of failed ones, and not in the order of the log; of the worker */
};

#define ACTION_PAYLOAD_INIT                                                                                            \
    {                                                                                                                  \
        .body = TEXT_INIT, .secret = TEXT_INIT                                                                         \
    }

void action_payload_free(struct action_payload *payload);

enum action_result {
    ACTION_DONE,
    ACTION_RETRY,     /* the same again, later */
    ACTION_WAIT,      /* not tried: it has to wait for retry_after_us first (a rate limit). No failure, not told */
    ACTION_GIVE_UP,   /* this event never, the next one may */
    ACTION_BACK,      /* the target has lost what it had: all from back_id on comes again, as far as it may. What is
                         behind that already comes again at once. No failure, not told */
    ACTION_OFF,       /* nothing at all for an hour, or until a reload: the target is gone or refuses us */
    ACTION_CANCELLED, /* cancel_fd ended it, or its turn did not come: nothing is known of it, and it is tried again */
};

#define ACTION_ANSWER_MAX 256

struct action_outcome {
    enum action_result result;
    usec_t retry_after_us;      /* the target's own wish, 0: none */
    uint64_t back_id, back_max; /* of ACTION_BACK; back_max: how many of the newest events at most, 0: any number */
    struct err err; /* one sentence for people where result is not DONE: "answered 503", "ended with status 3" */
    char answer[ACTION_ANSWER_MAX]; /* what a target said, for people: "200 Bad API Key"; "": nothing */
};

/* Of the log that events are of, for an action whose target keeps their ids: in the thread that delivers. */
struct action_log {
    void *userdata;
    /* The epoch, in ms, of the life in which an event lies (feed.h); newest: of the one in which new events lie. */
    uint64_t (*epoch_ms)(void *userdata, uint64_t event_id);
    uint64_t (*newest_epoch_ms)(void *userdata);
    /* feed_look_told */
    enum feed_told (*look_told)(void *userdata, uint64_t epoch_ms, uint64_t id, uint64_t *ret_id);
    /* The log is behind what it once told, so that it has to have a new life; which it has a little later. */
    void (*renew)(void *userdata);
};

/* What an open action may use. */
struct action_context {
    const struct config_action *config; /* outlives the action */
    int cancel_fd;                      /* becomes readable, and stays so, when a delivery under way has to end */
    const struct action_log *log;       /* outlives the action; NULL: it is a trial, with an event that is of no log */
};

struct action;

struct action_type {
    struct config_kind kind; /* its name, its options; first of all, see action_type_of */

    /* What neither its rows nor kind.check can see: is the template sound. complain takes the name of
     * the option and a sentence ("expected …"), as often as there is something. May be NULL. */
    void (*check)(const struct config_action *config, const struct event_families *families, config_complain *complain,
                  void *context);

    /* The same for what may come later though the options are sound: is the program there. --check calls it a mistake;
     * in a daemon the action is off meanwhile and looks again every minute. May be NULL. */
    void (*check_present)(const struct config_action *config, config_complain *complain, void *context);

    /* Warnings wherever the configuration is read: what is sound, and hardly meant. One line for each kind, with what
     * to do. May be NULL. */
    void (*doubt)(const struct config_action *config, const struct event_families *families, config_complain *warn,
                  void *context);

    /* Warnings of --check: what is taken, and will hardly do what was meant. One line each, with what to do. May be
     * NULL. */
    void (*advise)(const struct config_action *config, config_complain *warn, void *context);

    /* One for each thread that delivers. */
    int (*open)(struct action **ret, const struct action_context *context, struct err *err);
    struct action *(*close)(struct action *action);

    /* Pure: the same record gives the same payload, today and after a restart. So it may be called any number of times
     * for one event: at a retry, a replay, a trial. */
    int (*render)(const struct config_action *config, const struct action_record *record, struct action_payload *ret,
                  struct err *err);

    /* Tries once, with 1 to max_batch payloads in the order of the log; ends within config->timeout_us (and a little
     * for ending a program), never sleeps between tries. outcomes has one for each, which says ACTION_CANCELLED before.
     * Those up to the first that is neither ACTION_DONE nor ACTION_GIVE_UP count; that one is tried again, if at all,
     * together with all behind it, whatever their outcomes say. */
    void (*deliver)(struct action *action, const struct action_payload *payloads, size_t n,
                    struct action_outcome *outcomes);
    size_t max_batch; /* 0 is 1 */

    /* Its target is to have each event of this log in order: it gets those of our own making and late ones too, but
     * none of another node's, and never gives up by time. An event that it has given up and delivers when it comes
     * again (ACTION_BACK) is no longer on the list of failed ones. */
    bool mirrors;

    /* May what it sends come back to us as a new event, without end? Then a worker watches for it. NULL: no. */
    bool (*may_return)(const struct config_action *config);
};

/* The type of an action whose configuration was loaded with a schema of action types, as all are. */
static inline const struct action_type *action_type_of(const struct config_action *config)
{
    return (const struct action_type *) config->kind;
}

static_assert(offsetof(struct action_type, kind) == 0, "action_type_of takes one for the other");

/* ---- pointer.c ---- */

/* What a JSON Pointer names in the event's data, or, if there is nothing or null, in its other top-level members; NULL:
 * in neither. "" is the whole data. Names are compared with their case. */
const cJSON *pointer_find(const struct event *event, const char *pointer);

/* A scalar as text: a string's bytes, a number with the digits that cJSON kept (whole ones all, but 1.10 is 1.1), true,
 * false; "" for null and NULL; objects and arrays as JSON. */
void pointer_add_value(struct text *out, const cJSON *value);

/* ---- name.c ---- */

/* The members of the record that conditions and placeholders know, in their order; NULL behind the last. */
const char *record_member_name(size_t i);

/* ---- template.c ----
 * {summary}: a member of the event record (design section 6): id log time type type_sent family level community source
 * listener from node verdict test summary calls calls911 units known; ids with commas. {caller}, {unit.name}: a fact
 * (facts.h), several values with ", ", in one line and without what nobody sees. {/call/callId}: pointer_find, as it
 * was sent. "{{" is a brace, and { before a quote or a blank, as in JSON. What is not there is empty. */

int template_check(const char *template, const struct config_action *config, const struct event_families *families,
                   struct err *err) MUST_CHECK;

/* false, and a sentence: it is sound, and hardly what was meant. */
bool template_is_plausible(const char *template, const struct config_action *config,
                           const struct event_families *families, struct err *err) MUST_CHECK;

/* Is there something in it that a player may have written: at all, as its first letters? */
bool template_quotes(const char *template, const struct event_families *families);
bool template_begins_with_quote(const char *template, const struct event_families *families);

/* add puts a value from the event into out, escaped as the target needs it; text of the template itself goes in as it
 * is. The template has passed template_check. */
void template_expand(const char *template, const struct action_record *record,
                     void (*add)(struct text *out, const char *s, size_t size), struct text *out);

/* ---- glob.c ---- */

/* As fnmatch without flags, ignoring ASCII case: * ? [a-z] [!a-z] [[:digit:]] \*. A letter is a UTF-8 character. Takes
 * no longer than the product of the sizes, whatever the texts are. */
bool glob_matches(struct span glob, struct span text);

/* ---- filter.c ----
 * Which events an action wants: all of events (globs of types, aliases too), when, communities, listeners that are
 * given must let it through. Globs are those of fnmatch and ignore ASCII case. when, on a fact or a member of the
 * record by its name: "panic = true", "priority <= 2", "status = on scene", "caller ~ *Doe", "plate exists". Of several
 * values one that fits is enough; for "!=" none may be equal. A word counts by its number too, and in any spelling
 * (ON_SCENE); texts are compared without their case, flags as true, 1, yes, on and so on. when, on the data by a JSON
 * Pointer: "/isPanic = true", "/call/priority < 3", "/call/code ~ 10-*", "/call/callId exists", "/x != y", "/a >= 2",
 * "/call/title = \"Shots fired\"" (quotes where there are blanks). Numbers, and texts that are decimal numbers, are
 * compared as numbers where both sides are, else as texts with their case; true equals 1, "1" and "True". What is not
 * there fulfils only "!="; null exists as little, but is "= null", and so do texts that say nothing (fact_is_nothing).
 * Objects and arrays fulfil "!=" and "exists". */

/* Conditions that are sound and never hold. */
void filter_doubt(const struct config_action *config, const struct event_families *families, config_complain *warn,
                  void *context);

/* For --check: pointers to what a fact tells in whatever form it came. */
void filter_advise(const struct config_action *config, const struct event_families *families, config_complain *warn,
                   void *context);

void filter_check(const struct config_action *config, const struct event_families *families, bool accept_unknown_types,
                  config_complain *complain, void *context);
bool filter_wants_type(const struct config_action *config, const struct event_families *families, const char *type);

/* Why an event goes past an action, by the option that says so; the first one that does, in this order. */
enum left_out {
    LEFT_OUT_NOT,
    LEFT_OUT_EVENTS,
    LEFT_OUT_COMMUNITIES,
    LEFT_OUT_LISTENERS,
    LEFT_OUT_WHEN,
    LEFT_OUT_TEST, /* invented: "test": true stood beside its data */
    LEFT_OUT_LATE, /* old already when it came */
    LEFT_OUT_COOLDOWN,
    LEFT_OUT_MAX_AGE,
};
#define LEFT_OUT_N (LEFT_OUT_MAX_AGE + 1)

/* "events", "cooldown"; "" for LEFT_OUT_NOT. */
const char *filter_left_out_name(enum left_out why);

/* As far as LEFT_OUT_WHEN: what follows is for whoever delivers. */
enum left_out filter_look(const struct config_action *config, const struct action_record *record);

/* The first of when that does not hold, as it is written; NULL: all do. */
const char *filter_condition(const struct config_action *config, const struct action_record *record);
