/* discord_said.c - what an embed takes from the line of the event: whether there is a panic, and its
 * text, without the words that the title has. Source: lines.md, rows 9, 38. */
#include <string.h>
#include <syslog.h>

#include "discord.h"

static const struct alarm alarms[] = {
    { "PANIC", "PANIC", COLOUR_RED },
    { "panic ended", "Panic ended", COLOUR_GREEN },
    { "panic button", "Panic button", COLOUR_RED },
};

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

const char *discord_title_of_911(const struct action_record *record)
{
    static const char *const titles[2][3] = { { "911 call #", "911 call # changed", "911 call # came again" },
                                              { "Civil call #", "Civil call # changed", "Civil call # came again" } };
    const cJSON *was = discord_was(record);
    const char *sentence = sentence_of(record);
    return titles[skip(sentence, "civil call ") > sentence][!was ? 0 : was->child ? 1 : 2];
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
