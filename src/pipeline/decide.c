/* decide.c - what is decided about an event before it is stored: its line, ids and level from what was known before it,
 * what it changes in state, and what is known of its units and calls then. All of it in the overlay, which becomes
 * state when the transaction is on disk, and is thrown away when it fails. */
#include <errno.h>
#include <stdlib.h>

#include "pipeline_private.h"

#define KEEP_DESCRIPTIONS 256 /* between two transactions, and of each: */
#define KEEP_IDS 64
#define KEEP_LINE_BYTES 2048

void decide_apply(const struct event *event, struct state *state)
{
    state_set_event(state, event->id, event->order_us);
    state_set_test(state, event->test);
    state_set_source(state, event->origin->source, event->origin->name);
    if (!event_verdict_is_refusal(event->verdict) && event->handler && event->handler->apply)
        (void) event->handler->apply(event, state); /* without memory, what lines can name is less */
}

/* The clock of another node is its own, and what it tells may be of last week, or of next year: state forgets by the
 * order of this log, so such an event counts as no earlier than what stands before it, and no later than now. */
usec_t decide_order(usec_t time_us, bool elsewhere, usec_t *newest_us)
{
    if (!elsewhere) {
        *newest_us = time_us;
    } else if (time_us > *newest_us) {
        usec_t now = now_us();
        *newest_us = time_us < now ? time_us : now > *newest_us ? now : *newest_us;
    }
    return *newest_us;
}

static struct description *next_description(struct decided *decided)
{
    if (decided->n == decided->room) {
        size_t room = decided->room ? 2 * decided->room : 16;
        struct description *v = realloc(decided->v, room * sizeof(*v));
        if (!v)
            return NULL;
        for (size_t i = decided->room; i < room; i++)
            v[i] = (struct description) DESCRIPTION_INIT;
        decided->v = v;
        decided->room = room;
    }
    return &decided->v[decided->n++];
}

int decide(struct pipeline *pipeline, const struct event *event, struct err *err)
{
    struct description *description = next_description(&pipeline->decided);
    if (!description)
        return err_set(err, -ENOMEM, "no memory");
    if (event->decided && description_copy(description, event->decided) < 0)
        return err_set(err, -ENOMEM, "no memory");
    if (!event->decided)
        event_describe(event, pipeline->overlay, description);
    decide_apply(event, pipeline->overlay);
    if (event->decided)
        return 0;
    families_write_known(event, pipeline->overlay, description);
    return 0;
}

static bool is_large(const struct description *description)
{
    return description->line.room > KEEP_LINE_BYTES || description->was.room > KEEP_LINE_BYTES ||
           description->calls.room > KEEP_IDS || description->calls911.room > KEEP_IDS ||
           description->units.room > KEEP_IDS;
}

void decided_reset(struct decided *decided)
{
    for (size_t i = 0; i < decided->n; i++)
        if (i >= KEEP_DESCRIPTIONS || is_large(&decided->v[i])) {
            description_free(&decided->v[i]);
            decided->v[i] = (struct description) DESCRIPTION_INIT;
        }
    decided->n = 0;
}

void decided_free(struct decided *decided)
{
    for (size_t i = 0; i < decided->room; i++)
        description_free(&decided->v[i]);
    free(decided->v);
    *decided = (struct decided){ 0 };
}
