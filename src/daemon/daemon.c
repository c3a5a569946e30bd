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
    if (type->check)
        type->check(action, complain, context);
}

const struct config_hooks daemon_config_hooks = { .check_action = check_action };

void daemon_tell_problems(const struct config_problems *problems, int level, const char *message_id)
{
    for (size_t i = 0; i < problems->n_lines; i++)
        log_line(level, message_id, "%s", problems->lines[i]);
}

struct http_settings http_settings(const struct config *config)
{
    return (struct http_settings){
        .paths = (const char *const *) config->paths,
        .n_paths = config->n_paths,
        .body_bytes = config->limits.body_bytes,
        .connections = config->limits.connections,
        .connections_per_ip = config->limits.connections_per_ip,
        .request_time_us = config->limits.request_time_us,
        .in_flight_bytes = config->limits.in_flight_bytes,
    };
}

struct store_settings store_settings(const struct config *config)
{
    return (struct store_settings){
        .path = config->store.path,
        .durable = config->store.durability == DURABILITY_FULL,
        .keep_us = config->store.keep_us,
        .max_size_bytes = config->store.max_size_bytes,
    };
}

static void minute(void *userdata)
{
    struct program *program = userdata;
    ingress_tick(program->ingress);
    (void) state_expire(program->state, now_us());
    check_silence(program);
    tell_status(program, false);
}

static void poke(void *userdata)
{
    const struct program *program = userdata;
    pipeline_poke(program->pipeline);
}

/* Scripts wait for this line, so it comes at every log.level. */
static void tell_ready(const struct http_listener *listeners, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char name[64], line[128];
        http_socket_name(listeners[i].fd, name, sizeof(name));
        snprintf(line, sizeof(line), "ready on %s, listener %s", name, listeners[i].name);
        const struct log_field listener = log_text("SONORAN_LISTENER", listeners[i].name);
        log_write(&(struct log_record){ .level = LOG_NOTICE,
                                        .message_id = LOG_ID_READY,
                                        .line = line,
                                        .fields = &listener,
                                        .n_fields = 1,
                                        .always = true });
    }
}

/* From here on things run: the writer before the actions, which it serves, and requests after both. */
static int start_threads(struct program *program, struct err *err)
{
    int r = open_listeners(program, err);
    if (r < 0)
        return r;
    struct http_settings settings = http_settings(program->config);
    struct http_callbacks callbacks = ingress_callbacks(program->ingress);
    r = http_start(&program->http, program->listeners, program->n_listeners, &settings, &callbacks, err);
    if (r < 0)
        return r;
    struct pipeline_callbacks answers = ingress_answers(program->ingress, program->http);
    r = pipeline_start(program->pipeline, program->delivery, &answers, err);
    if (r >= 0)
        r = delivery_start(program->delivery, err);
    const struct control_parts parts = { program->delivery, add_status, program };
    if (r >= 0)
        r = control_start(&program->control, program->started->store.path, &parts, err);
    return r;
}

static int make_parts(struct program *program)
{
    const struct config *config = program->config;
    const struct pipeline_settings pipeline = { config->log.payload_bytes, config->limits.in_flight_bytes };
    const struct delivery_settings delivery = { .store_path = config->store.path,
                                                .state = program->state,
                                                .families = &all_event_families,
                                                .types = &all_action_types,
                                                .changed = poke,
                                                .userdata = program };
    int r = pipeline_new(&program->pipeline, program->store, program->state, &pipeline);
    if (r >= 0)
        r = delivery_new(&program->delivery, &delivery);
    return r < 0 ? r : ingress_new(&program->ingress, config, &all_event_families, program->pipeline);
}

/* The log first: what was heard before is known before the first request comes. */
static int start(struct program *program, struct err *err)
{
    struct config *config = program->config;
    struct store_settings settings = store_settings(config);
    int r = store_open(&program->store, &settings, err);
    if (r < 0)
        return r;

    program->state = state_new();
    if (!program->state || make_parts(program) < 0)
        return err_set(err, -ENOMEM, "no memory");
    r = pipeline_recover(program->pipeline, config->store.path, &all_event_families, err);
    if (r >= 0)
        r = delivery_load(program->delivery, config, program->store, err);
    if (r >= 0)
        r = start_threads(program, err);
    if (r >= 0)
        tell_ready(program->listeners, program->n_listeners);
    return r;
}

/* Without a running http the sockets are ours. */
static void close_listeners(struct program *program)
{
    for (size_t i = 0; i < program->n_listeners && !program->http; i++)
        close(program->listeners[i].fd);
    free(program->listeners);
    program->listeners = NULL;
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
    program->control = control_stop(program->control);
    http_stop(program->http, STOP_HTTP_MAX_US);
    delivery_stop(program->delivery, STOP_ACTIONS_MAX_US);
    usec_t taken = uptime_us() - began;
    usec_t left = taken + STOP_WRITER_MIN_US < STOP_MAX_US ? STOP_MAX_US - taken : STOP_WRITER_MIN_US;
    if (pipeline_stop(program->pipeline, left) < 0)
        end_without_disk();
    if (program->ingress)
        ingress_tick(program->ingress);
    close_listeners(program);
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
    r = start(program, &err);
    if (r >= 0) {
        const struct service_callbacks callbacks = {
            .userdata = program, .reload = reload, .minute = minute, .healthy = healthy
        };
        tell_status(program, true);
        r = service_run(&callbacks, &err);
        service_tell_stopping();
    }
    if (r < 0)
        log_problem(r, "%s", err.msg);
    stop(program);
    if (r >= 0)
        log_line(LOG_NOTICE, LOG_ID_STOPPED, "stopped");
    log_close(LOG_CLOSE_MAX_US);
    return r;
}

int daemon_run(const char *file, struct config *config)
{
    struct program program = {
        .file = file, .config = config_ref(config), .started = config_ref(config), .started_us = now_us()
    };
    int r = run(&program);
    config_free(program.config);
    config_free(program.started);
    return r;
}
