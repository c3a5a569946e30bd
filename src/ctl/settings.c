/* settings.c - the daemon's configuration, as far as a verb needs it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sonoran-pushd/daemon.h>

#include "ctl_daemon.h"
#include "process.h"
#include "settings.h"

static int load(const char *file, const struct config_hooks *hooks, struct config **ret,
                struct config_problems *ret_problems)
{
    int r = config_load(file, &daemon_schema, hooks, ret, ret_problems);
    if (r != -EINVAL || getenv("CREDENTIALS_DIRECTORY") || access(CONFIG_SERVICE_CREDENTIALS, X_OK) < 0)
        return r;
    struct config_problems problems = { 0 };
    setenv("CREDENTIALS_DIRECTORY", CONFIG_SERVICE_CREDENTIALS, false);
    r = config_load(file, &daemon_schema, hooks, ret, &problems);
    unsetenv("CREDENTIALS_DIRECTORY");
    config_problems_free(ret_problems);
    *ret_problems = problems;
    return r;
}

int settings_load(const char *file, bool bear_missing, struct config **ret, struct config_problems *ret_problems)
{
    static struct config_secrets *of_environment; /* which gives them once */
    int r = of_environment ? 0 : config_secrets_new(&of_environment);
    if (r >= 0)
        r = config_secrets_take_environment(of_environment);
    const struct config_hooks hooks = { .secrets = of_environment, .bear_missing = bear_missing };
    return r < 0 ? r : load(file, &hooks, ret, ret_problems);
}

bool settings_denied(int r, const struct config_problems *problems)
{
    size_t n_denied = 0, n_mistakes = 0;
    for (size_t i = 0; i < problems->n_lines; i++) {
        n_mistakes += !problems->warns[i] && !problems->shows[i];
        n_denied += !problems->warns[i] && settings_line_denied(problems->lines[i]);
    }
    return geteuid() != 0 && (r == -EACCES || (r == -EINVAL && n_denied && n_denied == n_mistakes));
}

bool settings_line_denied(const char *line)
{
    return geteuid() != 0 && strstr(line, strerror(EACCES));
}

int settings_need(const char *file, struct config **ret, const char *otherwise)
{
    struct config_problems problems = { 0 };
    int r = settings_load(file, true, ret, &problems);
    bool denied = r < 0 && settings_denied(r, &problems);
    for (size_t i = 0; i < problems.n_lines && r < 0; i++)
        if (!denied || !problems.warns[i])
            ctl_fail(0, "%s", problems.lines[i]);
    config_problems_free(&problems);
    if (r >= 0)
        return EXIT_SUCCESS;
    if (denied)
        return ctl_fail(EXIT_FAILURE, "the configuration and its secrets are for root to read: sudo " CTL_NAME " …");
    struct process process = { 0 };
    if (r == -ENOENT && process_find(file, &process) && !process_has(&process, file))
        ctl_fail(0, "the " PROGRAM_NAME " that runs (process %d) has another one: " CTL_NAME " -c %s …", process.pid,
                 process.file);
    free(process.file);
    return ctl_fail(EX_CONFIG, "%s", otherwise);
}

/* Of a configuration with mistakes too: the daemon may run with the one from before. */
int settings_find_store(const struct ctl_common *common, char **ret)
{
    struct config *config = NULL;
    char *store = common->store ? strdup(common->store) : NULL;
    int r = common->store ? 0 : config_find_store(common->config_file, &daemon_schema, &store);
    if (r == 0 && !store)
        return ctl_fail(EXIT_FAILURE, "no memory");
    if (r == 0) {
        *ret = store;
        return EXIT_SUCCESS;
    }
    free(store);
    int status = settings_need(common->config_file, &config, "--store PATH names an event log without a configuration");
    config_free(config);
    return status == EXIT_SUCCESS ? ctl_fail(EXIT_FAILURE, "no memory") : status;
}

static void refuse_name(const char *one, const char *name, const struct nearest *nearest, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    table_write_safe(&shown, name ? name : "", 80);
    if (!name)
        (void) err_set(err, -EINVAL, "the configuration has no %s", one);
    else if (nearest->name)
        (void) err_set(err, -EINVAL, "no %s of the configuration is called %s, did you mean %s?", one, shown.s,
                       nearest->name);
    else
        (void) err_set(err, -EINVAL, "no %s of the configuration is called %s", one, shown.s);
}

const struct config_community *settings_community(const struct config *config, const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(name ? name : "");
    for (size_t i = 0; i < config->n_communities; i++) {
        const struct config_community *community = &config->communities[i];
        if (!name || strcmp(community->name, name) == 0)
            return community;
        nearest_try(&nearest, community->name, (int) strlen(community->name));
    }
    refuse_name("community", name, &nearest, err);
    return NULL;
}

const struct config_listener *settings_listener(const struct config *config, const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(name ? name : "");
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct config_listener *listener = &config->listeners[i];
        if (!name || strcmp(listener->name, name) == 0)
            return listener;
        nearest_try(&nearest, listener->name, (int) strlen(listener->name));
    }
    refuse_name("listener", name, &nearest, err);
    return NULL;
}

const char *settings_address_told(const cJSON *told, const char *name)
{
    const cJSON *listener;
    cJSON_ArrayForEach (listener, json_get(told, "listeners")) {
        const char *address = json_get_text(listener, "address");
        if (strcmp(json_get_text(listener, "name"), name) == 0 && strchr(address, ':'))
            return address;
    }
    return NULL;
}

void settings_url_at(const char *address, const char *path, struct text *ret)
{
    static const char *const everywhere[] = { "[::]:", "0.0.0.0:" };
    const char *port = strrchr(address, ':');
    bool any = false;
    for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
        any |= strncmp(address, everywhere[i], strlen(everywhere[i])) == 0;
    text_add(ret, "http://");
    text_add_bytes(ret, any ? "127.0.0.1" : address, any ? strlen("127.0.0.1") : (size_t) (port - address));
    text_add(ret, port);
    text_add(ret, path);
}

int settings_url(const struct config *config, const struct config_listener *listener, const cJSON *told,
                 struct text *ret, struct err *err)
{
    const char *address = settings_address_told(told, listener->name);
    address = address ? address : listener->address;
    if (strcmp(strrchr(address, ':'), ":0") == 0)
        return err_set(err, -ENOENT, "listener %s has any free port, and no daemon tells which", listener->name);
    settings_url_at(address, config->paths[0], ret);
    return ret->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}
