/* finder.c - a table of ids with open addressing, at most half full. */
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/text.h>

#include "finder.h"

static struct finder_slot *look(const struct finder *finder, uint32_t community, int64_t id)
{
    uint64_t hash = ((uint64_t) id + community * (uint64_t) 0xff51afd7ed558ccd) * 0x9e3779b97f4a7c15;
    size_t i = (size_t) (hash >> 24) & (finder->n_slots - 1);
    while (finder->slots[i].place && (finder->slots[i].id != id || finder->slots[i].community != community))
        i = (i + 1) & (finder->n_slots - 1);
    return &finder->slots[i];
}

static bool grow(struct finder *finder)
{
    struct finder larger = { .n = finder->n, .n_slots = finder->n_slots ? 2 * finder->n_slots : 256 };
    larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < finder->n_slots; i++)
        if (finder->slots[i].place)
            *look(&larger, finder->slots[i].community, finder->slots[i].id) = finder->slots[i];
    free(finder->slots);
    *finder = larger;
    return true;
}

size_t finder_get(struct finder *finder, uint32_t community, int64_t id, bool *ret_new)
{
    *ret_new = false;
    if (2 * finder->n >= finder->n_slots && !grow(finder))
        return SIZE_MAX;
    struct finder_slot *slot = look(finder, community, id);
    if (slot->place)
        return slot->place - 1;
    *ret_new = true;
    *slot = (struct finder_slot){ .id = id, .community = community, .place = (uint32_t) ++finder->n };
    return finder->n - 1;
}

void finder_free(struct finder *finder)
{
    free(finder->slots);
    *finder = (struct finder){ 0 };
}

uint32_t finder_community(struct finder_names *names, const char *community)
{
    if (names->n && strcmp(names->v[names->newest], community) == 0)
        return (uint32_t) names->newest;
    size_t i = 0;
    while (i < names->n && strcmp(names->v[i], community) != 0)
        i++;
    if (i == names->n) {
        void *v = i < FINDER_COMMUNITIES_MAX ? realloc(names->v, (i + 1) * sizeof(*names->v)) : NULL;
        if (!v)
            return UINT32_MAX;
        names->v = v;
        text_copy(names->v[names->n++], REALM_MAX_BYTES + 1, community);
    }
    names->newest = i;
    return (uint32_t) i;
}
