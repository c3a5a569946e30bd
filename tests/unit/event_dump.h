/* event_dump.h - state as JSON, for test_events.c: what was never told is left out. */
#pragma once

#include <stdlib.h>

#include <cjson/cJSON.h>
#include <sonoran-pushd/state.h>

#include "event_bodies.h"

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text && *text)
        cJSON_AddStringToObject(object, name, text);
}

static void add_number(cJSON *object, const char *name, int32_t number)
{
    if (number != STATE_UNSET)
        cJSON_AddNumberToObject(object, name, number);
}

static cJSON *dump_unit(const struct state_unit *unit)
{
    cJSON *object = cJSON_CreateObject();
    add_id(object, "id", unit->id);
    add_text(object, "number", unit->number);
    add_text(object, "name", unit->name);
    add_text(object, "location", unit->location);
    add_text(object, "department", unit->department);
    add_text(object, "group", unit->group);
    add_text(object, "api_ids", unit->api_ids);
    add_number(object, "status", unit->status);
    add_number(object, "page", unit->page);
    if (unit->panic)
        cJSON_AddTrueToObject(object, "panic");
    if (unit->dispatcher)
        cJSON_AddTrueToObject(object, "dispatcher");
    if (!unit->online)
        cJSON_AddFalseToObject(object, "online");
    return object;
}

static cJSON *dump_call(const struct state_call *call, const int64_t *units, size_t n_units)
{
    cJSON *object = cJSON_CreateObject();
    add_id(object, "id", call->id);
    add_text(object, "title", call->title);
    add_text(object, "code", call->code);
    add_text(object, "address", call->address);
    add_text(object, "postal", call->postal);
    add_text(object, "description", call->description);
    add_text(object, "last_note", call->last_note);
    add_number(object, "origin", call->origin);
    add_number(object, "status", call->status);
    add_number(object, "priority", call->priority);
    if (call->primary != STATE_UNSET_ID)
        add_id(object, "primary", call->primary);
    if (call->call911 != STATE_UNSET_ID)
        add_id(object, "call911", call->call911);
    if (call->n_notes)
        cJSON_AddNumberToObject(object, "n_notes", call->n_notes);
    add_ids(object, "units", units, n_units);
    return object;
}

static cJSON *dump_call911(const struct state_call911 *call)
{
    cJSON *object = cJSON_CreateObject();
    add_id(object, "id", call->id);
    add_text(object, "caller", call->caller);
    add_text(object, "location", call->location);
    add_text(object, "description", call->description);
    add_text(object, "postal", call->postal);
    add_text(object, "plate", call->plate);
    add_text(object, "phone", call->phone);
    add_text(object, "position", call->position);
    if (call->emergency >= 0)
        cJSON_AddBoolToObject(object, "emergency", call->emergency);
    if (call->silent >= 0)
        cJSON_AddBoolToObject(object, "silent", call->silent);
    return object;
}

static cJSON *dump_state(const struct state *state)
{
    cJSON *object = cJSON_CreateObject();
    struct state_snapshot *snapshot = NULL;
    assert_true(state_snapshot(state, "default", &snapshot) >= 0);
    if (snapshot->n_units) {
        cJSON *list = cJSON_AddArrayToObject(object, "units");
        for (size_t i = 0; i < snapshot->n_units; i++)
            cJSON_AddItemToArray(list, dump_unit(&snapshot->units[i]));
    }
    if (snapshot->n_calls) {
        cJSON *list = cJSON_AddArrayToObject(object, "calls");
        for (size_t i = 0; i < snapshot->n_calls; i++)
            cJSON_AddItemToArray(list, dump_call(&snapshot->calls[i], snapshot->attached[i], snapshot->n_attached[i]));
    }
    if (snapshot->n_calls911) {
        cJSON *list = cJSON_AddArrayToObject(object, "calls911");
        for (size_t i = 0; i < snapshot->n_calls911; i++)
            cJSON_AddItemToArray(list, dump_call911(&snapshot->calls911[i]));
    }
    state_snapshot_free(snapshot);
    return object;
}
