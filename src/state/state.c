/* state.c - what events change in the CAD as we know it. Reading it: names.c and snapshot.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

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

static bool set_number(int32_t *known, int32_t told)
{
    if (told == STATE_UNSET || told == *known)
        return false;
    *known = told;
    return true;
}

static bool set_id(int64_t *known, int64_t told)
{
    if (told == STATE_UNSET_ID || told == *known)
        return false;
    *known = told;
    return true;
}

static bool set_flag(int8_t *known, int8_t told)
{
    if (told < 0 || !told == !*known)
        return false;
    *known = told != 0;
    return true;
}

struct community *community_find(const struct state *state, const char *name)
{
    struct community *community;
    SLIST_FOREACH(community, &state->communities, next)
    if (strcmp(community->name, name) == 0)
        return community;
    return NULL;
}

static struct community *community_hear(struct state *state, const char *name)
{
    struct community *community = community_find(state, name);
    if (community)
        return community;

    size_t size = strlen(name) + 1;
    community = calloc(1, sizeof(*community) + size);
    if (!community)
        return NULL;
    memcpy(community->name, name, size);
    map_init(&community->units, &kind_unit);
    map_init(&community->calls, &kind_call);
    map_init(&community->calls911, &kind_call911);
    SLIST_INSERT_HEAD(&state->communities, community, next);
    return community;
}

struct state *state_new(void)
{
    struct state *state = calloc(1, sizeof(*state));
    if (!state)
        return NULL;
    pthread_mutex_init(&state->mutex, NULL);
    state->lock = &state->mutex;
    return state;
}

struct state *state_free(struct state *state)
{
    if (!state)
        return NULL;

    struct community *community;
    while ((community = SLIST_FIRST(&state->communities))) {
        SLIST_REMOVE_HEAD(&state->communities, next);
        map_clear(&community->units);
        map_clear(&community->calls);
        map_clear(&community->calls911);
        free(community);
    }
    pthread_mutex_destroy(&state->mutex);
    free(state);
    return NULL;
}

int state_unit_put(struct state *state, const char *community_name, const struct state_unit *patch, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = community_hear(state, community_name);
    if (!community)
        return -ENOMEM;

    struct item *item;
    int changed = map_put(&community->units, patch->id, patch, now_us, &item);
    if (changed < 0)
        return changed;

    struct state_unit *unit = &item->facts.unit;
    changed |= set_number(&unit->status, patch->status);
    changed |= set_number(&unit->page, patch->page);
    changed |= set_flag(&unit->dispatcher, patch->dispatcher);
    changed |= set_flag(&unit->online, patch->online);
    changed |= set_flag(&unit->panic, patch->online == 0 ? 0 : patch->panic); /* nobody is left to switch it off */
    return changed;
}

int state_call_put(struct state *state, const char *community_name, const struct state_call *patch, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = community_hear(state, community_name);
    if (!community)
        return -ENOMEM;

    struct item *item;
    int changed = map_put(&community->calls, patch->id, patch, now_us, &item);
    if (changed < 0)
        return changed;

    struct state_call *call = &item->facts.call;
    changed |= set_number(&call->origin, patch->origin);
    changed |= set_number(&call->status, patch->status);
    changed |= set_number(&call->priority, patch->priority);
    changed |= set_id(&call->primary, patch->primary);
    changed |= set_id(&call->call911, patch->call911);
    if (patch->n_notes && patch->n_notes != call->n_notes) {
        call->n_notes = patch->n_notes;
        changed = 1;
    }
    return changed;
}

int state_call911_put(struct state *state, const char *community_name, const struct state_call911 *patch, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = community_hear(state, community_name);
    if (!community)
        return -ENOMEM;

    struct item *item;
    int changed = map_put(&community->calls911, patch->id, patch, now_us, &item);
    if (changed < 0)
        return changed;
    return changed | set_flag(&item->facts.call911.emergency, patch->emergency);
}

struct rename {
    struct map *units;
    const char *old_name, *new_name;
    usec_t now_us;
    int result;
};

static void rename_group(struct item *item, void *context)
{
    struct rename *rename = context;
    if (rename->result < 0 || !text_is(item->facts.unit.group, rename->old_name))
        return;

    struct state_unit patch = STATE_UNIT_PATCH(item->id);
    patch.group = rename->new_name;
    rename->result = map_put(rename->units, item->id, &patch, rename->now_us, &item);
}

int state_group_rename(struct state *state, const char *community_name, const char *old_name, const char *new_name,
                       usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = community_find(state, community_name);
    if (!community || *old_name == '\0') /* units of no group are not a group */
        return 0;

    struct rename rename = { &community->units, old_name, new_name, now_us, 0 };
    map_walk(&community->units, rename_group, &rename);
    return rename.result;
}

/* What will be attached to a call. */
static void change_list(struct id_list *next, enum change change, const struct item *call, const int64_t *units,
                        size_t n_units)
{
    if (change == ATTACH)
        list_add(next, call->attached, call->n_attached);
    if (change == DETACH)
        for (size_t i = 0; i < call->n_attached; i++)
            if (!ids_have(units, n_units, call->attached[i]))
                next->v[next->n++] = call->attached[i];
    if (change != DETACH)
        list_add(next, units, n_units);
}

/* Memory can lack only where there are more than before. */
static int replace_attached(struct item *call, const struct id_list *next)
{
    size_t size = next->n * sizeof(next->v[0]);
    if (next->n == call->n_attached && (size == 0 || memcmp(call->attached, next->v, size) == 0))
        return 0;

    if (next->n > call->n_attached) {
        int64_t *attached = realloc(call->attached, size);
        if (!attached)
            return -ENOMEM;
        call->attached = attached;
    }
    if (size)
        memcpy(call->attached, next->v, size);
    call->n_attached = next->n;
    return 1;
}

static int change_attached(struct state *state, const char *community_name, enum change change, int64_t id,
                           const int64_t *units, size_t n_units, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = community_hear(state, community_name);
    if (!community)
        return -ENOMEM;

    int changed = 0;
    struct item *call = map_hear(&community->calls, id, now_us, &changed);
    if (!call)
        return -ENOMEM;

    struct id_list told = { .n = 0 }, next = { .n = 0 };
    list_add(&told, units, n_units);
    change_list(&next, change, call, units, n_units);
    for (size_t i = 0; i < told.n; i++)
        if (change == DETACH || ids_have(next.v, next.n, told.v[i]))
            if (!map_hear(&community->units, told.v[i], now_us, &changed))
                return -ENOMEM;

    int r = replace_attached(call, &next);
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

struct clear {
    struct map *calls;
    const int64_t *units; /* sorted: there may be many, at many calls */
    size_t n_units;
    usec_t now_us;
    int changed;
};

static void clear_call(struct item *call, void *context)
{
    struct clear *clear = context;
    size_t n = 0;
    for (size_t i = 0; i < call->n_attached; i++) {
        int64_t unit = call->attached[i];
        if (!bsearch(&unit, clear->units, clear->n_units, sizeof(unit), id_compare))
            call->attached[n++] = unit;
    }
    if (n == call->n_attached)
        return;

    call->n_attached = n;
    map_touch(clear->calls, call, clear->now_us);
    clear->changed = 1;
}

int state_units_clear(struct state *state, const char *community_name, const int64_t *units, size_t n_units,
                      usec_t now_us)
{
    if (n_units == 0)
        return 0;
    CLEANUP(cleanup_free) int64_t *sorted = calloc(n_units, sizeof(*units));
    if (!sorted)
        return -ENOMEM;
    memcpy(sorted, units, n_units * sizeof(*units));
    qsort(sorted, n_units, sizeof(*sorted), id_compare);

    STATE_LOCK(state);
    struct community *community = community_find(state, community_name);
    if (!community)
        return 0;

    struct clear clear = { &community->calls, sorted, n_units, now_us, 0 };
    map_walk(&community->calls, clear_call, &clear);
    for (size_t i = 0; i < n_units; i++) {
        struct item *unit = map_find(&community->units, units[i]);
        if (unit)
            map_touch(&community->units, unit, now_us);
    }
    return clear.changed;
}

int state_call_note(struct state *state, const char *community_name, int64_t id, const char *note, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = community_hear(state, community_name);
    if (!community)
        return -ENOMEM;

    struct item *item;
    struct state_call patch = STATE_CALL_PATCH(id);
    patch.last_note = note;
    int r = map_put(&community->calls, id, &patch, now_us, &item);
    if (r < 0)
        return r;
    if (item->facts.call.n_notes < UINT32_MAX)
        item->facts.call.n_notes++;
    return 1;
}

int state_call911_remove(struct state *state, const char *community_name, int64_t id, usec_t now_us)
{
    (void) now_us;
    STATE_LOCK(state);
    struct community *community = community_find(state, community_name);
    struct item *item = community ? map_find(&community->calls911, id) : NULL;
    if (!item)
        return 0;
    map_remove(&community->calls911, item);
    return 1;
}

static bool unit_is_over(const struct item *item)
{
    return !item->facts.unit.online;
}

static bool call_is_over(const struct item *item)
{
    return item->facts.call.status == STATE_CALL_CLOSED;
}

/* Its end is not always told. */
static bool call911_is_over(const struct item *item)
{
    (void) item;
    return true;
}

int state_expire(struct state *state, usec_t now_us)
{
    STATE_LOCK(state);
    int changed = 0;
    struct community *community;
    SLIST_FOREACH(community, &state->communities, next)
    {
        changed |= map_expire(&community->units, unit_is_over, now_us);
        changed |= map_expire(&community->calls, call_is_over, now_us);
        changed |= map_expire(&community->calls911, call911_is_over, now_us);
    }
    return changed;
}
