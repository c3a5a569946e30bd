/* discord_layouts.c - how each type of event looks: one row. What it means are its facts (facts.h). */
#include <string.h>

#include "discord.h"

#define SHADES(fact_name, list) .shade = fact_name, .shades = list, .n_shades = ARRAY_SIZE(list)

/* By number. */
static const int of_emergency[] = { COLOUR_BLUE, COLOUR_RED };
static const int of_priority[] = { COLOUR_GREEN, COLOUR_RED, COLOUR_ORANGE, COLOUR_YELLOW, COLOUR_GREEN };
static const int of_status[] = { COLOUR_GREY, COLOUR_ORANGE, COLOUR_GREEN, COLOUR_BLUE, COLOUR_PURPLE, COLOUR_TEAL };
static const int of_record[] = { COLOUR_BLUE, COLOUR_BLUE, COLOUR_RED, COLOUR_ORANGE, COLOUR_BLUE };
static const int of_bodycam[] = { COLOUR_GREY, COLOUR_GREEN };

#define CALL .id = "call", .name = "title"
#define ALL_OF_CALL CALL, .text = "description", .fields = true, .hides = "unit.department"
#define RECORD .id = "record", .name = "title", .fields = true, .hides = "subject plate officer sync_id"

static const struct layout layouts[] = {
    { "EVENT_911", .title_of = discord_title_of_911, .said = "came again", .id = "call911", .author = "caller",
      .text = "description", .colour = COLOUR_RED, SHADES("emergency", of_emergency), .fields = true,
      .hides = "emergency player" },
    { "EVENT_REMOVE_911", "911 call removed", .said = "removed", .colour = COLOUR_GREY },

    { "EVENT_DISPATCH_NEW", "New call #", ALL_OF_CALL, .colour = COLOUR_BLUE, SHADES("priority", of_priority) },
    { "EVENT_DISPATCH_EDIT", "Call # edited", ALL_OF_CALL, .said = "edited", .colour = COLOUR_BLUE,
      SHADES("priority", of_priority) },
    { "EVENT_DISPATCH_CLOSED", "Call closed", .said = "closed", .colour = COLOUR_GREY },
    { "EVENT_DISPATCH_NOTE", "Note on call #", CALL, .text = "note", .author = "author", .colour = COLOUR_BLUE,
      .fields = true, .hides = "note.kind unit unit.department" },
    { "EVENT_DISPATCH_UNIT_ATTACH", "Attached", .said = "attached to", .colour = COLOUR_BLUE },
    { "EVENT_DISPATCH_UNIT_DETACH", "Detached", .said = "detached from", .colour = COLOUR_GREY },
    { "EVENT_DISPATCH_TOGGLE_BODYCAM", "Body camera", .said = "body camera of", .colour = COLOUR_GREY,
      SHADES("bodycam", of_bodycam) },

    { "EVENT_UNIT_LOGIN", "On duty", .author = "unit", .said = "on duty", .colour = COLOUR_GREEN, .fields = true },
    { "EVENT_UNIT_LOGOUT", "Off duty", .said = "off duty", .colour = COLOUR_GREY },
    { "EVENT_UNIT_STATUS", "Unit status", .colour = COLOUR_TEAL, SHADES("status", of_status) },
    { "EVENT_UNIT_UPDATE", "Unit updated", .said = "updated", .colour = COLOUR_TEAL, SHADES("status", of_status) },
    { "EVENT_UNIT_PANIC", "Panic button", .colour = COLOUR_GREY },

    { "EVENT_UNIT_GROUP_ADD", "Group joined", .said = "joined group", .colour = COLOUR_TEAL },
    { "EVENT_UNIT_GROUP_REMOVE", "Group left", .said = "left group", .colour = COLOUR_GREY },
    { "EVENT_UNIT_GROUP_CHANGE_NAME", "Group renamed", .said = "group", .colour = COLOUR_TEAL },

    { "EVENT_RECORD_ADD", "Record # added", RECORD, .said = "added", .colour = COLOUR_BLUE, SHADES("kind", of_record) },
    { "EVENT_RECORD_EDIT", "Record # edited", RECORD, .said = "edited", .colour = COLOUR_BLUE,
      SHADES("kind", of_record) },
    { "EVENT_RECORD_REMOVE", "Record # removed", RECORD, .said = "removed", .colour = COLOUR_GREY },
    { "EVENT_PRINT_RECORD", "Record printed", .said = "prints", .colour = COLOUR_BLUE },

    { "EVENT_TONE", "Tone", .said = "tone", .colour = COLOUR_PURPLE },
    { "EVENT_STATION_ALERT", "Station alert", .text = "message", .said = "station alert for", .colour = COLOUR_RED,
      .fields = true },
    { "EVENT_PAGER_REBORN", "Page", .text = "message", .colour = COLOUR_YELLOW, .loud = COLOUR_RED, .fields = true,
      .hides = "unit.department" },
    { "EVENT_NEW_CALLOUT", "Call-out", .name = "title", .text = "description", .colour = COLOUR_ORANGE, .fields = true,
      .hides = "title" },

    { "EVENT_CHAR_SELECTED", "Character selected", .said = "selected", .colour = COLOUR_TEAL },
    { "EVENT_COMMUNITY_LINK_VERIFIED", "Account linked", .said = "linked", .colour = COLOUR_GREEN },
    { "EVENT_STREETSIGN_UPDATED", "Street sign", .said = "updated", .colour = COLOUR_YELLOW },
    { "GET_LOGS", "Support asks for logs", .said = "support asks for logs", .colour = COLOUR_GREY },
    { "EVENT_UNIT_CALL_CLEAR", "Cleared", .said = "cleared from", .colour = COLOUR_GREY },
};

/* What is new of a call that was known. */
static const struct layout opened_again = { .title = "Call # opened again",
                                            ALL_OF_CALL,
                                            .said = "opened again",
                                            .colour = COLOUR_BLUE,
                                            SHADES("priority", of_priority) };

/* EVENT_DISPATCH, by the number of its fact change. */
static const struct layout legacy_layouts[] = {
    { .title = "New call #", ALL_OF_CALL " change", .colour = COLOUR_BLUE, SHADES("priority", of_priority) },
    { .title = "Call # edited", ALL_OF_CALL " change", .colour = COLOUR_BLUE, SHADES("priority", of_priority) },
    { .title = "Call closed", .said = "closed", .colour = COLOUR_GREY },
    { .title = "Note on call #", CALL, .text = "note", .colour = COLOUR_BLUE },
    { .title = "Cleared", .said = "cleared from", .colour = COLOUR_GREY },
};

static const struct layout unknown = { .colour = COLOUR_GREY };

static const struct layout *find(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
        if (strcmp(layouts[i].type, type) == 0)
            return &layouts[i];
    return &unknown;
}

static const struct layout *find_legacy(const struct action_record *record)
{
    enum { EDIT = 1 };
    int64_t change = discord_fact_number(record, "change", EDIT);
    return &legacy_layouts[change >= 0 && change < (int64_t) ARRAY_SIZE(legacy_layouts) ? change : EDIT];
}

/* An edit of one that is closed may be about something else. */
static bool is_end(const struct action_record *record)
{
    enum { CLOSED = 2 };
    const cJSON *was = discord_was(record);
    return discord_fact_number(record, "status", -1) == CLOSED && (!was || cJSON_HasObjectItem(was, "status"));
}

const struct layout *discord_layout(const struct action_record *record)
{
    const char *type = record->event->handler ? record->event->type : "";
    if (strcmp(type, "EVENT_DISPATCH") == 0)
        return find_legacy(record);
    if (strcmp(type, "EVENT_DISPATCH_NEW") == 0 && discord_was(record))
        return &opened_again;
    if (strcmp(type, "EVENT_DISPATCH_EDIT") == 0 && is_end(record))
        return find("EVENT_DISPATCH_CLOSED");
    return find(type);
}
