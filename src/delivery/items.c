/* items.c - the events a worker has in hand. */
#include <stdlib.h>

#include "private.h"

void items_append(struct worker *worker, struct item *item)
{
    item->next = NULL;
    item->previous = worker->last;
    *(worker->last ? &worker->last->next : &worker->first) = item;
    worker->last = item;
}

void items_remove(struct worker *worker, struct item *item)
{
    *(item->previous ? &item->previous->next : &worker->first) = item->next;
    *(item->next ? &item->next->previous : &worker->last) = item->previous;
}

struct item *items_take(struct worker *worker)
{
    struct item *item = worker->first;
    while (item && item->taken)
        item = item->next;
    if (item)
        item->taken = true;
    return item;
}

void items_drop_waiting(struct worker *worker)
{
    for (struct item *item = worker->first, *next; item; item = next) {
        next = item->next;
        if (item->again)
            continue;
        if (item->taken) {
            item->stray = true;
            continue;
        }
        items_remove(worker, item);
        item_free(item);
    }
}

void item_free(struct item *item)
{
    batch_done(&item->batch);
    description_free(&item->description);
    free(item);
}

/* Up to here everything is settled. */
uint64_t worker_cursor(const struct worker *worker)
{
    for (const struct item *item = worker->first; item; item = item->next)
        if (!item->again && !item->stray)
            return item->id - 1;
    return worker->read_id;
}
