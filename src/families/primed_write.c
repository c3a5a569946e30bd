/* primed_write.c - a patch as an object of the CAD (events.md section 2), with what is told and nothing else. */
#include "primed_merge.h"

static void add_id(struct json_writer *out, const char *name, int64_t id)
{
    char digits[24];
    if (id <= JSON_EXACT_MAX && id >= -JSON_EXACT_MAX) { /* no reader of it loses a bit */
        json_add_int(out, name, id);
        return;
    }
    snprintf(digits, sizeof(digits), "%lld", (long long) id);
    json_add_text(out, name, digits);
}

/* As much as state keeps. */
static void add_text(struct json_writer *out, const char *name, const char *text)
{
    if (text)
        json_add_span(out, name, (struct span){ text, utf8_cut(text, strlen(text), STATE_TEXT_MAX_BYTES) });
}

static void add_number(struct json_writer *out, const char *name, int32_t number)
{
    if (number != STATE_UNSET)
        json_add_int(out, name, number);
}

static void add_flag(struct json_writer *out, const char *name, int8_t flag)
{
    if (flag >= 0)
        json_add_bool(out, name, flag);
}

void primed_write_unit(struct json_writer *out, const struct state_unit *told)
{
    json_begin_object(out, NULL);
    add_id(out, "id", told->id);
    add_number(out, "status", told->status);
    add_flag(out, "isPanic", told->panic);
    add_text(out, "location", told->location);
    add_flag(out, "isDispatch", told->dispatcher);
    json_begin_object(out, "data");
    add_text(out, "unitNum", told->number);
    add_text(out, "name", told->name);
    add_text(out, "department", told->department);
    add_text(out, "group", told->group);
    add_number(out, "page", told->page);
    if (told->api_ids && *told->api_ids)
        json_add_raw(out, "apiIds", span_of(told->api_ids));
    json_end(out);
    json_end(out);
}

cJSON *primed_reduce_units(const cJSON *page)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    struct json_writer out = json_writer(&text);
    json_begin_array(&out, NULL);
    for (const cJSON *json = field_first_of(page); json; json = field_next_of(page, json)) {
        struct primed_unit unit CLEANUP(primed_unit_done);
        if (primed_read_unit(json, &unit))
            primed_write_unit(&out, &unit.told);
    }
    json_end(&out);
    return text.failed ? NULL : json_parse((struct span){ text.s, text.size }, (struct json_met){ 0 });
}

static void add_units(struct json_writer *out, const struct ids *units)
{
    json_begin_array(out, "idents");
    for (size_t i = 0; i < units->n; i++)
        add_id(out, NULL, units->v[i]);
    json_end(out);
}

void primed_write_call(struct json_writer *out, const struct primed_call *call, bool missed)
{
    const struct state_call *told = &call->told;
    json_begin_object(out, NULL);
    add_id(out, "callId", told->id);
    add_number(out, "origin", told->origin);
    add_number(out, "status", told->status);
    add_number(out, "priority", told->priority);
    add_text(out, "block", told->block);
    add_text(out, "address", told->address);
    add_text(out, "postal", told->postal);
    add_text(out, "title", told->title);
    add_text(out, "code", told->code);
    if (told->primary != STATE_UNSET_ID)
        add_id(out, "primary", told->primary);
    add_flag(out, "trackPrimary", told->track_primary);
    add_text(out, "description", told->description);
    if (told->n_notes)
        json_add_int(out, "noteCount", told->n_notes);
    add_text(out, "lastNote", told->last_note);
    if (call->lists_units)
        add_units(out, &call->units);
    if (told->call911 != STATE_UNSET_ID) {
        json_begin_object(out, "metaData");
        add_id(out, "createdFromId", told->call911);
        json_end(out);
    }
    if (missed)
        json_add_bool(out, "missed", true);
    json_end(out);
}

void primed_write_call911(struct json_writer *out, const struct state_call911 *told, bool missed)
{
    json_begin_object(out, NULL);
    add_id(out, "callId", told->id);
    add_flag(out, "isEmergency", told->emergency);
    add_text(out, "caller", told->caller);
    add_text(out, "location", told->location);
    add_text(out, "description", told->description);
    add_text(out, "position", told->position);
    json_begin_object(out, "metaData");
    add_text(out, "postal", told->postal);
    add_text(out, "plate", told->plate);
    add_text(out, "phone", told->phone);
    add_flag(out, "silentAlert", told->silent);
    json_end(out);
    if (missed)
        json_add_bool(out, "missed", true);
    json_end(out);
}
