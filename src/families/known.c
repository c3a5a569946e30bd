/* known.c - what state knew of the units and calls of an event when it was stored: a part of its row, so that whoever
 * reads it later needs no memory of its own. Source: design section 6. */
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>
#include <string.h>

#define UNITS_MAX_BYTES 704 /* so that calls have room beside many units */
#define WAS_MAX_BYTES 512
#define COUNTS_MAX_BYTES 80 /* and the names of members */
#define CIVIL_MAX_BYTES 64  /* of one 911 call that is civil: it has room beside many calls */
#define TITLE_MAX_CHARS 60  /* of a call that is too long to be told as a whole */
#define UNITS_MAX 64        /* more objects have no room */

/* One list of it, which is begun with its first object. */
struct known {
    struct json_writer *out;
    const struct state *state;
    const char *community;
    const char *name;
    size_t n;                  /* of objects in the list */
    size_t max_bytes;          /* of all up to here */
    struct json_writer before; /* and before_size: where the newest object begins, to go back to */
    size_t before_size;
};

/* Where the objects of units end, for what is added to them at last. */
struct ends {
    struct {
        int64_t id;
        size_t at;
    } v[UNITS_MAX];
    size_t n;
};

static void add_id(struct json_writer *out, int64_t id)
{
    struct text digits CLEANUP(text_free) = TEXT_INIT;
    if (id <= JSON_EXACT_MAX && id >= -JSON_EXACT_MAX) { /* no reader of it loses a bit */
        json_add_int(out, "id", id);
        return;
    }
    text_add_int(&digits, id);
    out->out->failed |= digits.failed;
    json_add_text(out, "id", digits.s);
}

static void add_text(struct json_writer *out, const char *name, const char *text)
{
    if (text)
        json_add_text(out, name, text);
}

static void add_number(struct json_writer *out, const char *name, int32_t number)
{
    if (number != STATE_UNSET)
        json_add_int(out, name, number);
}

static void begin(struct known *known, int64_t id)
{
    known->before = *known->out;
    known->before_size = known->out->out->size;
    if (!known->n)
        json_begin_array(known->out, known->name);
    json_begin_object(known->out, NULL);
    add_id(known->out, id);
}

/* Whole objects or none: what passes max_bytes goes again. Whether there may be room for more. */
static bool keep(struct known *known)
{
    struct text *text = known->out->out;
    json_end(known->out);
    if (text->failed || text->size > known->max_bytes) {
        *known->out = known->before;
        text->s[text->size = known->before_size] = '\0';
        return false;
    }
    known->n++;
    return true;
}

static void end_list(struct known *known)
{
    if (known->n)
        json_end(known->out);
}

/* whole: with all that is known but its ids in the game. */
static bool add_unit_object(struct known *known, const struct state_unit *unit, bool whole)
{
    begin(known, unit->id);
    add_text(known->out, "number", unit->number);
    add_text(known->out, "name", whole ? unit->name : NULL);
    add_text(known->out, "department", whole ? unit->department : NULL);
    add_number(known->out, "status", unit->status);
    return keep(known);
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
    ends->v[ends->n++].at = known->out->out->size - strlen("}");
    return true;
}

static void add_title(struct json_writer *out, const char *title, size_t max_chars)
{
    struct text cut CLEANUP(text_free) = TEXT_INIT;
    size_t at = 0, size = title ? strlen(title) : 0;
    uint32_t code;
    for (size_t n = 0; n + 1 < max_chars && at < size; n++) {
        size_t step = utf8_read(title + at, size - at, &code);
        at += step ? step : 1;
    }
    if (at == size) {
        add_text(out, "title", title);
        return;
    }
    text_add_bytes(&cut, title, at);
    text_add(&cut, "…");
    out->out->failed |= cut.failed;
    add_text(out, "title", cut.s);
}

enum call_detail { WHOLE, SHORT, ONLY_ID };

static bool add_call_object(struct known *known, const struct state_call *call, enum call_detail detail)
{
    bool whole = detail == WHOLE;
    begin(known, call->id);
    add_title(known->out, detail == ONLY_ID ? NULL : call->title, whole ? SIZE_MAX : TITLE_MAX_CHARS);
    add_text(known->out, "code", whole ? call->code : NULL);
    add_text(known->out, "address", whole ? call->address : NULL);
    add_text(known->out, "postal", whole ? call->postal : NULL);
    add_number(known->out, "priority", detail == ONLY_ID ? STATE_UNSET : call->priority);
    add_number(known->out, "status", detail == ONLY_ID ? STATE_UNSET : call->status);
    return keep(known);
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
    if (!call || call->emergency != 0)
        return true;
    begin(known, id);
    json_add_bool(known->out, "emergency", false);
    return keep(known);
}

/* The originator too, though the event does not concern it: whoever tells "by" needs its name. */
static void add_units(struct known *units, const struct description *out, struct ends *ends)
{
    bool room = !out->by || add_unit(units, out->by, ends);
    for (size_t i = 0; i < out->units.n && room; i++)
        room = out->units.v[i] == out->by || add_unit(units, out->units.v[i], ends);
    end_list(units);
}

static void add_calls(struct known *calls, const struct description *out)
{
    for (size_t i = 0; i < out->calls.n && add_call(calls, out->calls.v[i]);)
        i++;
    end_list(calls);
}

static void add_calls911(struct known *calls, const struct description *out)
{
    for (size_t i = 0; i < out->calls911.n && add_call911(calls, out->calls911.v[i]);)
        i++;
    end_list(calls);
}

/* ---- what it was ---- */

/* Each member whole or not at all; "{}" says that nothing is another than before. */
static void write_was(const struct text *was, struct text *out)
{
    cJSON *all = was->size > WAS_MAX_BYTES ? cJSON_ParseWithLength(was->s, was->size) : NULL;
    struct json_writer json = json_writer(out);
    const cJSON *member;
    if (!all) {
        text_add(out, was->s);
        return;
    }
    json_begin_object(&json, NULL);
    cJSON_ArrayForEach (member, all) {
        const struct json_writer before = json;
        size_t size = out->size;
        json_add_text(&json, member->string, member->valuestring);
        if (out->size + strlen("}") <= WAS_MAX_BYTES)
            continue;
        json = before;
        out->s[out->size = size] = '\0';
    }
    json_end(&json);
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

/* The size of as many whole elements of a list as have room, without its end; 0: none has. */
static size_t elements_size(const char *list, size_t room)
{
    size_t all = strlen(list), size = 0;
    struct json_scan elements = json_children_of((struct span){ list, all });
    struct span one;
    if (all - strlen("]") <= room) /* nearly always */
        return all - strlen("]");
    while (json_next_child(&elements, NULL, &one) && (size_t) (elements.p - list) <= room)
        size = (size_t) (elements.p - list);
    return size;
}

/* From the last one on, so that the places of those before it stay; how much each may have is settled from the first
 * one on. */
static void add_api_ids(const struct known *known, const struct ends *ends)
{
    struct text *out = known->out->out;
    static const char name[] = "api_ids";
    size_t sizes[UNITS_MAX] = { 0 }, room = EVENT_KNOWN_MAX_BYTES - out->size, others = strlen(name) + strlen(",'':]");
    for (size_t i = 0; i < ends->n; i++) {
        const struct state_unit *unit = state_find_unit(known->state, known->community, ends->v[i].id);
        bool some = unit && unit->api_ids && room > others;
        sizes[i] = some ? elements_size(unit->api_ids, room - others) : 0;
        room -= sizes[i] ? sizes[i] + others : 0;
    }
    for (size_t i = ends->n; i-- > 0;) {
        struct text piece CLEANUP(text_free) = TEXT_INIT;
        struct json_writer json = json_writer_of_more(&piece);
        if (!sizes[i])
            continue;
        const char *list = state_find_unit(known->state, known->community, ends->v[i].id)->api_ids;
        json_begin_array(&json, name);
        json_add_members(&json, (struct span){ list + strlen("["), sizes[i] - strlen("[") });
        json_end(&json);
        out->failed |= piece.failed;
        insert(out, ends->v[i].at, &piece);
    }
}

static void add_numbers(const struct event *event, const struct state *state, struct description *out)
{
    for (size_t i = 0; i < out->units.n; i++) {
        const struct state_unit *unit = state_find_unit(state, event->realm, out->units.v[i]);
        description_add_number(out, unit ? unit->number : NULL);
    }
}

void families_write_known(const struct event *event, const struct state *state, struct description *out)
{
    struct text was CLEANUP(text_free) = TEXT_INIT;
    struct ends ends;
    int dispatchers, on_duty;
    ends.n = 0;
    text_reset(&out->known);
    if (event_verdict_is_refusal(event->verdict))
        return;
    write_was(&out->was, &was);
    size_t room = EVENT_KNOWN_MAX_BYTES - COUNTS_MAX_BYTES - was.size;
    struct json_writer json = json_writer(&out->known);
    struct known units = { .out = &json, .state = state, .community = event->realm, .name = "units" };
    struct known calls = units, calls911 = units;
    calls.name = "calls";
    calls911.name = "calls911";
    units.max_bytes = room < UNITS_MAX_BYTES ? room : UNITS_MAX_BYTES;
    calls911.max_bytes = room;
    calls.max_bytes = room - (out->calls911.n ? CIVIL_MAX_BYTES : 0);
    json_begin_object(&json, NULL);
    add_numbers(event, state, out);
    add_units(&units, out, &ends);
    add_calls(&calls, out);
    add_calls911(&calls911, out);
    if (was.size)
        json_add_raw(&json, "was", (struct span){ was.s, was.size });
    state_count(state, event->realm, &dispatchers, &on_duty);
    json_add_int(&json, "dispatchers", dispatchers);
    json_add_int(&json, "on_duty", on_duty);
    json_end(&json);
    add_api_ids(&units, &ends);
    if (out->known.failed || was.failed)
        text_reset(&out->known);
}
