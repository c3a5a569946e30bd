/* fields.c - reading the fields of an event, and checking the minimum it has to have. */
#include "fields.h"

static bool is_missing(const cJSON *item)
{
    return !item || json_is(item, cJSON_NULL) ||
           (json_is(item, cJSON_String) && *item->valuestring && fact_is_nothing(item->valuestring));
}

const cJSON *field_get(const cJSON *object, const char *name)
{
    const cJSON *item = json_get(object, name);
    return is_missing(item) ? NULL : item;
}

const cJSON *field_get_any(const cJSON *object, const char *const *names)
{
    const cJSON *item = NULL;
    while (*names && !item)
        item = field_get(object, *names++);
    return item;
}

const char *field_get_text(const cJSON *object, const char *name)
{
    return scalar_text(field_get(object, name));
}

const char *field_get_text_of(const cJSON *object, const char *const *names)
{
    for (; *names; names++) {
        const char *text = field_get_text(object, *names);
        if (text && *text)
            return text;
    }
    return NULL;
}

bool field_get_id(const cJSON *object, const char *name, int64_t *ret)
{
    return scalar_read_id(field_get(object, name), ret);
}

/* The words that a field of this name may have in the place of a number. */
static enum wording wording_of(const char *name)
{
    static const struct {
        const char *name;
        enum wording wording;
    } fields[] = {
        { "status", WORD_UNIT_STATUS }, { "page", WORD_PAGE }, { "origin", WORD_ORIGIN }, { "type", WORD_RECORD_TYPE }
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strcmp(name, fields[i].name) == 0)
            return fields[i].wording;
    return WORD_NONE;
}

int32_t field_get_number(const cJSON *object, const char *name)
{
    return scalar_number(field_get(object, name), wording_of(name));
}

int8_t field_get_flag(const cJSON *object, const char *name)
{
    return scalar_flag(field_get(object, name));
}

static const cJSON *pass_nulls(const cJSON *element)
{
    while (element && is_missing(element))
        element = element->next;
    return element;
}

const cJSON *field_first_of(const cJSON *item)
{
    return item && event_is_list(item) ? pass_nulls(item->child) : item;
}

const cJSON *field_next_of(const cJSON *list, const cJSON *element)
{
    return element == list ? NULL : pass_nulls(element->next);
}

size_t field_count_of(const cJSON *list)
{
    size_t n = 0;
    for (const cJSON *element = field_first_of(list); element; element = field_next_of(list, element))
        n++;
    return n;
}

void field_get_ids_of(const cJSON *list, const char *name, struct ids *out)
{
    int64_t id;
    for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item))
        if (field_get_id(item, name, &id))
            ids_add(out, id);
}

void field_get_ids(const cJSON *object, const char *const *names, struct ids *out)
{
    for (; *names; names++) {
        const cJSON *list = field_get(object, *names);
        for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item)) {
            int64_t id;
            if (scalar_read_id(item, &id))
                ids_add(out, id);
        }
    }
}

void field_get_units(const cJSON *object, const char *const *names, struct ids *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    field_get_ids(object, names, &ids);
    for (size_t i = 0; i < ids.n; i++)
        if (ids.v[i] != 0)
            ids_add(out, ids.v[i]);
}

/* event is NULL for what stands beside data. */
static int refuse_value(const struct event *event, struct err *err, const char *path, const char *expected,
                        const cJSON *came)
{
    struct text what CLEANUP(text_free) = TEXT_INIT;
    event_say_expected(&what, expected, came);
    return event ? event_refuse(event, err, path, what.s) : err_set(err, -EINVAL, "%s: %s", path, what.s);
}

void field_path_of(char ret[PATH_MAX_BYTES], const char *list_path, const cJSON *list, const cJSON *element)
{
    if (element == list) {
        snprintf(ret, PATH_MAX_BYTES, "%s", list_path);
        return;
    }
    if (element->string) {
        snprintf(ret, PATH_MAX_BYTES, "%s[%s]", list_path, element->string);
        return;
    }
    size_t index = 0;
    for (const cJSON *before = list->child; before != element; before = before->next)
        index++;
    snprintf(ret, PATH_MAX_BYTES, "%s[%zu]", list_path, index);
}

int field_refuse_neither(const struct event *event, struct err *err, const char *name, const char *other_name)
{
    char both[2 * PATH_MAX_BYTES];
    if (event->index < 0)
        snprintf(both, sizeof(both), "%s or data.%s", name, other_name);
    else
        snprintf(both, sizeof(both), "%s or data[%d].%s", name, event->index, other_name);
    return event_refuse(event, err, both, "missing");
}

int field_need_id(const struct event *event, struct err *err, const cJSON *object, const char *path, const char *name)
{
    char full[PATH_MAX_BYTES];
    int64_t id;
    const cJSON *item = field_get(object, name);
    if (scalar_read_id(item, &id))
        return 0;
    if (!object && *path)
        return event_refuse(event, err, path, "missing");
    snprintf(full, sizeof(full), "%s%s%s", path, *path ? "." : "", name);
    return event_refuse_value(event, err, full, scalar_read_whole(item, &id) ? "an id" : "a whole number", item);
}

/* An object in place of a list is nearly one: its names tell the sender what happened to it. */
static const char *expected_of(const cJSON *list, const cJSON *item)
{
    return item == list && cJSON_IsObject(item) ? "a list of whole numbers" : "a whole number";
}

_Static_assert(IDS_MAX == 4096, "a refusal says so");

/* How many ids stand under the names in one object, or -EINVAL; *present: whether any of the names is there. */
static int count_ids_under(const struct event *event, struct err *err, const cJSON *object, const char *const *names,
                           bool *present)
{
    int n = 0;
    for (; *names; names++) {
        const cJSON *list = field_get(object, *names);
        *present |= list != NULL;
        for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item)) {
            char path[PATH_MAX_BYTES];
            int64_t id;
            if (!scalar_read_whole(item, &id)) {
                field_path_of(path, *names, list, item);
                return refuse_value(event, err, path, expected_of(list, item), item);
            }
            n += id != -1;
            if (n > IDS_MAX)
                return refuse_value(event, err, *names, "at most 4096 ids", list);
        }
    }
    return n;
}

int field_need_ids(const struct event *event, struct err *err, const char *const *names, int flags)
{
    bool present = false;
    int n = count_ids_under(event, err, event->data, names, &present);
    if (n == 0 && (flags & ALSO_AT_TOP))
        n = count_ids_under(NULL, err, event->top, names, &present);
    if (n < 0)
        return n;
    if (!present)
        return event_refuse(event, err, names[0], "missing");
    if (n == 0 && !(flags & MAY_BE_EMPTY))
        return event_refuse(event, err, names[0], "expected at least one id");
    return 0;
}

int field_need_text(const struct event *event, struct err *err, const char *const *names)
{
    if (field_get_text_of(event->data, names))
        return 0;
    for (const char *const *name = names; *name; name++)
        if (field_get(event->data, *name))
            return event_refuse_value(event, err, *name, "a text that is not empty", field_get(event->data, *name));
    return event_refuse(event, err, names[0], "missing");
}

int field_need_units(const struct event *event, struct err *err, bool bare_ids, bool may_be_empty)
{
    const cJSON *units = field_get(event->data, "units");
    if (!units)
        return event_refuse(event, err, "units", "missing");
    if (!field_first_of(units) && !may_be_empty)
        return event_refuse(event, err, "units", "expected at least one unit");

    for (const cJSON *unit = field_first_of(units); unit; unit = field_next_of(units, unit)) {
        char path[PATH_MAX_BYTES];
        int64_t id;
        if (cJSON_IsObject(unit) ? field_get_id(unit, "id", &id) : bare_ids && scalar_read_id(unit, &id))
            continue;
        field_path_of(path, "units", units, unit);
        if (cJSON_IsObject(unit))
            return field_need_id(event, err, unit, path, "id");
        return event_refuse_value(event, err, path, bare_ids ? "a unit or its id" : "a unit", unit);
    }
    return 0;
}

bool field_read_unit(const cJSON *json, struct state_unit *ret)
{
    const cJSON *data = field_get(json, "data");
    struct state_unit unit = STATE_UNIT_PATCH(0);
    bool known =
        (field_get_id(json, "id", &unit.id) || scalar_read_id(json, &unit.id)) && unit.id != 0; /* V12: the id alone */

    unit.number = field_get_text(data, "unitNum");
    unit.name = field_get_text(data, "name");
    unit.department = field_get_text(data, "department");
    unit.group = field_get_text(data, "group");
    unit.page = field_get_number(data, "page");
    unit.location = field_get_text(json, "location");
    unit.status = field_get_number(json, "status");
    unit.panic = field_get_flag(json, "isPanic");
    unit.dispatcher = field_get_flag(json, "isDispatch");
    unit.told = cJSON_IsObject(data);
    *ret = unit;
    return known;
}

/* V16, V17: a note is a text or an object. */
const char *field_read_note(const cJSON *note, const char **ret_author, const char **ret_kind)
{
    *ret_author = field_get_text(note, "label");
    *ret_kind = field_get_text(note, "type");
    return cJSON_IsObject(note) ? field_get_text(note, "content") : scalar_text(note);
}

static void read_notes(const cJSON *json, struct state_call *ret)
{
    const cJSON *notes = field_get(json, "notes");
    for (const cJSON *note = field_first_of(notes); note; note = field_next_of(notes, note)) {
        const char *author, *kind, *text = field_read_note(note, &author, &kind);
        if (!text || !*text)
            continue;
        ret->n_notes++;
        ret->last_note = text;
    }
}

bool field_read_call(const cJSON *json, struct state_call *ret)
{
    const cJSON *meta = field_get(json, "metaData");
    struct state_call call = STATE_CALL_PATCH(0);
    bool known = field_get_id(json, "callId", &call.id);

    read_notes(json, &call); /* first: of its texts there may be more than last */
    call.title = field_get_text(json, "title");
    call.code = field_get_text(json, "code");
    call.address = field_get_text(json, "address");
    call.postal = field_get_text(json, "postal");
    call.block = field_get_text(json, "block");
    call.description = field_get_text(json, "description");
    call.origin = field_get_number(json, "origin");
    call.status = scalar_number(field_get(json, "status"), WORD_CALL_STATUS);
    call.priority = field_get_number(json, "priority");
    call.track_primary = field_get_flag(json, "trackPrimary");
    (void) !field_get_id(json, "primary", &call.primary);
    if (!field_get_id(meta, "origin911", &call.call911))
        (void) !field_get_id(meta, "createdFromId", &call.call911);
    *ret = call;
    return known;
}

bool field_read_call911(const cJSON *json, struct state_call911 *ret)
{
    struct state_call911 call = STATE_CALL911_PATCH(0);
    bool known = field_get_id(json, "callId", &call.id);

    call.caller = field_get_text(json, "caller");
    call.location = field_get_text(json, "location");
    call.description = field_get_text(json, "description");
    call.emergency = field_get_flag(json, "isEmergency");
    if (call.emergency < 0)
        call.emergency = field_get_flag(json, "emergency");
    *ret = call;
    return known;
}
