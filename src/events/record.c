/* record.c - EVENT_RECORD_*, EVENT_PRINT_RECORD: what stands in the files about people and vehicles.
 * Source: events.md 2.7, 4.18 to 4.20, 4.28; vendor pages push-events/record-events. */
#include "fields.h"

/* An empty record is no mistake; any other has to be recognisable. */
static int record_check(const struct event *event, struct err *err)
{
    const cJSON *record = get(event->data, "record");
    const char *sync_id = get_text(record, "syncId");
    if (!record)
        return event_refuse(event, err, "record", "missing");
    if (!cJSON_IsObject(record))
        return event_refuse(event, err, "record", "expected an object");
    if (!record->child)
        return 0;

    bool synced = sync_id && *sync_id;
    if ((!synced || get(record, "id")) && need_id(event, err, record, "record", "id") < 0)
        return -EINVAL;
    if (!get(record, "recordTypeId") && !get(record, "name"))
        return event_refuse(event, err, "record.recordTypeId", "missing");
    return 0;
}

/* The value of the first field with this uid, in any section. */
static const char *field_value(const cJSON *record, const char *uid)
{
    const cJSON *section, *field;
    cJSON_ArrayForEach (section, get(record, "sections")) {
        cJSON_ArrayForEach (field, get(section, "fields")) {
            const char *name = get_text(field, "uid");
            if (name && strcasecmp(name, uid) == 0)
                return get_text(field, "value");
        }
    }
    return NULL;
}

static void say_subject(struct text *line, const cJSON *record)
{
    const char *first = field_value(record, "first"), *last = field_value(record, "last");
    if ((first && *first) || (last && *last)) {
        text_add(line, ", of");
        say_after(line, " ", first, LINE_NAME_MAX);
        say_after(line, " ", last, LINE_NAME_MAX);
    }
    say_after(line, ", plate ", field_value(record, "plate"), LINE_NAME_MAX);
}

static void record_describe(struct description *out, const struct event *event, const char *verb)
{
    const cJSON *record = get(event->data, "record");
    int32_t type = get_number(record, "type");
    const char *name = get_text(record, "name");
    int64_t id;

    text_add(&out->line, "record");
    if (get_id(record, "id", &id) && id != -1)
        text_addf(&out->line, " %lld", (long long) id);
    else
        say_after(&out->line, " ", get_text(record, "syncId"), LINE_NAME_MAX);
    text_add(&out->line, verb);
    if (!record->child)
        text_add(&out->line, ", empty");
    say_after(&out->line, ": ", name, LINE_NAME_MAX);
    if (type != STATE_UNSET) {
        text_add(&out->line, name && *name ? " (" : ": ");
        say_word(&out->line, WORD_RECORD_TYPE, type);
        text_add(&out->line, name && *name ? ")" : "");
    }
    say_subject(&out->line, record);
}

static void add_describe(const struct event *event, const struct state *state, struct description *out)
{
    (void) state;
    record_describe(out, event, " added");
}

static void edit_describe(const struct event *event, const struct state *state, struct description *out)
{
    (void) state;
    record_describe(out, event, " edited");
}

static void remove_describe(const struct event *event, const struct state *state, struct description *out)
{
    (void) state;
    record_describe(out, event, " removed");
}

static const char *const printer_names[] = { "identId", "unitId", NULL };

static int print_check(const struct event *event, struct err *err)
{
    int r = need_ids(event, err, printer_names, 0);
    return r < 0 ? r : need_text(event, err, NAMES("url"));
}

static void print_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    get_ids(event->data, printer_names, &ids);
    say_units(event, state, out, &ids);
    say_after(&out->line, " prints ", get_text(event->data, "url"), LINE_TEXT_MAX);
}

static const struct event_type types[] = {
    { "EVENT_RECORD_ADD", NULL, LOG_INFO, record_check, add_describe, NULL },
    { "EVENT_RECORD_EDIT", NULL, LOG_INFO, record_check, edit_describe, NULL },
    { "EVENT_RECORD_REMOVE", NULL, LOG_INFO, record_check, remove_describe, NULL },
    { "EVENT_PRINT_RECORD", NULL, LOG_INFO, print_check, print_describe, NULL },
};

const struct event_family family_record = { "record", "rec", 34, types, ARRAY_SIZE(types) };
