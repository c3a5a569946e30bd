/* limiter.c - hosts that sent wrong keys. A fixed table: a stranger with many addresses pushes out the oldest,
 * never asks for memory. */
#include "intake_private.h"

usec_t limiter_wait_us(const struct limiter *limiter, const struct host *host, uint64_t max_failed, usec_t window_us,
                       usec_t now)
{
    const struct limiter_slot *slots = &limiter->slots[hosts_first_slot(limiter->seed, host, LIMITER_SLOTS)];
    for (size_t i = 0; i < HOSTS_WAYS; i++) {
        if (!slots[i].since_us || !hosts_equal(&slots[i].host, host))
            continue;
        usec_t end = slots[i].since_us + window_us;
        return max_failed && slots[i].n_failed >= max_failed && now < end ? end - now : 0;
    }
    return 0;
}

void limiter_failed(struct limiter *limiter, const struct host *host, usec_t window_us, usec_t now)
{
    struct limiter_slot *slots = &limiter->slots[hosts_first_slot(limiter->seed, host, LIMITER_SLOTS)], *slot = slots;
    for (size_t i = 0; i < HOSTS_WAYS; i++) {
        if (slots[i].since_us && hosts_equal(&slots[i].host, host)) {
            slot = &slots[i];
            break;
        }
        if (slots[i].since_us < slot->since_us)
            slot = &slots[i];
    }
    if (!slot->since_us || !hosts_equal(&slot->host, host) || now >= slot->since_us + window_us)
        *slot = (struct limiter_slot){ .host = *host, .since_us = now ? now : 1 };
    slot->n_failed++;
}
