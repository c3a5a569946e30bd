/* event.h - one thing the CAD said, and how the body of a request becomes such things.
 *
 * Shape:   a batch is what one request said: one event, or one for each element of an array. The sender's bytes of
 *          each event's data are kept as they came (span), beside the parsed form that handlers read.
 * Units:   time in microseconds since 1970 UTC.
 * Owner:   the batch owns everything in it, until batch_done. Handlers borrow.
 * Threads: none; a batch belongs to one thread at a time.
 * Errors:  envelope_parse returns 0 for a batch with a verdict, else a negative errno of its own list.
 * Source:  events.md section 3 (V1 to V25), vendor page push-events/README; traps of cJSON in design section 14.
 */
#pragma once

#include <cjson/cJSON.h>
#include <sonoran-pushd/base.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/text.h>

struct state;
struct event;

#define EVENT_MAX_DEPTH 64
#define EVENT_TYPE_MAX_BYTES 128 /* of a type in a log line */
#define EVENT_MAX_BATCH 4096     /* events of one request */

enum event_verdict {
    EVENT_ACCEPTED,
    EVENT_UNKNOWN, /* right key, type not known */
    EVENT_INVALID, /* right key, known type, data a handler cannot use */
};

/* "accepted", "unknown", "invalid" */
const char *event_verdict_name(enum event_verdict verdict);

/* A growing set of ids in the order they came, up to IDS_MAX. */
#define IDS_MAX 4096

struct ids {
    int64_t *v;
    size_t n, room;
};

void ids_add(struct ids *ids, int64_t id); /* no effect when it is there already, full, or without memory */
void ids_free(struct ids *ids);

/* What describe writes: one line for people, the ids it concerns, its level (syslog). */
struct description {
    struct text line;
    struct ids calls, calls911, units;
    int level;
};

#define DESCRIPTION_INIT                                                                                               \
    {                                                                                                                  \
        .line = TEXT_INIT                                                                                              \
    }

void description_reset(struct description *description);
void description_free(struct description *description);

/* One type. check: is the minimum of events.md section 4 there; 0 or -EINVAL with "data.call.callId: missing".
 * describe: pure. apply: what it changes in state, no I/O; 1 changed, 0 not, -ENOMEM; NULL: never anything. */
struct event_type {
    const char *name;
    const char *alias; /* another name for it on the wire, or NULL */
    int level;         /* of syslog; the most severe one its lines may have */
    int (*check)(const struct event *event, struct err *err);
    void (*describe)(const struct event *event, const struct state *state, struct description *out);
    int (*apply)(const struct event *event, struct state *state);
};

struct event_family {
    const char *name;  /* "dispatch" */
    const char *label; /* up to 4 characters, in front of its lines */
    int colour;        /* SGR */
    const struct event_type *types;
    size_t n_types;
};

/* Passed down by whoever builds the program, so that nothing below the families names one. */
struct event_families {
    const struct event_family *const *list;
    size_t n;
};

struct event {
    uint64_t id; /* position in the log, from 1 */
    usec_t time_us;
    const char *type;                  /* upper case, real name of an alias */
    const struct event_type *handler;  /* NULL: unknown type */
    const struct event_family *family; /* NULL: unknown type */
    const char *community;
    const struct http_origin *origin;
    enum event_verdict verdict;
    const char *reason;     /* of a verdict other than accepted: "data.call.callId: missing" */
    const cJSON *data;      /* always an object for a handler */
    const cJSON *top;       /* other top-level members, or NULL */
    struct span data_text;  /* the sender's bytes, size 0: there was none */
    struct span extra_text; /* the other top-level members as one object, size 0: there were none */
    int index;              /* in an array of events, -1: there was no array */
};

struct batch {
    struct event *events;
    size_t n_events;
    struct batch_memory *memory;
};

struct event_community {
    const char *name;
    const char *key;
};

struct envelope_rules {
    const struct event_community *communities;
    size_t n_communities;
    const struct event_families *families;
    bool accept_unknown_types;
};

/* Why a body made no batch. */
enum envelope_refusal {
    ENVELOPE_OK,
    ENVELOPE_JSON, /* not JSON, or not one object, or not safe to read as one */
    ENVELOPE_KEY,  /* missing, not a string, wrong */
    ENVELOPE_TYPE, /* missing, not a string, empty */
    ENVELOPE_MEMORY,
};

/* Reads a body, which the batch keeps (it comes from malloc and is freed in any case), and in which the key is
 * wiped. ENVELOPE_OK: *ret is a batch with 1 or more events, all of one verdict. Otherwise err says more than the
 * sender may hear, and claimed (may be NULL) is the type as far as one was seen: safe to log, in upper case. */
enum envelope_refusal envelope_parse(char *body, size_t size, const struct envelope_rules *rules,
                                     const struct http_origin *origin, usec_t time_us, struct batch *ret,
                                     char claimed[EVENT_TYPE_MAX_BYTES + 1], struct err *err) MUST_CHECK;
void batch_done(struct batch *batch);

/* Memory that a batch holds. */
size_t batch_bytes(const struct batch *batch);

/* An event read back from the log, as a batch of one; its texts are copied. */
int batch_restore(struct batch *ret, const struct event *stored, const struct event_families *families) MUST_CHECK;

/* The handler for a type in upper case, or NULL; *ret_family beside it. */
const struct event_type *event_find_type(const struct event_families *families, const char *type,
                                         const struct event_family **ret_family);

/* Why a handler cannot use an event: "data.call.callId: missing", for path "call.callId". Returns -EINVAL. */
int event_refuse(const struct event *event, struct err *err, const char *path, const char *what);

/* The line, ids and level of an accepted event, also of one whose type is not known. */
void event_describe(const struct event *event, const struct state *state, struct description *out);

/* The event record of design section 6, as one line of JSON without its end. */
void event_write_record(const struct event *event, const struct description *description, struct text *out);
