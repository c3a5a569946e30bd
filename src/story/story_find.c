/* story_find.c - which events belong to a call: those that concern it since it was opened last, those of the 911 call
 * that it was made from, and what its units told while they were at it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/families.h>

#include "story_private.h"

/* A unit at the call, from one event to another. */
struct stay {
    int64_t unit;
    uint64_t from_id, until_id; /* 0: it is still there */
    usec_t from_us, until_us;   /* 0: for a day behind the call's last word */
};

/* One use of an id, as far as it is read. */
struct use {
    const char *community;
    bool is_911;
    int64_t id;
    uint64_t within_id; /* the use that this event is of; 0: the newest */
    struct state *state;
    struct story_events events;
    usec_t newest_us;
    usec_t spoken_us; /* the newest event of the calls themselves, and not of a unit at it */
    int64_t other;    /* the 911 call of a call, the call of a 911 call */
    uint64_t link_id;
    uint64_t closed_id;
    struct stay *stays;
    size_t n_stays, room;
};

static void add_event(struct story_events *events, uint64_t id)
{
    if (events->n == events->room) {
        size_t room = events->room ? 2 * events->room : 64;
        uint64_t *v = realloc(events->v, room * sizeof(*v));
        events->failed |= !v;
        if (!v)
            return;
        events->v = v;
        events->room = room;
    }
    events->v[events->n++] = id;
}

/* The state is told of one moment only: it forgets by the lapse between events. */
int story_hear(const struct store_row *row, struct state *state, struct batch *ret, struct err *err)
{
    int r = store_row_restore(row, &families_all, ret);
    if (r < 0)
        return r == -EINVAL ? 0 : err_set(err, r, "no memory");
    const struct event *event = &ret->events[0];
    state_set_event(state, event->id, 1);
    state_set_test(state, event->test);
    state_set_source(state, event->origin->source, event->origin->name);
    if (!event_verdict_is_refusal(event->verdict) && event->handler && event->handler->apply)
        (void) event->handler->apply(event, state);
    return 1;
}

static bool is_over(const struct use *use)
{
    const struct state_call *call = state_find_call(use->state, use->community, use->id);
    const struct state_call911 *call911 = state_find_call911(use->state, use->community, use->id);
    return use->is_911 ? call911 && call911->removed : call && call->status == STATE_CALL_CLOSED;
}

static usec_t opened_us(const struct use *use)
{
    const struct state_call *call = state_find_call(use->state, use->community, use->id);
    const struct state_call911 *call911 = state_find_call911(use->state, use->community, use->id);
    return use->is_911 ? (call911 ? call911->opened_us : 0) : call ? call->opened_us : 0;
}

/* ---- who is at it ---- */

static bool is_in(const int64_t *ids, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static bool is_staying(const struct use *use, int64_t unit)
{
    for (size_t i = 0; i < use->n_stays; i++)
        if (use->stays[i].unit == unit && !use->stays[i].until_id)
            return true;
    return false;
}

static int add_stay(struct use *use, int64_t unit, const struct store_row *row)
{
    if (use->n_stays == use->room) {
        size_t room = use->room ? 2 * use->room : 16;
        struct stay *stays = realloc(use->stays, room * sizeof(*stays));
        if (!stays)
            return -ENOMEM;
        use->stays = stays;
        use->room = room;
    }
    use->stays[use->n_stays++] = (struct stay){ .unit = unit, .from_id = row->id, .from_us = row->time_us };
    return 0;
}

/* Nobody spoke of the call for a day: who was at it is not taken to have been there on. */
static void end_stays(struct use *use, const struct store_row *row)
{
    usec_t end_us = use->spoken_us + STATE_KEEP_US;
    for (size_t i = 0; row->time_us > end_us && i < use->n_stays; i++)
        if (!use->stays[i].until_id) {
            use->stays[i].until_id = row->id;
            use->stays[i].until_us = end_us;
        }
}

static int take_stays(struct use *use, const struct store_row *row)
{
    const int64_t *at;
    size_t n = use->is_911 ? 0 : state_call_units(use->state, use->community, use->id, &at);
    for (size_t i = 0; i < use->n_stays; i++)
        if (!use->stays[i].until_id && !is_in(at, n, use->stays[i].unit))
            use->stays[i].until_id = row->id;
    for (size_t i = 0; i < n; i++)
        if (!is_staying(use, at[i]) && add_stay(use, at[i], row) < 0)
            return -ENOMEM;
    return 0;
}

/* ---- one event after the other ---- */

static void begin_anew(struct use *use)
{
    state_clear(use->state);
    use->events.n = use->n_stays = 0;
    use->link_id = use->closed_id = 0;
    use->spoken_us = 0;
    use->other = STATE_UNSET_ID;
}

static bool is_opening(const struct use *use, const struct store_row *row)
{
    return row->verdict == EVENT_ACCEPTED && strcmp(row->type, use->is_911 ? "EVENT_911" : "EVENT_DISPATCH_NEW") == 0;
}

static int64_t other_of(const struct use *use)
{
    const struct state_call *call = use->is_911 ? NULL : state_find_call(use->state, use->community, use->id);
    if (use->is_911)
        return state_call_of_911(use->state, use->community, use->id);
    return call ? call->call911 : STATE_UNSET_ID;
}

static int hear(struct use *use, const struct store_row *row, struct err *err)
{
    struct batch batch;
    int r = story_hear(row, use->state, &batch, err);
    if (r > 0)
        batch_done(&batch);
    return r < 0 ? r : 0;
}

static bool is_of_unit(const struct store_row *row)
{
    return strncmp(row->type, "EVENT_UNIT_", strlen("EVENT_UNIT_")) == 0;
}

static int take(struct use *use, const struct store_row *row, bool was_over, struct err *err)
{
    add_event(&use->events, row->id);
    use->newest_us = row->time_us > use->newest_us ? row->time_us : use->newest_us;
    int64_t other = other_of(use);
    if (other != STATE_UNSET_ID && other != use->other) {
        use->other = other;
        use->link_id = row->id;
    }
    if (!is_over(use))
        use->closed_id = 0;
    else if (!was_over)
        use->closed_id = row->id;
    if (!is_of_unit(row)) {
        end_stays(use, row);
        use->spoken_us = row->time_us > use->spoken_us ? row->time_us : use->spoken_us;
    }
    return take_stays(use, row) < 0 || use->events.failed ? err_set(err, -ENOMEM, "no memory") : 1;
}

/* 1; 0: it is of a later use than the one that is wanted. */
static int take_row(struct use *use, const struct store_row *row, struct err *err)
{
    if (is_of_unit(row) && use->spoken_us && row->time_us > use->spoken_us + STATE_KEEP_US)
        return 1; /* state took it to be at the call until it heard this */
    bool was_over = is_over(use), passed = use->within_id && row->id > use->within_id;
    usec_t was_opened_us = opened_us(use);
    bool silent = use->events.n && row->time_us > use->newest_us + STATE_KEEP_US;
    bool anew = silent && (was_over || is_opening(use, row));
    if (anew && use->is_911 && !is_opening(use, row))
        return 1; /* of a call that has the number of the one that was made from it */
    if (anew && passed)
        return 0;
    if (anew)
        begin_anew(use);
    int r = hear(use, row, err);
    if (r >= 0 && !anew && was_over && opened_us(use) != was_opened_us) {
        if (passed)
            return 0;
        begin_anew(use);
        was_over = false;
        r = hear(use, row, err);
    }
    return r < 0 ? r : take(use, row, was_over && !anew, err);
}

static int read_use(struct store_reader *reader, struct use *use, struct err *err)
{
    const struct store_ref ref = { .kind = use->is_911 ? "911" : "call", .has_id = true, .id = use->id };
    const struct store_filter filter = { .community = use->community, .refs = &ref, .n_refs = 1 };
    struct store_row row;
    use->other = STATE_UNSET_ID;
    use->state = state_new();
    if (!use->state)
        return err_set(err, -ENOMEM, "no memory");
    int r = store_seek(reader, &filter, err);
    while (r >= 0 && (r = store_read(reader, &row, err)) > 0)
        if ((r = take_row(use, &row, err)) <= 0)
            break;
    store_rest(reader);
    return r < 0 ? r : 0;
}

static void use_done(struct use *use)
{
    state_free(use->state);
    free(use->events.v);
    free(use->stays);
}

/* ---- all of them ---- */

static int read_stay(struct store_reader *reader, const struct use *call, const struct stay *stay,
                     struct story_events *out, struct err *err)
{
    const struct store_ref ref = { .kind = "unit", .has_id = true, .id = stay->unit };
    const struct store_filter filter = { .community = call->community,
                                         .refs = &ref,
                                         .n_refs = 1,
                                         .type = "EVENT_UNIT_*",
                                         .after_id = stay->from_id,
                                         .last_id = stay->until_id ? stay->until_id : call->closed_id };
    usec_t heard_us = stay->from_us, end_us = stay->until_us ? stay->until_us : call->spoken_us + STATE_KEEP_US;
    struct store_row row;
    int r = store_seek(reader, &filter, err);
    while (r >= 0 && (r = store_read(reader, &row, err)) > 0) {
        if (row.time_us > end_us || row.time_us > heard_us + STATE_KEEP_US)
            break;
        heard_us = row.time_us > heard_us ? row.time_us : heard_us;
        add_event(out, row.id);
    }
    store_rest(reader);
    return r < 0 ? r : 0;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void sort(struct story_events *events)
{
    size_t n = 0;
    if (events->n)
        qsort(events->v, events->n, sizeof(*events->v), compare);
    for (size_t i = 0; i < events->n; i++)
        if (n == 0 || events->v[n - 1] != events->v[i])
            events->v[n++] = events->v[i];
    events->n = n;
}

static int collect(struct store_reader *reader, const struct use *call, const struct use *call911,
                   struct story_events *out, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < call->events.n; i++)
        add_event(out, call->events.v[i]);
    for (size_t i = 0; i < call911->events.n; i++)
        add_event(out, call911->events.v[i]);
    for (size_t i = 0; r >= 0 && i < call->n_stays; i++)
        r = read_stay(reader, call, &call->stays[i], out, err);
    sort(out);
    return r < 0 ? r : out->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

int story_find(struct store_reader *reader, const struct story_asked *asked, const char *community,
               struct story_found *ret, struct err *err)
{
    struct use one CLEANUP(use_done) = { .community = community, .is_911 = asked->is_911, .id = asked->id };
    struct use two CLEANUP(use_done) = { .community = community, .is_911 = !asked->is_911, .id = STATE_UNSET_ID };
    int r = read_use(reader, &one, err);
    if (r < 0)
        return r;
    if (one.events.n && one.other != STATE_UNSET_ID) {
        two.id = one.other;
        two.within_id = one.link_id;
        r = read_use(reader, &two, err);
    }
    const struct use *call = asked->is_911 ? &two : &one, *call911 = asked->is_911 ? &one : &two;
    *ret = (struct story_found){ .call = call->id, .call911 = call911->id };
    return r < 0 ? r : collect(reader, call, call911, &ret->events, err);
}
