/* test_session_config.c - the sessions of a configuration: what is taken, and each mistake with its sentence. */
#include <sonoran-pushd/sources.h>

#include "config_helpers.h"

#include "session_private.h"

#define COMMUNITIES "communities:\n  - { name: east, api_key: SECRET-1 }\n  - { name: west, api_key: SECRET-2 }\n"

static void write_sessions(const char *rows)
{
    char text[2048];
    snprintf(text, sizeof(text), COMMUNITIES "sessions:\n%s", rows);
    write_text("sessions.yaml", text);
}

static void what_is_taken(void **state)
{
    (void) state;
    write_sessions("  - { name: city, community: east, community_id: mycad }\n"
                   "  - { name: county, community: east, community_id: mycad, server: 2 }\n"
                   "  - { name: other, community: west, community_id: othercad, prime: false, ca_file: /x.pem }\n"
                   "  - { name: trial, community: west, community_id: mycad, url: \"http://127.0.0.1:8080/hub\" }\n"
                   "  - { name: six, community: west, community_id: mycad, url: \"http://[::1]:65535/hub\" }\n"
                   "  - { name: local, community: west, community_id: mycad, url: \"http://localhost/hub?a=b\" }\n"
                   "  - { name: port, community: west, community_id: mycad, url: \"http://localhost:443/hub?a=b\" }\n");
    struct config *config = must_load("sessions.yaml");
    const struct config_settings all = config_section_get(config, &source_session.section);
    const struct session_settings *first = all.elements;
    assert_int_equal(all.n_elements, 7);
    assert_string_equal(first->url, "https://api.sonorancad.com/apiWsHub");
    assert_int_equal(first->server, 1);
    assert_true(first->prime);
    assert_null(first->ca_file);
    config_free(config);
}

static void mistakes(void **state)
{
    static const struct {
        const char *row, *line;
    } cases[] = {
        { "community: east", "community_id: missing" },
        { "community: nobody, community_id: x", "unknown community" },
        { "community: east, community_id: \"\"", "community_id" },
        { "community: east, community_id: x, server: 0", "server = 0" },
        { "community: east, community_id: x, url: \"http://example.org/hub\"", "the key would go in the clear" },
        { "community: east, community_id: x, url: \"http://127.0.0.1.example.org/\"", "the key would go in the clear" },
        { "community: east, community_id: x, url: \"http://localhost.example.org/\"", "the key would go in the clear" },
        { "community: east, community_id: x, url: \"http://127.0.0.1@example.org/\"", "without blanks, # and a login" },
        { "community: east, community_id: x, url: \"https://example.org/ hub\"", "without blanks, # and a login" },
        { "community: east, community_id: x, url: \"wss://example.org/hub\"", "expected https://HOST/PATH" },
        { "community: east, community_id: x, url: \"https:///hub\"", "expected a host in it" },
        { "community: east, community_id: x, url: \"http://127.0.0.1:99999/x\"", "a port from 1 to 65535" },
        { "community: east, community_id: x, url: \"https://127.0.0.1:abc/x\"", "a port from 1 to 65535" },
        { "community: east, community_id: x, url: \"https://127.0.0.1:0/x\"", "a port from 1 to 65535" },
        { "community: east, community_id: x, url: \"https://127.0.0.1:/x\"", "a port from 1 to 65535" },
        { "community: east, community_id: x, url: \"https://127.0.0.1:8080:1/x\"", "a port from 1 to 65535" },
        { "community: east, community_id: x, url: \"http://[::1]x/h\"", "a port from 1 to 65535" },
        { "community: east, community_id: x, url: \"http://[::1]:65536/h\"", "a port from 1 to 65535" },
        { "community: east, community_id: x, url: \"http://[::1/h\"", "nothing behind the host" },
        { "community: east, community_id: x, url: \"https://[::1]]/h\"", "nothing behind the host" },
        { "community: east, community_id: x, url: \"https://exa]mple.org/h\"", "nothing behind the host" },
        { "community: east, community_id: x, url: \"https://example.org\"", "the hub's path is missing" },
        { "community: east, community_id: x, url: \"https://example.org:443?a=/b\"", "the hub's path is missing" },
        { "community: east, community_id: x, url: \"http://127.0.0.1:8080\"", "the hub's path is missing" },
        { "community: east, community_id: \"my cad\"", "without blanks and control characters" },
        { "community: east, community_id: \" mycad\"", "without blanks and control characters" },
        { "community: east, community_id: \"mycad\\n\"", "without blanks and control characters" },
        { "community: east, community_id: \"mycad\\u00a0\"", "without blanks and control characters" },
        { "community: east, community_id: \"my\\u001bcad\"", "without blanks and control characters" },
        { "community: east, community_id: \"mycad\\u200b\"", "without blanks and control characters" },
        { "community: east, community_id: x, ca_file: hub.pem",
          "sessions[1].ca_file = hub.pem: expected the absolute path of a file, such as /etc/ssl/hub.pem" },
        { "community: west, community_id: MyCad", "session city is for this server already" },
        { "community: west, community_id: mycad, url: \"HTTPS://api.sonorancad.com:0443/apiWsHub\"",
          "session city is for this server already" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char rows[1024];
        int r;
        snprintf(rows, sizeof(rows), "  - { name: city, community: east, community_id: mycad }\n  - { name: b, %s }\n",
                 cases[i].row);
        write_sessions(rows);
        char *lines = load("sessions.yaml", &r, NULL);
        if (r != -EINVAL || !strstr(lines, cases[i].line) || strchr(lines, '\n')[1])
            fail_msg("%s: %s", cases[i].row, lines);
        free(lines);
    }
}

/* The daemon starts without what a session names, and is told by it; --check and a reload call it a mistake. */
static void what_is_not_there(void **state)
{
    static const struct {
        const char *file, *line;
    } cases[] = {
        { "hub.pem", "" },
        { "nowhere.pem", "nowhere.pem: No such file or directory" },
        { "empty.pem", "empty.pem has no certificate in it: expected -----BEGIN CERTIFICATE-----" },
        { ".", "/. is not a file" },
        { "pipe.pem", "pipe.pem is not a file" }, /* and nobody waits for it */
    };
    const struct config_hooks hooks = { .check_present = true };
    (void) state;
    write_text("hub.pem", "-----BEGIN CERTIFICATE-----\n");
    write_text("empty.pem", "nothing\n");
    assert_int_equal(mkfifo(path_of("pipe.pem"), 0600), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char row[640];
        struct config *config = NULL;
        struct config_problems problems;
        snprintf(row, sizeof(row), "  - { community: east, community_id: mycad, ca_file: \"%s\" }\n",
                 path_of(cases[i].file));
        write_sessions(row);
        config_free(must_load("sessions.yaml"));
        int r = config_load(path_of("sessions.yaml"), schema, &hooks, &config, &problems);
        assert_int_equal(r, *cases[i].line ? -EINVAL : 0);
        assert_int_equal(problems.n_lines, r < 0);
        if (r < 0 && (!strstr(problems.lines[0], "sessions.yaml:5:") || !strstr(problems.lines[0], "ca_file = ") ||
                      !strstr(problems.lines[0], cases[i].line)))
            fail_msg("%s", problems.lines[0]);
        config_problems_free(&problems);
        config_free(config);
    }
}

/* Which change of the configuration is one for a session that runs. */
static void what_is_another(void **state)
{
    struct session_target *a, *b;
    struct err err;
    (void) state;
    write_sessions("  - { name: city, community: east, community_id: mycad, url: \"https://[2001:db8::7]:8443/x\" }\n"
                   "  - { name: town, community: west, community_id: MYCAD, url: \"HTTPS://example.org:8443/x\" }\n");
    struct config *config = must_load("sessions.yaml");
    const struct session_settings *rows = config_section_get(config, &source_session.section).elements;
    assert_int_equal(session_target_new(&a, &rows[0], config, &err), 0);
    assert_int_equal(session_target_new(&b, &rows[0], config, &err), 0);
    assert_true(session_targets_equal(a, b));
    assert_true(session_targets_meet(a, b));
    assert_string_equal(a->host, "2001:db8::7");
    b->settings.prime ^= true;
    assert_false(session_targets_equal(a, b));
    assert_true(session_targets_log_in_alike(a, b));
    b->key[0] ^= 1;
    assert_false(session_targets_equal(a, b));
    assert_true(session_targets_meet(a, b));
    assert_false(session_targets_log_in_alike(a, b));
    session_target_free(b);
    assert_int_equal(session_target_new(&b, &rows[1], config, &err), 0);
    assert_string_equal(b->host, "example.org");
    assert_false(session_targets_equal(a, b));
    assert_false(session_targets_meet(a, b));
    assert_false(session_targets_log_in_alike(a, b));
    session_target_free(a);
    session_target_free(b);
    config_free(config);
}

/* Where no two connections may be. */
static void what_is_the_same_place(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        { "https://example.org/x", "https://example.org:443/x", true },
        { "https://example.org/", "HTTPS://Example.org:443/", true },
        { "https://example.org/?a", "https://example.org:443/?a", true },
        { "http://[::1]/x", "http://[::1]:80/x", true },
        { "https://example.org/x", "https://example.org:80/x", false },
        { "https://example.org:4430/x", "https://example.org/x", false },
        { "https://example.org/x", "https://example.org/y", false },
    };
    struct err err;
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char both[512];
        struct session_target *a, *b;
        snprintf(both, sizeof(both),
                 "  - { name: a, community: east, community_id: x, url: \"%s\" }\n"
                 "  - { name: b, community: east, community_id: x, server: 2, url: \"%s\" }\n",
                 rows[i].a, rows[i].b);
        write_sessions(both);
        struct config *config = must_load("sessions.yaml");
        struct session_settings *its = config_section_get(config, &source_session.section).elements;
        its[1].server = 1;
        assert_int_equal(session_target_new(&a, &its[0], config, &err), 0);
        assert_int_equal(session_target_new(&b, &its[1], config, &err), 0);
        if (session_targets_meet(a, b) != rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        session_target_free(a);
        session_target_free(b);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken),          cmocka_unit_test(mistakes),
        cmocka_unit_test(what_is_not_there),      cmocka_unit_test(what_is_another),
        cmocka_unit_test(what_is_the_same_place),
    };
    return cmocka_run_group_tests(tests, copy_fixtures, remove_fixtures);
}
