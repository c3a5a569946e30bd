/* test_config_missing.c - secrets of actions that cannot be read: a mistake, or borne and noted. */
#include "config_helpers.h"

#include "../../src/actions/forward.h"

#define TEXT                                                                                                           \
    "communities: [ { api_key: \"k\" } ]\n"                                                                            \
    "actions: [\n"                                                                                                     \
    "  { name: \"a\", type: \"forward\", url_file: \"no-url\", signing_secret_file: \"no-secret\" },\n"                \
    "  { name: \"b\", type: \"forward\", url: \"http://127.0.0.1:1/\" } ]\n"

static int load_bearing(bool bear, struct config **ret, struct config_problems *ret_problems)
{
    const struct config_hooks hooks = { .bear_missing = bear };
    write_text("c.yaml", TEXT);
    assert_int_equal(chmod(path_of("c.yaml"), 0600), 0);
    return config_load(path_of("c.yaml"), &daemon_schema, &hooks, ret, ret_problems);
}

static void test_mistake(void **state)
{
    struct config *config = NULL;
    struct config_problems problems;
    (void) state;
    assert_int_equal(load_bearing(false, &config, &problems), -EINVAL);
    assert_int_equal(problems.n_lines, 2);
    assert_non_null(strstr(problems.lines[0], "c.yaml:3:43: actions[0].url_file = \"no-url\": no such file"));
    config_problems_free(&problems);
}

/* The first of an action stands in it, each is a warning. */
static void test_borne(void **state)
{
    struct config *config = NULL;
    struct config_problems problems;
    (void) state;
    assert_int_equal(load_bearing(true, &config, &problems), 0);
    assert_int_equal(problems.n_lines, 2);
    assert_non_null(strstr(problems.lines[0], "c.yaml:3:43: warning: actions[0].url_file: no such file"));
    assert_non_null(strstr(problems.lines[1], "c.yaml:3:74: warning: actions[0].signing_secret_file: no such file"));
    config_problems_free(&problems);

    assert_int_equal(config_n_missing(config), 1);
    assert_null(forward_settings(&config->actions[0])->url);
    assert_int_equal(strncmp(config->actions[0].missing, "url_file: no such file", 22), 0);
    assert_string_equal(forward_settings(&config->actions[1])->url, "http://127.0.0.1:1/");
    assert_null(config->actions[1].missing);
    config_free(config);
}

/* It is there, and no URL: not less missing. */
static void test_unfit(void **state)
{
    struct config *config = NULL;
    struct config_problems problems;
    (void) state;
    write_text("no-url", "ftp://x\n");
    write_text("no-secret", "s\n");
    assert_int_equal(load_bearing(true, &config, &problems), 0);
    config_problems_free(&problems);
    assert_int_equal(strncmp(config->actions[0].missing, "url_file: expected a URL", 24), 0);
    config_free(config);

    write_text("no-url", "http://127.0.0.1:2/\n");
    assert_int_equal(load_bearing(true, &config, &problems), 0);
    config_problems_free(&problems);
    assert_int_equal(config_n_missing(config), 0);
    config_free(config);
}

/* Only actions can be off. */
static void test_key(void **state)
{
    const struct config_hooks hooks = { .bear_missing = true };
    struct config *config = NULL;
    struct config_problems problems;
    (void) state;
    write_text("d.yaml", "communities: [ { api_key_file: \"no-key\" } ]\n");
    assert_int_equal(config_load(path_of("d.yaml"), &daemon_schema, &hooks, &config, &problems), -EINVAL);
    assert_non_null(strstr(problems.lines[0], "communities[0].api_key_file"));
    config_problems_free(&problems);
}

static int make_top(void **state)
{
    (void) state;
    return mkdtemp(top) ? 0 : -1;
}

static int remove_top(void **state)
{
    char command[64];
    (void) state;
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistake),
        cmocka_unit_test(test_borne),
        cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_key),
    };
    return cmocka_run_group_tests(tests, make_top, remove_top);
}
