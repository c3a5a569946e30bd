/* test_events.c - every type of event in every variant, from fixtures/events/<family>.json.
 *
 * A case is a body (a sample, an object, or raw text), what was heard before it, and all that has to come of it:
 * status, answer, and for each event type, level, line, ids, then the whole state. fixtures/update writes the
 * expectations anew, for a person to look through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>

#include "event_bodies.h"
#include "event_dump.h"

#define NOON_US ((usec_t) 1795449600000000)

static struct cases cases;

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

/* Byte for byte. */
static void check_read_back(const struct text *record)
{
    struct text again CLEANUP(text_free) = TEXT_INIT;
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct batch batch;
    struct err err;
    if (event_read_record((struct span){ record->s, record->size }, &families_all, &batch, &description, &err) < 0)
        fail_msg("%s: %s", err.msg, record->s);
    event_write_record(&batch.events[0], &description, &again);
    assert_string_equal(again.s, record->s);
    batch_done(&batch);
}

static void check_record(const struct event *came, const struct description *description)
{
    struct text record CLEANUP(text_free) = TEXT_INIT;
    struct event copy = *came, *event = &copy;
    event->id = 9007199254740993;
    event->log = "9f0c00000000000000000000000000aa";
    event_write_record(event, description, &record);
    cJSON *json = cJSON_ParseWithOpts(record.s, NULL, true);
    assert_non_null(json);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(json, "data"));
    assert_null(strchr(record.s, '\n'));
    assert_null(strcasestr(record.s, KEY));
    cJSON_Delete(json);
    check_read_back(&record);
}

/* Read back from the log it says the same. */
static void check_restored(const struct event *event)
{
    struct batch batch;
    assert_int_equal(batch_restore(&batch, event, &families_all), 0);
    assert_int_equal(batch.n_events, 1);
    const struct event *restored = &batch.events[0];
    assert_int_equal(restored->verdict, event->verdict);
    assert_string_equal(restored->type, event->type);
    assert_string_equal(restored->reason ? restored->reason : "", event->reason ? event->reason : "");
    batch_done(&batch);
}

/* A refused list, a type that is none: the line says what the answer does not. */
static void dump_refusal(cJSON *object, const struct event *event, const struct state *state,
                         struct description *description)
{
    event_describe(event, state, description);
    assert_non_null(strstr(description->line.s, event->reason));
    assert_int_equal(description->level, LOG_WARNING);
    if (event->verdict == EVENT_UNKNOWN || event_is_list(event->data))
        cJSON_AddStringToObject(object, "line", description->line.s);
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
        assert_true(description.level >= LOG_WARNING && description.level <= LOG_DEBUG);
        add_ids(object, "calls", description.calls.v, description.calls.n);
        add_ids(object, "calls911", description.calls911.v, description.calls911.n);
        add_ids(object, "units", description.units.v, description.units.n);
        if (event->handler->apply)
            apply(event, state);
    }
    if (event->verdict != EVENT_ACCEPTED)
        dump_refusal(object, event, state, &description);
    check_restored(event);
    check_record(event, &description);
    description_free(&description);
    return object;
}

/* As the push source answers. */
static void add_answer(cJSON *object, enum envelope_refusal refusal, const struct batch *batch)
{
    static const char *const refusals[] = {
        [ENVELOPE_JSON] = "Invalid JSON", [ENVELOPE_KEY] = "Authentication Key Failed!", [ENVELOPE_MEMORY] = "Busy"
    };
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
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = false
    };
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

    case_check(fixture, came);
}

/* ---- the list is complete ---- */

static size_t count_cases(bool (*matches)(const cJSON *fixture, const char *what), const char *what)
{
    size_t n = 0;
    for (size_t i = 0; i < cases.n_files; i++) {
        const cJSON *fixture;
        cJSON_ArrayForEach (fixture, cases.files[i].json)
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
    for (size_t i = 0; i < families_all.n; i++) {
        const struct event_family *family = families_all.list[i];
        for (size_t k = 0; k < family->n_types; k++, n_types++) {
            const struct event_type *type = &family->types[k];
            const struct event_family *found;
            assert_ptr_equal(event_find_type(&families_all, type->name, &found), type);
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

int main(void)
{
    cases_load(&cases, "events");
    cases_add(&cases, test_case);
    cases.tests[cases.n++] = (struct CMUnitTest) cmocka_unit_test(test_types_are_covered);
    cases.tests[cases.n++] = (struct CMUnitTest) cmocka_unit_test(test_samples_are_covered);
    cases.tests[cases.n++] = (struct CMUnitTest) cmocka_unit_test(test_variants_are_covered);
    return cases_run(&cases, "events");
}
