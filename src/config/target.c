/* target.c - does a URL lead to one of our own listeners? What is posted there comes back as an event, without end.
 *
 * Names are not asked for, a start must not wait for DNS: only "localhost" and the name of this machine are known. */
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config_private.h"

struct target {
    char host[256];
    in_port_t port; /* network order */
};

static bool read_target(const char *url, struct target *ret)
{
    bool tls = strncmp(url, "https://", 8) == 0;
    const char *host = url + (tls ? 8 : 7);
    size_t size = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', size);
    if (at) {
        size -= (size_t) (at + 1 - host);
        host = at + 1;
    }
    const char *bracket = *host == '[' ? memchr(host, ']', size) : NULL;
    const char *end = bracket ? bracket + 1 : host + strcspn(host, ":/?#");
    unsigned long port = *end == ':' ? strtoul(end + 1, NULL, 10) : tls ? 443 : 80;
    host += bracket != NULL;
    size_t host_size = (size_t) ((bracket ? bracket : end) - host);
    if (!port || port > 65535 || !host_size || host_size >= sizeof(ret->host))
        return false;
    memcpy(ret->host, host, host_size);
    ret->host[host_size] = '\0';
    ret->port = htons((in_port_t) port);
    return true;
}

static struct in6_addr map_v4(const struct sockaddr_in *v4)
{
    struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    memcpy(&mapped.s6_addr[12], &v4->sin_addr, sizeof(v4->sin_addr));
    return mapped;
}

static struct in6_addr address_of(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return map_v4(&v4);
    }
    memcpy(&v6, address, sizeof(v6));
    return v6.sin6_addr;
}

static bool is_any(const struct in6_addr *address)
{
    static const struct in6_addr none;
    return memcmp(&address->s6_addr[12], &none.s6_addr[12], 4) == 0 &&
           (IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_V4MAPPED(address));
}

/* Only an address of this machine can be bound. */
static bool is_local(const struct in6_addr *address)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = *address };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    bool mapped = IN6_IS_ADDR_V4MAPPED(address);
    memcpy(&v4.sin_addr, &address->s6_addr[12], sizeof(v4.sin_addr));
    int fd CLEANUP(cleanup_close) = socket(mapped ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && (mapped ? bind(fd, (const struct sockaddr *) &v4, sizeof(v4))
                              : bind(fd, (const struct sockaddr *) &v6, sizeof(v6))) == 0;
}

/* The port is the same. */
static bool is_served(const struct in6_addr *target, const struct sockaddr_storage *listener)
{
    struct in6_addr own = address_of((const struct sockaddr *) listener);
    if (!is_any(&own))
        return memcmp(&own, target, sizeof(own)) == 0;
    if (listener->ss_family == AF_INET && !IN6_IS_ADDR_V4MAPPED(target))
        return false;
    return is_local(target); /* to [::] one connects here as well */
}

static bool leads_to(const char *host, const struct sockaddr_storage *listener)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    struct in6_addr address = address_of(found->ai_addr);
    bool mapped = IN6_IS_ADDR_V4MAPPED(&address);
    freeaddrinfo(found);
    if (is_any(&address)) /* as a target it is this machine */
        return leads_to(mapped ? "127.0.0.1" : "::1", listener);
    return is_served(&address, listener);
}

static bool is_own_name(const char *host)
{
    char name[256] = "";
    (void) gethostname(name, sizeof(name) - 1);
    return strcasecmp(host, "localhost") == 0 || (*name && strcasecmp(host, name) == 0);
}

static bool is_target(const struct target *target, const struct config_listener *listener)
{
    struct sockaddr_storage address;
    struct sockaddr_in port; /* at the same place in both kinds */
    socklen_t size;
    if (!listener->address || address_parse(listener->address, &address, &size) < 0)
        return false;
    memcpy(&port, &address, sizeof(port));
    if (port.sin_port != target->port)
        return false;
    if (is_own_name(target->host))
        return leads_to("127.0.0.1", &address) || leads_to("::1", &address);
    return leads_to(target->host, &address);
}

const struct config_listener *target_find_listener(const struct config *config, const char *url)
{
    struct target target;
    for (size_t i = 0; read_target(url, &target) && i < config->n_listeners; i++)
        if (is_target(&target, &config->listeners[i]))
            return &config->listeners[i];
    return NULL;
}
