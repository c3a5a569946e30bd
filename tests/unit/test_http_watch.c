/* test_http_watch.c - listeners of which one cannot be watched, for lack of memory or of the user's share of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>

#include <cmocka.h>

#include "http_private.h"

static struct http_listener listeners[] = { { .name = "main", .fd = 10 }, { .name = "other", .fd = 11 } };
static bool watched[2], no_room;

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    (void) epfd, (void) event;
    bool *one = &watched[fd - listeners[0].fd];
    errno = op == EPOLL_CTL_DEL ? ENOENT : *one ? EEXIST : ENOSPC;
    if (op == EPOLL_CTL_DEL ? !*one : *one || (no_room && fd == listeners[1].fd))
        return -1;
    *one = op == EPOLL_CTL_ADD;
    return 0;
}

static struct http begin(bool second_has_no_room)
{
    memset(watched, 0, sizeof(watched));
    no_room = second_has_no_room;
    return (struct http){ .listeners = listeners, .n_listeners = ARRAY_SIZE(listeners) };
}

static void test_watched_as_soon_as_there_is_room(void **state)
{
    (void) state;
    struct http http = begin(true);
    listeners_watch(&http);
    assert_true(watched[0] && !watched[1]);
    no_room = false;
    listeners_watch(&http);
    assert_true(watched[0] && watched[1]);
}

/* Else its connections would wake up a thread that does not take them, again and again. */
static void test_the_other_rests(void **state)
{
    (void) state;
    struct http http = begin(true);
    listeners_watch(&http);
    http.full = true;
    listeners_watch(&http);
    assert_true(!watched[0] && !watched[1]);
    http.full = no_room = false;
    listeners_watch(&http);
    assert_true(watched[0] && watched[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watched_as_soon_as_there_is_room),
        cmocka_unit_test(test_the_other_rests),
    };
    return cmocka_run_group_tests_name("http_watch", tests, NULL, NULL);
}
