/* reload.c - a new configuration while the daemon runs. */
#include "private.h"

struct reload {
    struct program *program;
    const struct config *config;
    int r;
};

/* In the HTTP thread: as a whole or not at all. */
static void apply_config(void *argument)
{
    struct reload *reload = argument;
    struct program *program = reload->program;
    struct http_settings settings = http_settings(reload->config);

    reload->r = ingress_configure(program->ingress, reload->config);
    if (reload->r < 0)
        return;
    reload->r = http_configure(program->http, &settings);
    if (reload->r < 0 && ingress_configure(program->ingress, program->config) < 0)
        log_line(LOG_ERR, LOG_ID_RELOAD_REFUSED, "no memory to go back to the old configuration");
}

static void take_config(struct program *program, struct config *next)
{
    char *restart CLEANUP(cleanup_free) = config_needs_restart(program->started, next);
    struct reload reload = { .program = program, .config = next };
    http_call(program->http, apply_config, &reload);
    if (reload.r < 0) {
        log_line(LOG_ERR, LOG_ID_RELOAD_REFUSED, "no memory for the new configuration, the old one stays in force");
        config_free(next);
        return;
    }

    struct store_settings store = store_settings(next);
    pipeline_configure_store(program->pipeline, &store);
    delivery_configure(program->delivery, next);
    config_free(program->config);
    program->config = next;
    log_configure(next->log.target, next->log.level);
    log_line(LOG_NOTICE, LOG_ID_RELOADED, "configuration reloaded from %s", program->file);
    if (restart)
        log_line(LOG_WARNING, LOG_ID_RELOADED, "changed, but in force only after a restart: %s", restart);
}

void reload(void *userdata)
{
    struct program *program = userdata;
    struct config_problems problems = { 0 };
    struct config *next = NULL;

    service_tell_reloading();
    int r = config_load(program->file, &daemon_config_hooks, &next, &problems);
    daemon_tell_problems(&problems, r < 0 ? LOG_ERR : LOG_WARNING, r < 0 ? LOG_ID_RELOAD_REFUSED : LOG_ID_CONFIG);
    config_problems_free(&problems);
    if (r < 0)
        log_line(LOG_ERR, LOG_ID_RELOAD_REFUSED, "configuration not reloaded, the old one stays in force");
    else
        take_config(program, next);
    tell_status(program, true);
}
