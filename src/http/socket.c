/* socket.c - listening sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sonoran-pushd/http.h>

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

int http_listen(const struct sockaddr *address, socklen_t size, struct err *err)
{
    int fd = open_socket(address, size);
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) (const void *) address;

    /* A machine without IPv6: "everywhere" means all there is. */
    if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && address->sa_family == AF_INET6 &&
        IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = in6->sin6_port };
        fd = open_socket((const struct sockaddr *) &in, sizeof(in));
    }
    if (fd >= 0)
        return fd;

    char name[INET6_ADDRSTRLEN + 8];
    name_address(address, name, sizeof(name));
    const char *hint = fd == -EADDRINUSE      ? "; another program has this port (see: ss -ltnp)"
                       : fd == -EACCES        ? "; ports below 1024 need the socket unit or CAP_NET_BIND_SERVICE"
                       : fd == -EADDRNOTAVAIL ? "; no network interface has this address"
                                              : "";
    return err_set(err, fd, "cannot listen on %s: %s%s", name, strerror(-fd), hint);
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
    struct sockaddr_storage address;
    socklen_t address_size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *) &address, &address_size) < 0) {
        snprintf(ret_name, size, "?");
        return;
    }
    name_address((const struct sockaddr *) &address, ret_name, size);
}
