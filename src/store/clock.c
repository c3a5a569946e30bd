/* clock.c - the time that events are too old by. The wall clock may be wrong at any moment (no battery, a restored VM,
 * a typing error), and what is deleted for it is gone, so it counts only where the log and the time that has passed
 * agree with it, or when it has held for a day. */
#include "store_private.h"

#define HOUR_US (3600 * (int64_t) USEC_PER_SEC)
#define DAY_US (24 * HOUR_US)
#define JUMP_US HOUR_US /* less than that is put right by now and then, and may happen */

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How far the clock is from where the newest event and the time since the machine came up would have it at most. */
static int64_t jump_before_start(int64_t now_us, int64_t newest_us, int64_t up_us)
{
    int64_t ahead_us = now_us - newest_us - up_us;
    bool back = now_us - newest_us < -JUMP_US;
    return back ? now_us - newest_us : ahead_us > DAY_US ? ahead_us : 0; /* a machine that is off at night is no news */
}

/* Events cannot have come while there was only a copy: the clock that put it back counts as far as the newest one. */
static bool explains_restore(const struct store *store, int64_t now_us, int64_t up_us)
{
    if (store->life_news != STORE_LIFE_RESTORED || store->life.epoch_ms > (uint64_t) now_us / USEC_PER_MSEC)
        return false;
    return now_us - (int64_t) (store->life.epoch_ms * USEC_PER_MSEC) - up_us <= DAY_US;
}

/* A clock that is wrong since yesterday or a shorter time has written no event that is a day old by it: what it says is
 * believed to the last such event and a day further, and not further than the newest one and the uptime. */
static int begin(struct store *store, const struct store_time *now, struct store_trimmed *ret, struct err *err)
{
    struct store_clock *clock = &store->clock;
    int64_t now_us = (int64_t) now->now_us, up_us = (int64_t) now->boottime_us;
    struct moment newest, settled;
    *clock = (struct store_clock){ false, now_us - up_us, up_us, now_us, up_us, false };
    int r = age_last_until(store->db, (int64_t) store->last_id, UINT64_MAX, &newest, err);
    if (r <= 0)
        return r;
    clock->fit_us = lesser(now_us, newest.time_us + up_us);
    ret->jump_us = jump_before_start(now_us, newest.time_us, up_us);
    clock->doubted = ret->jump_us != 0;
    ret->quiet = ret->jump_us > 0;
    if (ret->quiet && explains_restore(store, now_us, up_us))
        ret->jump_us = 0;
    usec_t yesterday_us = now_us > DAY_US ? (usec_t) (now_us - DAY_US) : 0;
    r = age_last_until(store->db, (int64_t) store->last_id, yesterday_us, &settled, err);
    if (r > 0)
        clock->fit_us = lesser(clock->fit_us, settled.time_us + DAY_US);
    return r;
}

int clock_believe(struct store *store, const struct store_time *now, struct store_trimmed *ret, usec_t *ret_us,
                  struct err *err)
{
    struct store_clock *clock = &store->clock;
    int64_t now_us = (int64_t) now->now_us, up_us = (int64_t) now->boottime_us;
    int r = clock->known ? 0 : begin(store, now, ret, err);
    if (r < 0)
        return r;
    clock->known = true;
    int64_t step_us = now_us - up_us - clock->offset_us;
    if (step_us > JUMP_US || step_us < -JUMP_US) {
        clock->offset_us += step_us;
        clock->held_since_us = up_us;
        clock->doubted = true;
        ret->jump_us = step_us;
        ret->quiet = false;
    }
    if (up_us - clock->held_since_us >= DAY_US) {
        ret->believed = clock->doubted;
        *clock = (struct store_clock){ true, now_us - up_us, clock->held_since_us, now_us, up_us, false };
    }
    int64_t fit_us = lesser(now_us, clock->fit_us + up_us - clock->fit_up_us);
    *ret_us = fit_us > 0 ? (usec_t) fit_us : 0;
    return 0;
}
