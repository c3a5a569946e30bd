/* primed.h - what the CAD's REST interface says, compared with what is known: the data of an event STATE_PRIMED.
 *
 * Shape:   an object: asked_id, asked_us (as of which event and when it was asked), server, gap_us (only after a time
 *          without connection), units, calls, calls911 (objects of the CAD, events.md section 2, with what differs;
 *          "missed": true where the log heard nothing of it), gone: { units, calls, calls911 } (ids). An entry of state
 *          that an event changed behind asked_id, or that was spoken of after asked_us, is told only what nobody told.
 *          What is not there any more is gone only if the same session told of it last. What was seen in the future
 *          was seen before the clock was set back.
 * Units:   in the names; asked_us and now_us by the wall clock.
 * Owner:   all is borrowed but the text, which is the caller's.
 * Threads: none. Pure: the arguments alone decide.
 * Errors:  1 there is something, 0 nothing differs, -ENOMEM.
 * Source:  vendor pages api-endpoints-v2/emergency: calls/get-calls, units/get-active-units.
 */
#pragma once

#include <sonoran-pushd/event.h>
#include <sonoran-pushd/state.h>

#define PRIMED_TYPE "STATE_PRIMED"
#define PRIMED_MAX_BYTES ((size_t) 4 << 20) /* of the data; what has no room is told the next time */

struct primed_question {
    uint64_t asked_id;
    usec_t asked_us;
    usec_t now_us; /* when it is compared */
    uint32_t server;
    uint8_t source; /* the session's number in the snapshot, as changed_source has it; 0: it told nothing yet */
    usec_t gap_us;  /* 0: nothing can have been missed */
};

struct primed_answers {
    const cJSON *calls; /* the object with the three lists; NULL: there is no answer */
    const cJSON *const *units;
    size_t n_units;   /* pages, each a list */
    bool units_whole; /* and all there are, so that who is missing is off duty */
};

/* Whether the log heard of it before the gap. */
typedef bool primed_heard(void *context, enum state_kind kind, int64_t id);

/* A page of units with what counts here of each, and nothing else: some kilobytes of one at most. Yours, for
 * cJSON_Delete. NULL: no memory. */
cJSON *primed_reduce_units(const cJSON *page) MUST_CHECK;

/* ret_n_missed: of calls and 911 calls, how many of ret were missed. */
int primed_diff(const struct primed_question *question, const struct primed_answers *answers,
                const struct state_snapshot *known, primed_heard *heard, void *context, struct text *ret,
                size_t *ret_n_missed) MUST_CHECK;

/* How much of it was missed, by a state that has just heard it: not what an event told in time after all. For the
 * thread that changes the state. */
size_t primed_count_missed(const struct event *event, const struct state *state);

/* The number of a session's name in a state, 0: there is none. */
uint8_t primed_source(const struct state *state, const char *source, const char *name);

extern const struct event_family family_primed;
