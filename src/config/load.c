/* load.c - a config: read as a whole from a file, or refused as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

static void cleanup_config(struct config **config)
{
    *config = config_free(*config);
}

/* So that a body of the largest size can be taken at all. */
static void check_in_flight(const struct walk *walk, const struct node *root)
{
    const struct config *config = walk->config;
    const struct node *setting = node_member(node_member(root, "limits"), "in_flight");
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

/* -ENOMEM. What is no network is a mistake that was told. */
static int resolve_networks(struct config *config)
{
    struct err err;
    for (size_t i = 0; i < config->n_listeners; i++) {
        struct config_listener *listener = &config->listeners[i];
        listener->networks = calloc(listener->n_allow + 1, sizeof(*listener->networks));
        if (!listener->networks)
            return -ENOMEM;
        for (size_t k = 0; k < listener->n_allow; k++)
            if (listener->allow[k])
                (void) !network_read(listener->allow[k], &listener->networks[k], &err);
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

char *config_find_store_path(const char *file, const struct node *root)
{
    const char *path = setting_node_text(node_member(node_member(root, "store"), "path"));
    return resolve_store_path(file, path ? path : rows_find(rows_of("store"), "path")->fallback);
}

int config_find_store(const char *file, const struct config_schema *schema, char **ret)
{
    struct problems problems = { 0 };
    struct config_problems told;
    struct source source;
    int r = source_read(file, schema, &source, &problems);
    bool sound = r == 0 && !problems.n_mistakes;
    char *path = r == 0 ? config_find_store_path(file, &source.root) : NULL;
    if (problems_hand_over(&problems, &told) == 0)
        config_problems_free(&told);
    source_done(&source);
    if (!path)
        return r < 0 ? r : -ENOMEM;
    *ret = path;
    return !sound;
}

static struct config *config_new(const char *file, const struct config_schema *schema)
{
    struct config *config = calloc(1, sizeof(*config));
    if (!config)
        return NULL;
    atomic_init(&config->references, 1);
    config->schema = schema;
    config->file = strdup(file);
    return config->file ? config : config_free(config);
}

static int build(const char *file, const struct config_hooks *hooks, struct config **ret, const struct source *source,
                 struct problems *problems)
{
    CLEANUP(cleanup_config) struct config *config = config_new(file, source->schema);
    if (!config)
        return -ENOMEM;

    const struct node *root = &source->root;
    struct walk walk = { .config = config, .hooks = hooks, .problems = problems, .source = source };
    char *store_path CLEANUP(cleanup_free) = config_find_store_path(file, root);
    if (!store_path)
        return -ENOMEM;
    walk.secrets = (struct secret_source){ file, store_path, hooks ? hooks->secrets : NULL };

    walk_config(&walk, root);
    check_in_flight(&walk, root);
    config_check_door(&walk, root);
    config_warn_about_limits(&walk, root);
    resolve_listeners(config);
    if (problems->failed || resolve_networks(config) < 0)
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

int config_load(const char *file, const struct config_schema *schema, const struct config_hooks *hooks,
                struct config **ret, struct config_problems *ret_problems)
{
    struct problems problems = { 0 };
    struct source source;
    struct config *config = NULL;

    int r = source_read(file, schema, &source, &problems);
    if (r == 0)
        r = source.broken ? -EINVAL : build(file, hooks, &config, &source, &problems);
    if (r == 0)
        config->text_hash = source.hash;
    source_done(&source);

    if (r < 0 && r != -ENOMEM && problems.passing)
        r = -EAGAIN;
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
    struct list list = row_list_get(field, 0);
    for (size_t i = 0; list.elements && i < list.n_elements; i++)
        value_done(option->type, list.elements + i * value_size(option->type));
    free(list.elements);
}

void rows_done(struct rows rows, char *base)
{
    for (size_t i = 0; i < rows.n; i++)
        option_done(&rows.first[i], base + rows.first[i].offset);
}

struct config *config_ref(struct config *config)
{
    atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
    return config;
}

/* What is of no row of the group. */
static void action_done(struct config_action *action)
{
    if (action->kind)
        rows_done(rows_of_kind(action->kind), action->settings);
    free(action->settings);
    free(action->missing);
}

static void part_done(const struct part *part, struct config *config)
{
    if (!part->list.group) {
        rows_done(part->rows, (char *) config);
        return;
    }
    struct list list = row_list_get(config, part->list.offset);
    for (size_t i = 0; list.elements && i < list.n_elements; i++)
        rows_done(part->rows, list.elements + i * part->list.element_size);
    free(list.elements);
}

/* The last one sees all that the others did before. */
struct config *config_free(struct config *config)
{
    if (!config || atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) > 1)
        return NULL;
    for (size_t i = 0; i < config->n_listeners; i++)
        free(config->listeners[i].networks);
    for (size_t i = 0; i < config->n_actions; i++)
        action_done(&config->actions[i]);
    struct part part;
    for (size_t i = 0; schema_part(config->schema, i, &part); i++)
        part_done(&part, config);
    for (size_t i = 0; i < config->n_secret_files; i++) {
        free(config->secret_files[i].name);
        free(config->secret_files[i].to_make);
    }
    free(config->secret_files);
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
