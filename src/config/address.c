/* address.c - numeric addresses to listen on; names are not asked for, a start must not wait for DNS. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "config_private.h"

static int port_parse(const char *s, in_port_t *ret)
{
    size_t size = strlen(s);
    if (size < 1 || size > 5 || strspn(s, "0123456789") != size)
        return -EINVAL;

    unsigned port = 0;
    for (; *s; s++)
        port = port * 10 + (unsigned) (*s - '0');
    if (port > 65535)
        return -EINVAL;
    *ret = htons((in_port_t) port);
    return 0;
}

int address_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    char host[INET6_ADDRSTRLEN] = "";

    const char *colon = strrchr(text, ':');
    if (!colon || port_parse(colon + 1, &v4.sin_port) < 0)
        return -EINVAL;
    v6.sin6_port = v4.sin_port;

    bool bracket = *text == '[';
    if (bracket && (colon - text < 2 || colon[-1] != ']'))
        return -EINVAL;
    const char *start = text + bracket, *end = colon - bracket;
    if ((size_t) (end - start) >= sizeof(host))
        return -EINVAL;
    memcpy(host, start, (size_t) (end - start));
    if (inet_pton(bracket ? AF_INET6 : AF_INET, host, bracket ? (void *) &v6.sin6_addr : &v4.sin_addr) != 1)
        return -EINVAL;

    *ret_size = bracket ? sizeof(v6) : sizeof(v4);
    *ret = (struct sockaddr_storage){ 0 };
    memcpy(ret, bracket ? (void *) &v6 : &v4, *ret_size);
    return 0;
}

int config_address_read(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
    return address_parse(text, ret, ret_size);
}

bool address_is_loopback(const char *text)
{
    struct sockaddr_storage address;
    socklen_t size;
    if (address_parse(text, &address, &size) < 0)
        return false;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, &address, sizeof(v4));
    memcpy(&v6, &address, sizeof(v6));
    return address.ss_family == AF_INET ? ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
                                        : IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static bool same_or_any(const void *a, const void *b, size_t size)
{
    static const struct in6_addr any; /* all zero, as 0.0.0.0 is */
    return memcmp(a, b, size) == 0 || memcmp(a, &any, size) == 0 || memcmp(b, &any, size) == 0;
}

bool address_overlap(const char *a, const char *b)
{
    struct sockaddr_storage x, y;
    socklen_t size;
    if (address_parse(a, &x, &size) < 0 || address_parse(b, &y, &size) < 0)
        return false;

    struct sockaddr_in x4, y4;
    struct sockaddr_in6 x6, y6;
    memcpy(&x4, &x, sizeof(x4));
    memcpy(&y4, &y, sizeof(y4));
    memcpy(&x6, &x, sizeof(x6));
    memcpy(&y6, &y, sizeof(y6));
    if (x4.sin_port != y4.sin_port || !x4.sin_port) /* the port is at the same place in both kinds */
        return false;
    if (x.ss_family == AF_INET && y.ss_family == AF_INET)
        return same_or_any(&x4.sin_addr, &y4.sin_addr, sizeof(x4.sin_addr));
    if (x.ss_family == AF_INET6 && y.ss_family == AF_INET6)
        return same_or_any(&x6.sin6_addr, &y6.sin6_addr, sizeof(x6.sin6_addr));

    /* [::] serves IPv4 as well. */
    const struct in6_addr *v6 = x.ss_family == AF_INET6 ? &x6.sin6_addr : &y6.sin6_addr;
    return IN6_IS_ADDR_UNSPECIFIED(v6);
}
