/* admin_trial.c - a made-up event for one action, and what came of it. */
#include <errno.h>
#include <string.h>

#include "routes.h"

/* It is no event of the log: its id is 0. */
static int begin(const struct admin *admin, struct http_request *request, struct err *err)
{
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    const char *action = http_query(request, "action");
    struct batch batch;
    if (!action)
        return err_set(err, -EINVAL, "expected ?action=NAME, and the record of an event");
    int r = event_read_record((struct span){ *request->take_body, request->body_size }, admin->parts.families, &batch,
                              &description, err);
    if (r < 0)
        return err_wrap(err, -EINVAL, "the record of the event");
    batch.events[0].id = 0;
    batch.events[0].test = true;
    r = delivery_try(admin->parts.delivery, action, &batch, err);
    batch_done(&batch);
    return r;
}

void admin_post_test(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    struct err err;
    admin_answer_result(ret, begin(userdata, request, &err), &err, &out);
}

static void add_trial(const struct delivery_trial *trial, struct json_writer *out)
{
    static const char *const results[] = {
        [ACTION_DONE] = "delivered",   [ACTION_RETRY] = "retry", [ACTION_WAIT] = "wait",
        [ACTION_GIVE_UP] = "given up", [ACTION_OFF] = "off",     [ACTION_CANCELLED] = "cancelled",
    };
    json_add_text(out, "action", trial->action);
    json_add_text(out, "type", trial->type);
    if (trial->under_way) {
        json_add_bool(out, "under_way", true);
        return;
    }
    json_add_text(out, "left_out", filter_left_out_name(trial->left_out));
    if (trial->condition[0])
        json_add_text(out, "condition", trial->condition);
    json_add_text(out, "result", trial->tried ? results[trial->result] : "not tried");
    json_add_int(out, "took_ms", (int64_t) (trial->took_us / USEC_PER_MSEC));
    if (trial->error[0])
        json_add_text(out, "reason", trial->error);
    if (trial->answer[0])
        json_add_text(out, "answer", trial->answer);
}

void admin_get_test(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    struct delivery_trial trial;
    struct err err;
    int r = delivery_tried(admin->parts.delivery, &trial);
    (void) request;
    if (r < 0)
        err_set(&err, r, "no action was tried");
    else
        add_trial(&trial, &out);
    admin_answer_result(ret, r, &err, &out);
}
