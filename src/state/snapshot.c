/* snapshot.c - a copy of one community in one block of memory, so that freeing it is one call. */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* The block is measured first, then cut in the same order: the snapshot, its arrays, the texts. */
struct cutter {
    struct state_snapshot *snapshot;
    int64_t *ids;
    usec_t *since_us;
    char *texts;
};

static size_t piece_size(size_t n, size_t size)
{
    size_t align = alignof(max_align_t);
    return (n * size + align - 1) / align * align;
}

static void *cut_piece(char **rest, size_t n, size_t size)
{
    void *piece = *rest;
    *rest += piece_size(n, size);
    return piece;
}

static size_t texts_size(const struct map *map)
{
    size_t size = 0;
    for (const struct item *item = map_first(map); item; item = map_next(map, item))
        for (size_t i = 0; i < map->kind->n_texts; i++) {
            const char *s = text_at(&item->facts, map->kind->texts[i]);
            size += s ? strlen(s) + 1 : 0;
        }
    return size;
}

static size_t count_attached(const struct map *calls)
{
    size_t n = 0;
    for (const struct item *item = map_first(calls); item; item = map_next(calls, item))
        n += item->links.n;
    return n;
}

static void copy_texts(struct cutter *cutter, const struct kind *kind, void *facts)
{
    for (size_t i = 0; i < kind->n_texts; i++) {
        const char **text = (const char **) ((char *) facts + kind->texts[i]);
        if (!*text) {
            *text = "";
            continue;
        }
        size_t size = strlen(*text) + 1;
        *text = memcpy(cutter->texts, *text, size);
        cutter->texts += size;
    }
}

static void copy_unit(struct cutter *cutter, const struct item *item)
{
    struct state_unit *unit = &cutter->snapshot->units[cutter->snapshot->n_units++];
    *unit = item->facts.unit;
    copy_texts(cutter, &kind_unit, unit);
}

static void copy_call(struct cutter *cutter, const struct item *item)
{
    const struct links *links = &item->links;
    size_t i = cutter->snapshot->n_calls++;
    struct state_call *call = &cutter->snapshot->calls[i];
    *call = item->facts.call;
    copy_texts(cutter, &kind_call, call);

    cutter->snapshot->attached[i] = cutter->ids;
    cutter->snapshot->attached_since_us[i] = cutter->since_us;
    cutter->snapshot->n_attached[i] = links->n;
    for (size_t k = 0; k < links->n; k++) {
        *cutter->ids++ = links->ids[k];
        *cutter->since_us++ = links_since(links)[k];
    }
}

/* Those waiting: not one that was removed, nor what only a dispatch call speaks of. */
static void copy_call911(struct cutter *cutter, const struct item *item)
{
    if (item->facts.call911.removed || !item->facts.call911.told)
        return;
    struct state_call911 *call = &cutter->snapshot->calls911[cutter->snapshot->n_calls911++];
    *call = item->facts.call911;
    copy_texts(cutter, &kind_call911, call);
}

static size_t snapshot_size(const struct community *from)
{
    const struct state_snapshot *s = NULL;
    return piece_size(1, sizeof(*s)) + piece_size(from->units.n, sizeof(*s->units)) +
           piece_size(from->calls.n, sizeof(*s->calls)) + piece_size(from->calls.n, sizeof(*s->attached)) +
           piece_size(from->calls.n, sizeof(*s->attached_since_us)) +
           piece_size(from->calls.n, sizeof(*s->n_attached)) + piece_size(from->calls911.n, sizeof(*s->calls911)) +
           2 * piece_size(count_attached(&from->calls), sizeof(int64_t)) + texts_size(&from->units) +
           texts_size(&from->calls) + texts_size(&from->calls911);
}

static int item_compare(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *) a, *y = *(const struct item *const *) b;
    return (x->id > y->id) - (x->id < y->id);
}

/* In the order of the ids; sorted has room for all. */
static void copy_all(struct cutter *cutter, const struct map *map, const struct item **sorted,
                     void (*copy)(struct cutter *cutter, const struct item *item))
{
    size_t n = 0;
    for (const struct item *item = map_first(map); item; item = map_next(map, item))
        sorted[n++] = item;
    qsort(sorted, n, sizeof(struct item *), item_compare);
    for (size_t i = 0; i < n; i++)
        copy(cutter, sorted[i]);
}

static void snapshot_fill(struct state_snapshot *s, const struct community *from, const struct item **sorted)
{
    size_t n_attached = count_attached(&from->calls);
    char *rest = (char *) s + piece_size(1, sizeof(*s));
    s->units = cut_piece(&rest, from->units.n, sizeof(*s->units));
    s->calls = cut_piece(&rest, from->calls.n, sizeof(*s->calls));
    s->attached = cut_piece(&rest, from->calls.n, sizeof(*s->attached));
    s->attached_since_us = cut_piece(&rest, from->calls.n, sizeof(*s->attached_since_us));
    s->n_attached = cut_piece(&rest, from->calls.n, sizeof(*s->n_attached));
    s->calls911 = cut_piece(&rest, from->calls911.n, sizeof(*s->calls911));
    int64_t *ids = cut_piece(&rest, n_attached, sizeof(*ids));
    usec_t *since_us = cut_piece(&rest, n_attached, sizeof(*since_us));

    struct cutter cutter = { s, ids, since_us, rest };
    copy_all(&cutter, &from->units, sorted, copy_unit);
    copy_all(&cutter, &from->calls, sorted, copy_call);
    copy_all(&cutter, &from->calls911, sorted, copy_call911);
}

int state_snapshot(const struct state *state, const char *community_name, struct state_snapshot **ret)
{
    STATE_LOCK(state);
    const struct community *community = community_find(state, community_name);
    const struct item **sorted CLEANUP(cleanup_free) = malloc(STATE_MAX_ENTRIES * sizeof(struct item *));
    struct state_snapshot *snapshot = malloc(community ? snapshot_size(community) : sizeof(*snapshot));
    if (!snapshot || !sorted) {
        free(snapshot);
        return -ENOMEM;
    }

    *snapshot = (struct state_snapshot){ .as_of = state->event_id };
    if (community)
        snapshot_fill(snapshot, community, sorted);
    *ret = snapshot;
    return 0;
}

struct state_snapshot *state_snapshot_free(struct state_snapshot *snapshot)
{
    free(snapshot);
    return NULL;
}
