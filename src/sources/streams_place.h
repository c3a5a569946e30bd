/* streams_place.h - where in a stream an entry stands, and what of a stream was read already.
 *
 * Shape:   pure. A place is the id of an entry, "1795449600000-1042": the epoch of the life of the node's log in
 *          milliseconds, and the event's id there. What is known of a stream is the newest place of each life that was
 *          read, the one that was read last first: the place behind which reading goes on. It is kept as a text,
 *          "1795449600000-1042 1790000000000-77".
 */
#pragma once

#include <sonoran-pushd/redis.h>

#define STREAMS_LIVES_MAX 16 /* of more the one that was read longest ago is forgotten */
#define STREAMS_KNOWN_BYTES (STREAMS_LIVES_MAX * REDIS_ID_BYTES)

struct streams_known {
    struct redis_id v[STREAMS_LIVES_MAX];
    size_t n; /* 0: nothing was read */
};

void streams_known_read(const char *text, struct streams_known *ret); /* as far as it is one */
const char *streams_known_write(const struct streams_known *known, char ret[STREAMS_KNOWN_BYTES]);
void streams_known_add(struct streams_known *known, struct redis_id place);
bool streams_known_has(const struct streams_known *known, struct redis_id place);
struct redis_id streams_known_last(const struct streams_known *known);

/* What an entry is, by where it stands and by the id of the one that the node published before it (zeros: it does not
 * say). */
enum streams_news {
    STREAMS_NEXT,
    STREAMS_KNOWN, /* it was read before */
    STREAMS_LOST,  /* it is the next one, but that before it never came: entries are lost */
};

enum streams_news streams_look(const struct streams_known *known, struct redis_id place, struct redis_id before);

/* Where a stream ends, as the server says, beside what was read. */
enum streams_end {
    STREAMS_END_GOES_ON, /* there, or behind it */
    STREAMS_END_BEHIND,  /* it ends before that: its node will publish it again */
    STREAMS_END_EARLIER, /* the same, and with an entry of an earlier life of the node's log */
    STREAMS_END_ANEW,    /* the same, and its node publishes there: to be read from its start */
};

/* asked: the end that the server said the last time it was asked on this connection; NULL: this is the first time. */
enum streams_end streams_look_at_end(const struct streams_known *known, struct redis_id end,
                                     const struct redis_id *asked);
