/* answers.c - what is said to a line of words. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define WORDS_MAX 3

static const char *const type_names[] = {
    [ACTION_TYPE_EXEC] = "exec", [ACTION_TYPE_FORWARD] = "forward", [ACTION_TYPE_DISCORD] = "discord"
};

static_assert(ARRAY_SIZE(type_names) == ACTION_TYPE_DISCORD + 1, "every type of action needs a name");

/* One request, taken apart. */
struct question {
    const struct control_parts *parts;
    struct control_request *request;
    char *words[WORDS_MAX];
};

void control_add_text(struct text *out, const char *name, const char *value)
{
    text_addf(out, ",\"%s\":", name);
    text_add_json(out, value, strlen(value));
}

void control_add_time(struct text *out, const char *name, usec_t time_us)
{
    if (!time_us)
        return;
    text_addf(out, ",\"%s\":\"", name);
    text_add_time_utc(out, time_us);
    text_add(out, "\"");
}

/* By the name of the option that did it. */
static void add_left_out(struct text *out, const struct delivery_status *status)
{
    text_add(out, ",\"left_out\":{");
    for (enum left_out why = LEFT_OUT_COMMUNITIES; why < LEFT_OUT_N; why++)
        text_addf(out, "%s\"%s\":%llu", why > LEFT_OUT_COMMUNITIES ? "," : "", left_out_name(why),
                  (unsigned long long) status->n_left_out[why]);
    text_add(out, "}");
}

static void add_action(struct text *out, const struct delivery_status *status)
{
    text_addf(out,
              "{\"name\":\"%s\",\"type\":\"%s\",\"state\":\"%s\",\"cursor\":%llu,\"lag\":%llu,\"attempts\":%llu,"
              "\"delivered\":%llu,\"failed\":%llu",
              status->name, type_names[status->type], delivery_state_name(status->state),
              (unsigned long long) status->cursor, (unsigned long long) delivery_lag(status),
              (unsigned long long) status->n_attempts, (unsigned long long) status->n_delivered,
              (unsigned long long) status->n_failed);
    add_left_out(out, status);
    control_add_time(out, "last_delivered", status->delivered_us);
    control_add_time(out, "next_try", status->next_try_us);
    control_add_time(out, "last_error_at", status->error_us);
    if (status->error[0])
        control_add_text(out, "last_error", status->error);
    if (status->answer[0])
        control_add_text(out, "last_answer", status->answer);
    text_add(out, "}");
}

static void add_actions(const struct control_parts *parts, struct text *out)
{
    size_t n = delivery_get_status(parts->delivery, NULL, 0);
    struct delivery_status *list CLEANUP(cleanup_free) = calloc(n + 1, sizeof(*list));
    size_t n_now = list ? delivery_get_status(parts->delivery, list, n) : 0;
    text_add(out, "\"actions\":[");
    for (size_t i = 0; i < n && i < n_now; i++) {
        if (i)
            text_add(out, ",");
        add_action(out, &list[i]);
    }
    text_add(out, "]");
}

static int read_id(const char *word, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long id = strtoull(word, &end, 10);
    if (errno || *end || *word < '0' || *word > '9' || id == 0 || id > INT64_MAX)
        return -EINVAL;
    *ret = id;
    return 0;
}

static int answer_retry(const struct question *question, struct text *out, struct err *err)
{
    uint64_t id = 0;
    (void) out;
    if (strcmp(question->words[2], "all") != 0 && read_id(question->words[2], &id) < 0)
        return err_set(err, -EINVAL, "expected the id of an event, or all");
    return delivery_retry(question->parts->delivery, question->words[1], id, err);
}

static int answer_replay(const struct question *question, struct text *out, struct err *err)
{
    uint64_t id;
    (void) out;
    if (read_id(question->words[2], &id) < 0)
        return err_set(err, -EINVAL, "expected the id of an event");
    return delivery_replay(question->parts->delivery, question->words[1], id, err);
}

static int answer_actions(const struct question *question, struct text *out, struct err *err)
{
    (void) err;
    add_actions(question->parts, out);
    return 0;
}

static int answer_status(const struct question *question, struct text *out, struct err *err)
{
    (void) err;
    add_actions(question->parts, out);
    question->parts->add_status(question->parts->userdata, out);
    return 0;
}

size_t control_more_size(const char *line)
{
    const char *last = strrchr(line, ' ');
    uint64_t size = 0;
    bool more = strncmp(line, "reload ", strlen("reload ")) == 0 || strncmp(line, "test ", strlen("test ")) == 0;
    if (!more || read_id(last + 1, &size) < 0)
        return 0;
    return size > SIZE_MAX ? SIZE_MAX : (size_t) size;
}

static int answer_reload(const struct question *question, struct text *out, struct err *err)
{
    struct text *secrets = &question->request->more;
    bool handed_over = question->words[1] != NULL;
    if (handed_over && !secrets->size && strcmp(question->words[1], "0") != 0)
        return err_set(err, -EINVAL, "expected the size of the secrets behind reload");
    if (handed_over && !question->request->trusted)
        return err_set(err, -EPERM, "secrets are taken from root and from the user of the daemon only");
    return question->parts->reload(question->parts->userdata, handed_over ? secrets : NULL, out, err);
}

/* The record of an event that is no event of the log: its id is 0. */
static int answer_test(const struct question *question, struct text *out, struct err *err)
{
    const struct text *record = &question->request->more;
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct batch batch;
    (void) out;
    int r = event_read_record((struct span){ record->s, record->size }, question->parts->families, &batch, &description,
                              err);
    if (r < 0)
        return err_wrap(err, r, "the record of the event");
    batch.events[0].id = 0;
    batch.events[0].test = true;
    r = delivery_try(question->parts->delivery, question->words[1], &batch, err);
    batch_done(&batch);
    return r;
}

static int answer_tested(const struct question *question, struct text *out, struct err *err)
{
    static const char *const results[] = {
        [ACTION_DONE] = "delivered",   [ACTION_RETRY] = "retry", [ACTION_WAIT] = "wait",
        [ACTION_GIVE_UP] = "given up", [ACTION_OFF] = "off",     [ACTION_CANCELLED] = "cancelled",
    };
    struct delivery_trial trial;
    int r = delivery_tried(question->parts->delivery, &trial);
    if (r < 0)
        return err_set(err, r, "no action was tried");
    text_addf(out, "\"action\":\"%s\"", trial.action);
    control_add_text(out, "type", trial.type);
    if (trial.under_way) {
        text_add(out, ",\"under_way\":true");
        return 0;
    }
    control_add_text(out, "left_out", left_out_name(trial.left_out));
    if (trial.condition[0])
        control_add_text(out, "condition", trial.condition);
    control_add_text(out, "result", trial.tried ? results[trial.result] : "not tried");
    text_addf(out, ",\"took_ms\":%llu", (unsigned long long) (trial.took_us / USEC_PER_MSEC));
    if (trial.error[0])
        control_add_text(out, "reason", trial.error);
    if (trial.answer[0])
        control_add_text(out, "answer", trial.answer);
    return 0;
}

static const struct request {
    const char *word;
    size_t n_words;
    int (*answer)(const struct question *question, struct text *out, struct err *err);
} requests[] = {
    { "status", 1, answer_status }, { "actions", 1, answer_actions }, { "retry", 3, answer_retry },
    { "replay", 3, answer_replay }, { "reload", 1, answer_reload },   { "reload", 2, answer_reload },
    { "test", 3, answer_test },     { "tested", 1, answer_tested },
};

static int dispatch(struct question *question, struct text *out, struct err *err)
{
    char *rest = question->request->line;
    size_t n = 0;
    for (char *word; n < WORDS_MAX && (word = strsep(&rest, " "));)
        question->words[n++] = word;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        if (!rest && n == requests[i].n_words && strcmp(question->words[0], requests[i].word) == 0)
            return requests[i].answer(question, out, err);
    return err_set(err, -ENOSYS, "not a request that this version of %s knows", PROGRAM_NAME);
}

void control_answer(const struct control_parts *parts, struct control_request *request, struct text *out)
{
    struct question question = { .parts = parts, .request = request };
    struct err err;
    text_add(out, "{");
    if (dispatch(&question, out, &err) < 0) {
        text_reset(out);
        text_add(out, "{\"error\":");
        text_add_json(out, err.msg, strlen(err.msg));
    }
    text_add(out, "}\n");
}
