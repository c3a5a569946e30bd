/* daemon.c - everything built in the order of the layers, the loop, everything taken down in reverse. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

#define STOP_MAX_US (5 * USEC_PER_SEC)
#define STOP_HTTP_MAX_US (3 * USEC_PER_SEC)
#define STOP_ACTIONS_MAX_US USEC_PER_SEC
#define STOP_WRITER_MIN_US USEC_PER_SEC /* whatever the others took: slow ones are no dead disk */
#define LOG_CLOSE_MAX_US USEC_PER_SEC

static void check_action(const struct config *config, const struct config_action *action, config_complain *complain,
                         void *context)
{
    const struct action_type *type = action_type_find(&all_action_types, (enum config_action_type) action->type);
    filter_check(action, &all_event_families, config->unknown_types == UNKNOWN_TYPES_ACCEPT, complain, context);
    if (type->check && !action->missing)
        type->check(action, &all_event_families, complain, context);
    filter_doubt(action, &all_event_families, config_warn, context);
    if (type->doubt)
        type->doubt(action, &all_event_families, config_warn, context);
}

/* Also that all it needs is there. */
static void check_action_present(const struct config *config, const struct config_action *action,
                                 config_complain *complain, void *context)
{
    const struct action_type *type = action_type_find(&all_action_types, (enum config_action_type) action->type);
    check_action(config, action, complain, context);
    if (type->check_present)
        type->check_present(action, complain, context);
}

static void check_action_whole(const struct config *config, const struct config_action *action,
                               config_complain *complain, void *context)
{
    const struct action_type *type = action_type_find(&all_action_types, (enum config_action_type) action->type);
    check_action_present(config, action, complain, context);
    filter_advise(action, &all_event_families, config_warn, context);
    if (type->advise)
        type->advise(action, config_warn, context);
}

const struct config_hooks daemon_config_hooks = { .bear_missing = true, .check_action = check_action };
const struct config_hooks daemon_reload_hooks = { .check_action = check_action_present };
const struct config_hooks daemon_check_hooks = { .check_action = check_action_whole };

void daemon_tell_problems(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->n_lines; i++)
        log_line(problems->warns[i] ? LOG_WARNING : LOG_ERR, LOG_ID_CONFIG, "%s", problems->lines[i]);
}

struct store_settings store_settings(const struct config *config)
{
    return (struct store_settings){
        .path = config->store.path,
        .durable = config->store.durability == DURABILITY_FULL,
        .keep_us = config->store.keep_us,
        .max_size_bytes = config->store.max_size_bytes,
        .stop = service_stop_requested,
    };
}

static void minute(void *userdata)
{
    struct program *program = userdata;
    ingress_tick(program->ingress);
    reload_missing(program);
    delivery_tick(program->delivery);
    check_silence(program);
    tell_status(program, false);
}

static void poke(void *userdata)
{
    const struct program *program = userdata;
    pipeline_poke(program->pipeline);
}

/* Scripts wait for this line, so it comes at every log.level. */
void tell_ready(const struct listener *listener)
{
    char name[64], line[128];
    http_socket_name(listener->fd, name, sizeof(name));
    snprintf(line, sizeof(line), "ready on %s, listener %.*s", name, NAME_MAX_BYTES, listener->name);
    const struct log_field field = log_text("SONORAN_LISTENER", listener->name);
    log_write(&(struct log_record){ .level = LOG_NOTICE,
                                    .message_id = LOG_ID_READY,
                                    .line = line,
                                    .fields = &field,
                                    .n_fields = 1,
                                    .always = true });
}

static int start_http(struct program *program, struct err *err)
{
    int r = listeners_open(&program->listeners, program->config, err);
    if (r < 0)
        return r;
    struct http_listener *listeners CLEANUP(cleanup_free) = listeners_for_http(&program->listeners);
    if (!listeners)
        return err_set(err, -ENOMEM, "no memory");
    struct http_settings settings = http_settings(program->config);
    struct http_callbacks callbacks = ingress_callbacks(program->ingress);
    return http_start(&program->http, listeners, program->listeners.n, &settings, &callbacks, err);
}

static int ask_for_reload(void *userdata, struct text *secrets, struct text *out, struct err *err)
{
    struct program *program = userdata;
    return reload_desk_ask(&program->reload_desk, secrets, out, err);
}

/* From here on things run: the writer before the actions, which it serves, and requests after both. */
static int start_threads(struct program *program, struct err *err)
{
    int r = start_http(program, err);
    if (r < 0)
        return r;
    struct pipeline_callbacks answers = ingress_answers(program->ingress, program->http);
    r = pipeline_start(program->pipeline, program->delivery, &answers, err);
    if (r >= 0)
        r = delivery_start(program->delivery, err);
    const struct control_parts parts = { program->delivery, &all_event_families, add_status, ask_for_reload, program };
    if (r >= 0)
        r = control_start(&program->control, program->started->store.path, &parts, err);
    return r;
}

static int make_parts(struct program *program)
{
    const struct config *config = program->config;
    const struct pipeline_settings pipeline = { config->log.payload_bytes, config->limits.in_flight_bytes,
                                                config->n_communities > 1 };
    const struct delivery_settings delivery = { .store_path = config->store.path,
                                                .families = &all_event_families,
                                                .types = &all_action_types,
                                                .changed = poke,
                                                .userdata = program };
    int r = pipeline_new(&program->pipeline, program->store, program->state, &pipeline);
    if (r >= 0)
        r = delivery_new(&program->delivery, &delivery);
    return r < 0 ? r : ingress_new(&program->ingress, config, &all_event_families, program->pipeline);
}

static void tell_life(struct store *store)
{
    struct store_life life, before;
    enum store_life_news news = store_get_life(store, &life, &before);
    if (news == STORE_LIFE_RESTORED)
        log_line(LOG_NOTICE, LOG_ID_LIFE,
                 "the event log was put back from a copy: from event %llu on it has a new life, %s; the one before was "
                 "%s",
                 (unsigned long long) life.first_id, life.log, before.log);
    else if (news == STORE_LIFE_BEGUN)
        log_line(
            LOG_WARNING, LOG_ID_LIFE,
            "the machine was restarted without a clean stop, and events were not synced to disk (store.durability): "
            "the newest ones may be lost. From event %llu on the log has a new life, %s; the one before was %s",
            (unsigned long long) life.first_id, life.log, before.log);
    store_life_told(store);
}

/* The log first: what was heard before is known before the first request comes. */
static int start(struct program *program, struct err *err)
{
    struct config *config = program->config;
    struct store_settings settings = store_settings(config);
    int r = store_open(&program->store, &settings, err);
    if (r < 0)
        return r;

    tell_life(program->store);
    program->state = state_new();
    if (!program->state || make_parts(program) < 0)
        return err_set(err, -ENOMEM, "no memory");
    const struct pipeline_recovery recovery = { .store_path = config->store.path,
                                                .families = &all_event_families,
                                                .stop = service_stop_requested,
                                                .heard = ingress_heard,
                                                .userdata = program->ingress };
    r = pipeline_recover(program->pipeline, &recovery, err);
    if (r >= 0)
        r = delivery_load(program->delivery, config, program->store, err);
    if (r >= 0)
        r = start_threads(program, err);
    for (size_t i = 0; i < program->listeners.n && r >= 0; i++)
        tell_ready(&program->listeners.all[i]);
    return r;
}

/* A write or sync that hangs cannot be taken back. What it was to store was not answered. */
static _Noreturn void end_without_disk(void)
{
    log_line(LOG_CRIT, LOG_ID_STORE_FAILED,
             "the disk does not answer: ended without it; events that still waited for it are not answered");
    log_close(LOG_CLOSE_MAX_US);
    _exit(EXIT_FAILURE);
}

static void stop(struct program *program)
{
    usec_t began = uptime_us();
    reload_desk_close(&program->reload_desk);
    program->control = control_stop(program->control);
    if (program->pipeline)
        pipeline_hurry(program->pipeline);
    http_stop(program->http, STOP_HTTP_MAX_US);
    delivery_stop(program->delivery, STOP_ACTIONS_MAX_US);
    usec_t taken = uptime_us() - began;
    usec_t left = taken + STOP_WRITER_MIN_US < STOP_MAX_US ? STOP_MAX_US - taken : STOP_WRITER_MIN_US;
    if (pipeline_stop(program->pipeline, left) < 0)
        end_without_disk();
    if (program->ingress)
        ingress_tick(program->ingress);
    listeners_close(&program->listeners);
    program->http = http_free(program->http);
    program->ingress = ingress_free(program->ingress);
    program->pipeline = pipeline_free(program->pipeline);
    program->delivery = delivery_free(program->delivery);
    program->state = state_free(program->state);
    program->store = store_close(program->store);
}

static int run(struct program *program)
{
    struct err err = { "" };
    int r = service_prepare(&err);
    if (r >= 0)
        r = log_open(program->config->log.target, program->config->log.level, &err);
    if (r < 0)
        return log_problem(r, "%s", err.msg);

    log_line(LOG_INFO, LOG_ID_STARTED, "%s %s, configuration %s", PROGRAM_NAME, PROGRAM_VERSION, program->file);
    tell_few_descriptors(program->config);
    r = reload_desk_open(&program->reload_desk, &err);
    if (r >= 0)
        r = start(program, &err);
    if (r >= 0) {
        const struct service_callbacks callbacks = { .userdata = program,
                                                     .reload = reload,
                                                     .minute = minute,
                                                     .healthy = healthy,
                                                     .call_fd = program->reload_desk.fd,
                                                     .call = reload_asked };
        log_started();
        tell_status(program, true);
        r = service_run(&callbacks, &err);
        service_tell_stopping();
    }
    if (r == -ECANCELED)
        r = 0; /* asked to end before it had begun */
    if (r < 0)
        log_problem(r, "%s", err.msg);
    stop(program);
    reload_desk_free(&program->reload_desk);
    if (r >= 0)
        log_line(LOG_NOTICE, LOG_ID_STOPPED, "stopped");
    log_close(LOG_CLOSE_MAX_US);
    return r;
}

int daemon_run(const char *file, struct config *config, struct config_secrets **secrets)
{
    struct program program = { .file = file,
                               .config = config_ref(config),
                               .started = config_ref(config),
                               .secrets = secrets,
                               .started_us = now_us(),
                               .lock = PTHREAD_MUTEX_INITIALIZER };
    int r = run(&program);
    config_free(program.config);
    config_free(program.started);
    return r;
}

bool daemon_needs_help(int r)
{
    return store_needs_help(r) || r == LISTEN_MISMATCH;
}
