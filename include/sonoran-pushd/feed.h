/* feed.h - the newest events in memory, for all that read the log on from where they stand.
 *
 * Shape:   a record is an event with what was decided about it, as the log gives it back. The writer hands over what
 *          it has committed, parsed as it came; readers walk from a place in the log on, and share a record that is
 *          in memory. What is not they read from the event log, each for itself, and see no difference. Kept is what
 *          a reader near the end has yet to come to, and no more than FEED_MAX_RECORDS and FEED_MAX_BYTES of the
 *          newest. Without such a reader nothing is kept, and handing over costs nothing (feed_is_wanted).
 * Units:   places are ids of events; bytes are those of batch_bytes and of descriptions, about.
 * Owner:   a record belongs to all that hold it, and nobody changes it. The events of one request are one piece of
 *          memory, which goes with the last of them. The feed outlives its readers; records may outlive both.
 * Threads: feed_is_wanted, feed_publish, feed_grow and feed_begin_life belong to the writer; a reader to one thread
 *          at a time; records, feed_newest_id and the other functions about lives to all. The lock is held over no
 *          commit, no read of the disk and no freeing, and what a slow reader holds are the few records that it has in
 *          hand.
 * Errors:  of reading the event log, as store.h has them. Without memory for a record the feed leaves it to the log.
 * Source:  design sections 2 and 13.
 */
#pragma once

#include <sonoran-pushd/store.h>

#define FEED_MAX_RECORDS 4096
#define FEED_MAX_BYTES ((size_t) 8 << 20)

struct feed;
struct feed_reader;
struct feed_request;

struct feed_record {
    struct event event;
    struct description description; /* but known_json, which is feed_known's */
    cJSON data;                     /* of an event that is an element of a list: the element alone */
    struct feed_request *request;   /* whose memory it is in; this and what follows is the feed's */
    struct feed_record *next;
    size_t bytes;
};

/* Of a log that is open, whose newest event it begins behind. The store is borrowed, for its readers. */
int feed_new(struct feed **ret, const struct store *store, const struct event_families *families) MUST_CHECK;
struct feed *feed_free(struct feed *feed);

/* ---- the writer ---- */

/* Whether anybody near the end of the log reads: else feed_publish may be left out. */
bool feed_is_wanted(const struct feed *feed);

/* Events that are in the log now, with their ids, and what was decided about each. Takes the batch and what is in the
 * descriptions, one for each event; they may be used again. Nobody sees them before feed_grow. */
void feed_publish(struct feed *feed, struct batch *take_batch, struct description *take_descriptions);

/* The log has events up to this one: what was published is seen, and every reader is told. */
void feed_grow(struct feed *feed, uint64_t newest_id);

uint64_t feed_newest_id(const struct feed *feed);

/* The life of the log in which new events lie, and the one in which an event does. The feed's, until feed_free. */
const struct store_life *feed_life(const struct feed *feed);
const struct store_life *feed_life_of(const struct feed *feed, uint64_t id);

/* A new one has begun behind the newest event. -ENOMEM */
int feed_begin_life(struct feed *feed, const struct store_life *life) MUST_CHECK;

/* What somebody outside was told last: an event by its id, of the life that began at epoch_ms. What that is
 * to this log: */
enum feed_told {
    FEED_IS_OURS,  /* it told that: all up to *ret_id is known there, and nothing behind it */
    FEED_IS_AHEAD, /* it told that in the life that goes on, and has lost it since: *ret_id is the newest that it has */
    FEED_IS_EARLIER, /* another log did, before this life began */
    FEED_IS_LATER,   /* another log did, since */
};
enum feed_told feed_look_told(const struct feed *feed, uint64_t epoch_ms, uint64_t id, uint64_t *ret_id);

/* ---- readers ---- */

/* grown: the log has events up to newest_id. Called by the writer, under the feed's lock: it must not wait, nor call
 * the feed but for feed_newest_id. Perhaps before feed_reader_open has returned; not after feed_reader_close. */
struct feed_listener {
    void (*grown)(void *userdata, uint64_t newest_id);
    void *userdata;
};

int feed_reader_open(struct feed_reader **ret, struct feed *feed, const struct feed_listener *listener) MUST_CHECK;
struct feed_reader *feed_reader_close(struct feed_reader *reader);

/* An event that was read, as far as most readers need it to know whether they want it. type: until the next read. */
struct feed_entry {
    uint64_t id;
    usec_t time_us;
    const char *type;
    enum event_verdict verdict;
    bool elsewhere; /* of another node, and so is its time */
};

/* Walks behind after_id up to last_id, in the order of the ids. read: 1, or 0 and the end of the walk. rest: the walk
 * may wait for a while, or is over; from there feed_seek goes on. Until the next feed_seek events are kept for whoever
 * goes on there. */
void feed_seek(struct feed_reader *reader, uint64_t after_id, uint64_t last_id);
int feed_read(struct feed_reader *reader, struct feed_entry *ret, struct err *err) MUST_CHECK;
void feed_rest(struct feed_reader *reader);

/* The event that was read last, whole. -EINVAL: no JSON any more, which somebody else must have written; -ENOMEM. */
int feed_take(struct feed_reader *reader, const struct feed_record **ret) MUST_CHECK;

/* The reader's own way into the event log, for what only that knows; no walk of the feed is under way then. close:
 * after an error, so that the next read opens it anew. */
int feed_open_store(struct feed_reader *reader, struct store_reader **ret, struct err *err) MUST_CHECK;
void feed_close_store(struct feed_reader *reader);

/* ---- records ---- */

/* As it stands in a row. Errors as of feed_take. */
int feed_restore(const struct store_row *row, const struct event_families *families,
                 const struct feed_record **ret) MUST_CHECK;

const struct feed_record *feed_ref(const struct feed_record *record);
const struct feed_record *feed_unref(const struct feed_record *record); /* NULL */

/* Memory that stays as long as the record is held: of its whole request, about. */
size_t feed_held_bytes(const struct feed_record *record);

/* The description's known, parsed when somebody asks for the first time. NULL: there is none. */
const cJSON *feed_known(const struct feed_record *record);
