/* calls.c - what events change in dispatch calls and 911 calls. Who is at a call: attach.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

/* Beside the status: since when the call is open or closed. A call that is opened again begins anew, also where the
 * opening tells no status. */
static int put_status(struct state_call *call, const struct state_call *patch, usec_t now_us)
{
    bool told_before = call->status != STATE_UNSET, was_closed = call->status == STATE_CALL_CLOSED;
    if (was_closed && patch->opened_us)
        call->status = STATE_UNSET;
    int changed = set_number(&call->status, patch->status);
    bool closed = call->status == STATE_CALL_CLOSED;
    if (closed && !was_closed)
        call->closed_us = state_since(told_before, patch->closed_us, now_us);
    if (!closed)
        call->closed_us = 0;
    if (!patch->opened_us || (call->opened_us && !was_closed))
        return changed;
    call->opened_us = patch->opened_us;
    return 1;
}

/* What is open is told of each unit at it. Where there is no memory for that, it is told with its next change. */
static void note_units(struct community *community, const struct item *call)
{
    int r = 0;
    for (size_t i = 0; i < call->links.n; i++) {
        struct item *unit = map_change(&community->units, call->links.ids[i], &r);
        if (unit)
            map_item_changed(&community->units, unit, 1);
    }
}

/* Of a call that is there already its list of units says nothing new about how it came. */
static void put_primed(struct state_call *call, const struct state_call *patch)
{
    if (patch->opened_us)
        call->primed = STATE_SEEN;
    else if (patch->primed && !call->told)
        call->primed = patch->primed;
}

static int put_told(struct item *item, bool told, uint64_t event_id)
{
    struct state_call *call = &item->facts.call;
    if (!told || call->told)
        return 0;
    call->told = true;
    item->listed_id = event_id;
    return 1;
}

/* The 911 call knows what was made from it: so nobody has to look through all calls. */
static int put_origin(struct community *community, struct state_call *call, const struct state_call *patch,
                      usec_t now_us)
{
    int made = 0;
    if (!set_id(&call->call911, patch->call911))
        return 0;
    if (map_spares(&community->calls911, patch->call911))
        return 1;
    struct item *from = map_hear(community, &community->calls911, patch->call911, now_us, &made);
    if (from)
        map_item_changed(&community->calls911, from, set_id(&from->facts.call911.call, call->id));
    return 1;
}

int state_call_put(struct state *state, const char *community_name, const struct state_call *patch, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = state_community_hear(state, community_name);
    struct item *item = NULL;
    int changed = community ? map_put(community, &community->calls, patch->id, patch, now_us, &item) : -ENOMEM;
    if (!item)
        return changed;

    struct state_call *call = &item->facts.call;
    bool was_closed = call->status == STATE_CALL_CLOSED;
    changed |= set_number(&call->origin, patch->origin);
    changed |= put_status(call, patch, now_us);
    if (was_closed != (call->status == STATE_CALL_CLOSED))
        note_units(community, item);
    changed |= set_number(&call->priority, patch->priority);
    changed |= set_id(&call->primary, patch->primary);
    changed |= put_origin(community, call, patch, now_us);
    changed |= set_flag(&call->track_primary, patch->track_primary);
    put_primed(call, patch);
    changed |= put_told(item, patch->told, state->event_id);
    if (patch->n_notes && patch->n_notes != call->n_notes) {
        call->n_notes = patch->n_notes;
        changed = 1;
    }
    return map_item_changed(&community->calls, item, changed);
}

int state_call_note(struct state *state, const char *community_name, int64_t id, const char *note, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = state_community_hear(state, community_name);
    struct item *item = NULL;
    struct state_call patch = STATE_CALL_PATCH(id);
    bool told = note && *note;
    patch.last_note = told ? note : NULL;
    int r = community ? map_put(community, &community->calls, id, &patch, now_us, &item) : -ENOMEM;
    if (!item)
        return r;
    if (told && item->facts.call.n_notes < UINT32_MAX)
        item->facts.call.n_notes++;
    return map_item_changed(&community->calls, item, r | told);
}

int state_call911_put(struct state *state, const char *community_name, const struct state_call911 *patch, usec_t now_us)
{
    STATE_LOCK(state);
    struct community *community = state_community_hear(state, community_name);
    struct item *item = NULL;
    int changed = community ? map_put(community, &community->calls911, patch->id, patch, now_us, &item) : -ENOMEM;
    if (!item)
        return changed;

    struct state_call911 *call = &item->facts.call911;
    bool comes = !call->told || call->removed;
    if (comes) {
        call->opened_us = patch->primed ? 0 : now_us;
        call->primed = patch->primed;
    }
    call->told = true;
    call->removed = 0;
    changed |= set_flag(&call->emergency, patch->emergency);
    changed |= set_flag(&call->silent, patch->silent);
    return map_item_changed(&community->calls911, item, changed | comes);
}

int state_call911_remove(struct state *state, const char *community_name, int64_t id, usec_t now_us)
{
    STATE_LOCK(state);
    int r = 0;
    if (!state_community_find(state, community_name))
        return 0;
    struct community *community = state_community_hear(state, community_name);
    struct item *item = community ? map_change(&community->calls911, id, &r) : NULL;
    if (!item || map_spares(&community->calls911, id))
        return community ? r : -ENOMEM;
    map_touch(&community->calls911, item, now_us);
    return map_item_changed(&community->calls911, item, set_flag(&item->facts.call911.removed, 1));
}
