/* hosts.c - tables of hosts of a fixed size: each host may be in a few slots, and nobody can choose whom it meets
 * there. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/random.h>

#include <sonoran-pushd/http.h>

#include "intake_private.h"

uint64_t hosts_seed(void)
{
    uint64_t seed = now_us(); /* where the kernel has no random numbers yet */
    (void) !getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
    return seed;
}

/* From a secret start, and mixed once more: neighbours must not meet. */
size_t hosts_first_slot(uint64_t seed, const struct host *host, size_t n_slots)
{
    uint64_t hash = hash_bytes(seed ^ host->source, host->address.s6_addr, sizeof(host->address.s6_addr));
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    return (size_t) (hash >> 33) % (n_slots / HOSTS_WAYS) * HOSTS_WAYS;
}

uint64_t hosts_source(const char *source)
{
    return hash_bytes(0, source, strlen(source));
}

struct host hosts_make(uint64_t source, const struct in6_addr *address)
{
    return (struct host){ .address = http_host_of(address), .source = source };
}

bool hosts_read(uint64_t source, const char *peer, struct host *ret)
{
    struct in6_addr address = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    if (inet_pton(AF_INET, peer, &address.s6_addr[12]) != 1 && inet_pton(AF_INET6, peer, &address) != 1)
        return false;
    *ret = hosts_make(source, &address);
    return true;
}
