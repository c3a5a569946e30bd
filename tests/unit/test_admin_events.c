/* test_admin_events.c - events that are searched for where there are many and time is short: what was looked at is
 * told. */
#include "http_helpers.h"
#include "store_helpers.h"

#include <sonoran-pushd/families.h>

#include "../../src/admin/admin_private.h"

#define N_EVENTS 25000
#define LONG_US (3600 * USEC_PER_SEC)

static struct admin admin;

static void who(void *userdata, const struct http_request *request, struct http_caller *ret)
{
    (void) userdata;
    (void) request;
    ret->role = HTTP_ROLE_ADMIN;
}

static void end_round(void *userdata)
{
    admin_end_round(userdata);
}

static int set_up(void **state)
{
    static struct config config;
    struct http_settings settings = http_default_settings();
    int r = make_folder(state);
    if (r < 0)
        return r;
    struct store *store = open_store(0, 0);
    assert_int_equal(append_many(store, N_EVENTS, 0), 0);
    store_close(store);
    admin = (struct admin){ .parts = { .config = &config, .store_path = path, .families = &families_all } };
    const struct http_callbacks callbacks = { .userdata = &admin, .who = who, .round = end_round };
    return http_begin(&settings, &admin_routes, callbacks);
}

static int tear_down(void **state)
{
    http_tear_down(state);
    return remove_folder(state);
}

/* The end of the answer, behind the events; round_us 0: the time is up as soon as something was looked at. */
static void expect_end(const char *query, usec_t round_us, const char *end)
{
    char request[200], answer[8192];
    admin.round_us = round_us;
    snprintf(request, sizeof(request), "GET /api/events?%s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", query);
    http_ask(request, answer, sizeof(answer));
    const char *found = strstr(answer, "],\"next\":");
    assert_non_null(found);
    assert_string_equal(found + strlen("],"), end);
}

/* Back from the newest, in pieces of 10,000. */
static void the_newest_of_a_type(void **state)
{
    (void) state;
    expect_end("type=EVENT_NEVER", LONG_US, "\"next\":25000,\"newest\":25000,\"oldest\":1,\"complete\":true}\n");
    expect_end("type=EVENT_NEVER", 0,
               "\"next\":25000,\"newest\":25000,\"oldest\":1,\"searched_after\":15000,\"complete\":false}\n");
    expect_end("type=EVENT_NEVER&limit=0", 0, "\"next\":25000,\"newest\":25000,\"oldest\":1,\"complete\":true}\n");
    expect_end("type=EVENT_911&limit=1", 0, "\"next\":25000,\"newest\":25000,\"oldest\":1,\"complete\":true}\n");
}

/* Each answer gets on by a piece at least, and the last has come to the end. */
static void from_the_oldest(void **state)
{
    (void) state;
    expect_end("from=0&type=EVENT_NEVER", LONG_US, "\"next\":25000,\"newest\":25000,\"oldest\":1,\"complete\":true}\n");
    expect_end("from=0&type=EVENT_NEVER", 0, "\"next\":10000,\"newest\":25000,\"oldest\":1,\"complete\":false}\n");
    expect_end("from=10000&type=EVENT_NEVER", 0, "\"next\":20000,\"newest\":25000,\"oldest\":1,\"complete\":false}\n");
    expect_end("from=20000&type=EVENT_NEVER", 0, "\"next\":25000,\"newest\":25000,\"oldest\":1,\"complete\":true}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_of_a_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_the_oldest, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
