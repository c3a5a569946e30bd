/* discord_layouts.c - how each type of event looks: a row of the table, and the rows of its fields.
 * Source: events.md section 4 for the fields and their variants. */
#include "discord.h"

#define ROWS(list) .rows = list, .n_rows = ARRAY_SIZE(list)

/* A label, where, a function (NULL: the value as it is), beside others. */
#define BESIDE true
#define ALONE false

static const struct layout_row call911_rows[] = {
    { "Location", "/call/location /location", NULL, BESIDE },
    { "Postal", "/call/metaData/postal /metaData/postal", NULL, BESIDE },
    { "Plate", "/call/metaData/plate /metaData/plate", NULL, BESIDE },
    { "Phone", "/call/metaData/phone /metaData/phone", NULL, BESIDE },
    { "Silent alert", "/call/metaData/silentAlert /metaData/silentAlert", show_yes, BESIDE },
};

static const struct layout_row removed911_rows[] = {
    { "911 call ids", "/callIds /callId", show_ids, BESIDE },
};

/* Where the summary, which has the name, is not shown. */
#define BY                                                                                                             \
    {                                                                                                                  \
        "By", "/eventOriginIdent", show_units, BESIDE                                                                  \
    }

static const struct layout_row call_rows[] = {
    { "Code", "/dispatch/code", NULL, BESIDE },
    { "Priority", "/dispatch/priority", NULL, BESIDE },
    { "Status", "/dispatch/status", show_call_status, BESIDE },
    { "Address", "/dispatch/address", NULL, BESIDE },
    { "Block", "/dispatch/block", NULL, BESIDE },
    { "Postal", "/dispatch/postal", NULL, BESIDE },
    { "Origin", "/dispatch/origin", show_origin, BESIDE },
    { "911 call", "/dispatch/metaData/origin911 /dispatch/metaData/createdFromId", NULL, BESIDE },
    BY,
    { "Primary unit", "/dispatch/primary", show_primary, BESIDE },
    { "Units", "/dispatch/idents /dispatch/units", show_units, ALONE },
    { "Notes", "/dispatch/notes", show_notes, ALONE },
};

static const struct layout_row closed_rows[] = {
    { "Call ids", "/callIds /callId", show_ids, BESIDE },
};

static const struct layout_row note_rows[] = {
    { "Kind", "/note/type", show_note_kind, BESIDE },
    { "Time", "/note/time", NULL, BESIDE },
    BY,
};

static const struct layout_row attach_rows[] = {
    { "Unit ids", "/idents /ident", show_ids, BESIDE },
};

static const struct layout_row bodycam_rows[] = {
    { "Unit id", "/ident", show_ids, BESIDE },
};

#define OF_UNIT(path) "/unit" path " /units/0" path

static const struct layout_row login_rows[] = {
    { "Status", OF_UNIT("/status"), show_unit_status, BESIDE },
    { "Page", OF_UNIT("/data/page"), show_page, BESIDE },
    { "Dispatcher", "/isDispatch /unit/isDispatch /units/0/isDispatch", show_yes, BESIDE },
    { "Department", OF_UNIT("/data/department"), NULL, BESIDE },
    { "Subdivision", OF_UNIT("/data/subdivision"), NULL, BESIDE },
    { "Rank", OF_UNIT("/data/rank"), NULL, BESIDE },
    { "Location", OF_UNIT("/location"), NULL, BESIDE },
    { "Area", OF_UNIT("/aop"), NULL, BESIDE },
    { "Group", OF_UNIT("/data/group"), NULL, BESIDE },
    { "Dispatches itself", "/selfDispatch", show_yes, BESIDE },
};

static const struct layout_row logout_rows[] = {
    { "Unit ids", "/units /identIds /identId", show_ids, BESIDE },
};

static const struct layout_row status_rows[] = {
    { "Status", "/units /status", show_only_status, BESIDE },
    { "Location", "/units", show_only_location, BESIDE },
    { "Units", "/units", show_several_units, ALONE },
    { "Unit ids", "/identIds /idents /identId /ident", show_ids, BESIDE },
};

static const struct layout_row update_rows[] = {
    { "Status", "/units", show_only_status, BESIDE },
    { "Location", "/units", show_only_location, BESIDE },
    { "Units", "/units", show_several_units, ALONE },
};

static const struct layout_row panic_rows[] = {
    { "Unit ids", "/identIds /identId", show_ids, BESIDE },
};

static const struct layout_row group_rows[] = {
    { "Group", "/groupName", NULL, BESIDE },
    { "Unit ids", "/identIds /identId", show_ids, BESIDE },
};

static const struct layout_row group_name_rows[] = {
    { "Old name", "/oldName", NULL, BESIDE },
    { "New name", "/newName", NULL, BESIDE },
    { "Unit ids", "/identIds /identId", show_ids, BESIDE },
};

static const struct layout_row record_rows[] = {
    { "Kind", "/record/type", show_record_type, BESIDE },
    { "Sync id", "/record/syncId", NULL, BESIDE },
};

static const struct layout_row print_rows[] = {
    { "Unit id", "/identId /unitId", show_ids, BESIDE },
    { "Document", "/url", NULL, ALONE },
};

static const struct layout_row sign_rows[] = {
    { "Signs", "/signData/ids", show_ids, ALONE },
    { "Line 1", "/signData/text1", NULL, BESIDE },
    { "Line 2", "/signData/text2", NULL, BESIDE },
    { "Line 3", "/signData/text3", NULL, BESIDE },
};

static const struct layout_row tone_rows[] = {
    { "For", "/playTonesTo", show_targets, ALONE },
    { "Sound", "/url", NULL, ALONE },
};

static const struct layout_row station_rows[] = {
    { "Stations", "/locations", show_list, ALONE },
    { "Doors to open", "/locations/0/open /locations/open", show_list, BESIDE },
    { "Doors to close", "/locations/0/close /locations/close", show_list, BESIDE },
    { "Lights", "/colors /color", show_list, BESIDE },
    { "Tone", "/tone", NULL, BESIDE },
};

static const struct layout_row pager_rows[] = {
    { "Nature", "/nature", NULL, BESIDE },
    { "Pagers", "/addresses", show_list, BESIDE },
    { "Units", "/identIds /identId", show_units, BESIDE },
    { "Players", "/players", show_list, BESIDE },
};

#define OF_CALLOUT(small, capital) "/callout/data/" capital " /callout/data/" small " /callout/" small

static const struct layout_row callout_rows[] = {
    { "Position", OF_CALLOUT("calloutLocations", "CalloutLocations"), show_position, BESIDE },
    { "Units required", "/callout/data/CalloutUnitsRequired/description", NULL, BESIDE },
    { "Weapons", OF_CALLOUT("pedWeaponData", "PedWeaponData"), show_list, BESIDE },
    { "May flee", OF_CALLOUT("pedChanceToFleeFromPlayer", "PedChanceToFleeFromPlayer"), show_percent, BESIDE },
    { "May attack", OF_CALLOUT("pedChanceToAttackPlayer", "PedChanceToAttackPlayer"), show_percent, BESIDE },
    { "May surrender", OF_CALLOUT("pedChanceToSurrender", "PedChanceToSurrender"), show_percent, BESIDE },
    { "By default", OF_CALLOUT("pedActionOnNoActionFound", "PedActionOnNoActionFound"), NULL, BESIDE },
};

static const struct layout_row character_rows[] = {
    { "Character", "/id /syncId /characterId", NULL, BESIDE },
    { "Account", "/accId /accountUuid /accountId", NULL, BESIDE },
};

static const struct layout_row link_rows[] = {
    { "Player", "/communityUserId", NULL, BESIDE },
    { "Account", "/accountUuid", NULL, BESIDE },
};

static const struct layout_row logs_rows[] = {
    { "Ticket", "/logKey", NULL, BESIDE },
};

static const struct layout_row clear_rows[] = {
    { "Units", "/units", show_units, BESIDE },
};

#define CALL_ID .title_id = "/dispatch/callId", .title_name = "/dispatch/title /dispatch/code"

const struct layout discord_layouts[] = {
    { "EVENT_911", .title_of = title_of_911, .title_id = "/call/callId /callId",
      .text = "/call/description /description", .author = "/call/caller /caller", .colour_of = colour_of_911,
      ROWS(call911_rows) },
    { "EVENT_REMOVE_911", "911 call removed", .colour = COLOUR_GREY, ROWS(removed911_rows) },

    { "EVENT_DISPATCH_NEW", "New call #", CALL_ID, .text = "/dispatch/description", .colour_of = colour_of_priority,
      ROWS(call_rows) },
    { "EVENT_DISPATCH_EDIT", "Call # edited", CALL_ID, .text = "/dispatch/description", .colour_of = colour_of_priority,
      ROWS(call_rows) },
    { "EVENT_DISPATCH_CLOSED", "Call closed", .colour = COLOUR_GREY, ROWS(closed_rows) },
    { "EVENT_DISPATCH_NOTE", "Note on call #", .title_id = "/callId", .text = "/note/content /note",
      .author = "/note/label", .colour = COLOUR_BLUE, ROWS(note_rows) },
    { "EVENT_DISPATCH_UNIT_ATTACH", "Attached to call #", .title_id = "/callId", .colour = COLOUR_BLUE,
      ROWS(attach_rows) },
    { "EVENT_DISPATCH_UNIT_DETACH", "Detached from call #", .title_id = "/callId", .colour = COLOUR_GREY,
      ROWS(attach_rows) },
    { "EVENT_DISPATCH_TOGGLE_BODYCAM", .title_of = title_of_bodycam, .colour_of = colour_of_bodycam,
      ROWS(bodycam_rows) },

    { "EVENT_UNIT_LOGIN", "On duty", .author = "/unit /units", .add_author = show_unit_name, .colour = COLOUR_GREEN,
      ROWS(login_rows) },
    { "EVENT_UNIT_LOGOUT", "Off duty", .author = "/units", .add_author = show_unit_name, .colour = COLOUR_GREY,
      ROWS(logout_rows) },
    { "EVENT_UNIT_STATUS", "Unit status", .author = "/units", .add_author = show_unit_name,
      .colour_of = colour_of_status, ROWS(status_rows) },
    { "EVENT_UNIT_UPDATE", "Unit updated", .author = "/units", .add_author = show_unit_name,
      .colour_of = colour_of_status, ROWS(update_rows) },
    { "EVENT_UNIT_PANIC", .title_of = title_of_panic, .colour_of = colour_of_panic, ROWS(panic_rows) },

    { "EVENT_UNIT_GROUP_ADD", "Group joined", .colour = COLOUR_TEAL, ROWS(group_rows) },
    { "EVENT_UNIT_GROUP_REMOVE", "Group left", .colour = COLOUR_GREY, ROWS(group_rows) },
    { "EVENT_UNIT_GROUP_CHANGE_NAME", "Group renamed", .colour = COLOUR_TEAL, ROWS(group_name_rows) },

    { "EVENT_RECORD_ADD", "Record # added", .title_id = "/record/id", .title_name = "/record/name",
      .colour_of = colour_of_record, ROWS(record_rows), .more = add_record_fields },
    { "EVENT_RECORD_EDIT", "Record # edited", .title_id = "/record/id", .title_name = "/record/name",
      .colour_of = colour_of_record, ROWS(record_rows), .more = add_record_fields },
    { "EVENT_RECORD_REMOVE", "Record # removed", .title_id = "/record/id", .title_name = "/record/name",
      .colour = COLOUR_GREY, ROWS(record_rows), .more = add_record_fields },
    { "EVENT_PRINT_RECORD", "Record printed", .colour = COLOUR_BLUE, ROWS(print_rows) },

    { "EVENT_TONE", "Tone", .colour = COLOUR_PURPLE, ROWS(tone_rows) },
    { "EVENT_STATION_ALERT", "Station alert", .text = "/message", .add_text = show_message, .colour = COLOUR_RED,
      ROWS(station_rows) },
    { "EVENT_PAGER_REBORN", "Page", .text = "/body", .colour_of = colour_of_pager, ROWS(pager_rows) },
    { "EVENT_NEW_CALLOUT", "Call-out",
      .title_name = "/callout/data/CalloutName /callout/data/calloutName /callout/calloutName /callout/id",
      .text = "/callout/data/CalloutDescriptions/0 /callout/calloutDescriptions/0", .colour = COLOUR_ORANGE,
      ROWS(callout_rows) },

    { "EVENT_CHAR_SELECTED", "Character selected", .colour = COLOUR_TEAL, ROWS(character_rows) },
    { "EVENT_COMMUNITY_LINK_VERIFIED", "Account linked", .colour = COLOUR_GREEN, ROWS(link_rows) },
    { "EVENT_STREETSIGN_UPDATED", "Street sign", .colour = COLOUR_YELLOW, ROWS(sign_rows) },
    { "GET_LOGS", "Support asks for logs", .colour = COLOUR_GREY, ROWS(logs_rows) },

    { "EVENT_DISPATCH", .title_of = title_of_legacy, CALL_ID, .text = "/dispatch/description",
      .colour_of = colour_of_legacy, ROWS(call_rows) },
    { "EVENT_UNIT_CALL_CLEAR", "Units left their calls", .colour = COLOUR_GREY, ROWS(clear_rows) },
};

const size_t discord_n_layouts = ARRAY_SIZE(discord_layouts);

/* What is plain in the data shows under its own name. */
static void add_members(const struct action_record *record, struct embed *embed)
{
    enum { SHORT_MAX = 40 }; /* what still fits beside others */
    const cJSON *item, *data = pointer_find(record->event, "");
    if (!cJSON_IsObject(data))
        return;
    cJSON_ArrayForEach (item, data) {
        struct text value CLEANUP(text_free) = TEXT_INIT;
        if (embed->n_fields == EMBED_FIELDS_MAX)
            return;
        show_plain(record, item, &value);
        embed_add_field(embed, item->string, &value, value.size <= SHORT_MAX);
    }
}

const struct layout discord_layout_unknown = { .title_of = title_of_unknown,
                                               .colour = COLOUR_GREY,
                                               .more = add_members };
