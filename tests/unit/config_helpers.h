/* config_helpers.h - for the tests of config: a folder of its own with a copy of the fixtures, loading, printing.
 *
 * The copies are readable for their owner only. Every key in them has SECRET in it, and no line may show one. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/daemon.h>
#include <sonoran-pushd/text.h>

static char top[] = "/tmp/test_config.XXXXXX";
static const struct config_schema *schema = &daemon_schema;

/* Good until the fourth call from now. */
static inline const char *path_of(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", *name == '/' ? "" : top, name);
    return path;
}

static inline void write_bytes(const char *name, const char *s, size_t size)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(s, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *name, const char *s)
{
    write_bytes(name, s, strlen(s));
}

/* With those above it. */
static inline void make_folder(const char *name)
{
    char command[640];
    snprintf(command, sizeof(command), "mkdir -p %s", path_of(name));
    assert_int_equal(system(command), 0);
}

static inline char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *s = calloc(1, 1 << 16);
    assert_non_null(s);
    assert_true(fread(s, 1, (1 << 16) - 1, file) < (1 << 16) - 1);
    fclose(file);
    return s;
}

static inline char *replace_all(const char *s, const char *old, const char *by)
{
    struct text text = TEXT_INIT;
    for (const char *found; (found = strstr(s, old)); s = found + strlen(old)) {
        text_add_bytes(&text, s, (size_t) (found - s));
        text_add(&text, by);
    }
    text_add(&text, s);
    assert_true(text.room && !text.failed);
    return text.s;
}

/* The lines about a file, without the directory; to be freed. */
static inline char *load_with(const char *name, const struct config_secrets *secrets, int *ret_r, struct config **ret)
{
    const struct config_hooks hooks = { .secrets = secrets };
    struct config_problems problems;
    struct config *config = NULL;
    *ret_r = config_load(path_of(name), schema, &hooks, &config, &problems);
    assert_true(*ret_r == 0 ? !!config : !config);

    struct text lines = TEXT_INIT;
    text_add(&lines, "");
    assert_true(text_reserve(&lines, 1));
    for (size_t i = 0; i < problems.n_lines; i++)
        text_addf(&lines, "%s\n", problems.lines[i]);
    config_problems_free(&problems);

    char prefix[sizeof(top) + 1];
    snprintf(prefix, sizeof(prefix), "%s/", top);
    char *stripped = replace_all(lines.s, prefix, "");
    text_free(&lines);
    assert_null(strstr(stripped, "SECRET"));
    if (ret)
        *ret = config;
    else
        config_free(config);
    return stripped;
}

static inline char *load(const char *name, int *ret_r, struct config **ret)
{
    return load_with(name, NULL, ret_r, ret);
}

static inline void assert_lines(const char *name, int expected_r, const char *expected)
{
    int r;
    char *lines = load(name, &r, NULL);
    assert_string_equal(lines, expected);
    assert_int_equal(r, expected_r);
    free(lines);
}

static inline struct config *must_load_with(const char *name, const struct config_secrets *secrets)
{
    int r;
    struct config *config;
    char *lines = load_with(name, secrets, &r, &config);
    assert_string_equal(lines, "");
    assert_int_equal(r, 0);
    free(lines);
    return config;
}

static inline struct config *must_load(const char *name)
{
    return must_load_with(name, NULL);
}

static inline void assert_key(const char *name, const char *key)
{
    struct config *config = must_load(name);
    assert_string_equal(config->communities[0].api_keys[0], key);
    config_free(config);
}

static inline char *print(const struct config *config)
{
    char *s = NULL;
    size_t size;
    FILE *out = open_memstream(&s, &size);
    assert_non_null(out);
    assert_int_equal(config_print(config, out), 0);
    fclose(out);
    assert_null(strstr(s, "SECRET"));
    return s;
}

static inline void assert_prints_alike(const char *a, const char *b)
{
    struct config *x = must_load(a), *y = must_load(b);
    char *of_x = print(x), *of_y = print(y);
    assert_string_equal(of_x, of_y);
    free(of_x);
    free(of_y);
    config_free(x);
    config_free(y);
}

static inline int copy_fixtures(void **state)
{
    (void) state;
    unsetenv("CREDENTIALS_DIRECTORY");
    umask(077);
    if (!mkdtemp(top))
        return -1;
    char command[512];
    snprintf(command, sizeof(command), "cp -R '" FIXTURES "/config/.' %s && chmod -R go= %s", top, top);
    return system(command);
}

static inline int remove_fixtures(void **state)
{
    (void) state;
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command);
}
