/* discord_layouts.c - how each type of event looks: one row. What it means are its facts (facts.h); whether there is a
 * panic, and the text without the words that the title has, are taken from its line. Source: lines.md, rows 9, 38. */
#include <string.h>
#include <syslog.h>

#include "discord.h"

/* ---- the line ---- */

static const char *skip(const char *s, const char *start)
{
    size_t size = strlen(start);
    return strncmp(s, start, size) == 0 ? s + size : s;
}

/* The line behind "county: " and "test: ", of which footer and title tell. */
static const char *sentence_of(const struct action_record *record)
{
    const char *line = record->description->line.s, *behind = skip(line, record->event->community);
    if (behind > line && strncmp(behind, ": ", 2) == 0)
        line = behind + 2;
    return record->event->test ? skip(skip(line, "test: "), "TEST ") : line;
}

static const char *title_of_911(const struct action_record *record)
{
    static const char *const titles[2][3] = { { "911 call #", "911 call # changed", "911 call # came again" },
                                              { "Civil call #", "Civil call # changed", "Civil call # came again" } };
    const cJSON *was = discord_was(record);
    const char *sentence = sentence_of(record);
    return titles[skip(sentence, "civil call ") > sentence][!was ? 0 : was->child ? 1 : 2];
}

/* ---- the table ---- */

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
    { "EVENT_911", .title_of = title_of_911, .said = "came again", .id = "call911", .author = "caller",
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

/* EVENT_DISPATCH looks as the type of its own for the number of its fact change. */
static const char *const legacy_types[] = { "EVENT_DISPATCH_NEW", "EVENT_DISPATCH_EDIT", "EVENT_DISPATCH_CLOSED", NULL,
                                            "EVENT_UNIT_CALL_CLEAR" };
static const struct layout legacy_note = { .title = "Note on call #", CALL, .text = "note", .colour = COLOUR_BLUE };

static const struct layout unknown = { .colour = COLOUR_GREY };

static const struct layout *find(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
        if (strcmp(layouts[i].type, type) == 0)
            return &layouts[i];
    return &unknown;
}

/* An edit of one that is closed may be about something else. */
static bool is_end(const struct action_record *record)
{
    enum { CLOSED = 2 };
    const cJSON *was = discord_was(record);
    return discord_fact_number(record, "status", -1) == CLOSED && (!was || json_get(was, "status"));
}

static const struct layout *find_legacy(const struct action_record *record)
{
    enum { EDIT = 1 };
    int64_t change = discord_fact_number(record, "change", EDIT);
    const char *type = legacy_types[change >= 0 && change < (int64_t) ARRAY_SIZE(legacy_types) ? change : EDIT];
    return type ? find(type) : &legacy_note;
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

/* ---- panic ---- */

static const struct alarm alarms[] = {
    { "PANIC", "PANIC", COLOUR_RED },
    { "panic ended", "Panic ended", COLOUR_GREEN },
    { "panic button", "Panic button", COLOUR_RED },
};

/* A panic may come in any event about a unit. Its level tells it from a unit that is called so. */
const struct alarm *discord_alarm(const struct action_record *record)
{
    bool may_be = record->description->level <= LOG_NOTICE || strcmp(record->event->type, "EVENT_UNIT_PANIC") == 0;
    const char *sentence = sentence_of(record);
    for (size_t i = 0; may_be && i < ARRAY_SIZE(alarms); i++) {
        const char *behind = skip(sentence, alarms[i].said);
        if (behind > sentence && strchr(": ,", *behind))
            return &alarms[i];
    }
    return NULL;
}

int discord_colour(const struct action_record *record, const struct layout *layout)
{
    const struct alarm *alarm = discord_alarm(record);
    int64_t shade = layout->shade ? discord_fact_number(record, layout->shade, -1) : -1;
    if (alarm)
        return alarm->colour;
    if (record->description->level <= LOG_WARNING)
        return COLOUR_RED;
    if (layout->loud && record->description->level <= LOG_NOTICE)
        return layout->loud;
    if (shade < 0)
        return layout->colour;
    return layout->shades[shade < (int64_t) layout->n_shades ? shade : (int64_t) layout->n_shades - 1];
}

/* ---- words that the title has ---- */

/* What players wrote stands behind the first ": ", and is not ours to read. */
static const char *end_of_ours(const char *s)
{
    const char *colon = strstr(s, ": ");
    return colon ? colon : s + strlen(s);
}

static const char *find_words(const char *s, const char *end, const char *words)
{
    size_t size = strlen(words);
    for (const char *p = s; (p = strstr(p, words)) && p < end; p++)
        if ((p == s || p[-1] == ' ') && strchr(" ,;:", p[size]))
            return p;
    return NULL;
}

/* The words of the line that the title has; NULL: none. */
static const char *said_by_title(const struct action_record *record, const struct layout *layout)
{
    const struct alarm *alarm = discord_alarm(record);
    return alarm ? alarm->said : record->event->handler ? layout->said : record->event->type;
}

static size_t again_size(const char *s)
{
    static const char again[] = " again";
    return strncmp(s, again, strlen(again)) == 0 && strchr(" ,;:", s[strlen(again)]) ? strlen(again) : 0;
}

bool discord_is_again(const struct action_record *record, const struct layout *layout)
{
    const char *words = said_by_title(record, layout), *s = sentence_of(record);
    const char *p = words ? find_words(s, end_of_ours(s), words) : NULL;
    return p && again_size(p + strlen(words));
}

/* "X updated, busy": "X, busy". "X off duty after 1 h": "X, after 1 h". "PANIC again: X": "X". */
static void add_without(struct text *out, const char *s, const char *words)
{
    const char *end = end_of_ours(s);
    for (const char *p; (p = find_words(s, end, words));) {
        text_add_bytes(out, s, (size_t) (p - s) - (p > s));
        s = p + strlen(words);
        s += again_size(s);
        if (!out->size)
            s += strspn(s, ":, ");
        else if (*s == ' ')
            text_add(out, ",");
    }
    text_add(out, s);
}

void discord_add_sentence(const struct action_record *record, const struct layout *layout, struct text *out)
{
    const char *words = said_by_title(record, layout);
    struct text text CLEANUP(text_free) = TEXT_INIT;
    if (words)
        add_without(&text, sentence_of(record), words);
    else
        text_add(&text, sentence_of(record));
    text_add_unescaped(out, text.s, text.size);
    out->failed |= text.failed;
}
