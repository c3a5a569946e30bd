/* map.c - items by id, and in the order of hearing; of an overlay those that differ from the map below. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

#define FEW_BUCKETS 64
#define MAX_SPARE 256

static const size_t unit_texts[] = {
    offsetof(struct state_unit, number),     offsetof(struct state_unit, name),  offsetof(struct state_unit, location),
    offsetof(struct state_unit, department), offsetof(struct state_unit, group), offsetof(struct state_unit, api_ids),
};
static const size_t call_texts[] = { offsetof(struct state_call, title),    offsetof(struct state_call, code),
                                     offsetof(struct state_call, address),  offsetof(struct state_call, postal),
                                     offsetof(struct state_call, block),    offsetof(struct state_call, description),
                                     offsetof(struct state_call, last_note) };
static const size_t call911_texts[] = {
    offsetof(struct state_call911, caller),      offsetof(struct state_call911, location),
    offsetof(struct state_call911, description), offsetof(struct state_call911, postal),
    offsetof(struct state_call911, plate),       offsetof(struct state_call911, phone),
    offsetof(struct state_call911, position),
};

static_assert(ARRAY_SIZE(unit_texts) <= MAX_TEXTS, "as many as a put can hold");
static_assert(ARRAY_SIZE(call_texts) <= MAX_TEXTS, "as many as a put can hold");
static_assert(ARRAY_SIZE(call911_texts) <= MAX_TEXTS, "as many as a put can hold");
static_assert(MAX_TEXTS <= 8, "own_texts has a bit for each");

const struct kind map_kind_unit = {
    .texts = unit_texts,
    .n_texts = ARRAY_SIZE(unit_texts),
    .seen_us = offsetof(struct state_unit, seen_us),
    .changed_id = offsetof(struct state_unit, changed_id),
    .changed_source = offsetof(struct state_unit, changed_source),
    .blank.unit = { .status = STATE_UNSET, .page = STATE_UNSET, .online = 1 },
};

const struct kind map_kind_call = {
    .texts = call_texts,
    .n_texts = ARRAY_SIZE(call_texts),
    .seen_us = offsetof(struct state_call, seen_us),
    .changed_id = offsetof(struct state_call, changed_id),
    .changed_source = offsetof(struct state_call, changed_source),
    .blank.call = { .origin = STATE_UNSET,
                    .status = STATE_UNSET,
                    .priority = STATE_UNSET,
                    .track_primary = -1,
                    .primary = STATE_UNSET_ID,
                    .call911 = STATE_UNSET_ID },
};

const struct kind map_kind_call911 = {
    .texts = call911_texts,
    .n_texts = ARRAY_SIZE(call911_texts),
    .seen_us = offsetof(struct state_call911, seen_us),
    .changed_id = offsetof(struct state_call911, changed_id),
    .changed_source = offsetof(struct state_call911, changed_source),
    .blank.call911 = { .emergency = -1, .silent = -1, .call = STATE_UNSET_ID },
};

/* ---- buckets ---- */

static struct item **bucket_of(const struct map *map, int64_t id)
{
    return &map->buckets[((uint64_t) id * 0x9e3779b97f4a7c15 >> 32) & (map->n_buckets - 1)];
}

static void bucket_put(struct map *map, struct item *item)
{
    struct item **bucket = bucket_of(map, item->id);
    item->chain = *bucket;
    *bucket = item;
}

/* Longer chains serve too, where there is no memory for more buckets than the first. */
int map_make_room(struct map *map)
{
    if (map->n_own < map->n_buckets)
        return 0;
    size_t n = map->n_buckets ? 4 * map->n_buckets : FEW_BUCKETS;
    struct item **buckets = calloc(n, sizeof(*buckets)), **old = map->buckets;
    if (!buckets)
        return old ? 0 : -ENOMEM;
    size_t n_old = map->n_buckets;
    map->buckets = buckets;
    map->n_buckets = n;
    for (size_t i = 0; i < n_old; i++)
        for (struct item *item = old[i], *next; item; item = next) {
            next = item->chain;
            bucket_put(map, item);
        }
    free(old);
    return 0;
}

static struct item *own_find(const struct map *map, int64_t id)
{
    struct item *item = map->n_buckets ? *bucket_of(map, id) : NULL;
    while (item && item->id != id)
        item = item->chain;
    return item;
}

void map_own_put(struct map *map, struct item *item)
{
    bucket_put(map, item);
    map->n_own++;
}

static void own_take(struct map *map, struct item *item)
{
    struct item **link = bucket_of(map, item->id);
    while (*link != item)
        link = &(*link)->chain;
    *link = item->chain;
    map->n_own--;
}

/* ---- items ---- */

static struct item *item_new(struct state *state)
{
    struct item *item = state->spare;
    if (!item)
        return calloc(1, sizeof(*item));
    state->spare = item->chain;
    state->n_spare--;
    *item = (struct item){ 0 };
    return item;
}

void map_item_keep(struct state *state, struct item *item)
{
    if (!state->below || state->n_spare == MAX_SPARE) {
        free(item);
        return;
    }
    item->chain = state->spare;
    state->spare = item;
    state->n_spare++;
}

void map_item_free(struct map *map, struct item *item)
{
    texts_free_own(map->kind, item);
    if (item->own_links)
        free(item->links.ids);
    map_item_keep(map->state, item);
}

static void item_blank(const struct map *map, struct item *item)
{
    item->own_texts = ALL_TEXTS;
    item->own_links = true;
    item->duty_told = false;
    item->listed_id = 0;
    item->links = (struct links){ 0 };
    item->facts = map->kind->blank;
    memcpy(&item->facts, &item->id, sizeof(item->id)); /* the first member of each */
}

static usec_t *seen_us_of(const struct map *map, struct item *item)
{
    return (usec_t *) ((char *) &item->facts + map->kind->seen_us);
}

int map_item_changed(struct map *map, struct item *item, int changed)
{
    if (changed <= 0)
        return changed;
    item->change_id = map->state->event_id;
    if (!map->state->below)
        map_changed_note(map, item);
    char *facts = (char *) &item->facts;
    memcpy(facts + map->kind->changed_id, &map->state->event_id, sizeof(map->state->event_id));
    facts[map->kind->changed_source] = (char) map->state->source;
    return changed;
}

/* ---- finding ---- */

/* With marks of those that are gone. */
static struct item *find_any(const struct map *map, int64_t id)
{
    struct item *below = map->below ? own_find(map->below, id) : NULL;
    if (below)
        return below->above ? below->above : below;
    return own_find(map, id);
}

struct item *map_find(const struct map *map, int64_t id)
{
    struct item *item = find_any(map, id);
    return item && !item->gone ? item : NULL;
}

static struct item *copy_up(struct map *map, struct item *below)
{
    assert(map->below == below->map && !below->above);
    struct item *item = item_new(map->state);
    if (!item)
        return NULL;
    *item = *below;
    item->own_texts = 0;
    item->own_links = false;
    item->in_place = true;
    item->map = map;
    item->chain = item->above = NULL;
    item->below = below;
    below->above = item;
    TAILQ_INSERT_TAIL(&map->copied, item, heard);
    return item;
}

struct item *map_change(struct map *map, int64_t id, int *r)
{
    struct item *item = map_find(map, id);
    if (!item || item->map == map)
        return item;
    item = copy_up(map, item);
    if (!item)
        *r = -ENOMEM;
    return item;
}

/* ---- the order of hearing ---- */

static struct item *skip_heard(struct item *below)
{
    while (below && below->above && !below->above->in_place)
        below = TAILQ_NEXT(below, heard);
    return below;
}

/* From one below on: itself or its copy; behind all of them those that were heard of since. */
static struct item *from_below(const struct map *map, struct item *below)
{
    below = skip_heard(below);
    if (!below)
        return TAILQ_FIRST(&map->heard);
    return below->above ? below->above : below;
}

struct item *map_first(const struct map *map)
{
    return from_below(map, map->next_below);
}

struct item *map_oldest(struct map *map)
{
    map->next_below = skip_heard(map->next_below);
    return map_first(map);
}

struct item *map_next(const struct map *map, const struct item *item)
{
    if (item->map != map)
        return from_below(map, TAILQ_NEXT(item, heard));
    return item->in_place ? from_below(map, TAILQ_NEXT(item->below, heard)) : TAILQ_NEXT(item, heard);
}

static void leave_list(struct map *map, struct item *item)
{
    if (item->in_place)
        TAILQ_REMOVE(&map->copied, item, heard);
    else
        TAILQ_REMOVE(&map->heard, item, heard);
    item->in_place = false;
}

void map_touch(struct map *map, struct item *item, usec_t now_us)
{
    assert(item->map == map && !item->gone);
    *seen_us_of(map, item) = now_us;
    item->heard_id = map->state->event_id;
    leave_list(map, item);
    TAILQ_INSERT_TAIL(&map->heard, item, heard);
}

/* ---- making and removing ---- */

/* Where there is none, or the mark of one that is gone. */
static struct item *place_for(struct map *map, int64_t id)
{
    struct item *item = find_any(map, id);
    if (item) {
        assert(item->gone);
        TAILQ_REMOVE(&map->gone, item, heard);
        item->gone = false;
        return item;
    }
    if (map_make_room(map) < 0)
        return NULL;
    item = item_new(map->state);
    if (!item)
        return NULL;
    item->id = id;
    item->map = map;
    map_own_put(map, item);
    return item;
}

static struct item *map_add(struct community *community, struct map *map, int64_t id, usec_t now_us)
{
    struct item *item = place_for(map, id);
    if (!item)
        return NULL;
    item_blank(map, item);
    item->real = !map->state->test;
    if (!map->state->below)
        map_changed_add(map, item);
    TAILQ_INSERT_TAIL(&map->heard, item, heard);
    map_touch(map, item, now_us);
    if (++map->n > STATE_MAX_ENTRIES)
        map_item_remove(community, map, map_oldest(map));
    return item;
}

bool map_spares(const struct map *map, int64_t id)
{
    const struct item *item = map->state->test ? map_find(map, id) : NULL;
    return item && item->real;
}

static bool begins_anew(const struct map *map, const struct item *item)
{
    return !item->real && !map->state->test;
}

struct item *map_hear(struct community *community, struct map *map, int64_t id, usec_t now_us, int *changed)
{
    int r = 0;
    struct item *item = map_change(map, id, &r);
    if (item && begins_anew(map, item)) {
        map_item_remove(community, map, item);
        item = NULL;
    }
    if (item) {
        map_touch(map, item, now_us);
        return item;
    }
    item = r < 0 ? NULL : map_add(community, map, id, now_us);
    if (item)
        *changed = map_item_changed(map, item, 1);
    return item;
}

int map_put(struct community *community, struct map *map, int64_t id, const void *patch, usec_t now_us,
            struct item **ret)
{
    int made = 0;
    const struct item *known = map_find(map, id);
    struct texts texts = { 0 };
    *ret = NULL;
    if (map_spares(map, id))
        return 0;
    bool blank = !known || begins_anew(map, known);
    int r = texts_prepare(&texts, map->kind, blank ? &map->kind->blank : &known->facts, patch);
    if (r < 0)
        return r;

    struct item *item = map_hear(community, map, id, now_us, &made);
    if (!item) {
        texts_free(&texts);
        return -ENOMEM;
    }
    r = texts_hand_over(&texts, map->kind, item);
    *ret = item;
    return r | made;
}

void map_remove(struct map *map, struct item *item, uint64_t event_id)
{
    assert(item->map == map && !item->gone && map->n > 0);
    map->n--;
    leave_list(map, item);
    if (!map->state->below)
        map_changed_remove(map, item, event_id);
    if (!item->below) {
        own_take(map, item);
        map_item_free(map, item);
        return;
    }
    texts_free_own(map->kind, item);
    if (item->own_links)
        free(item->links.ids);
    item_blank(map, item);
    item->gone = true;
    item->change_id = event_id;
    TAILQ_INSERT_TAIL(&map->gone, item, heard);
}
