/* test_delivery_reload.c - a reload changes the actions as a whole or not at all, whatever it lacks half way. */
#include "delivery_helpers.h"

/* The call that fails, counted from now on: memory and threads that this thread asks for. 0: none. */
static _Thread_local unsigned fails_at;

static bool fails(void)
{
    return fails_at && --fails_at == 0;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument)
{
    return fails() ? EAGAIN : __real_pthread_create(thread, attr, start, argument);
}

#define NAMED(name, more) "{ name: \"" name "\", type: \"exec\", command: [ \"/bin/true\" ] " more "}"
#define OLD NAMED("same", "") ", " NAMED("changed", "") ", " NAMED("gone", "")
#define NEW NAMED("new", "") ", " NAMED("same", "") ", " NAMED("changed", ", parallel: 3")

static void assert_names(const char *const *names, size_t n)
{
    struct delivery_status status[8];
    assert_int_equal(delivery_get_status(delivery, status, 8), n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(status[i].name, names[i]);
}

/* Each action delivers what comes. */
static void assert_all_deliver(size_t n_actions)
{
    size_t n = world.n_delivered;
    add_events(1);
    wait_until(world.n_delivered == n + n_actions);
}

static const char *const old_names[] = { "same", "changed", "gone" };
static const char *const new_names[] = { "new", "same", "changed" };

static void test_fails_anywhere(void **state)
{
    unsigned n_failures = 0;
    struct delivery_change *change;
    (void) state;
    start_with(OLD);
    assert_all_deliver(3);
    struct config *next = read_config(NEW);
    for (;; n_failures++) {
        fails_at = n_failures + 1;
        err.msg[0] = '\0';
        int r = delivery_prepare(delivery, next, &change, &err);
        bool failed = fails_at == 0;
        fails_at = 0;
        if (!failed)
            break;
        assert_true(r < 0);
        assert_null(change);
        assert_string_not_equal(err.msg, "");
        assert_names(old_names, 3);
        assert_all_deliver(3);
    }
    assert_true(n_failures >= 10); /* the change, two lists, a name, two workers of two parts, four threads */
    assert_names(old_names, 3);

    delivery_configure(delivery, change);
    assert_names(new_names, 3);
    assert_all_deliver(3);
    config_free(config);
    config = next;
}

static void test_given_up(void **state)
{
    struct delivery_change *change;
    (void) state;
    start_with(OLD);
    struct config *next = read_config(NEW);
    assert_int_equal(delivery_prepare(delivery, next, &change, &err), 0);
    assert_null(delivery_change_free(change));
    config_free(next);
    assert_names(old_names, 3);
    assert_all_deliver(3);
    assert_int_equal(world.n_opened, 3);
}

/* As if it were in a read that does not come back. */
static struct worker *hang_in_reading(void)
{
    struct worker *worker = delivery->workers[0];
    pthread_mutex_lock(&worker->lock);
    while (worker->reading || worker->first) {
        pthread_mutex_unlock(&worker->lock);
        sleep_a_little();
        pthread_mutex_lock(&worker->lock);
    }
    worker->reading = true;
    worker->reading_stuck_us = 1;
    pthread_mutex_unlock(&worker->lock);
    return worker;
}

static void come_back(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->reading = false;
    worker->reading_stuck_us = 0;
    pthread_cond_broadcast(&worker->more);
    pthread_mutex_unlock(&worker->lock);
}

/* A new start would wait for the same disk: it is told and shown, and no reason for the watchdog. */
static void test_a_read_hangs(void **state)
{
    char name[NAME_MAX_BYTES + 1];
    (void) state;
    start_with(ACTION);
    assert_all_deliver(1);
    struct worker *worker = hang_in_reading();
    assert_true(delivery_alive(delivery, name));
    assert_int_equal(status_of_first().state, DELIVERY_FAILING);
    assert_string_equal(status_of_first().error, "a read takes longer than a minute");
    delivery_tick(delivery);
    assert_true(worker->reading_told);

    assert_false(worker_rest(worker, uptime_us()));
    worker_read_on(worker);
    add_events(1);
    come_back(worker);
    wait_until(world.n_delivered == 2);
    assert_int_not_equal(status_of_first().state, DELIVERY_FAILING);
    assert_true(worker_rest(worker, UINT64_MAX));
    worker_read_on(worker);
    assert_all_deliver(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { delivery_test(test_fails_anywhere), delivery_test(test_given_up),
                                        delivery_test(test_a_read_hangs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
