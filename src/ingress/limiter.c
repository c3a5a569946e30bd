/* limiter.c - addresses that sent wrong keys. A fixed table: a stranger with many addresses pushes out the oldest,
 * never asks for memory. */
#include <string.h>
#include <sys/random.h>

#include "private.h"

#define WAYS 8 /* slots an address may be in */

/* FNV-1a from a secret start, and mixed once more: neighbours must not meet, and nobody can choose who meets. */
static size_t first_slot(const struct limiter *limiter, const struct in6_addr *host)
{
    uint64_t hash = limiter->seed;
    for (size_t i = 0; i < sizeof(host->s6_addr); i++)
        hash = (hash ^ host->s6_addr[i]) * 0x100000001b3;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    return (size_t) (hash >> 33) % (LIMITER_SLOTS / WAYS) * WAYS;
}

void limiter_init(struct limiter *limiter)
{
    limiter->seed = now_us(); /* where the kernel has no random numbers yet */
    (void) !getrandom(&limiter->seed, sizeof(limiter->seed), GRND_NONBLOCK);
}

usec_t limiter_wait_us(const struct limiter *limiter, const struct in6_addr *address, uint64_t max_failed,
                       usec_t window_us, usec_t now)
{
    struct in6_addr host = http_host_of(address);
    const struct limiter_slot *slots = &limiter->slots[first_slot(limiter, &host)];
    for (size_t i = 0; i < WAYS; i++) {
        if (!slots[i].since_us || !IN6_ARE_ADDR_EQUAL(&slots[i].address, &host))
            continue;
        usec_t end = slots[i].since_us + window_us;
        return max_failed && slots[i].n_failed >= max_failed && now < end ? end - now : 0;
    }
    return 0;
}

void limiter_failed(struct limiter *limiter, const struct in6_addr *address, usec_t window_us, usec_t now)
{
    struct in6_addr host = http_host_of(address);
    struct limiter_slot *slots = &limiter->slots[first_slot(limiter, &host)], *slot = slots;
    for (size_t i = 0; i < WAYS; i++) {
        if (slots[i].since_us && IN6_ARE_ADDR_EQUAL(&slots[i].address, &host)) {
            slot = &slots[i];
            break;
        }
        if (slots[i].since_us < slot->since_us)
            slot = &slots[i];
    }
    if (!slot->since_us || !IN6_ARE_ADDR_EQUAL(&slot->address, &host) || now >= slot->since_us + window_us)
        *slot = (struct limiter_slot){ .address = host, .since_us = now ? now : 1 };
    slot->n_failed++;
}
