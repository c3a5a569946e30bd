/* admin_actions.c - how the actions get on, and what they are asked to deliver again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "routes.h"

static void add_action(struct json_writer *out, const struct delivery_status *status)
{
    const struct report_part counts = { .table = &delivery_report, .values = status };
    json_begin_object(out, NULL);
    json_add_text(out, "name", status->name);
    json_add_text(out, "type", status->type);
    json_add_text(out, "state", delivery_state_name(status->state));
    report_add_members(out, &counts, NULL);
    json_begin_object(out, "left_out");
    report_add_members(out, &counts, "left_out");
    json_end(out);
    admin_add_time(out, "last_delivered", status->delivered_us);
    admin_add_time(out, "next_try", status->next_try_us);
    admin_add_time(out, "last_error_at", status->error_us);
    if (status->error[0])
        json_add_text(out, "last_error", status->error);
    if (status->answer[0])
        json_add_text(out, "last_answer", status->answer);
    json_end(out);
}

void admin_add_actions(struct delivery *delivery, struct json_writer *out)
{
    size_t n = delivery_get_status(delivery, NULL, 0);
    struct delivery_status *list CLEANUP(cleanup_free) = calloc(n + 1, sizeof(*list));
    size_t n_now = list ? delivery_get_status(delivery, list, n) : 0;
    json_begin_array(out, "actions");
    for (size_t i = 0; i < n && i < n_now; i++)
        add_action(out, &list[i]);
    json_end(out);
}

void admin_get_actions(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    (void) request;
    admin_add_actions(admin->parts.delivery, &out);
    admin_answer(ret, 200, &out);
}

static bool read_id(const char *word, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long id = strtoull(word, &end, 10);
    if (errno || *end || *word < '0' || *word > '9' || id == 0 || id > INT64_MAX)
        return false;
    *ret = id;
    return true;
}

static int retry(const struct admin *admin, const struct http_request *request, struct err *err)
{
    const char *action = http_query(request, "action"), *what = http_query(request, "id");
    uint64_t id = 0;
    if (!action || !what)
        return err_set(err, -EINVAL, "expected ?action=NAME&id=ID, or id=all");
    if (strcmp(what, "all") != 0 && !read_id(what, &id))
        return err_set(err, -EINVAL, "expected the id of an event, or all");
    return delivery_retry(admin->parts.delivery, action, id, err);
}

void admin_post_retry(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    struct err err;
    admin_answer_result(ret, retry(userdata, request, &err), &err, &out);
}

static int replay(const struct admin *admin, const struct http_request *request, struct err *err)
{
    const char *action = http_query(request, "action"), *from = http_query(request, "from");
    uint64_t id;
    if (!action || !from)
        return err_set(err, -EINVAL, "expected ?action=NAME&from=ID");
    if (!read_id(from, &id))
        return err_set(err, -EINVAL, "expected the id of an event");
    return delivery_replay(admin->parts.delivery, action, id, err);
}

void admin_post_replay(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    struct err err;
    admin_answer_result(ret, replay(userdata, request, &err), &err, &out);
}
