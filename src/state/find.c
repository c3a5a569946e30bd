/* find.c - looking at what is known, for those who describe an event and for what follows from it. */
#include <string.h>

#include <sonoran-pushd/ids.h>

#include "state_private.h"

static const struct community *find_in(const struct state *state, const char *name)
{
    return state ? state_community_find(state, name) : NULL;
}

static const struct item *find_item_unit(const struct state *state, const char *name, int64_t id)
{
    const struct community *community = find_in(state, name);
    return community ? map_find(&community->units, id) : NULL;
}

static const struct item *find_item_call(const struct state *state, const char *name, int64_t id)
{
    const struct community *community = find_in(state, name);
    return community ? map_find(&community->calls, id) : NULL;
}

const struct state_unit *state_find_unit(const struct state *state, const char *community, int64_t id)
{
    const struct item *item = find_item_unit(state, community, id);
    return item ? &item->facts.unit : NULL;
}

const struct state_call *state_find_call(const struct state *state, const char *community, int64_t id)
{
    const struct item *item = find_item_call(state, community, id);
    return item ? &item->facts.call : NULL;
}

const struct state_call911 *state_find_call911(const struct state *state, const char *community_name, int64_t id)
{
    const struct community *community = find_in(state, community_name);
    const struct item *item = community ? map_find(&community->calls911, id) : NULL;
    return item ? &item->facts.call911 : NULL;
}

size_t state_call_units(const struct state *state, const char *community, int64_t call, const int64_t **ret)
{
    const struct item *item = find_item_call(state, community, call);
    *ret = item ? item->links.ids : NULL;
    return item ? item->links.n : 0;
}

size_t state_unit_calls(const struct state *state, const char *community, int64_t unit, int64_t *ret, size_t max)
{
    const struct item *item = find_item_unit(state, community, unit);
    size_t n = 0;
    for (size_t i = 0; item && i < item->links.n && n < max; i++) {
        const struct state_call *call = state_find_call(state, community, item->links.ids[i]);
        if (call && call->status != STATE_CALL_CLOSED)
            ret[n++] = call->id;
    }
    return n;
}

int64_t state_call_of_911(const struct state *state, const char *community, int64_t call911)
{
    const struct state_call911 *from = state_find_call911(state, community, call911);
    const struct state_call *call = from ? state_find_call(state, community, from->call) : NULL;
    bool made = call && call->call911 == call911; /* it may have been moved to another one */
    return made ? call->id : STATE_UNSET_ID;
}

int64_t state_unit_by_number(const struct state *state, const char *community_name, const char *number)
{
    const struct community *community = find_in(state, community_name);
    const struct item *item = community && *number ? map_first(&community->units) : NULL;
    int64_t ids[2] = { STATE_UNSET_ID, STATE_UNSET_ID }; /* off duty, on duty */
    size_t n[2] = { 0, 0 };
    for (; item; item = map_next(&community->units, item)) {
        const struct state_unit *unit = &item->facts.unit;
        if (!unit->number || strcmp(unit->number, number) != 0)
            continue;
        ids[unit->online == 1] = item->id;
        n[unit->online == 1]++;
    }
    bool on_duty = n[1] > 0;
    return n[on_duty] == 1 ? ids[on_duty] : STATE_UNSET_ID;
}

void state_group_units(const struct state *state, const char *community_name, const char *group, struct ids *out)
{
    const struct community *community = find_in(state, community_name);
    const struct item *item = community && *group ? map_first(&community->units) : NULL;
    for (; item; item = map_next(&community->units, item))
        if (text_is(item->facts.unit.group, group))
            ids_add(out, item->id);
}
