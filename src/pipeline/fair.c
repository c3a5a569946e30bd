/* fair.c - which of what waits is stored next: not all of it, or the event of one community would wait for the lists of
 * events of another, as many as the queue holds. A request with many events is stored alone, and between two of them
 * everything else: of each community so many events. Its order is kept, and so is that of a source that asks for it:
 * what stays behind keeps back what came later. */
#include <string.h>

#include "pipeline_private.h"

#define SHARE_EVENTS 512 /* of a community, in one transaction: a few milliseconds */
#define SHARES 64        /* those beyond have the last one together with whose it is */

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

static struct share *find(struct shares *shares, const struct pipeline_source *source, const char *community)
{
    for (size_t i = 0; i < shares->n; i++)
        if (source ? shares->v[i].source == source
                   : !shares->v[i].source && strcmp(shares->v[i].community, community) == 0)
            return &shares->v[i];
    if (shares->n == SHARES)
        return &shares->v[SHARES - 1];
    shares->v[shares->n] = (struct share){ .source = source, .community = community };
    return &shares->v[shares->n++];
}

struct both {
    struct share *source, *community; /* source: that of the community, where it is not ordered */
};

static struct both find_both(struct shares *shares, const struct submission *s)
{
    const char *name = s->batch.events[0].community;
    struct share *community = find(shares, NULL, name);
    return (struct both){ s->source->callbacks.ordered ? find(shares, s->source, name) : community, community };
}

static bool is_large(const struct submission *s)
{
    return s->batch.n_events > SHARE_EVENTS;
}

/* Of the small ones. */
static bool has_room(struct both both, const struct submission *s)
{
    size_t n = s->batch.n_events;
    both.community->n_events += n;
    both.source->n_events += both.source == both.community ? 0 : n;
    bool room = !both.source->ends && !both.community->ends && both.source->n_events <= SHARE_EVENTS &&
                both.community->n_events <= SHARE_EVENTS;
    both.source->ends |= !room;
    both.community->ends |= !room;
    return room;
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
        if (!has_room(find_both(&shares, *link), *link)) {
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
        struct both both = find_both(&shares, *link);
        if (is_large(*link) && !both.source->ends && !both.community->ends)
            return unlink_at(queue, link);
        both.source->ends = both.community->ends = true;
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
