/* network.h - networks of IP addresses, as people write them: "203.0.113.0/24", "2001:db8::/32", "203.0.113.7".
 *
 * Shape:   addresses are of IPv6; one of IPv4 is its mapped one, ::ffff:203.0.113.7.
 * Threads: any; nothing is kept.
 * Errors:  -EINVAL, with a sentence that says what was expected.
 * Source:  RFC 4632 and RFC 4291, prefixes.
 */
#pragma once

#include <netinet/in.h>
#include <sonoran-pushd/base.h>

struct network {
    struct in6_addr address;
    unsigned bits; /* of the address, from its first on: 0 to 128 */
};

/* Without a number of bits it is one address. Bits behind that number are a mistake, since they mean something else. */
int network_read(const char *text, struct network *ret, struct err *err) MUST_CHECK;

bool network_has(const struct network *network, const struct in6_addr *address);
