/* health.c - whether everything gets on, and the daemon in one line and in one object. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

#define ACTIONS_SHOWN 64
#define REASON_MAX_CHARS 120 /* of one that is off */

static void say(bool alive, const char *what, const char *name)
{
    if (!alive)
        log_line(LOG_CRIT, LOG_ID_STUCK, "%s%s does not get on; the watchdog is not fed", what, name);
}

/* Told once for each silence. */
void check_silence(struct program *program)
{
    struct pipeline_status store;
    uint64_t silence_us = program->config->log.silence_us;
    pipeline_get_status(program->pipeline, &store);
    usec_t since_us = store.newest_us ? store.newest_us : program->started_us, now = now_us();
    if (!silence_us || now < since_us + silence_us) {
        program->silent_since_us = 0;
        return;
    }
    if (program->silent_since_us == since_us)
        return;
    program->silent_since_us = since_us;
    uint64_t minutes = (now - since_us) / (60 * USEC_PER_SEC);
    log_line(LOG_WARNING, LOG_ID_SILENCE, "no event for %llu minute%s; sonoran-pushctl doctor looks for the reason",
             (unsigned long long) minutes, text_plural(minutes));
}

bool healthy(void *userdata)
{
    struct program *program = userdata;
    char name[NAME_MAX_BYTES + 1] = "";
    bool http = http_alive(program->http), writer = pipeline_alive(program->pipeline);
    bool actions = delivery_alive(program->delivery, name);
    tell_status(program, false);
    check_silence(program);
    say(http, "the HTTP thread", "");
    say(writer, "the writer", "");
    say(actions, "action ", name);
    return http && writer && actions;
}

/* "Listening for push events, 1042 in the log, the last at 2026-11-24T…; not delivering: bot (3 behind)"; of one that
 * is off the reason too. */
void tell_status(struct program *program, bool ready)
{
    struct delivery_status actions[ACTIONS_SHOWN];
    struct text status CLEANUP(text_free) = TEXT_INIT;
    size_t n = delivery_get_status(program->delivery, actions, ACTIONS_SHOWN);
    struct pipeline_status store;
    const char *separator = "; not delivering: ";

    pipeline_get_status(program->pipeline, &store);
    text_add(&status, pipeline_status(program->pipeline));
    text_addf(&status, ", %llu in the log", (unsigned long long) store.newest_id);
    if (store.newest_us) {
        text_add(&status, ", the last at ");
        text_add_time_utc(&status, store.newest_us);
    }
    for (size_t i = 0; i < n && i < ACTIONS_SHOWN; i++) {
        if (actions[i].state != DELIVERY_FAILING && actions[i].state != DELIVERY_OFF)
            continue;
        text_addf(&status, "%s%s (%llu behind", separator, actions[i].name,
                  (unsigned long long) delivery_lag(&actions[i]));
        if (actions[i].state == DELIVERY_OFF) {
            text_add(&status, ", off: ");
            text_add_safe(&status, actions[i].error, strlen(actions[i].error), REASON_MAX_CHARS);
        }
        text_add(&status, ")");
        separator = ", ";
    }
    if (ready)
        service_tell_ready(status.s);
    else
        service_tell_status(status.s);
}

static void add_file(struct text *out, const char *file)
{
    char *path CLEANUP(cleanup_free) = realpath(file, NULL);
    if (path)
        control_add_text(out, "configuration", path);
}

static void add_listeners(struct program *program, struct text *out)
{
    text_add(out, ",\"listeners\":[");
    pthread_mutex_lock(&program->lock);
    for (size_t i = 0; i < program->listeners.n; i++) {
        const struct listener *listener = &program->listeners.all[i];
        char address[64];
        http_socket_name(listener->fd, address, sizeof(address));
        text_addf(out, "%s{\"name\":\"%s\",\"address\":\"%s\"}", i ? "," : "", listener->name, address);
    }
    pthread_mutex_unlock(&program->lock);
    text_add(out, "]");
}

/* "last_not_found":{"at":…,"from":…,"what":…} */
static void add_last(const char *name, const struct ingress_last *last, struct text *out)
{
    if (!last->at_us)
        return;
    text_addf(out, ",\"last_%s\":{\"at\":\"", name);
    text_add_time_utc(out, last->at_us);
    text_addf(out, "\",\"from\":\"%s\"", last->peer);
    if (last->what[0])
        control_add_text(out, "what", last->what);
    text_add(out, "}");
}

static void add_requests(const struct program *program, struct text *out)
{
    struct ingress_status status;
    ingress_get_status(program->ingress, &status);
    text_add(out, ",\"requests\":{");
    for (enum ingress_count i = 0; i < INGRESS_N_COUNTS; i++)
        text_addf(out, "%s\"%s\":%llu", i ? "," : "", ingress_count_name(i), (unsigned long long) status.counts[i]);
    text_add(out, "}");
    for (enum ingress_count i = 0; i < INGRESS_N_COUNTS; i++)
        add_last(ingress_count_name(i), &status.last[i], out);
}

void note_reload(struct program *program, const char *problem)
{
    pthread_mutex_lock(&program->lock);
    program->reload_refused_us = problem ? now_us() : 0;
    snprintf(program->reload_problem, sizeof(program->reload_problem), "%s", problem ? problem : "");
    pthread_mutex_unlock(&program->lock);
}

static void add_reload(struct program *program, struct text *out)
{
    pthread_mutex_lock(&program->lock);
    if (program->reload_refused_us) {
        text_add(out, ",\"reload_refused\":{\"at\":\"");
        text_add_time_utc(out, program->reload_refused_us);
        text_add(out, "\"");
        control_add_text(out, "problem", program->reload_problem);
        text_add(out, "}");
    }
    pthread_mutex_unlock(&program->lock);
}

void add_status(void *userdata, struct text *out)
{
    struct program *program = userdata;
    struct pipeline_status store;
    pipeline_get_status(program->pipeline, &store);
    control_add_text(out, "version", PROGRAM_VERSION);
    text_addf(out, ",\"pid\":%d", getpid());
    control_add_time(out, "started", program->started_us);
    add_file(out, program->file);
    add_listeners(program, out);
    text_addf(out, ",\"store\":{\"wal_bytes\":%llu", (unsigned long long) store.wal_bytes);
    if (store.wal_held_by[0])
        control_add_text(out, "held_by", store.wal_held_by);
    text_add(out, "}");
    text_addf(out, ",\"storing\":%s,\"newest\":%llu", store.failing ? "false" : "true",
              (unsigned long long) store.newest_id);
    control_add_time(out, "last_event", store.newest_us);
    add_requests(program, out);
    add_reload(program, out);
    text_addf(out, ",\"connections\":%zu", http_n_connections(program->http));
}
