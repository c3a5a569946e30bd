/* record.c - the one JSON shape in which an event leaves the daemon. */
#include <string.h>

#include <sonoran-pushd/event.h>

static void add_member_text(struct text *out, const char *name, const char *value)
{
    text_addf(out, ",\"%s\":", name);
    text_add_json(out, value, strlen(value));
}

static void add_member_ids(struct text *out, const char *name, const struct ids *ids)
{
    text_addf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < ids->n; i++) {
        if (i)
            text_add(out, ",");
        text_add_int(out, ids->v[i]);
    }
    text_add(out, "]");
}

/* The sender's own bytes. Line breaks can only stand between its tokens, where a blank says the same. */
static void add_member_bytes(struct text *out, const char *name, struct span json)
{
    text_addf(out, ",\"%s\":", name);
    size_t start = out->size;
    text_add_bytes(out, json.s, json.size);
    for (size_t i = start; i < out->size; i++)
        if (out->s[i] == '\n' || out->s[i] == '\r')
            out->s[i] = ' ';
}

/* Where it says something. */
static void add_member_id(struct text *out, const char *name, int64_t id)
{
    if (id)
        text_addf(out, ",\"%s\":%lld", name, (long long) id);
}

static void add_origin(struct text *out, const struct event *event, const struct description *description)
{
    add_member_text(out, "type", event->type);
    if (event->type_sent)
        add_member_text(out, "type_sent", event->type_sent);
    if (event->family)
        add_member_text(out, "family", event->family->name);
    text_addf(out, ",\"level\":%d", description->level);
    add_member_text(out, "community", event->community);
    add_member_text(out, "source", event->source);
    add_member_text(out, "listener", event->origin->listener);
    add_member_text(out, "from", event->origin->peer);
    add_member_text(out, "verdict", event_verdict_name(event->verdict));
    if (event->reason)
        add_member_text(out, "reason", event->reason);
    if (event->test)
        text_add(out, ",\"test\":true");
}

void event_write_record(const struct event *event, const struct description *description, struct text *out)
{
    text_addf(out, "{\"id\":%llu", (unsigned long long) event->id);
    if (event->log)
        add_member_text(out, "log", event->log);
    text_add(out, ",\"time\":\"");
    text_add_time_utc(out, event->time_us);
    text_add(out, "\"");
    add_origin(out, event, description);
    add_member_text(out, "summary", description->line.s);
    add_member_ids(out, "calls911", &description->calls911);
    add_member_ids(out, "calls", &description->calls);
    add_member_ids(out, "units", &description->units);
    add_member_id(out, "by", description->by);
    add_member_id(out, "record", description->record);
    if (description->known.size)
        add_member_bytes(out, "known", (struct span){ description->known.s, description->known.size });
    add_member_bytes(out, "data", event->data_text.size ? event->data_text : (struct span){ "{}", 2 });
    if (event->extra_text.size)
        add_member_bytes(out, "extra", event->extra_text);
    text_add(out, "}");
}
