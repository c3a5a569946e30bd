/* known.c - what state knew of the units and calls of an event when it was stored: a part of its row, so that whoever
 * reads it later needs no memory of its own. Source: design section 6. */
#include <sonoran-pushd/events.h>
#include <sonoran-pushd/state.h>
#include <string.h>

#define KNOWN_MAX_BYTES 1024
#define UNITS_MAX_BYTES 704 /* so that calls have room beside many units */
#define WAS_MAX_BYTES 512
#define COUNTS_MAX_BYTES 80           /* and the names of members */
#define EXACT_MAX ((int64_t) 1 << 53) /* what a reader of JSON may take for a number without losing a bit */

struct known {
    struct text *out;
    const struct state *state;
    const char *community;
    size_t n;         /* of objects in the list */
    size_t max_bytes; /* of all up to here */
};

static void add_id(struct text *out, int64_t id)
{
    bool exact = id <= EXACT_MAX && id >= -EXACT_MAX;
    text_add(out, exact ? "{\"id\":" : "{\"id\":\"");
    text_add_int(out, id);
    text_add(out, exact ? "" : "\"");
}

static void add_text(struct text *out, const char *name, const char *text)
{
    if (!text)
        return;
    text_add(out, name);
    text_add_json(out, text, strlen(text));
}

static void add_number(struct text *out, const char *name, int32_t number)
{
    if (number == STATE_UNSET)
        return;
    text_add(out, name);
    text_add_int(out, number);
}

/* Whole objects or none: what passes max_bytes goes again. Whether there may be room for more. */
static bool keep(struct known *known, size_t begin)
{
    struct text *out = known->out;
    text_add(out, "}");
    if (out->failed)
        return false;
    if (out->size > known->max_bytes) {
        out->size = begin;
        out->s[begin] = '\0';
        return false;
    }
    known->n++;
    return true;
}

static bool add_unit(struct known *known, int64_t id)
{
    const struct state_unit *unit = state_find_unit(known->state, known->community, id);
    size_t begin = known->out->size;
    if (!unit || (!unit->number && !unit->name && unit->status == STATE_UNSET))
        return true; /* its id stands in the row */
    text_add(known->out, known->n ? "," : "{\"units\":[");
    add_id(known->out, id);
    add_text(known->out, ",\"number\":", unit->number);
    add_text(known->out, ",\"name\":", unit->name);
    add_text(known->out, ",\"department\":", unit->department);
    add_number(known->out, ",\"status\":", unit->status);
    return keep(known, begin);
}

static bool add_call(struct known *known, int64_t id, const char *before)
{
    const struct state_call *call = state_find_call(known->state, known->community, id);
    size_t begin = known->out->size;
    if (!call || (!call->title && !call->code && !call->address && call->status == STATE_UNSET))
        return true;
    text_add(known->out, known->n ? "," : before);
    add_id(known->out, id);
    add_text(known->out, ",\"title\":", call->title);
    add_text(known->out, ",\"code\":", call->code);
    add_text(known->out, ",\"address\":", call->address);
    add_text(known->out, ",\"postal\":", call->postal);
    add_number(known->out, ",\"priority\":", call->priority);
    add_number(known->out, ",\"status\":", call->status);
    return keep(known, begin);
}

/* Only that it is a civil call: what else a line says of a 911 call stands in the event, but not whether it is one. */
static bool add_call911(struct known *known, int64_t id)
{
    const struct state_call911 *call = state_find_call911(known->state, known->community, id);
    size_t begin = known->out->size;
    if (!call || call->emergency != 0)
        return true;
    text_add(known->out, known->n ? "," : "\"calls911\":[");
    add_id(known->out, id);
    text_add(known->out, ",\"emergency\":false");
    return keep(known, begin);
}

/* The originator too, though the event does not concern it: whoever tells "by" needs its name. */
static void add_units(struct known *units, const struct description *out)
{
    bool room = !out->by || add_unit(units, out->by);
    for (size_t i = 0; i < out->units.n && room; i++)
        room = out->units.v[i] == out->by || add_unit(units, out->units.v[i]);
    text_add(units->out, units->n ? "]," : "{");
}

static void add_calls(struct known *calls, const struct description *out)
{
    for (size_t i = 0; i < out->calls.n && add_call(calls, out->calls.v[i], "\"calls\":[");)
        i++;
    text_add(calls->out, calls->n ? "]," : "");
}

static void add_calls911(struct known *calls, const struct description *out)
{
    for (size_t i = 0; i < out->calls911.n && add_call911(calls, out->calls911.v[i]);)
        i++;
    text_add(calls->out, calls->n ? "]," : "");
}

void event_write_known(const struct event *event, const struct state *state, struct description *out)
{
    bool was = out->was.size && out->was.size <= WAS_MAX_BYTES;
    size_t room = KNOWN_MAX_BYTES - COUNTS_MAX_BYTES - (was ? out->was.size : 0);
    struct known units = { &out->known, state, event->community, 0, room < UNITS_MAX_BYTES ? room : UNITS_MAX_BYTES };
    struct known calls = { &out->known, state, event->community, 0, room }, calls911 = calls;
    int dispatchers, on_duty;
    text_reset(&out->known);
    if (event->verdict != EVENT_ACCEPTED)
        return;
    add_units(&units, out);
    add_calls(&calls, out);
    add_calls911(&calls911, out);
    if (was)
        text_addf(&out->known, "\"was\":%s,", out->was.s);
    state_count(state, event->community, &dispatchers, &on_duty);
    text_add(&out->known, "\"dispatchers\":");
    text_add_int(&out->known, dispatchers);
    text_add(&out->known, ",\"on_duty\":");
    text_add_int(&out->known, on_duty);
    text_add(&out->known, "}");
    if (out->known.failed)
        text_reset(&out->known);
}
