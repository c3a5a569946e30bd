/* sse_private.h - inside src/sse: frames, the ring of them, clients, and where they begin. */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include <sonoran-pushd/sse.h>

/* What is larger is read from the log by each client that wants it. */
#define SSE_FRAME_DATA_BYTES ((size_t) 64 << 10)

/* What state changes events made, of all communities: of each event behind after_id up to as_of. lost: of some it is
 * not known any more what went. */
struct sse_changes {
    uint64_t after_id, as_of; /* 0: of none */
    bool lost;
    struct sse_changed *list; /* of the communities in which something changed */
    size_t n;
};

/* What a client gets of a frame. */
struct sse_view {
    char community[REALM_MAX_BYTES + 1]; /* "": all */
    bool data;
};

/* The rows of one community, which may be another than the event's: what was forgotten goes with the next event. */
struct sse_rows {
    char community[REALM_MAX_BYTES + 1];
    size_t end; /* in the text; they begin where those before end */
};

/* One event, as it is sent: its rows, then its line. Held by the ring, and by clients that are in the middle of it. */
struct sse_frame {
    uint64_t id;
    unsigned n_refs;
    struct text text;
    struct sse_rows *rows;
    size_t n_rows;
    size_t line_at;             /* the end of the rows; no more text: there is nothing to be told of the event */
    size_t data_at, data_bytes; /* the part of the line that is data and extra, for those who may see them */
    bool whole;                 /* data is there, if there is any */
    bool lost;                  /* not all that went until as_of is told */
    uint64_t as_of;             /* of its rows */
    char community[REALM_MAX_BYTES + 1];
    char type[];
};

/* sse_changes.c. look: makes sure that this event is among them. add: its rows. -ENOMEM. */
int sse_changes_look(struct sse *sse, struct sse_changes *changes, uint64_t id) MUST_CHECK;
int sse_changes_add(const struct sse *sse, const struct sse_changes *changes, struct sse_frame *frame) MUST_CHECK;
void sse_changes_drop(struct sse_changes *changes);

/* sse_frame.c. record NULL: it has no line. data: with it. copy: as much as there is room for, from offset on, which
 * moves. -ENOMEM. */
int sse_frame_new(struct sse *sse, struct sse_changes *changes, uint64_t id, const struct feed_record *record,
                  bool data, struct sse_frame **ret) MUST_CHECK;
struct sse_frame *sse_frame_ref(struct sse_frame *frame);
struct sse_frame *sse_frame_unref(struct sse_frame *frame); /* NULL */
bool sse_frame_is_for(const struct sse_frame *frame, const struct sse_view *view);
bool sse_frame_has_line(const struct sse_frame *frame, const struct sse_view *view);
size_t sse_frame_copy(const struct sse_frame *frame, const struct sse_view *view, size_t *offset, char *buffer,
                      size_t size);

/* Events that are no log lines, each one line of JSON that is ended. id NULL: none. */
void sse_add_event(struct text *out, const uint64_t *id, const char *event, const struct text *data);
void sse_add_tick(struct text *out, uint64_t id);

/* sse_sources.c: how events come, as one event; nothing: there are none, and the client knows of none. */
void sse_add_sources(struct sse_client *client);

/* The newest, without a hole: first_id to end_id - 1. */
struct sse_ring {
    struct feed_reader *reader; /* of what comes next; NULL: nobody listens */
    uint64_t first_id, end_id;
    struct sse_frame *frames[SSE_RING_FRAMES]; /* each at its id modulo the room */
    size_t bytes;
};

/* sse_ring.c. fill: renders some of what the log has more, 0 where that is nothing. */
int sse_ring_begin(struct sse *sse, struct err *err) MUST_CHECK;
void sse_ring_end(struct sse *sse);
int sse_ring_fill(struct sse *sse, struct err *err) MUST_CHECK;
struct sse_frame *sse_ring_find(const struct sse *sse, uint64_t id); /* borrowed; NULL: not there */

struct sse_client {
    LIST_ENTRY(sse_client) link;
    struct sse *sse;
    struct sse_view view;
    char *type;         /* glob; NULL: any */
    uint64_t place_id;  /* all up to here was sent, or left out; or is in frame */
    uint64_t told_id;   /* the last id that was sent */
    uint64_t known_id;  /* it was told to forget what it knew up to here */
    bool was_live;      /* it has been at the end of the log */
    uint64_t n_sources; /* what it was told of them is as of this change */
    bool has_sources;   /* and there were some */
    bool ends;          /* its community is gone */
    struct sse_frame *frame;
    size_t frame_offset;
    struct text own; /* for this one alone: hello, reset, tick */
    size_t own_offset;
    usec_t wrote_us;       /* uptime */
    _Atomic uint64_t *end; /* counts the reason for its end; NULL: the client went */
};

LIST_HEAD(sse_clients, sse_client);

struct sse {
    struct sse_parts parts;
    struct config *config;
    struct sse_ring ring;
    struct feed_reader *past; /* for those who are behind the ring; NULL: nobody was */
    bool walking;             /* it is in the middle of the log, */
    uint64_t past_id;         /* behind this event */
    struct sse_changes past_changes;
    struct sse_clients clients;
    size_t n_data;         /* clients that want data */
    usec_t round_since_us; /* uptime: the first client of this round was asked; 0: none yet */
    usec_t failed_us;      /* uptime: it was told last; 0: never */
    _Atomic bool stopping;
    _Atomic uint64_t n_sources; /* changes of them, from 1 on */
    _Atomic uint64_t n_clients, n_events, n_bytes;
    _Atomic uint64_t starts_now, starts_id, starts_from, starts_reset;
    _Atomic uint64_t ends_client, ends_slow, ends_configuration, ends_error, ends_stop;
};

/* sse_past.c: the log behind the ring, by a reader that all share. read: the first event behind after_id, 1, or 0 where
 * there is none; its texts are there until the next call. rest: nobody reads for a while. */
int sse_past_read(struct sse *sse, uint64_t after_id, struct store_row *ret, struct err *err) MUST_CHECK;
void sse_past_rest(struct sse *sse);
void sse_past_end(struct sse *sse);
/* The id of the oldest event, 0: there is none; and whether an event is of this life of the log. */
int sse_past_oldest(struct sse *sse, uint64_t *ret_id, struct err *err) MUST_CHECK;
int sse_past_is_of(struct sse *sse, uint64_t id, const char *log, bool *ret, struct err *err) MUST_CHECK;

/* sse_start.c: the place of a client, and its first words. */
int sse_start(struct sse_client *client, const struct sse_request *request, struct err *err) MUST_CHECK;
void sse_add_reset(struct text *out, uint64_t id, const char *why, uint64_t lost_from, uint64_t lost_to);
