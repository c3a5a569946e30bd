/* family_record.c - EVENT_RECORD_*, EVENT_PRINT_RECORD: what stands in the files about people and vehicles.
 * Source: events.md 2.7, 4.18 to 4.20, 4.28; vendor pages push-events/record-events. */
#include "fields.h"

/* An empty record is no mistake; any other has to be recognisable. */
static int record_check(const struct event *event, struct err *err)
{
    const cJSON *record = field_get(event->data, "record");
    const char *sync_id = field_get_text(record, "syncId");
    if (!cJSON_IsObject(record))
        return event_refuse_value(event, err, "record", "an object", record);
    if (!record->child)
        return 0;

    bool synced = sync_id && *sync_id;
    int64_t id; /* -1: it has none yet */
    if (!synced && !field_get(record, "id"))
        return field_refuse_neither(event, err, "record.id", "record.syncId");
    if (field_get(record, "id") && !scalar_read_whole(field_get(record, "id"), &id))
        return field_need_id(event, err, record, "record", "id");
    if (!field_get(record, "recordTypeId") && !field_get(record, "name"))
        return field_refuse_neither(event, err, "record.recordTypeId", "record.name");
    return 0;
}

const cJSON *record_field(const cJSON *record, const char *uid)
{
    const cJSON *sections = field_get(record, "sections");
    for (const cJSON *section = field_first_of(sections); section; section = field_next_of(sections, section)) {
        const cJSON *fields = field_get(section, "fields");
        for (const cJSON *field = field_first_of(fields); field; field = field_next_of(fields, field)) {
            const char *name = field_get_text(field, "uid");
            if (name && strcasecmp(name, uid) == 0)
                return field;
        }
    }
    return NULL;
}

static const char *field_value(const cJSON *record, const char *uid)
{
    return field_get_text(record_field(record, uid), "value");
}

/* Of one field: that of type UNIT_NAME, in whatever letter case, or what an agency's section says. */
static const char *officer_in(const cJSON *field)
{
    const char *type = field_get_text(field, "type"), *name = field_get_text(field_get(field, "data"), "officer");
    if (name && *name)
        return name;
    name = type && strcasecmp(type, "UNIT_NAME") == 0 ? field_get_text(field, "value") : NULL;
    return name && *name ? name : NULL;
}

const char *record_officer(const cJSON *record)
{
    const cJSON *sections = field_get(record, "sections");
    for (const cJSON *section = field_first_of(sections); section; section = field_next_of(sections, section)) {
        const cJSON *fields = field_get(section, "fields");
        for (const cJSON *field = field_first_of(fields); field; field = field_next_of(fields, field)) {
            const char *officer = officer_in(field);
            if (officer)
                return officer;
        }
    }
    return NULL;
}

static void say_subject(struct text *line, const cJSON *record)
{
    const char *first = field_value(record, "first"), *last = field_value(record, "last");
    if ((first && *first) || (last && *last)) {
        text_add(line, ", for");
        phrase_say_after(line, " ", first, LINE_NAME_MAX);
        phrase_say_after(line, " ", last, LINE_NAME_MAX);
    }
    phrase_say_after(line, ", plate ", field_value(record, "plate"), LINE_NAME_MAX);
    phrase_say_after(line, ", officer ", record_officer(record), LINE_NAME_MAX);
}

/* "police record 88213 Speeding Citation"; a kind that is the name as well is said once. */
static void say_record(struct description *out, const cJSON *record)
{
    struct text kind CLEANUP(text_free) = TEXT_INIT;
    int32_t type = field_get_number(record, "type");
    const char *name = field_get_text(record, "name");
    int64_t id;
    if (type != STATE_UNSET)
        phrase_say_word(&kind, WORD_RECORD_TYPE, type);
    bool known = kind.size && strncmp(kind.s, "type ", strlen("type ")) != 0;
    text_add(&out->line, known ? kind.s : "record");
    if (field_get_id(record, "id", &id))
        text_addf(&out->line, " %lld", (long long) (out->record = id));
    else
        phrase_say_after(&out->line, " ", field_get_text(record, "syncId"), LINE_NAME_MAX);
    if (name && strcasecmp(name, kind.s) != 0)
        phrase_say_after(&out->line, " ", name, LINE_NAME_MAX);
    if (kind.size && !known)
        text_addf(&out->line, " (%s)", kind.s);
}

static void record_describe(struct description *out, const struct event *event, const char *verb)
{
    const cJSON *record = field_get(event->data, "record");
    say_record(out, record);
    text_add(&out->line, verb);
    if (record && !record->child)
        text_add(&out->line, ", empty");
    say_subject(&out->line, record);
}

enum { WARRANT = 2, BOLO = 3 };

static void add_describe(const struct event *event, const struct state *state, struct description *out)
{
    int32_t type = field_get_number(field_get(event->data, "record"), "type");
    (void) state;
    if (type == WARRANT || type == BOLO)
        out->level = LOG_NOTICE;
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
    int r = field_need_ids(event, err, printer_names, 0);
    return r < 0 ? r : field_need_text(event, err, NAMES("url"));
}

static void print_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    field_get_units(event->data, printer_names, &ids);
    if (ids.n == 0) {
        out->level = LOG_DEBUG;
        text_add(&out->line, "no unit");
    }
    phrase_say_units(event, state, out, &ids);
    text_add(&out->line, " prints");
    phrase_say_file(&out->line, " ", field_get_text(event->data, "url"));
}

static const struct event_type types[] = {
    { "EVENT_RECORD_ADD", NULL, record_check, add_describe, NULL, &facts_record },
    { "EVENT_RECORD_EDIT", NULL, record_check, edit_describe, NULL, &facts_record },
    { "EVENT_RECORD_REMOVE", NULL, record_check, remove_describe, NULL, &facts_record },
    { "EVENT_PRINT_RECORD", NULL, print_check, print_describe, NULL, &facts_print },
};

const struct event_family family_record = { "record", "34", types, ARRAY_SIZE(types) };
