/* admin_host.c - the name by which a request asks for us. A page whose own name was made to lead here asks by that
 * name, and nothing else tells it from ours (DNS rebinding); an address is no name. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "admin_private.h"

#define HOST_MAX_BYTES 255

/* Without the port, which is another one behind ssh -L or a proxy, and without brackets and the dot of the root. */
static bool read_name(const char *host, char ret[HOST_MAX_BYTES + 1])
{
    bool bracket = *host == '[';
    size_t size = bracket ? strcspn(host, "]") : strcspn(host, ":");
    const char *rest = host + size + (bracket && host[size]);
    if ((bracket && host[size] != ']') || (*rest && *rest != ':') || size > HOST_MAX_BYTES)
        return false;
    snprintf(ret, HOST_MAX_BYTES + 1, "%.*s", (int) (size - bracket), host + bracket);
    size = strlen(ret);
    if (size && !bracket && ret[size - 1] == '.')
        ret[size - 1] = '\0';
    return true;
}

static bool is_localhost(const char *name)
{
    static const char localhost[] = "localhost";
    size_t size = strlen(name), of = strlen(localhost);
    return size >= of && strcasecmp(name + size - of, localhost) == 0 && (size == of || name[size - of - 1] == '.');
}

static bool is_address(const char *name)
{
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

/* NULL, "": of no browser. */
bool admin_host_is_ours(const struct admin_parts *parts, const char *host)
{
    const struct config *config = parts->config;
    char name[HOST_MAX_BYTES + 1];
    if (!host || !*host)
        return true;
    if (!read_name(host, name))
        return false;
    bool ours = is_localhost(name) || is_address(name);
    for (size_t i = 0; !ours && i < config->admin.n_hosts; i++)
        ours = strcasecmp(name, config->admin.hosts[i]) == 0;
    return ours;
}

/* The same host and port; the scheme may be that of a proxy. */
bool admin_host_is_origin(const char *host, const char *origin)
{
    const char *rest = strstr(origin, "://");
    return rest && host && strcasecmp(rest + strlen("://"), host) == 0;
}

static bool is_loopback_address(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == IN_LOOPBACKNET);
}

bool admin_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof(v6));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

bool admin_is_by_proxy(const struct http_request *request)
{
    static const char *const names[] = { ADMIN_OF_PROXIES };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (http_header(request, names[i]))
            return true;
    return false;
}

bool admin_is_local(void *admin, const struct http_request *request)
{
    const char *host = http_header(request, "Host");
    char name[HOST_MAX_BYTES + 1];
    struct in_addr v4;
    struct in6_addr v6;
    uid_t user;
    (void) admin;
    if (admin_is_by_proxy(request) || (!http_peer_user(request, &user) && !is_loopback_address(request->peer_address)))
        return false;
    if (!host || !*host)
        return true;
    if (!read_name(host, name))
        return false;
    return is_localhost(name) || (inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET) ||
           (inet_pton(AF_INET6, name, &v6) == 1 && is_loopback_address(&v6));
}
