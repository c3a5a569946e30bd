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
    const struct item *item;
    TAILQ_FOREACH(item, &map->heard, heard)
    for (size_t i = 0; i < map->kind->n_texts; i++) {
        const char *s = text_at(&item->facts, map->kind->texts[i]);
        size += s ? strlen(s) + 1 : 0;
    }
    return size;
}

static size_t count_attached(const struct map *calls)
{
    size_t n = 0;
    const struct item *item;
    TAILQ_FOREACH(item, &calls->heard, heard)
    n += item->n_attached;
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

static void copy_unit(struct item *item, void *context)
{
    struct cutter *cutter = context;
    struct state_unit *unit = &cutter->snapshot->units[cutter->snapshot->n_units++];
    *unit = item->facts.unit;
    unit->id = item->id;
    unit->seen_us = item->seen_us;
    copy_texts(cutter, &kind_unit, unit);
}

static void copy_call(struct item *item, void *context)
{
    struct cutter *cutter = context;
    size_t i = cutter->snapshot->n_calls++;
    struct state_call *call = &cutter->snapshot->calls[i];
    *call = item->facts.call;
    call->id = item->id;
    call->seen_us = item->seen_us;
    copy_texts(cutter, &kind_call, call);

    cutter->snapshot->attached[i] = cutter->ids;
    cutter->snapshot->n_attached[i] = item->n_attached;
    for (size_t k = 0; k < item->n_attached; k++)
        *cutter->ids++ = item->attached[k];
}

static void copy_call911(struct item *item, void *context)
{
    struct cutter *cutter = context;
    struct state_call911 *call = &cutter->snapshot->calls911[cutter->snapshot->n_calls911++];
    *call = item->facts.call911;
    call->id = item->id;
    call->seen_us = item->seen_us;
    copy_texts(cutter, &kind_call911, call);
}

static size_t snapshot_size(const struct community *from)
{
    const struct state_snapshot *s = NULL;
    return piece_size(1, sizeof(*s)) + piece_size(from->units.n, sizeof(*s->units)) +
           piece_size(from->calls.n, sizeof(*s->calls)) + piece_size(from->calls.n, sizeof(*s->attached)) +
           piece_size(from->calls.n, sizeof(*s->n_attached)) + piece_size(from->calls911.n, sizeof(*s->calls911)) +
           piece_size(count_attached(&from->calls), sizeof(int64_t)) + texts_size(&from->units) +
           texts_size(&from->calls) + texts_size(&from->calls911);
}

static void snapshot_fill(struct state_snapshot *s, const struct community *from)
{
    char *rest = (char *) s + piece_size(1, sizeof(*s));
    s->units = cut_piece(&rest, from->units.n, sizeof(*s->units));
    s->calls = cut_piece(&rest, from->calls.n, sizeof(*s->calls));
    s->attached = cut_piece(&rest, from->calls.n, sizeof(*s->attached));
    s->n_attached = cut_piece(&rest, from->calls.n, sizeof(*s->n_attached));
    s->calls911 = cut_piece(&rest, from->calls911.n, sizeof(*s->calls911));
    int64_t *ids = cut_piece(&rest, count_attached(&from->calls), sizeof(*ids));

    struct cutter cutter = { s, ids, rest };
    map_walk(&from->units, copy_unit, &cutter);
    map_walk(&from->calls, copy_call, &cutter);
    map_walk(&from->calls911, copy_call911, &cutter);
}

int state_snapshot(const struct state *state, const char *community_name, struct state_snapshot **ret)
{
    STATE_LOCK(state);
    const struct community *community = community_find(state, community_name);
    struct state_snapshot *snapshot = malloc(community ? snapshot_size(community) : sizeof(*snapshot));
    if (!snapshot)
        return -ENOMEM;

    *snapshot = (struct state_snapshot){ 0 };
    if (community)
        snapshot_fill(snapshot, community);
    *ret = snapshot;
    return 0;
}

struct state_snapshot *state_snapshot_free(struct state_snapshot *snapshot)
{
    free(snapshot);
    return NULL;
}
