/* daemon.c - everything built in the order of the layers, the loop, everything taken down in reverse. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon_private.h"

#define STOP_MAX_US (12 * USEC_PER_SEC) /* for a disk that answers late, or a machine that others use */
#define STOP_SOURCES_MAX_US (8 * USEC_PER_SEC)
#define STOP_ACTIONS_MAX_US USEC_PER_SEC
#define STOP_WRITER_MIN_US USEC_PER_SEC /* whatever the others took: slow ones are no dead disk */
#define LOG_CLOSE_MAX_US USEC_PER_SEC

static void check_action(const struct config *config, const struct config_action *action, config_complain *complain,
                         void *context)
{
    const struct action_type *type = action_type_of(action);
    filter_check(action, &families_all, config->unknown_types == UNKNOWN_TYPES_ACCEPT, complain, context);
    if (type->check && !action->missing)
        type->check(action, &families_all, complain, context);
    filter_doubt(action, &families_all, config_warn, context);
    if (type->doubt)
        type->doubt(action, &families_all, config_warn, context);
}

/* Also that all it needs is there. */
static void check_action_present(const struct config *config, const struct config_action *action,
                                 config_complain *complain, void *context)
{
    const struct action_type *type = action_type_of(action);
    check_action(config, action, complain, context);
    if (type->check_present)
        type->check_present(action, complain, context);
}

static void check_action_whole(const struct config *config, const struct config_action *action,
                               config_complain *complain, void *context)
{
    const struct action_type *type = action_type_of(action);
    check_action_present(config, action, complain, context);
    filter_advise(action, &families_all, config_warn, context);
    if (type->advise)
        type->advise(action, config_warn, context);
}

const struct config_hooks daemon_config_hooks = { .bear_missing = true, .check_action = check_action };
const struct config_hooks daemon_reload_hooks = { .check_present = true, .check_action = check_action_present };
const struct config_hooks daemon_check_hooks = { .check_present = true, .check_action = check_action_whole };

void daemon_tell_problems(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->n_lines; i++)
        log_line(problems->warns[i] ? LOG_WARNING : LOG_ERR, LOG_ID_CONFIG, "%s", problems->lines[i]);
}

struct store_settings limits_store_settings(const struct config *config)
{
    return (struct store_settings){
        .path = config->store.path,
        .durable = config->store.durability == DURABILITY_FULL,
        .keep_us = config->store.keep_us,
        .max_size_bytes = config->store.max_size_bytes,
        .stop = service_stop_requested,
    };
}

struct pipeline_settings limits_pipeline_settings(const struct config *config)
{
    return (struct pipeline_settings){ config->log.payload_bytes, config->limits.in_flight_bytes,
                                       config->n_communities > 1, config->store.keep_us };
}

static void minute(void *userdata)
{
    struct program *program = userdata;
    source_set_tick(program->sources);
    reload_missing(program);
    delivery_tick(program->delivery);
    health_check_silence(program);
    health_tell_status(program, false);
}

static void poke(void *userdata)
{
    const struct program *program = userdata;
    pipeline_poke(program->pipeline);
}

static int ask_for_reload(void *userdata, struct text *secrets, void *ticket, struct err *err)
{
    struct program *program = userdata;
    return reload_desk_ask(&program->reload_desk, secrets, ticket, err);
}

static bool give_up_reload(void *userdata, void *ticket)
{
    struct program *program = userdata;
    return reload_desk_give_up(&program->reload_desk, ticket);
}

static void add_sources(void *userdata, const char *community, struct json_writer *out)
{
    const struct program *program = userdata;
    source_set_add_board(program->sources, community, out);
}

static void note_sources(void *userdata)
{
    admin_note_sources(userdata);
}

/* From here on things run: requests, which wait for the writer; the writer before the actions, which it serves. */
static int start_threads(struct program *program, struct err *err)
{
    int r = source_set_open(program->sources, err);
    if (r >= 0)
        r = pipeline_start(program->pipeline, program->feed, program->delivery, err);
    if (r >= 0)
        r = delivery_start(program->delivery, err);
    const struct admin_parts parts = { .config = program->config,
                                       .store_path = program->started->store.path,
                                       .delivery = program->delivery,
                                       .state = program->state,
                                       .feed = program->feed,
                                       .gate = source_set_gate(program->sources),
                                       .families = &families_all,
                                       .userdata = program,
                                       .add_status = health_add_status,
                                       .add_health = health_add,
                                       .add_sources = add_sources,
                                       .add_metrics = metrics_add,
                                       .reload = ask_for_reload,
                                       .give_up_reload = give_up_reload };
    if (r >= 0)
        r = admin_start(&program->admin, &parts, err);
    if (program->admin)
        source_set_watch(program->sources, note_sources, program->admin);
    admin_note_sources(program->admin); /* of what changed before */
    return r;
}

static int make_parts(struct program *program)
{
    const struct config *config = program->config;
    const struct pipeline_settings pipeline = limits_pipeline_settings(config);
    int r = feed_new(&program->feed, program->store, &families_all);
    if (r < 0)
        return r;
    const struct delivery_settings delivery = {
        .feed = program->feed, .families = &families_all, .node = program->node, .changed = poke, .userdata = program
    };
    r = pipeline_new(&program->pipeline, program->store, program->state, &pipeline);
    if (r >= 0)
        r = delivery_new(&program->delivery, &delivery);
    return r < 0 ? r
                 : source_set_new(&program->sources, program->source_types, config, &families_all, program->state,
                                  program->pipeline);
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

static int take_node(struct program *program, struct err *err)
{
    if (!program->config->node)
        return store_get_node(program->store, program->node, err);
    text_copy(program->node, sizeof(program->node), program->config->node);
    return 0;
}

/* The log first: what was heard before is known before the first request comes. */
static int start(struct program *program, struct err *err)
{
    struct config *config = program->config;
    struct store_settings settings = limits_store_settings(config);
    int r = store_open(&program->store, &settings, err);
    if (r < 0)
        return r;

    tell_life(program->store);
    r = take_node(program, err);
    if (r < 0)
        return r;
    program->state = state_new();
    if (!program->state || make_parts(program) < 0)
        return err_set(err, -ENOMEM, "no memory");
    const struct pipeline_recovery recovery = { .store_path = config->store.path,
                                                .families = &families_all,
                                                .stop = service_stop_requested,
                                                .heard = source_set_heard,
                                                .userdata = program->sources };
    r = pipeline_recover(program->pipeline, &recovery, err);
    if (r >= 0)
        r = delivery_load(program->delivery, config, program->store, err);
    if (r >= 0)
        r = start_threads(program, err);
    if (r >= 0)
        source_set_ready(program->sources);
    return r;
}

/* A read, write or sync that hangs cannot be taken back. What was to be stored was not answered. */
static _Noreturn void end_without_disk(bool stored)
{
    log_line(LOG_CRIT, LOG_ID_STORE_FAILED, "the disk does not answer: ended without it%s",
             stored ? "" : "; events that still waited for it are not answered");
    log_close(LOG_CLOSE_MAX_US);
    _exit(EXIT_FAILURE);
}

static void stop(struct program *program)
{
    usec_t began = uptime_us();
    void *waits = reload_desk_close(&program->reload_desk);
    if (waits)
        admin_refuse_reload(program->admin, waits, "the daemon is stopping");
    if (program->sources)
        source_set_watch(program->sources, NULL, NULL);
    program->admin = admin_stop(program->admin);
    if (program->pipeline)
        pipeline_hurry(program->pipeline);
    bool sources_end = source_set_stop(program->sources, STOP_SOURCES_MAX_US) >= 0;
    bool actions_end = delivery_stop(program->delivery, STOP_ACTIONS_MAX_US) >= 0;
    usec_t taken = uptime_us() - began;
    usec_t left = taken + STOP_WRITER_MIN_US < STOP_MAX_US ? STOP_MAX_US - taken : STOP_WRITER_MIN_US;
    if (pipeline_stop(program->pipeline, left) < 0)
        end_without_disk(false);
    if (!sources_end || !actions_end || program->admin)
        end_without_disk(true);
    if (program->sources)
        source_set_tick(program->sources);
    program->sources = source_set_free(program->sources);
    program->pipeline = pipeline_free(program->pipeline);
    program->delivery = delivery_free(program->delivery);
    program->feed = feed_free(program->feed);
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
    r = reload_desk_open(&program->reload_desk, &err);
    if (r >= 0)
        r = start(program, &err);
    if (r >= 0) {
        const struct service_callbacks callbacks = { .userdata = program,
                                                     .reload = reload,
                                                     .minute = minute,
                                                     .healthy = health_is_good,
                                                     .call_fd = program->reload_desk.fd,
                                                     .call = reload_asked };
        log_started();
        health_tell_status(program, true);
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

int daemon_run(const char *file, struct config *config, struct config_secrets **secrets,
               const struct source_types *source_types)
{
    struct program program = { .file = file,
                               .source_types = source_types,
                               .config = config_ref(config),
                               .started = config_ref(config),
                               .secrets = secrets,
                               .started_us = now_us(),
                               .reload = { .taken = 1, .taken_us = now_us() },
                               .lock = PTHREAD_MUTEX_INITIALIZER };
    int r = run(&program);
    config_free(program.config);
    config_free(program.started);
    return r;
}

bool daemon_needs_help(int r)
{
    return store_needs_help(r) || r == SOURCE_NEEDS_HELP;
}
