/* streams_entry.h - an entry of a stream, and the event that it brings.
 *
 * Shape:   pure. An entry is what the action redis of another node added: its members record (design section 6), prev
 *          and, where there is one, node; what else is there is not read. Whose it is: its node; where the entry does
 *          not say, the end of the stream's key behind the last colon.
 * Owner:   an entry borrows from the reply that it was read from.
 */
#pragma once

#include <sonoran-pushd/event.h>
#include <sonoran-pushd/redis.h>

#include "streams_place.h"

#define STREAMS_SOURCE "streams"
#define STREAMS_LATE_S 600 /* an event that was older when it came is late; what it may be ahead is as much */

struct streams_entry {
    struct redis_id place, before; /* before: zeros where it does not say */
    struct span node, record;      /* size 0: there is none */
};

/* -EINVAL: it has no id, so nothing can be made of it. */
int streams_entry_read(const struct redis_reply *reply, struct streams_entry *ret);

/* "edge1" of "cad:events:edge1", as names may be. */
void streams_node_of(const char *key, char ret[NAME_MAX_BYTES + 1]);

struct streams_wishes {
    const struct event_families *families;
    char *const *communities;                                        /* globs */
    size_t n_communities;                                            /* 0: every one */
    int (*is_ours)(void *context, const char *log, struct err *err); /* 1, 0, or negative: it cannot be found out */
    void *context;
};

enum streams_made {
    STREAMS_EVENT,
    STREAMS_OURS,      /* it came from this log in the first place */
    STREAMS_UNWANTED,  /* of a community that is left out */
    STREAMS_UNREADABLE /* it is no record: err says why */
};

/* Only of STREAMS_EVENT *ret is a batch. Negative: -ENOMEM, or of is_ours. */
int streams_entry_make(const struct streams_entry *entry, const char *node, const struct streams_wishes *wishes,
                       usec_t now_us, struct batch *ret, struct err *err) MUST_CHECK;
