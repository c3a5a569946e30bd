/* test_known.c - what a row keeps of what was known: whole objects, at most 1 KB, every id exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>
#include <stdlib.h>

#define T0 ((usec_t) 1795449600 * USEC_PER_SEC)

struct scene {
    struct state *state;
    struct event event;
    struct description description;
};

static int set_up(void **fixture)
{
    static struct scene scene;
    scene = (struct scene){
        .state = state_new(), .event.community = "a", .event.realm = "a", .description = DESCRIPTION_INIT
    };
    *fixture = &scene;
    return scene.state ? 0 : -1;
}

static int tear_down(void **fixture)
{
    struct scene *scene = *fixture;
    description_free(&scene->description);
    state_free(scene->state);
    return 0;
}

static void put_unit(struct scene *scene, int64_t id, const char *name)
{
    struct state_unit patch = STATE_UNIT_PATCH(id);
    patch.number = "3-L-27";
    patch.name = name;
    patch.status = 2;
    patch.told = true;
    assert_true(state_unit_put(scene->state, "a", &patch, T0) >= 0);
    ids_add(&scene->description.units, id);
}

static void put_call(struct scene *scene, int64_t id, const char *title)
{
    struct state_call patch = STATE_CALL_PATCH(id);
    patch.title = title;
    patch.priority = 1;
    assert_true(state_call_put(scene->state, "a", &patch, T0) >= 0);
    ids_add(&scene->description.calls, id);
}

static const char *known(struct scene *scene)
{
    families_write_known(&scene->event, scene->state, &scene->description);
    return scene->description.known.s;
}

static void units_calls_and_counts(void **fixture)
{
    struct scene *scene = *fixture;
    assert_string_equal(known(scene), "{\"dispatchers\":0,\"on_duty\":0}");
    put_unit(scene, 7, "Zoë \"Z\"\n");
    put_call(scene, 50, "Structure Fire");
    assert_string_equal(known(scene),
                        "{\"units\":[{\"id\":7,\"number\":\"3-L-27\",\"name\":\"Zoë \\\"Z\\\"\\n\",\"status\":2}],"
                        "\"calls\":[{\"id\":50,\"title\":\"Structure Fire\",\"priority\":1}],"
                        "\"dispatchers\":0,\"on_duty\":1}");
}

static void placeholders_say_nothing(void **fixture)
{
    struct scene *scene = *fixture;
    const int64_t units[] = { 7, 8 };
    state_call_attach(scene->state, "a", 50, units, 2, T0);
    ids_add(&scene->description.units, 7);
    ids_add(&scene->description.units, 99);
    ids_add(&scene->description.calls, 50);
    assert_string_equal(known(scene), "{\"dispatchers\":0,\"on_duty\":0}");
}

static void a_call_that_is_civil(void **fixture)
{
    struct scene *scene = *fixture;
    for (int64_t id = 1; id <= 3; id++) {
        struct state_call911 patch = STATE_CALL911_PATCH(id);
        patch.emergency = (int8_t) (id % 2);
        assert_true(state_call911_put(scene->state, "a", &patch, T0) >= 0);
        ids_add(&scene->description.calls911, id);
    }
    assert_string_equal(known(scene), "{\"calls911\":[{\"id\":2,\"emergency\":false}],"
                                      "\"dispatchers\":0,\"on_duty\":0}");
}

static void ids_that_a_double_would_spoil(void **fixture)
{
    struct scene *scene = *fixture;
    put_unit(scene, 9007199254740992, "a");
    put_unit(scene, 9007199254740993, "b");
    put_unit(scene, INT64_MIN, "c");
    const char *text = known(scene);
    assert_non_null(strstr(text, "{\"id\":9007199254740992,"));
    assert_non_null(strstr(text, "{\"id\":\"9007199254740993\","));
    assert_non_null(strstr(text, "{\"id\":\"-9223372036854775808\","));
}

static void whole_objects_within_a_kilobyte(void **fixture)
{
    struct scene *scene = *fixture;
    char name[400];
    memset(name, '"', sizeof(name) - 1); /* twice as long in JSON */
    name[sizeof(name) - 1] = '\0';
    for (int64_t id = 1; id <= 1000; id++) {
        put_unit(scene, id, id % 100 ? "Mara Ellison" : name);
        put_call(scene, id, "Structure Fire");
        if (id > 20 && id < 990)
            continue;
        cJSON *root = cJSON_Parse(known(scene));
        assert_non_null(root);
        assert_true(scene->description.known.size <= 1024);
        assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(root, "units")) >= (id < 5 ? (int) id : 5));
        assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(root, "calls")) >= (id < 4 ? (int) id : 4));
        assert_non_null(cJSON_GetObjectItem(root, "on_duty"));
        cJSON_Delete(root);
    }
}

static void a_name_that_has_no_room(void **fixture)
{
    struct scene *scene = *fixture;
    char name[512];
    memset(name, '"', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    put_unit(scene, 1, name);
    put_unit(scene, 2, "Mara");
    put_call(scene, 1, "Structure Fire");
    assert_string_equal(known(scene), "{\"units\":[{\"id\":1,\"number\":\"3-L-27\",\"status\":2},"
                                      "{\"id\":2,\"number\":\"3-L-27\",\"name\":\"Mara\",\"status\":2}],"
                                      "\"calls\":[{\"id\":1,\"title\":\"Structure Fire\",\"priority\":1}],"
                                      "\"dispatchers\":0,\"on_duty\":2}");
}

/* Nor does such a call take the others with it. */
static void a_call_that_has_no_room(void **fixture)
{
    struct scene *scene = *fixture;
    struct text wanted CLEANUP(text_free) = TEXT_INIT;
    struct state_call patch = STATE_CALL_PATCH(1);
    char title[2 * 100 + 1] = "", long_text[512];
    for (int i = 0; i < 100; i++)
        strcat(title, "é");
    memset(long_text, '"', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    patch.title = title;
    patch.address = long_text;
    patch.priority = 1;
    patch.status = 1;
    assert_true(state_call_put(scene->state, "a", &patch, T0) >= 0);
    ids_add(&scene->description.calls, 1);
    put_call(scene, 2, "Structure Fire");
    text_addf(&wanted, "{\"calls\":[{\"id\":1,\"title\":\"%.*s…\",\"priority\":1,\"status\":1},", 2 * 59, title);
    text_add(&wanted, "{\"id\":2,\"title\":\"Structure Fire\",\"priority\":1}],\"dispatchers\":0,\"on_duty\":0}");
    assert_string_equal(known(scene), wanted.s);
}

static void only_the_id_has_room(void **fixture)
{
    struct scene *scene = *fixture;
    char title[64];
    memset(title, 1, sizeof(title) - 1); /* six letters of JSON each */
    title[sizeof(title) - 1] = '\0';
    for (int64_t id = 1; id <= 4; id++)
        put_call(scene, id, title);
    const char *text = known(scene);
    assert_non_null(strstr(text, "\"priority\":1},{\"id\":3},{\"id\":4}],"));
}

/* Without it an update of a civil call would be taken for a call of emergency. */
static void a_civil_call_beside_many_calls(void **fixture)
{
    struct scene *scene = *fixture;
    struct state_call911 patch = STATE_CALL911_PATCH(INT64_MIN);
    patch.emergency = 0;
    assert_true(state_call911_put(scene->state, "a", &patch, T0) >= 0);
    ids_add(&scene->description.calls911, INT64_MIN);
    for (int64_t id = 1; id <= 99; id++) {
        put_call(scene, id, "Fire");
        assert_non_null(strstr(known(scene), "\"calls911\":[{\"id\":\"-9223372036854775808\",\"emergency\":false}],"));
    }
}

static void who_did_it_comes_first_and_once(void **fixture)
{
    struct scene *scene = *fixture;
    put_unit(scene, 1, "Mara");
    put_unit(scene, 2, "Priya");
    scene->description.by = 2;
    assert_string_equal(known(scene), "{\"units\":[{\"id\":2,\"number\":\"3-L-27\",\"name\":\"Priya\",\"status\":2},"
                                      "{\"id\":1,\"number\":\"3-L-27\",\"name\":\"Mara\",\"status\":2}],"
                                      "\"dispatchers\":0,\"on_duty\":2}");
}

/* Beside everything else that there is room for. */
static void what_it_changed(void **fixture)
{
    struct scene *scene = *fixture;
    text_add(&scene->description.was, "{\"priority\":\"2\"}");
    put_call(scene, 1, "Fire");
    assert_string_equal(known(scene), "{\"calls\":[{\"id\":1,\"title\":\"Fire\",\"priority\":1}],"
                                      "\"was\":{\"priority\":\"2\"},\"dispatchers\":0,\"on_duty\":0}");
    text_reset(&scene->description.was);
    text_add(&scene->description.was, "{}");
    assert_non_null(strstr(known(scene), ",\"was\":{},"));
}

/* A member that is too long is left out, and the others stay. */
static void what_it_changed_and_has_no_room(void **fixture)
{
    struct scene *scene = *fixture;
    char old[900];
    int n_without = 0;
    for (int64_t id = 1; id <= 30; id++)
        put_unit(scene, id, "Mara Ellison");
    put_call(scene, 1, "Fire");
    for (size_t size = 0; size < sizeof(old); size += 7) {
        struct text *was = &scene->description.was;
        memset(old, '"', size);
        text_reset(was);
        text_add(was, "{\"priority\":\"2\",\"code\":");
        json_quote(was, old, size);
        text_add(was, ",\"postal\":\"7042\",\"note\":\"\"}");
        bool whole = was->size <= 512;
        cJSON *root = cJSON_Parse(known(scene)), *kept = cJSON_GetObjectItem(root, "was");
        assert_true(root && scene->description.known.size <= 1024);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(kept, "priority")), "2");
        assert_true(!whole || cJSON_GetArraySize(kept) == 4);
        if (!cJSON_HasObjectItem(kept, "code")) {
            assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(kept, "postal")), "7042");
            assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(kept, "note")), "");
            n_without++;
        }
        cJSON_Delete(root);
    }
    assert_true(n_without > 10);
}

static void put_api_ids(struct scene *scene, int64_t id, const char *api_ids)
{
    struct state_unit patch = STATE_UNIT_PATCH(id);
    patch.api_ids = api_ids;
    assert_true(state_unit_put(scene->state, "a", &patch, T0) >= 0);
}

static void ids_in_the_game(void **fixture)
{
    struct scene *scene = *fixture;
    put_unit(scene, 1, "Mara");
    put_unit(scene, 2, "Jonas");
    put_unit(scene, 3, "Tess");
    put_api_ids(scene, 1, "[\"license:9f3c\"]");
    put_api_ids(scene, 3, "[\"steam:1\",\"a\\\",\\\"b\"]");
    assert_string_equal(known(scene), "{\"units\":[{\"id\":1,\"number\":\"3-L-27\",\"name\":\"Mara\",\"status\":2,"
                                      "\"api_ids\":[\"license:9f3c\"]},"
                                      "{\"id\":2,\"number\":\"3-L-27\",\"name\":\"Jonas\",\"status\":2},"
                                      "{\"id\":3,\"number\":\"3-L-27\",\"name\":\"Tess\",\"status\":2,"
                                      "\"api_ids\":[\"steam:1\",\"a\\\",\\\"b\"]}],\"dispatchers\":0,\"on_duty\":3}");
}

static int count(const cJSON *root, const char *name)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(root, name));
}

/* They have the room that is left: nothing else goes for them, and each is whole. */
static void ids_in_the_game_go_first(void **fixture)
{
    static const char id[] = "license:9f3c2a7d41b8e6050c11d2e8";
    struct scene *scene = *fixture;
    struct text api_ids CLEANUP(text_free) = TEXT_INIT;
    for (int n = 0; n < 13; n++)
        text_addf(&api_ids, "%s\"%s\"", n ? "," : "[", id);
    text_add(&api_ids, "]");
    text_add(&scene->description.was, "{\"priority\":\"2\"}");
    for (int64_t unit = 1; unit <= 40; unit++) {
        const cJSON *object, *one;
        put_unit(scene, unit, "Mara Ellison");
        put_call(scene, unit, "Structure Fire");
        cJSON *without = cJSON_Parse(known(scene));
        for (int64_t other = 1; other <= unit; other++)
            put_api_ids(scene, other, api_ids.s);
        cJSON *with = cJSON_Parse(known(scene));
        assert_true(with && scene->description.known.size <= 1024);
        assert_int_equal(count(with, "units"), count(without, "units"));
        assert_int_equal(count(with, "calls"), count(without, "calls"));
        assert_true(unit > 1 || count(cJSON_GetArrayItem(cJSON_GetObjectItem(with, "units"), 0), "api_ids") == 13);
        cJSON_ArrayForEach (object, cJSON_GetObjectItem(with, "units"))
            cJSON_ArrayForEach (one, cJSON_GetObjectItem(object, "api_ids"))
                assert_string_equal(cJSON_GetStringValue(one), id);
        cJSON_Delete(without);
        cJSON_Delete(with);
        for (int64_t other = 1; other <= unit; other++)
            put_api_ids(scene, other, "");
    }
}

/* Of every unit, also where known has room for few; not that of who did it. */
static void numbers_of_all_units(void **fixture)
{
    struct scene *scene = *fixture;
    struct description *description = &scene->description;
    size_t n = 0;
    for (int64_t id = 1; id <= 50; id++) {
        struct state_unit patch = STATE_UNIT_PATCH(id);
        char number[16];
        snprintf(number, sizeof(number), "%s-%d", id % 2 ? "L" : "l", (int) (id + 1) / 2);
        patch.number = number;
        assert_true(state_unit_put(scene->state, "a", &patch, T0) >= 0);
        if (id < 49)
            ids_add(&description->units, id);
    }
    description->by = 49;
    description_add_number(description, "X-1");
    (void) known(scene);
    for (const char *number = NULL; (number = description_next_number(description, number)); n++) {
        char wanted[16];
        snprintf(wanted, sizeof(wanted), n ? "L-%d" : "X-1", (int) n);
        assert_string_equal(number, wanted);
    }
    assert_int_equal(n, 25);

    char *row = strdup(description->known.s);
    description_take_known(description, span_of(row));
    free(row);
    description_read_numbers(description);
    assert_string_equal(description->numbers.s, "L-1");
    for (const char *number = NULL; (number = description_next_number(description, number));)
        assert_string_not_equal(number, "L-25");
}

static void refused_events_know_nothing(void **fixture)
{
    struct scene *scene = *fixture;
    put_unit(scene, 1, "Mara");
    assert_true(*known(scene));
    scene->event.verdict = EVENT_INVALID;
    assert_string_equal(known(scene), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(units_calls_and_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(placeholders_say_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_is_civil, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ids_that_a_double_would_spoil, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_objects_within_a_kilobyte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_has_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_has_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_id_has_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_civil_call_beside_many_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_did_it_comes_first_and_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_it_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_it_changed_and_has_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ids_in_the_game, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ids_in_the_game_go_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_of_all_units, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_events_know_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}
