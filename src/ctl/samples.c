/* samples.c - the table. */
#include <ctype.h>
#include <string.h>

#include <sonoran-pushd/families.h>

#include "samples.h"

#define JSON(...) #__VA_ARGS__

/* clang-format off */
#define CALL911 \
    "{\"callId\":990201,\"isEmergency\":true,\"caller\":\"Test Caller\",\"location\":\"118 Lantern St\"," \
    "\"description\":\"Test: smoke from the second floor\"," \
    "\"metaData\":{\"callerPlayerId\":\"23\",\"postal\":\"7042\"}}"
#define UNIT \
    "{\"id\":990001,\"status\":2,\"isPanic\":false,\"location\":\"Pier Rd / Old Mill Ln\",\"aop\":\"Northshore\"," \
    "\"data\":{\"unitNum\":\"T-1\",\"name\":\"Test Unit\",\"district\":\"Northshore\"," \
    "\"department\":\"Calder County Sheriff\",\"subdivision\":\"Marine Patrol\",\"rank\":\"Deputy\",\"group\":\"\"," \
    "\"page\":0,\"apiIds\":[]}}"
#define DISPATCH(status) \
    "{\"callId\":990101,\"origin\":0,\"status\":" #status ",\"priority\":2,\"block\":\"100\"," \
    "\"address\":\"118 Lantern St\",\"postal\":\"7042\",\"title\":\"Test: Structure Fire\",\"code\":\"10-70\"," \
    "\"primary\":990001,\"trackPrimary\":false,\"description\":\"Test: attic fire\",\"notes\":[]," \
    "\"idents\":[990001],\"metaData\":{\"createdFromId\":\"990201\"}}"
#define RECORD \
    "{\"recordTypeId\":31,\"id\":990301,\"syncId\":\"\",\"name\":\"Test: Speeding Citation\",\"type\":8,\"sections\":" \
    "[{\"category\":0,\"label\":\"Civilian Information\",\"fields\":[" \
    "{\"label\":\"First Name\",\"value\":\"Ingrid\",\"uid\":\"first\"}," \
    "{\"label\":\"Last Name\",\"value\":\"Solberg\",\"uid\":\"last\"}]}]}"

const struct sample samples[] = {
    { "EVENT_911", "{\"call\":" CALL911 ",\"apiIds\":[]}", NULL },
    { "EVENT_REMOVE_911", JSON({"callIds":[990201]}), NULL },
    { "EVENT_DISPATCH_NEW", "{\"eventOriginIdent\":990001,\"dispatch\":" DISPATCH(1) "}", NULL },
    { "EVENT_DISPATCH_EDIT", "{\"eventOriginIdent\":990001,\"dispatch\":" DISPATCH(1) "}", NULL },
    { "EVENT_DISPATCH_CLOSED", JSON({"callIds":[990101],"eventOriginIdent":990001}), NULL },
    { "EVENT_DISPATCH_NOTE", JSON({"callId":990101,"note":{"time":"18:04:11","label":"T-1","type":"text",
      "content":"Test: second alarm requested"}}), NULL },
    { "EVENT_DISPATCH_UNIT_ATTACH", JSON({"callId":990101,"idents":[990001],"eventOriginIdent":990001}), NULL },
    { "EVENT_DISPATCH_UNIT_DETACH", JSON({"callId":990101,"idents":[990001],"eventOriginIdent":990001}), NULL },
    { "EVENT_DISPATCH_TOGGLE_BODYCAM", JSON({"ident":"990001","state":true}), NULL },
    { "EVENT_UNIT_LOGIN", "{\"unit\":" UNIT ",\"isDispatch\":false,\"selfDispatch\":false}", NULL },
    { "EVENT_UNIT_LOGOUT", JSON({"identId":990001}), NULL },
    { "EVENT_UNIT_STATUS", JSON({"identIds":[990001],"status":3}), NULL },
    { "EVENT_UNIT_UPDATE", "{\"units\":[" UNIT "]}", NULL },
    { "EVENT_UNIT_PANIC", JSON({"identIds":[990001],"isPanic":true}), NULL },
    { "EVENT_UNIT_GROUP_ADD", JSON({"groupName":"TEST 1","identIds":[990001]}), NULL },
    { "EVENT_UNIT_GROUP_REMOVE", JSON({"groupName":"TEST 1","identId":990001}), NULL },
    { "EVENT_UNIT_GROUP_CHANGE_NAME", JSON({"identIds":[990001],"oldName":"TEST 1","newName":"TEST 2"}), NULL },
    { "EVENT_RECORD_ADD", "{\"record\":" RECORD "}", NULL },
    { "EVENT_RECORD_EDIT", "{\"record\":" RECORD "}", NULL },
    { "EVENT_RECORD_REMOVE", "{\"record\":" RECORD "}", NULL },
    { "EVENT_STREETSIGN_UPDATED", JSON({"signData":{"ids":[990401],"text1":"TEST","text2":"LEFT LANE CLOSED",
      "text3":""}}), NULL },
    { "EVENT_TONE", JSON({"url":"https://tones.example.net/test.mp3","playTonesTo":[{"type":5,"value":990001,
      "label":"T-1"}]}), NULL },
    { "EVENT_CHAR_SELECTED", JSON({"id":990501,"accId":"00000000-0000-4000-8000-000000990501"}), NULL },
    { "EVENT_COMMUNITY_LINK_VERIFIED", JSON({"communityUserId":"license:00000000000000000000test",
      "accountUuid":"00000000-0000-4000-8000-000000990501"}), NULL },
    { "EVENT_NEW_CALLOUT", JSON({"callout":{"calloutLocations":[{"x":-1042.31,"y":318.77,"z":0}],
      "pedWeaponData":["weapon_unarmed"],"pedActionOnNoActionFound":"none","pedChanceToFleeFromPlayer":60,
      "pedChanceToObtainWeapons":0,"pedChanceToAttackPlayer":10,"pedChanceToSurrender":30}}), NULL },
    { "EVENT_STATION_ALERT", JSON({"locations":[{"name":"Test Station","open":["Bay 1"],"close":[]}],
      "message":"Test: structure fire, 118 Lantern Street","colors":["red"],"tone":"chime-1"}), NULL },
    { "EVENT_PAGER_REBORN", JSON({"addresses":["TEST-1"],"identIds":[990001],"nature":"NonEmergency",
      "body":"Test: please ignore"}), NULL },
    { "EVENT_PRINT_RECORD", JSON({"identId":990001,"url":"https://files.example.net/test.pdf"}), NULL },
    { "GET_LOGS", NULL, "\"logKey\":\"990601\"" },
    { "EVENT_DISPATCH", "{\"dispatch_type\":0,\"dispatch\":" DISPATCH(0) "}", NULL },
    { "EVENT_UNIT_CALL_CLEAR", "{\"units\":[" UNIT "]}", NULL },
};
/* clang-format on */

const size_t samples_n = ARRAY_SIZE(samples);

const struct sample *sample_find(const char *type)
{
    char upper[EVENT_TYPE_MAX_BYTES + 1] = "";
    const struct event_family *family;
    for (size_t i = 0; type[i]; i++) {
        if (i == EVENT_TYPE_MAX_BYTES)
            return NULL;
        upper[i] = (char) toupper((unsigned char) type[i]);
    }
    const struct event_type *known = event_find_type(&families_all, upper, &family);
    for (size_t i = 0; known && i < samples_n; i++)
        if (strcmp(samples[i].type, known->name) == 0)
            return &samples[i];
    return NULL;
}
