/* toy_route.c - a route of the admin side: this file, and a row in src/admin/routes.h. */
#include "routes.h"

void admin_get_toy(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    (void) userdata;
    json_add_text(&out, "toy", http_query(request, "name"));
    admin_answer(ret, 200, &out);
}
