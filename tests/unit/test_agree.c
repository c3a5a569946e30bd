/* test_agree.c - whoever is told something gets the action: line, level, ids and facts of an event say the same, in
 * whatever form it came. Every body of fixtures/events, facts and lines, cold and in the middle of the shift of
 * fixtures/lines; with AGREE_SHOW all of it is printed, to be looked through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include <cmocka.h>

#include <sonoran-pushd/facts.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#include "fixture_cases.h"

#define NOW_US ((usec_t) 1795461120000000)
#define VALUES_MAX 8192

static struct cases cases;
static cJSON *shift;

/* ---- one event: all that is decided about it ---- */

struct told {
    const struct event *event;
    const struct description *description;
    const cJSON *known;
    const char *line; /* behind "test: " */
};

struct values {
    const char *name;
    int64_t ids[VALUES_MAX];
    size_t n, n_yes, n_no;
};

static void take(void *context, const struct fact *fact, const struct fact_value *value)
{
    struct values *values = context;
    if (strcmp(fact->name, values->name) != 0)
        return;
    assert_true(values->n < VALUES_MAX);
    values->ids[values->n++] = value->number ? strtoll(value->number, NULL, 10) : 0;
    values->n_yes += strcmp(value->text, "yes") == 0;
    values->n_no += strcmp(value->text, "no") == 0;
}

static const struct values *values_of(const struct told *told, const char *name)
{
    static struct values values;
    values = (struct values){ .name = name };
    facts_emit(told->event, told->description, told->known, take, &values);
    return &values;
}

static void disagree(const struct told *told, const char *about)
{
    fail_msg("%s of %s\n line %s\n data %.*s", about, told->event->type, told->description->line.s,
             (int) told->event->data_text.size, told->event->data_text.s);
}

static bool has(const struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return true;
    return false;
}

/* Every id of a fact is one of the event. */
static void check_ids(const struct told *told, const char *name, const struct ids *ids)
{
    const struct values *values = values_of(told, name);
    for (size_t i = 0; i < values->n; i++)
        if (!has(ids, values->ids[i]))
            disagree(told, name);
}

static void check_one_id(const struct told *told, const char *name, int64_t id)
{
    const struct values *values = values_of(told, name);
    if (values->n ? values->ids[0] != id : id != 0)
        disagree(told, name);
}

static bool is_of(const struct told *told, const char *family)
{
    return strcmp(told->event->family->name, family) == 0;
}

static bool begins(const char *line, const char *words)
{
    return strncmp(line, words, strlen(words)) == 0;
}

/* ---- which facts there ever are ---- */

static struct {
    const struct fact_list *list;
    const char *name;
} given[1000];
static size_t n_given;

static bool is_given(const struct fact_list *list, const struct fact *fact)
{
    for (size_t i = 0; i < n_given; i++)
        if (given[i].list == list && strcmp(given[i].name, fact->name) == 0)
            return true;
    return false;
}

static void note_given(void *context, const struct fact *fact, const struct fact_value *value)
{
    const struct fact_list *list = context;
    (void) value;
    if (is_given(list, fact))
        return;
    assert_true(n_given < ARRAY_SIZE(given));
    given[n_given].list = list;
    given[n_given++].name = fact->name;
}

/* ---- what has to agree ---- */

static void check_panic(const struct told *told)
{
    const struct values *panic = values_of(told, "panic");
    bool line = begins(told->line, "PANIC") || begins(told->line, "TEST PANIC");
    bool in_panic = strstr(told->line, "PANIC: ") || strstr(told->line, ", in panic");
    if (line && !panic->n_yes)
        disagree(told, "PANIC without its fact");
    if (!is_of(told, "unit") || strcmp(told->event->type, "EVENT_UNIT_LOGOUT") == 0)
        return;
    if (line && (!panic->n_yes || told->description->level != LOG_WARNING))
        disagree(told, "PANIC without its fact or level");
    if (panic->n_yes && !line && !in_panic)
        disagree(told, "panic = true without PANIC");
    if (begins(told->line, "panic ended") && !panic->n_no)
        disagree(told, "panic ended");
}

static void check_emergency(const struct told *told)
{
    const struct values *emergency = values_of(told, "emergency");
    if (strcmp(told->event->type, "EVENT_911") != 0)
        return;
    if (emergency->n != 1)
        disagree(told, "emergency is not told once");
    if (!strstr(told->line, "changed") && !!emergency->n_no != begins(told->line, "civil call "))
        disagree(told, "emergency");
}

static void check_ids_of(const struct told *told)
{
    const struct description *description = told->description;
    check_ids(told, "call", &description->calls);
    check_ids(told, "call911", &description->calls911);
    check_ids(told, "unit.id", &description->units);
    check_ids(told, "unit", &description->units);
    check_one_id(told, "by", description->by);
    check_one_id(told, "record", description->record);
}

/* A record can be read back into an event without loss: byte for byte, with all that was known. */
static void check_record(const struct event *came, const struct description *description)
{
    struct text record CLEANUP(text_free) = TEXT_INIT, again CLEANUP(text_free) = TEXT_INIT;
    struct description read CLEANUP(description_free) = DESCRIPTION_INIT;
    struct event event = *came;
    struct batch batch;
    struct err err;
    event.id = UINT64_MAX >> 1;
    event.log = "9f0c00000000000000000000000000aa";
    event_write_record(&event, description, &record);
    if (event_read_record((struct span){ record.s, record.size }, &families_all, &batch, &read, &err) < 0)
        fail_msg("%s: %s", err.msg, record.s);
    event_write_record(&batch.events[0], &read, &again);
    assert_string_equal(again.s, record.s);
    batch_done(&batch);
}

static void show_value(void *context, const struct fact *fact, const struct fact_value *value)
{
    struct text *out = context;
    text_addf(out, " %s=", fact->name);
    text_add_safe(out, value->text, strlen(value->text), 60);
    if (value->number && strcmp(value->number, value->text) != 0)
        text_addf(out, "(%s)", value->number);
}

static void show(const struct told *told, const char *when)
{
    struct text facts CLEANUP(text_free) = TEXT_INIT;
    const struct description *d = told->description;
    facts_emit(told->event, told->description, told->known, show_value, &facts);
    printf("%s p%d %s\n  ids", when, d->level, d->line.s);
    for (size_t i = 0; i < d->calls.n && i < 9; i++)
        printf(" call %lld", (long long) d->calls.v[i]);
    for (size_t i = 0; i < d->calls911.n && i < 9; i++)
        printf(" 911 %lld", (long long) d->calls911.v[i]);
    for (size_t i = 0; i < d->units.n && i < 9; i++)
        printf(" unit %lld", (long long) d->units.v[i]);
    printf(" by %lld record %lld\n  facts%s\n  known %s\n", (long long) d->by, (long long) d->record, facts.s,
           d->known.s);
}

static void check(const struct event *event, struct state *state, const char *when)
{
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    event_describe(event, state, &description);
    if (event->verdict != EVENT_ACCEPTED || !event->handler) {
        check_record(event, &description);
        if (getenv("AGREE_SHOW"))
            printf("%s p%d %s\n", when, description.level, description.line.s);
        return;
    }
    if (event->handler->apply)
        assert_true(event->handler->apply(event, state) >= 0);
    families_write_known(event, state, &description);
    cJSON *known = cJSON_Parse(description.known.s);
    struct told told = { event, &description, known, description.line.s };
    if (begins(told.line, "test: "))
        told.line += strlen("test: ");
    if (getenv("AGREE_SHOW"))
        show(&told, when);
    assert_non_null(known);
    assert_true(description.known.size <= EVENT_KNOWN_MAX_BYTES);
    check_record(event, &description);
    facts_emit(event, &description, known, note_given, (void *) (uintptr_t) event->handler->facts);
    check_panic(&told);
    check_emergency(&told);
    check_ids_of(&told);
    cJSON_Delete(known);
}

/* ---- the bodies ---- */

static void hear(const cJSON *item, struct state *state, const char *when)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = true
    };
    struct batch batch;
    struct err err;
    char *body = body_of(item);
    if (envelope_parse(body, strlen(body), &rules, &origin, NOW_US, &batch, NULL, &err) != ENVELOPE_OK)
        return;
    for (size_t i = 0; i < batch.n_events; i++)
        check(&batch.events[i], state, when);
    batch_done(&batch);
}

static void test_body(void **state)
{
    struct state *cold = state_new(), *warm = state_new();
    const cJSON *item;
    if (getenv("AGREE_SHOW"))
        printf("\n## %s\n", cJSON_GetStringValue(cJSON_GetObjectItem(*state, "why")));
    hear(*state, cold, "cold");
    cJSON_ArrayForEach (item, shift)
        hear(item, warm, "shift");
    cJSON_ArrayForEach (item, cJSON_GetObjectItem(*state, "before"))
        hear(item, warm, "before");
    hear(*state, warm, "warm");
    state_free(cold);
    state_free(warm);
}

/* None that no event ever gives; to be run last. */
static void test_every_fact_is_given(void **state)
{
    struct text missing CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    for (size_t i = 0; i < families_all.n; i++)
        for (size_t k = 0; k < families_all.list[i]->n_types; k++) {
            const struct event_type *type = &families_all.list[i]->types[k];
            for (size_t n = 0; n < type->facts->n; n++)
                if (!is_given(type->facts, &type->facts->rows[n]))
                    text_addf(&missing, " %s of %s", type->facts->rows[n].name, type->name);
        }
    if (missing.size)
        fail_msg("no case has%s", missing.s);
}

int main(void)
{
    cases_load(&cases, "lines");
    shift = cases_take_out(&cases, "shift.json");
    cases_add(&cases, test_body);
    int failed = cases_run(&cases, "agree: lines");
    static const char *const folders[] = { "events", "facts" };
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        cases = (struct cases){ .n = 0 };
        cases_load(&cases, folders[i]);
        cases_add(&cases, test_body);
        failed += cases_run(&cases, folders[i]);
    }
    const struct CMUnitTest last[] = { cmocka_unit_test(test_every_fact_is_given) };
    failed += cmocka_run_group_tests_name("all facts", last, NULL, NULL);
    cJSON_Delete(shift);
    return failed;
}
