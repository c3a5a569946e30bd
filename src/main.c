/* main.c - options, everything built in the order of the layers, the loop, everything taken down in reverse. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/events.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/ingress.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/service.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

#define EXIT_USAGE 2
#define STOP_MAX_US (5 * USEC_PER_SEC)
#define STOP_HTTP_MAX_US (4 * USEC_PER_SEC)
#define LOG_CLOSE_MAX_US USEC_PER_SEC

struct arguments {
    const char *file;
    bool check, print_config;
};

struct program {
    const char *file;
    struct config *config;
    struct config *started; /* what listens is of this one */
    struct store *store;
    struct state *state;
    struct pipeline *pipeline;
    struct ingress *ingress;
    struct http *http;
};

static void help(FILE *out)
{
    fprintf(out,
            "Usage: %s [OPTION]...\n"
            "Receives Sonoran CAD's push events, checks the community's key and tells what happened.\n\n"
            "  -c, --config FILE   read FILE (default: %s)\n"
            "      --check         check the configuration and end\n"
            "      --print-config  print the settings in force, without secrets, and end\n"
            "  -V, --version       print the version and end\n"
            "  -h, --help          print this and end\n\n"
            "Runs in the foreground until SIGTERM or SIGINT; SIGHUP reads the configuration again.\n"
            "Exit status: 0 asked to end, 2 usage, 78 configuration, 1 anything else.\n",
            PROGRAM_NAME, CONFIG_DEFAULT_FILE);
}

/* -1: go on; else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *ret)
{
    enum { OPTION_CHECK = 256, OPTION_PRINT_CONFIG };
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "check", no_argument, NULL, OPTION_CHECK },
        { "print-config", no_argument, NULL, OPTION_PRINT_CONFIG },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };

    for (int c; (c = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            ret->file = optarg;
            break;
        case OPTION_CHECK:
            ret->check = true;
            break;
        case OPTION_PRINT_CONFIG:
            ret->print_config = true;
            break;
        case 'V':
            puts(PROGRAM_NAME " " PROGRAM_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            help(stdout);
            return EXIT_SUCCESS;
        default:
            fprintf(stderr, "Try: %s --help\n", PROGRAM_NAME);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "%s: unexpected argument. Try: %s --help\n", PROGRAM_NAME, PROGRAM_NAME);
    return EXIT_USAGE;
}

static void tell_problems(const struct config_problems *problems, int level, const char *message_id)
{
    for (size_t i = 0; i < problems->n_lines; i++)
        log_line(level, message_id, "%s", problems->lines[i]);
}

static struct http_settings http_settings(const struct config *config)
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

static struct store_settings store_settings(const struct config *config)
{
    return (struct store_settings){
        .path = config->store.path,
        .durable = config->store.durability == DURABILITY_FULL,
        .keep_us = config->store.keep_us,
        .max_size_bytes = config->store.max_size_bytes,
    };
}

/* ---- reload ---- */

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
    if (program->config != program->started)
        config_free(program->config);
    program->config = next;
    log_configure(next->log.target, next->log.level);
    log_line(LOG_NOTICE, LOG_ID_RELOADED, "configuration reloaded from %s", program->file);
    if (restart)
        log_line(LOG_WARNING, LOG_ID_RELOADED, "changed, but in force only after a restart: %s", restart);
}

static void reload(void *userdata)
{
    struct program *program = userdata;
    struct config_problems problems = { 0 };
    struct config *next = NULL;

    service_tell_reloading();
    int r = config_load(program->file, NULL, &next, &problems);
    if (r < 0) {
        tell_problems(&problems, LOG_ERR, LOG_ID_RELOAD_REFUSED);
        log_line(LOG_ERR, LOG_ID_RELOAD_REFUSED, "configuration not reloaded, the old one stays in force");
    } else {
        tell_problems(&problems, LOG_WARNING, LOG_ID_CONFIG);
        take_config(program, next);
    }
    config_problems_free(&problems);
    service_tell_ready(pipeline_status(program->pipeline));
}

static void minute(void *userdata)
{
    struct program *program = userdata;
    ingress_tick(program->ingress);
    (void) state_expire(program->state, now_us());
}

/* ---- start and stop ---- */

static int open_listeners(const struct config *config, struct http_listener *ret_listeners, struct err *err)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct config_listener *listener = &config->listeners[i];
        int fd = http_listen((const struct sockaddr *) &listener->socket_address, listener->socket_address_size, err);
        if (fd < 0) {
            while (i-- > 0)
                close(ret_listeners[i].fd);
            return err_wrap(err, fd, "listener %s", listener->name);
        }
        ret_listeners[i].fd = fd;
        snprintf(ret_listeners[i].name, sizeof(ret_listeners[i].name), "%s", listener->name);
    }
    return 0;
}

/* Scripts wait for this line, so it comes at every log.level. */
static void tell_ready(const struct http_listener *listeners, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char name[64], line[128];
        http_socket_name(listeners[i].fd, name, sizeof(name));
        snprintf(line, sizeof(line), "ready on %s, listener %s", name, listeners[i].name);
        const struct log_field listener = { "SONORAN_LISTENER", listeners[i].name, strlen(listeners[i].name), 0,
                                            false };
        log_write(&(struct log_record){ .level = LOG_NOTICE,
                                        .message_id = LOG_ID_READY,
                                        .line = line,
                                        .fields = &listener,
                                        .n_fields = 1,
                                        .always = true });
    }
}

static int start_http(struct program *program, struct err *err)
{
    size_t n = program->config->n_listeners;
    struct http_listener *listeners CLEANUP(cleanup_free) = calloc(n, sizeof(*listeners));
    if (!listeners)
        return err_set(err, -ENOMEM, "no memory");
    int r = open_listeners(program->config, listeners, err);
    if (r < 0)
        return r;

    struct http_settings settings = http_settings(program->config);
    struct http_callbacks callbacks = ingress_callbacks(program->ingress);
    r = http_start(&program->http, listeners, n, &settings, &callbacks, err);
    if (r < 0) {
        for (size_t i = 0; i < n; i++)
            close(listeners[i].fd);
        return r;
    }
    struct pipeline_callbacks answers = ingress_answers(program->ingress, program->http);
    r = pipeline_start(program->pipeline, &answers, err);
    if (r >= 0)
        tell_ready(listeners, n);
    return r;
}

/* The log first: what was heard before is known before the first request comes. */
static int start(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    struct store_settings settings = store_settings(config);
    int r = store_open(&program->store, &settings, err);
    if (r < 0)
        return r;

    program->state = state_new();
    if (!program->state ||
        pipeline_new(&program->pipeline, program->store, program->state,
                     &(struct pipeline_settings){ config->log.payload_bytes, config->limits.in_flight_bytes }) < 0 ||
        ingress_new(&program->ingress, config, &all_event_families, program->pipeline) < 0)
        return err_set(err, -ENOMEM, "no memory");
    r = pipeline_recover(program->pipeline, config->store.path, &all_event_families, err);
    return r < 0 ? r : start_http(program, err);
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
    http_stop(program->http, STOP_HTTP_MAX_US);
    usec_t taken = uptime_us() - began;
    if (pipeline_stop(program->pipeline, taken < STOP_MAX_US ? STOP_MAX_US - taken : 0) < 0)
        end_without_disk();
    if (program->ingress)
        ingress_tick(program->ingress);
    program->http = http_free(program->http);
    program->ingress = ingress_free(program->ingress);
    program->pipeline = pipeline_free(program->pipeline);
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
        service_tell_ready(pipeline_status(program->pipeline));
        r = service_run(&(struct service_callbacks){ .userdata = program, .reload = reload, .minute = minute }, &err);
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

/* What --check and --print-config do, or the daemon itself. */
static int act(const struct arguments *arguments, struct program *program)
{
    if (arguments->check) {
        printf("%s: ok\n", arguments->file);
        return EXIT_SUCCESS;
    }
    if (arguments->print_config)
        return config_print(program->config, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    return run(program) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .file = CONFIG_DEFAULT_FILE };
    struct config_problems problems = { 0 };
    int status = read_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;

    struct program program = { .file = arguments.file };
    int r = config_load(arguments.file, NULL, &program.config, &problems);
    tell_problems(&problems, r < 0 ? LOG_ERR : LOG_WARNING, LOG_ID_CONFIG);
    config_problems_free(&problems);
    program.started = program.config;
    status = r < 0 ? EX_CONFIG : act(&arguments, &program);
    if (program.config != program.started)
        config_free(program.config);
    config_free(program.started);
    return status;
}
