/* test_action_filter.c - which events an action wants (fixtures/actions/filter.json) and what is said about its options
 * (fixtures/actions/filter-check.json). */
#include "action_helpers.h"

#include <sonoran-pushd/state.h>

/* A list of a fixture as the configuration has it; borrowed, but for the list itself. */
static char **read_list(const cJSON *fixture, const char *name, size_t *ret_n)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(fixture, name), *item;
    char **texts = calloc((size_t) cJSON_GetArraySize(list) + 1, sizeof(*texts));
    *ret_n = 0;
    cJSON_ArrayForEach (item, list)
        texts[(*ret_n)++] = item->valuestring;
    return texts;
}

static void read_action(const cJSON *fixture, struct config_action *ret)
{
    *ret = (struct config_action){ 0 };
    ret->events = read_list(fixture, "events", &ret->n_events);
    ret->when = read_list(fixture, "when", &ret->n_when);
    ret->communities = read_list(fixture, "communities", &ret->n_communities);
    ret->listeners = read_list(fixture, "listeners", &ret->n_listeners);
}

static void free_action(struct config_action *action)
{
    free(action->events);
    free(action->when);
    free(action->communities);
    free(action->listeners);
}

static void complain(void *context, const char *option, const char *sentence)
{
    text_addf(context, "%s: %s\n", option, sentence);
}

/* Each condition alone, which the check has nothing against. */
static void check_conditions(const cJSON *list, const struct action_record *record, bool holds)
{
    const cJSON *item;
    cJSON_ArrayForEach (item, list) {
        struct config_action action = { .when = &(char *){ item->valuestring }, .n_when = 1 };
        struct text complaints CLEANUP(text_free) = TEXT_INIT;
        filter_check(&action, &families_all, false, complain, &complaints);
        assert_string_equal(complaints.s, "");
        if ((filter_look(&action, record) == LEFT_OUT_NOT) != holds)
            fail_msg("%s: %s", item->valuestring, holds ? "does not hold" : "holds");
    }
}

static void check_record(const cJSON *fixture, const struct action_record *record)
{
    const cJSON *wants = cJSON_GetObjectItemCaseSensitive(fixture, "wants");
    check_conditions(cJSON_GetObjectItemCaseSensitive(fixture, "holds"), record, true);
    check_conditions(cJSON_GetObjectItemCaseSensitive(fixture, "fails"), record, false);
    if (!wants)
        return;

    struct config_action action;
    read_action(fixture, &action);
    assert_int_equal(filter_look(&action, record) == LEFT_OUT_NOT, cJSON_IsTrue(wants));
    if (action.n_events)
        assert_int_equal(filter_wants_type(&action, &families_all, record->event->type), cJSON_IsTrue(wants));
    free_action(&action);
}

static void check_event(const cJSON *fixture, const struct event *event)
{
    struct description description = DESCRIPTION_INIT;
    const struct action_record record = { .event = event,
                                          .description = &description,
                                          .known = cJSON_GetObjectItemCaseSensitive(fixture, "known") };
    struct state *state = state_new();
    event_describe(event, state, &description);
    check_record(fixture, &record);
    state_free(state);
    description_free(&description);
}

static void test_event(void **state)
{
    struct two_events events;
    make_events(*state, &events);
    check_event(*state, &events.came.events[0]);
    check_event(*state, &events.restored.events[0]);
    free_events(&events);
}

/* node NULL: of this log's own. */
static bool wants_of(const char *community, const char *listener, const char *node)
{
    const struct origin origin = { .name = "main" };
    const struct event event = {
        .community = "default", .origin = &origin, .home = { .node = node }, .type = "EVENT_911"
    };
    const struct action_record record = { .event = &event };
    char *communities[] = { (char *) (uintptr_t) community }, *listeners[] = { (char *) (uintptr_t) listener };
    const struct config_action action = { .communities = communities,
                                          .n_communities = community != NULL,
                                          .listeners = listeners,
                                          .n_listeners = listener != NULL };
    return filter_look(&action, &record) == LEFT_OUT_NOT;
}

static void test_of_other_nodes(void **state)
{
    (void) state;
    assert_true(wants_of("default", "main", NULL) && wants_of("default", "main", "edge1"));
    assert_true(wants_of("default@edge1", NULL, "edge1") && wants_of("*@edge1", "m*@e*", "edge1"));
    assert_true(wants_of("def*@*", NULL, "edge2") && wants_of(NULL, "main@edge2", "edge2"));
    assert_false(wants_of("default@edge1", NULL, "edge2") || wants_of("*@edge1", NULL, "edge2"));
    assert_false(wants_of("*@*", NULL, NULL) || wants_of(NULL, "*@*", NULL));
    assert_false(wants_of("def*", NULL, "edge1") || wants_of("default@edge1", "main@edge2", "edge1"));
}

static void test_check(void **state)
{
    const cJSON *fixture = *state, *item;
    struct text complaints CLEANUP(text_free) = TEXT_INIT, expected CLEANUP(text_free) = TEXT_INIT;
    struct config_action action;
    read_action(fixture, &action);
    bool accept = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(fixture, "accept_unknown_types"));
    filter_check(&action, &families_all, accept, complain, &complaints);
    free_action(&action);
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(fixture, "complaints"))
        text_addf(&expected, "%s\n", item->valuestring);
    assert_string_equal(complaints.s, expected.s);
}

static bool wants_type(const char *glob, const char *type)
{
    char *copy = strdup(glob);
    const struct config_action action = { .events = &copy, .n_events = 1 };
    bool wants = filter_wants_type(&action, &families_all, type);
    free(copy);
    return wants;
}

static void test_types(void **state)
{
    static const struct config_action any = { 0 };
    (void) state;
    assert_true(filter_wants_type(&any, &families_all, "EVENT_911"));
    assert_true(filter_wants_type(&any, &families_all, "CUSTOM"));
    assert_true(wants_type("*", "CUSTOM"));
    assert_true(wants_type("EVENT_UNIT_ATTACH", "EVENT_DISPATCH_UNIT_ATTACH"));
    assert_true(wants_type("toggle_*", "EVENT_DISPATCH_TOGGLE_BODYCAM"));
    assert_true(wants_type("event_unit_*", "EVENT_UNIT_PANIC"));
    assert_false(wants_type("EVENT_UNIT", "EVENT_UNIT_PANIC"));
    assert_false(wants_type("EVENT_UNIT_DETACH", "EVENT_DISPATCH_UNIT_ATTACH"));
    assert_false(wants_type("", "EVENT_911"));

    char *several[] = { strdup("EVENT_911"), strdup("EVENT_REMOVE_*") };
    const struct config_action two = { .events = several, .n_events = ARRAY_SIZE(several) };
    assert_true(filter_wants_type(&two, &families_all, "EVENT_911"));
    assert_true(filter_wants_type(&two, &families_all, "EVENT_REMOVE_911"));
    assert_false(filter_wants_type(&two, &families_all, "EVENT_DISPATCH_NEW"));
    free(several[0]);
    free(several[1]);
}

/* Stars one behind the other, and a text that nearly matches in very many ways: this test does not come to an end with
 * a matcher that tries them all. */
static void test_many_stars(void **state)
{
    struct text data CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    text_add(&data, "{\"a\":\"");
    for (int i = 0; i < 100000; i++)
        text_add(&data, "a");
    text_add(&data, "\"}");
    cJSON *fixture = cJSON_CreateObject(), *fails = cJSON_CreateArray(), *holds = cJSON_CreateArray();
    cJSON_AddStringToObject(fixture, "data", data.s);
    cJSON_AddItemToArray(fails, cJSON_CreateString("/a ~ *a*a*a*a*a*a*a*a*a*a*a*a*b"));
    cJSON_AddItemToArray(holds, cJSON_CreateString("/a ~ *a*a*a*a*a*a*a*a*a*a*a*a*a"));
    cJSON_AddItemToObject(fixture, "fails", fails);
    cJSON_AddItemToObject(fixture, "holds", holds);
    void *event = fixture;
    test_event(&event);
    cJSON_Delete(fixture);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(test_types), cmocka_unit_test(test_many_stars),
                                         cmocka_unit_test(test_of_other_nodes) };
    cJSON *events = load_fixtures("filter"), *checks = load_fixtures("filter-check");
    int failed = run_fixtures("action_filter", events, test_event, others, ARRAY_SIZE(others));
    failed += run_fixtures("action_filter_check", checks, test_check, NULL, 0);
    cJSON_Delete(events);
    cJSON_Delete(checks);
    return failed;
}
