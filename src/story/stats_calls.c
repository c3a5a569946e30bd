/* stats_calls.c - calls from event to event: when they began, who came first, and when the first of them was there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stats_private.h"

#define STATUS_ON_SCENE 4

/* ---- what is known by its id ---- */

static struct stats_call *find_call(struct stats_pass *pass, uint32_t community, int64_t id)
{
    bool made;
    size_t i = finder_get(&pass->call_numbers, community, id, &made);
    struct stats_call *calls =
        i == SIZE_MAX ? NULL : stats_make_room(pass->calls, i, &pass->room_calls, sizeof(*calls));
    if (!calls)
        return NULL;
    pass->calls = calls;
    if (made)
        calls[i] = (struct stats_call){ 0 };
    return &calls[i];
}

static struct stats_call911 *find_call911(struct stats_pass *pass, uint32_t community, int64_t id)
{
    bool made;
    size_t i = finder_get(&pass->call911_numbers, community, id, &made);
    struct stats_call911 *calls =
        i == SIZE_MAX ? NULL : stats_make_room(pass->calls911, i, &pass->room_calls911, sizeof(*calls));
    if (!calls)
        return NULL;
    pass->calls911 = calls;
    if (made)
        calls[i] = (struct stats_call911){ 0 };
    return &calls[i];
}

static struct stats_unit *find_unit(struct stats_pass *pass, uint32_t community, int64_t id)
{
    bool made;
    size_t i = finder_get(&pass->unit_numbers, community, id, &made);
    struct stats_unit *units =
        i == SIZE_MAX ? NULL : stats_make_room(pass->units, i, &pass->room_units, sizeof(*units));
    if (!units)
        return NULL;
    pass->units = units;
    if (made)
        units[i] = (struct stats_unit){ .status = STATE_UNSET };
    return &units[i];
}

static bool is_silent(usec_t heard_us, usec_t time_us)
{
    return time_us > heard_us + STATE_KEEP_US;
}

/* To tell something of it. After a day of silence nothing is taken to be as it was. */
static struct stats_unit *hear_unit(struct stats_pass *pass, uint32_t community, int64_t id, usec_t time_us)
{
    struct stats_unit *unit = find_unit(pass, community, id);
    if (unit && is_silent(unit->heard_us, time_us))
        *unit = (struct stats_unit){ .status = STATE_UNSET };
    if (unit)
        unit->heard_us = time_us;
    return unit;
}

static bool is_asked_for(const struct stats_pass *pass, usec_t time_us)
{
    return time_us && time_us >= pass->asked->since_us;
}

/* ---- lapses: of the day or hour in which they began ---- */

/* Of several calls that were made from one 911 call, the first on scene answers it. */
static bool is_reached(struct stats_pass *pass, const struct stats_call *call)
{
    struct stats_call911 *from = call->called_us ? &pass->calls911[call->call911] : NULL;
    bool reached = from && from->called_us == call->called_us && from->reached;
    if (from && from->called_us == call->called_us)
        from->reached = true;
    return reached;
}

static int add_on_scene(struct stats_pass *pass, struct stats_call *call, usec_t time_us)
{
    usec_t called_us = call->called_us;
    bool reached = is_reached(pass, call);
    int hour;
    call->called_us = 0;
    if (reached || !is_asked_for(pass, called_us) || time_us < called_us)
        return 0;
    struct span_lapses *span = stats_span_of(pass, called_us, &hour);
    return span ? stats_add_lapse(&span->on_scene, time_us - called_us) : -ENOMEM;
}

static int add_attached(struct stats_pass *pass, struct stats_call *call, usec_t time_us)
{
    int hour;
    if (call->attached_us)
        return 0;
    call->attached_us = time_us;
    if (!is_asked_for(pass, call->opened_us) || time_us < call->opened_us)
        return 0;
    struct span_lapses *span = stats_span_of(pass, call->opened_us, &hour);
    return span ? stats_add_lapse(&span->attached, time_us - call->opened_us) : -ENOMEM;
}

/* ---- units at calls ---- */

static void leave(struct stats_unit *unit, uint32_t call)
{
    for (size_t i = 0; i < unit->n_calls; i++)
        if (unit->calls[i].call == call) {
            memmove(unit->calls + i, unit->calls + i + 1, (unit->n_calls - i - 1) * sizeof(unit->calls[0]));
            unit->n_calls--;
            return;
        }
}

static void join(struct stats_unit *unit, uint32_t call, uint32_t turn)
{
    leave(unit, call);
    if (unit->n_calls == STATS_CALLS_MAX)
        leave(unit, unit->calls[0].call);
    unit->calls[unit->n_calls++] = (struct stats_stay){ call, turn };
}

/* Of one whose closing was not seen, a day of silence is the end. */
static bool is_at(const struct stats_pass *pass, const struct stats_stay *stay, usec_t time_us)
{
    const struct stats_call *call = &pass->calls[stay->call];
    return stay->turn == call->turn && !call->closed && !is_silent(call->heard_us, time_us);
}

/* Its status may be about another call. */
static bool is_elsewhere(const struct stats_pass *pass, const struct stats_unit *unit, const struct stats_call *call,
                         usec_t time_us)
{
    for (size_t i = 0; i < unit->n_calls; i++)
        if (&pass->calls[unit->calls[i].call] != call && is_at(pass, &unit->calls[i], time_us))
            return true;
    return false;
}

static int take_attached(struct stats_pass *pass, const struct digest *digest, uint32_t community,
                         struct stats_call *call)
{
    for (size_t i = 0; i < digest->n_units; i++) {
        struct stats_unit *unit = hear_unit(pass, community, digest->units[i].id, digest->time_us);
        if (!unit)
            return -ENOMEM;
        if (digest->units[i].status != STATE_UNSET)
            unit->status = digest->units[i].status;
        join(unit, (uint32_t) (call - pass->calls), call->turn);
        if (add_attached(pass, call, digest->time_us) < 0)
            return -ENOMEM;
        bool there = unit->status == STATUS_ON_SCENE && !is_elsewhere(pass, unit, call, digest->time_us);
        if (there && add_on_scene(pass, call, digest->time_us) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* A status that it had before says nothing of a call that it came to since. */
static int take_statuses(struct stats_pass *pass, const struct digest *digest, uint32_t community)
{
    for (size_t i = 0; i < digest->n_units; i++) {
        const struct digest_unit *told = &digest->units[i];
        struct stats_unit *unit = hear_unit(pass, community, told->id, digest->time_us);
        if (!unit)
            return -ENOMEM;
        bool arrives = told->status == STATUS_ON_SCENE && unit->status != STATUS_ON_SCENE;
        if (told->status != STATE_UNSET)
            unit->status = told->status;
        for (size_t k = 0; arrives && k < unit->n_calls; k++) {
            struct stats_call *call = &pass->calls[unit->calls[k].call];
            if (is_at(pass, &unit->calls[k], digest->time_us) && add_on_scene(pass, call, digest->time_us) < 0)
                return -ENOMEM;
        }
    }
    return 0;
}

/* What it tells when it comes back is not of the calls that it was at. */
static int take_logout(struct stats_pass *pass, const struct digest *digest, uint32_t community)
{
    for (size_t i = 0; i < digest->n_units; i++) {
        struct stats_unit *unit = hear_unit(pass, community, digest->units[i].id, digest->time_us);
        if (!unit)
            return -ENOMEM;
        unit->status = STATE_UNSET;
        unit->n_calls = 0;
    }
    return 0;
}

/* ---- calls ---- */

static int count(struct stats_pass *pass, usec_t time_us, bool is_911)
{
    int hour;
    if (!is_asked_for(pass, time_us))
        return 0;
    struct span_lapses *span = stats_span_of(pass, time_us, &hour);
    if (!span)
        return -ENOMEM;
    span->out.n_calls911 += is_911;
    span->out.n_calls += !is_911;
    pass->stats->by_hour[hour]++;
    return 0;
}

static int take_911(struct stats_pass *pass, const struct digest *digest, uint32_t community)
{
    for (size_t i = 0; i < digest->calls.n; i++) {
        struct stats_call911 *call = find_call911(pass, community, digest->calls.v[i]);
        if (!call)
            return -ENOMEM;
        bool removed = digest->kind == DIGEST_REMOVED;
        bool comes = !removed && (!call->called_us || call->removed || is_silent(call->heard_us, digest->time_us));
        if (comes) {
            call->called_us = digest->time_us;
            call->reached = false;
        }
        call->removed = removed;
        call->heard_us = digest->time_us;
        if (comes && count(pass, digest->time_us, true) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int take_opened(struct stats_pass *pass, const struct digest *digest, uint32_t community,
                       struct stats_call *call)
{
    if (call->opened_us && !call->closed && !is_silent(call->heard_us, digest->time_us))
        return take_attached(pass, digest, community, call);
    *call = (struct stats_call){ .opened_us = digest->time_us, .heard_us = digest->time_us, .turn = call->turn + 1 };
    if (digest->call911 != STATE_UNSET_ID) {
        const struct stats_call911 *from = find_call911(pass, community, digest->call911);
        if (!from)
            return -ENOMEM;
        call->call911 = (uint32_t) (from - pass->calls911);
        call->called_us = is_silent(from->heard_us, digest->time_us) ? 0 : from->called_us;
    }
    if (count(pass, digest->time_us, false) < 0)
        return -ENOMEM;
    return take_attached(pass, digest, community, call);
}

static int take_closed(struct stats_pass *pass, const struct digest *digest, uint32_t community)
{
    for (size_t i = 0; i < digest->calls.n; i++) {
        struct stats_call *call = find_call(pass, community, digest->calls.v[i]);
        if (!call)
            return -ENOMEM;
        call->closed = true;
        call->heard_us = digest->time_us;
    }
    return 0;
}

static int take_call(struct stats_pass *pass, const struct digest *digest, uint32_t community)
{
    struct stats_call *call = digest->call == STATE_UNSET_ID ? NULL : find_call(pass, community, digest->call);
    if (digest->call == STATE_UNSET_ID)
        return 0;
    if (!call)
        return -ENOMEM;
    int r = 0;
    if (is_silent(call->heard_us, digest->time_us))
        call->turn++;
    if (digest->kind == DIGEST_OPENED) {
        r = take_opened(pass, digest, community, call);
    } else if (digest->kind == DIGEST_DETACHED) {
        for (size_t i = 0; i < digest->n_units; i++) {
            struct stats_unit *unit = find_unit(pass, community, digest->units[i].id);
            if (!unit)
                return -ENOMEM;
            leave(unit, (uint32_t) (call - pass->calls));
        }
    } else {
        if (digest->kind == DIGEST_LISTED)
            call->turn++;
        r = take_attached(pass, digest, community, call);
    }
    call->heard_us = digest->time_us;
    return r;
}

int stats_take_calls(struct stats_pass *pass, const struct digest *digest)
{
    uint32_t community = finder_community(&pass->communities, digest->community);
    if (community == UINT32_MAX)
        return -ENOMEM;
    switch (digest->kind) {
    case DIGEST_911:
    case DIGEST_REMOVED:
        return take_911(pass, digest, community);
    case DIGEST_OPENED:
    case DIGEST_LISTED:
    case DIGEST_ATTACHED:
    case DIGEST_DETACHED:
        return take_call(pass, digest, community);
    case DIGEST_CLOSED:
        return take_closed(pass, digest, community);
    case DIGEST_LOGIN:
    case DIGEST_STATUS:
        return take_statuses(pass, digest, community);
    case DIGEST_LOGOUT:
        return take_logout(pass, digest, community);
    case DIGEST_OTHER:
        return 0;
    }
    return 0;
}

void stats_calls_done(struct stats_pass *pass)
{
    free(pass->calls);
    free(pass->calls911);
    free(pass->units);
    free(pass->communities.v);
    finder_free(&pass->call_numbers);
    finder_free(&pass->call911_numbers);
    finder_free(&pass->unit_numbers);
}
