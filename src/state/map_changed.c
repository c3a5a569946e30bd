/* map_changed.c - what changed in a map, in the order in which it became part of the state, and what went. So whoever
 * follows a state is told what is new behind an event without a look at all the rest.
 *
 * Changes of one transaction become known at once, but have an event each, and come here in no order of these. So the
 * order is that of transactions (merged_id); within those of which the last event is newer than the one that is asked
 * for, the event of each change tells whether it is (change_id). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

#define FEW_REMOVED 32

static void put_last(struct map *map, struct item *item, uint64_t merged_id)
{
    item->merged_id = merged_id;
    TAILQ_INSERT_TAIL(&map->changed, item, change);
}

void map_changed_add(struct map *map, struct item *item)
{
    put_last(map, item, map->state->event_id);
}

void map_changed_note(struct map *map, struct item *item)
{
    TAILQ_REMOVE(&map->changed, item, change);
    put_last(map, item, map->state->event_id);
}

/* ---- what went ---- */

static bool make_room(struct removed *removed)
{
    if (removed->n < removed->room)
        return true;
    if (removed->room == STATE_MAX_REMOVED)
        return false;
    size_t room = removed->room ? 2 * removed->room : FEW_REMOVED;
    struct removal *v = realloc(removed->v, room * sizeof(*v));
    if (!v)
        return false;
    /* Where there was no memory at the last try, the ring turned: what stood at its start now stands behind its end. */
    memcpy(v + removed->room, v, removed->first * sizeof(*v));
    removed->v = v;
    removed->room = room;
    return true;
}

static void add_removal(struct removed *removed, const struct removal *removal)
{
    if (!make_room(removed)) {
        if (!removed->room) {
            removed->lost_id = removal->merged_id;
            return;
        }
        removed->lost_id = removed->v[removed->first].merged_id;
        removed->first = (removed->first + 1) % removed->room;
        removed->n--;
    }
    removed->v[(removed->first + removed->n++) % removed->room] = *removal;
}

/* What an heir forgets was told by the state that it follows. */
void map_changed_remove(struct map *map, struct item *item, uint64_t event_id)
{
    const struct removal removal = { item->id, event_id, map->state->event_id };
    TAILQ_REMOVE(&map->changed, item, change);
    if (!map->state->elder)
        add_removal(&map->removed, &removal);
}

void map_changed_free(struct map *map)
{
    free(map->removed.v);
    map->removed = (struct removed){ 0 };
    TAILQ_INIT(&map->changed);
}

/* ---- a turn ---- */

static bool same_texts(const struct kind *kind, const union facts *a, const union facts *b)
{
    for (size_t i = 0; i < kind->n_texts; i++) {
        const char *x = text_at(a, kind->texts[i]), *y = text_at(b, kind->texts[i]);
        if (strcmp(x ? x : "", y ? y : "") != 0)
            return false;
    }
    return true;
}

/* Without texts, and what is of no item but of the events that spoke of it. */
static union facts numbers_of(const struct kind *kind, const union facts *facts)
{
    union facts numbers;
    memcpy(&numbers, facts, sizeof(numbers));
    char *bytes = (char *) &numbers;
    for (size_t i = 0; i < kind->n_texts; i++)
        *(const char **) (void *) (bytes + kind->texts[i]) = NULL;
    memset(bytes + kind->seen_us, 0, sizeof(usec_t));
    memset(bytes + kind->changed_id, 0, sizeof(uint64_t));
    memset(bytes + kind->changed_source, 0, sizeof(uint8_t));
    return numbers;
}

static bool same_links(const struct links *a, const struct links *b)
{
    return a->n == b->n && (a->n == 0 || (memcmp(a->ids, b->ids, a->n * sizeof(*a->ids)) == 0 &&
                                          memcmp(links_since(a), links_since(b), a->n * sizeof(usec_t)) == 0));
}

/* One too many is told where the bytes between two members differ. */
static bool is_same(const struct kind *kind, const struct item *a, const struct item *b)
{
    const union facts x = numbers_of(kind, &a->facts), y = numbers_of(kind, &b->facts);
    return a->real == b->real && same_links(&a->links, &b->links) && memcmp(&x, &y, sizeof(x)) == 0 &&
           same_texts(kind, &a->facts, &b->facts);
}

static bool is_closed(const struct map *calls, int64_t id)
{
    const struct item *call = map_find(calls, id);
    return !call || call->facts.call.status == STATE_CALL_CLOSED;
}

/* Of a unit those calls are told that are not closed. */
static bool same_open_calls(const struct community *heir, const struct community *old, const struct item *unit)
{
    for (size_t i = 0; i < unit->links.n; i++)
        if (is_closed(&heir->calls, unit->links.ids[i]) != is_closed(&old->calls, unit->links.ids[i]))
            return false;
    return true;
}

/* What is the same was told as the old state has it, whatever the heir heard of it; the rest is told now. */
static void compare_maps(struct map *heir, const struct map *old, uint64_t change_id, const struct community *units_of,
                         const struct community *units_of_old)
{
    const struct item *was;
    size_t n_others = heir->n;
    TAILQ_FOREACH(was, &old->changed, change)
    {
        const struct removal removal = { was->id, change_id, change_id };
        struct item *item = map_find(heir, was->id);
        if (!item)
            add_removal(&heir->removed, &removal);
        if (!item || !is_same(heir->kind, item, was) || (units_of && !same_open_calls(units_of, units_of_old, item)))
            continue;
        TAILQ_REMOVE(&heir->changed, item, change);
        item->change_id = was->change_id;
        put_last(heir, item, was->merged_id);
        n_others--;
    }
    for (; n_others > 0; n_others--) {
        struct item *item = TAILQ_FIRST(&heir->changed);
        TAILQ_REMOVE(&heir->changed, item, change);
        item->change_id = change_id;
        put_last(heir, item, change_id);
    }
}

void map_changed_compare(struct community *heir, const struct community *old, uint64_t change_id)
{
    compare_maps(&heir->units, &old->units, change_id, heir, old);
    compare_maps(&heir->calls, &old->calls, change_id, NULL, NULL);
    compare_maps(&heir->calls911, &old->calls911, change_id, NULL, NULL);
}

void map_changed_inherit(struct map *heir, struct map *old)
{
    const struct removed forgotten = heir->removed;
    heir->removed = old->removed;
    old->removed = forgotten;
    if (forgotten.lost_id > heir->removed.lost_id)
        heir->removed.lost_id = forgotten.lost_id;
    for (size_t i = 0; i < forgotten.n; i++)
        add_removal(&heir->removed, &forgotten.v[(forgotten.first + i) % forgotten.room]);
}
