/* sse.h - the event stream: the log as it grows, and what it changed, for those who watch it live.
 *
 * Shape:   server-sent events. First "retry:" and a hello; then for each event of the log the rows that it changed
 *          ("unit", "call", "call911", without an id) and, last, its line ("log", with its id): a cut in between
 *          brings the rows once more, and loses nothing. "sources", without an id, is how events come, at the start
 *          and when that changes. "tick" has an id where a filter lets nothing through; "reset" says that what the
 *          client has is of no use any more; a comment comes where there is silence. One ring of frames serves all:
 *          an event is rendered once, when somebody listens, and a client is a place in it. What has fallen out of it
 *          is read from the log. Nothing is queued for a client.
 * Units:   in the name; ids are those of the log.
 * Owner:   borrows its parts, which outlive it. A client belongs to the answer that goes on (http.h), which ends it
 *          with sse_close; clients end before sse_free.
 * Threads: all in the thread of the http that serves the clients, except wake, which the writer calls, and
 *          sse_get_values and sse_note_sources, which are for any.
 * Errors:  negative errno and a sentence; later the stream ends, and the client comes again.
 * Source:  HTML Living Standard, "Server-sent events"; design section 15.
 */
#pragma once

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/feed.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/state.h>

#define SSE_TYPE "text/event-stream"
#define SSE_RETRY_MS 2000
#define SSE_HEARTBEAT_US (15 * USEC_PER_SEC)

/* The ring, whichever is reached first. One frame stays however large it is. */
#define SSE_RING_FRAMES 1024
#define SSE_RING_BYTES ((size_t) 1 << 20)

/* One that was at the end of the log and is so far behind by now takes too little: it ends, and resumes. */
#define SSE_BEHIND_MAX 10000

struct sse;
struct sse_client;

struct sse_parts {
    struct feed *feed;
    const struct event_families *families;
    const struct state *state;    /* as of the newest event of the feed, or later */
    usec_t heartbeat_us;          /* of silence, before a comment */
    void (*wake)(void *userdata); /* there may be more for all clients: must not wait */
    void *userdata;
    usec_t round_us;    /* that clients may take between two calls of sse_end_round; 0: any */
    bool (*stop)(void); /* whether a read of the log is to end (store_stop_if); NULL: it is never asked */

    /* Elements of the list of sources, of a community (NULL: of all); NULL: there are none. */
    void (*add_sources)(void *userdata, const char *community, struct json_writer *out);
};

int sse_new(struct sse **ret, const struct sse_parts *parts, struct config *config, struct err *err) MUST_CHECK;
struct sse *sse_free(struct sse *sse);

/* The configuration in force from now on; takes a reference. Who watches a community that is gone is ended; end_all: so
 * is everybody, and may show once more that they may come. */
void sse_configure(struct sse *sse, struct config *config, bool end_all);

/* The sources are others, or in another state: each client is told. Any thread. n_sources: how often that was. */
void sse_note_sources(struct sse *sse);
uint64_t sse_n_sources(const struct sse *sse);

/* From now on clients end because everything does: for sse_values alone. */
void sse_stop(struct sse *sse);

/* All as it came; NULL: not there. Begins behind last_event_id, else behind from, else at the end of the log. */
struct sse_request {
    const char *last_event_id, *from;
    const char *log;       /* the life that this id is of, as far as the client knows */
    const char *type;      /* glob */
    const char *community; /* NULL: all */
    bool data;             /* with what the sender sent */
};

int sse_open(struct sse *sse, const struct sse_request *request, struct sse_client **ret, struct err *err) MUST_CHECK;

/* more and free_stream of struct http_answer. */
ssize_t sse_more(void *client, char *buffer, size_t size);
void sse_close(void *client);

/* To be called after each round of the loop that asks the clients for more. They share the time of a round: when it is
 * up, each gets on by one event more, and is told how far it is. */
void sse_end_round(struct sse *sse);

/* With sse_report. */
struct sse_values {
    uint64_t clients, clients_limit; /* the limit: whoever has it fills it in */
    uint64_t events, bytes;
    uint64_t starts_now, starts_id, starts_from, starts_reset;
    uint64_t ends_client, ends_slow, ends_configuration, ends_error, ends_stop;
};

extern const struct report_table sse_report;
void sse_get_values(const struct sse *sse, struct sse_values *ret);
