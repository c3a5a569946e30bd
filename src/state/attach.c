/* attach.c - units at dispatch calls. Call and unit know each other, so that neither has to be searched for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

struct id_list {
    int64_t v[STATE_MAX_ATTACHED];
    size_t n;
};

enum change { ATTACH, DETACH, REPLACE };

static bool ids_have(const int64_t *ids, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* A full list ignores the rest. */
static void list_add(struct id_list *list, const int64_t *ids, size_t n)
{
    for (size_t i = 0; i < n && list->n < STATE_MAX_ATTACHED; i++)
        if (!ids_have(list->v, list->n, ids[i]))
            list->v[list->n++] = ids[i];
}

/* What will be attached to a call. */
static void change_list(struct id_list *next, enum change change, const struct links *links, const int64_t *units,
                        size_t n_units)
{
    if (change == ATTACH)
        list_add(next, links->ids, links->n);
    if (change == DETACH)
        for (size_t i = 0; i < links->n; i++)
            if (!ids_have(units, n_units, links->ids[i]))
                next->v[next->n++] = links->ids[i];
    if (change != DETACH)
        list_add(next, units, n_units);
}

/* No real unit is at a call that a test made up. */
static void next_list(struct id_list *next, enum change change, const struct community *community,
                      const struct item *call, const int64_t *units, size_t n_units)
{
    struct id_list all = { .n = 0 };
    change_list(&all, change, &call->links, units, n_units);
    next->n = 0;
    for (size_t i = 0; i < all.n; i++)
        if (!map_spares(&community->units, all.v[i]))
            next->v[next->n++] = all.v[i];
}

static int leave(struct community *community, const struct item *call, const struct id_list *next)
{
    int r = 0;
    for (size_t i = 0; i < call->links.n; i++) {
        if (ids_have(next->v, next->n, call->links.ids[i]))
            continue;
        struct item *unit = map_change(&community->units, call->links.ids[i], &r);
        if (unit && link_remove(unit, call->id) < 0)
            return -ENOMEM;
        if (unit)
            map_item_changed(&community->units, unit, 1);
    }
    return r;
}

static int join(struct community *community, const struct item *call, const struct id_list *next, usec_t since_us)
{
    int r = 0;
    for (size_t i = 0; i < next->n; i++) {
        if (links_have(&call->links, next->v[i]))
            continue;
        struct item *unit = map_change(&community->units, next->v[i], &r);
        if (!unit || link_add(unit, call->id, since_us) < 0)
            return -ENOMEM;
        map_item_changed(&community->units, unit, 1);
    }
    return r;
}

/* Those who stay keep their since. */
static void write_list(struct links *links, const struct id_list *next, usec_t since_us)
{
    usec_t since[STATE_MAX_ATTACHED] = { 0 };
    for (size_t i = 0; i < next->n; i++) {
        size_t k = 0;
        while (k < links->n && links->ids[k] != next->v[i])
            k++;
        since[i] = k < links->n ? links_since(links)[k] : since_us;
    }
    links->n = next->n;
    for (size_t i = 0; i < next->n; i++) {
        links->ids[i] = next->v[i];
        links_since(links)[i] = since[i];
    }
}

static int replace_list(struct community *community, struct item *call, const struct id_list *next, usec_t since_us)
{
    const struct links *links = &call->links;
    if (next->n == links->n && (next->n == 0 || memcmp(links->ids, next->v, next->n * sizeof(next->v[0])) == 0))
        return 0;
    if (links_own(call, next->n) < 0 || leave(community, call, next) < 0 || join(community, call, next, since_us) < 0)
        return -ENOMEM;
    write_list(&call->links, next, since_us);
    return map_item_changed(&community->calls, call, 1);
}

/* A list says since when only where an earlier one was seen, or the call begins with it. */
static usec_t begins_us(const struct state *state, enum change change, const struct item *call, usec_t now_us)
{
    bool seen = call->facts.call.opened_us == now_us || (call->listed_id && call->listed_id != state->event_id);
    return change != REPLACE || seen ? now_us : 0;
}

static int change_attached(struct state *state, const char *community_name, enum change change, int64_t id,
                           const int64_t *units, size_t n_units, usec_t now_us)
{
    STATE_LOCK(state);
    int changed = 0;
    struct community *community = state_community_hear(state, community_name);
    if (community && map_spares(&community->calls, id))
        return 0;
    struct item *call = community ? map_hear(community, &community->calls, id, now_us, &changed) : NULL;
    if (!call)
        return -ENOMEM;

    struct id_list told = { .n = 0 }, next;
    list_add(&told, units, n_units);
    next_list(&next, change, community, call, units, n_units);
    for (size_t i = 0; i < told.n; i++)
        if (change == DETACH ? !map_spares(&community->units, told.v[i]) : ids_have(next.v, next.n, told.v[i]))
            if (!map_hear(community, &community->units, told.v[i], now_us, &changed))
                return -ENOMEM;

    next_list(&next, change, community, call, units, n_units); /* who was forgotten now is at no call any more */
    int r = replace_list(community, call, &next, begins_us(state, change, call, now_us));
    return r < 0 ? r : changed | r;
}

int state_call_attach(struct state *state, const char *community, int64_t call, const int64_t *units, size_t n_units,
                      usec_t now_us)
{
    return change_attached(state, community, ATTACH, call, units, n_units, now_us);
}

int state_call_detach(struct state *state, const char *community, int64_t call, const int64_t *units, size_t n_units,
                      usec_t now_us)
{
    return change_attached(state, community, DETACH, call, units, n_units, now_us);
}

int state_call_set_units(struct state *state, const char *community, int64_t call, const int64_t *units, size_t n_units,
                         usec_t now_us)
{
    return change_attached(state, community, REPLACE, call, units, n_units, now_us);
}

static int clear_unit(struct community *community, struct item *unit, usec_t now_us)
{
    int changed = 0, r = 0;
    while (unit->links.n && r >= 0) {
        struct item *call = map_change(&community->calls, unit->links.ids[unit->links.n - 1], &r);
        if (call) {
            r = link_remove(call, unit->id);
            map_touch(&community->calls, call, now_us);
            changed = map_item_changed(&community->calls, call, 1);
        }
        if (r >= 0)
            r = link_remove(unit, unit->links.ids[unit->links.n - 1]);
    }
    map_item_changed(&community->units, unit, changed);
    return r < 0 ? r : changed;
}

int state_units_clear(struct state *state, const char *community_name, const int64_t *units, size_t n_units,
                      usec_t now_us)
{
    STATE_LOCK(state);
    int changed = 0;
    if (n_units == 0 || !state_community_find(state, community_name))
        return 0;
    struct community *community = state_community_hear(state, community_name);
    if (!community)
        return -ENOMEM;
    for (size_t i = 0; i < n_units; i++) {
        int r = 0;
        struct item *unit = map_change(&community->units, units[i], &r);
        if (unit && !map_spares(&community->units, units[i])) {
            map_touch(&community->units, unit, now_us);
            r = clear_unit(community, unit, now_us);
        }
        if (r < 0)
            return r;
        changed |= r;
    }
    return changed;
}
