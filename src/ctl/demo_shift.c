/* demo_shift.c - the table. Town, people and streets are made up; test_demo.c says whether the story makes sense. */
#include "demo_shift.h"

/* clang-format off */
#define JSON(...) JSON_AS_IT_IS(__VA_ARGS__)
#define JSON_AS_IT_IS(...) #__VA_ARGS__

/* ---- who is on duty ---- */

#define POLICE "Port Alder Police"
#define SHERIFF "Alder County Sheriff"
#define FIRE "Port Alder Fire"
#define EMS "Alder County EMS"

#define UNIT(ident, number, who, from, part, title, kind, state, place) \
    {"id":ident,"status":state,"isPanic":false,"location":place,"aop":"Port Alder","data":{"unitNum":number,"name":who, \
     "district":"Port Alder","department":from,"subdivision":part,"rank":title,"group":"","page":kind,"apiIds":[]}}

#define D1     7101
#define A11    7111
#define A14    7112
#define T20    7113
#define K3     7114
#define S7     7121
#define S9     7122
#define E3     7131
#define L1     7132
#define M2     7141
#define M5     7142
#define C1     7151

#define U_D1(state, place)  UNIT(D1, "D-1", "Iris Calloway", "Port Alder Dispatch", "", "Dispatcher", 3, state, place)
#define U_A11(state, place) UNIT(A11, "2-A-11", "Tom Varga", POLICE, "Patrol", "Officer", 0, state, place)
#define U_A14(state, place) UNIT(A14, "2-A-14", "Lena Osei", POLICE, "Patrol", "Senior Officer", 0, state, place)
#define U_T20(state, place) UNIT(T20, "2-T-20", "Marcus Hale", POLICE, "Traffic", "Sergeant", 0, state, place)
#define U_K3(state, place)  UNIT(K3, "2-K-3", "Priya Nand", POLICE, "K-9", "Officer", 0, state, place)
#define U_S7(state, place)  UNIT(S7, "5-S-7", "Dana Whitlock", SHERIFF, "Patrol", "Deputy", 0, state, place)
#define U_S9(state, place)  UNIT(S9, "5-S-9", "Owen Brandl", SHERIFF, "Patrol", "Deputy", 0, state, place)
#define U_E3(state, place)  UNIT(E3, "E-3", "Ruth Adeyemi", FIRE, "Station 3", "Captain", 1, state, place)
#define U_L1(state, place)  UNIT(L1, "L-1", "Pavel Moreno", FIRE, "Station 1", "Lieutenant", 1, state, place)
#define U_M2(state, place)  UNIT(M2, "M-2", "Jo Lindqvist", EMS, "Station 3", "Paramedic", 2, state, place)
#define U_M5(state, place)  UNIT(M5, "M-5", "Sam Kaya", EMS, "Hospital", "Paramedic", 2, state, place)
#define U_C1(state, place)  UNIT(C1, "1-C-1", "Helen Strand", POLICE, "Command", "Chief", 0, state, place)

/* ---- what happens ---- */

#define LOGIN(at, unit) {at, "EVENT_UNIT_LOGIN", JSON({"unit":unit,"isDispatch":false,"selfDispatch":false})}
#define LOGIN_DISPATCH(at, unit) {at, "EVENT_UNIT_LOGIN", JSON({"unit":unit,"isDispatch":true,"selfDispatch":false})}
#define LOGOUT(at, unit) {at, "EVENT_UNIT_LOGOUT", JSON({"identId":unit})}
#define STATUS(at, state, ...) {at, "EVENT_UNIT_STATUS", JSON({"identIds":[__VA_ARGS__],"status":state})}
#define MOVES(at, unit) {at, "EVENT_UNIT_UPDATE", JSON({"units":[unit]})}
#define PANIC(at, on, unit) {at, "EVENT_UNIT_PANIC", JSON({"identIds":[unit],"isPanic":on})}
#define GROUP(at, name, ...) {at, "EVENT_UNIT_GROUP_ADD", JSON({"groupName":name,"identIds":[__VA_ARGS__]})}
#define UNGROUP(at, name, unit) {at, "EVENT_UNIT_GROUP_REMOVE", JSON({"groupName":name,"identId":unit})}

#define UNAVAILABLE 0
#define BUSY 1
#define AVAILABLE 2
#define EN_ROUTE 3
#define ON_SCENE 4

#define CALL911(at, ident, emergency, who, place, post, words) \
    {at, "EVENT_911", JSON({"call":{"callId":ident,"isEmergency":emergency,"caller":who,"location":place, \
     "description":words,"metaData":{"callerPlayerId":"12","postal":post}},"apiIds":[]})}
#define SILENT911(at, ident, place, post, words) \
    {at, "EVENT_911", JSON({"call":{"callId":ident,"isEmergency":true,"caller":"","location":place, \
     "description":words,"metaData":{"silentAlert":"true","postal":post}},"apiIds":[]})}
#define REMOVE911(at, ...) {at, "EVENT_REMOVE_911", JSON({"callIds":[__VA_ARGS__]})}

#define PENDING 0
#define ACTIVE 1
#define BY_CALLER 0
#define BY_RADIO 1
#define OBSERVED 2
#define NOBODY 0

#define CALL(ident, from, state, urgency, heading, number, place, post, first, words, call911, ...) \
    JSON({"eventOriginIdent":D1,"dispatch":{"callId":ident,"origin":from,"status":state,"priority":urgency,"block":"", \
     "address":place,"postal":post,"title":heading,"code":number,"primary":first,"trackPrimary":false, \
     "description":words,"notes":[],"idents":[__VA_ARGS__],"metaData":{"createdFromId":#call911}}})
#define OPEN(at, ...) {at, "EVENT_DISPATCH_NEW", CALL(__VA_ARGS__)}
#define EDIT(at, ...) {at, "EVENT_DISPATCH_EDIT", CALL(__VA_ARGS__)}
#define ATTACH(at, call, ...) \
    {at, "EVENT_DISPATCH_UNIT_ATTACH", JSON({"callId":call,"idents":[__VA_ARGS__],"eventOriginIdent":D1})}
#define DETACH(at, call, ...) \
    {at, "EVENT_DISPATCH_UNIT_DETACH", JSON({"callId":call,"idents":[__VA_ARGS__],"eventOriginIdent":D1})}
#define NOTE(at, call, clock, who, words) \
    {at, "EVENT_DISPATCH_NOTE", JSON({"callId":call,"note":{"time":clock,"label":who,"type":"text","content":words}})}
#define CLOSE(at, ...) {at, "EVENT_DISPATCH_CLOSED", JSON({"callIds":[__VA_ARGS__],"eventOriginIdent":D1})}
#define OTHER(at, type, ...) {at, type, JSON(__VA_ARGS__)}

/* ---- the calls, as they are written down at first ---- */

#define NOISE(state, first, ...) \
    C_01, BY_CALLER, state, 3, "Noise Complaint", "10-16", "14 Birch Court", "2210", first, \
    "Loud music since this afternoon, third complaint this week", E_01, __VA_ARGS__
#define STOP(state, ...) \
    C_02, OBSERVED, state, 3, "Traffic Stop", "10-38", "Route 9 / Mill Road", "3305", T20, \
    "White pickup, 47 in a 30 zone", , __VA_ARGS__
#define FIRE_AT(urgency, words, ...) \
    C_03, BY_CALLER, ACTIVE, urgency, "Structure Fire", "10-70", "31 Kiln Street", "2118", E3, words, E_02, __VA_ARGS__
#define ROBBERY(state, urgency, words, first, ...) \
    C_04, BY_CALLER, state, urgency, "Armed Robbery", "10-31", "Harbor Pharmacy, 6 Quay Street", "1042", first, \
    words, E_05, __VA_ARGS__
#define CRASH(state, first, ...) \
    C_05, BY_CALLER, state, 2, "Road Collision", "10-50", "Route 9, north of the bridge", "3340", first, \
    "Two cars, one on its side, one driver does not answer", E_06, __VA_ARGS__
#define FALL(state, ...) \
    C_07, BY_CALLER, state, 2, "Medical, Fall", "10-52", "8 Orchard Lane", "2271", M2, \
    "Woman, 81, fell on the stairs, awake, pain in the hip", E_08, __VA_ARGS__
#define CHILD(state, first, ...) \
    C_08, BY_CALLER, state, 1, "Missing Child", "10-57", "Playground at Heron Park", "2404", first, \
    "Boy, 6, yellow raincoat, last seen near the pond", E_09, __VA_ARGS__
#define ALARM(state, first, ...) \
    C_06, BY_RADIO, state, 3, "Burglar Alarm", "10-33", "Tillman Hardware, 77 Mill Road", "3298", first, \
    "Motion in the back store, owner is called", , __VA_ARGS__

#define ATTIC "Smoke from the attic, the family is out, the dog may still be inside"
#define ATTIC_OPEN "Flames through the roof, the house next door is in danger, the dog is out"
#define PHARMACY "Button under the counter pressed, nobody answers the telephone"
#define RUNNING "Two men in grey jackets ran towards the fish market, one with a pistol; the pharmacist is unhurt"

#define WANTED {"record":{"recordTypeId":12,"id":88410,"syncId":"","name":"BOLO","type":3,"sections":[{"category":2, \
    "label":"Description","fields":[{"label":"Vehicle","value":"Green hatchback, left rear light broken","uid":"vehicle"}, \
    {"label":"Plate","value":"7KPA31","uid":"plate"}]}]}}
#define TICKET {"record":{"recordTypeId":31,"id":88409,"syncId":"","name":"Speeding Citation","type":8,"sections":[ \
    {"category":0,"label":"Civilian Information","fields":[{"label":"First Name","value":"Walter","uid":"first"}, \
    {"label":"Last Name","value":"Grieve","uid":"last"}]}]}}

const struct demo_row demo_shift[] = {
    /* The evening shift comes on. */
    LOGIN_DISPATCH(0, U_D1(AVAILABLE, "Dispatch Center")),
    LOGIN(2, U_A11(AVAILABLE, "Police Station, Market Square")),
    LOGIN(4, U_S7(AVAILABLE, "Sheriff's Office, Route 9")),
    LOGIN(6, U_E3(AVAILABLE, "Fire Station 3")),
    LOGIN(8, U_M2(AVAILABLE, "Fire Station 3")),
    LOGIN(10, U_T20(BUSY, "Police Station, Market Square")),
    LOGIN(12, U_L1(AVAILABLE, "Fire Station 1")),
    OTHER(14, "EVENT_CHAR_SELECTED", {"id":5512,"accId":"00000000-0000-4000-8000-000000005512"}),
    LOGIN(16, U_A14(AVAILABLE, "Police Station, Market Square")),
    LOGIN(18, U_S9(BUSY, "Sheriff's Office, Route 9")),
    LOGIN(20, U_C1(UNAVAILABLE, "Town Hall")),
    STATUS(22, AVAILABLE, T20),

    /* A neighbour, and a pickup that is too fast. */
    CALL911(26, E_01, false, "Agnes Pell", "14 Birch Court", "2210", "The house across plays music so loud my windows shake"),
    OPEN(33, NOISE(PENDING, NOBODY, )),
    REMOVE911(34, E_01),
    MOVES(36, U_T20(AVAILABLE, "Route 9 / Mill Road")),
    ATTACH(39, C_01, A11),
    STATUS(40, EN_ROUTE, A11),
    OPEN(43, STOP(ACTIVE, T20)),
    STATUS(44, ON_SCENE, T20),
    STATUS(46, AVAILABLE, S9),
    LOGIN(49, U_K3(AVAILABLE, "Kennels, Mill Road")),
    NOTE(52, C_02, "20:06:10", "2-T-20", "Plate 4LTR90, comes back to Walter Grieve, valid"),
    MOVES(56, U_A11(ON_SCENE, "14 Birch Court")),
    EDIT(58, NOISE(ACTIVE, A11, A11)),

    /* The fire begins. */
    CALL911(63, E_02, true, "Jonah Marsh", "31 Kiln Street", "2118", "There is smoke coming out of our attic, we are all outside"),
    CALL911(68, E_03, true, "", "Kiln Street", "2118", "Big smoke over Kiln Street, I can see it from the school"),
    OPEN(71, FIRE_AT(2, ATTIC, E3, M2)),
    OTHER(72, "EVENT_STATION_ALERT", {"locations":[{"name":"Fire Station 3","open":["Bay 1","Bay 2"],"close":[]}],
          "message":"Engine 3, Medic 2, structure fire, 31 Kiln Street","colors":["red"],"tone":"chime-2"}),
    STATUS(75, EN_ROUTE, E3, M2),
    REMOVE911(77, E_02, E_03),
    OTHER(79, "EVENT_RECORD_ADD", TICKET),
    NOTE(81, C_01, "20:12:40", "2-A-11", "Host turns it down, spoken to, no report"),
    CLOSE(84, C_02),
    STATUS(85, AVAILABLE, T20),
    ATTACH(88, C_03, L1, A14),
    STATUS(89, EN_ROUTE, L1, A14),
    CLOSE(92, C_01),
    STATUS(93, AVAILABLE, A11),
    MOVES(97, U_E3(ON_SCENE, "31 Kiln Street")),
    NOTE(100, C_03, "20:15:02", "E-3", "Two floors, smoke from the gable, attack line through the front"),
    MOVES(104, U_M2(ON_SCENE, "31 Kiln Street")),
    STATUS(108, ON_SCENE, A14),
    STATUS(112, ON_SCENE, L1),
    LOGIN(115, U_M5(AVAILABLE, "Alder General Hospital")),
    GROUP(118, "KILN ST", E3, L1, M2),
    EDIT(122, FIRE_AT(1, ATTIC_OPEN, E3, M2, L1, A14)),
    OTHER(124, "EVENT_PAGER_REBORN", {"addresses":["STATION-1","CHIEF"],"identIds":[C1],"nature":"Emergency",
          "body":"Second alarm, 31 Kiln Street, all off duty crews to Station 1"}),
    STATUS(128, BUSY, C1),
    NOTE(131, C_03, "20:19:30", "Dispatch", "Gas and power companies told"),

    /* A lost dog, which is nobody's emergency. */
    CALL911(136, E_04, false, "Mia Tran", "Heron Park", "2404", "Found a brown dog without a collar, very friendly"),
    OTHER(140, "EVENT_STREETSIGN_UPDATED", {"signData":{"ids":[14,15],"text1":"KILN ST CLOSED","text2":"USE MILL ROAD","text3":""}}),
    MOVES(144, U_S7(AVAILABLE, "Route 9 / Quay Street")),
    REMOVE911(149, E_04),
    MOVES(152, U_C1(ON_SCENE, "31 Kiln Street")),
    ATTACH(154, C_03, C1),
    NOTE(158, C_03, "20:25:15", "L-1", "Roof is open, water from above"),

    /* The pharmacy. */
    SILENT911(165, E_05, "Harbor Pharmacy, 6 Quay Street", "1042", "Hold-up button"),
    OPEN(169, ROBBERY(PENDING, 1, PHARMACY, NOBODY, )),
    ATTACH(172, C_04, S7, A11),
    REMOVE911(173, E_05),
    STATUS(174, EN_ROUTE, S7, A11),
    OTHER(176, "EVENT_TONE", {"url":"https://tones.example.net/alder/priority-1.mp3","playTonesTo":[
          {"type":3,"value":SHERIFF,"label":SHERIFF},{"type":3,"value":POLICE,"label":POLICE}]}),
    MOVES(181, U_S7(ON_SCENE, "Quay Street")),
    EDIT(184, ROBBERY(ACTIVE, 1, RUNNING, S7, S7, A11)),
    NOTE(187, C_04, "20:31:48", "5-S-7", "Two men, grey jackets, on foot to the fish market, one pistol seen"),
    ATTACH(190, C_04, K3, S9),
    STATUS(191, EN_ROUTE, K3, S9),
    STATUS(195, ON_SCENE, A11),
    MOVES(199, U_S7(ON_SCENE, "Fish Market, Pier 2")),
    OTHER(203, "EVENT_DISPATCH_TOGGLE_BODYCAM", {"ident":S7,"state":true}),
    PANIC(207, true, S7),
    NOTE(209, C_04, "20:34:55", "Dispatch", "Shots fired, all units to Pier 2, medic stands by at the ferry"),
    ATTACH(211, C_04, T20, M5),
    STATUS(212, EN_ROUTE, T20, M5),
    STATUS(216, ON_SCENE, S9),
    STATUS(220, ON_SCENE, K3),
    MOVES(224, U_A11(ON_SCENE, "Fish Market, Pier 2")),
    MOVES(229, U_T20(ON_SCENE, "Pier 2, gate")),

    /* Two who saw the same crash, while nobody is free. */
    CALL911(234, E_06, true, "Carla Huxley", "Route 9, north of the bridge", "3340", "A car is on its side, the driver does not move"),
    CALL911(239, E_07, true, "", "Route 9 bridge", "3340", "Accident, two cars, glass everywhere"),
    OPEN(243, CRASH(PENDING, NOBODY, )),
    PANIC(248, false, S7),
    NOTE(251, C_04, "20:41:20", "5-S-7", "I am fine, one in custody, second one got into a green hatchback"),
    REMOVE911(254, E_06, E_07),
    DETACH(257, C_04, M5),
    ATTACH(258, C_05, M5),
    STATUS(259, EN_ROUTE, M5),
    OTHER(263, "EVENT_RECORD_ADD", WANTED),
    DETACH(266, C_04, T20),
    ATTACH(267, C_05, T20),
    STATUS(268, EN_ROUTE, T20),
    EDIT(271, CRASH(ACTIVE, M5, M5, T20)),
    STATUS(276, ON_SCENE, T20),
    OTHER(280, "EVENT_STREETSIGN_UPDATED", {"signData":{"ids":[21],"text1":"CRASH AHEAD","text2":"LEFT LANE CLOSED","text3":""}}),
    MOVES(284, U_M5(ON_SCENE, "Route 9, north of the bridge")),
    NOTE(288, C_05, "20:48:05", "M-5", "One trapped, awake; one with cuts. Need the ladder crew to cut"),

    /* The fire goes down, the ladder goes on. */
    NOTE(293, C_03, "20:50:12", "E-3", "Knocked down, the dog is with its family"),
    DETACH(297, C_03, L1),
    ATTACH(298, C_05, L1),
    UNGROUP(299, "KILN ST", L1),
    STATUS(300, EN_ROUTE, L1),
    DETACH(305, C_03, M2),
    STATUS(306, AVAILABLE, M2),
    UNGROUP(307, "KILN ST", M2),
    MOVES(312, U_L1(ON_SCENE, "Route 9, north of the bridge")),

    /* An alarm that has to wait. */
    OPEN(318, ALARM(PENDING, NOBODY, )),
    CALL911(324, E_08, true, "Peter Lowe", "8 Orchard Lane", "2271", "My mother fell on the stairs, she cannot get up"),
    NOTE(329, C_05, "20:56:40", "L-1", "Driver is out, walks to the ambulance"),
    OPEN(333, FALL(ACTIVE, M2)),
    REMOVE911(334, E_08),
    STATUS(336, EN_ROUTE, M2),
    DETACH(340, C_03, A14),
    ATTACH(342, C_06, A14),
    STATUS(343, EN_ROUTE, A14),
    STATUS(348, BUSY, M5),
    MOVES(353, U_M2(ON_SCENE, "8 Orchard Lane")),
    CLOSE(358, C_05),
    STATUS(359, AVAILABLE, L1, T20),
    OTHER(362, "EVENT_STREETSIGN_UPDATED", {"signData":{"ids":[21],"text1":"","text2":"","text3":""}}),
    MOVES(366, U_A14(ON_SCENE, "77 Mill Road")),
    NOTE(371, C_06, "21:04:30", "2-A-14", "Back door open, a cat inside, owner comes"),

    /* The child. */
    CALL911(377, E_09, true, "Noor Haddad", "Playground at Heron Park", "2404", "My son is gone, six years old, he wears a yellow raincoat"),
    OPEN(381, CHILD(PENDING, NOBODY, )),
    REMOVE911(382, E_09),
    MOVES(385, U_T20(AVAILABLE, "Mill Road / Tanner's Lane")),
    NOTE(389, C_04, "21:08:11", "2-T-20", "Green hatchback stopped on Mill Road, second man in custody"),
    DETACH(393, C_04, K3, S9),
    ATTACH(394, C_08, K3, S9),
    STATUS(395, EN_ROUTE, K3, S9),
    OTHER(399, "EVENT_RECORD_REMOVE", WANTED),
    EDIT(402, CHILD(ACTIVE, K3, K3, S9)),
    CLOSE(406, C_06),
    STATUS(407, AVAILABLE, A14),
    STATUS(411, ON_SCENE, K3),
    ATTACH(415, C_08, A14),
    STATUS(416, EN_ROUTE, A14),
    STATUS(421, ON_SCENE, S9),
    CLOSE(426, C_04),
    STATUS(427, BUSY, S7, A11),
    NOTE(431, C_08, "21:15:26", "2-K-3", "Dog has a trail along the pond"),
    CALL911(436, E_10, false, "Anonymous", "Market Square", "1010", "Can you order me a pizza"),
    STATUS(441, ON_SCENE, A14),
    REMOVE911(445, E_10),
    NOTE(449, C_07, "21:18:02", "M-2", "Hip is broken, to Alder General"),
    MOVES(453, U_M5(AVAILABLE, "Alder General Hospital")),
    NOTE(459, C_08, "21:20:44", "2-K-3", "Found him in the boat house, cold and well"),
    CLOSE(468, C_08),
    STATUS(469, AVAILABLE, K3, S9, A14),
    STATUS(474, BUSY, M2),
    CLOSE(477, C_07),

    /* The last of the smoke, and home. */
    DETACH(486, C_03, C1),
    STATUS(487, UNAVAILABLE, C1),
    NOTE(494, C_03, "21:30:00", "E-3", "Fire is out, hand over to the owner, Engine 3 returns"),
    OTHER(499, "EVENT_STREETSIGN_UPDATED", {"signData":{"ids":[14,15],"text1":"","text2":"","text3":""}}),
    CLOSE(503, C_03),
    UNGROUP(505, "KILN ST", E3),
    MOVES(509, U_E3(AVAILABLE, "Fire Station 3")),
    MOVES(514, U_M2(AVAILABLE, "Fire Station 3")),
    STATUS(519, AVAILABLE, S7, A11),
    MOVES(525, U_L1(AVAILABLE, "Fire Station 1")),
    LOGOUT(532, C1),
    LOGOUT(538, S9),
    LOGOUT(543, A11),
    OTHER(548, "EVENT_PRINT_RECORD", {"identId":T20,"url":"https://files.example.net/pdf/shift-report.pdf"}),
    LOGOUT(555, T20),
    LOGOUT(560, S7),
    LOGOUT(565, K3),
    LOGOUT(570, A14),
    LOGOUT(575, M5),
    LOGOUT(580, L1),
    LOGOUT(585, M2),
    LOGOUT(590, E3),
    LOGOUT(598, D1),
};
/* clang-format on */

const size_t demo_shift_n = sizeof(demo_shift) / sizeof(demo_shift[0]);
