/* show.c - one event of the log, as a line for people or as its record. */
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/families.h>

#include "ctl_private.h"

#define LINE_INDENT 28 /* behind time and id */

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
        json_quote(out, s + i, length);
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

void show_heading(const char *words, struct text *out)
{
    struct text time CLEANUP(text_free) = TEXT_INIT;
    text_add(&time, "TIME (");
    time_write_zone(&time);
    text_add(&time, ")");
    text_addf(out, "%-19s %7s %s\n", time.s, "ID", words);
}

static void add_line(const struct event *event, const struct description *description, bool terminal, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT, marked CLEANUP(text_free) = TEXT_INIT;
    struct log_mark mark = event_write_line(event, description, &line);
    bool colours = log_has_colours(STDOUT_FILENO) && !line.failed;
    time_write(out, event->time_us);
    text_addf(out, " %7llu ", (unsigned long long) event->id);
    if (colours)
        log_add_marked(&marked, mark, line.s);
    wrap_write(out, colours ? marked.s : line.s, LINE_INDENT, terminal ? wrap_width() : 0);
    out->failed |= line.failed || marked.failed;
}

void show_event(const struct event *event, const struct description *description, bool json, bool terminal,
                struct text *out)
{
    if (!json) {
        add_line(event, description, terminal, out);
        return;
    }
    add_json(event, description, terminal, out);
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
