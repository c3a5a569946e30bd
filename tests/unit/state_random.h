/* state_random.h - changes drawn at random, and times that go by. Each test that uses it sets seed. */
#pragma once

#include "state_dump.h"

#define MINUTE_US (60 * USEC_PER_SEC)
#define N_IDS 40

static uint64_t seed;

static inline uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

static inline const char *random_text(void)
{
    static const char *const texts[] = { NULL, NULL, "", "a", "b", "3-L-27", "K9", "a longer text than the others" };
    return texts[random_below(ARRAY_SIZE(texts))];
}

/* One change, drawn once, so that it can be made in several states. */
struct change {
    int kind;
    bool other_community, test;
    uint64_t event_id;
    usec_t time_us;
    struct state_unit unit;
    struct state_call call;
    struct state_call911 call911;
    int64_t units[4];
    size_t n_units;
};

static inline struct change random_change(uint64_t event_id, usec_t time_us)
{
    struct change c = { .kind = (int) random_below(10), .other_community = random_below(5) == 0, .event_id = event_id };
    c.time_us = time_us;
    c.test = random_below(4) == 0;
    c.unit = (struct state_unit) STATE_UNIT_PATCH((int64_t) random_below(N_IDS));
    c.call = (struct state_call) STATE_CALL_PATCH((int64_t) random_below(N_IDS));
    c.call911 = (struct state_call911) STATE_CALL911_PATCH((int64_t) random_below(N_IDS));
    c.unit.number = random_text();
    c.unit.name = random_text();
    c.unit.group = random_text();
    c.unit.status = (int32_t) random_below(4) - 1 < 0 ? STATE_UNSET : (int32_t) random_below(4);
    c.unit.panic = (int8_t) ((int) random_below(3) - 1);
    c.unit.dispatcher = (int8_t) ((int) random_below(3) - 1);
    c.unit.online = (int8_t) ((int) random_below(3) - 1);
    c.unit.told = random_below(2);
    c.unit.status_since_us = random_below(2) ? time_us : 0;
    c.call.title = random_text();
    c.call.block = random_text();
    c.call.status = (int32_t) random_below(3);
    c.call.call911 = random_below(3) ? STATE_UNSET_ID : (int64_t) random_below(N_IDS);
    c.call.opened_us = random_below(3) ? 0 : time_us;
    c.call.told = random_below(2);
    c.call911.caller = random_text();
    c.call911.emergency = (int8_t) random_below(2);
    c.n_units = random_below(5);
    for (size_t i = 0; i < c.n_units; i++)
        c.units[i] = (int64_t) random_below(N_IDS);
    return c;
}

static inline void make(struct state *state, const struct change *c)
{
    const char *in = c->other_community ? "b" : "a";
    state_set_event(state, c->event_id, c->time_us);
    state_set_test(state, c->test);
    if (c->kind <= 1)
        assert_true(state_unit_put(state, in, &c->unit, c->time_us) >= 0);
    else if (c->kind == 2)
        assert_true(state_call_put(state, in, &c->call, c->time_us) >= 0);
    else if (c->kind == 3)
        assert_true(state_call911_put(state, in, &c->call911, c->time_us) >= 0);
    else if (c->kind == 4)
        assert_true(state_call911_remove(state, in, c->call911.id, c->time_us) >= 0);
    else if (c->kind == 5)
        assert_true(state_call_attach(state, in, c->call.id, c->units, c->n_units, c->time_us) >= 0);
    else if (c->kind == 6)
        assert_true(state_call_detach(state, in, c->call.id, c->units, c->n_units, c->time_us) >= 0);
    else if (c->kind == 7)
        assert_true(state_call_set_units(state, in, c->call.id, c->units, c->n_units, c->time_us) >= 0);
    else if (c->kind == 8)
        assert_true(state_units_clear(state, in, c->units, c->n_units, c->time_us) >= 0);
    else
        assert_true(state_group_rename(state, in, "K9", "a", c->time_us) >= 0);
}

/* Minutes go by, hours, and now and then somebody sets the clock. */
static inline usec_t step(usec_t time_us)
{
    uint64_t what = random_below(100);
    if (what == 0)
        return time_us + 30 * STATE_KEEP_US;
    if (what == 1 && time_us > T0 + STATE_KEEP_US)
        return time_us - random_below(20) * STATE_KEEP_US / 10;
    return time_us + random_below(40) * MINUTE_US / (1 + random_below(60));
}
