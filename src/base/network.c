/* network.c - networks of IP addresses. */
#include <sonoran-pushd/network.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define EXPECTED "expected an address or a network, such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32"
#define V4_BITS_BEFORE 96

static bool read_bits(const char *s, unsigned max, unsigned *ret)
{
    size_t size = strlen(s);
    if (size < 1 || size > 3 || strspn(s, "0123456789") != size)
        return false;
    *ret = 0;
    for (; *s; s++)
        *ret = 10 * *ret + (unsigned) (*s - '0');
    return *ret <= max;
}

/* How many bits its addresses have; 0: it is none. */
static unsigned read_address(const char *text, struct in6_addr *ret)
{
    struct in_addr v4;
    if (inet_pton(AF_INET6, text, ret) == 1)
        return 128;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return 0;
    *ret = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
    memcpy(&ret->s6_addr[12], &v4, sizeof(v4));
    return 32;
}

static struct in6_addr cut(const struct in6_addr *address, unsigned bits)
{
    struct in6_addr ret = { 0 };
    memcpy(&ret, address, bits / 8);
    if (bits % 8)
        ret.s6_addr[bits / 8] = address->s6_addr[bits / 8] & (uint8_t) (0xff << (8 - bits % 8));
    return ret;
}

static int refuse_rest(const struct in6_addr *network, bool is_v4, unsigned bits, struct err *err)
{
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(is_v4 ? AF_INET : AF_INET6, &network->s6_addr[is_v4 ? 12 : 0], text, sizeof(text));
    return err_set(err, -EINVAL, "expected %s/%u, since that is the network, or the address alone", text, bits);
}

int network_read(const char *text, struct network *ret, struct err *err)
{
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t) (slash - text) : strlen(text);
    char address[INET6_ADDRSTRLEN] = "";
    if (size >= sizeof(address))
        return err_set(err, -EINVAL, EXPECTED);
    memcpy(address, text, size);
    unsigned max = read_address(address, &ret->address), bits = max;
    if (!max || (slash && !read_bits(slash + 1, max, &bits)))
        return err_set(err, -EINVAL, EXPECTED);
    bool is_v4 = max == 32;
    ret->bits = bits + (is_v4 ? V4_BITS_BEFORE : 0);
    struct in6_addr network = cut(&ret->address, ret->bits);
    if (memcmp(&network, &ret->address, sizeof(network)) != 0)
        return refuse_rest(&network, is_v4, bits, err);
    return 0;
}

bool network_has(const struct network *network, const struct in6_addr *address)
{
    struct in6_addr of = cut(address, network->bits);
    return memcmp(&of, &network->address, sizeof(of)) == 0;
}
