/* primed_merge.c - an object of the CAD as a patch, and what it changes of what is known. */
#include "primed_merge.h"

#include "unit.h"

#define STATUS_OFFLINE 100
#define CLOCK_SLACK_US (60 * USEC_PER_SEC) /* for what is told while an event waits to be stored */

bool primed_is_older(const struct primed_moment *moment, uint64_t changed_id, usec_t seen_us)
{
    bool ahead = seen_us > moment->told_us + CLOCK_SLACK_US;
    return changed_id <= moment->asked_id && (seen_us <= moment->asked_us || ahead);
}

/* ---- reading ---- */

bool primed_read_unit(const cJSON *json, struct primed_unit *ret)
{
    *ret = (struct primed_unit){ .api_ids = TEXT_INIT };
    const char *api_ids = unit_read_api_ids(json, &ret->api_ids);
    bool known = field_read_unit(json, &ret->told);
    ret->told.api_ids = api_ids;
    ret->told.online = ret->told.status != STATUS_OFFLINE;
    return known && cJSON_IsObject(json);
}

void primed_unit_done(struct primed_unit *unit)
{
    text_free(&unit->api_ids);
}

bool primed_read_call(const cJSON *json, struct primed_call *ret)
{
    *ret = (struct primed_call){ 0 };
    bool known = field_read_call(json, &ret->told);
    int32_t n_notes = field_get_number(json, "noteCount");
    const char *last_note = field_get_text(json, "lastNote");
    if (n_notes > 0)
        ret->told.n_notes = (uint32_t) n_notes;
    if (last_note)
        ret->told.last_note = last_note;
    if (field_get(json, "idents"))
        ret->lists_units = call_units(json, &ret->units);
    ret->told.told = true;
    return known && cJSON_IsObject(json);
}

void primed_call_done(struct primed_call *call)
{
    ids_free(&call->units);
}

bool primed_read_call911(const cJSON *json, struct primed_call911 *ret)
{
    const cJSON *meta = field_get(json, "metaData");
    bool known = field_read_call911(json, &ret->told);
    ret->told.postal = field_get_text(meta, "postal");
    ret->told.plate = field_get_text(meta, "plate");
    ret->told.phone = field_get_text(meta, "phone");
    ret->told.silent = field_get_flag(meta, "silentAlert");
    ret->told.position = phrase_position_of(meta, ret->position) ? ret->position : field_get_text(json, "position");
    return known && cJSON_IsObject(json);
}

/* ---- beside what is newer ---- */

static void spare_text(const char **told, const char *known)
{
    if (known && *known)
        *told = NULL;
}

static void spare_number(int32_t *told, int32_t known)
{
    if (known != STATE_UNSET)
        *told = STATE_UNSET;
}

static void spare_id(int64_t *told, int64_t known)
{
    if (known != STATE_UNSET_ID)
        *told = STATE_UNSET_ID;
}

static void spare_flag(int8_t *told, int8_t known)
{
    if (known >= 0)
        *told = -1;
}

void primed_spare_unit(struct state_unit *told, const struct state_unit *known)
{
    spare_text(&told->number, known->number);
    spare_text(&told->name, known->name);
    spare_text(&told->location, known->location);
    spare_text(&told->department, known->department);
    spare_text(&told->group, known->group);
    spare_text(&told->api_ids, known->api_ids);
    spare_number(&told->status, known->status);
    spare_number(&told->page, known->page);
    told->panic = told->online = -1; /* known, whatever they are */
    if (known->told)
        told->dispatcher = -1;
    if (known->online == 0)
        told->told = false;
}

void primed_spare_call(struct primed_call *call, const struct state_call *known)
{
    struct state_call *told = &call->told;
    spare_text(&told->title, known->title);
    spare_text(&told->code, known->code);
    spare_text(&told->address, known->address);
    spare_text(&told->postal, known->postal);
    spare_text(&told->block, known->block);
    spare_text(&told->description, known->description);
    spare_text(&told->last_note, known->last_note);
    spare_number(&told->origin, known->origin);
    spare_number(&told->status, known->status);
    spare_number(&told->priority, known->priority);
    spare_flag(&told->track_primary, known->track_primary);
    spare_id(&told->primary, known->primary);
    spare_id(&told->call911, known->call911);
    if (known->n_notes)
        told->n_notes = 0;
    if (known->told)
        call->lists_units = false;
    if (known->status == STATE_CALL_CLOSED)
        told->told = call->lists_units = false;
}

void primed_spare_call911(struct state_call911 *told, const struct state_call911 *known)
{
    spare_text(&told->caller, known->caller);
    spare_text(&told->location, known->location);
    spare_text(&told->description, known->description);
    spare_text(&told->postal, known->postal);
    spare_text(&told->plate, known->plate);
    spare_text(&told->phone, known->phone);
    spare_text(&told->position, known->position);
    spare_flag(&told->emergency, known->emergency);
    spare_flag(&told->silent, known->silent);
}

/* ---- what would change ---- */

static bool is_other_number(int64_t told, int64_t known, int64_t unset)
{
    return told != unset && told != known;
}

static bool is_other_flag(int8_t told, int8_t known)
{
    return told >= 0 && told != known;
}

bool primed_is_other_unit(const struct state_unit *told, const struct state_unit *known)
{
    return phrase_is_other(known->number, told->number) || phrase_is_other(known->name, told->name) ||
           phrase_is_other(known->location, told->location) || phrase_is_other(known->department, told->department) ||
           phrase_is_other(known->group, told->group) || phrase_is_other(known->api_ids, told->api_ids) ||
           is_other_number(told->status, known->status, STATE_UNSET) ||
           is_other_number(told->page, known->page, STATE_UNSET) || is_other_flag(told->panic, known->panic) ||
           is_other_flag(told->dispatcher, known->dispatcher) || is_other_flag(told->online, known->online) ||
           (told->told && !known->told);
}

static bool is_other_list(const struct ids *told, const int64_t *units, size_t n_units)
{
    size_t n_found = 0;
    for (size_t i = 0; i < n_units; i++)
        for (size_t k = 0; k < told->n; k++)
            n_found += told->v[k] == units[i];
    return n_found != n_units || (told->n != n_units && n_units < STATE_MAX_ATTACHED);
}

bool primed_is_other_call(const struct primed_call *call, const struct state_call *known, const int64_t *units,
                          size_t n_units)
{
    const struct state_call *told = &call->told;
    return phrase_is_other(known->title, told->title) || phrase_is_other(known->code, told->code) ||
           phrase_is_other(known->address, told->address) || phrase_is_other(known->postal, told->postal) ||
           phrase_is_other(known->block, told->block) || phrase_is_other(known->description, told->description) ||
           phrase_is_other(known->last_note, told->last_note) || (told->n_notes && told->n_notes != known->n_notes) ||
           is_other_number(told->origin, known->origin, STATE_UNSET) ||
           is_other_number(told->status, known->status, STATE_UNSET) ||
           is_other_number(told->priority, known->priority, STATE_UNSET) ||
           is_other_number(told->primary, known->primary, STATE_UNSET_ID) ||
           is_other_number(told->call911, known->call911, STATE_UNSET_ID) ||
           is_other_flag(told->track_primary, known->track_primary) || (told->told && !known->told) ||
           (call->lists_units && is_other_list(&call->units, units, n_units));
}

bool primed_is_other_call911(const struct state_call911 *told, const struct state_call911 *known)
{
    return phrase_is_other(known->caller, told->caller) || phrase_is_other(known->location, told->location) ||
           phrase_is_other(known->description, told->description) || phrase_is_other(known->postal, told->postal) ||
           phrase_is_other(known->plate, told->plate) || phrase_is_other(known->phone, told->phone) ||
           phrase_is_other(known->position, told->position) || is_other_flag(told->emergency, known->emergency) ||
           is_other_flag(told->silent, known->silent);
}
