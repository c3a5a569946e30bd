/* links.c - who is at what: the list of an item, with since when. That of a copy is shared until it changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

usec_t *links_since(const struct links *links)
{
    return (usec_t *) links->ids + links->room;
}

static size_t place_of(const struct links *links, int64_t id)
{
    size_t i = 0;
    while (i < links->n && links->ids[i] != id)
        i++;
    return i;
}

bool links_have(const struct links *links, int64_t id)
{
    return place_of(links, id) < links->n;
}

int links_own(struct item *item, size_t room)
{
    struct links *links = &item->links;
    if (item->own_links && room <= links->room)
        return 0;
    size_t wanted = links->room > 4 ? links->room : 4;
    while (wanted < room)
        wanted *= 2;
    int64_t *ids = calloc(2 * wanted, sizeof(*ids));
    if (!ids)
        return -ENOMEM;
    if (links->n) {
        memcpy(ids, links->ids, links->n * sizeof(*ids));
        memcpy(ids + wanted, links_since(links), links->n * sizeof(*ids));
    }
    if (item->own_links)
        free(links->ids);
    links->ids = ids;
    links->room = wanted;
    item->own_links = true;
    return 0;
}

int link_add(struct item *item, int64_t id, usec_t since_us)
{
    struct links *links = &item->links;
    if (links_have(links, id))
        return 0; /* of a change that had no memory for its rest */
    if (links_own(item, links->n + 1) < 0)
        return -ENOMEM;
    links->ids[links->n] = id;
    links_since(links)[links->n++] = since_us;
    return 0;
}

int link_remove(struct item *item, int64_t id)
{
    struct links *links = &item->links;
    size_t i = place_of(links, id);
    if (i == links->n)
        return 0;
    if (links_own(item, links->n) < 0)
        return -ENOMEM;
    size_t behind = --links->n - i;
    memmove(links->ids + i, links->ids + i + 1, behind * sizeof(*links->ids));
    memmove(links_since(links) + i, links_since(links) + i + 1, behind * sizeof(usec_t));
    return 0;
}
