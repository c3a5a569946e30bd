/* story_private.h - inside src/story: which events belong to a call, and what follows from them. */
#pragma once

#include <sonoran-pushd/story.h>

/* Ids of events; failed: there was no memory. */
struct story_events {
    uint64_t *v;
    size_t n, room;
    bool failed;
};

/* story_find.c: the events of a call, each once and in their order, the ids of both calls, and the event behind which
 * a unit at it is nobody's business any more (0: none). */
struct story_found {
    struct story_events events;
    int64_t call, call911;
};

int story_find(struct store_reader *reader, const struct story_asked *asked, const char *community,
               struct story_found *ret, struct err *err) MUST_CHECK;

/* What a row tells state, as long ago as it may be: nothing of a story is forgotten while it is read. ret: its event,
 * for batch_done. 0: what is stored is no JSON. */
int story_hear(const struct store_row *row, struct state *state, struct batch *ret, struct err *err) MUST_CHECK;

/* story_follow.c: the events one after the other, into a story with its ids. */
int story_follow(struct store_reader *reader, const struct story_events *events, struct story *story,
                 struct err *err) MUST_CHECK;

/* story_missing.c: the oldest event that there is, 0: none; and what a story lacks. */
int story_read_oldest(struct store_reader *reader, uint64_t *ret_id, usec_t *ret_us, struct err *err) MUST_CHECK;
/* Where what is counted ends: at until_us (0: not asked for) where the log goes on behind it, else at the newest event
 * that was counted; never before since_us. Of a log that has nothing of it, 0. */
int story_read_end(struct store_reader *reader, usec_t since_us, usec_t until_us, usec_t newest_us, usec_t *ret_us,
                   struct err *err) MUST_CHECK;
int story_say_missing(struct store_reader *reader, struct story *story, size_t n_left_out, struct err *err) MUST_CHECK;
