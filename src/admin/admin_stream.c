/* admin_stream.c - the event stream's route: who may have which, and from where on. */
#include "routes.h"

void admin_get_stream(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct sse_request wanted = { .last_event_id = http_header(request, "Last-Event-ID"),
                                  .from = http_query(request, "from"),
                                  .log = http_query(request, "log"),
                                  .type = http_query(request, "type") };
    struct sse_client *client;
    struct err err;
    int r = admin_ask_configured(admin, request, &wanted.community, &err);
    if (r >= 0)
        r = admin_ask_data(request, &wanted.data, &err);
    if (r >= 0)
        r = sse_open(admin->sse, &wanted, &client, &err);
    if (r < 0) {
        admin_answer_failure(ret, r, &err);
        return;
    }
    *ret = (struct http_answer){ .status = 200,
                                 .type = SSE_TYPE,
                                 .headers = { { "X-Accel-Buffering", "no" } }, /* else nginx keeps it all */
                                 .more = sse_more,
                                 .idle_us = SSE_HEARTBEAT_US,
                                 .stream = client,
                                 .free_stream = sse_close };
}
