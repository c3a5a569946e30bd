/* admin_daemon.c - the daemon itself: is it well, what it counts, and the request that it reads its configuration. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "routes.h"

void admin_get_health(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    (void) request;
    bool stores = admin->parts.add_health(admin->parts.userdata, &out);
    admin_answer(ret, stores ? 200 : 503, &out);
}

/* Where it is to be seen: what sonoran-pushctl open wants to know. */
static void add_board(const struct admin *admin, struct json_writer *out)
{
    char address[INET6_ADDRSTRLEN + 16];
    json_begin_object(out, "board");
    if (admin->board_fd >= 0) {
        http_socket_name(admin->board_fd, address, sizeof(address));
        json_add_text(out, "address", address);
        json_add_bool(out, "token", admin->tokens.whole);
    }
    char *socket CLEANUP(cleanup_free) = admin->listen_fd >= 0 ? realpath(admin->path, NULL) : NULL;
    if (socket)
        json_add_text(out, "socket", socket);
    json_end(out);
}

void admin_get_status(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    (void) request;
    admin_add_actions(admin->parts.delivery, &out);
    add_board(admin, &out);
    admin->parts.add_status(admin->parts.userdata, &out);
    admin_answer(ret, 200, &out);
}

static bool is_trusted(const struct http_request *request)
{
    uid_t user;
    return http_peer_user(request, &user) && (user == 0 || user == geteuid());
}

static int reload(const struct admin *admin, struct http_request *request, struct err *err)
{
    struct text secrets CLEANUP(text_wipe) = TEXT_INIT;
    bool handed_over = request->body_size || http_query(request, "secrets");
    if (handed_over && !is_trusted(request))
        return err_set(err, -EPERM, "secrets are taken from root and from the user of the daemon only");
    text_add_bytes(&secrets, *request->take_body, request->body_size);
    return secrets.failed
               ? err_set(err, -ENOMEM, "no memory")
               : admin->parts.reload(admin->parts.userdata, handed_over ? &secrets : NULL, request->ticket, err);
}

void admin_post_reload(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct err err;
    int r = reload(userdata, request, &err);
    if (r < 0)
        admin_answer_failure(ret, r, &err);
}
