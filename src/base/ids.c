/* ids.c - sets of ids: a list, and once it is long a table of where each stands. */
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/ids.h>

#define IDS_FEW 32 /* up to here looking at each is quicker */

_Static_assert(IDS_MAX <= UINT16_MAX, "a slot is the place of an id, plus 1");

static size_t n_slots(const struct ids *ids)
{
    return 2 * ids->room;
}

/* Where the id stands, or the free place for it. n_slots is a power of two. */
static uint16_t *find_slot(const struct ids *ids, int64_t id)
{
    size_t mask = n_slots(ids) - 1, i = (size_t) ((uint64_t) id * 0x9e3779b97f4a7c15 >> 32) & mask;
    while (ids->slots[i] && ids->v[ids->slots[i] - 1] != id)
        i = (i + 1) & mask;
    return &ids->slots[i];
}

static bool has(const struct ids *ids, int64_t id)
{
    if (ids->n > IDS_FEW)
        return *find_slot(ids, id);
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return true;
    return false;
}

static bool make_room(struct ids *ids)
{
    size_t room = ids->room ? 2 * ids->room : 8;
    int64_t *v = realloc(ids->v, room * sizeof(*v));
    if (!v)
        return false;
    ids->v = v;
    uint16_t *slots = room > IDS_FEW ? realloc(ids->slots, 2 * room * sizeof(*slots)) : ids->slots;
    if (!slots && room > IDS_FEW)
        return false;
    ids->slots = slots;
    ids->room = room;
    return true;
}

/* All of them into their slots anew. */
static void fill_slots(const struct ids *ids)
{
    memset(ids->slots, 0, n_slots(ids) * sizeof(*ids->slots));
    for (size_t i = 0; i < ids->n; i++)
        *find_slot(ids, ids->v[i]) = (uint16_t) (i + 1);
}

void ids_add(struct ids *ids, int64_t id)
{
    if (ids->n == IDS_MAX || has(ids, id))
        return;
    bool grow = ids->n == ids->room;
    if (grow && !make_room(ids))
        return;
    ids->v[ids->n++] = id;
    if (ids->n == IDS_FEW + 1 || (grow && ids->n > IDS_FEW))
        fill_slots(ids);
    else if (ids->n > IDS_FEW)
        *find_slot(ids, id) = (uint16_t) ids->n;
}

void ids_free(struct ids *ids)
{
    free(ids->v);
    free(ids->slots);
    *ids = (struct ids){ 0 };
}
