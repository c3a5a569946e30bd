/* fair.c - which of what waits is stored next: not all of it, or the event of one community would wait for the lists of
 * events of another, as many as the queue holds. A request with many events is stored alone, and between two of them
 * everything else: of each community so many events. Its order is kept, and so is that of a source that asks for it:
 * what stays behind keeps back what came later. */
#include <string.h>

#include "pipeline_private.h"

#define SHARE_EVENTS 512 /* of a community, in one transaction: a few milliseconds */
#define SHARES 64        /* those beyond have the last one together */

struct share {
    const struct pipeline_source *source; /* ordered; NULL: what came from others, of a community */
    const char *community;
    size_t n_events;
    bool ends; /* something of it stays, and so does all that is behind it */
};

struct shares {
    struct share v[SHARES];
    size_t n;
};

static bool is_of(const struct share *share, const struct submission *s)
{
    if (s->source->callbacks.ordered || share->source)
        return share->source == s->source;
    return strcmp(share->community, s->batch.events[0].community) == 0;
}

static struct share *find(struct shares *shares, const struct submission *s)
{
    for (size_t i = 0; i < shares->n; i++)
        if (is_of(&shares->v[i], s))
            return &shares->v[i];
    if (shares->n == SHARES)
        return &shares->v[SHARES - 1];
    shares->v[shares->n] = (struct share){ .source = s->source->callbacks.ordered ? s->source : NULL,
                                           .community = s->batch.events[0].community };
    return &shares->v[shares->n++];
}

static bool is_large(const struct submission *s)
{
    return s->batch.n_events > SHARE_EVENTS;
}

/* Of the small ones. */
static bool has_room(struct share *share, const struct submission *s)
{
    share->n_events += s->batch.n_events;
    share->ends = share->ends || share->n_events > SHARE_EVENTS;
    return !share->ends;
}

static struct submission *unlink_at(struct queue *queue, struct submission **link)
{
    struct submission *s = *link;
    *link = s->next;
    if (!s->next)
        queue->end = link;
    s->next = NULL;
    return s;
}

static struct submission *take_small(struct queue *queue)
{
    struct shares shares = { .n = 0 };
    struct submission *taken = NULL, **end = &taken, **link = &queue->first;
    while (*link) {
        if (!has_room(find(&shares, *link), *link)) {
            link = &(*link)->next;
            continue;
        }
        *end = unlink_at(queue, link);
        end = &(*end)->next;
    }
    return taken;
}

/* The first before which there is nothing of its own. */
static struct submission *take_large(struct queue *queue)
{
    struct shares shares = { .n = 0 };
    struct submission **link = &queue->first;
    while (*link) {
        struct share *share = find(&shares, *link);
        if (is_large(*link) && !share->ends)
            return unlink_at(queue, link);
        share->ends = true;
        link = &(*link)->next;
    }
    return NULL;
}

static struct submission *take_all(struct queue *queue)
{
    struct submission *list = queue->first;
    *queue = (struct queue){ 0 };
    return list;
}

struct submission *fair_take(struct queue *queue, size_t n_events, bool *large_next)
{
    if (n_events <= SHARE_EVENTS)
        return take_all(queue);

    bool large = *large_next;
    *large_next = !large;
    struct submission *taken = large ? take_large(queue) : take_small(queue);
    if (taken)
        return taken;
    return large ? take_small(queue) : take_large(queue);
}
