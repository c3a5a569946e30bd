/* fact_units.c - facts of the units and calls an event concerns: those that it names, and those that state knew of. */
#include <stdlib.h>

#include "fact_values.h"

/* ---- the units ---- */

struct told_units {
    struct ids ids;
    const cJSON **objects; /* beside ids: the unit itself, or NULL */
    size_t room;
};

static void told_units_free(struct told_units *units)
{
    ids_free(&units->ids);
    free(units->objects);
}

static bool add_unit(struct told_units *units, int64_t id, const cJSON *object)
{
    size_t n = units->ids.n;
    if (n == units->room) {
        size_t room = n ? 2 * n : 8;
        const cJSON **objects = realloc(units->objects, room * sizeof(*objects));
        if (!objects)
            return false;
        units->objects = objects;
        units->room = room;
    }
    ids_add(&units->ids, id);
    if (units->ids.n > n)
        units->objects[n] = object;
    return true;
}

/* An element of units, or an id; 0 is no unit. */
static bool take_unit(void *context, const cJSON *item)
{
    int64_t id;
    bool object = cJSON_IsObject(item);
    if (!(object ? field_get_id(item, "id", &id) : scalar_read_id(item, &id)) || id == 0)
        return false;
    return add_unit(context, id, object ? item : NULL);
}

/* What state knew of a unit; NULL: nothing. */
static const cJSON *known_unit(const cJSON *known, int64_t id)
{
    const cJSON *unit;
    int64_t other;
    cJSON_ArrayForEach (unit, field_get(known, "units"))
        if (field_get_id(unit, "id", &other) && other == id)
            return unit;
    return NULL;
}

/* An empty list tells as well that there are none. */
static bool are_told(const struct event *event, const struct told_units *units)
{
    const cJSON *call = field_get(event->data, "dispatch");
    return units->ids.n || field_get(call, "idents") || field_get(call, "units");
}

/* Of those known the originator need not be one that the event concerns. */
static void collect_known(const struct fact_asked *asked, struct told_units *ret)
{
    const cJSON *unit;
    int64_t id, by = phrase_originator_of(asked->event);
    cJSON_ArrayForEach (unit, field_get(asked->known, "units"))
        if (field_get_id(unit, "id", &id) && id != by)
            (void) add_unit(ret, id, NULL);
}

/* Those the event names; where it names none, those it concerned. */
static void collect(const struct fact *fact, const struct fact_asked *asked, struct told_units *ret)
{
    fact_walk(fact, asked->event, take_unit, ret);
    if (are_told(asked->event, ret))
        return;
    for (size_t i = 0; asked->row && i < asked->row->units.n; i++)
        (void) add_unit(ret, asked->row->units.v[i], NULL);
    collect_known(asked, ret);
}

/* ---- what is told of each ---- */

/* A text of the unit itself, else what state knew. */
static const char *text_of_unit(const cJSON *object, const char *name, const cJSON *known, const char *known_name)
{
    const char *text = field_get_text(field_get(object, "data"), name);
    return text && *text ? text : field_get_text(known, known_name);
}

static void write_name(struct text *out, int64_t id, const cJSON *object, const cJSON *known)
{
    const char *number = text_of_unit(object, "unitNum", known, "number");
    const char *name = text_of_unit(object, "name", known, "name");
    bool has_number = number && *number, has_name = name && *name;
    if (has_number)
        text_add(out, number);
    if (has_name)
        text_addf(out, "%s%s", has_number ? " " : "", name);
    if (!has_number && !has_name)
        text_addf(out, "unit %lld", (long long) id);
}

static void give_unit(const struct fact *fact, const struct fact_asked *asked, int64_t id, const cJSON *object)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    char digits[24];
    write_name(&name, id, object, known_unit(asked->known, id));
    snprintf(digits, sizeof(digits), "%lld", (long long) id);
    fact_give(fact, asked, name.s, digits);
}

static void give_id(const struct fact *fact, const struct fact_asked *asked, int64_t id, const cJSON *object)
{
    (void) object;
    fact_give_int(fact, asked, id);
}

static void give_number(const struct fact *fact, const struct fact_asked *asked, int64_t id, const cJSON *object)
{
    fact_give(fact, asked, text_of_unit(object, "unitNum", known_unit(asked->known, id), "number"), NULL);
}

static void give_name(const struct fact *fact, const struct fact_asked *asked, int64_t id, const cJSON *object)
{
    fact_give(fact, asked, text_of_unit(object, "name", known_unit(asked->known, id), "name"), NULL);
}

static void give_department(const struct fact *fact, const struct fact_asked *asked, int64_t id, const cJSON *object)
{
    fact_give(fact, asked, text_of_unit(object, "department", known_unit(asked->known, id), "department"), NULL);
}

static void give_status(const struct fact *fact, const struct fact_asked *asked, int64_t id, const cJSON *object)
{
    struct text word CLEANUP(text_free) = TEXT_INIT;
    char digits[16];
    int32_t status = field_get_number(object, "status");
    if (status == STATE_UNSET)
        status = field_get_number(known_unit(asked->known, id), "status");
    if (status == STATE_UNSET)
        return;
    snprintf(digits, sizeof(digits), "%d", status);
    phrase_say_word(&word, WORD_UNIT_STATUS, status);
    fact_give(fact, asked, word.s, digits);
}

typedef void give_function(const struct fact *fact, const struct fact_asked *asked, int64_t id, const cJSON *object);

static void give_all(const struct fact *fact, const struct fact_asked *asked, give_function *give)
{
    struct told_units units CLEANUP(told_units_free) = { 0 };
    collect(fact, asked, &units);
    for (size_t i = 0; i < units.ids.n; i++)
        give(fact, asked, units.ids.v[i], units.objects[i]);
}

void fact_unit(const struct fact *fact, const struct fact_asked *asked)
{
    give_all(fact, asked, give_unit);
}

void fact_unit_id(const struct fact *fact, const struct fact_asked *asked)
{
    give_all(fact, asked, give_id);
}

void fact_unit_number(const struct fact *fact, const struct fact_asked *asked)
{
    give_all(fact, asked, give_number);
}

void fact_unit_name(const struct fact *fact, const struct fact_asked *asked)
{
    give_all(fact, asked, give_name);
}

void fact_unit_department(const struct fact *fact, const struct fact_asked *asked)
{
    give_all(fact, asked, give_department);
}

void fact_unit_state(const struct fact *fact, const struct fact_asked *asked)
{
    give_all(fact, asked, give_status);
}

void fact_somebody(const struct fact *fact, const struct fact_asked *asked)
{
    struct told_units units CLEANUP(told_units_free) = { 0 };
    fact_walk(fact, asked->event, take_unit, &units);
    for (size_t i = 0; i < units.ids.n; i++)
        give_unit(fact, asked, units.ids.v[i], units.objects[i]);
}

/* ---- calls ---- */

static bool take_call(void *context, const cJSON *item)
{
    int64_t id;
    if (!scalar_read_id(item, &id))
        return false;
    ids_add(context, id);
    return true;
}

void fact_call(const struct fact *fact, const struct fact_asked *asked)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    fact_walk(fact, asked->event, take_call, &ids);
    for (size_t i = 0; asked->row && i < asked->row->calls.n; i++)
        ids_add(&ids, asked->row->calls.v[i]);
    field_get_ids_of(field_get(asked->known, "calls"), "id", &ids);
    for (size_t i = 0; i < ids.n; i++)
        fact_give_int(fact, asked, ids.v[i]);
}

struct request {
    const struct fact *fact;
    const struct fact_asked *asked;
};

static bool take_title(void *context, const cJSON *item)
{
    const struct request *request = context;
    return fact_give(request->fact, request->asked, scalar_text(item), NULL);
}

void fact_title(const struct fact *fact, const struct fact_asked *asked)
{
    struct request request = { fact, asked };
    const cJSON *call;
    if (fact_walk(fact, asked->event, take_title, &request))
        return;
    cJSON_ArrayForEach (call, field_get(asked->known, "calls")) {
        fact_give(fact, asked, field_get_text(call, "title"), NULL);
    }
}
