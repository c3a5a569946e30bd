/* test_wait.c - waits end at their time, and that is counted by the clock that never jumps: by the wall clock every
 * one of these times is long past. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sonoran-pushd/wait.h>

#define A_MOMENT_US (20 * USEC_PER_MSEC)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void test_signal_that_never_comes(void **state)
{
    (void) state;
    usec_t until = uptime_us() + A_MOMENT_US;
    pthread_mutex_lock(&lock);
    while (wait_signal(&condition, &lock, until))
        ;
    pthread_mutex_unlock(&lock);
    assert_true(uptime_us() >= until);
}

static void *signal_it(void *unused)
{
    (void) unused;
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void test_signal(void **state)
{
    (void) state;
    pthread_t thread;
    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&thread, NULL, signal_it, NULL), 0);
    assert_true(wait_signal(&condition, &lock, uptime_us() + 60 * USEC_PER_SEC));
    pthread_mutex_unlock(&lock);
    assert_true(wait_thread(thread, uptime_us() + 60 * USEC_PER_SEC));
}

static void *wait_for_lock(void *unused)
{
    (void) unused;
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void test_thread_that_goes_on(void **state)
{
    (void) state;
    pthread_t thread;
    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_lock, NULL), 0);
    usec_t until = uptime_us() + A_MOMENT_US;
    assert_false(wait_thread(thread, until));
    assert_true(uptime_us() >= until);
    pthread_mutex_unlock(&lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_pause(void **state)
{
    (void) state;
    usec_t until = uptime_us() + A_MOMENT_US;
    wait_pause(A_MOMENT_US);
    assert_true(uptime_us() >= until);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signal_that_never_comes),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_thread_that_goes_on),
        cmocka_unit_test(test_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
