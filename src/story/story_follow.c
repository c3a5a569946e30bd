/* story_follow.c - the events of a call one after the other: what each was told as, who was at the call then, and when
 * they were on their way and there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/families.h>

#include "story_private.h"

#define STATUS_EN_ROUTE 3
#define STATUS_ON_SCENE 4

struct follow {
    struct story *story;
    struct state *state;
    struct description description;
    struct was {
        int32_t status;
        int8_t panic, online;
        usec_t heard_us;
        bool gone; /* it logged out or fell silent for a day, and was not attached again: what it tells is not of this
                      call */
    } * was;       /* of each unit of the story */
    size_t room_units, room_entries;
};

/* ---- units ---- */

static bool has(const struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return true;
    return false;
}

static struct story_unit *find_unit(const struct story *story, int64_t id)
{
    for (size_t i = 0; i < story->n_units; i++)
        if (story->units[i].id == id)
            return &story->units[i];
    return NULL;
}

static struct story_unit *add_unit(struct follow *follow, int64_t id)
{
    struct story *story = follow->story;
    if (story->n_units == follow->room_units) {
        size_t room = follow->room_units ? 2 * follow->room_units : 8;
        struct story_unit *units = realloc(story->units, room * sizeof(*units));
        story->units = units ? units : story->units;
        struct was *was = realloc(follow->was, room * sizeof(*was));
        follow->was = was ? was : follow->was;
        if (!units || !was)
            return NULL;
        follow->room_units = room;
    }
    follow->was[story->n_units] = (struct was){ .status = STATE_UNSET, .panic = -1, .online = -1 };
    story->units[story->n_units] = (struct story_unit){ .id = id };
    return &story->units[story->n_units++];
}

/* Since when a list of units has it, 0: that was not seen. */
static usec_t attached_since(const struct state_snapshot *snapshot, int64_t call, int64_t unit)
{
    for (size_t i = 0; i < snapshot->n_calls; i++)
        for (size_t k = 0; snapshot->calls[i].id == call && k < snapshot->n_attached[i]; k++)
            if (snapshot->attached[i][k] == unit)
                return snapshot->attached_since_us[i][k];
    return 0;
}

static int come(struct follow *follow, int64_t id)
{
    struct state_snapshot *snapshot = NULL;
    struct story_unit *unit = find_unit(follow->story, id);
    bool first = !unit;
    if (unit && unit->at)
        return 0;
    unit = unit ? unit : add_unit(follow, id);
    if (!unit || state_snapshot(follow->state, follow->story->community, &snapshot) < 0)
        return -ENOMEM;
    if (first)
        unit->attached_us = attached_since(snapshot, follow->story->call, id);
    unit->at = true;
    follow->was[unit - follow->story->units].gone = false;
    unit->left_us = 0;
    state_snapshot_free(snapshot);
    return 0;
}

static int take_units(struct follow *follow, usec_t time_us)
{
    struct story *story = follow->story;
    const int64_t *at;
    size_t n = state_call_units(follow->state, story->community, story->call, &at);
    for (size_t i = 0; i < story->n_units; i++) {
        struct story_unit *unit = &story->units[i];
        bool stays = false;
        for (size_t k = 0; k < n; k++)
            stays |= at[k] == unit->id;
        if (unit->at && !stays)
            unit->left_us = time_us;
        unit->at &= stays;
    }
    for (size_t i = 0; i < n; i++)
        if (come(follow, at[i]) < 0)
            return -ENOMEM;
    return 0;
}

/* Who comes in a status has it here too (whoever was there first is attached later), but not where they are at another
 * call as well. */
static bool is_of_other_call(const struct follow *follow, const struct was *was)
{
    return was->status == STATE_UNSET && follow->description.calls.n > 1;
}

static void take_status(struct story_unit *unit, int32_t status, usec_t time_us)
{
    if (status == STATUS_EN_ROUTE && !unit->en_route_us)
        unit->en_route_us = time_us;
    if (status == STATUS_ON_SCENE && !unit->on_scene_us)
        unit->on_scene_us = time_us;
}

static void take_silence(struct follow *follow, usec_t time_us)
{
    for (size_t i = 0; i < follow->story->n_units; i++) {
        struct was *was = &follow->was[i];
        if (!has(&follow->description.units, follow->story->units[i].id))
            continue;
        was->gone |= was->heard_us && time_us > was->heard_us + STATE_KEEP_US;
        was->heard_us = time_us;
    }
}

/* State keeps who logged out at their calls: that one came back to this call is seen where it is attached again. */
static void take_back(struct follow *follow, const struct event *event)
{
    const struct story *story = follow->story;
    if (strcmp(event->type, "EVENT_DISPATCH_UNIT_ATTACH") != 0 || !has(&follow->description.calls, story->call))
        return;
    for (size_t i = 0; i < story->n_units; i++)
        if (follow->was[i].gone && has(&follow->description.units, story->units[i].id))
            follow->was[i] =
                (struct was){ .status = STATE_UNSET, .panic = -1, .online = -1, .heard_us = event->time_us };
}

/* Whether one of those who are at the call told something new. */
static bool take_statuses(struct follow *follow, usec_t time_us)
{
    struct story *story = follow->story;
    bool news = false;
    for (size_t i = 0; i < story->n_units; i++) {
        struct story_unit *unit = &story->units[i];
        struct was *was = &follow->was[i];
        const struct state_unit *now = state_find_unit(follow->state, story->community, unit->id);
        if (!now || !unit->at)
            continue;
        was->gone |= was->online == 1 && !now->online;
        if (now->status != was->status && !was->gone && !is_of_other_call(follow, was))
            take_status(unit, now->status, time_us);
        news |= now->status != was->status || now->panic != was->panic || now->online != was->online;
        was->status = now->status;
        was->panic = now->panic;
        was->online = now->online;
    }
    return news;
}

/* What was known when it came, of events that are not part of the story. */
static void put_known(struct follow *follow, const struct event *event)
{
    const cJSON *unit, *units = json_get(follow->description.known_json, "units");
    cJSON_ArrayForEach (unit, units) {
        const cJSON *id = json_get(unit, "id"), *status = json_get(unit, "status");
        if (!json_is(id, cJSON_Number) || !json_is_exact(id->valuedouble))
            continue;
        struct state_unit patch = STATE_UNIT_PATCH((int64_t) id->valuedouble);
        const char *number = json_get_text(unit, "number"), *name = json_get_text(unit, "name");
        patch.number = *number ? number : NULL;
        patch.name = *name ? name : NULL;
        if (json_is(status, cJSON_Number))
            patch.status = status->valueint;
        (void) state_unit_put(follow->state, event->realm, &patch, event->time_us);
    }
}

/* ---- the calls ---- */

static void take_calls(struct follow *follow, usec_t time_us)
{
    struct story *story = follow->story;
    const struct state_call *call = state_find_call(follow->state, story->community, story->call);
    const struct state_call911 *call911 = state_find_call911(follow->state, story->community, story->call911);
    if (call911 && call911->told && !story->called_us)
        story->called_us = call911->opened_us;
    if (call) {
        story->opened_us = call->opened_us;
        story->missed |= call->primed == STATE_PRIMED_MISSED;
        story->closed_us = call->status != STATE_CALL_CLOSED ? 0 : story->closed_us ? story->closed_us : time_us;
    } else if (story->call == STATE_UNSET_ID && call911) {
        story->opened_us = story->called_us;
        story->missed |= call911->primed == STATE_PRIMED_MISSED;
        story->closed_us = !call911->removed ? 0 : story->closed_us ? story->closed_us : time_us;
    }
}

static char *copy(const char *text)
{
    return strdup(text ? text : "");
}

static int take_names(struct follow *follow)
{
    struct story *story = follow->story;
    const struct state_call *call = state_find_call(follow->state, story->community, story->call);
    const struct state_call911 *call911 = state_find_call911(follow->state, story->community, story->call911);
    story->title = copy(call ? call->title : NULL);
    story->address = copy(call && call->address ? call->address : call911 ? call911->location : NULL);
    bool failed = !story->title || !story->address;
    for (size_t i = 0; i < story->n_units; i++) {
        const struct state_unit *unit = state_find_unit(follow->state, story->community, story->units[i].id);
        story->units[i].number = copy(unit ? unit->number : NULL);
        story->units[i].name = copy(unit ? unit->name : NULL);
        failed |= !story->units[i].number || !story->units[i].name;
    }
    return failed ? -ENOMEM : 0;
}

/* ---- the events ---- */

static int add_entry(struct follow *follow, const struct event *event)
{
    struct story *story = follow->story;
    struct description *description = &follow->description;
    if (story->n_entries == follow->room_entries) {
        size_t room = follow->room_entries ? 2 * follow->room_entries : 64;
        struct story_entry *entries = realloc(story->entries, room * sizeof(*entries));
        if (!entries)
            return -ENOMEM;
        story->entries = entries;
        follow->room_entries = room;
    }
    struct story_entry *entry = &story->entries[story->n_entries++];
    *entry = (struct story_entry){ .id = event->id,
                                   .time_us = event->time_us,
                                   .test = event->test,
                                   .type = copy(event->type),
                                   .summary = copy(description->line.s),
                                   .units = description->units };
    description->units = (struct ids){ 0 };
    return entry->type && entry->summary ? 0 : -ENOMEM;
}

static bool is_of_calls(const struct follow *follow)
{
    const struct story *story = follow->story;
    return has(&follow->description.calls, story->call) || has(&follow->description.calls911, story->call911);
}

static int take(struct follow *follow, const struct store_row *row, struct err *err)
{
    struct batch batch;
    int r = story_hear(row, follow->state, &batch, err);
    if (r <= 0)
        return r;
    const struct event *event = &batch.events[0];
    store_row_describe(row, event, &follow->description);
    put_known(follow, event);
    take_calls(follow, event->time_us);
    r = take_units(follow, event->time_us);
    take_silence(follow, event->time_us);
    take_back(follow, event);
    bool news = take_statuses(follow, event->time_us);
    if (r >= 0 && (news || is_of_calls(follow)))
        r = add_entry(follow, event);
    batch_done(&batch);
    return r < 0 ? err_set(err, r, "no memory") : 1;
}

/* An event that is gone meanwhile was the oldest, and is missed. */
static int read_one(struct store_reader *reader, struct follow *follow, uint64_t id, struct err *err)
{
    const struct store_filter filter = { .after_id = id - 1, .last_id = id };
    struct store_row row;
    int r = store_seek(reader, &filter, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    if (r > 0)
        r = take(follow, &row, err);
    store_rest(reader);
    return r < 0 ? r : 0;
}

int story_follow(struct store_reader *reader, const struct story_events *events, struct story *story, struct err *err)
{
    struct follow follow = { .story = story, .state = state_new(), .description = DESCRIPTION_INIT };
    int r = follow.state ? 0 : err_set(err, -ENOMEM, "no memory");
    for (size_t i = 0; r >= 0 && i < events->n; i++)
        r = read_one(reader, &follow, events->v[i], err);
    if (r >= 0 && take_names(&follow) < 0)
        r = err_set(err, -ENOMEM, "no memory");
    state_free(follow.state);
    description_free(&follow.description);
    free(follow.was);
    return r;
}
