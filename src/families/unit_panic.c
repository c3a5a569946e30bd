/* unit_panic.c - EVENT_UNIT_PANIC.
 * Source: events.md 4.14; vendor pages push-events/unit-events. */
#include "unit.h"

static const char *const panic_names[] = { "identIds", "identId", NULL };

int unit_panic_check(const struct event *event, struct err *err)
{
    return field_need_ids(event, err, panic_names, 0);
}

static const struct state_unit *find(const struct line *line, const struct ids *ids, size_t i)
{
    return state_find_unit(line->state, line->event->realm, ids->v[i]);
}

/* Whether all of them are in panic already. */
static bool are_in_panic(const struct line *line, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        const struct state_unit *unit = find(line, ids, i);
        if (!unit || unit->panic != 1)
            return false;
    }
    return ids->n > 0;
}

static bool has_place(const struct line *line, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        const struct state_unit *unit = find(line, ids, i);
        if (unit && unit->location && *unit->location)
            return true;
    }
    return false;
}

/* "3-L-27 Mara Ellison, last at Pier Rd; 3-L-33 Jonas Brandt, last at Harbor Station 9; call 55120 Structure Fire" */
static void say_each(const struct line *line, const struct ids *ids)
{
    bool same_calls = unit_have_same_calls(line, ids);
    for (size_t i = 0; i < ids->n; i++) {
        if (!unit_begin_clause(line, i, ids->v[i]))
            continue;
        struct told_unit unit = unit_told(line, ids->v[i], NULL);
        unit_say_told(line, &unit, false);
        unit_say_last_place(line, &unit);
        if (!same_calls || ids->n == 1)
            unit_say_calls(line, ", ", unit.id);
    }
    unit_end_clauses(line, ids->n);
    if (same_calls && ids->n > 1)
        unit_say_calls(line, "; ", ids->v[0]);
}

static void say_begun(const struct line *line, const struct ids *ids)
{
    line->out->level = LOG_WARNING;
    text_add(&line->out->line, are_in_panic(line, ids) ? "PANIC again: " : "PANIC: ");
    if (ids->n == 1 || has_place(line, ids) || !unit_have_same_calls(line, ids)) {
        say_each(line, ids);
        return;
    }
    phrase_say_units(line->event, line->state, line->out, ids);
    unit_say_calls(line, ", ", ids->v[0]);
}

static void say_ended(const struct line *line, const struct ids *ids)
{
    const struct state_unit *unit = ids->n == 1 ? find(line, ids, 0) : NULL;
    line->out->level = LOG_NOTICE;
    text_add(&line->out->line, "panic ended");
    if (unit && unit->panic == 1)
        phrase_say_since(&line->out->line, " after ", unit->panic_since_us, line->event->time_us);
    text_add(&line->out->line, ": ");
    phrase_say_units(line->event, line->state, line->out, ids);
    (void) unit_have_same_calls(line, ids); /* they are counted */
}

/* Somebody is in need, though nobody can say who: only the end of it is not heard. */
static void say_nobody(struct description *out, int8_t on)
{
    out->level = on == 0 ? LOG_DEBUG : LOG_WARNING;
    text_add(&out->line, on == 1   ? "PANIC: no unit is named"
                         : on == 0 ? "panic ended: no unit is named"
                                   : "panic button, no unit is named, on or off is not told");
}

void unit_panic_describe(const struct event *event, const struct state *state, struct description *out)
{
    const struct line line = { event, state, out };
    struct ids ids CLEANUP(ids_free) = { 0 };
    int8_t on = field_get_flag(event->data, "isPanic");
    field_get_units(event->data, panic_names, &ids);
    if (ids.n == 0) {
        say_nobody(out, on);
    } else if (on == 1) {
        say_begun(&line, &ids);
    } else if (on == 0) {
        say_ended(&line, &ids);
    } else {
        out->level = LOG_WARNING;
        text_add(&out->line, "panic button of ");
        phrase_say_units(event, state, out, &ids);
        text_add(&out->line, ", on or off is not told");
        (void) unit_have_same_calls(&line, &ids);
    }
}

int unit_panic_apply(const struct event *event, struct state *state)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    field_get_units(event->data, panic_names, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids.v[i]);
        patch.panic = field_get_flag(event->data, "isPanic");
        patch.panic_since_us = event->time_us;
        changed |= state_unit_put(state, event->realm, &patch, event->time_us);
    }
    return changed;
}
