/* test_config_secrets.c - files with keys: where they are looked for, what else brings keys, who may read them. */
#include <grp.h>
#include <sys/resource.h>

#include <sonoran-pushd/machine.h>

#include "config_helpers.h"

static void credentials_come_first(void **state)
{
    (void) state;
    write_text("cred.yaml", "communities: [ { api_key_file: \"key\" } ]");
    assert_int_equal(mkdir(path_of("cred"), 0700), 0);
    write_text("key", "SECRET-beside\n");
    assert_key("cred.yaml", "SECRET-beside");

    setenv("CREDENTIALS_DIRECTORY", path_of("cred"), 1);
    assert_key("cred.yaml", "SECRET-beside");
    write_text("cred/key", "\xef\xbb\xbfSECRET-of-systemd");
    assert_key("cred.yaml", "SECRET-of-systemd");

    char text[512];
    snprintf(text, sizeof(text), "communities: [ { api_key_file: \"%s\" } ]", path_of("key"));
    write_text("absolute.yaml", text);
    assert_key("absolute.yaml", "SECRET-beside");

    unsetenv("CREDENTIALS_DIRECTORY");
    assert_key("cred.yaml", "SECRET-beside");
}

/* Nothing is wrong with the file: another start may be able to read it, and its keys. */
static void what_passes_is_no_mistake(void **state)
{
    (void) state;
    struct rlimit files, none;
    struct config_problems problems = { 0 };
    struct config *config = NULL;
    write_text("passing.yaml", "communities: [ { api_key_file: \"passing-key\" } ]");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    none = files;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int r = config_load(path_of("passing.yaml"), schema, NULL, &config, &problems);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(r, -EAGAIN);
    config_problems_free(&problems);
    r = config_load(path_of("passing.yaml"), schema, NULL, &config, &problems);
    assert_int_equal(r, -EINVAL); /* there is no such key */
    config_problems_free(&problems);
}

/* The whole order, from the last place to the first. */
static void places_of_a_key(void **state)
{
    (void) state;
    make_folder("order/secrets/a");
    make_folder("order/log");
    make_folder("order/cred");
    make_folder("order/a");
    make_folder("order/log/a");
    write_text("order/c.yaml", "communities: [ { api_key_file: \"a/b\" } ]\nstore: { path: \"log/events.db\" }");
    assert_lines("order/c.yaml", -EINVAL,
                 "order/c.yaml:1:32: communities[0].api_key_file = \"a/b\": no such file, put the key into "
                 "order/secrets/a/b\n");

    write_text("order/log/a/b", "SECRET-log");
    assert_key("order/c.yaml", "SECRET-log");
    write_text("order/a/b", "SECRET-beside");
    assert_key("order/c.yaml", "SECRET-beside");
    write_text("order/secrets/a/b", "SECRET-folder\n");
    assert_key("order/c.yaml", "SECRET-folder");
    setenv("CREDENTIALS_DIRECTORY", path_of("order/cred"), 1);
    assert_key("order/c.yaml", "SECRET-folder");
    write_text("order/cred/a_b", "SECRET-own");
    assert_key("order/c.yaml", "SECRET-own");
    write_text("order/cred/secrets_a_b", "SECRET-credential");
    assert_key("order/c.yaml", "SECRET-credential");
    unsetenv("CREDENTIALS_DIRECTORY");
}

/* They mean the file that systemd takes. */
static void names_with_the_folder(void **state)
{
    (void) state;
    char text[512];
    make_folder("named/secrets");
    make_folder("named/cred");
    write_text("named/secrets/key", "SECRET-folder");
    write_text("named/cred/secrets_key", "SECRET-credential");
    write_text("named/relative.yaml", "communities: [ { api_key_file: \"secrets/key\" } ]");
    snprintf(text, sizeof(text), "communities: [ { api_key_file: \"%s\" } ]", path_of("named/secrets/key"));
    write_text("named/absolute.yaml", text);
    assert_key("named/relative.yaml", "SECRET-folder");
    assert_key("named/absolute.yaml", "SECRET-folder");
    setenv("CREDENTIALS_DIRECTORY", path_of("named/cred"), 1);
    assert_key("named/relative.yaml", "SECRET-credential");
    assert_key("named/absolute.yaml", "SECRET-credential");

    write_text("named/none.yaml", "communities: [ { api_key_file: \"none\" } ]");
    snprintf(text, sizeof(text),
             "named/none.yaml:1:32: communities[0].api_key_file = \"none\": no such file, put the key into "
             "named/secrets/none, then %s\n",
             machine_restart());
    assert_lines("named/none.yaml", -EINVAL, text);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void links_in_the_folder(void **state)
{
    (void) state;
    make_folder("links/secrets/real");
    write_text("links/key", "SECRET-1");
    write_text("links/secrets/real/key", "SECRET-2");
    assert_int_equal(symlink("../key", path_of("links/secrets/key")), 0);
    assert_int_equal(symlink("real", path_of("links/secrets/folder")), 0);
    assert_int_equal(symlink("nowhere", path_of("links/secrets/nothing")), 0);
    static const char *const names[] = { "key", "folder/key", "nothing" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char text[256], expected[256];
        snprintf(text, sizeof(text), "communities: [ { api_key_file: \"%s\" } ]", names[i]);
        snprintf(expected, sizeof(expected),
                 "links/c.yaml:1:32: communities[0].api_key_file = \"%s\": links/secrets/%s is a link, which systemd "
                 "leaves out: put the file there\n",
                 names[i], names[i]);
        write_text("links/c.yaml", text);
        assert_lines("links/c.yaml", -EINVAL, expected);
    }
    write_text("links/c.yaml", "communities: [ { api_key_file: \"real/key\" } ]");
    assert_key("links/c.yaml", "SECRET-2");

    make_folder("linked");
    assert_int_equal(symlink("../links/secrets", path_of("linked/secrets")), 0); /* the folder itself may be one */
    write_text("linked/c.yaml", "communities: [ { api_key_file: \"real/key\" } ]");
    assert_key("linked/c.yaml", "SECRET-2");
}

static void keys_of_the_environment(void **state)
{
    (void) state;
    struct config_secrets *secrets = NULL;
    setenv("SONORAN_SECRET_API_KEY", "SECRET-variable\n", 1);
    setenv("SONORAN_SECRET_A_B2", "SECRET-other", 1);
    char *in_place = getenv("SONORAN_SECRET_API_KEY");
    assert_int_equal(config_secrets_new(&secrets), 0);
    assert_int_equal(config_secrets_take_environment(secrets), 0);
    assert_null(getenv("SONORAN_SECRET_API_KEY"));
    assert_null(getenv("SONORAN_SECRET_A_B2"));
    assert_string_equal(in_place, "");

    make_folder("environment");
    write_text("environment/c.yaml", "communities: [ { name: \"a\", api_key_file: \"api-key\" },\n"
                                     "{ name: \"b\", api_key_file: \"a/b2\" } ]");
    write_text("environment/api-key", "SECRET-file");
    struct config *config = must_load_with("environment/c.yaml", secrets);
    assert_string_equal(config->communities[0].api_keys[0], "SECRET-variable");
    assert_string_equal(config->communities[1].api_keys[0], "SECRET-other");
    config_free(config);
    config_secrets_free(secrets);
}

/* What was handed over is newer than the credential of the start; a file that can be read is newer still. */
static void keys_handed_over(void **state)
{
    (void) state;
    struct config_secrets *secrets = NULL, *others = NULL;
    make_folder("handed/cred");
    setenv("CREDENTIALS_DIRECTORY", path_of("handed/cred"), 1);
    write_text("handed/c.yaml", "communities: [ { name: \"a\", api_key_file: \"a/key\" },\n"
                                "{ name: \"b\", api_key_file: \"b\" } ]");
    write_text("handed/cred/secrets_a_key", "SECRET-old");
    write_text("handed/cred/b", "SECRET-own");
    assert_int_equal(config_secrets_new(&secrets), 0);
    assert_int_equal(config_secrets_hand_over(secrets, "secrets_a_key", "SECRET-1"), 0);
    assert_int_equal(config_secrets_hand_over(secrets, "secrets_a_key", "SECRET-new\n"), 0);
    assert_int_equal(config_secrets_hand_over(secrets, "b", "SECRET-beside"), 0);

    struct config *config = must_load_with("handed/c.yaml", secrets);
    assert_string_equal(config->communities[0].api_keys[0], "SECRET-new");
    assert_string_equal(config->communities[1].api_keys[0], "SECRET-own"); /* its source is the administrator's */
    config_free(config);

    assert_int_equal(unlink(path_of("handed/cred/b")), 0);
    make_folder("handed/secrets/a");
    write_text("handed/secrets/a/key", "SECRET-newest");
    config = must_load_with("handed/c.yaml", secrets);
    assert_string_equal(config->communities[0].api_keys[0], "SECRET-newest");
    assert_string_equal(config->communities[1].api_keys[0], "SECRET-beside");
    config_free(config);

    write_text("handed/b", "SECRET-file");
    config = must_load_with("handed/c.yaml", secrets);
    assert_string_equal(config->communities[1].api_keys[0], "SECRET-file");
    config_free(config);

    assert_int_equal(config_secrets_copy_environment(secrets, &others), 0);
    struct text bytes = TEXT_INIT;
    config_secrets_write(others, &bytes);
    assert_int_equal(bytes.size, 0);
    text_free(&bytes);
    config_secrets_free(others);
    config_secrets_free(secrets);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_key_may_have_4K(void **state)
{
    (void) state;
    char key[4098];
    memset(key, 'k', sizeof(key));
    key[4095] = '\n';
    write_text("large.yaml", "communities: [ { api_key_file: \"large\" } ]");
    write_bytes("large", key, 4096);
    struct config *config = must_load("large.yaml");
    assert_int_equal(strlen(config->communities[0].api_keys[0]), 4095);
    config_free(config);

    write_bytes("large", key, 4097);
    assert_lines("large.yaml", -EINVAL,
                 "large.yaml:1:32: communities[0].api_key_file = \"large\": cannot read large: larger than 4K\n");
    write_bytes("large", "SECRET\0-1", 9);
    assert_lines(
        "large.yaml", -EINVAL,
        "large.yaml:1:32: communities[0].api_key_file = \"large\": expected a key of one line, without control "
        "characters\n");
}

/* Root cannot know as whom the daemon reads a file that is root's, and that everybody may read. */
static void others_who_may_read_a_key(void **state)
{
    (void) state;
    static const struct {
        mode_t mode;
        const char *may, *remedy;
    } rows[] = {
        { 0400, NULL, NULL },
        { 0600, NULL, NULL },
        { 0640, NULL, NULL },
        { 0750, NULL, NULL },
        { 0604, "read", "chmod 600" },
        { 0644, "read", "chmod 640" },
        { 0620, "change", "chmod 600" },
        { 0602, "change", "chmod 600" },
        { 0660, "change", "chmod 640" },
        { 0664, "read and change", "chmod 640" },
        { 0666, "read and change", "chmod 640" },
    };
    write_text("demo.yaml", "communities: [ { api_key: \"demo\" } ]");
    write_text("inline.yaml", "\ncommunities: [ { name: \"a\", api_key: \"SECRET-1\" },\n"
                              "{ name: \"b\", api_key: \"SECRET-2\" } ]");
    write_text("file.yaml", "\ncommunities: [ { api_key_file: \"key\" } ]");
    write_text("key", "SECRET-3");
    assert_int_equal(chmod(path_of("file.yaml"), 0666), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char of_config[256] = "", of_key[256] = "";
        bool unknown = geteuid() == 0 && rows[i].mode & 04;
        if (rows[i].may) {
            snprintf(of_config, sizeof(of_config),
                     "inline.yaml:2:38: warning: this file holds a key, and others may %s it: %s%s\n", rows[i].may,
                     unknown ? "keep it in a file of its own, api_key_file, in secrets" : rows[i].remedy,
                     unknown ? "" : " inline.yaml");
            snprintf(of_key, sizeof(of_key), "file.yaml:2:32: warning: others may %s key, which holds a key: %s key\n",
                     rows[i].may, unknown ? "chown it to the user of the daemon, then chmod 600" : rows[i].remedy);
        }
        assert_int_equal(chmod(path_of("inline.yaml"), rows[i].mode), 0);
        assert_int_equal(chmod(path_of("key"), rows[i].mode), 0);
        assert_int_equal(chmod(path_of("demo.yaml"), rows[i].mode), 0);
        assert_lines("inline.yaml", 0, of_config);
        assert_lines("demo.yaml", 0, ""); /* nobody's secret */
        assert_lines("file.yaml", 0, of_key);
    }
}

/* As a user, whose file it is not, and as root, who sees that a group reads it. */
static void the_remedy_keeps_nobody_out(void **state)
{
    (void) state;
    if (geteuid() != 0)
        skip();
    make_folder("remedy/secrets");
    write_text("remedy/c.yaml", "communities: [ { api_key_file: \"key\" } ]");
    write_text("remedy/key", "SECRET-1");
    assert_int_equal(chmod(top, 0711), 0);
    assert_int_equal(chmod(path_of("remedy"), 0755), 0);
    assert_int_equal(chmod(path_of("remedy/c.yaml"), 0644), 0);
    assert_int_equal(chmod(path_of("remedy/key"), 0644), 0);

    assert_int_equal(setgroups(0, NULL), 0);
    assert_int_equal(setegid(65534), 0);
    assert_int_equal(seteuid(65534), 0);
    assert_lines(
        "remedy/c.yaml", 0,
        "remedy/c.yaml:1:32: warning: others may read remedy/key, which holds a key: chown it to the user of the "
        "daemon, then chmod 600 remedy/key\n");
    setenv("CREDENTIALS_DIRECTORY", "/nowhere", 1);
    assert_lines("remedy/c.yaml", 0,
                 "remedy/c.yaml:1:32: warning: others may read remedy/key, which holds a key: mv remedy/key "
                 "remedy/secrets\n");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);

    static const struct {
        uid_t user;
        gid_t group;
    } owners[] = { { 0, 1 }, { 65534, 65534 } };
    for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
        assert_int_equal(chown(path_of("remedy/key"), owners[i].user, owners[i].group), 0);
        assert_lines(
            "remedy/c.yaml", 0,
            "remedy/c.yaml:1:32: warning: others may read remedy/key, which holds a key: chmod 640 remedy/key\n");
    }

    assert_int_equal(rename(path_of("remedy/key"), path_of("remedy/secrets/key")), 0);
    assert_int_equal(chown(path_of("remedy/secrets/key"), 0, 0), 0);
    assert_lines("remedy/c.yaml", 0,
                 "remedy/c.yaml:1:32: warning: others may read remedy/secrets/key, which holds a key: chmod 640 "
                 "remedy/secrets/key\n"); /* systemd reads it as root */
    assert_int_equal(chmod(top, 0700), 0);
}

/* ---- what is no key ---- */

static void assert_doubt(const char *key, const char *expected)
{
    char line[512] = "";
    write_text("doubt", key);
    write_text("doubt.yaml", "communities: [ { api_key_file: \"doubt\" } ]");
    if (*expected)
        snprintf(line, sizeof(line), "doubt.yaml:1:32: warning: communities[0].api_key_file: %s\n", expected);
    assert_lines("doubt.yaml", 0, line);
}

static void assert_stranger(const char *key, const char *stranger)
{
    char sentence[256];
    snprintf(sentence, sizeof(sentence),
             "the key has %s in it, which a community's key has not: write the key alone, as the CAD's panel shows it",
             stranger);
    assert_doubt(key, sentence);
}

static void keys_that_are_nearly_right(void **state)
{
    (void) state;
    assert_stranger("\"SECRET-KEY-0000\"", "a quote (\")");
    assert_stranger("“SECRET-KEY-0000”", "a quote (“)");
    assert_stranger("'SECRET-KEY-0000'", "a quote (')");
    assert_stranger("apiKey=SECRET-KEY-0000", "a \"=\"");
    assert_stranger("apiKey: SECRET-KEY-0000", "a colon");
    assert_stranger("{\"apiKey\":\"SECRET-KEY-0000\"}", "a quote (\")");
    assert_stranger("<SECRET-KEY-0000>", "a bracket (<)");
    assert_stranger("the SECRET", "a blank");
    static const char *const placeholders[] = { "YOUR_API_KEY", "your-api-key-here", "<YOUR API KEY>", "changeme" };
    for (size_t i = 0; i < ARRAY_SIZE(placeholders); i++) {
        assert_doubt(placeholders[i],
                     "this stands in the place of a key: write the community's own, which the CAD's panel shows");
    }
    assert_doubt("SECRET-KEY-0000 \n", "");
    assert_doubt("c0ffee00-SECRET-4aa1", "");
    assert_doubt("SECRET_.~+/KEY", "");
    assert_doubt("my-api-key-of-the-year", "");
}

static void warnings_stand_beside_mistakes(void **state)
{
    (void) state;
    write_text("both.yaml", "bodi: 1\ninclude: inline.yaml\nbodu: 2\n");
    assert_int_equal(chmod(path_of("inline.yaml"), 0660), 0);
    assert_lines("both.yaml", -EINVAL,
                 "both.yaml:1:1: bodi: unknown option\n"
                 "both.yaml:3:1: bodu: unknown option\n"
                 "inline.yaml:2:38: warning: this file holds a key, and others may change it: chmod 640 inline.yaml\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_come_first),
        cmocka_unit_test(what_passes_is_no_mistake),
        cmocka_unit_test(places_of_a_key),
        cmocka_unit_test(names_with_the_folder),
        cmocka_unit_test(links_in_the_folder),
        cmocka_unit_test(keys_of_the_environment),
        cmocka_unit_test(keys_handed_over),
        cmocka_unit_test(a_key_may_have_4K),
        cmocka_unit_test(others_who_may_read_a_key),
        cmocka_unit_test(the_remedy_keeps_nobody_out),
        cmocka_unit_test(keys_that_are_nearly_right),
        cmocka_unit_test(warnings_stand_beside_mistakes),
    };
    return cmocka_run_group_tests_name("config secrets", tests, copy_fixtures, remove_fixtures);
}
