/* test_config.c - each fixtures/config/X.yaml loads, or is refused with the lines of X.expect; what is read and
 * printed; the table. */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>

#include "config_helpers.h"

#define FIXTURES_MAX 200

/* ---- fixtures ---- */

static bool has_mistake(const char *lines)
{
    for (const char *end; *lines; lines = end + 1) {
        const char *warning = strstr(lines, ": warning: ");
        end = strchr(lines, '\n');
        assert_non_null(end);
        if (!warning || warning > end)
            return true;
    }
    return false;
}

static void fixture(void **state)
{
    char name[128], *expected = NULL;
    snprintf(name, sizeof(name), "%s.expect", (const char *) *state);
    if (access(path_of(name), F_OK) == 0)
        expected = read_text(path_of(name));
    assert_true(!expected || *expected);
    snprintf(name, sizeof(name), "%s.yaml", (const char *) *state);
    assert_lines(name, expected && has_mistake(expected) ? -EINVAL : 0, expected ? expected : "");
    free(expected);
}

static void every_expect_has_its_file(void **state)
{
    (void) state;
    DIR *dir = opendir(top);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char *dot = strstr(entry->d_name, ".expect");
        if (!dot)
            continue;
        strcpy(dot, ".yaml");
        assert_int_equal(access(path_of(entry->d_name), F_OK), 0);
    }
    closedir(dir);
}

/* ---- what is read ---- */

static void defaults(void **state)
{
    (void) state;
    struct config *config = must_load("minimal.yaml");
    assert_string_equal(config->file, path_of("minimal.yaml"));
    assert_int_equal(config->n_listeners, 1);
    assert_string_equal(config->listeners[0].name, "main");
    assert_string_equal(config->listeners[0].address, "[::]:30120");
    assert_int_equal(config->n_paths, 2);
    assert_string_equal(config->paths[0], "/sonorancad/event");
    assert_string_equal(config->paths[1], "/");
    assert_int_equal(config->unknown_types, UNKNOWN_TYPES_REJECT);
    assert_int_equal(config->n_communities, 1);
    assert_string_equal(config->communities[0].name, "default");
    assert_string_equal(config->communities[0].api_keys[0], "SECRET-minimal");
    assert_int_equal(config->log.level, LOG_INFO);
    assert_int_equal(config->log.target, LOG_TARGET_AUTO);
    assert_int_equal(config->log.payload_bytes, 4096);
    assert_int_equal(config->limits.body_bytes, 4 << 20);
    assert_int_equal(config->limits.connections, 1024);
    assert_int_equal(config->limits.connections_per_ip, 64);
    assert_int_equal(config->limits.request_time_us, 10 * USEC_PER_SEC);
    assert_int_equal(config->limits.in_flight_bytes, 64 << 20);
    assert_int_equal(config->limits.failed_keys, 20);
    assert_int_equal(config->limits.failed_keys_window_us, 60 * USEC_PER_SEC);
    config_free(config);
}

static void assert_socket_address(const struct config_listener *listener, int family, const char *host, int port)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    char text[INET6_ADDRSTRLEN];
    assert_int_equal(listener->socket_address.ss_family, family);
    assert_int_equal(listener->socket_address_size, family == AF_INET6 ? sizeof(v6) : sizeof(v4));
    memcpy(&v6, &listener->socket_address, sizeof(v6));
    memcpy(&v4, &listener->socket_address, sizeof(v4));
    inet_ntop(family, family == AF_INET6 ? (void *) &v6.sin6_addr : &v4.sin_addr, text, sizeof(text));
    assert_string_equal(text, host);
    assert_int_equal(ntohs(family == AF_INET6 ? v6.sin6_port : v4.sin_port), port);
}

static void everything_given(void **state)
{
    (void) state;
    struct config *config = must_load("full.yaml");
    assert_int_equal(config->n_listeners, 4);
    assert_socket_address(&config->listeners[0], AF_INET6, "::1", 30120);
    assert_socket_address(&config->listeners[1], AF_INET, "127.0.0.1", 30121);
    assert_string_equal(config->listeners[1].name, "second-cad");
    assert_int_equal(config->n_paths, 2);
    assert_string_equal(config->paths[0], "/sonorancad/event");
    assert_string_equal(config->paths[1], "/a\"b\\c");
    assert_int_equal(config->unknown_types, UNKNOWN_TYPES_ACCEPT);
    assert_int_equal(config->n_communities, 3);
    assert_string_equal(config->communities[1].name, "beta");
    assert_string_equal(config->communities[1].api_keys[0], "SECRET-beta");
    assert_string_equal(config->communities[2].api_keys[0], "SECRET-from-a-file");
    assert_int_equal(config->log.level, LOG_DEBUG);
    assert_int_equal(config->log.target, LOG_TARGET_JSON);
    assert_int_equal(config->log.payload_bytes, 0);
    assert_int_equal(config->limits.body_bytes, 65536);
    assert_int_equal(config->limits.connections, 65536);
    assert_int_equal(config->limits.connections_per_ip, 1);
    assert_int_equal(config->limits.request_time_us, 1500 * USEC_PER_MSEC);
    assert_int_equal(config->limits.in_flight_bytes, 5000000000);
    assert_int_equal(config->limits.failed_keys, 1);
    assert_int_equal(config->limits.failed_keys_window_us, 86400 * USEC_PER_SEC);
    config_free(config);
}

static void printed_settings_load_again(void **state)
{
    (void) state;
    struct config *config = must_load("full.yaml");
    char *printed = print(config), *rest = printed, key[] = "\"SECRET-0\"";
    struct text text = TEXT_INIT;
    for (char *found; (found = strstr(rest, "\"(set)\"")); rest = found + strlen("\"(set)\"")) {
        text_add_bytes(&text, rest, (size_t) (found - rest));
        key[strlen(key) - 2]++;
        text_add(&text, key);
    }
    text_add(&text, rest);
    write_text("printed", text.s);
    assert_prints_alike("full.yaml", "printed");
    assert_non_null(strstr(printed, "paths: [ \"/sonorancad/event\", \"/a\\\"b\\\\c\" ]\n"));
    assert_non_null(strstr(printed, "\n  body: 64K\n"));
    assert_non_null(strstr(printed, "  - name: \"beta\"\n    api_key: \"(set)\"\n"));

    FILE *full = fopen("/dev/full", "w");
    assert_int_equal(config_print(config, full), -ENOSPC);
    fclose(full);
    free(printed);
    text_free(&text);
    config_free(config);
}

static void assert_restart(const char *settings, const char *expected)
{
    char text[256];
    snprintf(text, sizeof(text), "log: { level: \"debug\" }\npaths: [ \"/\" ]\ncommunities: [ { api_key: \"a\" } ]\n%s",
             settings);
    write_text("changed", text);
    struct config *old = must_load("minimal.yaml"), *changed = must_load("changed");
    char *names = config_needs_restart(old, changed);
    if (expected)
        assert_string_equal(names ? names : "nothing", expected);
    else
        assert_null(names);
    free(names);
    config_free(old);
    config_free(changed);
}

static void a_node_has_a_name(void **state)
{
    (void) state;
    int r;
    struct config *config = NULL;
    write_text("node", "node: edge-1\ncommunities: [ { api_key: SECRET-1 } ]\n");
    free(load("node", &r, &config));
    assert_int_equal(r, 0);
    assert_string_equal(config->node, "edge-1");
    config_free(config);
    write_text("node", "node: edge 1\ncommunities: [ { api_key: SECRET-1 } ]\n");
    free(load("node", &r, &config));
    assert_int_equal(r, -EINVAL);
}

static void what_needs_a_restart(void **state)
{
    (void) state;
    assert_restart("", NULL);
    assert_restart("listeners: [ { name: \"other\", address: \"[::]:30121\" } ]", NULL);
    assert_restart("store: { keep: \"1d\" }", NULL);
    assert_restart("store: { path: \"/other.db\" }", "store.path");
    assert_restart("node: edge1", "node");
}

/* ---- the table ---- */

static bool is_in_list(const struct config_option *option)
{
    return strstr(option->group, "[]");
}

static size_t size_of(enum config_type type)
{
    if (type == CONFIG_BOOL)
        return sizeof(bool);
    return type <= CONFIG_FILE ? sizeof(char *) : type == CONFIG_WORD ? sizeof(int) : sizeof(uint64_t);
}

static const struct config_kind *kind_of(const struct config_option *option);

static void assert_value(const struct config_option *option, uint64_t value, bool good)
{
    const struct config_kind *kind = kind_of(option);
    bool duration = option->type == CONFIG_DURATION;
    char text[256];
    bool of_action = strcmp(option->group, "actions[]") == 0;
    bool of_session = strcmp(option->group, "sessions[]") == 0;
    bool of_redis = kind && strcmp(kind->name, "redis") == 0;
    bool of_streams = strcmp(option->group, "streams[]") == 0;
    const char *before = of_redis     ? "[ { name: a, type: redis, url: 'redis://h',"
                         : of_action  ? "[ { name: a, type: exec, command: [ /bin/true ],"
                         : of_session ? "[ { community_id: a,"
                         : of_streams ? "[ { url: \"redis://h\","
                                      : "{";
    snprintf(text, sizeof(text), "%.*s: %s %s: %llu%s }%s\ncommunities: [ { api_key: SECRET-1 } ]\n",
             (int) strcspn(option->group, "["), option->group, before, option->name,
             (unsigned long long) (value / (duration ? USEC_PER_MSEC : 1)), duration ? "ms" : "",
             of_action || of_session || of_streams ? " ]" : "");
    write_text("value", text);

    int r;
    struct config *config = NULL;
    char *lines = load("value", &r, &config);
    bool in_flight = strstr(lines, "expected at least limits.body"); /* a rule of its own */
    assert_int_equal(r, good && !in_flight ? 0 : -EINVAL);
    free(lines);
    config_free(config);
}

/* NULL: of none. */
static const struct config_kind *kind_of(const struct config_option *option)
{
    for (size_t i = 0; i < daemon_schema.n_kinds; i++) {
        const struct config_kind *kind = daemon_schema.kinds[i];
        for (size_t k = 0; k < kind->n_options; k++)
            if (&kind->options[k] == option)
                return kind;
    }
    return NULL;
}

static void every_row_is_sane(void **state)
{
    const struct config_option *option;
    (void) state;
    for (size_t i = 0; (option = config_schema_option(&daemon_schema, i)); i++) {
        bool names_kind = strcmp(option->group, CONFIG_ACTION) == 0 && strcmp(option->name, "type") == 0;
        size_t length = strlen(option->help);
        assert_true(length > 10 && option->help[length - 1] == '.');
        assert_int_equal(option->size, option->list ? sizeof(char *) + sizeof(size_t) : size_of(option->type));
        assert_int_equal(!!option->words, option->type == CONFIG_WORD && !names_kind);
        assert_true(!kind_of(option) || strcmp(option->group, CONFIG_ACTION) == 0);
        bool may_be_absent = strcmp(option->group, "admin") == 0 || strcmp(option->name, "node") == 0;
        assert_true(option->fallback || is_in_list(option) || may_be_absent);
        for (size_t j = 0; j < i; j++) {
            const struct config_option *other = config_schema_option(&daemon_schema, j);
            bool apart = kind_of(other) && kind_of(other) != kind_of(option);
            assert_false(!apart && strcmp(other->group, option->group) == 0 && strcmp(other->name, option->name) == 0);
            bool partners = option->type == CONFIG_FILE && other->type == CONFIG_SECRET;
            assert_false(!is_in_list(option) && !is_in_list(other) && other->offset == option->offset && !partners);
        }
        if (option->type < CONFIG_COUNT) {
            assert_true(option->min == 0 && option->max == 0);
            continue;
        }
        assert_true(option->min < option->max);
        if (option->list) /* of one type of action: actions-values.yaml */
            continue;
        assert_value(option, option->min, true);
        assert_value(option, option->max, true);
        uint64_t step = option->type == CONFIG_DURATION ? USEC_PER_MSEC : 1;
        assert_value(option, option->max + step, false);
        if (option->min)
            assert_value(option, option->min - step, false);
    }
}

static int compare_tests(const void *a, const void *b)
{
    const struct CMUnitTest *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* One test for each .yaml, called as it. */
static size_t add_fixtures(struct CMUnitTest *tests)
{
    size_t n = 0;
    DIR *dir = opendir(FIXTURES "/config");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char *dot = strstr(entry->d_name, ".yaml");
        if (!dot || dot[strlen(".yaml")] || n == FIXTURES_MAX)
            continue;
        char *name = strndup(entry->d_name, (size_t) (dot - entry->d_name));
        tests[n++] = (struct CMUnitTest){ .name = name, .test_func = fixture, .initial_state = name };
    }
    if (dir)
        closedir(dir);
    qsort(tests, n, sizeof(tests[0]), compare_tests);
    return n;
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(every_expect_has_its_file), cmocka_unit_test(defaults),
        cmocka_unit_test(everything_given),          cmocka_unit_test(printed_settings_load_again),
        cmocka_unit_test(a_node_has_a_name),         cmocka_unit_test(what_needs_a_restart),
        cmocka_unit_test(every_row_is_sane),
    };
    struct CMUnitTest tests[FIXTURES_MAX + ARRAY_SIZE(others)];
    size_t n = add_fixtures(tests);
    if (n < 40 || n == FIXTURES_MAX) {
        fprintf(stderr, "%zu fixtures in " FIXTURES "/config: too few, or more than fit\n", n);
        return 1;
    }
    memcpy(tests + n, others, sizeof(others));
    int failed = _cmocka_run_group_tests("config", tests, n + ARRAY_SIZE(others), copy_fixtures, remove_fixtures);
    for (size_t i = 0; i < n; i++)
        free(tests[i].initial_state);
    return failed;
}
