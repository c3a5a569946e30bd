/* status.c - "sonoran-pushctl status": is it running, what came last, how are its actions. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "summary.h"

struct status {
    const char *store;
    usec_t now;
    const cJSON *daemon; /* NULL: not running, or it could not be asked */
    int asked;           /* of daemon_ask */
    struct err why_not;
    struct summary summary;
    bool read; /* the log could be read; else: */
    struct err unread;
};

struct arguments {
    struct ctl_common common;
    bool quiet;
};

static const struct ctl_option rows[] = {
    { "quiet", 'q', NULL, NULL, "print nothing: the exit status tells", offsetof(struct arguments, quiet) },
    OPTION_JSON("one object: what the daemon says, and the log as \"store\""),
};

static const struct ctl_spec spec = {
    .verb = "status",
    .usage = "[OPTION]...",
    .about = "Prints whether the daemon runs, what came last, and how its actions are.",
    .footer = "Exit status: 0 it runs and stores events, 1 it cannot store them, or that cannot be told, "
              "2 usage, 3 it does not run, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

static void add_safe(struct text *out, const char *words)
{
    write_safe(out, words, 120);
}

/* "Listener:   main on [::]:30120" */
static void write_line(struct text *out, const char *label, const struct text *line)
{
    text_addf(out, "%-12s", label);
    wrap_write(out, line->s, 12, wrap_width());
    out->failed |= line->failed;
}

static void write_since(const struct status *status, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    usec_t started_us = json_time(status->daemon, "started");
    text_add(&line, PROGRAM_NAME " ");
    add_safe(&line, json_text(status->daemon, "version"));
    text_add(&line, *json_text(status->daemon, "version") ? " runs" : "runs");
    if (started_us) {
        text_add(&line, " since ");
        time_write(&line, started_us);
        text_add(&line, " ");
        time_write_zone(&line);
        text_add(&line, " (");
        write_ago(&line, started_us, status->now);
        text_add(&line, ")");
    }
    if (json_count(status->daemon, "pid"))
        text_addf(&line, ", process %llu", (unsigned long long) json_count(status->daemon, "pid"));
    wrap_write(out, line.s, 0, wrap_width());
}

static void write_listeners(const struct status *status, struct text *out)
{
    const cJSON *listener;
    cJSON_ArrayForEach (listener, cJSON_GetObjectItemCaseSensitive(status->daemon, "listeners")) {
        struct text line CLEANUP(text_free) = TEXT_INIT;
        add_safe(&line, json_text(listener, "name"));
        text_add(&line, " on ");
        add_safe(&line, json_text(listener, "address"));
        write_line(out, "Listener:", &line);
    }
}

/* What is counted: its words, and the label of the last one. */
static const struct count {
    const char *name, *words, *label;
} counts[] = {
    { "accepted", "accepted", NULL },
    { "unknown", "of an unknown type", NULL },
    { "invalid", "with invalid data", NULL },
    { "wrong_key", "with a wrong key", "Wrong key:" },
    { "malformed", "malformed", NULL },
    { "busy", "turned away busy", NULL },
    { "not_found", "to a wrong path", "Wrong path:" },
    { "too_large", "too large", "Too large:" },
    { "connections", "that had to give way", NULL },
    { "not_http", "that were no HTTP", "No HTTP:" },
};

static void write_last(const struct status *status, const struct count *count, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    char member[64];
    snprintf(member, sizeof(member), "last_%s", count->name);
    const cJSON *last = cJSON_GetObjectItemCaseSensitive(status->daemon, member);
    usec_t at_us = json_time(last, "at");
    if (!at_us || !count->label)
        return;
    text_add(&line, "last ");
    write_ago(&line, at_us, status->now);
    text_add(&line, ", from ");
    add_safe(&line, json_text(last, "from"));
    if (*json_text(last, "what")) {
        text_add(&line, ": ");
        add_safe(&line, json_text(last, "what"));
    }
    write_line(out, count->label, &line);
}

static void write_requests(const struct status *status, struct text *out)
{
    const cJSON *requests = cJSON_GetObjectItemCaseSensitive(status->daemon, "requests");
    struct text line CLEANUP(text_free) = TEXT_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        uint64_t n = json_count(requests, counts[i].name);
        if (n || i == 0)
            text_addf(&line, "%s%llu %s", i ? ", " : "", (unsigned long long) n, counts[i].words);
    }
    text_add(&line, " (since the start)");
    if (requests)
        write_line(out, "Requests:", &line);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        write_last(status, &counts[i], out);
}

static void write_reload(const struct status *status, struct text *out)
{
    const cJSON *refused = cJSON_GetObjectItemCaseSensitive(status->daemon, "reload_refused");
    struct text line CLEANUP(text_free) = TEXT_INIT;
    if (!refused)
        return;
    text_add(&line, "refused ");
    write_ago(&line, json_time(refused, "at"), status->now);
    text_add(&line, ", the configuration from before is in force: ");
    write_safe(&line, json_text(refused, "problem"), 0);
    write_line(out, "Reload:", &line);
}

static void write_newest(const struct status *status, struct text *out)
{
    const struct summary *summary = &status->summary;
    struct text line CLEANUP(text_free) = TEXT_INIT, hour CLEANUP(text_free) = TEXT_INIT;
    if (summary->newest_id) {
        text_addf(&line, "event %llu, ", (unsigned long long) summary->newest_id);
        write_ago(&line, summary->newest_us, status->now);
        text_add(&line, ": ");
        add_safe(&line, summary->newest_type.size ? summary->newest_type.s : "without a type");
    } else {
        text_add(&line, "no event yet");
    }
    write_line(out, "Newest:", &line);
    text_addf(&hour, "%llu event%s", (unsigned long long) summary->last_hour, text_plural(summary->last_hour));
    if (summary->newest_id)
        write_line(out, "Last hour:", &hour);
}

static void write_store(const struct status *status, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT, works CLEANUP(text_free) = TEXT_INIT;
    const cJSON *storing = cJSON_GetObjectItemCaseSensitive(status->daemon, "storing");
    text_add(&works, cJSON_IsTrue(storing) ? "works" : "FAILS; " CTL_NAME " doctor says more");
    if (cJSON_IsBool(storing))
        write_line(out, "Storing:", &works);
    if (status->read) {
        write_newest(status, out);
        write_size(&line, status->summary.size_bytes);
        text_add(&line, " in ");
        write_safe(&line, status->store, 0);
        const char *holder = json_text(cJSON_GetObjectItemCaseSensitive(status->daemon, "store"), "held_by");
        if (*holder) {
            text_add(&line, ", held by ");
            add_safe(&line, holder);
        }
    } else {
        text_add(&line, status->unread.msg);
    }
    write_line(out, "Event log:", &line);
}

static void write_people(const struct status *status, struct text *out)
{
    const cJSON *actions = cJSON_GetObjectItemCaseSensitive(status->daemon, "actions");
    if (status->daemon)
        write_since(status, out);
    else
        wrap_write(out, status->why_not.msg, 0, wrap_width());
    write_listeners(status, out);
    write_requests(status, out);
    write_reload(status, out);
    write_store(status, out);
    if (cJSON_GetArraySize(actions) > 0) {
        text_add(out, "\n");
        actions_write(actions, status->now, out);
    }
}

static void add_members(const cJSON *object, const char *but, struct text *out)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, object) {
        char *value CLEANUP(cleanup_free) = strcmp(member->string, but) == 0 ? NULL : cJSON_PrintUnformatted(member);
        if (!value)
            continue;
        text_add(out, ",");
        text_add_json(out, member->string, strlen(member->string));
        text_add(out, ":");
        text_add(out, value);
    }
}

/* What we see of the log, and the daemon. */
static void write_log(const struct status *status, struct text *out)
{
    const struct summary *summary = &status->summary;
    text_add(out, ",\"store\":{\"path\":");
    text_add_json(out, status->store, strlen(status->store));
    if (!status->read)
        write_member(out, "error", status->unread.msg);
    else
        text_addf(out, ",\"newest\":%llu,\"last_hour\":%llu,\"size\":%llu", (unsigned long long) summary->newest_id,
                  (unsigned long long) summary->last_hour, (unsigned long long) summary->size_bytes);
    if (status->read && summary->newest_id) {
        text_add(out, ",\"newest_at\":\"");
        text_add_time_utc(out, summary->newest_us);
        text_add(out, "\"");
        write_member(out, "newest_type", summary->newest_type.s);
    }
    add_members(cJSON_GetObjectItemCaseSensitive(status->daemon, "store"), "", out);
    text_add(out, "}");
}

static void write_object(const struct status *status, struct text *out)
{
    text_addf(out, "{\"running\":%s", status->daemon ? "true" : status->asked == DAEMON_NOT_RUNNING ? "false" : "null");
    if (!status->daemon)
        write_member(out, "reason", status->why_not.msg);
    write_log(status, out);
    add_members(status->daemon, "store", out);
    text_add(out, "}");
}

static int show(const struct status *status, bool json)
{
    struct text out CLEANUP(text_free) = TEXT_INIT, object CLEANUP(text_free) = TEXT_INIT;
    if (json) {
        write_object(status, &object);
        show_json(object.s, object.size, isatty(STDOUT_FILENO), &out);
        out.failed |= object.failed;
    } else {
        write_people(status, &out);
    }
    return write_stdout(&out);
}

static int health(const struct status *status)
{
    if (!status->daemon)
        return status->asked == DAEMON_NOT_RUNNING ? EXIT_NOT_RUNNING : EXIT_FAILURE;
    const cJSON *storing = cJSON_GetObjectItemCaseSensitive(status->daemon, "storing");
    return cJSON_IsFalse(storing) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int status_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    char *store CLEANUP(cleanup_free) = NULL;
    int result = options_read(&spec, &arguments, argc, argv);
    if (result < 0)
        result = settings_find_store(&arguments.common, &store);
    if (!store)
        return result;

    struct status status = { .store = store, .now = now_us(), .summary = SUMMARY_INIT };
    status.asked = daemon_ask(store, "status", &answer, &status.why_not);
    status.daemon = answer.json;
    if (arguments.quiet)
        return health(&status);
    status.read = summary_read(store, status.now, &status.summary, &status.unread) >= 0;
    result = show(&status, arguments.common.json);
    summary_free(&status.summary);
    return result == EXIT_SUCCESS ? health(&status) : result;
}
