/* mark.c - a line as people see it: of which node it is, and which of its words are in colour on a terminal. */
#include <string.h>
#include <syslog.h>

#include <sonoran-pushd/event.h>

#define WORDS_MAX 3 /* "911 call 90417" */
#define WORDS_OTHERWISE 2

/* "county: " */
static size_t name_size(const struct event *event, const char *line)
{
    size_t name = strlen(event->community);
    return strncmp(line, event->community, name) == 0 && strncmp(line + name, ": ", 2) == 0 ? name + 2 : 0;
}

/* Behind the name of the community and "test: ". */
static size_t prefix_size(const struct event *event, const char *line)
{
    size_t size = name_size(event, line);
    return strncmp(line + size, "test: ", strlen("test: ")) == 0 ? size + strlen("test: ") : size;
}

static bool begins(const char *line, const char *words)
{
    return strncmp(line, words, strlen(words)) == 0;
}

static bool has_number(const char *word, size_t size)
{
    bool digit = strcspn(word, "0123456789") < size;
    return digit && !(size == 3 && memcmp(word, "911", 3) == 0);
}

/* Up to the first number or name with one: "call 55120", "3-L-27", "station alert". */
static size_t words_size(const char *line)
{
    size_t at = 0, otherwise = 0;
    for (size_t i = 1; i <= WORDS_MAX; i++) {
        size_t size = strcspn(line + at, " ,:;");
        if (has_number(line + at, size))
            return at + size;
        at += size;
        if (i <= WORDS_OTHERWISE)
            otherwise = at;
        if (line[at] != ' ')
            break;
        at++;
    }
    return otherwise;
}

static const char *colour_of(const struct event *event, const struct description *description, const char *line)
{
    if (event_verdict_is_refusal(event->verdict))
        return "33";
    if (description->level <= LOG_WARNING)
        return "1;31";
    if (begins(line, "panic ended"))
        return "32";
    return event->family ? event->family->colour : "37";
}

struct log_mark event_mark(const struct event *event, const struct description *description)
{
    struct log_mark mark = { .start = prefix_size(event, description->line.s) };
    const char *line = description->line.s + mark.start;
    bool panic = begins(line, "PANIC") || begins(line, "TEST PANIC") || begins(line, "panic ended");
    mark.colour = colour_of(event, description, line);
    mark.size = panic ? strcspn(line, ":") : words_size(line);
    return mark;
}

struct log_mark event_write_line(const struct event *event, const struct description *description, struct text *out)
{
    struct log_mark mark = event_mark(event, description);
    const char *line = description->line.s;
    size_t name = event->home.node ? name_size(event, line) : 0, before = out->size;
    if (event->home.node)
        text_addf(out, "%s: ", event->realm);
    mark.start += out->size - before - name;
    text_add(out, line + name);
    return mark;
}
