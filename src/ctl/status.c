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

static const struct ctl_option rows[] = {
    OPTION_JSON("one object: what the daemon says, and the log as \"store\""),
};

static const struct ctl_spec spec = {
    .verb = "status",
    .usage = "[OPTION]...",
    .about = "Prints whether the daemon runs, what came last, and how its actions are.",
    .footer = "Exit status: 0 it runs, 3 it does not run, 1 that cannot be told.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

static void add_count(struct text *out, const cJSON *object, const char *name, const char *words, bool first)
{
    if (!cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(object, name)))
        return;
    text_addf(out, "%s%llu %s", first ? "" : ", ", (unsigned long long) json_count(object, name), words);
}

static void add_safe(struct text *out, const char *words)
{
    write_safe(out, words, 120);
}

static void write_since(const struct status *status, struct text *out)
{
    usec_t started_us = json_time(status->daemon, "started");
    text_add(out, PROGRAM_NAME " ");
    add_safe(out, json_text(status->daemon, "version"));
    text_add(out, *json_text(status->daemon, "version") ? " runs" : "runs");
    if (started_us) {
        text_add(out, " since ");
        time_write(out, started_us);
        text_add(out, " (");
        write_ago(out, started_us, status->now);
        text_add(out, ")");
    }
    if (json_count(status->daemon, "pid"))
        text_addf(out, ", process %llu", (unsigned long long) json_count(status->daemon, "pid"));
    text_add(out, "\n");
}

static void write_listeners(const struct status *status, struct text *out)
{
    const cJSON *listener;
    cJSON_ArrayForEach (listener, cJSON_GetObjectItemCaseSensitive(status->daemon, "listeners")) {
        text_add(out, "Listener:   ");
        add_safe(out, json_text(listener, "name"));
        text_add(out, " on ");
        add_safe(out, json_text(listener, "address"));
        text_add(out, "\n");
    }
}

static void write_requests(const struct status *status, struct text *out)
{
    const cJSON *requests = cJSON_GetObjectItemCaseSensitive(status->daemon, "requests");
    const cJSON *wrong_key = cJSON_GetObjectItemCaseSensitive(status->daemon, "last_wrong_key");
    usec_t wrong_us = json_time(wrong_key, "at");
    if (requests) {
        text_add(out, "Requests:   ");
        add_count(out, requests, "accepted", "accepted", true);
        add_count(out, requests, "unknown", "of an unknown type", false);
        add_count(out, requests, "invalid", "with invalid data", false);
        add_count(out, requests, "wrong_key", "with a wrong key", false);
        add_count(out, requests, "malformed", "malformed", false);
        add_count(out, requests, "busy", "turned away busy", false);
        text_add(out, " (since the start)\n");
    }
    if (wrong_us) {
        text_add(out, "Wrong key:  last ");
        write_ago(out, wrong_us, status->now);
        text_add(out, ", from ");
        add_safe(out, json_text(wrong_key, "from"));
        text_add(out, "\n");
    }
}

static void write_store(const struct status *status, struct text *out)
{
    const struct summary *summary = &status->summary;
    const cJSON *storing = cJSON_GetObjectItemCaseSensitive(status->daemon, "storing");
    if (cJSON_IsBool(storing))
        text_addf(out, "Storing:    %s\n", cJSON_IsTrue(storing) ? "works" : "FAILS; " CTL_NAME " doctor says more");
    if (!status->read) {
        text_addf(out, "Event log:  %s\n", status->unread.msg);
        return;
    }
    if (summary->newest_id) {
        text_addf(out, "Newest:     event %llu, ", (unsigned long long) summary->newest_id);
        write_ago(out, summary->newest_us, status->now);
        text_add(out, ": ");
        add_safe(out, summary->newest_type.s);
        text_addf(out, "\nLast hour:  %llu %s\n", (unsigned long long) summary->last_hour,
                  summary->last_hour == 1 ? "event" : "events");
    } else {
        text_add(out, "Newest:     no event yet\n");
    }
    text_add(out, "Event log:  ");
    write_size(out, summary->size_bytes);
    text_add(out, " in ");
    write_safe(out, status->store, 0);
    text_add(out, "\n");
}

static void write_people(const struct status *status, struct text *out)
{
    const cJSON *actions = cJSON_GetObjectItemCaseSensitive(status->daemon, "actions");
    if (status->daemon)
        write_since(status, out);
    else
        text_addf(out, "%s\n", status->why_not.msg);
    write_listeners(status, out);
    write_requests(status, out);
    write_store(status, out);
    if (cJSON_GetArraySize(actions) > 0) {
        text_add(out, "\n");
        actions_write(actions, status->now, out);
    }
}

static void write_object(const struct status *status, const struct text *line, struct text *out)
{
    const struct summary *summary = &status->summary;
    text_addf(out, "{\"running\":%s", status->daemon ? "true" : status->asked == DAEMON_NOT_RUNNING ? "false" : "null");
    if (!status->daemon) {
        write_member(out, "reason", status->why_not.msg);
    }
    text_add(out, ",\"store\":{\"path\":");
    text_add_json(out, status->store, strlen(status->store));
    if (!status->read) {
        write_member(out, "error", status->unread.msg);
    } else {
        text_addf(out, ",\"newest\":%llu,\"last_hour\":%llu,\"size\":%llu", (unsigned long long) summary->newest_id,
                  (unsigned long long) summary->last_hour, (unsigned long long) summary->size_bytes);
    }
    if (status->read && summary->newest_id) {
        text_add(out, ",\"newest_at\":\"");
        text_add_time_utc(out, summary->newest_us);
        text_add(out, "\"");
        write_member(out, "newest_type", summary->newest_type.s);
    }
    text_add(out, "}");
    const char *members = status->daemon ? strchr(line->s, '{') + 1 : "}";
    const char *first = members + strspn(members, " \t\r");
    text_add(out, *first == '}' ? "" : ",");
    text_add_bytes(out, first, strlen(first));
}

static int show(const struct status *status, const struct text *line, bool json)
{
    struct text out CLEANUP(text_free) = TEXT_INIT, object CLEANUP(text_free) = TEXT_INIT;
    if (json) {
        write_object(status, line, &object);
        show_json(object.s, object.size, isatty(STDOUT_FILENO), &out);
        out.failed |= object.failed;
    } else {
        write_people(status, &out);
    }
    int written = write_stdout(&out);
    return written != EXIT_SUCCESS               ? written
           : status->daemon                      ? EXIT_SUCCESS
           : status->asked == DAEMON_NOT_RUNNING ? EXIT_NOT_RUNNING
                                                 : EXIT_FAILURE;
}

int status_run(const char *config_file, int argc, char **argv)
{
    struct ctl_common common = { .config_file = config_file };
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    char *store CLEANUP(cleanup_free) = NULL;
    int result = options_read(&spec, &common, argc, argv);
    if (result < 0)
        result = settings_find_store(&common, &store);
    if (!store)
        return result;

    struct status status = { .store = store, .now = now_us(), .summary = SUMMARY_INIT };
    status.asked = daemon_ask(store, "status", &answer, &status.why_not);
    status.daemon = answer.json;
    status.read = summary_read(store, status.now, &status.summary, &status.unread) >= 0;
    result = show(&status, &answer.line, common.json);
    summary_free(&status.summary);
    return result;
}
