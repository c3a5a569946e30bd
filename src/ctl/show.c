/* show.c - one event of the log, as a line for people or as its record. */
#include <string.h>

#include <sonoran-pushd/events.h>
#include <sonoran-pushd/state.h>

#include "private.h"

/* The log holds the verdict; the reason is found again. */
static void find_reason(struct event *event, struct err *reason)
{
    err_set(reason, 0, "%s", event->reason);
    if (!event->handler)
        err_set(reason, 0, "type not known");
    else if (event->data && !cJSON_IsNull(event->data) && !cJSON_IsObject(event->data))
        (void) event_refuse(event, reason, "", "expected an object or an array of objects");
    else if (event->handler->check(event, reason) >= 0)
        err_set(reason, 0, "came with one that was refused");
    event->reason = reason->msg;
}

void show_describe(struct event *event, const struct state *state, struct err *reason, struct description *out)
{
    if (event->verdict == EVENT_ACCEPTED) {
        event_describe(event, state, out);
        return;
    }
    find_reason(event, reason);
    description_reset(out);
    text_add(&out->line, "refused ");
    text_add_safe(&out->line, event->type, strlen(event->type), EVENT_TYPE_MAX_BYTES / 4);
    text_add(&out->line, ": ");
    text_add_safe(&out->line, event->reason, strlen(event->reason), 0);
}

/* What a sender may have put into a JSON text raw, and a terminal would obey, as escapes. */
static void add_for_terminal(struct text *out, const char *s, size_t size)
{
    uint32_t code;
    for (size_t i = 0, length; i < size; i += length) {
        length = utf8_read(s + i, size - i, &code);
        if (length == 1 && code != 0x7f) {
            text_add_bytes(out, s + i, 1);
            continue;
        }
        length = length ? length : 1;
        size_t quote = out->size;
        text_add_json(out, s + i, length);
        if (out->failed)
            return;
        memmove(out->s + quote, out->s + quote + 1, out->size - quote - 2);
        out->size -= 2;
        out->s[out->size] = '\0';
    }
}

static void add_json(const struct event *event, const struct description *description, bool terminal, struct text *out)
{
    struct text record CLEANUP(text_free) = TEXT_INIT;
    if (!terminal) {
        event_write_record(event, description, out);
        return;
    }
    event_write_record(event, description, &record);
    out->failed |= record.failed;
    add_for_terminal(out, record.s, record.size);
}

static void add_line(const struct event *event, const struct description *description, bool terminal, struct text *out)
{
    bool accepted = event->verdict == EVENT_ACCEPTED;
    const char *label = !accepted ? "deny" : event->family ? event->family->label : "new";
    int colour = !accepted ? 33 : event->family ? event->family->colour : 37;

    time_write(out, event->time_us);
    text_addf(out, " %7llu ", (unsigned long long) event->id);
    if (terminal)
        text_addf(out, "\033[%dm%-4s\033[0m ", colour, label);
    else
        text_addf(out, "%-4s ", label);
    text_add_bytes(out, description->line.s, description->line.size);
}

void show_event(const struct event *event, const struct description *description, bool json, bool terminal,
                struct text *out)
{
    if (json)
        add_json(event, description, terminal, out);
    else
        add_line(event, description, terminal, out);
    text_add(out, "\n");
}

void show_json(const char *json, size_t size, bool terminal, struct text *out)
{
    if (terminal)
        add_for_terminal(out, json, size);
    else
        text_add_bytes(out, json, size);
    text_add(out, "\n");
}
