/* test.c - "sonoran-pushctl test": one sample to one action, by the running daemon. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/wait.h>

#include "ctl_daemon.h"
#include "samples.h"
#include "settings.h"

#define LOOK_EVERY_US (50 * USEC_PER_MSEC)
#define MARGIN_US (15 * USEC_PER_SEC) /* what a try takes beyond its timeout: to end a program, to be asked */
#define SHOWN_MAX_CHARS 400

struct arguments {
    struct ctl_common common;
    const char *community, *listener;
};

#define AT(member) offsetof(struct arguments, member)

static const struct ctl_option rows[] = {
    { "community", 0, "NAME", NULL, "as an event of this community (the first one that the action is for)",
      AT(community) },
    { "listener", 0, "NAME", NULL, "as if this listener had got it (the first one that the action is for)",
      AT(listener) },
    OPTION_JSON("print what came of it as an object"),
};

static const struct ctl_spec spec = {
    .verb = "test",
    .usage = "ACTION [TYPE] [OPTION]...",
    .about = "Gives a sample of an event, marked as a test, to one action of the running daemon, once, and says what "
             "came of it, and whether its filter would have let a real one through. No other action gets it, and it "
             "is not stored. Without a type it is one that the filter lets through, where there is one.",
    .footer = "Exit status: 0 delivered, 1 not, 2 usage, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_min = 1,
    .words_max = 2,
};

/* One sample as the action would get it. */
struct trial {
    const struct config_action *action;
    const char *community, *listener;
    const struct sample *sample;
};

/* ---- which sample ---- */

static int make_event(const struct trial *trial, struct batch *ret)
{
    struct origin origin = { .source = EVENT_SOURCE_PUSH, .peer = "127.0.0.1" };
    struct text extra CLEANUP(text_free) = TEXT_INIT;
    const char *data = trial->sample->data ? trial->sample->data : "";
    struct json_writer top = json_writer(&extra);
    json_begin_object(&top, NULL);
    json_add_members(&top, (struct span){ trial->sample->top, trial->sample->top ? strlen(trial->sample->top) : 0 });
    json_add_bool(&top, "test", true);
    json_end(&top);
    snprintf(origin.name, sizeof(origin.name), "%s", trial->listener);
    const struct event event = {
        .id = 1, /* the daemon makes it none */
        .time_us = now_us(),
        .type = trial->sample->type,
        .community = trial->community,
        .origin = &origin,
        .verdict = EVENT_ACCEPTED,
        .data_text = { data, strlen(data) },
        .extra_text = { extra.s, extra.size },
    };
    return extra.failed ? -ENOMEM : batch_restore(ret, &event, &families_all);
}

static enum left_out look(const struct trial *trial)
{
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct batch batch;
    if (make_event(trial, &batch) < 0)
        return LEFT_OUT_EVENTS;
    event_describe(&batch.events[0], NULL, &description);
    const struct action_record record = { .event = &batch.events[0], .description = &description };
    enum left_out why = filter_look(trial->action, &record);
    batch_done(&batch);
    return why;
}

/* The first that the filter lets through; else the first of a type that the action is for. */
static const struct sample *choose(struct trial trial)
{
    const struct sample *wanted = NULL;
    for (size_t i = 0; i < samples_n; i++) {
        trial.sample = &samples[i];
        enum left_out why = look(&trial);
        if (why == LEFT_OUT_NOT)
            return trial.sample;
        if (why != LEFT_OUT_EVENTS && !wanted)
            wanted = trial.sample;
    }
    return wanted ? wanted : &samples[0];
}

static int find_sample(struct trial *trial, const char *type, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    trial->sample = type ? sample_find(type) : choose(*trial);
    if (trial->sample)
        return 0;
    const char *near = event_nearest_type(&families_all, type);
    table_write_safe(&shown, type, 80);
    return err_set(err, -EINVAL, "%s: no type with a sample; %s%s%s", shown.s, near ? "did you mean " : "",
                   near ? near : CTL_NAME " send --list has the types", near ? "?" : "");
}

/* ---- for which action ---- */

static int find_action(const struct config *config, const char *name, struct trial *trial, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < config->n_actions; i++) {
        nearest_try(&nearest, config->actions[i].name, (int) strlen(config->actions[i].name));
        if (strcmp(config->actions[i].name, name) == 0)
            trial->action = &config->actions[i];
    }
    if (trial->action)
        return 0;
    table_write_safe(&shown, name, 80);
    return nearest.name ? err_set(err, -ENOENT, "no action is called %s, did you mean %s?", shown.s, nearest.name)
                        : err_set(err, -ENOENT, "no action is called %s", shown.s);
}

static int find_place(const struct config *config, const struct arguments *arguments, struct trial *trial,
                      struct err *err)
{
    const struct config_action *action = trial->action;
    const struct config_community *community = settings_community(config, arguments->community, err);
    const struct config_listener *listener = community ? settings_listener(config, arguments->listener, err) : NULL;
    if (!listener)
        return -EINVAL;
    trial->community = !arguments->community && action->n_communities ? action->communities[0] : community->name;
    trial->listener = !arguments->listener && action->n_listeners ? action->listeners[0] : listener->name;
    return 0;
}

/* ---- the daemon ---- */

/* Whatever comes of it, until it is over. */
static int wait_for_end(const char *store, usec_t timeout_us, struct daemon_answer *ret, struct err *err)
{
    usec_t end = uptime_us() + timeout_us + MARGIN_US;
    int r = daemon_get(store, "/api/test", ret, err);
    while (r >= 0 && json_get_flag(ret->json, "under_way")) {
        daemon_answer_free(ret);
        if (uptime_us() > end)
            return err_set(err, -ETIMEDOUT, "the action has not come to an end");
        wait_pause(LOOK_EVERY_US);
        r = daemon_get(store, "/api/test", ret, err);
    }
    return r;
}

static int ask(const char *store, const struct trial *trial, struct daemon_answer *ret, struct err *err)
{
    struct daemon_answer begun CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct text record CLEANUP(text_free) = TEXT_INIT;
    struct batch batch;
    char path[64 + NAME_MAX_BYTES];
    int r = make_event(trial, &batch);
    if (r < 0)
        return err_set(err, r, "no memory");
    event_describe(&batch.events[0], NULL, &description);
    event_write_record(&batch.events[0], &description, &record);
    batch_done(&batch);
    if (record.failed)
        return err_set(err, -ENOMEM, "no memory");
    snprintf(path, sizeof(path), "/api/test?action=%s", trial->action->name);
    const struct daemon_question question = { .path = path, .post = true, .body = &record, .type = "application/json" };
    r = daemon_ask(store, &question, &begun, err);
    return r < 0 ? r : wait_for_end(store, trial->action->timeout_us, ret, err);
}

/* ---- what is said ---- */

static void say_what_comes(const struct trial *trial)
{
    printf("Action %s gets a sample of %s, marked as a test; no other action gets it, and it is not stored.\n",
           trial->action->name, trial->sample->type);
    fflush(stdout);
}

static void write_filter(const cJSON *answer, struct text *out)
{
    const char *why = json_get_text(answer, "left_out"), *condition = json_get_text(answer, "condition");
    text_add(out, *why ? "Its filter would leave a real one out: " : "Its filter would let a real one through.\n");
    if (!*why)
        return;
    table_write_safe(out, why, SHOWN_MAX_CHARS);
    if (*condition) {
        text_add(out, " \"");
        table_write_safe(out, condition, SHOWN_MAX_CHARS);
        text_add(out, "\" does not hold");
    }
    text_add(out, ".\n");
}

static void write_result(const cJSON *answer, struct text *out)
{
    static const struct {
        const char *result, *words;
    } table[] = {
        { "delivered", "It was delivered" },
        { "retry", "It was not delivered; a real one would be tried again" },
        { "wait", "It was not tried: the target asks for a pause" },
        { "given up", "It was not delivered; a real one would go to the list of failed ones" },
        { "off", "It was not delivered; a real one would switch the action off for a while" },
        { "cancelled", "It was cancelled: the daemon ends" },
        { "not tried", "It could not be tried" },
    };
    const char *result = json_get_text(answer, "result"), *reason = json_get_text(answer, "reason");
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strcmp(table[i].result, result) == 0)
            text_add(out, table[i].words);
    text_addf(out, " (%llu ms)", (unsigned long long) json_get_count(answer, "took_ms"));
    text_add(out, *reason ? ": " : "");
    table_write_safe(out, reason, SHOWN_MAX_CHARS);
    text_add(out, ".\n");
    if (*json_get_text(answer, "answer")) {
        text_add(out, "The target answered: ");
        table_write_safe(out, json_get_text(answer, "answer"), SHOWN_MAX_CHARS);
        text_add(out, "\n");
    }
}

static int tell(const struct daemon_answer *answer, bool json)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    bool delivered = strcmp(json_get_text(answer->json, "result"), "delivered") == 0;
    if (json)
        text_addf(&out, "%s\n", answer->line.s);
    else {
        write_filter(answer->json, &out);
        write_result(answer->json, &out);
    }
    int status = table_write_stdout(&out);
    return delivered ? status : EXIT_FAILURE;
}

static int try(const struct config *config, const struct arguments *arguments, char **words, int n_words)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    const char *store = arguments->common.store ? arguments->common.store : config->store.path;
    struct trial trial = { 0 };
    struct err err;
    int r = find_action(config, words[0], &trial, &err);
    if (r >= 0)
        r = find_place(config, arguments, &trial, &err);
    if (r >= 0)
        r = find_sample(&trial, n_words > 1 ? words[1] : NULL, &err);
    if (r < 0)
        return ctl_fail(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, "%s", err.msg);
    if (!arguments->common.json)
        say_what_comes(&trial);
    r = ask(store, &trial, &answer, &err);
    return r < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : tell(&answer, arguments->common.json);
}

int test_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    struct config *config = NULL;
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    int first = optind;
    status = settings_need(arguments.common.config_file, &config, "the actions stand in the configuration");
    if (status == EXIT_SUCCESS)
        status = try(config, &arguments, argv + first, argc - first);
    config_free(config);
    return status;
}
