/* ids.h - a growing set of ids in the order they came, up to IDS_MAX.
 *
 * Owner:   whoever has it; zeroed memory is an empty one, ids_free ends it.
 * Threads: none; a set belongs to one thread at a time.
 * Errors:  none: without memory an id is left out.
 */
#pragma once

#include <sonoran-pushd/base.h>

#define IDS_MAX 4096

struct ids {
    int64_t *v;
    size_t n, room;
    uint16_t *slots; /* of ids.c: where in v an id stands, once there are many */
};

void ids_add(struct ids *ids, int64_t id); /* no effect when it is there already, full, or without memory */
void ids_free(struct ids *ids);
