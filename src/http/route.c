/* route.c - which row of the table a request is for, and whether whoever asks may. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_private.h"

static_assert(HTTP_ROUTES_MAX <= 64, "the rows with a path are the bits of a number");

/* Without the query; a proxy may send a whole URL. */
struct span route_path(const char *uri)
{
    static const char scheme[] = "http://";
    if (strncasecmp(uri, scheme, strlen(scheme)) == 0) {
        uri += strlen(scheme);
        uri += strcspn(uri, "/?");
    }
    return (struct span){ uri, strcspn(uri, "?") };
}

static bool has_path(const struct http *http, const struct http_route *row, struct span path)
{
    if (!row->path)
        return row->matches(http->callbacks.userdata, path);
    return strlen(row->path) == path.size && memcmp(row->path, path.s, path.size) == 0;
}

uint64_t routes_with_path(const struct http *http, struct span path)
{
    const struct http_route *rows = http->routes.rows;
    uint64_t found = 0;
    bool has = false;
    for (size_t i = 0; i < http->routes.n; i++) {
        if (i == 0 || rows[i].path != rows[i - 1].path || rows[i].matches != rows[i - 1].matches)
            has = has_path(http, &rows[i], path);
        found |= (uint64_t) has << i;
    }
    return found;
}

static bool has_method(const struct http_route *row, const char *method)
{
    return strcmp(row->method, method) == 0 ||
           (strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 && strcmp(row->method, MHD_HTTP_METHOD_GET) == 0);
}

const struct http_route *route_find(const struct http *http, uint64_t rows, const char *method)
{
    for (size_t i = 0; rows >> i && i < http->routes.n; i++)
        if (rows >> i & 1 && has_method(&http->routes.rows[i], method))
            return &http->routes.rows[i];
    return NULL;
}

void route_add_methods(const struct http *http, uint64_t rows, struct MHD_Response *response)
{
    char methods[128] = "";
    for (size_t i = 0, size = 0; i < http->routes.n; i++) {
        const char *method = http->routes.rows[i].method;
        bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;
        if (rows >> i & 1 && size < sizeof(methods))
            size += (size_t) snprintf(methods + size, sizeof(methods) - size, "%s%s", size ? ", " : "",
                                      get ? "GET, HEAD" : method);
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, methods);
}

bool routes_stream(const struct http *http)
{
    for (size_t i = 0; i < http->routes.n; i++)
        if (http->routes.rows[i].stream)
            return true;
    return false;
}

/* The default is that nobody may: a door that forgets callbacks.who has its open routes only. */
struct http_request route_request(struct connection *connection)
{
    struct request *request = &connection->request;
    return (struct http_request){ .route = request->route,
                                  .origin = &connection->origin,
                                  .peer_address = &connection->address,
                                  .caller = &connection->caller,
                                  .take_body = &request->body,
                                  .body_size = request->body_size,
                                  .ticket = request->ticket,
                                  .inside = connection };
}

void route_ask_who(struct connection *connection)
{
    const struct http_callbacks *callbacks = &connection->http->callbacks;
    route_forget_caller(&connection->caller);
    if (!callbacks->who)
        return;
    struct http_request request = route_request(connection);
    callbacks->who(callbacks->userdata, &request, &connection->caller);
}

void route_forget_caller(struct http_caller *caller)
{
    free(caller->set_cookie);
    *caller = (struct http_caller){ .role = HTTP_ROLE_OPEN };
}

static bool is_open(struct connection *connection)
{
    const struct http_route *route = connection->request.route;
    struct http_request request = route_request(connection);
    return route->role == HTTP_ROLE_OPEN ||
           (route->opens && route->opens(connection->http->callbacks.userdata, &request));
}

unsigned route_refuses(struct connection *connection, const char **ret_what)
{
    const struct http_route *route = connection->request.route;
    const struct http_caller *caller = &connection->caller;
    if (is_open(connection))
        return 0;
    if (caller->role == HTTP_ROLE_OPEN) {
        *ret_what = HTTP_STRANGER;
        return MHD_HTTP_UNAUTHORIZED;
    }
    *ret_what = caller->role < route->role ? HTTP_NOT_ALLOWED : HTTP_ONE_COMMUNITY;
    bool one_only = caller->community[0] && route->scope == HTTP_SCOPE_ALL;
    return caller->role < route->role || one_only ? MHD_HTTP_FORBIDDEN : 0;
}

/* Who may ask is decided by the head; what that went by may be another configuration's when the body has come. */
unsigned route_refuses_now(struct connection *connection, const char **ret_what)
{
    if (connection->request.n_configured == connection->http->n_configured)
        return 0;
    route_ask_who(connection);
    *ret_what = connection->caller.what;
    return connection->caller.refused ? connection->caller.refused : route_refuses(connection, ret_what);
}

uint64_t route_body_max(const struct connection *connection)
{
    const struct http_route *route = connection->request.route;
    return route->body_bytes ? route->body_bytes : connection->http->settings.body_bytes;
}

bool route_takes_type(const struct http_route *route, const char *content_type)
{
    if (!route->content_type)
        return true;
    size_t size = content_type ? strcspn(content_type, "; \t") : 0;
    return size == strlen(route->content_type) && strncasecmp(content_type, route->content_type, size) == 0;
}

static bool is_asked_for(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

const char *http_header(const struct http_request *request, const char *name)
{
    const struct connection *connection = request->inside;
    bool asked_for = (request->route && is_asked_for(request->route->headers, name)) ||
                     is_asked_for(connection->http->routes.headers, name);
    return asked_for ? MHD_lookup_connection_value(connection->mhd, MHD_HEADER_KIND, name) : NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
    const struct connection *connection = request->inside;
    bool asked_for = request->route && is_asked_for(request->route->query, name);
    return asked_for ? MHD_lookup_connection_value(connection->mhd, MHD_GET_ARGUMENT_KIND, name) : NULL;
}

const char *http_cookie(const struct http_request *request, const char *name)
{
    const struct connection *connection = request->inside;
    return MHD_lookup_connection_value(connection->mhd, MHD_COOKIE_KIND, name);
}
