/* status.c - "sonoran-pushctl status": is it running, what came last, how are its actions. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts.h"
#include "session_words.h"
#include "streams_words.h"
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
    table_write_safe(out, words, STATUS_WORDS_MAX_CHARS);
}

static void write_since(const struct status *status, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    usec_t started_us = daemon_get_time(status->daemon, "started");
    text_add(&line, PROGRAM_NAME " ");
    add_safe(&line, json_get_text(status->daemon, "version"));
    text_add(&line, *json_get_text(status->daemon, "version") ? " runs" : "runs");
    if (started_us) {
        text_add(&line, " since ");
        time_write(&line, started_us);
        text_add(&line, " ");
        time_write_zone(&line);
        text_add(&line, " (");
        table_write_ago(&line, started_us, status->now);
        text_add(&line, ")");
    }
    if (json_get_count(status->daemon, "pid"))
        text_addf(&line, ", process %llu", (unsigned long long) json_get_count(status->daemon, "pid"));
    wrap_write(out, line.s, 0, wrap_width());
}

static void write_listeners(const struct status *status, struct text *out)
{
    const cJSON *listener;
    cJSON_ArrayForEach (listener, json_get(status->daemon, "listeners")) {
        struct text line CLEANUP(text_free) = TEXT_INIT;
        add_safe(&line, json_get_text(listener, "name"));
        text_add(&line, " on ");
        add_safe(&line, json_get_text(listener, "address"));
        table_write_line("Listener:", &line, out);
    }
}

/* "city, server 1 at api.sonorancad.com: open since 5 min ago, 42 events, the last 3 s ago, 1 gap" */
static void write_sessions(const struct status *status, struct text *out)
{
    const cJSON *session;
    cJSON_ArrayForEach (session, json_get(status->daemon, "sessions")) {
        struct text line CLEANUP(text_free) = TEXT_INIT;
        add_safe(&line, json_get_text(session, "name"));
        text_addf(&line, ", server %llu at ", (unsigned long long) json_get_count(session, "server"));
        add_safe(&line, json_get_text(session, "host"));
        text_add(&line, ": ");
        session_words_write(&line, session, status->now);
        table_write_line("Session:", &line, out);
    }
}

/* "edges at 127.0.0.1:6379: open, 3 streams, 42 events, the last 3 s ago, 0 gaps; cad:events:edge1 ends …" */
static void write_streams(const struct status *status, struct text *out)
{
    const cJSON *row, *stream;
    cJSON_ArrayForEach (row, json_get(status->daemon, "streams")) {
        struct text line CLEANUP(text_free) = TEXT_INIT;
        add_safe(&line, json_get_text(row, "name"));
        text_add(&line, " at ");
        add_safe(&line, json_get_text(row, "host"));
        text_add(&line, ": ");
        streams_words_write(&line, row, status->now);
        cJSON_ArrayForEach (stream, json_get(row, "streams")) {
            struct text one CLEANUP(text_free) = TEXT_INIT;
            streams_words_of_one(&one, stream);
            text_addf(&line, "%s%s", one.size ? "; " : "", one.s);
            line.failed |= one.failed;
        }
        table_write_line("Streams:", &line, out);
    }
}

static void write_counts(const struct status *status, struct text *out)
{
    for (size_t i = 0; i < COUNTS_N_TABLES; i++)
        counts_write(status->daemon, counts_tables[i], status->now, out);
}

static void write_reload(const struct status *status, struct text *out)
{
    const cJSON *refused = json_get(status->daemon, "reload_refused");
    struct text line CLEANUP(text_free) = TEXT_INIT;
    if (!refused)
        return;
    text_add(&line, "refused ");
    table_write_ago(&line, daemon_get_time(refused, "at"), status->now);
    text_add(&line, ", the configuration from before is in force: ");
    table_write_safe(&line, json_get_text(refused, "problem"), 0);
    table_write_line("Reload:", &line, out);
}

static void write_newest(const struct status *status, struct text *out)
{
    const struct summary *summary = &status->summary;
    struct text line CLEANUP(text_free) = TEXT_INIT, hour CLEANUP(text_free) = TEXT_INIT;
    if (summary->newest_id) {
        text_addf(&line, "event %llu, ", (unsigned long long) summary->newest_id);
        table_write_ago(&line, summary->newest_us, status->now);
        text_add(&line, ": ");
        add_safe(&line, summary->newest_type.size ? summary->newest_type.s : "without a type");
    } else {
        text_add(&line, "no event yet");
    }
    table_write_line("Newest:", &line, out);
    text_addf(&hour, "%llu event%s", (unsigned long long) summary->last_hour, text_plural(summary->last_hour));
    if (summary->newest_id)
        table_write_line("Last hour:", &hour, out);
}

static void write_store(const struct status *status, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT, works CLEANUP(text_free) = TEXT_INIT;
    const cJSON *storing = json_get(status->daemon, "storing");
    text_add(&works, cJSON_IsTrue(storing) ? "works" : "FAILS; " CTL_NAME " doctor says more");
    if (cJSON_IsBool(storing))
        table_write_line("Storing:", &works, out);
    if (status->read) {
        write_newest(status, out);
        table_write_size(&line, status->summary.size_bytes);
        text_add(&line, " in ");
        table_write_safe(&line, status->store, 0);
        const char *holder = json_get_text(json_get(status->daemon, "store"), "held_by");
        if (*holder) {
            text_add(&line, ", held by ");
            add_safe(&line, holder);
        }
    } else {
        text_add(&line, status->unread.msg);
    }
    table_write_line("Event log:", &line, out);
}

static void write_people(const struct status *status, struct text *out)
{
    const cJSON *actions = json_get(status->daemon, "actions");
    if (status->daemon)
        write_since(status, out);
    else
        wrap_write(out, status->why_not.msg, 0, wrap_width());
    write_listeners(status, out);
    write_sessions(status, out);
    write_streams(status, out);
    write_counts(status, out);
    write_reload(status, out);
    write_store(status, out);
    if (cJSON_GetArraySize(actions) > 0) {
        text_add(out, "\n");
        actions_write(actions, status->now, out);
    }
}

/* As the daemon has them, which may be of another version. */
static void add_members(const cJSON *object, const char *but, struct json_writer *out)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, object) {
        struct text name CLEANUP(text_free) = TEXT_INIT;
        char *value CLEANUP(cleanup_free) = strcmp(member->string, but) == 0 ? NULL : cJSON_PrintUnformatted(member);
        if (!value)
            continue;
        json_quote(&name, member->string, strlen(member->string));
        out->out->failed |= name.failed;
        json_add_member(out, (struct span){ name.s, name.size }, span_of(value));
    }
}

/* What we see of the log, and the daemon. */
static void write_log(const struct status *status, struct json_writer *out)
{
    const struct summary *summary = &status->summary;
    json_begin_object(out, "store");
    json_add_text(out, "path", status->store);
    if (!status->read) {
        json_add_text(out, "error", status->unread.msg);
    } else {
        json_add_int(out, "newest", (int64_t) summary->newest_id);
        json_add_int(out, "last_hour", (int64_t) summary->last_hour);
        json_add_int(out, "size", (int64_t) summary->size_bytes);
    }
    if (status->read && summary->newest_id) {
        json_add_time(out, "newest_at", summary->newest_us);
        json_add_text(out, "newest_type", summary->newest_type.s);
    }
    add_members(json_get(status->daemon, "store"), "path", out);
    json_end(out);
}

static void write_object(const struct status *status, struct text *text)
{
    struct json_writer out = json_writer(text);
    json_begin_object(&out, NULL);
    if (!status->daemon && status->asked != DAEMON_NOT_RUNNING)
        json_add_null(&out, "running");
    else
        json_add_bool(&out, "running", status->daemon);
    if (!status->daemon)
        json_add_text(&out, "reason", status->why_not.msg);
    write_log(status, &out);
    add_members(status->daemon, "store", &out);
    json_end(&out);
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
    return table_write_stdout(&out);
}

static int health(const struct status *status)
{
    if (!status->daemon)
        return status->asked == DAEMON_NOT_RUNNING ? EXIT_NOT_RUNNING : EXIT_FAILURE;
    const cJSON *storing = json_get(status->daemon, "storing");
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
    status.asked = daemon_get(store, "/api/status", &answer, &status.why_not);
    status.daemon = answer.json;
    if (arguments.quiet)
        return health(&status);
    status.read = summary_read(store, status.now, &status.summary, &status.unread) >= 0;
    result = show(&status, arguments.common.json);
    summary_free(&status.summary);
    return result == EXIT_SUCCESS ? health(&status) : result;
}
