/* units.c - what events change in units, and how many of them are on duty. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

static void count_unit(struct community *community, const struct state_unit *unit, int step)
{
    if (!unit->told || !unit->online)
        return;
    community->n_on_duty += step;
    community->n_dispatchers += unit->dispatcher ? step : 0;
}

static int put_status(struct state_unit *unit, const struct state_unit *patch, usec_t now_us)
{
    bool told_before = unit->status != STATE_UNSET;
    if (!set_number(&unit->status, patch->status))
        return 0;
    unit->status_since_us = state_since(told_before, patch->status_since_us, now_us);
    return 1;
}

static int put_duty(struct item *item, const struct state_unit *patch, usec_t now_us)
{
    struct state_unit *unit = &item->facts.unit;
    bool told_before = item->duty_told, changed = set_flag(&unit->online, patch->online);
    item->duty_told |= patch->online >= 0;
    if (changed || (!told_before && patch->duty_since_us))
        unit->duty_since_us = state_since(told_before, patch->duty_since_us, now_us);
    return changed || (!told_before && patch->duty_since_us);
}

/* Who leaves is in panic no more: nobody is left to switch it off. */
static int put_panic(struct state_unit *unit, const struct state_unit *patch, usec_t now_us)
{
    if (!set_flag(&unit->panic, patch->online == 0 ? 0 : patch->panic))
        return 0;
    unit->panic_since_us = state_since(unit->told || !unit->panic, patch->panic_since_us, now_us);
    return 1;
}

static int put_told(struct state_unit *unit, bool told)
{
    bool changed = told && !unit->told;
    unit->told |= told;
    return changed;
}

int state_unit_put(struct state *state, const char *community_name, const struct state_unit *patch, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = state_community_hear(state, community_name);
    struct item *item = NULL;
    int changed = community ? map_put(community, &community->units, patch->id, patch, now_us, &item) : -ENOMEM;
    if (!item)
        return changed;

    struct state_unit *unit = &item->facts.unit;
    count_unit(community, unit, -1);
    changed |= set_number(&unit->page, patch->page);
    changed |= set_flag(&unit->dispatcher, patch->dispatcher);
    changed |= put_status(unit, patch, now_us);
    changed |= put_duty(item, patch, now_us);
    changed |= put_panic(unit, patch, now_us);
    changed |= put_told(unit, patch->told && !state->test);
    count_unit(community, unit, 1);
    return map_item_changed(&community->units, item, changed);
}

/* The units of a group, n at most; those that tests made up are not in a real one, and the other way round. */
static size_t members(const struct map *units, const char *group, int64_t *ret, size_t n)
{
    size_t found = 0;
    for (const struct item *item = map_first(units); item && found < n; item = map_next(units, item))
        if (item->real != units->state->test && text_is(item->facts.unit.group, group))
            ret[found++] = item->id;
    return found;
}

int state_group_rename(struct state *state, const char *community_name, const char *old_name, const char *new_name,
                       usec_t now_us)
{
    STATE_LOCK(state);
    if (*old_name == '\0' || !state_community_find(state, community_name)) /* units of no group are not a group */
        return 0;
    struct community *community = state_community_hear(state, community_name);
    int64_t *ids CLEANUP(cleanup_free) = calloc(STATE_MAX_ENTRIES, sizeof(*ids));
    if (!community || !ids)
        return -ENOMEM;

    int changed = 0;
    size_t n = members(&community->units, old_name, ids, STATE_MAX_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids[i]);
        struct item *item = NULL;
        patch.group = new_name;
        int r = map_put(community, &community->units, ids[i], &patch, now_us, &item);
        if (!item)
            return r;
        changed |= map_item_changed(&community->units, item, r);
    }
    return changed;
}

bool map_item_remove(struct community *community, struct map *map, struct item *item)
{
    int r = 0;
    item = map_change(map, item->id, &r);
    if (!item)
        return false;
    struct map *others = map == &community->units ? &community->calls : &community->units;
    for (size_t i = 0; i < item->links.n; i++) {
        struct item *other = map_change(others, item->links.ids[i], &r);
        if (other) {
            r |= link_remove(other, item->id);
            map_item_changed(others, other, 1);
        }
    }
    if (map == &community->units)
        count_unit(community, &item->facts.unit, -1);
    map_remove(map, item, map->state->event_id);
    return true;
}

void state_count(const struct state *state, const char *community_name, int *ret_dispatchers, int *ret_on_duty)
{
    const struct community *community = state ? state_community_find(state, community_name) : NULL;
    *ret_dispatchers = community ? community->n_dispatchers : 0;
    *ret_on_duty = community ? community->n_on_duty : 0;
}
