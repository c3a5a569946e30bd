/* test_session_probe.c - a session tried by hand, on a machine that is up for weeks. */
#include <sonoran-pushd/session_probe.h>

#include "config_helpers.h"
#include "web_helpers.h"

#include "session_private.h"

#define DAY_US (24 * 60 * 60 * USEC_PER_SEC)
#define WAIT_MAX_MS 1000

static usec_t ahead_us;
static unsigned n_waits;

usec_t __real_uptime_us(void);
usec_t __wrap_uptime_us(void);
usec_t __wrap_uptime_us(void)
{
    return __real_uptime_us() + ahead_us;
}

int __real_net_pool_wait(struct net_pool *pool, int wake_fd, int timeout_ms, struct err *err);
int __wrap_net_pool_wait(struct net_pool *pool, int wake_fd, int timeout_ms, struct err *err);
int __wrap_net_pool_wait(struct net_pool *pool, int wake_fd, int timeout_ms, struct err *err)
{
    n_waits++;
    assert_in_range(timeout_ms, 1, WAIT_MAX_MS);
    return __real_net_pool_wait(pool, wake_fd, timeout_ms, err);
}

static void keep_last(void *context, const struct session_probe_step *step)
{
    struct text *last = context;
    text_reset(last);
    text_addf(last, "%s: %s", step->name, step->words);
}

static struct config *config_for(int port)
{
    char text[512];
    snprintf(text, sizeof(text),
             "communities: [ { name: east, api_key: SECRET-1 } ]\n"
             "sessions: [ { name: city, community: east, community_id: x, url: \"http://127.0.0.1:%d/hub\" } ]\n",
             port);
    write_text("probe.yaml", text);
    return must_load("probe.yaml");
}

/* Until it is connected no end is set, and what is left until then is more than an int of milliseconds. */
static void it_waits_on_any_day(void **unused)
{
    (void) unused;
    static const struct turn turns[] = { { "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", CLOSE } };
    static const unsigned days[] = { 1, 20, 45, 400 };
    for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
        struct text last CLEANUP(text_free) = TEXT_INIT;
        struct server server;
        struct session_probe probe;
        struct err err = { "" };
        server_start(&server, turns, ARRAY_SIZE(turns));
        server_run(&server);
        struct config *config = config_for(server.port);
        ahead_us = days[i] * DAY_US - __real_uptime_us();
        n_waits = 0;
        assert_int_equal(session_probe_find(config, NULL, &probe, &err), 0);
        assert_int_equal(session_probe_run(config, &probe, keep_last, &last, &err), 1);
        assert_string_equal(last.s, "upgrade: 404 Not Found: no websocket hub there, is the url right?");
        assert_true(n_waits > 0);
        config_free(config);
        server_stop(&server);
        text_free(&server.last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_on_any_day),
    };
    return cmocka_run_group_tests(tests, copy_fixtures, remove_fixtures);
}
