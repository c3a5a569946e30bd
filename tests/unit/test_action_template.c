/* test_action_template.c - texts with placeholders, from fixtures/actions/template.json: what goes through add stands
 * between < and > in the expected text. */
#include "action_helpers.h"

static void add_marked(struct text *out, const char *s, size_t size)
{
    text_add(out, "<");
    text_add_bytes(out, s, size);
    text_add(out, ">");
}

static void check_expansion(const cJSON *fixture, const struct event *event)
{
    struct description description = DESCRIPTION_INIT;
    const struct action_record record = { .event = event, .description = &description, .node = "edge1" };
    struct text text CLEANUP(text_free) = TEXT_INIT;

    description.level = 5;
    text_add(&description.line, "911 call 90417 from John \"<b>\" Doe");
    ids_add(&description.calls, 55120);
    ids_add(&description.units, 4127);
    ids_add(&description.units, -1);
    ids_add(&description.units, 9007199254740993);
    template_expand(get_text(fixture, "template", NULL), &record, add_marked, &text);
    assert_false(text.failed);
    assert_string_equal(text.s, get_text(fixture, "text", NULL));
    description_free(&description);
}

static void test_fixture(void **state)
{
    const cJSON *fixture = *state;
    const char *refused = get_text(fixture, "refused", NULL);
    struct err err = { "" };
    int r = template_check(get_text(fixture, "template", NULL), NULL, &families_all, &err);
    assert_string_equal(err.msg, refused ? refused : "");
    assert_int_equal(r, refused ? -EINVAL : 0);
    if (refused)
        return;

    struct two_events events;
    make_events(fixture, &events);
    check_expansion(fixture, &events.came.events[0]);
    check_expansion(fixture, &events.restored.events[0]);
    free_events(&events);
}

/* A template that was never checked does no harm. */
static void test_unchecked(void **state)
{
    struct two_events events;
    struct description description = DESCRIPTION_INIT;
    struct text text CLEANUP(text_free) = TEXT_INIT;
    cJSON *fixture = cJSON_CreateObject();
    (void) state;
    make_events(fixture, &events);
    cJSON_Delete(fixture);
    const struct action_record record = { .event = &events.came.events[0], .description = &description };
    template_expand("{what} {} {/~} {", &record, add_marked, &text);
    assert_string_equal(text.s, "<> <> <> {");
    free_events(&events);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(test_unchecked) };
    cJSON *fixtures = load_fixtures("template");
    int failed = run_fixtures("action_template", fixtures, test_fixture, others, ARRAY_SIZE(others));
    cJSON_Delete(fixtures);
    return failed;
}
