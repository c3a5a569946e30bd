/* test_config_actions.c - actions: what is read, printed and compared, hooks, references. Mistakes are fixtures of
 * test_config.c. */
#include <pthread.h>

#include <sonoran-pushd/actions.h>

#include "config_helpers.h"

#include "../../src/actions/discord.h"
#include "../../src/actions/exec.h"
#include "../../src/actions/forward.h"

#define COMMUNITY "communities: [ { api_key: \"SECRET-1\" } ]\n"
#define EXEC "name: \"a\", type: \"exec\", command: [ \"/bin/true\" ] "
#define FORWARD "name: \"a\", type: \"forward\", url: \"https://h/SECRET\" "
#define DISCORD "name: \"a\", type: \"discord\", url: \"https://h/SECRET\" "

/* ---- what is read and printed ---- */

static void assert_texts(char *const *texts, size_t n, const char *expected)
{
    struct text joined = TEXT_INIT;
    for (size_t i = 0; i < n; i++)
        text_addf(&joined, "%s|", texts[i]);
    assert_string_equal(joined.s, expected);
    text_free(&joined);
}

static void the_design(void **state)
{
    (void) state;
    struct config *config = must_load("actions.yaml");
    assert_int_equal(config->n_actions, 5);

    const struct config_action *panic = &config->actions[0], *siren = panic + 1, *bot = panic + 2;
    assert_string_equal(panic->name, "panic");
    assert_ptr_equal(panic->kind, &action_discord.kind);
    assert_string_equal(discord_settings(panic)->url, "https://discord.com/api/webhooks/1/SECRET-of-url");
    assert_texts(panic->events, panic->n_events, "EVENT_UNIT_PANIC|");
    assert_texts(panic->when, panic->n_when, "/isPanic = true|");
    assert_string_equal(discord_settings(panic)->message, "🚨 {summary}");
    assert_texts(discord_settings(panic)->mention_roles, discord_settings(panic)->n_mention_roles, "1234567890|");
    assert_int_equal(discord_settings(panic)->mention, DISCORD_MENTION_NONE);
    assert_int_equal(discord_settings(panic)->n_mention_users, 0);

    assert_ptr_equal(siren->kind, &action_exec.kind);
    assert_texts(exec_settings(siren)->command, exec_settings(siren)->n_command,
                 "/usr/local/bin/siren|--call|{/call/callId}|");
    assert_int_equal(siren->timeout_us, 20 * USEC_PER_SEC);

    assert_ptr_equal(bot->kind, &action_forward.kind);
    assert_string_equal(forward_settings(bot)->url, "http://127.0.0.1:4000/SECRET/event");
    assert_texts(bot->events, bot->n_events, "*|");
    assert_int_equal(forward_settings(bot)->body, FORWARD_BODY_RECORD);
    config_free(config);
}

static void defaults(void **state)
{
    (void) state;
    write_text("defaults", COMMUNITY "actions: [ { " FORWARD " } ]");
    struct config *config = must_load("defaults");
    const struct config_action *action = config->actions;
    assert_int_equal(action->n_events + action->n_when + action->n_communities + action->n_listeners, 0);
    assert_int_equal(action->timeout_us, 20 * USEC_PER_SEC);
    assert_int_equal(action->give_up_after_us, 3600 * USEC_PER_SEC);
    assert_int_equal(action->max_age_us, 0);
    assert_int_equal(action->parallel, 1);
    assert_int_equal(forward_settings(action)->body, FORWARD_BODY_ORIGINAL);
    assert_null(forward_settings(action)->api_key);
    assert_null(forward_settings(action)->signing_secret);
    config_free(config);
}

static void everything_given(void **state)
{
    (void) state;
    struct config *config = must_load("actions.yaml");
    const struct config_action *all = &config->actions[3], *thread = &config->actions[4];
    assert_string_equal(all->name, "all");
    assert_string_equal(forward_settings(all)->url, "https://[::1]:8443/?token=SECRET-3");
    assert_texts(all->events, all->n_events, "EVENT_911|EVENT_UNIT_*|");
    assert_texts(all->when, all->n_when, "/call/callId exists|/x != y|");
    assert_texts(all->communities, all->n_communities, "second|default|");
    assert_texts(all->listeners, all->n_listeners, "main|");
    assert_int_equal(all->timeout_us, 3600 * USEC_PER_SEC);
    assert_int_equal(all->give_up_after_us, 0);
    assert_int_equal(all->max_age_us, 600 * USEC_PER_SEC);
    assert_int_equal(all->parallel, 64);
    assert_int_equal(forward_settings(all)->body, FORWARD_BODY_ORIGINAL);
    assert_string_equal(forward_settings(all)->api_key, "SECRET-from-a-file");
    assert_string_equal(forward_settings(all)->signing_secret, "SECRET-4");
    assert_string_equal(discord_settings(thread)->username, "Dispatch \"1\"");
    assert_string_equal(discord_settings(thread)->thread_id, "42");
    assert_string_equal(discord_settings(thread)->avatar_url, "https://example.org/a.png");
    assert_int_equal(discord_settings(thread)->mention, DISCORD_MENTION_HERE);
    assert_texts(discord_settings(thread)->mention_users, discord_settings(thread)->n_mention_users, "7|8|");
    config_free(config);
}

static void printed_actions_load_again(void **state)
{
    (void) state;
    struct config *config = must_load("actions.yaml");
    char *printed = print(config), *found = strstr(printed, "actions:\n");
    assert_non_null(found);
    char *expected = read_text(path_of("actions.printed"));
    assert_string_equal(found, expected);

    char *with_urls = replace_all(expected, "url: \"(set)\"", "url: \"http://SECRET\"");
    char *with_all = replace_all(with_urls, "\"(set)\"", "\"SECRET-1\"");
    struct text text = TEXT_INIT;
    text_addf(&text, "communities: [ { name: \"default\", api_key: \"1\" }, { name: \"second\", api_key: \"2\" } ]\n%s",
              with_all);
    write_text("printed", text.s);
    assert_prints_alike("printed", "actions.yaml");
    text_free(&text);
    free(with_all);
    free(expected);
    free(with_urls);
    free(printed);
    config_free(config);

    config = must_load("actions-none.yaml");
    printed = print(config);
    assert_int_equal(config->n_actions, 0);
    assert_null(strstr(printed, "actions"));
    free(printed);
    config_free(config);
}

static void others_who_may_read_a_url(void **state)
{
    (void) state;
    write_text("key", "SECRET-1");
    write_text("url", "https://h/SECRET");
    write_text("open", "communities: [ { api_key_file: \"key\" } ]\nactions: [ { " FORWARD " } ]");
    write_text("beside", "communities: [ { api_key_file: \"key\" } ]\n"
                         "actions: [ { name: \"a\", type: \"discord\", url_file: \"url\" } ]");
    assert_int_equal(chmod(path_of("open"), 0660), 0);
    assert_int_equal(chmod(path_of("url"), 0620), 0);
    assert_lines("open", 0, "open:2:47: warning: this file holds a URL, and others may change it: chmod 640 open\n");
    assert_lines("beside", 0, "beside:2:52: warning: others may change url, which holds a URL: chmod 600 url\n");
}

/* ---- two configs ---- */

static struct config *load_action(const char *name, const char *options)
{
    struct text text = TEXT_INIT;
    text_addf(&text,
              "communities: [ { name: \"b\", api_key: \"SECRET-1\" }, { name: \"c\", api_key: \"SECRET-2\" } ]\n"
              "actions: [ { %s } ]",
              options);
    write_text(name, text.s);
    text_free(&text);
    return must_load(name);
}

static void assert_differ(const char *a, const char *b)
{
    struct config *x = load_action("x", a), *y = load_action("y", b), *again = must_load("x");
    assert_true(config_action_equal(x->actions, again->actions));
    if (config_action_equal(x->actions, y->actions))
        fail_msg("equal: %s and %s", a, b);
    assert_false(config_action_equal(y->actions, x->actions));
    assert_null(config_needs_restart(x, y));
    config_free(x);
    config_free(y);
    config_free(again);
}

static void every_option_counts(void **state)
{
    (void) state;
    assert_differ(EXEC, "name: \"b\", type: \"exec\", command: [ \"/bin/true\" ]");
    assert_differ(EXEC, "name: \"a\", type: \"exec\", command: [ \"/bin/false\" ]");
    assert_differ(EXEC, "name: \"a\", type: \"exec\", command: [ \"/bin/true\", \"\" ]");
    assert_differ(FORWARD, DISCORD);
    assert_differ(FORWARD, "name: \"a\", type: \"forward\", url: \"https://h/secret\"");
    assert_differ(FORWARD ", api_key: \"SECRET-a\"", FORWARD ", api_key: \"SECRET-A\"");

    static const char *const options[] = { "events: [ \"A\" ]",
                                           "events: [ \"B\" ]",
                                           "events: [ \"A\", \"B\" ]",
                                           "when: [ \"/a exists\" ]",
                                           "communities: [ \"b\" ]",
                                           "communities: [ \"b\", \"c\" ]",
                                           "communities: [ \"c\", \"b\" ]",
                                           "listeners: [ \"main\" ]",
                                           "timeout: \"21s\"",
                                           "give_up_after: \"2h\"",
                                           "max_age: \"1s\"",
                                           "parallel: 2" };
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        char with[256], other[256];
        snprintf(with, sizeof(with), EXEC ", %s", options[i]);
        snprintf(other, sizeof(other), EXEC ", %s", options[(i + 1) % ARRAY_SIZE(options)]);
        assert_differ(EXEC, with);
        assert_differ(with, other);
    }
    assert_differ(FORWARD, FORWARD ", body: \"record\"");
    assert_differ(FORWARD, FORWARD ", api_key: \"SECRET\"");
    assert_differ(FORWARD, FORWARD ", signing_secret: \"SECRET\"");
    assert_differ(DISCORD, DISCORD ", message: \"\"");
    assert_differ(DISCORD, DISCORD ", username: \"x\"");
    assert_differ(DISCORD, DISCORD ", avatar_url: \"x\"");
    assert_differ(DISCORD, DISCORD ", thread_id: \"1\"");
    assert_differ(DISCORD, DISCORD ", mention_roles: [ \"1\" ]");
    assert_differ(DISCORD, DISCORD ", mention_users: [ \"1\" ]");
    assert_differ(DISCORD, DISCORD ", mention: \"here\"");
}

static void written_otherwise_is_the_same(void **state)
{
    (void) state;
    write_text("same-url", "https://h/SECRET\n");
    struct config *x = load_action("x", FORWARD);
    struct config *y =
        load_action("y", "url_file: \"same-url\", parallel: 1, timeout: \"20000ms\", give_up_after: \"60min\", "
                         "body: \"original\", type: \"forward\", name: \"a\"");
    assert_true(config_action_equal(x->actions, y->actions));
    config_free(x);
    config_free(y);
}

/* ---- references ---- */

static void *use_references(void *config)
{
    for (int i = 0; i < 10000; i++)
        config_free(config_ref(config));
    return NULL;
}

static void the_last_reference_frees(void **state)
{
    (void) state;
    struct config *config = must_load("actions.yaml");
    const struct config_action *action = &config->actions[1];
    assert_ptr_equal(config_ref(config), config);
    assert_int_equal(config->references, 2);
    assert_null(config_free(config));
    assert_string_equal(action->name, "siren"); /* the sanitizer watches */

    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_references, config), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(config->references, 1);
    assert_string_equal(exec_settings(action)->command[0], "/usr/local/bin/siren");
    assert_null(config_free(config));
    assert_null(config_free(NULL));
}

/* ---- hooks ---- */

static struct text seen = TEXT_INIT;

static void see(const struct config *config, const struct config_action *action, config_complain *complain,
                void *context)
{
    text_addf(&seen, "%zu/%zu:%s ", config->n_communities, config->n_listeners, action->name);
    if (strcmp(action->name, "quiet") == 0)
        return;
    if (action->kind == &action_exec.kind) {
        complain(context, "command", "expected a program that is there");
        complain(context, "when", "expected \x1b[31m a pointer");
        complain(context, "timeout", "expected more");
    } else {
        complain(context, "url", "expected a host that is there");
        complain(context, "signing_secret", "expected a long one");
    }
}

static void assert_hooked(const char *text, int expected_r, const char *expected_seen, const char *expected)
{
    static const struct config_hooks hooks = { .check_action = see };
    struct config_problems problems;
    struct config *config = NULL;
    write_text("hooked", text);
    int r = config_load(path_of("hooked"), &daemon_schema, &hooks, &config, &problems);

    struct text lines = TEXT_INIT;
    for (size_t i = 0; i < problems.n_lines; i++)
        text_addf(&lines, "%s\n", problems.lines[i] + strlen(top) + 1);
    assert_string_equal(lines.s, expected);
    assert_string_equal(seen.s, expected_seen);
    assert_int_equal(r, expected_r);
    text_free(&lines);
    text_free(&seen);
    config_problems_free(&problems);
    config_free(config);
}

static void hooks_complain_where_the_option_stands(void **state)
{
    (void) state;
    assert_hooked(COMMUNITY "actions: [\n"
                            "  { name: \"a\", type: \"exec\",\n"
                            "    when: [ \"x\" ],\n"
                            "    command: [ \"/x\" ] },\n"
                            "  { name: \"b\", type: \"forward\",\n"
                            "    signing_secret: \"SECRET-2\",\n"
                            "    url: \"http://SECRET-3\" },\n"
                            "\n"
                            "  { type: \"forward\", name: \"c\",\n"
                            "    url_file: \"url-good\" },\n"
                            "  { name: \"quiet\", type: \"exec\", command: [ \"/x\" ] } ]",
                  -EINVAL, "1/1:a 1/1:b 1/1:c 1/1:quiet ",
                  "hooked:3:3: actions[0].timeout: expected more\n"
                  "hooked:4:11: actions[0].when = [ … ]: expected \\x1b[31m a pointer\n"
                  "hooked:5:14: actions[0].command = [ … ]: expected a program that is there\n"
                  "hooked:7:21: actions[1].signing_secret: expected a long one\n"
                  "hooked:8:10: actions[1].url: expected a host that is there\n"
                  "hooked:10:3: actions[2].signing_secret: expected a long one\n"
                  "hooked:11:15: actions[2].url_file = \"url-good\": expected a host that is there\n");
    assert_hooked(COMMUNITY "actions: [ { name: \"quiet\", type: \"exec\", command: [ \"/x\" ] } ]", 0, "1/1:quiet ",
                  "");
    assert_hooked(COMMUNITY, 0, "", "");
}

static void hooks_see_sound_actions_only(void **state)
{
    (void) state;
    assert_hooked(COMMUNITY "actions: [\n"
                            "{ name: \"wrong\", type: \"exec\", command: [ \"x\" ] },\n"
                            "{ name: \"missing\", type: \"exec\" },\n"
                            "{ name: \"unknown\", type: \"exec\", command: [ \"/x\" ], communities: [ \"y\" ] },\n"
                            "{ name: \"other\", type: \"exec\", command: [ \"/x\" ], body: \"record\" },\n"
                            "5,\n"
                            "{ name: \"quiet\", type: \"exec\", command: [ \"/x\" ] } ]\n"
                            "unknown_types: \"perhaps\"",
                  -EINVAL, "1/1:quiet ",
                  "hooked:3:43: actions[0].command[0] = \"x\": expected the absolute path of a program, such as "
                  "/usr/local/bin/siren\n"
                  "hooked:4:1: actions[1].command: missing, expected a list: [ …, … ]\n"
                  "hooked:5:68: actions[2].communities[0] = \"y\": unknown community\n"
                  "hooked:6:57: actions[3].body = \"record\": only for type: forward\n"
                  "hooked:7:1: actions[4]: expected options, such as name: …\n"
                  "hooked:9:16: unknown_types = \"perhaps\": expected one of reject accept\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_design),
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything_given),
        cmocka_unit_test(printed_actions_load_again),
        cmocka_unit_test(others_who_may_read_a_url),
        cmocka_unit_test(every_option_counts),
        cmocka_unit_test(written_otherwise_is_the_same),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(hooks_complain_where_the_option_stands),
        cmocka_unit_test(hooks_see_sound_actions_only),
    };
    return cmocka_run_group_tests_name("config actions", tests, copy_fixtures, remove_fixtures);
}
