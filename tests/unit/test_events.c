/* test_events.c - every type of event in every variant, from fixtures/events/<family>.json.
 *
 * A case is a body (a sample, an object, or raw text), what was heard before it, and all that has to come of it:
 * status, answer, and for each event type, level, line, ids, then the whole state. fixtures/update writes the
 * expectations anew, for a person to look through. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#include <sonoran-pushd/events.h>

#include "event_dump.h"

#define KEY "TEST-API-KEY-0000"
#define NOON_US ((usec_t) 1795449600000000)
#define CASES_MAX 2000

static cJSON *files[16];
static size_t n_files;

static char *read_file(const char *folder, const char *name)
{
    char path[1024];
    struct text text = TEXT_INIT;
    snprintf(path, sizeof(path), "%s/%s/%s", FIXTURES, folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        text_add_bytes(&text, piece, n);
    fclose(file);
    return text.s;
}

/* It says that something changed exactly when something did. */
static void apply(const struct event *event, struct state *state)
{
    cJSON *before = dump_state(state);
    int r = event->handler->apply(event, state);
    cJSON *after = dump_state(state);
    assert_int_equal(r, !cJSON_Compare(before, after, true));
    cJSON_Delete(before);
    cJSON_Delete(after);
}

static void check_record(const struct event *event, const struct description *description)
{
    struct text record CLEANUP(text_free) = TEXT_INIT;
    event_write_record(event, description, &record);
    cJSON *json = cJSON_ParseWithOpts(record.s, NULL, true);
    assert_non_null(json);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(json, "data"));
    assert_null(strchr(record.s, '\n'));
    assert_null(strcasestr(record.s, KEY));
    cJSON_Delete(json);
}

static cJSON *dump_event(const struct event *event, struct state *state)
{
    cJSON *object = cJSON_CreateObject();
    struct description description = DESCRIPTION_INIT;

    cJSON_AddStringToObject(object, "type", event->type);
    if (event->extra_text.size) {
        char *extra = strndup(event->extra_text.s, event->extra_text.size);
        cJSON_AddStringToObject(object, "extra", extra);
        free(extra);
    }
    if (event->verdict == EVENT_ACCEPTED && event->handler) {
        description_reset(&description);
        description.level = LOG_INFO;
        event->handler->describe(event, state, &description);
        cJSON_AddStringToObject(object, "line", description.line.s);
        for (const char *p = description.line.s; *p; p++)
            assert_true((unsigned char) *p >= 0x20 && *p != 0x7f);
        if (description.level != LOG_INFO)
            cJSON_AddNumberToObject(object, "level", description.level);
        assert_true(description.level >= event->handler->level);
        add_ids(object, "calls", description.calls.v, description.calls.n);
        add_ids(object, "calls911", description.calls911.v, description.calls911.n);
        add_ids(object, "units", description.units.v, description.units.n);
        if (event->handler->apply)
            apply(event, state);
    }
    check_record(event, &description);
    description_free(&description);
    return object;
}

/* As ingress answers. */
static void add_answer(cJSON *object, enum envelope_refusal refusal, const struct batch *batch)
{
    static const char *const refusals[] = { [ENVELOPE_JSON] = "Invalid JSON",
                                            [ENVELOPE_KEY] = "Authentication Key Failed!",
                                            [ENVELOPE_TYPE] = "Invalid Type",
                                            [ENVELOPE_MEMORY] = "Busy" };
    char invalid[600];
    const char *answer = "ok";
    if (refusal != ENVELOPE_OK) {
        answer = refusals[refusal];
    } else if (batch->events[0].verdict == EVENT_UNKNOWN) {
        answer = "Invalid Type";
    } else if (batch->events[0].verdict == EVENT_INVALID) {
        snprintf(invalid, sizeof(invalid), "Invalid Data: %s", batch->events[0].reason);
        answer = invalid;
    }
    cJSON_AddNumberToObject(object, "status", strcmp(answer, "ok") == 0 ? 200 : 400);
    cJSON_AddStringToObject(object, "answer", answer);
}

static cJSON *hear(const char *text, struct state *state)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct http_origin origin = { "main", "192.0.2.1" };
    const struct envelope_rules rules = { communities, 1, &all_event_families, false };
    struct batch batch;
    struct err err;
    cJSON *came = cJSON_CreateObject();

    enum envelope_refusal refusal =
        envelope_parse(strdup(text), strlen(text), &rules, &origin, NOON_US, &batch, NULL, &err);
    add_answer(came, refusal, &batch);
    if (refusal != ENVELOPE_OK)
        return came;

    cJSON *events = cJSON_AddArrayToObject(came, "events");
    for (size_t i = 0; i < batch.n_events; i++) {
        assert_true(batch.events[i].data_text.size == 0 ||
                    memmem(text, strlen(text), batch.events[i].data_text.s, batch.events[i].data_text.size));
        cJSON_AddItemToArray(events, dump_event(&batch.events[i], state));
    }
    batch_done(&batch);
    return came;
}

/* ---- the cases ---- */

static char *body_of(const cJSON *item)
{
    const cJSON *sample = cJSON_GetObjectItem(item, "sample"), *raw = cJSON_GetObjectItem(item, "raw");
    if (cJSON_IsString(item))
        return read_file("samples", item->valuestring);
    if (sample)
        return read_file("samples", sample->valuestring);
    if (raw)
        return strdup(raw->valuestring);
    const cJSON *body = cJSON_GetObjectItem(item, "body");
    cJSON *copy = cJSON_Duplicate(body ? body : item, true);
    cJSON_AddStringToObject(copy, "key", KEY);
    char *text = cJSON_PrintUnformatted(copy);
    cJSON_Delete(copy);
    return text;
}

static void hear_item(const cJSON *item, struct state *state, cJSON **ret_came)
{
    char *body = body_of(item);
    cJSON *came = hear(body, state);
    free(body);
    if (ret_came)
        *ret_came = came;
    else
        cJSON_Delete(came);
}

static void write_expectation(const cJSON *fixture, const cJSON *came)
{
    FILE *file = fopen(getenv("FIXTURES_WRITE"), "ae");
    char *why = cJSON_PrintUnformatted(cJSON_GetObjectItem(fixture, "why")), *text = cJSON_PrintUnformatted(came);
    fprintf(file, "{\"why\":%s,\"came\":%s}\n", why, text);
    fclose(file);
    free(why);
    free(text);
}

static void test_case(void **state)
{
    const cJSON *fixture = *state, *before;
    struct state *cad = state_new();
    cJSON *came;

    cJSON_ArrayForEach (before, cJSON_GetObjectItem(fixture, "before"))
        hear_item(before, cad, NULL);
    hear_item(fixture, cad, &came);
    cJSON *dump = dump_state(cad);
    if (dump->child)
        cJSON_AddItemToObject(came, "state", dump);
    else
        cJSON_Delete(dump);
    state_free(cad);

    /* Through text, because ids are added as raw digits. */
    char *actual = cJSON_PrintUnformatted(came),
         *expected = cJSON_PrintUnformatted(cJSON_GetObjectItem(fixture, "expect"));
    if (getenv("FIXTURES_WRITE"))
        write_expectation(fixture, came);
    else if (!expected || strcmp(actual, expected) != 0)
        fail_msg("\n came:   %s\n wanted: %s", actual, expected);
    free(actual);
    free(expected);
    cJSON_Delete(came);
}

/* ---- the list is complete ---- */

static size_t count_cases(bool (*matches)(const cJSON *fixture, const char *what), const char *what)
{
    size_t n = 0;
    for (size_t i = 0; i < n_files; i++) {
        const cJSON *fixture;
        cJSON_ArrayForEach (fixture, files[i])
            n += matches(fixture, what);
    }
    return n;
}

static bool has_type(const cJSON *fixture, const char *what, int status)
{
    const cJSON *expect = cJSON_GetObjectItem(fixture, "expect");
    const cJSON *event = cJSON_GetArrayItem(cJSON_GetObjectItem(expect, "events"), 0);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(event, "type"));
    return type && strcmp(type, what) == 0 && cJSON_GetObjectItem(expect, "status")->valueint == status;
}

static bool accepts(const cJSON *fixture, const char *what)
{
    return has_type(fixture, what, 200);
}

static bool refuses(const cJSON *fixture, const char *what)
{
    return has_type(fixture, what, 400);
}

static bool says_alias(const cJSON *fixture, const char *what)
{
    char *body = body_of(fixture), quoted[80];
    snprintf(quoted, sizeof(quoted), "\"%s\"", what);
    bool found = strstr(body, quoted) != NULL;
    free(body);
    return found;
}

static bool is_sample(const cJSON *fixture, const char *what)
{
    const char *sample = cJSON_GetStringValue(cJSON_GetObjectItem(fixture, "sample"));
    return sample && strcmp(sample, what) == 0;
}

static bool explains(const cJSON *fixture, const char *what)
{
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItem(fixture, "why")),
               *found = why ? strstr(why, what) : NULL;
    return found && (found[strlen(what)] < '0' || found[strlen(what)] > '9');
}

static void test_types_are_covered(void **state)
{
    size_t n_types = 0, n_aliases = 0;
    (void) state;
    for (size_t i = 0; i < all_event_families.n; i++) {
        const struct event_family *family = all_event_families.list[i];
        for (size_t k = 0; k < family->n_types; k++, n_types++) {
            const struct event_type *type = &family->types[k];
            const struct event_family *found;
            assert_ptr_equal(event_find_type(&all_event_families, type->name, &found), type);
            if (!count_cases(accepts, type->name) || !count_cases(refuses, type->name))
                fail_msg("no accepted or no refused case of %s", type->name);
            if (type->alias && !count_cases(says_alias, type->alias))
                fail_msg("no case of %s", type->alias);
            n_aliases += type->alias != NULL;
        }
    }
    assert_int_equal(n_types, 31);
    assert_int_equal(n_aliases, 4);
}

static void test_samples_are_covered(void **state)
{
    (void) state;
    DIR *folder = opendir(FIXTURES "/samples");
    size_t n = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
        if (count_cases(is_sample, entry->d_name) != 1)
            fail_msg("%s is not in exactly one case", entry->d_name);
    }
    closedir(folder);
    assert_int_equal(n, 111);
}

static void test_variants_are_covered(void **state)
{
    (void) state;
    for (int i = 1; i <= 25; i++) {
        char variant[16];
        snprintf(variant, sizeof(variant), "V%d", i);
        if (!count_cases(explains, variant))
            fail_msg("no case of %s", variant);
    }
}

static void load(void)
{
    DIR *folder = opendir(FIXTURES "/events");
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || n_files == ARRAY_SIZE(files))
            continue;
        char *text = read_file("events", entry->d_name);
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
    static struct CMUnitTest tests[CASES_MAX];
    size_t n = 0;
    load();
    for (size_t i = 0; i < n_files; i++) {
        cJSON *fixture;
        cJSON_ArrayForEach (fixture, files[i]) {
            const char *why = cJSON_GetStringValue(cJSON_GetObjectItem(fixture, "why"));
            tests[n++] = (struct CMUnitTest){ why ? why : "?", test_case, NULL, NULL, fixture };
        }
    }
    tests[n++] = (struct CMUnitTest) cmocka_unit_test(test_types_are_covered);
    tests[n++] = (struct CMUnitTest) cmocka_unit_test(test_samples_are_covered);
    tests[n++] = (struct CMUnitTest) cmocka_unit_test(test_variants_are_covered);
    int failed = _cmocka_run_group_tests("events", tests, n, NULL, NULL);
    for (size_t i = 0; i < n_files; i++)
        cJSON_Delete(files[i]);
    return failed;
}
