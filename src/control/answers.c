/* answers.c - what is said to a line of words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define WORDS_MAX 3

static const char *const type_names[] = {
    [ACTION_TYPE_EXEC] = "exec", [ACTION_TYPE_FORWARD] = "forward", [ACTION_TYPE_DISCORD] = "discord"
};

static void add_time(struct text *out, const char *name, usec_t time_us)
{
    if (!time_us)
        return;
    text_addf(out, ",\"%s\":\"", name);
    text_add_time_utc(out, time_us);
    text_add(out, "\"");
}

static void add_action(struct text *out, const struct delivery_status *status)
{
    text_addf(out,
              "{\"name\":\"%s\",\"type\":\"%s\",\"state\":\"%s\",\"cursor\":%llu,\"lag\":%llu,\"attempts\":%llu,"
              "\"delivered\":%llu,\"failed\":%llu,\"skipped\":%llu",
              status->name, type_names[status->type], delivery_state_name(status->state),
              (unsigned long long) status->cursor,
              (unsigned long long) (status->newest > status->cursor ? status->newest - status->cursor : 0),
              (unsigned long long) status->n_attempts, (unsigned long long) status->n_delivered,
              (unsigned long long) status->n_failed, (unsigned long long) status->n_skipped);
    add_time(out, "last_delivered", status->delivered_us);
    add_time(out, "next_try", status->next_try_us);
    add_time(out, "last_error_at", status->error_us);
    if (status->error[0]) {
        text_add(out, ",\"last_error\":");
        text_add_json(out, status->error, strlen(status->error));
    }
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

static int answer_retry(const struct control_parts *parts, char **words, struct text *out, struct err *err)
{
    uint64_t id = 0;
    (void) out;
    if (strcmp(words[2], "all") != 0 && read_id(words[2], &id) < 0)
        return err_set(err, -EINVAL, "expected the id of an event, or all");
    return delivery_retry(parts->delivery, words[1], id, err);
}

static int answer_replay(const struct control_parts *parts, char **words, struct text *out, struct err *err)
{
    uint64_t id;
    (void) out;
    if (read_id(words[2], &id) < 0)
        return err_set(err, -EINVAL, "expected the id of an event");
    return delivery_replay(parts->delivery, words[1], id, err);
}

static int answer_actions(const struct control_parts *parts, char **words, struct text *out, struct err *err)
{
    (void) words;
    (void) err;
    add_actions(parts, out);
    return 0;
}

static int answer_status(const struct control_parts *parts, char **words, struct text *out, struct err *err)
{
    (void) words;
    (void) err;
    add_actions(parts, out);
    parts->add_status(parts->userdata, out);
    return 0;
}

static const struct request {
    const char *word;
    size_t n_words;
    int (*answer)(const struct control_parts *parts, char **words, struct text *out, struct err *err);
} requests[] = {
    { "status", 1, answer_status },
    { "actions", 1, answer_actions },
    { "retry", 3, answer_retry },
    { "replay", 3, answer_replay },
};

static int dispatch(const struct control_parts *parts, char *line, struct text *out, struct err *err)
{
    char *words[WORDS_MAX] = { NULL }, *rest = line;
    size_t n = 0;
    for (char *word; n < WORDS_MAX && (word = strsep(&rest, " "));)
        words[n++] = word;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        if (!rest && n == requests[i].n_words && strcmp(words[0], requests[i].word) == 0)
            return requests[i].answer(parts, words, out, err);
    return err_set(err, -ENOSYS, "not a request that this version of %s knows", PROGRAM_NAME);
}

void control_answer(const struct control_parts *parts, char *line, struct text *out)
{
    struct err err;
    text_add(out, "{");
    if (dispatch(parts, line, out, &err) < 0) {
        text_reset(out);
        text_add(out, "{\"error\":");
        text_add_json(out, err.msg, strlen(err.msg));
    }
    text_add(out, "}\n");
}
