/* test_http_routes.c - a table of routes: who is let in to which row, and what an answer carries. */
#include "http_helpers.h"

#include <sonoran-pushd/wait.h>

#define END "Host: test\r\nConnection: close\r\n"

static const char *const wanted_headers[] = { "X-Wanted", NULL };
static const char *const wanted_query[] = { "name", NULL };
static const char *const headers_of_who[] = { "X-Role", "X-Community", NULL };
static _Atomic unsigned n_freed;

static void free_counted(void *body)
{
    n_freed++;
    free(body);
}

static void tell(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const char *header = http_header(request, "X-Wanted"), *query = http_query(request, "name");
    char *body;
    (void) userdata;
    assert_null(http_header(request, "X-Other")); /* the row did not ask for it */
    assert_null(http_query(request, "other"));
    assert_true(asprintf(&body, "header %s query %s body %s", header ? header : "-", query ? query : "-",
                         *request->take_body ? *request->take_body : "-") > 0);
    *ret = (struct http_answer){ .status = 200,
                                 .type = "application/json",
                                 .body = body,
                                 .free_body = free_counted,
                                 .headers = { { "X-One", "1" }, { "X-Two", body } } };
}

static void answer_bytes(void *userdata, struct http_request *request, struct http_answer *ret)
{
    (void) userdata;
    (void) request;
    *ret = (struct http_answer){ .status = 200, .body = "a\0b", .body_size = 3 };
}

static bool is_any(void *userdata, struct span path)
{
    (void) userdata;
    return path.size >= 4 && strncasecmp(path.s, "/any", 4) == 0;
}

static void who(void *userdata, const struct http_request *request, struct http_caller *ret)
{
    const char *role = http_header(request, "X-Role"), *community = http_header(request, "X-Community");
    (void) userdata;
    if (role)
        ret->role = strcmp(role, "admin") == 0 ? HTTP_ROLE_ADMIN : HTTP_ROLE_READ;
    if (community)
        snprintf(ret->community, sizeof(ret->community), "%s", community);
}

static const struct http_route rows[] = {
    { .method = "POST", .path = "/tell", .headers = wanted_headers, .query = wanted_query, .handle = tell },
    { .method = "GET", .path = "/tell", .headers = wanted_headers, .query = wanted_query, .handle = tell },
    { .method = "POST", .path = "/json", .content_type = "application/json", .handle = answer_ok },
    { .method = "GET", .path = "/bytes", .handle = answer_bytes },
    { .method = "GET", .path = "/read", .role = HTTP_ROLE_READ, .scope = HTTP_SCOPE_COMMUNITY, .handle = answer_ok },
    { .method = "GET", .path = "/whole", .role = HTTP_ROLE_READ, .handle = answer_ok },
    { .method = "POST", .path = "/admin", .role = HTTP_ROLE_ADMIN, .handle = answer_ok },
    { .method = "GET", .matches = is_any, .handle = answer_ok },
};

static int set_up(void **state)
{
    const struct http_routes routes = { .rows = rows, .n = ARRAY_SIZE(rows), .headers = headers_of_who };
    const struct http_settings settings = http_default_settings();
    (void) state;
    n_freed = 0;
    return http_begin(&settings, &routes, (struct http_callbacks){ .who = who });
}

static unsigned status_of(const char *answer)
{
    unsigned status = 0;
    assert_int_equal(sscanf(answer, "HTTP/1.1 %u ", &status), 1);
    return status;
}

static unsigned ask(const char *request)
{
    char answer[2048];
    http_ask(request, answer, sizeof(answer));
    return status_of(answer);
}

static void expect_part(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("no \"%s\" in:\n%s", part, answer);
}

/* By the thread of http, which lets go of an answer after it was read. */
static void expect_freed(unsigned n)
{
    for (usec_t end = uptime_us() + 60 * USEC_PER_SEC; n_freed < n && uptime_us() < end;)
        wait_pause(USEC_PER_MSEC);
    assert_int_equal(n_freed, n);
}

static void what_a_row_asked_for(void **state)
{
    char answer[2048];
    (void) state;
    http_ask("POST /tell?name=a%20b&other=c HTTP/1.1\r\nx-wanted: yes\r\nX-Other: no\r\n" END
             "Content-Length: 2\r\n\r\nhi",
             answer, sizeof(answer));
    expect_part(answer, "HTTP/1.1 200 ");
    expect_part(answer, "\r\nContent-Type: application/json\r\n");
    expect_part(answer, "\r\nX-One: 1\r\n");
    expect_part(answer, "\r\nX-Two: header yes");
    expect_part(answer, "\r\n\r\nheader yes query a b body hi");
    expect_freed(1);

    http_ask("HEAD /tell HTTP/1.1\r\n" END "\r\n", answer, sizeof(answer));
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    http_ask("GET /tell HTTP/1.1\r\n" END "Content-Length: 2\r\n\r\nhi", answer, sizeof(answer));
    expect_part(answer, "\r\n\r\nheader - query - body -"); /* that of a GET is read and forgotten */
    expect_freed(3);
}

static void bytes_with_a_nul(void **state)
{
    char answer[2048];
    int fd = http_connect();
    size_t n = 0, more;
    (void) state;
    http_send(fd, "GET /bytes HTTP/1.1\r\n" END "\r\n");
    while ((more = http_receive(fd, answer + n, sizeof(answer) - n)) > 0)
        n += more;
    close(fd);
    expect_part(answer, "\r\nContent-Length: 3\r\n");
    assert_memory_equal(answer + n - 3, "a\0b", 3);
}

static void paths_and_methods(void **state)
{
    char answer[2048];
    (void) state;
    assert_int_equal(ask("GET /aNyThing?x HTTP/1.1\r\n" END "\r\n"), 200);
    assert_int_equal(ask("GET http://host/any HTTP/1.1\r\n" END "\r\n"), 200);
    assert_int_equal(ask("GET /an HTTP/1.1\r\n" END "\r\n"), 404);
    assert_int_equal(ask("GET /tell/ HTTP/1.1\r\n" END "\r\n"), 404);
    assert_int_equal(ask("GET /tel HTTP/1.1\r\n" END "\r\n"), 404);
    http_ask("DELETE /tell HTTP/1.1\r\n" END "\r\n", answer, sizeof(answer));
    assert_int_equal(status_of(answer), 405);
    expect_part(answer, "\r\nAllow: POST, GET, HEAD\r\n");
    expect_part(answer, "\r\n\r\nmethod not allowed");
    http_ask("GET /json HTTP/1.1\r\n" END "\r\n", answer, sizeof(answer));
    expect_part(answer, "\r\nAllow: POST\r\n"); /* of this path, whatever another one got before */
}

static void types_of_bodies(void **state)
{
    (void) state;
    static const struct {
        const char *header;
        unsigned status;
    } cases[] = {
        { "Content-Type: application/json\r\n", 200 },
        { "content-type: Application/JSON; charset=utf-8\r\n", 200 },
        { "Content-Type: application/json2\r\n", 415 },
        { "Content-Type: text/plain\r\n", 415 },
        { "", 415 },
        { "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char request[512];
        snprintf(request, sizeof(request), "POST /json HTTP/1.1\r\n%s" END "Content-Length: 2\r\n\r\n{}",
                 cases[i].header);
        assert_int_equal(ask(request), cases[i].status);
    }
    assert_int_equal(ask("POST /json HTTP/1.1\r\n" END "Content-Length: 0\r\n\r\n"), 200); /* none has no type */
}

/* The table, walked as everybody. */
static void roles(void **state)
{
    static const struct {
        const char *headers;
        unsigned open, read, whole, admin;
    } callers[] = {
        { "", 200, 401, 401, 401 },
        { "X-Role: reader\r\n", 200, 200, 200, 403 },
        { "X-Role: reader\r\nX-Community: one\r\n", 200, 200, 403, 403 },
        { "X-Role: admin\r\n", 200, 200, 200, 200 },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        char request[512];
        const struct {
            const char *line;
            unsigned status;
        } routes[] = { { "GET /tell", callers[i].open },
                       { "GET /read", callers[i].read },
                       { "GET /whole", callers[i].whole },
                       { "POST /admin", callers[i].admin } };
        for (size_t j = 0; j < ARRAY_SIZE(routes); j++) {
            snprintf(request, sizeof(request), "%s HTTP/1.1\r\n%s" END "\r\n", routes[j].line, callers[i].headers);
            assert_int_equal(ask(request), routes[j].status);
        }
    }
}

/* A door that says of nobody who they are. */
static void nobody_knows_anybody(void **state)
{
    const struct http_routes routes = { .rows = rows, .n = ARRAY_SIZE(rows), .headers = headers_of_who };
    const struct http_settings settings = http_default_settings();
    (void) state;
    assert_int_equal(http_begin(&settings, &routes, (struct http_callbacks){ 0 }), 0);
    assert_int_equal(ask("POST /admin HTTP/1.1\r\nX-Role: admin\r\n" END "\r\n"), 401);
    assert_int_equal(ask("GET /tell HTTP/1.1\r\n" END "\r\n"), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_row_asked_for, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(bytes_with_a_nul, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(paths_and_methods, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(types_of_bodies, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(roles, set_up, http_tear_down),
        cmocka_unit_test_teardown(nobody_knows_anybody, http_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
