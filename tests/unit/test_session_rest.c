/* test_session_rest.c - one question to the CAD's REST interface, and whatever may be answered. */
#include "web_helpers.h"

#include <errno.h>

#include "session_rest.h"

#define API_KEY "0000-Secret-Key"
#define HEAD(status, type, size) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nContent-Length: " size "\r\n"

struct told {
    int r;
    cJSON *json;
    struct session_rest_problem problem;
    struct err err;
    char request[2048];
};

static void ask(const struct turn *turn, bool units, struct told *ret)
{
    struct server server;
    char base[64];
    const struct web_settings settings = { .timeout_us = 2 * USEC_PER_SEC, .cancel_fd = -1 };
    server_start(&server, turn, 1);
    server_run(&server);
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", server.port);
    struct session_rest rest = { .base = base, .key = API_KEY, .server = 3 };
    *ret = (struct told){ .r = web_open(&rest.web, &settings, &ret->err) };
    assert_int_equal(ret->r, 0);
    ret->r = units ? session_rest_get_units(&rest, 99, &ret->json, &ret->problem, &ret->err)
                   : session_rest_get_calls(&rest, &ret->json, &ret->problem, &ret->err);
    web_close(rest.web);
    server_stop(&server);
    snprintf(ret->request, sizeof(ret->request), "%s", server.last.s);
    text_free(&server.last);
}

static void what_is_asked(void **state)
{
    (void) state;
    struct told told;
    ask(&(struct turn){ HEAD("200 OK", "application/json", "14") "\r\n{\"calls\":[17]}", CLOSE }, false, &told);
    assert_int_equal(told.r, 0);
    assert_true(cJSON_IsObject(told.json));
    cJSON_Delete(told.json);
    static const char calls[] = "GET /v2/emergency/servers/3/calls?closedLimit=10&closedOffset=0&type=100 HTTP/1.1\r\n";
    assert_memory_equal(told.request, calls, strlen(calls));
    assert_non_null(strstr(told.request, "\r\nAuthorization: Bearer " API_KEY "\r\n"));
    ask(&(struct turn){ HEAD("200 OK", "application/json", "2") "\r\n[]", CLOSE }, true, &told);
    assert_int_equal(told.r, 0);
    assert_true(cJSON_IsArray(told.json));
    cJSON_Delete(told.json);
    static const char units[] =
        "GET /v2/emergency/servers/3/units?includeOffline=false&onlyUnits=false&limit=100&offset=99 "
        "HTTP/1.1\r\n";
    assert_memory_equal(told.request, units, strlen(units));
}

static void what_may_be_answered(void **state)
{
    (void) state;
    static const struct {
        const char *answer;
        enum then then;
        enum session_rest_failure failure;
        usec_t retry_after_us;
        const char *words;
    } rows[] = {
        { HEAD("401 Unauthorized", "application/problem+json",
               "57") "\r\n{\"title\":\"x\",\"detail\":\"Key 0000-secret-KEY is not known\"}  ",
          CLOSE, SESSION_REST_REFUSED, 0, "401, it does not take the API key: Key [key] is not known" },
        { HEAD("402 Payment Required", "application/problem+json", "20") "\r\n{\"title\":\"Upgrade\"}  ", CLOSE,
          SESSION_REST_REFUSED, 0, "402, the community's plan does not have it: Upgrade" },
        { HEAD("404 Not Found", "text/plain", "0") "\r\n", CLOSE, SESSION_REST_REFUSED, 0,
          "404, there is no such server" },
        { HEAD("429 Too Many Requests", "application/json", "37") "Retry-After: 90\r\n"
                                                                  "\r\n{\"message\":\"API rate limit exceeded\"}",
          CLOSE, SESSION_REST_LIMITED, 90 * USEC_PER_SEC, "too many requests with this API key: API rate" },
        { HEAD("429 Too Many Requests", "text/plain", "0") "\r\n", CLOSE, SESSION_REST_LIMITED, 0, "429" },
        { HEAD("503 Service Unavailable", "text/html",
               "49") "\r\n<html><body><h1>Bad\x1b[31m gateway</h1></body></html>  ",
          CLOSE, SESSION_REST_DOWN, 0, "answered 503: Bad\\x1b[31m gateway" },
        { HEAD("400 Bad Request", "text/plain", "27") "\r\n1111111111111111111 {\"a\\]\"", CLOSE, SESSION_REST_REFUSED,
          0, "answered 400: 1111111111111111111 {\"a\\]\"" },
        { HEAD("404 Not Found", "text/plain", "18") "\r\n404 page not found", CLOSE, SESSION_REST_REFUSED, 0,
          ", there is no such server: 404 page not found" },
        { HEAD("302 Found", "text/plain", "0") "Location: http://example.net/\r\n\r\n", CLOSE, SESSION_REST_STRANGE, 0,
          "answered 302" },
        { HEAD("200 OK", "text/html", "13") "\r\n<html></html>", CLOSE, SESSION_REST_STRANGE, 0, "is no JSON" },
        { HEAD("200 OK", "application/json", "4") "\r\n[{}]", CLOSE, SESSION_REST_STRANGE, 0, "no list of calls" },
        { HEAD("200 OK", "application/json", "9") "\r\n{\"a\"", CLOSE, SESSION_REST_DOWN, 0,
          " closed the connection in the middle of the answer, after 4 bytes" },
        { HEAD("200 OK", "application/json", "9") "\r\n{\"a\"", HANG, SESSION_REST_DOWN, 0,
          " answered too slowly: in the time for it came 4 bytes, not all" },
        { HEAD("200 OK", "application/json", "99999999") "\r\n", FLOOD, SESSION_REST_STRANGE, 0,
          "more than 2097152 bytes" },
        { "", HANG, SESSION_REST_DOWN, 0, "" },
        { NULL, RESET, SESSION_REST_DOWN, 0, "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct told told;
        ask(&(struct turn){ rows[i].answer, rows[i].then }, false, &told);
        if (told.r >= 0 || told.json || told.problem.failure != rows[i].failure ||
            !strstr(told.err.msg, rows[i].words) || strcasestr(told.err.msg, API_KEY))
            fail_msg("row %zu: %d, %d: %s", i, told.r, (int) told.problem.failure, told.err.msg);
        assert_int_equal(told.problem.retry_after_us, rows[i].retry_after_us);
    }
}

static void a_nul_in_a_text(void **state)
{
    struct told told;
    (void) state;
    ask(&(struct turn){ HEAD("200 OK", "application/json",
                             "47") "\r\n[{\"id\":1,\"a\":\"x\\u0000y\",\"b\":\"\\\\u0000\\u0000\"}]  ",
                        CLOSE },
        true, &told);
    if (told.r < 0)
        fail_msg("%s", told.err.msg);
    const cJSON *unit = cJSON_GetArrayItem(told.json, 0);
    assert_string_equal(json_get_text(unit, "a"), "x\xef\xbf\xbdy");
    assert_string_equal(json_get_text(unit, "b"), "\\u0000\xef\xbf\xbd");
    cJSON_Delete(told.json);
    ask(&(struct turn){ HEAD("200 OK", "application/json", "18") "\r\n[{\"id\":\"\\u0001\\u\"}]", CLOSE }, true, &told);
    assert_int_equal(told.r, -EBADMSG);
}

/* n times what is in it, as an answer: within the bytes that are read. */
static char *list_of(const char *element, size_t n, const char *before, const char *behind)
{
    struct text text = TEXT_INIT;
    text_addf(&text, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s[", before);
    for (size_t i = 0; i < n; i++)
        text_addf(&text, "%s%s", i ? "," : "", element);
    text_addf(&text, "]%s", behind);
    assert_true(!text.failed && text.size < SESSION_REST_MAX_BYTES);
    return text.s;
}

/* Parsed, many small values take far more memory than their letters. */
static void what_is_too_much(void **state)
{
    (void) state;
    static const struct {
        const char *element;
        size_t n;
        bool units, taken;
        const char *words;
    } rows[] = {
        { "{\"id\":1}", SESSION_REST_PAGE, true, true, "" },
        { "{\"id\":1}", SESSION_REST_PAGE + 1, true, false, "was asked for 100 units and answered 101" },
        { "1", 1000000, true, false, "more than 200000 values" },
        { "1", 1000000, false, false, "more than 200000 values" },
        { "\"[[,,{{,,\\\",,,,\"", 90000, false, true, "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct told told;
        char *answer =
            list_of(rows[i].element, rows[i].n, rows[i].units ? "" : "{\"ActiveCalls\":", rows[i].units ? "" : "}");
        ask(&(struct turn){ answer, CLOSE }, rows[i].units, &told);
        if ((told.r >= 0) != rows[i].taken || !strstr(told.err.msg, rows[i].words))
            fail_msg("row %zu: %d: %s", i, told.r, told.err.msg);
        cJSON_Delete(told.json);
        free(answer);
    }
}

static void where_it_is(void **state)
{
    (void) state;
    static const char *const rows[][2] = {
        { "https://api.sonorancad.com/apiWsHub", "https://api.sonorancad.com" },
        { "http://127.0.0.1:4000/apiWsHub?x=1", "http://127.0.0.1:4000" },
        { "https://[::1]:8443", "https://[::1]:8443" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct text base CLEANUP(text_free) = TEXT_INIT;
        assert_int_equal(session_rest_base(rows[i][0], &base), 0);
        assert_string_equal(base.s, rows[i][1]);
    }
    struct text base CLEANUP(text_free) = TEXT_INIT;
    assert_int_equal(session_rest_base("api.sonorancad.com", &base), -EINVAL);
    assert_int_equal(session_rest_base("https:///x", &base), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked),    cmocka_unit_test(what_may_be_answered), cmocka_unit_test(a_nul_in_a_text),
        cmocka_unit_test(what_is_too_much), cmocka_unit_test(where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
