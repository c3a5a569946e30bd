/* test_admin_round.c - whoever comes when the time of a round is used up is told to come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/admin/admin_private.h"

static void a_round_has_one_time(void **state)
{
    struct admin admin = { .round_us = ADMIN_ROUND_US };
    struct http_answer answer = { 0 };
    (void) state;
    assert_false(admin_is_over_time(&admin));
    assert_true(admin_has_time(&admin, &answer));
    assert_true(admin.round_since_us > 0);

    admin.round_since_us = 1; /* a round that takes since the machine came up */
    assert_true(admin_is_over_time(&admin));
    assert_false(admin_has_time(&admin, &answer));
    assert_int_equal(answer.status, 503);
    assert_true(answer.retry_after_s > 0);
    answer.free_body((void *) (uintptr_t) answer.body);

    admin_end_round(&admin);
    assert_false(admin_is_over_time(&admin));
    assert_true(admin_has_time(&admin, &answer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_has_one_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
