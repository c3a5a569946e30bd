/* test_http_call.c - whoever wants something of the HTTP thread while a handler does not come back. */
#include "http_helpers.h"

#include <errno.h>
#include <pthread.h>

#include <sonoran-pushd/wait.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static bool held, entered; /* under the lock */
static int n_calls, client;

static void answer_when_released(void *userdata, struct http_request *request, struct http_answer *ret)
{
    pthread_mutex_lock(&lock);
    entered = true;
    while (held)
        pthread_cond_wait(&released, &lock);
    pthread_mutex_unlock(&lock);
    answer_ok(userdata, request, ret);
}

static bool is_entered(void)
{
    pthread_mutex_lock(&lock);
    bool is = entered;
    pthread_mutex_unlock(&lock);
    return is;
}

static void hold(void)
{
    held = true;
    entered = false;
    client = http_connect();
    http_send(client, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}");
    http_wait_for(is_entered);
}

static void release(void)
{
    pthread_mutex_lock(&lock);
    held = false;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&lock);
}

static int set_up(void **state)
{
    static const struct http_route rows[] = { { .method = "POST", .path = "/", .handle = answer_when_released } };
    const struct http_routes routes = { .rows = rows, .n = ARRAY_SIZE(rows) };
    const struct http_settings settings = http_default_settings();
    (void) state;
    return http_begin(&settings, &routes, (struct http_callbacks){ 0 });
}

static void count_call(void *argument)
{
    (void) argument;
    n_calls++;
}

/* It is not run later either: what it is about may be gone by then. */
static void a_call_has_its_limit(void **state)
{
    (void) state;
    hold();
    assert_int_equal(http_call(http, count_call, NULL, USEC_PER_MSEC), -ETIMEDOUT);
    release();
    assert_int_equal(http_call(http, count_call, NULL, HTTP_NO_LIMIT), 0);
    assert_int_equal(n_calls, 1);
    close(client);
}

/* And its end comes when the handler is back. */
static void so_has_the_end(void **state)
{
    (void) state;
    hold();
    assert_int_equal(http_stop(http, USEC_PER_MSEC, USEC_PER_MSEC), -ETIMEDOUT);
    release();
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_has_its_limit, set_up, http_tear_down),
        cmocka_unit_test_setup_teardown(so_has_the_end, set_up, http_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
