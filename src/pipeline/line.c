/* line.c - an event as a line of the log, with its fields. */
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define FIXED_FIELDS 8

static void describe(const struct event *event, const struct state *state, struct description *out)
{
    if (event->verdict == EVENT_ACCEPTED) {
        event_describe(event, state, out);
        return;
    }
    description_reset(out);
    out->level = LOG_WARNING;
    text_add(&out->line, "refused ");
    text_add_safe(&out->line, event->type, strlen(event->type), EVENT_TYPE_MAX_BYTES / 4);
    text_addf(&out->line, " from %s: %s", event->origin->peer, event->reason);
}

static struct log_field text_field(const char *name, const char *text)
{
    return (struct log_field){ .name = name, .text = text, .size = strlen(text) };
}

static size_t add_ids(struct log_field *fields, const char *name, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        fields[i] = (struct log_field){ .name = name, .number = ids->v[i], .list = true };
    return ids->n;
}

/* Not in the middle of a character. */
static size_t cut(struct span text, uint64_t max_bytes)
{
    if (text.size <= max_bytes)
        return text.size;
    size_t size = max_bytes;
    while (size > 0 && (text.s[size] & 0xc0) == 0x80)
        size--;
    return size;
}

void line_write(const struct event *event, const struct state *state, struct description *description,
                uint64_t payload_bytes, bool late)
{
    struct text type CLEANUP(text_free) = TEXT_INIT;
    struct log_field few[FIXED_FIELDS + 24], *fields = few, *many CLEANUP(cleanup_free) = NULL;
    bool accepted = event->verdict == EVENT_ACCEPTED;

    describe(event, state, description);
    if (!log_wants(description->level)) {
        log_passed_id(event->id);
        return;
    }
    if (late) {
        text_add(&description->line, " (told late, it came at ");
        text_add_time_utc(&description->line, event->time_us);
        text_add(&description->line, ")");
    }
    size_t n_ids = description->calls.n + description->calls911.n + description->units.n, n = 0;
    if (FIXED_FIELDS + n_ids > ARRAY_SIZE(few)) {
        many = calloc(FIXED_FIELDS + n_ids, sizeof(*many));
        if (!many)
            return; /* told after the next start */
        fields = many;
    }

    text_add_safe(&type, event->type, strlen(event->type), EVENT_TYPE_MAX_BYTES / 4);
    fields[n++] = text_field("SONORAN_EVENT", type.s);
    fields[n++] = (struct log_field){ .name = "SONORAN_EVENT_ID", .number = (int64_t) event->id };
    fields[n++] = text_field("SONORAN_COMMUNITY", event->community);
    fields[n++] = text_field("SONORAN_LISTENER", event->origin->listener);
    fields[n++] = text_field("SONORAN_FROM", event->origin->peer);
    n += add_ids(fields + n, "SONORAN_CALL", &description->calls);
    n += add_ids(fields + n, "SONORAN_911", &description->calls911);
    n += add_ids(fields + n, "SONORAN_UNIT", &description->units);
    if (!accepted) {
        fields[n++] = text_field("SONORAN_VERDICT", event_verdict_name(event->verdict));
        fields[n++] = text_field("SONORAN_REASON", event->reason);
    }
    if (payload_bytes && event->data_text.size)
        fields[n++] = (struct log_field){ .name = "SONORAN_DATA",
                                          .text = event->data_text.s,
                                          .size = cut(event->data_text, payload_bytes) };
    log_write(&(struct log_record){
        .level = description->level,
        .label = !accepted       ? "deny"
                 : event->family ? event->family->label
                                 : "new",
        .colour = !accepted       ? 33
                  : event->family ? event->family->colour
                                  : 37,
        .message_id = accepted ? LOG_ID_EVENT : LOG_ID_EVENT_REFUSED,
        .time_us = event->time_us,
        .line = description->line.s,
        .fields = fields,
        .n_fields = n,
        .event_id = event->id,
    });
}
