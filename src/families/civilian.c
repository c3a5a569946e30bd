/* civilian.c - EVENT_CHAR_SELECTED, EVENT_COMMUNITY_LINK_VERIFIED: players and who they play.
 * Source: events.md 4.23, 4.24; vendor pages push-events/character-selected, community-link-verified. */
#include "fields.h"

static const char *const character_names[] = { "id", "syncId", "characterId", NULL };
static const char *const account_names[] = { "accId", "accountUuid", "accountId", NULL };

/* The first that is there: a record id (-1 is none), or the key of a synchronised database. */
static const cJSON *character_of(const struct event *event)
{
    for (const char *const *name = character_names; *name; name++) {
        const cJSON *item = field_get(event->data, *name);
        int64_t id;
        if (item && (!cJSON_IsString(item) || *item->valuestring) && (!scalar_read_whole(item, &id) || id != -1))
            return item;
    }
    return NULL;
}

static int selected_check(const struct event *event, struct err *err)
{
    const cJSON *character = character_of(event);
    int64_t id;
    if (!character)
        return event_refuse(event, err, "id", "missing");
    return cJSON_IsString(character) || scalar_read_id(character, &id)
               ? 0
               : event_refuse_value(event, err, character->string, "a whole number or a text", character);
}

static void selected_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *character = character_of(event);
    int64_t id;
    (void) state;

    text_add(&out->line, "character ");
    if (scalar_read_id(character, &id))
        text_add_int(&out->line, id);
    else
        phrase_say(&out->line, cJSON_GetStringValue(character), LINE_NAME_MAX);
    text_add(&out->line, " selected");
    phrase_say_after(&out->line, " by account ", field_get_text_of(event->data, account_names), LINE_NAME_MAX);
}

static int linked_check(const struct event *event, struct err *err)
{
    return field_need_text(event, err, NAMES("communityUserId"));
}

static void linked_describe(const struct event *event, const struct state *state, struct description *out)
{
    (void) state;
    text_add(&out->line, "player ");
    phrase_say(&out->line, field_get_text(event->data, "communityUserId"), LINE_NAME_MAX);
    text_add(&out->line, " linked");
    phrase_say_after(&out->line, " to account ", field_get_text_of(event->data, account_names), LINE_NAME_MAX);
}

static const struct event_type types[] = {
    { "EVENT_CHAR_SELECTED", NULL, selected_check, selected_describe, NULL, &facts_character },
    { "EVENT_COMMUNITY_LINK_VERIFIED", NULL, linked_check, linked_describe, NULL, &facts_link },
};

const struct event_family family_civilian = { "civilian", "32", types, ARRAY_SIZE(types) };
