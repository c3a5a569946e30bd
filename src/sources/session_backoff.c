/* session_backoff.c - when a session connects again. */
#include "session_backoff.h"

#define MINUTE_US (60 * USEC_PER_SEC)
#define FIRST_MAX_US (2 * USEC_PER_SEC)
#define ASKED_MAX_US (60 * MINUTE_US) /* what the CAD may ask for */
#define KICKS_WORTH_A_WARNING 2

static usec_t step_us(const unsigned *seconds, size_t n, unsigned step)
{
    return seconds[step < n ? step : n - 1] * USEC_PER_SEC;
}

/* Half of it to one and a half. */
static usec_t spread(usec_t us, uint32_t lot)
{
    return us / 2 + us * lot / UINT32_MAX;
}

static usec_t next_step(struct session_backoff *backoff, uint32_t lot)
{
    static const unsigned steps[] = { 2, 5, 10, 30, 60 };
    if (!backoff->step++)
        return FIRST_MAX_US * lot / UINT32_MAX;
    return spread(step_us(steps, ARRAY_SIZE(steps), backoff->step - 2), lot);
}

static usec_t next_refused(struct session_backoff *backoff, uint32_t lot)
{
    static const unsigned steps[] = { 30, 60, 120, 300 };
    return spread(step_us(steps, ARRAY_SIZE(steps), backoff->refusals++), lot);
}

static usec_t asked(usec_t asked_us, uint32_t lot)
{
    usec_t us = asked_us && asked_us < ASKED_MAX_US ? asked_us : asked_us ? ASKED_MAX_US : MINUTE_US;
    return us + FIRST_MAX_US * lot / UINT32_MAX; /* not before, and not all at once */
}

usec_t session_backoff_next(struct session_backoff *backoff, enum session_end end, usec_t live_us, usec_t asked_us,
                            uint32_t lot)
{
    if (live_us)
        backoff->refusals = 0;
    bool is_short = live_us && live_us < MINUTE_US;
    if (live_us >= MINUTE_US || (is_short && end == SESSION_END_LOST && !backoff->was_short))
        backoff->step = 0;
    if (live_us)
        backoff->was_short = is_short;
    backoff->busy = end == SESSION_END_BUSY;
    backoff->kicks = end == SESSION_END_KICKED && live_us && live_us < MINUTE_US ? backoff->kicks + 1 : 0;
    if (end == SESSION_END_REFUSED)
        return next_refused(backoff, lot);
    if (end == SESSION_END_BUSY)
        return asked(asked_us, lot);
    if (session_backoff_is_kicked(backoff))
        return spread(MINUTE_US, lot);
    return next_step(backoff, lot);
}

bool session_backoff_is_kicked(const struct session_backoff *backoff)
{
    return backoff->kicks >= KICKS_WORTH_A_WARNING;
}

/* ---- life ---- */

static usec_t dead_us(const struct session_life *life, usec_t heard_us, bool answers)
{
    usec_t silent_us = heard_us + SESSION_LIFE_SILENT_US;
    usec_t unanswered_us = life->waiting_us + SESSION_LIFE_PING_US;
    return answers && life->waiting_us && unanswered_us < silent_us ? unanswered_us : silent_us;
}

enum session_life_step session_life_next(struct session_life *life, usec_t heard_us, bool answers, usec_t now_us)
{
    if (life->waiting_us && heard_us >= life->waiting_us)
        life->waiting_us = 0;
    if (now_us >= dead_us(life, heard_us, answers))
        return SESSION_LIFE_DEAD;
    if (!life->ping_us || now_us >= life->ping_us + SESSION_LIFE_PING_US) {
        life->ping_us = now_us;
        if (!life->waiting_us)
            life->waiting_us = now_us;
        return SESSION_LIFE_PING;
    }
    if (now_us >= life->record_us + SESSION_LIFE_RECORD_US) {
        life->record_us = now_us;
        return SESSION_LIFE_RECORD;
    }
    return SESSION_LIFE_QUIET;
}

usec_t session_life_due_us(const struct session_life *life, usec_t heard_us, bool answers)
{
    usec_t due_us = life->ping_us ? life->ping_us + SESSION_LIFE_PING_US : 0;
    usec_t record_us = life->record_us + SESSION_LIFE_RECORD_US, dead = dead_us(life, heard_us, answers);
    due_us = record_us < due_us ? record_us : due_us;
    return dead < due_us ? dead : due_us;
}
