/* test_discord.c - events as messages for Discord: the files of fixtures/actions/discord say what comes of
 * representative and of hostile ones, and every sample keeps the rules of discord_checks.h. fixtures/update writes the
 * expectations anew, for a person to look through. */
#include <dirent.h>

#include "discord_hear.h"

#define CASES_MAX 200

static cJSON *files[8];
static size_t n_files;

/* ---- the cases ---- */

static char *body_of(const cJSON *item)
{
    const cJSON *sample = cJSON_IsString(item) ? item : at(item, "sample");
    if (sample)
        return read_file("samples", sample->valuestring);
    cJSON *copy = cJSON_Duplicate(at(item, "body") ? at(item, "body") : item, true);
    cJSON_AddStringToObject(copy, "key", KEY);
    char *text = cJSON_PrintUnformatted(copy);
    cJSON_Delete(copy);
    return text;
}

struct hearing {
    struct config_action config;
    char *roles[DISCORD_ROLES_MAX];
    cJSON *came;
};

static void read_config(const cJSON *item, struct hearing *hearing)
{
    const cJSON *role;
    hearing->config = (struct config_action){ .type = ACTION_TYPE_DISCORD,
                                              .message = cJSON_GetStringValue(at(item, "message")),
                                              .username = cJSON_GetStringValue(at(item, "username")),
                                              .avatar_url = cJSON_GetStringValue(at(item, "avatar_url")),
                                              .mention_roles = hearing->roles };
    cJSON_ArrayForEach (role, at(item, "mention_roles"))
        hearing->roles[hearing->config.n_mention_roles++] = role->valuestring;
}

static void render(const struct event *event, const struct description *description, void *context)
{
    struct hearing *hearing = context;
    const struct action_record record = { .event = event, .description = description };
    struct action_payload payload = ACTION_PAYLOAD_INIT, again = ACTION_PAYLOAD_INIT;
    struct err err;

    assert_int_equal(discord_render(&hearing->config, &record, &payload, &err), 0);
    assert_int_equal(discord_render(&hearing->config, &record, &again, &err), 0);
    assert_string_equal(payload.body.s, again.body.s);
    assert_int_equal(payload.event_id, event->id);
    assert_string_equal(payload.words.v[0], "Content-Type: application/json");
    assert_null(strstr(payload.body.s, KEY));
    check_message(payload.body.s, &hearing->config);
    if (hearing->came)
        cJSON_AddItemToArray(hearing->came, cJSON_Parse(payload.body.s));
    action_payload_free(&payload);
    action_payload_free(&again);
}

static void write_expectation(const cJSON *fixture, const cJSON *came)
{
    FILE *file = fopen(getenv("FIXTURES_WRITE"), "ae");
    char *why = cJSON_PrintUnformatted(at(fixture, "why")), *text = cJSON_PrintUnformatted(came);
    fprintf(file, "{\"why\":%s,\"came\":%s}\n", why, text);
    fclose(file);
    free(why);
    free(text);
}

static void test_case(void **state)
{
    const cJSON *fixture = *state, *before;
    struct state *cad = state_new();
    struct hearing hearing = { .came = cJSON_CreateArray() };

    cJSON_ArrayForEach (before, at(fixture, "before")) {
        char *body = body_of(before);
        assert_true(hear(body, cad, NULL, NULL) > 0);
        free(body);
    }
    read_config(at(fixture, "config"), &hearing);
    char *body = body_of(fixture);
    assert_true(hear(body, cad, render, &hearing) > 0);
    free(body);
    state_free(cad);

    char *actual = cJSON_PrintUnformatted(hearing.came), *expected = cJSON_PrintUnformatted(at(fixture, "expect"));
    if (getenv("FIXTURES_WRITE"))
        write_expectation(fixture, hearing.came);
    else if (!expected || strcmp(actual, expected) != 0)
        fail_msg("\n came:   %s\n wanted: %s", actual, expected);
    free(actual);
    free(expected);
    cJSON_Delete(hearing.came);
}

/* ---- every sample ---- */

static void test_samples_keep_the_rules(void **state)
{
    static char role[] = "81384788765712384", message[] = "{summary} {/call/description}{/record/name}";
    struct hearing plain = { 0 }, talking = { .config = { .message = message, .n_mention_roles = 1 } };
    size_t n_files_seen = 0, n_events = 0;
    (void) state;

    talking.roles[0] = role;
    talking.config.mention_roles = talking.roles;
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

static void test_every_type_has_a_layout(void **state)
{
    size_t n = 0;
    (void) state;
    for (size_t i = 0; i < all_event_families.n; i++)
        for (size_t k = 0; k < all_event_families.list[i]->n_types; k++, n++) {
            size_t found = 0;
            for (size_t l = 0; l < discord_n_layouts; l++)
                found += strcmp(discord_layouts[l].type, all_event_families.list[i]->types[k].name) == 0;
            if (found != 1)
                fail_msg("%zu layouts for %s", found, all_event_families.list[i]->types[k].name);
        }
    assert_int_equal(n, discord_n_layouts);
}

/* A pointer that never finds anything has a mistake in it. */
static void mark(const struct event *event, const struct description *description, void *context)
{
    bool(*seen)[16] = context;
    (void) description;
    for (size_t i = 0; i < discord_n_layouts; i++)
        for (size_t k = 0; k < discord_layouts[i].n_rows && strcmp(discord_layouts[i].type, event->type) == 0; k++)
            seen[i][k] |= embed_find(event, discord_layouts[i].rows[k].where) != NULL;
}

static void test_every_row_is_filled_by_some_event(void **state)
{
    bool(*seen)[16] = calloc(discord_n_layouts, sizeof(*seen));
    struct state *cad = state_new();
    DIR *folder = opendir(FIXTURES "/samples");
    (void) state;
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        char *body = entry->d_name[0] == '.' ? strdup("") : read_file("samples", entry->d_name);
        hear(body, cad, mark, seen);
        free(body);
    }
    closedir(folder);
    for (size_t i = 0; i < n_files; i++) {
        const cJSON *fixture;
        cJSON_ArrayForEach (fixture, files[i]) {
            char *body = body_of(fixture);
            hear(body, cad, mark, seen);
            free(body);
        }
    }
    for (size_t i = 0; i < discord_n_layouts; i++)
        for (size_t k = 0; k < discord_layouts[i].n_rows; k++)
            if (!seen[i][k])
                fail_msg("%s: %s finds nothing anywhere", discord_layouts[i].type, discord_layouts[i].rows[k].where);
    state_free(cad);
    free(seen);
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
    return cJSON_GetArrayItem(at(cJSON_GetArrayItem(hearing->came, 0), "embeds"), 0);
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
            struct hearing hearing = { .config = { .message = message, .n_mention_roles = offset > 1 },
                                       .roles = { role } };
            hearing.config.mention_roles = hearing.roles;
            char *rest = repeat(pieces[i], 10000), *text = NULL;
            assert_true(asprintf(&text, "%.*s%s", (int) offset, "xyz", rest) > 0);
            hear_printed(call_with(text), &hearing);
            const char *description = cJSON_GetStringValue(at(embed_of(&hearing), "description"));
            if (*pieces[i] == 'a') {
                assert_int_equal(units_of(description), 4096);
                assert_string_equal(description + strlen(description) - 4, "a…");
                const cJSON *content = at(cJSON_GetArrayItem(hearing.came, 0), "content");
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
    cJSON *root = cJSON_CreateObject(), *data, *list;
    (void) state;
    cJSON_AddStringToObject(root, "type", "EVENT_UNIT_STATUS");
    data = cJSON_AddObjectToObject(root, "data");
    list = cJSON_AddArrayToObject(data, "identIds");
    for (int i = 0; i < 4096; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(100000 + i));
    cJSON_AddNumberToObject(data, "status", 3);
    hear_printed(root, &hearing);
    const cJSON *units = cJSON_GetArrayItem(at(embed_of(&hearing), "fields"), 1);
    assert_string_equal(at(units, "name")->valuestring, "Unit ids");
    assert_non_null(strstr(at(units, "value")->valuestring, "100019 and 4076 more"));
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
    const cJSON *fields = at(embed_of(&hearing), "fields"), *first = cJSON_GetArrayItem(fields, 0);
    assert_int_equal(units_of(at(first, "value")->valuestring), 1024);
    assert_string_equal(at(cJSON_GetArrayItem(fields, 1), "value")->valuestring, "short");
    assert_in_range(cJSON_GetArraySize(fields), 10, 12);
    cJSON_Delete(hearing.came);
    free(text);
}

static void load(void)
{
    DIR *folder = opendir(FIXTURES "/actions/discord");
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || n_files == ARRAY_SIZE(files))
            continue;
        char *text = read_file("actions/discord", entry->d_name);
        files[n_files] = cJSON_ParseWithOpts(text, NULL, true);
        if (!files[n_files])
            fail_msg("%s: not JSON near %.40s", entry->d_name, cJSON_GetErrorPtr());
        n_files++;
        free(text);
    }
    if (folder)
        closedir(folder);
}

int main(void)
{
    static struct CMUnitTest tests[CASES_MAX] = {
        cmocka_unit_test(test_samples_keep_the_rules),
        cmocka_unit_test(test_every_type_has_a_layout),
        cmocka_unit_test(test_every_row_is_filled_by_some_event),
        cmocka_unit_test(test_long_texts_are_cut_at_characters),
        cmocka_unit_test(test_thousands_of_units),
        cmocka_unit_test(test_many_fields),
    };
    size_t n = 6;
    load();
    for (size_t i = 0; i < n_files; i++) {
        cJSON *fixture;
        cJSON_ArrayForEach (fixture, files[i]) {
            const char *why = cJSON_GetStringValue(at(fixture, "why"));
            tests[n++] = (struct CMUnitTest){ why ? why : "?", test_case, NULL, NULL, fixture };
        }
    }
    int failed = _cmocka_run_group_tests("discord", tests, n, NULL, NULL);
    for (size_t i = 0; i < n_files; i++)
        cJSON_Delete(files[i]);
    return failed;
}
