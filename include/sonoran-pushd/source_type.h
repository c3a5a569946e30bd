/* source_type.h - how events come in: a kind of source is a row, in one file of its own, and in the table that
 * source_set_new is given.
 *
 * Shape:   a source reads from somewhere, makes batches (envelope_parse, or envelope_open and envelope_make where it
 *          knows whose they are, or envelope_make_one), hands them over (pipeline_submit, pipeline_flush) and answers
 *          wherever it has to when they are settled. Whom it listens to, it asks at its door (source_gate.h). A
 *          source whose row has a section is open where the configuration has it, and is opened and closed at a
 *          reload; others always are. Its settings: config_section_get(config, &its section).
 * Owner:   self is instance_size bytes, zeros at first, and of the set; what open puts there is close's to free.
 * Threads: settled, settled_all, pause and resume are called by the writer (pipeline.h tells how), add_status,
 *          add_health, add_report and add_board by any thread, everything else by the main thread. The way in is for
 *          one thread of the source's own at a time.
 * Errors:  negative errno and a sentence.
 */
#pragma once

#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/source_gate.h>
#include <sonoran-pushd/state.h>

/* What every source is given; its members live until close is called, but config only until apply or stop has returned.
 */
struct source_parts {
    const struct config *config;
    const struct event_families *families;
    struct pipeline_source *way_in;
    struct gate_door *door;
    const struct state *state; /* for snapshots */

    /* What add_board shows is another one: any thread, under no lock that add_board takes. */
    void (*changed)(void *set);
    void *set;
};

/* open failed for a reason that no restart heals. */
#define SOURCE_NEEDS_HELP (-EBADFD)

/* Any but name, instance_size, open, close and settled may be NULL. */
struct source_type {
    const char *name;              /* origin.source of its events, up to NAME_MAX_BYTES */
    struct config_section section; /* of the configuration, with its options, if it has any of its own */
    size_t instance_size;

    /* From here on things may be handed in, also when it is taken back since another source cannot be opened. After a
     * failure stop and close are called all the same. */
    int (*open)(void *self, const struct source_parts *parts, struct err *err);
    void (*ready)(void *self); /* the whole program runs: it may say so */

    /* Another configuration, in two steps, so that it is in force at all sources or at none: what can fail, and then
     * what cannot, or nothing. */
    int (*prepare)(void *self, const struct config *config, void **ret_change, struct err *err);
    void (*apply)(void *self, void *take_change);
    void (*drop)(void *self, void *take_change);

    /* Within timeout_us: after it the source hands in and flushes nothing any more. What was handed in is flushed for
     * it and may still be settled, and pause and resume may still come. It lets go of what another one would need that
     * is opened before it is closed: an address, a session.
     * -ETIMEDOUT: a disk that does not answer holds a thread of it. It is stopped again until it returns 0, and not
     * closed before. */
    int (*stop)(void *self, usec_t timeout_us);
    void (*close)(void *self); /* when all is settled, and the writer and the way in are gone */

    /* pipeline_source_callbacks */
    void (*settled)(void *self, void *ticket, const struct event *first, int r);
    void (*settled_all)(void *self);
    void (*pause)(void *self);
    void (*resume)(void *self);
    bool ordered;
    const char *unstored;

    const char *thread;        /* "the HTTP thread": what alive is about */
    bool (*alive)(void *self); /* whether it got on since the last call, which also asks it to */

    /* Members of the status object, which is open; elements of the list of sources that /health has, likewise. */
    void (*add_status)(void *self, struct json_writer *out);
    void (*add_health)(void *self, struct json_writer *out);
    void (*add_report)(void *self, struct report_list *list); /* what it counts besides its door */

    /* Elements of the list of sources that a board has, of a community (NULL: of all): members source, name, community,
     * cut_since (null: all is well) and words. */
    void (*add_board)(void *self, const char *community, struct json_writer *out);
};

struct source_types {
    const struct source_type *const *list;
    size_t n;
};

/* What bodies are read by, as the configuration has it: limits, keys, whether unknown types are taken. From malloc;
 * the names and keys in it are the config's. NULL: no memory. */
struct envelope_rules *source_rules_new(const struct config *config, const struct event_families *families);
