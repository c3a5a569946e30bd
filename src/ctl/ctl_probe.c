/* ctl_probe.c - "sonoran-pushctl probe": one session to the CAD tried step by step. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/session_probe.h>

#include "ctl_daemon.h"
#include "settings.h"

struct arguments {
    struct ctl_common common;
    bool beside;
};

static const struct ctl_option rows[] = {
    OPTION_JSON("print the steps as an object"),
    { "beside", 0, NULL, NULL, "also while the daemon has this session open", offsetof(struct arguments, beside) },
};

static const struct ctl_spec spec = {
    .verb = "probe",
    .usage = "[OPTION]... [SESSION]",
    .about =
        "Connects to the CAD as a session of the configuration does (the first, where none is named), tells each step "
        "with the time it took, and leaves: the thing to run first, and what to send with a question, since no secret "
        "is in it. What the CAD sends meanwhile is named and not kept.",
    .footer = "Exit status: 0 each step was right, 1 one failed or the daemon has the session open, 2 usage, "
              "78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_max = 1,
};

struct report {
    bool json;
    struct json_writer *out;
};

static const char *const results[] = {
    [SESSION_PROBE_OK] = "ok",
    [SESSION_PROBE_DOUBT] = "note",
    [SESSION_PROBE_FAILED] = "FAILED",
};

/* Each at once: the next may take its time. */
static void show(void *context, const struct session_probe_step *step)
{
    const struct report *report = context;
    if (report->json) {
        json_begin_object(report->out, NULL);
        json_add_text(report->out, "step", step->name);
        json_add_text(report->out, "result", results[step->result]);
        json_add_int(report->out, "took_us", (int64_t) step->took_us);
        json_add_text(report->out, "words", step->words);
        json_end(report->out);
        return;
    }
    char took[32] = "";
    if (step->took_us)
        snprintf(took, sizeof(took), "%llu ms", (unsigned long long) (step->took_us + 999) / USEC_PER_MSEC);
    printf("%-6s  %-10s %9s  %s\n", results[step->result], step->name, took, step->words);
    fflush(stdout);
}

/* The daemon's own connection for it: a second one may take its events. */
static bool is_open(const struct ctl_common *common, const char *name)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    char *store CLEANUP(cleanup_free) = NULL;
    const cJSON *session;
    if (settings_find_store(common, &store) != EXIT_SUCCESS || daemon_get(store, "/api/status", &answer, NULL) < 0)
        return false;
    cJSON_ArrayForEach (session, json_get(answer.json, "sessions")) {
        if (strcmp(json_get_text(session, "name"), name) == 0)
            return strcmp(json_get_text(session, "state"), "waiting") != 0;
    }
    return false;
}

static int run(const struct config *config, const struct session_probe *probe, bool as_json)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    struct report report = { as_json, &json };
    struct err err = { "" };
    if (as_json) {
        json_begin_object(&json, NULL);
        json_add_text(&json, "session", probe->name);
        json_add_text(&json, "url", probe->url);
        json_add_int(&json, "server", (int64_t) probe->server);
        json_begin_array(&json, "steps");
    } else {
        printf("session %s: server %llu of community %s\n", probe->name, (unsigned long long) probe->server,
               probe->community);
    }
    int r = session_probe_run(config, probe, show, &report, &err);
    if (r < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (as_json) {
        json_end(&json);
        json_end(&json);
        text_add(&out, "\n");
        int status = table_write_stdout(&out);
        return status == EXIT_SUCCESS ? r : status;
    }
    return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

int probe_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common = { .config_file = config_file } };
    struct config *config = NULL;
    struct session_probe probe;
    struct err err = { "" };
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    status = settings_need(arguments.common.config_file, &config, "sessions and keys stand there");
    if (status != EXIT_SUCCESS)
        return status;
    if (session_probe_find(config, argv[optind], &probe, &err) < 0)
        status = ctl_fail(EXIT_USAGE, "%s", err.msg);
    else if (!arguments.beside && is_open(&arguments.common, probe.name))
        status = ctl_fail(
            EXIT_FAILURE,
            "the daemon has session %s open, and what a second connection does to it only the CAD knows: " CTL_NAME
            " status tells of it; --beside tries it all the same",
            probe.name);
    else
        status = run(config, &probe, arguments.common.json);
    config_free(config);
    return status;
}
