/* test_config_sections.c - parts of the file that come with the schema: a group, and a list of groups. */
#include <sonoran-pushd/actions.h>

#include "config_helpers.h"

#define COMMUNITIES "communities:\n  - { name: east, api_key: SECRET-1 }\n  - { name: west, api_key: SECRET-2 }\n"

/* ---- two parts ---- */

struct bell {
    char *tune;
    uint64_t pause_us;
    char **pupils;
    size_t n_pupils;
};

CONFIG_ASSERT_LIST(struct bell, pupils);

#define BELL(member) .group = "bell", CONFIG_MEMBER(struct bell, member)

static const struct config_option bell_options[] = {
    { BELL(tune), .name = "tune", .type = CONFIG_TEXT, .fallback = "ding dong", .help = "What it plays." },
    { BELL(pause_us), .name = "pause", .type = CONFIG_DURATION, .fallback = "2s", .max = 60 * USEC_PER_SEC,
      .help = "How long it waits." },
    { .group = "bell",
      CONFIG_MEMBERS(struct bell, pupils),
      .name = "pupils",
      .type = CONFIG_NAME,
      .help = "Who listens." },
};

static void check_bell(const struct config *config, const void *settings, config_complain *complain, void *context)
{
    const struct bell *bell = settings;
    if (config->n_communities > 1 && !bell->pause_us)
        complain(context, "pause", "expected some time, for communities after the first");
    if (bell->n_pupils > 1)
        config_warn(context, "pupils[1]", "hears badly");
}

static const struct config_section bell_section = { .group = "bell",
                                                    .options = bell_options,
                                                    .n_options = ARRAY_SIZE(bell_options),
                                                    .settings_size = sizeof(struct bell),
                                                    .check = check_bell };

struct room {
    char *name;
    char *community;
    char *password;
};

#define ROOM(member) .group = "rooms[]", CONFIG_MEMBER(struct room, member)

static const struct config_option room_options[] = {
    { ROOM(name), .name = "name", .type = CONFIG_NAME, .required = true, .unique = true, .help = "Which." },
    { ROOM(community), .name = "community", .type = CONFIG_NAME, .names = CONFIG_COMMUNITY, .fallback = "east",
      .help = "Whose." },
    { ROOM(password), .name = "password", .type = CONFIG_SECRET, .required = true, .help = "Of the door." },
    { ROOM(password), .name = "password_file", .type = CONFIG_FILE, .help = "A file with it." },
};

static const struct config_section rooms_section = { .group = "rooms[]",
                                                     .one = "room",
                                                     .options = room_options,
                                                     .n_options = ARRAY_SIZE(room_options),
                                                     .settings_size = sizeof(struct room) };
static const struct config_section none;

static const struct config_section *const sections[] = { &none, &bell_section, &rooms_section };

/* ---- reading ---- */

static struct config *load_text(const char *text)
{
    char whole[1024];
    snprintf(whole, sizeof(whole), COMMUNITIES "%s", text);
    write_text("sections", whole);
    return must_load("sections");
}

static void assert_mistakes(const char *text, const char *expected)
{
    char whole[1024];
    snprintf(whole, sizeof(whole), COMMUNITIES "%s", text);
    write_text("sections", whole);
    assert_lines("sections", -EINVAL, expected);
}

static void assert_prints(const char *text, const char *expected)
{
    struct config *config = load_text(text);
    char *printed = print(config);
    const char *found = strstr(printed, *expected ? expected : "limits:");
    assert_non_null(found);
    assert_true(*expected || (!strstr(printed, "bell:") && !strstr(printed, "rooms:")));
    free(printed);
    config_free(config);
}

static void absent(void **state)
{
    struct config *config = load_text("bell:\n  # tune: none\nrooms:\n");
    (void) state;
    assert_int_equal(config_section_get(config, &bell_section).n_elements, 0);
    assert_int_equal(config_section_get(config, &rooms_section).n_elements, 0);
    assert_int_equal(config_section_get(config, &none).n_elements, 0);
    config_free(config);
    assert_prints("", "");
}

static void a_group(void **state)
{
    (void) state;
    struct config *config = load_text("bell: { }\n");
    struct config_settings settings = config_section_get(config, &bell_section);
    const struct bell *bell = settings.elements;
    assert_int_equal(settings.n_elements, 1);
    assert_string_equal(bell->tune, "ding dong");
    assert_int_equal(bell->pause_us, 2 * USEC_PER_SEC);
    assert_null(bell->pupils);
    config_free(config);

    config = load_text("bell: { tune: no, pause: 5s, pupils: [ ann ] }\n");
    bell = config_section_get(config, &bell_section).elements;
    assert_string_equal(bell->tune, "no");
    assert_int_equal(bell->pause_us, 5 * USEC_PER_SEC);
    assert_int_equal(bell->n_pupils, 1);
    assert_string_equal(bell->pupils[0], "ann");
    config_free(config);
    assert_prints("bell: { pause: 5s }\n", "\nbell:\n  tune: \"ding dong\"\n  pause: 5s\n");
}

static void a_list(void **state)
{
    (void) state;
    write_text("door", "SECRET-3\n");
    struct config *config = load_text("rooms:\n- { name: a, password: SECRET-4 }\n"
                                      "- { name: b, community: west, password_file: door }\n");
    struct config_settings settings = config_section_get(config, &rooms_section);
    const struct room *rooms = settings.elements;
    assert_int_equal(settings.n_elements, 2);
    assert_string_equal(rooms[0].community, "east");
    assert_string_equal(rooms[0].password, "SECRET-4");
    assert_string_equal(rooms[1].community, "west");
    assert_string_equal(rooms[1].password, "SECRET-3");
    config_free(config);
    assert_prints("rooms:\n- { name: b, password_file: door }\n- { name: a, password: SECRET-4 }\n",
                  "\nrooms:\n  - name: \"b\"\n    community: \"east\"\n    password_file: \"door\"\n"
                  "  - name: \"a\"\n    community: \"east\"\n    password: \"(set)\"\n");
}

/* They are ways in, as listeners are. */
static void an_action_names_it(void **state)
{
    (void) state;
    config_free(load_text("rooms: [ { name: a, password: SECRET-4 } ]\n"
                          "actions: [ { name: x, type: exec, command: [ /bin/true ], listeners: [ main, a ] } ]\n"));
    assert_mistakes("rooms: [ { name: kitchen, password: SECRET-4 } ]\n"
                    "actions: [ { name: x, type: exec, command: [ /bin/true ], listeners: [ kitchne ] } ]\n",
                    "sections:5:72: actions[0].listeners[0] = kitchne: unknown listener, did you mean kitchen?\n");
}

/* ---- mistakes ---- */

static void mistakes(void **state)
{
    (void) state;
    assert_mistakes("bell:\n  tun: a\n", "sections:5:3: bell.tun: unknown option, did you mean tune?\n");
    assert_mistakes("bells:\n  tune: a\n", "sections:4:1: bells: unknown option, did you mean bell?\n");
    assert_mistakes("room: []\n", "sections:4:1: room: unknown option, did you mean rooms?\n");
    assert_mistakes("tune: a\n", "sections:4:1: tune: unknown option, did you mean bell.tune?\n");
    assert_mistakes("bell: loud\n", "sections:4:7: bell = loud: expected its options on lines below it, such as \"  "
                                    "tune: …\"\n");
    assert_mistakes("bell: { pause: 61s }\n",
                    "sections:4:16: bell.pause = 61s: expected a duration such as 30s or 10min, from 0s to 1min\n");
    assert_mistakes("bell: { pause: 1s, pause: 2s }\n",
                    "sections:4:20: bell.pause: line 4 has it already, expected it once\n");
    assert_mistakes("bell: { pause: 0s }\n",
                    "sections:4:16: bell.pause = 0s: expected some time, for communities after the first\n");
    assert_mistakes("rooms: { }\n", "sections:4:8: rooms: expected a list, \"- name: …\" for each room\n");
    assert_mistakes("rooms:\n- { name: a }\n", "sections:5:3: rooms[0].password: missing, expected password_file or "
                                               "password\n");
    assert_mistakes("rooms:\n- { name: a, password: SECRET-3 }\n- { name: a, password: SECRET-3 }\n",
                    "sections:6:11: rooms[1].name = a: expected a name of its own, rooms[0] has it already\n");
    assert_mistakes("rooms:\n- { name: a, password: SECRET-3, community: wests }\n",
                    "sections:5:45: rooms[0].community = wests: unknown community, did you mean west?\n");
}

/* With the line, and a caret under the place: a mistake of the syntax, and a blank that is missing. */
static void carets(void **state)
{
    (void) state;
    assert_mistakes("bell:\n  tune ding\n  pause: 2s\n",
                    "sections:5:3: a colon is missing here: expected tune: ding\n      tune …\n      ^\n");
    assert_mistakes("bell:\n  pause: 2s\n  tune:ding\n",
                    "sections:6:3: a blank is missing behind the colon: expected tune: ding\n      tune:…\n      ^\n");
}

static void warnings(void **state)
{
    int r;
    (void) state;
    write_text("sections", COMMUNITIES "bell: { pupils: [ ann, bob ] }\n");
    char *lines = load("sections", &r, NULL);
    assert_int_equal(r, 0);
    assert_string_equal(lines, "sections:4:24: warning: bell.pupils[1]: hears badly\n");
    free(lines);
}

/* ---- the rows ---- */

static void all_options(void **state)
{
    size_t n = 0, n_of_sections = 0;
    (void) state;
    for (const struct config_option *option; (option = config_schema_option(schema, n)); n++)
        n_of_sections += strcmp(option->group, "bell") == 0 || strcmp(option->group, "rooms[]") == 0;
    assert_int_equal(n_of_sections, ARRAY_SIZE(bell_options) + ARRAY_SIZE(room_options));
}

int main(void)
{
    struct config_schema with_sections = daemon_schema;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent),   cmocka_unit_test(a_group),
        cmocka_unit_test(a_list),   cmocka_unit_test(an_action_names_it),
        cmocka_unit_test(mistakes), cmocka_unit_test(carets),
        cmocka_unit_test(warnings), cmocka_unit_test(all_options),
    };
    with_sections.sections = sections;
    with_sections.n_sections = ARRAY_SIZE(sections);
    schema = &with_sections;
    return cmocka_run_group_tests_name("config_sections", tests, copy_fixtures, remove_fixtures);
}
