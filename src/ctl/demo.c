/* demo.c - the built-in shift as events, with lines that know what was told before. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#include "demo_shift.h"
#include "play.h"

#define IDS_START 10000
#define IDS_BLOCKS 4450 /* five digits, as people are used to */
#define OF_CALLS911 9   /* behind those of dispatch calls */

int demo_begin(struct demo *ret, uint64_t round, struct err *err)
{
    *ret = (struct demo){ .state = state_new(), .first_id = IDS_START + (unsigned) (round % IDS_BLOCKS) * DEMO_IDS };
    return ret->state ? 0 : err_set(err, -ENOMEM, "no memory");
}

void demo_end(struct demo *demo)
{
    demo->state = state_free(demo->state);
}

void play_event_done(struct play_event *event)
{
    batch_done(&event->batch);
    description_reset(&event->description);
}

static bool is_id(const char *p)
{
    return (p[0] == 'C' || p[0] == 'E') && p[1] == '_' && isdigit((unsigned char) p[2]) &&
           isdigit((unsigned char) p[3]);
}

/* Numbers in the place of C_01 and E_01. */
static void write_data(const struct demo *demo, const char *data, struct text *out)
{
    for (const char *p = data; *p;) {
        if (is_id(p)) {
            unsigned number = (unsigned) (p[2] - '0') * 10 + (unsigned) (p[3] - '0');
            text_addf(out, "%u", demo->first_id + (p[0] == 'E' ? OF_CALLS911 : 0) + number);
            p += 4;
        } else {
            text_add_bytes(out, p++, 1);
        }
    }
}

/* As the writer does it (pipeline). */
static void tell(struct demo *demo, struct play_event *event)
{
    const struct event *one = &event->batch.events[0];
    event_describe(one, demo->state, &event->description);
    state_set_event(demo->state, demo->next, one->time_us);
    if (one->verdict == EVENT_ACCEPTED && one->handler->apply)
        (void) one->handler->apply(one, demo->state); /* without memory a line names less */
}

int demo_next(struct demo *demo, struct play_event *ret, struct err *err)
{
    static const struct envelope_rules rules = { .families = &families_all };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "demo", "" };
    struct text data CLEANUP(text_free) = TEXT_INIT;
    if (demo->next == demo_shift_n)
        return 0;
    const struct demo_row *row = &demo_shift[demo->next++];
    write_data(demo, row->data, &data);
    ret->at_us = row->at_s * USEC_PER_SEC;
    if (data.failed || envelope_make_one(span_of(row->type), (struct span){ data.s, data.size }, &rules, "default",
                                         &origin, now_us(), &ret->batch, err) != ENVELOPE_OK)
        return err_set(err, -ENOMEM, "no memory");
    tell(demo, ret);
    return 1;
}
