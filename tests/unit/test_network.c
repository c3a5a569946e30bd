/* test_network.c - networks of IP addresses: as written, and who is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sonoran-pushd/network.h>

static struct in6_addr address(const char *text)
{
    struct network one;
    struct err err;
    assert_int_equal(network_read(text, &one, &err), 0);
    assert_int_equal(one.bits, 128);
    return one.address;
}

static void test_who_is_in(void **state)
{
    static const struct {
        const char *network, *address;
        bool is_in;
    } rows[] = {
        { "203.0.113.0/24", "203.0.113.0", true },
        { "203.0.113.0/24", "203.0.113.255", true },
        { "203.0.113.0/24", "203.0.112.255", false },
        { "203.0.113.0/24", "203.0.114.0", false },
        { "203.0.113.7", "203.0.113.7", true },
        { "203.0.113.7", "203.0.113.6", false },
        { "203.0.113.128/25", "203.0.113.127", false },
        { "203.0.113.128/25", "203.0.113.128", true },
        { "0.0.0.0/0", "198.51.100.9", true },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "::/0", "198.51.100.9", true },
        { "::ffff:203.0.113.0/120", "203.0.113.9", true },
        { "2001:db8::/32", "2001:db8:ffff::1", true },
        { "2001:db8::/32", "2001:db9::", false },
        { "2001:db8::/33", "2001:db8:8000::1", false },
        { "2001:db8::1", "2001:db8::1", true },
        { "2001:db8::1/128", "2001:db8::3", false },
        { "8000::/1", "ffff::", true },
        { "203.0.113.7/32", "::ffff:203.0.113.7", true },
        { "203.0.113.6/31", "203.0.113.7", true },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct network network;
        struct err err;
        struct in6_addr who = address(rows[i].address);
        assert_int_equal(network_read(rows[i].network, &network, &err), 0);
        if (network_has(&network, &who) != rows[i].is_in)
            fail_msg("%s in %s", rows[i].address, rows[i].network);
    }
}

static void test_is_none(void **state)
{
    static const char expected[] =
        "expected an address or a network, such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32";
    static const char *const rows[][2] = {
        { "", expected },
        { "/", expected },
        { "/8", expected },
        { "203.0.113.0/", expected },
        { "203.0.113.0/33", expected },
        { "203.0.113.0/-1", expected },
        { "203.0.113.0/+8", expected },
        { "203.0.113.0/024x", expected },
        { "203.0.113.0/255.255.255.0", expected },
        { "203.0.113", expected },
        { "203.0.113.0 /24", expected },
        { "2001:db8::/129", expected },
        { "2001:db8::/4294967296", expected },
        { "[2001:db8::]/32", expected },
        { "203.0.113.0:30120", expected },
        { "cad.example.org", expected },
        { "any", expected },
        { "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/1", expected },
        { "203.0.113.7/24", "expected 203.0.113.0/24, since that is the network, or the address alone" },
        { "2001:db8::7/64", "expected 2001:db8::/64, since that is the network, or the address alone" },
        { "203.0.113.7/0", "expected 0.0.0.0/0, since that is the network, or the address alone" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct network network;
        struct err err = { "" };
        assert_int_equal(network_read(rows[i][0], &network, &err), -EINVAL);
        assert_string_equal(err.msg, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_in),
        cmocka_unit_test(test_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
