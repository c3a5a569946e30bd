/* ctl_requests.c - "sonoran-pushctl retry" and "replay": what the daemon is asked to deliver again. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_daemon.h"

/* Digits alone are an id. */
#define REPLAY_TIMES                                                                                                   \
    "\"today\", \"yesterday\", \"16:00\", \"-2h\", \"-30min\", \"-7d\", \"2026-11-23\", \"2026-11-23 16:00\""

struct arguments {
    struct ctl_common common;
    uint64_t from_id;
    usec_t from_us; /* instead of an id */
};

/* "all" of action, or one event; what was asked for is printed when the daemon has agreed to it. */
struct request {
    const char *verb; /* "retry" */
    const char *action;
    uint64_t id; /* 0: all */
    uint64_t n;  /* of retry: how many deliveries that is */
};

static int read_from(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    arguments->from_id = 0;
    if (options_read_id(value, &arguments->from_id) == 0)
        return 0;
    if (strspn(value, "0123456789") != strlen(value) && time_read_since(value, now_us(), &arguments->from_us) == 0)
        return 0;
    return err_set(err, -EINVAL, "expected the id of an event, or a time: " REPLAY_TIMES);
}

static const struct ctl_option retry_rows[] = {
    OPTION_JSON("print what was asked for as an object"),
};

static const struct ctl_option replay_rows[] = {
    { "from", 0, "ID|T", read_from, "the first event to deliver; of a time T, the first one not before it", 0 },
    OPTION_JSON("print what was asked for as an object"),
};

static const struct ctl_spec retry_spec = {
    .verb = "retry",
    .usage = "ACTION ID|all [OPTION]...",
    .about = "Lets an action try deliveries once more that it has given up: that of one event, or all. " CTL_NAME
             " failed shows them.",
    .rows = retry_rows,
    .n_rows = ARRAY_SIZE(retry_rows),
    .words_min = 2,
    .words_max = 2,
};

static const struct ctl_spec replay_spec = {
    .verb = "replay",
    .usage = "ACTION --from ID|T [OPTION]...",
    .about = "Sets an action back (or ahead) in the event log: it goes on from that event, and delivers again what "
             "comes from there on.",
    .footer = "T is a local time: " REPLAY_TIMES ".",
    .rows = replay_rows,
    .n_rows = ARRAY_SIZE(replay_rows),
    .words_min = 1,
    .words_max = 1,
};

static int check_action(const struct ctl_spec *spec, const char *action)
{
    if (options_is_name(action))
        return -1;
    ctl_fail(0, "expected the name of an action: up to %d of A-Z a-z 0-9 . _ -", NAME_MAX_BYTES);
    return options_usage(spec);
}

static void write_object(const struct request *request, bool retry, struct text *out)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    json_add_text(&json, "action", request->action);
    if (request->id) {
        json_add_int(&json, retry ? "retry" : "replay_from", (int64_t) request->id);
    } else {
        json_add_text(&json, "retry", "all");
        json_add_int(&json, "events", (int64_t) request->n);
    }
    json_end(&json);
    text_add(out, "\n");
}

static void write_request(const struct request *request, bool json, struct text *out)
{
    bool retry = strcmp(request->verb, "retry") == 0;
    unsigned long long id = request->id, n = request->n;
    if (json)
        write_object(request, retry, out);
    else if (!retry)
        text_addf(out, "Asked: action %s goes on from event %llu.\n", request->action, id);
    else if (id)
        text_addf(out, "Asked: action %s tries event %llu once more.\n", request->action, id);
    else if (n)
        text_addf(out, "Asked: action %s tries the %llu event%s that it has given up once more.\n", request->action, n,
                  text_plural(n));
    else
        text_addf(out, "Nothing to retry: no delivery of action %s was given up.\n", request->action);
}

static int ask(const char *store, const struct request *request, bool json)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    char path[128], id[32] = "all";
    if (request->id)
        snprintf(id, sizeof(id), "%llu", (unsigned long long) request->id);
    snprintf(path, sizeof(path), "/api/%s?action=%s&%s=%s", request->verb, request->action,
             strcmp(request->verb, "retry") == 0 ? "id" : "from", id);
    if (daemon_ask(store, &(struct daemon_question){ .path = path, .post = true }, &answer, &err) < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    write_request(request, json, &out);
    return table_write_stdout(&out);
}

/* Whether the daemon has the action; else which it may have been. */
static int check_known(const char *store, const char *name)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct nearest nearest = nearest_to(name);
    const cJSON *action;
    struct err err;
    if (daemon_get(store, "/api/actions", &answer, &err) < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    cJSON_ArrayForEach (action, json_get(answer.json, "actions")) {
        const char *known = json_get_text(action, "name");
        if (strcmp(known, name) == 0)
            return EXIT_SUCCESS;
        nearest_try(&nearest, known, (int) strlen(known));
    }
    if (nearest.name)
        return ctl_fail(EXIT_FAILURE, "no action is called %s, did you mean %s?", name, nearest.name);
    return ctl_fail(EXIT_FAILURE, "no action is called %s; " CTL_NAME " actions shows which there are", name);
}

/* How many deliveries were given up, of the event, or of all. */
static int count_failed(const char *store, struct request *request, struct err *err)
{
    struct store_reader *reader = NULL;
    struct store_failure failure;
    int r = store_reader_open(&reader, store, err);
    if (r >= 0)
        r = store_seek_failed(reader, request->action, err);
    while (r >= 0 && (r = store_read_failed(reader, &failure, err)) > 0)
        request->n += !request->id || failure.event_id == request->id;
    store_reader_close(reader);
    return r;
}

static int retry(const char *store, struct request *request, bool json)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    int status = check_known(store, request->action);
    if (status != EXIT_SUCCESS)
        return status;
    if (count_failed(store, request, &err) < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (request->n)
        return ask(store, request, json);
    if (request->id)
        return ctl_fail(EXIT_FAILURE,
                        "event %llu is not on the list of action %s; " CTL_NAME " failed %s shows what is",
                        (unsigned long long) request->id, request->action, request->action);
    write_request(request, json, &out);
    return table_write_stdout(&out);
}

int requests_retry_run(const char *config_file, int argc, char **argv)
{
    struct ctl_common common = { .config_file = config_file };
    char *store CLEANUP(cleanup_free) = NULL;
    int status = options_read(&retry_spec, &common, argc, argv);
    if (status >= 0)
        return status;

    struct request request = { .verb = "retry", .action = argv[optind] };
    const char *what = argv[optind + 1];
    status = check_action(&retry_spec, request.action);
    if (status >= 0)
        return status;
    if (strcmp(what, "all") != 0 && options_read_id(what, &request.id) < 0) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        table_write_safe(&shown, what, 80);
        ctl_fail(0, "%s: expected the id of an event, or all", shown.s);
        return options_usage(&retry_spec);
    }
    status = settings_find_store(&common, &store);
    return store ? retry(store, &request, common.json) : status;
}

/* The first event not before a time; behind the newest one, the next that comes. */
static int find_event(struct store_reader *reader, usec_t from_us, uint64_t *ret_id, struct err *err)
{
    struct store_filter filter = { .since_us = from_us };
    struct store_row row = { 0 };
    int r = store_seek(reader, &filter, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    *ret_id = row.id;
    store_rest(reader);
    if (r != 0)
        return r;
    r = store_newest(reader, ret_id, err);
    ++*ret_id;
    return r;
}

static int find_from(const char *store, usec_t from_us, uint64_t *ret_id)
{
    struct store_reader *reader = NULL;
    struct err err;
    int r = store_reader_open(&reader, store, &err);
    if (r >= 0)
        r = find_event(reader, from_us, ret_id, &err);
    store_reader_close(reader);
    return r < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

int requests_replay_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    char *store CLEANUP(cleanup_free) = NULL;
    int status = options_read(&replay_spec, &arguments, argc, argv);
    if (status < 0)
        status = check_action(&replay_spec, argv[optind]);
    if (status >= 0)
        return status;
    if (!arguments.from_id && !arguments.from_us) {
        ctl_fail(0, "--from is missing: the event to begin with");
        return options_usage(&replay_spec);
    }

    struct request request = { .verb = "replay", .action = argv[optind], .id = arguments.from_id };
    status = settings_find_store(&arguments.common, &store);
    if (store)
        status = check_known(store, request.action);
    if (status == EXIT_SUCCESS && !request.id)
        status = find_from(store, arguments.from_us, &request.id);
    return status == EXIT_SUCCESS ? ask(store, &request, arguments.common.json) : status;
}
