/* actions.c - "sonoran-pushctl actions": how far each action of the running daemon is. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

#define ERROR_MAX_CHARS 250
#define ANSWER_MAX_CHARS 120

enum column { NAME, TYPE, STATE, LAG, DELIVERED, FAILED, LEFT_OUT, LAST_DELIVERED, N_COLUMNS };

static const char *const head[N_COLUMNS] = {
    [NAME] = "NAME",           [TYPE] = "TYPE",
    [STATE] = "STATE",         [LAG] = "LAG",
    [FAILED] = "FAILED",       [LAST_DELIVERED] = "LAST DELIVERED",
    [DELIVERED] = "DELIVERED", [LEFT_OUT] = "LEFT OUT",
};

struct row {
    struct text cells[N_COLUMNS], note;
};

static bool ends_with(const char *s, const char *end)
{
    size_t size = strlen(s), end_size = strlen(end);
    return size >= end_size && strcmp(s + size - end_size, end) == 0;
}

/* "answered 404: no such bot" has the answer "404 no such bot" in it. */
static bool tells_answer(const char *error, const char *answer)
{
    struct text status CLEANUP(text_free) = TEXT_INIT;
    size_t digits = strspn(answer, "0123456789");
    text_addf(&status, "answered %.*s", (int) digits, answer);
    return strstr(error, status.s) && ends_with(error, answer + digits + (answer[digits] == ' '));
}

static uint64_t count_left_out(const cJSON *action)
{
    const cJSON *by = cJSON_GetObjectItemCaseSensitive(action, "left_out"), *count;
    uint64_t n = 0;
    cJSON_ArrayForEach (count, by)
        n += json_count(by, count->string);
    return n;
}

/* "left out: 12 by when, 3 by cooldown" */
static void write_left_out(const cJSON *action, struct text *note)
{
    const cJSON *by = cJSON_GetObjectItemCaseSensitive(action, "left_out"), *count;
    const char *before = "left out: ";
    cJSON_ArrayForEach (count, by) {
        uint64_t n = json_count(by, count->string);
        if (!n)
            continue;
        text_addf(note, "%s%llu by ", before, (unsigned long long) n);
        write_safe(note, count->string, NAME_MAX_BYTES);
        before = ", ";
    }
}

static void begin_part(struct text *note, const char *words)
{
    text_add(note, note->size ? "; " : "");
    text_add(note, words);
}

/* What does not fit into columns. */
static void write_note(const cJSON *action, usec_t now, struct text *note)
{
    const char *error = json_text(action, "last_error"), *answer = json_text(action, "last_answer");
    usec_t error_us = json_time(action, "last_error_at"), next_us = json_time(action, "next_try");
    write_left_out(action, note);
    if (*answer && !tells_answer(error, answer)) {
        begin_part(note, "last answer: ");
        write_safe(note, answer, ANSWER_MAX_CHARS);
    }
    if (next_us > now) {
        begin_part(note, "tries again ");
        write_ago(note, next_us + USEC_PER_SEC, now);
    }
    if (!*error)
        return;
    begin_part(note, "last error");
    if (error_us) {
        text_add(note, ", ");
        write_ago(note, error_us, now);
    }
    text_add(note, ": ");
    write_safe(note, error, ERROR_MAX_CHARS);
}

static void write_row(const cJSON *action, usec_t now, struct row *row)
{
    struct text *cells = row->cells;
    usec_t delivered_us = json_time(action, "last_delivered");
    write_safe(&cells[NAME], json_text(action, "name"), NAME_MAX_BYTES);
    write_safe(&cells[TYPE], json_text(action, "type"), NAME_MAX_BYTES);
    write_safe(&cells[STATE], json_text(action, "state"), NAME_MAX_BYTES);
    text_addf(&cells[LAG], "%llu", (unsigned long long) json_count(action, "lag"));
    text_addf(&cells[DELIVERED], "%llu", (unsigned long long) json_count(action, "delivered"));
    text_addf(&cells[FAILED], "%llu", (unsigned long long) json_count(action, "failed"));
    text_addf(&cells[LEFT_OUT], "%llu", (unsigned long long) count_left_out(action));
    if (delivered_us)
        write_ago(&cells[LAST_DELIVERED], delivered_us, now);
    else
        text_add(&cells[LAST_DELIVERED], "-");
    write_note(action, now, &row->note);
}

static void fill(const cJSON *actions, usec_t now, struct row *rows, const char **cells, const char **notes,
                 struct text *out)
{
    const cJSON *action;
    size_t n = 1;
    memcpy(cells, head, sizeof(head));
    notes[0] = "";
    cJSON_ArrayForEach (action, actions) {
        struct row *row = &rows[n - 1];
        *row = (struct row){ .note = TEXT_INIT };
        for (size_t i = 0; i < N_COLUMNS; i++)
            row->cells[i] = (struct text) TEXT_INIT;
        write_row(action, now, row);
        for (size_t i = 0; i < N_COLUMNS; i++) {
            cells[n * N_COLUMNS + i] = row->cells[i].s;
            out->failed |= row->cells[i].failed;
        }
        out->failed |= row->note.failed;
        notes[n++] = row->note.s;
    }
}

void actions_write(const cJSON *actions, usec_t now, struct text *out)
{
    size_t n = (size_t) cJSON_GetArraySize(actions);
    struct row *rows CLEANUP(cleanup_free) = calloc(n + 1, sizeof(*rows));
    const char **cells CLEANUP(cleanup_free) = calloc(n + 1, N_COLUMNS * sizeof(*cells));
    const char **notes CLEANUP(cleanup_free) = calloc(n + 1, sizeof(*notes));
    if (!rows || !cells || !notes) {
        out->failed = true;
        return;
    }
    fill(actions, now, rows, cells, notes, out);
    table_write(cells, notes, n + 1, N_COLUMNS, out);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < N_COLUMNS; k++)
            text_free(&rows[i].cells[k]);
        text_free(&rows[i].note);
    }
}

static const struct ctl_option rows[] = {
    OPTION_JSON("what the daemon says, as one object"),
};

static const struct ctl_spec spec = {
    .verb = "actions",
    .usage = "[OPTION]...",
    .about = "Prints how far each action of the running daemon is. LAG is the number of events it has yet to look at; "
             "LEFT OUT are those of its types that another of its options, or \"test\", kept from it; the numbers "
             "count since the daemon's start.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

int actions_run(const char *config_file, int argc, char **argv)
{
    struct ctl_common common = { .config_file = config_file };
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct text out CLEANUP(text_free) = TEXT_INIT;
    int status = options_read(&spec, &common, argc, argv);
    if (status < 0)
        status = daemon_ask_for(&common, "actions", &answer);
    if (!answer.json)
        return status;

    const cJSON *actions = cJSON_GetObjectItemCaseSensitive(answer.json, "actions");
    if (common.json)
        show_json(answer.line.s, answer.line.size, isatty(STDOUT_FILENO), &out);
    else if (cJSON_GetArraySize(actions) == 0)
        text_add(&out, "No actions are configured.\n");
    else
        actions_write(actions, now_us(), &out);
    return write_stdout(&out);
}
