/* actions.c - "sonoran-pushctl actions": how far each action of the running daemon is. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

#define ERROR_MAX_CHARS 60

enum column { NAME, TYPE, STATE, LAG, DELIVERED, FAILED, LAST_DELIVERED, LAST_ERROR, N_COLUMNS };

static const char *const head[N_COLUMNS] = { [NAME] = "NAME",           [TYPE] = "TYPE",
                                             [STATE] = "STATE",         [LAG] = "LAG",
                                             [FAILED] = "FAILED",       [LAST_DELIVERED] = "LAST DELIVERED",
                                             [DELIVERED] = "DELIVERED", [LAST_ERROR] = "LAST ERROR" };

static void write_state(const cJSON *action, usec_t now, struct text *cell)
{
    usec_t next_us = json_time(action, "next_try");
    write_safe(cell, json_text(action, "state"), NAME_MAX_BYTES);
    if (next_us > now) {
        text_add(cell, ", tries again ");
        write_ago(cell, next_us + USEC_PER_SEC, now);
    }
}

static void write_error(const cJSON *action, usec_t now, struct text *cell)
{
    const char *error = json_text(action, "last_error");
    usec_t error_us = json_time(action, "last_error_at");
    if (!*error)
        return;
    if (error_us) {
        write_ago(cell, error_us, now);
        text_add(cell, ": ");
    }
    write_safe(cell, error, ERROR_MAX_CHARS);
}

static void write_cells(const cJSON *action, usec_t now, struct text cells[N_COLUMNS])
{
    usec_t delivered_us = json_time(action, "last_delivered");
    write_safe(&cells[NAME], json_text(action, "name"), NAME_MAX_BYTES);
    write_safe(&cells[TYPE], json_text(action, "type"), NAME_MAX_BYTES);
    write_state(action, now, &cells[STATE]);
    text_addf(&cells[LAG], "%llu", (unsigned long long) json_count(action, "lag"));
    text_addf(&cells[DELIVERED], "%llu", (unsigned long long) json_count(action, "delivered"));
    text_addf(&cells[FAILED], "%llu", (unsigned long long) json_count(action, "failed"));
    if (delivered_us)
        write_ago(&cells[LAST_DELIVERED], delivered_us, now);
    else
        text_add(&cells[LAST_DELIVERED], "-");
    write_error(action, now, &cells[LAST_ERROR]);
}

void actions_write(const cJSON *actions, usec_t now, struct text *out)
{
    size_t n = (size_t) cJSON_GetArraySize(actions), row = 0;
    struct text *texts = calloc(n + 1, N_COLUMNS * sizeof(*texts));
    const char **cells = calloc(n + 1, N_COLUMNS * sizeof(*cells));
    const cJSON *action;
    if (!texts || !cells) {
        out->failed = true;
        n = 0;
    }
    if (n)
        memcpy(cells, head, sizeof(head));
    actions = n ? actions : NULL;
    cJSON_ArrayForEach (action, actions) {
        struct text *mine = &texts[row++ * N_COLUMNS];
        for (size_t i = 0; i < N_COLUMNS; i++)
            mine[i] = (struct text) TEXT_INIT;
        write_cells(action, now, mine);
        for (size_t i = 0; i < N_COLUMNS; i++) {
            cells[row * N_COLUMNS + i] = mine[i].s;
            out->failed |= mine[i].failed;
        }
    }
    if (n)
        table_write(cells, n + 1, N_COLUMNS, out);
    for (size_t i = 0; i < n * N_COLUMNS; i++)
        text_free(&texts[i]);
    free(texts);
    free(cells);
}

static const struct ctl_option rows[] = {
    OPTION_JSON("what the daemon says, as one object"),
};

static const struct ctl_spec spec = {
    .verb = "actions",
    .usage = "[OPTION]...",
    .about = "Prints how far each action of the running daemon is. LAG is the number of events it has yet to look at;\n"
             "the other numbers count since the daemon's start.",
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
