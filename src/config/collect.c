/* collect.c - the secret files that a configuration names, read for a daemon that may not read them itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_private.h"

/* Mistakes of the file are the daemon's to tell: what can be found is found. */
struct collector {
    const struct config_schema *schema;
    const struct secret_source *source;
    struct config_secrets *secrets;
    struct err *err;
};

static bool names_secret_file(const struct config_schema *schema, const char *name)
{
    const struct config_option *option = name ? schema_find(schema, span_of(name)) : NULL;
    return option && option->type == CONFIG_FILE;
}

/* of_files: it stands in a list of names. */
static int collect(const struct collector *collector, const struct node *setting, bool of_files)
{
    const char *file = setting_node_text(setting);
    int r = 0;
    of_files |= names_secret_file(collector->schema, setting->name);
    if (file && *file && of_files)
        return secret_collect(collector->source, file, collector->secrets, collector->err);
    for (size_t i = 0; r == 0 && i < setting->n_members; i++)
        r = collect(collector, &setting->members[i], of_files);
    return r;
}

static bool is_ours(const struct source *source)
{
    for (size_t i = 0; i < source->n_files; i++)
        if (source->files[i].st.st_uid != geteuid())
            return false;
    return true;
}

static int collect_all(const char *file, const struct source *source, char **ret_store_path,
                       struct config_secrets *secrets, bool *ret_collected, struct err *err)
{
    char *store_path = config_find_store_path(file, &source->root);
    if (!store_path)
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    const struct secret_source secret_source = { file, store_path, NULL };
    const struct collector collector = { source->schema, &secret_source, secrets, err };
    bool root = geteuid() == 0, ours = is_ours(source);
    int r = !source->broken && root && ours ? collect(&collector, &source->root, false) : 0;
    if (r < 0) {
        free(store_path);
        return r;
    }
    *ret_store_path = store_path;
    *ret_collected = !source->broken && root && ours;
    return root && !ours;
}

int config_collect(const char *file, const struct config_schema *schema, char **ret_store_path,
                   struct config_secrets **ret, struct err *err)
{
    struct problems problems = { 0 };
    struct config_problems told;
    struct source source;
    struct config_secrets *secrets = NULL;
    bool collected = false;
    int r = config_secrets_new(&secrets);

    (void) !source_read(file, schema, &source, &problems);
    if (problems_hand_over(&problems, &told) == 0)
        config_problems_free(&told);
    r = r < 0 ? err_set(err, r, "%s", strerror(-r))
              : collect_all(file, &source, ret_store_path, secrets, &collected, err);
    source_done(&source);
    if (r < 0 || !collected)
        secrets = config_secrets_free(secrets);
    *ret = secrets;
    return r;
}
