/* facts_calls.c - what the events of 911 calls and dispatch calls mean. Source: events.md 2.2, 2.4, 4.1 to 4.9, 4.30.
 */
#include <stdlib.h>

#include "fact_values.h"

enum { BESIDE = FACT_BESIDE, SEVERAL = FACT_BESIDE | FACT_SEVERAL };

/* ---- 911 calls; before 2020-08 their fields stood in data itself, and metaData stands beside the call or in it ----
 */

#define OF_CALL(name) "call." name " " name
#define OF_META(name) "call.metaData." name " metaData." name

static bool was_civil(const cJSON *known, int64_t id)
{
    const cJSON *call;
    int64_t other;
    cJSON_ArrayForEach (call, field_get(known, "calls911"))
        if (field_get_id(call, "id", &other) && other == id)
            return field_get_flag(call, "emergency") == 0;
    return false;
}

/* As its line: a 911 call unless it says that it is none, or is silent and one that was told to be none. */
static void fact_emergency(const struct fact *fact, const struct fact_asked *asked)
{
    const cJSON *call = field_get(asked->event->data, "call");
    struct state_call911 told;
    bool read = field_read_call911(call ? call : asked->event->data, &told);
    bool emergency = told.emergency < 0 ? !(read && was_civil(asked->known, told.id)) : told.emergency;
    fact_give_flag(fact, asked, emergency);
}

/* "(-1042.3, 318.8)" */
static void fact_meta_position(const struct fact *fact, const struct fact_asked *asked)
{
    const cJSON *inner = field_get(field_get(asked->event->data, "call"), "metaData");
    char position[POSITION_MAX_BYTES];
    if (phrase_position_of(field_get(inner, "x") ? inner : field_get(asked->event->data, "metaData"), position))
        fact_give(fact, asked, position, NULL);
}

static const struct fact rows_911[] = {
    { "call911", "911 call", FACT_NUMBER, BESIDE, fact_id, OF_CALL("callId"), NULL },
    { "emergency", "Emergency", FACT_FLAG, BESIDE, fact_emergency, OF_CALL("isEmergency") " " OF_CALL("emergency"),
      NULL },
    { "caller", "Caller", FACT_TEXT, BESIDE, fact_text, OF_CALL("caller"), NULL },
    { "location", "Location", FACT_TEXT, BESIDE, fact_text, OF_CALL("location"), NULL },
    { "postal", "Postal", FACT_TEXT, BESIDE, fact_text, OF_META("postal"), NULL },
    { "block", "Block", FACT_TEXT, BESIDE, fact_text, OF_META("block"), NULL },
    { "position", "Position", FACT_TEXT, BESIDE, fact_meta_position, NULL, NULL },
    { "plate", "Plate", FACT_TEXT, BESIDE, fact_text, OF_META("plate"), NULL },
    { "phone", "Phone", FACT_TEXT, BESIDE, fact_text, OF_META("phone"), NULL },
    { "silent", "Silent alert", FACT_FLAG, BESIDE, fact_flag, OF_META("silentAlert"), NULL },
    { "priority", "Priority", FACT_NUMBER, BESIDE, fact_number, OF_META("priority"), NULL },
    { "code", "Code", FACT_TEXT, BESIDE, fact_text, OF_META("code"), NULL },
    { "player", "Player", FACT_TEXT, BESIDE, fact_text, OF_META("callerPlayerId"), NULL },
    { "player_id", "Player id", FACT_TEXT, SEVERAL, fact_text,
      "identities communityUserIds communityUserId apiIds call.metaData.callerCommunityUserId "
      "metaData.callerCommunityUserId call.metaData.callerApiId metaData.callerApiId",
      NULL },
    { "description", "Description", FACT_TEXT, 0, fact_text, OF_CALL("description"), NULL },
};
FACT_LIST(facts_911, rows_911);

static const struct fact rows_remove_911[] = {
    { "call911", "911 call", FACT_NUMBER, SEVERAL, fact_id, "callIds+callId", NULL },
    CALL_FACTS(NULL, NULL),
};
FACT_LIST(facts_remove_911, rows_remove_911);

/* ---- dispatch calls ---- */

struct fact_note {
    const struct fact *fact;
    const struct fact_asked *asked;
};

static bool take_note(void *context, const cJSON *note)
{
    struct fact_note *ret = context;
    const char *author, *kind, *text = field_read_note(note, &author, &kind);
    if (!text || !*text)
        return false;
    fact_give(ret->fact, ret->asked, text, NULL);
    return true;
}

static void fact_note(const struct fact *fact, const struct fact_asked *asked)
{
    struct fact_note note = { fact, asked };
    fact_walk(fact, asked->event, take_note, &note);
}

/* Of whole units at a call: told only where one is in panic. */
static bool take_panic(void *context, const cJSON *item)
{
    *(bool *) context |= scalar_flag(item) == 1;
    return true;
}

static void fact_any_panic(const struct fact *fact, const struct fact_asked *asked)
{
    bool panic = false;
    struct fact each = *fact;
    each.flags |= FACT_SEVERAL;
    fact_walk(&each, asked->event, take_panic, &panic);
    if (panic)
        fact_give_flag(fact, asked, true);
}

#define DISPATCH_FACTS                                                                                                 \
    CALL_FACTS("dispatch.callId", "dispatch.title"),                                                                   \
        { "code", "Code", FACT_TEXT, BESIDE, fact_text, "dispatch.code", NULL },                                       \
        { "priority", "Priority", FACT_NUMBER, BESIDE, fact_number, "dispatch.priority", NULL },                       \
        { "status", "Status", FACT_WORD, BESIDE, fact_call_status, "dispatch.status", words_call_status },             \
        { "location", "Address", FACT_TEXT, BESIDE, fact_text, "dispatch.address", NULL },                             \
        { "block", "Block", FACT_TEXT, BESIDE, fact_text, "dispatch.block", NULL },                                    \
        { "postal", "Postal", FACT_TEXT, BESIDE, fact_text, "dispatch.postal", NULL },                                 \
        { "origin", "Origin", FACT_WORD, BESIDE, fact_origin, "dispatch.origin", words_origin },                       \
        { "call911", "911 call", FACT_NUMBER,                                                                          \
          BESIDE,    fact_id,    "dispatch.metaData.origin911 dispatch.metaData.createdFromId",                        \
          NULL },                                                                                                      \
        BY_FACT, { "primary", "Primary unit", FACT_TEXT, BESIDE, fact_somebody, "dispatch.primary", NULL },            \
        UNIT_FACTS("dispatch.idents+dispatch.units"),                                                                  \
        { "panic", "Panic", FACT_FLAG, BESIDE, fact_any_panic, "dispatch.units.isPanic", NULL },                       \
        { "note", "Notes", FACT_TEXT, FACT_SEVERAL, fact_note, "dispatch.notes", NULL },                               \
    {                                                                                                                  \
        "description", "Description", FACT_TEXT, 0, fact_text, "dispatch.description", NULL                            \
    }

static const struct fact rows_dispatch[] = { DISPATCH_FACTS };
FACT_LIST(facts_dispatch, rows_dispatch);

static const struct fact rows_closed[] = {
    CALL_FACTS("callIds+callId", NULL),
    BY_FACT,
    UNIT_FACTS(NULL),
};
FACT_LIST(facts_closed, rows_closed);

static const struct fact rows_note[] = {
    CALL_FACTS("callId", NULL),
    { "note", "Note", FACT_TEXT, 0, fact_note, "note", NULL },
    { "author", "Author", FACT_TEXT, BESIDE, fact_text, "note.label", NULL },
    { "note.kind", "Kind", FACT_TEXT, BESIDE, fact_text, "note.type", NULL },
    { "note.time", "Time", FACT_TEXT, BESIDE, fact_text, "note.time", NULL },
    BY_FACT,
    UNIT_FACTS(NULL),
};
FACT_LIST(facts_note, rows_note);

static const struct fact rows_attach[] = {
    CALL_FACTS("callId", NULL),
    BY_FACT,
    UNIT_FACTS("idents+ident"),
};
FACT_LIST(facts_attach, rows_attach);

static const struct fact rows_bodycam[] = {
    { "bodycam", "Body camera", FACT_FLAG, BESIDE, fact_flag, "state", NULL },
    UNIT_FACTS("ident"),
};
FACT_LIST(facts_bodycam, rows_bodycam);

/* ---- until 2021 ---- */

static void fact_change(const struct fact *fact, const struct fact_asked *asked)
{
    static const char *const words[] = { "opened", "edited", "closed", "note", "cleared" };
    int32_t kind = legacy_kind(asked->event);
    char digits[16];
    if (kind < 0 || kind >= (int32_t) ARRAY_SIZE(words))
        return;
    snprintf(digits, sizeof(digits), "%d", kind);
    fact_give(fact, asked, words[kind], digits);
}

static const struct fact rows_legacy_dispatch[] = {
    { "change", "Change", FACT_WORD, BESIDE, fact_change, NULL, NULL },
    DISPATCH_FACTS,
};
FACT_LIST(facts_legacy_dispatch, rows_legacy_dispatch);

static const struct fact rows_call_clear[] = {
    UNIT_FACTS("units"),
    { "panic", "Panic", FACT_FLAG, BESIDE, fact_any_panic, "units.isPanic", NULL },
    CALL_FACTS(NULL, NULL),
};
FACT_LIST(facts_call_clear, rows_call_clear);
