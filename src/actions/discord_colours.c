/* discord_colours.c - titles and colours that depend on what the event says. */
#include <string.h>
#include <strings.h>

#include "discord.h"

#define EMERGENCY "/call/isEmergency /call/emergency /isEmergency /emergency"

/* The first kinds of EVENT_DISPATCH; a number, its text, or a name. */
enum legacy_kind { LEGACY_NEW, LEGACY_EDIT, LEGACY_CLOSE, LEGACY_NOTE, LEGACY_SELF_CLEAR, LEGACY_N };

static int64_t legacy_kind(const struct event *event)
{
    static const char *const names[] = { "CALL_NEW", "CALL_EDIT", "CALL_CLOSE", "CALL_NOTE", "CALL_SELF_CLEAR" };
    const char *name = cJSON_GetStringValue(embed_find(event, "/dispatch_type"));
    for (size_t i = 0; name && i < ARRAY_SIZE(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return (int64_t) i;
    int64_t kind = embed_find_number(event, "/dispatch_type", LEGACY_EDIT);
    return kind >= 0 && kind < LEGACY_N ? kind : LEGACY_EDIT;
}

const char *title_of_911(const struct event *event)
{
    return embed_find_flag(event, EMERGENCY) == 0 ? "Civil call #" : "911 call #";
}

const char *title_of_panic(const struct event *event)
{
    int on = embed_find_flag(event, "/isPanic");
    return on == 1 ? "PANIC" : on == 0 ? "Panic ended" : "Panic button";
}

const char *title_of_bodycam(const struct event *event)
{
    return embed_find_flag(event, "/state") == 1 ? "Body camera on" : "Body camera off";
}

const char *title_of_legacy(const struct event *event)
{
    static const char *const titles[] = { "New call #", "Call # edited", "Call # closed", "Note on call #",
                                          "Units left call #" };
    return titles[legacy_kind(event)];
}

const char *title_of_unknown(const struct event *event)
{
    return event->type;
}

int colour_of_911(const struct event *event)
{
    return embed_find_flag(event, EMERGENCY) == 0 ? COLOUR_BLUE : COLOUR_RED;
}

int colour_of_priority(const struct event *event)
{
    static const int colours[] = { COLOUR_GREEN, COLOUR_RED, COLOUR_ORANGE, COLOUR_YELLOW };
    enum { CLOSED = 2 };
    int64_t priority = embed_find_number(event, "/dispatch/priority", -1);
    if (embed_find_number(event, "/dispatch/status", -1) == CLOSED)
        return COLOUR_GREY;
    if (priority < 0)
        return COLOUR_BLUE;
    return priority < (int64_t) ARRAY_SIZE(colours) ? colours[priority] : COLOUR_GREEN;
}

int colour_of_legacy(const struct event *event)
{
    int64_t kind = legacy_kind(event);
    return kind == LEGACY_CLOSE || kind == LEGACY_SELF_CLEAR ? COLOUR_GREY : colour_of_priority(event);
}

int colour_of_status(const struct event *event)
{
    static const int colours[] = { COLOUR_GREY, COLOUR_ORANGE, COLOUR_GREEN, COLOUR_BLUE, COLOUR_PURPLE };
    int64_t status = embed_find_number(event, "/units/0/status /units/status /unit/status /status", -1);
    if (embed_find_flag(event, "/units/0/isPanic /units/isPanic /unit/isPanic") == 1)
        return COLOUR_RED;
    return status >= 0 && status < (int64_t) ARRAY_SIZE(colours) ? colours[status] : COLOUR_TEAL;
}

int colour_of_panic(const struct event *event)
{
    int on = embed_find_flag(event, "/isPanic");
    return on == 1 ? COLOUR_RED : on == 0 ? COLOUR_GREEN : COLOUR_GREY;
}

int colour_of_record(const struct event *event)
{
    enum { WARRANT = 2, BOLO = 3 };
    int64_t type = embed_find_number(event, "/record/type", -1);
    return type == WARRANT ? COLOUR_RED : type == BOLO ? COLOUR_ORANGE : COLOUR_BLUE;
}

int colour_of_pager(const struct event *event)
{
    const char *nature = cJSON_GetStringValue(embed_find(event, "/nature"));
    return nature && strcasecmp(nature, "Emergency") == 0 ? COLOUR_RED : COLOUR_YELLOW;
}

int colour_of_bodycam(const struct event *event)
{
    return embed_find_flag(event, "/state") == 1 ? COLOUR_GREEN : COLOUR_GREY;
}
