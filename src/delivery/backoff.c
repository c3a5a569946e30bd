/* backoff.c - the wait between tries. */
#include "private.h"

#define FIRST_US USEC_PER_SEC
#define MAX_US (300 * USEC_PER_SEC)

usec_t backoff_us(unsigned attempts, uint32_t random)
{
    usec_t wait = FIRST_US;
    for (unsigned i = 1; i < attempts && wait < MAX_US; i++)
        wait *= 2;
    if (wait > MAX_US)
        wait = MAX_US;
    return wait / 2 + wait / 2 * random / UINT32_MAX;
}
