/* test_discord.c - events as messages for Discord: the files of fixtures/actions/discord say what comes of
 * representative and of hostile ones, and every sample keeps the rules of discord_checks.h. fixtures/update writes the
 * expectations anew, for a person to look through. */
#include "discord_hear.h"

static struct cases cases;

/* ---- the cases ---- */

struct hearing {
    struct discord_settings settings;
    char *roles[DISCORD_MENTIONS_MAX], *users[DISCORD_MENTIONS_MAX];
    cJSON *came;
};

static void read_config(const cJSON *item, struct hearing *hearing)
{
    const cJSON *id;
    hearing->settings =
        (struct discord_settings){ .message = cJSON_GetStringValue(json_get(item, "message")),
                                   .username = cJSON_GetStringValue(json_get(item, "username")),
                                   .avatar_url = cJSON_GetStringValue(json_get(item, "avatar_url")),
                                   .mention = json_get(item, "mention") ? DISCORD_MENTION_HERE : DISCORD_MENTION_NONE,
                                   .mention_roles = hearing->roles,
                                   .mention_users = hearing->users };
    cJSON_ArrayForEach (id, json_get(item, "mention_roles"))
        hearing->roles[hearing->settings.n_mention_roles++] = id->valuestring;
    cJSON_ArrayForEach (id, json_get(item, "mention_users"))
        hearing->users[hearing->settings.n_mention_users++] = id->valuestring;
}

static void render(const struct event *event, const struct description *description, void *context)
{
    struct hearing *hearing = context;
    cJSON *known = cJSON_Parse(description->known.s);
    const struct action_record record = { .event = event, .description = description, .known = known };
    struct action_payload payload = ACTION_PAYLOAD_INIT, again = ACTION_PAYLOAD_INIT;
    const struct config_action config = { .settings = &hearing->settings };
    struct err err;

    assert_int_equal(discord_render(&config, &record, &payload, &err), 0);
    assert_int_equal(discord_render(&config, &record, &again, &err), 0);
    assert_string_equal(payload.body.s, again.body.s);
    assert_int_equal(payload.event_id, event->id);
    assert_string_equal(payload.words.v[0], "Content-Type: application/json");
    assert_null(strstr(payload.body.s, KEY));
    check_message(payload.body.s, &hearing->settings);
    if (hearing->came)
        cJSON_AddItemToArray(hearing->came, cJSON_Parse(payload.body.s));
    action_payload_free(&payload);
    action_payload_free(&again);
    cJSON_Delete(known);
}

static void test_case(void **state)
{
    const cJSON *fixture = *state, *before;
    struct state *cad = state_new();
    struct hearing hearing = { .came = cJSON_CreateArray() };

    cJSON_ArrayForEach (before, json_get(fixture, "before")) {
        char *body = body_of(before);
        assert_true(hear(body, cad, NULL, NULL) > 0);
        free(body);
    }
    read_config(json_get(fixture, "config"), &hearing);
    char *body = body_of(fixture);
    assert_true(hear(body, cad, render, &hearing) > 0);
    free(body);
    state_free(cad);

    case_check(fixture, hearing.came);
}

/* ---- every sample ---- */

static void test_samples_keep_the_rules(void **state)
{
    static char role[] = "81384788765712384", message[] = "{summary} {/call/description}{/record/name}";
    struct hearing plain = { 0 }, talking = { .settings = { .message = message, .n_mention_roles = 1 } };
    size_t n_files_seen = 0, n_events = 0;
    (void) state;

    talking.roles[0] = role;
    talking.settings.mention_roles = talking.roles;
    DIR *folder = opendir(FIXTURES "/samples");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        char *body = read_file("samples", entry->d_name);
        struct state *cad = state_new();
        n_files_seen++;
        n_events += hear(body, cad, render, &plain) > 0;
        hear(body, cad, render, &talking);
        state_free(cad);
        free(body);
    }
    closedir(folder);
    assert_int_equal(n_files_seen, 111);
    assert_int_equal(n_events, 106); /* the others have no key, a wrong one, or no type */
}

/* ---- the table ---- */

/* Every name is that of a fact, and a row without fields has words to show. */
static void check_names(const struct event_type *type, const char *names)
{
    for (const char *name = names; name && *name; name += strspn(name, " ")) {
        struct span span = { name, strcspn(name, " ") };
        if (!facts_find(type, span))
            fail_msg("%s has no fact %.*s", type->name, (int) span.size, name);
        name += span.size;
    }
}

static void check_layout(const struct event_type *type, const struct layout *layout)
{
    assert_true(layout->title || layout->title_of);
    assert_in_range(layout->colour, 1, 0xffffff);
    check_names(type, layout->id);
    check_names(type, layout->name);
    check_names(type, layout->author);
    check_names(type, layout->text);
    check_names(type, layout->hides);
    check_names(type, layout->shade);
}

static void test_every_type_has_a_layout(void **state)
{
    size_t n = 0;
    (void) state;
    for (size_t i = 0; i < families_all.n; i++)
        for (size_t k = 0; k < families_all.list[i]->n_types; k++, n++) {
            const struct event_type *type = &families_all.list[i]->types[k];
            const struct event event = { .type = type->name, .handler = type, .community = "default" };
            const struct description description = DESCRIPTION_INIT;
            const struct action_record record = { .event = &event, .description = &description };
            check_layout(type, discord_layout(&record));
        }
    assert_int_equal(n, 31);
}

/* ---- what does not fit into a fixture ---- */

static void hear_printed(cJSON *root, struct hearing *hearing)
{
    cJSON_AddStringToObject(root, "key", KEY);
    char *body = cJSON_PrintUnformatted(root);
    struct state *cad = state_new();
    hearing->came = cJSON_CreateArray();
    assert_int_equal(hear(body, cad, render, hearing), 1);
    state_free(cad);
    free(body);
    cJSON_Delete(root);
}

static const cJSON *embed_of(const struct hearing *hearing)
{
    return cJSON_GetArrayItem(json_get(cJSON_GetArrayItem(hearing->came, 0), "embeds"), 0);
}

static char *repeat(const char *piece, size_t n)
{
    struct text text = TEXT_INIT;
    for (size_t i = 0; i < n; i++)
        text_add(&text, piece);
    return text.s;
}

static cJSON *call_with(const char *description)
{
    cJSON *root = cJSON_CreateObject(), *call;
    cJSON_AddStringToObject(root, "type", "EVENT_911");
    call = cJSON_AddObjectToObject(cJSON_AddObjectToObject(root, "data"), "call");
    cJSON_AddNumberToObject(call, "callId", 1);
    cJSON_AddStringToObject(call, "description", description);
    cJSON_AddStringToObject(call, "location", description);
    cJSON_AddStringToObject(call, "caller", description);
    return root;
}

/* Each piece, so often that every limit is passed, at every offset to it. */
static void test_long_texts_are_cut_at_characters(void **state)
{
    static const char *const pieces[] = {
        "a",   "ä",      "\U0001f6a8", "*", "\\", "@everyone ", "\U0001f468\u200d\U0001f692", "[x](javascript:alert)",
        "```", "\u202e", "- a\n"
    };
    static char message[] = "{/call/description}", role[] = "81384788765712384";
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        for (size_t offset = 0; offset < 3; offset++) {
            struct hearing hearing = { .settings = { .message = message, .n_mention_roles = offset > 1 },
                                       .roles = { role } };
            hearing.settings.mention_roles = hearing.roles;
            char *rest = repeat(pieces[i], 10000), *text = NULL;
            assert_true(asprintf(&text, "%.*s%s", (int) offset, "xyz", rest) > 0);
            hear_printed(call_with(text), &hearing);
            const char *description = cJSON_GetStringValue(json_get(embed_of(&hearing), "description"));
            if (*pieces[i] == 'a') {
                assert_int_equal(units_of(description), 4096);
                assert_string_equal(description + strlen(description) - 4, "a…");
                const cJSON *content = json_get(cJSON_GetArrayItem(hearing.came, 0), "content");
                assert_int_equal(units_of(content->valuestring), 2000);
            }
            cJSON_Delete(hearing.came);
            free(text);
            free(rest);
        }
}

static void test_thousands_of_units(void **state)
{
    struct hearing hearing = { 0 };
    cJSON *root = cJSON_CreateObject(), *call, *list;
    (void) state;
    cJSON_AddStringToObject(root, "type", "EVENT_DISPATCH_NEW");
    call = cJSON_AddObjectToObject(cJSON_AddObjectToObject(root, "data"), "dispatch");
    cJSON_AddNumberToObject(call, "callId", 1);
    list = cJSON_AddArrayToObject(call, "idents");
    for (int i = 0; i < 4096; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(100000 + i));
    hear_printed(root, &hearing);
    const cJSON *units = cJSON_GetArrayItem(json_get(embed_of(&hearing), "fields"), 0);
    assert_string_equal(json_get(units, "name")->valuestring, "Units");
    assert_non_null(strstr(json_get(units, "value")->valuestring, "unit 100019 and 4076 more"));
    cJSON_Delete(hearing.came);
}

/* 60 fields of 2000 characters: the first ones, up to 25, and no more than 6000 in all. */
static void test_many_fields(void **state)
{
    struct hearing hearing = { 0 };
    cJSON *root = cJSON_CreateObject(), *data;
    char *text = repeat("x", 2000);
    (void) state;
    cJSON_AddStringToObject(root, "type", "EVENT_OF_TOMORROW");
    data = cJSON_AddObjectToObject(root, "data");
    for (int i = 0; i < 60; i++) {
        char name[16];
        snprintf(name, sizeof(name), "field%d", i);
        cJSON_AddStringToObject(data, name, i % 2 || i > 20 ? "short" : text);
    }
    hear_printed(root, &hearing);
    const cJSON *fields = json_get(embed_of(&hearing), "fields"), *first = cJSON_GetArrayItem(fields, 0);
    assert_int_equal(units_of(json_get(first, "value")->valuestring), 1024);
    assert_string_equal(json_get(cJSON_GetArrayItem(fields, 1), "value")->valuestring, "short");
    assert_in_range(cJSON_GetArraySize(fields), 10, 12);
    cJSON_Delete(hearing.came);
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_keep_the_rules),
        cmocka_unit_test(test_every_type_has_a_layout),
        cmocka_unit_test(test_long_texts_are_cut_at_characters),
        cmocka_unit_test(test_thousands_of_units),
        cmocka_unit_test(test_many_fields),
    };
    cases_load(&cases, "actions/discord");
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        cases.tests[cases.n++] = tests[i];
    cases_add(&cases, test_case);
    return cases_run(&cases, "discord");
}
