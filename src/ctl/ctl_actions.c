/* ctl_actions.c - "sonoran-pushctl actions": how far each action of the running daemon is. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/delivery.h>

#include "counts.h"

#define ERROR_MAX_CHARS 250
#define ANSWER_MAX_CHARS 120

#define COLUMNS_MAX 16

static void write_name(const cJSON *action, usec_t now, struct text *cell)
{
    (void) now;
    table_write_safe(cell, json_get_text(action, "name"), NAME_MAX_BYTES);
}

static void write_type(const cJSON *action, usec_t now, struct text *cell)
{
    (void) now;
    table_write_safe(cell, json_get_text(action, "type"), NAME_MAX_BYTES);
}

static void write_state(const cJSON *action, usec_t now, struct text *cell)
{
    (void) now;
    table_write_safe(cell, json_get_text(action, "state"), NAME_MAX_BYTES);
}

static void write_sum_left_out(const cJSON *action, usec_t now, struct text *cell)
{
    const cJSON *by = json_get(action, "left_out"), *count;
    uint64_t n = 0;
    (void) now;
    cJSON_ArrayForEach (count, by)
        n += json_get_count(by, count->string);
    text_addf(cell, "%llu", (unsigned long long) n);
}

static void write_last_delivered(const cJSON *action, usec_t now, struct text *cell)
{
    usec_t delivered_us = daemon_get_time(action, "last_delivered");
    if (delivered_us)
        table_write_ago(cell, delivered_us, now);
    else
        text_add(cell, "-");
}

struct column {
    const char *head;
    const struct report_row *count; /* NULL: it is written by */
    void (*write)(const cJSON *action, usec_t now, struct text *cell);
};

static const struct column before_counts[] = {
    { "NAME", NULL, write_name },
    { "TYPE", NULL, write_type },
    { "STATE", NULL, write_state },
};

static const struct column behind_counts[] = {
    { "LEFT OUT", NULL, write_sum_left_out },
    { "LAST DELIVERED", NULL, write_last_delivered },
};

struct row {
    struct text cells[COLUMNS_MAX], note;
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

/* "left out: 12 by when, 3 by cooldown" */
static void write_left_out(const cJSON *action, struct text *note)
{
    const cJSON *by = json_get(action, "left_out"), *count;
    const char *before = "left out: ";
    cJSON_ArrayForEach (count, by) {
        uint64_t n = json_get_count(by, count->string);
        if (!n)
            continue;
        text_addf(note, "%s%llu by ", before, (unsigned long long) n);
        table_write_safe(note, count->string, NAME_MAX_BYTES);
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
    const char *error = json_get_text(action, "last_error"), *answer = json_get_text(action, "last_answer");
    usec_t error_us = daemon_get_time(action, "last_error_at"), next_us = daemon_get_time(action, "next_try");
    write_left_out(action, note);
    if (*answer && !tells_answer(error, answer)) {
        begin_part(note, "last answer: ");
        table_write_safe(note, answer, ANSWER_MAX_CHARS);
    }
    if (next_us > now) {
        begin_part(note, "tries again ");
        table_write_ago(note, next_us + USEC_PER_SEC, now);
    }
    if (!*error)
        return;
    begin_part(note, "last error");
    if (error_us) {
        text_add(note, ", ");
        table_write_ago(note, error_us, now);
    }
    text_add(note, ": ");
    table_write_safe(note, error, ERROR_MAX_CHARS);
}

/* How many there are. */
static size_t list_columns(struct column *ret)
{
    size_t n = ARRAY_SIZE(before_counts);
    memcpy(ret, before_counts, sizeof(before_counts));
    for (size_t i = 0; i < delivery_report.n && n < COLUMNS_MAX - ARRAY_SIZE(behind_counts); i++)
        if (delivery_report.rows[i].words)
            ret[n++] = (struct column){ delivery_report.rows[i].words, &delivery_report.rows[i], NULL };
    memcpy(&ret[n], behind_counts, sizeof(behind_counts));
    return n + ARRAY_SIZE(behind_counts);
}

static void write_row(const cJSON *action, const struct column *columns, size_t n_columns, usec_t now, struct row *row)
{
    *row = (struct row){ .note = TEXT_INIT };
    for (size_t i = 0; i < n_columns; i++) {
        row->cells[i] = (struct text) TEXT_INIT;
        if (columns[i].count)
            text_addf(&row->cells[i], "%llu", (unsigned long long) counts_get(action, columns[i].count));
        else
            columns[i].write(action, now, &row->cells[i]);
    }
    write_note(action, now, &row->note);
}

static void write_rows(const struct row *rows, size_t n_rows, const struct column *columns, size_t n_columns,
                       struct text *out)
{
    const char **cells CLEANUP(cleanup_free) = calloc(n_rows + 1, n_columns * sizeof(*cells));
    const char **notes CLEANUP(cleanup_free) = calloc(n_rows + 1, sizeof(*notes));
    if (!cells || !notes) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < n_columns; i++)
        cells[i] = columns[i].head;
    notes[0] = "";
    for (size_t n = 0; n < n_rows; n++) {
        for (size_t i = 0; i < n_columns; i++) {
            cells[(n + 1) * n_columns + i] = rows[n].cells[i].s;
            out->failed |= rows[n].cells[i].failed;
        }
        notes[n + 1] = rows[n].note.s;
        out->failed |= rows[n].note.failed;
    }
    table_write(cells, notes, n_rows + 1, n_columns, out);
}

void actions_write(const cJSON *actions, usec_t now, struct text *out)
{
    struct column columns[COLUMNS_MAX];
    size_t n_columns = list_columns(columns), n = 0;
    struct row *rows CLEANUP(cleanup_free) = calloc((size_t) cJSON_GetArraySize(actions) + 1, sizeof(*rows));
    const cJSON *action;
    if (!rows) {
        out->failed = true;
        return;
    }
    cJSON_ArrayForEach (action, actions) {
        write_row(action, columns, n_columns, now, &rows[n++]);
    }
    write_rows(rows, n, columns, n_columns, out);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_columns; k++)
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
        status = daemon_get_for(&common, "/api/actions", &answer);
    if (!answer.json)
        return status;

    const cJSON *actions = json_get(answer.json, "actions");
    if (common.json)
        show_json(answer.line.s, answer.line.size, isatty(STDOUT_FILENO), &out);
    else if (cJSON_GetArraySize(actions) == 0)
        text_add(&out, "No actions are configured.\n");
    else
        actions_write(actions, now_us(), &out);
    return table_write_stdout(&out);
}
