/* alert.c - EVENT_TONE, EVENT_STATION_ALERT, EVENT_PAGER_REBORN, EVENT_NEW_CALLOUT: calls to come.
 * Source: events.md 4.22, 4.25 to 4.27; vendor pages push-events/tone-played, new-station-alert,
 * event-pager-reborn, new-callout. */
#include "fields.h"

/* "A, B and C" from a list of texts, or of objects with a name. */
static void say_texts(struct text *line, const char *before, const cJSON *list, const char *member)
{
    size_t n = cJSON_IsArray(list) ? (size_t) cJSON_GetArraySize(list) : list != NULL;
    size_t shown = n > LINE_LIST_MAX ? LINE_LIST_MAX : n, i = 0;
    if (n)
        text_add(line, before);
    for (const cJSON *item = list ? first_of(list) : NULL; item && i < shown; item = next_of(list, item)) {
        const char *text = cJSON_IsObject(item) && member ? get_text(item, member) : cJSON_GetStringValue(item);
        int64_t number;
        say_separator(line, i++, shown + (n > shown));
        if (text && *text)
            say(line, text, LINE_NAME_MAX);
        else if (read_id(item, &number))
            text_add_int(line, number);
        else
            text_add(line, "unnamed");
    }
    if (n > shown)
        text_addf(line, " and %zu more", n - shown);
}

/* ---- tone ---- */

static int tone_check(const struct event *event, struct err *err)
{
    return need_text(event, err, NAMES("url"));
}

enum { TARGET_ALL = 0, TARGET_CALL = 1, TARGET_UNIT = 5 };

/* The ids of a target that the line has no room for. */
static void count_target(struct description *out, const cJSON *target)
{
    int64_t id;
    if (!get_id(target, "value", &id))
        return;
    if (get_number(target, "type") == TARGET_CALL)
        ids_add(&out->calls, id);
    if (get_number(target, "type") == TARGET_UNIT)
        ids_add(&out->units, id);
}

static void say_target(const struct event *event, const struct state *state, struct description *out,
                       const cJSON *target)
{
    static const char *const kinds[] = { "all active units", "call", "agency", "department",
                                         "subdivision",      "unit", "group" };
    int32_t type = get_number(target, "type");
    const char *text = get_text(target, "value");
    int64_t id = 0;
    bool has_id = get_id(target, "value", &id);

    if (type == TARGET_UNIT && has_id) {
        say_unit(event, state, out, id);
        return;
    }
    if (type >= 0 && type < (int32_t) ARRAY_SIZE(kinds))
        text_add(&out->line, kinds[type]);
    else if (type != STATE_UNSET)
        text_addf(&out->line, "target %d", type);
    else
        text_add(&out->line, "target");
    if (type == TARGET_ALL)
        return;
    if (type == TARGET_CALL && has_id) {
        text_add(&out->line, " ");
        ids_add(&out->calls, id);
        state_name_call(state, event->community, id, &out->line);
        return;
    }
    if (!text || !*text)
        text = get_text(target, "label");
    say_after(&out->line, " ", text, LINE_NAME_MAX);
    if (!text && has_id)
        text_addf(&out->line, " %lld", (long long) id);
}

static void tone_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *targets = get(event->data, "playTonesTo");
    size_t n = cJSON_IsArray(targets) ? (size_t) cJSON_GetArraySize(targets) : targets != NULL, i = 0;

    text_add(&out->line, n ? "tone for " : "tone");
    for (const cJSON *target = targets ? first_of(targets) : NULL; target; target = next_of(targets, target)) {
        if (i++ >= LINE_LIST_MAX) {
            count_target(out, target);
            continue;
        }
        say_separator(&out->line, i - 1, n > LINE_LIST_MAX ? n + 1 : n);
        say_target(event, state, out, target);
    }
    if (n > LINE_LIST_MAX)
        text_addf(&out->line, " and %zu more", n - LINE_LIST_MAX);
    say_after(&out->line, ": ", get_text(event->data, "url"), LINE_TEXT_MAX);
}

/* ---- station alert ---- */

static int station_check(const struct event *event, struct err *err)
{
    const cJSON *locations = get(event->data, "locations");
    if (!locations)
        return event_refuse(event, err, "locations", "missing");
    if (!cJSON_IsArray(locations) && !cJSON_IsObject(locations))
        return event_refuse(event, err, "locations", "expected a list");
    return 0;
}

static void station_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *colors = get(event->data, "colors");
    const char *message = get_text(event->data, "message");
    (void) state;

    text_add(&out->line, "station alert");
    say_texts(&out->line, " for ", get(event->data, "locations"), "name");
    say_texts(&out->line, ", ", colors ? colors : get(event->data, "color"), NULL);
    say_after(&out->line, ", tone ", get_text(event->data, "tone"), LINE_NAME_MAX);
    /* Speech is text with blanks; recorded sound comes as one long base64 word. */
    if (message && strlen(message) > LINE_TEXT_MAX && strcspn(message, " \n") > LINE_TEXT_MAX)
        text_addf(&out->line, ": recorded message, %zu bytes", strlen(message));
    else
        say_after(&out->line, ": ", message, LINE_TEXT_MAX);
}

/* ---- pager ---- */

static const char *const paged_names[] = { "identIds", "identId", NULL };

static bool has_some(const cJSON *list)
{
    return list && (!cJSON_IsArray(list) || list->child);
}

static int pager_check(const struct event *event, struct err *err)
{
    if (!get_text(event->data, "body"))
        return event_refuse(event, err, "body", get(event->data, "body") ? "expected a text" : "missing");
    if (has_some(get(event->data, "addresses")) || has_some(get(event->data, "players")))
        return 0;
    return need_ids(event, err, paged_names, 0);
}

static void pager_describe(const struct event *event, const struct state *state, struct description *out)
{
    static const struct {
        const char *name, *word;
    } natures[] = { { "Emergency", "emergency" },
                    { "NonEmergency", "non-emergency" },
                    { "Administrative", "administrative" } };
    const char *nature = get_text(event->data, "nature"), *before = " to ";
    struct ids ids CLEANUP(ids_free) = { 0 };

    for (size_t i = 0; nature && i < ARRAY_SIZE(natures); i++)
        if (strcasecmp(nature, natures[i].name) == 0)
            nature = natures[i].word;
    say(&out->line, nature, LINE_NAME_MAX);
    text_add(&out->line, nature && *nature ? " page" : "page");
    if (has_some(get(event->data, "addresses"))) {
        say_texts(&out->line, before, get(event->data, "addresses"), NULL);
        before = ", ";
    }
    get_ids(event->data, paged_names, &ids);
    if (ids.n) {
        text_add(&out->line, before);
        say_units(event, state, out, &ids);
        before = ", ";
    }
    if (has_some(get(event->data, "players"))) {
        text_add(&out->line, before);
        const cJSON *players = get(event->data, "players");
        say_texts(&out->line, cJSON_GetArraySize(players) > 1 ? "players " : "player ", players, NULL);
    }
    say_after(&out->line, ": ", get_text(event->data, "body"), LINE_TEXT_MAX);
}

/* ---- call-out of the ERS script ---- */

static int callout_check(const struct event *event, struct err *err)
{
    const cJSON *callout = get(event->data, "callout");
    if (!callout)
        return event_refuse(event, err, "callout", "missing");
    return cJSON_IsObject(callout) ? 0 : event_refuse(event, err, "callout", "expected an object");
}

static const cJSON *member_of(const cJSON *object, const char *name, const char *other_name)
{
    const cJSON *item = get(object, name);
    return item ? item : get(object, other_name);
}

static void say_position(struct text *line, const cJSON *place)
{
    const cJSON *x = member_of(place, "x", "X"), *y = member_of(place, "y", "Y");
    if (cJSON_IsNumber(x) && cJSON_IsNumber(y))
        text_addf(line, " at %.1f, %.1f", x->valuedouble, y->valuedouble);
}

/* The documentation's form has the fields in the call-out, the code's form in its data, in PascalCase. */
static void callout_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *callout = get(event->data, "callout"), *data = get(callout, "data");
    const cJSON *form = data ? data : callout;
    const char *name = cJSON_GetStringValue(member_of(form, "CalloutName", "calloutName"));
    const char *action = cJSON_GetStringValue(member_of(form, "PedActionOnNoActionFound", "pedActionOnNoActionFound"));
    const cJSON *places = member_of(form, "CalloutLocations", "calloutLocations");
    const cJSON *descriptions = member_of(form, "CalloutDescriptions", "calloutDescriptions");
    (void) state;

    text_add(&out->line, "call-out");
    say_after(&out->line, " ", name && *name ? name : get_text(callout, "id"), LINE_NAME_MAX);
    say_position(&out->line, places ? first_of(places) : NULL);
    say_texts(&out->line, ", armed with ", member_of(form, "PedWeaponData", "pedWeaponData"), NULL);
    say_after(&out->line, ", suspects by default: ", action, LINE_NAME_MAX);
    say_after(&out->line, ": ", descriptions ? cJSON_GetStringValue(first_of(descriptions)) : NULL, LINE_TEXT_MAX);
}

static const struct event_type types[] = {
    { "EVENT_TONE", NULL, LOG_INFO, tone_check, tone_describe, NULL },
    { "EVENT_STATION_ALERT", NULL, LOG_INFO, station_check, station_describe, NULL },
    { "EVENT_PAGER_REBORN", NULL, LOG_INFO, pager_check, pager_describe, NULL },
    { "EVENT_NEW_CALLOUT", NULL, LOG_INFO, callout_check, callout_describe, NULL },
};

const struct event_family family_alert = { "alert", "alrt", 35, types, ARRAY_SIZE(types) };
