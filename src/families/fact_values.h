/* fact_values.h - inside src/families: how the rows of facts find their values.
 *
 * where: ways to fields, with dots between names and blanks between ways; the first that leads to a value is taken.
 * "a+b": both are. A list on a way is all of its elements, and so is one at its end where a fact has several values.
 * "^" in front: beside data, not in it.
 */
#pragma once

#include "fields.h"

typedef void fact_function(const struct fact *fact, const struct fact_asked *asked);

/* ---- fact_values.c ---- */

/* Calls take for each thing the ways lead to, until a way leads to something that take takes (returns true). */
typedef bool fact_taker(void *context, const cJSON *item);
bool fact_walk(const struct fact *fact, const struct event *event, fact_taker *take, void *context);

/* One value; none where text is empty, blank or a word for nothing. */
bool fact_give(const struct fact *fact, const struct fact_asked *asked, const char *text, const char *number);
bool fact_give_int(const struct fact *fact, const struct fact_asked *asked, int64_t number);
bool fact_give_flag(const struct fact *fact, const struct fact_asked *asked, bool on);

fact_function fact_text;   /* scalars */
fact_function fact_number; /* numbers, decimal texts */
fact_function fact_id;     /* the same but -1 */
fact_function fact_key;    /* texts and numbers, but -1 */
fact_function fact_flag;
fact_function fact_name; /* texts, and the name of objects */
fact_function fact_unit_status, fact_page, fact_origin, fact_call_status, fact_record_type;

/* ---- fact_units.c: where leads to units or their ids; to none: those of the row ---- */

fact_function fact_unit; /* "3-L-27 Mara Ellison", its id */
fact_function fact_unit_id, fact_unit_number, fact_unit_name, fact_unit_department, fact_unit_state;
fact_function fact_somebody; /* one unit; nobody where the id is -1 or 0 */
fact_function fact_call;     /* where leads to ids; others of the row are added */
fact_function fact_title;    /* where leads to titles; else those of known's calls */

#define UNIT_FACTS(ways)                                                                                               \
    { "unit", "Unit", FACT_TEXT, FACT_BESIDE | FACT_SEVERAL, fact_unit, ways, NULL },                                  \
        { "unit.id", "Unit id", FACT_NUMBER, FACT_BESIDE | FACT_SEVERAL, fact_unit_id, ways, NULL },                   \
        { "unit.number", "Unit number", FACT_TEXT, FACT_BESIDE | FACT_SEVERAL, fact_unit_number, ways, NULL },         \
        { "unit.name", "Unit name", FACT_TEXT, FACT_BESIDE | FACT_SEVERAL, fact_unit_name, ways, NULL },               \
        { "unit.department", "Department", FACT_TEXT, FACT_BESIDE | FACT_SEVERAL, fact_unit_department, ways, NULL },  \
    {                                                                                                                  \
        "unit.status", "Unit status", FACT_WORD, FACT_BESIDE | FACT_SEVERAL, fact_unit_state, ways, words_unit_status  \
    }

#define CALL_FACTS(ids, titles)                                                                                        \
    { "call", "Call", FACT_NUMBER, FACT_BESIDE | FACT_SEVERAL, fact_call, ids, NULL },                                 \
    {                                                                                                                  \
        "title", "Call type", FACT_TEXT, FACT_BESIDE | FACT_SEVERAL, fact_title, titles, NULL                          \
    }

#define BY_FACT                                                                                                        \
    {                                                                                                                  \
        "by", "By", FACT_TEXT, FACT_BESIDE, fact_somebody, "eventOriginIdent", NULL                                    \
    }

#define FACT_LIST(name, rows) const struct fact_list name = { rows, ARRAY_SIZE(rows) }
