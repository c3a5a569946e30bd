/* health.c - whether everything gets on, and the daemon in one line and in one object. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon_private.h"

#define ACTIONS_SHOWN 64
#define REASON_MAX_CHARS 120 /* of one that is off */

static void say(bool alive, const char *what, const char *name)
{
    if (!alive)
        log_line(LOG_CRIT, LOG_ID_STUCK, "%s%s does not get on; the watchdog is not fed", what, name);
}

/* How old the newest event is that was there before the first look: no older than this machine has been up, however far
 * the clock is ahead. */
static usec_t first_silence_us(const struct pipeline_status *store, usec_t boottime)
{
    usec_t now = now_us();
    usec_t age_us = store->newest_us && now > store->newest_us ? now - store->newest_us : 0;
    return age_us < boottime ? age_us : boottime - 1;
}

/* By a clock that nobody sets. */
static usec_t silent_for_us(struct program *program)
{
    struct pipeline_status store;
    usec_t now = boottime_us();
    pipeline_get_status(program->pipeline, &store);
    bool first = !program->heard_us;
    if (first || store.n_heard != program->n_heard) {
        program->n_heard = store.n_heard;
        program->heard_us = first ? now - first_silence_us(&store, now) : now;
        program->silence_told = false;
    }
    return now - program->heard_us;
}

/* Told once for each silence. */
void health_check_silence(struct program *program)
{
    uint64_t limit_us = program->config->log.silence_us;
    usec_t silence_us = silent_for_us(program);
    if (!limit_us || silence_us < limit_us) {
        program->silence_told = false;
        return;
    }
    if (program->silence_told)
        return;
    program->silence_told = true;
    uint64_t minutes = silence_us / (60 * USEC_PER_SEC);
    log_line(LOG_WARNING, LOG_ID_SILENCE, "no event for %llu minute%s; sonoran-pushctl doctor looks for the reason",
             (unsigned long long) minutes, text_plural(minutes));
}

bool health_is_good(void *userdata)
{
    struct program *program = userdata;
    char name[NAME_MAX_BYTES + 1] = "";
    const char *thread = "";
    bool sources = source_set_alive(program->sources, &thread), writer = pipeline_alive(program->pipeline);
    bool actions = delivery_alive(program->delivery, name);
    health_tell_status(program, false);
    health_check_silence(program);
    say(sources, thread, "");
    say(writer, "the writer", "");
    say(actions, "action ", name);
    return sources && writer && actions;
}

/* "Listening for push events, 1042 in the log, the last at 2026-11-24T…; not delivering: bot (3 behind)"; of one that
 * is off the reason too. */
void health_tell_status(struct program *program, bool ready)
{
    struct delivery_status actions[ACTIONS_SHOWN];
    struct text status CLEANUP(text_free) = TEXT_INIT;
    size_t n = delivery_get_status(program->delivery, actions, ACTIONS_SHOWN);
    struct pipeline_status store;
    const char *separator = "; not delivering: ";

    pipeline_get_status(program->pipeline, &store);
    pipeline_add_sentence(program->pipeline, &status);
    report_add_line(&status, &(struct report_part){ .table = &pipeline_report, .values = &store });
    for (size_t i = 0; i < n && i < ACTIONS_SHOWN; i++) {
        if (actions[i].state != DELIVERY_FAILING && actions[i].state != DELIVERY_OFF)
            continue;
        text_addf(&status, "%s%s (%llu behind", separator, actions[i].name, (unsigned long long) actions[i].lag);
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

static void add_file(struct json_writer *out, const char *file)
{
    char *path CLEANUP(cleanup_free) = realpath(file, NULL);
    if (path)
        json_add_text(out, "configuration", path);
}

void health_note_reload(struct program *program, const char *problem)
{
    pthread_mutex_lock(&program->lock);
    program->reload_refused_us = problem ? now_us() : 0;
    program->reload.taken = !problem;
    program->reload.taken_us = problem ? program->reload.taken_us : now_us();
    snprintf(program->reload_problem, sizeof(program->reload_problem), "%s", problem ? problem : "");
    pthread_mutex_unlock(&program->lock);
}

static void add_reload(struct program *program, struct json_writer *out)
{
    pthread_mutex_lock(&program->lock);
    if (program->reload_refused_us) {
        json_begin_object(out, "reload_refused");
        json_add_time(out, "at", program->reload_refused_us);
        json_add_text(out, "problem", program->reload_problem);
        json_end(out);
    }
    pthread_mutex_unlock(&program->lock);
}

/* Who sends what comes by another way as well. */
static void add_last_copy(const struct pipeline_status *store, struct json_writer *out)
{
    if (!store->copies_us)
        return;
    json_begin_object(out, "last_copies");
    json_add_time(out, "at", store->copies_us);
    json_add_text(out, "from", store->copies_from);
    json_end(out);
}

void health_add_status(void *userdata, struct json_writer *out)
{
    struct program *program = userdata;
    struct pipeline_status store;
    const struct report_part counts = { .table = &pipeline_report, .values = &store };
    struct log_values log;
    pipeline_get_status(program->pipeline, &store);
    json_add_text(out, "version", PROGRAM_VERSION);
    json_add_int(out, "pid", getpid());
    admin_add_time(out, "started", program->started_us);
    add_file(out, program->file);
    source_set_add_status(program->sources, out);
    json_begin_object(out, "store");
    json_add_text(out, "path", program->started->store.path);
    report_add_members(out, &counts, "store");
    if (store.wal_held_by[0])
        json_add_text(out, "held_by", store.wal_held_by);
    json_end(out);
    report_add_members(out, &counts, NULL);
    add_last_copy(&store, out);
    log_get_values(&log);
    report_add_members(out, &(struct report_part){ .table = &log_report, .values = &log }, NULL);
    add_reload(program, out);
}

static void add_failing_actions(const struct program *program, struct json_writer *out)
{
    struct delivery_status actions[ACTIONS_SHOWN];
    size_t n = delivery_get_status(program->delivery, actions, ACTIONS_SHOWN);
    json_begin_array(out, "failing_actions");
    for (size_t i = 0; i < n && i < ACTIONS_SHOWN; i++)
        if (actions[i].state == DELIVERY_FAILING || actions[i].state == DELIVERY_OFF)
            json_add_text(out, NULL, actions[i].name);
    json_end(out);
}

/* For whoever watches many machines: nothing that a stranger may not know. */
bool health_add(void *userdata, struct json_writer *out)
{
    struct program *program = userdata;
    struct pipeline_status store;
    const struct report_part counts = { .table = &pipeline_report, .values = &store };
    pipeline_get_status(program->pipeline, &store);
    json_add_text(out, "status", store.storing ? "ok" : "failing");
    report_add_members(out, &counts, NULL);
    json_begin_array(out, "sources");
    source_set_add_health(program->sources, out);
    json_end(out);
    add_failing_actions(program, out);
    return store.storing;
}
