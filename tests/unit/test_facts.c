/* test_facts.c - what every sample means, and every variant of it (fixtures/facts): a case is a sample or a body, what
 * was known, and the facts of each of its events. fixtures/update writes the expectations anew, for a person to look
 * through. A fact with a number says it: "en route (3)". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/facts.h>
#include <sonoran-pushd/families.h>

#include "fixture_cases.h"

static struct cases cases;

/* The order of the rows is that of the members. */
static void dump_value(void *context, const struct fact *fact, const struct fact_value *value)
{
    cJSON *object = context, *list = cJSON_GetObjectItemCaseSensitive(object, fact->name);
    struct text text CLEANUP(text_free) = TEXT_INIT;
    assert_true(*value->text);
    if (!list)
        list = cJSON_AddArrayToObject(object, fact->name);
    text_addf(&text, "%s%s%s", value->label ? value->label : "", value->label ? ": " : "", value->text);
    if (value->number && strcmp(value->number, value->text) != 0)
        text_addf(&text, " (%s)", value->number);
    cJSON_AddItemToArray(list, cJSON_CreateString(text.s));
}

static cJSON *dump_facts(const struct event *event, const cJSON *known)
{
    cJSON *object = cJSON_CreateObject(), *list;
    facts_emit(event, NULL, known, dump_value, object);
    for (list = object->child; list; list = list->next) {
        const struct fact *fact = facts_find(event->handler, span_of(list->string));
        assert_non_null(fact);
        assert_true(cJSON_GetArraySize(list) == 1 || (fact->flags & FACT_SEVERAL));
    }
    return object;
}

static cJSON *dump_batch(const struct batch *batch, const cJSON *known)
{
    cJSON *all = cJSON_CreateArray();
    for (size_t i = 0; i < batch->n_events; i++) {
        const struct event *event = &batch->events[i];
        struct batch restored;
        cJSON *facts = dump_facts(event, known);
        cJSON_AddItemToArray(all, facts);
        assert_int_equal(batch_restore(&restored, event, &families_all), 0);
        cJSON *again = dump_facts(&restored.events[0], known);
        assert_true(cJSON_Compare(facts, again, true));
        cJSON_Delete(again);
        batch_done(&restored);
    }
    return all;
}

static void test_case(void **state)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = true
    };
    const cJSON *fixture = *state;
    struct batch batch;
    struct err err;
    char *body = body_of(fixture);

    if (envelope_parse(body, strlen(body), &rules, &origin, 1, &batch, NULL, &err) != ENVELOPE_OK)
        fail_msg("%s", err.msg);
    if (batch.events[0].verdict != EVENT_ACCEPTED)
        fail_msg("%s", batch.events[0].reason);
    cJSON *came = dump_batch(&batch, cJSON_GetObjectItem(fixture, "known"));
    case_check(fixture, came);
    batch_done(&batch);
}

/* ---- the tables ---- */

static void check_row(const struct event_type *type, const struct fact *fact)
{
    struct span name = { fact->name, strlen(fact->name) };
    if (facts_find(type, name) != fact)
        fail_msg("%s has %s twice", type->name, fact->name);
    assert_true(*fact->label);
    assert_int_equal(strspn(fact->name, "abcdefghijklmnopqrstuvwxyz0123456789_."), name.size);
    assert_true(!fact->words || fact->kind == FACT_WORD);
}

static void test_rows(void **state)
{
    (void) state;
    for (size_t i = 0; i < families_all.n; i++)
        for (size_t k = 0; k < families_all.list[i]->n_types; k++) {
            const struct event_type *type = &families_all.list[i]->types[k];
            assert_non_null(type->facts);
            for (size_t n = 0; n < type->facts->n; n++)
                check_row(type, &type->facts->rows[n]);
        }
    assert_null(facts_find(NULL, (struct span){ "emergency", 9 }));
    assert_non_null(facts_find(NULL, (struct span){ "dispatchers", 11 }));
}

/* Every sample that is accepted has its case. */
static void test_samples(void **state)
{
    const cJSON *samples = *state, *fixture;
    DIR *folder = opendir(FIXTURES "/samples");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        size_t n = 0;
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "ENVELOPE", 8) == 0 ||
            strstr(entry->d_name, ".missing-") || strstr(entry->d_name, ".ws-no-key"))
            continue;
        cJSON_ArrayForEach (fixture, samples) {
            const char *sample = cJSON_GetStringValue(cJSON_GetObjectItem(fixture, "sample"));
            n += sample && strcmp(sample, entry->d_name) == 0;
        }
        if (n < 1)
            fail_msg("%s has no case", entry->d_name);
    }
    closedir(folder);
}

int main(void)
{
    cJSON *samples = NULL;
    cases_load(&cases, "facts");
    for (size_t i = 0; i < cases.n_files; i++)
        if (strcmp(cases.files[i].name, "samples.json") == 0)
            samples = cases.files[i].json;
    cases.tests[cases.n++] = (struct CMUnitTest) cmocka_unit_test(test_rows);
    cases.tests[cases.n++] = (struct CMUnitTest){ "samples", test_samples, NULL, NULL, samples };
    cases_add(&cases, test_case);
    return cases_run(&cases, "facts");
}
