/* line.c - an event as a line of the log, with its fields. */
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

#define FIXED_FIELDS 12
#define FIELDS_ROOM 32 /* more are rare, and come from malloc */
#define NUMBER_MAX_CHARS 60

struct fields {
    struct log_field few[FIELDS_ROOM], *v, *many;
    size_t n;
    struct text type, numbers; /* of units, each with its NUL */
    struct text line;
};

static void add_text(struct fields *fields, const char *name, const char *text)
{
    fields->v[fields->n++] = (struct log_field){ .name = name, .text = text, .size = strlen(text) };
}

static void add_number(struct fields *fields, const char *name, int64_t number)
{
    fields->v[fields->n++] = (struct log_field){ .name = name, .number = number };
}

static void add_ids(struct fields *fields, const char *name, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        fields->v[fields->n++] = (struct log_field){ .name = name, .number = ids->v[i], .list = true };
}

/* Made safe, as the line has them. Returns how many. */
static size_t read_unit_numbers(const struct description *description, struct text *out)
{
    size_t n = 0;
    for (const char *number = NULL; (number = description_next_number(description, number)); n++) {
        text_add_prose(out, number, strlen(number), NUMBER_MAX_CHARS);
        text_add_bytes(out, "", 1);
    }
    return out->failed ? 0 : n;
}

static void add_unit_numbers(struct fields *fields, size_t n)
{
    const char *number = fields->numbers.s;
    for (size_t i = 0; i < n; i++, number += strlen(number) + 1) {
        add_text(fields, "SONORAN_UNIT_NUMBER", number);
        fields->v[fields->n - 1].list = true;
    }
}

static void add_what_it_concerns(struct fields *fields, const struct event *event,
                                 const struct description *description)
{
    if (description->by)
        add_number(fields, "SONORAN_BY", description->by);
    if (description->record)
        add_number(fields, "SONORAN_RECORD", description->record);
    if (event->test)
        add_text(fields, "SONORAN_TEST", "1");
    add_ids(fields, "SONORAN_CALL", &description->calls);
    add_ids(fields, "SONORAN_911", &description->calls911);
    add_ids(fields, "SONORAN_UNIT", &description->units);
}

static void add_data(struct fields *fields, const struct event *event, uint64_t payload_bytes)
{
    if (!payload_bytes || !event->data_text.size)
        return;
    fields->v[fields->n++] =
        (struct log_field){ .name = "SONORAN_DATA",
                            .text = event->data_text.s,
                            .size = utf8_cut(event->data_text.s, event->data_text.size, payload_bytes) };
}

/* False: no memory. */
static bool fill(struct fields *fields, const struct event *event, const struct description *description,
                 uint64_t payload_bytes)
{
    size_t n_numbers = read_unit_numbers(description, &fields->numbers);
    size_t n = FIXED_FIELDS + description->calls.n + description->calls911.n + description->units.n + n_numbers;
    if (n > FIELDS_ROOM && !(fields->many = calloc(n, sizeof(*fields->many))))
        return false;
    fields->v = fields->many ? fields->many : fields->few;

    text_add_safe(&fields->type, event->type, strlen(event->type), EVENT_TYPE_MAX_BYTES / 4);
    if (fields->type.size)
        add_text(fields, "SONORAN_EVENT", fields->type.s);
    add_number(fields, "SONORAN_EVENT_ID", (int64_t) event->id);
    add_text(fields, "SONORAN_COMMUNITY", event->community);
    if (event->home.node)
        add_text(fields, "SONORAN_NODE", event->home.node);
    add_text(fields, "SONORAN_LISTENER", event->origin->name);
    add_text(fields, "SONORAN_FROM", event->origin->peer);
    add_what_it_concerns(fields, event, description);
    add_unit_numbers(fields, n_numbers);
    if (event->verdict != EVENT_ACCEPTED)
        add_text(fields, "SONORAN_VERDICT", event_verdict_name(event->verdict));
    if (event->reason)
        add_text(fields, "SONORAN_REASON", event->reason);
    add_data(fields, event, payload_bytes);
    return true;
}

static void fields_free(struct fields *fields)
{
    free(fields->many);
    text_free(&fields->type);
    text_free(&fields->line);
    text_free(&fields->numbers);
}

static const char *message_id_of(enum event_verdict verdict)
{
    if (verdict == EVENT_INTERNAL)
        return LOG_ID_PRIMED;
    return event_verdict_is_refusal(verdict) ? LOG_ID_EVENT_REFUSED : LOG_ID_EVENT;
}

void line_write(const struct event *event, struct description *description, uint64_t payload_bytes, bool late)
{
    struct fields fields CLEANUP(fields_free) = { .type = TEXT_INIT, .numbers = TEXT_INIT, .line = TEXT_INIT };
    if (!log_wants(description->level)) {
        log_passed(event->id);
        return;
    }
    if (late) {
        description_read_numbers(description);
        text_add(&description->line, " (told late, it came at ");
        text_add_time_utc(&description->line, event->time_us);
        text_add(&description->line, ")");
    }
    if (!fill(&fields, event, description, payload_bytes))
        return; /* told after the next start */
    struct log_mark mark = event_write_line(event, description, &fields.line);
    if (fields.line.failed)
        return;
    log_write(&(struct log_record){
        .level = description->level,
        .mark = mark,
        .message_id = message_id_of(event->verdict),
        .time_us = event->time_us,
        .line = fields.line.s,
        .fields = fields.v,
        .n_fields = fields.n,
        .ticket = event->id, /* so that it is told again where a crash comes before it is written */
    });
}
