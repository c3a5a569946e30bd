/* test_doubts.c - actions that are sound and hardly do what was meant: what is said of them, once for each kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/text.h>

#include "../../src/actions/discord.h"
#include "../../src/actions/exec.h"

static struct text said = TEXT_INIT;

static void hear(void *context, const char *option, const char *sentence)
{
    assert_ptr_equal(context, &said);
    text_addf(&said, "%s: %s\n", option, sentence);
}

static void assert_said(const char *expected)
{
    assert_string_equal(said.s, expected);
    text_reset(&said);
}

/* ---- conditions ---- */

static void assert_condition(const char *condition, const char *expected)
{
    char *when[] = { (char *) (uintptr_t) condition };
    const struct config_action config = { .when = when, .n_when = 1 };
    filter_doubt(&config, &families_all, hear, &said);
    assert_said(expected);
}

static void conditions(void **state)
{
    (void) state;
    assert_condition("/x = None",
                     "when: \"/x = None\" takes the value for a text, which JSON's null is not: write null, "
                     "in small letters\n");
    assert_condition("/units/*/status = 3",
                     "when: \"/units/*/status = 3\" never holds: a pointer has no * and no [ ], the "
                     "first of a list is /0, as in /units/0/status\n");
    assert_condition("/units[0]/status = 3",
                     "when: \"/units[0]/status = 3\" never holds: a pointer has no * and no [ ], "
                     "the first of a list is /0, as in /units/0/status\n");
    assert_condition(
        "/data/call/callId exists",
        "when: \"/data/call/callId exists\" never holds: pointers begin inside data, as in /call/callId\n");
    static const char *const plausible[] = { "/isPanic = true", "/x = True",           "/x = null", "/x = Truely",
                                             "/x ~ T*",         "/units/0/status = 3", "/a*b = 1",  "/x > True",
                                             "/data = 1",       "/database/x = 1",     "/x = \"\"", "not one",
                                             "/x exists" };
    for (size_t i = 0; i < ARRAY_SIZE(plausible); i++)
        assert_condition(plausible[i], "");
}

static void assert_on(const char *event, const char *condition, const char *expected)
{
    char *events[] = { (char *) (uintptr_t) event }, *when[] = { (char *) (uintptr_t) condition };
    const struct config_action config = { .events = events, .n_events = 1, .when = when, .n_when = 1 };
    filter_doubt(&config, &families_all, hear, &said);
    assert_said(expected);
}

static void conditions_on_facts(void **state)
{
    (void) state;
    assert_on("EVENT_UNIT_PANIC", "emergency = true",
              "when: \"emergency = true\" never holds: no event of this action has that fact, which EVENT_911 has\n");
    assert_on("EVENT_REMOVE_911", "caller != x",
              "when: \"caller != x\" always holds: no event of this action has that fact, which EVENT_911 has\n");
    assert_on(
        "EVENT_UNIT_PANIC", "origin = caller",
        "when: \"origin = caller\" never holds: no event of this action has that fact, which EVENT_DISPATCH_NEW has\n");
    assert_on("EVENT_911", "emergency = maybe",
              "when: \"emergency = maybe\" never holds: emergency is true or false\n");
    assert_on("EVENT_911", "emergency > 0", "when: \"emergency > 0\" never holds: emergency is true or false\n");
    assert_on("EVENT_DISPATCH_*", "priority < high", "when: \"priority < high\" never holds: priority is a number\n");
    assert_on("EVENT_UNIT_STATUS", "status = on scen",
              "when: \"status = on scen\" never holds unless the CAD sends just that: status is a number, or one of "
              "unavailable, busy, available, en route, on scene, offline\n");
    static const char *const plausible[] = {
        "status = 12",     "status = ON_SCENE", "status ~ on*",    "status exists",    "panic = no",    "unit = 3-L-27",
        "dispatchers = 0", "level <= 4",        "unit.name ~ *x*", "community = city", "panic = \"1\"", "status != busy"
    };
    for (size_t i = 0; i < ARRAY_SIZE(plausible); i++)
        assert_on("EVENT_UNIT_STATUS", plausible[i], "");
    assert_on("MY_OWN", "dispatchers = 0", "");
    assert_condition("caller = x", "");
    assert_condition("emergancy = x", ""); /* a mistake, told as one */
}

static void assert_advised(const char *event, const char *condition, const char *expected)
{
    char *events[] = { (char *) (uintptr_t) event }, *when[] = { (char *) (uintptr_t) condition };
    const struct config_action config = { .events = events, .n_events = 1, .when = when, .n_when = 1 };
    filter_advise(&config, &families_all, hear, &said);
    assert_said(expected);
}

#define ALL_FORMS(condition, fact)                                                                                     \
    "when: \"" condition "\" knows one of the forms in which the CAD sends this; the fact " fact " knows all of "      \
    "them\n"

static void pointers_to_facts(void **state)
{
    (void) state;
    assert_advised("EVENT_UNIT_PANIC", "/isPanic = true", ALL_FORMS("/isPanic = true", "panic"));
    assert_advised("EVENT_911", "/call/isEmergency = true", ALL_FORMS("/call/isEmergency = true", "emergency"));
    assert_advised("EVENT_UNIT_STATUS", "/units/0/status = 3", ALL_FORMS("/units/0/status = 3", "status"));
    assert_advised("EVENT_DISPATCH_*", "/dispatch/callId exists", ALL_FORMS("/dispatch/callId exists", "call"));
    assert_advised("EVENT_UNIT_PANIC", "/mine = true", "");
    assert_advised("EVENT_UNIT_PANIC", "panic = true", "");
    assert_advised("MY_OWN", "/isPanic = true", "");
}

static void conditions_against_each_other(void **state)
{
    (void) state;
    const char *rows[][2] = { { "/status = 3", "/status = 4" }, { "/status = 3", "/status = 3" },
                              { "/status = 3", "/other = 4" },  { "/status = 3", "/status != 4" },
                              { "/status > 3", "/status < 9" }, { "unit = 3", "unit = 4" },
                              { "status = 3", "status = busy" } };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *when[2];
        memcpy(when, rows[i], sizeof(when));
        const struct config_action config = { .when = when, .n_when = 2 };
        filter_doubt(&config, &families_all, hear, &said);
        assert_said(i ? "" : "when: two conditions want different values of the same member, and all have to hold\n");
    }
}

/* ---- programs ---- */

#define OPTION(argument)                                                                                               \
    "command: the program may take what players write for an option: put \"--\" before \"" argument                    \
    "\", or --NAME= into the same argument\n"
#define SCRIPT "command: what players write becomes part of a script: give it as arguments behind the script\n"

#define LETTERS                                                                                                        \
    "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"     \
    "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"

static void commands(void **state)
{
    (void) state;
    static const struct {
        const char *words[8];
        const char *expected;
    } rows[] = {
        { { "/usr/bin/head", "-n1", "{/call/location}" }, OPTION("{/call/location}") },
        { { "/x", "--call", "{/call/callId}", "{summary}" }, OPTION("{/call/callId}") },
        { { "/x", "{summary}", "--" }, OPTION("{summary}") },
        { { "/x", "{summary}" LETTERS LETTERS LETTERS }, OPTION("{summary}" LETTERS LETTERS "\u00e9…") },
        { { "/x", "-n1", "--", "{/call/location}" }, "" },
        { { "/x", "--call={/call/callId}", "at {summary}" }, "" },
        { { "/x", "{id}", "{time}", "{type}", "{community}", "{calls}", "{{" }, "" },
        { { "/bin/sh", "-c", "echo {/call/location}" }, SCRIPT },
        { { "/bin/bash", "-ec", "echo \"{summary}\"", "siren" }, SCRIPT },
        { { "/usr/bin/python3", "-c", "print('{/x}')" }, SCRIPT },
        { { "/bin/sh", "-c", "echo \"$1\"", "siren", "{/call/location}" }, "" },
        { { "/bin/sh", "-c", "{summary}", "siren" }, SCRIPT },
        { { "/bin/sh", "/etc/siren", "{/call/location}" }, OPTION("{/call/location}") },
        { { "/bin/sh", "-c" }, "" },
        { { "/x", "--call={{callId}}" },
          "command: {{callId}} is written as it stands, {callId}, because {{ is a brace: one { and one } make a "
          "placeholder, such as {call911}\n" },
        { { "/x", "--call={/data/call/callId}" },
          "command: {/data/call/callId} is always empty: pointers begin inside data, {/call/callId}\n" },
        { { "/x", "--json={{\"a\": 1}" }, "" },
        { { "/x", "{call}", "{level}", "{unit.id}", "{emergency}" }, "" },
        { { "/x", "{caller}" }, OPTION("{caller}") },
        { { "/bin/sh", "-c", "echo {unit}", "siren" }, SCRIPT },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *words[8];
        memcpy(words, rows[i].words, sizeof(words));
        struct exec_settings settings = { .command = words };
        const struct config_action config = { .settings = &settings };
        while (settings.n_command < 8 && rows[i].words[settings.n_command])
            settings.n_command++;
        action_exec.doubt(&config, &families_all, hear, &said);
        assert_said(rows[i].expected);
    }
}

/* ---- messages ---- */

static void messages(void **state)
{
    (void) state;
    static char first[] = "77", second[] = "123456789012345678", *roles[] = { first, second };
    static char user[] = "88", *users[] = { user };
    static const struct {
        const char *message, *expected;
    } rows[] = {
        { NULL, "" },
        { "", "" },
        { "🚨 {summary}", "" },
        { "@here {summary}", "message: @here pings nobody: write mention: here\n" },
        { "hey @everyone", "message: @everyone pings nobody: mention: here and mention_roles do\n" },
        { "<@42>", "message: <@42> pings nobody: write mention_users: [ 42 ]\n" },
        { "<@!42>", "message: <@!42> pings nobody: write mention_users: [ 42 ]\n" },
        { "<@&42> @here", "message: <@&42> pings nobody: write mention_roles: [ 42 ]\n" },
        { "<@&77> {summary}", "" },
        { "<@88> and <@!88>, <@77>", "message: <@77> pings nobody: write mention_users: [ 77 ]\n" },
        { "<@&77> and <@&123456789012345678>, <@&7>", "message: <@&7> pings nobody: write mention_roles: [ 7 ]\n" },
        { "@Dispatch dispatch@example.org <@x> <@&> <@ @", "" },
        { "call {{/call/callId}}",
          "message: {{/call/callId}} is written as it stands, {/call/callId}, because {{ is a brace: one { and one } "
          "make a placeholder, such as {call911}\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct discord_settings settings = { .message = (char *) (uintptr_t) rows[i].message,
                                             .mention_roles = roles,
                                             .n_mention_roles = ARRAY_SIZE(roles),
                                             .mention_users = users,
                                             .n_mention_users = ARRAY_SIZE(users) };
        const struct config_action config = { .settings = &settings };
        action_discord.doubt(&config, &families_all, hear, &said);
        assert_said(rows[i].expected);
    }
}

static void message_with_here(void **state)
{
    static char message[] = "@here {summary}", both[] = "@here @everyone";
    struct discord_settings settings = { .mention = DISCORD_MENTION_HERE, .message = message };
    const struct config_action config = { .settings = &settings };
    (void) state;
    action_discord.doubt(&config, &families_all, hear, &said);
    assert_said("");
    settings.message = both;
    action_discord.doubt(&config, &families_all, hear, &said);
    assert_said("message: @everyone pings nobody: mention: here and mention_roles do\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions),        cmocka_unit_test(conditions_on_facts),
        cmocka_unit_test(pointers_to_facts), cmocka_unit_test(conditions_against_each_other),
        cmocka_unit_test(commands),          cmocka_unit_test(messages),
        cmocka_unit_test(message_with_here),
    };
    return cmocka_run_group_tests_name("doubts", tests, NULL, NULL);
}
