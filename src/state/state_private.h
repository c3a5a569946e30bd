/* state_private.h - what the files of state share: items, maps of them, communities, the overlay.
 *
 * An overlay has communities and maps of its own above those of its base. What it changes it copies up: the copy and
 * the item below know each other (above, below). A copy shares the texts and links below until it changes them; merging
 * moves what is its own down, dropping it frees that. An item that is removed leaves its copy as a mark (gone).
 *
 * Threads: a state wants the lock held by whoever changes it, and by whoever reads it on another thread. above and what
 *          an overlay has belong to the thread of the overlay, which looks below without the lock.
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>

#include <sonoran-pushd/state.h>

/* What is known. Texts are NULL where there is none. */
union facts {
    struct state_unit unit;
    struct state_call call;
    struct state_call911 call911;
};

/* What is common to the items of one map. */
struct kind {
    const size_t *texts; /* offsets in facts */
    size_t n_texts;
    size_t seen_us, changed_id, changed_source; /* offsets too */
    union facts blank;                          /* a placeholder */
};

/* Of a call: the units at it, in the order they came. Of a unit: the calls it is at. Both ends always know each other.
 * One block of memory: ids, behind them (at room) since when. */
struct links {
    int64_t *ids;
    size_t n, room;
};

struct item {
    int64_t id;
    uint64_t heard_id;  /* the event that last spoke of it */
    uint64_t listed_id; /* of a call: the event that first told all its units */
    uint64_t change_id; /* the event with which its change is told (map_changed.c) */
    uint64_t merged_id; /* the newest event when that became part of this state */
    struct map *map;    /* whose it is */
    struct item *chain; /* in its bucket */
    TAILQ_ENTRY(item) heard;
    TAILQ_ENTRY(item) change; /* not of an overlay */
    struct item *above, *below;
    bool gone, own_links, duty_told;
    bool real;     /* not made up by a test */
    bool in_place; /* a copy of what was changed, but not spoken of: in the order it stands where the one below does */
    uint8_t own_texts; /* bits, in the order of the kind */
    struct links links;
    union facts facts;
};

#define ALL_TEXTS UINT8_MAX

TAILQ_HEAD(heard, item);

/* What left a map, oldest first, for those who follow its changes. */
struct removal {
    int64_t id;
    uint64_t change_id, merged_id;
};

struct removed {
    struct removal *v; /* a ring of so much room */
    size_t first, n, room;
    uint64_t lost_id; /* up to this event not all of them are there */
};

/* The order of hearing, in which items were last spoken of by an event, is kept as a list and not read from seen_us: a
 * clock that steps cannot disturb it. The items of an overlay come after those of its base, but for copies that are in
 * place. */
struct map {
    const struct kind *kind;
    struct state *state;
    struct item **buckets; /* of its own items that have none below */
    size_t n_buckets;      /* a power of two, or 0 */
    size_t n_own;
    struct heard heard;  /* its own, heard of for longest first */
    struct heard copied; /* its own that are in place, in no order */
    struct heard gone;   /* marks of those removed from the map below */
    size_t n;            /* with those below */
    struct map *below;
    struct item *next_below; /* all before it were spoken of since, in this overlay, or are gone from it */
    struct heard changed;    /* not of an overlay: its items, by merged_id */
    struct removed removed;
};

struct community {
    SLIST_ENTRY(community) next;
    struct community *below;
    bool begun; /* of an overlay: used since it was last emptied */
    struct map units, calls, calls911;
    int n_dispatchers, n_on_duty;
    char name[];
};

/* At the end of this minute the log had come to this event. */
struct mark {
    uint64_t minute, id;
};

struct marks {
    struct mark *v;
    size_t first, n, room;
};

struct state {
    pthread_mutex_t mutex;
    pthread_mutex_t *lock; /* &mutex; NULL: an overlay, which one thread has */
    SLIST_HEAD(, community) communities;
    size_t n_elsewhere; /* of them, those of other nodes */
    uint64_t event_id;  /* whose changes these are */
    uint8_t source;     /* and where they come from */
    bool test;          /* it is made up */
    uint64_t floor_id;  /* up to here events are too old */
    uint64_t n_turns;   /* state_succeed was called so often */
    uint64_t begin_id;  /* all that is known was told behind this one */
    uint64_t lost_id;   /* up to here it is not known what changed */
    struct marks marks;
    char *sources[STATE_MAX_SOURCES]; /* by number, less 1; not of an overlay */
    size_t n_sources;
    struct state *below; /* of an overlay */
    struct state *elder; /* of an heir: whose sources it uses */
    size_t first_mark_below, n_marks_below;
    bool begun;
    struct community *last; /* used; only an overlay, which one thread has, notes it */
    struct item *spare;     /* copies for later, by chain */
    size_t n_spare;
};

static inline pthread_mutex_t *state_lock(const struct state *state)
{
    if (state->lock)
        pthread_mutex_lock(state->lock);
    return state->lock;
}

static inline void state_unlock(pthread_mutex_t *const *lock)
{
    if (*lock)
        pthread_mutex_unlock(*lock);
}

/* Until the end of the scope. */
#define STATE_LOCK(state)                                                                                              \
    CLEANUP(state_unlock) __attribute__((unused)) pthread_mutex_t *const state_is_locked = state_lock(state)

/* ---- state.c, units.c ---- */

/* NULL: nobody spoke of it yet. That of an overlay may be one of its base. */
const struct community *state_community_find(const struct state *state, const char *name);

/* To change something in it. NULL: no memory. */
struct community *state_community_hear(struct state *state, const char *name);

/* Removes it, and its links from the items at their other ends. false: no memory. */
bool map_item_remove(struct community *community, struct map *map, struct item *item);

/* window.c: the newest event came at this time; what became too old by it goes. */
void window_move(struct state *state, uint64_t id, usec_t time_us);
void window_merge(struct state *overlay);

/* ---- map.c ---- */

extern const struct kind map_kind_unit, map_kind_call, map_kind_call911;

void map_init(struct map *map, const struct kind *kind, struct state *state);
void map_begin(struct map *map, struct map *below); /* of an overlay, before its first use */
void map_clear(struct map *map);
void map_merge(struct map *map);
void map_drop(struct map *map);

struct item *map_find(const struct map *map, int64_t id);

/* The same, to be changed. NULL: there is none, or no memory for the copy of an overlay (*r is -ENOMEM then). */
struct item *map_change(struct map *map, int64_t id, int *r);

/* Heard of for longest first. map_oldest is map_first for those who remove one after the other. */
struct item *map_first(const struct map *map);
struct item *map_oldest(struct map *map);
struct item *map_next(const struct map *map, const struct item *item);

/* Changes nothing but the order of hearing, and when. */
void map_touch(struct map *map, struct item *item, usec_t now_us);

/* Whether a test may not change it, because it is real. The other way round an item that tests made up begins anew when
 * a real event speaks of it: so what is real is linked with nothing made up. */
bool map_spares(const struct map *map, int64_t id);

/* Finds or makes an item to be changed, and notes that it was heard of; *changed becomes 1 when it was made. Not for
 * one that is spared. */
struct item *map_hear(struct community *community, struct map *map, int64_t id, usec_t now_us, int *changed);

/* The same, and takes over the texts a patch tells. 1 changed, 0 not, -ENOMEM: nothing was done. *ret is NULL where
 * there is nothing to be changed, as it is spared. */
int map_put(struct community *community, struct map *map, int64_t id, const void *patch, usec_t now_us,
            struct item **ret);

/* Out of the map with that event, to be called for items that are its own (map_change). */
void map_remove(struct map *map, struct item *item, uint64_t event_id);

/* Of merge.c: a place in the buckets, -ENOMEM where there is not even the first; into it; an item to be used again. */
int map_make_room(struct map *map);
void map_own_put(struct map *map, struct item *item);
void map_item_free(struct map *map, struct item *item);
void map_item_keep(struct state *state, struct item *item);

/* Notes which event changed it. Returns changed. */
int map_item_changed(struct map *map, struct item *item, int changed);

/* ---- map_changed.c ---- */

/* Of maps that are no overlay's: it is new there; it changed, as is told with its change_id; it goes with an event. */
void map_changed_add(struct map *map, struct item *item);
void map_changed_note(struct map *map, struct item *item);
void map_changed_remove(struct map *map, struct item *item, uint64_t event_id);
void map_changed_free(struct map *map);

/* A turn: notes in the heir's map what is different there, then what was noted of the old one stands before it. */
void map_changed_compare(struct community *heir, const struct community *old, uint64_t change_id);
void map_changed_inherit(struct map *heir, struct map *old);

/* ---- texts.c ---- */

/* The text at an offset of facts or of a patch, or NULL. */
const char *text_at(const void *facts, size_t offset);

/* Whether a text, cut as it would be, is what is known already. */
bool text_is(const char *known, const char *told);

#define MAX_TEXTS 7

/* New texts of an item, made before anything is written, so that a put without memory leaves no half. */
struct texts {
    char *s[MAX_TEXTS];
    bool told[MAX_TEXTS];
};

int texts_prepare(struct texts *texts, const struct kind *kind, const union facts *known, const void *patch);
void texts_free(struct texts *texts);
int texts_hand_over(struct texts *texts, const struct kind *kind, struct item *item);
void texts_free_own(const struct kind *kind, struct item *item);

/* Moves those of a copy to the item below, whose facts become the copy's. */
void texts_merge(const struct kind *kind, struct item *item);

/* ---- links.c ---- */

usec_t *links_since(const struct links *links);
bool links_have(const struct links *links, int64_t id);

/* Both -ENOMEM: nothing was done. The item's list becomes its own. */
int link_add(struct item *item, int64_t id, usec_t since_us);
int link_remove(struct item *item, int64_t id);
int links_own(struct item *item, size_t room);

/* ---- what a patch tells of one member; whether it changed ---- */

static inline bool set_number(int32_t *known, int32_t told)
{
    if (told == STATE_UNSET || told == *known)
        return false;
    *known = told;
    return true;
}

static inline bool set_id(int64_t *known, int64_t told)
{
    if (told == STATE_UNSET_ID || told == *known)
        return false;
    *known = told;
    return true;
}

static inline bool set_flag(int8_t *known, int8_t told)
{
    int8_t flag = told != 0;
    if (told < 0 || flag == *known)
        return false;
    *known = flag;
    return true;
}

/* Since when, for a value that has just changed: what was told before changed now, what is told for the first time only
 * where the event itself is the change. */
static inline usec_t state_since(bool told_before, usec_t told_us, usec_t now_us)
{
    return told_before ? now_us : told_us;
}
