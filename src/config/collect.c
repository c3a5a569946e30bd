/* collect.c - the secret files that a configuration names, read for a daemon that may not read them itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

/* Mistakes of the file are the daemon's to tell: what can be found is found. */
struct collector {
    const struct secret_source *source;
    struct config_secrets *secrets;
    struct err *err;
};

static bool names_secret_file(const char *name)
{
    for (size_t i = 0; name && i < config_n_options; i++)
        if (config_options[i].type == CONFIG_FILE && strcmp(config_options[i].name, name) == 0)
            return true;
    return false;
}

/* of_files: it stands in a list of names. */
static int collect(const struct collector *collector, const config_setting_t *setting, bool of_files)
{
    const char *file = config_setting_get_string(setting);
    of_files |= names_secret_file(config_setting_name(setting));
    if (file && *file && of_files)
        return secret_collect(collector->source, file, collector->secrets, collector->err);
    int n = config_setting_is_aggregate(setting) ? config_setting_length(setting) : 0, r = 0;
    for (int i = 0; r == 0 && i < n; i++)
        r = collect(collector, config_setting_get_elem(setting, (unsigned) i), of_files);
    return r;
}

static bool is_ours(const struct source *source)
{
    for (size_t i = 0; i < source->n_files; i++)
        if (source->files[i].st.st_uid != geteuid())
            return false;
    return true;
}

/* settings: empty where the syntax is wrong. */
static int collect_all(const char *file, const struct source *source, config_t *settings, char **ret_store_path,
                       struct config_secrets *secrets, bool *ret_collected, struct err *err)
{
    bool sound = source->text.s && config_read_string(settings, source->text.s);
    char *store_path = find_store_path(file, settings);
    if (!store_path)
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    const struct secret_source secret_source = { file, store_path, NULL };
    const struct collector collector = { &secret_source, secrets, err };
    bool root = geteuid() == 0, ours = is_ours(source);
    int r = sound && root && ours ? collect(&collector, config_root_setting(settings), false) : 0;
    if (r < 0) {
        free(store_path);
        return r;
    }
    *ret_store_path = store_path;
    *ret_collected = sound && root && ours;
    return root && !ours;
}

int config_collect(const char *file, char **ret_store_path, struct config_secrets **ret, struct err *err)
{
    struct problems problems = { 0 };
    struct config_problems told;
    struct source source;
    config_t settings CLEANUP(cleanup_settings);
    struct config_secrets *secrets = NULL;
    bool collected = false;
    int r = config_secrets_new(&secrets);

    config_init(&settings);
    (void) !source_read(file, &source, &problems);
    if (problems_hand_over(&problems, &told) == 0)
        config_problems_free(&told);
    r = r < 0 ? err_set(err, r, "%s", strerror(-r))
              : collect_all(file, &source, &settings, ret_store_path, secrets, &collected, err);
    source_done(&source);
    if (r < 0 || !collected)
        secrets = config_secrets_free(secrets);
    *ret = secrets;
    return r;
}
