/* feed_private.h - inside src/feed: what is kept, who reads, and the memory of records. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <sonoran-pushd/feed.h>

/* What a reader takes from the ring at one time: so many, or those with which so many bytes are reached. */
#define FEED_AHEAD 16
#define FEED_AHEAD_BYTES ((size_t) 256 << 10)

typedef _Atomic(cJSON *) feed_tree;

/* The events of one request. known: what is known of units and calls, parsed; NULL until somebody asks. */
struct feed_request {
    struct feed_request *next; /* published, but not seen yet */
    _Atomic size_t n_refs;     /* of all its records */
    struct batch batch;
    char log[STORE_LOG_BYTES];
    size_t n;
    feed_tree *known; /* n, behind the records */
    struct feed_record records[];
};

/* Lives are few, and stay as long as the feed, so that whoever looks at one needs no lock. */
struct feed_life {
    struct store_life life;
    struct feed_life *before; /* NULL: it is the first */
};

struct feed_reader {
    struct feed *feed;
    struct feed_listener listener;
    struct feed_reader *next;                    /* under the feed's lock, as are the next two */
    uint64_t place_id;                           /* of the ring it needs nothing up to here */
    bool placed;                                 /* it has begun to read: before, nothing is kept for it */
    uint64_t at_id, last_id;                     /* the walk: read up to, ends at. Of the reading thread, like: */
    const struct feed_record *ahead[FEED_AHEAD]; /* taken from the ring under one lock, each of them held */
    size_t n_ahead, n_passed;                    /* so many; of them read */
    struct store_reader *store;                  /* NULL: not needed yet */
    bool walking;                                /* in the store */
    const struct feed_record *last;              /* read; NULL: it is row, */
    struct store_row row;                        /* borrowed from store */
};

struct feed {
    const struct store *store;
    const struct event_families *families;
    _Atomic(struct feed_life *) life; /* the last */
    _Atomic uint64_t newest_id;
    _Atomic bool wanted;
    struct feed_request *published, **published_end; /* of the writer */

    pthread_mutex_t lock; /* what follows is under it */
    struct feed_reader *readers;
    uint64_t first_id, end_id;                  /* what is kept: first_id to end_id - 1 */
    struct feed_record *ring[FEED_MAX_RECORDS]; /* each at its id modulo the room */
    size_t bytes;
};

/* feed_record.c. -ENOMEM leaves batch and descriptions as they are. Each record counts as held once. */
int feed_request_new(struct feed_request **ret, struct batch *take_batch, struct description *take_descriptions,
                     const char *log) MUST_CHECK;

/* feed.c: the reader has come to at_id; takes up to max records behind it into ahead, which is empty. */
void feed_go_on(struct feed_reader *reader, size_t max);
