/* requests.c - "sonoran-pushctl retry" and "replay": what the daemon is asked to deliver again. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

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
};

static int read_from(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    bool second;
    arguments->from_id = 0;
    if (options_read_id(value, &arguments->from_id) == 0)
        return 0;
    if (strspn(value, "0123456789") != strlen(value) && time_read(value, now_us(), &arguments->from_us, &second) == 0)
        return 0;
    return err_set(err, -EINVAL,
                   "expected the id of an event, or a time: \"2026-11-23 16:00\", \"16:00\", \"-2h\", \"-30min\"");
}

static const struct ctl_option retry_rows[] = {
    OPTION_JSON("print what was asked for as an object"),
};

static const struct ctl_option replay_rows[] = {
    { "from", "ID|T", read_from, "the first event to deliver; of a time T, the first one not before it", 0 },
    OPTION_JSON("print what was asked for as an object"),
};

static const struct ctl_spec retry_spec = {
    .verb = "retry",
    .usage = "ACTION ID|all",
    .about = "Lets an action try deliveries once more that it has given up: that of one event, or all.\n" CTL_NAME
             " failed shows them.",
    .rows = retry_rows,
    .n_rows = ARRAY_SIZE(retry_rows),
    .words_min = 2,
    .words_max = 2,
};

static const struct ctl_spec replay_spec = {
    .verb = "replay",
    .usage = "ACTION --from ID|T",
    .about = "Sets an action back (or ahead) in the event log: it goes on from that event, and delivers again what\n"
             "comes from there on.",
    .footer = "T is a local time: \"2026-11-23\", \"2026-11-23 16:00\", \"16:00\", \"-2h\", \"-30min\", \"-7d\".",
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

static void write_request(const struct request *request, bool json, struct text *out)
{
    bool retry = strcmp(request->verb, "retry") == 0;
    unsigned long long id = request->id;
    if (json && id)
        text_addf(out, "{\"action\":\"%s\",\"%s\":%llu}\n", request->action, retry ? "retry" : "replay_from", id);
    else if (json)
        text_addf(out, "{\"action\":\"%s\",\"retry\":\"all\"}\n", request->action);
    else if (!retry)
        text_addf(out, "Asked: action %s goes on from event %llu.\n", request->action, id);
    else if (id)
        text_addf(out, "Asked: action %s tries event %llu once more.\n", request->action, id);
    else
        text_addf(out, "Asked: action %s tries all that it has given up once more.\n", request->action);
}

static int ask(const struct ctl_common *common, const struct request *request)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct text out CLEANUP(text_free) = TEXT_INIT;
    char line[128], id[32] = "all";
    if (request->id)
        snprintf(id, sizeof(id), "%llu", (unsigned long long) request->id);
    snprintf(line, sizeof(line), "%s %s %s", request->verb, request->action, id);
    int status = daemon_ask_for(common, line, &answer);
    if (status != EXIT_SUCCESS)
        return status;
    write_request(request, common->json, &out);
    return write_stdout(&out);
}

int retry_run(const char *config_file, int argc, char **argv)
{
    struct ctl_common common = { .config_file = config_file };
    int status = options_read(&retry_spec, &common, argc, argv);
    if (status >= 0)
        return status;

    struct request request = { .verb = "retry", .action = argv[optind] };
    const char *what = argv[optind + 1];
    status = check_action(&retry_spec, request.action);
    if (status >= 0)
        return status;
    if (strcmp(what, "all") != 0 && options_read_id(what, &request.id) < 0) {
        ctl_fail(0, "expected the id of an event, or all");
        return options_usage(&retry_spec);
    }
    return ask(&common, &request);
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

static int find_from(const struct arguments *arguments, uint64_t *ret_id)
{
    char *store CLEANUP(cleanup_free) = NULL;
    struct store_reader *reader = NULL;
    struct err err;
    int status = settings_find_store(&arguments->common, &store);
    if (status != EXIT_SUCCESS)
        return status;
    int r = store_reader_open(&reader, store, &err);
    if (r >= 0)
        r = find_event(reader, arguments->from_us, ret_id, &err);
    store_reader_close(reader);
    return r < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

int replay_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
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
    if (!request.id)
        status = find_from(&arguments, &request.id);
    return status > 0 ? status : ask(&arguments.common, &request);
}
