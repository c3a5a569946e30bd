/* merge.c - a map from its beginning to its end: that of an overlay goes down into its base, or away. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

#define MANY_BUCKETS 1024 /* an overlay does not keep more */

void map_init(struct map *map, const struct kind *kind, struct state *state)
{
    *map = (struct map){ .kind = kind, .state = state };
    TAILQ_INIT(&map->heard);
    TAILQ_INIT(&map->copied);
    TAILQ_INIT(&map->gone);
    TAILQ_INIT(&map->changed);
}

void map_begin(struct map *map, struct map *below)
{
    map->below = below;
    map->n = below ? below->n : 0;
    map->next_below = below ? TAILQ_FIRST(&below->heard) : NULL;
}

/* An overlay's, whose items have all left it. */
static void map_emptied(struct map *map)
{
    if (map->n_own && map->n_buckets <= MANY_BUCKETS)
        memset(map->buckets, 0, map->n_buckets * sizeof(struct item *));
    if (map->n_buckets > MANY_BUCKETS) {
        free(map->buckets);
        map->buckets = NULL;
        map->n_buckets = 0;
    }
    map->n_own = 0;
}

static void merge_copy(struct map *map, struct item *item)
{
    struct map *base = map->below;
    struct item *below = item->below;
    assert(below->above == item && below->map == base);
    below->above = NULL;
    if (below->change_id != item->change_id) {
        below->change_id = item->change_id;
        map_changed_note(base, below);
    }
    texts_merge(map->kind, item);
    if (item->own_links) {
        free(below->links.ids);
        below->links = item->links;
    }
    below->heard_id = item->heard_id;
    below->listed_id = item->listed_id;
    below->duty_told = item->duty_told;
    below->real = item->real;
    if (!item->in_place) {
        TAILQ_REMOVE(&base->heard, below, heard);
        TAILQ_INSERT_TAIL(&base->heard, below, heard);
    }
    map_item_keep(map->state, item);
}

/* Not even the first buckets: what cannot be kept is not known. */
static void merge_new(struct map *map, struct item *item)
{
    struct map *base = map->below;
    if (map_make_room(base) < 0) {
        map_item_free(map, item);
        return;
    }
    item->map = base;
    map_own_put(base, item);
    map_changed_add(base, item);
    TAILQ_INSERT_TAIL(&base->heard, item, heard);
    base->n++;
}

static void merge_gone(struct map *map)
{
    struct item *item;
    while ((item = TAILQ_FIRST(&map->gone))) {
        TAILQ_REMOVE(&map->gone, item, heard);
        map_remove(map->below, item->below, item->change_id);
        map_item_keep(map->state, item);
    }
}

void map_merge(struct map *map)
{
    struct item *item;
    merge_gone(map);
    while ((item = TAILQ_FIRST(&map->copied))) {
        TAILQ_REMOVE(&map->copied, item, heard);
        merge_copy(map, item);
    }
    while ((item = TAILQ_FIRST(&map->heard))) {
        TAILQ_REMOVE(&map->heard, item, heard);
        if (item->below)
            merge_copy(map, item);
        else
            merge_new(map, item);
    }
    map_emptied(map);
}

static void drop_list(struct map *map, struct heard *list)
{
    struct item *item;
    while ((item = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, item, heard);
        if (item->below)
            item->below->above = NULL;
        map_item_free(map, item);
    }
}

void map_drop(struct map *map)
{
    drop_list(map, &map->heard);
    drop_list(map, &map->copied);
    drop_list(map, &map->gone);
    map_emptied(map);
}

void map_clear(struct map *map)
{
    map_drop(map);
    map_changed_free(map);
    free(map->buckets);
    map->buckets = NULL;
    map->n_buckets = 0;
}
