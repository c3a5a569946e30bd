/* test_ingress.c - tables of addresses of a fixed size: who is known, who guessed too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/ingress/private.h"

#define MINUTE_US (60 * USEC_PER_SEC)
#define NOW_US (5 * MINUTE_US)

static struct in6_addr host_number(uint32_t i)
{
    struct in6_addr host = { .s6_addr = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t) (i >> 24), (uint8_t) (i >> 16),
                                          (uint8_t) (i >> 8), (uint8_t) i } };
    return host;
}

static struct in6_addr host_of(const char *peer)
{
    struct in6_addr host;
    assert_true(hosts_read(peer, &host));
    return host;
}

static void test_hosts(void **state)
{
    (void) state;
    struct in6_addr host, one = host_of("2001:db8:1:2::1"), neighbour = host_of("2001:db8:1:2:ffff::9");
    struct in6_addr other = host_of("2001:db8:1:3::1"), v4 = host_of("192.0.2.1"), mapped = host_of("::ffff:192.0.2.1");
    assert_memory_equal(&one, &neighbour, sizeof(one));
    assert_memory_not_equal(&one, &other, sizeof(one));
    assert_memory_equal(&v4, &mapped, sizeof(v4));
    assert_false(hosts_read("", &host));
    assert_false(hosts_read("192.0.2", &host));
}

static void test_known_for_its_time(void **state)
{
    struct known *known = calloc(1, sizeof(*known));
    struct in6_addr host = host_of("192.0.2.1"), other = host_of("192.0.2.2");
    (void) state;
    assert_false(known_has(known, &host, NOW_US));
    known_add(known, &host, NOW_US + MINUTE_US);
    assert_true(known_has(known, &host, NOW_US));
    assert_false(known_has(known, &other, NOW_US));
    assert_false(known_has(known, &host, NOW_US + MINUTE_US));
    known_add(known, &host, NOW_US + 2 * MINUTE_US);
    known_add(known, &host, NOW_US + MINUTE_US); /* the log is read in any order */
    assert_true(known_has(known, &host, NOW_US + 2 * MINUTE_US - 1));
    free(known);
}

/* More than it holds: those heard of last are known, and as many as there is room for. */
static void test_more_hosts_than_slots(void **state)
{
    struct known *known = calloc(1, sizeof(*known));
    size_t n = 0;
    (void) state;
    known->seed = hosts_seed();
    for (uint32_t i = 0; i < 4 * KNOWN_SLOTS; i++) {
        struct in6_addr host = host_number(i);
        known_add(known, &host, NOW_US + i + 1);
        assert_true(known_has(known, &host, NOW_US));
    }
    for (uint32_t i = 0; i < 4 * KNOWN_SLOTS; i++) {
        struct in6_addr host = host_number(i);
        n += known_has(known, &host, NOW_US);
    }
    assert_in_range(n, KNOWN_SLOTS * 9 / 10, KNOWN_SLOTS);
    free(known);
}

static void test_wrong_keys_in_a_window(void **state)
{
    struct limiter *limiter = calloc(1, sizeof(*limiter));
    struct in6_addr host = host_of("192.0.2.1"), other = host_of("192.0.2.2");
    (void) state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(limiter_wait_us(limiter, &host, 3, MINUTE_US, NOW_US), 0);
        limiter_failed(limiter, &host, MINUTE_US, NOW_US + (usec_t) i);
    }
    assert_int_equal(limiter_wait_us(limiter, &host, 3, MINUTE_US, NOW_US), MINUTE_US);
    assert_int_equal(limiter_wait_us(limiter, &host, 3, MINUTE_US, NOW_US + MINUTE_US - 1), 1);
    assert_int_equal(limiter_wait_us(limiter, &host, 3, MINUTE_US, NOW_US + MINUTE_US), 0);
    assert_int_equal(limiter_wait_us(limiter, &host, 0, MINUTE_US, NOW_US), 0);
    assert_int_equal(limiter_wait_us(limiter, &other, 3, MINUTE_US, NOW_US), 0);
    limiter_failed(limiter, &host, MINUTE_US, NOW_US + MINUTE_US); /* a new window */
    assert_int_equal(limiter_wait_us(limiter, &host, 3, MINUTE_US, NOW_US + MINUTE_US), 0);
    free(limiter);
}

static void test_keys_in_paths(void **state)
{
    static const struct event_community communities[] = { { "first", "Key-1" },
                                                          { "first", "Key-12" },
                                                          { "second", "a%41" } };
    static const char *const cases[][2] = {
        { "/sonorancad", "/sonorancad" },
        { "/a%20b%2", "/a%20b%2" },
        { "/Key-1", "/[key]" },
        { "/x/kEY-12/y/", "/x/[key]/y/" },
        { "/%4bey%2D1%20z", "/[key] z" },
        { "/%4Bey-1%", "/[key]%" },
        { "/a%41", "/[key]" },
        { "/%61%2541%0a", "/[key]\\n" },
        { "/Key-", "/Key-" },
    };
    const struct envelope_rules rules = { .communities = communities, .n_communities = ARRAY_SIZE(communities) };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        path_show(&rules, cases[i][0], &shown);
        assert_string_equal(shown.s, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_known_for_its_time),
        cmocka_unit_test(test_more_hosts_than_slots),
        cmocka_unit_test(test_wrong_keys_in_a_window),
        cmocka_unit_test(test_keys_in_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
