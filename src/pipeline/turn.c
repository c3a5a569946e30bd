/* turn.c - how far back state knows. What is spoken of every few hours would keep for ever what was once told of it,
 * and a start, which reads a day or two, would know less. So state has an heir (state.h), which takes its place once a
 * day, and that is a turn: then nothing is known but what was told behind the event at which the heir began. Where that
 * was stands in the log, written with the events, and a start reads exactly those. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pipeline_private.h"

#define TURN_MAX_US STATE_KEEP_US
#define NOT_YET UINT64_MAX

int turns_open(struct turns *turns, struct state *state, struct state *overlay, const _Atomic uint64_t *keep_us)
{
    *turns = (struct turns){ .state = state, .overlay = overlay, .keep_us = keep_us, .turned_us = NOT_YET };
    turns->heir = state_heir(state);
    return turns->heir ? 0 : -ENOMEM;
}

void turns_close(struct turns *turns)
{
    turns->heir = state_free(turns->heir);
}

/* Before there is a day between them the heir would know the same, and need not hear. */
static bool are_apart(const struct store_place *place)
{
    return place->after_id != place->turned_id;
}

static bool is_at(const struct turns *turns, const struct store_place *place)
{
    return turns->place.after_id == place->after_id && turns->place.turned_id == place->turned_id;
}

void turns_begin(struct turns *turns, const struct store_place *place)
{
    assert(place->after_id <= place->turned_id);
    state_clear(turns->heir);
    turns->place = *place;
    turns->turned_us = NOT_YET;
}

void turns_pass(struct turns *turns, uint64_t id, usec_t time_us)
{
    if (id <= turns->place.turned_id)
        return;
    if (are_apart(&turns->place))
        state_set_event(turns->heir, id, time_us);
    if (time_us < turns->turned_us)
        turns->turned_us = time_us;
}

void turns_hear(struct turns *turns, const struct event *event)
{
    turns_pass(turns, event->id, event->order_us);
    if (event->id > turns->place.turned_id && are_apart(&turns->place))
        decide_apply(event, turns->heir);
}

/* A day without events: nothing is left of what was told before. */
static bool has_rested(const struct turns *turns, struct store_place *place)
{
    uint64_t begin_id = state_begin(turns->overlay ? turns->overlay : turns->state);
    if (begin_id <= place->after_id || begin_id < place->turned_id)
        return false;
    *place = (struct store_place){ begin_id, begin_id };
    return true;
}

/* State goes back two turns at most: no further than events are kept, or a start would know less. */
static usec_t turn_us(const struct turns *turns)
{
    uint64_t keep_us = *turns->keep_us;
    return keep_us && keep_us / 2 < TURN_MAX_US ? keep_us / 2 : TURN_MAX_US;
}

static bool is_due(const struct turns *turns, usec_t since_us, usec_t newest_us)
{
    return newest_us >= since_us && newest_us - since_us >= turn_us(turns);
}

bool turns_look(const struct turns *turns, uint64_t newest_id, usec_t newest_us, usec_t oldest_us,
                struct store_place *ret)
{
    *ret = turns->place;
    if (!has_rested(turns, ret) &&
        is_due(turns, oldest_us < turns->turned_us ? oldest_us : turns->turned_us, newest_us))
        *ret = (struct store_place){ ret->turned_id, newest_id };
    return turns->unsaved || !is_at(turns, ret);
}

void turns_before(struct turns *turns, const struct store_place *next)
{
    turns->unsaved = false;
    if (!are_apart(next) && !is_at(turns, next))
        turns_begin(turns, next);
}

void turns_after(struct turns *turns, const struct store_place *next)
{
    assert(next->after_id >= turns->place.after_id && next->turned_id >= turns->place.turned_id);
    if (is_at(turns, next))
        return;
    if (are_apart(&turns->place))
        state_succeed(turns->state, turns->heir, turns->overlay);
    turns_begin(turns, next);
}

void turns_end_request(struct turns *turns, uint64_t id, usec_t time_us)
{
    const struct store_place next = { turns->place.turned_id, id };
    if (is_due(turns, turns->turned_us, time_us))
        turns_after(turns, &next);
}

void turns_take(struct turns *turns, const struct event *event)
{
    struct store_place next = turns->place;
    if (has_rested(turns, &next))
        turns_begin(turns, &next);
    turns_hear(turns, event);
}
