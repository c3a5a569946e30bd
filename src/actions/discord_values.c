/* discord_values.c - what the fields of an embed show. Texts go out raw: the embed makes them safe.
 * Source: events.md sections 2 and 3 for variants. No type is trusted; what is of no use shows as nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "discord.h"

#define LIST_MAX 20 /* elements of a list that are shown */
#define NOTES_MAX 5 /* of a call, the last ones */
#define POINTER_MAX_BYTES 64

const cJSON *json_member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
    return item && !cJSON_IsNull(item) ? item : NULL;
}

static bool is_empty(const cJSON *item)
{
    if (!item || cJSON_IsNull(item))
        return true;
    if (cJSON_IsString(item))
        return discord_is_blank(item->valuestring, strlen(item->valuestring));
    return (cJSON_IsArray(item) || cJSON_IsObject(item)) && !item->child;
}

const cJSON *embed_find(const struct event *event, const char *where)
{
    while (where && *where) {
        char pointer[POINTER_MAX_BYTES];
        size_t size = strcspn(where, " ");
        snprintf(pointer, sizeof(pointer), "%.*s", (int) size, where);
        const cJSON *found = pointer_find(event, pointer);
        if (!is_empty(found))
            return found;
        where += size + strspn(where + size, " ");
    }
    return NULL;
}

static int64_t number_of(const cJSON *item, int64_t missing)
{
    if (!item)
        return missing;
    if (cJSON_IsString(item)) {
        char *end;
        long long number = strtoll(item->valuestring, &end, 10);
        return end != item->valuestring && !*end ? number : missing;
    }
    if (!cJSON_IsNumber(item) || fabs(item->valuedouble) > 9007199254740992.0 ||
        floor(item->valuedouble) != item->valuedouble)
        return missing;
    return (int64_t) item->valuedouble;
}

int64_t embed_find_number(const struct event *event, const char *where, int64_t missing)
{
    return number_of(embed_find(event, where), missing);
}

static int flag_of(const cJSON *item)
{
    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item);
    if (cJSON_IsString(item) && strcasecmp(item->valuestring, "true") == 0)
        return 1;
    if (cJSON_IsString(item) && strcasecmp(item->valuestring, "false") == 0)
        return 0;
    int64_t number = number_of(item, -1);
    return number == 0 || number == 1 ? (int) number : -1;
}

int embed_find_flag(const struct event *event, const char *where)
{
    return flag_of(embed_find(event, where));
}

static void add_scalar(struct text *out, const char *before, const cJSON *item, const char *after)
{
    if (is_empty(item) || cJSON_IsArray(item) || cJSON_IsObject(item))
        return;
    text_add(out, before);
    pointer_add_value(out, item);
    text_add(out, after);
}

void show_plain(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    add_scalar(out, "", value, "");
}

/* ---- lists; a thing alone is a list of one ---- */

typedef void element_function(const struct action_record *record, const cJSON *element, struct text *out);

/* The separator and the element, or neither where there is nothing to say. */
static bool add_element(const struct action_record *record, struct text *out, const char *separator,
                        element_function *add, const cJSON *item)
{
    size_t start = out->size;
    text_add(out, separator);
    size_t before = out->size;
    add(record, item, out);
    if (out->size > before)
        return true;
    out->size = start;
    if (out->room)
        out->s[start] = '\0';
    return false;
}

static void add_elements(const struct action_record *record, const cJSON *list, element_function *add,
                         const char *separator, struct text *out)
{
    size_t shown = 0, more = 0;
    for (const cJSON *item = cJSON_IsArray(list) ? list->child : list; item;
         item = cJSON_IsArray(list) ? item->next : NULL) {
        if (is_empty(item))
            continue;
        if (shown == LIST_MAX) {
            more++;
            continue;
        }
        shown += add_element(record, out, shown ? separator : "", add, item);
    }
    if (more)
        text_addf(out, " and %zu more", more);
}

static void add_name(const struct action_record *record, const cJSON *item, struct text *out)
{
    (void) record;
    add_scalar(out, "", cJSON_IsObject(item) ? json_member(item, "name") : item, "");
}

void show_list(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    add_elements(record, value, add_name, ", ", out);
}

/* "3-L-27 Mara Ellison": of the event where that has the unit itself, else what the daemon knows of the id. */
static void add_unit(const struct action_record *record, const cJSON *item, struct text *out)
{
    const cJSON *data = json_member(item, "data"), *id = cJSON_IsObject(item) ? json_member(item, "id") : item;
    size_t before = out->size;
    add_scalar(out, "", json_member(data, "unitNum"), "");
    add_scalar(out, out->size > before ? " " : "", json_member(data, "name"), "");
    if (out->size > before)
        return;
    int64_t number = number_of(id, INT64_MIN);
    if (record->state && number != INT64_MIN)
        state_name_unit(record->state, record->event->community, number, out);
    else
        add_scalar(out, "unit ", id, "");
}

void show_units(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    add_elements(record, value, add_unit, ", ", out);
}

static void add_id(const struct action_record *record, const cJSON *item, struct text *out)
{
    (void) record;
    add_scalar(out, "", cJSON_IsObject(item) ? json_member(item, "id") : item, "");
}

void show_ids(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    add_elements(record, value, add_id, ", ", out);
}

/* For the author: only a unit that the event names. */
void show_unit_name(const struct action_record *record, const cJSON *value, struct text *out)
{
    const cJSON *unit = cJSON_IsArray(value) && cJSON_GetArraySize(value) == 1 ? value->child : value;
    const cJSON *data = json_member(unit, "data");
    (void) record;
    if (is_empty(json_member(data, "unitNum")) && is_empty(json_member(data, "name")))
        return;
    add_unit(record, unit, out);
}

void show_primary(const struct action_record *record, const cJSON *value, struct text *out)
{
    enum { NONE = -1 };
    if (number_of(value, 0) != NONE)
        show_units(record, value, out);
}

/* ---- words; events.md 2.6 ---- */

struct word {
    int64_t number;
    const char *word;
};

static void add_word(const struct word *words, size_t n, const cJSON *value, struct text *out)
{
    int64_t number = number_of(value, INT64_MIN);
    for (size_t i = 0; i < n; i++)
        if (words[i].number == number) {
            text_add(out, words[i].word);
            return;
        }
    add_scalar(out, "", value, "");
}

#define WORDS(function, ...)                                                                                           \
    void function(const struct action_record *record, const cJSON *value, struct text *out)                            \
    {                                                                                                                  \
        static const struct word words[] = { __VA_ARGS__ };                                                            \
        (void) record;                                                                                                 \
        add_word(words, ARRAY_SIZE(words), value, out);                                                                \
    }

WORDS(show_call_status, { 0, "pending" }, { 1, "active" }, { 2, "closed" })
WORDS(show_origin, { 0, "caller" }, { 1, "radio dispatch" }, { 2, "observed" }, { 3, "walk-up" })
WORDS(show_unit_status, { 0, "unavailable" }, { 1, "busy" }, { 2, "available" }, { 3, "en route" }, { 4, "on scene" },
      { 100, "offline" })
WORDS(show_page, { 0, "police" }, { 1, "fire" }, { 2, "EMS" }, { 3, "dispatch" })
WORDS(show_record_type, { 2, "warrant" }, { 3, "BOLO" }, { 4, "license" }, { 5, "vehicle registration" },
      { 7, "character" }, { 8, "police record" }, { 9, "police report" }, { 10, "medical record" },
      { 11, "medical report" }, { 12, "fire record" }, { 13, "fire report" }, { 14, "DMV" }, { 15, "law record" },
      { 16, "law report" })

/* The unit, where the event is about one alone and has it in full; NULL otherwise. */
static const cJSON *only_unit(const cJSON *units)
{
    const cJSON *first = cJSON_IsArray(units) ? units->child : units;
    return cJSON_IsObject(first) && (first == units || !first->next) ? first : NULL;
}

/* Its own status wins over one for all. */
void show_only_status(const struct action_record *record, const cJSON *value, struct text *out)
{
    const cJSON *units = embed_find(record->event, "/units"), *unit = only_unit(units);
    const cJSON *status = json_member(unit, "status");
    (void) value;
    if (!status && (unit || !units || !cJSON_IsObject(units->child)))
        status = embed_find(record->event, "/status");
    if (status)
        show_unit_status(record, status, out);
}

void show_only_location(const struct action_record *record, const cJSON *value, struct text *out)
{
    const cJSON *location = json_member(only_unit(value), "location");
    (void) record;
    add_scalar(out, "", location, "");
}

static void add_unit_and_status(const struct action_record *record, const cJSON *item, struct text *out)
{
    const cJSON *status = json_member(item, "status");
    add_unit(record, item, out);
    if (!status)
        return;
    text_add(out, ": ");
    show_unit_status(record, status, out);
}

/* One alone stands in the author's place. */
void show_several_units(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    if (!only_unit(value))
        add_elements(record, value, add_unit_and_status, "\n", out);
}

/* Worth a field only where it is so. */
void show_yes(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    if (flag_of(value) == 1)
        text_add(out, "yes");
}

void show_percent(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    add_scalar(out, "", value, " %");
}

/* ---- notes, targets of tones, messages, places ---- */

/* V16: a text or an object. */
static void add_note(const cJSON *note, struct text *out)
{
    if (!cJSON_IsObject(note)) {
        add_scalar(out, "", note, "");
        return;
    }
    add_scalar(out, "", json_member(note, "time"), " ");
    add_scalar(out, "", json_member(note, "label"), ": ");
    add_scalar(out, "", json_member(note, "content"), "");
}

/* Most are texts. */
void show_note_kind(const struct action_record *record, const cJSON *value, struct text *out)
{
    const char *kind = cJSON_GetStringValue(value);
    (void) record;
    if (!kind || strcmp(kind, "text") != 0)
        add_scalar(out, "", value, "");
}

/* V17: a list or a text; the last ones are news. */
void show_notes(const struct action_record *record, const cJSON *value, struct text *out)
{
    int n = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : 1, i = 0;
    (void) record;
    if (n > NOTES_MAX)
        text_addf(out, "%d older\n", n - NOTES_MAX);
    for (const cJSON *note = cJSON_IsArray(value) ? value->child : value; note;
         note = cJSON_IsArray(value) ? note->next : NULL, i++) {
        if (i < n - NOTES_MAX)
            continue;
        add_note(note, out);
        if (note->next && cJSON_IsArray(value))
            text_add(out, "\n");
    }
}

static void add_target(const struct action_record *record, const cJSON *target, struct text *out)
{
    (void) record;
    static const char *const kinds[] = { "all active units", "call ", "agency ", "department ",
                                         "subdivision ",     "unit ", "group " };
    int64_t kind = number_of(json_member(target, "type"), -1);
    const cJSON *value = json_member(target, "value"), *label = json_member(target, "label");
    enum { ALL = 0, UNIT = 5 };

    text_add(out, kind >= 0 && kind < (int64_t) ARRAY_SIZE(kinds) ? kinds[kind] : "target ");
    if (kind != ALL)
        add_scalar(out, "", is_empty(value) || (kind == UNIT && !is_empty(label)) ? label : value, "");
}

void show_targets(const struct action_record *record, const cJSON *value, struct text *out)
{
    (void) record;
    add_elements(record, value, add_target, ", ", out);
}

/* Speech is text with blanks; recorded sound comes as one long word of base64. */
void show_message(const struct action_record *record, const cJSON *value, struct text *out)
{
    enum { WORD_MAX = 200 };
    const char *message = cJSON_GetStringValue(value);
    (void) record;
    if (message && strcspn(message, " \n") > WORD_MAX)
        text_addf(out, "recorded message, %zu bytes", strlen(message));
    else
        add_scalar(out, "", value, "");
}

/* V of call-outs: capital letters or small ones. */
void show_position(const struct action_record *record, const cJSON *value, struct text *out)
{
    const cJSON *place = cJSON_IsArray(value) ? value->child : value;
    const cJSON *x = json_member(place, "x") ? json_member(place, "x") : json_member(place, "X");
    const cJSON *y = json_member(place, "y") ? json_member(place, "y") : json_member(place, "Y");
    (void) record;
    if (is_empty(x) || is_empty(y))
        return;
    add_scalar(out, "", x, ", ");
    add_scalar(out, "", y, "");
}
