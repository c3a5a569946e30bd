/* test_discord_types.c - no type is trusted: every value of every sample once as something that nobody promised, and
 * what goes to Discord still keeps the rules of discord_checks.h. */
#include "discord_hear.h"

static size_t n_rendered;

static void render(const struct event *event, const struct description *description, void *context)
{
    static char message[] = "{summary}";
    struct discord_settings settings = { .message = message };
    const struct config_action config = { .settings = &settings };
    cJSON *known = cJSON_Parse(description->known.s);
    const struct action_record record = { .event = event, .description = description, .known = known };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct err err;
    (void) context;
    assert_int_equal(discord_render(&config, &record, &payload, &err), 0);
    check_message(payload.body.s, &settings);
    action_payload_free(&payload);
    cJSON_Delete(known);
    n_rendered++;
}

static void hear_changed(const cJSON *root, struct state *cad)
{
    char *body = cJSON_PrintUnformatted(root);
    hear(body, cad, render, NULL);
    free(body);
}

/* Puts another value in the place of each one below parent, and back again. */
static void change(cJSON *root, cJSON *parent, const cJSON *values, struct state *cad)
{
    for (int i = 0; i < cJSON_GetArraySize(parent); i++) {
        const cJSON *value;
        change(root, cJSON_GetArrayItem(parent, i), values, cad);
        cJSON_ArrayForEach (value, values) {
            cJSON *kept = cJSON_Duplicate(cJSON_GetArrayItem(parent, i), true), *other = cJSON_Duplicate(value, true);
            if (cJSON_IsObject(parent))
                other->string = strdup(kept->string);
            cJSON_ReplaceItemInArray(parent, i, other);
            hear_changed(root, cad);
            cJSON_ReplaceItemInArray(parent, i, kept);
        }
    }
}

static void test_no_type_is_trusted(void **state)
{
    static const char values_text[] = "[null, true, -1, 1e300, 2.5, \"@everyone [x](y)\", \"\", [], {},"
                                      " [1, \"2\", null, [3], {\"id\": 4}], {\"id\": {}, \"data\": [1], \"name\": 2}]";
    cJSON *values = cJSON_Parse(values_text);
    DIR *folder = opendir(FIXTURES "/samples");
    (void) state;
    assert_non_null(values);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        /* Records are long, and alike. */
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "EVENT_RECORD_EDIT", 17) == 0)
            continue;
        char *body = read_file("samples", entry->d_name);
        cJSON *root = cJSON_Parse(body), *data = cJSON_GetObjectItem(root, "data");
        struct state *cad = state_new();
        change(root, data, values, cad);
        state_free(cad);
        cJSON_Delete(root);
        free(body);
    }
    closedir(folder);
    cJSON_Delete(values);
    assert_true(n_rendered > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_type_is_trusted) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
