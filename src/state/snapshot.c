/* snapshot.c - a copy of one community in one block of memory, so that freeing it is one call. */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

/* What is copied: items of one map, in the order in which they are told. */
struct chosen {
    const struct map *map;
    const struct item **items;
    size_t n;
};

/* The block is measured first, then cut in the same order: the snapshot, its arrays, the texts. */
struct cutter {
    struct state_snapshot *snapshot;
    const struct community *from;
    bool changes; /* each with the event that its change is told with; a turn is no event that changed it */
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

static size_t texts_size(const struct chosen *chosen)
{
    const struct kind *kind = chosen->map->kind;
    size_t size = 0;
    for (size_t k = 0; k < chosen->n; k++)
        for (size_t i = 0; i < kind->n_texts; i++) {
            const char *s = text_at(&chosen->items[k]->facts, kind->texts[i]);
            size += s ? strlen(s) + 1 : 0;
        }
    return size;
}

static size_t count_links(const struct chosen *chosen)
{
    size_t n = 0;
    for (size_t k = 0; k < chosen->n; k++)
        n += chosen->items[k]->links.n;
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

static uint64_t told_with(const struct cutter *cutter, const struct item *item, uint64_t changed_id)
{
    return cutter->changes ? item->change_id : changed_id;
}

static void copy_unit(struct cutter *cutter, const struct item *item)
{
    struct state_snapshot *s = cutter->snapshot;
    size_t i = s->n_units++;
    s->units[i] = item->facts.unit;
    s->units[i].test = !item->real;
    s->units[i].changed_id = told_with(cutter, item, item->facts.unit.changed_id);
    copy_texts(cutter, &map_kind_unit, &s->units[i]);

    s->unit_calls[i] = cutter->ids;
    for (size_t k = 0; k < item->links.n; k++) {
        const struct item *call = map_find(&cutter->from->calls, item->links.ids[k]);
        if (call && call->facts.call.status != STATE_CALL_CLOSED)
            *cutter->ids++ = call->id;
    }
    s->n_unit_calls[i] = (size_t) (cutter->ids - s->unit_calls[i]);
}

static void copy_call(struct cutter *cutter, const struct item *item)
{
    const struct links *links = &item->links;
    struct state_snapshot *s = cutter->snapshot;
    size_t i = s->n_calls++;
    s->calls[i] = item->facts.call;
    s->calls[i].test = !item->real;
    s->calls[i].changed_id = told_with(cutter, item, item->facts.call.changed_id);
    copy_texts(cutter, &map_kind_call, &s->calls[i]);

    s->attached[i] = cutter->ids;
    s->attached_since_us[i] = cutter->since_us;
    s->n_attached[i] = links->n;
    for (size_t k = 0; k < links->n; k++) {
        *cutter->ids++ = links->ids[k];
        *cutter->since_us++ = links_since(links)[k];
    }
}

static void add_gone(struct cutter *cutter, enum state_kind kind, int64_t id, uint64_t change_id)
{
    struct state_snapshot *s = cutter->snapshot;
    if (s->gone)
        s->gone[s->n_gone++] = (struct state_gone){ kind, id, change_id };
}

/* Those waiting: not one that was removed, nor what only a dispatch call speaks of. */
static void copy_call911(struct cutter *cutter, const struct item *item)
{
    if (item->facts.call911.removed || !item->facts.call911.told) {
        add_gone(cutter, STATE_KIND_CALL911, item->id, item->change_id);
        return;
    }
    struct state_call911 *call = &cutter->snapshot->calls911[cutter->snapshot->n_calls911++];
    *call = item->facts.call911;
    call->test = !item->real;
    call->changed_id = told_with(cutter, item, item->facts.call911.changed_id);
    copy_texts(cutter, &map_kind_call911, call);
}

/* ---- the block ---- */

enum { UNITS, CALLS, CALLS911, N_MAPS };

struct choice {
    const struct community *from;
    struct chosen of[N_MAPS];
    bool changes;
    size_t n_gone; /* at most */
};

static size_t snapshot_size(const struct choice *choice)
{
    const struct state_snapshot *s = NULL;
    size_t n_units = choice->of[UNITS].n, n_calls = choice->of[CALLS].n;
    size_t n_attached = count_links(&choice->of[CALLS]);
    size_t size = piece_size(1, sizeof(*s)) + piece_size(n_units, sizeof(*s->units)) +
                  piece_size(n_units, sizeof(*s->unit_calls)) + piece_size(n_units, sizeof(*s->n_unit_calls)) +
                  piece_size(n_calls, sizeof(*s->calls)) + piece_size(n_calls, sizeof(*s->attached)) +
                  piece_size(n_calls, sizeof(*s->attached_since_us)) + piece_size(n_calls, sizeof(*s->n_attached)) +
                  piece_size(choice->of[CALLS911].n, sizeof(*s->calls911)) +
                  piece_size(choice->n_gone, sizeof(*s->gone)) +
                  piece_size(count_links(&choice->of[UNITS]) + n_attached, sizeof(int64_t)) +
                  piece_size(n_attached, sizeof(usec_t));
    for (size_t i = 0; i < N_MAPS; i++)
        size += texts_size(&choice->of[i]);
    return size;
}

static struct cutter snapshot_cut(struct state_snapshot *s, const struct choice *choice)
{
    size_t n_units = choice->of[UNITS].n, n_calls = choice->of[CALLS].n;
    size_t n_attached = count_links(&choice->of[CALLS]);
    char *rest = (char *) s + piece_size(1, sizeof(*s));
    struct cutter cutter = { .snapshot = s, .from = choice->from, .changes = choice->changes };
    s->units = cut_piece(&rest, n_units, sizeof(*s->units));
    s->unit_calls = cut_piece(&rest, n_units, sizeof(*s->unit_calls));
    s->n_unit_calls = cut_piece(&rest, n_units, sizeof(*s->n_unit_calls));
    s->calls = cut_piece(&rest, n_calls, sizeof(*s->calls));
    s->attached = cut_piece(&rest, n_calls, sizeof(*s->attached));
    s->attached_since_us = cut_piece(&rest, n_calls, sizeof(*s->attached_since_us));
    s->n_attached = cut_piece(&rest, n_calls, sizeof(*s->n_attached));
    s->calls911 = cut_piece(&rest, choice->of[CALLS911].n, sizeof(*s->calls911));
    s->gone = choice->n_gone ? cut_piece(&rest, choice->n_gone, sizeof(*s->gone)) : NULL;
    cutter.ids = cut_piece(&rest, count_links(&choice->of[UNITS]) + n_attached, sizeof(int64_t));
    cutter.since_us = cut_piece(&rest, n_attached, sizeof(usec_t));
    cutter.texts = rest;
    return cutter;
}

static void copy_all(struct cutter *cutter, const struct chosen *chosen,
                     void (*copy)(struct cutter *cutter, const struct item *item))
{
    for (size_t i = 0; i < chosen->n; i++)
        copy(cutter, chosen->items[i]);
}

static struct cutter snapshot_fill(struct state_snapshot *s, const struct choice *choice)
{
    struct cutter cutter = snapshot_cut(s, choice);
    copy_all(&cutter, &choice->of[UNITS], copy_unit);
    copy_all(&cutter, &choice->of[CALLS], copy_call);
    copy_all(&cutter, &choice->of[CALLS911], copy_call911);
    return cutter;
}

static struct state_snapshot *snapshot_new(const struct state *state, size_t size)
{
    struct state_snapshot *snapshot = malloc(size);
    if (snapshot)
        *snapshot = (struct state_snapshot){ .as_of = state->event_id, .n_turns = state->n_turns };
    return snapshot;
}

static void choice_done(struct choice *choice)
{
    for (size_t i = 0; i < N_MAPS; i++)
        free(choice->of[i].items);
}

static struct choice choice_of(const struct community *from)
{
    return (struct choice){ .from = from,
                            .of = { { .map = &from->units }, { .map = &from->calls }, { .map = &from->calls911 } } };
}

/* ---- all of it ---- */

static int id_compare(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *) a, *y = *(const struct item *const *) b;
    return (x->id > y->id) - (x->id < y->id);
}

static bool choose_all(struct chosen *chosen)
{
    const struct map *map = chosen->map;
    if (!map->n)
        return true;
    chosen->items = malloc(map->n * sizeof(struct item *));
    if (!chosen->items)
        return false;
    for (const struct item *item = map_first(map); item; item = map_next(map, item))
        chosen->items[chosen->n++] = item;
    qsort(chosen->items, chosen->n, sizeof(struct item *), id_compare);
    return true;
}

bool state_next_realm(const struct state *state, char name[REALM_MAX_BYTES + 1])
{
    STATE_LOCK(state);
    const struct community *community, *next = NULL;
    SLIST_FOREACH(community, &state->communities, next)
    if (strcmp(community->name, name) > 0 && (!next || strcmp(community->name, next->name) < 0))
        next = community;
    if (next)
        text_copy(name, REALM_MAX_BYTES + 1, next->name);
    return next;
}

int state_snapshot(const struct state *state, const char *community_name, struct state_snapshot **ret)
{
    STATE_LOCK(state);
    const struct community *community = state_community_find(state, community_name);
    if (!community)
        return (*ret = snapshot_new(state, sizeof(**ret))) ? 0 : -ENOMEM;
    struct choice choice CLEANUP(choice_done) = choice_of(community);
    bool chosen = choose_all(&choice.of[UNITS]) && choose_all(&choice.of[CALLS]) && choose_all(&choice.of[CALLS911]);
    struct state_snapshot *snapshot = chosen ? snapshot_new(state, snapshot_size(&choice)) : NULL;
    if (!snapshot)
        return -ENOMEM;
    snapshot_fill(snapshot, &choice);
    *ret = snapshot;
    return 0;
}

struct state_snapshot *state_snapshot_free(struct state_snapshot *snapshot)
{
    free(snapshot);
    return NULL;
}

/* ---- what changed ---- */

static int change_compare(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *) a, *y = *(const struct item *const *) b;
    int by_change = (x->change_id > y->change_id) - (x->change_id < y->change_id);
    return by_change ? by_change : (x->id > y->id) - (x->id < y->id);
}

static int gone_compare(const void *a, const void *b)
{
    const struct state_gone *x = a, *y = b;
    return (x->changed_id > y->changed_id) - (x->changed_id < y->changed_id);
}

/* From the newest back to the last transaction that has nothing newer. */
static bool choose_changed(struct chosen *chosen, uint64_t after_id)
{
    const struct heard *changed = &chosen->map->changed;
    const struct item *item;
    size_t n = 0;
    TAILQ_FOREACH_REVERSE(item, changed, heard, change)
    {
        if (item->merged_id <= after_id)
            break;
        n++;
    }
    if (n == 0)
        return true;
    const struct item **items = malloc(n * sizeof(struct item *));
    if (!items)
        return false;
    item = TAILQ_LAST(changed, heard);
    for (; n > 0; n--, item = TAILQ_PREV(item, heard, change))
        if (item->change_id > after_id)
            items[chosen->n++] = item;
    qsort(items, chosen->n, sizeof(struct item *), change_compare);
    chosen->items = items;
    return true;
}

static size_t count_removed(const struct map *map, uint64_t after_id)
{
    const struct removed *removed = &map->removed;
    size_t n = 0;
    while (n < removed->n && removed->v[(removed->first + removed->n - 1 - n) % removed->room].merged_id > after_id)
        n++;
    return n;
}

/* One that came again is there. */
static void copy_removals(struct cutter *cutter, const struct map *map, enum state_kind kind, uint64_t after_id)
{
    const struct removed *removed = &map->removed;
    for (size_t n = count_removed(map, after_id); n > 0; n--) {
        const struct removal *removal = &removed->v[(removed->first + removed->n - n) % removed->room];
        if (removal->change_id > after_id && !map_find(map, removal->id))
            add_gone(cutter, kind, removal->id, removal->change_id);
    }
}

void state_lose_changes(struct state *state, uint64_t id)
{
    STATE_LOCK(state);
    if (id > state->lost_id)
        state->lost_id = id;
}

static bool has_lost(const struct state *state, const struct community *community, uint64_t after_id)
{
    return after_id < state->begin_id || after_id < state->lost_id ||
           (community && (after_id < community->units.removed.lost_id || after_id < community->calls.removed.lost_id ||
                          after_id < community->calls911.removed.lost_id));
}

static bool choose_changes(struct choice *choice, uint64_t after_id)
{
    choice->changes = true;
    for (size_t i = 0; i < N_MAPS; i++) {
        if (!choose_changed(&choice->of[i], after_id))
            return false;
        choice->n_gone += count_removed(choice->of[i].map, after_id);
    }
    choice->n_gone += choice->of[CALLS911].n;
    return true;
}

int state_changes(const struct state *state, const char *community_name, uint64_t after_id, struct state_snapshot **ret)
{
    STATE_LOCK(state);
    const struct community *community = state_community_find(state, community_name);
    bool lost = has_lost(state, community, after_id);
    if (!community || lost) {
        *ret = snapshot_new(state, sizeof(**ret));
        if (*ret)
            (*ret)->lost = lost;
        return *ret ? 0 : -ENOMEM;
    }
    struct choice choice CLEANUP(choice_done) = choice_of(community);
    struct state_snapshot *snapshot =
        choose_changes(&choice, after_id) ? snapshot_new(state, snapshot_size(&choice)) : NULL;
    if (!snapshot)
        return -ENOMEM;
    struct cutter cutter = snapshot_fill(snapshot, &choice);
    copy_removals(&cutter, &community->units, STATE_KIND_UNIT, after_id);
    copy_removals(&cutter, &community->calls, STATE_KIND_CALL, after_id);
    copy_removals(&cutter, &community->calls911, STATE_KIND_CALL911, after_id);
    if (snapshot->n_gone > 1)
        qsort(snapshot->gone, snapshot->n_gone, sizeof(*snapshot->gone), gone_compare);
    *ret = snapshot;
    return 0;
}
