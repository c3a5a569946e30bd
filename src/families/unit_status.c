/* unit_status.c - EVENT_UNIT_STATUS, EVENT_UNIT_UPDATE: where units are, and in which state.
 * Source: events.md 4.12, 4.13; vendor pages push-events/unit-events. */
#include "unit.h"

static const char *const status_names[] = { "identIds", "idents", "identId", "ident", NULL };

static int status_check_units(const struct event *event, struct err *err)
{
    if (field_need_units(event, err, true, true) < 0)
        return -EINVAL;
    bool for_all = field_get_number(event->data, "status") != STATE_UNSET;
    FOR_EACH_UNIT (unit, event) {
        char path[PATH_MAX_BYTES + sizeof(".status")];
        const cJSON *status = field_get(unit, "status");
        if (!cJSON_IsObject(unit) || field_get_number(unit, "status") != STATE_UNSET || (!status && for_all))
            continue;
        field_path_of(path, "units", field_get(event->data, "units"), unit);
        strcat(path, ".status");
        return event_refuse_value(event, err, path, "a whole number", status);
    }
    return 0;
}

int unit_status_check(const struct event *event, struct err *err)
{
    if (field_get(event->data, "units"))
        return status_check_units(event, err);
    if (!field_get_any(event->data, status_names))
        return field_refuse_neither(event, err, "units", "identIds");
    int r = field_need_ids(event, err, status_names, 0);
    if (r < 0)
        return r;
    if (field_get_number(event->data, "status") != STATE_UNSET)
        return 0;
    return event_refuse_value(event, err, "status", "a whole number", field_get(event->data, "status"));
}

/* Ids that come without a unit object, all of one status. */
static void bare_ids(const struct event *event, struct ids *ret)
{
    FOR_EACH_UNIT (unit, event) {
        int64_t id;
        if (scalar_read_id(unit, &id) && id != 0)
            ids_add(ret, id);
    }
    field_get_units(event->data, status_names, ret);
}

static void object_ids(const struct event *event, struct ids *ret)
{
    FOR_EACH_UNIT (unit, event) {
        struct state_unit told;
        if (cJSON_IsObject(unit) && field_read_unit(unit, &told))
            ids_add(ret, told.id);
    }
}

/* Its own status wins over one for all. */
static int32_t status_of(const struct event *event, const struct told_unit *unit)
{
    return unit->now.status != STATE_UNSET ? unit->now.status : field_get_number(event->data, "status");
}

/* "en route (was available, 12 min)" */
static void say_status(const struct line *line, const struct told_unit *unit, bool how_long)
{
    struct text *text = &line->out->line;
    int32_t status = status_of(line->event, unit), was = unit->was ? unit->was->status : STATE_UNSET;
    if (status == STATE_UNSET) {
        text_add(text, "changed status");
        return;
    }
    phrase_say_word(text, WORD_UNIT_STATUS, status);
    if (was == STATE_UNSET || was == status)
        return;
    text_add(text, " (was ");
    phrase_say_word(text, WORD_UNIT_STATUS, was);
    if (how_long)
        phrase_say_since(text, ", ", unit->was->status_since_us, line->event->time_us);
    text_add(text, ")");
}

/* "PANIC: 3-L-27 Mara Ellison at Pier Rd, en route (was available)" */
static void say_in_panic(const struct line *line, const struct told_unit *unit)
{
    unit_say_panic(line, unit);
    unit_say_told(line, unit, true);
    unit_say_place(line, unit);
    if (status_of(line->event, unit) != STATE_UNSET) {
        text_add(&line->out->line, ", ");
        say_status(line, unit, false);
    }
}

static void say_unit_status(const struct line *line, const struct told_unit *unit)
{
    enum panic panic = unit_panic_of(unit);
    if (panic == PANIC_BEGINS) {
        say_in_panic(line, unit);
        return;
    }
    unit_say_panic(line, unit);
    unit_say_told(line, unit, true);
    text_add(&line->out->line, " ");
    say_status(line, unit, true);
    unit_say_other_changes(line, unit);
    if (panic == PANIC_GOES_ON)
        text_add(&line->out->line, ", in panic");
}

static size_t say_objects(const struct line *line, int turn, size_t n, bool same_calls)
{
    FOR_EACH_UNIT (json, line->event) {
        struct state_unit told;
        if (!cJSON_IsObject(json) || !field_read_unit(json, &told))
            continue;
        struct told_unit unit = unit_told(line, told.id, json);
        if (unit_turn_of(&unit) != turn || unit_is_told_again(field_get(line->event->data, "units"), &unit) ||
            !unit_begin_clause(line, n++, unit.id))
            continue;
        say_unit_status(line, &unit);
        if (!same_calls)
            unit_say_calls(line, ", ", unit.id);
    }
    return n;
}

/* Of one unit with all that is known of it, of several in one list. */
static void say_bare(const struct line *line, const struct ids *ids)
{
    struct told_unit unit = unit_told(line, ids->v[0], NULL);
    if (ids->n == 1) {
        say_unit_status(line, &unit);
        return;
    }
    phrase_say_units(line->event, line->state, line->out, ids);
    text_add(&line->out->line, " ");
    unit.was = NULL;
    say_status(line, &unit, false);
}

/* Adds ids to all of them; those that were not there yet to ret. */
static void add_new(struct ids *all, const struct ids *ids, struct ids *ret)
{
    for (size_t i = 0, n = all->n; i < ids->n; i++, n = all->n) {
        ids_add(all, ids->v[i]);
        if (all->n > n)
            ids_add(ret, ids->v[i]);
    }
}

void unit_status_describe(const struct event *event, const struct state *state, struct description *out)
{
    const struct line line = { event, state, out };
    struct ids bare CLEANUP(ids_free) = { 0 }, all CLEANUP(ids_free) = { 0 }, others CLEANUP(ids_free) = { 0 };
    bare_ids(event, &bare);
    object_ids(event, &all);
    add_new(&all, &bare, &others);
    if (all.n == 0) {
        out->level = LOG_DEBUG;
        text_add(&out->line, "no unit changed status");
        return;
    }
    bool same_calls = unit_have_same_calls(&line, &all);
    size_t n = 0;
    for (int turn = 0; turn < TURNS; turn++)
        n = say_objects(&line, turn, n, same_calls);
    unit_end_clauses(&line, n);
    if (n && others.n)
        text_add(&out->line, "; ");
    if (others.n)
        say_bare(&line, &others);
    if (same_calls)
        unit_say_calls(&line, n > 1 || (n && others.n) ? "; " : ", ", all.v[0]);
}

/* An object's own status wins over the one for all, which is not even there for a moment then. */
int unit_status_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 }, told CLEANUP(ids_free) = { 0 };
    struct state_unit patch = STATE_UNIT_PATCH(0);
    int changed = 0;
    patch.status = field_get_number(event->data, "status");
    patch.status_since_us = event->time_us;
    FOR_EACH_UNIT (unit, event) {
        if (!cJSON_IsObject(unit))
            continue;
        changed |= unit_apply(event, state, unit, &patch);
        if (field_get_id(unit, "id", &patch.id))
            ids_add(&told, patch.id);
    }
    bare_ids(event, &ids);
    for (size_t i = 0, n = told.n; i < ids.n; i++, n = told.n) {
        patch.id = ids.v[i];
        ids_add(&told, patch.id);
        if (told.n > n)
            changed |= state_unit_put(state, event->realm, &patch, event->time_us);
    }
    return changed;
}

int unit_update_check(const struct event *event, struct err *err)
{
    return field_need_units(event, err, false, true);
}

/* Whether it tells something new. */
static bool say_update(const struct line *line, const struct told_unit *unit)
{
    struct text *text = &line->out->line;
    enum panic panic = unit_panic_of(unit);
    if (panic == PANIC_BEGINS) {
        say_in_panic(line, unit);
        unit_say_calls(line, ", ", unit->id);
        return true;
    }
    unit_say_panic(line, unit);
    bool any = unit_say_told(line, unit, true);
    if (panic != PANIC_ENDS)
        text_add(text, " updated");
    any = unit_say_changes(line, unit) || any || panic == PANIC_ENDS;
    bool known = unit->was && unit->was->told;
    if (!any && known)
        text_add(text, ", nothing changed");
    if (panic == PANIC_GOES_ON)
        text_add(text, ", in panic");
    return any || !known;
}

static size_t say_updates(const struct line *line, int turn, size_t n, bool *any)
{
    FOR_EACH_UNIT (json, line->event) {
        struct state_unit told;
        struct ids calls CLEANUP(ids_free) = { 0 };
        if (!field_read_unit(json, &told))
            continue;
        struct told_unit unit = unit_told(line, told.id, json);
        if (unit_turn_of(&unit) != turn || unit_is_told_again(field_get(line->event->data, "units"), &unit))
            continue;
        unit_calls(line, told.id, &calls);
        if (unit_begin_clause(line, n++, told.id))
            *any |= say_update(line, &unit);
        else
            *any = true;
    }
    return n;
}

void unit_update_describe(const struct event *event, const struct state *state, struct description *out)
{
    const struct line line = { event, state, out };
    bool any = false;
    size_t n = 0;
    for (int turn = 0; turn < TURNS; turn++)
        n = say_updates(&line, turn, n, &any);
    unit_end_clauses(&line, n);
    if (n == 0)
        text_add(&out->line, "no unit updated");
    if (!any)
        out->level = LOG_DEBUG;
}

int unit_update_apply(const struct event *event, struct state *state)
{
    int changed = 0;
    FOR_EACH_UNIT (unit, event)
        changed |= unit_apply(event, state, unit, NULL);
    return changed;
}
