/* event.h - one thing the CAD said, and how the body of a request becomes such things.
 *
 * Shape:   a batch is what one request said: one event, or one for each element of an array. The sender's bytes of
 *          each event's data are kept as they came (span), beside the parsed form that handlers read.
 * Units:   time in microseconds since 1970 UTC.
 * Owner:   the batch owns everything in it, until batch_done. Handlers borrow.
 * Threads: none; a batch belongs to one thread at a time.
 *          While it is parsed, cJSON takes its memory in this thread from the batch: the first batch of the process
 *          sets cJSON's allocators (cJSON_InitHooks), so nothing else may set them. All other trees are of malloc.
 * Errors:  why a body made no batch is an enum envelope_refusal of its own, and a sentence for our log.
 * Source:  events.md section 3 (V1 to V25), vendor page push-events/README; traps of cJSON in design section 14.
 */
#pragma once

#include <cjson/cJSON.h>
#include <sonoran-pushd/base.h>
#include <sonoran-pushd/ids.h>
#include <sonoran-pushd/json.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/text.h>

struct state;
struct event;
struct fact_list;

#define EVENT_MAX_DEPTH JSON_MAX_DEPTH
#define EVENT_TYPE_MAX_BYTES 128         /* of a type in a log line */
#define EVENT_TYPE_STORED_MAX_BYTES 1024 /* as it was sent; what is longer is no type */
#define EVENT_KNOWN_MAX_BYTES 1024
#define EVENT_LATE_MAX_BYTES 32 /* more, where it also tells how late it came */
#define EVENT_MAX_BATCH 4096    /* events of one request */

enum event_verdict {
    EVENT_ACCEPTED,
    EVENT_UNKNOWN,  /* right key, type not known, or none */
    EVENT_INVALID,  /* right key, known type, data a handler cannot use */
    EVENT_INTERNAL, /* of this program's own making: changes state, is given to no action, is no event of the CAD */
};
#define EVENT_N_VERDICTS (EVENT_INTERNAL + 1)

/* "accepted", "unknown", "invalid", "internal" */
const char *event_verdict_name(enum event_verdict verdict);

/* The other way; -EINVAL: it is none. */
int event_verdict_read(const char *name, enum event_verdict *ret);
#define EVENT_VERDICTS_EXPECTED "expected accepted, unknown, invalid or internal"

/* Whether it is to be shown as refused. */
static inline bool event_verdict_is_refusal(enum event_verdict verdict)
{
    return verdict == EVENT_UNKNOWN || verdict == EVENT_INVALID;
}

/* What describe writes: one line for people, the ids it concerns, its level (syslog). Decided once, by the writer,
 * and kept in the event's row. */
struct description {
    struct text line;
    struct ids calls, calls911, units;
    int64_t by;     /* the unit it comes from; 0: nobody is told */
    int64_t record; /* 0: it is about none */
    int level;
    struct text was;     /* what it made another: the old texts by the names of facts, as a JSON object; "": not told */
    struct text known;   /* the units and calls it concerns, as state knew them, and was: one JSON object (design 6) */
    cJSON *known_json;   /* the same as a tree, where it was read back; NULL: there is none */
    struct text numbers; /* of its units, before it and after it, each with its NUL: description_next_number */
};

#define DESCRIPTION_INIT                                                                                               \
    {                                                                                                                  \
        .line = TEXT_INIT, .was = TEXT_INIT, .known = TEXT_INIT, .numbers = TEXT_INIT                                  \
    }

void description_reset(struct description *description);
int description_copy(struct description *ret, const struct description *from) MUST_CHECK; /* -ENOMEM */
void description_free(struct description *description);

/* The number of a unit that it concerns, each once, whatever its letter case; next: of NULL the first, NULL: no more.
 */
void description_add_number(struct description *description, const char *number);
const char *description_next_number(const struct description *description, const char *number);

/* Of another node's event, that it came here so late; told by its known from then on, and in the log first in it, from
 * which the log has when it came. Below 0: before its time, which is of a clock that is ahead. get: 0 where it was not
 * late. */
int description_set_late(struct description *description, int64_t late_s) MUST_CHECK; /* -ENOMEM */
uint64_t description_get_late(const cJSON *known);
/* Of known as it was written: false where nothing is told first in it. Quick, and takes no memory. */
bool description_read_late(struct span known, int64_t *ret);

/* For a description that is read back: known as it was written, or none where that is not sound, or not in its shape.
 * numbers: as far as it has them. */
void description_take_known(struct description *ret, struct span known);
void description_read_numbers(struct description *ret);

/* One type. check: is the minimum of events.md section 4 there; 0 or -EINVAL with "data.call.callId: missing".
 * describe: pure. apply: what it changes in state, no I/O; 1 changed, 0 not, -ENOMEM; NULL: never anything. */
struct event_type {
    const char *name;
    const char *alias; /* another name for it on the wire, or NULL */
    int (*check)(const struct event *event, struct err *err);
    void (*describe)(const struct event *event, const struct state *state, struct description *out);
    int (*apply)(const struct event *event, struct state *state);
    const struct fact_list *facts; /* facts.h */
};

struct event_family {
    const char *name;   /* "dispatch" */
    const char *colour; /* SGR, of the first words of its lines */
    const struct event_type *types;
    size_t n_types;
};

/* Passed down by whoever builds the program, so that nothing below the families names one. */
struct event_families {
    const struct event_family *const *list;
    size_t n;
    const struct event_family *internal; /* what is EVENT_INTERNAL, and of no known type in a body; NULL: none */
};

#define EVENT_SOURCE_PUSH "push"
#define EVENT_PEER_MAX_BYTES 63

/* Where it came from. Copied around freely. */
struct origin {
    char source[NAME_MAX_BYTES + 1];     /* which kind of source: "push" */
    char name[NAME_MAX_BYTES + 1];       /* which of that kind: a listener's name */
    char peer[EVENT_PEER_MAX_BYTES + 1]; /* who sent it: an address, or the name of a host */
};

/* Where an event that came from another node lies in the log there. Of one of ours node is NULL. */
struct event_home {
    const char *node;
    const char *log; /* the life of that log */
    uint64_t id;
};

struct event {
    uint64_t id; /* position in the log, from 1 */
    usec_t time_us;
    usec_t order_us;                   /* for what goes by the order of the log: time_us, or what stands before it */
    const char *type;                  /* upper case, real name of an alias; "": none */
    const char *type_sent;             /* as it was spelt; NULL: like type */
    bool test;                         /* "test": true stood beside data */
    const char *log;                   /* the life of the log in which its id lies; NULL: not stored yet */
    const struct event_type *handler;  /* NULL: unknown type */
    const struct event_family *family; /* NULL: unknown type */
    const char *community;
    const char *realm; /* the same, of another node with that behind it: what belongs together, REALM_MAX_BYTES */
    struct event_home home;
    const struct description *decided; /* by another node, which tells it; NULL: it is the writer's to decide */
    bool among_communities;            /* others are configured beside it: its line says which it is of */
    const struct origin *origin;
    enum event_verdict verdict;
    const char *reason;     /* of a verdict other than accepted: "data.call.callId: missing" */
    const cJSON *data;      /* always an object for a handler */
    const cJSON *top;       /* other top-level members, or NULL */
    struct span data_text;  /* the sender's bytes, size 0: there was none */
    struct span extra_text; /* the other top-level members as one object, size 0: there were none */
    int index;              /* in a list of events (of Lua from 1), -1: it was no list, or is all of it */
};

struct batch {
    struct event *events;
    size_t n_events;
    struct batch_memory *memory;
};

/* One for each key; the same name may stand there with several. */
struct event_community {
    const char *name;
    const char *key;
};

struct envelope_rules {
    const struct event_community *communities;
    size_t n_communities;
    const struct event_families *families;
    bool accept_unknown_types;
    uint64_t max_stored_bytes; /* data and extra of all events of one request together; 0: no limit */
    uint64_t max_parsed_bytes; /* memory for the parsed form of one body; 0: no limit */
};

/* Adds the text with "[key]" in the place of each key that stands in it, ignoring ASCII case. Whether one did. */
bool event_hide_keys(const struct envelope_rules *rules, struct span text, struct text *out);

/* Why a body made no batch. */
enum envelope_refusal {
    ENVELOPE_OK,
    ENVELOPE_JSON, /* not JSON, or not one object, or not safe to read as one */
    ENVELOPE_KEY,  /* missing, not a string, wrong */
    ENVELOPE_SIZE, /* right key, more to store or to parse than the rules allow: "data: too many values" */
    ENVELOPE_MEMORY,
};

/* ---- from a body to events, in three steps: a source that is authenticated already leaves out the second ---- */

/* A body whose members have been found, and that is sound JSON. */
struct envelope {
    struct batch_memory *memory;
    bool has_key; /* whatever it is */
};

/* Takes the body (from malloc), in any case. What err says is more than the sender may hear. */
enum envelope_refusal envelope_open(char *take_body, size_t size, const struct envelope_rules *rules,
                                    const struct origin *origin, usec_t time_us, struct envelope *ret,
                                    struct err *err) MUST_CHECK;

/* Whose key it has, in constant time; the key is wiped. NULL: nobody's, and why. Once for an envelope. */
const struct event_community *envelope_authenticate(struct envelope *envelope, const struct envelope_rules *rules,
                                                    struct err *err) MUST_CHECK;

/* The type as far as one was seen: safe to log, in upper case. */
void envelope_show_claimed(const struct envelope *envelope, char ret[EVENT_TYPE_MAX_BYTES + 1]);

/* Uses the envelope up, in any case. community: the one of its key, or the one that the source is of; it is copied. A
 * key that was not asked for is wiped. ENVELOPE_OK: *ret is a batch with 1 or more events, all of one verdict; what is
 * refused is one event, with the whole data. */
enum envelope_refusal envelope_make(struct envelope *envelope, const struct envelope_rules *rules,
                                    const char *community, struct batch *ret, struct err *err) MUST_CHECK;

/* Instead of envelope_make, and of no effect after it: everything in the body is wiped, since somewhere in it may be a
 * key that was not found, or not looked for. */
void envelope_drop(struct envelope *envelope);

/* All three. claimed: envelope_show_claimed where it is refused, else ""; may be NULL. */
enum envelope_refusal envelope_parse(char *take_body, size_t size, const struct envelope_rules *rules,
                                     const struct origin *origin, usec_t time_us, struct batch *ret,
                                     char claimed[EVENT_TYPE_MAX_BYTES + 1], struct err *err) MUST_CHECK;

/* What envelope_make makes of a type (as it is, no JSON) and data (JSON; size 0: there is none) that came without a
 * body around them; both are copied. ENVELOPE_JSON: one of them is not sound. */
enum envelope_refusal envelope_make_one(struct span type, struct span data, const struct envelope_rules *rules,
                                        const char *community, const struct origin *origin, usec_t time_us,
                                        struct batch *ret, struct err *err) MUST_CHECK;

void batch_done(struct batch *batch);

/* A batch of one that another node has stored and decided about, for a log of ours: source, by which it came here, and
 * home are copied, and what is in the description is taken. -ENOMEM: it is as it was, and the description too. */
int batch_take_home(struct batch *batch, const char *source, const struct event_home *home,
                    struct description *take_decided) MUST_CHECK;

/* Memory that a batch holds. */
size_t batch_bytes(const struct batch *batch);

/* An event read back from the log, as a batch of one; its texts are copied. A refused one has its reason again. */
int batch_restore(struct batch *ret, const struct event *stored, const struct event_families *families) MUST_CHECK;

/* The handler for a type in upper case that may come in a body, or NULL; *ret_family beside it. */
const struct event_type *event_find_type(const struct event_families *families, const char *type,
                                         const struct event_family **ret_family);

/* The handler of an event that was stored with this verdict. */
const struct event_type *event_find_stored_type(const struct event_families *families, const char *type,
                                                enum event_verdict verdict, const struct event_family **ret_family);

/* The type that may have been meant, also without its EVENT_; or NULL. */
const char *event_nearest_type(const struct event_families *families, const char *written);

/* Whether it is a list: an array, or what Lua's encoders make of one with holes, an object whose names are all whole
 * numbers from 1 on (or has none). The members of such an object inside an event stand in the order of these numbers,
 * and the valueint of each is its place, from 0, among them as they were sent. */
bool event_is_list(const cJSON *item);

/* Why a handler cannot use an event: "data.call.callId: missing", for path "call.callId". Returns -EINVAL. */
int event_refuse(const struct event *event, struct err *err, const char *path, const char *what);

/* The same for what came instead of what was expected ("a whole number"): "missing" for NULL and null, else "expected a
 * whole number, got a list". Text of the sender in it is made safe and short. */
int event_refuse_value(const struct event *event, struct err *err, const char *path, const char *expected,
                       const cJSON *came);
void event_say_expected(struct text *out, const char *expected, const cJSON *came);

/* The line, ids and level of an event, whatever its verdict is, also of one whose type is not known: lines.md. A
 * refused one has the ids that could be read. state NULL: nothing is known but what the event says itself. */
void event_describe(const struct event *event, const struct state *state, struct description *out);

/* The first words of its line, which say what and which, and their colour on a terminal: that of the family, bold red
 * for what is to be seen at once. */
struct log_mark event_mark(const struct event *event, const struct description *description);

/* The line as people see it, and its mark: one of another node begins with "county@edge1: ". */
struct log_mark event_write_line(const struct event *event, const struct description *description, struct text *out);

/* The event record of design section 6, as one line of JSON without its end. */
void event_write_record(const struct event *event, const struct description *description, struct text *out);

/* The same for those who watch (design 15): not whom it came from. *ret_data_at, *ret_data_bytes: the part of out that
 * is data and extra, with the comma before it; without that part it is the record for those who may not see them. */
void event_write_view(const struct event *event, const struct description *description, struct text *out,
                      size_t *ret_data_at, size_t *ret_data_bytes);

/* Whether a node may be called so, and a life of a log. */
bool event_is_node(const char *name);
bool event_is_log(const char *log);

/* The way back: the event as a batch of one, and its description. What was written from them is the same again, byte
 * for byte. -EINVAL and what is wrong with it ("level: missing"), -ENOMEM. */
int event_read_record(struct span record, const struct event_families *families, struct batch *ret,
                      struct description *ret_description, struct err *err) MUST_CHECK;
