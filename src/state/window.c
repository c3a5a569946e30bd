/* window.c - the last 24 hours of the log, to the minute, counted from its newest event: what nobody spoke of since
 * goes, whatever the clock did meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

#define MINUTE_US (60 * USEC_PER_SEC)

/* Those of an overlay lie above those of its base, as far as these still count. */
static struct mark *last_mark(struct state *state)
{
    struct marks *own = &state->marks;
    if (own->n)
        return &own->v[own->first + own->n - 1];
    const struct marks *below = state->below ? &state->below->marks : NULL;
    return state->n_marks_below ? &below->v[state->first_mark_below + state->n_marks_below - 1] : NULL;
}

static struct mark *first_mark(struct state *state)
{
    struct marks *own = &state->marks;
    if (state->n_marks_below)
        return &state->below->marks.v[state->first_mark_below];
    return own->n ? &own->v[own->first] : NULL;
}

static void drop_first(struct state *state)
{
    if (state->n_marks_below) {
        state->first_mark_below++;
        state->n_marks_below--;
        return;
    }
    state->marks.first++;
    state->marks.n--;
}

static void drop_last(struct state *state)
{
    if (state->marks.n)
        state->marks.n--;
    else
        state->n_marks_below--;
}

/* Without memory it is not noted, and something stays a little longer. */
static void add_mark(struct marks *marks, struct mark mark)
{
    if (marks->n == 0)
        marks->first = 0;
    if (marks->first + marks->n == marks->room && marks->first) {
        memmove(marks->v, marks->v + marks->first, marks->n * sizeof(*marks->v));
        marks->first = 0;
    }
    if (marks->n == marks->room) {
        size_t room = marks->room ? 2 * marks->room : 16;
        struct mark *v = realloc(marks->v, room * sizeof(*v));
        if (!v)
            return;
        marks->v = v;
        marks->room = room;
    }
    marks->v[marks->first + marks->n++] = mark;
}

static void remove_old(struct community *community, struct map *map)
{
    struct item *item;
    while ((item = map_oldest(map)) && item->heard_id <= map->state->floor_id)
        if (!map_item_remove(community, map, item))
            return;
}

static bool has_old(const struct state *state, const struct map *map)
{
    const struct item *item = map_first(map);
    return item && item->heard_id <= state->floor_id;
}

static void expire_in(struct state *state, const char *name)
{
    const struct community *seen = state_community_find(state, name);
    if (!seen || (!has_old(state, &seen->units) && !has_old(state, &seen->calls) && !has_old(state, &seen->calls911)))
        return;
    struct community *community = state_community_hear(state, name);
    if (!community)
        return;
    remove_old(community, &community->units);
    remove_old(community, &community->calls);
    remove_old(community, &community->calls911);
}

static void expire(struct state *state)
{
    const struct community *community;
    SLIST_FOREACH(community, &state->communities, next)
    expire_in(state, community->name);
    if (!state->below)
        return;
    SLIST_FOREACH(community, &state->below->communities, next)
    expire_in(state, community->name);
}

/* Later events of an earlier minute make the marks of later minutes idle: what is as old as they is older. */
void window_move(struct state *state, uint64_t id, usec_t time_us)
{
    const struct mark now = { time_us / MINUTE_US, id };
    uint64_t oldest = now.minute > STATE_KEEP_US / MINUTE_US ? now.minute - STATE_KEEP_US / MINUTE_US : 0;
    uint64_t floor_id = state->floor_id;
    const struct mark *mark;
    while ((mark = first_mark(state)) && mark->minute < oldest) {
        if (mark->id > floor_id)
            floor_id = mark->id;
        drop_first(state);
    }
    if (!first_mark(state))
        state->begin_id = id - 1;
    while ((mark = last_mark(state)) && mark->minute >= now.minute)
        drop_last(state);
    add_mark(&state->marks, now);
    if (floor_id == state->floor_id)
        return;
    state->floor_id = floor_id;
    expire(state);
}

usec_t state_window_begin(usec_t newest_us)
{
    usec_t minute_us = newest_us / MINUTE_US * MINUTE_US;
    return minute_us > STATE_KEEP_US ? minute_us - STATE_KEEP_US : 0;
}

void window_merge(struct state *overlay)
{
    struct state *base = overlay->below;
    base->floor_id = overlay->floor_id;
    base->begin_id = overlay->begin_id;
    base->marks.first = overlay->first_mark_below;
    base->marks.n = overlay->n_marks_below;
    for (size_t i = 0; i < overlay->marks.n; i++)
        add_mark(&base->marks, overlay->marks.v[overlay->marks.first + i]);
    overlay->marks.n = 0;
}
