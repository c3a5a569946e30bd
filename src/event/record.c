/* record.c - the one JSON shape in which an event leaves the daemon. */
#include <string.h>

#include <sonoran-pushd/event.h>

static void add_ids(struct json_writer *out, const char *name, const struct ids *ids)
{
    json_begin_array(out, name);
    for (size_t i = 0; i < ids->n; i++)
        json_add_int(out, NULL, ids->v[i]);
    json_end(out);
}

/* The sender's own bytes. Line breaks can only stand between its tokens, where a blank says the same. */
static void add_bytes(struct json_writer *out, const char *name, struct span json)
{
    struct text *text = out->out;
    json_add_raw(out, name, json);
    for (size_t i = text->size > json.size ? text->size - json.size : 0; i < text->size; i++)
        if (text->s[i] == '\n' || text->s[i] == '\r')
            text->s[i] = ' ';
}

/* Where it says something. */
static void add_id(struct json_writer *out, const char *name, int64_t id)
{
    if (id)
        json_add_int(out, name, id);
}

static void add_some(struct json_writer *out, const char *name, const char *value)
{
    if (value)
        json_add_text(out, name, value);
}

static void add_origin(struct json_writer *out, const struct event *event, const struct description *description,
                       bool tell_from)
{
    json_add_text(out, "type", event->type);
    add_some(out, "type_sent", event->type_sent);
    add_some(out, "family", event->family ? event->family->name : NULL);
    json_add_int(out, "level", description->level);
    json_add_text(out, "community", event->community);
    json_add_text(out, "source", event->origin->source);
    json_add_text(out, "listener", event->origin->name);
    if (tell_from)
        json_add_text(out, "from", event->origin->peer);
    json_add_text(out, "verdict", event_verdict_name(event->verdict));
    add_some(out, "reason", event->reason);
    if (event->test)
        json_add_bool(out, "test", true);
}

/* The line of a refused event says from whom it came, which its record says elsewhere. */
static void add_summary(struct json_writer *out, const struct event *event, const struct text *line, bool tell_from)
{
    struct text from CLEANUP(text_free) = TEXT_INIT;
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add(&from, " from ");
    text_add(&from, event->origin->peer);
    const char *at = tell_from || !event_verdict_is_refusal(event->verdict) ? NULL : strstr(line->s, from.s);
    if (at) {
        text_add_bytes(&shown, line->s, (size_t) (at - line->s));
        text_add(&shown, at + from.size);
    }
    out->out->failed |= from.failed || shown.failed;
    json_add_text(out, "summary", at ? shown.s : line->s);
}

static void add_home(struct json_writer *out, const struct event_home *home)
{
    if (!home->node)
        return;
    json_begin_object(out, "origin");
    json_add_text(out, "log", home->log);
    json_add_int(out, "id", (int64_t) home->id);
    json_add_text(out, "node", home->node);
    json_end(out);
}

static struct json_writer begin(const struct event *event, const struct description *description, bool tell_from,
                                struct text *text)
{
    struct json_writer out = json_writer(text);
    json_begin_object(&out, NULL);
    json_add_int(&out, "id", (int64_t) event->id);
    add_some(&out, "log", event->log);
    json_add_time(&out, "time", event->time_us);
    add_origin(&out, event, description, tell_from);
    add_summary(&out, event, &description->line, tell_from);
    add_ids(&out, "calls911", &description->calls911);
    add_ids(&out, "calls", &description->calls);
    add_ids(&out, "units", &description->units);
    add_id(&out, "by", description->by);
    add_id(&out, "record", description->record);
    add_home(&out, &event->home);
    if (description->known.size)
        add_bytes(&out, "known", (struct span){ description->known.s, description->known.size });
    return out;
}

static void add_data(struct json_writer *out, const struct event *event)
{
    add_bytes(out, "data", event->data_text.size ? event->data_text : (struct span){ "{}", 2 });
    if (event->extra_text.size)
        add_bytes(out, "extra", event->extra_text);
}

void event_write_record(const struct event *event, const struct description *description, struct text *text)
{
    struct json_writer out = begin(event, description, true, text);
    add_data(&out, event);
    json_end(&out);
}

void event_write_view(const struct event *event, const struct description *description, struct text *text,
                      size_t *ret_data_at, size_t *ret_data_bytes)
{
    struct json_writer out = begin(event, description, false, text);
    *ret_data_at = text->size;
    add_data(&out, event);
    *ret_data_bytes = text->size - *ret_data_at;
    json_end(&out);
}
