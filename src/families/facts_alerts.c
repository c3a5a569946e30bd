/* facts_alerts.c - what tones, station alerts, pages and call-outs mean. Source: events.md 4.22, 4.25 to 4.27. */
#include "fact_values.h"

enum { BESIDE = FACT_BESIDE, SEVERAL = FACT_BESIDE | FACT_SEVERAL };

/* ---- tone ---- */

enum { TARGET_ALL = 0, TARGET_CALL = 1, TARGET_UNIT = 5 };

struct request {
    const struct fact *fact;
    const struct fact_asked *asked;
    int32_t type;
};

static bool take_target(void *context, const cJSON *target)
{
    static const char *const kinds[] = { "all active units", "call ", "agency ", "department ",
                                         "subdivision ",     "unit ", "group " };
    const struct request *request = context;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    int32_t type = field_get_number(target, "type");
    const char *value = field_get_text(target, "value"), *label = field_get_text(target, "label");
    bool named = cJSON_IsString(field_get(target, "value")) && *value && type != TARGET_UNIT;
    bool labelled = label && *label && type != TARGET_CALL && !named;

    value = labelled ? label : value;
    if (type != TARGET_ALL && !value)
        text_add(&text, "unnamed ");
    text_add(&text, type >= 0 && type < (int32_t) ARRAY_SIZE(kinds) ? kinds[type] : "target ");
    if (type != TARGET_ALL && value)
        text_add(&text, value);
    else if (type != TARGET_ALL)
        text.s[--text.size] = '\0'; /* the blank */
    return fact_give(request->fact, request->asked, text.s, NULL);
}

static void fact_target(const struct fact *fact, const struct fact_asked *asked)
{
    struct request request = { fact, asked, TARGET_ALL };
    fact_walk(fact, asked->event, take_target, &request);
}

static bool take_target_id(void *context, const cJSON *target)
{
    const struct request *request = context;
    int64_t id;
    if (field_get_number(target, "type") != request->type || !field_get_id(target, "value", &id))
        return false;
    return (request->type != TARGET_UNIT || id != 0) && fact_give_int(request->fact, request->asked, id);
}

static void fact_target_call(const struct fact *fact, const struct fact_asked *asked)
{
    struct request request = { fact, asked, TARGET_CALL };
    fact_walk(fact, asked->event, take_target_id, &request);
}

static void fact_target_unit(const struct fact *fact, const struct fact_asked *asked)
{
    struct request request = { fact, asked, TARGET_UNIT };
    fact_walk(fact, asked->event, take_target_id, &request);
}

/* "medic-1.mp3" of its URL. */
static void fact_file(const struct fact *fact, const struct fact_asked *asked)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    struct span file = phrase_file_of(field_get_text(asked->event->data, "url"));
    text_add_bytes(&name, file.s, file.size);
    fact_give(fact, asked, name.s, NULL);
}

static const struct fact rows_tone[] = {
    { "file", "Tone", FACT_TEXT, BESIDE, fact_file, NULL, NULL },
    { "target", "For", FACT_TEXT, FACT_SEVERAL, fact_target, "playTonesTo", NULL },
    { "call", "Call", FACT_NUMBER, SEVERAL, fact_target_call, "playTonesTo", NULL },
    { "unit.id", "Unit id", FACT_NUMBER, SEVERAL, fact_target_unit, "playTonesTo", NULL },
    { "url", "Sound", FACT_TEXT, 0, fact_text, "url", NULL },
};
FACT_LIST(facts_tone, rows_tone);

/* ---- station alert ---- */

static void fact_message(const struct fact *fact, const struct fact_asked *asked)
{
    const char *message = field_get_text(asked->event->data, "message");
    fact_give(fact, asked, message && alert_is_recorded_sound(message) ? "recorded message" : message, NULL);
}

static const struct fact rows_station[] = {
    { "station", "Stations", FACT_TEXT, FACT_SEVERAL, fact_name, "locations", NULL },
    { "message", "Message", FACT_TEXT, 0, fact_message, NULL, NULL },
    { "tone", "Tone", FACT_TEXT, BESIDE, fact_text, "tone", NULL },
    { "light", "Lights", FACT_TEXT, SEVERAL, fact_text, "colors color", NULL },
    { "open", "Doors to open", FACT_TEXT, SEVERAL, fact_text, "locations.open", NULL },
    { "close", "Doors to close", FACT_TEXT, SEVERAL, fact_text, "locations.close", NULL },
};
FACT_LIST(facts_station, rows_station);

/* ---- pager ---- */

static const struct fact rows_pager[] = {
    { "nature", "Nature", FACT_TEXT, BESIDE, fact_text, "nature", NULL },
    { "pager", "Pagers", FACT_TEXT, SEVERAL, fact_text, "addresses", NULL },
    UNIT_FACTS("identIds+identId"),
    { "player", "Players", FACT_TEXT, SEVERAL, fact_text, "players", NULL },
    { "message", "Message", FACT_TEXT, 0, fact_text, "body", NULL },
};
FACT_LIST(facts_pager, rows_pager);

/* ---- call-out: the code's form has its fields in data, in capitals, the documentation's in the call-out ---- */

#define OF_CALLOUT(small, capital) "callout.data." capital " callout.data." small " callout." small

static bool take_position(void *context, const cJSON *place)
{
    const struct request *request = context;
    char position[POSITION_MAX_BYTES];
    return phrase_position_of(place, position) && fact_give(request->fact, request->asked, position, NULL);
}

static void fact_position(const struct fact *fact, const struct fact_asked *asked)
{
    struct request request = { fact, asked, 0 };
    fact_walk(fact, asked->event, take_position, &request);
}

/* As the line: in the script's own words, else what is marked. */
static void fact_needs(const struct fact *fact, const struct fact_asked *asked)
{
    const cJSON *callout = field_get(asked->event->data, "callout"), *item, *needed = alert_needed_of(callout);
    const char *description = alert_needed_words(needed);
    if (description) {
        fact_give(fact, asked, description, NULL);
        return;
    }
    cJSON_ArrayForEach (item, needed) {
        struct text name CLEANUP(text_free) = TEXT_INIT;
        if (alert_is_needed(item, &name))
            fact_give(fact, asked, name.s, NULL);
    }
}

static const struct fact rows_callout[] = {
    { "title", "Call-out", FACT_TEXT, BESIDE, fact_text, OF_CALLOUT("calloutName", "CalloutName") " callout.id", NULL },
    { "position", "Position", FACT_TEXT, SEVERAL, fact_position, OF_CALLOUT("calloutLocations", "CalloutLocations"),
      NULL },
    { "needs", "Units required", FACT_TEXT, SEVERAL, fact_needs, NULL, NULL },
    { "weapon", "Weapons", FACT_TEXT, SEVERAL, fact_text, OF_CALLOUT("pedWeaponData", "PedWeaponData"), NULL },
    { "may_flee", "May flee (%)", FACT_NUMBER, BESIDE, fact_number,
      OF_CALLOUT("pedChanceToFleeFromPlayer", "PedChanceToFleeFromPlayer"), NULL },
    { "may_attack", "May attack (%)", FACT_NUMBER, BESIDE, fact_number,
      OF_CALLOUT("pedChanceToAttackPlayer", "PedChanceToAttackPlayer"), NULL },
    { "may_surrender", "May surrender (%)", FACT_NUMBER, BESIDE, fact_number,
      OF_CALLOUT("pedChanceToSurrender", "PedChanceToSurrender"), NULL },
    { "suspects", "By default", FACT_TEXT, BESIDE, fact_text,
      OF_CALLOUT("pedActionOnNoActionFound", "PedActionOnNoActionFound"), NULL },
    { "description", "Description", FACT_TEXT, FACT_SEVERAL, fact_text,
      OF_CALLOUT("calloutDescriptions", "CalloutDescriptions"), NULL },
};
FACT_LIST(facts_callout, rows_callout);
