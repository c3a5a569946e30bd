/* load.c - a config: read as a whole from a file, or refused as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

static void cleanup_config(struct config **config)
{
    *config = config_free(*config);
}

/* libconfig frees its copies as they are. */
static void wipe_texts(const config_setting_t *setting)
{
    char *s = config_setting_type(setting) == CONFIG_TYPE_STRING ? setting->value.sval : NULL;
    if (s)
        explicit_bzero(s, strlen(s));
    int n = config_setting_is_aggregate(setting) ? config_setting_length(setting) : 0;
    for (int i = 0; i < n; i++)
        wipe_texts(config_setting_get_elem(setting, (unsigned) i));
}

void cleanup_settings(config_t *settings)
{
    if (settings->root)
        wipe_texts(settings->root);
    config_destroy(settings);
}

/* libconfig has words, of which some need more. */
static const char *explain(const char *words)
{
    static const struct {
        const char *words, *sentence;
    } table[] = {
        { "duplicate setting name", "a setting of this line was set before in the same group: expected each one once" },
        { "mismatched element type in array", "a list in [ ] has values of different kinds: expected all in quotes" },
        { "syntax error", "syntax error here or on the line before (a missing quote, bracket or = ?)" },
    };
    for (size_t i = 0; words && i < ARRAY_SIZE(table); i++)
        if (strcmp(words, table[i].words) == 0)
            return table[i].sentence;
    return words ? words : "syntax error";
}

/* So that a body of the largest size can be taken at all. */
static void check_in_flight(const struct walk *walk, const config_t *settings)
{
    const struct config *config = walk->config;
    const config_setting_t *setting = config_lookup(settings, "limits.in_flight");
    if (!setting || !config->limits.in_flight_bytes || config->limits.in_flight_bytes >= config->limits.body_bytes)
        return;

    struct text sentence = TEXT_INIT;
    text_add(&sentence, "expected at least limits.body = ");
    value_add(&sentence, rows_find(rows_of("limits"), "body"), &config->limits.body_bytes);
    setting_refuse(walk, setting, "limits.in_flight", false, sentence.s);
    text_free(&sentence);
}

static void resolve_listeners(struct config *config)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        struct config_listener *listener = &config->listeners[i];
        if (!listener->address || /* a mistake that was told */
            address_parse(listener->address, &listener->socket_address, &listener->socket_address_size) < 0)
            listener->socket_address_size = 0;
    }
}

static int read_settings(const struct walk *walk, config_t *settings)
{
    if (!config_read_string(settings, walk->source->text.s)) {
        struct place place = source_place(walk->source, (unsigned) config_error_line(settings));
        problems_add(walk->problems, place, "%s", explain(config_error_text(settings)));
        return -EINVAL;
    }
    return 0;
}

/* Ours of the folders that systemd made for the unit, which a drop-in may have added to: StateDirectory= of
 * systemd.exec(5) gives a list. */
static struct span state_folder(const char *list)
{
    for (const char *p = list; *p;) {
        size_t size = strcspn(p, ":"), name = strlen(PROGRAM_NAME);
        if (size > name && p[size - name - 1] == '/' && strncmp(p + size - name, PROGRAM_NAME, name) == 0)
            return (struct span){ p, size };
        p += size + (p[size] == ':');
    }
    return (struct span){ list, strcspn(list, ":") };
}

/* A relative path of the event log: where systemd says that state belongs, else beside the config file. */
static char *resolve_store_path(const char *file, const char *path)
{
    const char *folders = getenv("STATE_DIRECTORY");
    if (*path == '/')
        return strdup(path);

    const char *slash = strrchr(file, '/');
    int folder_size = slash ? (int) (slash - file) : 1;
    char *resolved;
    struct span folder = state_folder(folders ? folders : "");
    int n = folder.size ? asprintf(&resolved, "%.*s/%s", (int) folder.size, folder.s, path)
                        : asprintf(&resolved, "%.*s/%s", folder_size, slash ? file : ".", path);
    return n < 0 ? NULL : resolved;
}

char *find_store_path(const char *file, const config_t *settings)
{
    const char *path;
    bool written = config_lookup_string(settings, "store.path", &path);
    return resolve_store_path(file, written ? path : rows_find(rows_of("store"), "path")->fallback);
}

int config_find_store(const char *file, char **ret)
{
    struct problems problems = { 0 };
    struct config_problems told;
    struct source source;
    config_t settings CLEANUP(cleanup_settings);

    config_init(&settings);
    int r = source_read(file, &source, &problems);
    bool sound = r == 0 && !problems.n_mistakes && config_read_string(&settings, source.text.s);
    char *path = r == 0 ? find_store_path(file, &settings) : NULL;
    if (problems_hand_over(&problems, &told) == 0)
        config_problems_free(&told);
    source_done(&source);
    if (!path)
        return r < 0 ? r : -ENOMEM;
    *ret = path;
    return !sound;
}

static struct config *config_new(const char *file)
{
    struct config *config = calloc(1, sizeof(*config));
    if (!config)
        return NULL;
    atomic_init(&config->references, 1);
    config->file = strdup(file);
    return config->file ? config : config_free(config);
}

static int build(const char *file, const struct config_hooks *hooks, struct config **ret, const struct source *source,
                 struct problems *problems)
{
    CLEANUP(cleanup_config) struct config *config = config_new(file);
    if (!config)
        return -ENOMEM;

    CLEANUP(cleanup_settings) config_t settings;
    config_init(&settings);
    struct walk walk = { .config = config, .hooks = hooks, .problems = problems, .source = source };
    int r = read_settings(&walk, &settings);
    if (r < 0)
        return r;
    char *store_path CLEANUP(cleanup_free) = find_store_path(file, &settings);
    if (!store_path)
        return -ENOMEM;
    walk.secrets = (struct secret_source){ file, store_path, hooks ? hooks->secrets : NULL };

    walk_config(&walk, config_root_setting(&settings));
    check_in_flight(&walk, &settings);
    warn_about_limits(&walk, config_root_setting(&settings));
    resolve_listeners(config);
    if (problems->failed)
        return -ENOMEM;
    if (problems->n_mistakes)
        return -EINVAL;
    free(config->store.path);
    config->store.path = store_path;
    store_path = NULL;
    *ret = config;
    config = NULL;
    return 0;
}

int config_load(const char *file, const struct config_hooks *hooks, struct config **ret,
                struct config_problems *ret_problems)
{
    struct problems problems = { 0 };
    struct source source;
    struct config *config = NULL;

    int r = source_read(file, &source, &problems);
    if (r == 0)
        r = problems.n_mistakes ? -EINVAL : build(file, hooks, &config, &source, &problems);
    if (r == 0)
        config->text_hash = hash_bytes(HASH_START, source.text.s, source.text.size);
    source_done(&source);

    if (problems_hand_over(&problems, ret_problems) < 0)
        r = -ENOMEM;
    if (r < 0) {
        config_free(config);
        return r;
    }
    *ret = config;
    return 0;
}

static void option_done(const struct config_option *option, char *field)
{
    if (option->type == CONFIG_FILE) /* its field is that of the secret */
        return;
    if (!option->list) {
        value_done(option->type, field);
        return;
    }
    struct list list = list_get(field, 0);
    for (size_t i = 0; list.elements && i < list.n_elements; i++)
        value_done(option->type, list.elements + i * value_size(option->type));
    free(list.elements);
}

static void rows_done(struct rows rows, char *base)
{
    for (size_t i = 0; i < rows.n; i++)
        option_done(&rows.first[i], base + rows.first[i].offset);
}

struct config *config_ref(struct config *config)
{
    atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
    return config;
}

/* The last one sees all that the others did before. */
struct config *config_free(struct config *config)
{
    if (!config || atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) > 1)
        return NULL;
    for (size_t i = 0; i < config->n_actions; i++)
        free(config->actions[i].missing);
    struct rows rows = rows_next(config_options);
    for (; rows.n; rows = rows_next(rows.first + rows.n)) {
        const struct config_list *of = list_of(rows.first->group);
        if (!of) {
            rows_done(rows, (char *) config);
            continue;
        }
        struct list list = list_get(config, of->offset);
        for (size_t i = 0; list.elements && i < list.n_elements; i++)
            rows_done(rows, list.elements + i * of->element_size);
        free(list.elements);
    }
    free(config->file);
    free(config);
    return NULL;
}

size_t config_n_missing(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; i < config->n_actions; i++)
        n += config->actions[i].missing != NULL;
    return n;
}
