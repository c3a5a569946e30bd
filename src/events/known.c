/* known.c - what state knew of the units and calls of an event when it was stored: a part of its row, so that whoever
 * reads it later needs no memory of its own. Source: design section 6. */
#include <sonoran-pushd/events.h>
#include <sonoran-pushd/state.h>
#include <string.h>

#define UNITS_MAX_BYTES 704 /* so that calls have room beside many units */
#define WAS_MAX_BYTES 512
#define COUNTS_MAX_BYTES 80           /* and the names of members */
#define CIVIL_MAX_BYTES 64            /* of one 911 call that is civil: it has room beside many calls */
#define TITLE_MAX_CHARS 60            /* of a call that is too long to be told as a whole */
#define UNITS_MAX 64                  /* more objects have no room */
#define EXACT_MAX ((int64_t) 1 << 53) /* what a reader of JSON may take for a number without losing a bit */

struct known {
    struct text *out;
    const struct state *state;
    const char *community;
    size_t n;         /* of objects in the list */
    size_t max_bytes; /* of all up to here */
};

/* Where the objects of units end, for what is added to them at last. */
struct ends {
    struct {
        int64_t id;
        size_t at;
    } v[UNITS_MAX];
    size_t n;
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

/* whole: with all that is known but its ids in the game. */
static bool add_unit_object(struct known *known, const struct state_unit *unit, bool whole)
{
    size_t begin = known->out->size;
    text_add(known->out, known->n ? "," : "{\"units\":[");
    add_id(known->out, unit->id);
    add_text(known->out, ",\"number\":", unit->number);
    add_text(known->out, ",\"name\":", whole ? unit->name : NULL);
    add_text(known->out, ",\"department\":", whole ? unit->department : NULL);
    add_number(known->out, ",\"status\":", unit->status);
    return keep(known, begin);
}

/* A unit that is too long to be told as a whole is so with its number. */
static bool add_unit(struct known *known, int64_t id, struct ends *ends)
{
    const struct state_unit *unit = state_find_unit(known->state, known->community, id);
    if (!unit || (!unit->number && !unit->name && unit->status == STATE_UNSET))
        return true; /* its id stands in the row */
    if (ends->n == UNITS_MAX || (!add_unit_object(known, unit, true) && !add_unit_object(known, unit, false)))
        return false;
    ends->v[ends->n].id = id;
    ends->v[ends->n++].at = known->out->size - strlen("}");
    return true;
}

static void add_title(struct text *out, const char *title, size_t max_chars)
{
    struct text cut CLEANUP(text_free) = TEXT_INIT;
    size_t at = 0, size = title ? strlen(title) : 0;
    uint32_t code;
    for (size_t n = 0; n + 1 < max_chars && at < size; n++) {
        size_t step = utf8_read(title + at, size - at, &code);
        at += step ? step : 1;
    }
    if (at == size) {
        add_text(out, ",\"title\":", title);
        return;
    }
    text_add_bytes(&cut, title, at);
    text_add(&cut, "…");
    out->failed |= cut.failed;
    add_text(out, ",\"title\":", cut.s);
}

enum call_detail { WHOLE, SHORT, ONLY_ID };

static bool add_call_object(struct known *known, const struct state_call *call, enum call_detail detail)
{
    size_t begin = known->out->size;
    bool whole = detail == WHOLE;
    text_add(known->out, known->n ? "," : "\"calls\":[");
    add_id(known->out, call->id);
    add_title(known->out, detail == ONLY_ID ? NULL : call->title, whole ? SIZE_MAX : TITLE_MAX_CHARS);
    add_text(known->out, ",\"code\":", whole ? call->code : NULL);
    add_text(known->out, ",\"address\":", whole ? call->address : NULL);
    add_text(known->out, ",\"postal\":", whole ? call->postal : NULL);
    add_number(known->out, ",\"priority\":", detail == ONLY_ID ? STATE_UNSET : call->priority);
    add_number(known->out, ",\"status\":", detail == ONLY_ID ? STATE_UNSET : call->status);
    return keep(known, begin);
}

/* One that is too long to be told as a whole is so with what matters most. */
static bool add_call(struct known *known, int64_t id)
{
    const struct state_call *call = state_find_call(known->state, known->community, id);
    if (!call || (!call->title && !call->code && !call->address && call->status == STATE_UNSET))
        return true;
    return add_call_object(known, call, WHOLE) || add_call_object(known, call, SHORT) ||
           add_call_object(known, call, ONLY_ID);
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
static void add_units(struct known *units, const struct description *out, struct ends *ends)
{
    bool room = !out->by || add_unit(units, out->by, ends);
    for (size_t i = 0; i < out->units.n && room; i++)
        room = out->units.v[i] == out->by || add_unit(units, out->units.v[i], ends);
    text_add(units->out, units->n ? "]," : "{");
}

static void add_calls(struct known *calls, const struct description *out)
{
    for (size_t i = 0; i < out->calls.n && add_call(calls, out->calls.v[i]);)
        i++;
    text_add(calls->out, calls->n ? "]," : "");
}

static void add_calls911(struct known *calls, const struct description *out)
{
    for (size_t i = 0; i < out->calls911.n && add_call911(calls, out->calls911.v[i]);)
        i++;
    text_add(calls->out, calls->n ? "]," : "");
}

/* ---- what it was ---- */

/* Each member whole or not at all; "{}" says that nothing is another than before. */
static void write_was(const struct text *was, struct text *out)
{
    cJSON *all = was->size > WAS_MAX_BYTES ? cJSON_ParseWithLength(was->s, was->size) : NULL;
    const cJSON *member;
    text_add(out, all ? "{" : was->s);
    cJSON_ArrayForEach (member, all) {
        size_t begin = out->size;
        text_add(out, begin > strlen("{") ? "," : "");
        text_add_json(out, member->string, strlen(member->string));
        text_add(out, ":");
        text_add_json(out, member->valuestring, strlen(member->valuestring));
        if (out->size + strlen("}") > WAS_MAX_BYTES)
            out->s[out->size = begin] = '\0';
    }
    text_add(out, all ? "}" : "");
    cJSON_Delete(all);
}

/* ---- ids in the game: they have the room that is left ---- */

static void insert(struct text *out, size_t at, const struct text *piece)
{
    size_t behind = out->size - at;
    text_add_bytes(out, piece->s, piece->size);
    if (out->failed)
        return;
    memmove(out->s + at + piece->size, out->s + at, behind);
    memcpy(out->s + at, piece->s, piece->size);
}

/* The size of as many whole elements of a list of texts as have room, without its end; 0: none has. A quote inside of
 * a text has a backslash in front of it. */
static size_t elements_size(const char *list, size_t room)
{
    static const char between[] = "\",\"";
    size_t size = strlen(list) - strlen("]");
    while (size > room) {
        const char *last = NULL;
        for (const char *p = list; (p = strstr(p, between)) && p < list + size - 1; p++)
            last = p;
        if (!last)
            return 0;
        size = (size_t) (last - list) + 1;
    }
    return size;
}

/* From the last one on, so that the places of those before it stay; how much each may have is settled from the first
 * one on. */
static void add_api_ids(struct known *known, const struct ends *ends)
{
    static const char name[] = ",\"api_ids\":";
    size_t sizes[UNITS_MAX], room = EVENT_KNOWN_MAX_BYTES - known->out->size, others = strlen(name) + strlen("]");
    for (size_t i = 0; i < ends->n; i++) {
        const struct state_unit *unit = state_find_unit(known->state, known->community, ends->v[i].id);
        bool some = unit && unit->api_ids && room > others;
        sizes[i] = some ? elements_size(unit->api_ids, room - others) : 0;
        room -= sizes[i] ? sizes[i] + others : 0;
    }
    for (size_t i = ends->n; i-- > 0;) {
        struct text piece CLEANUP(text_free) = TEXT_INIT;
        if (!sizes[i])
            continue;
        text_add(&piece, name);
        text_add_bytes(&piece, state_find_unit(known->state, known->community, ends->v[i].id)->api_ids, sizes[i]);
        text_add(&piece, "]");
        known->out->failed |= piece.failed;
        insert(known->out, ends->v[i].at, &piece);
    }
}

static void add_numbers(const struct event *event, const struct state *state, struct description *out)
{
    for (size_t i = 0; i < out->units.n; i++) {
        const struct state_unit *unit = state_find_unit(state, event->community, out->units.v[i]);
        description_add_number(out, unit ? unit->number : NULL);
    }
}

void event_write_known(const struct event *event, const struct state *state, struct description *out)
{
    struct text was CLEANUP(text_free) = TEXT_INIT;
    struct ends ends;
    int dispatchers, on_duty;
    ends.n = 0;
    text_reset(&out->known);
    if (event->verdict != EVENT_ACCEPTED)
        return;
    write_was(&out->was, &was);
    size_t room = EVENT_KNOWN_MAX_BYTES - COUNTS_MAX_BYTES - was.size;
    struct known units = { &out->known, state, event->community, 0, room < UNITS_MAX_BYTES ? room : UNITS_MAX_BYTES };
    struct known calls = { &out->known, state, event->community, 0, room }, calls911 = calls;
    calls.max_bytes -= out->calls911.n ? CIVIL_MAX_BYTES : 0;
    add_numbers(event, state, out);
    add_units(&units, out, &ends);
    add_calls(&calls, out);
    add_calls911(&calls911, out);
    if (was.size) {
        text_add(&out->known, "\"was\":");
        text_add_bytes(&out->known, was.s, was.size);
        text_add(&out->known, ",");
    }
    state_count(state, event->community, &dispatchers, &on_duty);
    text_add(&out->known, "\"dispatchers\":");
    text_add_int(&out->known, dispatchers);
    text_add(&out->known, ",\"on_duty\":");
    text_add_int(&out->known, on_duty);
    text_add(&out->known, "}");
    add_api_ids(&units, &ends);
    if (out->known.failed || was.failed)
        text_reset(&out->known);
}
