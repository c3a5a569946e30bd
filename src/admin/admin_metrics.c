/* admin_metrics.c - all that is counted, for who draws and alarms. */
#include "routes.h"

static void add_streams(const struct admin *admin, struct report_list *list)
{
    struct sse_values values;
    sse_get_values(admin->sse, &values);
    values.clients_limit = admin->parts.config->admin.streams;
    report_list_add(list, &(struct report_part){ .table = &sse_report, .values = &values }, sizeof(values));
}

void admin_get_metrics(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct report_list list CLEANUP(report_list_free) = { 0 };
    struct text body = TEXT_INIT;
    enum report_format format = report_format_for(http_header(request, "Accept"));
    admin->parts.add_metrics(admin->parts.userdata, admin->parts.config, &list);
    add_streams(admin, &list);
    report_add_metrics(&body, format, list.parts, list.n);
    body.failed |= list.failed;
    admin_answer_text(ret, report_content_types[format], &body);
}
