/* socket.c - listening sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <sonoran-pushd/machine.h>

#include "http_private.h"

static void name_address(const struct sockaddr *address, char *ret_name, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) (const void *) address;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(ret_name, size, "[%s]:%u", host, ntohs(in6->sin6_port));
        return;
    }
    const struct sockaddr_in *in = (const struct sockaddr_in *) (const void *) address;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    snprintf(ret_name, size, "%s:%u", host, ntohs(in->sin_port));
}

static int open_socket(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;

    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, address, size) < 0 || listen(fd, SOMAXCONN) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

static bool is_everywhere(const struct sockaddr *address)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) (const void *) address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

static struct sockaddr_in without_ipv6(const struct sockaddr *address)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) (const void *) address;
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = in6->sin6_port };
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
    int fd CLEANUP(cleanup_close) = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && bind(fd, (const struct sockaddr *) &any, sizeof(any)) == 0;
}

static bool same_address(const struct sockaddr *bound, const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_storage wanted = { 0 };
    memcpy(&wanted, address, size);
    if (bound->sa_family != address->sa_family)
        return false;

    /* The port is at the same place in both. */
    struct sockaddr_in *in = (struct sockaddr_in *) (void *) &wanted;
    const struct sockaddr_in *bound_in = (const struct sockaddr_in *) (const void *) bound;
    if (in->sin_port == 0)
        in->sin_port = bound_in->sin_port;
    if (address->sa_family == AF_INET)
        return in->sin_port == bound_in->sin_port && in->sin_addr.s_addr == bound_in->sin_addr.s_addr;

    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) (const void *) &wanted;
    const struct sockaddr_in6 *bound_in6 = (const struct sockaddr_in6 *) (const void *) bound;
    return in6->sin6_port == bound_in6->sin6_port && IN6_ARE_ADDR_EQUAL(&in6->sin6_addr, &bound_in6->sin6_addr) &&
           in6->sin6_scope_id == bound_in6->sin6_scope_id;
}

static const char *hint_of_low_port(void)
{
    return machine_has_systemd()
               ? "; a port below 1024 takes, in systemctl edit " PROGRAM_NAME ": [Service] "
                 "AmbientCapabilities=CAP_NET_BIND_SERVICE, CapabilityBoundingSet=CAP_NET_BIND_SERVICE, PrivateUsers=no"
               : "; a port below 1024 takes root or CAP_NET_BIND_SERVICE, or a lower "
                 "net.ipv4.ip_unprivileged_port_start (sysctl)";
}

static int cannot_listen(int r, const struct sockaddr *address, struct err *err)
{
    char name[INET6_ADDRSTRLEN + 8], holder[64];
    name_address(address, name, sizeof(name));
    if (r == -EADDRINUSE && http_holder_find(address, holder, sizeof(holder)))
        return err_set(err, r, "cannot listen on %s: %s has this port already", name, holder);
    const char *hint = r == -EADDRINUSE      ? "; another program has this port (as root: ss -ltnp)"
                       : r == -EACCES        ? hint_of_low_port()
                       : r == -EADDRNOTAVAIL ? "; no network interface has this address"
                                             : "";
    return err_set(err, r, "cannot listen on %s: %s%s", name, strerror(-r), hint);
}

int http_listen(const struct sockaddr *address, socklen_t size, struct err *err)
{
    int fd = open_socket(address, size);

    /* A machine without IPv6: "everywhere" means all there is. */
    if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && is_everywhere(address)) {
        struct sockaddr_in in = without_ipv6(address);
        fd = open_socket((const struct sockaddr *) &in, sizeof(in));
    }
    if (fd >= 0)
        return fd;
    return cannot_listen(fd, address, err);
}

bool http_listens_on(int fd, const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t bound_size = sizeof(bound);
    if (getsockname(fd, (struct sockaddr *) &bound, &bound_size) < 0)
        return false;
    if (is_everywhere(address) && bound.ss_family == AF_INET && !has_ipv6()) {
        struct sockaddr_in in = without_ipv6(address);
        return same_address((struct sockaddr *) &bound, (const struct sockaddr *) &in, sizeof(in));
    }
    return same_address((struct sockaddr *) &bound, address, size);
}

/* shutdown() on one that listens: the other copies listen no more either, and another may bind, as SO_REUSEADDR lets
 * it. A second time it would mark the socket, and every connection that it accepts later, as shut down. */
void http_silence(int fd)
{
    int listens = 0;
    socklen_t size = sizeof(listens);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
        (void) shutdown(fd, SHUT_RDWR);
}

int http_listen_again(int fd)
{
    return listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

struct in6_addr http_host_of(const struct in6_addr *address)
{
    struct in6_addr host = *address;
    if (!IN6_IS_ADDR_V4MAPPED(address))
        memset(&host.s6_addr[8], 0, 8);
    return host;
}

void http_socket_name(int fd, char *ret_name, size_t size)
{
    struct sockaddr_storage address = { 0 };
    socklen_t address_size = sizeof(address) - 1;
    if (getsockname(fd, (struct sockaddr *) &address, &address_size) < 0) {
        snprintf(ret_name, size, "?");
        return;
    }
    if (address.ss_family == AF_UNIX) {
        snprintf(ret_name, size, "%s", ((const struct sockaddr_un *) &address)->sun_path);
        return;
    }
    name_address((const struct sockaddr *) &address, ret_name, size);
}
