/* test_admin_routes.c - the table of routes of the admin side, walked as everybody: each row is there for whom it says,
 * and for nobody else, whatever comes along with the request. The handlers are those of this test. */
#include "http_helpers.h"

#include <sonoran-pushd/families.h>
#include <sys/un.h>

#include "admin_private.h"

#define WHOLE "TOKEN-OF-EVERYTHING"
#define BOARD "TOKEN-OF-THE-BOARD"
#define BOT "TOKEN-OF-THE-BOT"

static char name_one[] = "one", name_two[] = "two", whole[] = WHOLE, board[] = BOARD, bot[] = BOT;
static char host[] = "cad.example.org", *hosts[] = { host };
static struct config_community communities[] = { { .name = name_one, .board_token = board, .bot_token = bot },
                                                 { .name = name_two } };
static struct config config;
static struct admin admin;
static struct gate *gate;
static struct http_route rows[HTTP_ROUTES_MAX];
static size_t n_rows;

/* One of each kind, whatever there is besides. */
static const struct http_route more_rows[] = {
    { .method = "GET", .path = "/test/whole", .role = HTTP_ROLE_READ },
    { .method = "GET", .path = "/test/one", .role = HTTP_ROLE_READ, .scope = HTTP_SCOPE_COMMUNITY },
    { .method = "GET", .path = "/test/local", .role = HTTP_ROLE_READ, .opens = admin_is_local },
    { .method = "POST", .path = "/test/open" },
};

static char folder[] = "/tmp/admin-routes-XXXXXX", socket_path[64];
static char answer[8192];

/* ---- the admin side, with other handlers ---- */

static void answer_whom(void *userdata, struct http_request *request, struct http_answer *ret)
{
    char *said;
    (void) userdata;
    assert_true(asprintf(&said, "role %d of \"%s\"%s", request->caller->role, request->caller->community,
                         request->caller->data ? " with data" : "") > 0);
    *ret = (struct http_answer){ .status = 200, .body = said, .free_body = free };
}

static void begin(void)
{
    const struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct http_settings settings = http_default_settings();
    struct err err = { "" };
    socklen_t size = sizeof(http_address);
    struct http_routes routes = admin_routes;
    const struct http_callbacks callbacks = { .userdata = &admin,
                                              .who = admin_who,
                                              .refusal = admin_answer_refusal,
                                              .round = pass_round,
                                              .refused = pass_refused };
    n_rows = routes.n;
    memcpy(rows, routes.rows, n_rows * sizeof(rows[0]));
    for (size_t i = 0; i < ARRAY_SIZE(more_rows); i++)
        rows[n_rows++] = more_rows[i];
    for (size_t i = 0; i < n_rows; i++)
        rows[i].handle = answer_whom;
    routes.rows = rows;
    routes.n = n_rows;
    admin.parts.config = &config;
    assert_int_equal(admin_tokens_load(&admin.tokens, &config, &err), 0);
    assert_int_equal(gate_new(&gate, &config, &families_all), 0);
    assert_int_equal(gate_door_new(&admin.door, gate, "admin"), 0);
    admin.board_fd = http_listen((const struct sockaddr *) &any, sizeof(any), &err);
    admin.listen_fd = http_listen_unix(socket_path, 0600, &err);
    assert_true(admin.board_fd >= 0 && admin.listen_fd >= 0);
    assert_int_equal(getsockname(admin.board_fd, (struct sockaddr *) &http_address, &size), 0);
    const struct http_listener listeners[] = { { .name = "control", .fd = admin.listen_fd },
                                               { .name = "board", .fd = admin.board_fd } };
    assert_int_equal(http_start(&admin.http, listeners, 2, &settings, &routes, &callbacks, &err), 0);
}

static int set_up(void **state)
{
    (void) state;
    admin = (struct admin){ .board_is_loopback = true };
    config = (struct config){ .communities = communities, .n_communities = ARRAY_SIZE(communities) };
    config.admin.token = whole;
    config.admin.hosts = hosts;
    config.admin.n_hosts = 1;
    config.limits.failed_keys = 0;
    config.limits.failed_keys_window_us = 3600 * USEC_PER_SEC;
    begin();
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    assert_int_equal(http_stop(admin.http, USEC_PER_SEC, HTTP_NO_LIMIT), 0);
    http_free(admin.http);
    close(admin.board_fd);
    close(admin.listen_fd);
    unlink(socket_path);
    gate_door_free(admin.door);
    gate_free(gate);
    admin_tokens_done(&admin.tokens);
    return 0;
}

/* ---- asking ---- */

struct asker {
    const char *name, *headers;
    bool by_unix;
    enum http_role role;
    bool one; /* community only */
    const char *body;
};

enum { NOBODY, READER = 4, BY_SOCKET = 8 };
static const struct asker askers[] = {
    { "nobody", "", false, HTTP_ROLE_OPEN, false, "role 0 of \"\"" },
    { "a proxy's", "Authorization: Basic " WHOLE "\r\n", false, HTTP_ROLE_OPEN, false, "role 0 of \"\"" },
    { "board", "X-Sonoran-Token: " BOARD "\r\n", false, HTTP_ROLE_READ, true, "role 1 of \"one\"" },
    { "bot", "authorization: bearer " BOT "\r\n", false, HTTP_ROLE_READ, true, "role 1 of \"one\" with data" },
    { "reader", "Authorization: Bearer " WHOLE "\r\n", false, HTTP_ROLE_READ, false, "role 1 of \"\" with data" },
    { "reader with a proxy's", "Authorization: Basic eHg=\r\nX-Sonoran-Token: " WHOLE "\r\n", false, HTTP_ROLE_READ,
      false, "role 1 of \"\" with data" },
    { "browser by the socket", "Sec-Fetch-Site: same-origin\r\n", true, HTTP_ROLE_READ, false, "role 1 of \"\"" },
    { "old browser by the socket", "Origin: http://localhost:30121\r\n", true, HTTP_ROLE_READ, false,
      "role 1 of \"\"" },
    { "admin", "", true, HTTP_ROLE_ADMIN, false, "role 2 of \"\" with data" },
};

static int connect_unix(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    return fd;
}

/* Headers that go with every answer. */
static void assert_headers(void)
{
    static const char *const wanted[] = { "Content-Security-Policy: default-src 'none'; script-src 'self';",
                                          "Cross-Origin-Resource-Policy: same-origin\r\n",
                                          "Referrer-Policy: no-referrer\r\n",
                                          "X-Content-Type-Options: nosniff\r\n",
                                          "X-Frame-Options: DENY\r\n",
                                          "Cache-Control: no-store\r\n",
                                          "Server: " PROGRAM_NAME "/" PROGRAM_VERSION "\r\n" };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        if (!strstr(answer, wanted[i]))
            fail_msg("no %s in:\n%s", wanted[i], answer);
    assert_null(strstr(answer, "Access-Control-"));
}

static unsigned ask(const struct asker *asker, const char *method, const char *path, const char *by,
                    const char *headers)
{
    char request[2048];
    unsigned status = 0;
    size_t n = 0, more;
    int fd = asker->by_unix ? connect_unix() : http_connect();
    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\n%s%s%s%s%sConnection: close\r\n%s\r\n", method, path,
             by ? "Host: " : "", by ? by : "", by ? "\r\n" : "", asker->headers, headers,
             strcmp(method, "POST") == 0 ? "Content-Length: 2\r\n\r\n{}" : "");
    if (strcmp(method, "POST") == 0) /* the body is behind the empty line already */
        request[strlen(request) - 2] = '\0';
    http_send(fd, request);
    while ((more = http_receive(fd, answer + n, sizeof(answer) - n)) > 0)
        n += more;
    close(fd);
    assert_int_equal(sscanf(answer, "HTTP/1.1 %u ", &status), 1);
    assert_headers();
    if (status >= 400 && strcmp(method, "HEAD") != 0)
        assert_non_null(strstr(answer, "\r\n\r\n{\"error\":\""));
    return status;
}

/* With the type that its body has to have. */
static unsigned ask_row(const struct asker *asker, const struct http_route *row, const char *by, const char *headers)
{
    char all[512];
    snprintf(all, sizeof(all), "%s%s%s%s", headers, row->content_type ? "Content-Type: " : "",
             row->content_type ? row->content_type : "", row->content_type ? "\r\n" : "");
    return ask(asker, row->method, row->path, by, all);
}

static void expect(const struct asker *asker, const struct http_route *row, const char *what, unsigned status,
                   unsigned wanted)
{
    if (status != wanted)
        fail_msg("%s, %s %s, %s: %u, not %u", asker->name, row->method, row->path, what, status, wanted);
}

static unsigned status_for(const struct asker *asker, const struct http_route *row)
{
    if (row->role == HTTP_ROLE_OPEN || row->opens)
        return 200;
    if (asker->role == HTTP_ROLE_OPEN)
        return 401;
    return asker->role < row->role || (asker->one && row->scope == HTTP_SCOPE_ALL) ? 403 : 200;
}

/* ---- the walk ---- */

static void everybody_asks_for_everything(void **state)
{
    (void) state;
    for (const struct http_route *row = rows; row < rows + n_rows; row++)
        for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
            const struct asker *asker = &askers[i];
            unsigned wanted = status_for(asker, row);
            expect(asker, row, "as it is", ask_row(asker, row, "localhost:30121", ""), wanted);
            if (wanted == 200 && !strstr(answer, asker->body))
                fail_msg("%s, %s: not %s but\n%s", asker->name, row->path, asker->body, answer);
            if (wanted == 401)
                assert_non_null(strstr(answer, "\r\nWWW-Authenticate: Bearer\r\n"));
            if (wanted == 200 && strcmp(row->method, "GET") == 0)
                expect(asker, row, "HEAD", ask(asker, "HEAD", row->path, "localhost:30121", ""), 200);
            if (wanted == 200 && row->content_type)
                expect(asker, row, "another type",
                       ask(asker, row->method, row->path, "localhost:30121", "Content-Type: text/plain\r\n"), 415);
            expect(asker, row, "another method", ask(asker, "DELETE", row->path, "localhost", ""), 405);
            assert_non_null(strstr(answer, "\r\nAllow: "));
        }
}

static void there_is_nothing_else(void **state)
{
    static const char *const paths[] = {
        "/api", "/api/", "/health/", "//health", "/admin", "/.", "/%2e", "/api/status/"
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        for (size_t k = 0; k < ARRAY_SIZE(askers); k++)
            assert_int_equal(ask(&askers[k], "GET", paths[i], "localhost", ""), 404);
}

/* A page whose name was made to lead here has that name in Host, and nothing else that tells it from ours. */
static void names_by_which_it_is_asked(void **state)
{
    static const struct {
        const char *host;
        bool ours;
    } names[] = {
        { "localhost", true },
        { "LOCALHOST:30121", true },
        { "board.localhost:1", true },
        { "localhost.", true },
        { "127.0.0.1:30121", true },
        { "[::1]:30121", true },
        { "[2001:db8::7]", true },
        { "cad.example.org", true },
        { "CAD.example.org.:443", true },
        { "", true },
        { "evil.example", false },
        { "evil.example:30121", false },
        { "localhost.evil.example", false },
        { "evillocalhost", false },
        { "cad.example.org.evil.example", false },
        { "evil.example@localhost", false },
        { "localhost evil.example", false },
        { "2130706433", false },
        { "127.1", false },
        { "[::1", false },
        { "[::1]evil.example", false },
        { "[localhost.evil.example]", false },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        for (const struct http_route *row = rows; row < rows + n_rows; row++) {
            unsigned wanted = names[i].ours ? 200 : 421;
            if (!row->opens)
                expect(&askers[BY_SOCKET], row, names[i].host, ask_row(&askers[BY_SOCKET], row, names[i].host, ""),
                       wanted);
            wanted = !names[i].ours ? 421 : row->opens ? 200 : status_for(&askers[READER], row);
            expect(&askers[READER], row, names[i].host, ask_row(&askers[READER], row, names[i].host, ""), wanted);
        }
    assert_int_equal(ask(&askers[NOBODY], "GET", "/nowhere", "evil.example", ""), 421);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/test/local", "[::1]:1", ""), 200);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/test/local", "127.3.4.5", ""), 200);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/test/local", "192.0.2.7", ""), 401);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/test/local", "cad.example.org", ""), 401);
}

static void pages_of_other_sites(void **state)
{
    static const struct {
        const char *headers;
        bool foreign;
    } cases[] = {
        { "Sec-Fetch-Site: same-origin\r\n", false },
        { "Sec-Fetch-Site: none\r\n", false },
        { "Sec-Fetch-Site: same-origin\r\nOrigin: https://cad.example.org\r\n", false }, /* a proxy changed Host */
        { "Origin: http://localhost:30121\r\n", false },
        { "Origin: https://LOCALHOST:30121\r\n", false },
        { "Sec-Fetch-Site: cross-site\r\n", true },
        { "Sec-Fetch-Site: same-site\r\n", true },
        { "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost:30121\r\n", true },
        { "Sec-Fetch-Site: Same-Origin, none\r\n", true },
        { "Origin: http://evil.example\r\n", true },
        { "Origin: http://localhost:8080\r\n", true },
        { "Origin: http://localhost:30121.evil.example\r\n", true },
        { "Origin: null\r\n", true },
        { "Origin: \r\n", true },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (const struct http_route *row = rows; row < rows + n_rows; row++) {
            bool linked = (row->role == HTTP_ROLE_OPEN || row->opens) && strcmp(row->method, "GET") == 0;
            unsigned wanted = cases[i].foreign && !linked ? 403 : status_for(&askers[READER], row);
            expect(&askers[READER], row, cases[i].headers,
                   ask_row(&askers[READER], row, "localhost:30121", cases[i].headers), wanted);
            expect(&askers[BY_SOCKET], row, cases[i].headers,
                   ask_row(&askers[BY_SOCKET], row, "localhost:30121", cases[i].headers), wanted);
        }
}

/* ---- tokens ---- */

static void wrong_tokens(void **state)
{
    static const char *const headers[] = {
        "Authorization: Bearer \r\n",
        "Authorization: Bearer TOKEN-OF-EVERYTHINH\r\n",
        "Authorization: Bearer token-of-everything\r\n",
        "Authorization: Bearer " WHOLE WHOLE "\r\n",
        "X-Sonoran-Token: TOKEN\r\n",
        "X-Sonoran-Token: \r\n",
        "X-Sonoran-Token: x\r\nAuthorization: Bearer " WHOLE "\r\n",
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        for (const struct http_route *row = rows; row < rows + n_rows; row++)
            expect(&askers[NOBODY], row, headers[i], ask_row(&askers[NOBODY], row, "localhost", headers[i]), 401);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/health", "localhost", "Authorization: Basic x\r\n"), 200);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/health", "localhost", "Authorization: Bearer" WHOLE "\r\n"), 200);
}

/* An address that sent too many is told to wait, but not whoever is right there, who may be behind the same proxy. */
static void many_wrong_tokens(void **state)
{
    (void) state;
    config.limits.failed_keys = 3;
    gate_configure(gate, &config);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&askers[NOBODY], "GET", "/health", "localhost", "X-Sonoran-Token: x\r\n"), 401);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/health", "localhost", "X-Sonoran-Token: x\r\n"), 429);
    assert_non_null(strstr(answer, "\r\nRetry-After: 3"));
    assert_int_equal(ask(&askers[NOBODY], "GET", "/health", "localhost", ""), 200);
    assert_int_equal(ask(&askers[BY_SOCKET], "GET", "/health", "localhost", ""), 200);

    assert_int_equal(ask(&askers[READER], "GET", "/health", "localhost", ""), 200);
    assert_int_equal(ask(&askers[NOBODY], "GET", "/health", "localhost", "X-Sonoran-Token: x\r\n"), 401);
}

static void without_a_token_for_all(void **state)
{
    struct err err;
    (void) state;
    config.admin.token = NULL;
    admin_tokens_done(&admin.tokens);
    assert_int_equal(admin_tokens_load(&admin.tokens, &config, &err), 0);
    struct asker local = askers[NOBODY];
    local.role = HTTP_ROLE_READ;
    for (const struct http_route *row = rows; row < rows + n_rows; row++) {
        admin.board_is_loopback = true; /* who is on this machine may look at all */
        expect(&local, row, "loopback", ask_row(&local, row, "localhost", ""), status_for(&local, row));
        expect(&askers[2], row, "loopback", ask_row(&askers[2], row, "localhost", ""), status_for(&askers[2], row));
        admin.board_is_loopback = false; /* by a port that was open to others before the token went */
        expect(&askers[NOBODY], row, "not loopback", ask_row(&askers[NOBODY], row, "localhost", ""),
               status_for(&askers[NOBODY], row));
    }
    assert_int_equal(ask(&askers[READER], "GET", "/health", "localhost", ""), 401); /* it is nobody's any more */
}

#define set_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        set_test(everybody_asks_for_everything), set_test(there_is_nothing_else), set_test(names_by_which_it_is_asked),
        set_test(pages_of_other_sites),          set_test(wrong_tokens),          set_test(many_wrong_tokens),
        set_test(without_a_token_for_all),
    };
    if (!mkdtemp(folder))
        return 1;
    snprintf(socket_path, sizeof(socket_path), "%s/control.sock", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
