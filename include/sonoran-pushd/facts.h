/* facts.h - what an event means, as named values: conditions, {placeholders}, variables of programs and the fields of a
 * message read these, so that all of them and the line agree, in whatever form the event came.
 *
 * Shape:   a type of event has rows (event.h, .facts), in the order in which people read them. A row has any number of
 *          values: none where nothing is told, several where it is about several units. One thing has one name in all
 *          families: "location" is the place of a 911 call, of a dispatch call and of a unit.
 * Texts:   raw, as the sender wrote them, with line breaks and all: whoever shows one makes it safe. Words for the
 *          CAD's numbers are those of the line.
 * Owner:   values are borrowed until take returns.
 * Row:     the event's description, for the units and calls that it concerns; NULL: only those of known, which has
 *          room for some only.
 * Threads: none. Pure: the event's data and its row decide alone, so that a replay says the same.
 * Source:  design section 5; events.md sections 2 to 4.
 */
#pragma once

#include <sonoran-pushd/event.h>

/* A word for a number of the CAD (events.md 2.6); a list of them ends at a NULL. */
struct fact_word {
    int32_t number;
    const char *word; /* "from a caller" */
    const char *also; /* "caller", or NULL */
};

enum fact_kind {
    FACT_TEXT,
    FACT_NUMBER, /* or a decimal text */
    FACT_FLAG,   /* "yes" or "no" */
    FACT_WORD,   /* one of words, or what a community has of its own */
};

enum fact_flags {
    FACT_BESIDE = 1,   /* short: may stand beside others */
    FACT_SEVERAL = 2,  /* may have more than one value */
    FACT_OF_STATE = 4, /* known alone tells it, not the event */
};

struct fact_value {
    const char *text;   /* for people, not empty: "en route", "yes", "3-L-27 Mara Ellison" */
    const char *number; /* what a condition compares beside the text: "3", "1", "4127"; NULL: the text is all */
    const char *label;  /* its own, as the fields of a record have; NULL: that of the row */
};

struct fact;

typedef void fact_take(void *context, const struct fact *fact, const struct fact_value *value);

struct fact_asked {
    const struct event *event;
    const struct description *row;
    const cJSON *known; /* description.known, parsed; NULL: none */
    fact_take *take;
    void *context;
};

struct fact {
    const char *name;  /* "unit.number" */
    const char *label; /* "Number" */
    enum fact_kind kind;
    int flags;
    void (*emit)(const struct fact *fact, const struct fact_asked *asked);
    const char *where;             /* of emit's own */
    const struct fact_word *words; /* of FACT_WORD */
};

struct fact_list {
    const struct fact *rows;
    size_t n;
};

/* Those that every event has: how many dispatchers and units were on duty. */
extern const struct fact_list facts_of_every_event;

/* Those of its type, in their order, then those of every event. An event of no known type has only these. */
void facts_emit(const struct event *event, const struct description *row, const cJSON *known, fact_take *take,
                void *context);

/* The values of one row. */
void fact_emit(const struct fact *fact, const struct event *event, const struct description *row, const cJSON *known,
               fact_take *take, void *context);

/* A row of this type or of every event; NULL: it has none of that name. type NULL: only those of every event. */
const struct fact *facts_find(const struct event_type *type, struct span name);

/* What scripts write for nothing, as a whole text: nil, null, undefined, None, NOT SET, blanks, "". */
bool fact_is_nothing(const char *text);

/* The same letters, whatever their case and whether blanks, "_" or "-" stand between them. */
bool fact_same_words(struct span written, const char *word);

/* All values as people read them, with ", " between; false: there is none. */
bool fact_write(const struct fact *fact, const struct event *event, const struct description *row, const cJSON *known,
                struct text *out);

/* Whether a value says the same as what somebody wrote: as text, as number, as a flag (true, 1, yes, on), as another
 * spelling of its word (ON_SCENE, "on scene", OnScene); letter case does not matter. */
bool fact_equals(const struct fact *fact, const struct fact_value *value, struct span written);
