/* unit_duty.c - EVENT_UNIT_LOGIN, EVENT_UNIT_LOGOUT: who is on duty.
 * Source: events.md 4.10, 4.11; vendor pages push-events/unit-events. */
#include "unit.h"

static const char *const logout_names[] = { "identId", "identIds", NULL };

/* ---- log-in ---- */

/* A development version of 2021 sent the id beside the unit. */
static bool login_unit(const struct event *event, const cJSON *json, struct state_unit *ret)
{
    return field_read_unit(json, ret) || field_get_id(event->data, "id", &ret->id);
}

int unit_login_check(const struct event *event, struct err *err)
{
    const cJSON *unit = field_get(event->data, "unit");
    if (!unit && field_get(event->data, "units"))
        return field_need_units(event, err, false, false);
    if (unit && !cJSON_IsObject(unit))
        return event_refuse_value(event, err, "unit", "an object", unit);
    int64_t id;
    if (!unit)
        return field_refuse_neither(event, err, "unit", "units");
    if (!field_get_id(unit, "id", &id) && field_get(event->data, "id"))
        return field_need_id(event, err, event->data, "", "id");
    return field_need_id(event, err, unit, "unit", "id");
}

/* As in state: what the event says of it itself wins over the unit's object. */
static bool is_dispatcher(const struct event *event, const struct state_unit *unit)
{
    int8_t told = field_get_flag(event->data, "isDispatch");
    return (told < 0 ? unit->dispatcher : told) == 1;
}

/* ", police, Calder County Sheriff, available, at Pier Rd / Old Mill Ln" */
static void say_session(struct text *out, const struct state_unit *unit, bool dispatcher)
{
    if (!dispatcher && unit->page >= 0) {
        text_add(out, ", ");
        phrase_say_word(out, WORD_PAGE, unit->page);
    }
    phrase_say_after(out, ", ", unit->department, LINE_NAME_MAX);
    if (unit->status != STATE_UNSET) {
        text_add(out, ", ");
        phrase_say_word(out, WORD_UNIT_STATUS, unit->status);
    }
    phrase_say_after(out, ", at ", unit->location, LINE_NAME_MAX);
}

/* It was seen to log in, and not to leave. */
static bool is_on_duty(const struct state_unit *unit)
{
    return unit && unit->told && unit->online == 1 && unit->duty_since_us;
}

static void say_login(const struct line *line, const struct told_unit *unit)
{
    struct text *text = &line->out->line;
    bool again = is_on_duty(unit->was), dispatcher = is_dispatcher(line->event, &unit->now);
    unit_say_panic(line, unit);
    unit_say_told(line, unit, again);
    unit_say_number(line, unit);
    text_add(text, again ? " on duty again" : " on duty");
    if (dispatcher)
        text_add(text, " as dispatcher");
    if (again)
        unit_say_session_changes(line, unit);
    else
        say_session(text, &unit->now, dispatcher);
    if (field_get_flag(line->event->data, "selfDispatch") == 1)
        text_add(text, ", self-dispatch");
    if (unit_panic_of(unit) == PANIC_GOES_ON)
        text_add(text, ", in panic");
    if (unit_panic_of(unit) == PANIC_BEGINS)
        unit_say_calls(line, ", ", unit->id);
}

static size_t say_logins(const struct line *line, const cJSON *list, int turn, size_t n)
{
    for (const cJSON *json = field_first_of(list); json; json = field_next_of(list, json)) {
        struct state_unit told;
        if (!login_unit(line->event, json, &told))
            continue;
        struct told_unit unit = unit_told(line, told.id, json);
        if (unit_turn_of(&unit) == turn && !unit_is_told_again(list, &unit) && unit_begin_clause(line, n++, told.id))
            say_login(line, &unit);
    }
    return n;
}

void unit_login_describe(const struct event *event, const struct state *state, struct description *out)
{
    const struct line line = { event, state, out };
    const cJSON *one = field_get(event->data, "unit"), *list = one ? one : field_get(event->data, "units");
    size_t n = 0;
    for (int turn = 0; turn < TURNS; turn++)
        n = say_logins(&line, list, turn, n);
    unit_end_clauses(&line, n);
    if (n == 0)
        text_add(&out->line, "a unit without an id on duty");
}

/* The status it comes with begins with it. */
static int apply_login(const struct event *event, struct state *state, const cJSON *json)
{
    struct text api_ids CLEANUP(text_free) = TEXT_INIT;
    struct state_unit patch;
    int8_t dispatcher = field_get_flag(event->data, "isDispatch");
    const char *ids = unit_read_api_ids(json, &api_ids); /* first: there may be more than texts of numbers last */
    if (!login_unit(event, json, &patch))
        return 0;
    patch.api_ids = ids;
    patch.online = 1;
    patch.told = true;
    patch.status_since_us = patch.duty_since_us = event->time_us;
    if (dispatcher >= 0)
        patch.dispatcher = dispatcher;
    return state_unit_put(state, event->realm, &patch, event->time_us);
}

int unit_login_apply(const struct event *event, struct state *state)
{
    const cJSON *unit = field_get(event->data, "unit");
    int changed = 0;
    if (!unit) {
        FOR_EACH_UNIT (each, event)
            changed |= apply_login(event, state, each);
        return changed;
    }
    return apply_login(event, state, unit);
}

/* ---- log-out ---- */

int unit_logout_check(const struct event *event, struct err *err)
{
    if (field_get_any(event->data, logout_names))
        return field_need_ids(event, err, logout_names, 0);
    if (field_get(event->data, "units"))
        return field_need_units(event, err, true, false);
    return field_refuse_neither(event, err, "identId", "units");
}

static void logout_ids(const struct event *event, struct ids *ret)
{
    field_get_units(event->data, logout_names, ret);
    FOR_EACH_UNIT (unit, event) {
        struct state_unit told;
        if (field_read_unit(unit, &told))
            ids_add(ret, told.id);
    }
}

static void say_logout(const struct line *line, const struct told_unit *unit)
{
    struct text *text = &line->out->line;
    bool panic = unit->now.panic == 1 || (unit->was && unit->was->panic == 1);
    unit_say_told(line, unit, false);
    if (panic) {
        line->out->level = LOG_WARNING;
        text_add(text, " off duty while in panic");
        if (unit->now.location && *unit->now.location)
            phrase_say_after(text, ", last at ", unit->now.location, LINE_NAME_MAX);
        else
            unit_say_last_place(line, unit);
    } else {
        unit_say_number(line, unit);
        text_add(text, unit->was && unit->was->online == 0 ? " off duty again" : " off duty");
        if (is_on_duty(unit->was))
            phrase_say_since(text, " after ", unit->was->duty_since_us, line->event->time_us);
    }
    unit_say_calls(line, ", still on ", unit->id);
}

/* The object of a unit, where the event has one. */
static const cJSON *object_of(const struct event *event, int64_t id)
{
    FOR_EACH_UNIT (unit, event) {
        struct state_unit told;
        if (cJSON_IsObject(unit) && field_read_unit(unit, &told) && told.id == id)
            return unit;
    }
    return NULL;
}

static bool has_objects(const struct event *event)
{
    return cJSON_IsObject(field_first_of(field_get(event->data, "units")));
}

void unit_logout_describe(const struct event *event, const struct state *state, struct description *out)
{
    const struct line line = { event, state, out };
    struct ids ids CLEANUP(ids_free) = { 0 };
    logout_ids(event, &ids);
    if (ids.n == 0)
        out->level = LOG_DEBUG;
    if (ids.n == 0 || (ids.n > 1 && !has_objects(event) && unit_is_none_named(&line, &ids))) {
        text_add(&out->line, ids.n ? "" : "no unit");
        phrase_say_units(event, state, out, &ids);
        text_add(&out->line, " off duty");
        (void) unit_have_same_calls(&line, &ids); /* they are counted */
        return;
    }
    for (size_t i = 0; i < ids.n; i++) {
        if (!unit_begin_clause(&line, i, ids.v[i]))
            continue;
        struct told_unit unit = unit_told(&line, ids.v[i], object_of(event, ids.v[i]));
        say_logout(&line, &unit);
    }
    unit_end_clauses(&line, ids.n);
}

int unit_logout_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    struct state_unit off_duty = STATE_UNIT_PATCH(0);
    int changed = 0;
    off_duty.online = 0;
    logout_ids(event, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids.v[i]);
        patch.online = 0;
        patch.duty_since_us = event->time_us;
        changed |= state_unit_put(state, event->realm, &patch, event->time_us);
    }
    FOR_EACH_UNIT (unit, event)
        if (cJSON_IsObject(unit))
            changed |= unit_apply(event, state, unit, &off_duty);
    return changed;
}
