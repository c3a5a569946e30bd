/* known_peers.c - hosts that had a right key within a day. Only a right key puts one here, so no stranger can fill
 * the table; where more communities send from more of them than it holds, the one not heard of for longest goes. */
#include "intake_private.h"

static struct known_slot *find(struct known *known, const struct host *host)
{
    struct known_slot *slots = &known->slots[hosts_first_slot(known->seed, host, KNOWN_SLOTS)], *oldest = slots;
    for (size_t i = 0; i < HOSTS_WAYS; i++) {
        if (hosts_equal(&slots[i].host, host))
            return &slots[i];
        if (slots[i].until_us < oldest->until_us)
            oldest = &slots[i];
    }
    return oldest;
}

void known_add(struct known *known, const struct host *host, usec_t until_us)
{
    struct known_slot *slot = find(known, host);
    if (!hosts_equal(&slot->host, host))
        *slot = (struct known_slot){ .host = *host };
    if (until_us > slot->until_us)
        slot->until_us = until_us;
}

bool known_has(const struct known *known, const struct host *host, usec_t now)
{
    const struct known_slot *slots = &known->slots[hosts_first_slot(known->seed, host, KNOWN_SLOTS)];
    for (size_t i = 0; i < HOSTS_WAYS; i++)
        if (hosts_equal(&slots[i].host, host))
            return now < slots[i].until_us;
    return false;
}
