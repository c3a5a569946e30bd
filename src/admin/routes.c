/* routes.c - the table of routes, and what goes with every answer. */
#include "routes.h"

#define ROW(handler, ...) { .handle = handler, __VA_ARGS__ },
static const struct http_route rows[] = { ADMIN_ROUTES(ROW) };

/* Pages of ours take scripts and styles from their own address alone, no text becomes markup in them, and nobody shows
 * them in a frame. */
#define CONTENT_POLICY                                                                                                 \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "              \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "                \
    "trusted-types 'none'"

static const struct http_header answer_headers[] = {
    { "Server", PROGRAM_NAME "/" PROGRAM_VERSION },
    { "Cache-Control", "no-store" },
    { "Content-Security-Policy", CONTENT_POLICY },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Referrer-Policy", "no-referrer" },
    { "X-Content-Type-Options", "nosniff" },
    { "X-Frame-Options", "DENY" },
    { NULL, NULL },
};

const struct http_routes admin_routes = {
    .rows = rows, .n = ARRAY_SIZE(rows), .headers = admin_headers, .answer_headers = answer_headers
};
