/* facts_units.c - what the events of units and their groups mean. Source: events.md 2.1, 4.10 to 4.17. */
#include "fact_values.h"

enum { BESIDE = FACT_BESIDE, SEVERAL = FACT_BESIDE | FACT_SEVERAL };

/* ---- on and off duty ---- */

#define OF_UNIT(name) "unit." name " units." name

static const struct fact rows_login[] = {
    UNIT_FACTS("unit units id"),
    { "status", "Status", FACT_WORD, SEVERAL, fact_unit_status, OF_UNIT("status"), words_unit_status },
    { "panic", "Panic", FACT_FLAG, SEVERAL, fact_flag, OF_UNIT("isPanic"), NULL },
    { "unit.page", "Page", FACT_WORD, SEVERAL, fact_page, OF_UNIT("data.page"), words_page },
    { "dispatcher", "Dispatcher", FACT_FLAG, SEVERAL, fact_flag, "isDispatch " OF_UNIT("isDispatch"), NULL },
    { "self_dispatch", "Self-dispatch", FACT_FLAG, BESIDE, fact_flag, "selfDispatch", NULL },
    { "unit.subdivision", "Subdivision", FACT_TEXT, SEVERAL, fact_text, OF_UNIT("data.subdivision"), NULL },
    { "unit.rank", "Rank", FACT_TEXT, SEVERAL, fact_text, OF_UNIT("data.rank"), NULL },
    { "unit.district", "District", FACT_TEXT, SEVERAL, fact_text, OF_UNIT("data.district"), NULL },
    { "location", "Location", FACT_TEXT, SEVERAL, fact_text, OF_UNIT("location"), NULL },
    { "area", "Area", FACT_TEXT, SEVERAL, fact_text, OF_UNIT("aop"), NULL },
    { "group", "Group", FACT_TEXT, SEVERAL, fact_text, OF_UNIT("data.group"), NULL },
};
FACT_LIST(facts_login, rows_login);

static const struct fact rows_logout[] = {
    UNIT_FACTS("identId+identIds+units"),
    CALL_FACTS(NULL, NULL),
};
FACT_LIST(facts_logout, rows_logout);

/* ---- status, update, panic ---- */

/* A unit's own status wins over one for all; bare ids have only that. */
static bool needs_common(const struct event *event)
{
    static const char *const ids[] = { "identIds", "idents", "identId", "ident" };
    const cJSON *units = field_get(event->data, "units");
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        if (field_get(event->data, ids[i]))
            return true;
    for (const cJSON *unit = field_first_of(units); unit; unit = field_next_of(units, unit))
        if (!field_get(unit, "status"))
            return true;
    return false;
}

static void fact_any_status(const struct fact *fact, const struct fact_asked *asked)
{
    struct fact common = *fact, own = *fact;
    own.where = "units.status";
    common.where = "status";
    fact_unit_status(&own, asked);
    if (needs_common(asked->event))
        fact_unit_status(&common, asked);
}

#define UPDATE_FACTS                                                                                                   \
    { "panic", "Panic", FACT_FLAG, SEVERAL, fact_flag, "units.isPanic", NULL },                                        \
        { "dispatcher", "Dispatcher", FACT_FLAG, SEVERAL, fact_flag, "units.isDispatch", NULL },                       \
        { "unit.page", "Page", FACT_WORD, SEVERAL, fact_page, "units.data.page", words_page },                         \
        { "location", "Location", FACT_TEXT, SEVERAL, fact_text, "units.location", NULL },                             \
        { "area", "Area", FACT_TEXT, SEVERAL, fact_text, "units.aop", NULL },                                          \
        { "group", "Group", FACT_TEXT, SEVERAL, fact_text, "units.data.group", NULL }, CALL_FACTS(NULL, NULL)

static const struct fact rows_status[] = {
    UNIT_FACTS("units+identIds+idents+identId+ident"),
    { "status", "Status", FACT_WORD, SEVERAL, fact_any_status, NULL, words_unit_status },
    UPDATE_FACTS,
};
FACT_LIST(facts_status, rows_status);

static const struct fact rows_update[] = {
    UNIT_FACTS("units"),
    { "status", "Status", FACT_WORD, SEVERAL, fact_unit_status, "units.status", words_unit_status },
    UPDATE_FACTS,
};
FACT_LIST(facts_update, rows_update);

static const struct fact rows_panic[] = {
    { "panic", "Panic", FACT_FLAG, BESIDE, fact_flag, "isPanic", NULL },
    UNIT_FACTS("identIds+identId"),
    CALL_FACTS(NULL, NULL),
};
FACT_LIST(facts_panic, rows_panic);

/* ---- groups ---- */

#define OF_GROUP "identIds+identId ^identIds+^identId"

static const struct fact rows_group[] = {
    { "group", "Group", FACT_TEXT, BESIDE, fact_text, "groupName", NULL },
    UNIT_FACTS(OF_GROUP),
};
FACT_LIST(facts_group, rows_group);

static const struct fact rows_group_name[] = {
    { "group", "New name", FACT_TEXT, BESIDE, fact_text, "newName", NULL },
    { "old_group", "Old name", FACT_TEXT, BESIDE, fact_text, "oldName", NULL },
    UNIT_FACTS(OF_GROUP),
};
FACT_LIST(facts_group_name, rows_group_name);
