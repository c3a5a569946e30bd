/* reload.c - a new configuration while the daemon runs. In the main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

struct change {
    struct program *program;
    const struct config *config;
    struct http_listener *listeners;
    size_t n_listeners;
    int r;
};

/* ---- what is said about it ---- */

/* told: members of a list of texts, for who asked; NULL: nobody did. */
static void tell(struct text *told, int level, const char *message_id, const char *line)
{
    log_line(level, message_id, "%s", line);
    if (!told)
        return;
    if (told->size)
        text_add(told, ",");
    text_add_json(told, line, strlen(line));
}

static void tell_problems(struct text *told, const struct config_problems *problems, bool refused)
{
    for (size_t i = 0; i < problems->n_lines; i++)
        tell(told, problems->warns[i] ? LOG_WARNING : LOG_ERR, refused ? LOG_ID_RELOAD_REFUSED : LOG_ID_CONFIG,
             problems->lines[i]);
}

static const char *first_mistake(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->n_lines; i++)
        if (!problems->warns[i])
            return problems->lines[i];
    return "no memory";
}

/* ---- taking it ---- */

/* In the HTTP thread: as a whole or not at all. */
static void apply_config(void *argument)
{
    struct change *change = argument;
    struct program *program = change->program;
    struct http_settings settings = http_settings(change->config);

    change->r = ingress_configure(program->ingress, change->config);
    if (change->r < 0)
        return;
    change->r = http_configure(program->http, &settings);
    if (change->r >= 0)
        http_set_listeners(program->http, change->listeners, change->n_listeners);
    else if (ingress_configure(program->ingress, program->config) < 0)
        log_line(LOG_ERR, LOG_ID_RELOAD_REFUSED, "no memory to go back to the old configuration");
}

static bool has_listener(const struct listeners *listeners, const struct listener *listener)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->all[i].fd == listener->fd && strcmp(listeners->all[i].name, listener->name) == 0)
            return true;
    return false;
}

static void take_listeners(struct program *program, struct listeners *next)
{
    struct listeners *have = &program->listeners;
    for (size_t i = 0; i < have->n; i++)
        if (!has_listener(next, &have->all[i]))
            log_line(LOG_NOTICE, LOG_ID_RELOADED, "listener %s is closed", have->all[i].name);
    for (size_t i = 0; i < next->n; i++)
        if (!has_listener(have, &next->all[i]))
            tell_ready(&next->all[i]);
    pthread_mutex_lock(&program->lock);
    listeners_replace(have, next);
    pthread_mutex_unlock(&program->lock);
}

/* What can fail of a configuration without mistakes: its ports, and memory. */
static int put_in_force(struct program *program, const struct config *config, struct err *err)
{
    struct listeners next;
    int r = listeners_arrange(&program->listeners, config, &next, err);
    if (r < 0)
        return r;
    struct change change = { program, config, listeners_for_http(&next), next.n, -ENOMEM };
    if (change.listeners)
        http_call(program->http, apply_config, &change);
    if (change.r >= 0) {
        take_listeners(program, &next);
        return 0;
    }
    free(change.listeners);
    listeners_go_back(&program->listeners, &next);
    return err_set(err, change.r, "no memory for the new configuration");
}

static bool take_config(struct program *program, struct config *next, struct text *told)
{
    char *restart CLEANUP(cleanup_free) = config_needs_restart(program->started, next);
    struct delivery_change *actions;
    struct err err = { "no memory for the new configuration" };
    int r = delivery_prepare(program->delivery, next, &actions, &err);
    if (r >= 0)
        r = put_in_force(program, next, &err);
    if (r < 0) {
        err_wrap(&err, 0, "the old configuration stays in force");
        tell(told, LOG_ERR, LOG_ID_RELOAD_REFUSED, err.msg);
        note_reload(program, err.msg);
        delivery_change_free(actions);
        config_free(next);
        return false;
    }

    struct store_settings store = store_settings(next);
    pipeline_configure_store(program->pipeline, &store);
    delivery_configure(program->delivery, actions);
    config_free(program->config);
    program->config = next;
    log_configure(next->log.target, next->log.level);
    note_reload(program, NULL);
    log_line(LOG_NOTICE, LOG_ID_RELOADED, "configuration reloaded from %s", program->file);
    tell_few_descriptors(next);
    if (restart) {
        struct text line CLEANUP(text_free) = TEXT_INIT;
        text_addf(&line, "changed, but in force only after a restart: %s", restart);
        tell(told, LOG_WARNING, LOG_ID_RELOADED, line.s);
    }
    return true;
}

static bool read_and_take(struct program *program, const struct config_secrets *secrets, struct text *told)
{
    struct config_problems problems = { 0 };
    struct config *next = NULL;
    struct config_hooks hooks = daemon_reload_hooks;

    hooks.secrets = secrets;
    int r = config_load(program->file, &hooks, &next, &problems);
    tell_problems(told, &problems, r < 0);
    if (r < 0)
        note_reload(program, first_mistake(&problems));
    config_problems_free(&problems);
    if (r >= 0)
        return take_config(program, next, told);
    tell(told, LOG_ERR, LOG_ID_RELOAD_REFUSED, "configuration not reloaded, the old one stays in force");
    return false;
}

/* What was handed over is known from now on, instead of what was before, if the configuration that was read with it is
 * in force. */
static bool reload_with(struct program *program, struct text *handed_over, struct text *told)
{
    struct config_secrets *secrets = NULL;
    int r = config_secrets_copy_environment(*program->secrets, &secrets);
    if (r >= 0)
        r = config_secrets_read(secrets, handed_over->s, handed_over->size);
    if (r < 0) {
        static const char sentence[] = "the secrets that were handed over cannot be taken";
        tell(told, LOG_ERR, LOG_ID_RELOAD_REFUSED, sentence);
        note_reload(program, sentence);
    }
    bool in_force = r >= 0 && read_and_take(program, secrets, told);
    if (!in_force) {
        config_secrets_free(secrets);
        return false;
    }
    config_secrets_free(*program->secrets);
    *program->secrets = secrets;
    return true;
}

void reload(void *userdata)
{
    struct program *program = userdata;
    service_tell_reloading();
    (void) read_and_take(program, *program->secrets, NULL);
    tell_status(program, true);
}

/* A file that has changed meanwhile may be half edited, and waits for a reload. */
void reload_missing(struct program *program)
{
    size_t n_missing = config_n_missing(program->config);
    struct config_problems problems = { 0 };
    struct config_hooks hooks = daemon_config_hooks;
    struct config *next = NULL;
    if (!n_missing)
        return;
    hooks.secrets = *program->secrets;
    int r = config_load(program->file, &hooks, &next, &problems);
    config_problems_free(&problems);
    if (r < 0 || config_n_missing(next) >= n_missing || next->text_hash != program->config->text_hash) {
        config_free(next);
        return;
    }
    log_line(LOG_NOTICE, LOG_ID_CONFIG, "a secret that an action lacked has come");
    (void) take_config(program, next, NULL);
}

void reload_asked(void *userdata)
{
    struct program *program = userdata;
    struct text secrets CLEANUP(text_wipe) = TEXT_INIT, told CLEANUP(text_free) = TEXT_INIT;
    struct text answer = TEXT_INIT;
    bool handed_over;
    if (!reload_desk_take(&program->reload_desk, &secrets, &handed_over))
        return;
    service_tell_reloading();
    bool in_force =
        handed_over ? reload_with(program, &secrets, &told) : read_and_take(program, *program->secrets, &told);
    tell_status(program, true);
    text_addf(&answer, "\"reloaded\":%s,\"lines\":[", in_force ? "true" : "false");
    text_add(&answer, told.s);
    text_add(&answer, "]");
    answer.failed |= told.failed;
    reload_desk_answer(&program->reload_desk, &answer);
}
