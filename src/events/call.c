/* call.c - the dispatch call as an object: its details in words, and what it tells state. Shared by the families
 * that carry one. Source: events.md 2.2. */
#include "fields.h"

static const char *const attached_names[] = { "idents", NULL };
static const char *const attached_before_2021_names[] = { "units", NULL };

/* The units a call's object lists: ids today, whole units before 3.10.0. Whether it has a list at all. */
bool call_units(const cJSON *call, struct ids *ret)
{
    get_ids(call, attached_names, ret);
    const cJSON *units = get(call, "units");
    if (cJSON_IsArray(units) && !cJSON_IsObject(units->child))
        get_ids(call, attached_before_2021_names, ret);
    for (const cJSON *unit = units ? first_of(units) : NULL; unit; unit = next_of(units, unit)) {
        int64_t id;
        if (get_id(unit, "id", &id))
            ids_add(ret, id);
    }
    return get(call, "idents") || units;
}

void say_call(const struct event *event, const struct state *state, struct description *out, const cJSON *call,
              int64_t id)
{
    ids_add(&out->calls, id);
    text_add(&out->line, "call ");
    if (get(call, "title") || get(call, "code"))
        text_add_int(&out->line, id);
    else
        state_name_call(state, event->community, id, &out->line);
}

static bool say_kind(struct text *line, const struct state_call *call)
{
    bool title = call->title && *call->title, code = call->code && *call->code;
    if (!title && !code)
        return false;
    text_add(line, ": ");
    say(line, title ? call->title : call->code, LINE_NAME_MAX);
    if (title && code) {
        text_add(line, " (");
        say(line, call->code, LINE_NAME_MAX);
        text_add(line, ")");
    }
    return true;
}

/* Without a kind in between, "by D-2 Priya Vance at 118 Lantern St" would say where she is. */
static void say_place(struct text *line, const cJSON *json, const struct state_call *call, bool behind_kind)
{
    say_after(line, behind_kind ? " at " : ": at ", call->address, LINE_NAME_MAX);
    say_after(line, ", block ", get_text(json, "block"), LINE_NAME_MAX);
    say_after(line, ", postal ", call->postal, LINE_NAME_MAX);
}

static void say_numbers(struct text *line, const struct state_call *call)
{
    if (call->priority != STATE_UNSET) {
        text_add(line, ", priority ");
        text_add_int(line, call->priority);
    }
    if (call->status != STATE_UNSET) {
        text_add(line, ", ");
        say_word(line, WORD_CALL_STATUS, call->status);
    }
    if (call->origin != STATE_UNSET) {
        text_add(line, ", ");
        say_word(line, WORD_ORIGIN, call->origin);
    }
}

void say_call_details(const struct event *event, const struct state *state, struct description *out, const cJSON *json)
{
    struct state_call call;
    struct ids units CLEANUP(ids_free) = { 0 };
    read_call(json, &call);

    bool kind = say_kind(&out->line, &call);
    say_place(&out->line, json, &call, kind);
    say_numbers(&out->line, &call);
    if (call.call911 != STATE_UNSET_ID) {
        ids_add(&out->calls911, call.call911);
        text_addf(&out->line, ", 911 call %lld", (long long) call.call911);
    }
    if (call_units(json, &units)) {
        const cJSON *objects = get(json, "idents") ? NULL : get(json, "units");
        text_add(&out->line, units.n ? ", with " : ", no units");
        if (units.n && objects)
            say_unit_objects(event, state, out, objects);
        else
            say_units(event, state, out, &units);
    }
    say_after(&out->line, ": ", call.description, LINE_TEXT_MAX);
}

int apply_units(const struct event *event, struct state *state, const cJSON *object)
{
    const cJSON *units = get(object, "units");
    int changed = 0;
    int64_t id;
    for (const cJSON *unit = units ? first_of(units) : NULL; unit; unit = next_of(units, unit))
        if (get_id(unit, "id", &id))
            changed |= apply_unit(event, state, unit, -1, -1);
    return changed;
}

int apply_call(const struct event *event, struct state *state, const cJSON *json)
{
    struct state_call call;
    struct ids attached CLEANUP(ids_free) = { 0 };
    read_call(json, &call);

    int changed = state_call_put(state, event->community, &call, event->time_us);
    changed |= apply_units(event, state, json);
    if (call_units(json, &attached))
        changed |= state_call_set_units(state, event->community, call.id, attached.v, attached.n, event->time_us);
    return changed;
}
