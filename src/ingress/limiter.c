/* limiter.c - addresses that sent wrong keys. A fixed table: a stranger with many addresses pushes out the oldest,
 * never asks for memory. */
#include "private.h"

usec_t limiter_wait_us(const struct limiter *limiter, const struct in6_addr *address, uint64_t max_failed,
                       usec_t window_us, usec_t now)
{
    struct in6_addr host = http_host_of(address);
    const struct limiter_slot *slots = &limiter->slots[hosts_first_slot(limiter->seed, &host, LIMITER_SLOTS)];
    for (size_t i = 0; i < HOSTS_WAYS; i++) {
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
    struct limiter_slot *slots = &limiter->slots[hosts_first_slot(limiter->seed, &host, LIMITER_SLOTS)], *slot = slots;
    for (size_t i = 0; i < HOSTS_WAYS; i++) {
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
