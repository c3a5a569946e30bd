/* alert.c - EVENT_TONE, EVENT_STATION_ALERT, EVENT_PAGER_REBORN, EVENT_NEW_CALLOUT: calls to come.
 * Source: events.md 4.22, 4.25 to 4.27; vendor pages push-events/tone-played, new-station-alert,
 * event-pager-reborn, new-callout. */
#include <ctype.h>

#include "call.h"

/* The next of n things of an enumeration: what stands before it, or false where no more are said. */
static bool say_next(struct text *line, size_t i, size_t n)
{
    if (i >= LINE_LIST_MAX)
        return false;
    phrase_say_separator(line, i, n > LINE_LIST_MAX ? n + 1 : n);
    return true;
}

static void say_item(struct text *line, const cJSON *item)
{
    const char *text = cJSON_IsObject(item) ? field_get_text(item, "name") : cJSON_GetStringValue(item);
    int64_t number;
    if (text && *text)
        phrase_say(line, text, LINE_NAME_MAX);
    else if (scalar_read_whole(item, &number))
        text_add_int(line, number);
    else
        text_add(line, "unnamed");
}

/* ---- tone ---- */

static int tone_check(const struct event *event, struct err *err)
{
    return field_need_text(event, err, NAMES("url"));
}

enum { TARGET_ALL = 0, TARGET_CALL = 1, TARGET_UNIT = 5 };

/* The ids of a target that the line has no room for. */
static void count_target(struct description *out, const cJSON *target)
{
    int64_t id;
    if (!field_get_id(target, "value", &id))
        return;
    if (field_get_number(target, "type") == TARGET_CALL)
        ids_add(&out->calls, id);
    if (field_get_number(target, "type") == TARGET_UNIT)
        phrase_count_unit(out, id);
}

static void say_target(const struct event *event, const struct state *state, struct description *out,
                       const cJSON *target)
{
    static const char *const kinds[] = { "all active units", "call", "agency", "department",
                                         "subdivision",      "unit", "group" };
    int32_t type = field_get_number(target, "type");
    const char *text =
        cJSON_GetStringValue(field_get(target, "value")); /* where it is a number, the label has the name */
    int64_t id = 0;
    bool has_id = field_get_id(target, "value", &id) && (type != TARGET_UNIT || id != 0);

    if (type == TARGET_UNIT && has_id) {
        phrase_say_unit(event, state, out, id);
        return;
    }
    if (type == TARGET_CALL && has_id) {
        phrase_say_call(event, state, out, id);
        return;
    }
    if (!text || !*text)
        text = field_get_text(target, "label");
    if (type != TARGET_ALL && !has_id && !(text && *text))
        text_add(&out->line, "an unnamed ");
    if (type >= 0 && type < (int32_t) ARRAY_SIZE(kinds))
        text_add(&out->line, kinds[type]);
    else if (type != STATE_UNSET)
        text_addf(&out->line, "target %d", type);
    else
        text_add(&out->line, "target");
    if (type == TARGET_ALL)
        return;
    phrase_say_after(&out->line, " ", text, LINE_NAME_MAX);
    if (!text && has_id)
        text_addf(&out->line, " %lld", (long long) id);
}

static void tone_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *targets = field_get(event->data, "playTonesTo");
    size_t n = field_count_of(targets), i = 0;

    text_add(&out->line, "tone");
    phrase_say_file(&out->line, " ", field_get_text(event->data, "url"));
    text_add(&out->line, n ? " for " : "");
    for (const cJSON *target = field_first_of(targets); target; target = field_next_of(targets, target))
        if (say_next(&out->line, i++, n))
            say_target(event, state, out, target);
        else
            count_target(out, target);
    phrase_say_more(&out->line, n);
}

/* ---- station alert ---- */

static int station_check(const struct event *event, struct err *err)
{
    const cJSON *locations = field_get(event->data, "locations");
    bool some = cJSON_IsArray(locations) || cJSON_IsObject(locations);
    return some ? 0 : event_refuse_value(event, err, "locations", "a list of stations", locations);
}

/* How files of sound begin, in base64: WAV, MP3 with and without a head, Ogg, FLAC, WebM. */
static bool begins_like_sound(const char *message)
{
    static const char *const heads[] = { "data:audio/", "UklGR", "SUQz", "//", "T2dnUw", "ZkxhQw", "GkXfo" };
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (strncmp(message, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

/* Speech is text with blanks; recorded sound comes as one word of base64, a long one as a rule. */
bool alert_is_recorded_sound(const char *message)
{
    size_t size = strcspn(message, " \n");
    return size > LINE_TEXT_MAX || (begins_like_sound(message) && size >= 16 && !message[size]);
}

/* Lights and the tone stay in the data: what people have to hear is the message. */
static void station_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *stations = field_get(event->data, "locations");
    const char *message = field_get_text(event->data, "message");
    size_t n = field_count_of(stations), i = 0;
    (void) state;

    out->level = LOG_NOTICE;
    text_add(&out->line, n ? "station alert for " : "station alert");
    for (const cJSON *station = field_first_of(stations); station; station = field_next_of(stations, station))
        if (say_next(&out->line, i++, n))
            say_item(&out->line, station);
    phrase_say_more(&out->line, n);
    phrase_say_after(&out->line, ": ", message && alert_is_recorded_sound(message) ? "recorded message" : message,
                     LINE_TEXT_MAX);
}

/* ---- pager ---- */

static const char *const paged_names[] = { "identIds", "identId", NULL };

static bool has_some(const cJSON *list)
{
    return field_first_of(list) != NULL;
}

static int pager_check(const struct event *event, struct err *err)
{
    if (!field_get_text(event->data, "body"))
        return event_refuse_value(event, err, "body", "a text", field_get(event->data, "body"));
    if (has_some(field_get(event->data, "addresses")) || has_some(field_get(event->data, "players")))
        return 0;
    if (!field_get_any(event->data, paged_names))
        return field_refuse_neither(event, err, "addresses", "identIds");
    return field_need_ids(event, err, paged_names, 0);
}

static const char *nature_of(const struct event *event)
{
    static const struct {
        const char *name, *word;
    } natures[] = { { "Emergency", "emergency" },
                    { "NonEmergency", "non-emergency" },
                    { "Administrative", "administrative" } };
    const char *nature = field_get_text(event->data, "nature");
    for (size_t i = 0; nature && i < ARRAY_SIZE(natures); i++)
        if (strcasecmp(nature, natures[i].name) == 0)
            return natures[i].word;
    return nature;
}

/* Addresses, units and players as one list. */
static void say_paged(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *addresses = field_get(event->data, "addresses"), *players = field_get(event->data, "players");
    struct ids ids CLEANUP(ids_free) = { 0 };
    field_get_units(event->data, paged_names, &ids);
    size_t n = field_count_of(addresses) + ids.n + field_count_of(players), i = 0;

    for (const cJSON *address = field_first_of(addresses); address; address = field_next_of(addresses, address))
        if (say_next(&out->line, i++, n))
            say_item(&out->line, address);
    for (size_t k = 0; k < ids.n; k++)
        if (say_next(&out->line, i++, n))
            phrase_say_unit(event, state, out, ids.v[k]);
    for (const cJSON *player = field_first_of(players); player; player = field_next_of(players, player))
        if (say_next(&out->line, i++, n)) {
            text_add(&out->line, "player ");
            say_item(&out->line, player);
        }
    phrase_say_more(&out->line, n);
    phrase_count_ids(&out->units, &ids);
}

static void pager_describe(const struct event *event, const struct state *state, struct description *out)
{
    const char *nature = nature_of(event);
    if (nature && strcmp(nature, "emergency") == 0)
        out->level = LOG_NOTICE;
    phrase_say(&out->line, nature, LINE_NAME_MAX);
    text_add(&out->line, nature && *nature ? " page to " : "page to ");
    say_paged(event, state, out);
    phrase_say_after(&out->line, ": ", field_get_text(event->data, "body"), LINE_TEXT_MAX);
}

/* ---- call-out of the ERS script ---- */

static int callout_check(const struct event *event, struct err *err)
{
    const cJSON *callout = field_get(event->data, "callout");
    return cJSON_IsObject(callout) ? 0 : event_refuse_value(event, err, "callout", "an object", callout);
}

static const cJSON *member_of(const cJSON *object, const char *name, const char *other_name)
{
    const cJSON *item = field_get(object, name);
    return item ? item : field_get(object, other_name);
}

/* "WEAPON_COMBAT_PISTOL" of the game as "combat pistol". */
static void say_weapon(struct text *line, const cJSON *item)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    const char *weapon = cJSON_GetStringValue(item);
    if (!weapon) {
        say_item(line, item);
        return;
    }
    text_add(&name, strncasecmp(weapon, "weapon_", strlen("weapon_")) == 0 ? weapon + strlen("weapon_") : weapon);
    for (char *p = name.s; *p; p++)
        *p = (char) (*p == '_' ? ' ' : tolower((unsigned char) *p));
    phrase_say(line, name.s, LINE_NAME_MAX);
}

static bool is_weapon(const cJSON *item)
{
    const char *weapon = cJSON_GetStringValue(item);
    return !weapon || (strcasecmp(weapon, "weapon_unarmed") != 0 && strcasecmp(weapon, "unarmed") != 0);
}

static void say_weapons(struct text *line, const cJSON *list)
{
    size_t n = 0, i = 0;
    for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item))
        n += is_weapon(item);
    if (field_first_of(list))
        text_add(line, n ? ", armed with " : ", unarmed");
    for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item))
        if (is_weapon(item) && say_next(line, i++, n))
            say_weapon(line, item);
    phrase_say_more(line, n);
}

/* "police" where policeRequired is true; false for any other member. */
bool alert_is_needed(const cJSON *item, struct text *ret_name)
{
    const char *end = cJSON_IsTrue(item) && item->string ? strstr(item->string, "Required") : NULL;
    if (!end || end == item->string)
        return false;
    text_add_bytes(ret_name, item->string, (size_t) (end - item->string));
    ret_name->s[0] = (char) tolower((unsigned char) ret_name->s[0]);
    return true;
}

/* The documentation's form has the fields in the call-out, the code's form in its data, in PascalCase. */
static const cJSON *form_of(const cJSON *callout)
{
    const cJSON *data = field_get(callout, "data");
    return data ? data : callout;
}

const cJSON *alert_needed_of(const cJSON *callout)
{
    return member_of(form_of(callout), "CalloutUnitsRequired", "calloutUnitsRequired");
}

const char *alert_needed_words(const cJSON *needed)
{
    const char *words = scalar_text(member_of(needed, "description", "Description"));
    return words && *words ? words : NULL;
}

/* In the script's own words, else by what is marked. */
static void say_needed(struct text *line, const cJSON *needed)
{
    const char *words = alert_needed_words(needed);
    const cJSON *item;
    size_t n = 0, i = 0;
    if (words) {
        phrase_say_after(line, ", needs ", words, LINE_NAME_MAX);
        return;
    }
    cJSON_ArrayForEach (item, needed) {
        struct text name CLEANUP(text_free) = TEXT_INIT;
        n += alert_is_needed(item, &name);
    }
    text_add(line, n ? ", needs " : "");
    cJSON_ArrayForEach (item, needed) {
        struct text name CLEANUP(text_free) = TEXT_INIT;
        if (alert_is_needed(item, &name) && say_next(line, i++, n))
            phrase_say(line, name.s, LINE_NAME_MAX);
    }
    phrase_say_more(line, n);
}

static void say_suspects(struct text *line, const char *action)
{
    if (!action || !*action || strcasecmp(action, "none") == 0)
        return;
    size_t start = line->size + strlen(", suspects ");
    phrase_say_after(line, ", suspects ", action, LINE_NAME_MAX);
    if (line->size > start)
        line->s[start] = (char) tolower((unsigned char) line->s[start]);
}

static void callout_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *callout = field_get(event->data, "callout"), *form = form_of(callout);
    const char *name = scalar_text(member_of(form, "CalloutName", "calloutName"));
    const cJSON *descriptions = member_of(form, "CalloutDescriptions", "calloutDescriptions");
    (void) state;

    text_add(&out->line, "ERS call-out");
    phrase_say_after(&out->line, " ", name && *name ? name : field_get_text(callout, "id"), LINE_NAME_MAX);
    phrase_say_position(&out->line, field_first_of(member_of(form, "CalloutLocations", "calloutLocations")));
    say_needed(&out->line, alert_needed_of(callout));
    say_weapons(&out->line, member_of(form, "PedWeaponData", "pedWeaponData"));
    say_suspects(&out->line, scalar_text(member_of(form, "PedActionOnNoActionFound", "pedActionOnNoActionFound")));
    phrase_say_after(&out->line, ": ", scalar_text(field_first_of(descriptions)), LINE_TEXT_MAX);
}

static const struct event_type types[] = {
    { "EVENT_TONE", NULL, tone_check, tone_describe, NULL, &facts_tone },
    { "EVENT_STATION_ALERT", NULL, station_check, station_describe, NULL, &facts_station },
    { "EVENT_PAGER_REBORN", NULL, pager_check, pager_describe, NULL, &facts_pager },
    { "EVENT_NEW_CALLOUT", NULL, callout_check, callout_describe, NULL, &facts_callout },
};

const struct event_family family_alert = { "alert", "35", types, ARRAY_SIZE(types) };
