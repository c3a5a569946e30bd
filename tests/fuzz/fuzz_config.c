/* fuzz_config.c - any bytes as the files of a configuration: read with what they include and the secrets that they
 * name, checked as the daemon, its reload and --check do, printed and read again. libFuzzer's target.
 *
 * The first byte says who checks. The main file follows, and behind a byte 0x1f each: the name of another one, and what
 * is in it. No other file is there: what looks at files is answered from here.
 * Looked for besides crashes: a line that a terminal would obey, that is about a place which the file has not, or that
 * shows a secret; a mistake without a line; settings that are others, or none, once they were printed and read again.
 */
#include "fuzz_checks.h"
#include "fuzz_disk.h"

#include <errno.h>
#include <sonoran-pushd/config.h>
#include <sonoran-pushd/daemon.h>

#define SEPARATOR '\x1f'
#define MAIN FOLDER "sonoran-pushd.yaml"
#define SECRET_FILE FOLDER "secrets/key-of-a-file"
#define SECRET "SECRET-KEY-OF-A-FILE"
#define LINE_MAX_BYTES 4096
#define KEY_MIN_BYTES 8

/* ---- what is said ---- */

static size_t count_lines(struct span text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.size; i++)
        n += text.s[i] == '\n' || text.s[i] == '\r';
    return n;
}

/* "/f/a.yaml:12:1: …": a place that there is. Without one it is about a file as a whole. */
static void look_at_place(const char *line)
{
    for (size_t i = 0; i < disk.n; i++) {
        size_t size = strlen(disk.files[i].path);
        unsigned row, column;
        if (strncmp(line, disk.files[i].path, size) != 0 || sscanf(line + size, ":%u:%u: ", &row, &column) != 2)
            continue;
        require(row > 0 && column > 0 && row <= count_lines(disk.files[i].bytes));
        require(column <= disk.files[i].bytes.size + 2);
    }
}

/* How often it stands in the files. */
static size_t count(const char *words)
{
    size_t n = 0;
    for (size_t i = 0; i < disk.n; i++) {
        struct span left = disk.files[i].bytes;
        for (const char *at; (at = memmem(left.s, left.size, words, strlen(words))); n++)
            left = (struct span){ at + 1, (size_t) (left.s + left.size - at - 1) };
    }
    return n;
}

/* Nobody wrote it into a file that may be shown, or made its own file one. */
static bool is_hidden(void)
{
    return count("include") == 0 && count(SECRET) == 1;
}

static void look_at_problems(const struct config_problems *problems, bool is_sound)
{
    size_t n_mistakes = 0;
    bool no_secret = is_hidden();
    for (size_t i = 0; i < problems->n_lines; i++) {
        const char *line = problems->lines[i];
        require_safe(line);
        require(strlen(line) <= LINE_MAX_BYTES && (i || !problems->shows[i]));
        require(!no_secret || !strstr(line, SECRET));
        n_mistakes += !problems->warns[i] && !problems->shows[i];
        if (!problems->shows[i])
            look_at_place(line);
    }
    require(is_sound == (n_mistakes == 0));
}

/* One that stands in the file itself, and nowhere else where it may be shown. */
static void look_for_key(const char *key, const struct config_problems *problems, const char *printed)
{
    if (strlen(key) < KEY_MIN_BYTES || count(key) != 1)
        return;
    require(!strstr(printed, key));
    for (size_t i = 0; i < problems->n_lines; i++)
        require(!strstr(problems->lines[i], key));
}

/* ---- the settings ---- */

static struct config_hooks hooks_of(unsigned how, const struct config_secrets *secrets)
{
    static const struct config_hooks *const all[] = { &daemon_config_hooks, &daemon_reload_hooks, &daemon_check_hooks };
    struct config_hooks hooks = *all[how % ARRAY_SIZE(all)];
    hooks.secrets = how & 4 ? secrets : NULL;
    return hooks;
}

static int load(const struct config_hooks *hooks, struct config **ret, struct config_problems *ret_problems)
{
    int r = config_load(MAIN, &daemon_schema, hooks, ret, ret_problems);
    require(r == 0 || r == -EINVAL || r == -EFBIG);
    look_at_problems(ret_problems, r == 0);
    return r;
}

static char *print(const struct config *config)
{
    char *s = NULL;
    size_t size;
    FILE *out = open_memstream(&s, &size);
    require(out && config_print(config, out) == 0 && fclose(out) == 0);
    return s;
}

static void look_at_again(const char *printed, const struct config_hooks *hooks)
{
    struct config *config = NULL;
    struct config_problems problems;
    disk.files[0].bytes = span_of(printed);
    require(load(hooks, &config, &problems) == 0);
    char *again = print(config);
    require(strcmp(again, printed) == 0);
    free(again);
    config_problems_free(&problems);
    config_free(config);
}

static void look_at_config(const struct config *config, const struct config_hooks *hooks,
                           const struct config_problems *problems)
{
    char *printed = print(config), *store = NULL;
    require(config_find_store(MAIN, &daemon_schema, &store) == 0 && strcmp(store, config->store.path) == 0);
    for (const char *line = printed; *line; line++)
        require((unsigned char) *line >= 0x20 || *line == '\n');
    for (size_t i = 0; i < config->n_communities; i++)
        for (size_t k = 0; k < config->communities[i].n_api_keys; k++)
            look_for_key(config->communities[i].api_keys[k], problems, printed);
    require(!strstr(printed, SECRET) || !is_hidden());
    if (!strstr(printed, "(set)"))
        look_at_again(printed, hooks);
    free(printed);
    free(store);
}

/* As root does it for the daemon, and without the secrets. */
static void look_elsewhere(void)
{
    char *path = NULL;
    struct config_secrets *secrets = NULL;
    struct err err = { "" };
    int r = config_collect(MAIN, &daemon_schema, &path, &secrets, &err);
    require(r < 0 ? *err.msg && !path && !secrets : path != NULL);
    require_safe(err.msg);
    config_secrets_free(secrets);
    free(path);
    path = NULL;
    r = config_find_store(MAIN, &daemon_schema, &path);
    require(r < 0 || path);
    free(path);
}

static struct config_secrets *make_secrets(void)
{
    struct config_secrets *secrets = NULL;
    require(config_secrets_new(&secrets) == 0);
    require(config_secrets_hand_over(secrets, "secrets_handed-over", SECRET) == 0);
    return secrets;
}

/* Wipes what it reads, so of a copy. */
static bool read_secrets(struct text *text, const void *bytes, size_t size)
{
    struct config_secrets *secrets = NULL;
    char *copy = malloc(size + 1);
    require(copy && config_secrets_new(&secrets) == 0);
    memcpy(copy, bytes, size);
    int r = config_secrets_read(secrets, copy, size);
    if (r >= 0)
        config_secrets_write(secrets, text);
    free(copy);
    config_secrets_free(secrets);
    return r >= 0;
}

/* What comes from another process, and is written as it was read. */
static void look_at_secrets(const uint8_t *bytes, size_t size)
{
    struct text once CLEANUP(text_free) = TEXT_INIT, twice CLEANUP(text_free) = TEXT_INIT;
    if (!read_secrets(&once, bytes, size))
        return;
    require(read_secrets(&twice, once.s, once.size));
    require(once.size == twice.size && memcmp(once.s, twice.s, once.size) == 0);
}

static void look_at_files(unsigned how)
{
    struct config *config = NULL;
    struct config_problems problems;
    struct config_secrets *secrets = make_secrets();
    const struct config_hooks hooks = hooks_of(how, secrets);
    if (load(&hooks, &config, &problems) == 0)
        look_at_config(config, &hooks, &problems);
    else
        look_elsewhere();
    config_problems_free(&problems);
    config_free(config);
    config_secrets_free(secrets);
}

static void fill_disk(char *bytes, size_t size)
{
    char *end = bytes + size, *part = memchr(bytes, SEPARATOR, size);
    disk.n = 0;
    add_file(MAIN, (struct span){ bytes, (size_t) ((part ? part : end) - bytes) });
    while (part && disk.n < FILES_MAX - 1) {
        char *name = part + 1, *content = memchr(name, SEPARATOR, (size_t) (end - name));
        if (!content)
            break;
        *content++ = '\0';
        part = memchr(content, SEPARATOR, (size_t) (end - content));
        add_file(name, (struct span){ content, (size_t) ((part ? part : end) - content) });
    }
    add_file(SECRET_FILE, span_of(SECRET "\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool is_begun;
    if (!is_begun) {
        unsetenv("CREDENTIALS_DIRECTORY");
        unsetenv("STATE_DIRECTORY");
        is_begun = true;
    }
    char *copy = size ? malloc(size) : NULL;
    if (!copy)
        return 0;
    memcpy(copy, bytes + 1, size - 1);
    disk.mode = bytes[0] & 8 ? 0644 : 0600;
    fill_disk(copy, size - 1);
    disk.is_open = true;
    look_at_files(bytes[0]);
    look_at_secrets(bytes + 1, size - 1);
    disk.is_open = false;
    free(copy);
    return 0;
}
