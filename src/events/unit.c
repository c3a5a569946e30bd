/* unit.c - EVENT_UNIT_*: who is on duty, where, and in which state.
 * Source: events.md 4.10 to 4.14; vendor pages push-events/unit-events. */
#include "fields.h"

static const char *const panic_names[] = { "identIds", "identId", NULL };
static const char *const status_names[] = { "identIds", "idents", "identId", "ident", NULL };
static const char *const logout_names[] = { "identId", "identIds", NULL };

/* "1 unit" and "3 units" lists read as sentences; here is the walk over data.units[]. */
#define FOR_EACH_UNIT(unit, event)                                                                                     \
    for (const cJSON *list_ = get((event)->data, "units"), *unit = list_ ? first_of(list_) : NULL; unit;               \
         unit = next_of(list_, unit))

static size_t count_units(const struct event *event)
{
    size_t n = 0;
    FOR_EACH_UNIT (unit, event)
        n++;
    return n;
}

int apply_unit(const struct event *event, struct state *state, const cJSON *unit, int8_t online, int8_t dispatcher)
{
    struct state_unit patch;
    read_unit(unit, &patch);
    patch.online = online;
    if (dispatcher >= 0)
        patch.dispatcher = dispatcher;
    return state_unit_put(state, event->community, &patch, event->time_us);
}

/* ---- log-in ---- */

/* A development version of 2021 sent the id beside the unit. */
static int64_t login_id(const struct event *event, const cJSON *unit)
{
    int64_t id = 0;
    if (!get_id(unit, "id", &id))
        get_id(event->data, "id", &id);
    return id;
}

static int login_check(const struct event *event, struct err *err)
{
    const cJSON *unit = get(event->data, "unit");
    if (!unit && get(event->data, "units"))
        return need_units(event, err, false, false);
    if (unit && !cJSON_IsObject(unit))
        return event_refuse(event, err, "unit", "expected an object");
    if (unit && !get(unit, "id") && get(event->data, "id"))
        return need_id(event, err, event->data, "", "id");
    return need_id(event, err, unit, "unit", "id");
}

static void say_login(const struct event *event, const struct state *state, struct description *out, const cJSON *json)
{
    struct state_unit unit;
    read_unit(json, &unit);
    say_unit_object(event, state, out, json, login_id(event, json));

    bool dispatcher = get_flag(event->data, "isDispatch") == 1 || unit.dispatcher == 1;
    text_add(&out->line, " on duty");
    if (dispatcher) {
        text_add(&out->line, " as dispatcher");
    } else if (unit.page != STATE_UNSET) {
        text_add(&out->line, unit.page >= 0 && unit.page <= 3 ? " as " : " on ");
        say_word(&out->line, WORD_PAGE, unit.page);
    }
    say_after(&out->line, ", ", unit.department, LINE_NAME_MAX);
    if (unit.status != STATE_UNSET) {
        text_add(&out->line, ", ");
        say_word(&out->line, WORD_UNIT_STATUS, unit.status);
    }
    say_after(&out->line, ", at ", unit.location, LINE_NAME_MAX);
    if (get_flag(event->data, "selfDispatch") == 1)
        text_add(&out->line, ", dispatching itself");
}

static void login_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *unit = get(event->data, "unit");
    size_t i = 0;
    if (unit) {
        say_login(event, state, out, unit);
        return;
    }
    FOR_EACH_UNIT (each, event) {
        if (i++)
            text_add(&out->line, "; ");
        say_login(event, state, out, each);
    }
}

static int login_apply(const struct event *event, struct state *state)
{
    int8_t dispatcher = get_flag(event->data, "isDispatch");
    const cJSON *unit = get(event->data, "unit");
    int changed = 0;
    if (!unit) {
        FOR_EACH_UNIT (each, event)
            changed |= apply_unit(event, state, each, 1, dispatcher);
        return changed;
    }
    struct state_unit patch;
    read_unit(unit, &patch);
    patch.id = login_id(event, unit);
    patch.online = 1;
    if (dispatcher >= 0)
        patch.dispatcher = dispatcher;
    return state_unit_put(state, event->community, &patch, event->time_us);
}

/* ---- log-out ---- */

static int logout_check(const struct event *event, struct err *err)
{
    if (!get(event->data, "identId") && !get(event->data, "identIds") && get(event->data, "units"))
        return need_units(event, err, true, false);
    return need_ids(event, err, logout_names, 0);
}

static void logout_ids(const struct event *event, struct ids *ret)
{
    get_ids(event->data, logout_names, ret);
    FOR_EACH_UNIT (unit, event) {
        struct state_unit told;
        read_unit(unit, &told);
        ids_add(ret, told.id);
    }
}

static void logout_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    if (get(event->data, "identId") || get(event->data, "identIds")) {
        logout_ids(event, &ids);
        say_units(event, state, out, &ids);
    } else {
        say_unit_objects(event, state, out, get(event->data, "units"));
    }
    text_add(&out->line, " off duty");
}

static int logout_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    logout_ids(event, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids.v[i]);
        patch.online = 0;
        changed |= state_unit_put(state, event->community, &patch, event->time_us);
    }
    FOR_EACH_UNIT (unit, event)
        if (cJSON_IsObject(unit))
            changed |= apply_unit(event, state, unit, 0, -1);
    return changed;
}

/* ---- status, update ---- */

static int status_check_units(const struct event *event, struct err *err)
{
    int index = 0;
    if (need_units(event, err, true, true) < 0)
        return -EINVAL;
    FOR_EACH_UNIT (unit, event) {
        char path[48] = "units.status";
        if (cJSON_IsArray(get(event->data, "units")))
            snprintf(path, sizeof(path), "units[%d].status", index++);
        if (!cJSON_IsObject(unit) || get_number(unit, "status") != STATE_UNSET)
            continue;
        if (get(unit, "status"))
            return event_refuse(event, err, path, "expected a whole number");
        if (get_number(event->data, "status") == STATE_UNSET)
            return event_refuse(event, err, path, "missing");
    }
    return 0;
}

static int status_check(const struct event *event, struct err *err)
{
    if (get(event->data, "units"))
        return status_check_units(event, err);
    int r = need_ids(event, err, status_names, 0);
    if (r < 0)
        return r;
    if (get_number(event->data, "status") != STATE_UNSET)
        return 0;
    return event_refuse(event, err, "status", get(event->data, "status") ? "expected a whole number" : "missing");
}

/* " en route" behind the name of a unit; its own status wins over one for all. */
static void say_status(const struct event *event, struct text *line, const cJSON *unit)
{
    int32_t status = get_number(unit, "status");
    if (status == STATE_UNSET)
        status = get_number(event->data, "status");
    if (status == STATE_UNSET) {
        text_add(line, " changed status");
        return;
    }
    text_add(line, " ");
    say_word(line, WORD_UNIT_STATUS, status);
}

/* Ids that come without a unit object, all of one status. */
static void bare_ids(const struct event *event, struct ids *ret)
{
    FOR_EACH_UNIT (unit, event) {
        int64_t id;
        if (read_id(unit, &id) || get_id(unit, "id", &id))
            ids_add(ret, id);
    }
    get_ids(event->data, status_names, ret);
}

static bool has_unit_objects(const struct event *event)
{
    FOR_EACH_UNIT (unit, event)
        if (cJSON_IsObject(unit))
            return true;
    return false;
}

/* What stands beside the units, of other units. */
static void say_others(const struct event *event, const struct state *state, struct description *out,
                       const struct ids *ids)
{
    struct ids others CLEANUP(ids_free) = { 0 };
    size_t named = out->units.n;
    for (size_t i = 0; i < ids->n; i++) {
        ids_add(&out->units, ids->v[i]);
        if (out->units.n > named + others.n)
            ids_add(&others, ids->v[i]);
    }
    if (others.n == 0)
        return;
    text_add(&out->line, "; ");
    say_units(event, state, out, &others);
    say_status(event, &out->line, NULL);
}

static void status_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    bare_ids(event, &ids);
    if (ids.n == 0) {
        text_add(&out->line, "no unit changed status");
        return;
    }
    if (!has_unit_objects(event)) {
        say_units(event, state, out, &ids);
        say_status(event, &out->line, NULL);
        return;
    }

    size_t n = count_units(event), i = 0;
    FOR_EACH_UNIT (unit, event) {
        int64_t id = 0;
        if (!get_id(unit, "id", &id))
            read_id(unit, &id);
        if (i++ >= LINE_LIST_MAX) {
            ids_add(&out->units, id);
            continue;
        }
        say_separator(&out->line, i - 1, n > LINE_LIST_MAX ? n + 1 : n);
        say_unit_object(event, state, out, unit, id);
        say_status(event, &out->line, unit);
    }
    if (n > LINE_LIST_MAX)
        text_addf(&out->line, " and %zu more", n - LINE_LIST_MAX);
    say_others(event, state, out, &ids);
}

static int status_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int32_t status = get_number(event->data, "status");
    int changed = 0;
    bare_ids(event, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids.v[i]);
        patch.status = status;
        changed |= state_unit_put(state, event->community, &patch, event->time_us);
    }
    FOR_EACH_UNIT (unit, event)
        if (cJSON_IsObject(unit))
            changed |= apply_unit(event, state, unit, -1, -1);
    return changed;
}

static int update_check(const struct event *event, struct err *err)
{
    return need_units(event, err, false, true);
}

static void update_describe(const struct event *event, const struct state *state, struct description *out)
{
    size_t n = count_units(event), i = 0;
    if (n == 0)
        text_add(&out->line, "no unit updated");
    FOR_EACH_UNIT (json, event) {
        struct state_unit unit;
        read_unit(json, &unit);
        if (i >= LINE_LIST_MAX) {
            ids_add(&out->units, unit.id);
            continue;
        }
        if (i++)
            text_add(&out->line, "; ");
        say_unit_object(event, state, out, json, unit.id);
        text_add(&out->line, " updated");
        if (unit.status != STATE_UNSET) {
            text_add(&out->line, ": ");
            say_word(&out->line, WORD_UNIT_STATUS, unit.status);
        }
        say_after(&out->line, ", at ", unit.location, LINE_NAME_MAX);
    }
    if (n > LINE_LIST_MAX)
        text_addf(&out->line, "; and %zu more", n - LINE_LIST_MAX);
}

static int update_apply(const struct event *event, struct state *state)
{
    int changed = 0;
    FOR_EACH_UNIT (unit, event)
        changed |= apply_unit(event, state, unit, -1, -1);
    return changed;
}

/* ---- panic ---- */

static int panic_check(const struct event *event, struct err *err)
{
    return need_ids(event, err, panic_names, 0);
}

static void panic_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int8_t on = get_flag(event->data, "isPanic");
    get_ids(event->data, panic_names, &ids);
    if (on == 1)
        out->level = LOG_WARNING;
    text_add(&out->line, on == 1 ? "PANIC: " : on == 0 ? "panic ended: " : "panic button, on or off not told: ");
    say_units(event, state, out, &ids);
    if (ids.n == 1)
        state_say_location(state, event->community, ids.v[0], &out->line);
}

static int panic_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    get_ids(event->data, panic_names, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids.v[i]);
        patch.panic = get_flag(event->data, "isPanic");
        changed |= state_unit_put(state, event->community, &patch, event->time_us);
    }
    return changed;
}

static const struct event_type types[] = {
    { "EVENT_UNIT_LOGIN", NULL, LOG_INFO, login_check, login_describe, login_apply },
    { "EVENT_UNIT_LOGOUT", NULL, LOG_INFO, logout_check, logout_describe, logout_apply },
    { "EVENT_UNIT_STATUS", NULL, LOG_INFO, status_check, status_describe, status_apply },
    { "EVENT_UNIT_UPDATE", NULL, LOG_INFO, update_check, update_describe, update_apply },
    { "EVENT_UNIT_PANIC", NULL, LOG_WARNING, panic_check, panic_describe, panic_apply },
};

const struct event_family family_unit = { "unit", "unit", 36, types, ARRAY_SIZE(types) };
