/* finder.h - inside src/story: numbers from 0 on for ids of the CAD, each of a community. */
#pragma once

#include <sonoran-pushd/base.h>

#define FINDER_COMMUNITIES_MAX 4096

struct finder_slot {
    int64_t id;
    uint32_t community, place; /* of it, from 1; 0: free */
};

struct finder {
    struct finder_slot *slots; /* a power of two */
    size_t n, n_slots;
};

/* Its number; where it is new, the next one, and *ret_new. SIZE_MAX: no memory. */
size_t finder_get(struct finder *finder, uint32_t community, int64_t id, bool *ret_new);
void finder_free(struct finder *finder);

/* The same for communities, by their names; at most FINDER_COMMUNITIES_MAX. */
struct finder_names {
    char (*v)[REALM_MAX_BYTES + 1];
    size_t n, newest; /* newest: that was asked for */
};

/* UINT32_MAX: no memory, or too many. */
uint32_t finder_community(struct finder_names *names, const char *community);
