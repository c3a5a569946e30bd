/* test_push.c - which paths are meant for the push source, and how they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/sources/push_private.h"

static void paths_as_admins_type_them(void **state)
{
    static const char *const push_paths[] = { "/sonorancad/event", "/" };
    static const struct {
        const char *path;
        bool is_push;
    } cases[] = {
        { "/sonorancad/event", true },
        { "/", true },
        { "", true },
        { "//", true },
        { "/sonorancad/event/", true },
        { "//sonorancad//event", true },
        { "/SonoranCAD/Event", true },
        { "/sonorancad/sonorancad/event", true },
        { "/sonorancad/event/sonorancad/event", true },
        { "/event", true },
        { "/sonorancad", false },
        { "/sonorancad/event/x", false },
        { "/x/sonorancad/event", false },
        { "/sonorancad/events", false },
        { "/sonorancad%2Fevent", false },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct span path = { cases[i].path, strlen(cases[i].path) };
        if (push_path_is_meant(push_paths, ARRAY_SIZE(push_paths), path) != cases[i].is_push)
            fail_msg("%s", cases[i].path);
    }
}

static void keys_in_paths(void **state)
{
    static const struct event_community communities[] = { { "first", "Key-1" },
                                                          { "first", "Key-12" },
                                                          { "second", "a%41" } };
    static const char *const cases[][2] = {
        { "/sonorancad", "/sonorancad" },
        { "/a%20b%2", "/a%20b%2" },
        { "/Key-1", "/[key]" },
        { "/x/kEY-12/y/", "/x/[key]/y/" },
        { "/%4bey%2D1%20z", "/[key] z" },
        { "/%4Bey-1%", "/[key]%" },
        { "/a%41", "/[key]" },
        { "/%61%2541%0a", "/[key]\\n" },
        { "/Key-", "/Key-" },
    };
    const struct envelope_rules rules = { .communities = communities, .n_communities = ARRAY_SIZE(communities) };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        push_shown_path_add(&rules, cases[i][0], &shown);
        assert_string_equal(shown.s, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_as_admins_type_them),
        cmocka_unit_test(keys_in_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
