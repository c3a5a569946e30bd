/* private.h - what the files of state share: items, maps of them, communities.
 *
 * Threads: everything but STATE_LOCK wants the lock held.
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>

#include <sonoran-pushd/state.h>

/* What is known. Texts are the item's own, NULL where there is none; id and seen_us are those of the item. */
union facts {
    struct state_unit unit;
    struct state_call call;
    struct state_call911 call911;
};

/* What is common to the items of one map, so that texts are handled in one place. */
struct kind {
    const size_t *texts; /* offsets in facts */
    size_t n_texts;
    union facts blank; /* a placeholder */
};

struct item {
    int64_t id; /* first: the tree compares items as pointers to ids */
    usec_t seen_us;
    TAILQ_ENTRY(item) heard;
    union facts facts;
    int64_t *attached; /* of a call */
    size_t n_attached;
};

TAILQ_HEAD(heard, item);

/* The order of hearing is kept as a list, not read from seen_us: a clock that steps cannot disturb it. */
struct map {
    const struct kind *kind;
    void *tree;
    struct heard heard; /* heard of for longest first */
    size_t n;
};

struct community {
    SLIST_ENTRY(community) next;
    struct map units, calls, calls911;
    char name[];
};

struct state {
    pthread_mutex_t mutex;
    pthread_mutex_t *lock; /* &mutex, for those who read a const state */
    SLIST_HEAD(, community) communities;
};

static inline pthread_mutex_t *state_lock(const struct state *state)
{
    pthread_mutex_lock(state->lock);
    return state->lock;
}

static inline void state_unlock(pthread_mutex_t *const *lock)
{
    pthread_mutex_unlock(*lock);
}

/* Until the end of the scope. */
#define STATE_LOCK(state)                                                                                              \
    CLEANUP(state_unlock) __attribute__((unused)) pthread_mutex_t *const state_is_locked = state_lock(state)

/* NULL: nobody spoke of it yet. */
struct community *community_find(const struct state *state, const char *name);

extern const struct kind kind_unit, kind_call, kind_call911;

int id_compare(const void *a, const void *b);

/* The text at an offset of facts or of a patch, or NULL. */
const char *text_at(const void *facts, size_t offset);

/* Whether a text, cut as it would be, is what is known already. */
bool text_is(const char *known, const char *told);

void map_init(struct map *map, const struct kind *kind);
void map_clear(struct map *map);

struct item *map_find(const struct map *map, int64_t id);
void map_touch(struct map *map, struct item *item, usec_t now_us);
void map_remove(struct map *map, struct item *item);

/* Removes what was not heard of for STATE_KEEP_US and is over, and anything after STATE_KEEP_SILENT_US. */
int map_expire(struct map *map, bool (*is_over)(const struct item *item), usec_t now_us);

/* Finds or makes an item, and notes that it was heard of; *changed becomes 1 when it was made. NULL: no memory. */
struct item *map_hear(struct map *map, int64_t id, usec_t now_us, int *changed);

/* The same, and takes over the texts a patch tells. 1 changed, 0 not, -ENOMEM: nothing was done. */
int map_put(struct map *map, int64_t id, const void *patch, usec_t now_us, struct item **ret);

/* In the order of the ids. visit may touch items, not remove them. */
void map_walk(const struct map *map, void (*visit)(struct item *item, void *context), void *context);
