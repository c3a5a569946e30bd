/* reload.c - a new configuration while the daemon runs. In the main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_private.h"

/* ---- what is said about it ---- */

/* told: a list of texts that is open, for who asked; NULL: nobody did. */
static void tell(struct json_writer *told, int level, const char *message_id, const char *line)
{
    log_line(level, message_id, "%s", line);
    if (told)
        json_add_text(told, NULL, line);
}

static void tell_problems(struct json_writer *told, const struct config_problems *problems, bool refused)
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

static bool take_config(struct program *program, struct config *next, struct json_writer *told)
{
    char *restart CLEANUP(cleanup_free) = config_needs_restart(program->started, next);
    struct delivery_change *actions;
    struct err err = { "no memory for the new configuration" };
    int r = delivery_prepare(program->delivery, next, &actions, &err);
    if (r >= 0)
        r = source_set_configure(program->sources, next, &err);
    if (r < 0) {
        err_wrap(&err, 0, "the old configuration stays in force");
        tell(told, LOG_ERR, LOG_ID_RELOAD_REFUSED, err.msg);
        health_note_reload(program, err.msg);
        delivery_change_free(actions);
        config_free(next);
        return false;
    }

    struct pipeline_settings pipeline = limits_pipeline_settings(next);
    struct store_settings store = limits_store_settings(next);
    pipeline_configure(program->pipeline, &pipeline);
    pipeline_configure_store(program->pipeline, &store);
    delivery_configure(program->delivery, actions);
    if (admin_configure(program->admin, next, &err) < 0)
        tell(told, LOG_WARNING, LOG_ID_RELOADED, err.msg);
    config_free(program->config);
    program->config = next;
    log_configure(next->log.target, next->log.level);
    health_note_reload(program, NULL);
    log_line(LOG_NOTICE, LOG_ID_RELOADED, "configuration reloaded from %s", program->file);
    if (restart) {
        struct text line CLEANUP(text_free) = TEXT_INIT;
        text_addf(&line, "changed, but in force only after a restart: %s", restart);
        tell(told, LOG_WARNING, LOG_ID_RELOADED, line.s);
    }
    return true;
}

static bool read_and_take(struct program *program, const struct config_secrets *secrets, struct json_writer *told)
{
    struct config_problems problems = { 0 };
    struct config *next = NULL;
    struct config_hooks hooks = daemon_reload_hooks;

    hooks.secrets = secrets;
    int r = config_load(program->file, program->config->schema, &hooks, &next, &problems);
    tell_problems(told, &problems, r < 0);
    if (r < 0)
        health_note_reload(program, first_mistake(&problems));
    config_problems_free(&problems);
    if (r >= 0)
        return take_config(program, next, told);
    tell(told, LOG_ERR, LOG_ID_RELOAD_REFUSED,
         r == -ENOMEM ? "no memory to read the configuration: not reloaded, the old one stays in force"
                      : "configuration not reloaded, the old one stays in force");
    return false;
}

/* What was handed over is known from now on, instead of what was before, if the configuration that was read with it is
 * in force. */
static bool reload_with(struct program *program, struct text *handed_over, struct json_writer *told)
{
    struct config_secrets *secrets = NULL;
    int r = config_secrets_copy_environment(*program->secrets, &secrets);
    if (r >= 0)
        r = config_secrets_read(secrets, handed_over->s, handed_over->size);
    if (r < 0) {
        static const char sentence[] = "the secrets that were handed over cannot be taken";
        tell(told, LOG_ERR, LOG_ID_RELOAD_REFUSED, sentence);
        health_note_reload(program, sentence);
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
    health_tell_status(program, true);
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
    int r = config_load(program->file, program->config->schema, &hooks, &next, &problems);
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
    struct text secrets CLEANUP(text_wipe) = TEXT_INIT, lines CLEANUP(text_free) = TEXT_INIT;
    struct text body = TEXT_INIT;
    struct json_writer told = json_writer(&lines), answer = json_writer(&body);
    bool handed_over;
    if (!reload_desk_take(&program->reload_desk, &secrets, &handed_over))
        return;
    service_tell_reloading();
    json_begin_array(&told, NULL);
    bool in_force =
        handed_over ? reload_with(program, &secrets, &told) : read_and_take(program, *program->secrets, &told);
    health_tell_status(program, true);
    void *ticket = reload_desk_done(&program->reload_desk);
    json_end(&told);
    json_begin_object(&answer, NULL);
    json_add_bool(&answer, "reloaded", in_force);
    json_add_raw(&answer, "lines", (struct span){ lines.s, lines.size });
    body.failed |= lines.failed;
    admin_answer_reload(program->admin, ticket, in_force, &answer);
}
