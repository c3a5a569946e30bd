/* test_config_several.c - several keys of a community, several headers of an action: in a list, in files. */
#include "config_helpers.h"

#include "../../src/actions/forward.h"

/* While the CAD's panel changes it. */
static void several_keys(void **state)
{
    (void) state;
    write_text("first", "SECRET-1\n");
    write_text("second", "SECRET-2\n");
    write_text("several.yaml", "communities: [ { name: \"a\", api_key: [ \"SECRET-3\", \"SECRET-4\" ] },\n"
                               "{ name: \"b\", api_key_file: [ \"first\", \"second\" ] },\n"
                               "{ name: \"c\", api_key: [ \"SECRET-5\" ] } ]");
    struct config *config = must_load("several.yaml");
    assert_int_equal(config->communities[0].n_api_keys, 2);
    assert_string_equal(config->communities[0].api_keys[1], "SECRET-4");
    assert_int_equal(config->communities[1].n_api_keys, 2);
    assert_string_equal(config->communities[1].api_keys[0], "SECRET-1");
    assert_string_equal(config->communities[1].api_keys[1], "SECRET-2");
    char *printed = print(config);
    assert_non_null(strstr(printed, "  - name: \"a\"\n    api_key: [ \"(set)\", \"(set)\" ]\n"));
    assert_non_null(strstr(
        printed,
        "  - name: \"b\"\n    api_key_file: [ \"first\", \"second\" ]\n  - name: \"c\"\n    api_key: \"(set)\"\n"));
    free(printed);
    config_free(config);
}

static void headers_of_a_file(void **state)
{
    (void) state;
    struct config_secrets *secrets;
    write_text("headers-of-bot", "Authorization: Bearer SECRET\r\n\n  \r\n");
    write_text("hf.yaml", "communities: [ { api_key: \"k\" } ]\nactions: [ { name: \"bot\", type: \"forward\", "
                          "url: \"http://h/\", headers_file: \"headers-of-bot\" } ]");
    struct config *config = must_load("hf.yaml");
    assert_int_equal(forward_settings(&config->actions[0])->n_headers, 1);
    assert_string_equal(forward_settings(&config->actions[0])->headers[0], "Authorization: Bearer SECRET");
    char *printed = print(config);
    assert_non_null(strstr(printed, "headers_file: \"headers-of-bot\"\n"));
    free(printed);
    config_free(config);

    assert_int_equal(config_secrets_new(&secrets), 0);
    assert_int_equal(config_secrets_hand_over(secrets, "secrets_headers-of-bot", "A: SECRET-1\nB: SECRET-2\n"), 0);
    assert_int_equal(unlink(path_of("headers-of-bot")), 0);
    config = must_load_with("hf.yaml", secrets);
    assert_int_equal(forward_settings(&config->actions[0])->n_headers, 2);
    assert_string_equal(forward_settings(&config->actions[0])->headers[1], "B: SECRET-2");
    config_free(config);
    config_secrets_free(secrets);
}

static void headers_that_hold_a_password(void **state)
{
    (void) state;
    assert_true(config_header_is_private("authorization: x"));
    assert_true(config_header_is_private("X-Gotify-Key: x"));
    assert_false(config_header_is_private("Title: the key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_keys),
        cmocka_unit_test(headers_of_a_file),
        cmocka_unit_test(headers_that_hold_a_password),
    };
    return cmocka_run_group_tests_name("config several", tests, copy_fixtures, remove_fixtures);
}
