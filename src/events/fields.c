/* fields.c - reading the fields of an event, and checking the minimum it has to have. */
#include <math.h>
#include <stdlib.h>

#include "fields.h"

const cJSON *get(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
    return item && !cJSON_IsNull(item) ? item : NULL;
}

const char *get_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(get(object, name));
}

const char *get_text_of(const cJSON *object, const char *const *names)
{
    for (; *names; names++) {
        const char *text = get_text(object, *names);
        if (text && *text)
            return text;
    }
    return NULL;
}

static bool read_decimal(const char *text, int64_t *ret)
{
    const char *digits = *text == '-' ? text + 1 : text;
    if (!*digits || digits[strspn(digits, "0123456789")])
        return false;

    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno)
        return false;
    *ret = value;
    return true;
}

bool read_id(const cJSON *item, int64_t *ret)
{
    if (cJSON_IsString(item))
        return read_decimal(item->valuestring, ret);
    /* Longer numbers arrive as texts (scan.c), so every whole double here is exact. */
    if (!cJSON_IsNumber(item) || fabs(item->valuedouble) > 9007199254740992.0 ||
        floor(item->valuedouble) != item->valuedouble)
        return false;
    *ret = (int64_t) item->valuedouble;
    return true;
}

bool get_id(const cJSON *object, const char *name, int64_t *ret)
{
    const cJSON *item = get(object, name);
    return item && read_id(item, ret);
}

int32_t get_number(const cJSON *object, const char *name)
{
    int64_t number;
    if (!get_id(object, name, &number) || number <= INT32_MIN || number > INT32_MAX)
        return STATE_UNSET;
    return (int32_t) number;
}

int8_t get_flag(const cJSON *object, const char *name)
{
    const cJSON *item = get(object, name);
    if (!item)
        return -1;
    if (cJSON_IsBool(item))
        return (int8_t) cJSON_IsTrue(item);
    if (cJSON_IsNumber(item) && (item->valuedouble == 0 || item->valuedouble == 1))
        return (int8_t) (item->valuedouble == 1);
    if (cJSON_IsString(item) && strcasecmp(item->valuestring, "true") == 0)
        return 1;
    if (cJSON_IsString(item) && strcasecmp(item->valuestring, "false") == 0)
        return 0;
    return -1;
}

const cJSON *first_of(const cJSON *item)
{
    return cJSON_IsArray(item) ? item->child : item;
}

const cJSON *next_of(const cJSON *list, const cJSON *element)
{
    return cJSON_IsArray(list) ? element->next : NULL;
}

void get_ids(const cJSON *object, const char *const *names, struct ids *out)
{
    for (; *names; names++) {
        const cJSON *list = get(object, *names);
        for (const cJSON *item = list ? first_of(list) : NULL; item; item = next_of(list, item)) {
            int64_t id;
            if (read_id(item, &id))
                ids_add(out, id);
        }
    }
}

/* event is NULL for what stands beside data. */
static int refuse_element(const struct event *event, struct err *err, const char *path, int index, const char *what)
{
    char full[96];
    if (index < 0)
        snprintf(full, sizeof(full), "%s", path);
    else
        snprintf(full, sizeof(full), "%s[%d]", path, index);
    return event ? event_refuse(event, err, full, what) : err_set(err, -EINVAL, "%s: %s", full, what);
}

int need_id(const struct event *event, struct err *err, const cJSON *object, const char *path, const char *name)
{
    char full[96];
    int64_t id;
    const cJSON *item = get(object, name);
    if (item && read_id(item, &id))
        return 0;
    snprintf(full, sizeof(full), "%s%s%s", path, *path ? "." : "", name);
    return event_refuse(event, err, full, item ? "expected a whole number" : "missing");
}

/* How many ids stand under the names in one object, or -EINVAL; *present: whether any of the names is there. */
static int count_ids(const struct event *event, struct err *err, const cJSON *object, const char *const *names,
                     bool *present)
{
    int n = 0;
    for (; *names; names++) {
        const cJSON *list = get(object, *names);
        int index = cJSON_IsArray(list) ? 0 : -1;
        *present |= list != NULL;
        for (const cJSON *item = list ? first_of(list) : NULL; item; item = next_of(list, item), index++) {
            int64_t id;
            if (cJSON_IsNull(item))
                continue;
            if (!read_id(item, &id))
                return refuse_element(event, err, *names, index, "expected a whole number");
            if (++n > IDS_MAX)
                return refuse_element(event, err, *names, -1, "expected fewer ids");
        }
    }
    return n;
}

int need_ids(const struct event *event, struct err *err, const char *const *names, int flags)
{
    bool present = false;
    int n = count_ids(event, err, event->data, names, &present);
    if (n == 0 && (flags & ALSO_AT_TOP))
        n = count_ids(NULL, err, event->top, names, &present);
    if (n < 0)
        return n;
    if (!present)
        return event_refuse(event, err, names[0], "missing");
    if (n == 0 && !(flags & MAY_BE_EMPTY))
        return event_refuse(event, err, names[0], "expected at least one id");
    return 0;
}

int need_text(const struct event *event, struct err *err, const char *const *names)
{
    if (get_text_of(event->data, names))
        return 0;
    for (const char *const *name = names; *name; name++)
        if (get(event->data, *name))
            return event_refuse(event, err, *name, "expected a text that is not empty");
    return event_refuse(event, err, names[0], "missing");
}

int need_units(const struct event *event, struct err *err, bool bare_ids, bool may_be_empty)
{
    const cJSON *units = get(event->data, "units");
    if (!units)
        return event_refuse(event, err, "units", "missing");
    if (cJSON_IsArray(units) && !units->child && !may_be_empty)
        return event_refuse(event, err, "units", "expected at least one unit");

    int index = cJSON_IsArray(units) ? 0 : -1;
    for (const cJSON *unit = first_of(units); unit; unit = next_of(units, unit), index++) {
        char path[32] = "units";
        int64_t id;
        if (index >= 0)
            snprintf(path, sizeof(path), "units[%d]", index);
        if (cJSON_IsObject(unit)) {
            if (need_id(event, err, unit, path, "id") < 0)
                return -EINVAL;
        } else if (!bare_ids || !read_id(unit, &id)) {
            return event_refuse(event, err, path, "expected a unit");
        }
    }
    return 0;
}

void read_unit(const cJSON *json, struct state_unit *ret)
{
    const cJSON *data = get(json, "data");
    struct state_unit unit = STATE_UNIT_PATCH(0);

    if (!get_id(json, "id", &unit.id))
        read_id(json, &unit.id); /* V12: the id alone */
    unit.number = get_text(data, "unitNum");
    unit.name = get_text(data, "name");
    unit.department = get_text(data, "department");
    unit.group = get_text(data, "group");
    unit.page = get_number(data, "page");
    unit.location = get_text(json, "location");
    unit.status = get_number(json, "status");
    unit.panic = get_flag(json, "isPanic");
    unit.dispatcher = get_flag(json, "isDispatch");
    *ret = unit;
}

/* V16, V17: a note is a text or an object. */
const char *read_note(const cJSON *note, const char **ret_author, const char **ret_kind)
{
    *ret_author = get_text(note, "label");
    *ret_kind = get_text(note, "type");
    return cJSON_IsString(note) ? note->valuestring : get_text(note, "content");
}

void read_call(const cJSON *json, struct state_call *ret)
{
    const cJSON *meta = get(json, "metaData");
    struct state_call call = STATE_CALL_PATCH(0);

    get_id(json, "callId", &call.id);
    call.title = get_text(json, "title");
    call.code = get_text(json, "code");
    call.address = get_text(json, "address");
    call.postal = get_text(json, "postal");
    call.description = get_text(json, "description");
    call.origin = get_number(json, "origin");
    call.status = get_number(json, "status");
    call.priority = get_number(json, "priority");
    get_id(json, "primary", &call.primary);
    if (!get_id(meta, "origin911", &call.call911))
        get_id(meta, "createdFromId", &call.call911);
    const cJSON *notes = get(json, "notes");
    for (const cJSON *note = notes ? first_of(notes) : NULL; note; note = next_of(notes, note)) {
        const char *author, *kind, *text = read_note(note, &author, &kind);
        if (!text || !*text)
            continue;
        call.n_notes++;
        call.last_note = text;
    }
    *ret = call;
}

void read_call911(const cJSON *json, struct state_call911 *ret)
{
    struct state_call911 call = STATE_CALL911_PATCH(0);

    get_id(json, "callId", &call.id);
    call.caller = get_text(json, "caller");
    call.location = get_text(json, "location");
    call.description = get_text(json, "description");
    call.emergency = get_flag(json, "isEmergency");
    if (call.emergency < 0)
        call.emergency = get_flag(json, "emergency");
    *ret = call;
}
