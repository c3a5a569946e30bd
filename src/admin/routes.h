/* routes.h - what there is on the admin side, and for whom: the one place to add a route. Each row is the handler,
 * which stands in a file of src/admin, and the members of its http_route. */
#pragma once

#include "admin_private.h"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define QUERY(...) .query = NAMES(__VA_ARGS__)
#define HEADERS(...) .headers = NAMES(__VA_ARGS__)

#define PAGE(X, file)                                                                                                  \
    X(admin_get_page, .method = "GET", .path = "/" file, .headers = NAMES("Accept-Encoding", "If-None-Match"))
#define PAGE_ROUTES(X)                                                                                                 \
    PAGE(X, "")                                                                                                        \
    PAGE(X, "board.css")                                                                                               \
    PAGE(X, "board.js")                                                                                                \
    PAGE(X, "alarm.js")                                                                                                \
    PAGE(X, "dialogs.js")                                                                                              \
    PAGE(X, "dom.js")                                                                                                  \
    PAGE(X, "link.js")                                                                                                 \
    PAGE(X, "model.js")                                                                                                \
    PAGE(X, "panes.js")                                                                                                \
    PAGE(X, "rows.js")                                                                                                 \
    PAGE(X, "sources.js")                                                                                              \
    PAGE(X, "turn.js")

#define ADMIN_ROUTES(X)                                                                                                \
    PAGE_ROUTES(X)                                                                                                     \
    X(admin_get_health, .method = "GET", .path = "/health")                                                            \
    X(admin_get_metrics, .method = "GET", .path = "/metrics", .role = HTTP_ROLE_READ, .opens = admin_is_local,         \
      HEADERS("Accept"))                                                                                               \
    X(admin_post_session, .method = "POST", .path = "/api/session", .content_type = "application/json",                \
      .body_bytes = ADMIN_SESSION_MAX_BYTES)                                                                           \
    X(admin_get_status, .method = "GET", .path = "/api/status", .role = HTTP_ROLE_ADMIN)                               \
    X(admin_get_actions, .method = "GET", .path = "/api/actions", .role = HTTP_ROLE_ADMIN)                             \
    X(admin_get_failed, .method = "GET", .path = "/api/failed", .role = HTTP_ROLE_ADMIN, QUERY("action"))              \
    X(admin_get_story, .method = "GET", .path = "/api/story", .role = HTTP_ROLE_READ, .scope = HTTP_SCOPE_COMMUNITY,   \
      QUERY("community", "call", "call911"))                                                                           \
    X(admin_get_state, .method = "GET", .path = "/api/state", .role = HTTP_ROLE_READ, .scope = HTTP_SCOPE_COMMUNITY,   \
      HEADERS("If-None-Match"), QUERY("community"))                                                                    \
    X(admin_get_events, .method = "GET", .path = "/api/events", .role = HTTP_ROLE_READ, .scope = HTTP_SCOPE_COMMUNITY, \
      QUERY("from", "limit", "type", "community", "call", "call911", "unit", "verdict", "data"))                       \
    X(admin_get_series, .method = "GET", .path = "/api/series", .role = HTTP_ROLE_READ, .scope = HTTP_SCOPE_COMMUNITY, \
      QUERY("community"))                                                                                              \
    X(admin_post_retry, .method = "POST", .path = "/api/retry", .role = HTTP_ROLE_ADMIN, QUERY("action", "id"))        \
    X(admin_post_replay, .method = "POST", .path = "/api/replay", .role = HTTP_ROLE_ADMIN, QUERY("action", "from"))    \
    X(admin_post_test, .method = "POST", .path = "/api/test", .role = HTTP_ROLE_ADMIN,                                 \
      .content_type = "application/json", QUERY("action"))                                                             \
    X(admin_get_test, .method = "GET", .path = "/api/test", .role = HTTP_ROLE_ADMIN)                                   \
    X(admin_post_reload, .method = "POST", .path = "/api/reload", .role = HTTP_ROLE_ADMIN,                             \
      .content_type = "application/octet-stream", QUERY("secrets"))                                                    \
    X(admin_get_stream, .method = "GET", .path = "/api/stream", .role = HTTP_ROLE_READ, .scope = HTTP_SCOPE_COMMUNITY, \
      .stream = true, HEADERS("Last-Event-ID"), QUERY("from", "log", "type", "community", "data"))

#define HANDLER(handler, ...) void handler(void *admin, struct http_request *request, struct http_answer *ret);
ADMIN_ROUTES(HANDLER)
#undef HANDLER
