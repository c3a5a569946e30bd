/* test_source_gate.c - tables of hosts of a fixed size: who is known, who guessed too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>

#include "../../src/intake/intake_private.h"

#define MINUTE_US (60 * USEC_PER_SEC)
#define NOW_US (5 * MINUTE_US)

static struct host host_number(uint32_t i)
{
    const struct in6_addr address = { .s6_addr = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t) (i >> 24), (uint8_t) (i >> 16),
                                                   (uint8_t) (i >> 8), (uint8_t) i } };
    return hosts_make(0, &address);
}

static struct host host_of(const char *peer)
{
    struct host host;
    assert_true(hosts_read(0, peer, &host));
    return host;
}

static void test_hosts(void **state)
{
    (void) state;
    struct host host, one = host_of("2001:db8:1:2::1"), neighbour = host_of("2001:db8:1:2:ffff::9");
    struct host other = host_of("2001:db8:1:3::1"), v4 = host_of("192.0.2.1"), mapped = host_of("::ffff:192.0.2.1");
    assert_memory_equal(&one, &neighbour, sizeof(one));
    assert_memory_not_equal(&one, &other, sizeof(one));
    assert_memory_equal(&v4, &mapped, sizeof(v4));
    assert_false(hosts_read(0, "", &host));
    assert_false(hosts_read(0, "192.0.2", &host));
}

static void test_known_for_its_time(void **state)
{
    struct known *known = calloc(1, sizeof(*known));
    struct host host = host_of("192.0.2.1"), other = host_of("192.0.2.2");
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
        struct host host = host_number(i);
        known_add(known, &host, NOW_US + i + 1);
        assert_true(known_has(known, &host, NOW_US));
    }
    for (uint32_t i = 0; i < 4 * KNOWN_SLOTS; i++) {
        struct host host = host_number(i);
        n += known_has(known, &host, NOW_US);
    }
    assert_in_range(n, KNOWN_SLOTS * 9 / 10, KNOWN_SLOTS);
    free(known);
}

static void test_wrong_keys_in_a_window(void **state)
{
    struct limiter *limiter = calloc(1, sizeof(*limiter));
    struct host host = host_of("192.0.2.1"), other = host_of("192.0.2.2");
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

/* ---- the gate as a whole ---- */

struct doors {
    struct gate *gate;
    struct gate_door *push, *session;
};

static const struct in6_addr stranger = { .s6_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } };

static void open_doors(struct doors *doors)
{
    const struct config config = { .limits = { .failed_keys = 3, .failed_keys_window_us = MINUTE_US } };
    assert_int_equal(gate_new(&doors->gate, &config, &families_all), 0);
    assert_int_equal(gate_door_new(&doors->push, doors->gate, "push"), 0);
    assert_int_equal(gate_door_new(&doors->session, doors->gate, "session"), 0);
}

static void close_doors(struct doors *doors)
{
    gate_door_free(doors->push);
    gate_door_free(doors->session);
    gate_free(doors->gate);
}

static void fail_three_times(struct gate_door *door)
{
    for (int i = 0; i < 3; i++)
        gate_wrong_key(door, &stranger, NOW_US);
}

static void test_blocked_at_one_source_only(void **state)
{
    (void) state;
    struct doors doors;
    open_doors(&doors);
    fail_three_times(doors.push);
    assert_int_equal(gate_wait_us(doors.push, &stranger, NOW_US), MINUTE_US);
    assert_int_equal(gate_wait_us(doors.session, &stranger, NOW_US), 0);
    assert_int_equal(gate_wait_us(doors.push, &stranger, NOW_US + MINUTE_US), 0);
    close_doors(&doors);
}

static void test_who_had_a_right_key_is_not_blocked(void **state)
{
    (void) state;
    struct doors doors;
    open_doors(&doors);
    gate_right_key(doors.push, &stranger, NOW_US);
    fail_three_times(doors.push);
    fail_three_times(doors.session);
    assert_int_equal(gate_wait_us(doors.push, &stranger, NOW_US), 0);
    assert_int_equal(gate_wait_us(doors.session, &stranger, NOW_US), MINUTE_US);
    assert_true(gate_knows(doors.push, &stranger, NOW_US));
    assert_false(gate_knows(doors.session, &stranger, NOW_US));
    close_doors(&doors);
}

static void test_known_from_the_log(void **state)
{
    (void) state;
    struct doors doors;
    open_doors(&doors);
    gate_heard(doors.gate, "push", "192.0.2.1", now_us());
    assert_true(gate_knows(doors.push, &stranger, uptime_us()));
    assert_false(gate_knows(doors.session, &stranger, uptime_us()));
    gate_heard(doors.gate, "session", "192.0.2.1", now_us() - KNOWN_US);
    gate_heard(doors.gate, "session", "api.sonorancad.com", now_us());
    assert_false(gate_knows(doors.session, &stranger, uptime_us()));
    close_doors(&doors);
}

static void test_limits_of_another_configuration(void **state)
{
    (void) state;
    struct doors doors;
    const struct config config = { .limits = { .failed_keys = 0, .failed_keys_window_us = MINUTE_US } };
    open_doors(&doors);
    fail_three_times(doors.push);
    gate_configure(doors.gate, &config);
    assert_int_equal(gate_wait_us(doors.push, &stranger, NOW_US), 0);
    close_doors(&doors);
}

static void test_counts_of_each_door(void **state)
{
    (void) state;
    struct doors doors;
    struct gate_status status;
    open_doors(&doors);
    gate_name(doors.push, "main");
    gate_name(doors.push, "main");
    gate_count(doors.push, "main", GATE_ACCEPTED);
    gate_note(doors.push, "main", GATE_NOT_FOUND, "192.0.2.1", "/x");
    gate_note(doors.push, "never named", GATE_NOT_FOUND, "192.0.2.2", "/y");
    gate_get_status(doors.push, &status);
    assert_int_equal(status.counts[GATE_ACCEPTED], 1);
    assert_int_equal(status.counts[GATE_NOT_FOUND], 2);
    assert_string_equal(status.last[GATE_NOT_FOUND].peer, "192.0.2.2");
    assert_string_equal(status.last[GATE_NOT_FOUND].what, "/y");
    assert_int_equal(status.last[GATE_ACCEPTED].at_us, 0);
    gate_get_status(doors.session, &status);
    assert_int_equal(status.counts[GATE_NOT_FOUND], 0);
    close_doors(&doors);
}

/* What is not named does not become a label, and more than there is room for neither. */
static void test_counts_by_name(void **state)
{
    (void) state;
    struct doors doors;
    struct report_list list CLEANUP(report_list_free) = { 0 };
    struct gate_status status;
    open_doors(&doors);
    gate_name(doors.push, "main");
    gate_name(doors.push, "other");
    gate_count(doors.push, "main", GATE_ACCEPTED);
    gate_add_report(doors.push, &list);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.parts[0].labels[0].value, "main");
    assert_int_equal(((const struct gate_status *) list.parts[0].values)->counts[GATE_ACCEPTED], 1);
    assert_string_equal(list.parts[1].labels[0].value, "other");
    report_list_free(&list);
    for (int i = 0; i < 2 * GATE_NAMES_MAX; i++) {
        char name[NAME_MAX_BYTES + 1];
        snprintf(name, sizeof(name), "l%d", i);
        gate_name(doors.push, name);
        gate_count(doors.push, name, GATE_ACCEPTED);
    }
    gate_add_report(doors.push, &list);
    assert_int_equal(list.n, 1 + GATE_NAMES_MAX);
    assert_string_equal(list.parts[0].labels[0].value, "");
    gate_get_status(doors.push, &status);
    assert_int_equal(status.counts[GATE_ACCEPTED], 1 + 2 * GATE_NAMES_MAX);
    close_doors(&doors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_known_for_its_time),
        cmocka_unit_test(test_more_hosts_than_slots),
        cmocka_unit_test(test_wrong_keys_in_a_window),
        cmocka_unit_test(test_blocked_at_one_source_only),
        cmocka_unit_test(test_who_had_a_right_key_is_not_blocked),
        cmocka_unit_test(test_known_from_the_log),
        cmocka_unit_test(test_limits_of_another_configuration),
        cmocka_unit_test(test_counts_of_each_door),
        cmocka_unit_test(test_counts_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
