/* state.c - states, their communities, and the overlay that becomes part of its base, or never was. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

static struct community *own_community(const struct state *state, const char *name)
{
    struct community *community = state->last;
    if (community && strcmp(community->name, name) == 0)
        return community;
    SLIST_FOREACH(community, &state->communities, next)
    if (strcmp(community->name, name) == 0)
        return community;
    return NULL;
}

/* That of the base is there for good, once it is there. */
static struct community *community_below(const struct state *overlay, const struct community *own, const char *name)
{
    return own && own->below ? own->below : own_community(overlay->below, name);
}

const struct community *state_community_find(const struct state *state, const char *name)
{
    const struct community *community = own_community(state, name);
    if (!state->below || (community && community->begun))
        return community;
    return community_below(state, community, name);
}

static bool is_elsewhere(const char *name)
{
    return strchr(name, '@');
}

static struct community *community_new(struct state *state, const char *name)
{
    size_t size = strlen(name) + 1;
    struct community *community = calloc(1, sizeof(*community) + size);
    if (!community)
        return NULL;
    memcpy(community->name, name, size);
    map_init(&community->units, &map_kind_unit, state);
    map_init(&community->calls, &map_kind_call, state);
    map_init(&community->calls911, &map_kind_call911, state);
    SLIST_INSERT_HEAD(&state->communities, community, next);
    state->n_elsewhere += is_elsewhere(name);
    return community;
}

static void community_begin(struct community *community, struct community *below)
{
    community->begun = true;
    community->below = below;
    community->n_dispatchers = below ? below->n_dispatchers : 0;
    community->n_on_duty = below ? below->n_on_duty : 0;
    map_begin(&community->units, below ? &below->units : NULL);
    map_begin(&community->calls, below ? &below->calls : NULL);
    map_begin(&community->calls911, below ? &below->calls911 : NULL);
}

/* An overlay begins when it is first used. */
static void begin(struct state *overlay)
{
    if (overlay->begun)
        return;
    const struct state *base = overlay->below;
    overlay->begun = true;
    overlay->floor_id = base->floor_id;
    overlay->begin_id = base->begin_id;
    overlay->first_mark_below = base->marks.first;
    overlay->n_marks_below = base->marks.n;
}

/* Ours are as many as are configured; others may call theirs as they like. An overlay goes by its base, and may have
 * what that has. */
static bool may_have(const struct state *state, const char *name)
{
    const struct state *base = state->below ? state->below : state;
    return !is_elsewhere(name) || base->n_elsewhere < STATE_MAX_ELSEWHERE || own_community(base, name);
}

struct community *state_community_hear(struct state *state, const char *name)
{
    struct community *community = own_community(state, name);
    if (state->below)
        begin(state);
    if (!community && may_have(state, name))
        community = community_new(state, name);
    if (!state->below || !community)
        return community;
    state->last = community;
    if (!community->begun)
        community_begin(community, community_below(state, community, name));
    return community;
}

void state_set_event(struct state *state, uint64_t event_id, usec_t now_us)
{
    STATE_LOCK(state);
    if (state->below)
        begin(state);
    state->event_id = event_id;
    window_move(state, event_id, now_us);
}

void state_set_test(struct state *state, bool test)
{
    STATE_LOCK(state);
    state->test = test;
}

uint64_t state_as_of(const struct state *state)
{
    STATE_LOCK(state);
    return state->event_id;
}

struct state_moment state_moment(const struct state *state)
{
    STATE_LOCK(state);
    return (struct state_moment){ state->event_id, state->n_turns };
}

uint64_t state_begin(const struct state *state)
{
    STATE_LOCK(state);
    return state->below && !state->begun ? state->below->begin_id : state->begin_id;
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

struct state *state_overlay(struct state *base)
{
    struct state *overlay = state_new();
    if (!overlay)
        return NULL;
    overlay->lock = NULL;
    overlay->below = base;
    overlay->event_id = base->event_id;
    return overlay;
}

struct state *state_heir(struct state *state)
{
    struct state *heir = state_new();
    if (!heir)
        return NULL;
    heir->lock = NULL;
    heir->elder = state;
    return heir;
}

static void community_clear(struct community *community)
{
    map_clear(&community->units);
    map_clear(&community->calls);
    map_clear(&community->calls911);
    free(community);
}

void state_clear(struct state *state)
{
    struct community *community;
    while ((community = SLIST_FIRST(&state->communities))) {
        SLIST_REMOVE_HEAD(&state->communities, next);
        community_clear(community);
    }
    state->marks.n = 0;
    state->floor_id = state->begin_id = 0;
}

struct state *state_free(struct state *state)
{
    if (!state)
        return NULL;
    state_clear(state);
    struct item *item;
    while ((item = state->spare)) {
        state->spare = item->chain;
        free(item);
    }
    for (size_t i = 0; i < state->n_sources; i++)
        free(state->sources[i]);
    free(state->marks.v);
    pthread_mutex_destroy(&state->mutex);
    free(state);
    return NULL;
}

/* Its items move into maps that are there before the first of them moves. */
static int make_below(struct state *overlay)
{
    struct community *community;
    SLIST_FOREACH(community, &overlay->communities, next)
    {
        if (!community->begun || community->below)
            continue;
        community->below = community_new(overlay->below, community->name);
        if (!community->below)
            return -ENOMEM;
        community->units.below = &community->below->units;
        community->calls.below = &community->below->calls;
        community->calls911.below = &community->below->calls911;
    }
    return 0;
}

static void merge_community(struct community *community)
{
    map_merge(&community->units);
    map_merge(&community->calls);
    map_merge(&community->calls911);
    community->below->n_dispatchers = community->n_dispatchers;
    community->below->n_on_duty = community->n_on_duty;
    community->begun = false;
}

int state_merge(struct state *overlay, uint64_t as_of)
{
    struct state *base = overlay->below;
    assert(base && as_of >= base->event_id);
    STATE_LOCK(base);
    base->event_id = as_of;
    if (make_below(overlay) < 0) {
        state_drop(overlay);
        return -ENOMEM;
    }
    struct community *community;
    SLIST_FOREACH(community, &overlay->communities, next)
    if (community->begun)
        merge_community(community);
    if (overlay->begun)
        window_merge(overlay);
    overlay->begun = false;
    overlay->event_id = as_of;
    return 0;
}

void state_drop(struct state *overlay)
{
    struct community *community;
    SLIST_FOREACH(community, &overlay->communities, next)
    {
        if (!community->begun)
            continue;
        map_drop(&community->units);
        map_drop(&community->calls);
        map_drop(&community->calls911);
        community->begun = false;
    }
    overlay->marks.n = 0;
    overlay->begun = false;
    overlay->event_id = overlay->below->event_id;
}

/* ---- the heir ---- */

static void take_communities(struct state *from, struct state *to)
{
    struct community *community;
    to->communities = from->communities;
    to->n_elsewhere = from->n_elsewhere;
    from->n_elsewhere = 0;
    SLIST_INIT(&from->communities);
    SLIST_FOREACH(community, &to->communities, next)
    community->units.state = community->calls.state = community->calls911.state = to;
}

/* For what only the old state knows, too; only the thread that calls changes either. false: no memory. */
static bool compare_communities(struct state *heir, struct state *state)
{
    struct community *old, *community;
    uint64_t next_id = state->event_id + 1;
    SLIST_FOREACH(old, &state->communities, next)
    {
        community = state_community_hear(heir, old->name);
        if (!community)
            return false;
        map_changed_compare(community, old, next_id);
    }
    return true;
}

static void inherit_changes(struct state *heir, struct state *state)
{
    struct community *old, *community;
    SLIST_FOREACH(old, &state->communities, next)
    {
        community = own_community(heir, old->name);
        if (!community)
            continue;
        map_changed_inherit(&community->units, &old->units);
        map_changed_inherit(&community->calls, &old->calls);
        map_changed_inherit(&community->calls911, &old->calls911);
    }
}

/* What it had is the heir's until that is cleared, without the lock. */
static void change_places(struct state *state, struct state *heir, bool compared)
{
    STATE_LOCK(state);
    inherit_changes(heir, state);
    if (!compared)
        state->lost_id = state->event_id + 1;
    struct state old = { .marks = state->marks };
    take_communities(state, &old);
    take_communities(heir, state);
    take_communities(&old, heir);
    state->marks = heir->marks;
    heir->marks = old.marks;
    state->floor_id = heir->floor_id;
    state->begin_id = heir->begin_id;
    state->n_turns++;
}

void state_succeed(struct state *state, struct state *heir, struct state *overlay)
{
    struct community *community;
    assert(heir->elder == state && (!overlay || !overlay->begun));
    change_places(state, heir, compare_communities(heir, state));
    if (overlay)
        SLIST_FOREACH(community, &overlay->communities, next)
    community->below = NULL;
    state_clear(heir);
}
