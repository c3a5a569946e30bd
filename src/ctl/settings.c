/* settings.c - the daemon's configuration, as far as a verb needs it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon.h"
#include "settings.h"

/* Where systemd puts the secrets of the running service; root may read them. */
#define CREDENTIALS "/run/credentials/" PROGRAM_NAME ".service"

int settings_load(const char *file, struct config **ret, struct config_problems *ret_problems)
{
    int r = config_load(file, NULL, ret, ret_problems);
    if (r != -EINVAL || getenv("CREDENTIALS_DIRECTORY") || access(CREDENTIALS, X_OK) < 0)
        return r;
    struct config_problems problems = { 0 };
    setenv("CREDENTIALS_DIRECTORY", CREDENTIALS, false);
    r = config_load(file, NULL, ret, &problems);
    unsetenv("CREDENTIALS_DIRECTORY");
    config_problems_free(ret_problems);
    *ret_problems = problems;
    return r;
}

int settings_need(const char *file, struct config **ret, const char *otherwise)
{
    struct config_problems problems = { 0 };
    int r = settings_load(file, ret, &problems);
    for (size_t i = 0; i < problems.n_lines && r < 0; i++)
        ctl_fail(0, "%s", problems.lines[i]);
    config_problems_free(&problems);
    return r < 0 ? ctl_fail(EX_CONFIG, "%s", otherwise) : EXIT_SUCCESS;
}

int settings_find_store(const struct ctl_common *common, char **ret)
{
    struct config *config = NULL;
    int status = EXIT_SUCCESS;
    if (!common->store)
        status = settings_need(common->config_file, &config, "--store PATH names an event log without a configuration");
    if (status != EXIT_SUCCESS)
        return status;
    char *store = strdup(config ? config->store.path : common->store);
    config_free(config);
    if (!store)
        return ctl_fail(EXIT_FAILURE, "no memory");
    *ret = store;
    return EXIT_SUCCESS;
}

static const char *address_told(const cJSON *told, const char *name)
{
    const cJSON *listener;
    cJSON_ArrayForEach (listener, cJSON_GetObjectItemCaseSensitive(told, "listeners")) {
        const char *address = json_text(listener, "address");
        if (strcmp(json_text(listener, "name"), name) == 0 && strchr(address, ':'))
            return address;
    }
    return NULL;
}

int settings_url(const struct config *config, const struct config_listener *listener, const cJSON *told,
                 struct text *ret, struct err *err)
{
    static const char *const everywhere[] = { "[::]:", "0.0.0.0:" };
    const char *address = address_told(told, listener->name);
    address = address ? address : listener->address;
    const char *port = strrchr(address, ':');
    if (strcmp(port, ":0") == 0)
        return err_set(err, -ENOENT, "listener %s has any free port, and no daemon tells which", listener->name);

    text_add(ret, "http://");
    bool any = false;
    for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
        any |= strncmp(address, everywhere[i], strlen(everywhere[i])) == 0;
    text_add_bytes(ret, any ? "127.0.0.1" : address, any ? strlen("127.0.0.1") : (size_t) (port - address));
    text_add(ret, port);
    text_add(ret, config->paths[0]);
    return ret->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}
