/* test_streams_config.c - the rows of streams of a configuration: what is taken, what is a mistake, and what a reload
 * takes for the same. */
#include <sonoran-pushd/sources.h>

#include "config_helpers.h"

#include "streams_private.h"

static void write_rows(const char *rows)
{
    char text[2048];
    snprintf(text, sizeof(text), "communities: [ { api_key: SECRET-1 } ]\nstreams:\n%s", rows);
    write_text("streams.yaml", text);
}

static const struct streams_settings *rows_of(const struct config *config, size_t wanted)
{
    const struct config_settings all = config_section_get(config, &source_streams.section);
    assert_int_equal(all.n_elements, wanted);
    return all.elements;
}

static void what_is_taken(void **state)
{
    (void) state;
    write_rows(
        "  - { name: a, url: \"redis://127.0.0.1\" }\n"
        "  - { name: b, url: [ \"rediss://h:6380/2\", \"unix:/run/redis.sock\" ], keys: [ x, \"y*\" ], start: now,\n"
        "      communities: [ \"c*\" ], database: 3, username: hub, password: SECRET-2 }\n");
    struct config *config = must_load("streams.yaml");
    const struct streams_settings *rows = rows_of(config, 2);
    assert_string_equal(rows[0].urls[0], "redis://127.0.0.1");
    assert_int_equal(rows[0].n_keys, 1);
    assert_string_equal(rows[0].keys[0], "cad:events:*");
    assert_int_equal(rows[0].start, STREAMS_FROM_FIRST);
    assert_int_equal(rows[0].n_communities, 0);
    assert_int_equal(rows[1].n_urls, 2);
    assert_int_equal(rows[1].n_keys, 2);
    assert_int_equal(rows[1].start, STREAMS_FROM_NOW);
    assert_int_equal(rows[1].database, 3);
    config_free(config);
}

static void mistakes(void **state)
{
    static const struct {
        const char *row, *line;
    } cases[] = {
        { "name: a", "streams[0].url: missing" },
        { "name: a, url: \"http://SECRET\"", "streams[0].url" },
        { "name: a, url: [ \"redis://h\", \"redis://:SECRET@\" ]", "streams[0].url" },
        { "name: a, url: [ ]", "streams[0].url" },
        { "name: a, url: \"redis://h\", keys: [ \"\" ]", "expected the key of a stream, or a glob" },
        { "name: a, url: \"redis://h\", start: later", "streams[0].start" },
        { "name: a, url: \"redis://h\" }\nactions:\n  - { name: b, type: exec, command: [ /bin/true ], listeners: [ a "
          "]",
          "unknown listener" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char row[256];
        int r;
        struct config *config = NULL;
        snprintf(row, sizeof(row), "  - { %s }\n", cases[i].row);
        write_rows(row);
        char *lines = load("streams.yaml", &r, &config);
        if (r != -EINVAL || !strstr(lines, cases[i].line) || strstr(lines, "SECRET"))
            fail_msg("%s: %s", cases[i].row, lines);
        free(lines);
        config_free(config);
    }
}

/* A hub needs neither a community nor a listener; whoever listens needs both. */
static void without_communities(void **state)
{
    static const struct {
        const char *text, *line; /* NULL: it is taken */
    } cases[] = {
        { "listeners: [ ]\nstreams: [ { url: \"redis://h\" } ]\n", NULL },
        { "listeners: [ ]\ncommunities: [ ]\nstreams: [ { url: \"redis://h\" } ]\n", NULL },
        { "streams: [ { url: \"redis://h\" } ]\n", "communities: missing, expected at least one community" },
        { "communities: [ ]\nstreams: [ { url: \"redis://h\" } ]\n", "expected at least one community" },
        { "listeners: [ ]\n", "expected at least one listener" },
        { "listeners: [ ]\nstreams: [ ]\n", "expected at least one listener" },
        { "listeners: [ ]\nstreams: [ { url: \"redis://h\" } ]\nsessions: [ { community_id: x } ]\n",
          "communities: missing" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int r;
        struct config *config = NULL;
        write_text("hub.yaml", cases[i].text);
        char *lines = load("hub.yaml", &r, &config);
        if (r != (cases[i].line ? -EINVAL : 0) || (cases[i].line && !strstr(lines, cases[i].line)))
            fail_msg("%s: %s", cases[i].text, lines);
        free(lines);
        config_free(config);
    }
}

/* Whatever differs makes another one of it. */
static void the_same(void **state)
{
    static const char *const others[] = { "name: b, url: \"redis://h\"",
                                          "name: a, url: \"redis://i\"",
                                          "name: a, url: [ \"redis://h\", \"redis://i\" ]",
                                          "name: a, url: \"redis://h\", username: x",
                                          "name: a, url: \"redis://h\", password: SECRET-2",
                                          "name: a, url: \"redis://h\", database: 1",
                                          "name: a, url: \"redis://h\", ca_file: /x",
                                          "name: a, url: \"redis://h\", keys: [ x ]",
                                          "name: a, url: \"redis://h\", start: now",
                                          "name: a, url: \"redis://h\", communities: [ x ]" };
    struct streams_settings own;
    (void) state;
    write_rows("  - { name: a, url: \"redis://h\" }\n");
    struct config *config = must_load("streams.yaml");
    assert_true(streams_settings_copy(&own, rows_of(config, 1)));
    assert_true(streams_settings_equal(&own, rows_of(config, 1)));
    config_free(config);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        char row[256];
        snprintf(row, sizeof(row), "  - { %s }\n", others[i]);
        write_rows(row);
        config = must_load("streams.yaml");
        if (streams_settings_equal(&own, rows_of(config, 1)))
            fail_msg("%s", others[i]);
        config_free(config);
    }
    streams_settings_free(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(without_communities),
        cmocka_unit_test(the_same),
    };
    return cmocka_run_group_tests(tests, copy_fixtures, remove_fixtures);
}
