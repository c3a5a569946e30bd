/* renew.c - a new life of the log while it is in use: somebody outside has events of it that it has not. */
#include "pipeline_private.h"

void renew_life(struct pipeline *pipeline)
{
    struct store_life life, before;
    struct err err;
    if (!delivery_wants_life(pipeline->delivery))
        return;
    if (store_begin_life(pipeline->store, &err) < 0)
        return; /* what cannot be written is told elsewhere; then this is tried again */
    (void) store_get_life(pipeline->store, &life, &before);
    if (feed_begin_life(pipeline->feed, &life) < 0)
        return;
    store_life_told(pipeline->store);
    delivery_has_life(pipeline->delivery);
    log_line(LOG_WARNING, LOG_ID_LIFE,
             "the event log is behind what it once told: it was put back from a copy, or has lost its end. From event "
             "%llu on it has a new life, %s; the one before was %s",
             (unsigned long long) life.first_id, life.log, before.log);
}
