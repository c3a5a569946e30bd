/* test_config_files.c - files around a config: files that are none, and our samples. */
#include <ctype.h>

#include "config_helpers.h"

/* ---- files that are no config ---- */

static void files_that_cannot_be_read(void **state)
{
    (void) state;
    assert_lines("nowhere.yaml", -ENOENT, "cannot read nowhere.yaml: No such file or directory\n");
    assert_lines("part", -EISDIR, "cannot read part: Is a directory\n");
    assert_lines("/dev/zero", -ENODEV, "cannot read //dev/zero: Not a regular file\n");
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_lines("fifo", -ENODEV, "cannot read fifo: Not a regular file\n");
    write_text("of-fifo.yaml", "include: [ fifo ]");
    assert_lines("of-fifo.yaml", -EINVAL, "of-fifo.yaml:1:12: include: cannot read fifo: Not a regular file\n");
}

static void files_that_are_huge(void **state)
{
    (void) state;
    size_t size = (1 << 20) + 1;
    char *s = malloc(size);
    assert_non_null(s);
    memset(s, ' ', size);
    write_bytes("huge.yaml", s, size);
    assert_lines("huge.yaml", -EFBIG, "cannot read huge.yaml: larger than 1M, with all that it includes\n");
    write_bytes("huge.yaml", s, size - 1);
    assert_lines("huge.yaml", -EINVAL, "huge.yaml: communities: missing, expected at least one community\n");
    write_text("of-huge.yaml", "include: huge.yaml");
    assert_lines("of-huge.yaml", -EINVAL,
                 "of-huge.yaml:1:10: include: cannot read huge.yaml: larger than 1M, with all that it includes\n");

    memset(s, '[', size - 1);
    write_bytes("deep.yaml", s, 10000);
    assert_lines("deep.yaml", -EINVAL, "deep.yaml:1:17: groups and lists are nested too deep here\n");
    write_bytes("deeper.yaml", s, size - 1);
    assert_lines("deeper.yaml", -EINVAL, "deeper.yaml:1:17: groups and lists are nested too deep here\n");
    for (size_t i = 0; i + 5 < size; i += 5)
        memcpy(s + i, "a: 1\n", 5);
    write_bytes("wide.yaml", s, size - 1);
    assert_lines("wide.yaml", -EINVAL, "wide.yaml:4097:1: more than 4096 elements: expected fewer\n");
    free(s);
}

/* Of which no more is read than of the one above. */
static void a_file_of_100_megabytes(void **state)
{
    (void) state;
    write_text("vast.yaml", "communities: [ { api_key: SECRET-1 } ]\n");
    assert_int_equal(truncate(path_of("vast.yaml"), (off_t) 100 << 20), 0);
    assert_lines("vast.yaml", -EFBIG, "cannot read vast.yaml: larger than 1M, with all that it includes\n");
    write_text("of-vast.yaml", "include: [ vast.yaml, deep.yaml ]");
    assert_lines("of-vast.yaml", -EINVAL,
                 "of-vast.yaml:1:12: include: cannot read vast.yaml: larger than 1M, with all that it includes\n"
                 "deep.yaml:1:17: groups and lists are nested too deep here\n");
}

/* One sentence for all of them, whether they could be read or not. */
static void a_thousand_files(void **state)
{
    (void) state;
    char name[32];
    assert_int_equal(mkdir(path_of("thousand"), 0700), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "thousand/%03d.yaml", i);
        write_text(name, i < 10 ? "include: 000.yaml" : "");
    }
    write_text("thousand.yaml", "communities: [ { api_key: SECRET-1 } ]\ninclude: [ \"thousand/*.yaml\" ]");
    struct config_problems problems;
    struct config *config = NULL;
    assert_int_equal(config_load(path_of("thousand.yaml"), &daemon_schema, NULL, &config, &problems), -EINVAL);
    size_t n = 0;
    for (size_t i = 0; i < problems.n_lines; i++) {
        n += strstr(problems.lines[i], "include: more than 256 files: expected fewer") != NULL;
        assert_null(strstr(problems.lines[i], "more mistake"));
    }
    assert_int_equal(n, 1);
    config_problems_free(&problems);
}

static void very_many_mistakes(void **state)
{
    (void) state;
    struct text text = TEXT_INIT;
    text_add(&text, "communities: [ { api_key: SECRET-1 } ]\npaths: [\n");
    for (int i = 0; i < 300; i++)
        text_add(&text, "\"x\",\n");
    text_add(&text, "\"/\" ]\n");
    write_text("many.yaml", text.s);
    text_free(&text);

    int r;
    char *lines = load("many.yaml", &r, NULL);
    assert_int_equal(r, -EINVAL);
    size_t n = 0;
    for (const char *p = lines; *p; p++)
        n += *p == '\n';
    assert_int_equal(n, 201);
    assert_non_null(strstr(lines, "many.yaml:202:1: paths[199] = \"x\": expected a path"));
    assert_non_null(strstr(lines, "\n… and 100 more mistakes\n"));
    free(lines);
}

/* ---- our samples ---- */

static void copy_sample(const char *name)
{
    char *s = read_text(path_of("/" SOURCE_ROOT "/config/sonoran-pushd.yaml"));
    write_text(name, s);
    free(s);
}

/* "#name: …" and what is indented behind a # are settings, "# …" are words. */
static char *without_comment_marks(const char *s)
{
    char *copy = strdup(s);
    assert_non_null(copy);
    for (char *p = copy; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (*p == '#' && (isalpha((unsigned char) p[1]) || strncmp(p, "#  ", 3) == 0))
            memmove(p, p + 1, strlen(p));
    }
    return copy;
}

/* The default is none, so those of the sample are examples: a session, and one action of each type. */
static void assert_prints_alike_but_lists(const char *with, const char *without)
{
    struct config *x = must_load(with), *y = must_load(without);
    assert_int_equal(x->n_actions, 4);
    for (size_t i = 0; i < x->n_actions; i++)
        assert_int_equal(x->actions[i].type, (int) i);
    char *of_x = print(x), *of_y = print(y);
    size_t size = strlen(of_y);
    assert_int_equal(strncmp(of_x, of_y, size), 0);
    assert_int_equal(strncmp(of_x + size, "sessions:\n", 10), 0);
    assert_true(strstr(of_x + size, "\nactions:\n") != NULL);
    free(of_x);
    free(of_y);
    config_free(x);
    config_free(y);
}

static void sample_shows_the_defaults(void **state)
{
    (void) state;
    copy_sample("sample.yaml");
    char *s = read_text(path_of("sample.yaml")), *all = without_comment_marks(s);
    write_text("all.yaml", all);
    assert_int_equal(mkdir(path_of("sample"), 0700), 0);
    assert_int_equal(mkdir(path_of("conf.d"), 0700), 0);
    setenv("CREDENTIALS_DIRECTORY", path_of("sample"), 1);
    write_text("sample/api-key", "SECRET-1\n");
    assert_key("sample.yaml", "SECRET-1");
    write_text("sample/bot-key", "SECRET-2\n");
    write_text("sample/bot-secret", "SECRET-3\n");
    write_text("sample/bot-headers", "X-A: SECRET-5\n");
    write_text("sample/redis-password", "SECRET-6\n");
    write_text("sample/discord-url", "https://h/SECRET-4\n");
    write_text("short.yaml", "communities: [ { api_key_file: api-key } ]");
    assert_prints_alike("sample.yaml", "short.yaml");
    assert_prints_alike_but_lists("all.yaml", "short.yaml");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_string_not_equal(s, all);
    free(s);
    free(all);
}

/* As the sample has it: a list in [ ], in quotes only what needs them. */
static void add_default(struct text *text, const struct config_option *option)
{
    text_addf(text, "%s: ", option->name);
    if (!option->fallback)
        return;
    char *values = replace_all(option->fallback, " ", option->list ? ", " : " ");
    text_addf(text, option->list ? "[ %s ]" : *values == '[' ? "\"%s\"" : "%s", values);
    free(values);
}

static void sample_names_every_option(void **state)
{
    (void) state;
    copy_sample("sample.yaml");
    char *s = read_text(path_of("sample.yaml"));
    const struct config_option *option;
    for (size_t i = 0; (option = config_schema_option(&daemon_schema, i)); i++) {
        bool names_kind = option->type == CONFIG_WORD && !option->words;
        struct text wanted = TEXT_INIT;
        add_default(&wanted, option);
        bool found = false;
        for (const char *p = s; !found && (p = strstr(p, wanted.s)); p++) {
            char *line = strndup(p, strcspn(p, "\n"));
            found = strstr(line, option->help) && (p == s || !strchr("_abcdefghijklmnopqrstuvwxyz", p[-1]));
            for (size_t j = 0; option->words && option->words[j]; j++)
                found = found && strstr(line, option->words[j]);
            for (size_t j = 0; names_kind && j < daemon_schema.n_kinds; j++)
                found = found && strstr(line, daemon_schema.kinds[j]->name);
            free(line);
        }
        if (!found)
            fail_msg("not in the sample: %s  # %s", wanted.s, option->help);
        text_free(&wanted);
    }
    free(s);
}

static void assert_store(const char *text, int r, const char *path)
{
    char *found = NULL;
    write_text("store.yaml", text);
    assert_int_equal(config_find_store(path_of("store.yaml"), &daemon_schema, &found), r);
    assert_string_equal(found, path);
    free(found);
}

static void store_is_found(void **state)
{
    (void) state;
    char *none;
    assert_store("store: { path: \"/a/b\" }\nnonsense: 1", 0, "/a/b");
    assert_store("communities: [ { api_key_file: \"not-there\" } ]", 0, "/var/lib/sonoran-pushd/events.db");
    assert_store("}\nstore: { path: /a/b }", 1, "/a/b"); /* one sees what was meant */
    assert_store("paths: [\nstore: { path: /a/b }", 1, "/var/lib/sonoran-pushd/events.db");
    assert_int_equal(config_find_store(path_of("not-there.yaml"), &daemon_schema, &none), -ENOENT);
}

static void demo_loads(void **state)
{
    (void) state;
    struct config_problems problems;
    struct config *config;
    assert_int_equal(config_load(SOURCE_ROOT "/config/demo.yaml", &daemon_schema, NULL, &config, &problems), 0);
    assert_int_equal(problems.n_lines, 0); /* the first that a new user sees, whatever the checkout's modes are */
    config_problems_free(&problems);
    assert_string_equal(config->listeners[0].address, "[::]:30120");
    assert_int_equal(config->log.target, LOG_TARGET_TEXT);
    assert_int_equal(config->n_communities, 1);
    assert_string_equal(config->communities[0].name, "demo");
    assert_string_equal(config->communities[0].api_keys[0], "demo");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(files_that_are_huge),
        cmocka_unit_test(a_file_of_100_megabytes),
        cmocka_unit_test(a_thousand_files),
        cmocka_unit_test(very_many_mistakes),
        cmocka_unit_test(sample_shows_the_defaults),
        cmocka_unit_test(sample_names_every_option),
        cmocka_unit_test(demo_loads),
        cmocka_unit_test(store_is_found),
    };
    return cmocka_run_group_tests_name("config files", tests, copy_fixtures, remove_fixtures);
}
