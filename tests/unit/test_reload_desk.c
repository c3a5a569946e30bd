/* test_reload_desk.c - who asks for a reload is answered once, whoever comes first: the answer, its patience, the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>

#include "../../src/daemon/daemon_private.h"

static struct reload_desk desk;
static int one, other; /* tickets */

static int set_up(void **state)
{
    struct err err;
    (void) state;
    return reload_desk_open(&desk, &err);
}

static int tear_down(void **state)
{
    (void) state;
    reload_desk_free(&desk);
    return 0;
}

static int ask(void *ticket)
{
    struct text secrets CLEANUP(text_wipe) = TEXT_INIT;
    struct err err;
    text_add(&secrets, "secret");
    return reload_desk_ask(&desk, &secrets, ticket, &err);
}

static bool is_asked(void)
{
    struct pollfd ready = { .fd = desk.fd, .events = POLLIN };
    return poll(&ready, 1, 0) == 1;
}

static void take(void)
{
    struct text secrets CLEANUP(text_wipe) = TEXT_INIT;
    bool handed_over = false;
    assert_true(reload_desk_take(&desk, &secrets, &handed_over));
    assert_true(handed_over);
    assert_string_equal(secrets.s, "secret");
}

static void asked_and_answered(void **state)
{
    (void) state;
    for (int i = 0; i < 2; i++) {
        assert_false(is_asked());
        assert_int_equal(ask(&one), 0);
        assert_true(is_asked());
        assert_int_equal(ask(&other), -EBUSY);
        take();
        assert_int_equal(ask(&other), -EBUSY);
        assert_ptr_equal(reload_desk_done(&desk), &one);
    }
    assert_null(reload_desk_close(&desk));
}

static void given_up_in_time(void **state)
{
    struct text secrets CLEANUP(text_wipe) = TEXT_INIT;
    bool handed_over;
    (void) state;
    assert_int_equal(ask(&one), 0);
    assert_false(reload_desk_give_up(&desk, &other));
    assert_true(reload_desk_give_up(&desk, &one));
    assert_false(reload_desk_take(&desk, &secrets, &handed_over)); /* it was woken for nothing */
    assert_int_equal(secrets.size, 0);
    assert_int_equal(ask(&other), 0);
}

static void given_up_too_late(void **state)
{
    (void) state;
    assert_int_equal(ask(&one), 0);
    take();
    assert_false(reload_desk_give_up(&desk, &one));
    assert_ptr_equal(reload_desk_done(&desk), &one); /* it comes all the same */
}

static void the_end(void **state)
{
    (void) state;
    assert_int_equal(ask(&one), 0);
    assert_ptr_equal(reload_desk_close(&desk), &one);
    assert_int_equal(ask(&other), -ESHUTDOWN);
    assert_false(reload_desk_give_up(&desk, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asked_and_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(given_up_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(given_up_too_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
