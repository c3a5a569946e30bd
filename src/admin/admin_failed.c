/* admin_failed.c - the list of deliveries that were given up, read from the log. */
#include <string.h>

#include "routes.h"

#define LISTED_MAX 1000

static void add_failure(const struct store_failure *failure, struct json_writer *out)
{
    json_begin_object(out, NULL);
    json_add_int(out, "event_id", (int64_t) failure->event_id);
    json_add_text(out, "action", failure->action);
    json_add_int(out, "attempts", failure->attempts);
    json_add_text(out, "error", failure->error);
    admin_add_time(out, "at", failure->at_us);
    json_end(out);
}

/* action NULL: of all of them. */
static int list(const struct admin *admin, const char *action, struct json_writer *out, struct err *err)
{
    struct store_reader *reader = NULL;
    struct store_failure failure;
    size_t n = 0;
    int r = admin_open_log(admin, &reader, err);
    if (r >= 0)
        r = store_seek_failed(reader, action, err);
    json_begin_array(out, "failed");
    while (r >= 0 && (r = store_read_failed(reader, &failure, err)) > 0 && n++ < LISTED_MAX)
        add_failure(&failure, out);
    json_end(out);
    json_add_bool(out, "more", r > 0);
    store_reader_close(reader);
    return r;
}

void admin_get_failed(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    struct err err;
    int r = list(admin, http_query(request, "action"), &out, &err);
    admin_answer_result(ret, r, &err, &out);
}
